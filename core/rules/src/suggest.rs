//! What rate and validity suit a new group: a rate that pays for itself, and what it may cost. (A16)
//!
//! Of one won sold at the rate *r*, *r* is promised, the share *P* of it is ever used, and a used won costs the share *κ* of a
//! won: at the shop that gave it only what the goods cost, at another member's its face value. The rate is the highest with
//!
//! > *r* · max(*P*, 0.6) · *κ* ≤ budget × *weight* of the reach
//!
//! in steps of 0.1 %, within the bounds of the reach, and no higher than a narrower group alike would get. *P* and *κ* are
//! fractions of whole numbers, compared by cross-multiplying: the same on every platform, and nothing is rounded before it is
//! compared, so that what holds of the model holds of each figure. Why the constants are what they are:
//! `docs/decisions/0018-rate-suggestion.md`.

use crate::quantity::{BasisPoints, Money, OutOfRange};
use crate::refusal::Refusal;
use crate::terms::Scope;
use crate::time::Validity;

/// The most members that a suggestion is made for.
pub const MAX_MEMBERS: u32 = 100_000;
/// The largest minimum, in minor units.
pub const MAX_MINIMUM: Money = Money(1_000_000_000);
/// The most purchases that a suggestion counts until mileage can be used.
pub const MAX_PURCHASES: u16 = 100;
/// What a shop may put into mileage, in hundredths of a percent of its sales: 0.1 % to 20 %.
pub const BUDGETS: (u16, u16) = (10, 2_000);
/// What a shop may keep of a sale after its goods are paid, in hundredths of a percent: nothing to 95 %.
pub const MARGINS: (u16, u16) = (0, 9_500);
/// What a purchase may be, in minor units: 1 to 100 million.
pub const PURCHASES: (i64, i64) = (1, 100_000_000);
/// The sales that costs are told for, in minor units: a million won.
pub const SALES: Money = Money(1_000_000);

/// Of what shops put into mileage where they don't say: 3 % of their sales.
pub const BUDGET: u16 = 300;
/// What shops keep of a sale where they don't say: two thirds, as a café or a restaurant whose goods cost one third.
pub const MARGIN: u16 = 6_667;

/// The days after which someone who bought at a shop buys there again, on average: three weeks.
const HOME_DAYS: u128 = 21;
/// Of four units that could be used for ever, those that are: the fourth's owner has forgotten it, moved, or lost the phone.
const USED_IN_THE_END: (u128, u128) = (3, 4);
/// The share that is reckoned to be used where fewer would be: what a group promises it has to be able to keep.
const LEAST_USED: (u128, u128) = (3, 5);
/// Rates are multiples of so many basis points.
const STEP: u16 = 10;
/// The shorter of the lengths that are suggested, in months, and the members up to which each is long enough.
const SHORTER: [(u16, u32); 2] = [(3, 10), (6, 50)];
/// The longest that is suggested, in months.
const LONGEST: u16 = 12;

/// How far apart a group's shops are, nearest first: a scope, with the area split at walking distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// One building.
    Building,
    /// An area of up to 400 m.
    Street,
    /// A wider area.
    District,
    /// The shops of a trade, which are spread over a city.
    City,
    /// The country.
    Nationwide,
}

impl Reach {
    /// All, nearest first.
    pub const ALL: [Self; 5] = [Self::Building, Self::Street, Self::District, Self::City, Self::Nationwide];

    /// The metres across which an area is a street.
    pub const STREET_M: u32 = 400;

    /// The reach of a scope; of an area by the metres across it, a street if nobody said.
    pub fn of(scope: Scope, across_m: Option<u32>) -> Self {
        match scope {
            Scope::Building => Self::Building,
            Scope::Area if across_m.is_none_or(|metres| metres <= Self::STREET_M) => Self::Street,
            Scope::Area => Self::District,
            Scope::Industry => Self::City,
            Scope::Nationwide => Self::Nationwide,
        }
    }

    /// The lowest and the highest rate that is suggested, in basis points.
    pub const fn bounds(self) -> (u16, u16) {
        match self {
            Self::Building => (200, 1_000),
            Self::Street => (150, 700),
            Self::District => (100, 500),
            Self::City => (75, 350),
            Self::Nationwide => (50, 300),
        }
    }

    /// How many members a group is reckoned to get whose founder doesn't say.
    pub const fn members(self) -> u32 {
        match self {
            Self::Building => 5,
            Self::Street => 25,
            Self::District => 60,
            Self::City => 200,
            Self::Nationwide => 1_000,
        }
    }

