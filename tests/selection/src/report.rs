//! What is reported of rules in towns: won of what hindsight could have had, the share of the gap from the highest rate to
//! hindsight that a rule closes, the worst tenth of buyers, breakage, calibration, time and memory.
//!
//! Ratios are of sums over all buyers of a regime. Their intervals are paired over buyers: 1.96 standard errors of the ratio,
//! from each buyer's own difference between what they had and the ratio's share of what they could have had.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::choose::micros;
use crate::generate::{self, Regime};
use crate::hindsight::anneal;
use crate::moa::Moa;
use crate::play::{Played, play};
use crate::policy::Rule;
use crate::town::{BadTown, Town, read_text};

/// The moves of a search in hindsight.
pub const MOVES: u32 = 12_000;
/// Standard errors on each side of a figure: 95 in 100.
const SIDES: f64 = 1.96;
/// Parts into which predictions are cut.
const PARTS: usize = 10;

/// Towns of one kind, pooled.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What they are called.
    pub name: String,
    /// The towns.
    pub towns: Vec<Measured>,
}

/// A town with what is known of its buyers beforehand, in won and by buyer.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The town.
    pub town: Town,
    /// What hindsight could have had; searched where nothing is known.
    pub hindsight: Option<Vec<f64>>,
    /// What the prototype had.
    pub prototype: Option<Vec<f64>>,
}

/// A ratio and half of its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ratio {
    /// The ratio of the sums.
    pub value: f64,
    /// To both sides.
    pub give: f64,
}

/// A tenth of the predictions: each as a share of what was earned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// What was expected to be used.
    pub predicted: f64,
    /// What was used of it.
    pub realised: f64,
}

/// What is said of one rule in one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The rule.
    pub rule: String,
    /// Won against hindsight.
    pub won: Ratio,
    /// The share of the gap from the highest rate to hindsight.
    pub gap: Ratio,
    /// What the buyer at the first decile has, of their hindsight.
    pub tenth: f64,
    /// What the tenth of buyers that fares worst has, of their hindsight, on average.
    pub worst: f64,
    /// What was earned and never used.
    pub breakage: Option<f64>,
    /// Predicted and realised, by tenths of the predictions.
    pub calibration: Vec<Part>,
    /// Microseconds of a decision: half and ninety-nine in a hundred take no longer.
    pub micros: Option<(f64, f64)>,
}

/// A sample's figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The sample.
    pub name: String,
    /// How many buyers.
    pub buyers: usize,
    /// Of each rule.
    pub figures: Vec<Figures>,
    /// The most that Moa kept for a buyer, in bytes, with the town as it sees it.
    pub bytes: usize,
}

/// Towns of a regime, one a seed.
pub fn generated(regime: &Regime, seeds: &[u64], buyers: usize) -> Sample {
    let towns = seeds.iter().map(|&seed| Measured {
        town: generate::town(seed, regime, buyers),
        hindsight: None,
        prototype: None,
    });
    Sample { name: regime.name.to_owned(), towns: towns.collect() }
}

/// A town's row in a file of figures known beforehand.
#[derive(Deserialize)]
struct Known {
    buyer: usize,
    prototype_won: f64,
    oracle_won: f64,
}

/// The towns of a folder, `NAME.json` or `NAME.json.gz` each, with `NAME.baselines.csv` where there is one.
///
/// # Errors
/// What cannot be read, by name.
pub fn read(folder: &Path) -> Result<Vec<Sample>, BadTown> {
    let mut samples = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some(name) = file.strip_suffix(".json").or_else(|| file.strip_suffix(".json.gz")) else {
            continue;
        };
        let named = |error: BadTown| BadTown::Wrong(format!("{}: {error}", path.display()));
        let town = Town::read(&path).map_err(named)?;
        let beside = folder.join(format!("{name}.baselines.csv"));
        let (mut hindsight, mut prototype) = (None, None);
        if beside.exists() {
            let wrong = |what: String| BadTown::Wrong(format!("{}: {what}", beside.display()));
            let text = read_text(&beside)?;
            let rows: Result<Vec<Known>, csv::Error> =
                csv::Reader::from_reader(text.as_bytes()).deserialize().collect();
            let mut rows = rows.map_err(|error| wrong(error.to_string()))?;
            rows.sort_by_key(|row| row.buyer);
            if !rows.iter().map(|row| row.buyer).eq(0..town.buyers.len()) {
                return Err(wrong("there is one row for each buyer of the town".to_owned()));
            }
            hindsight = Some(rows.iter().map(|row| row.oracle_won).collect());
            prototype = Some(rows.iter().map(|row| row.prototype_won).collect());
        }
        let towns = vec![Measured { town, hindsight, prototype }];
        samples.push(Sample { name: name.to_owned(), towns });
    }
    if samples.is_empty() {
        return Err(BadTown::Wrong(format!("{}: no town there", folder.display())));
    }
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(samples)
}

