//! What shops and buyers do with what was sold and taken, at random.

use moa_rules::id::{KeyId, MerchantId};
use moa_rules::terms::Unit;
use moa_rules::time::{Day, Timestamp, local_day};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Asked, BUYERS, GROUPS, History, SHOPS, WalletStep, pick};
use crate::driver::Person;
use crate::model::{Reserved, Sale, Taken};

/// What someone does. `by`: some till; else one of the shop's whose thing it is.
#[derive(Debug, Clone)]
pub enum Act {
    Hold {
        shop: usize,
        wallet: WalletStep,
        percent: i64,
        seconds: Option<u32>,
    },
    Capture {
        hold: Index,
        percent: i64,
        by: Option<Index>,
    },
    VoidHold {
        hold: Index,
        by: Option<Index>,
    },
    LapseHold {
        hold: Index,
    },
    /// Time passes until just before, at, or after the end of a hold.
    WaitForHold {
        hold: Index,
        millis_after: i64,
    },
    Reverse {
        redemption: Index,
        by: Option<Index>,
    },
    /// Time passes until the lots of a redemption have ended, and it is reversed.
    ReverseLate {
        redemption: Index,
        days: i64,
    },
    Refund {
        sale: Index,
        claimed: bool,
        part: Part,
        by: Option<Index>,
    },
    /// Of a sale made so many seconds ago, by the shop's clock.
    Void {
        sale: Index,
        after_s: i64,
        by: Option<Index>,
    },
    Grant {
        shop: usize,
        buyer: usize,
        group: usize,
        units: i64,
        days: Option<i32>,
        former: bool,
    },
    TakeAway {
        shop: Option<usize>,
        wallet: WalletStep,
        percent: i64,
    },
    Close {
        buyer: usize,
    },
    Merge {
        from: usize,
        into: usize,
        late_s: i64,
    },
    /// A buyer earns, spends all that the wallet has, and has the purchase refunded.
    Cheat {
        shop: usize,
        buyer: usize,
        group: usize,
        amount: i64,
    },
    /// A sale to someone whose account has ended.
    SellToFormer {
        shop: usize,
        former: Index,
        amount: i64,
    },
}

/// How much of a purchase.
#[derive(Debug, Clone)]
pub enum Part {
    Percent(i64),
    /// All that is left, and so much more.
    Rest(i64),
    Won(i64),
}

fn maybe() -> impl Strategy<Value = Option<Index>> {
    prop::option::weighted(0.08, any::<Index>())
}

pub fn some_act() -> impl Strategy<Value = Act> {
    let wallet = || any::<Index>().prop_map(WalletStep::Filled);
    let percent = || prop_oneof![8 => 1i64..=60, 4 => Just(100i64), 1 => Just(101i64), 1 => Just(0i64)];
    let seconds = prop_oneof![
        6 => Just(None),
        6 => (1u32..=86_400).prop_map(Some),
        1 => select(vec![Some(0), Some(86_401), Some(u32::MAX)])
    ];
    let part = prop_oneof![
        6 => (1i64..=99).prop_map(Part::Percent),
        4 => Just(Part::Rest(0)),
        2 => (1i64..=9_999).prop_map(Part::Won),
        1 => select(vec![Part::Rest(1), Part::Won(0), Part::Won(-1), Part::Won(i64::MAX)])
    ];
    let after_s = prop_oneof![8 => 0i64..=1_800, 1 => select(vec![1_801, -60])];
    let days = prop_oneof![4 => Just(None), 4 => (0i32..400).prop_map(Some), 1 => select(vec![Some(-1), Some(3_661)])];
    prop_oneof![
        9 => (0..SHOPS, wallet(), percent(), seconds)
            .prop_map(|(shop, wallet, percent, seconds)| Act::Hold { shop, wallet, percent, seconds }),
        5 => (any::<Index>(), percent(), maybe()).prop_map(|(hold, percent, by)| Act::Capture { hold, percent, by }),
        2 => (any::<Index>(), maybe()).prop_map(|(hold, by)| Act::VoidHold { hold, by }),
        4 => any::<Index>().prop_map(|hold| Act::LapseHold { hold }),
        1 => (any::<Index>(), -1i64..=1)
            .prop_map(|(hold, millis_after)| Act::WaitForHold { hold, millis_after }),
        5 => (any::<Index>(), maybe()).prop_map(|(redemption, by)| Act::Reverse { redemption, by }),
        1 => (any::<Index>(), 0i64..=8)
            .prop_map(|(redemption, days)| Act::ReverseLate { redemption, days }),
        10 => (any::<Index>(), prop::bool::weighted(0.9), part, maybe())
            .prop_map(|(sale, claimed, part, by)| Act::Refund { sale, claimed, part, by }),
        7 => (any::<Index>(), after_s, maybe()).prop_map(|(sale, after_s, by)| Act::Void { sale, after_s, by }),
        4 => (0..SHOPS, 0..BUYERS, 0..GROUPS, 0i64..2_000, days, prop::bool::weighted(0.03)).prop_map(
            |(shop, buyer, group, units, days, former)| Act::Grant { shop, buyer, group, units, days, former }
        ),
        4 => (prop::option::weighted(0.2, 0..SHOPS), wallet(), percent())
            .prop_map(|(shop, wallet, percent)| Act::TakeAway { shop, wallet, percent }),
        1 => (0..BUYERS).prop_map(|buyer| Act::Close { buyer }),
        6 => (0..BUYERS, 0..BUYERS, prop_oneof![8 => Just(0i64), 1 => select(vec![601, -120])])
            .prop_map(|(from, into, late_s)| Act::Merge { from, into, late_s }),
        7 => (0..SHOPS, 0..BUYERS - 1, 0..GROUPS, 5_000i64..50_000)
            .prop_map(|(shop, buyer, group, amount)| Act::Cheat { shop, buyer, group, amount }),
        1 => (0..SHOPS, any::<Index>(), 1_000i64..50_000)
            .prop_map(|(shop, former, amount)| Act::SellToFormer { shop, former, amount }),
    ]
}

