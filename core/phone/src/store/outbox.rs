//! The outbox: every op that this phone signed, what it would change, and what the server said.

use moa_rules::id::{GroupId, KeyId, OpId};
use moa_rules::op::Op;
use moa_rules::quantity::Units;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Kind as Mileage, Unit};
use moa_rules::time::Timestamp;
use moa_wire::token::{Checked, Sealed};
use rusqlite::{Connection, OptionalExtension};

use super::{json, meta, numbers, parse, read_unit, signed, unit_column, vouchers, waiting};
use crate::error::{PhoneError, corrupt};
use crate::outbox::{Kind, RefusedOp};
use crate::sync::MOST_RETRY_AFTER_S;

// `CROSS JOIN`: what is not settled is little, and has an index of its own; the outbox is long.
const INSERT: &str = "INSERT INTO outbox (op, actor, counter, kind, bytes, created_at, mileage)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const INSERT_PENDING: &str = "INSERT INTO pending (op, \"group\", units, unit) VALUES (?1, ?2, ?3, ?4)";
const DELETE_PENDING: &str = "DELETE FROM pending WHERE op = ?1";
const SETTLE: &str = "UPDATE pending SET settled = 1 WHERE op = ?1";
const UNSETTLE: &str = "UPDATE pending SET settled = 0 WHERE op = ?1";
const ENTRY: &str = "SELECT op, kind, bytes, created_at, state, refusal, mileage FROM outbox WHERE op = ?1";
const SHOWN: &str = "SELECT op, kind, bytes, created_at, state, refusal, mileage FROM outbox
                     WHERE (state = 'waiting' AND kind <> 'renew_certificate')
                         OR (state = 'refused' AND NOT dismissed) ORDER BY seq";
const PENDING: &str = "SELECT op, kind, bytes, created_at, \"group\", units, unit
                       FROM pending CROSS JOIN outbox USING (op) WHERE kind = ?1 AND NOT settled ORDER BY seq";
const DISMISS: &str = "UPDATE outbox SET dismissed = 1 WHERE op = ?1 AND state = 'refused'";
const SETUP: &str = "SELECT op, bytes, not_before FROM outbox
                     WHERE state = 'waiting' AND kind IN ('register_merchant', 'act_for', 'join_staff', 'found_group', 'join_group')
                     ORDER BY seq LIMIT 1";
const DUE: &str =
    "SELECT op, bytes FROM outbox WHERE state = 'waiting' AND (not_before <= ?1 OR not_before > ?2)
                   AND kind NOT IN ('register_merchant', 'act_for', 'join_staff', 'found_group', 'join_group')
                   AND (kind NOT IN ('standing', 'marketing') OR seq = (SELECT min(seq) FROM outbox AS other
                                                     WHERE state = 'waiting' AND other.kind = outbox.kind))
                   ORDER BY kind NOT IN ('redeem', 'pay', 'hold', 'capture_hold'), seq LIMIT ?3";
const DUE_CLAIMS: &str =
    "SELECT op, bytes FROM outbox WHERE state = 'waiting' AND (not_before <= ?1 OR not_before > ?2)
                          AND (kind IN ('claim', 'pay', 'reserve_pass', 'revoke_device', 'admit_device') OR seq = (SELECT min(seq) FROM outbox
                                                        WHERE state = 'waiting' AND kind = 'standing'))
                          ORDER BY seq LIMIT ?3";
const WAITING: &str = "SELECT count(*), min(not_before) FROM outbox WHERE state = 'waiting'";
const COUNT: &str = "SELECT count(*) FROM outbox WHERE state = 'waiting' AND kind = ?1";
const NOT_BEFORE: &str = "UPDATE outbox SET not_before = ?2 WHERE op = ?1 AND state = 'waiting'";
const WAITING_OF: &str = "SELECT op, kind, bytes, created_at, state, refusal, mileage FROM outbox
                          WHERE state = 'waiting' AND kind = ?1 ORDER BY seq";
const APPLIED: &str = "UPDATE outbox SET state = 'applied' WHERE op = ?1 AND state = 'waiting'";
const REFUSED: &str = "UPDATE outbox SET state = 'refused', refusal = ?2 WHERE op = ?1 AND state = 'waiting'";
const QUIET: &str = "UPDATE outbox SET quiet = 1 WHERE op = ?1";
const DISMISS_QUIET: &str = "UPDATE outbox SET dismissed = 1 WHERE op = ?1 AND quiet";
const IS_OURS: &str = "SELECT EXISTS (SELECT 1 FROM outbox WHERE op = ?1 AND actor = ?2)";
const LACKS_TOKEN: &str =
    "SELECT EXISTS (SELECT 1 FROM outbox WHERE op = ?1 AND kind IN ('pay', 'reserve_pass')
                    AND NOT EXISTS (SELECT 1 FROM given_token WHERE given_token.op = outbox.op))";
