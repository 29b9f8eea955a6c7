//! Writing: everything that follows from a batch, one statement a table.

use std::collections::{BTreeMap, BTreeSet};

use moa_rules::device::Holder;
use moa_rules::event::Inbox;
use moa_rules::id::{KeyId, OpId};
use moa_rules::state::Row;
use moa_rules::view::{Cell, Key};
use moa_wire::canonical;
use rusqlite::{CachedStatement, Connection, Params, Transaction, params};

use super::counters::Counted;
use super::{doing, load, search};
use crate::batch::{Changes, Entry, OpRow, Prior, Signed, Tx};
use crate::rows;
use crate::store::{Answer, CHECKPOINT, InboxHead, StoreError};

const OP: &str = "INSERT INTO ops (actor, id, payload_hash, signed, answer, decided_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const CARRIED_OP: &str = "INSERT INTO ops (actor, id, payload_hash, carrier, answer, decided_at)
    VALUES (?1, ?2, ?3, (SELECT seq FROM ops WHERE actor = ?4 AND id = ?5), ?6, ?7)";
const EVENT: &str = "INSERT INTO events (inbox, number, bytes) VALUES (?1, ?2, ?3)";
const ENTRY: &str = "INSERT INTO inbox_events (inbox, number, event, hash, head) VALUES (?1, ?2, ?3, ?4, ?5)";
const NO_HEAD: &str = "UPDATE inbox_events SET head = NULL, hash = CASE WHEN ?3 THEN hash END
    WHERE inbox = ?1 AND number = ?2 AND head";
const INBOX: &str = "INSERT INTO inboxes (inbox) VALUES (?1) RETURNING seq";
const DEVICE: &str =
    "INSERT INTO devices (key, account, kind, until, public_key, enrolled_at, pays_from, revoked_at,
        merchant, staff, left_at, cert_until, cert_most, cert_used)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
    ON CONFLICT (key) DO UPDATE SET pays_from = excluded.pays_from, revoked_at = excluded.revoked_at,
        merchant = excluded.merchant, staff = excluded.staff, left_at = excluded.left_at,
        cert_until = excluded.cert_until, cert_most = excluded.cert_most, cert_used = excluded.cert_used";
const MERCHANT: &str =
    "INSERT INTO merchants (id, owner, profile, allowance, changed_at, invited_on, invited)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, profile = excluded.profile,
        allowance = excluded.allowance, invited_on = excluded.invited_on, invited = excluded.invited";
const GROUP: &str =
    "INSERT INTO groups (id, founder, profile, terms_version, members, admin, frozen, redeem_only_from,
        closes_at, ended, profile_version)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, terms_version = excluded.terms_version,
        members = excluded.members, admin = excluded.admin, frozen = excluded.frozen,
        redeem_only_from = excluded.redeem_only_from, closes_at = excluded.closes_at, ended = excluded.ended,
        profile_version = excluded.profile_version";
const AMENDMENT: &str = "INSERT INTO amendments (group_id, id, terms, from_at, agreed, declined, decided)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (group_id) DO UPDATE SET id = excluded.id, terms = excluded.terms,
        from_at = excluded.from_at, agreed = excluded.agreed, declined = excluded.declined,
        decided = excluded.decided";
const INVITATION: &str = "INSERT INTO invitations
        (issuer, id, group_id, hash, shop, uses, used, declined, made_at, until, revoked)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (issuer, id) DO UPDATE SET used = excluded.used, declined = excluded.declined,
        revoked = excluded.revoked";
