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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use moa_rules::merchant::Place;
    use moa_selection::generate;

    use super::*;
    use crate::replay::visits::Visits;

    #[test]
    fn a_line_of_json_is_printed_for_each_buyer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("town.json");
        let town = generate::town(3, &REGIMES[1], 2);
        std::fs::write(&path, serde_json::to_string(&town).unwrap()).unwrap();
        let mut out = Vec::new();
        choose(&path, Rule::Moa, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 2);
        for (line, buyer) in text.lines().zip(&town.buyers) {
            assert!(line.starts_with(&format!("{{\"buyer\":{},\"groups\":[", buyer.id)), "{line}");
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["groups"].as_array().unwrap().len(), buyer.visits.len());
            assert!(line["redeemed_won"].as_i64() <= line["issued_won"].as_i64());
            assert!(line["p50_us"].as_f64() <= line["p99_us"].as_f64());
        }
    }

    #[test]
    fn garbage_and_unknown_rules_are_told_by_name() {
        assert!(rule("best").unwrap_err().contains("moa, highest_rate, "));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("town.json");
        for garbage in [&b""[..], b"{}", b"\xff\xfe\x00", b"[1,2"] {
            std::fs::write(&path, garbage).unwrap();
            let error = choose(&path, Rule::Moa, &mut Vec::new()).unwrap_err().to_string();
            assert!(error.contains("town.json: not a town") || error.contains("cannot be read"), "{error}");
        }
        assert!(choose(&folder.path().join("none"), Rule::Moa, &mut Vec::new()).is_err());
        assert!(read(folder.path()).is_err());
    }

    #[test]
    fn real_visits_are_played_in_the_groups_of_the_replay() {
        let place = |venue: u8| Place { lat_e6: 1_300_000 + i32::from(venue) * 900, lon_e6: 103_000_000 };
        let venues: BTreeMap<u32, Place> =
            (0..12).map(|venue| (u32::from(venue) * 10, place(venue))).collect();
        let visits = (0..9).flat_map(|user| [(user, 0, 15), (user, 20, 9)]);
        let visits = visits.map(|(user, venue, count)| Visits { user, venue, count }).collect();
        let sample = traced(&City { venues, visits }, 1, 5).unwrap();
        let town = &sample.towns[0].town;
        assert_eq!((town.shops.len(), town.buyers.len()), (12, 5));
        assert!(town.buyers.iter().all(|buyer| buyer.visits.len() == 24));
        assert!((town.groups[0].rate_bp - 400.0).abs() < 1e-9 && town.groups[0].members.len() > 3);
        assert!((town.shops[1].y_km - 0.1).abs() < 0.001);

        let out = tempfile::tempdir().unwrap();
        let table = measure(&[sample], out.path(), |_| ()).unwrap();
        assert_eq!(std::fs::read_to_string(out.path().join("report.md")).unwrap(), table);
        assert!(out.path().join("won.svg").exists());
    }
}
