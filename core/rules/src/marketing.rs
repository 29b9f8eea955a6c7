//! Consent to advertising: which text a person agreed to, and when; or that they do not, or not any more. (docs/rules.md S25)
//!
//! Said by the person's own device, so that the journal has the signature. The texts themselves are `moa_words::marketing`'s: one
//! that was agreed to is told by its version, its hash and its language.

use minicbor::{Decode, Encode};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::time::Timestamp;
use crate::view::Halt;

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum TextLanguage {
    /// Korean.
    #[n(0)]
    Korean,
    /// English.
    #[n(1)]
    English,
}

/// The text that someone agreed to, as it stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct AgreedText {
    /// Its version; each is worded once.
    #[n(0)]
    pub version: u32,
    /// Its language.
    #[n(1)]
    pub language: TextLanguage,
    /// Its SHA-256 in UTF-8.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub hash: [u8; 32],
}

/// Whether a person may be sent advertising.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Marketing {
    /// What they agreed to; nothing if they never did, or withdrew it.
    #[n(0)]
    pub agreed: Option<AgreedText>,
    /// When that was decided; the beginning of 1970 if it never was.
    #[n(1)]
    pub since: Timestamp,
}

/// The author's account agrees, or withdraws.
pub(crate) fn set(author: &Author, agreed: Option<AgreedText>) -> Result<Decision, Halt> {
    let account = author.person()?;
    Ok(author.caused(EventBody::MarketingSet { account, agreed }))
}
