//! What is undone: redemptions reversed, purchases refunded, sales voided.

use moa_rules::id::{AccountId, LotId, OpId};
use moa_rules::op::Op;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;

use super::calendar::{day_of, days_after, days_between, midnight_after};
use super::sales::{Refund, Sale};
use super::{Fact, MINUTE, Model, Owed, Place, Stock, Taken, millis};

impl Model {
    pub(super) fn reverse(&self, op: &Op, redemption: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let shop = self.shop_of(op.actor, None)?;
        let own = |taken: &&Taken| taken.shop == shop;
        let taken = self.taken.get(&redemption).filter(own).ok_or(Refusal::UnknownRedemption)?;
        let left = taken.units() - taken.returned;
        if left == 0 {
            return Err(Refusal::AlreadyReversed);
        }
        Ok(self.give_back(op, taken, left, now))
    }

    /// So many units come back, those taken last first.
    fn give_back(&self, op: &Op, taken: &Taken, units: i64, now: i64) -> Vec<Fact> {
        let (account, closed) = self.heir(taken.account);
        let account = if closed { taken.account } else { account };
        let (mut parts, mut gone) = (Vec::new(), Vec::new());
        let mut new = 0;
        for (from, units) in taken.last(units) {
            let (place, at_once) = self.place(op, account, (from, units, parts.len()), taken.made, now);
            let lot = match place {
                Place::There(lot) => lot,
                Place::New(_) => {
                    new += 1;
                    self.lots.len() + new - 1
                }
            };
            if closed || at_once {
                gone.push(Fact::Gone { lot, units });
            }
            parts.push((from, units, place));
        }
        let mut facts = vec![Fact::Back { redemption: taken.id, parts, account }];
        facts.extend(gone);
        facts
    }

    /// Where units of a lot come back to, and whether they expire at once.
    fn place(
        &self,
        op: &Op,
        account: AccountId,
        (from, units, index): (usize, i64, usize),
        made: i64,
        now: i64,
    ) -> (Place, bool) {
        let from = &self.lots[from];
        let there = self.places.get(&(account, from.group, from.lot)).copied();
        let lot = there.map_or(from, |at| &self.lots[at]);
        let known = &self.groups[&lot.group];
        let group_over = known.end_of(i64::MAX) <= now;
        let whole = Stock { account, left: units, held: 0, expired: 0, ..lot.clone() };
        if lot.ends > now && !group_over {
            return match there {
                Some(at) => (Place::There(at), false),
                None => (Place::New(Box::new(whole)), false),
            };
        }
        let zone = &known.terms().zone;
        let today = day_of(now, zone);
        let at_once = group_over || lot.revives.is_some();
        let (last_day, ends) = if at_once {
            (today.pred_opt().unwrap(), now)
        } else {
            let left = days_between(day_of(made, zone), lot.last_day).min(7);
            let day = days_after(today, left);
            (day, midnight_after(day, zone))
        };
        let revives = Some(lot.lot);
        let linked = Stock { lot: linked(op.id, index), units, last_day, ends, revives, ..whole };
        (Place::New(Box::new(linked)), at_once)
    }

    pub(super) fn void(&self, op: &Op, sale: OpId) -> Result<Vec<Fact>, Refusal> {
        let sale = self.own_sale(op, sale)?;
        if sale.claimed.is_some() {
            return Err(Refusal::SaleAlreadyClaimed);
        }
        if !sale.refunds.is_empty() {
            return Err(Refusal::SaleRefunded);
        }
        if millis(op.time) > sale.time + 30 * MINUTE {
            return Err(Refusal::VoidTooLate { minutes: 30 });
        }
        Ok(vec![Fact::Voided { sale: sale.id }])
    }

    pub(super) fn refund(&self, op: &Op, sale: OpId, amount: i64, now: i64) -> Result<Vec<Fact>, Refusal> {
        let sale = self.own_sale(op, sale)?;
        if amount <= 0 {
            return Err(Refusal::AmountNotPositive);
        }
        let mileage = self.paid_with(sale);
        let total = sale.amount + mileage.map_or(0, |taken| self.value(&taken.parts));
        if amount > total - sale.refunded() {
            return Err(Refusal::RefundTooLarge { left: Money(total - sale.refunded()) });
        }
        let so_far = sale.refunded() + amount;
        let all_money = share(sale.amount, so_far, total);
        let mut refund = Refund {
            amount,
            money: all_money - sale.money_back(),
            with_mileage: mileage.is_some(),
            claimed: sale.claimed.is_some(),
            units: 0,
            forgone: 0,
        };
        let taken_back = self.take_back(sale, all_money, &mut refund, now);
        let mut facts = vec![Fact::Refunded { sale: sale.id, refund }];
        facts.extend(taken_back);
        if let Some(taken) = mileage {
            let back = self.units_worth(taken, so_far - all_money) - taken.returned;
            if back > 0 {
                facts.extend(self.give_back(op, taken, back, now));
            }
        }
        Ok(facts)
    }

