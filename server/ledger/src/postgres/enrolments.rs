//! Enrolments: whose number it is, and which account that leads to.

use moa_rules::id::AccountId;
use moa_rules::time::Timestamp;

use super::load::one;
use super::pool::{Connection, Param};
use crate::rows;
use crate::rows::people::Begun;
use crate::store::{CodeCheck, CodeTry, CountedBy, NewEnrolment, StoreError};

const BEGIN: &str =
    "INSERT INTO enrolments (id, phone_mac, public_key, code_mac, address_mac, dial_code, begun_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING";
const ENROLMENT: &str = "SELECT phone_mac, public_key, code_mac, expires_at, tries, account, begins, proved
    FROM enrolments WHERE id = $1";
const WRONG: &str = "UPDATE enrolments SET tries = tries + 1 WHERE id = $1";
const RIGHT: &str = "UPDATE enrolments SET account = $2, begins = $3, proved = $4 WHERE id = $1";
const OF_NUMBER: &str = "SELECT count(*) AS count FROM enrolments WHERE phone_mac = $1 AND begun_at >= $2";
const OF_KEY: &str = "SELECT count(*) AS count FROM enrolments WHERE public_key = $1 AND begun_at >= $2";
const OF_ADDRESS: &str = "SELECT count(*) AS count FROM enrolments
    WHERE address_mac = $1 AND address_mac IS NOT NULL AND begun_at >= $2";
const OF_DIAL_CODE: &str = "SELECT count(*) AS count FROM enrolments WHERE dial_code = $1 AND begun_at >= $2";
const FORGET: &str = "DELETE FROM enrolments WHERE begun_at < $1";
const NUMBER: &str = "SELECT account, named_at FROM accounts WHERE phone_mac = $1";
const GIVE_NUMBER: &str = "INSERT INTO accounts (phone_mac, account, named_at) VALUES ($1, $2, NULL)
    ON CONFLICT (phone_mac) DO UPDATE SET account = excluded.account, named_at = NULL";
const LAST_SEEN: &str = "SELECT max(seen) AS seen FROM known_devices WHERE account = $1";
const GIVE_RECOVERY: &str = "INSERT INTO recoveries (account, mac, tries) VALUES ($1, $2, 0)
    ON CONFLICT (account) DO UPDATE SET mac = excluded.mac, tries = 0";
const RECOVERY: &str = "SELECT mac, tries FROM recoveries WHERE account = $1";
const RECOVERY_TRIED: &str = "UPDATE recoveries SET tries = $2 WHERE account = $1";

pub(super) async fn begin(tx: &Connection, enrolment: &NewEnrolment) -> Result<(), StoreError> {
    let NewEnrolment { id, phone_mac, public_key, code_mac, address_mac, dial_code, expires_at, effect } =
        enrolment;
    let (begun_at, dial_code) = (effect.due_at.0, i64::from(*dial_code));
    let address_mac = address_mac.as_ref().map(|mac| &mac[..]);
    let row: [Param; 8] = [
        &&id[..],
        &&phone_mac[..],
        public_key,
        &&code_mac[..],
        &address_mac,
        &dial_code,
        &begun_at,
        &expires_at.0,
    ];
    tx.run(BEGIN, &row).await.map(drop)
}

pub(super) async fn try_code(
    tx: &Connection,
    attempt: &CodeTry,
    now: Timestamp,
) -> Result<CodeCheck, StoreError> {
    let enrolment = &attempt.enrolment[..];
    let begun = one(tx, ENROLMENT, &[&enrolment], rows::people::begun).await?;
    let Some(Begun { phone_mac, public_key, code_mac, expires_at, tries, ended, begins, proved }) = begun
    else {
        return Ok(CodeCheck::Void);
    };
    if expires_at < now || tries >= attempt.tries {
        return Ok(CodeCheck::Void);
    }
    if code_mac != attempt.code_mac {
        tx.run(WRONG, &[&enrolment]).await?;
        return Ok(CodeCheck::Wrong { tries_left: attempt.tries - tries - 1 });
    }
    if let Some(account) = ended {
        return Ok(CodeCheck::Right { account, public_key, begins, proved });
    }
    let number = one(tx, NUMBER, &[&&phone_mac[..]], rows::people::number).await?;
    let (account, begins, proved) = match number {
        None => (attempt.fresh, true, false),
        Some((account, false)) => (account, true, false),
        Some((account, true)) => match attempt.recovery {
            Some(typed) => match try_recovery(tx, account, typed, attempt.recovery_tries).await? {
                Ok(()) => (account, false, true),
                Err(tries_left) => return Ok(CodeCheck::RecoveryWrong { tries_left }),
            },
            None if is_silent(tx, account, attempt.silent_since).await? => (attempt.fresh, true, false),
            None => (account, false, false),
        },
    };
    let of = account.as_ref();
    tx.run(GIVE_NUMBER, &[&&phone_mac[..], &of]).await?;
    if begins {
        tx.run(GIVE_RECOVERY, &[&of, &&attempt.fresh_recovery[..]]).await?;
    }
    tx.run(RIGHT, &[&enrolment, &of, &begins, &proved]).await?;
    Ok(CodeCheck::Right { account, public_key, begins, proved })
}

/// Whether the account has devices and all of them were last seen before an instant.
async fn is_silent(tx: &Connection, account: AccountId, since: Timestamp) -> Result<bool, StoreError> {
    let seen = one(tx, LAST_SEEN, &[&account.as_ref()], |row| rows::at::<Option<i64>>(row, "seen")).await?;
    Ok(seen.flatten().is_some_and(|seen| seen < since.0))
}

/// Whether it is the account's recovery code; if not, how many tries are left.
async fn try_recovery(
    tx: &Connection,
    account: AccountId,
    typed: [u8; 32],
    most: u32,
) -> Result<Result<(), u32>, StoreError> {
    let kept = one(tx, RECOVERY, &[&account.as_ref()], rows::people::recovery).await?;
    let Some((mac, tries)) = kept.filter(|(_, tries)| *tries < most) else { return Ok(Err(0)) };
    let (tries, answer) = if mac == typed { (0, Ok(())) } else { (tries + 1, Err(most - tries - 1)) };
    tx.run(RECOVERY_TRIED, &[&account.as_ref(), &i64::from(tries)]).await?;
    Ok(answer)
}

pub(super) async fn since(tx: &Connection, by: CountedBy<'_>, since: Timestamp) -> Result<u32, StoreError> {
    let dial_code: i64;
    let (sql, mac): (_, &[u8]) = match &by {
        CountedBy::Number(mac) => (OF_NUMBER, mac),
        CountedBy::Key(key) => (OF_KEY, key),
        CountedBy::Address(mac) => (OF_ADDRESS, mac),
        CountedBy::DialCode(code) => {
            dial_code = i64::from(*code);
            return counted(tx, OF_DIAL_CODE, &dial_code, since).await;
        }
    };
    counted(tx, sql, &mac, since).await
}

async fn counted(
    tx: &Connection,
    sql: &'static str,
    by: Param<'_>,
    since: Timestamp,
) -> Result<u32, StoreError> {
    Ok(one(tx, sql, &[by, &since.0], |row| rows::number(row, "count")).await?.unwrap_or(0))
}

pub(super) async fn forget(tx: &Connection, before: Timestamp) -> Result<(), StoreError> {
    tx.run(FORGET, &[&before.0]).await.map(drop)
}
