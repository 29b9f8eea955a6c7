//! Signing out, and what would be lost with the app's data.

use moa_words::{PhoneText, Unsent as Words, phone};

use crate::app::App;
use crate::error::ApiError;

/// What this phone has recorded and not sent yet.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Unsent {
    /// All of it.
    pub ops: u32,
    /// Sales among it.
    pub sales: u32,
    /// Claims among it.
    pub claims: u32,
    /// What to say before someone signs out or removes the app; empty if nothing would be lost.
    pub text: String,
}

/// The figures for words.
pub(crate) fn words(unsent: moa_phone::Unsent) -> Words {
    let count = |ops: u64| u32::try_from(ops).unwrap_or(u32::MAX);
    Words { ops: count(unsent.ops), sales: count(unsent.sales), claims: count(unsent.claims) }
}

#[uniffi::export]
impl App {
    /// What would be lost if the app were removed now.
    pub fn unsent(&self) -> Result<Unsent, ApiError> {
        let what = words(self.ask(self.phone()?.unsent())?);
        let text =
            if what.ops == 0 { String::new() } else { phone(self.dress().lang, PhoneText::Unsent(what)) };
        Ok(Unsent { ops: what.ops, sales: what.sales, claims: what.claims, text })
    }

    /// Forgets everything about the person and shuts the app down, so that another may sign in when it is opened again. What
    /// waits to be sent stands in the way (`ApiError.Unsent`), unless it may be lost. A host then deletes its key and opens
    /// the app with a new one: the server knows the old one as the first person's.
    pub fn sign_out(&self, lose: bool) -> Result<(), ApiError> {
        self.ask(self.phone()?.sign_out(lose))?;
        self.shut_down();
        Ok(())
    }

    /// The person has read that the phone's storage was made anew.
    pub fn set_aside_read(&self) -> Result<(), ApiError> {
        self.ask(self.phone()?.set_aside_read())
    }
}
