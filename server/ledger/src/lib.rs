//! The ledger: the engine that commits ops, and the stores that keep what was decided.
//!
//! `moa-rules` decides; this crate loads what a decision needs to see, and saves what follows from it, in one
//! transaction. No HTTP, no pages. Personal data ([`store::People`]) is kept beside the journal, never in it.

pub mod store;
