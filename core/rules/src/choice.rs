//! Which group of a shop is worth most to one buyer, and why. (A7, A8, docs/decisions/choice.md)
//!
//! What a buyer will get out of mileage hangs on where they are going to buy. [`visits`] learns that from their own
//! purchases, on their own phone; [`outlook`] reckons how likely a group's minimum is reached and its mileage used before it
//! expires; [`weigh`] puts the shop's groups in order and says why. Nothing but the terms, the
//! places and the buyer's own purchases goes in: no shop and no operator has anything to set that moves a group up.
//!
//! Equal to the bit wherever it runs: doubles in a fixed order, `libm` for exponentials and logarithms, no clock and no
//! chance.

pub mod around;
pub mod golden;
pub mod outlook;
pub mod visits;
pub mod weigh;

use std::cmp::Reverse;

use crate::group::TermsVersion;
use crate::quantity::Money;
use crate::terms::Terms;

/// The key by which terms stand in order of what they give for `amount`: smaller is better. Points stand in order of their
/// rates, whatever the amount. What the server goes by, which does not know the buyer's visits.
pub fn by_rate(version: &TermsVersion, amount: Money) -> impl Ord + use<> {
    let Terms { validity, .. } = &version.terms;
    (Reverse(version.terms.gives(amount)), Reverse(validity.rough_days()), version.group)
}
