//! Sales to a known buyer: into the wallet at once where nothing is to be chosen, else they wait for the buyer's
//! choice, and lapse. (A7, docs/rules.md S9..S15)

use crate::choice::by_rate;
use crate::claim::{Earning, accrue, terms_for, terms_in_force};
use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::group::TermsVersion;
use crate::id::{AccountId, KeyId, MerchantId, OpId};
use crate::member::Buyer;
use crate::op::{Carried, Choice};
use crate::quantity::Money;
use crate::refusal::Refusal;
use crate::sale::{self, CLAIM_DAYS, Sale};
use crate::staff;
use crate::standing::best_from;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// The last instant at which a sale of second `sold` can be claimed by a known buyer.
pub fn waits_until(sold: u64) -> Timestamp {
    Timestamp::from_seconds(sold).plus(i64::from(CLAIM_DAYS) * Timestamp::DAY)
}

/// Records a sale to a buyer whom the shop can name.
pub(crate) fn sell_to(
    view: &View,
    author: &Author,
    carried: &Carried,
    (amount, redemption): (Money, Option<OpId>),
    buyer: &Buyer,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.seller()?;
    let Carried::Buyer(found) = carried else { return Err(Refusal::MemberCodeUnknown.into()) };
    let (account, signed_up) = found.at(buyer, author.op.time)?;
    view.want(&[
        Key::Merchant(merchant),
        Key::Memberships(merchant),
        Key::Sale(merchant, author.op.id),
        Key::Closed(account),
    ])?;
    // Between the finding and the decision the account may have ended; then it is nobody's.
    if view.is_closed(account)? {
        return Err(Refusal::AccountClosed.into());
    }
    staff::check_buyer(view, merchant, account, author.op.time)?;
    let mut decision = sale::record(view, author, amount, (Some(account), redemption), now)?;
    let (sale, time, till) = (author.op.id, author.op.time, author.till());
    let sold = Sold { merchant, sale, till, amount, time, account, signed_up };
    offer(view, author, &mut decision, &sold, now)?;
    Ok(decision)
}

/// A sale whose buyer is known.
struct Sold {
    merchant: MerchantId,
    sale: OpId,
    /// The key that sold, if it is one of the staff's.
    till: Option<KeyId>,
    amount: Money,
    time: u64,
    account: AccountId,
    /// Whether the buyer is there to be credited, or a phone number's owner who has yet to sign up.
    signed_up: bool,
}

/// Turns a sale into mileage where nothing is to be chosen; else it waits. One that fits no group, or comes too late,
/// is recorded and that is all.
fn offer(
    view: &View,
    author: &Author,
    decision: &mut Decision,
    sold: &Sold,
    now: Timestamp,
) -> Result<(), Halt> {
    let Sold { merchant, sale, till, amount, time, account, signed_up } = *sold;
    let until = waits_until(time);
    if now > until {
        return Ok(());
    }
    let fitting = fitting(view, merchant, amount, time)?;
    if fitting.is_empty() {
        return Ok(());
    }
    let settled = if signed_up { settled(view, account, &fitting)? } else { None };
    match settled {
        Some(terms) => {
            let earning = Earning { seller: merchant, till, sale, amount, account, terms };
            accrue(view, author, decision, &earning, now)?;
        }
        None => {
            decision
                .then(author, EventBody::SaleWaits { sale, merchant, account, amount, time, until, till });
        }
    }
    Ok(())
}

/// The terms in force of the shop's groups in which a sale of second `sold` earns something.
fn fitting(view: &View, merchant: MerchantId, amount: Money, sold: u64) -> Result<Vec<&TermsVersion>, Halt> {
    let mut fitting = terms_in_force(view, merchant, Timestamp::from_seconds(sold))?;
    fitting.retain(|version| !version.terms.earns(amount).is_zero());
    Ok(fitting)
}

/// The terms to be taken without asking the buyer: those of the only group, or of the buyer's standing choice.
fn settled<'a>(
    view: &'a View,
    account: AccountId,
    fitting: &[&'a TermsVersion],
) -> Result<Option<&'a TermsVersion>, Halt> {
    match fitting {
        [only] => Ok(Some(only)),
        _ => Ok(view.standing(account)?.and_then(|standing| standing.choice.pick(fitting))),
    }
}