    /// Percent of the budget that mileage is worth to a shop: it pays for what is used elsewhere only as far as that still brings
    /// it customers, who pass its door in the same building and hardly across the country.
    pub const fn weight(self) -> u8 {
        match self {
            Self::Building => 100,
            Self::Street => 84,
            Self::District => 70,
            Self::City => 55,
            Self::Nationwide => 40,
        }
    }

    /// How many other members draw a buyer as often, all together, as the shop that they came from.
    const fn as_much_as_home(self) -> u128 {
        match self {
            Self::Building => 16,
            Self::Street => 32,
            Self::District => 64,
            Self::City => 128,
            Self::Nationwide => 256,
        }
    }
}

/// From when on mileage can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Minimum {
    /// From a balance that is worth so much, in minor units, up to [`MAX_MINIMUM`].
    Balance(Money),
    /// After so many further purchases, up to [`MAX_PURCHASES`], whatever they earn: a card of stamps.
    Purchases(u16),
}

/// A group that is about to be founded, as far as its rate depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuggestInput {
    /// How far apart its shops are.
    pub reach: Reach,
    /// How many shops it is expected to have, 1..=100 000.
    pub members: u32,
    /// How long its mileage can be used.
    pub validity: Validity,
    /// From when on.
    pub minimum: Minimum,
    /// What is usually spent at once, in minor units, 1..=100 000 000.
    pub purchase: Money,
    /// What a shop puts into mileage, in hundredths of a percent of its sales, 10..=2 000.
    pub budget: u16,
    /// What a shop keeps of a sale after its goods are paid, in hundredths of a percent, 0..=9 500.
    pub margin: u16,
}

impl SuggestInput {
    /// What a founder who says nothing else is taken to mean: as many members as such groups have, 3 % of the sales, a margin of two
    /// thirds, a minimum of a tenth of a purchase; twelve months, until another validity is chosen.
    pub fn new(reach: Reach, purchase: Money) -> Self {
        Self {
            reach,
            members: reach.members(),
            validity: Validity::Months(LONGEST),
            minimum: Minimum::Balance(Money(purchase.0 / 10)),
            purchase,
            budget: BUDGET,
            margin: MARGIN,
        }
    }

    /// The same, with the validity that is suggested for it.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn at_suggested_validity(self) -> Result<Self, Refusal> {
        self.check()?;
        Ok(Self { validity: validity(&self).0, ..self })
    }

    /// Refuses figures that no suggestion is made for.
    ///
    /// # Errors
    /// `bad_terms`, with the field and its limits: `members`, `validity`, `minimum`, `purchase`, `budget`, `margin`.
    pub fn check(&self) -> Result<(), Refusal> {
        let within = |field: &str, value: i64, min: i64, max: i64| {
            if (min..=max).contains(&value) {
                return Ok(());
            }
            Err(Refusal::BadTerms { field: field.to_owned(), min, max })
        };
        within("members", self.members.into(), 1, MAX_MEMBERS.into())?;
        self.validity.check().map_err(|OutOfRange { min, max, .. }| Refusal::BadTerms {
            field: "validity".to_owned(),
            min,
            max,
        })?;
        within("purchase", self.purchase.0, PURCHASES.0, PURCHASES.1)?;
        match self.minimum {
            Minimum::Balance(least) => within("minimum", least.0, 0, MAX_MINIMUM.0)?,
            Minimum::Purchases(further) => within("minimum", further.into(), 0, MAX_PURCHASES.into())?,
        }
        within("budget", self.budget.into(), BUDGETS.0.into(), BUDGETS.1.into())?;
        within("margin", self.margin.into(), MARGINS.0.into(), MARGINS.1.into())
    }
}

/// A bound of the reach that keeps the rate from what the budget alone would give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The lowest: the budget would give less, and is exceeded.
    Lowest,
    /// The highest: the budget would give more, and is not used up.
    Highest,
}

/// What a rate costs a shop of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// How much of the mileage is ever used, in hundredths of a percent, rounded (*P*).
    pub used: u16,
    /// How much of what is used is used at the shop that gave it, in hundredths of a percent, rounded.
    pub at_home: u16,
    /// What a used unit costs, in hundredths of a percent of its value, rounded (*κ*).
    pub per_used: u16,
    /// What a million won of sales costs on average, in minor units, rounded up.
    pub mean: Money,
    /// What it costs at most: if everything were used, and at other members'.
    pub worst: Money,
}

