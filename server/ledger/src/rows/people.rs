//! Personal data: rows of what stands beside the journal.

use moa_rules::id::{AccountId, OpId};
use moa_rules::time::Timestamp;

use super::{Columns, at, corrupt, id, instant, maybe_at, maybe_id, number as integer};
use crate::store::invitations::Trace;
use crate::store::{Effect, KnownDevice, NewEffect, NewOneTime, Session, StoreError, TakenOneTime};

/// An enrolment that was begun.
pub(crate) struct Begun {
    pub(crate) phone_mac: [u8; 32],
    pub(crate) public_key: Vec<u8>,
    pub(crate) code_mac: [u8; 32],
    pub(crate) expires_at: Timestamp,
    pub(crate) tries: u32,
    /// The account that the right code led to.
    pub(crate) ended: Option<AccountId>,
    pub(crate) begins: bool,
    pub(crate) proved: bool,
}

/// `SELECT phone_mac, public_key, code_mac, expires_at, tries, account, begins, proved`
pub(crate) fn begun(row: &dyn Columns) -> Result<Begun, StoreError> {
    Ok(Begun {
        phone_mac: at(row, "phone_mac")?,
        public_key: at(row, "public_key")?,
        code_mac: at(row, "code_mac")?,
        expires_at: instant(row, "expires_at")?,
        tries: integer(row, "tries")?,
        ended: maybe_id(row, "account")?,
        begins: at(row, "begins")?,
        proved: at(row, "proved")?,
    })
}

/// `SELECT account, named_at`: the account of a number, and whether its owner has signed up.
pub(crate) fn number(row: &dyn Columns) -> Result<(AccountId, bool), StoreError> {
    Ok((id(row, "account")?, at::<Option<i64>>(row, "named_at")?.is_none()))
}

/// `SELECT mac, tries`
pub(crate) fn recovery(row: &dyn Columns) -> Result<([u8; 32], u32), StoreError> {
    Ok((at(row, "mac")?, integer(row, "tries")?))
}

/// Every column of `invitation_traces`.
pub(crate) fn trace(row: &dyn Columns) -> Result<(OpId, Trace), StoreError> {
    let channel: Option<Vec<u8>> = at(row, "channel")?;
    let channel =
        channel.map(|name| String::from_utf8(name).map_err(|_| corrupt("a channel"))).transpose()?;
    let trace = Trace {
        code_mac: at(row, "code_mac")?,
        channel,
        contact_mac: at(row, "contact_mac")?,
        contact: at(row, "contact")?,
        sent_at: maybe_at(row, "sent_at")?,
        delivered_at: maybe_at(row, "delivered_at")?,
        opened: integer(row, "opened")?,
        opened_at: maybe_at(row, "opened_at")?,
        claimed_at: maybe_at(row, "claimed_at")?,
    };
    Ok((id(row, "invitation")?, trace))
}

/// `SELECT key, account, thumbprint, until`
pub(crate) fn session(row: &dyn Columns) -> Result<Session, StoreError> {
    let (key, account) = (id(row, "key")?, id(row, "account")?);
    Ok(Session { key, account, thumbprint: at(row, "thumbprint")?, until: instant(row, "until")? })
}

/// `SELECT key, name, since, seen`
pub(crate) fn known_device(row: &dyn Columns) -> Result<KnownDevice, StoreError> {
    let (since, seen) = (instant(row, "since")?, instant(row, "seen")?);
    Ok(KnownDevice { key: id(row, "key")?, name: at(row, "name")?, since, seen })
}

/// `SELECT mac, account, code, made_at, expires_at, kept_until, taken_by`
pub(crate) fn taken(row: &dyn Columns) -> Result<TakenOneTime, StoreError> {
    let one_time = NewOneTime {
        mac: at(row, "mac")?,
        account: id(row, "account")?,
        code: at(row, "code")?,
        made_at: instant(row, "made_at")?,
        expires_at: instant(row, "expires_at")?,
        kept_until: instant(row, "kept_until")?,
    };
    Ok(TakenOneTime { one_time, taken_by: at(row, "taken_by")? })
}

/// `SELECT id, kind, payload, due_at, attempts`
pub(crate) fn effect(row: &dyn Columns) -> Result<Effect, StoreError> {
    let (id, kind, payload) = (at(row, "id")?, at(row, "kind")?, at(row, "payload")?);
    let effect = NewEffect { id, kind, payload, due_at: instant(row, "due_at")? };
    Ok(Effect { effect, attempts: integer(row, "attempts")? })
}
