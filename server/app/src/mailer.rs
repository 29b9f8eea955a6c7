//! Mailers: what takes an e-mail on its way.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use moa_words::invitation::Mail;

use crate::carrier::NotSent;

/// The most mails that the development mailer keeps.
const KEPT: usize = 1_000;

/// Takes e-mails on their way.
pub trait Mailer: Send + Sync {
    /// Sends `mail` to the address `to`. The same `id` again is the same mail.
    fn send<'a>(&'a self, id: [u8; 16], to: &'a str, mail: &'a Mail) -> BoxFuture<'a, Result<(), NotSent>>;
}

/// Sends nothing: says in the log that it would, and keeps the last 1 000. For development and tests.
#[derive(Debug, Default)]
pub struct Development {
    mails: Mutex<VecDeque<(String, Mail)>>,
}

impl Development {
    /// The mails to an address, oldest first.
    pub fn mails(&self, to: &str) -> Vec<Mail> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().filter(|(address, _)| address == to).map(|(_, mail)| mail.clone()).collect()
    }
}

impl Mailer for Development {
    fn send<'a>(&'a self, _: [u8; 16], to: &'a str, mail: &'a Mail) -> BoxFuture<'a, Result<(), NotSent>> {
        Box::pin(async move {
            tracing::info!(to, subject = mail.subject, "a mail (development: kept, not sent)");
            let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
            if mails.len() == KEPT {
                mails.pop_front();
            }
            mails.push_back((to.to_owned(), mail.clone()));
            Ok(())
        })
    }
}
