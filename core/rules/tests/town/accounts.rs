//! Accounts that end: what they held is in another one, or expires, and the books say so.

use moa_rules::account::MergeConsent;
use moa_rules::books::{Account, Ledger, Party};
use moa_rules::device::NEW_DEVICE_HOURS;
use moa_rules::event::EventBody;
use moa_rules::id::{GroupId, KeyId};
use moa_rules::op::{Carried, OP_VERSION, OpBody};
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;

use crate::driver::{Parcel, Person, Shop, Town, points};

/// Two groups, and a person who has an account for each of two phones.
struct Twice {
    town: Town,
    cafe: Shop,
    groups: [GroupId; 2],
    old: Person,
    new: Person,
}

impl Twice {
    fn begin() -> Self {
        let mut town = Town::new();
        let (cafe, old, new) = (town.shop(), town.person(), town.person());
        let groups = [town.group(cafe, points(500, 100)), town.group(cafe, points(300, 0))];
        for group in groups {
            town.earn(cafe, old, group, 10_000);
        }
        town.earn(cafe, new, groups[0], 20_000);
        Self { town, cafe, groups, old, new }
    }

    fn consent(&mut self, of: Person) -> MergeConsent {
        let expires = self.town.now.plus(10 * Timestamp::MINUTE).seconds();
        MergeConsent { version: OP_VERSION, key: of.key, counter: self.town.number(), expires }
    }

    fn merge(&mut self, into: Person, consent: MergeConsent) -> Parcel {
        let body = OpBody::MergeAccount { consent: minicbor::to_vec(consent).unwrap() };
        Parcel { op: self.town.op(into.key, body), carried: Carried::Consent(consent) }
    }

    fn close(&mut self, who: Person) -> Result<Vec<EventBody>, Refusal> {
        let op = self.town.op(who.key, OpBody::CloseAccount);
        let decision = self.town.send(&op.into())?;
        Ok(decision.events.into_iter().map(|(_, _, body)| body).collect())
    }

    fn balances(&self, who: Person) -> [i64; 2] {
        self.groups.map(|group| self.town.available(who.account, group))
    }

    fn units(&self, group: GroupId, party: Party, ledger: Ledger) -> i64 {
        let account = Account { group, party, ledger, issuer: Some(self.cafe.merchant) };
        self.town.books.get(&account).copied().unwrap_or(0)
    }

    fn books_hold(&self) {
        assert_eq!(self.town.rebuilt(), self.town.tables);
        for group in self.groups {
            let sum: i64 = self.town.books.iter().filter(|(of, _)| of.group == group).map(|(_, a)| a).sum();
            assert_eq!(sum, 0, "units and money of a group each sum to zero");
        }
    }
}

#[test]
fn edge_33_two_accounts_of_one_person_are_merged_and_nothing_is_lost_or_doubled() {
    let mut twice = Twice::begin();
    let (old, new) = (twice.old, twice.new);
    assert_eq!((twice.balances(old), twice.balances(new)), ([500, 300], [1_000, 0]));
    let consent = twice.consent(old);
    let merge = twice.merge(new, consent);
    twice.town.send(&merge).unwrap();
    assert_eq!((twice.balances(old), twice.balances(new)), ([0, 0], [1_500, 300]));
    let wallet = |who: Person| Party::Buyer(who.account);
    assert_eq!(twice.units(twice.groups[0], wallet(old), Ledger::Wallet), 0);
    assert_eq!(twice.units(twice.groups[0], wallet(new), Ledger::Wallet), 1_500);
    twice.books_hold();

    let cafe = twice.cafe;
    let spend = twice.town.redeem(cafe, new, twice.groups[0], 1_500);
    twice.town.send(&spend).unwrap();
    let sale = twice.town.sale(cafe, 10_000);
    let claim = twice.town.claim(old, &sale, twice.groups[0]);
    assert_eq!(twice.town.send(&claim), Err(Refusal::RevokedKey), "the account that ended signs no more");
    twice.books_hold();
}

