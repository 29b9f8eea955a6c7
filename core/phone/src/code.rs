//! Reading a code: what a camera saw, and what this phone can tell about it without a network.

use moa_rules::id::{GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::{Op, OpBody, RedemptionCode};
use moa_rules::quantity::{Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::staff::{Limits, StaffInvitation};
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use moa_wire::code::{self, NotOurs, Scanned};
use moa_wire::link::Destination;
use moa_wire::token::{Approval, Sealed};
use rusqlite::Connection;

use crate::enrolment::server_key;
use crate::error::PhoneError;
use crate::lookup::Lookup;
use crate::pass::ScannedPass;
use crate::phone::{Phone, own_shop};
use crate::sale::claim_until;
use crate::shop::{Shop, shop};
use crate::store::{directory, vouchers};

/// What a code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// A sale, to be claimed by a buyer.
    Voucher(ScannedVoucher),
    /// A buyer's permission to take mileage, for a shop.
    Redemption(ScannedRedemption),
    /// The server's word that a redemption stands, for a shop without signal. Its signature was checked.
    Approval(ScannedApproval),
    /// A buyer's member code, for a shop: [`Phone::record_sale_for`].
    Member(ScannedMember),
    /// Twelve digits, for a shop: to pay with ([`Client::redeem`](crate::Client::redeem)) or to name a buyer by
    /// ([`Phone::record_sale_for`]). Only the server knows which.
    OneTime(ScannedOneTime),
    /// An owner's invitation to sell for the shop: [`Phone::join_staff`].
    Invitation(ScannedInvitation),
    /// The word of another account of this person's: [`Phone::merge_account`].
    MergeConsent {
        /// Whether it is void.
        expired: bool,
        /// The code itself.
        text: String,
    },
    /// Mileage reserved for a till: [`Phone::take_pass`]. Its signatures were checked.
    Pass(Box<ScannedPass>),
    /// A browser that wants in as this phone's person, by the public half of its key (65 bytes): [`Phone::let_in_browser`], once
    /// they have said yes. Whoever shows it holds that browser: a stranger's gets in just as well.
    Browser(Vec<u8>),
    /// A link to a screen.
    Link(Destination),
}

/// An owner's invitation as scanned. Only the server can check who signed it, if this phone does not know the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedInvitation {
    /// The shop, if this phone knows its key.
    pub shop: Option<Shop>,
    /// What whoever joins may sell.
    pub limits: Limits,
    /// When it is void.
    pub expires_at: Timestamp,
    /// The code itself, for [`Phone::join_staff`].
    pub text: String,
}

/// A member code as scanned. Only the server can tell whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedMember {
    /// Whether it was shown too long ago to be taken now.
    pub expired: bool,
    /// The code itself, for [`Phone::record_sale_for`].
    pub text: String,
}

/// Digits as scanned or typed; the check digit holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedOneTime {
    /// In three groups of four.
    pub text: String,
}

/// A sale as scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedVoucher {
    /// The sale.
    pub sale: OpId,
    /// The key that signed it.
    pub seller: KeyId,
    /// The shop, if the signature was checked against a key that this phone knows. Without one the voucher is
    /// *unverified*: a shop never met. It can be claimed all the same; the server checks.
    pub shop: Option<Shop>,
    /// What was paid in money.
    pub amount: Money,
    /// When, by the shop's clock.
    pub sold_at: Timestamp,
    /// Until when it can be claimed.
    pub claim_until: Timestamp,
    /// Whether it can be claimed by this phone now.
    pub standing: VoucherStanding,
    /// The signed bytes.
    pub(crate) token: Vec<u8>,
    /// Whether it names its buyer.
    pub addressed: bool,
}

/// Whether a voucher can be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoucherStanding {
    /// It can.
    Open,
    /// This phone has claimed it.
    Claimed {
        /// The claim.
        claim: OpId,
    },
    /// Someone else was first.
    Gone,
    /// It was to be scanned earlier.
    Expired,
    /// It is for another buyer.
    ForAnother,
    /// It is this shop's own.
    Own,
}

/// A buyer's permission as scanned. Only the server can check who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedRedemption {
    /// The group whose mileage may be taken.
    pub group: GroupId,
    /// Its name, if the directory has told.
    pub group_name: Option<String>,
    /// Units that may be taken at most.
    pub most: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// When it is void.
    pub expires_at: Timestamp,
    /// Whether it is void.
    pub expired: bool,
    /// The code itself, for [`Phone::redeem`].
    pub text: String,
}

/// The server's word, as scanned and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedApproval {
    /// The op that redeems.
    pub op: OpId,
    /// The shop that it is for.
    pub merchant: MerchantId,
    /// Whether that is this phone's shop.
    pub for_us: bool,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// Units taken.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// When a shop no longer honours it.
    pub expires_at: Timestamp,
    /// Whether that has come.
    pub expired: bool,
}

