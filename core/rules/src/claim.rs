//! Claims: the buyer turns a sale into mileage of one group. (A7, rules.md "Sales and claims")

use crate::choice::by_rate;
use crate::debt;
use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::group::TermsVersion;
use crate::id::{AccountId, KeyId, MerchantId, OpId};
use crate::lot::Allocation;
use crate::op::{Carried, Choice, Op, OpBody};
use crate::quantity::Money;
use crate::refusal::Refusal;
use crate::sale::{self, CLAIM_DAYS, Sale, VOUCHER_MINUTES};
use crate::staff;
use crate::time::{Timestamp, end_of_day};
use crate::view::{Halt, Key, View};

/// Makes a lot of the sale that the claim carries; the first claim of a sale wins.
///
/// A sale that reaches the server inside its claim is recorded with it, as if the shop had sent it.
pub(crate) fn claim(
    view: &View,
    author: &Author,
    carried: &Carried,
    choice: Option<Choice>,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let account = author.person()?;
    let Carried::Sale(sale_op) = carried else { return Err(Refusal::NotASale.into()) };
    let OpBody::RecordSale { amount, addressee, redemption } = sale_op.body else {
        return Err(Refusal::NotASale.into());
    };

    view.want(&[Key::Device(sale_op.actor), Key::Counter(sale_op.actor, sale_op.counter)])?;
    let seller_key = view.device(sale_op.actor)?.ok_or(Refusal::UnknownKey)?;
    let seller = seller_key.merchant.ok_or(Refusal::NoMerchant)?;
    view.want(&[Key::Sale(seller, sale_op.id), Key::Merchant(seller), Key::Staff(seller, account)])?;

    let mut decision = Decision::default();
    let earns_on = match view.sale(seller, sale_op.id)? {
        Some(known) => {
            check_open(known, sale_op, amount, addressee)?;
            known.earns_on()
        }
        None => {
            let shop = Author::check(view, sale_op, now)?;
            decision = sale::record(view, &shop, amount, (addressee, redemption), now)?;
            decision.accept_carried(sale_op);
            amount
        }
    };
    staff::check_buyer(view, seller, account, sale_op.time)?;
    if addressee.is_some_and(|buyer| buyer != account) {
        return Err(Refusal::NotAddressee.into());
    }
    check_time(sale_op.time, author.op.time, addressee.is_some(), now)?;

    let sold = Timestamp::from_seconds(sale_op.time);
    let terms = terms_for(view, (seller, earns_on, sold), choice, now)?;
    let till = seller_key.staff.then_some(seller_key.key);
    let earning = Earning { seller, till, sale: sale_op.id, amount: earns_on, account, terms };
    accrue(view, author, &mut decision, &earning, now)?;
    Ok(decision)
}

/// A sale that becomes mileage.
pub(crate) struct Earning<'a> {
    /// The shop.
    pub(crate) seller: MerchantId,
    /// The key that sold, if it is one of the staff's.
    pub(crate) till: Option<KeyId>,
    /// The sale.
    pub(crate) sale: OpId,
    /// What was paid in money and has not gone back.
    pub(crate) amount: Money,
    /// The buyer.
    pub(crate) account: AccountId,
    /// What it earns under.
    pub(crate) terms: &'a TermsVersion,
}

/// Makes the lot of an earning, named by the author's op. It pays what the buyer owes in its group.
pub(crate) fn accrue(
    view: &View,
    author: &Author,
    decision: &mut Decision,
    earning: &Earning,
    now: Timestamp,
) -> Result<(), Halt> {
    let Earning { seller, till, sale, amount, account, terms: version } = *earning;
    let (group, terms) = (version.group, &version.terms);
    let units = terms.earns(amount);
    if units.is_zero() {
        return Err(Refusal::EarnsNothing { amount }.into());
    }
    // Two phones of one account could sign under the same id; the second lot would take the first one's place.
    let lot = author.op.id.as_lot();
    if view.had_lot(account, group, lot)? {
        return Err(Refusal::BadOpId.into());
    }

    let zone = terms.tz();
    let last_day = terms.validity.last_day(now, &zone);
    let worth = terms.worth();
    decision.then(
        author,
        EventBody::Accrued {
            lot,
            group,
            merchant: seller,
            account,
            sale,
            amount,
            units,
            worth,
            terms_version: version.version,
            last_day,
            ends_at: end_of_day(last_day, &zone),
            till,
        },
    );
    debt::pay(view, author, decision, (account, group), &Allocation { lot, issuer: seller, units, worth })
}

