//! Keys, staff, certificates and passes, as every store keeps them. Each test runs on the memory store and on SQLite, and the
//! file is verified in the end.

mod town;

use moa_ledger::reach::Reach;
use moa_ledger::store::{Answer, Outcome, passes_since};
use moa_ledger::sweep;
use moa_rules::certificate::{ALLOWANCE, Certificate};
use moa_rules::device::KeyKind;
use moa_rules::event::Inbox;
use moa_rules::id::{KeyId, OpId};
use moa_rules::op::OpBody;
use moa_rules::pass::PassState;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Basis;
use moa_rules::time::Timestamp;
use moa_wire::keys::{Signer, SoftwareKey, key_id};
use town::stores::{Subject, conformance};
use town::{Actor, START, Shop, Town, points};

conformance!(
    keys_are_found_by_their_account_and_by_their_shop_those_revoked_too,
    staff_are_told_in_the_order_in_which_they_joined,
    a_clerks_day_is_kept_for_each_clerk_and_each_day,
    a_certificate_is_used_up_and_begun_anew,
    passes_are_open_until_they_are_taken_or_swept,
    a_phone_that_starts_anew_is_told_of_its_passes_and_a_till_of_those_that_it_took,
    operators_are_appointed_and_dismissed,
    a_clerk_follows_the_own_till_and_an_owner_the_shop,
    an_invitation_of_a_batch_that_was_used_in_it_is_used,
);

mod suite {
    use super::*;

    fn ids(devices: Vec<moa_rules::device::Device>) -> Vec<KeyId> {
        devices.into_iter().map(|device| device.key).collect()
    }

    fn sorted<const N: usize>(mut keys: [KeyId; N]) -> [KeyId; N] {
        keys.sort_unstable();
        keys
    }

    fn sell<S: Subject>(town: &Town<S>, till: &Actor, amount: i64) -> Outcome {
        let body = OpBody::RecordSale { amount: Money(amount), addressee: None, redemption: None };
        town.submit(&till.sign(till.op(body, town.now)))
    }

    fn applied() -> Outcome {
        Outcome::First(Answer::Applied)
    }

    fn refused(refusal: Refusal) -> Outcome {
        Outcome::First(Answer::Refused(refusal))
    }

    fn certificate<S: Subject>(town: &Town<S>, key: KeyId) -> Certificate {
        town.store.device(key).unwrap().unwrap().certificate.unwrap()
    }

    pub fn keys_are_found_by_their_account_and_by_their_shop_those_revoked_too<S: Subject>(
        town: &mut Town<S>,
    ) {
        let (cafe, stranger) = (town.shop("카페"), town.enrol());
        let second = town.further(&cafe.actor, true);
        town.apply(&second, OpBody::ActFor { merchant: cafe.id });
        let public_key = SoftwareKey::generate().unwrap().0.public_key();
        let computer = key_id(&public_key);
        let kind = KeyKind::Service;
        town.apply(&cafe.actor, OpBody::AddKey { key: computer, public_key: public_key.clone(), kind });
        let of_browser = SoftwareKey::generate().unwrap().0.public_key();
        let browser = key_id(&of_browser);
        let until = town.now.plus(Timestamp::DAY);
        let body = OpBody::AddKey { key: browser, public_key: of_browser, kind: KeyKind::Browser { until } };
        town.apply(&cafe.actor, body);
        town.apply(&second, OpBody::RevokeDevice { key: computer });

        let owners = sorted([cafe.actor.key_id(), second.key_id(), computer, browser]);
        assert_eq!(ids(town.store.devices_of(cafe.actor.account).unwrap()), owners);
        assert_eq!(ids(town.store.tills(cafe.id).unwrap()), owners);
        assert_eq!(ids(town.store.devices_of(stranger.account).unwrap()), [stranger.key_id()]);
        let revoked = town.store.device(computer).unwrap().unwrap();
        assert_eq!((revoked.kind, revoked.revoked_at), (KeyKind::Service, Some(town.now)));
        assert_eq!(revoked.public_key, public_key);
        let browser = town.store.device(browser).unwrap().unwrap();
        assert_eq!((browser.kind, browser.pays_from), (KeyKind::Browser { until }, town.now));
        let waits = town.further(&stranger, false);
        let waits = town.store.device(waits.key_id()).unwrap().unwrap();
        assert_eq!(waits.pays_from, town.now.plus(2 * Timestamp::DAY));
    }

