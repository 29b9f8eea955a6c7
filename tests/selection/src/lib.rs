//! The choice of groups, played in towns: the same visits under every policy, measured against what hindsight could have
//! had. (A7, A8, docs/decisions/choice.md)
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a laboratory: counts and won far below 2^53"
)]
#![cfg_attr(test, expect(clippy::float_cmp, reason = "whole won, and figures that are equal if anything is"))]

pub mod chance;
pub mod choose;
pub mod generate;
pub mod hindsight;
pub mod moa;
pub mod play;
pub mod plot;
pub mod policy;
pub mod report;
pub mod search;
pub mod town;
pub mod trace;