fn check_open(
    known: &Sale,
    sale_op: &Op,
    amount: Money,
    addressee: Option<AccountId>,
) -> Result<(), Refusal> {
    let told = (sale_op.actor, amount, sale_op.time, addressee);
    if (known.key, known.amount, known.time, known.addressee) != told {
        return Err(Refusal::OpIdReused);
    }
    if known.voided {
        return Err(Refusal::SaleVoided);
    }
    if known.claimed.is_some() {
        return Err(Refusal::SaleAlreadyClaimed);
    }
    Ok(())
}

/// Fifteen minutes by the claiming phone's clock for a voucher that anyone may scan; seven days by the server's.
fn check_time(sold: u64, claimed: u64, addressed: bool, now: Timestamp) -> Result<(), Refusal> {
    if now > Timestamp::from_seconds(sold).plus(i64::from(CLAIM_DAYS) * Timestamp::DAY) {
        return Err(Refusal::SaleTooOld { days: CLAIM_DAYS });
    }
    if !addressed && claimed > sold.saturating_add(u64::from(VOUCHER_MINUTES) * 60) {
        return Err(Refusal::VoucherExpired { minutes: VOUCHER_MINUTES });
    }
    Ok(())
}

/// The terms that a claim of a shop's sale, of so much, at an instant, earns under.
pub(crate) fn terms_for(
    view: &View,
    (seller, amount, sold): (MerchantId, Money, Timestamp),
    choice: Option<Choice>,
    now: Timestamp,
) -> Result<&TermsVersion, Halt> {
    let Some(Choice { group, terms_version }) = choice else {
        let best = terms_in_force(view, seller, sold)?;
        let best = best.into_iter().min_by_key(|version| by_rate(version, amount));
        return Ok(best.ok_or(Refusal::SellerInNoGroup)?);
    };
    view.want(&[Key::Member(group, seller), Key::Group(group), Key::Terms(group, terms_version)])?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    let member = view.member(group, seller)?.ok_or(Refusal::SellerNotInGroup)?;
    if !member.issues(sold) {
        return Err(match member.check_active() {
            Err(Refusal::MemberFrozen) => Refusal::MemberFrozen.into(),
            _ => Refusal::SellerNotInGroup.into(),
        });
    }
    if !known.issues(sold) {
        return Err(Refusal::GroupClosing.into());
    }
    let current = known.terms_version;
    match view.terms(group, terms_version)? {
        Some(seen) if seen.honoured_at(now) => Ok(seen),
        _ => Ok(view.terms(group, current)?.ok_or(Refusal::UnknownGroup)?),
    }
}

/// The terms in force of the groups in which the seller's sale of that instant can earn, in order of the groups' ids.
pub(crate) fn terms_in_force(
    view: &View,
    seller: MerchantId,
    sold: Timestamp,
) -> Result<Vec<&TermsVersion>, Halt> {
    let groups = view.memberships(seller)?;
    let cells = groups.iter().flat_map(|group| [Key::Group(*group), Key::Member(*group, seller)]);
    view.want(&cells.collect::<Vec<_>>())?;
    let mut versions = Vec::new();
    for group in groups {
        let member = view.member(*group, seller)?.is_some_and(|member| member.issues(sold));
        if let Some(group) = view.group(*group)?.filter(|group| member && group.issues(sold)) {
            versions.push((group.id, group.terms_version));
        }
    }
    view.want(&versions.iter().map(|(group, version)| Key::Terms(*group, *version)).collect::<Vec<_>>())?;
    let mut found = Vec::new();
    for (group, version) in versions {
        found.extend(view.terms(group, version)?);
    }
    Ok(found)
}