/// Why a suggestion is what it is, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// How near the shops are, and so how much of the budget is worth spending.
    Reach {
        /// How far apart they are.
        reach: Reach,
        /// Percent of the budget.
        weight: u8,
    },
    /// So much of what is used will be used at the shop that gave it, where it costs the goods alone.
    AtHome {
        /// In hundredths of a percent.
        share: u16,
    },
    /// So much will be used within the validity.
    Used {
        /// In hundredths of a percent.
        share: u16,
    },
    /// Fewer will be used, but so much is reckoned with.
    Reckoned {
        /// In hundredths of a percent.
        share: u16,
    },
    /// A narrower group alike would be given no more.
    NoMoreThan(Reach),
    /// No lower rate is suggested for the reach; the budget would give less.
    Lowest(BasisPoints),
    /// No higher rate is suggested for the reach; the budget would give more.
    Highest(BasisPoints),
    /// The suggested validity: what groups of that size have.
    ValidityOfSize {
        /// How many members.
        members: u32,
    },
    /// The suggested validity: who buys at one shop only comes to the minimum, and back, after so many days.
    ValidityForMinimum {
        /// Days, rounded up.
        days: u32,
    },
}

/// A rate and a validity for a new group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The rate at the validity that was asked for: what comes back of a purchase.
    pub rate: BasisPoints,
    /// The validity that suits the group; the rate is that of the one asked for.
    pub validity: Validity,
    /// The bound that keeps the rate, if one does.
    pub bound: Option<Bound>,
    /// What the rate costs.
    pub cost: Cost,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// The rate that suits a group, and the validity.
///
/// The rate never rises with a wider reach, more members or a longer validity, and never falls with a larger budget, margin or
/// minimum. The mean cost is within the budget, unless the lowest bound keeps it.
///
/// # Errors
/// As [`SuggestInput::check`].
pub fn suggest(input: &SuggestInput) -> Result<Suggestion, Refusal> {
    input.check()?;
    Ok(suggested(input))
}

/// What a founder's own rate costs.
///
/// # Errors
/// As [`SuggestInput::check`].
pub fn cost(input: &SuggestInput, rate: BasisPoints) -> Result<Cost, Refusal> {
    input.check()?;
    Ok(Odds::of(input, rate.get()).cost())
}

/// [`suggest`], of figures that were checked.
pub(crate) fn suggested(input: &SuggestInput) -> Suggestion {
    let Alone { rate: own, bound } = alone(input);
    let (rate, kept_by) = narrowest(input);
    // A narrower group can only have lowered it, and then no bound of this reach keeps it.
    let bound = bound.filter(|_| rate == own);
    let odds = Odds::of(input, rate);
    let cost = odds.cost();
    let bp = |rate| BasisPoints::new(rate).unwrap_or(BasisPoints::LEAST);

    let mut reasons = vec![
        Reason::Reach { reach: input.reach, weight: input.reach.weight() },
        Reason::AtHome { share: cost.at_home },
        Reason::Used { share: cost.used },
    ];
    if odds.used.is_less_than(LEAST_USED) {
        reasons.push(Reason::Reckoned { share: share(LEAST_USED.0, LEAST_USED.1) });
    }
    if rate < own {
        reasons.push(Reason::NoMoreThan(kept_by));
    }
    match bound {
        Some(Bound::Lowest) => reasons.push(Reason::Lowest(bp(rate))),
        Some(Bound::Highest) => reasons.push(Reason::Highest(bp(rate))),
        None => {}
    }
    let (validity, why) = validity(input);
    reasons.push(why);
    Suggestion { rate: bp(rate), validity, bound, cost, reasons }
}

/// A rate in basis points, and the bound that keeps it.
struct Alone {
    rate: u16,
    bound: Option<Bound>,
}

/// What a reach would be given if there were no other: the highest multiple of the step, within the bounds, that the budget pays for.
fn alone(input: &SuggestInput) -> Alone {
    let (lowest, highest) = input.reach.bounds();
    let pays = |rate: u16| Odds::of(input, rate).within_budget();
    // The cost rises with the rate, strictly: halve what is left between one that is paid for and one that is not.
    let (mut paid, mut unpaid) = (lowest / STEP, highest / STEP + 1);
    while paid + 1 < unpaid {
        let middle = paid.midpoint(unpaid);
        if pays(middle * STEP) { paid = middle } else { unpaid = middle }
    }
    let rate = (paid * STEP).clamp(lowest, highest);
    let bound = if rate == lowest && !pays(lowest) {
        Some(Bound::Lowest)
    } else if rate == highest && pays(highest + STEP) {
        Some(Bound::Highest)
    } else {
        None
    };
    Alone { rate, bound }
}

/// The lowest of what this reach and each narrower one would be given, and the widest reach that keeps it there: so no narrower group
/// alike gets less.
fn narrowest(input: &SuggestInput) -> (u16, Reach) {
    let mut lowest = (u16::MAX, input.reach);
    for reach in Reach::ALL.into_iter().take_while(|reach| *reach <= input.reach) {
        let rate = alone(&SuggestInput { reach, ..*input }).rate;
        if rate <= lowest.0 {
            lowest = (rate, reach);
        }
    }
    lowest
}

