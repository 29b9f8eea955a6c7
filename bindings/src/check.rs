//! For whoever ports or ships the library: the choice gives the same to the bit on every platform.

use moa_rules::choice::golden;

/// The most decisions of one call.
const MOST: u32 = 10_000;

/// The first decisions of a made-up town, a line each, at most 10,000: equal on every platform to those in
/// `core/rules/tests/choice/decisions.txt`.
#[uniffi::export]
pub fn choice_decisions(count: u32) -> Vec<String> {
    let count = usize::try_from(count.min(MOST)).unwrap_or(0);
    golden::decisions(count).collect()
}