impl History {
    fn till(&self, by: Option<Index>, shop: MerchantId) -> KeyId {
        let own = self.shop_named(shop).owner.key;
        by.and_then(|by| pick(by, &self.tills())).unwrap_or(own)
    }

    /// A hold that there is or was; most of the time one that is open.
    fn hold(&self, index: Index) -> Option<Reserved> {
        let holds: Vec<&Reserved> = self.model.all_reserved().filter(|hold| hold.pass.is_none()).collect();
        let open: Vec<&Reserved> = holds.iter().filter(|hold| hold.over.is_none()).copied().collect();
        let mostly = if index.index(8) > 0 && !open.is_empty() { &open } else { &holds };
        pick(index, mostly).cloned()
    }

    fn redemption(&self, index: Index) -> Option<Taken> {
        let taken: Vec<&Taken> = self.model.all_taken().collect();
        pick(index, &taken).cloned()
    }

    fn sold(&self, index: Index, claimed: bool) -> Option<Sale> {
        let sales: Vec<&Sale> = self.model.all_sales().collect();
        let fitting: Vec<&Sale> = sales.iter().filter(|sale| sale.claimed.is_some()).copied().collect();
        pick(index, if claimed { &fitting } else { &sales }).cloned()
    }

    pub(super) fn trade(&mut self, act: Act) {
        match act {
            Act::Hold { shop, wallet, percent, seconds } => {
                let wallet = self.wallet(&wallet);
                let asked = self.asked(wallet, &Asked::Percent(percent));
                let (buyer, group, unit) = wallet;
                let code = self.town.code_for(buyer, group, (asked, unit));
                let parcel = self.town.hold_with(self.shops[shop].owner.key, code, asked, seconds);
                self.send(&parcel);
            }
            Act::Capture { hold, percent, by } => {
                let Some(hold) = self.hold(hold) else { return };
                let mut asked = (hold.units() * percent + 50) / 100;
                if let Some(Unit::Stamp(card)) = self.unit_of(&hold) {
                    asked = asked / i64::from(card) * i64::from(card);
                }
                let till = self.till(by, hold.shop);
                let parcel = self.town.capture(till, hold.id, asked);
                self.send(&parcel);
            }
            Act::VoidHold { hold, by } => {
                let Some(hold) = self.hold(hold) else { return };
                let till = self.till(by, hold.shop);
                let parcel = self.town.void_hold(till, hold.id);
                self.send(&parcel);
            }
            Act::LapseHold { hold } => {
                let Some(hold) = self.hold(hold) else { return };
                let parcel = self.town.lapse_hold(hold.shop, hold.id);
                self.send(&parcel);
            }
            Act::WaitForHold { hold, millis_after } => {
                let Some(hold) = self.hold(hold) else { return };
                self.town.now = self.town.now.max(Timestamp(hold.until + millis_after));
            }
            Act::Reverse { redemption, by } => {
                let Some(taken) = self.redemption(redemption) else { return };
                let till = self.till(by, taken.shop);
                let parcel = self.town.reverse(till, taken.id);
                self.send(&parcel);
            }
            Act::ReverseLate { redemption, days } => {
                let Some(taken) = self.redemption(redemption) else { return };
                let ends = self.ends_of(&taken).plus(days * Timestamp::DAY);
                self.town.now = self.town.now.max(ends);
                let till = self.till(None, taken.shop);
                let parcel = self.town.reverse(till, taken.id);
                self.send(&parcel);
            }
            Act::Refund { sale, claimed, part, by } => {
                let Some(sale) = self.sold(sale, claimed) else { return };
                let left = self.model.total(&sale) - sale.refunded();
                let amount = match part {
                    Part::Percent(percent) => left * percent / 100,
                    Part::Rest(more) => left + more,
                    Part::Won(amount) => amount,
                };
                let till = self.till(by, sale.shop);
                let parcel = self.town.refund(till, sale.id, amount);
                self.send(&parcel);
            }
            Act::Void { sale, after_s, by } => {
                let Some(sale) = self.sold(sale, false) else { return };
                let till = self.till(by, sale.shop);
                let mut parcel = self.town.void(till, sale.id);
                parcel.op.time = u64::try_from(sale.time / 1_000 + after_s).unwrap();
                self.send(&parcel);
            }
            Act::Grant { shop, buyer, group, units, days, former } => {
                let former = self.former.last().filter(|_| former);
                let account = former.copied().unwrap_or(self.buyers[buyer].account);
                let group = self.groups[group];
                let zone = self.town.tables.terms[&(group, 1)].terms.tz();
                let today = Day::from(local_day(self.town.now, &zone));
                let last_day = days.map(|days| Day(today.0 + days));
                let by = self.shops[shop].owner.key;
                let parcel = self.town.grant(by, account, group, units, last_day);
                self.send(&parcel);
            }
            Act::TakeAway { shop, wallet, percent } => {
                let WalletStep::Filled(index) = wallet else { return };
                let Some(lot) = self.filled(index).cloned() else { return };
                let shop = shop.map_or(self.shop_named(lot.issuer), |shop| self.shops[shop]);
                let asked = (lot.left * percent + 50) / 100;
                let parcel = self.town.take_away(shop.owner.key, lot.account, lot.group, (asked, lot.unit));
                self.send(&parcel);
            }
            Act::Close { buyer } => {
                let buyer = self.buyers[buyer];
                let parcel = self.town.close_account(buyer.key);
                self.send(&parcel);
                self.replace_ended();
            }
            Act::Merge { from, into, late_s } => {
                let (from, into) = (self.buyers[from], self.buyers[into]);
                let mut consent = self.town.consent(from.key);
                consent.expires = consent.expires.checked_add_signed(-late_s).unwrap();
                let parcel = self.town.merge(into.key, consent);
                self.send(&parcel);
                self.replace_ended();
            }
            Act::Cheat { shop, buyer, group, amount } => {
                let (shop, buyer, group) = (self.shops[shop], self.buyers[buyer], self.groups[group]);
                let sale = self.town.sale(shop, amount);
                self.sales.push(sale.clone());
                let claim = self.town.claim(buyer, &sale, group);
                self.send(&claim);
                let version = (group, self.version(group, 0));
                let wallet = (buyer, group, self.town.tables.terms[&version].terms.unit());
                let asked = self.asked(wallet, &Asked::Percent(100));
                let code = self.town.code_for(buyer, group, (asked, wallet.2));
                let spend = self.town.redeem_with(shop, code, asked);
                self.send(&spend);
                let refund = self.town.refund(shop.owner.key, sale.id, amount);
                self.send(&refund);
            }
            Act::SellToFormer { shop, former, amount } => {
                let Some(account) = pick(former, &self.former) else { return };
                let nobody = Person { account, key: KeyId([0; 8]) };
                let parcel = self.town.sell_to(self.shops[shop], amount, nobody);
                self.send(&parcel);
            }
        }
    }

