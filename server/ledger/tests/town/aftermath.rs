//! What comes after sales: one of everything that holds, refunds, adjustments, amendments and ends leave behind.

use moa_ledger::store::{Answer, Outcome, Store};
use moa_rules::account::MergeConsent;
use moa_rules::adjustment::Reason;
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

/// A group that has ended and one that is closing, terms that were amended and proposed ones, members that left and that are
/// frozen, holds of every state, redemptions that came back, refunds with debts, accounts that are no more.
pub fn aftermath<S: Store>(town: &mut Town<S>) {
    let kiosk = town.shop("매점");
    let ends = town.group(points(500, 0, Basis::OnIssue), &[&kiosk]);
    town.apply(&kiosk.actor, OpBody::CloseGroup { group: ends });
    town.now = town.now.plus(91 * Timestamp::DAY);
    town.by_server(OpBody::EndGroup { group: ends });
    town.apply(&kiosk.actor, OpBody::RenewCertificate);

    let (cafe, bakery) = (town.shop("다방"), town.shop("떡집"));
    let terms = Terms { validity: Validity::Days(2), ..points(1_000, 0, Basis::OnIssue) };
    let group = town.group(terms, &[&cafe, &bakery, &kiosk]);
    members(town, (&cafe, &bakery, &kiosk), group);
    let [buyer, other] = [(); 2].map(|()| town.enrol());
    refunds(town, (&cafe, &bakery), (&buyer, &other), group);
    ends_of_accounts(town, &bakery, &other, group);
    holds(town, &bakery, &other, group);
    later(town, (&cafe, &bakery), &other, group);
}

fn members<S: Store>(town: &mut Town<S>, (cafe, bakery, kiosk): (&Shop, &Shop, &Shop), group: GroupId) {
    // Coupons whose face value was amended, in a group that is closing.
    let coupons = |face| Terms::coupons(Money(face), None, Validity::Days(30));
    let closing = town.group(coupons(500), &[kiosk]);
    let buyer = town.enrol();
    town.purchase(kiosk, &buyer, closing, 5_000);
    let from = town.now.seconds();
    let body = OpBody::AmendTerms { group: closing, terms: coupons(1_000), from };
    let amendment = town.apply(&kiosk.actor, body);
    town.by_server(OpBody::DecideAmendment { group: closing, amendment });
    town.apply(&kiosk.actor, OpBody::CloseGroup { group: closing });
    // Terms that are proposed, with an answer of either kind; a member that left.
    let amendment = town.propose(cafe, group, points(900, 0, Basis::OnIssue));
    town.apply(&bakery.actor, OpBody::AnswerAmendment { group, amendment, agrees: false });
    town.apply(&kiosk.actor, OpBody::LeaveGroup { group });
}

fn refunds<S: Store>(
    town: &Town<S>,
    (cafe, bakery): (&Shop, &Shop),
    (buyer, other): (&Actor, &Actor),
    group: GroupId,
) {
    // More was spent than the refund finds.
    let sale = town.purchase(cafe, buyer, group, 10_000);
    town.take_mileage(bakery, buyer, group, 900);
    town.refund(cafe, sale, 5_000);
    // Paid in part with mileage, and refunded in part.
    town.purchase(bakery, other, group, 30_000);
    let paid = town.take_mileage(cafe, other, group, 1_000);
    let sale = town.part_paid(cafe, other, group, (7_000, paid));
    town.refund(cafe, sale, 2_000);
    // Refunded in part before it was claimed; voided.
    let [voucher, mistake] = [(); 2].map(|()| town.sale(bakery, 20_000));
    for sale in [&voucher, &mistake] {
        town.accepted(sale);
    }
    town.refund(bakery, voucher.value().id, 5_000);
    town.accepted(&town.claim(other, &voucher, group));
    town.apply(&bakery.actor, OpBody::VoidSale { sale: mistake.value().id });
    // Given, and taken away.
    town.grant(bakery, other, group, 300);
    let (account, reason) = (other.account, Reason::Correction);
    town.apply(&bakery.actor, OpBody::TakeAway { group, account, units: units(100), reason, unit: None });
}

fn ends_of_accounts<S: Store>(town: &Town<S>, bakery: &Shop, into: &Actor, group: GroupId) {
    let [merged, closed] = [(); 2].map(|()| town.enrol());
    for account in [&merged, &closed] {
        town.purchase(bakery, account, group, 3_000);
    }
    town.apply(into, OpBody::MergeAccount { consent: town.consent(&merged) });
    town.apply(&closed, OpBody::CloseAccount);
}

fn holds<S: Store>(town: &mut Town<S>, bakery: &Shop, buyer: &Actor, group: GroupId) {
    let clerk = town.enrol();
    town.hire(bakery, &clerk, 10_000, 20_000);
    let till = Shop { actor: clerk, id: bakery.id };
    let [captured, voided, lapsed] = [(); 3].map(|()| town.hold(&till, buyer, group, 60));
    town.now = town.now.plus(Timestamp::MINUTE);
    town.apply(&till.actor, OpBody::CaptureHold { hold: captured, units: units(40) });
    town.apply(&bakery.actor, OpBody::VoidHold { hold: voided });
    town.now = town.now.plus(10 * Timestamp::MINUTE);
    town.by_server(OpBody::LapseHold { merchant: bakery.id, hold: lapsed });
}

/// Lots end; what was taken of them comes back, and what they earned is refunded. A hold stays open, a member frozen.
fn later<S: Store>(town: &mut Town<S>, (cafe, bakery): (&Shop, &Shop), buyer: &Actor, group: GroupId) {
    let sale = town.purchase(bakery, buyer, group, 20_000);
    let reversed = town.take_mileage(cafe, buyer, group, 500);
    let ends_at = town.store.lots(buyer.account).unwrap().iter().map(|lot| lot.ends_at).max().unwrap();
    town.now = ends_at.plus(Timestamp::MINUTE);
    town.by_server(OpBody::ExpireLots { group, account: buyer.account });
    town.apply(&cafe.actor, OpBody::ReverseRedemption { redemption: reversed });
    town.refund(bakery, sale, 10_000);
    town.purchase(cafe, buyer, group, 20_000);
    town.hold(cafe, buyer, group, 700);
    town.by_server(OpBody::FreezeMember { group, merchant: bakery.id, frozen: true });
}
