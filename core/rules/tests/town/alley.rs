//! A town with one group of two shops, and a buyer: where most named cases take place.

use chrono::TimeZone;
use chrono_tz::Tz;
use moa_rules::books::{Account, Ledger, Party};
use moa_rules::event::EventBody;
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::lot::Lot;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Basis, Terms};
use moa_rules::time::Timestamp;

use crate::driver::{Parcel, Person, Shop, Town, units};

/// A town with one group of two shops, and a buyer.
pub struct Alley {
    pub town: Town,
    pub cafe: Shop,
    pub baker: Shop,
    pub group: GroupId,
    pub buyer: Person,
}

/// What a refund came to: in money, in mileage that came back, in units taken back, and how many of those are a debt.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Refund {
    pub money: i64,
    pub mileage: i64,
    pub taken: i64,
    pub debt: i64,
}

pub fn alley(terms: Terms) -> Alley {
    let mut town = Town::new();
    let (cafe, baker, buyer) = (town.shop(), town.shop(), town.person());
    let group = town.group(cafe, terms);
    town.join(baker, group);
    Alley { town, cafe, baker, group, buyer }
}

impl Alley {
    pub fn available(&self) -> i64 {
        self.town.available(self.buyer.account, self.group)
    }

    pub fn earn(&mut self, amount: i64) {
        self.town.earn(self.cafe, self.buyer, self.group, amount);
    }

    /// A purchase at a shop, claimed: the sale. The rest of it may have been paid by a redemption.
    pub fn buy(&mut self, shop: Shop, amount: i64, redemption: Option<OpId>) -> OpId {
        let mut sale = self.town.sale(shop, amount);
        sale.body = OpBody::RecordSale { amount: Money(amount), addressee: None, redemption };
        let claim = self.town.claim(self.buyer, &sale, self.group);
        self.town.send(&claim).unwrap();
        sale.id
    }

    /// What is applied or refused, and what happens.
    pub fn send(&mut self, parcel: &Parcel) -> Result<Vec<EventBody>, Refusal> {
        let decision = self.town.send(parcel)?;
        Ok(decision.events.into_iter().map(|(_, _, body)| body).collect())
    }

    pub fn refund(&mut self, shop: Shop, sale: OpId, amount: i64) -> Result<Refund, Refusal> {
        let parcel = self.town.refund(shop.owner.key, sale, amount);
        let mut refund = Refund::default();
        for event in self.send(&parcel)? {
            match event {
                EventBody::Refunded { money, units, debt, .. } => {
                    (refund.money, refund.taken, refund.debt) = (money.0, units.get(), debt.get());
                }
                EventBody::Reversed { units, .. } => refund.mileage = units.get(),
                _ => {}
            }
        }
        Ok(refund)
    }

    pub fn reverse(&mut self, shop: Shop, redemption: OpId) -> Result<Vec<EventBody>, Refusal> {
        let parcel = self.town.reverse(shop.owner.key, redemption);
        self.send(&parcel)
    }

    /// A redemption that succeeds.
    pub fn take(&mut self, shop: Shop, asked: i64) -> OpId {
        let parcel = self.town.redeem(shop, self.buyer, self.group, asked);
        self.town.send(&parcel).unwrap();
        parcel.op.id
    }

    /// A hold that succeeds, for ten minutes.
    pub fn hold(&mut self, shop: Shop, asked: i64) -> OpId {
        let parcel = self.town.hold(shop, self.buyer, self.group, asked);
        self.town.send(&parcel).unwrap();
        parcel.op.id
    }

    pub fn capture(&mut self, shop: Shop, hold: OpId, asked: i64) -> Result<Vec<EventBody>, Refusal> {
        let parcel = self.town.capture(shop.owner.key, hold, asked);
        self.send(&parcel)
    }

    /// What the buyer owes, in any group.
    pub fn owed(&self) -> i64 {
        let debts = self.town.tables.debts.iter().filter(|debt| debt.account == self.buyer.account);
        debts.map(|debt| debt.units.get()).sum()
    }

    pub fn position(&self, shop: Shop) -> i64 {
        self.town.position(self.group, Party::Member(shop.merchant))
    }

    /// The journal tells all; nobody owes what nobody is owed; what the pool is owed is what is outstanding.
    pub fn is_whole(&self) {
        assert!(self.town.rebuilt() == self.town.tables, "the journal tells all");
        let money = self.town.books.iter().filter(|(account, _)| account.ledger.is_money());
        assert_eq!(money.map(|(_, amount)| amount).sum::<i64>(), 0, "zero-sum");
        let on_issue = |lot: &&Lot| lot.group == self.group && lot.worth.basis == Basis::OnIssue;
        let outstanding = self.town.tables.lots.values().filter(on_issue);
        let value: i64 = outstanding.map(|lot| lot.remaining.get() * lot.worth.unit_value.0).sum();
        assert_eq!(self.town.position(self.group, Party::Pool), value, "the pool");
    }

    pub fn redeem_at(&mut self, shop: Shop, asked: i64) -> Result<(), Refusal> {
        let parcel = self.town.redeem(shop, self.buyer, self.group, asked);
        self.town.send(&parcel).map(drop)
    }

    pub fn sweep(&mut self) -> Result<Vec<EventBody>, Refusal> {
        let parcel = self.town.sweep(self.buyer.account, self.group);
        self.send(&parcel)
    }

    pub fn units(&self, party: Party, ledger: Ledger, issuer: MerchantId) -> i64 {
        let account = Account { group: self.group, party, ledger, issuer: Some(issuer) };
        self.town.books.get(&account).copied().unwrap_or(0)
    }
}

pub fn not_enough(asked: i64, available: i64) -> Refusal {
    Refusal::NotEnough { asked: units(asked), available: units(available) }
}

pub fn below(minimum: i64, available: i64) -> Refusal {
    Refusal::BelowMinimum { minimum: units(minimum), available: units(available) }
}

pub fn at(zone: Tz, year: i32, month: u32, day: u32, hour: u32) -> Timestamp {
    Timestamp(zone.with_ymd_and_hms(year, month, day, hour, 0, 0).unwrap().timestamp_millis())
}