const ANY_IN_SNAPSHOT: &str = "SELECT EXISTS (SELECT 1 FROM pending CROSS JOIN outbox USING (op)
                               WHERE state = 'applied' AND before_snapshot AND NOT settled)";
const SETTLE_IN_SNAPSHOT: &str = "UPDATE pending SET settled = 1
    WHERE op IN (SELECT op FROM outbox WHERE state = 'applied' AND before_snapshot)";
const SETTLE_APPLIED: &str = "UPDATE pending SET settled = 1
    WHERE op IN (SELECT op FROM outbox WHERE state = 'applied') AND NOT settled";
const APPLIED_OPS: &str = "SELECT bytes FROM outbox WHERE state = 'applied' ORDER BY seq";
const AGAIN: &str = "UPDATE outbox SET state = 'waiting', not_before = 0, before_snapshot = 0, again = 1
                     WHERE op = ?1 AND state = 'applied'";
const UNHEARD_OPS: &str = "SELECT bytes FROM pending CROSS JOIN outbox USING (op)
                           WHERE state = 'applied' AND NOT settled AND NOT again ORDER BY seq";
const ANY_UNHEARD: &str = "SELECT EXISTS (SELECT 1 FROM pending CROSS JOIN outbox USING (op)
                           WHERE state = 'applied' AND NOT settled AND NOT again)";
const ANY_AGAIN: &str = "SELECT EXISTS (SELECT 1 FROM outbox WHERE state = 'waiting' AND again)";
const MARK_BEFORE_SNAPSHOT: &str = "UPDATE outbox SET before_snapshot = 1 WHERE state = 'waiting'";

/// What an op would change, once confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Effect {
    /// In which group, if it is known.
    pub group: Option<GroupId>,
    /// How many units, if it can be told.
    pub units: Option<Units>,
    /// What a unit is; none for points, or if it is not known how many.
    pub unit: Option<Unit>,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Waiting,
    Applied,
    Refused(RefusedOp),
}

/// A row of the outbox.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub op: OpId,
    pub kind: Kind,
    pub body: Op,
    pub created_at: Timestamp,
    pub answer: Answer,
    /// What the units are that it names, if it names some.
    pub mileage: Option<Mileage>,
}

/// A pending effect and the op that would bring it.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub op: OpId,
    pub body: Op,
    pub created_at: Timestamp,
    pub effect: Effect,
}

/// Puts a signed op in, and what it would change.
pub(crate) fn insert(
    db: &Connection,
    op: &Checked<Op>,
    effect: Effect,
    at: Timestamp,
) -> Result<(), PhoneError> {
    bring(db, op.value(), op.bytes(), effect, at)
}

/// The same with an op that was signed before, and of which this phone no longer has the key perhaps.
pub(crate) fn bring(
    db: &Connection,
    op: &Op,
    bytes: &[u8],
    effect: Effect,
    at: Timestamp,
) -> Result<(), PhoneError> {
    let Op { id, actor, counter, ref body, .. } = *op;
    let kind = Kind::of(body).as_str();
    let mileage = effect.units.map(|_| json(&Unit::kind(effect.unit), "mileage")).transpose()?;
    db.prepare_cached(INSERT)?.execute((id.0, actor.0, signed(counter), kind, bytes, at.0, mileage))?;
    let (group, units) = (effect.group.map(|group| group.0), effect.units.map(Units::get));
    db.prepare_cached(INSERT_PENDING)?.execute((id.0, group, units, unit_column(effect.unit)?))?;
    Ok(())
}

/// One op.
pub(crate) fn entry(db: &Connection, op: OpId) -> Result<Option<Entry>, PhoneError> {
    let mut statement = db.prepare_cached(ENTRY)?;
    let mut rows = statement.query([op.0])?;
    rows.next()?.map(read).transpose()
}

/// What waits, and what was refused and not yet read, oldest first. A till renews its certificate unseen.
pub(crate) fn shown(db: &Connection) -> Result<Vec<Entry>, PhoneError> {
    let mut statement = db.prepare_cached(SHOWN)?;
    let mut rows = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(read(row)?);
    }
    Ok(entries)
}

/// What waits of one kind, oldest first.
pub(crate) fn waiting_of(db: &Connection, kind: Kind) -> Result<Vec<Entry>, PhoneError> {
    let mut statement = db.prepare_cached(WAITING_OF)?;
    let mut rows = statement.query([kind.as_str()])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(read(row)?);
    }
    Ok(entries)
}

