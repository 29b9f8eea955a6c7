//! Invitations: what the journal says of them, and their traces.

use moa_rules::admission::JoinRequest;
use moa_rules::id::{MerchantId, OpId};
use moa_rules::invitation::{Invitation, TokenHash};
use moa_rules::time::Timestamp;
use rusqlite::params;

use super::SqliteStore;
use super::load::{all, most, one};
use super::save::run;
use crate::rows;
use crate::store::invitations::{Invitations, MOST_INVITATIONS, Seen, Sending, Sent, Trace};
use crate::store::{NewEffect, StoreError};

const INVITATION: &str = "SELECT * FROM invitations WHERE issuer = ?1 AND id = ?2";
const BY_HASH: &str =
    "SELECT * FROM invitations WHERE hash = ?1 AND hash IS NOT NULL ORDER BY issuer, id LIMIT 1";
const BY_CODE: &str =
    "SELECT i.* FROM invitation_traces t JOIN invitations i ON i.issuer = t.issuer AND i.id = t.invitation
    WHERE t.code_mac = ?1 AND t.code_mac IS NOT NULL ORDER BY i.issuer, i.id LIMIT 1";
const MADE_BY: &str = "SELECT * FROM invitations WHERE issuer = ?1 AND until > ?2 ORDER BY id DESC LIMIT ?3";
const MADE_TO: &str = "SELECT * FROM invitations WHERE shop = ?1 AND shop IS NOT NULL AND until > ?2
    ORDER BY id DESC LIMIT ?3";
const REQUESTS: &str = "SELECT * FROM join_requests WHERE state = 0 AND asked_at > ?2
        AND (merchant = ?1 OR group_id IN (SELECT group_id FROM members WHERE merchant = ?1 AND left_at IS NULL))
    ORDER BY group_id, merchant";
const TRACE: &str = "SELECT * FROM invitation_traces WHERE issuer = ?1 AND invitation = ?2";
const TRACES_OF: &str = "SELECT * FROM invitation_traces WHERE issuer = ?1 ORDER BY invitation";
const NAME: &str = "INSERT INTO invitation_traces (issuer, invitation, code_mac, opened, begun_at) VALUES (?1, ?2, ?3, 0, ?4)
    ON CONFLICT (issuer, invitation) DO UPDATE SET code_mac = excluded.code_mac";
const SENT_BEFORE: &str =
    "SELECT sent_at FROM invitation_traces WHERE issuer = ?1 AND invitation = ?2 AND sent_at IS NOT NULL";
const TO_CONTACT: &str =
    "SELECT count(*) AS sent FROM invitation_traces WHERE contact_mac = ?1 AND sent_at > ?2
    AND contact_mac IS NOT NULL";
const BY_ISSUER: &str = "SELECT count(*) AS sent FROM invitation_traces WHERE issuer = ?1 AND sent_at > ?2";
const SEND: &str = "INSERT INTO invitation_traces
        (issuer, invitation, channel, contact_mac, contact, sent_at, opened, begun_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?6)
    ON CONFLICT (issuer, invitation) DO UPDATE SET channel = excluded.channel, contact_mac = excluded.contact_mac,
        contact = excluded.contact, sent_at = excluded.sent_at";
const EFFECT: &str =
    "INSERT INTO effects (id, kind, payload, due_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING";
const OPENED: &str = "INSERT INTO invitation_traces (issuer, invitation, opened, opened_at, begun_at) VALUES (?1, ?2, 1, ?3, ?3)
    ON CONFLICT (issuer, invitation) DO UPDATE SET opened = opened + 1,
        opened_at = coalesce(opened_at, excluded.opened_at)";
const CLAIMED: &str = "INSERT INTO invitation_traces (issuer, invitation, opened, claimed_at, begun_at) VALUES (?1, ?2, 0, ?3, ?3)
    ON CONFLICT (issuer, invitation) DO UPDATE SET claimed_at = coalesce(claimed_at, excluded.claimed_at)";
const DELIVERED: &str = "INSERT INTO invitation_traces (issuer, invitation, opened, delivered_at, begun_at)
    VALUES (?1, ?2, 0, ?3, ?3)
    ON CONFLICT (issuer, invitation) DO UPDATE SET delivered_at = coalesce(delivered_at, excluded.delivered_at)";
