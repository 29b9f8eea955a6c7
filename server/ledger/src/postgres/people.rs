//! Personal data: numbers, enrolments, sessions, and what is to be sent.

use moa_rules::id::{AccountId, KeyId};
use moa_rules::time::Timestamp;

use super::load::{all, most, one};
use super::pool::{Connection, Mode, Param};
use super::{PostgresStore, enrolments, sessions};
use crate::rows;
use crate::store::{
    CodeCheck, CodeTry, CountedBy, Effect, KnownDevice, NewEffect, NewEnrolment, NewOneTime, NewToken,
    OneTimeKept, People, Session, StoreError, TakenOneTime,
};

const NAME_NUMBER: &str = "INSERT INTO accounts (phone_mac, account, named_at) VALUES ($1, $2, $3)
    ON CONFLICT (phone_mac) DO UPDATE SET named_at = greatest(accounts.named_at, excluded.named_at)
    WHERE accounts.named_at IS NOT NULL";
const NUMBER: &str = "SELECT account, named_at FROM accounts WHERE phone_mac = $1";
const FORGET_NUMBERS: &str = "DELETE FROM accounts WHERE named_at < $1 AND named_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM lots WHERE lots.account = accounts.account AND remaining > 0)";
const MEMBER_TAG: &str = "SELECT tag FROM member_tags WHERE account = $1";
const GIVE_TAG: &str = "INSERT INTO member_tags (tag, account) VALUES ($1, $2)";
const ACCOUNT_OF_TAG: &str = "SELECT account FROM member_tags WHERE tag = $1";
const MADE_SINCE: &str =
    "SELECT made_at FROM one_time_codes WHERE account = $1 AND made_at > $2 ORDER BY made_at";
const KEEP_ONE_TIME: &str =
    "INSERT INTO one_time_codes (mac, account, code, made_at, expires_at, kept_until) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (mac) DO NOTHING";
const TAKE_ONE_TIME: &str = "UPDATE one_time_codes SET taken_by = $3
    WHERE mac = $1 AND (code IS NOT NULL) = $2 AND taken_by IS NULL";
const ONE_TIME: &str =
    "SELECT mac, account, code, made_at, expires_at, kept_until, taken_by FROM one_time_codes
    WHERE mac = $1 AND (code IS NOT NULL) = $2";
const WRONG_DIGITS: &str = "INSERT INTO wrong_digits (asker, mac, at) VALUES ($1, $2, $3)
    ON CONFLICT (asker, mac) DO NOTHING";
const WRONG_SINCE: &str = "SELECT at FROM wrong_digits WHERE asker = $1 AND at > $2 ORDER BY at";
const FORGET_ONE_TIME: &str = "DELETE FROM one_time_codes WHERE kept_until < $1";
const FORGET_TRIES: &str = "DELETE FROM wrong_digits WHERE at < $1";
const KEEP_PEPPER: &str =
    "INSERT INTO peppers (mac) SELECT $1::bytea WHERE NOT EXISTS (SELECT 1 FROM peppers)";
const PEPPER: &str = "SELECT 1 FROM peppers WHERE mac = $1";
const EFFECT: &str =
    "INSERT INTO effects (id, kind, payload, due_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING";
const DUE: &str = "SELECT id, kind, payload, due_at, attempts FROM effects
    WHERE done_at IS NULL AND due_at <= $1 ORDER BY due_at, id LIMIT $2";
const TAKEN: &str = "UPDATE effects SET due_at = $2 WHERE id = ANY($1)";
// What was sent held a phone number and a code; what is kept says only that it was sent.
const DONE: &str = "UPDATE effects SET done_at = $2, payload = '' WHERE id = $1";
const FAILED: &str = "UPDATE effects SET attempts = attempts + 1, due_at = $2 WHERE id = $1";

impl PostgresStore {
    /// A transaction that writes.
    pub(super) fn write<T>(
        &self,
        what: &'static str,
        work: impl AsyncFn(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.pool.transaction(what, Mode::Write, work)
    }
}

impl People for PostgresStore {
    fn keep_pepper(&self, mac: [u8; 32]) -> Result<bool, StoreError> {
        self.write("keeping the pepper's mark", async |tx| {
            tx.run(KEEP_PEPPER, &[&&mac[..]]).await?;
            Ok(!tx.rows(PEPPER, &[&&mac[..]]).await?.is_empty())
        })
    }

    fn begin_enrolment(&self, enrolment: &NewEnrolment) -> Result<(), StoreError> {
        self.write("beginning an enrolment", async |tx| {
            enrolments::begin(tx, enrolment).await?;
            let NewEffect { id, kind, payload, due_at } = &enrolment.effect;
            tx.run(EFFECT, &[&&id[..], &kind.as_bytes(), &payload.as_bytes(), &due_at.0]).await.map(drop)
        })
    }

