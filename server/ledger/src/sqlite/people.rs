//! Personal data: numbers, enrolments, sessions, and what is to be sent.

use moa_rules::id::{AccountId, KeyId};
use moa_rules::time::Timestamp;
use rusqlite::params;

use super::load::{all, one};
use super::save::run;
use super::{SqliteStore, enrolments, sessions};
use crate::rows;
use crate::store::{
    CodeCheck, CodeTry, CountedBy, Effect, KnownDevice, NewEffect, NewEnrolment, NewOneTime, NewToken,
    OneTimeKept, People, Session, StoreError, TakenOneTime,
};

const NAME_NUMBER: &str = "INSERT INTO accounts (phone_mac, account, named_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (phone_mac) DO UPDATE SET named_at = max(named_at, excluded.named_at) WHERE named_at IS NOT NULL";
const NUMBER: &str = "SELECT account, named_at FROM accounts WHERE phone_mac = ?1";
const FORGET_NUMBERS: &str = "DELETE FROM accounts WHERE named_at < ?1
    AND NOT EXISTS (SELECT 1 FROM lots WHERE lots.account = accounts.account AND remaining > 0)";
const MEMBER_TAG: &str = "SELECT tag FROM member_tags WHERE account = ?1";
const GIVE_TAG: &str =
    "INSERT INTO member_tags (tag, account) VALUES (?1, ?2) ON CONFLICT (account) DO NOTHING";
const ACCOUNT_OF_TAG: &str = "SELECT account FROM member_tags WHERE tag = ?1";
const MADE_SINCE: &str =
    "SELECT made_at FROM one_time_codes WHERE account = ?1 AND made_at > ?2 ORDER BY made_at";
const KEEP_ONE_TIME: &str =
    "INSERT INTO one_time_codes (mac, account, code, made_at, expires_at, kept_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (mac) DO NOTHING";
const TAKE_ONE_TIME: &str = "UPDATE one_time_codes SET taken_by = ?3
    WHERE mac = ?1 AND (code IS NOT NULL) = ?2 AND taken_by IS NULL";
const ONE_TIME: &str =
    "SELECT mac, account, code, made_at, expires_at, kept_until, taken_by FROM one_time_codes
    WHERE mac = ?1 AND (code IS NOT NULL) = ?2";
const WRONG_DIGITS: &str = "INSERT INTO wrong_digits (asker, mac, at) VALUES (?1, ?2, ?3)
    ON CONFLICT (asker, mac) DO NOTHING";
const WRONG_SINCE: &str = "SELECT at FROM wrong_digits WHERE asker = ?1 AND at > ?2 ORDER BY at";
const FORGET_ONE_TIME: &str = "DELETE FROM one_time_codes WHERE kept_until < ?1";
const FORGET_TRIES: &str = "DELETE FROM wrong_digits WHERE at < ?1";
const KEEP_PEPPER: &str = "INSERT INTO peppers (mac) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM peppers)";
const PEPPER: &str = "SELECT 1 FROM peppers WHERE mac = ?1";
const EFFECT: &str = "INSERT INTO effects (id, kind, payload, due_at) VALUES (?1, ?2, ?3, ?4)";
const DUE: &str = "SELECT id, kind, payload, due_at, attempts FROM effects
    WHERE done_at IS NULL AND due_at <= ?1 ORDER BY due_at, id LIMIT ?2";
const TAKEN: &str = "UPDATE effects SET due_at = ?2 WHERE id = ?1";
// What was sent held a phone number and a code; what is kept says only that it was sent.
const DONE: &str = "UPDATE effects SET done_at = ?2, payload = '' WHERE id = ?1";
const FAILED: &str = "UPDATE effects SET attempts = attempts + 1, due_at = ?2 WHERE id = ?1";

