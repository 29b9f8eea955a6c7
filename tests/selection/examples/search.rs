//! Searches for the constants of the choice on generated towns, one a regime and seed: `liking` for those by which it is told how
//! often a buyer is going to visit a shop, `moa_rules::choice::visits::LIKINGS`; then, of
//! `moa_rules::choice::outlook::CONSTANTS`, `worth` for those that choose, from the beginning; given those, `used` for what is
//! expected to be used, and `truth` for what comes true of it.
//! What it finds goes to stdout; how it fares, on towns of other seeds too, to stderr.
//!
//! `cargo run --release -p moa-selection --example search liking|worth|used|truth`

use moa_rules::choice::outlook::CONSTANTS;
use moa_rules::choice::visits::LIKINGS;
use moa_selection::search::{Ground, Hidden, liking, truth, used, worth};

/// Buyers of a town.
const BUYERS: usize = 40;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("liking") {
        let hidden = |seeds: std::ops::Range<u64>| Hidden::new(&seeds.collect::<Vec<_>>(), BUYERS / 2);
        let (searched, beside) = (hidden(801..821), hidden(851..861));
        let found = liking(&searched, 60, |generation, liking| {
            if generation % 10 == 9 {
                eprintln!(
                    "{}: {:.4}, beside {:.4}",
                    generation + 1,
                    searched.likely(liking),
                    beside.likely(liking)
                );
            }
        });
        eprintln!("taken: {:.4}, beside {:.4}", searched.likely(&LIKINGS), beside.likely(&LIKINGS));
        println!("{found:#?}");
        return;
    }
    let ground = |seeds: std::ops::Range<u64>| Ground::new(&seeds.collect::<Vec<_>>(), BUYERS);
    let (searched, beside) = (ground(401..409), ground(451..455));
    let every_tenth = |generation: usize, what: &dyn Fn(&Ground) -> f64| {
        if generation % 10 == 9 {
            eprintln!("{}: {:.4}, beside {:.4}", generation + 1, what(&searched), what(&beside));
        }
    };
    let found = match std::env::args().nth(1).as_deref() {
        Some("truth") => {
            let found = truth(&ground(701..717), CONSTANTS);
            let missed = |ground: &Ground| (ground.miss(&CONSTANTS, 0, 1), ground.miss(&found, 0, 1));
            eprintln!("searched {:.4?}, beside {:.4?}", missed(&searched), missed(&beside));
            found
        }
        Some("used") => used(&searched, CONSTANTS, 40, |generation, constants| {
            every_tenth(generation, &|ground| ground.miss(constants, 0, 1));
        }),
        _ => worth(&searched, 60, |generation, constants| {
            every_tenth(generation, &|ground| ground.share(constants, 0, 1));
        }),
    };
    println!("{found:#?}");
}