#[test]
fn a_consent_is_good_once_for_ten_minutes_and_for_another_account() {
    let mut twice = Twice::begin();
    let (old, new) = (twice.old, twice.new);
    let consent = twice.consent(old);
    let own = twice.merge(old, consent);
    assert_eq!(twice.town.send(&own), Err(Refusal::NotAConsent));
    let late = twice.merge(new, consent);
    twice.town.wait(10 * Timestamp::MINUTE + Timestamp::SECOND);
    assert_eq!(twice.town.send(&late), Err(Refusal::CodeExpired));
    let long = MergeConsent { expires: consent.expires + 3_600, ..twice.consent(old) };
    let long = twice.merge(new, long);
    assert_eq!(twice.town.send(&long), Err(Refusal::CodeExpired), "no consent lasts an hour");

    let consent = twice.consent(old);
    let merge = twice.merge(new, consent);
    twice.town.send(&merge).unwrap();
    let third = twice.town.person();
    let again = twice.merge(third, consent);
    assert_eq!(twice.town.send(&again), Err(Refusal::RevokedKey));
    assert_eq!(twice.balances(new), [1_500, 300]);
}

#[test]
fn edge_33_an_account_deleted_with_a_balance_writes_down_what_it_loses() {
    let mut twice = Twice::begin();
    let old = twice.old;
    let events = twice.close(old).unwrap();
    let expired = events.iter().filter(|event| matches!(event, EventBody::Expired { .. })).count();
    assert_eq!(expired, 2, "one lot in each group");
    assert!(matches!(events.last(), Some(EventBody::AccountClosed { into: None, .. })));
    assert_eq!(twice.balances(old), [0, 0]);
    assert_eq!(twice.units(twice.groups[0], Party::Pool, Ledger::Expired), 500);
    // On issue, what expires goes back to who issued it: only the other buyer's mileage is owed.
    assert_eq!(twice.town.position(twice.groups[0], Party::Member(twice.cafe.merchant)), -1_000);
    twice.books_hold();
    assert_eq!(twice.close(old), Err(Refusal::RevokedKey));

    let key = KeyId([9; 8]);
    let body = OpBody::EnrolDevice { account: old.account, key, public_key: vec![4; 65], proved: Some(true) };
    let op = twice.town.op(crate::driver::SYSTEM, body);
    assert_eq!(twice.town.send(&op.into()), Err(Refusal::AccountClosed), "a number's next owner begins anew");
}

#[test]
fn what_others_count_on_keeps_an_account_open() {
    let mut twice = Twice::begin();
    let owner = twice.cafe.owner;
    assert_eq!(twice.close(owner), Err(Refusal::HasShop));
    let second = twice.town.device(owner.account);
    assert_eq!(twice.close(second), Err(Refusal::HasShop));

    let consent = twice.consent(owner);
    let new = twice.new;
    let merge = twice.merge(new, consent);
    assert_eq!(twice.town.send(&merge), Err(Refusal::HasShop));

    let (merchant, till, group) = (twice.cafe.merchant, owner.key, twice.groups[0]);
    let expires = twice.town.now.plus(Timestamp::DAY).seconds();
    let units = crate::driver::units(100);
    let reserve = OpBody::ReservePass { merchant, till, group, units, expires, unit: None };
    let op = twice.town.op(new.key, reserve);
    twice.town.send(&op.into()).unwrap();
    assert_eq!(twice.close(new), Err(Refusal::PassesOpen));
}

#[test]
fn a_phone_that_is_new_to_its_account_neither_closes_nor_gives_it_away() {
    let mut twice = Twice::begin();
    let (old, new) = (twice.old, twice.new);
    let thief = Person { account: old.account, key: KeyId([8; 8]) };
    twice.town.enrol(thief.account, thief.key, false);
    let too_new = Refusal::DeviceTooNew { hours: NEW_DEVICE_HOURS };
    assert_eq!(twice.close(thief), Err(too_new.clone()));
    let consent = twice.consent(thief);
    let merge = twice.merge(new, consent);
    assert_eq!(twice.town.send(&merge), Err(too_new));
    assert_eq!(twice.balances(old), [500, 300]);
}
