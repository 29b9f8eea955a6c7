//! The seeds that every change has to hold.

use moa_simulation::{LedgerKind, Settings, run, run_many};

/// Seeds at a time.
const THREADS: usize = 2;

#[test]
fn two_hundred_towns_of_twenty_phones_hold_for_seven_days() {
    let totals = run_many(1..201, &Settings::default(), THREADS, true, |_, result| {
        if let Err(failure) = result {
            println!("{failure}");
        }
    });
    println!("{} seeds held in {:?}: {:?}", totals.held, totals.took, totals.counts);
    assert!(totals.failures.is_empty(), "{}", totals.failures[0]);
    // A seed that did nothing would hold, too.
    for what in ["lots issued", "lots expired", "redemptions approved", "ops refused", "phones killed"] {
        assert!(totals.counts.get(what).is_some_and(|count| *count > 1_000), "hardly any {what}");
    }
    for what in [
        "amendments rejected",
        "debts paid",
        "gifts",
        "gifts taken away",
        "holds captured",
        "holds lapsed",
        "members frozen or let go",
        "members gone",
        "redemptions undone",
        "refunds",
        "refunds that left a debt",
        "sales voided",
        "terms amended",
        "5xx after",
        "5xx before",
        "answers halved",
        "answers lost",
        "busy with Retry-After",
        "clocks set",
        "cursors gone",
        "hotspots",
        "offline spells",
        "ops put off",
        "pages with status 200",
        "requests duplicated",
        "requests lost",
        "server killed",
        "server killed at a commit",
        "tokens void",
    ] {
        assert!(totals.counts.get(what).is_some_and(|count| *count > 20), "hardly any {what}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_last_byte() {
    for ledger in [LedgerKind::Memory, LedgerKind::Sqlite] {
        let settings = Settings { days: 3, ledger: Some(ledger), ..Settings::default() };
        let [one, again] = [(); 2].map(|()| run(7, &settings).unwrap());
        assert_eq!(one, again);
        assert_ne!(one.digest, run(8, &settings).unwrap().digest);
    }
}

#[test]
fn where_the_ledger_is_makes_no_difference() {
    let of = |ledger| {
        let settings = Settings { days: 2, faults: false, ledger: Some(ledger), ..Settings::default() };
        run(11, &settings).unwrap().counts
    };
    assert_eq!(of(LedgerKind::Memory), of(LedgerKind::Sqlite));
}