    fn own_sale(&self, op: &Op, sale: OpId) -> Result<&Sale, Refusal> {
        let shop = self.shop_of(op.actor, None)?;
        let sale = self.sales.get(&sale).filter(|sale| sale.shop == shop).ok_or(Refusal::UnknownSale)?;
        if sale.voided { Err(Refusal::SaleVoided) } else { Ok(sale) }
    }

    /// The redemption that paid a part of a purchase. Whether one did is settled by the first refund.
    pub fn paid_with(&self, sale: &Sale) -> Option<&Taken> {
        let taken = self.taken.get(&sale.redemption?).filter(|taken| taken.shop == sale.shop)?;
        let counts = match (sale.refunds.first(), sale.claimed, sale.addressee) {
            (Some(first), ..) => first.with_mileage,
            (None, Some((_, buyer, _)), _) | (None, None, Some(buyer)) => {
                self.heir(buyer) == self.heir(taken.account)
            }
            (None, None, None) => true,
        };
        counts.then_some(taken)
    }

    /// What a sale's purchase was in all.
    pub fn total(&self, sale: &Sale) -> i64 {
        sale.amount + self.paid_with(sale).map_or(0, |taken| self.value(&taken.parts))
    }

    fn value(&self, parts: &[(usize, i64)]) -> i64 {
        parts.iter().map(|(lot, units)| units * self.lots[*lot].value).sum()
    }

    /// How many units make up so much, one by one from the last.
    fn units_worth(&self, taken: &Taken, mut worth: i64) -> i64 {
        let mut units = 0;
        for (lot, count) in taken.parts.iter().rev() {
            let value = self.lots[*lot].value;
            let whole = (worth / value).min(*count);
            units += whole;
            worth -= whole * value;
            if whole < *count {
                break;
            }
        }
        units
    }

    /// Takes back what a purchase earned on money that went back since it was claimed.
    fn take_back(&self, sale: &Sale, all_money: i64, refund: &mut Refund, now: i64) -> Vec<Fact> {
        let Some((lot, buyer, group)) = sale.claimed else { return Vec::new() };
        let (account, closed) = self.heir(buyer);
        let before: i64 =
            sale.refunds.iter().filter(|refund| !refund.claimed).map(|refund| refund.money).sum();
        let own = self.places.get(&(account, group, lot)).copied();
        // Of a merged account: nothing of the lot was left to go over.
        let at = own.unwrap_or_else(|| self.places[&(buyer, group, lot)]);
        let (there, unit) = (&self.lots[at], self.lots[at].unit);
        let taken_before: i64 = sale.refunds.iter().map(|refund| refund.units).sum();
        let due = share(there.units, all_money - before, sale.amount - before) - taken_before;
        refund.units = due;
        if closed {
            // It has nothing, and owes nothing.
            refund.forgone = due;
            return Vec::new();
        }

        let (mut facts, mut open) = (Vec::new(), due);
        let mut take = |lot: usize, most: i64, open: &mut i64| {
            let units = most.min(*open);
            *open -= units;
            if units > 0 {
                facts.push(Fact::TakenBack { lot, units, shop: sale.shop });
            }
        };
        if own.is_some() {
            take(at, there.left - there.held, &mut open);
        }
        let counted: i64 = sale.refunds.iter().map(|refund| refund.forgone).sum();
        refund.forgone = (there.expired - counted).max(0).min(open);
        open -= refund.forgone;
        let mut others = self.usable((account, group), unit, now);
        others.retain(|other| *other != at);
        let (parts, _) = self.take_of_these(others, self.groups[&group].terms().order, open);
        for (lot, units) in parts {
            take(lot, units, &mut open);
        }
        if open > 0 {
            let shop = sale.shop;
            facts.push(Fact::Owes(Owed { account, group, shop, unit, since: now, units: open }));
        }
        facts
    }
}

impl Taken {
    pub fn units(&self) -> i64 {
        self.parts.iter().map(|part| part.1).sum()
    }

    /// The next so many units to come back.
    fn last(&self, mut units: i64) -> Vec<(usize, i64)> {
        let (mut back, mut parts) = (self.returned, Vec::new());
        for (lot, count) in self.parts.iter().rev() {
            let came = back.min(*count);
            back -= came;
            let more = units.min(count - came);
            units -= more;
            if more > 0 {
                parts.push((*lot, more));
            }
        }
        parts
    }
}

/// So much of `of` as `part` is of `whole`, rounded down.
fn share(of: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    i64::try_from(i128::from(of) * i128::from(part) / i128::from(whole)).unwrap()
}

/// The n-th lot that an op brings into being: the op's id, its last two bytes mixed with the number.
fn linked(op: OpId, index: usize) -> LotId {
    let mut id = op.0;
    let number = u16::try_from(index).unwrap().to_be_bytes();
    id[14] ^= number[0];
    id[15] ^= number[1];
    LotId(id)
}
