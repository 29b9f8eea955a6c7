//! The shop's side of a purchase: recording it, showing its voucher, and the day so far. (A7, A12)

use moa_rules::id::{AccountId, GroupId, MerchantId, OpId};
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::{Money, Units};
use moa_rules::sale::{CLAIM_DAYS, Sale, VOUCHER_MINUTES, check_amount};
use moa_rules::terms::Unit;
use moa_rules::time::{Day, Timestamp, Zone, end_of_day, local_day};
use moa_wire::code;
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::outbox::Fate;
use crate::phone::{Phone, own_shop};
use crate::refund::{self, RefundItem};
use crate::store::outbox::{self, Answer, Effect};
use crate::store::refunds::{self, Reversal};
use crate::store::sales::{self, Sold};
use crate::store::{directory, redemptions};

/// What is bought: what was paid in money, and the redemption that paid the rest, if mileage paid a part. From an amount
/// alone, all was paid in money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purchase {
    /// Paid in money.
    pub amount: Money,
    /// The redemption that paid the rest: for refunds.
    pub redemption: Option<OpId>,
}

impl From<Money> for Purchase {
    fn from(amount: Money) -> Self {
        Self { amount, redemption: None }
    }
}

/// A sale as the buyer's phone scans it. It is in the outbox already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// The sale.
    pub sale: OpId,
    /// What was paid in money.
    pub amount: Money,
    /// To be drawn as a QR: `MOA1:…`.
    pub text: String,
    /// Until when it can be scanned: 15 minutes, 7 days if it is for one buyer.
    pub claim_until: Timestamp,
}

/// Where a sale stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleStanding {
    /// Recorded here; the server does not know it yet.
    Unsent,
    /// The server has it.
    Recorded,
    /// A buyer turned it into mileage.
    Claimed {
        /// Of which group.
        group: GroupId,
        /// How much.
        units: Units,
        /// What a unit is; none for points.
        unit: Option<Unit>,
    },
    /// The server has it, and its buyer is to choose the group.
    Waiting {
        /// The last instant at which that can be.
        until: Timestamp,
    },
    /// Its buyer did not choose in time.
    Lapsed,
    /// The shop said that it was a mistake.
    Voided,
    /// The server refused it.
    Refused,
}

/// A sale of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleItem {
    /// The sale.
    pub sale: OpId,
    /// What was paid in money.
    pub amount: Money,
    /// When, by the shop's clock.
    pub at: Timestamp,
    /// Where it stands.
    pub standing: SaleStanding,
    /// Its buyer, if the shop knows them from its books.
    pub buyer: Option<AccountId>,
    /// The redemption that paid the rest of the purchase.
    pub redemption: Option<OpId>,
    /// How much of the purchase was refunded, what mileage paid of it counted in.
    pub refunded: Money,
    /// How much of that in money.
    pub money_back: Money,
}

/// A redemption at the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedemptionItem {
    /// The op that asked for it.
    pub op: OpId,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// Units.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// Units of it that came back to the buyer.
    pub returned: Units,
    /// When: the server's decision, or until that comes the question.
    pub at: Timestamp,
    /// What became of it.
    pub fate: Fate,
}

/// Mileage that the shop gave back, without a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReversalItem {
    /// The op that gave it back.
    pub op: OpId,
    /// The redemption.
    pub redemption: OpId,
    /// When the server decided it.
    pub at: Timestamp,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// Units that came back.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
}

/// A shop's day so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantDay {
    /// The day, in the zone of the shop's group.
    pub day: Day,
    /// Its sales, newest first.
    pub sales: Vec<SaleItem>,
    /// What was paid in money in all sales but the refused and the voided.
    pub amount: Money,
    /// How many of them buyers turned into mileage.
    pub claimed: usize,
    /// Redemptions, newest first.
    pub redemptions: Vec<RedemptionItem>,
    /// Refunds, of sales of whatever day, newest first.
    pub refunds: Vec<RefundItem>,
    /// What was paid back in money by them.
    pub paid_back: Money,
    /// Redemptions that were given back without a refund, newest first.
    pub reversals: Vec<ReversalItem>,
}

impl Phone {
    /// Records a sale, for one buyer if `addressee` is given. On disk before the voucher is returned.
    ///
    /// # Errors
    /// `no_merchant`, `amount_not_positive`, `amount_too_large`; [`PhoneError::StorageFull`].
    pub fn record_sale(&self, amount: Money, addressee: Option<AccountId>) -> Result<Voucher, PhoneError> {
        self.record((amount, None), addressee)
    }

    /// Records the part of a purchase that was paid in money, after mileage paid the rest by that redemption. Its voucher is
    /// for anyone to scan: with a buyer in it too, the code would be too large.
    ///
    /// # Errors
    /// As [`Self::record_sale`].
    pub fn record_rest(&self, amount: Money, redemption: OpId) -> Result<Voucher, PhoneError> {
        self.record((amount, Some(redemption)), None)
    }

    fn record(
        &self,
        (amount, redemption): (Money, Option<OpId>),
        addressee: Option<AccountId>,
    ) -> Result<Voucher, PhoneError> {
        check_amount(amount)?;
        let merchant = self.selling(amount)?;
        let op = self.submit(
            OpBody::RecordSale { amount, addressee, redemption },
            |_| Effect::default(),
            |db, op| sales::put(db, &sold(op.value(), merchant)),
        )?;
        Ok(Voucher {
            sale: op.value().id,
            amount,
            text: code::text(op.bytes()),
            claim_until: claim_until(op.value().time, addressee.is_some()),
        })
    }

