//! Errors, as few as a caller would act on differently. Each has a sentence for a person in the app's language.

use std::collections::HashMap;
use std::fmt;

use moa_phone::sync::Failure;
use moa_phone::{KeyStoreError, Mismatch, PhoneError, RefusedOp};
use moa_rules::id::OpId;
use moa_rules::quantity::Currency;
use moa_rules::refusal::Refusal;
use moa_words::{Lang, PhoneText, not_ours, phone, refusal, refusal_in};

use crate::grant::fault_text;
use crate::leaving::words;
use crate::plan;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Display)]
pub enum ApiError {
    /// The rules say no. No mileage and no money changed.
    Refused {
        /// A stable word in `snake_case`, such as `below_minimum`.
        code: String,
        /// What stands in the way, with the figures, and what to do.
        text: String,
        /// The figures in the text, by name: `minimum`, `available`, …
        figures: HashMap<String, i64>,
        /// The op that the server refused, to be dismissed once it was read; none if nothing was written.
        op: Option<String>,
    },
    /// The text is not a code of Moa.
    NotOurs {
        /// A stable word for what it is instead, such as `code_is_payment`.
        code: String,
        /// What it is, and what to do.
        text: String,
    },
    /// Nobody is signed in, or the number has to be confirmed again.
    SignIn {
        /// What to do.
        text: String,
    },
    /// No answer of our server came. What was written is kept and sent later.
    Offline {
        /// A stable word: `no_connection`, `not_our_server` (a hotspot's page: someone has to sign in to it),
        /// `server_busy`.
        code: String,
        /// What to do.
        text: String,
    },
    /// The server said why not.
    Server {
        /// A stable word in `snake_case`, such as `code_wrong`.
        code: String,
        /// What to do.
        text: String,
    },
    /// What came from the server does not match what it signed.
    Integrity {
        /// What to do.
        text: String,
    },
    /// The phone's key store says no for now: it is locked, or the person said no. Nothing was written; try again.
    Locked {
        /// What to do.
        text: String,
        /// What the key store said, for a report.
        detail: String,
    },
    /// The phone's key cannot be used any more, or its key store fails. Nothing was written.
    Key {
        /// What to do.
        text: String,
        /// What the key store said, for a report.
        detail: String,
    },
    /// The phone's own data cannot be used.
    Storage {
        /// What to do.
        text: String,
        /// What went wrong, for a report.
        detail: String,
    },
    /// The caller gave something that cannot be: an id that is none, a negative amount.
    Invalid {
        /// What to do.
        text: String,
        /// What was wrong with it, for a developer.
        detail: String,
    },
    /// Signing out would lose what was not sent yet. Nothing was changed.
    Unsent {
        /// What waits, and what to do.
        text: String,
        /// Everything that waits.
        ops: u32,
        /// Sales among it.
        sales: u32,
        /// Claims among it.
        claims: u32,
    },
    /// The app was shut down, before the call or while it was under way.
    Closed {
        /// What to do.
        text: String,
    },
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused { text, .. }
            | Self::NotOurs { text, .. }
            | Self::SignIn { text }
            | Self::Offline { text, .. }
            | Self::Server { text, .. }
            | Self::Integrity { text }
            | Self::Locked { text, .. }
            | Self::Key { text, .. }
            | Self::Storage { text, .. }
            | Self::Invalid { text, .. }
            | Self::Unsent { text, .. }
            | Self::Closed { text } => text,
        })
    }
}

const NO_CONNECTION: &str = "no_connection";
const NOT_OUR_SERVER: &str = "not_our_server";
const SERVER_BUSY: &str = "server_busy";

/// The stable word for why the last request came to nothing, as [`ApiError::Offline`] has it.
pub(crate) fn offline_code(failure: &Failure) -> &'static str {
    match failure {
        Failure::NotOurServer(_) => NOT_OUR_SERVER,
        Failure::Busy { .. } | Failure::Later => SERVER_BUSY,
        _ => NO_CONNECTION,
    }
}

