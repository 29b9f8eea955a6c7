//! Who the buyer is whom a shop names: looked up in what is kept of people, before the rules decide. The journal gets
//! the account's random id, and nothing of how it was found.

use moa_ledger::store::StoreError;
use moa_ledger::system;
use moa_rules::id::{AccountId, KeyId, OpId};
use moa_rules::member::{Buyer, Found};
use moa_rules::refusal::Refusal;
use moa_rules::sale::CLAIM_DAYS;
use moa_rules::time::Timestamp;
use moa_wire::keys::SignError;
use moa_wire::member::MemberSecret;
use moa_wire::number::TypedNumber;
use moa_wire::submission::Submission;

use crate::app::App;
use crate::one_time::{self, OneTimeError};
use crate::phone_number::PhoneNumber;
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
pub(crate) fn find(
    app: &App,
    op: (KeyId, OpId),
    buyer: &Buyer,
    numbers: &[TypedNumber],
) -> Result<Found, OneTimeError> {
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
        Buyer::Number(named) => {
            let typed = numbers.iter().find(|typed| typed.op == op.1 && typed.is(*named));
            Ok(match typed {
                Some(typed) => by_number(app, &typed.number)?,
                None => Found::Nobody(Refusal::NumberMissing),
            })
        }
    }
}

/// The account of a number: its owner's, or one that waits for them to sign up. The number itself is not kept.
fn by_number(app: &App, typed: &str) -> Result<Found, OneTimeError> {
    let Some(number) = PhoneNumber::read(typed) else { return Ok(Found::Nobody(Refusal::BadNumber)) };
    let fresh = AccountId(random::bytes()?);
    let phone_mac = app.pepper.of_phone(&number);
    let (account, signed_up) = app.store().account_of_number(phone_mac, fresh, app.engine.now())?;
    Ok(Found::Number { account, signed_up })
}

/// For how long a number is remembered whose owner has not signed up: longer than the last sale that named it can wait,
/// which may be dated ahead by a day.
const NUMBER_KEPT: i64 = (CLAIM_DAYS + 2) as i64 * Timestamp::DAY;

/// Forgets the numbers of those who were named by a sale and never signed up.
pub(crate) fn forget_numbers(app: &App) -> Result<(), StoreError> {
    app.store().forget_numbers(app.engine.now().plus(-NUMBER_KEPT))
}

/// What the sales become that waited for this account's owner to sign up. Where something is to be chosen they wait on.
pub(crate) fn offers(app: &App, account: AccountId) -> Result<Vec<Submission>, NoOffers> {
    let mut offers = Vec::new();
    for sale in app.store().waiting_of(account)?.into_iter().take(MOST_OFFERS) {
        let at = Timestamp::from_seconds(sale.time);
        offers.push(system::offer_again(&app.server_key, (sale.merchant, sale.id), at)?);
    }
    Ok(offers)
}

/// Sales that are offered at a sign-up. Of more than that the owner chooses by hand.
const MOST_OFFERS: usize = 200;

/// Why nothing was offered. The sales wait on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoOffers {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NotSigned(#[from] SignError),
}

/// What a phone of this account makes its member codes of.
pub(crate) fn member_secret(app: &App, account: AccountId) -> Result<MemberSecret, NoSecret> {
    let tag = app.store().member_tag(account, random::bytes()?)?;
    Ok(MemberSecret::new(tag, app.pepper.of_member(tag)))
}
