//! Member codes: what a buyer shows so that a shop can name them without knowing them. (A7, docs/rules.md S9)
//!
//! The tag is a random handle that the server maps to an account and can exchange for another; the account's own id
//! is never shown. Who may use a tag is proved by the code's last eight bytes, which only the server can check.

use minicbor::{Decode, Encode};

use crate::id::AccountId;
use crate::one_time::{self, OneTimeCode};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// For how many seconds a phone shows the same code.
pub const STEP_SECONDS: u64 = 30;

/// How many steps a code may lie beside the sale's time, before or after: two clocks that differ, and a slow hand.
pub const STEPS_BESIDE: u64 = 2;

/// A member code as scanned.
///
/// In CBOR `[tag, step, mac]`; in a QR the same 28 bytes one after the other (`moa_wire::member`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct MemberCode {
    /// Names the buyer's account to the server, and to nobody else.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub tag: [u8; 16],
    /// Steps of [`STEP_SECONDS`] since 1970, by the buyer's clock.
    #[n(1)]
    pub step: u32,
    /// HMAC-SHA-256 over tag and step under the member's secret, cut to eight bytes.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub mac: [u8; 8],
}

impl MemberCode {
    /// Refuses a code that was not shown around the second `sold`.
    ///
    /// # Errors
    /// `member_code_expired`.
    pub fn check_time(&self, sold: u64) -> Result<(), Refusal> {
        if u64::from(self.step).abs_diff(sold / STEP_SECONDS) > STEPS_BESIDE {
            return Err(Refusal::MemberCodeExpired);
        }
        Ok(())
    }
}

/// Whom a shop sells to, as far as the shop can tell.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Buyer {
    /// Whoever showed this code.
    #[n(0)]
    Member(#[n(0)] MemberCode),
    /// Whoever read out these digits.
    #[n(1)]
    OneTime(#[n(0)] OneTimeCode),
    /// Whose phone number this is. The number itself travels beside the op and is not kept.
    #[n(2)]
    Number(#[n(0)] NumberHash),
}

/// A salted hash of a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct NumberHash(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

/// Whom a shop sells to, as the server found out from what it keeps of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This account.
    Account(AccountId),
    /// This account, by digits handed out at an instant.
    OneTime(AccountId, Timestamp),
    /// The account of a phone number, which is there already if its owner has not signed up yet.
    Number {
        /// The account.
        account: AccountId,
        /// Whether its owner has signed up.
        signed_up: bool,
    },
    /// Nobody, for this reason.
    Nobody(Refusal),
}

impl Found {
    /// Who it is whom a shop named as `buyer` at second `named`, and whether their owner has signed up.
    ///
    /// # Errors
    /// The reason why it is nobody; `member_code_expired`, `one_time_code_expired`.
    pub(crate) fn at(&self, buyer: &Buyer, named: u64) -> Result<(AccountId, bool), Refusal> {
        let found = match self {
            Self::Account(account) => (*account, true),
            Self::OneTime(account, made) => {
                one_time::check_time(*made, named)?;
                (*account, true)
            }
            Self::Number { account, signed_up } => (*account, *signed_up),
            Self::Nobody(reason) => return Err(reason.clone()),
        };
        if let Buyer::Member(code) = buyer {
            code.check_time(named)?;
        }
        Ok(found)
    }
}
