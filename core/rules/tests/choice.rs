//! The choice: ten thousand decisions known by heart, and what holds of every one.

use std::path::Path;

use moa_rules::choice::around::{Around, Earning, Offer, Spot};
use moa_rules::choice::golden::decisions;
use moa_rules::choice::outlook::Lot;
use moa_rules::choice::visits::{Seen, Total};
use moa_rules::choice::weigh::{Plan, Purchase, Reason, Weighed, first_habit, habit, weigh};
use proptest::prelude::*;
use proptest::sample::select;

/// Decisions that are known by heart.
const KNOWN: usize = 10_000;

/// A town with a buyer in it, weighed for one purchase.
#[derive(Debug, Clone)]
struct Scene {
    shops: Vec<Spot>,
    groups: Vec<Offer>,
    /// Shop, day, amount; in the order of time.
    bought: Vec<(usize, f64, f64)>,
    /// By group.
    lots: Vec<Vec<Lot>>,
    /// Soonest first.
    plans: Vec<Plan>,
    shop: usize,
    amount: f64,
    now: f64,
    usual: Option<usize>,
}

impl Scene {
    fn weighed(&self) -> Vec<Weighed> {
        self.weighed_by(first_habit)
    }

    fn weighed_by(&self, habit: fn(&Around, usize, usize) -> f64) -> Vec<Weighed> {
        let around = Around::new(self.shops.clone(), self.groups.clone());
        let mut seen: Vec<(usize, Seen)> = Vec::new();
        let mut total = Total::default();
        for &(shop, day, amount) in &self.bought {
            match seen.iter_mut().find(|(index, _)| *index == shop) {
                Some((_, it)) => *it = it.again(day, amount),
                None => seen.push((shop, Seen::first(day, amount))),
            }
            total = total.again(day, None);
        }
        let purchase = Purchase {
            around: &around,
            seen: &seen,
            total: &total,
            habit: &|shop, group| habit(&around, shop, group),
            lots: &|group| self.lots.get(group).map_or(&[], Vec::as_slice),
            plans: &self.plans,
            shop: self.shop,
            amount: self.amount,
            now: self.now,
            usual: self.usual,
        };
        weigh(&purchase)
    }

    fn balance(&self, group: usize) -> f64 {
        self.lots.get(group).map_or(0.0, |lots| lots.iter().map(|lot| lot.units).sum())
    }

    /// What a purchase brings back in a group, in minor units, before it is rounded to units.
    fn gives(&self, group: usize) -> f64 {
        let offer = &self.groups[group];
        match offer.earning {
            Earning::Share(rate) => rate * self.amount / 10_000.0,
            Earning::Each(per) => self.amount / per * offer.unit,
            Earning::Visit(_) => offer.earns(self.amount) * offer.unit,
        }
    }
}

fn spots() -> impl Strategy<Value = Spot> {
    let at = proptest::option::weighted(0.9, (0.0..8.0, 0.0..8.0));
    (at, 1_000.0..60_000.0, 0.1..5.0).prop_map(|(at, ticket, popularity)| Spot { at, ticket, popularity })
}

fn offers(shops: usize) -> impl Strategy<Value = Offer> {
    let earning = prop_oneof![
        5 => (50u16..1_000).prop_map(|rate| (Earning::Share(f64::from(rate)), 1.0, 1.0)),
        1 => (5_000u16..20_000).prop_map(|per| (Earning::Each(f64::from(per)), 700.0, 10.0)),
        1 => (0u16..20_000).prop_map(|least| (Earning::Visit(f64::from(least)), 2_000.0, 1.0)),
    ];
    let members = proptest::collection::btree_set(0..shops, 1..=shops);
    (earning, 10.0..900.0, 1.0..8_000.0, members).prop_map(
        |((earning, unit, step), days, minimum, members)| {
            let minimum = if unit > 1.0 { step } else { f64::floor(minimum) };
            Offer {
                earning,
                unit,
                days: f64::floor(days),
                minimum,
                step,
                members: members.into_iter().collect(),
            }
        },
    )
}

