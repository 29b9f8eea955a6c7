//! Searches for the constants of the choice, `moa_rules::choice::outlook::CONSTANTS`, on generated towns, one a regime and
//! seed: `worth` for those that choose, from the beginning; then, given those, `used` for what is expected to be used.
//! What it finds goes to stdout; how it fares, on towns of other seeds too, to stderr.
//!
//! `cargo run --release -p moa-selection --example search worth|used`

use moa_rules::choice::outlook::CONSTANTS;
use moa_selection::search::{Ground, used, worth};

/// Buyers of a town.
const BUYERS: usize = 40;

fn main() {
    let ground = |seeds: std::ops::Range<u64>| Ground::new(&seeds.collect::<Vec<_>>(), BUYERS);
    let (searched, beside) = (ground(401..409), ground(451..455));
    let every_tenth = |generation: usize, what: &dyn Fn(&Ground) -> f64| {
        if generation % 10 == 9 {
            eprintln!("{}: {:.4}, beside {:.4}", generation + 1, what(&searched), what(&beside));
        }
    };
    let found = if std::env::args().nth(1).is_some_and(|it| it == "used") {
        used(&searched, CONSTANTS, 40, |generation, constants| {
            every_tenth(generation, &|ground| ground.miss(constants, 0, 1));
        })
    } else {
        worth(&searched, 60, |generation, constants| {
            every_tenth(generation, &|ground| ground.share(constants, 0, 1));
        })
    };
    println!("{found:#?}");
}
