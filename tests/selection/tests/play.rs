//! How a town is played, and that the choice sees nothing of what is to come.
#![expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "small numbers and whole won")]

use moa_selection::choose::choose;
use moa_selection::generate::{REGIMES, town};
use moa_selection::play::{Played, Wallet, play, redeemed};
use moa_selection::policy::{At, Chosen, Policy, Rule};
use moa_selection::town::{Buyer, Group, Shop, Town, Visit};

fn shop(id: usize) -> Shop {
    Shop { id, x_km: 0.1 * id as f64, y_km: 0.0, popularity: 1.0, typical_won: 10_000.0 }
}

fn group(id: usize, rate_bp: f64, validity_days: f64, minimum: f64, members: &[usize]) -> Group {
    Group { id, scope: "street".to_owned(), rate_bp, validity_days, minimum, members: members.to_vec() }
}

fn visit(t_days: f64, shop: usize, won: f64) -> Visit {
    Visit { t_days, shop, won, attentive: true }
}

/// Two shops. Group 0: both, 10 %, ten days, from 1,000 on. Group 1: the first, 5 %, a hundred days, from 100 on.
fn alley(visits: Vec<Visit>) -> Town {
    let groups = vec![group(0, 1_000.0, 10.0, 1_000.0, &[0, 1]), group(1, 500.0, 100.0, 100.0, &[0])];
    Town::new(vec![shop(0), shop(1)], groups, vec![Buyer { id: 0, decide_until_days: 50.0, visits }])
}

/// Chooses what it is told to.
struct Told<'a>(std::slice::Iter<'a, usize>);

impl Policy for Told<'_> {
    fn choose(&mut self, _: &At<'_>, _: &mut Wallet) -> Option<Chosen> {
        self.0.next().map(|&group| Chosen { group, expected: None })
    }
}

/// Plays, and holds what was played against the same groups played for the search in hindsight.
fn told(visits: Vec<Visit>, groups: &[usize]) -> Played {
    let town = alley(visits);
    let played = play(&town, &town.buyers[0], &mut Told(groups.iter()));
    let again = redeemed(&town, &town.buyers[0], &played.groups, &mut Wallet::new(&town));
    assert_eq!(again, played.redeemed);
    played
}

#[test]
fn mileage_is_used_first_and_the_rest_earns() {
    let played = told(vec![visit(0.0, 0, 10_009.0), visit(5.0, 1, 2_500.0)], &[0, 0]);
    assert_eq!((played.redeemed, played.earned), (1_000.0, vec![1_000.0, 150.0]));
    assert_eq!(played.used, [1_000.0, 0.0]);
    assert_eq!(played.groups, [Some(0), Some(0)]);
    assert_eq!(played.issued, 1_150.0);
}

#[test]
fn a_lot_ends_on_its_last_day_and_not_before() {
    assert_eq!(told(vec![visit(0.0, 0, 20_000.0), visit(9.99, 1, 5_000.0)], &[0, 0]).redeemed, 2_000.0);
    assert_eq!(told(vec![visit(0.0, 0, 20_000.0), visit(10.0, 1, 5_000.0)], &[0, 0]).redeemed, 0.0);
}

#[test]
fn nothing_is_used_below_the_minimum_or_elsewhere_or_by_who_does_not_think_of_it() {
    assert_eq!(told(vec![visit(0.0, 0, 9_999.0), visit(1.0, 1, 5_000.0)], &[0, 0]).redeemed, 0.0);
    assert_eq!(told(vec![visit(0.0, 0, 10_000.0), visit(1.0, 1, 5_000.0)], &[1, 0]).redeemed, 0.0);
    let absent = Visit { attentive: false, ..visit(1.0, 1, 5_000.0) };
    assert_eq!(told(vec![visit(0.0, 0, 10_000.0), absent], &[0, 0]).redeemed, 0.0);
}

#[test]
fn the_lot_that_ends_soonest_is_used_first() {
    // 1,000 of group 1 until day 100, 2,000 of group 0 until day 11, and 1,500 are used on day 2.
    let unused = |at: f64| Visit { attentive: false, ..visit(at, 0, 20_000.0) };
    let played =
        told(vec![unused(0.0), unused(1.0), visit(2.0, 0, 1_500.0), visit(20.0, 0, 5_000.0)], &[1, 0, 0, 1]);
    assert_eq!((played.redeemed, played.earned[3]), (2_500.0, 200.0));
    assert_eq!(played.used, [1_000.0, 1_500.0, 0.0, 0.0], "the other 500 expired");
}