impl People for SqliteStore {
    fn keep_pepper(&self, mac: [u8; 32]) -> Result<bool, StoreError> {
        self.write("keeping the pepper's mark", |tx| {
            run(tx, KEEP_PEPPER, [mac])?;
            Ok(one(tx, PEPPER, [mac], |_| Ok(()))?.is_some())
        })
    }

    fn begin_enrolment(&self, enrolment: &NewEnrolment) -> Result<(), StoreError> {
        self.write("beginning an enrolment", |tx| {
            enrolments::begin(tx, enrolment)?;
            let NewEffect { id, kind, payload, due_at } = &enrolment.effect;
            run(tx, EFFECT, params![id, kind, payload, due_at.0]).map(drop)
        })
    }

    fn try_code(&self, attempt: &CodeTry, now: Timestamp) -> Result<CodeCheck, StoreError> {
        self.write("trying a code", |tx| enrolments::try_code(tx, attempt, now))
    }

    fn enrolments_since(&self, by: CountedBy<'_>, since: Timestamp) -> Result<u32, StoreError> {
        self.read(|tx| enrolments::since(tx, by, since))
    }

    fn forget_enrolments(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write("forgetting enrolments", |tx| enrolments::forget(tx, before))
    }

    fn device_enrolled(&self, account: AccountId, key: KeyId, now: Timestamp) -> Result<(), StoreError> {
        self.write("keeping a device", |tx| sessions::device_enrolled(tx, account, key, now))
    }

    fn known_devices(&self, account: AccountId) -> Result<Vec<KnownDevice>, StoreError> {
        self.read(|tx| sessions::known_devices(tx, account))
    }

    fn begin_session(
        &self,
        session: &Session,
        refresh_hash: [u8; 32],
        token: NewToken,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("beginning a session", |tx| sessions::begin(tx, session, refresh_hash, token, name, now))
    }

    fn session(&self, refresh_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.read(|tx| sessions::of_refresh(tx, refresh_hash))
    }

    fn refresh_session(&self, session: &Session, token: NewToken, now: Timestamp) -> Result<(), StoreError> {
        self.write("giving a token", |tx| sessions::refresh(tx, session, token, now))
    }

    fn end_session(&self, key: KeyId) -> Result<(), StoreError> {
        self.write("ending a session", |tx| sessions::end(tx, key))
    }

    fn token(&self, token_hash: [u8; 32]) -> Result<Option<(Session, Timestamp)>, StoreError> {
        self.read(|tx| sessions::of_token(tx, token_hash))
    }

    fn forget_sessions(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("forgetting sessions", |tx| sessions::forget(tx, now))
    }

    fn member_tag(&self, account: AccountId, fresh: [u8; 16]) -> Result<[u8; 16], StoreError> {
        let known =
            |tx: &rusqlite::Transaction| one(tx, MEMBER_TAG, [account.as_ref()], |row| rows::at(row, "tag"));
        if let Some(tag) = self.read(|tx| known(tx))? {
            return Ok(tag);
        }
        self.write("giving a tag", |tx| {
            run(tx, GIVE_TAG, params![fresh, account.as_ref()])?;
            Ok(known(tx)?.unwrap_or(fresh))
        })
    }

    fn account_of_tag(&self, tag: [u8; 16]) -> Result<Option<AccountId>, StoreError> {
        self.read(|tx| one(tx, ACCOUNT_OF_TAG, [tag], |row| rows::id(row, "account")))
    }

    fn account_of_number(
        &self,
        phone_mac: [u8; 32],
        fresh: AccountId,
        now: Timestamp,
    ) -> Result<(AccountId, bool), StoreError> {
        self.write("naming a number", |tx| {
            run(tx, NAME_NUMBER, params![phone_mac, fresh.as_ref(), now.0])?;
            let known = one(tx, NUMBER, [phone_mac], rows::people::number)?;
            Ok(known.unwrap_or((fresh, false)))
        })
    }