impl Phone {
    /// Reads what a camera saw, or a person pasted.
    ///
    /// # Errors
    /// [`PhoneError::NotOurs`], saying what it is instead; `bad_signature` for a forgery.
    pub fn read_code(&self, text: &str) -> Result<Code, PhoneError> {
        match code::read(text, self.link_base())? {
            Scanned::Voucher(sealed) => self.read_voucher(*sealed).map(Code::Voucher),
            Scanned::RedemptionCode(sealed) => {
                self.read_redemption(text, *sealed.unchecked()).map(Code::Redemption)
            }
            Scanned::Approval(sealed) => self.read_approval(sealed).map(Code::Approval),
            Scanned::Member(code) => Ok(Code::Member(ScannedMember {
                expired: code.check_time(self.now().seconds()).is_err(),
                text: text.trim().to_owned(),
            })),
            Scanned::OneTime(digits) => Ok(Code::OneTime(ScannedOneTime { text: digits.text() })),
            Scanned::StaffInvitation(sealed) => self.read_invitation(text, sealed).map(Code::Invitation),
            Scanned::MergeConsent(sealed) => Ok(Code::MergeConsent {
                expired: self.now() > Timestamp::from_seconds(sealed.unchecked().expires),
                text: text.trim().to_owned(),
            }),
            Scanned::Pass(sealed) => Ok(Code::Pass(Box::new(self.read_pass(text, *sealed)?))),
            Scanned::Link(Destination::Browser(key)) => Ok(Code::Browser(key.public_key())),
            Scanned::Link(destination) => Ok(Code::Link(destination)),
        }
    }

    fn read_voucher(&self, sealed: Sealed<Op>) -> Result<ScannedVoucher, PhoneError> {
        let Op { id: sale, actor: seller, time, ref body, .. } = *sealed.unchecked();
        let OpBody::RecordSale { amount, addressee, .. } = *body else { return Err(NotOurs::Damaged.into()) };
        let (token, addressed) = (sealed.bytes().to_vec(), addressee.is_some());
        let now = self.now();
        let (shop, standing) = self.store().read(|db| {
            let account = crate::phone::account(db)?;
            let shop = verify(db, seller, sealed)?;
            let own = own_shop(db)?;
            let claim = vouchers::claim(db, seller, sale)?;
            let standing = match claim {
                Some((_, true)) => VoucherStanding::Gone,
                Some((claim, false)) => VoucherStanding::Claimed { claim },
                None if seller == self.key() || (own.is_some() && own == shop.as_ref().map(|s| s.id)) => {
                    VoucherStanding::Own
                }
                None if addressee.is_some_and(|buyer| buyer != account) => VoucherStanding::ForAnother,
                None if now > claim_until(time, addressed) => VoucherStanding::Expired,
                None => VoucherStanding::Open,
            };
            Ok((shop, standing))
        })?;
        if shop.is_none() {
            self.want(Lookup::Key(seller));
        }
        Ok(ScannedVoucher {
            sale,
            seller,
            shop,
            amount,
            sold_at: Timestamp::from_seconds(time),
            claim_until: claim_until(time, addressed),
            standing,
            token,
            addressed,
        })
    }

    fn read_redemption(&self, text: &str, code: RedemptionCode) -> Result<ScannedRedemption, PhoneError> {
        let known = self.store().read(|db| directory::group(db, code.group))?;
        let expires_at = Timestamp::from_seconds(code.expires);
        Ok(ScannedRedemption {
            group: code.group,
            group_name: known.map(|group| group.profile.name),
            most: code.most,
            unit: code.unit,
            expires_at,
            expired: expires_at < self.now(),
            text: text.trim().to_owned(),
        })
    }

    fn read_invitation(
        &self,
        text: &str,
        sealed: Sealed<StaffInvitation>,
    ) -> Result<ScannedInvitation, PhoneError> {
        let StaffInvitation { key, expires, limits, .. } = *sealed.unchecked();
        let shop = self.store().read(|db| {
            let Some((merchant, public_key)) = directory::key(db, key)? else { return Ok(None) };
            sealed.check(&public_key).map_err(|_| Refusal::BadSignature)?;
            shop(db, merchant).map(Some)
        })?;
        if shop.is_none() {
            self.want(Lookup::Key(key));
        }
        let expires_at = Timestamp::from_seconds(expires);
        Ok(ScannedInvitation { shop, limits, expires_at, text: text.trim().to_owned() })
    }

    fn read_approval(&self, sealed: Sealed<Approval>) -> Result<ScannedApproval, PhoneError> {
        let (key, own) = self.store().read(|db| Ok((server_key(db)?, own_shop(db)?)))?;
        let approval = *sealed.check(&key).map_err(|_| Refusal::BadSignature)?.value();
        let expires_at = Timestamp::from_seconds(approval.expires);
        Ok(ScannedApproval {
            op: approval.op,
            merchant: approval.merchant,
            for_us: own == Some(approval.merchant),
            group: approval.group,
            units: approval.units,
            unit: approval.unit,
            expires_at,
            expired: expires_at < self.now(),
        })
    }
}

/// The shop that signed a sale; none if the key is not known here.
fn verify(db: &Connection, seller: KeyId, sealed: Sealed<Op>) -> Result<Option<Shop>, PhoneError> {
    let Some((merchant, public_key)) = directory::key(db, seller)? else { return Ok(None) };
    sealed.check(&public_key).map_err(|_| Refusal::BadSignature)?;
    shop(db, merchant).map(Some)
}
