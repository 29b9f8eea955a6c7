//! What shops do beyond selling: holds, reversals, refunds, grants; and what the server's sweeps find due.

use moa_ledger::store::{Answer, Outcome, Store};
use moa_ledger::sweep;
use moa_rules::adjustment::{Grantee, Reason};
use moa_rules::id::{GroupId, LotId, OpId};
use moa_rules::lot::Lot;
use moa_rules::op::{Choice, OP_VERSION, Op, OpBody, RedemptionCode};
use moa_rules::quantity::{Money, Units};
use moa_rules::terms::{Terms, Unit};
use moa_rules::time::Timestamp;
use moa_wire::submission::Submission;
use moa_wire::token::Checked;

use super::{Actor, Shop, Town};

pub fn units(count: i64) -> Units {
    Units::new(count).unwrap()
}

/// An op that asks for so many units on a code that its buyer has just signed.
#[derive(Clone, Copy)]
pub enum Asks {
    Redeem,
    Hold,
}

impl<S: Store> Town<S> {
    /// A shop's op on a fresh code of the buyer's.
    pub fn asks(
        &self,
        what: Asks,
        (shop, buyer): (&Shop, &Actor),
        group: GroupId,
        (count, unit): (i64, Option<Unit>),
    ) -> Checked<Op> {
        let expires = self.now.plus(RedemptionCode::LIFETIME).seconds();
        let (version, key, counter) = (OP_VERSION, buyer.key_id(), buyer.next_counter());
        let most = units(count);
        let code = RedemptionCode { version, key, counter, expires, group, most, unit };
        let code = Checked::sign(code, &buyer.key).unwrap().bytes().to_vec();
        let body = match what {
            Asks::Redeem => OpBody::Redeem { code, units: most },
            Asks::Hold => OpBody::Hold { code, units: most, seconds: None },
        };
        shop.actor.sign(shop.actor.op(body, self.now))
    }

    /// Mileage held for ten minutes.
    pub fn hold(&self, shop: &Shop, buyer: &Actor, group: GroupId, count: i64) -> OpId {
        self.accepted(&self.asks(Asks::Hold, (shop, buyer), group, (count, None)))
    }

    /// Mileage taken.
    pub fn take_mileage(&self, shop: &Shop, buyer: &Actor, group: GroupId, count: i64) -> OpId {
        self.accepted(&self.asks(Asks::Redeem, (shop, buyer), group, (count, None)))
    }

    /// A sale that its buyer claims at once, under a group's first terms: the sale.
    pub fn purchase(&self, shop: &Shop, buyer: &Actor, group: GroupId, amount: i64) -> OpId {
        self.purchase_under(1, (shop, buyer), group, amount)
    }

    /// The same under a version of the terms.
    pub fn purchase_under(
        &self,
        terms_version: u32,
        (shop, buyer): (&Shop, &Actor),
        group: GroupId,
        amount: i64,
    ) -> OpId {
        let sale = self.sale(shop, amount);
        self.accepted(&self.claim_under(terms_version, buyer, &sale, group));
        sale.value().id
    }

    /// A claim that names a version of the terms.
    pub fn claim_under(
        &self,
        terms_version: u32,
        buyer: &Actor,
        sale: &Checked<Op>,
        group: GroupId,
    ) -> Checked<Op> {
        let choice = Some(Choice { group, terms_version });
        buyer.sign(buyer.op(OpBody::Claim { sale: sale.bytes().to_vec(), choice }, self.now))
    }

    /// A purchase of which a redemption paid a part, claimed at once: the sale.
    pub fn part_paid(&self, shop: &Shop, buyer: &Actor, group: GroupId, (amount, paid): (i64, OpId)) -> OpId {
        let body = OpBody::RecordSale { amount: Money(amount), addressee: None, redemption: Some(paid) };
        let sale = shop.actor.sign(shop.actor.op(body, self.now));
        self.accepted(&self.claim(buyer, &sale, group));
        sale.value().id
    }

    pub fn refund(&self, shop: &Shop, sale: OpId, amount: i64) {
        self.apply(&shop.actor, OpBody::RefundSale { sale, amount: Money(amount) });
    }

    pub fn grant(&self, shop: &Shop, buyer: &Actor, group: GroupId, count: i64) -> LotId {
        let (to, reason) = (Grantee::Account(buyer.account), Reason::Goodwill);
        let body = OpBody::Grant { group, to, units: units(count), reason, last_day: None };
        self.apply(&shop.actor, body).as_lot()
    }

    /// The admin proposes terms for a day from now on.
    pub fn propose(&self, admin: &Shop, group: GroupId, terms: Terms) -> OpId {
        let from = self.now.plus(Timestamp::DAY).seconds();
        self.apply(&admin.actor, OpBody::AmendTerms { group, terms, from })
    }

    pub fn accepted(&self, signed: &Checked<Op>) -> OpId {
        assert_eq!(self.submit(signed), Outcome::First(Answer::Applied));
        signed.value().id
    }

    /// Sweeps as the server's job does, until nothing new is found; how many ops were new.
    pub fn sweep(&self) -> usize {
        let mut written = 0;
        for find in sweep::ALL {
            loop {
                let due = find(&*self.store, &self.system.key, self.now).unwrap();
                let due: Vec<Submission> = due.map(|due| due.unwrap().op).collect();
                let outcomes = match due.as_slice() {
                    [] => break,
                    due => self.store.commit(due, self.now).unwrap().outcomes,
                };
                let new = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::First(_))).count();
                written += new;
                if new == 0 {
                    break;
                }
            }
        }
        written
    }

    /// An account's only lot with something left.
    pub fn only_lot(&self, buyer: &Actor) -> Lot {
        let mut lots = self.store.lots(buyer.account).unwrap();
        assert_eq!(lots.len(), 1, "{lots:?}");
        lots.remove(0)
    }

    /// What is left of each lot and held of it, in order of when they end.
    pub fn left(&self, buyer: &Actor) -> Vec<(i64, i64)> {
        let mut lots = self.store.lots(buyer.account).unwrap();
        lots.sort_by_key(|lot| (lot.ends_at, lot.issued_at, lot.id));
        lots.iter().map(|lot| (lot.remaining.get(), lot.held.get())).collect()
    }
}
