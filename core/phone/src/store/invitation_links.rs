//! What this phone alone knows of the invitations that it made: their tokens, by what they went out, and how far the server
//! has seen them get. Tokens, addresses and codes are sealed: each lets someone in, or says whom the shop knows.

use moa_rules::id::OpId;
use moa_rules::time::Timestamp;
use moa_wire::api::InvitationTrace;
use moa_wire::channel::Channel;
use moa_wire::invitation::InvitationToken;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::{json, parse};
use crate::error::{PhoneError, corrupt};
use crate::sealing::Sealing;

const PUT: &str = "INSERT INTO invitation_link (op, token) VALUES (?1, ?2)";
const GET: &str = "SELECT token, shared_by, shared_at, to_send IS NOT NULL, sent_by, unsent FROM invitation_link WHERE op = ?1";
const SHARED: &str = "UPDATE invitation_link SET shared_by = ?2, shared_at = ?3 WHERE op = ?1";
const SEND: &str = "UPDATE invitation_link SET to_send = ?2, unsent = NULL WHERE op = ?1 AND sent_by IS NULL";
const NEXT: &str = "SELECT l.op, l.token, l.to_send FROM invitation_link l JOIN outbox o ON o.op = l.op
                    WHERE l.to_send IS NOT NULL AND o.state = 'applied' ORDER BY l.op LIMIT 1";
const SENT: &str = "UPDATE invitation_link SET to_send = NULL, sent_by = ?2 WHERE op = ?1";
const UNSENT: &str = "UPDATE invitation_link SET to_send = NULL, unsent = ?2 WHERE op = ?1";
const GIVE_UP: &str = "UPDATE invitation_link SET to_send = NULL WHERE op = ?1";
const FORGET_ALL: &str = "DELETE FROM invitation_link";
const PUT_TRACE: &str = "INSERT OR REPLACE INTO invitation_trace (invitation, sealed) VALUES (?1, ?2)";
const TRACE: &str = "SELECT sealed FROM invitation_trace WHERE invitation = ?1";
const FORGET_TRACES: &str = "DELETE FROM invitation_trace";

/// What is known of a link.
pub(crate) struct Link {
    /// None if it does not open: changed, or moved.
    pub token: Option<InvitationToken>,
    /// The channel whose app was opened with it last, and when.
    pub shared: Option<(Channel, Timestamp)>,
    /// Whether the server is yet to be asked to send it.
    pub to_send: bool,
    /// By what the server sent it.
    pub sent_by: Option<Channel>,
    /// Why it did not.
    pub unsent: Option<Unsent>,
}

/// Why the server did not send an invitation: its word, and its sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// The stable word for the reason.
    pub code: String,
    /// The server's sentence, in the language that the phone asked for.
    pub text: String,
}

/// By what and to whom the server is to send an invitation.
#[derive(Serialize, Deserialize)]
pub(crate) struct ToSend {
    pub channel: Channel,
    pub to: String,
}

/// Keeps the token of an invitation.
pub(crate) fn put(
    db: &Connection,
    sealing: &Sealing,
    op: OpId,
    token: InvitationToken,
) -> Result<(), PhoneError> {
    db.prepare_cached(PUT)?.execute((op.0, sealing.seal(&place("token", op), &token.0)?))?;
    Ok(())
}