/// The numbers among a reason's fields, as the server sends them too.
fn figures(reason: &Refusal) -> HashMap<String, i64> {
    let fields = serde_json::to_value(reason).ok().and_then(|reason| reason.as_object().cloned());
    let fields = fields.unwrap_or_default().into_iter();
    fields.filter_map(|(name, figure)| Some((name, figure.as_i64()?))).collect()
}

impl ApiError {
    /// The error in the app's language.
    pub(crate) fn new(lang: Lang, error: PhoneError) -> Self {
        let text = |what| phone(lang, what);
        let offline = |code: &str, what| Self::Offline { code: code.to_owned(), text: phone(lang, what) };
        let storage = |what, detail: String| Self::Storage { text: phone(lang, what), detail };
        match error {
            PhoneError::Refused(reason) => Self::refused(lang, &reason),
            PhoneError::Opening(fault) => Self::Refused {
                code: fault.code().to_owned(),
                text: fault_text(lang, fault),
                figures: HashMap::new(),
                op: None,
            },
            PhoneError::Plan(fault) => Self::Refused {
                code: fault.code().to_owned(),
                text: plan::fault_text(lang, fault),
                figures: plan::figures(fault),
                op: None,
            },
            PhoneError::NotOurs(what) => {
                Self::NotOurs { code: what.code().to_owned(), text: not_ours(lang, what) }
            }
            PhoneError::NotSignedIn | PhoneError::SignInAgain | PhoneError::NoEnrolment => {
                Self::SignIn { text: text(PhoneText::NotSignedIn) }
            }
            PhoneError::Problem(problem) => Self::Server { code: problem.code, text: problem.detail },
            PhoneError::NotOurServer(_) => offline(NOT_OUR_SERVER, PhoneText::NotOurServer),
            PhoneError::Offline(_) => offline(NO_CONNECTION, PhoneText::Offline),
            PhoneError::Busy { .. } => offline(SERVER_BUSY, PhoneText::Offline),
            PhoneError::Integrity(breach) => Self::Integrity {
                text: text(match breach.what {
                    Mismatch::WentBack => PhoneText::WentBack,
                    _ => PhoneText::Integrity,
                }),
            },
            PhoneError::Unsent(unsent) => {
                let what = words(unsent);
                let text = text(PhoneText::Unsent(what));
                Self::Unsent { text, ops: what.ops, sales: what.sales, claims: what.claims }
            }
            PhoneError::StorageFull => storage(PhoneText::StorageFull, "the storage is full".to_owned()),
            error @ PhoneError::NewerData { .. } => storage(PhoneText::StorageNewer, error.to_string()),
            PhoneError::Key(KeyStoreError::Locked(detail)) => {
                Self::Locked { text: text(PhoneText::KeyLocked), detail }
            }
            PhoneError::Key(KeyStoreError::Gone(detail)) => {
                Self::Key { text: text(PhoneText::KeyGone), detail }
            }
            PhoneError::Key(KeyStoreError::Failed(detail)) => {
                Self::Key { text: text(PhoneText::KeyUnavailable), detail }
            }
            error => storage(PhoneText::StorageUnavailable, error.to_string()),
        }
    }

    pub(crate) fn refused(lang: Lang, reason: &Refusal) -> Self {
        Self::Refused {
            code: reason.code().to_owned(),
            text: refusal(lang, reason),
            figures: figures(reason),
            op: None,
        }
    }

    /// The server refused an op of this phone.
    pub(crate) fn refused_op(lang: Lang, op: OpId, refused: RefusedOp) -> Self {
        let op = Some(op.to_string());
        match refused.reason {
            Some(reason) => Self::Refused {
                code: refused.code,
                text: refusal_in(lang, &reason, Currency::KRW, refused.mileage),
                figures: figures(&reason),
                op,
            },
            None => Self::Refused { code: refused.code, text: refused.text, figures: HashMap::new(), op },
        }
    }

    pub(crate) fn invalid(lang: Lang, cause: impl fmt::Display) -> Self {
        Self::Invalid { text: phone(lang, PhoneText::BadInput), detail: cause.to_string() }
    }

    pub(crate) fn closed(lang: Lang) -> Self {
        Self::Closed { text: phone(lang, PhoneText::Closed) }
    }
}