    fn unit_of(&self, hold: &Reserved) -> Option<Unit> {
        self.town.tables.holds[&(hold.shop, hold.id)].unit()
    }

    /// When the last of the lots ends that a redemption came from.
    fn ends_of(&self, taken: &Taken) -> Timestamp {
        let parts = &self.town.tables.redemptions[&(taken.shop, taken.id)].allocations;
        let lots =
            parts.iter().map(|part| self.town.tables.lots[&(taken.account, taken.group, part.lot)].ends_at);
        lots.max().unwrap()
    }

    /// Someone new comes for whoever's account has ended.
    fn replace_ended(&mut self) {
        for at in 0..self.buyers.len() {
            let account = self.buyers[at].account;
            if self.town.tables.closed.contains_key(&account) {
                self.former.push(account);
                let person = self.town.person();
                self.model.knows(person.key, person.account);
                self.phones.retain(|phone| phone.account != account);
                self.phones.push(person);
                self.buyers[at] = person;
            }
        }
    }

    /// In the end every pass and every hold comes back.
    pub(super) fn release_all(&mut self) {
        let open: Vec<Reserved> =
            self.model.all_reserved().filter(|reserved| reserved.over.is_none()).cloned().collect();
        for reserved in open {
            let parcel = match reserved.pass {
                Some(_) => self.town.release(self.shop_named(reserved.shop), reserved.id),
                None => self.town.lapse_hold(reserved.shop, reserved.id),
            };
            self.send(&parcel);
        }
    }
}