/// What this phone knows of an invitation; nothing, if another made it.
pub(crate) fn get(db: &Connection, sealing: &Sealing, op: OpId) -> Result<Option<Link>, PhoneError> {
    let mut statement = db.prepare_cached(GET)?;
    let mut rows = statement.query([op.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let channel = |text: Option<String>| text.map(|text| parse(&text, "channel")).transpose();
    let shared = channel(row.get(1)?)?.zip(row.get::<_, Option<i64>>(2)?.map(Timestamp));
    let unsent = row.get::<_, Option<String>>(5)?.map(|text| parse(&text, "unsent")).transpose()?;
    Ok(Some(Link {
        token: token(sealing, op, &row.get::<_, Vec<u8>>(0)?),
        shared,
        to_send: row.get(3)?,
        sent_by: channel(row.get(4)?)?,
        unsent,
    }))
}

fn token(sealing: &Sealing, op: OpId, sealed: &[u8]) -> Option<InvitationToken> {
    let opened = sealing.open(&place("token", op), sealed).ok();
    let token = opened.and_then(|token| token.try_into().ok()).map(InvitationToken);
    if token.is_none() {
        tracing::error!(%op, "the token of an invitation was changed or moved");
    }
    token
}

/// The other app was opened with it.
pub(crate) fn shared(db: &Connection, op: OpId, by: Channel, at: Timestamp) -> Result<(), PhoneError> {
    db.prepare_cached(SHARED)?.execute((op.0, json(&by, "channel")?, at.0))?;
    Ok(())
}

/// The server is to send it. One that it took before stays as it is.
pub(crate) fn send(db: &Connection, sealing: &Sealing, op: OpId, to: &ToSend) -> Result<(), PhoneError> {
    let value = serde_json::to_vec(to).map_err(|_| corrupt("contact"))?;
    db.prepare_cached(SEND)?.execute((op.0, sealing.seal(&place("to", op), &value)?))?;
    Ok(())
}

/// An invitation that the server is to send.
pub(crate) struct Next {
    pub op: OpId,
    /// What lets it be sent; none if that can't be opened: then it is to be given up.
    pub opened: Option<(InvitationToken, ToSend)>,
}

/// The next invitation that the server is to send: one that it has decided already.
pub(crate) fn next(db: &Connection, sealing: &Sealing) -> Result<Option<Next>, PhoneError> {
    let read = |row: &rusqlite::Row| Ok((OpId(row.get(0)?), row.get(1)?, row.get(2)?));
    let row: Option<(OpId, Vec<u8>, Vec<u8>)> = db.prepare_cached(NEXT)?.query_row([], read).optional()?;
    let Some((op, sealed, to)) = row else { return Ok(None) };
    let to = sealing.open(&place("to", op), &to).ok();
    let to = to.and_then(|to| serde_json::from_slice(&to).ok());
    Ok(Some(Next { op, opened: token(sealing, op, &sealed).zip(to) }))
}

/// Whether there is one.
pub(crate) fn any_to_send(db: &Connection) -> Result<bool, PhoneError> {
    Ok(db.prepare_cached(NEXT)?.exists([])?)
}

/// The server took it.
pub(crate) fn sent(db: &Connection, op: OpId, by: Channel) -> Result<(), PhoneError> {
    db.prepare_cached(SENT)?.execute((op.0, json(&by, "channel")?))?;
    Ok(())
}

/// The server will not send it.
pub(crate) fn unsent(db: &Connection, op: OpId, why: &Unsent) -> Result<(), PhoneError> {
    db.prepare_cached(UNSENT)?.execute((op.0, json(why, "unsent")?))?;
    Ok(())
}

/// It can't be opened any more: nobody knows to whom it was to go.
pub(crate) fn give_up(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(GIVE_UP)?.execute([op.0])?;
    Ok(())
}

/// Takes these traces in place of all.
pub(crate) fn replace_traces(
    db: &Connection,
    sealing: &Sealing,
    traces: &[InvitationTrace],
) -> Result<(), PhoneError> {
    db.execute(FORGET_TRACES, [])?;
    traces.iter().try_for_each(|trace| put_trace(db, sealing, trace))
}

/// The server sends it in the morning.
pub(crate) fn waits(
    db: &Connection,
    sealing: &Sealing,
    invitation: OpId,
    until: Timestamp,
) -> Result<(), PhoneError> {
    let known = trace(db, sealing, invitation)?.unwrap_or_else(|| InvitationTrace::of(invitation));
    put_trace(db, sealing, &InvitationTrace { waits_until: Some(until), ..known })
}

/// Takes this trace in place of what was known of the same invitation.
fn put_trace(db: &Connection, sealing: &Sealing, trace: &InvitationTrace) -> Result<(), PhoneError> {
    let value = serde_json::to_vec(trace).map_err(|_| corrupt("trace"))?;
    let sealed = sealing.seal(&place("trace", trace.invitation), &value)?;
    db.prepare_cached(PUT_TRACE)?.execute((trace.invitation.0, sealed))?;
    Ok(())
}

/// How far the server has seen an invitation get, when it was last asked.
pub(crate) fn trace(
    db: &Connection,
    sealing: &Sealing,
    invitation: OpId,
) -> Result<Option<InvitationTrace>, PhoneError> {
    let sealed: Option<Vec<u8>> =
        db.prepare_cached(TRACE)?.query_row([invitation.0], |row| row.get(0)).optional()?;
    let opened = sealed.and_then(|sealed| sealing.open(&place("trace", invitation), &sealed).ok());
    Ok(opened.and_then(|trace| serde_json::from_slice(&trace).ok()))
}

/// None can be opened any more: the invitations stay, without their links.
pub(crate) fn forget_all(db: &Connection) -> Result<(), PhoneError> {
    db.execute(FORGET_ALL, [])?;
    db.execute(FORGET_TRACES, [])?;
    Ok(())
}

fn place(what: &str, op: OpId) -> String {
    format!("invitation_link/{what}/{op}")
}
