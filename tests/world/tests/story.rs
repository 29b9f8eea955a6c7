//! The main job through real phones over HTTP, with the server's books open beside it.

use std::path::Path;

use moa_phone::{Code, Data, Fate, PhoneError, RefusedOp, SaleStanding, VoucherStanding};
use moa_rules::id::GroupId;
use moa_rules::quantity::{BasisPoints, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Scope, Terms};
use moa_rules::time::Validity;
use moa_wire::api::{Base64, Ops, Verdict, Verdicts};
use moa_wire::code::{self, Scanned};
use moa_world::books::Books;
use moa_world::network;
use moa_world::resident::Resident;
use moa_world::town::{Town, number};

fn units(count: i64) -> Units {
    Units::new(count).unwrap()
}

fn terms(rate: u16) -> Terms {
    Terms::points(BasisPoints::new(rate).unwrap(), Validity::Months(6), units(1_000))
}

/// A café and a bakery in one group of 5 %, usable from 1,000 points.
async fn two_shops(town: &Town) -> (Resident, Resident, GroupId) {
    let cafe = town.newcomer(&number(1)).await.unwrap();
    let bakery = town.newcomer(&number(2)).await.unwrap();
    cafe.open_shop("Café").await.unwrap();
    bakery.open_shop("Bakery").await.unwrap();
    let group = cafe.found_group("Alley", Scope::Building, terms(500)).await.unwrap();
    bakery.join(group).await.unwrap();
    cafe.sync().await.unwrap();
    (cafe, bakery, group)
}

/// Every phone reckons what the server does, and the server what its journal says.
fn all_agree(data: &Path, residents: &[&Resident]) -> Books {
    let books = Books::open(data).unwrap();
    for resident in residents {
        books.agree_with(resident.phone()).unwrap();
    }
    let report = books.verify().unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
    books
}

fn sale_standing(shop: &Resident) -> SaleStanding {
    shop.phone().merchant_today().unwrap().sales.first().unwrap().standing
}

fn is_offline(resident: &Resident, error: &PhoneError) -> bool {
    matches!(error, PhoneError::Offline(_)) && !resident.phone().outbox().unwrap().is_empty()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Buyer,
    Shop,
}