    fn try_code(&self, attempt: &CodeTry, now: Timestamp) -> Result<CodeCheck, StoreError> {
        self.write("trying a code", async |tx| enrolments::try_code(tx, attempt, now).await)
    }

    fn enrolments_since(&self, by: CountedBy<'_>, since: Timestamp) -> Result<u32, StoreError> {
        self.pool.read("counting enrolments", async |tx| enrolments::since(tx, by, since).await)
    }

    fn forget_enrolments(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write("forgetting enrolments", async |tx| enrolments::forget(tx, before).await)
    }

    fn device_enrolled(&self, account: AccountId, key: KeyId, now: Timestamp) -> Result<(), StoreError> {
        self.write("keeping a device", async |tx| sessions::device_enrolled(tx, account, key, now).await)
    }

    fn known_devices(&self, account: AccountId) -> Result<Vec<KnownDevice>, StoreError> {
        self.pool.read("reading devices", async |tx| sessions::known_devices(tx, account).await)
    }

    fn begin_session(
        &self,
        session: &Session,
        refresh_hash: [u8; 32],
        token: NewToken,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("beginning a session", async |tx| {
            sessions::begin(tx, session, refresh_hash, token, name, now).await
        })
    }

    fn session(&self, refresh_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.pool.read("reading a session", async |tx| sessions::of_refresh(tx, refresh_hash).await)
    }

    fn refresh_session(&self, session: &Session, token: NewToken, now: Timestamp) -> Result<(), StoreError> {
        self.write("giving a token", async |tx| sessions::refresh(tx, session, token, now).await)
    }

    fn end_session(&self, key: KeyId) -> Result<(), StoreError> {
        self.write("ending a session", async |tx| sessions::end(tx, key).await)
    }

    fn token(&self, token_hash: [u8; 32]) -> Result<Option<(Session, Timestamp)>, StoreError> {
        self.pool.read("reading a token", async |tx| sessions::of_token(tx, token_hash).await)
    }

    fn forget_sessions(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("forgetting sessions", async |tx| sessions::forget(tx, now).await)
    }

    fn member_tag(&self, account: AccountId, fresh: [u8; 16]) -> Result<[u8; 16], StoreError> {
        let known = async |tx: &Connection| {
            one(tx, MEMBER_TAG, &[&account.as_ref()], |row| rows::at(row, "tag")).await
        };
        if let Some(tag) = self.pool.read("reading a tag", known)? {
            return Ok(tag);
        }
        self.write("giving a tag", async |tx| {
            if let Some(tag) = known(tx).await? {
                return Ok(tag);
            }
            tx.run(GIVE_TAG, &[&&fresh[..], &account.as_ref()]).await?;
            Ok(fresh)
        })
    }

    fn account_of_tag(&self, tag: [u8; 16]) -> Result<Option<AccountId>, StoreError> {
        self.pool.read("reading a tag", async |tx| {
            one(tx, ACCOUNT_OF_TAG, &[&&tag[..]], |row| rows::id(row, "account")).await
        })
    }

    fn account_of_number(
        &self,
        phone_mac: [u8; 32],
        fresh: AccountId,
        now: Timestamp,
    ) -> Result<(AccountId, bool), StoreError> {
        self.write("naming a number", async |tx| {
            tx.run(NAME_NUMBER, &[&&phone_mac[..], &fresh.as_ref(), &now.0]).await?;
            let known = one(tx, NUMBER, &[&&phone_mac[..]], rows::people::number).await?;
            Ok(known.unwrap_or((fresh, false)))
        })
    }

    fn signed_up_with(&self, phone_mac: [u8; 32]) -> Result<Option<AccountId>, StoreError> {
        let found = self.pool.read("reading a number", async |tx| {
            one(tx, NUMBER, &[&&phone_mac[..]], rows::people::number).await
        })?;
        Ok(found.filter(|(_, signed_up)| *signed_up).map(|(account, _)| account))
    }

    fn forget_numbers(&self, since: Timestamp) -> Result<(), StoreError> {
        self.write("forgetting numbers", async |tx| tx.run(FORGET_NUMBERS, &[&since.0]).await.map(drop))
    }

