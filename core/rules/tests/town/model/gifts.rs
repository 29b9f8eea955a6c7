//! Mileage given and taken away without a sale, and accounts that end.

use moa_rules::account::MergeConsent;
use moa_rules::id::{AccountId, GroupId};
use moa_rules::op::Op;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Unit;
use moa_rules::time::Day;

use super::calendar::{day_of, days_after, last_day, midnight_after};
use super::{Fact, MINUTE, Model, Stock, millis};
use crate::driver::units;

impl Model {
    pub(super) fn grant(
        &self,
        op: &Op,
        (account, group): (AccountId, GroupId),
        given: i64,
        until: Option<Day>,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let shop = self.owned_by(op.actor)?;
        if self.closed.contains_key(&account) {
            return Err(Refusal::AccountClosed);
        }
        let known = &self.groups[&group];
        known.check_takes(shop)?;
        if known.closing.is_some_and(|(redeem_only, _)| now >= redeem_only) {
            return Err(Refusal::GroupClosing);
        }
        // Whoever is of the staff in this second.
        if self.is_own(shop, account, now / 1_000 * 1_000) {
            return Err(Refusal::OwnSale);
        }
        if given == 0 {
            return Err(Refusal::UnitsNotPositive);
        }
        let terms = known.terms();
        if given * terms.unit_value.0 > 1_000_000 {
            return Err(Refusal::GrantTooLarge { max: Money(1_000_000) });
        }
        let today = day_of(now, &terms.zone);
        let until = match until {
            Some(day) => days_after(chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap(), day.0.into()),
            None => last_day(terms.validity, now, &terms.zone),
        };
        if until < today || until > days_after(today, 3_660) {
            return Err(Refusal::BadLastDay { days: 3_660 });
        }
        let lot = Stock {
            account,
            group,
            lot: op.id.as_lot(),
            issuer: shop,
            sale: op.id,
            units: given,
            left: given,
            held: 0,
            expired: 0,
            issued: now,
            last_day: until,
            ends: midnight_after(until, &terms.zone),
            value: terms.unit_value.0,
            basis: terms.basis,
            unit: super::sales::unit_of(terms),
            version: known.version(),
            revives: None,
        };
        Ok(vec![Fact::Granted { lot: Box::new(lot) }])
    }

    pub(super) fn take_away(
        &self,
        op: &Op,
        (account, group): (AccountId, GroupId),
        (asked, unit): (i64, Option<Unit>),
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let shop = self.owned_by(op.actor)?;
        if asked == 0 {
            return Err(Refusal::UnitsNotPositive);
        }
        let known = &self.groups[&group];
        let mut own: Vec<usize> = Vec::new();
        for (at, lot) in self.wallet(account, group) {
            let free = lot.left > lot.held && known.end_of(lot.ends) > now;
            if lot.issuer == shop && lot.unit == unit && free {
                own.push(at);
            }
        }
        let (parts, missing) = self.take_of_these(own, known.terms().order, asked);
        if missing > 0 {
            return Err(Refusal::NotSoMuchIssued { left: units(asked - missing) });
        }
        Ok(parts.into_iter().map(|(lot, units)| Fact::TakenAway { lot, units }).collect())
    }

    pub(super) fn close_account(&self, op: &Op, now: i64) -> Result<Vec<Fact>, Refusal> {
        let account = self.pays(op.actor, now)?;
        self.check_free(account)?;
        let mut facts = Vec::new();
        for (at, lot) in self.lots.iter().enumerate() {
            if lot.account == account && lot.left > 0 {
                facts.push(Fact::Gone { lot: at, units: lot.left });
            }
        }
        facts.push(Fact::Closed { account, into: None });
        Ok(facts)
    }

    pub(super) fn merge(&self, op: &Op, consent: &MergeConsent, now: i64) -> Result<Vec<Fact>, Refusal> {
        let into = self.pays(op.actor, now)?;
        let from = self.pays(consent.key, now)?;
        if from == into {
            return Err(Refusal::NotAConsent);
        }
        if self.is_used(consent.key, consent.counter) {
            return Err(Refusal::CodeUsed);
        }
        let expires = millis(consent.expires);
        if now > expires || expires > now + 11 * MINUTE {
            return Err(Refusal::CodeExpired);
        }
        self.check_free(from)?;
        Ok(vec![
            Fact::Moved { from, into },
            Fact::Closed { account: from, into: Some(into) },
            Fact::Used { key: consent.key, counter: consent.counter },
        ])
    }

    /// Nobody counts on the account: no key of it sells, nothing of its is reserved.
    fn check_free(&self, account: AccountId) -> Result<(), Refusal> {
        for phone in self.phones.values() {
            let sells = phone.shop.is_some() && phone.left_at.is_none() && !phone.revoked;
            if phone.account == account && sells {
                return Err(Refusal::HasShop);
            }
        }
        if self.lots.iter().any(|lot| lot.account == account && lot.held > 0) {
            return Err(Refusal::PassesOpen);
        }
        Ok(())
    }
}
