//! Operators: who runs the server for everyone is said where it runs, on its folder, and nowhere else.

use std::path::Path;

use moa_ledger::store::{Answer, Outcome, StoreError};
use moa_ledger::system;
use moa_rules::id::AccountId;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::keys::SignError;

use crate::data_dir::{DataDir, DataError};
use crate::phone_number::PhoneNumber;

/// Why someone could not be made an operator, or no longer one.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The data folder can't be used; a server that runs on it must be stopped first.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The database can't be used.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// Neither an account's id nor a phone number.
    #[error("{0} is neither an account (32 hex digits) nor a phone number")]
    NotAPerson(String),
    /// Nobody has signed up with it.
    #[error("nobody has signed up as {0}: sign in on the person's phone first")]
    Unknown(String),
    /// The server's key did not sign.
    #[error(transparent)]
    NotSigned(#[from] SignError),
    /// The rules refused.
    #[error("refused: {0}")]
    Refused(Refusal),
}

/// Makes a person an operator, or no longer one. `person` is an account's id or the phone number that it signed up with, as
/// typed. Asked for twice it changes nothing. Without the address of a PostgreSQL `database` it is the folder's own.
///
/// # Errors
/// [`OperatorError`].
pub fn appoint(
    data: &Path,
    database: Option<&str>,
    person: &str,
    operator: bool,
    now: Timestamp,
) -> Result<AccountId, OperatorError> {
    let data = DataDir::open(data)?;
    let (server_key, pepper) = data.secrets(database.is_some())?;
    let store = data.store(database, &server_key)?;
    let account = if let Ok(account) = person.trim().parse::<AccountId>() {
        Some(account)
    } else {
        let number = PhoneNumber::read(person).ok_or_else(|| OperatorError::NotAPerson(person.to_owned()))?;
        store.signed_up_with(pepper.of_phone(&number))?
    };
    let known = |account: &AccountId| store.devices_of(*account).map(|devices| !devices.is_empty());
    let account = match account {
        Some(account) if known(&account)? => account,
        _ => return Err(OperatorError::Unknown(person.to_owned())),
    };
    let op = system::appoint_operator(&server_key, account, operator, now)?;
    match store.commit(&[op], now)?.outcomes.pop() {
        Some(Outcome::First(Answer::Refused(no)) | Outcome::Again(Answer::Refused(no))) => {
            Err(OperatorError::Refused(no))
        }
        _ => Ok(account),
    }
}