/// The buyer chooses.
pub(crate) fn claim(
    view: &View,
    author: &Author,
    (merchant, sale): (MerchantId, OpId),
    choice: Option<Choice>,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let account = author.person()?;
    view.want(&[Key::Sale(merchant, sale), Key::Memberships(merchant)])?;
    let known = view.sale(merchant, sale)?.ok_or(Refusal::UnknownSale)?;
    let Some(until) = known.waits_until.filter(|_| known.addressee == Some(account)) else {
        return Err(Refusal::NotYourSale.into());
    };
    if known.voided {
        return Err(Refusal::SaleVoided.into());
    }
    if known.claimed.is_some() {
        return Err(Refusal::SaleAlreadyClaimed.into());
    }
    if known.lapsed || now > until {
        return Err(Refusal::SaleLapsed { days: CLAIM_DAYS }.into());
    }
    let sold = Timestamp::from_seconds(known.time);
    let terms = terms_for(view, (merchant, known.earns_on(), sold), choice, now)?;
    earn(view, author, known, (account, terms), now)
}

/// Makes mileage of a sale that waits, where nothing is to be chosen (any more): its buyer has signed up.
pub(crate) fn offer_again(
    view: &View,
    author: &Author,
    (merchant, sale): (MerchantId, OpId),
    now: Timestamp,
) -> Result<Decision, Halt> {
    author.system()?;
    view.want(&[Key::Sale(merchant, sale), Key::Memberships(merchant)])?;
    let known = view.sale(merchant, sale)?.ok_or(Refusal::UnknownSale)?;
    let account = waits_for(view, known, now)?.ok_or(Refusal::NotDue)?;
    let fitting = fitting(view, merchant, known.earns_on(), known.time)?;
    let terms = settled(view, account, &fitting)?.ok_or(Refusal::NotDue)?;
    earn(view, author, known, (account, terms), now)
}

/// Takes the best for a buyer who agreed to that and has not chosen for a day.
pub(crate) fn take_best(
    view: &View,
    author: &Author,
    (merchant, sale): (MerchantId, OpId),
    now: Timestamp,
) -> Result<Decision, Halt> {
    author.system()?;
    view.want(&[Key::Sale(merchant, sale), Key::Memberships(merchant)])?;
    let known = view.sale(merchant, sale)?.ok_or(Refusal::UnknownSale)?;
    let account = waits_for(view, known, now)?.filter(|_| now >= best_from(known.time));
    let account = account.ok_or(Refusal::NotDue)?;
    if !view.standing(account)?.is_some_and(|standing| standing.choice.best) {
        return Err(Refusal::NotDue.into());
    }
    let fitting = fitting(view, merchant, known.earns_on(), known.time)?;
    let best = fitting.into_iter().min_by_key(|version| by_rate(version, known.earns_on()));
    let terms = best.ok_or(Refusal::EarnsNothing { amount: known.earns_on() })?;
    earn(view, author, known, (account, terms), now)
}

/// A recorded sale becomes mileage of its buyer's, under these terms.
fn earn(
    view: &View,
    author: &Author,
    known: &Sale,
    (account, terms): (AccountId, &TermsVersion),
    now: Timestamp,
) -> Result<Decision, Halt> {
    let mut decision = Decision::default();
    let (seller, till, sale, amount) = (known.merchant, known.till(), known.id, known.earns_on());
    let earning = Earning { seller, till, sale, amount, account, terms };
    accrue(view, author, &mut decision, &earning, now)?;
    Ok(decision)
}

/// The buyer whose choice a sale waits for at `now`: none if the account has ended, and what it could not choose for then
/// lapses.
fn waits_for(view: &View, sale: &Sale, now: Timestamp) -> Result<Option<AccountId>, Halt> {
    let in_time = sale.waits_until.is_some_and(|until| now <= until);
    let Some(account) = sale.addressee.filter(|_| sale.waits() && in_time) else { return Ok(None) };
    Ok((!view.is_closed(account)?).then_some(account))
}

/// Writes down that a sale has waited long enough.
pub(crate) fn lapse(
    view: &View,
    author: &Author,
    (merchant, sale): (MerchantId, OpId),
    now: Timestamp,
) -> Result<Decision, Halt> {
    author.system()?;
    let known = view.sale(merchant, sale)?.ok_or(Refusal::UnknownSale)?;
    let over = known.waits() && known.waits_until.is_some_and(|until| now > until);
    let account = known.addressee.filter(|_| over).ok_or(Refusal::NotLapsed)?;
    Ok(author.caused(EventBody::SaleLapsed { sale, merchant, account, till: known.till() }))
}