    fn signed_up_with(&self, phone_mac: [u8; 32]) -> Result<Option<AccountId>, StoreError> {
        let found = self.read(|tx| one(tx, NUMBER, [phone_mac], rows::people::number))?;
        Ok(found.filter(|(_, signed_up)| *signed_up).map(|(account, _)| account))
    }

    fn forget_numbers(&self, since: Timestamp) -> Result<(), StoreError> {
        self.write("forgetting numbers", |tx| run(tx, FORGET_NUMBERS, [since.0]).map(drop))
    }

    fn keep_one_time(
        &self,
        one_time: &NewOneTime,
        most: usize,
        since: Timestamp,
    ) -> Result<OneTimeKept, StoreError> {
        let NewOneTime { mac, account, code, made_at, expires_at, kept_until } = one_time;
        self.write("keeping a one-time code", |tx| {
            let made =
                all(tx, MADE_SINCE, params![account.as_ref(), since.0], |row| rows::instant(row, "made_at"))?;
            if let Some(first) = made.first().filter(|_| made.len() >= most) {
                return Ok(OneTimeKept::TooMany(*first));
            }
            let row = params![mac, account.as_ref(), code, made_at.0, expires_at.0, kept_until.0];
            Ok(if run(tx, KEEP_ONE_TIME, row)? == 1 { OneTimeKept::Kept } else { OneTimeKept::Known })
        })
    }

    fn take_one_time(
        &self,
        mac: [u8; 32],
        paying: bool,
        by: &[u8],
    ) -> Result<Option<TakenOneTime>, StoreError> {
        self.write("taking a one-time code", |tx| {
            run(tx, TAKE_ONE_TIME, params![mac, paying, by])?;
            one(tx, ONE_TIME, params![mac, paying], rows::people::taken)
        })
    }

    fn wrong_digits(&self, asker: [u8; 16], mac: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        self.write("keeping a wrong try", |tx| run(tx, WRONG_DIGITS, params![asker, mac, now.0]).map(drop))
    }

    fn wrong_digits_since(&self, asker: [u8; 16], since: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let of_shop = params![asker, since.0];
        self.read(|tx| all(tx, WRONG_SINCE, of_shop, |row| rows::instant(row, "at")))
    }

    fn forget_one_time(&self, now: Timestamp, tries_before: Timestamp) -> Result<(), StoreError> {
        self.write("forgetting one-time codes", |tx| {
            run(tx, FORGET_ONE_TIME, [now.0])?;
            run(tx, FORGET_TRIES, [tries_before.0]).map(drop)
        })
    }

    fn take_effects(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Effect>, StoreError> {
        // Nearly always there is nothing: then nothing is written.
        let due = |tx: &rusqlite::Transaction, limit| all(tx, DUE, (now.0, limit), rows::people::effect);
        if self.read(|tx| due(tx, 1))?.is_empty() {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.write("taking effects", |tx| {
            let due = due(tx, limit)?;
            due.iter().try_for_each(|taken| run(tx, TAKEN, params![taken.effect.id, until.0]).map(drop))?;
            Ok(due)
        })
    }

    fn effect_done(&self, id: [u8; 16], now: Timestamp) -> Result<(), StoreError> {
        self.write("closing an effect", |tx| run(tx, DONE, params![id, now.0]).map(drop))
    }

    fn effect_failed(&self, id: [u8; 16], due_at: Timestamp) -> Result<(), StoreError> {
        self.write("putting an effect off", |tx| run(tx, FAILED, params![id, due_at.0]).map(drop))
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

/// Erases the persons of accounts that have ended.
pub fn forget_closed(tx: &rusqlite::Transaction) -> Result<(), StoreError> {
    if one(tx, "SELECT 1 FROM closed WHERE NOT forgotten LIMIT 1", [], |_| Ok(()))?.is_none() {
        return Ok(());
    }
    for sql in ERASED {
        run(tx, sql, [])?;
    }
    run(tx, "UPDATE closed SET forgotten = 1 WHERE NOT forgotten", []).map(drop)
}