/// What a rule came to in a sample, by buyer.
#[derive(Default)]
struct Tally {
    won: Vec<f64>,
    issued: f64,
    took: Vec<Duration>,
    /// Expected, realised, earned; by choice.
    calls: Vec<[f64; 3]>,
}

/// Plays a sample under these rules and the highest rate, and searches in hindsight where need be.
pub fn measure(sample: &Sample, rules: &[Rule]) -> Section {
    let mut rules = rules.to_vec();
    if !rules.contains(&Rule::HighestRate) {
        rules.push(Rule::HighestRate);
    }
    let mut tallies: Vec<Tally> = rules.iter().map(|_| Tally::default()).collect();
    let (mut hindsight, mut prototype, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (number, Measured { town, hindsight: known, prototype: had }) in sample.towns.iter().enumerate() {
        let mut played: Vec<Vec<Played>> = Vec::new();
        for (rule, tally) in rules.iter().zip(&mut tallies) {
            let all = town.buyers.iter().map(|buyer| play(town, buyer, rule.policy(town, buyer.id).as_mut()));
            let all: Vec<Played> = all.collect();
            for played in &all {
                tally.won.push(played.redeemed);
                tally.issued += played.issued;
                tally.took.extend(&played.took);
                tally.calls.extend(calls(played));
            }
            played.push(all);
        }
        bytes = bytes.max(town.buyers.iter().map(|buyer| Moa::after(town, buyer).bytes()).max().unwrap_or(0));
        prototype.extend(had.iter().flatten());
        match known {
            Some(known) => hindsight.extend(known),
            None => {
                // From the two rules that do best in this town.
                let sum = |played: &Vec<Played>| played.iter().map(|it| it.redeemed).sum::<f64>();
                played.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
                for buyer in &town.buyers {
                    let starts = played.iter().take(2).map(|it| it[buyer.id].groups.clone());
                    let seed = (number * 1_000 + buyer.id) as u64;
                    hindsight.push(anneal(town, buyer, &starts.collect::<Vec<_>>(), MOVES, seed).0);
                }
            }
        }
    }
    let highest = rules.iter().position(|&rule| rule == Rule::HighestRate);
    let base = highest.map(|place| tallies[place].won.clone()).unwrap_or_default();
    let mut figures: Vec<Figures> = rules
        .iter()
        .zip(&mut tallies)
        .map(|(rule, tally)| Figures {
            breakage: (tally.issued > 0.0).then(|| 1.0 - tally.won.iter().sum::<f64>() / tally.issued),
            calibration: parts(&mut tally.calls),
            micros: {
                tally.took.sort_unstable();
                Some((micros(&tally.took, 0.5), micros(&tally.took, 0.99)))
            },
            ..figures_of(rule.name(), &tally.won, &base, &hindsight)
        })
        .collect();
    if prototype.len() == hindsight.len() {
        figures.push(figures_of("prototype", &prototype, &base, &hindsight));
    }
    Section { name: sample.name.clone(), buyers: hindsight.len(), figures, bytes }
}

fn figures_of(rule: &str, won: &[f64], base: &[f64], hindsight: &[f64]) -> Figures {
    let over = |of: &[f64]| -> Vec<f64> { of.iter().zip(base).map(|(it, base)| it - base).collect() };
    let mut shares: Vec<f64> = won
        .iter()
        .zip(hindsight)
        .filter(|(_, could)| **could > 0.0)
        .map(|(won, could)| won / could)
        .collect();
    shares.sort_by(f64::total_cmp);
    let lowest = &shares[..shares.len().div_ceil(10)];
    Figures {
        rule: rule.to_owned(),
        won: ratio(won, hindsight),
        gap: ratio(&over(won), &over(hindsight)),
        tenth: quantile(&shares, 0.1),
        worst: lowest.iter().sum::<f64>() / (lowest.len() as f64).max(1.0),
        breakage: None,
        calibration: Vec::new(),
        micros: None,
    }
}

/// What was expected of each choice, what was used of what it earned, and what it earned.
pub(crate) fn calls(played: &Played) -> impl Iterator<Item = [f64; 3]> + '_ {
    let all = played.expected.iter().zip(&played.used).zip(&played.earned);
    let earned = all.filter(|(_, earned)| **earned > 0.0);
    earned.filter_map(|((expected, used), earned)| Some([(*expected)?, *used, *earned]))
}