    pub fn staff_are_told_in_the_order_in_which_they_joined<S: Subject>(town: &mut Town<S>) {
        let (cafe, other) = (town.shop("카페"), town.shop("빵집"));
        let clerks = [(); 3].map(|()| town.enrol());
        for (at, clerk) in clerks.iter().enumerate().rev() {
            town.now = town.now.plus(Timestamp::SECOND);
            town.hire(&cafe, clerk, 1_000 + i64::try_from(at).unwrap(), 2_000);
        }
        let told = town.store.staff_of(cafe.id).unwrap();
        let order: Vec<(KeyId, i64)> =
            told.iter().map(|staff| (staff.key, staff.limits.per_sale.0)).collect();
        assert_eq!(
            order,
            [(clerks[2].key_id(), 1_002), (clerks[1].key_id(), 1_001), (clerks[0].key_id(), 1_000)]
        );
        town.apply(&cafe.actor, OpBody::RemoveStaff { merchant: cafe.id, account: clerks[1].account });
        let told = town.store.staff_of(cafe.id).unwrap();
        assert_eq!(told.iter().map(|staff| staff.left_at).collect::<Vec<_>>(), [None, Some(town.now), None]);
        town.hire(&cafe, &clerks[1], 5_000, 6_000);
        let told = town.store.staff_of(cafe.id).unwrap();
        let back = told.last().unwrap();
        assert_eq!((back.key, back.limits.per_day, back.left_at), (clerks[1].key_id(), Money(6_000), None));
        assert!(town.store.staff_of(other.id).unwrap().is_empty());
    }