async fn the_main_job(first: First) {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::start(folder.path()).await.unwrap();
    let (cafe, bakery, group) = two_shops(&town).await;
    let buyer = town.newcomer(&number(3)).await.unwrap();

    // Without a signal.
    cafe.lose_signal();
    buyer.lose_signal();
    let voucher = cafe.sell(40_000).unwrap();
    let scanned = buyer.scan(&voucher.text).unwrap();
    assert_eq!(scanned.shop.as_ref().unwrap().name.as_deref(), Some("Café"));
    assert_eq!((scanned.amount, scanned.standing), (Money(40_000), VoucherStanding::Open));
    let choices = buyer.phone().choices(&scanned).unwrap();
    let [choice] = choices.as_slice() else { panic!("one group: {choices:?}") };
    let members: Vec<_> = choice.members.iter().filter_map(|shop| shop.name.as_deref()).collect();
    assert_eq!(
        (choice.terms.rate.get(), choice.terms.validity, choice.earns),
        (500, Validity::Months(6), units(2_000))
    );
    assert!(members.len() == 2 && members.contains(&"Bakery"), "{members:?}");
    let claimed = buyer.claim(&scanned, Some(choice.choice)).unwrap();
    assert_eq!((claimed.group, claimed.earns), (Some(group), Some(units(2_000))));
    assert_eq!(buyer.units(group).unwrap(), (Units::ZERO, units(2_000)));
    let again = buyer.claim(&scanned, Some(choice.choice)).unwrap_err();
    assert!(matches!(again.phone(), Some(PhoneError::Refused(Refusal::SaleAlreadyClaimed))), "{again}");
    for phone in [&cafe, &buyer] {
        let error = phone.sync().await.unwrap_err();
        assert!(is_offline(phone, error.phone().unwrap()), "{error}");
    }
    assert_eq!(sale_standing(&cafe), SaleStanding::Unsent);

    // The signal returns to both, one after the other.
    cafe.regain_signal();
    buyer.regain_signal();
    if first == First::Shop {
        cafe.sync().await.unwrap();
        assert_eq!(sale_standing(&cafe), SaleStanding::Recorded);
    }
    buyer.sync().await.unwrap();
    assert_eq!(buyer.units(group).unwrap(), (units(2_000), Units::ZERO));
    assert_eq!(buyer.phone().fate(claimed.op).unwrap(), Some(Fate::Applied));
    cafe.sync().await.unwrap();
    assert_eq!(cafe.phone().fate(voucher.sale).unwrap(), Some(Fate::Applied));
    assert_eq!(sale_standing(&cafe), SaleStanding::Claimed { group, units: units(2_000), unit: None });
    all_agree(folder.path(), &[&cafe, &bakery, &buyer]);

    // Spent next door, the buyer without a signal.
    buyer.lose_signal();
    let code = buyer.show_code(group, units(1_500)).unwrap();
    assert_eq!(bakery.redeem(&code.text, units(1_500)).await.unwrap(), Fate::Applied);
    let reused = bakery.redeem(&code.text, units(1)).await.unwrap_err();
    assert!(matches!(reused.phone(), Some(PhoneError::Refused(Refusal::CodeUsed))), "{reused}");
    buyer.regain_signal();
    buyer.sync().await.unwrap();
    assert_eq!(buyer.units(group).unwrap(), (units(500), Units::ZERO));

    // Below the minimum: which, and how much there is.
    let code = buyer.show_code(group, units(300)).unwrap();
    let Fate::Refused(RefusedOp { code, reason, text, .. }) =
        bakery.redeem(&code.text, units(300)).await.unwrap()
    else {
        panic!("500 points are below the minimum")
    };
    assert_eq!(code, "below_minimum");
    assert_eq!(reason, Some(Refusal::BelowMinimum { minimum: units(1_000), available: units(500) }));
    assert!(text.contains("1,000") && text.contains("500"), "{text}");

    bakery.sync().await.unwrap();
    cafe.sync().await.unwrap();
    let books = all_agree(folder.path(), &[&cafe, &bakery, &buyer]).group(group);
    let position = |shop: &Resident| books.shops[&shop.phone().own_shop().unwrap().unwrap().id].position;
    assert_eq!((position(&cafe), position(&bakery)), (Money(-2_000), Money(1_500)));
    assert_eq!((books.pool, books.outstanding, books.sum()), (Money(500), units(500), Money(0)));
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_when_the_buyer_syncs_first() {
    the_main_job(First::Buyer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_when_the_shop_syncs_first() {
    the_main_job(First::Shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shops_own_sending_after_the_claim_is_a_duplicate() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::start(folder.path()).await.unwrap();
    let (cafe, _, group) = two_shops(&town).await;
    let buyer = town.newcomer(&number(3)).await.unwrap();
    cafe.lose_signal();
    let voucher = cafe.sell(10_000).unwrap();
    buyer.claim_best(&voucher.text).unwrap();
    buyer.sync().await.unwrap();

    // The voucher is the op: what the café's phone is going to send.
    let Ok(Scanned::Voucher(sale)) = code::read(&voucher.text, "https://moa.example") else {
        panic!("a voucher")
    };
    let way = network::http(town.url()).unwrap();
    let ops = Ops { ops: vec![Base64::from(sale.bytes())], ..Ops::default() };
    let answer: Verdicts = network::post(&*way, "/v1/ops".to_owned(), &ops).await.unwrap();
    assert_eq!(answer.verdicts, [Verdict::Duplicate { refused: None }]);

    cafe.regain_signal();
    cafe.sync().await.unwrap();
    assert_eq!(sale_standing(&cafe), SaleStanding::Claimed { group, units: units(500), unit: None });
    assert!(cafe.phone().outbox().unwrap().is_empty());
    let books = all_agree(folder.path(), &[&cafe, &buyer]);
    assert_eq!((books.tables().sales.len(), books.tables().lots.len()), (1, 1));
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_phones_claim_one_voucher_into_two_groups_and_one_of_them_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::start(folder.path()).await.unwrap();
    let (cafe, _, alley) = two_shops(&town).await;
    let wider = cafe.found_group("Wider", Scope::Area, terms(300)).await.unwrap();
    let one = town.newcomer(&number(3)).await.unwrap();
    let other = town.newcomer(&number(4)).await.unwrap();
    let voucher = cafe.sell(10_000).unwrap();
    for (buyer, group) in [(&one, alley), (&other, wider)] {
        buyer.lose_signal();
        let scanned = buyer.scan(&voucher.text).unwrap();
        let choices = buyer.phone().choices(&scanned).unwrap();
        let choice = choices.iter().find(|choice| choice.choice.group == group).unwrap().choice;
        buyer.claim(&scanned, Some(choice)).unwrap();
        buyer.regain_signal();
    }
    let (synced, synced_too) = tokio::join!(one.sync(), other.sync());
    synced.and(synced_too).unwrap();
    cafe.sync().await.unwrap();

    let won = [(&one, alley, 500), (&other, wider, 300)].map(|(buyer, group, earns)| {
        let (confirmed, pending) = buyer.units(group).unwrap();
        assert!(pending.is_zero());
        let refused = buyer.phone().outbox().unwrap();
        if confirmed == units(earns) {
            assert!(refused.is_empty());
            return true;
        }
        let Fate::Refused(refused) = &refused.first().unwrap().fate else { panic!("{refused:?}") };
        assert_eq!((confirmed, refused.code.as_str()), (Units::ZERO, "sale_already_claimed"));
        let Ok(Code::Voucher(scanned)) = buyer.phone().read_code(&voucher.text) else { panic!("a voucher") };
        assert_eq!(scanned.standing, VoucherStanding::Gone);
        false
    });
    assert_ne!(won[0], won[1], "one of them, and only one");
    let books = all_agree(folder.path(), &[&cafe, &one, &other]);
    assert_eq!(books.tables().lots.len(), 1);
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_that_are_closed_between_the_steps_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("moa-data");
    let phone = |nth: u32| folder.path().join(format!("phone-{nth}"));
    let mut town = Town::start(&data).await.unwrap();
    let cafe = town.newcomer_on_disk(&number(1), phone(1)).await.unwrap();
    cafe.open_shop("Café").await.unwrap();
    let group = cafe.found_group("Alley", Scope::Building, terms(500)).await.unwrap();
    let buyer = town.newcomer_on_disk(&number(2), phone(2)).await.unwrap();
    let account = buyer.phone().account().unwrap();
    drop((cafe, buyer));
    let reopen = |town: &Town, nth: u32, signal: bool| {
        let resident = town.open_phone(&number(nth), Data::Directory(phone(nth))).unwrap();
        if !signal {
            resident.lose_signal();
        }
        resident
    };

    let voucher = reopen(&town, 1, false).sell(30_000).unwrap();
    reopen(&town, 2, false).claim_best(&voucher.text).unwrap();

    // The server is stopped and started too, somewhere else.
    town.stop().await;
    town = Town::start(&data).await.unwrap();
    let buyer = reopen(&town, 2, true);
    assert_eq!(buyer.units(group).unwrap(), (Units::ZERO, units(1_500)), "still pending");
    buyer.sync().await.unwrap();
    drop(buyer);
    let buyer = reopen(&town, 2, false);
    assert_eq!(buyer.units(group).unwrap(), (units(1_500), Units::ZERO));
    let code = buyer.show_code(group, units(1_000)).unwrap();
    drop(buyer);
    let cafe = reopen(&town, 1, true);
    assert_eq!(cafe.redeem(&code.text, units(1_000)).await.unwrap(), Fate::Applied);
    drop(cafe);

    let (cafe, buyer) = (reopen(&town, 1, true), reopen(&town, 2, true));
    cafe.sync().await.unwrap();
    buyer.sync().await.unwrap();
    assert_eq!(buyer.phone().account().unwrap(), account);
    assert_eq!(buyer.units(group).unwrap(), (units(500), Units::ZERO));
    assert_eq!(sale_standing(&cafe), SaleStanding::Claimed { group, units: units(1_500), unit: None });
    all_agree(&data, &[&cafe, &buyer]);
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_watches_sees_the_redemption_without_asking() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::start(folder.path()).await.unwrap();
    let (cafe, bakery, group) = two_shops(&town).await;
    let buyer = town.newcomer(&number(3)).await.unwrap();
    buyer.claim_best(&cafe.sell(40_000).unwrap().text).unwrap();
    buyer.sync().await.unwrap();

    buyer.client().set_foreground(true);
    let mut changes = buyer.phone().changes();
    let code = buyer.show_code(group, units(1_200)).unwrap();
    assert_eq!(bakery.redeem(&code.text, units(1_200)).await.unwrap(), Fate::Applied);
    let seen = async {
        while buyer.units(group).unwrap().0 != units(800) {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), seen).await.expect("the long poll brings it");
    town.stop().await;
}
