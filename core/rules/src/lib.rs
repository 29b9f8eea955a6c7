//! The rules of mileage: the domain's types and every decision, pure.
//!
//! One implementation serves phone, server and statement, so that they always agree. Nothing here knows a clock,
//! a disk, a network or a random source: the caller passes in what it needs to know and does what was decided.
//! Bytes, signatures and texts belong to `moa-wire` and `moa-words`.
//!
//! A write arrives as an [`op::Op`]. [`decide::decide`] looks at a [`view::View`] of what is known and answers with a
//! [`decide::Decision`] (events), a [`refusal::Refusal`], or the keys that it still needs to see. An
//! [`event::Event`] changes state by [`state::apply`] and the books by [`books::postings`]; both are functions of the
//! event alone and what it names, so replaying the events gives the same tables again.
//!
//! `docs/rules.md` numbers each rule and names the module that keeps it.

pub mod account;
pub mod adjustment;
pub mod admission;
pub mod amendment;
pub mod books;
pub mod certificate;
pub mod choice;
pub mod claim;
pub mod debt;
pub mod decide;
pub mod device;
pub mod event;
pub mod expiry;
pub mod foresee;
pub mod founding;
pub mod group;
pub mod hold;
pub mod id;
pub mod invitation;
pub mod lot;
pub mod marketing;
pub mod member;
pub mod merchant;
pub mod one_time;
pub mod op;
pub mod pass;
pub mod period;
pub mod quantity;
pub mod redemption;
pub mod refund;
pub mod refusal;
pub mod reversal;
pub mod role;
pub mod sale;
pub mod staff;
pub mod standing;
pub mod state;
pub mod suggest;
pub mod terms;
pub mod time;
pub mod view;
pub mod waiting;
