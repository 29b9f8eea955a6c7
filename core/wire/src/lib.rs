//! Bytes: how ops, events, codes, links and API types look outside.
//!
//! Deterministic CBOR under `COSE_Sign1` for everything that is signed, JSON for everything else. Decoders take
//! arbitrary bytes: they refuse what is over-long before they parse it, and what is not canonical after. What it
//! means is for `moa-rules` to decide.

pub mod api;
pub mod canonical;
pub mod chain;
pub mod channel;
pub mod code;
pub mod contact;
pub mod dpop;
pub mod invitation;
pub mod keys;
pub mod link;
pub mod member;
pub mod number;
pub mod problem;
pub mod qr;
pub mod search;
pub mod submission;
pub mod token;