prop_compose! {
    fn scenes()(shops in proptest::collection::vec(spots(), 2..12))(
        groups in proptest::collection::vec(offers(shops.len()), 1..5),
        bought in proptest::collection::vec((0..shops.len(), 0.1..20.0, 1_000.0..50_000.0), 1..40),
        plans in plans(0..shops.len(), 0.0..400.0, 500.0..100_000.0),
        shops in Just(shops),
        lots in proptest::collection::vec(proptest::collection::vec((1.0..300.0, 1.0..4_000.0), 0..4), 4),
        amount in prop_oneof![9 => 500.0..100_000.0, 1 => Just(0.0)],
        usual in proptest::option::of(0usize..5),
    ) -> Scene {
        let mut day = 0.0;
        let bought: Vec<(usize, f64, f64)> = bought
            .into_iter()
            .map(|(shop, wait, amount)| {
                day += wait;
                (shop, day, f64::floor(amount))
            })
            .collect();
        let lots = lots.into_iter().map(|lots| {
            let mut lots: Vec<Lot> =
                lots.into_iter().map(|(days, units)| Lot { days, units: f64::floor(units) }).collect();
            lots.sort_by(|a, b| a.days.total_cmp(&b.days));
            lots
        });
        let mut plans = plans;
        plans.sort_by(|a, b| a.days.total_cmp(&b.days));
        // Here, where the buyer bought last.
        let shop = bought.last().map_or(0, |last| last.0);
        Scene { shops, groups, bought, lots: lots.collect(), plans, shop, amount: f64::floor(amount), now: day, usual }
    }
}

fn plans(
    shops: impl Strategy<Value = usize>,
    days: impl Strategy<Value = f64>,
    amounts: impl Strategy<Value = f64>,
) -> impl Strategy<Value = Vec<Plan>> {
    let plan = (shops, days, amounts).prop_map(|(shop, days, amount)| Plan { shop, days, amount });
    proptest::collection::vec(plan, 0..4)
}

/// Numbers that nobody means.
fn odd() -> impl Strategy<Value = f64> {
    select(vec![0.0, -1.0, 1e-300, 1.0, 1e9, 9e15, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN])
}

prop_compose! {
    fn odd_scenes()(
        shops in proptest::collection::vec(
            (proptest::option::of((odd(), odd())), odd(), odd())
                .prop_map(|(at, ticket, popularity)| Spot { at, ticket, popularity }),
            0..4,
        ),
        groups in proptest::collection::vec(
            (odd(), 0..3u8, odd(), odd(), odd(), odd(), proptest::collection::vec(0usize..6, 0..5))
                .prop_map(|(rate, kind, unit, days, minimum, step, members)| {
                    let earning = match kind {
                        0 => Earning::Share(rate),
                        1 => Earning::Each(rate),
                        _ => Earning::Visit(rate),
                    };
                    Offer { earning, unit, days, minimum, step, members }
                }),
            0..4,
        ),
        bought in proptest::collection::vec((0usize..6, odd(), odd()), 0..4),
        lots in proptest::collection::vec(
            proptest::collection::vec((odd(), odd()).prop_map(|(days, units)| Lot { days, units }), 0..3),
            0..4,
        ),
        plans in plans(0usize..6, odd(), odd()),
        shop in 0usize..6,
        amount in odd(),
        now in odd(),
        usual in proptest::option::of(0usize..6),
    ) -> Scene {
        Scene { shops, groups, bought, lots, plans, shop, amount, now, usual }
    }
}

#[test]
fn ten_thousand_decisions_are_known_by_heart() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/choice/decisions.txt");
    let found: Vec<String> = decisions(KNOWN).collect();
    if std::env::var_os("MOA_BLESS").is_some() {
        std::fs::write(&path, found.join("\n") + "\n").unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap();
    for (number, (found, known)) in found.iter().zip(known.lines()).enumerate() {
        assert_eq!(found, known, "decision {number}; MOA_BLESS=1 writes all of them anew");
    }
    assert_eq!((found.len(), known.lines().count()), (KNOWN, KNOWN));
}

#[test]
fn what_is_known_by_heart_says_every_reason_often_and_ranks_two_groups_or_more() {
    let lines: Vec<String> = decisions(2_000).collect();
    for reason in [" rate", " validity", " visits:", " usable:", " close:", " planned:"] {
        let count = lines.iter().filter(|line| line.contains(reason)).count();
        assert!(count > 100, "{reason}: {count}");
    }
    let ranked = lines.iter().filter(|line| line.matches(';').count() > 1).count();
    assert!(ranked > 1_000, "{ranked}");
    // The highest rate is not all there is to it.
    let best = |line: &&String| line.split(';').nth(1).is_some_and(|best| !best.contains(" rate"));
    let other = lines.iter().filter(best).count();
    assert!(other > 300, "{other}");
}

#[test]
fn a_habit_turns_slowly_and_shares_stay_shares() {
    let mut shares = [1.0, 0.0];
    for _ in 0..6 {
        shares = [habit(shares[0], false), habit(shares[1], true)];
        assert!((shares[0] + shares[1] - 1.0).abs() < 1e-12);
    }
    // After five purchases it is still the old one, after six the new one.
    assert!(shares[1] > 0.5 && habit(0.0, true) < 0.2, "{shares:?}");
}

