//! Sales to a known buyer: into the wallet at once where nothing is to be chosen, else they wait for the buyer's
//! choice, and lapse. (A7, docs/rules.md S9..S13)

use crate::claim::{Earning, accrue, terms_for, terms_in_force};
use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, MerchantId, OpId};
use crate::member::{Buyer, Found};
use crate::op::{Carried, Choice};
use crate::quantity::Money;
use crate::refusal::Refusal;
use crate::sale::{self, CLAIM_DAYS, Sale};
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
    amount: Money,
    buyer: &Buyer,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.merchant()?;
    let account = match carried {
        Carried::Buyer(Found::Account(account)) => *account,
        Carried::Buyer(Found::Nobody(reason)) => return Err(reason.clone().into()),
        _ => return Err(Refusal::MemberCodeUnknown.into()),
    };
    match buyer {
        Buyer::Member(code) => code.check_time(author.op.time)?,
    }
    view.want(&[Key::Merchant(merchant), Key::Memberships(merchant), Key::Sale(merchant, author.op.id)])?;
    if view.merchant(merchant)?.is_some_and(|shop| shop.owner == account) {
        return Err(Refusal::OwnSale.into());
    }
    let mut decision = sale::record(view, author, amount, Some(account), now)?;
    let sold = Sold { merchant, sale: author.op.id, amount, time: author.op.time, account };
    offer(view, author, &mut decision, &sold, now)?;
    Ok(decision)
}

/// A sale whose buyer is known.
struct Sold {
    merchant: MerchantId,
    sale: OpId,
    amount: Money,
    time: u64,
    account: AccountId,
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
    let Sold { merchant, sale, amount, time, account } = *sold;
    let until = waits_until(time);
    if now > until {
        return Ok(());
    }
    let mut fitting = terms_in_force(view, merchant)?;
    fitting.retain(|version| !version.terms.earns(amount).is_zero());
    match fitting.as_slice() {
        [] => {}
        [terms] => {
            let earning = Earning { seller: merchant, sale, amount, account, terms };
            accrue(view, author, decision, &earning, now)?;
        }
        _ => decision.then(author, EventBody::SaleWaits { sale, merchant, account, amount, time, until }),
    }
    Ok(())
}

/// The buyer chooses.
pub(crate) fn claim(
    view: &View,
    author: &Author,
    (merchant, sale): (MerchantId, OpId),
    choice: Option<Choice>,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let account = author.account()?;
    view.want(&[Key::Sale(merchant, sale), Key::Memberships(merchant)])?;
    let known = view.sale(merchant, sale)?.ok_or(Refusal::UnknownSale)?;
    let Some(until) = known.waits_until.filter(|_| known.addressee == Some(account)) else {
        return Err(Refusal::NotYourSale.into());
    };
    if known.claimed_by.is_some() {
        return Err(Refusal::SaleAlreadyClaimed.into());
    }
    if known.lapsed || now > until {
        return Err(Refusal::SaleLapsed { days: CLAIM_DAYS }.into());
    }
    let terms = terms_for(view, merchant, choice, now)?;
    let mut decision = Decision::default();
    let earning = Earning { seller: merchant, sale, amount: known.amount, account, terms };
    accrue(view, author, &mut decision, &earning, now)?;
    Ok(decision)
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
    let Sale { addressee, claimed_by: None, waits_until: Some(until), lapsed: false, .. } = known else {
        return Err(Refusal::NotLapsed.into());
    };
    let Some(account) = addressee.filter(|_| now > *until) else { return Err(Refusal::NotLapsed.into()) };
    Ok(author.caused(EventBody::SaleLapsed { sale, merchant, account }))
}
