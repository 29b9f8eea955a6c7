//! The suggestion of a rate: its six monotonicities, the figures known to be good, the budget, the narrower group.

use moa_rules::quantity::{BasisPoints, Money};
use moa_rules::refusal::Refusal;
use moa_rules::suggest::{
    Bound, MAX_MEMBERS, Minimum, Reach, Reason, SALES, SuggestInput, Suggestion, cost, suggest,
};
use moa_rules::terms::Scope;
use moa_rules::time::Validity;
use proptest::prelude::*;
use proptest::sample::select;

/// What is usually spent at once.
const PURCHASE: Money = Money(10_000);

fn of(input: &SuggestInput) -> Suggestion {
    suggest(input).unwrap()
}

fn rate(input: &SuggestInput) -> u16 {
    of(input).rate.get()
}

fn months(suggestion: &Suggestion) -> u16 {
    match suggestion.validity {
        Validity::Months(months) => months,
        Validity::Days(_) => panic!("{suggestion:?}"),
    }
}

fn group(reach: Reach, members: u32, months: u16) -> SuggestInput {
    SuggestInput { members, validity: Validity::Months(months), ..SuggestInput::new(reach, PURCHASE) }
}

fn validities() -> impl Strategy<Value = Validity> {
    prop_oneof![(1u16..=120).prop_map(Validity::Months), (1u16..=3_660).prop_map(Validity::Days)]
}

/// As days, which order months and days alike.
fn days(validity: Validity) -> u32 {
    match validity {
        Validity::Months(months) => u32::from(months) * 3_044 / 100,
        Validity::Days(days) => days.into(),
    }
}

/// Few members as often as many, and everything up to its limit.
fn members() -> impl Strategy<Value = u32> {
    prop_oneof![1u32..=60, 1u32..=2_000, 1..=MAX_MEMBERS]
}

fn balances() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0i64), 0i64..=5_000, 0i64..=200_000, 0i64..=1_000_000_000]
}

fn minimums() -> impl Strategy<Value = Minimum> {
    prop_oneof![
        4 => balances().prop_map(|least| Minimum::Balance(Money(least))),
        1 => (0u16..=100).prop_map(Minimum::Purchases),
    ]
}

prop_compose! {
    fn inputs()(
        reach in select(Reach::ALL.to_vec()),
        members in members(),
        validity in validities(),
        minimum in minimums(),
        purchase in prop_oneof![3 => 1_000i64..=100_000, 1 => 1i64..=100_000_000],
        budget in prop_oneof![3 => 100u16..=600, 1 => 10u16..=2_000],
        margin in prop_oneof![3 => 3_000u16..=9_000, 1 => 0u16..=9_500],
    ) -> SuggestInput {
        SuggestInput { reach, members, validity, minimum, purchase: Money(purchase), budget, margin }
    }
}

