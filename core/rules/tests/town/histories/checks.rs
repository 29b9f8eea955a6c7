//! What is checked after every op: each table against the model's lists, and the books' own laws.

use std::collections::{BTreeMap, BTreeSet};

use moa_rules::books::{Account, Ledger, Party};
use moa_rules::hold::HoldState;
use moa_rules::id::{AccountId, GroupId, LotId, MerchantId};
use moa_rules::lot::{Allocation, Lot};
use moa_rules::pass::PassState;
use moa_rules::terms::Unit;
use moa_rules::time::Day;

use super::History;
use crate::model::{Over, Owed, Stock};

impl History {
    pub(super) fn check(&self) {
        self.check_lots();
        self.check_debts();
        self.check_reserved();
        self.check_taken();
        self.check_sales();
        self.check_groups();
        self.check_people();
        self.check_books();
    }

    fn check_lots(&self) {
        let (tables, now) = (&self.town.tables, self.town.now);
        let known: Vec<_> = self.model.stock().map(|lot| (lot.account, lot.group, lot.lot)).collect();
        assert_eq!(tables.lots.keys().copied().collect::<Vec<_>>(), known, "as many lots");
        for (stock, lot) in self.model.stock().zip(tables.lots.values()) {
            assert_eq!(*stock, seen(lot));
            assert!(lot.held <= lot.remaining && lot.remaining <= lot.units);
        }
        let wallets: BTreeSet<(AccountId, GroupId, Option<Unit>)> =
            self.model.stock().map(|lot| (lot.account, lot.group, lot.unit)).collect();
        for (account, group, unit) in wallets {
            let usable = tables.groups[&group].usable(unit, now);
            let available = tables.wallet(account, group).available(&usable).get();
            assert_eq!(available, self.model.available(account, group, unit, now.0), "available");
        }
    }

    fn check_debts(&self) {
        let mut found = Vec::new();
        for debt in self.town.tables.debts.iter().filter(|debt| !debt.units.is_zero()) {
            found.push(Owed {
                account: debt.account,
                group: debt.group,
                shop: debt.merchant,
                unit: debt.unit,
                since: debt.since.0,
                units: debt.units.get(),
            });
        }
        let mut owed = self.model.debts().to_vec();
        found.sort_unstable();
        owed.sort_unstable();
        assert_eq!(found, owed, "debts");
    }

    /// Passes and holds are as the model's, and what they hold is what the lots say.
    fn check_reserved(&self) {
        let tables = &self.town.tables;
        let mut held: BTreeMap<(AccountId, GroupId, LotId), i64> = BTreeMap::new();
        let mut count = 0;
        for reserved in self.model.all_reserved() {
            count += 1;
            let key = (reserved.shop, reserved.id);
            let (parts, over) = match reserved.pass {
                Some(_) => {
                    let pass = &tables.passes[&key];
                    let over = match pass.state {
                        PassState::Open => None,
                        PassState::Spent => Some(Over::Taken),
                        PassState::Released => Some(Over::Lapsed),
                    };
                    (&pass.held, over)
                }
                None => {
                    let hold = &tables.holds[&key];
                    assert_eq!((hold.made_at.0, hold.until.0), (reserved.made, reserved.until));
                    let over = match hold.state {
                        HoldState::Open => None,
                        HoldState::Captured => Some(Over::Taken),
                        HoldState::Voided => Some(Over::Voided),
                        HoldState::Lapsed => Some(Over::Lapsed),
                    };
                    (&hold.held, over)
                }
            };
            assert_eq!(self.named(&reserved.parts), units_of(parts), "what is held");
            assert_eq!(over, reserved.over);
            if over.is_none() {
                for part in parts {
                    *held.entry((reserved.account, reserved.group, part.lot)).or_default() +=
                        part.units.get();
                }
            }
        }
        assert_eq!(count, tables.passes.len() + tables.holds.len());
        let on_lots = tables.lots.iter().filter(|(_, lot)| !lot.held.is_zero());
        assert_eq!(held, on_lots.map(|(key, lot)| (*key, lot.held.get())).collect(), "held");
    }

    fn check_taken(&self) {
        let redemptions = &self.town.tables.redemptions;
        assert_eq!(redemptions.len(), self.model.all_taken().count());
        for taken in self.model.all_taken() {
            let found = &redemptions[&(taken.shop, taken.id)];
            assert_eq!(self.named(&taken.parts), units_of(&found.allocations), "what was taken");
            let returned = (found.account, found.group, found.made_at.0, found.returned.get());
            assert_eq!(returned, (taken.account, taken.group, taken.made, taken.returned));
            assert!(found.returned <= found.units());
        }
    }

    fn check_sales(&self) {
        let sales = &self.town.tables.sales;
        assert_eq!(sales.len(), self.model.all_sales().count());
        for sale in self.model.all_sales() {
            let found = &sales[&(sale.shop, sale.id)];
            let claimed = found.claimed.map(|claimed| (claimed.lot, claimed.account, claimed.group));
            assert_eq!(claimed, sale.claimed, "claimed");
            let waits = (found.waits_until.is_some(), found.lapsed, found.voided);
            assert_eq!(waits, (sale.waits_for.is_some(), sale.lapsed, sale.voided));
            assert_eq!(
                (found.refunded.0, found.money_back.0),
                (sale.refunded(), sale.money_back()),
                "refunds"
            );
            let units: i64 = sale.refunds.iter().map(|refund| refund.units).sum();
            let forgone: i64 = sale.refunds.iter().map(|refund| refund.forgone).sum();
            assert_eq!((found.clawed.get(), found.forgone.get()), (units, forgone), "taken back");
            assert!(sale.refunds.iter().all(|refund| (0..=refund.amount).contains(&refund.money)));
        }
    }

