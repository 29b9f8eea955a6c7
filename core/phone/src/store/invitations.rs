//! Invitations as the server decided them, who answered them, and those that this person was shown.

use moa_rules::id::{MerchantId, OpId};
use moa_rules::invitation::Invitation;
use moa_rules::time::Timestamp;
use moa_wire::api::InvitationFound;
use moa_wire::canonical;
use rusqlite::{Connection, OptionalExtension};

use super::{json, parse};
use crate::error::{PhoneError, corrupt};

const PUT: &str = "INSERT INTO invitation (id, body) VALUES (?1, ?2)
                   ON CONFLICT (id) DO UPDATE SET body = excluded.body";
const GET: &str = "SELECT body FROM invitation WHERE id = ?1";
const ALL: &str = "SELECT body FROM invitation ORDER BY id DESC";
const DELETE_ALL: &str = "DELETE FROM invitation";
const ANSWER: &str = "INSERT INTO invitation_answer (invitation, merchant, answer) VALUES (?1, ?2, ?3)
                      ON CONFLICT (invitation, merchant) DO UPDATE SET answer = excluded.answer";
const ANSWERS: &str =
    "SELECT merchant, answer FROM invitation_answer WHERE invitation = ?1 ORDER BY merchant";
const PUT_FOUND: &str = "INSERT INTO invitation_found (id, at, body) VALUES (?1, ?2, ?3)
                         ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = excluded.body";
const FOUND: &str = "SELECT body FROM invitation_found WHERE id = ?1";
const ALL_FOUND: &str = "SELECT body FROM invitation_found ORDER BY at DESC, id";
const FORGET_FOUND: &str = "DELETE FROM invitation_found
                            WHERE id NOT IN (SELECT id FROM invitation_found ORDER BY at DESC, id LIMIT ?1)";

/// How many invitations a phone remembers that its person was shown.
const MOST_FOUND: u32 = 100;

/// How a shop answered an invitation, as its event said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It asked to be let in.
    Asked,
    /// It is a member.
    Joined,
    /// It will not come.
    Declined,
}

impl Answer {
    const ALL: [Self; 3] = [Self::Asked, Self::Joined, Self::Declined];

    fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Joined => "joined",
            Self::Declined => "declined",
        }
    }
}

/// Takes over an invitation.
pub(crate) fn put(db: &Connection, invitation: &Invitation) -> Result<(), PhoneError> {
    db.prepare_cached(PUT)?.execute((invitation.id.0, canonical::encode(invitation)))?;
    Ok(())
}

/// Takes these in place of all.
pub(crate) fn replace(db: &Connection, invitations: &[Invitation]) -> Result<(), PhoneError> {
    db.execute(DELETE_ALL, [])?;
    invitations.iter().try_for_each(|invitation| put(db, invitation))
}

/// An invitation.
pub(crate) fn get(db: &Connection, id: OpId) -> Result<Option<Invitation>, PhoneError> {
    let body: Option<Vec<u8>> = db.prepare_cached(GET)?.query_row([id.0], |row| row.get(0)).optional()?;
    body.map(|body| read(&body)).transpose()
}

/// Every invitation, the newest first.
pub(crate) fn all(db: &Connection) -> Result<Vec<Invitation>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let bodies = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    bodies.map(|body| read(&body?)).collect()
}

fn read(body: &[u8]) -> Result<Invitation, PhoneError> {
    canonical::decode(body).map_err(|_| corrupt("invitation"))
}

/// A shop answered an invitation.
pub(crate) fn answered(
    db: &Connection,
    invitation: OpId,
    merchant: MerchantId,
    answer: Answer,
) -> Result<(), PhoneError> {
    db.prepare_cached(ANSWER)?.execute((invitation.0, merchant.0, answer.as_str()))?;
    Ok(())
}

/// Who answered an invitation, in order of id.
pub(crate) fn answers(db: &Connection, invitation: OpId) -> Result<Vec<(MerchantId, Answer)>, PhoneError> {
    let mut statement = db.prepare_cached(ANSWERS)?;
    let mut rows = statement.query([invitation.0])?;
    let mut answers = Vec::new();
    while let Some(row) = rows.next()? {
        let word: String = row.get(1)?;
        let answer = Answer::ALL.into_iter().find(|answer| answer.as_str() == word);
        answers.push((MerchantId(row.get(0)?), answer.ok_or(corrupt("answer"))?));
    }
    Ok(answers)
}

/// Keeps what the server told of an invitation that this person was shown. Those that were shown long ago go.
pub(crate) fn found(
    db: &Connection,
    id: OpId,
    found: &InvitationFound,
    at: Timestamp,
) -> Result<(), PhoneError> {
    db.prepare_cached(PUT_FOUND)?.execute((id.0, at.0, json(found, "invitation")?))?;
    db.execute(FORGET_FOUND, [MOST_FOUND])?;
    Ok(())
}

/// What the server told of an invitation.
pub(crate) fn get_found(db: &Connection, id: OpId) -> Result<Option<InvitationFound>, PhoneError> {
    let body: Option<String> = db.prepare_cached(FOUND)?.query_row([id.0], |row| row.get(0)).optional()?;
    body.map(|body| parse(&body, "invitation")).transpose()
}

/// Every invitation that this person was shown, the last first.
pub(crate) fn all_found(db: &Connection) -> Result<Vec<InvitationFound>, PhoneError> {
    let mut statement = db.prepare_cached(ALL_FOUND)?;
    let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
    bodies.map(|body| parse(&body?, "invitation")).collect()
}