    fn keep_one_time(
        &self,
        one_time: &NewOneTime,
        most: usize,
        since: Timestamp,
    ) -> Result<OneTimeKept, StoreError> {
        let NewOneTime { mac, account, code, made_at, expires_at, kept_until } = one_time;
        self.write("keeping a one-time code", async |tx| {
            let of = account.as_ref();
            let made = all(tx, MADE_SINCE, &[&of, &since.0], |row| rows::instant(row, "made_at")).await?;
            if let Some(first) = made.first().filter(|_| made.len() >= most) {
                return Ok(OneTimeKept::TooMany(*first));
            }
            let row: [Param; 6] = [&&mac[..], &of, code, &made_at.0, &expires_at.0, &kept_until.0];
            Ok(if tx.run(KEEP_ONE_TIME, &row).await? == 1 { OneTimeKept::Kept } else { OneTimeKept::Known })
        })
    }

    fn take_one_time(
        &self,
        mac: [u8; 32],
        paying: bool,
        by: &[u8],
    ) -> Result<Option<TakenOneTime>, StoreError> {
        self.write("taking a one-time code", async |tx| {
            tx.run(TAKE_ONE_TIME, &[&&mac[..], &paying, &by]).await?;
            one(tx, ONE_TIME, &[&&mac[..], &paying], rows::people::taken).await
        })
    }

    fn wrong_digits(&self, asker: [u8; 16], mac: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        self.write("keeping a wrong try", async |tx| {
            tx.run(WRONG_DIGITS, &[&&asker[..], &&mac[..], &now.0]).await.map(drop)
        })
    }

    fn wrong_digits_since(&self, asker: [u8; 16], since: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        self.pool.read("reading wrong tries", async |tx| {
            all(tx, WRONG_SINCE, &[&&asker[..], &since.0], |row| rows::instant(row, "at")).await
        })
    }

    fn forget_one_time(&self, now: Timestamp, tries_before: Timestamp) -> Result<(), StoreError> {
        self.write("forgetting one-time codes", async |tx| {
            tx.run(FORGET_ONE_TIME, &[&now.0]).await?;
            tx.run(FORGET_TRIES, &[&tries_before.0]).await.map(drop)
        })
    }

    fn take_effects(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Effect>, StoreError> {
        // Nearly always there is nothing: then nothing is written, and nobody is in another's way.
        let waits = async |tx: &Connection| tx.rows(DUE, &[&now.0, &1_i64]).await;
        if self.pool.read("looking for effects", waits)?.is_empty() {
            return Ok(Vec::new());
        }
        self.write("taking effects", async |tx| {
            let due = all(tx, DUE, &[&now.0, &most(limit)], rows::people::effect).await?;
            let taken: Vec<&[u8]> = due.iter().map(|taken| &taken.effect.id[..]).collect();
            tx.run(TAKEN, &[&taken, &until.0]).await?;
            Ok(due)
        })
    }

    fn effect_done(&self, id: [u8; 16], now: Timestamp) -> Result<(), StoreError> {
        self.write("closing an effect", async |tx| tx.run(DONE, &[&&id[..], &now.0]).await.map(drop))
    }

    fn effect_failed(&self, id: [u8; 16], due_at: Timestamp) -> Result<(), StoreError> {
        self.write("putting an effect off", async |tx| tx.run(FAILED, &[&&id[..], &due_at.0]).await.map(drop))
    }
}

/// What is kept of a person, by the account.
const ERASED: [&str; 7] = [
    "DELETE FROM accounts WHERE account IN (SELECT account FROM closed WHERE NOT forgotten)",
    "DELETE FROM recoveries WHERE account IN (SELECT account FROM closed WHERE NOT forgotten)",
    "DELETE FROM known_devices WHERE account IN (SELECT account FROM closed WHERE NOT forgotten)",
    "DELETE FROM member_tags WHERE account IN (SELECT account FROM closed WHERE NOT forgotten)",
    "DELETE FROM one_time_codes WHERE account IN (SELECT account FROM closed WHERE NOT forgotten)",
    "DELETE FROM tokens WHERE key IN (SELECT key FROM devices WHERE account IN
        (SELECT account FROM closed WHERE NOT forgotten))",
    "DELETE FROM sessions WHERE key IN (SELECT key FROM devices WHERE account IN
        (SELECT account FROM closed WHERE NOT forgotten))",
];
const TO_FORGET: &str = "SELECT 1 FROM closed WHERE NOT forgotten LIMIT 1";
const FORGOTTEN: &str = "UPDATE closed SET forgotten = true WHERE NOT forgotten";

/// Erases the persons of accounts that have ended.
pub(super) async fn forget_closed(tx: &Connection) -> Result<(), StoreError> {
    if tx.rows(TO_FORGET, &[]).await?.is_empty() {
        return Ok(());
    }
    for sql in ERASED {
        tx.run(sql, &[]).await?;
    }
    tx.run(FORGOTTEN, &[]).await.map(drop)
}