    pub fn a_clerks_day_is_kept_for_each_clerk_and_each_day<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let clerks = [(); 2].map(|()| town.enrol());
        clerks.iter().for_each(|clerk| town.hire(&cafe, clerk, 1_000, 1_500));
        for clerk in &clerks {
            assert_eq!(sell(town, clerk, 1_000), applied());
            let full = Refusal::OverDayLimit { max: Money(1_500), sold: Money(1_000) };
            assert_eq!(sell(town, clerk, 501), refused(full));
        }
        town.now = START.plus(12 * Timestamp::HOUR);
        assert_eq!(sell(town, &clerks[0], 700), applied());
        let days: Vec<i64> = town.store.tables().staff_days.values().map(|sold| sold.0).collect();
        assert_eq!(days.iter().sum::<i64>(), 2_700);
        assert_eq!(days.len(), 3);
    }

    pub fn a_certificate_is_used_up_and_begun_anew<S: Subject>(town: &mut Town<S>) {
        let (cafe, operator) = (town.shop("카페"), town.enrol());
        let half = Money(ALLOWANCE.0 / 2);
        let until = town.now.plus(7 * Timestamp::DAY);
        assert_eq!(sell(town, &cafe.actor, 10_000), applied());
        let used = Certificate { until, most: half, used: Money(10_000) };
        assert_eq!(certificate(town, cafe.actor.key_id()), used);
        town.appoint(operator.account, true);
        town.apply(&operator, OpBody::SetAllowance { merchant: cafe.id, most: Money(8_000) });
        town.now = town.now.plus(Timestamp::DAY);
        town.apply(&cafe.actor, OpBody::RenewCertificate);
        let until = town.now.plus(7 * Timestamp::DAY);
        let fresh = Certificate { until, most: Money(4_000), used: Money(0) };
        assert_eq!(certificate(town, cafe.actor.key_id()), fresh);
        let clerk = town.enrol();
        town.hire(&cafe, &clerk, 8_000, 8_000);
        assert_eq!(certificate(town, clerk.key_id()).most, Money(2_000));
        assert_eq!(sell(town, &clerk, 2_001), refused(Refusal::CertificateUsed { left: Money(2_000) }));
    }

    /// A café with a clerk, and a buyer with 5,000 units of its group.
    fn with_mileage<S: Subject>(town: &Town<S>) -> (Shop, Actor, Actor, moa_rules::id::GroupId) {
        let (cafe, clerk, buyer) = (town.shop("카페"), town.enrol(), town.enrol());
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        town.hire(&cafe, &clerk, 100_000, 100_000);
        for _ in 0..2 {
            town.earn(&cafe, &buyer, group, 50_000);
        }
        (cafe, clerk, buyer, group)
    }

    pub fn passes_are_open_until_they_are_taken_or_swept<S: Subject>(town: &mut Town<S>) {
        let (cafe, clerk, buyer, group) = with_mileage(town);
        let long = town.reserve(&buyer, (&cafe, &clerk), group, 500, 3);
        let short = town.reserve(&buyer, (&cafe, &cafe.actor), group, 2_000, 1);
        let taken = town.reserve(&buyer, (&cafe, &clerk), group, 1_000, 1);
        let held = |town: &Town<S>| -> i64 {
            town.store.lots(buyer.account).unwrap().iter().map(|lot| lot.held.get()).sum()
        };
        assert_eq!(held(town), 3_500);
        assert_eq!(town.take(&buyer, &clerk, taken, 300), applied());
        assert_eq!(town.take(&buyer, &clerk, taken, 300), refused(Refusal::PassSpent));
        assert_eq!(held(town), 2_500);

        let due = |town: &Town<S>, limit| -> Vec<OpId> {
            let passes = town.store.passes_to_release(town.now, limit).unwrap();
            passes.into_iter().map(|pass| pass.id).collect()
        };
        town.now = START.plus(25 * Timestamp::HOUR);
        assert_eq!(due(town, 9), [], "due after the last millisecond of the day");
        town.now = town.now.plus(1);
        assert_eq!(due(town, 9), [short]);
        town.now = START.plus(27 * Timestamp::HOUR + 1);
        assert_eq!((due(town, 9), due(town, 1)), (vec![short, long], vec![short]));
        // What the sweep makes is what the rules take, and twice is once.
        for _ in 0..2 {
            let due = sweep::released(&*town.store, &town.system.key, town.now).unwrap();
            for due in due {
                assert_eq!(town.store.commit(&[due.unwrap().op], town.now).unwrap().outcomes, [applied()]);
            }
        }
        assert_eq!((due(town, 9), held(town)), (vec![], 0));
        assert_eq!(town.balance(&buyer, group), 4_700);
        let late = town.take(&buyer, &cafe.actor, short, 1);
        assert_eq!(late, refused(Refusal::PassReleased { hours: 24 }));
    }

    pub fn a_phone_that_starts_anew_is_told_of_its_passes_and_a_till_of_those_that_it_took<S: Subject>(
        town: &mut Town<S>,
    ) {
        let (cafe, clerk, buyer, group) = with_mileage(town);
        let open = town.reserve(&buyer, (&cafe, &clerk), group, 500, 1);
        let taken = town.reserve(&buyer, (&cafe, &clerk), group, 1_000, 1);
        let elsewhere = town.reserve(&buyer, (&cafe, &cafe.actor), group, 1_000, 1);
        assert_eq!(town.take(&buyer, &clerk, taken, 300), applied());
        let told = |town: &Town<S>, who: &Actor| -> Vec<(OpId, PassState)> {
            let passes = town.store.passes_for(who.account, who.key_id(), passes_since(town.now)).unwrap();
            passes.into_iter().map(|pass| (pass.id, pass.state)).collect()
        };
        let (open, taken) = ((open, PassState::Open), (taken, PassState::Spent));
        assert_eq!(told(town, &clerk), [open, taken]);
        let elsewhere = (elsewhere, PassState::Open);
        assert_eq!(told(town, &buyer), [open, taken, elsewhere]);
        town.now = START.plus(73 * Timestamp::HOUR);
        assert_eq!(told(town, &clerk), [open, taken]);
        town.now = town.now.plus(Timestamp::SECOND);
        assert_eq!(told(town, &clerk), []);
        assert_eq!(told(town, &buyer), [open, elsewhere], "what holds mileage is told until it is over");
    }

    pub fn operators_are_appointed_and_dismissed<S: Subject>(town: &mut Town<S>) {
        let (operator, other) = (town.enrol(), town.enrol());
        town.appoint(operator.account, true);
        assert!(town.store.is_operator(operator.account).unwrap());
        assert!(!town.store.is_operator(other.account).unwrap());
        town.apply(&operator, OpBody::RevokeDevice { key: other.key_id() });
        town.appoint(operator.account, false);
        assert!(!town.store.is_operator(operator.account).unwrap());
        assert!(town.store.tables().operators.is_empty());
    }

    pub fn a_clerk_follows_the_own_till_and_an_owner_the_shop<S: Subject>(town: &mut Town<S>) {
        let (cafe, clerk, _, group) = with_mileage(town);
        let reach = |who: &Actor| Reach::of(&*town.store, who.account, who.key_id()).unwrap();
        let (own, of_group) = (Inbox::Account(clerk.account), Inbox::Group(group));
        assert_eq!(reach(&clerk).inboxes, [own, Inbox::Till(clerk.key_id()), of_group]);
        assert_eq!(reach(&clerk).till.limits.unwrap().per_sale, Money(100_000));
        let owners = [Inbox::Account(cafe.actor.account), Inbox::Merchant(cafe.id), of_group];
        assert_eq!(reach(&cafe.actor).inboxes, owners);
        let before = town.store.head(Inbox::Till(clerk.key_id())).unwrap().count;
        assert_eq!(sell(town, &clerk, 1_000), applied());
        assert_eq!(sell(town, &cafe.actor, 1_000), applied());
        let after = town.store.head(Inbox::Till(clerk.key_id())).unwrap().count;
        assert_eq!(after, before + 1, "the owner's sale is not the clerk's business");

        town.apply(&cafe.actor, OpBody::RemoveStaff { merchant: cafe.id, account: clerk.account });
        let gone = reach(&clerk);
        assert_eq!((gone.merchant, gone.till.limits, gone.till.certificate), (None, None, None));
        assert_eq!(gone.inboxes, [own, Inbox::Till(clerk.key_id())]);
    }

    pub fn an_invitation_of_a_batch_that_was_used_in_it_is_used<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let clerks = [(); 2].map(|()| town.enrol());
        let (key, counter) = (cafe.actor.key_id(), cafe.actor.next_counter());
        let limits = moa_rules::staff::Limits { per_sale: Money(1), per_day: Money(1) };
        let expires = town.now.plus(Timestamp::DAY).seconds();
        let version = moa_rules::op::OP_VERSION;
        let invitation = moa_rules::staff::StaffInvitation { version, key, counter, expires, limits };
        let invitation =
            moa_wire::token::Checked::sign(invitation, &cafe.actor.key).unwrap().bytes().to_vec();
        let batch: Vec<_> = clerks
            .iter()
            .map(|clerk| {
                let body = OpBody::JoinStaff { invitation: invitation.clone() };
                town.check(&clerk.sign(clerk.op(body, town.now))).unwrap()
            })
            .collect();
        let outcomes = town.store.commit(&batch, town.now).unwrap().outcomes;
        assert_eq!(outcomes, [applied(), refused(Refusal::InvitationUsed)]);
    }
}
