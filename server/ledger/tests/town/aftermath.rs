//! What beside the vicissitudes of `lively` leaves its traces: clerks' holds, purchases that mileage paid in part, refunds
//! before a claim and after an expiry, coupons that were amended, a group that has ended, accounts that are no more.

use moa_ledger::store::{Answer, Outcome, Store};
use moa_rules::account::MergeConsent;
use moa_rules::id::GroupId;
use moa_rules::op::{OP_VERSION, OpBody};
use moa_rules::quantity::Money;
use moa_rules::terms::{Basis, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::token::Checked;

use super::acts::units;
use super::{Actor, Shop, Town, points};

impl<S: Store> Town<S> {
    /// What a job of the server's does, which must be due.
    pub fn by_server(&self, body: OpBody) {
        assert_eq!(self.submit(&self.system_op(body)), Outcome::First(Answer::Applied));
    }

    /// The account's word that it ends and all goes to whoever shows that.
    pub fn consent(&self, from: &Actor) -> Vec<u8> {
        let (key, counter) = (from.key_id(), from.next_counter());
        let expires = self.now.plus(Timestamp::MINUTE).seconds();
        let consent = MergeConsent { version: OP_VERSION, key, counter, expires };
        Checked::sign(consent, &from.key).unwrap().bytes().to_vec()
    }
}

pub fn aftermath<S: Store>(town: &mut Town<S>) {
    let kiosk = town.shop("매점");
    let ends = town.group(points(500, 0, Basis::OnIssue), &[&kiosk]);
    town.apply(&kiosk.actor, OpBody::CloseGroup { group: ends });
    town.now = town.now.plus(91 * Timestamp::DAY);
    town.by_server(OpBody::EndGroup { group: ends });
    town.apply(&kiosk.actor, OpBody::RenewCertificate);
    coupons(town, &kiosk);

    let (cafe, bakery) = (town.shop("다방"), town.shop("떡집"));
    let terms = Terms { validity: Validity::Days(2), ..points(1_000, 0, Basis::OnIssue) };
    let group = town.group(terms, &[&cafe, &bakery]);
    let amendment = town.propose(&cafe, group, points(900, 0, Basis::OnIssue));
    town.apply(&bakery.actor, OpBody::AnswerAmendment { group, amendment, agrees: false });
    let buyer = town.enrol();
    refunds(town, &cafe, &buyer, group);
    accounts_that_end(town, &bakery, &buyer, group);
    clerks_holds(town, &bakery, &buyer, group);
    // Refunded once all of it has expired.
    let late = town.purchase(&bakery, &buyer, group, 20_000);
    let ends_at = town.store.lots(buyer.account).unwrap().iter().map(|lot| lot.ends_at).max().unwrap();
    town.now = ends_at;
    town.by_server(OpBody::ExpireLots { group, account: buyer.account });
    town.refund(&bakery, late, 10_000);
}

/// Coupons of a face value that was amended, in a group that is closing.
fn coupons<S: Store>(town: &Town<S>, kiosk: &Shop) {
    let coupons = |face| Terms::coupons(Money(face), None, Validity::Days(30));
    let group = town.group(coupons(500), &[kiosk]);
    town.purchase(kiosk, &town.enrol(), group, 5_000);
    let from = town.now.seconds();
    let amendment = town.apply(&kiosk.actor, OpBody::AmendTerms { group, terms: coupons(1_000), from });
    town.by_server(OpBody::DecideAmendment { group, amendment });
    town.apply(&kiosk.actor, OpBody::CloseGroup { group });
}

/// Of a purchase that mileage paid in part, and of one before it is claimed.
fn refunds<S: Store>(town: &Town<S>, cafe: &Shop, buyer: &Actor, group: GroupId) {
    town.purchase(cafe, buyer, group, 30_000);
    let paid = town.take_mileage(cafe, buyer, group, 1_000);
    let sale = town.part_paid(cafe, buyer, group, (7_000, paid));
    town.refund(cafe, sale, 2_000);
    let voucher = town.sale(cafe, 20_000);
    town.accepted(&voucher);
    town.refund(cafe, voucher.value().id, 5_000);
    town.accepted(&town.claim(buyer, &voucher, group));
}

fn accounts_that_end<S: Store>(town: &Town<S>, bakery: &Shop, into: &Actor, group: GroupId) {
    let [merged, closed] = [(); 2].map(|()| town.enrol());
    for account in [&merged, &closed] {
        town.purchase(bakery, account, group, 3_000);
    }
    town.apply(into, OpBody::MergeAccount { consent: town.consent(&merged) });
    town.apply(&closed, OpBody::CloseAccount);
}

/// A hold of a clerk's that is captured in part, and one that lapses.
fn clerks_holds<S: Store>(town: &mut Town<S>, bakery: &Shop, buyer: &Actor, group: GroupId) {
    let clerk = town.enrol();
    town.hire(bakery, &clerk, 10_000, 20_000);
    let till = Shop { actor: clerk, id: bakery.id };
    let [captured, lapsed] = [(); 2].map(|()| town.hold(&till, buyer, group, 60));
    town.now = town.now.plus(Timestamp::MINUTE);
    town.apply(&till.actor, OpBody::CaptureHold { hold: captured, units: units(40) });
    town.now = town.now.plus(10 * Timestamp::MINUTE);
    town.by_server(OpBody::LapseHold { merchant: bakery.id, hold: lapsed });
}