/// The shortest validity that groups of that size have, and in which someone who buys at one shop only comes to the minimum, and back.
///
/// It never shortens with a wider reach, more members or a larger minimum, and never lengthens with a larger budget or margin.
pub(crate) fn validity(input: &SuggestInput) -> (Validity, Reason) {
    let of_size = SHORTER.into_iter().filter(|(_, most)| input.members <= *most).map(|(months, _)| months);
    let mut why = Reason::ValidityOfSize { members: input.members };
    for months in of_size {
        let validity = Validity::Months(months);
        let at = SuggestInput { validity, ..*input };
        let days = Need::of(&at, narrowest(&at).0).days_at_home();
        if days <= validity.rough_days() {
            return (validity, why);
        }
        why = Reason::ValidityForMinimum { days };
    }
    (Validity::Months(LONGEST), why)
}

/// A share, as a fraction of whole numbers.
#[derive(Debug, Clone, Copy)]
struct Fraction(u128, u128);

impl Fraction {
    fn is_less_than(self, (num, den): (u128, u128)) -> bool {
        self.0 * den < num * self.1
    }
}

/// So many hundredths of a percent, rounded.
fn share(num: u128, den: u128) -> u16 {
    u16::try_from((num * 20_000 + den) / (2 * den)).unwrap_or(BasisPoints::MAX)
}

/// The purchases that it takes to use what the first of them earned: that one and the further ones to the minimum, as a fraction.
struct Need(Fraction);

impl Need {
    fn of(input: &SuggestInput, rate: u16) -> Self {
        match input.minimum {
            Minimum::Purchases(further) => Self(Fraction(u128::from(further) + 1, 1)),
            Minimum::Balance(least) => {
                let earned = u128::from(rate) * positive(input.purchase);
                let all = earned + u128::from(BasisPoints::MAX) * positive(least);
                Self(Fraction(all, earned))
            }
        }
    }

    /// The days that they take at one shop, rounded up.
    fn days_at_home(&self) -> u32 {
        u32::try_from((HOME_DAYS * self.0.0).div_ceil(self.0.1)).unwrap_or(u32::MAX)
    }
}

/// Money that was checked to be no debt.
fn positive(money: Money) -> u128 {
    u128::try_from(money.0).unwrap_or(0)
}

/// What becomes of mileage at a rate. With every figure at its limit each product stays below 2^121.
struct Odds<'a> {
    input: &'a SuggestInput,
    rate: u128,
    /// *P*.
    used: Fraction,
    /// How much of what is used is used at the shop that gave it.
    at_home: Fraction,
    /// *κ*.
    per_used: Fraction,
}

impl<'a> Odds<'a> {
    fn of(input: &'a SuggestInput, rate: u16) -> Self {
        let home = input.reach.as_much_as_home();
        let group = home + u128::from(input.members) - 1;
        let max = u128::from(BasisPoints::MAX);
        let at_home = Fraction(home, group);
        let per_used = Fraction(max * group - u128::from(input.margin) * home, max * group);
        // How long the validity is against the wait for the minimum and one more visit: visits to the group are to those at home as
        // `group` to `home`.
        let Need(Fraction(all, one)) = Need::of(input, rate);
        let validity = u128::from(input.validity.rough_days()) * group * one;
        let wait = HOME_DAYS * home * all;
        let (some, of) = USED_IN_THE_END;
        let used = Fraction(some * validity, of * (validity + wait));
        Self { input, rate: rate.into(), used, at_home, per_used }
    }

    fn within_budget(&self) -> bool {
        let Fraction(used, of) =
            if self.used.is_less_than(LEAST_USED) { Fraction(LEAST_USED.0, LEAST_USED.1) } else { self.used };
        let (cost, unit) = (self.rate * used * self.per_used.0 * 100, of * self.per_used.1);
        cost <= u128::from(self.input.budget) * u128::from(self.input.reach.weight()) * unit
    }

    fn cost(&self) -> Cost {
        // A basis point of a million is a hundred.
        let sales = positive(SALES) / u128::from(BasisPoints::MAX);
        let mean =
            (self.rate * sales * self.used.0 * self.per_used.0).div_ceil(self.used.1 * self.per_used.1);
        let money = |amount: u128| Money(i64::try_from(amount).unwrap_or(i64::MAX));
        Cost {
            used: share(self.used.0, self.used.1),
            at_home: share(self.at_home.0, self.at_home.1),
            per_used: share(self.per_used.0, self.per_used.1),
            mean: money(mean),
            worst: money(self.rate * sales),
        }
    }
}