#[test]
fn mileage_that_a_purchase_makes_usable_counts_for_the_group() {
    let group = |rate: f64, minimum: f64| Offer {
        earning: Earning::Share(rate),
        unit: 1.0,
        days: 60.0,
        minimum,
        step: 1.0,
        members: vec![0],
    };
    let bought = (0..6u8).map(|visit| (0, f64::from(visit) * 20.0, 10_000.0)).collect();
    let mut scene = Scene {
        shops: vec![Spot { at: None, ticket: 10_000.0, popularity: 1.0 }],
        groups: vec![group(500.0, 500.0), group(400.0, 4_000.0)],
        bought,
        lots: vec![Vec::new(), Vec::new()],
        plans: Vec::new(),
        shop: 0,
        amount: 10_000.0,
        now: 100.0,
        usual: None,
    };
    assert_eq!(scene.weighed()[0].group, 0, "nobody comes to 4,000 at 400 every twenty days in sixty");
    scene.lots[1] = vec![Lot { days: 50.0, units: 3_600.0 }];
    let weighed = scene.weighed();
    assert_eq!(weighed[0].group, 1);
    assert!((250..=400).contains(&weighed[0].expected_use), "most of what it earns: {weighed:?}");
    assert_eq!(weighed[0].reasons[0], Reason::CloseToMinimum { usable: 4_000, now: true });
    scene.lots[1][0].units = 3_000.0;
    let close = Reason::CloseToMinimum { usable: 4_000, now: false };
    assert!(scene.weighed().iter().any(|it| it.group == 1 && it.reasons.contains(&close)));
}

#[test]
fn a_group_of_shops_that_are_visited_is_worth_more_than_one_of_shops_that_are_not() {
    let group = |members: Vec<usize>| Offer {
        earning: Earning::Share(300.0),
        unit: 1.0,
        days: 90.0,
        minimum: 1_000.0,
        step: 1.0,
        members,
    };
    let spot = |east: f64| Spot { at: Some((east, 0.0)), ticket: 10_000.0, popularity: 1.0 };
    let bought = (0..20u8).map(|visit| (usize::from(visit % 2), f64::from(visit) * 7.0, 10_000.0)).collect();
    let scene = Scene {
        shops: [0.0, 0.2, 6.0].map(spot).to_vec(),
        groups: vec![group(vec![0, 2]), group(vec![0, 1])],
        bought,
        lots: Vec::new(),
        plans: Vec::new(),
        shop: 0,
        amount: 10_000.0,
        now: 134.0,
        usual: None,
    };
    let weighed = scene.weighed();
    assert_eq!(weighed[0].group, 1);
    assert!(matches!(weighed[0].reasons[..], [Reason::ShopsYouVisit { shops: 2, .. }]), "{weighed:?}");
    assert!(weighed[1].reasons.is_empty(), "{weighed:?}");
}

#[test]
fn a_planned_purchase_is_a_reason_where_it_falls_within_the_validity_and_not_every_group_serves_it() {
    let group = |days: f64, members: Vec<usize>| Offer {
        earning: Earning::Share(300.0),
        unit: 1.0,
        days,
        minimum: 1_000.0,
        step: 1.0,
        members,
    };
    let plan = |shop: usize, days: f64| Plan { shop, days, amount: 50_000.0 };
    let mut scene = Scene {
        shops: vec![Spot { at: None, ticket: 10_000.0, popularity: 1.0 }; 3],
        groups: vec![group(90.0, vec![0, 1]), group(30.0, vec![0, 1, 2])],
        bought: vec![(0, 0.0, 10_000.0)],
        lots: Vec::new(),
        plans: vec![plan(1, 30.0)],
        shop: 0,
        amount: 10_000.0,
        now: 0.0,
        usual: None,
    };
    let reason = |scene: &Scene, group: usize| {
        let weighed = scene.weighed();
        let reasons = weighed.into_iter().find(|it| it.group == group).unwrap().reasons;
        reasons.into_iter().find_map(|reason| match reason {
            Reason::PlannedPurchase { plan } => Some(plan),
            _ => None,
        })
    };
    assert_eq!([0, 1].map(|group| reason(&scene, group)), [None, None], "both serve it");
    scene.plans = vec![plan(1, 31.0)];
    assert_eq!([0, 1].map(|group| reason(&scene, group)), [Some(0), None], "one ends the day before");
    scene.plans = vec![plan(1, 5.0), plan(2, 10.0), plan(2, 20.0), plan(1, 60.0)];
    assert_eq!(
        [0, 1].map(|group| reason(&scene, group)),
        [Some(3), Some(1)],
        "the soonest that tells them apart"
    );
    scene.plans = vec![plan(2, 91.0), plan(9, 1.0)];
    assert_eq!([0, 1].map(|group| reason(&scene, group)), [None, None], "too late, and nowhere");
    scene.plans = vec![plan(2, 10.0)];
    scene.amount = 10.0;
    assert_eq!([0, 1].map(|group| reason(&scene, group)), [None, None], "nothing is earned");
    scene.amount = 10_000.0;
    scene.groups.remove(0);
    assert_eq!(reason(&scene, 0), None, "there is no other");
}