const JOIN_REQUEST: &str = "INSERT INTO join_requests
        (group_id, merchant, id, terms_version, asked_at, for_it, against, state, ended_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (group_id, merchant) DO UPDATE SET id = excluded.id, terms_version = excluded.terms_version,
        asked_at = excluded.asked_at, for_it = excluded.for_it, against = excluded.against,
        state = excluded.state, ended_at = excluded.ended_at";
const HOLD: &str = "INSERT INTO holds (merchant, id, account, group_id, held, made_at, until, state, till)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (merchant, id) DO UPDATE SET state = excluded.state";
const REDEMPTION: &str =
    "INSERT INTO redemptions (merchant, id, account, group_id, made_at, allocations, returned, till)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (merchant, id) DO UPDATE SET returned = excluded.returned";
const DEBT: &str = "INSERT INTO debts (account, group_id, merchant, unit, units, since)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (account, group_id, merchant, unit) DO UPDATE SET units = excluded.units,
        since = excluded.since";
const STAFF: &str = "INSERT INTO staff (merchant, account, key, per_sale, per_day, joined_at, left_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (merchant, account) DO UPDATE SET key = excluded.key, per_sale = excluded.per_sale,
        per_day = excluded.per_day, joined_at = excluded.joined_at, left_at = excluded.left_at";
const STAFF_DAY: &str = "INSERT INTO staff_days (merchant, account, day, sold) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (merchant, account, day) DO UPDATE SET sold = excluded.sold";
const PASS: &str =
    "INSERT INTO passes (merchant, id, till, account, key, group_id, held, expires, state, made_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (merchant, id) DO UPDATE SET state = excluded.state";
const OPERATOR: &str = "INSERT INTO operators (account) VALUES (?1) ON CONFLICT (account) DO NOTHING";
const CLOSED: &str = "INSERT INTO closed (account, at, merged_into) VALUES (?1, ?2, ?3)";
const NO_OPERATOR: &str = "DELETE FROM operators WHERE account = ?1";
const TERMS: &str = "INSERT INTO terms (group_id, version, terms, in_force_from, in_force_until)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (group_id, version) DO UPDATE SET in_force_until = excluded.in_force_until";
const MEMBER: &str = "INSERT INTO members (group_id, merchant, joined_at, terms_version, left_at, frozen_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (group_id, merchant) DO UPDATE SET joined_at = excluded.joined_at,
        terms_version = excluded.terms_version, left_at = excluded.left_at, frozen_at = excluded.frozen_at";
const SALE: &str = "INSERT INTO sales
        (merchant, id, key, amount, time, addressee, claimed_by, waits_until, lapsed, staff, claimed_account,
        claimed_group, voided, redemption, refunded, money_back, unearned, clawed, forgone)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
    ON CONFLICT (merchant, id) DO UPDATE SET addressee = excluded.addressee, claimed_by = excluded.claimed_by,
        waits_until = excluded.waits_until, lapsed = excluded.lapsed,
        claimed_account = excluded.claimed_account, claimed_group = excluded.claimed_group,
        voided = excluded.voided, refunded = excluded.refunded, money_back = excluded.money_back,
        unearned = excluded.unearned, clawed = excluded.clawed, forgone = excluded.forgone";
const LOT: &str =
    "INSERT INTO lots (account, group_id, id, issuer, sale, units, remaining, unit_value, basis,
        terms_version, issued_at, last_day, ends_at, held, unit, expired, revives)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
    ON CONFLICT (account, group_id, id) DO UPDATE SET remaining = excluded.remaining, held = excluded.held,
        expired = excluded.expired";
const STANDING: &str = "INSERT INTO standings (account, choice, best, since, marketing)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (account) DO UPDATE SET choice = excluded.choice, best = excluded.best, since = excluded.since,
        marketing = excluded.marketing";
const BALANCE: &str =
    "INSERT INTO balances (group_id, party, ledger, issuer, amount) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (group_id, party, ledger, issuer) DO UPDATE SET amount = amount + excluded.amount";
const MERCHANT_CHANGED: &str = "UPDATE merchants SET changed_at = max(changed_at, ?2) WHERE id = ?1";
const GROUP_CHANGED: &str = "UPDATE merchants SET changed_at = max(changed_at, ?2)
    WHERE id IN (SELECT merchant FROM members WHERE group_id = ?1)";

/// An open transaction, as the batch sees it.
pub struct Sqlite<'a>(pub &'a Transaction<'a>);

impl Tx for Sqlite<'_> {
    fn prior(&mut self, actor: KeyId, op: OpId) -> Result<Option<Prior>, StoreError> {
        load::prior(self.0, actor, op)
    }

    fn load(&mut self, key: Key) -> Result<Option<Cell>, StoreError> {
        load::cell(self.0, key)
    }

    fn head(&mut self, inbox: Inbox) -> Result<InboxHead, StoreError> {
        load::head(self.0, inbox)
    }

    fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        save(self.0, changes)?;
        search::refresh(self.0, &changes.rows)
    }
}

/// Runs one statement.
pub fn run(connection: &Connection, sql: &'static str, params: impl Params) -> Result<usize, StoreError> {
    prepared(connection, sql)?.execute(params).map_err(doing("writing"))
}