/// Of two, the smaller first.
fn sorted<T: PartialOrd>(one: T, other: T) -> (T, T) {
    if one <= other { (one, other) } else { (other, one) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_wider_reach_never_raises_the_rate(input in inputs(), other in select(Reach::ALL.to_vec())) {
        let (near, far) = sorted(input.reach, other);
        let [near, far] = [near, far].map(|reach| of(&SuggestInput { reach, ..input }));
        prop_assert!(far.rate <= near.rate, "{near:?} {far:?}");
        prop_assert!(months(&far) >= months(&near), "{near:?} {far:?}");
    }

    #[test]
    fn more_members_never_raise_the_rate(input in inputs(), other in members()) {
        let (few, many) = sorted(input.members, other);
        let [few, many] = [few, many].map(|members| of(&SuggestInput { members, ..input }));
        prop_assert!(many.rate <= few.rate, "{few:?} {many:?}");
        prop_assert!(months(&many) >= months(&few), "{few:?} {many:?}");
    }

    #[test]
    fn a_longer_validity_never_raises_the_rate(input in inputs(), other in validities()) {
        let [one, other] = [input.validity, other];
        let (short, long) = if days(one) <= days(other) { (one, other) } else { (other, one) };
        let [short, long] = [short, long].map(|validity| of(&SuggestInput { validity, ..input }));
        prop_assert!(long.rate <= short.rate, "{short:?} {long:?}");
        prop_assert_eq!(long.validity, short.validity, "what is suggested does not depend on what was asked for");
    }

    #[test]
    fn a_larger_budget_never_lowers_the_rate(input in inputs(), other in 10u16..=2_000) {
        let (small, large) = sorted(input.budget, other);
        let [small, large] = [small, large].map(|budget| of(&SuggestInput { budget, ..input }));
        prop_assert!(large.rate >= small.rate, "{small:?} {large:?}");
        prop_assert!(months(&large) <= months(&small), "{small:?} {large:?}");
    }

    #[test]
    fn a_larger_margin_never_lowers_the_rate(input in inputs(), other in 0u16..=9_500) {
        let (small, large) = sorted(input.margin, other);
        let [small, large] = [small, large].map(|margin| of(&SuggestInput { margin, ..input }));
        prop_assert!(large.rate >= small.rate, "{small:?} {large:?}");
        prop_assert!(months(&large) <= months(&small), "{small:?} {large:?}");
    }

    #[test]
    fn a_larger_minimum_never_lowers_the_rate(input in inputs(), one in balances(), other in balances()) {
        let (low, high) = sorted(one, other);
        let [low, high] =
            [low, high].map(|least| of(&SuggestInput { minimum: Minimum::Balance(Money(least)), ..input }));
        prop_assert!(high.rate >= low.rate, "{low:?} {high:?}");
        prop_assert!(months(&high) >= months(&low), "{low:?} {high:?}");
    }

    #[test]
    fn more_purchases_to_the_first_use_never_lower_the_rate(input in inputs(), one in 0u16..=100, other in 0u16..=100) {
        let (few, many) = sorted(one, other);
        let [few, many] =
            [few, many].map(|further| of(&SuggestInput { minimum: Minimum::Purchases(further), ..input }));
        prop_assert!(many.rate >= few.rate, "{few:?} {many:?}");
    }

    #[test]
    fn the_mean_cost_is_within_the_budget_or_a_bound_is_said(input in inputs()) {
        let suggestion = of(&input);
        let budget = i64::from(input.budget) * SALES.0 / 10_000;
        let Suggestion { rate, bound, cost, ref reasons, .. } = suggestion;
        prop_assert!(cost.mean.0 <= budget || bound == Some(Bound::Lowest), "{suggestion:?}");
        let said = reasons.iter().find_map(|reason| match reason {
            Reason::Lowest(at) => Some((Bound::Lowest, *at)),
            Reason::Highest(at) => Some((Bound::Highest, *at)),
            _ => None,
        });
        prop_assert_eq!(said, bound.map(|bound| (bound, rate)));
    }

    #[test]
    fn a_step_more_would_exceed_the_budget_or_something_is_said_to_keep_the_rate(input in inputs()) {
        let suggestion = of(&input);
        let kept = suggestion.reasons.iter().any(|reason| {
            matches!(reason, Reason::NoMoreThan(_) | Reason::Lowest(_) | Reason::Highest(_) | Reason::Reckoned { .. })
        });
        let more = BasisPoints::new(suggestion.rate.get() + 10).unwrap();
        let allowed = i64::from(input.budget) * i64::from(input.reach.weight()) * SALES.0 / 1_000_000;
        prop_assert!(kept || cost(&input, more).unwrap().mean.0 > allowed, "{suggestion:?}");
    }

    #[test]
    fn rates_are_within_the_bounds_and_in_steps_of_a_tenth_of_a_percent(input in inputs()) {
        let (lowest, highest) = input.reach.bounds();
        let rate = rate(&input);
        prop_assert!((lowest..=highest).contains(&rate));
        prop_assert!(rate.is_multiple_of(10) || rate == lowest, "{rate}");
    }

    #[test]
    fn no_rate_costs_more_than_its_worst_case(input in inputs(), bp in 1u16..=10_000) {
        let cost = cost(&input, BasisPoints::new(bp).unwrap()).unwrap();
        prop_assert!((1..=cost.worst.0).contains(&cost.mean.0), "{cost:?}");
        prop_assert_eq!(cost.worst.0, i64::from(bp) * 100);
        prop_assert!(cost.used <= 7_500 && cost.at_home <= 10_000 && cost.per_used <= 10_000, "{cost:?}");
    }
}

#[test]
fn the_figures_known_to_be_good_are_hit() {
    for (reach, members, months, known) in
        [(Reach::Building, 6, 12, 880), (Reach::Street, 25, 24, 560), (Reach::Nationwide, 1_000, 60, 180)]
    {
        let suggestion = of(&group(reach, members, months));
        assert_eq!((suggestion.rate.get(), suggestion.bound), (known, None), "{reach:?}");
    }
}

#[test]
fn a_founder_who_says_nothing_is_suggested_most_in_a_building_and_longest_in_the_country() {
    let said = Reach::ALL.map(|reach| {
        let input = SuggestInput::new(reach, PURCHASE).at_suggested_validity().unwrap();
        let suggestion = of(&input);
        assert_eq!(suggestion.validity, input.validity);
        (suggestion.rate.get(), months(&suggestion), suggestion.bound)
    });
    assert_eq!(
        said,
        [(1_000, 3, Some(Bound::Highest)), (610, 6, None), (460, 12, None), (320, 12, None), (190, 12, None)]
    );
}

#[test]
fn the_costs_of_a_building_of_six_are_those_of_the_model_by_hand() {
    // At home 16 of 21; a used won costs 1 − 2/3 × 16/21; of three quarters, 365 days against 21 × 16/21 × (1 + 1000/880).
    let cost = of(&group(Reach::Building, 6, 12)).cost;
    assert_eq!((cost.at_home, cost.per_used, cost.used), (7_619, 4_920, 6_858));
    assert_eq!((cost.mean, cost.worst), (Money(29_694), Money(88_000)));
}

#[test]
fn no_narrower_group_gets_less_than_a_wider_one() {
    // With so large a margin a street, whose buyers stay at home more, would alone be given more than a building.
    let wide = SuggestInput { margin: 9_000, ..group(Reach::Street, 60, 12) };
    let near = SuggestInput { reach: Reach::Building, ..wide };
    let (wide, near) = (of(&wide), of(&near));
    assert_eq!(wide.rate, near.rate);
    assert!(wide.reasons.contains(&Reason::NoMoreThan(Reach::Building)), "{wide:?}");
    assert!(wide.cost.mean.0 < near.cost.mean.0, "it costs less than its budget");
}

#[test]
fn what_few_will_use_is_reckoned_as_if_more_did() {
    let [far, farther] = [50_000, 500_000].map(|least| {
        of(&SuggestInput { minimum: Minimum::Balance(Money(least)), ..group(Reach::Street, 25, 3) })
    });
    // 0.84 × 3 % of the sales, at 0.6 × (1 − 2/3 × 32/56), however far the minimum is.
    for suggestion in [&far, &farther] {
        assert_eq!((suggestion.rate.get(), suggestion.bound), (670, None), "{suggestion:?}");
    }
    assert!(far.cost.used < 6_000 && far.reasons.contains(&Reason::Reckoned { share: 6_000 }), "{far:?}");
}

#[test]
fn small_groups_are_suggested_three_months_large_ones_twelve_and_whoever_has_far_to_a_minimum_longer() {
    let suggested = |members, least: i64| {
        let minimum = Minimum::Balance(Money(least));
        of(&SuggestInput { minimum, ..group(Reach::Building, members, 1) })
    };
    for (members, length) in [(1, 3), (10, 3), (11, 6), (50, 6), (51, 12), (MAX_MEMBERS, 12)] {
        let suggestion = suggested(members, 500);
        assert_eq!(months(&suggestion), length, "{members}");
        assert!(suggestion.reasons.contains(&Reason::ValidityOfSize { members }), "{suggestion:?}");
    }
    for (least, length, days) in [(2_000, 3, None), (5_000, 6, Some(126)), (30_000, 12, Some(651))] {
        let suggestion = suggested(5, least);
        assert_eq!(months(&suggestion), length, "{least}");
        let waited = suggestion.reasons.iter().find_map(|reason| match reason {
            Reason::ValidityForMinimum { days } => Some(*days),
            _ => None,
        });
        assert_eq!(waited, days, "{least}");
    }
}

#[test]
fn an_area_is_a_street_as_far_as_people_walk() {
    let reach = |across| Reach::of(Scope::Area, across);
    assert_eq!([None, Some(0), Some(400)].map(reach), [Reach::Street; 3]);
    assert_eq!(reach(Some(401)), Reach::District);
    for (scope, reach) in [
        (Scope::Building, Reach::Building),
        (Scope::Industry, Reach::City),
        (Scope::Nationwide, Reach::Nationwide),
    ] {
        assert_eq!([None, Some(5_000)].map(|across| Reach::of(scope, across)), [reach; 2]);
    }
}

#[test]
fn figures_beyond_their_limits_are_refused_by_name() {
    let known = group(Reach::Building, 6, 12);
    let balance = |least| Minimum::Balance(Money(least));
    let cases = [
        (SuggestInput { members: 0, ..known }, "members"),
        (SuggestInput { members: MAX_MEMBERS + 1, ..known }, "members"),
        (SuggestInput { validity: Validity::Months(0), ..known }, "validity"),
        (SuggestInput { validity: Validity::Days(3_661), ..known }, "validity"),
        (SuggestInput { minimum: balance(-1), ..known }, "minimum"),
        (SuggestInput { minimum: balance(1_000_000_001), ..known }, "minimum"),
        (SuggestInput { minimum: Minimum::Purchases(101), ..known }, "minimum"),
        (SuggestInput { purchase: Money(0), ..known }, "purchase"),
        (SuggestInput { purchase: Money(100_000_001), ..known }, "purchase"),
        (SuggestInput { budget: 9, ..known }, "budget"),
        (SuggestInput { budget: 2_001, ..known }, "budget"),
        (SuggestInput { margin: 9_501, ..known }, "margin"),
    ];
    for (input, wrong) in cases {
        let named = |refusal| matches!(refusal, Refusal::BadTerms { field, .. } if field == wrong);
        assert!(suggest(&input).is_err_and(named), "{wrong}");
        assert!(cost(&input, BasisPoints::LEAST).is_err_and(named), "{wrong}");
        assert!(input.at_suggested_validity().is_err_and(named), "{wrong}");
    }
}

#[test]
fn every_figure_at_its_limit_is_still_reckoned_exactly() {
    let largest = SuggestInput {
        reach: Reach::Nationwide,
        members: MAX_MEMBERS,
        validity: Validity::Days(3_660),
        minimum: Minimum::Balance(Money(1_000_000_000)),
        purchase: Money(100_000_000),
        budget: 2_000,
        margin: 0,
    };
    let cost = cost(&largest, BasisPoints::new(BasisPoints::MAX).unwrap()).unwrap();
    assert_eq!((cost.worst, cost.per_used), (SALES, 10_000));
    assert_eq!(rate(&largest), 300);
}
