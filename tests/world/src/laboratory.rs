//! The choice of groups, measured: `world choose` and `world selection`.

use std::io::Write;
use std::path::Path;

use moa_rules::choice::around::{Offer, kilometres};
use moa_rules::quantity::OutOfRange;
use moa_selection::choose;
use moa_selection::generate::REGIMES;
use moa_selection::plot;
use moa_selection::policy::Rule;
use moa_selection::report::{self, Measured, Sample};
use moa_selection::town::{BadTown, Group, Town};
use moa_selection::trace::{self, Traces};

use crate::Failure;
use crate::replay::plan;
use crate::replay::visits::City;

/// Regimes that are generated, of those there are: those of the benchmark.
const GENERATED: usize = 5;
/// Users of fewer real visits are not played.
const LEAST: u32 = 20;

/// The rule of a name.
///
/// # Errors
/// Which rules there are, if it is none.
pub fn rule(name: &str) -> Result<Rule, String> {
    Rule::named(name).ok_or_else(|| format!("the policies are {}", Rule::ALL.map(Rule::name).join(", ")))
}

/// Plays a town under a rule: a line of JSON per buyer.
///
/// # Errors
/// What is wrong with the town, or where the lines go.
pub fn choose(town: &Path, rule: Rule, out: &mut dyn Write) -> Result<(), Failure> {
    let town = Town::read(town).map_err(|error| format!("{}: {error}", town.display()))?;
    for line in choose::choose(&town, rule) {
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    Ok(())
}

/// The towns of a folder.
///
/// # Errors
/// What cannot be read.
pub fn read(folder: &Path) -> Result<Vec<Sample>, BadTown> {
    report::read(folder)
}

/// Towns of each regime of the benchmark, one a seed.
pub fn generated(seeds: &[u64], buyers: usize) -> Vec<Sample> {
    REGIMES[..GENERATED].iter().map(|regime| report::generated(regime, seeds, buyers)).collect()
}

/// Real visits, with the groups of the replay.
///
/// # Errors
/// Never: the groups' figures are within their ranges.
pub fn traced(city: &City, seed: u64, users: usize) -> Result<Sample, OutOfRange> {
    let ids: Vec<u32> = city.venues.keys().copied().collect();
    let place = |venue: &u32| ids.binary_search(venue).ok();
    let origin = city.venues.values().next().copied();
    let venues = city.venues.values().map(|&at| origin.map_or((0.0, 0.0), |origin| kilometres(at, origin)));
    let groups = plan::groups(&city.venues).into_iter().enumerate().map(|(id, group)| {
        let terms = group.terms()?;
        let offer = Offer::of(&terms, group.venues.iter().filter_map(place).collect());
        Ok(Group {
            id,
            scope: format!("{:?}", group.scope).to_lowercase(),
            rate_bp: f64::from(terms.rate.get()),
            validity_days: offer.days,
            minimum: offer.minimum,
            members: offer.members,
        })
    });
    let traces = Traces {
        venues: venues.collect(),
        groups: groups.collect::<Result<_, OutOfRange>>()?,
        visits: city.visits.iter().filter_map(|it| Some((it.user, place(&it.venue)?, it.count))).collect(),
    };
    let town = trace::town(&traces, seed, users, LEAST);
    Ok(Sample {
        name: "real visits".to_owned(),
        towns: vec![Measured { town, hindsight: None, prototype: None }],
    })
}

/// Measures all rules in these samples; the table, which with the plots goes into a folder too.
///
/// # Errors
/// If the folder cannot be written to.
pub fn measure(samples: &[Sample], out: &Path, mut progress: impl FnMut(&str)) -> Result<String, Failure> {
    std::fs::create_dir_all(out)?;
    let mut sections = Vec::new();
    for sample in samples {
        progress(&format!("{} ...", sample.name));
        sections.push(report::measure(sample, &Rule::ALL));
    }
    let table = report::table(&sections);
    std::fs::write(out.join("report.md"), &table)?;
    for (name, picture) in plot::all(&sections) {
        std::fs::write(out.join(name), picture)?;
    }
    Ok(table)
}