/// The calls in tenths of equal number, by what was expected of a unit.
fn parts(calls: &mut [[f64; 3]]) -> Vec<Part> {
    calls.sort_by(|a, b| (a[0] / a[2]).total_cmp(&(b[0] / b[2])));
    let cut = |part: usize| part * calls.len() / PARTS;
    let parts = (0..PARTS).map(|part| &calls[cut(part)..cut(part + 1)]).filter(|part| !part.is_empty());
    let sum = |part: &[[f64; 3]], of: usize| part.iter().map(|call| call[of]).sum::<f64>();
    parts
        .map(|part| Part { predicted: sum(part, 0) / sum(part, 2), realised: sum(part, 1) / sum(part, 2) })
        .collect()
}

/// The ratio of two sums, with the standard error that pairs them by buyer.
fn ratio(above: &[f64], below: &[f64]) -> Ratio {
    let (a, b): (f64, f64) = (above.iter().sum(), below.iter().sum());
    let count = above.len() as f64;
    if b <= 0.0 || count < 2.0 {
        return Ratio::default();
    }
    let value = a / b;
    let squares: f64 = above.iter().zip(below).map(|(a, b)| (a - value * b) * (a - value * b)).sum();
    Ratio { value, give: SIDES * libm::sqrt(squares * count / (count - 1.0)) / b }
}

/// Between the two values next to it; 0 of none.
fn quantile(ordered: &[f64], share: f64) -> f64 {
    let Some(last) = ordered.len().checked_sub(1) else { return 0.0 };
    let at = share * last as f64;
    let (low, high) = (at.floor() as usize, (at.ceil() as usize).min(last));
    ordered[low] + (ordered[high] - ordered[low]) * (at - at.floor())
}

