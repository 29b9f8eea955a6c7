//! What is wrong on purpose has to be noticed, and soon.

use std::thread;

use moa_simulation::{Sabotage, Settings, run};

/// Seeds within which it must be noticed.
const SOON: u64 = 10;

fn seeds_needed(sabotage: Sabotage) -> Option<(u64, String)> {
    let settings = Settings { sabotage: Some(sabotage), ..Settings::default() };
    (1..=SOON).find_map(|seed| run(seed, &settings).err().map(|failure| (seed, failure.what)))
}

#[test]
fn every_sabotage_is_noticed() {
    let all_noticed = |some: &[Sabotage]| {
        for sabotage in some {
            let noticed = seeds_needed(*sabotage);
            let (seeds, what) =
                noticed.unwrap_or_else(|| panic!("{sabotage:?} went unnoticed for {SOON} seeds"));
            println!("{sabotage:?}: {seeds} seeds needed: {what}");
        }
    };
    let (one, other) = Sabotage::ALL.split_at(Sabotage::ALL.len() / 2);
    thread::scope(|scope| {
        scope.spawn(|| all_noticed(one));
        all_noticed(other);
    });
}

#[test]
fn the_same_store_without_a_sabotage_holds() {
    let settings = Settings { sabotage: Some(Sabotage::Nothing), ..Settings::default() };
    for seed in 1..=3 {
        run(seed, &settings).unwrap_or_else(|failure| panic!("{failure}"));
    }
}
