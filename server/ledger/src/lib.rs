//! The ledger: the engine that commits ops, and the stores that keep what was decided.
//!
//! `moa-rules` decides; this crate loads what a decision needs to see, and saves what follows from it, in one
//! transaction. No HTTP, no pages. Personal data ([`store::People`]) is kept beside the journal, never in it.
//!
//! | room | what lives there |
//! |---|---|
//! | [`store`] | what a store must do |
//! | [`batch`] | load, decide, save: the same for every store |
//! | [`tables`] | the live tables in memory: the memory store's, and what a rebuild makes |
//! | [`memory`], [`sqlite`], [`postgres`] | the stores |
//! | [`engine`] | the committer: gathers what waits, commits it, answers |
//! | [`watch`] | who waits for something new in an inbox |
//! | [`journal`] | what a store gives to be proved or written anew: one whole state of it |
//! | [`replay`] | the journal's events in an order that agrees with every inbox |
//! | [`copy`] | a store written anew from another's journal |
//! | [`verify`] | proves the live tables from the journal |

pub mod batch;
pub mod copy;
pub mod engine;
pub mod given;
pub mod journal;
pub mod memory;
mod migrated;
pub mod postgres;
pub mod reach;
pub mod replay;
mod rows;
pub mod search;
pub mod sqlite;
pub mod store;
pub mod sweep;
pub mod system;
pub mod tables;
pub mod verify;
pub mod watch;