/// The sections as Markdown: a table of the rules, one of Moa's calibration.
pub fn table(sections: &[Section]) -> String {
    let mut text = String::from(
        "| towns | buyers | rule | won of hindsight | share of the gap | p10 | worst tenth | breakage | µs p50 | µs p99 |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    // Writing to a string cannot fail.
    for section in sections {
        for it in &section.figures {
            let breakage = it.breakage.map_or(String::new(), |share| format!("{share:.3}"));
            let (p50, p99) = it
                .micros
                .map_or((String::new(), String::new()), |(p50, p99)| (format!("{p50}"), format!("{p99}")));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.3} ± {:.3} | {:.3} ± {:.3} | {:.3} | {:.3} | {breakage} | {p50} | {p99} |",
                section.name,
                section.buyers,
                it.rule,
                it.won.value,
                it.won.give,
                it.gap.value,
                it.gap.give,
                it.tenth,
                it.worst
            );
        }
    }
    text.push_str("\nPredicted and realised use of a unit earned, by tenths of what was predicted:\n\n");
    text.push_str("| towns | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | largest error |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for section in sections {
        for it in section.figures.iter().filter(|it| it.calibration.len() == PARTS) {
            let _ = write!(text, "| {} |", section.name);
            for part in &it.calibration {
                let _ = write!(text, " {:.2}, {:.2} |", part.predicted, part.realised);
            }
            let error = it.calibration.iter().map(|part| (part.predicted - part.realised).abs());
            let _ = writeln!(text, " {:.2} |", error.fold(0.0, f64::max));
        }
    }
    let bytes = sections.iter().map(|section| section.bytes).max().unwrap_or(0);
    let _ = writeln!(
        text,
        "\nMoa keeps {} KiB at most for a buyer, the town as it sees it among them.",
        bytes.div_ceil(1024)
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::REGIMES;
    use crate::plot;

    #[test]
    fn a_ratio_is_of_sums_and_its_interval_is_paired() {
        assert_eq!(ratio(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), Ratio { value: 0.5, give: 0.0 });
        let Ratio { value, give } = ratio(&[1.0, 3.0], &[4.0, 4.0]);
        // Differences of −1 and 1 from a half: a standard error of 2 ÷ 8.
        assert!((value - 0.5).abs() < 1e-12 && (give - 1.96 * 0.25).abs() < 1e-12, "{give}");
        assert_eq!(ratio(&[1.0], &[2.0]), Ratio::default());
        assert_eq!(ratio(&[1.0, 1.0], &[0.0, 0.0]), Ratio::default());
    }

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!((quantile(&values, 0.1), quantile(&values, 0.0), quantile(&values, 1.0)), (0.5, 0.0, 5.0));
        assert_eq!(quantile(&[], 0.1), 0.0);
    }

    #[test]
    fn calls_are_cut_into_tenths_by_what_was_expected_of_a_unit() {
        let mut calls: Vec<[f64; 3]> = (0..100).rev().map(|call| [f64::from(call), 50.0, 100.0]).collect();
        let parts = parts(&mut calls);
        assert_eq!(parts.len(), PARTS);
        assert_eq!(parts[0], Part { predicted: 0.045, realised: 0.5 });
        assert_eq!(parts[9], Part { predicted: 0.945, realised: 0.5 });
    }

    #[test]
    fn hindsight_is_above_every_rule_and_the_highest_rate_closes_nothing() {
        let section = measure(&generated(&REGIMES[3], &[3, 4], 3), &[Rule::Moa, Rule::Random]);
        assert_eq!((section.buyers, section.figures.len()), (6, 3));
        let of = |rule: Rule| section.figures.iter().find(|it| it.rule == rule.name()).unwrap();
        assert!(
            section.figures.iter().all(|it| it.won.value <= 1.0 && it.worst <= it.tenth.max(it.won.value))
        );
        assert_eq!(of(Rule::HighestRate).gap, Ratio::default());
        assert!(of(Rule::Random).gap.value < 0.0 && of(Rule::Random).gap.give > 0.0);
        assert_eq!((of(Rule::Moa).calibration.len(), of(Rule::Random).calibration.len()), (PARTS, 0));
        assert!((0.0..1.0).contains(&of(Rule::Moa).breakage.unwrap()));
        // A few tens of kilobytes: a hundred thousand would not be a phone's.
        assert!((10_000..200_000).contains(&section.bytes), "{}", section.bytes);

        let table = table(std::slice::from_ref(&section));
        assert!(table.contains("| short | 6 | moa | ") && table.contains(" KiB "), "{table}");
        for (name, picture) in plot::all(&[section]) {
            let shapes = picture.matches("<rect").count() + picture.matches("<circle").count();
            assert!(picture.ends_with("</svg>\n") && shapes > 3, "{name}");
            assert!(!picture.contains("NaN"), "{name}");
        }
    }

    #[test]
    fn figures_known_beforehand_are_taken_and_have_a_row_for_every_buyer() {
        let folder = tempfile::tempdir().unwrap();
        let town = generate::town(8, &REGIMES[0], 2);
        std::fs::write(folder.path().join("small.json"), serde_json::to_string(&town).unwrap()).unwrap();
        let beside = folder.path().join("small.baselines.csv");
        std::fs::write(
            &beside,
            "buyer,highest_rate_won,prototype_won,oracle_won\n1,1,2,4000000\n0,1,2,3000000\n",
        )
        .unwrap();
        let samples = read(folder.path()).unwrap();
        assert_eq!(samples[0].name, "small");
        assert_eq!(samples[0].towns[0].hindsight, Some(vec![3e6, 4e6]));
        let section = measure(&samples[0], &[Rule::HighestRate]);
        assert_eq!(
            section.figures.iter().map(|it| it.rule.as_str()).collect::<Vec<_>>(),
            ["highest_rate", "prototype"]
        );
        for garbage in
            ["", "buyer\n0\n", "buyer,highest_rate_won,prototype_won,oracle_won\n0,1,2,3\n", "\u{0}"]
        {
            std::fs::write(&beside, garbage).unwrap();
            let error = read(folder.path()).unwrap_err().to_string();
            assert!(error.contains("small.baselines.csv"), "{garbage}: {error}");
        }
        std::fs::remove_file(&beside).unwrap();
        std::fs::write(folder.path().join("small.json"), "{}").unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("small.json"));
        assert!(read(tempfile::tempdir().unwrap().path()).is_err());
    }
}