fn read(row: &rusqlite::Row) -> Result<Entry, PhoneError> {
    let mileage = row.get::<_, Option<String>>(6)?.map(|kind| parse(&kind, "mileage")).transpose()?;
    let answer = match (row.get::<_, String>(4)?.as_str(), row.get::<_, Option<String>>(5)?) {
        ("waiting", _) => Answer::Waiting,
        ("applied", _) => Answer::Applied,
        (_, Some(refusal)) => Answer::Refused(RefusedOp { mileage, ..parse(&refusal, "refusal")? }),
        (_, None) => return Err(corrupt("refusal")),
    };
    Ok(Entry {
        op: OpId(row.get(0)?),
        kind: Kind::parse(&row.get::<_, String>(1)?).ok_or(corrupt("op"))?,
        body: op(&row.get::<_, Vec<u8>>(2)?)?,
        created_at: Timestamp(row.get(3)?),
        answer,
        mileage,
    })
}

fn op(bytes: &[u8]) -> Result<Op, PhoneError> {
    Ok(Sealed::<Op>::parse(bytes).map_err(|_| corrupt("op"))?.unchecked().clone())
}

/// The pending effects of one kind of op, oldest first.
pub(crate) fn pending(db: &Connection, kind: Kind) -> Result<Vec<Pending>, PhoneError> {
    let mut statement = db.prepare_cached(PENDING)?;
    let mut rows = statement.query([kind.as_str()])?;
    let mut pending = Vec::new();
    while let Some(row) = rows.next()? {
        let units = row.get::<_, Option<i64>>(5)?.map(Units::new).transpose();
        pending.push(Pending {
            op: OpId(row.get(0)?),
            body: op(&row.get::<_, Vec<u8>>(2)?)?,
            created_at: Timestamp(row.get(3)?),
            effect: Effect {
                group: row.get::<_, Option<_>>(4)?.map(GroupId),
                units: units.map_err(|_| corrupt("pending"))?,
                unit: read_unit(row.get(6)?)?,
            },
        });
    }
    Ok(pending)
}

/// A refusal was read.
pub(crate) fn dismiss(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(DISMISS)?.execute([op.0])?;
    Ok(())
}

/// Up to `limit` ops to be sent now, in order. An op put off further than any op is was put off before the clock was
/// set back: it is due.
///
/// Opening a shop, acting for one, founding and joining go first and one by one: what comes after needs them, and an op that is
/// refused because the one before it was put off is refused for good. Redemptions, payments and holds go before the rest: someone
/// stands at the till. Standing choices go one by one too, and what is said to advertising: the last one set is
/// to be the last one decided.
pub(crate) fn due(db: &Connection, now: Timestamp, limit: usize) -> Result<Vec<(OpId, Vec<u8>)>, PhoneError> {
    let most = now.plus(i64::from(MOST_RETRY_AFTER_S) * Timestamp::SECOND);
    let is_due = |not_before: Timestamp| not_before <= now || not_before > most;
    let setup = db
        .prepare_cached(SETUP)?
        .query_row([], |row| Ok(((OpId(row.get(0)?), row.get(1)?), Timestamp(row.get(2)?))))
        .optional()?;
    let rest = match setup {
        Some((first, not_before)) if is_due(not_before) => return Ok(vec![first]),
        Some(_) => DUE_CLAIMS,
        None => DUE,
    };
    let mut statement = db.prepare_cached(rest)?;
    let due = statement.query_map((now.0, most.0, i64::try_from(limit).unwrap_or(i64::MAX)), |row| {
        Ok((OpId(row.get(0)?), row.get(1)?))
    })?;
    Ok(due.collect::<Result<_, _>>()?)
}

/// How many ops wait, and the first instant at which one may be sent.
pub(crate) fn waiting(db: &Connection) -> Result<(u64, Option<Timestamp>), PhoneError> {
    Ok(db.prepare_cached(WAITING)?.query_row([], |row| {
        Ok((super::unsigned(row.get(0)?), row.get::<_, Option<i64>>(1)?.map(Timestamp)))
    })?)
}

/// How many ops of one kind wait.
pub(crate) fn count(db: &Connection, kind: Kind) -> Result<u64, PhoneError> {
    Ok(super::unsigned(db.prepare_cached(COUNT)?.query_row([kind.as_str()], |row| row.get(0))?))
}

/// Sends an op no earlier than that.
pub(crate) fn put_off(db: &Connection, op: OpId, not_before: Timestamp) -> Result<(), PhoneError> {
    db.prepare_cached(NOT_BEFORE)?.execute((op.0, not_before.0))?;
    Ok(())
}

/// The server applied an op. What it changed stays pending until its event comes.
pub(crate) fn applied(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(APPLIED)?.execute([op.0])?;
    numbers::forget(db, op)
}

