//! Every way in for bytes of strangers, each a function from bytes to nothing: it may not panic, and what it takes has to
//! mean the same when it is written and read again.
//!
//! `cargo fuzz` drives them from `fuzz/`; `tests/corpus.rs` runs them over the committed corpus with every other test.

pub mod answers;
pub mod corpus;
pub mod requests;
pub mod tokens;

/// A way in: its name, and what takes the bytes.
pub type WayIn = (&'static str, fn(&[u8]));

/// All of them. The names are those of the fuzz targets and of the corpus's folders.
pub const WAYS_IN: [WayIn; 6] = [
    ("submission", tokens::submission),
    ("tokens", tokens::others),
    ("event", tokens::event),
    ("scanned", tokens::scanned),
    ("requests", requests::requests),
    ("answers", answers::answers),
];
