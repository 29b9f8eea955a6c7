//! Opening balances: the preview, the import at once or not at all, what becomes of the rows.

mod support;

use moa_phone::{Data, OpeningFault, PhoneError, RowFault};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;

use support::{Person, Town, units};

const FILE: &str = "\u{feff}전화번호,점수,유효기간\r\n\
                    010-2222-3333,\"1,200\",2027-05-31\r\n\
                    +82 10-2222-3333,300,\r\n\
                    010-4444-5555,500,2026-11-20\r\n\
                    010-66,500,\r\n\
                    010-7777-8888,1000001,\r\n\
                    010-9999-0000,많이,\r\n";

fn fault<T: std::fmt::Debug>(result: Result<T, PhoneError>) -> OpeningFault {
    match result {
        Err(PhoneError::Opening(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

fn town() -> Town {
    let mut town = Town::new();
    for number in ["010-2222-3333", "+82 10-2222-3333"] {
        town.server.people.insert(number.into(), town.account);
    }
    town
}

#[test]
fn a_preview_judges_each_row_and_sends_nothing() {
    let mut town = town();
    let preview = town.cafe.phone.preview_opening(town.group, FILE.as_bytes()).unwrap();
    let judged: Vec<_> = preview.rows.iter().map(|row| (row.line, row.fault.clone(), row.same_as)).collect();
    let refused = |reason| Some(RowFault::Refused(reason));
    assert_eq!(
        judged,
        [
            (2, None, None),
            (3, None, Some(2)),
            (4, refused(Refusal::BadLastDay { days: 3_660 }), None),
            (5, refused(Refusal::BadNumber), None),
            (6, refused(Refusal::GrantTooLarge { max: Money(1_000_000) }), None),
            (7, Some(RowFault::UnitsUnreadable), None),
        ]
    );
    assert_eq!((preview.good, preview.people), (2, 1));
    assert_eq!((preview.units, preview.value, preview.imported_at), (units(1_500), Money(1_500), None));
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.server.wallet(town.account, town.group), units(0));
    assert!(town.cafe.phone.openings().unwrap().is_empty() && town.cafe.phone.outbox().unwrap().is_empty());
}

#[test]
fn an_import_gives_the_good_rows_once_and_tells_how_far_it_has_come() {
    let mut town = town();
    let preview = town.cafe.phone.preview_opening(town.group, FILE.as_bytes()).unwrap();
    assert_eq!(town.cafe.phone.import_opening(&preview).unwrap(), 2);
    let [waiting] = &town.cafe.phone.openings().unwrap()[..] else { panic!("one file") };
    assert_eq!((waiting.waiting, waiting.given, waiting.group), (2, 0, town.group));
    let at = town.cafe.phone.now();
    assert_eq!(fault(town.cafe.phone.import_opening(&preview)), OpeningFault::AlreadyImported { at });
    let again = town.cafe.phone.preview_opening(town.group, FILE.as_bytes()).unwrap();
    assert_eq!(again.imported_at, Some(at));

    town.server.refuses_once = Some(Refusal::NumberMissing);
    town.cafe.sync(&mut town.server).unwrap();
    let [done] = &town.cafe.phone.openings().unwrap()[..] else { panic!("one file") };
    assert_eq!((done.waiting, done.given), (0, 1));
    let [(2, why)] = &done.refused[..] else { panic!("{:?}", done.refused) };
    assert_eq!(why.reason, Some(Refusal::NumberMissing));
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(300));
}

#[test]
fn a_file_that_gives_nothing_or_comes_too_late_is_not_imported() {
    let mut town = town();
    let nothing = "phone,units\n010-2222-3333,0\n";
    let preview = town.cafe.phone.preview_opening(town.group, nothing.as_bytes()).unwrap();
    assert_eq!(fault(town.cafe.phone.import_opening(&preview)), OpeningFault::NothingToImport);
    let today = "phone,units,last_day\n010-2222-3333,7,2026-11-21\n";
    let preview = town.cafe.phone.preview_opening(town.group, today.as_bytes()).unwrap();
    assert_eq!(preview.good, 1);
    town.advance(Timestamp::DAY);
    assert_eq!(fault(town.cafe.phone.import_opening(&preview)), OpeningFault::NothingToImport);
    assert!(town.cafe.phone.openings().unwrap().is_empty());
    let elsewhere = town.buyer.phone.preview_opening(town.group, today.as_bytes());
    assert!(matches!(elsewhere, Err(PhoneError::Refused(Refusal::NoMerchant))), "{elsewhere:?}");
}

#[test]
fn five_thousand_rows_are_written_at_once_survive_the_app_and_are_sent() {
    let directory = tempfile::tempdir().unwrap();
    let mut town = Town::new();
    let mut shop = Person::on_disk(directory.path(), 60);
    shop.enrol(&mut town.server);
    shop.phone.register_merchant(support::profile("서점")).unwrap();
    shop.sync(&mut town.server).unwrap();
    shop.phone.join_group(town.group, 1).unwrap();
    shop.sync(&mut town.server).unwrap();
    let rows = (0..5_000).map(|row| format!("010-{:04}-{row:04},1\n", row / 10));
    let file = format!("phone,units\n{}", rows.collect::<String>());
    town.server.people.insert("010-0000-0000".into(), town.account);
    let preview = shop.phone.preview_opening(town.group, file.as_bytes()).unwrap();
    assert_eq!((preview.good, preview.people), (5_000, 5_000));
    assert_eq!(shop.phone.import_opening(&preview).unwrap(), 5_000);
    drop(shop);
    let shop = Person::open(Data::Directory(directory.path().to_owned()), 61, town.server.now);
    assert_eq!(shop.phone.openings().unwrap()[0].waiting, 5_000);
    let again = shop.phone.preview_opening(town.group, file.as_bytes()).unwrap();
    assert_eq!(
        fault(shop.phone.import_opening(&again)),
        OpeningFault::AlreadyImported { at: town.server.now }
    );
}