    /// One sale of the shop, of whatever day; none if this phone does not know it.
    ///
    /// # Errors
    /// Storage.
    pub fn sale(&self, sale: OpId) -> Result<Option<SaleItem>, PhoneError> {
        self.store().read(|db| sales::sold(db, sale)?.map(|sold| item(db, &sold)).transpose())
    }

    /// The shop's day so far, in the zone of its first group.
    ///
    /// # Errors
    /// Storage.
    pub fn merchant_today(&self) -> Result<MerchantDay, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            let groups = own_shop(db)?.map(|merchant| directory::groups_of(db, merchant)).transpose()?;
            let first = groups.unwrap_or_default().into_iter().next();
            let terms = first.map(|group| directory::terms(db, group)).transpose()?.flatten();
            let zone = terms.map(|version| version.terms.tz()).or_else(|| Zone::named("Asia/Seoul"));
            let zone = zone.unwrap_or_default();
            let day = Day::from(local_day(now, &zone));
            let begin = end_of_day(Day(day.0 - 1), &zone);

            let mut sales = Vec::new();
            for sold in sales::since(db, begin)? {
                sales.push(item(db, &sold)?);
            }
            let mut redemptions = Vec::new();
            for taken in redemptions::since(db, begin)? {
                let answer = outbox::entry(db, taken.op)?.map(|entry| entry.answer);
                let fate = match answer {
                    Some(Answer::Refused(refused)) => Fate::Refused(refused),
                    Some(Answer::Waiting) if taken.deadline.is_some_and(|deadline| deadline < now) => {
                        Fate::BeingChecked
                    }
                    Some(Answer::Waiting) => Fate::Waiting,
                    Some(Answer::Applied) | None => Fate::Applied,
                };
                let redemptions::Taken { op, group, units, unit, returned, at, .. } = taken;
                redemptions.push(RedemptionItem { op, group, units, unit, returned, at, fate });
            }
            let mut refunds = Vec::new();
            for refund in refunds::since(db, begin)? {
                refunds.push(refund::item(db, &refund)?);
            }
            let alone = |reversal: &Reversal| refunds.iter().all(|refund| refund.op != reversal.op);
            let reversals = refunds::reversals_since(db, begin)?.into_iter().filter(alone).map(|reversal| {
                let Reversal { op, redemption, at, group, units, unit } = reversal;
                ReversalItem { op, redemption, at, group, units, unit }
            });
            let reversals = reversals.collect();
            let paid_back =
                refunds.iter().fold(Money(0), |sum, back| Money(sum.0.saturating_add(back.money.0)));
            let held = sales
                .iter()
                .filter(|sale| !matches!(sale.standing, SaleStanding::Refused | SaleStanding::Voided));
            let amount = held.fold(Money(0), |sum, sale| Money(sum.0.saturating_add(sale.amount.0)));
            let claimed =
                sales.iter().filter(|sale| matches!(sale.standing, SaleStanding::Claimed { .. })).count();
            Ok(MerchantDay { day, sales, amount, claimed, redemptions, refunds, paid_back, reversals })
        })
    }
}

fn item(db: &Connection, sold: &Sold) -> Result<SaleItem, PhoneError> {
    let Sold { sale, earned } = sold;
    let answer = outbox::entry(db, sale.id)?.map(|entry| entry.answer);
    let standing = match (sale.claimed.zip(*earned), answer) {
        (Some((claimed, (units, unit))), _) => SaleStanding::Claimed { group: claimed.group, units, unit },
        (None, _) if sale.voided => SaleStanding::Voided,
        (None, _) if sale.lapsed => SaleStanding::Lapsed,
        (None, Some(Answer::Refused(_))) => SaleStanding::Refused,
        (None, Some(Answer::Waiting)) => SaleStanding::Unsent,
        (None, Some(Answer::Applied) | None) => match sale.waits_until {
            Some(until) => SaleStanding::Waiting { until },
            None => SaleStanding::Recorded,
        },
    };
    Ok(SaleItem {
        sale: sale.id,
        amount: sale.amount,
        at: Timestamp::from_seconds(sale.time),
        standing,
        buyer: sale.claimed.map(|claimed| claimed.account).or(sale.addressee),
        redemption: sale.redemption,
        refunded: sale.refunded,
        money_back: sale.money_back,
    })
}

/// A sale as its op leaves it, before the server has answered.
pub(crate) fn sold(op: &Op, merchant: MerchantId) -> Sale {
    let Op { id, actor: key, time, .. } = *op;
    let (amount, addressee, redemption) = match op.body {
        OpBody::RecordSale { amount, addressee, redemption } => (amount, addressee, redemption),
        OpBody::SellTo { amount, redemption, .. } => (amount, None, redemption),
        _ => (Money(0), None, None),
    };
    Sale { addressee, redemption, ..Sale::new(id, merchant, key, amount, time) }
}

/// Until when the voucher of a sale at second `sold` can be scanned.
pub(crate) fn claim_until(sold: u64, addressed: bool) -> Timestamp {
    Timestamp::from_seconds(sold).plus(if addressed {
        i64::from(CLAIM_DAYS) * Timestamp::DAY
    } else {
        i64::from(VOUCHER_MINUTES) * Timestamp::MINUTE
    })
}