/// A statement, to be run once or, where many rows are written, many times.
fn prepared<'a>(connection: &'a Connection, sql: &'static str) -> Result<CachedStatement<'a>, StoreError> {
    connection.prepare_cached(sql).map_err(doing("preparing a statement"))
}

/// Writes everything that follows from a batch.
pub fn save(tx: &Transaction, changes: &Changes) -> Result<(), StoreError> {
    let at = changes.at.0;
    changes.ops.iter().try_for_each(|op| save_op(tx, op, at))?;
    changes.rows.iter().try_for_each(|row| save_row(tx, row, at))?;
    save_lots(tx, &changes.rows)?;
    let mut counted = Counted::in_rows(&changes.rows);
    counted.hear(changes.ops.iter().map(|op| (op, changes.at)));
    counted.save(tx)?;
    save_events(tx, changes)?;
    let mut balance = prepared(tx, BALANCE)?;
    for (account, amount) in &changes.balances {
        let (party, ledger, issuer) = rows::account_key(account);
        let added = balance.execute(params![account.group.as_ref(), party, ledger, issuer, amount]);
        added.map_err(doing("writing"))?;
    }
    for merchant in &changes.changed_merchants {
        run(tx, MERCHANT_CHANGED, params![merchant.as_ref(), at])?;
    }
    for group in &changes.changed_groups {
        run(tx, GROUP_CHANGED, params![group.as_ref(), at])?;
    }
    Ok(())
}

/// Writes an op, decided at an instant.
pub fn save_op(tx: &Transaction, op: &OpRow, at: i64) -> Result<(), StoreError> {
    let answer = match &op.answer {
        Answer::Applied => None,
        Answer::Refused(refusal) => Some(canonical::encode(refusal)),
    };
    let (actor, id, hash) = (op.actor.as_ref(), op.id.as_ref(), op.payload_hash);
    match &op.signed {
        Signed::Here { bytes, .. } => run(tx, OP, params![actor, id, hash, bytes, answer, at]),
        Signed::Inside(by, claim) => {
            run(tx, CARRIED_OP, params![actor, id, hash, by.as_ref(), claim.as_ref(), answer, at])
        }
    }
    .map(drop)
}

/// The number that an inbox goes by in the tables. A new one gets the next.
pub fn inbox_number(tx: &Transaction, inbox: Inbox) -> Result<i64, StoreError> {
    if let Some(known) = load::inbox_number(tx, inbox)? {
        return Ok(known);
    }
    prepared(tx, INBOX)?.query_row([canonical::encode(&inbox)], |row| row.get(0)).map_err(doing("writing"))
}

/// Writes events, the last of each inbox with its head, and takes that from the one that was the last.
fn save_events(tx: &Transaction, changes: &Changes) -> Result<(), StoreError> {
    let mut inboxes = BTreeMap::new();
    for (inbox, head) in &changes.heads {
        inboxes.insert(*inbox, (inbox_number(tx, *inbox)?, head.count));
    }
    let nowhere = || StoreError::Corrupt("an event in an inbox without a head".to_owned());
    let mut no_head = prepared(tx, NO_HEAD)?;
    let mut begun = BTreeSet::new();
    for entry in changes.events.iter().flat_map(|event| &event.entries) {
        let before = entry.number - 1;
        if begun.insert(entry.inbox) && before > 0 {
            let (inbox, _) = inboxes.get(&entry.inbox).ok_or_else(nowhere)?;
            let kept = before.is_multiple_of(CHECKPOINT);
            no_head.execute(params![inbox, before.cast_signed(), kept]).map_err(doing("writing"))?;
        }
    }
    let place = |entry: &Entry| {
        let (inbox, count) = inboxes.get(&entry.inbox).ok_or_else(nowhere)?;
        let head = (entry.number == *count).then_some(true);
        let kept = head.is_some() || entry.number.is_multiple_of(CHECKPOINT);
        Ok((*inbox, entry.number.cast_signed(), kept.then_some(entry.hash), head))
    };
    let (mut event, mut entry) = (prepared(tx, EVENT)?, prepared(tx, ENTRY)?);
    for row in &changes.events {
        let Some(home) = row.entries.first() else { continue };
        let (inbox, number, ..) = place(home)?;
        event.execute(params![inbox, number, row.bytes]).map_err(doing("writing"))?;
        let seq = tx.last_insert_rowid();
        for place in row.entries.iter().map(place) {
            let (inbox, number, hash, head) = place?;
            entry.execute(params![inbox, number, seq, hash, head]).map_err(doing("writing"))?;
        }
    }
    Ok(())
}