/// Whether something that was answered is pending still, though its event may lie before the snapshot.
pub(crate) fn any_in_snapshot(db: &Connection) -> Result<bool, PhoneError> {
    Ok(db.prepare_cached(ANY_IN_SNAPSHOT)?.query_row([], |row| row.get(0))?)
}

/// Every event after the snapshot has been received of what was answered: what is pending still lies before it.
pub(crate) fn settle_in_snapshot(db: &Connection) -> Result<(), PhoneError> {
    db.prepare_cached(SETTLE_IN_SNAPSHOT)?.execute([])?;
    Ok(())
}

/// The event of an op is being applied: the op holds, and is no longer pending. One that the server answers with a signed
/// word, for the buyer to show, is asked again until that has come.
pub(crate) fn confirmed(db: &Connection, actor: KeyId, op: OpId) -> Result<(), PhoneError> {
    if db.prepare_cached(IS_OURS)?.query_row((op.0, actor.0), |row| row.get(0))? {
        if !db.prepare_cached(LACKS_TOKEN)?.query_row([op.0], |row| row.get(0))? {
            applied(db, op)?;
        }
        db.prepare_cached(SETTLE)?.execute([op.0])?;
    }
    Ok(())
}

/// The server refused an op, for good.
pub(crate) fn refused(db: &Connection, key: KeyId, op: OpId, refusal: &RefusedOp) -> Result<(), PhoneError> {
    let text = json(refusal, "refusal")?;
    if db.prepare_cached(REFUSED)?.execute((op.0, text))? == 0 {
        // Answered before: the first answer holds.
        return Ok(());
    }
    db.prepare_cached(DELETE_PENDING)?.execute([op.0])?;
    db.prepare_cached(DISMISS_QUIET)?.execute([op.0])?;
    numbers::forget(db, op)?;
    match refusal.reason {
        Some(Refusal::SaleAlreadyClaimed) => vouchers::gone(db, op)?,
        _ => vouchers::release(db, op)?,
    }
    waiting::release(db, op)?;
    if let Some(Refusal::CounterUsed { counter }) = refusal.reason {
        // This phone was restored from a backup: go on well above what the server has seen.
        meta::raise_counter(db, key, counter.saturating_add(COUNTER_LEAP))?;
    }
    Ok(())
}

/// Ops that the server had applied, oldest first.
pub(crate) fn applied_ops(db: &Connection) -> Result<Vec<Op>, PhoneError> {
    ops(db, APPLIED_OPS)
}

/// Those that it answered, whose event has not come, and that were not sent again yet; oldest first.
pub(crate) fn unheard_ops(db: &Connection) -> Result<Vec<Op>, PhoneError> {
    ops(db, UNHEARD_OPS)
}

/// Whether there are such.
pub(crate) fn any_unheard(db: &Connection) -> Result<bool, PhoneError> {
    Ok(db.prepare_cached(ANY_UNHEARD)?.query_row([], |row| row.get(0))?)
}

fn ops(db: &Connection, select: &str) -> Result<Vec<Op>, PhoneError> {
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query([])?;
    let mut ops = Vec::new();
    while let Some(row) = rows.next()? {
        ops.push(op(&row.get::<_, Vec<u8>>(0)?)?);
    }
    Ok(ops)
}

/// Sends an op again that the server had applied, under the same id. What it would change is pending again, if it is known to
/// be lost.
pub(crate) fn again(db: &Connection, op: OpId, lost: bool) -> Result<(), PhoneError> {
    db.prepare_cached(AGAIN)?.execute([op.0])?;
    if lost {
        db.prepare_cached(UNSETTLE)?.execute([op.0])?;
    }
    Ok(())
}

/// Whether something that is sent again waits for its answer.
pub(crate) fn any_again(db: &Connection) -> Result<bool, PhoneError> {
    Ok(db.prepare_cached(ANY_AGAIN)?.query_row([], |row| row.get(0))?)
}

/// Nobody asked for this op: if it is refused, nobody needs to read why.
pub(crate) fn quiet(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(QUIET)?.execute([op.0])?;
    Ok(())
}

/// How far above a counter that was used already a phone goes on.
pub(crate) const COUNTER_LEAP: u64 = 1 << 16;

/// A snapshot was taken while nothing was under way: it holds what was applied. Of what still waits nobody knows.
pub(crate) fn snapshot_taken(db: &Connection) -> Result<(), PhoneError> {
    settle_applied(db)?;
    db.execute(MARK_BEFORE_SNAPSHOT, [])?;
    Ok(())
}

/// What was applied is in the balances, or will not be there.
pub(crate) fn settle_applied(db: &Connection) -> Result<(), PhoneError> {
    db.execute(SETTLE_APPLIED, [])?;
    Ok(())
}
