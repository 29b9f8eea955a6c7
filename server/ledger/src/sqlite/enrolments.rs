//! Enrolments: whose number it is, and which account that leads to.

use moa_rules::id::AccountId;
use moa_rules::time::Timestamp;
use rusqlite::{Transaction, params};

use super::load::one;
use super::save::run;
use crate::rows;
use crate::rows::people::Begun;
use crate::store::{CodeCheck, CodeTry, CountedBy, NewEnrolment, StoreError};

const BEGIN: &str =
    "INSERT INTO enrolments (id, phone_mac, public_key, code_mac, address_mac, dial_code, begun_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const ENROLMENT: &str = "SELECT phone_mac, public_key, code_mac, expires_at, tries, account, begins, proved
    FROM enrolments WHERE id = ?1";
const WRONG: &str = "UPDATE enrolments SET tries = tries + 1 WHERE id = ?1";
const RIGHT: &str = "UPDATE enrolments SET account = ?2, begins = ?3, proved = ?4 WHERE id = ?1";
const OF_NUMBER: &str = "SELECT count(*) AS count FROM enrolments WHERE phone_mac = ?1 AND begun_at >= ?2";
const OF_KEY: &str = "SELECT count(*) AS count FROM enrolments WHERE public_key = ?1 AND begun_at >= ?2";
const OF_ADDRESS: &str = "SELECT count(*) AS count FROM enrolments WHERE address_mac = ?1 AND begun_at >= ?2";
const OF_DIAL_CODE: &str = "SELECT count(*) AS count FROM enrolments WHERE dial_code = ?1 AND begun_at >= ?2";
const FORGET: &str = "DELETE FROM enrolments WHERE begun_at < ?1";
const NUMBER: &str = "SELECT account, named_at FROM accounts WHERE phone_mac = ?1";
const GIVE_NUMBER: &str = "INSERT INTO accounts (phone_mac, account, named_at) VALUES (?1, ?2, NULL)
    ON CONFLICT (phone_mac) DO UPDATE SET account = excluded.account, named_at = NULL";
const LAST_SEEN: &str = "SELECT max(seen) AS seen FROM known_devices WHERE account = ?1";
const GIVE_RECOVERY: &str = "INSERT INTO recoveries (account, mac) VALUES (?1, ?2)
    ON CONFLICT (account) DO UPDATE SET mac = excluded.mac, tries = 0";
const RECOVERY: &str = "SELECT mac, tries FROM recoveries WHERE account = ?1";
const RECOVERY_TRIED: &str = "UPDATE recoveries SET tries = ?2 WHERE account = ?1";

pub(super) fn begin(tx: &Transaction, enrolment: &NewEnrolment) -> Result<(), StoreError> {
    let NewEnrolment { id, phone_mac, public_key, code_mac, address_mac, dial_code, expires_at, effect } =
        enrolment;
    let begun_at = effect.due_at.0;
    let row = params![id, phone_mac, public_key, code_mac, address_mac, dial_code, begun_at, expires_at.0];
    run(tx, BEGIN, row).map(drop)
}

pub(super) fn try_code(tx: &Transaction, attempt: &CodeTry, now: Timestamp) -> Result<CodeCheck, StoreError> {
    let begun = one(tx, ENROLMENT, [attempt.enrolment], rows::people::begun)?;
    let Some(Begun { phone_mac, public_key, code_mac, expires_at, tries, ended, begins, proved }) = begun
    else {
        return Ok(CodeCheck::Void);
    };
    if expires_at < now || tries >= attempt.tries {
        return Ok(CodeCheck::Void);
    }
    if code_mac != attempt.code_mac {
        run(tx, WRONG, [attempt.enrolment])?;
        return Ok(CodeCheck::Wrong { tries_left: attempt.tries - tries - 1 });
    }
    if let Some(account) = ended {
        return Ok(CodeCheck::Right { account, public_key, begins, proved });
    }
    let number = one(tx, NUMBER, [phone_mac], rows::people::number)?;
    let (account, begins, proved) = match number {
        None => (attempt.fresh, true, false),
        Some((account, false)) => (account, true, false),
        Some((account, true)) => match attempt.recovery {
            Some(typed) => match try_recovery(tx, account, typed, attempt.recovery_tries)? {
                Ok(()) => (account, false, true),
                Err(tries_left) => return Ok(CodeCheck::RecoveryWrong { tries_left }),
            },
            None if is_silent(tx, account, attempt.silent_since)? => (attempt.fresh, true, false),
            None => (account, false, false),
        },
    };
    run(tx, GIVE_NUMBER, params![phone_mac, account.as_ref()])?;
    if begins {
        run(tx, GIVE_RECOVERY, params![account.as_ref(), attempt.fresh_recovery])?;
    }
    run(tx, RIGHT, params![attempt.enrolment, account.as_ref(), begins, proved])?;
    Ok(CodeCheck::Right { account, public_key, begins, proved })
}

/// Whether the account has devices and all of them were last seen before an instant.
fn is_silent(tx: &Transaction, account: AccountId, since: Timestamp) -> Result<bool, StoreError> {
    let seen = one(tx, LAST_SEEN, [account.as_ref()], |row| rows::at::<Option<i64>>(row, "seen"))?;
    Ok(seen.flatten().is_some_and(|seen| seen < since.0))
}

/// Whether it is the account's recovery code; if not, how many tries are left.
fn try_recovery(
    tx: &Transaction,
    account: AccountId,
    typed: [u8; 32],
    most: u32,
) -> Result<Result<(), u32>, StoreError> {
    let kept = one(tx, RECOVERY, [account.as_ref()], rows::people::recovery)?;
    let Some((mac, tries)) = kept.filter(|(_, tries)| *tries < most) else { return Ok(Err(0)) };
    let (tries, answer) = if mac == typed { (0, Ok(())) } else { (tries + 1, Err(most - tries - 1)) };
    run(tx, RECOVERY_TRIED, params![account.as_ref(), tries])?;
    Ok(answer)
}

pub(super) fn since(tx: &Transaction, by: CountedBy<'_>, since: Timestamp) -> Result<u32, StoreError> {
    let (sql, value): (_, &[u8]) = match &by {
        CountedBy::Number(mac) => (OF_NUMBER, mac),
        CountedBy::Key(key) => (OF_KEY, key),
        CountedBy::Address(mac) => (OF_ADDRESS, mac),
        CountedBy::DialCode(code) => {
            return counted(one(tx, OF_DIAL_CODE, params![code, since.0], |row| rows::number(row, "count")));
        }
    };
    counted(one(tx, sql, params![value, since.0], |row| rows::number(row, "count")))
}

fn counted(count: Result<Option<u32>, StoreError>) -> Result<u32, StoreError> {
    Ok(count?.unwrap_or(0))
}

pub(super) fn forget(tx: &Transaction, before: Timestamp) -> Result<(), StoreError> {
    run(tx, FORGET, [before.0]).map(drop)
}