/// Writes lots: of what a batch writes, what there may be most of.
fn save_lots(tx: &Transaction, rows: &[Row]) -> Result<(), StoreError> {
    let mut statement = prepared(tx, LOT)?;
    for row in rows {
        let Row::Lot(lot) = row else { continue };
        let written = statement.execute(params![
            lot.account.as_ref(),
            lot.group.as_ref(),
            lot.id.as_ref(),
            lot.issuer.as_ref(),
            lot.sale.as_ref(),
            lot.units.get(),
            lot.remaining.get(),
            lot.worth.unit_value.0,
            rows::basis(lot.worth.basis),
            lot.terms_version,
            lot.issued_at.0,
            lot.last_day.0,
            lot.ends_at.0,
            lot.held.get(),
            rows::unit(lot.worth.unit),
            lot.expired.get(),
            lot.revives.as_ref().map(AsRef::as_ref),
        ]);
        written.map_err(doing("writing"))?;
    }
    Ok(())
}

fn save_row(tx: &Transaction, row: &Row, at: i64) -> Result<(), StoreError> {
    match row {
        Row::Device(device) => {
            let account = match &device.holder {
                Holder::System => None,
                Holder::Account(account) => Some(account.as_ref()),
            };
            let (kind, until) = rows::kind(device.kind);
            run(
                tx,
                DEVICE,
                params![
                    device.key.as_ref(),
                    account,
                    kind,
                    until,
                    device.public_key,
                    device.enrolled_at.0,
                    device.pays_from.0,
                    device.revoked_at.map(|at| at.0),
                    device.merchant.as_ref().map(AsRef::as_ref),
                    device.staff,
                    device.left_at.map(|at| at.0),
                    device.certificate.map(|certificate| certificate.until.0),
                    device.certificate.map(|certificate| certificate.most.0),
                    device.certificate.map(|certificate| certificate.used.0),
                ],
            )
        }
        // Kept together: [`Counted`], [`save_lots`].
        Row::Counter(..) | Row::Lot(_) => Ok(0),
        Row::Merchant(merchant) => {
            let profile = canonical::encode(&merchant.profile);
            let (id, owner) = (merchant.id.as_ref(), merchant.owner.as_ref());
            let (day, invited) = merchant.invited;
            run(tx, MERCHANT, params![id, owner, profile, merchant.allowance.0, at, day.0, invited])
        }
        Row::Sale(sale) => run(
            tx,
            SALE,
            params![
                sale.merchant.as_ref(),
                sale.id.as_ref(),
                sale.key.as_ref(),
                sale.amount.0,
                sale.time.cast_signed(),
                sale.addressee.as_ref().map(AsRef::as_ref),
                sale.claimed.as_ref().map(|claimed| claimed.lot.as_ref()),
                sale.waits_until.map(|until| until.0),
                sale.lapsed,
                sale.staff,
                sale.claimed.as_ref().map(|claimed| claimed.account.as_ref()),
                sale.claimed.as_ref().map(|claimed| claimed.group.as_ref()),
                sale.voided,
                sale.redemption.as_ref().map(AsRef::as_ref),
                sale.refunded.0,
                sale.money_back.0,
                sale.unearned.0,
                sale.clawed.get(),
                sale.forgone.get(),
            ],
        ),
        Row::Group(group) => {
            let closing = group.closing;
            run(
                tx,
                GROUP,
                params![
                    group.id.as_ref(),
                    group.founder.as_ref(),
                    canonical::encode(&group.profile),
                    group.terms_version,
                    group.members,
                    group.admin.as_ref(),
                    rows::ids(&group.frozen),
                    closing.map(|closing| closing.redeem_only_from.0),
                    closing.map(|closing| closing.ends_at.0),
                    closing.is_some_and(|closing| closing.ended),
                    group.profile_version,
                ],
            )
        }
        Row::Amendment(amendment) => run(
            tx,
            AMENDMENT,
            params![
                amendment.group.as_ref(),
                amendment.id.as_ref(),
                canonical::encode(&amendment.terms),
                amendment.from.0,
                rows::ids(&amendment.agreed),
                rows::ids(&amendment.declined),
                amendment.decided,
            ],
        ),
        Row::Invitation(invitation) => run(
            tx,
            INVITATION,
            params![
                invitation.issuer.as_ref(),
                invitation.id.as_ref(),
                rows::invited_to(&invitation.to).map(AsRef::as_ref),
                invitation.hash.map(|hash| hash.0),
                invitation.shop.as_ref().map(AsRef::as_ref),
                invitation.uses,
                invitation.used,
                invitation.declined,
                invitation.made_at.0,
                invitation.until.0,
                invitation.revoked,
            ],
        ),
        Row::JoinRequest(request) => run(
            tx,
            JOIN_REQUEST,
            params![
                request.group.as_ref(),
                request.merchant.as_ref(),
                request.id.as_ref(),
                request.terms_version,
                request.asked_at.0,
                rows::ids(&request.for_it),
                rows::ids(&request.against),
                rows::request_state(request.state),
                request.ended_at.map(|at| at.0),
            ],
        ),
        Row::Hold(hold) => run(
            tx,
            HOLD,
            params![
                hold.merchant.as_ref(),
                hold.id.as_ref(),
                hold.account.as_ref(),
                hold.group.as_ref(),
                canonical::encode(&hold.held),
                hold.made_at.0,
                hold.until.0,
                rows::hold_state(hold.state),
                hold.till.as_ref().map(AsRef::as_ref),
            ],
        ),
        Row::Redemption(redemption) => run(
            tx,
            REDEMPTION,
            params![
                redemption.merchant.as_ref(),
                redemption.id.as_ref(),
                redemption.account.as_ref(),
                redemption.group.as_ref(),
                redemption.made_at.0,
                canonical::encode(&redemption.allocations),
                redemption.returned.get(),
                redemption.till.as_ref().map(AsRef::as_ref),
            ],
        ),
        Row::Debt(debt) => run(
            tx,
            DEBT,
            params![
                debt.account.as_ref(),
                debt.group.as_ref(),
                debt.merchant.as_ref(),
                rows::unit(debt.unit),
                debt.units.get(),
                debt.since.0,
            ],
        ),
        Row::Terms(terms) => {
            let until = terms.in_force_until.map(|at| at.0);
            let body = canonical::encode(&terms.terms);
            run(tx, TERMS, params![terms.group.as_ref(), terms.version, body, terms.in_force_from.0, until])
        }
        Row::Member(member) => run(
            tx,
            MEMBER,
            params![
                member.group.as_ref(),
                member.merchant.as_ref(),
                member.joined_at.0,
                member.terms_version,
                member.left_at.map(|at| at.0),
                member.frozen_at.map(|at| at.0),
            ],
        ),
        Row::Standing(standing) => {
            let choice = canonical::encode(&standing.choice);
            let (account, best) = (standing.account.as_ref(), standing.choice.best);
            let marketing = canonical::encode(&standing.marketing);
            run(tx, STANDING, params![account, choice, best, standing.since.0, marketing])
        }
        Row::Staff(staff) => run(
            tx,
            STAFF,
            params![
                staff.merchant.as_ref(),
                staff.account.as_ref(),
                staff.key.as_ref(),
                staff.limits.per_sale.0,
                staff.limits.per_day.0,
                staff.joined_at.0,
                staff.left_at.map(|at| at.0),
            ],
        ),
        Row::StaffDay { merchant, account, day, sold } => {
            run(tx, STAFF_DAY, params![merchant.as_ref(), account.as_ref(), day.0, sold.0])
        }
        Row::Pass(pass) => run(
            tx,
            PASS,
            params![
                pass.merchant.as_ref(),
                pass.id.as_ref(),
                pass.till.as_ref(),
                pass.account.as_ref(),
                pass.key.as_ref(),
                pass.group.as_ref(),
                canonical::encode(&pass.held),
                pass.expires.cast_signed(),
                rows::pass_state(pass.state),
                pass.made_at.0,
            ],
        ),
        Row::Closed { account, at, into } => {
            run(tx, CLOSED, params![account.as_ref(), at.0, into.as_ref().map(AsRef::as_ref)])
        }
        Row::Operator { account, operator: true } => run(tx, OPERATOR, [account.as_ref()]),
        Row::Operator { account, operator: false } => run(tx, NO_OPERATOR, [account.as_ref()]),
    }
    .map(drop)
}