#[test]
fn what_mileage_pays_in_full_earns_nothing() {
    let played = told(vec![visit(0.0, 0, 20_000.0), visit(1.0, 1, 1_000.0)], &[0, 0]);
    assert_eq!((played.groups, played.redeemed), (vec![Some(0), None], 1_000.0));
}

#[test]
fn after_the_last_day_of_decisions_mileage_is_used_and_nothing_earned() {
    let visits = vec![visit(49.0, 0, 20_000.0), visit(50.0, 1, 1_000.0), visit(55.0, 1, 5_000.0)];
    let played = told(visits, &[0, 0, 0]);
    assert_eq!((played.groups, played.redeemed), (vec![Some(0), None, None], 2_000.0));
    assert_eq!(played.took.len(), 1);
}

#[test]
fn each_rule_takes_what_its_name_says() {
    let groups = vec![
        group(0, 900.0, 30.0, 100.0, &[0]),
        group(1, 300.0, 900.0, 100.0, &[0, 1]),
        group(2, 200.0, 60.0, 100.0, &[0, 1, 2]),
        // Good in everything, first in nothing.
        group(3, 800.0, 800.0, 100.0, &[0, 1]),
    ];
    let visits = vec![visit(0.0, 0, 10_000.0)];
    let buyers = vec![Buyer { id: 0, decide_until_days: 50.0, visits }];
    let town = Town::new(vec![shop(0), shop(1), shop(2)], groups, buyers);
    let first = |rule: Rule| play(&town, &town.buyers[0], rule.policy(&town, 0).as_mut()).groups[0];
    assert_eq!(first(Rule::HighestRate), Some(0));
    assert_eq!(first(Rule::LongestValidity), Some(1));
    assert_eq!(first(Rule::MostMembers), Some(2));
    assert_eq!(first(Rule::WeightedSum), Some(3));
    assert_eq!(first(Rule::LargestBalance), Some(0), "nothing anywhere: the highest rate");
    let mut wallet = Wallet::new(&town);
    wallet.earn(&town, 2, 0, 0.0, 10_000.0);
    let at = At { town: &town, visit: &visit(1.0, 0, 10_000.0), used: 0.0, rest: 10_000.0 };
    let largest = Rule::LargestBalance.policy(&town, 0).choose(&at, &mut wallet);
    assert_eq!(largest.map(|chosen| chosen.group), Some(2));
    let alone = At { visit: &visit(1.0, 2, 10_000.0), ..at };
    for rule in Rule::ALL {
        assert_eq!(Rule::named(rule.name()), Some(rule));
        assert_eq!(rule.policy(&town, 0).choose(&alone, &mut wallet).map(|chosen| chosen.group), Some(2));
    }
    assert_eq!(Rule::named("best"), None);
}

#[test]
fn moa_brings_buyers_more_than_the_highest_rate() {
    for (seed, regime) in [(41, &REGIMES[2]), (42, &REGIMES[3])] {
        let town = town(seed, regime, 12);
        let won = |rule: Rule| choose(&town, rule).map(|line| line.redeemed_won).sum::<i64>();
        let (moa, highest) = (won(Rule::Moa), won(Rule::HighestRate));
        assert!(moa * 100 > highest * 103, "{}: {moa} against {highest}", regime.name);
        assert!(won(Rule::Random) < highest);
    }
}

#[test]
fn what_comes_later_changes_no_choice() {
    let town = town(43, &REGIMES[4], 3);
    for rule in Rule::ALL {
        for buyer in &town.buyers {
            let all = play(&town, buyer, rule.policy(&town, buyer.id).as_mut());
            for kept in [1, buyer.visits.len() / 3, buyer.visits.len() / 2] {
                let mut cut = buyer.clone();
                cut.visits.truncate(kept);
                let mut cut_town = town.clone();
                cut_town.buyers[buyer.id] = cut.clone();
                let played = play(&cut_town, &cut, rule.policy(&cut_town, buyer.id).as_mut());
                assert_eq!(played.groups, all.groups[..kept], "{}, buyer {}", rule.name(), buyer.id);
                assert_eq!(played.expected, all.expected[..kept]);
            }
        }
    }
}

#[test]
fn a_line_says_what_was_played() {
    let town = alley(vec![visit(0.0, 0, 20_000.0), visit(1.0, 1, 1_000.0), visit(60.0, 1, 500.0)]);
    let line = choose(&town, Rule::HighestRate).next().unwrap();
    let text = serde_json::to_value(&line).unwrap();
    assert_eq!(text["groups"], serde_json::json!([0, null, null]));
    assert_eq!((line.redeemed_won, line.issued_won), (1_000, 2_000));
    let keys: Vec<&String> = text.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["buyer", "groups", "issued_won", "p50_us", "p99_us", "redeemed_won"]);
}
