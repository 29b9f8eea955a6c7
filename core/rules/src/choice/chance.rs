//! Possible futures, the same ones every time: each step of each future draws from its own stratum of the unit interval, so
//! that a few dozen futures are spread as evenly as thousands of random ones.

use std::sync::LazyLock;

/// Possible futures that are played.
pub const FUTURES: usize = 64;
/// The most visits of one future.
pub const STEPS: usize = 128;

/// How unevenly purchases at one shop come out: the spread of the logarithm of their amounts.
const SPREAD: f64 = 0.45;

/// What is drawn for one visit.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    /// The wait since the visit before, in mean waits.
    pub wait: f64,
    /// The amount, in usual ones.
    pub amount: f64,
    /// Which shop, as a share of all visits to the group's members.
    pub shop: f64,
    /// Whether mileage is used.
    pub attentive: f64,
    /// Which of the shop's groups is chosen.
    pub choice: f64,
}

/// The draws of all futures.
pub struct Chances {
    draws: Vec<Draw>,
    /// One normal deviate a future: how much more or less often than expected the buyer comes in it.
    deviates: Vec<f64>,
}

/// Computed once, at the first choice.
pub static CHANCES: LazyLock<Chances> = LazyLock::new(Chances::new);

impl Chances {
    fn new() -> Self {
        let mut source = Source::new(0);
        let none = Draw { wait: 0.0, amount: 0.0, shop: 0.0, attentive: 0.0, choice: 0.0 };
        let mut draws = vec![none; FUTURES * STEPS];
        for step in 0..STEPS {
            let columns: [[f64; FUTURES]; 5] = std::array::from_fn(|_| source.strata());
            for (future, draw) in draws.iter_mut().skip(step).step_by(STEPS).enumerate() {
                *draw = Draw {
                    wait: -libm::log(1.0 - columns[0][future]),
                    amount: libm::exp(SPREAD * normal(columns[1][future])),
                    shop: columns[2][future],
                    attentive: columns[3][future],
                    choice: columns[4][future],
                };
            }
        }
        Self { draws, deviates: source.strata().map(normal).to_vec() }
    }

    /// The futures, each with its deviate and its visits' draws.
    pub fn futures(&self) -> impl Iterator<Item = (f64, &[Draw])> {
        self.deviates.iter().copied().zip(self.draws.chunks_exact(STEPS))
    }
}

/// `SplitMix64`. (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)
pub(super) struct Source(u64);

impl Source {
    /// The same number, the same sequence.
    pub(super) fn new(number: u64) -> Self {
        Self(0x6d6f_6100 ^ number.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly in 0..1.
    pub(super) fn unit(&mut self) -> f64 {
        u32::try_from(self.next() >> 32).map_or(0.0, f64::from) / 4_294_967_296.0
    }

    /// Evenly among `0..count`; `count` above zero.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let bound = u64::try_from(count).unwrap_or(1).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// The middles of equal parts of the unit interval, in a shuffled order.
    fn strata(&mut self) -> [f64; FUTURES] {
        let mut order: [usize; FUTURES] = std::array::from_fn(|index| index);
        for index in (1..FUTURES).rev() {
            let other = self.below(index + 1);
            order.swap(index, other);
        }
        order.map(|index| {
            let index = u32::try_from(index).map_or(0.0, f64::from);
            (index + 0.5) / u32::try_from(FUTURES).map_or(1.0, f64::from)
        })
    }
}

/// The normal deviate below which a share `p` of all lies; 0 < p < 1, to nine digits. (P. J. Acklam's approximation)
fn normal(p: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416];
    const TAIL: f64 = 0.024_25;
    let horner = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    if p > 1.0 - TAIL {
        return -normal(1.0 - p);
    }
    if p < TAIL {
        let q = libm::sqrt(-2.0 * libm::log(p));
        return horner(&C, q) / (horner(&D, q) * q + 1.0);
    }
    let (q, r) = (p - 0.5, (p - 0.5) * (p - 0.5));
    horner(&A, r) * q / (horner(&B, r) * r + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_the_futures_is_spread_evenly() {
        for step in 0..STEPS {
            let mut shops: Vec<f64> = CHANCES.futures().map(|(_, draws)| draws[step].shop).collect();
            shops.sort_by(f64::total_cmp);
            for (stratum, shop) in shops.iter().enumerate() {
                let stratum = f64::from(u32::try_from(stratum).expect("few"));
                assert!((shop - (stratum + 0.5) / 64.0).abs() < 1e-12, "step {step}");
            }
        }
    }

    #[test]
    fn deviates_are_those_of_the_normal_distribution() {
        for (p, deviate) in [(0.5, 0.0), (0.841_344_746, 1.0), (0.977_249_868, 2.0), (0.001_349_898, -3.0)] {
            assert!((normal(p) - deviate).abs() < 1e-6, "{p}: {}", normal(p));
        }
    }
}
