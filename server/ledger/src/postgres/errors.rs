//! What the database said, what a person can do about it, and whether to try again.

use std::error::Error;

use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// What the database said, and while doing what.
pub(super) fn doing(what: &'static str) -> impl Fn(tokio_postgres::Error) -> StoreError {
    move |error| said(what, &error)
}

/// The same of an error that others keep.
pub(super) fn said(what: &'static str, error: &tokio_postgres::Error) -> StoreError {
    let said = Said { text: text(error), then: after(error), duplicate: duplicate_in(error) };
    StoreError::Database { doing: what, source: Box::new(said) }
}

/// It did not answer in time.
pub(super) fn silent(what: &'static str) -> StoreError {
    StoreError::Database { doing: what, source: Box::new(Silent) }
}

#[derive(Debug, thiserror::Error)]
#[error("the database does not answer; the server goes on by itself once it does")]
struct Silent;

/// What the database said, what a person can do about it, and whether to try again.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Said {
    text: String,
    then: Then,
    duplicate: Option<String>,
}

fn text(error: &tokio_postgres::Error) -> String {
    let said = match (error.as_db_error(), error.source()) {
        (Some(said), _) => format!("{} ({})", said.message(), said.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    };
    match advice(error) {
        Some(advice) => format!("{said}: {advice}"),
        None => said,
    }
}

fn advice(error: &tokio_postgres::Error) -> Option<&'static str> {
    let Some(code) = error.code() else {
        return (after(error) == Then::Reconnect).then_some(
            "is PostgreSQL running where --database says? The server goes on by itself once it answers",
        );
    };
    let class = code.code().get(..2).unwrap_or_default();
    match code {
        &SqlState::DISK_FULL => Some("make room where the database is; the server then goes on by itself"),
        &SqlState::TOO_MANY_CONNECTIONS => {
            Some("raise max_connections, or let fewer programs use this database server")
        }
        &SqlState::UNDEFINED_TABLE => Some("is it a database that `moa serve --database` made?"),
        &SqlState::INVALID_CATALOG_NAME => Some("make the database first: createdb NAME"),
        &SqlState::INSUFFICIENT_PRIVILEGE => {
            Some("the user has to own the database: ALTER DATABASE NAME OWNER TO USER")
        }
        &SqlState::READ_ONLY_SQL_TRANSACTION => Some("this is a replica; --database has to name the primary"),
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => {
            Some("stop the servers, keep a copy, restore a backup, check it with `moa verify`")
        }
        _ if class == "28" => Some("check the user and the password in --database, and pg_hba.conf"),
        _ => None,
    }
}

/// What may be done after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Another transaction was in the way: all of it again.
    Again,
    /// The connection is gone: again, on another.
    Reconnect,
    /// It would fail again.
    GiveUp,
}

/// What may be done after this error.
pub(super) fn then(error: &StoreError) -> Then {
    let StoreError::Database { source, .. } = error else { return Then::GiveUp };
    if source.is::<Silent>() {
        return Then::Reconnect;
    }
    source.downcast_ref::<Said>().map_or(Then::GiveUp, |said| said.then)
}

/// What is there already. Told of once, it may have come from another transaction meanwhile. Whoever looks again sees it; told of
/// twice, it was not looked for, and a third time would be the same.
pub(super) fn duplicate(error: &StoreError) -> Option<&str> {
    let StoreError::Database { source, .. } = error else { return None };
    source.downcast_ref::<Said>()?.duplicate.as_deref()
}

/// Two that write the same row, or make the same table (or the type that goes with it), at once. The second sees the first's when
/// it looks again; see [`duplicate`].
const IN_THE_WAY: [SqlState; 3] =
    [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];

fn duplicate_in(error: &tokio_postgres::Error) -> Option<String> {
    let said = error.as_db_error()?;
    let is = IN_THE_WAY.contains(said.code());
    // The message names the constraint or the table, the detail the key.
    is.then(|| [said.message(), said.detail().unwrap_or_default()].join("\n"))
}

fn after(error: &tokio_postgres::Error) -> Then {
    let Some(code) = error.code() else {
        // Without a code: the connection, or a value that does not fit the column, which is a bug.
        let gone = error.is_closed() || error.source().is_some_and(<dyn Error>::is::<std::io::Error>);
        return if gone { Then::Reconnect } else { Then::GiveUp };
    };
    match code {
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => Then::Again,
        code if IN_THE_WAY.contains(code) => Then::Again,
        // Connection exceptions, and a server that shuts down or comes up.
        code if code.code().starts_with("08") || code.code().starts_with("57P") => Then::Reconnect,
        // This server stood still, and others have had their turn since.
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Then::Reconnect,
        _ => Then::GiveUp,
    }
}

/// What is said of a row that is there already, or of a conflict where there is none.
#[cfg(test)]
pub(super) fn made_up(duplicate: Option<&str>) -> StoreError {
    let said = Said { text: String::new(), then: Then::Again, duplicate: duplicate.map(str::to_owned) };
    StoreError::Database { doing: "testing", source: Box::new(said) }
}