const FORGET: &str = "DELETE FROM invitation_traces WHERE begun_at < ?1";

impl Invitations for SqliteStore {
    fn invitation(&self, issuer: MerchantId, id: OpId) -> Result<Option<Invitation>, StoreError> {
        self.read(|tx| one(tx, INVITATION, (issuer.as_ref(), id.as_ref()), rows::invitation))
    }

    fn invitation_by_hash(&self, hash: TokenHash) -> Result<Option<Invitation>, StoreError> {
        self.read(|tx| one(tx, BY_HASH, [hash.0], rows::invitation))
    }

    fn invitation_by_code(&self, code_mac: [u8; 32]) -> Result<Option<Invitation>, StoreError> {
        self.read(|tx| one(tx, BY_CODE, [code_mac], rows::invitation))
    }

    fn invitations_of(&self, merchant: MerchantId, since: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        self.read(|tx| {
            let of = (merchant.as_ref(), since.0, most(MOST_INVITATIONS));
            let mut made = all(tx, MADE_BY, of, rows::invitation)?;
            made.extend(all(tx, MADE_TO, of, rows::invitation)?);
            Ok(made)
        })
    }

    fn join_requests_of(
        &self,
        merchant: MerchantId,
        since: Timestamp,
    ) -> Result<Vec<JoinRequest>, StoreError> {
        self.read(|tx| all(tx, REQUESTS, (merchant.as_ref(), since.0), rows::join_request))
    }

    fn trace_of(&self, issuer: MerchantId, id: OpId) -> Result<Option<Trace>, StoreError> {
        let found = self.read(|tx| one(tx, TRACE, (issuer.as_ref(), id.as_ref()), rows::people::trace))?;
        Ok(found.map(|(_, trace)| trace))
    }

    fn traces_of(&self, issuer: MerchantId) -> Result<Vec<(OpId, Trace)>, StoreError> {
        self.read(|tx| all(tx, TRACES_OF, [issuer.as_ref()], rows::people::trace))
    }

    fn name_invitation(
        &self,
        issuer: MerchantId,
        id: OpId,
        code_mac: [u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("keeping the code of an invitation", |tx| {
            run(tx, NAME, params![issuer.as_ref(), id.as_ref(), code_mac, now.0]).map(drop)
        })
    }

    fn send_invitation(&self, sending: &Sending, now: Timestamp) -> Result<Sent, StoreError> {
        let Sending { issuer, invitation, channel, contact_mac, contact, effect, limits } = sending;
        self.write("sending an invitation", |tx| {
            let sent = |row: &dyn rows::Columns| rows::instant(row, "sent_at");
            if one(tx, SENT_BEFORE, (issuer.as_ref(), invitation.as_ref()), sent)?.is_some() {
                return Ok(Sent::Before);
            }
            let count = |row: &dyn rows::Columns| rows::at::<i64>(row, "sent");
            let to_contact = one(tx, TO_CONTACT, (contact_mac, limits.since.0), count)?;
            if to_contact >= Some(limits.to_contact.into()) {
                return Ok(Sent::TooManyToContact);
            }
            if one(tx, BY_ISSUER, (issuer.as_ref(), limits.since.0), count)? >= Some(limits.by_issuer.into())
            {
                return Ok(Sent::TooManyByIssuer);
            }
            let (issuer, invitation) = (issuer.as_ref(), invitation.as_ref());
            run(tx, SEND, params![issuer, invitation, channel.as_bytes(), contact_mac, contact, now.0])?;
            let NewEffect { id, kind, payload, due_at } = effect;
            run(tx, EFFECT, params![id, kind, payload, due_at.0])?;
            Ok(Sent::Now)
        })
    }

    fn invitation_seen(
        &self,
        issuer: MerchantId,
        id: OpId,
        seen: Seen,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = match seen {
            Seen::Opened => OPENED,
            Seen::Claimed => CLAIMED,
            Seen::Delivered => DELIVERED,
        };
        self.write("noting an invitation", |tx| {
            run(tx, sql, params![issuer.as_ref(), id.as_ref(), now.0]).map(drop)
        })
    }

    fn forget_traces(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write("forgetting invitations", |tx| run(tx, FORGET, [before.0]).map(drop))
    }
}
