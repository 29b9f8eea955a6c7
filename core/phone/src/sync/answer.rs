//! Reading an answer: whether it is one at all, and whether it comes from our server.

use std::fmt;

use moa_rules::time::Timestamp;
use moa_wire::problem::Problem;
use serde::Deserialize;

use crate::breach::Breach;
use crate::error::{PhoneError, StorageError};
use crate::key_store::KeyStoreError;
use crate::transport::{Response, TransportError};

/// Why something came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No whole answer.
    Offline(String),
    /// Something answered that is not our server: a hotspot's page, a proxy.
    NotOurServer(String),
    /// The server said why not.
    Problem(Box<Problem>),
    /// The server asked to be left alone until then, by the phone's own clock.
    Busy {
        /// Not before.
        until: Timestamp,
    },
    /// Something waits that the server put off.
    Later,
    /// Nobody is signed in.
    NotSignedIn,
    /// The server no longer knows this device.
    SignInAgain,
    /// What came does not add up.
    Integrity(Box<Breach>),
    /// The phone's storage failed.
    Storage(String),
    /// The key store does not open the phone's secrets, or does not sign, now.
    Key(KeyStoreError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offline(why) => write!(f, "no answer: {why}"),
            Self::NotOurServer(why) => write!(f, "not our server: {why}"),
            Self::Problem(problem) => write!(f, "{} {}", problem.status, problem.code),
            Self::Busy { .. } => f.write_str("the server is busy"),
            Self::Later => f.write_str("put off by the server"),
            Self::NotSignedIn => f.write_str("not signed in"),
            Self::SignInAgain => f.write_str("signed out by the server"),
            Self::Integrity(breach) => write!(f, "integrity: {breach}"),
            Self::Storage(why) => write!(f, "storage: {why}"),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl Failure {
    /// The same for whoever waited for it. `retry_after_s` counts from `now`.
    pub(crate) fn into_error(self, retry_after_s: Option<u32>, now: Timestamp) -> PhoneError {
        if let Some(seconds) = retry_after_s {
            return PhoneError::Busy { until: now.plus(i64::from(seconds) * Timestamp::SECOND) };
        }
        match self {
            Self::Offline(why) => PhoneError::Offline(why),
            Self::NotOurServer(why) => PhoneError::NotOurServer(why),
            Self::Problem(problem) => PhoneError::Problem(problem),
            Self::Busy { until } => PhoneError::Busy { until },
            Self::Later => PhoneError::Busy { until: now },
            Self::NotSignedIn => PhoneError::NotSignedIn,
            Self::SignInAgain => PhoneError::SignInAgain,
            Self::Integrity(breach) => PhoneError::Integrity(breach),
            Self::Key(error) => PhoneError::Key(error),
            Self::Storage(why) => PhoneError::Storage(StorageError::File(std::io::Error::other(why))),
        }
    }
}

/// What an answer is.
pub(crate) enum Outcome<T> {
    /// What was asked for.
    Good(T),
    /// The server's reason why not, with a status of 4xx other than those that pass by themselves.
    Problem { problem: Box<Problem>, retry_after_s: Option<u32> },
    /// As good as no answer: to be asked again later.
    None { failure: Failure, retry_after_s: Option<u32> },
}

/// Reads an answer. Only what has our form counts: a status without a problem behind it may be anyone's.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(answer: Result<Response, TransportError>) -> Outcome<T> {
    let Response { status, retry_after_s, body } = match answer {
        Ok(response) => response,
        Err(error) => {
            return Outcome::None { failure: Failure::Offline(error.to_string()), retry_after_s: None };
        }
    };
    if (200..300).contains(&status) {
        return match serde_json::from_slice(&body) {
            Ok(value) => Outcome::Good(value),
            Err(error) => {
                let failure = Failure::NotOurServer(format!("status {status}, {error}"));
                Outcome::None { failure, retry_after_s: None }
            }
        };
    }
    match serde_json::from_slice::<Problem>(&body).map(Box::new) {
        Ok(problem) if passes(status) => Outcome::None { failure: Failure::Problem(problem), retry_after_s },
        Ok(problem) => Outcome::Problem { problem, retry_after_s },
        Err(_) => {
            let failure = Failure::NotOurServer(format!("status {status} without a problem"));
            // A gateway before our server may well ask for patience.
            Outcome::None { failure, retry_after_s: retry_after_s.filter(|_| status >= 429) }
        }
    }
}

/// Whether the same request may succeed later.
fn passes(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

#[cfg(test)]
mod tests {
    use super::*;
    use moa_wire::api::{Changes, Snapshot, Verdicts};
    use proptest::prelude::*;

    fn is<T: for<'de> Deserialize<'de>>(status: u16, body: &[u8]) -> Outcome<T> {
        read(Ok(Response { status, retry_after_s: None, body: body.to_vec() }))
    }

    #[test]
    fn a_captive_portals_page_is_no_answer() {
        for status in [200, 302, 401, 404, 410, 511] {
            let outcome = is::<Changes>(status, b"<html>Welcome to the hotspot</html>");
            assert!(matches!(outcome, Outcome::None { failure: Failure::NotOurServer(_), .. }), "{status}");
        }
    }

    #[test]
    fn half_an_answer_is_no_answer() {
        let whole = br#"{"inboxes":[],"cursor":"a","more":false,"now":1}"#;
        assert!(matches!(is::<Changes>(200, whole), Outcome::Good(_)));
        for end in 0..whole.len() {
            assert!(matches!(is::<Changes>(200, &whole[..end]), Outcome::None { .. }), "{end}");
        }
    }

    #[test]
    fn a_problem_that_passes_is_asked_again_and_one_that_does_not_is_told() {
        let problem =
            |status| serde_json::to_vec(&Problem::new(status, "title", "code", "detail")).unwrap_or_default();
        for status in [408, 429, 500, 503] {
            assert!(matches!(is::<Changes>(status, &problem(status)), Outcome::None { .. }));
        }
        for status in [400, 401, 410, 422] {
            assert!(matches!(is::<Changes>(status, &problem(status)), Outcome::Problem { .. }));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_answers_never_panic(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = is::<Changes>(status, &body);
            let _ = is::<Verdicts>(status, &body);
            let _ = is::<Snapshot>(status, &body);
        }
    }
}