    fn check_groups(&self) {
        let tables = &self.town.tables;
        for (id, group) in &tables.groups {
            let known = self.model.group(*id);
            let closing = group.closing.map(|closing| (closing.redeem_only_from.0, closing.ends_at.0));
            let ended = group.closing.is_some_and(|closing| closing.ended);
            assert_eq!((group.admin, closing, ended), (known.admin, known.closing, known.ended));
            let count = (group.terms_version, group.members as usize);
            assert_eq!(count, (known.version(), known.count()));
            for (shop, member) in &known.members {
                let found = &tables.members[&(*id, *shop)];
                let times = (found.left_at.map(|at| at.0), found.frozen_at.map(|at| at.0));
                assert_eq!(times, (member.left, member.frozen));
                assert_eq!(group.frozen.contains(shop), member.frozen.is_some());
            }
            for (at, (from, terms)) in known.versions.iter().enumerate() {
                let found = &tables.terms[&(*id, u32::try_from(at + 1).unwrap())];
                let until = known.versions.get(at + 1).map(|(until, _)| *until);
                assert_eq!((found.in_force_from.0, found.in_force_until.map(|at| at.0)), (*from, until));
                assert_eq!(found.terms, *terms);
            }
        }
    }

    fn check_people(&self) {
        let tables = &self.town.tables;
        for (key, phone) in self.model.phones() {
            let device = &tables.devices[&key];
            let certificate = device.certificate.map(|had| (had.most.0, had.until.0, had.used.0));
            assert_eq!(phone.certificate, certificate, "certificate of {key}");
            let is = (Some(phone.account), phone.revoked, phone.shop, phone.staff, phone.left_at);
            let left_at = device.left_at.map(|at| at.0);
            let revoked = device.revoked_at.is_some();
            assert_eq!(is, (device.account(), revoked, device.merchant, device.staff, left_at), "{key}");
            // Those that were there before the history pay from whenever.
            let now = self.town.now;
            assert_eq!(phone.pays_from.max(now.0), device.pays_from.max(now).0, "{key}");
        }
    }

    fn check_books(&self) {
        let filled = |(_, amount): &(&Account, &i64)| **amount != 0;
        let books: Vec<(&Account, &i64)> = self.town.books.iter().filter(filled).collect();
        assert_eq!(books, self.model.books().iter().filter(filled).collect::<Vec<_>>(), "books");

        let mut owed: BTreeMap<GroupId, i64> = BTreeMap::new();
        let mut units: BTreeMap<(GroupId, MerchantId, Ledger), i64> = BTreeMap::new();
        for (account, amount) in books {
            match account.issuer {
                None => *owed.entry(account.group).or_default() += amount,
                Some(issuer) => {
                    *units.entry((account.group, issuer, account.ledger)).or_default() += amount;
                }
            }
        }
        assert!(owed.values().all(|sum| *sum == 0), "members, pool and exchange sum to zero");
        let mut outstanding: BTreeMap<(GroupId, MerchantId), i64> = BTreeMap::new();
        for lot in self.town.tables.lots.values() {
            *outstanding.entry((lot.group, lot.issuer)).or_default() += lot.remaining.get();
        }
        for ((group, issuer), outstanding) in outstanding {
            let total = |ledger| units.get(&(group, issuer, ledger)).copied().unwrap_or(0);
            assert_eq!(total(Ledger::Wallet), outstanding, "wallets are the lots");
            let gone = [Ledger::Redeemed, Ledger::Expired, Ledger::ClawedBack, Ledger::Adjusted].map(total);
            let issued = gone.iter().sum::<i64>() + outstanding;
            assert_eq!(-total(Ledger::Issued), issued, "issued = redeemed + expired + … + outstanding");
        }
        for group in self.town.tables.groups.keys() {
            assert_eq!(self.town.position(*group, Party::Pool), self.model.owed_by_pool(*group), "pool");
        }
    }

    /// The parts of the model's lots, by the lots' names.
    fn named(&self, parts: &[(usize, i64)]) -> Vec<(LotId, i64)> {
        parts.iter().map(|(lot, units)| (self.model.lot(*lot).lot, *units)).collect()
    }
}

fn units_of(parts: &[Allocation]) -> Vec<(LotId, i64)> {
    parts.iter().map(|part| (part.lot, part.units.get())).collect()
}

/// A row as the model has it.
fn seen(lot: &Lot) -> Stock {
    Stock {
        account: lot.account,
        group: lot.group,
        lot: lot.id,
        issuer: lot.issuer,
        sale: lot.sale,
        units: lot.units.get(),
        left: lot.remaining.get(),
        held: lot.held.get(),
        expired: lot.expired.get(),
        issued: lot.issued_at.0,
        last_day: day(lot.last_day),
        ends: lot.ends_at.0,
        value: lot.worth.unit_value.0,
        basis: lot.worth.basis,
        unit: lot.worth.unit,
        version: lot.terms_version,
        revives: lot.revives,
    }
}

fn day(day: Day) -> chrono::NaiveDate {
    chrono::NaiveDate::from_epoch_days(day.0).unwrap()
}
