//! The shop's side of a purchase: recording it, showing its voucher, and the day so far. (A7, A12)

use moa_rules::id::{AccountId, GroupId, MerchantId, OpId};
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::{Money, Units};
use moa_rules::sale::{CLAIM_DAYS, Sale, VOUCHER_MINUTES, check_amount};
use moa_rules::time::{Day, Timestamp, Zone, end_of_day, local_day};
use moa_wire::code;
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::outbox::Fate;
use crate::phone::{Phone, own_shop};
use crate::store::outbox::{self, Answer, Effect};
use crate::store::sales::{self, Sold};
use crate::store::{directory, redemptions};

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
    },
    /// The server has it, and its buyer is to choose the group.
    Waiting {
        /// The last instant at which that can be.
        until: Timestamp,
    },
    /// Its buyer did not choose in time.
    Lapsed,
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
    /// When: the server's decision, or until that comes the question.
    pub at: Timestamp,
    /// What became of it.
    pub fate: Fate,
}

/// A shop's day so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantDay {
    /// The day, in the zone of the shop's group.
    pub day: Day,
    /// Its sales, newest first.
    pub sales: Vec<SaleItem>,
    /// What was paid in money in all sales but the refused.
    pub amount: Money,
    /// How many of them buyers turned into mileage.
    pub claimed: usize,
    /// Redemptions, newest first.
    pub redemptions: Vec<RedemptionItem>,
}

impl Phone {
    /// Records a sale, for one buyer if `addressee` is given. On disk before the voucher is returned.
    ///
    /// # Errors
    /// `no_merchant`, `amount_not_positive`, `amount_too_large`; [`PhoneError::StorageFull`].
    pub fn record_sale(&self, amount: Money, addressee: Option<AccountId>) -> Result<Voucher, PhoneError> {
        check_amount(amount)?;
        let merchant = self.selling(amount)?;
        let op = self.submit(
            OpBody::RecordSale { amount, addressee, redemption: None },
            |_| Effect::default(),
            |db, op| sales::put(db, &sold(op.value(), merchant, amount, addressee)),
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
                let (op, group, units, at) = (taken.op, taken.group, taken.units, taken.at);
                redemptions.push(RedemptionItem { op, group, units, at, fate });
            }
            let held = sales.iter().filter(|sale| sale.standing != SaleStanding::Refused);
            let amount = held.fold(Money(0), |sum, sale| Money(sum.0.saturating_add(sale.amount.0)));
            let claimed =
                sales.iter().filter(|sale| matches!(sale.standing, SaleStanding::Claimed { .. })).count();
            Ok(MerchantDay { day, sales, amount, claimed, redemptions })
        })
    }
}

fn item(db: &Connection, sold: &Sold) -> Result<SaleItem, PhoneError> {
    let Sold { sale, claimed } = sold;
    let answer = outbox::entry(db, sale.id)?.map(|entry| entry.answer);
    let standing = match (*claimed, answer) {
        (Some((group, units)), _) => SaleStanding::Claimed { group, units },
        (None, _) if sale.lapsed => SaleStanding::Lapsed,
        (None, Some(Answer::Refused(_))) => SaleStanding::Refused,
        (None, Some(Answer::Waiting)) => SaleStanding::Unsent,
        (None, Some(Answer::Applied) | None) => match sale.waits_until {
            Some(until) => SaleStanding::Waiting { until },
            None => SaleStanding::Recorded,
        },
    };
    Ok(SaleItem { sale: sale.id, amount: sale.amount, at: Timestamp::from_seconds(sale.time), standing })
}

/// A sale as its op leaves it, before the server has answered.
pub(crate) fn sold(op: &Op, merchant: MerchantId, amount: Money, addressee: Option<AccountId>) -> Sale {
    let Op { id, actor: key, time, .. } = *op;
    Sale { addressee, ..Sale::new(id, merchant, key, amount, time) }
}

/// Until when the voucher of a sale at second `sold` can be scanned.
pub(crate) fn claim_until(sold: u64, addressed: bool) -> Timestamp {
    Timestamp::from_seconds(sold).plus(if addressed {
        i64::from(CLAIM_DAYS) * Timestamp::DAY
    } else {
        i64::from(VOUCHER_MINUTES) * Timestamp::MINUTE
    })
}
