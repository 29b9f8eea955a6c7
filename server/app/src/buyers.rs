//! Who the buyer is whom a shop names: looked up in what is kept of people, before the rules decide. The journal gets
//! the account's random id, and nothing of how it was found.

use moa_ledger::store::StoreError;
use moa_rules::id::{AccountId, KeyId, OpId};
use moa_rules::member::{Buyer, Found};
use moa_rules::refusal::Refusal;
use moa_wire::member::MemberSecret;

use crate::app::App;
use crate::one_time::{self, OneTimeError};
use crate::random::{self, NoRandomness};

/// Why a phone cannot be told what to make its member codes of.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSecret {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// The buyer that a shop names in an op. Whether a code was shown in time is for the rules to decide.
pub(crate) fn find(app: &App, op: (KeyId, OpId), buyer: &Buyer) -> Result<Found, OneTimeError> {
    match buyer {
        Buyer::Member(code) => {
            let account = app.store().account_of_tag(code.tag)?;
            let genuine = MemberSecret::new(code.tag, app.pepper.of_member(code.tag)).made(code);
            Ok(match account.filter(|_| genuine) {
                Some(account) => Found::Account(account),
                None => Found::Nobody(Refusal::MemberCodeUnknown),
            })
        }
        Buyer::OneTime(digits) => one_time::find(app, op, *digits),
    }
}

/// What a phone of this account makes its member codes of.
pub(crate) fn member_secret(app: &App, account: AccountId) -> Result<MemberSecret, NoSecret> {
    let tag = app.store().member_tag(account, random::bytes()?)?;
    Ok(MemberSecret::new(tag, app.pepper.of_member(tag)))
}