#[test]
fn a_planned_purchase_counts_for_the_groups_in_which_it_can_be_paid_with_mileage() {
    let group = |rate: f64, members: Vec<usize>| Offer {
        earning: Earning::Share(rate),
        unit: 1.0,
        days: 25.0,
        minimum: 100.0,
        step: 1.0,
        members,
    };
    // The plan's shop is far away, and in the second group alone.
    let spot = |east: f64| Spot { at: Some((east, 0.0)), ticket: 10_000.0, popularity: 1.0 };
    let mut scene = Scene {
        shops: [0.0, 0.1, 9.0].map(spot).to_vec(),
        groups: vec![group(600.0, vec![0, 1]), group(500.0, vec![0, 2])],
        bought: vec![(1, 0.0, 10_000.0), (1, 40.0, 10_000.0), (0, 80.0, 10_000.0)],
        lots: Vec::new(),
        plans: Vec::new(),
        shop: 0,
        amount: 10_000.0,
        now: 80.0,
        usual: None,
    };
    let used = |scene: &Scene, group: usize| {
        let weighed = scene.weighed();
        weighed.iter().find(|it| it.group == group).map_or(0, |it| it.expected_use)
    };
    let before = [used(&scene, 0), used(&scene, 1)];
    assert_eq!(scene.weighed()[0].group, 0, "{before:?}");
    scene.plans = vec![Plan { shop: 2, days: 20.0, amount: 200_000.0 }];
    assert_eq!(scene.weighed()[0].group, 1);
    assert_eq!(used(&scene, 0), before[0], "where the plan is no member's, nothing changes");
    assert!(used(&scene, 1) > before[1] + 50, "{} {before:?}", used(&scene, 1));
    assert!(used(&scene, 1) >= 375, "three in four buyers use what they can: {}", used(&scene, 1));
    // A minimum that is not reached by then is no use.
    let reached = used(&scene, 1);
    scene.groups[1].minimum = 50_000.0;
    assert!(used(&scene, 1) < reached / 4, "{}", used(&scene, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn all_groups_of_the_shop_and_no_others_stand_in_a_total_order(scene in scenes()) {
        let weighed = scene.weighed();
        let mut groups: Vec<usize> = weighed.iter().map(|it| it.group).collect();
        for (place, it) in weighed.iter().enumerate() {
            prop_assert!(it.worth.is_finite() && it.expected_use >= 0);
            let earned = it.earns * scene.groups[it.group].unit;
            prop_assert!(f64::from(i32::try_from(it.expected_use).unwrap()) <= earned, "no more than there is: {:?}", it);
            // All but the usual group, which may stand ahead of those that lead it by little.
            for later in weighed.iter().skip(place + 1).filter(|_| Some(it.group) != scene.usual) {
                let days = |it: &Weighed| scene.groups[it.group].days;
                let key = |it: &Weighed| (it.worth, days(it), std::cmp::Reverse(it.group));
                prop_assert!(key(it) >= key(later), "{:?}", weighed);
            }
        }
        groups.sort_unstable();
        let of_shop = scene.groups.iter().enumerate().filter(|(_, it)| it.members.contains(&scene.shop));
        prop_assert_eq!(groups, of_shop.map(|(group, _)| group).collect::<Vec<_>>());
        prop_assert_eq!(&weighed, &scene.weighed());
    }

    #[test]
    fn the_usual_group_keeps_its_place_unless_another_leads_by_three_in_a_hundred(scene in scenes()) {
        let free = Scene { usual: None, ..scene.clone() }.weighed();
        for it in &free {
            let kept = Scene { usual: Some(it.group), ..scene.clone() }.weighed();
            let best = if free[0].worth < it.worth * 1.03 { it.group } else { free[0].group };
            prop_assert_eq!(kept[0].group, best);
            // Nothing but its place changes.
            for it in &kept {
                prop_assert!(free.contains(it));
            }
        }
    }

    #[test]
    fn reasons_are_true(scene in scenes()) {
        let weighed = scene.weighed();
        let others = |own: usize| weighed.iter().filter(move |it| it.group != own);
        for it in &weighed {
            let offer = &scene.groups[it.group];
            let (before, after) = (scene.balance(it.group), scene.balance(it.group) + it.earns);
            let has = |wanted: fn(&Reason) -> bool| it.reasons.iter().any(wanted);
            let given = scene.gives(it.group);
            let more = weighed.len() > 1 && given > 0.0 && others(it.group).all(|other| scene.gives(other.group) < given);
            prop_assert_eq!(has(|reason| *reason == Reason::HigherRate), more);
            let longer = weighed.len() > 1 && others(it.group).all(|other| scene.groups[other.group].days < offer.days);
            prop_assert_eq!(has(|reason| *reason == Reason::LongerValidity), longer);
            let serves = |plan: &Plan, group: usize| {
                scene.groups[group].members.contains(&plan.shop) && plan.days <= scene.groups[group].days
            };
            let told = |plan: &Plan| serves(plan, it.group) && others(it.group).any(|other| !serves(plan, other.group));
            let planned = it.earns > 0.0 && scene.plans.iter().any(told);
            prop_assert_eq!(has(|reason| matches!(reason, Reason::PlannedPurchase { .. })), planned);
            for reason in &it.reasons {
                match *reason {
                    Reason::CloseToMinimum { usable, now } => {
                        prop_assert!(before > 0.0 && before < offer.minimum && it.earns > 0.0);
                        prop_assert_eq!(now, after >= offer.minimum);
                        let of = if now { after } else { offer.minimum };
                        prop_assert_eq!(usable.to_string(), f64::floor(of * offer.unit).to_string());
                    }
                    Reason::ShopsYouVisit { shops, monthly_tenths } => {
                        prop_assert!((1..=offer.members.len()).contains(&(shops as usize)));
                        // Once in sixty days is five tenths a month.
                        prop_assert!(monthly_tenths >= 5 * shops);
                    }
                    Reason::PlannedPurchase { plan } => {
                        prop_assert!(told(&scene.plans[plan]) && !scene.plans[..plan].iter().any(told));
                    }
                    Reason::HigherRate | Reason::LongerValidity => {}
                }
            }
            let kinds = it.reasons.iter().map(std::mem::discriminant).collect::<Vec<_>>();
            prop_assert!(kinds.iter().enumerate().all(|(place, kind)| !kinds[..place].contains(kind)));
        }
    }

    #[test]
    fn a_purchase_of_nothing_is_expected_to_bring_nothing(scene in scenes()) {
        for it in (Scene { amount: 0.0, ..scene }).weighed() {
            if it.earns == 0.0 {
                prop_assert_eq!((it.expected_use, it.worth), (0, 0.0));
            }
        }
    }

    #[test]
    fn a_balance_that_this_purchase_makes_usable_never_lowers_what_the_purchase_is_good_for(
        scene in scenes(), short in 0.0..1.0,
    ) {
        for it in scene.weighed() {
            let offer = &scene.groups[it.group];
            if it.earns < 1.0 || offer.step > 1.0 || it.earns >= offer.minimum {
                continue;
            }
            let with = |units: f64| {
                let mut lots = vec![Vec::new(); scene.groups.len()];
                lots[it.group] = vec![Lot { days: offer.days, units }];
                // Nothing else is earned there: then it holds of every future, and so of their mean.
                let weighed = Scene { lots, ..scene.clone() }.weighed_by(|_, _, _| 0.0);
                weighed.into_iter().find(|other| other.group == it.group).map_or(0, |it| it.expected_use)
            };
            // So much that it is not enough without the purchase and is with it.
            let units = offer.minimum - 1.0 - f64::floor(short * (it.earns - 1.0));
            prop_assert!(with(units) >= with(0.0), "{} of {:?}: {} < {}", units, offer, with(units), with(0.0));
        }
    }

    #[test]
    fn numbers_that_nobody_means_are_weighed_without_a_panic(scene in odd_scenes()) {
        let weighed = scene.weighed();
        let of_shop = scene.groups.iter().filter(|it| scene.shop < scene.shops.len() && it.members.contains(&scene.shop));
        prop_assert!(weighed.len() >= of_shop.count());
        prop_assert!(weighed.iter().all(|it| it.expected_use >= 0));
    }
}
