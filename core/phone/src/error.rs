//! What can go wrong, as far as a caller would act differently.

use std::io;

use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::code::NotOurs;
use moa_wire::keys::SignError;
use moa_wire::problem::Problem;

use crate::breach::Breach;
use crate::key_store::KeyStoreError;
use crate::leaving::Unsent;
use crate::opening::OpeningFault;
use crate::plan::PlanFault;

/// Why a call failed. Nothing was changed, unless the variant says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhoneError {
    /// The rules say no, and with which figures. The same reasons that the server gives.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The text is no code of ours; says what it is instead.
    #[error("not a code of Moa: {0}")]
    NotOurs(#[from] NotOurs),
    /// A file of opening balances is not read, or not imported.
    #[error("opening balances: {}", .0.code())]
    Opening(OpeningFault),
    /// A purchase that is planned is not noted.
    #[error("plan: {}", .0.code())]
    Plan(PlanFault),
    /// Nobody is signed in on this phone.
    #[error("not signed in")]
    NotSignedIn,
    /// The server no longer knows this phone; the number has to be confirmed again. Nothing is lost.
    #[error("signed out by the server")]
    SignInAgain,
    /// The number belongs to another account than the one on this phone.
    #[error("this phone belongs to another account")]
    OtherAccount,
    /// So much has not been sent yet and would be lost.
    #[error("{} ops have not been sent", .0.ops)]
    Unsent(Unsent),
    /// No enrolment is under way.
    #[error("no enrolment is under way")]
    NoEnrolment,
    /// What was asked for is not on this phone, nor where it was looked up.
    #[error("not here")]
    NotHere,
    /// No answer came. What was written stays in the outbox.
    #[error("no answer: {0}")]
    Offline(String),
    /// Something answered that is not our server: a hotspot's page, a proxy.
    #[error("that was not our server: {0}")]
    NotOurServer(String),
    /// The server asked to be left alone until then, by this phone's clock.
    #[error("the server is busy")]
    Busy {
        /// Not before.
        until: Timestamp,
    },
    /// The server said why not.
    #[error("{}: {}", .0.code, .0.detail)]
    Problem(Box<Problem>),
    /// What came from the server does not match what it signed.
    #[error("integrity: {0}")]
    Integrity(Box<Breach>),
    /// The phone's storage is full. What was asked for was not done.
    #[error("the storage is full")]
    StorageFull,
    /// The phone's data was written by a newer version of this app.
    #[error("data of version {found}, this app knows {known}")]
    NewerData {
        /// The version of the data.
        found: u32,
        /// The newest that this app knows.
        known: u32,
    },
    /// The phone's data could not be read or written.
    #[error("storage: {0}")]
    Storage(#[source] StorageError),
    /// The device's key store did not sign, seal or open, or the key can't be read.
    #[error(transparent)]
    Key(#[from] KeyStoreError),
}

impl From<PlanFault> for PhoneError {
    fn from(fault: PlanFault) -> Self {
        Self::Plan(fault)
    }
}

impl From<SignError> for PhoneError {
    fn from(error: SignError) -> Self {
        Self::Key(error.into())
    }
}

/// What went wrong with the phone's data.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] io::Error),
    /// Something in the database that this app did not write.
    #[error("corrupt: {0}")]
    Corrupt(&'static str),
}

impl From<rusqlite::Error> for PhoneError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::StorageFull,
            _ => Self::Storage(error.into()),
        }
    }
}

impl From<io::Error> for PhoneError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self::StorageFull,
            _ => Self::Storage(error.into()),
        }
    }
}

impl PhoneError {
    /// Whether it is the database that is broken, and not the disk or the call.
    pub(crate) fn is_broken_data(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Storage(StorageError::Corrupt(_)) => true,
            Self::Storage(StorageError::Database(error)) => {
                matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
            _ => false,
        }
    }
}

/// The database holds something that this app did not write.
pub(crate) fn corrupt(what: &'static str) -> PhoneError {
    PhoneError::Storage(StorageError::Corrupt(what))
}
