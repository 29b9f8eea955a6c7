//! Writing: everything that follows from a batch, one statement a table, all of them sent at once.

use std::collections::BTreeMap;

use moa_rules::device::Holder;
use moa_rules::id::MerchantId;
use moa_rules::state::Row;
use moa_rules::time::Timestamp;
use moa_rules::view::Key;
use moa_wire::canonical;

use super::columns::{Rows, Value, params};
use super::pool::Connection;
use super::search;
use super::together::{both, every};
use crate::batch::{Changes, Entry, EventRow, OpRow, Signed};
use crate::journal::KeptEntry;
use crate::rows;
use crate::search::Touched;
use crate::store::{Answer, CHECKPOINT, StoreError};

/// A table as it is written: how many of its first columns are the primary key, and the statement. Its rows come as a list a
/// column; unnested one by one in the list of what is selected, which keeps no copy of them, as `FROM unnest(…, …)` does.
struct Table {
    key: usize,
    sql: &'static str,
}

/// A table that is written to in two ways: rows that are known to be new, and any.
macro_rules! new_and_any {
    (key: $key:literal, $new:ident: $insert:literal, $any:ident: $otherwise:literal $(,)?) => {
        const $new: Table = Table { key: $key, sql: $insert };
        const $any: Table = Table { key: $key, sql: concat!($insert, $otherwise) };
    };
}

const OPS: Table = Table {
    key: 2,
    sql: "INSERT INTO ops (actor, id, payload_hash, signed, carrier_actor, carrier_id, answer, decided_at)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bytea[]),
            unnest($5::bytea[]), unnest($6::bytea[]), unnest($7::bytea[]), unnest($8::bigint[])",
};
const COUNTERS: Table = Table {
    key: 2,
    sql: "INSERT INTO counters (key, counter)
        SELECT unnest($1::bytea[]), unnest($2::bigint[])",
};
const EVENTS: Table = Table {
    key: 2,
    sql: "INSERT INTO inbox_events (inbox, number, bytes, home, home_number, hash)
        SELECT unnest($1::bytea[]), unnest($2::bigint[]), unnest($3::bytea[]), unnest($4::bytea[]),
            unnest($5::bigint[]), unnest($6::bytea[])",
};
const HEADS: Table = Table {
    key: 1,
    sql: "INSERT INTO inboxes (inbox, count, hash)
        SELECT unnest($1::bytea[]), unnest($2::bigint[]), unnest($3::bytea[])
        ON CONFLICT (inbox) DO UPDATE SET count = excluded.count, hash = excluded.hash",
};
const DEVICES: Table = Table {
    key: 1,
    sql: "INSERT INTO devices (key, account, kind, until, public_key, enrolled_at, pays_from, revoked_at, merchant, staff,
            left_at, cert_until, cert_most, cert_used)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::bigint[]),
            unnest($5::bytea[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[]),
            unnest($9::bytea[]), unnest($10::boolean[]), unnest($11::bigint[]), unnest($12::bigint[]),
            unnest($13::bigint[]), unnest($14::bigint[])
        ON CONFLICT (key) DO UPDATE SET pays_from = excluded.pays_from, revoked_at = excluded.revoked_at,
            merchant = excluded.merchant, staff = excluded.staff, left_at = excluded.left_at,
            cert_until = excluded.cert_until, cert_most = excluded.cert_most, cert_used = excluded.cert_used",
};
const MERCHANTS: Table = Table {
    key: 1,
    sql: "INSERT INTO merchants (id, owner, profile, allowance, changed_at, invited_on, invited)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bigint[]),
            unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::bigint[])
        ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, profile = excluded.profile,
            allowance = excluded.allowance, invited_on = excluded.invited_on, invited = excluded.invited",
};
const GROUPS: Table = Table {
    key: 1,
    sql: "INSERT INTO groups (id, founder, profile, terms_version, members, admin, frozen, redeem_only_from, closes_at, ended,
            profile_version)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bigint[]),
            unnest($5::bigint[]), unnest($6::bytea[]), unnest($7::bytea[]), unnest($8::bigint[]),
            unnest($9::bigint[]), unnest($10::boolean[]), unnest($11::bigint[])
        ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, terms_version = excluded.terms_version,
            members = excluded.members, admin = excluded.admin, frozen = excluded.frozen,
            redeem_only_from = excluded.redeem_only_from, closes_at = excluded.closes_at, ended = excluded.ended,
            profile_version = excluded.profile_version",
};
const AMENDMENTS: Table = Table {
    key: 1,
    sql: "INSERT INTO amendments (group_id, id, terms, from_at, agreed, declined, decided)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bigint[]),
            unnest($5::bytea[]), unnest($6::bytea[]), unnest($7::boolean[])
        ON CONFLICT (group_id) DO UPDATE SET id = excluded.id, terms = excluded.terms, from_at = excluded.from_at,
            agreed = excluded.agreed, declined = excluded.declined, decided = excluded.decided",
};
const INVITATIONS: Table = Table {
    key: 2,
    sql: "INSERT INTO invitations (issuer, id, group_id, hash, shop, uses, used, declined, made_at, until, revoked)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bytea[]),
            unnest($5::bytea[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[]),
            unnest($9::bigint[]), unnest($10::bigint[]), unnest($11::boolean[])
        ON CONFLICT (issuer, id) DO UPDATE SET used = excluded.used, declined = excluded.declined, revoked = excluded.revoked",
};
const JOIN_REQUESTS: Table = Table {
    key: 2,
    sql: "INSERT INTO join_requests (group_id, merchant, id, terms_version, asked_at, for_it, against, state, ended_at)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bigint[]),
            unnest($5::bigint[]), unnest($6::bytea[]), unnest($7::bytea[]), unnest($8::bigint[]), unnest($9::bigint[])
        ON CONFLICT (group_id, merchant) DO UPDATE SET id = excluded.id, terms_version = excluded.terms_version,
            asked_at = excluded.asked_at, for_it = excluded.for_it, against = excluded.against, state = excluded.state,
            ended_at = excluded.ended_at",
};
const HOLDS: Table = Table {
    key: 2,
    sql: "INSERT INTO holds (merchant, id, account, group_id, held, made_at, until, state, till)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bytea[]),
            unnest($5::bytea[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[]), unnest($9::bytea[])
        ON CONFLICT (merchant, id) DO UPDATE SET state = excluded.state",
};

new_and_any! {
    key: 2,
    NEW_REDEMPTIONS: "INSERT INTO redemptions (merchant, id, account, group_id, made_at, allocations, returned, till)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bytea[]),
            unnest($5::bigint[]), unnest($6::bytea[]), unnest($7::bigint[]), unnest($8::bytea[])",
    REDEMPTIONS: "
        ON CONFLICT (merchant, id) DO UPDATE SET returned = excluded.returned",
}

const DEBTS: Table = Table {
    key: 4,
    sql: "INSERT INTO debts (account, group_id, merchant, unit, units, since)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bigint[]),
            unnest($5::bigint[]), unnest($6::bigint[])
        ON CONFLICT (account, group_id, merchant, unit) DO UPDATE SET units = excluded.units, since = excluded.since",
};
const TERMS: Table = Table {
    key: 2,
    sql: "INSERT INTO terms (group_id, version, terms, in_force_from, in_force_until)
        SELECT unnest($1::bytea[]), unnest($2::bigint[]), unnest($3::bytea[]), unnest($4::bigint[]),
            unnest($5::bigint[])
        ON CONFLICT (group_id, version) DO UPDATE SET in_force_until = excluded.in_force_until",
};
const MEMBERS: Table = Table {
    key: 2,
    sql: "INSERT INTO members (group_id, merchant, joined_at, terms_version, left_at, frozen_at)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::bigint[]),
            unnest($5::bigint[]), unnest($6::bigint[])
        ON CONFLICT (group_id, merchant) DO UPDATE SET joined_at = excluded.joined_at,
            terms_version = excluded.terms_version, left_at = excluded.left_at, frozen_at = excluded.frozen_at",
};

new_and_any! {
    key: 2,
    NEW_SALES: "INSERT INTO sales (merchant, id, key, amount, time, addressee, claimed_by, waits_until, lapsed, staff,
            claimed_account, claimed_group, voided, redemption, refunded, money_back, unearned, clawed, forgone)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bigint[]),
            unnest($5::bigint[]), unnest($6::bytea[]), unnest($7::bytea[]), unnest($8::bigint[]),
            unnest($9::boolean[]), unnest($10::boolean[]), unnest($11::bytea[]), unnest($12::bytea[]),
            unnest($13::boolean[]), unnest($14::bytea[]), unnest($15::bigint[]), unnest($16::bigint[]),
            unnest($17::bigint[]), unnest($18::bigint[]), unnest($19::bigint[])",
    SALES: "
        ON CONFLICT (merchant, id) DO UPDATE SET addressee = excluded.addressee, claimed_by = excluded.claimed_by,
            waits_until = excluded.waits_until, lapsed = excluded.lapsed, claimed_account = excluded.claimed_account,
            claimed_group = excluded.claimed_group, voided = excluded.voided, refunded = excluded.refunded,
            money_back = excluded.money_back, unearned = excluded.unearned, clawed = excluded.clawed,
            forgone = excluded.forgone",
}

new_and_any! {
    key: 3,
    NEW_LOTS: "INSERT INTO lots (account, group_id, id, issuer, sale, units, remaining, unit_value, basis, terms_version,
            issued_at, last_day, ends_at, held, unit, expired, revives)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bytea[]),
            unnest($5::bytea[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[]),
            unnest($9::bigint[]), unnest($10::bigint[]), unnest($11::bigint[]), unnest($12::bigint[]),
            unnest($13::bigint[]), unnest($14::bigint[]), unnest($15::bigint[]), unnest($16::bigint[]),
            unnest($17::bytea[])",
    LOTS: "
        ON CONFLICT (account, group_id, id) DO UPDATE SET remaining = excluded.remaining, held = excluded.held,
            expired = excluded.expired",
}

const STANDINGS: Table = Table {
    key: 1,
    sql: "INSERT INTO standings (account, choice, best, since, marketing)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::boolean[]), unnest($4::bigint[]),
            unnest($5::bytea[])
        ON CONFLICT (account) DO UPDATE SET choice = excluded.choice, best = excluded.best, since = excluded.since,
            marketing = excluded.marketing",
};
const STAFF: Table = Table {
    key: 2,
    sql: "INSERT INTO staff (merchant, account, key, per_sale, per_day, joined_at, left_at)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bigint[]),
            unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::bigint[])
        ON CONFLICT (merchant, account) DO UPDATE SET key = excluded.key, per_sale = excluded.per_sale,
            per_day = excluded.per_day, joined_at = excluded.joined_at, left_at = excluded.left_at",
};
const STAFF_DAYS: Table = Table {
    key: 3,
    sql: "INSERT INTO staff_days (merchant, account, day, sold)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::bigint[])
        ON CONFLICT (merchant, account, day) DO UPDATE SET sold = excluded.sold",
};
const PASSES: Table = Table {
    key: 2,
    sql: "INSERT INTO passes (merchant, id, till, account, key, group_id, held, expires, state, made_at)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bytea[]), unnest($4::bytea[]),
            unnest($5::bytea[]), unnest($6::bytea[]), unnest($7::bytea[]), unnest($8::bigint[]), unnest($9::bigint[]),
            unnest($10::bigint[])
        ON CONFLICT (merchant, id) DO UPDATE SET state = excluded.state",
};
const OPERATORS: Table = Table {
    key: 1,
    sql: "WITH given AS (SELECT * FROM unnest($1::bytea[], $2::boolean[]) AS given (account, operator)),
            gone AS (DELETE FROM operators USING given WHERE operators.account = given.account AND NOT given.operator)
        INSERT INTO operators (account) SELECT account FROM given WHERE operator ON CONFLICT (account) DO NOTHING",
};
const CLOSED: Table = Table {
    key: 1,
    sql: "INSERT INTO closed (account, at, merged_into)
        SELECT unnest($1::bytea[]), unnest($2::bigint[]), unnest($3::bytea[])",
};
const BALANCES: Table = Table {
    key: 4,
    sql: "INSERT INTO balances (group_id, party, ledger, issuer, amount)
        SELECT unnest($1::bytea[]), unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::bytea[]),
            unnest($5::bigint[])
        ON CONFLICT (group_id, party, ledger, issuer) DO UPDATE SET amount = balances.amount + excluded.amount",
};
/// After the rows of shops and members are there.
const MERCHANTS_CHANGED: Table = Table {
    key: 1,
    sql: "UPDATE merchants SET changed_at = greatest(changed_at, given.at) FROM unnest($1::bytea[], $2::bigint[]) AS given (id, at)
        WHERE merchants.id = given.id",
};
const GROUPS_CHANGED: Table = Table {
    key: 1,
    sql: "UPDATE merchants SET changed_at = greatest(changed_at, given.at)
        FROM unnest($1::bytea[], $2::bigint[]) AS given (group_id, at) JOIN members USING (group_id)
        WHERE merchants.id = members.merchant",
};

/// Writes everything that follows from a batch.
pub(super) async fn save(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    write(connection, writes(changes), async { Ok(()) }).await
}

/// The same, and ends the transaction: its end is under way before the database has begun to write.
pub(super) async fn save_and_end(
    connection: &Connection,
    changes: &Changes,
    what: &'static str,
) -> Result<(), StoreError> {
    let touched = Touched::by(&changes.rows);
    if touched.is_nothing() {
        return write(connection, writes(changes), connection.end(what)).await;
    }
    // What is searched of a group follows from rows that may be written here.
    save(connection, changes).await?;
    search::refresh(connection, touched).await?;
    connection.end(what).await
}

/// Writes ops, each decided at an instant.
pub(super) async fn save_ops(connection: &Connection, ops: &[(OpRow, Timestamp)]) -> Result<(), StoreError> {
    let mut writes = Writes::default();
    ops.iter().for_each(|(op, at)| writes.put(&OPS, op_row(op, at.0)));
    write(connection, writes.statements().collect(), async { Ok(()) }).await
}

/// Writes entries of inboxes as they were kept elsewhere.
pub(super) async fn save_entries(connection: &Connection, entries: &[KeptEntry]) -> Result<(), StoreError> {
    let mut writes = Writes::default();
    for entry in entries {
        let (bytes, home, home_number) = match &entry.home {
            Some((home, number)) => {
                (Value::Null, canonical::encode(home).into(), number.cast_signed().into())
            }
            None => (Value::of(&entry.bytes), Value::Null, Value::Null),
        };
        let (inbox, number) = (canonical::encode(&entry.inbox).into(), entry.number.cast_signed().into());
        writes.put(&EVENTS, vec![inbox, number, bytes, home, home_number, Value::maybe(entry.hash.as_ref())]);
    }
    write(connection, writes.statements().collect(), async { Ok(()) }).await
}

/// Writes when what the directory shows of shops changed.
pub(super) async fn save_changed(
    connection: &Connection,
    changed: &[(MerchantId, Timestamp)],
) -> Result<(), StoreError> {
    let mut writes = Writes::default();
    changed.iter().for_each(|(id, at)| writes.put(&MERCHANTS_CHANGED, vec![Value::of(id), at.0.into()]));
    write(connection, writes.statements().collect(), async { Ok(()) }).await
}

async fn write(
    connection: &Connection,
    writes: Vec<(&'static str, Vec<Vec<Value<'_>>>)>,
    then: impl Future<Output = Result<(), StoreError>>,
) -> Result<(), StoreError> {
    // What had to be prepared on the way would come after the end.
    connection.prepare(&writes.iter().map(|(sql, _)| *sql).collect::<Vec<_>>()).await?;
    let params: Vec<_> = writes.iter().map(|(sql, columns)| (*sql, params(columns))).collect();
    let writing = params.iter().map(|(sql, params)| connection.run(sql, params));
    both(every(writing), then).await.map(drop)
}

/// Rows by the table that they go to.
#[derive(Default)]
struct Writes<'a>(BTreeMap<&'static str, Rows<'a>>);

impl<'a> Writes<'a> {
    fn put(&mut self, table: &Table, row: Vec<Value<'a>>) {
        self.0.entry(table.sql).or_insert_with(|| Rows::new(table.key)).put(row);
    }

    /// In an order that is the same everywhere, so that two servers do not wait for each other.
    fn statements(self) -> impl Iterator<Item = (&'static str, Vec<Vec<Value<'a>>>)> {
        self.0.into_iter().map(|(sql, rows)| (sql, rows.columns()))
    }
}

fn writes(changes: &Changes) -> Vec<(&'static str, Vec<Vec<Value<'_>>>)> {
    let (mut first, mut then) = (Writes::default(), Writes::default());
    let at = changes.at.0;
    changes.ops.iter().for_each(|op| first.put(&OPS, op_row(op, at)));
    for row in &changes.rows {
        let (table, row) = state_row(row, at, |key| changes.absent.contains(&key));
        first.put(table, row);
    }
    changes.events.iter().for_each(|event| event_rows(event, &mut first));
    for (inbox, head) in &changes.heads {
        let row =
            vec![canonical::encode(inbox).into(), head.count.cast_signed().into(), Value::of(&head.hash)];
        first.put(&HEADS, row);
    }
    for (account, amount) in &changes.balances {
        let (party, ledger, issuer) = rows::account_key(account);
        let key =
            vec![Value::of(&account.group), party.into(), ledger.into(), issuer.into(), (*amount).into()];
        first.put(&BALANCES, key);
    }
    changes
        .changed_merchants
        .iter()
        .for_each(|id| then.put(&MERCHANTS_CHANGED, vec![Value::of(id), at.into()]));
    changes.changed_groups.iter().for_each(|id| then.put(&GROUPS_CHANGED, vec![Value::of(id), at.into()]));
    first.statements().chain(then.statements()).collect()
}

fn op_row(op: &OpRow, at: i64) -> Vec<Value<'_>> {
    let answer = match &op.answer {
        Answer::Applied => Value::Null,
        Answer::Refused(refusal) => canonical::encode(refusal).into(),
    };
    let (signed, carrier, claim) = match &op.signed {
        Signed::Here { bytes, .. } => (Value::of(bytes), Value::Null, Value::Null),
        Signed::Inside(by, claim) => (Value::Null, Value::of(by), Value::of(claim)),
    };
    let (actor, id, hash) = (Value::of(&op.actor), Value::of(&op.id), Value::of(&op.payload_hash));
    vec![actor, id, hash, signed, carrier, claim, answer, at.into()]
}

fn event_rows<'a>(event: &'a EventRow, writes: &mut Writes<'a>) {
    let Some((home, others)) = event.entries.split_first() else { return };
    let place = |entry: &Entry| -> [Value<'a>; 2] {
        [canonical::encode(&entry.inbox).into(), entry.number.cast_signed().into()]
    };
    let checkpoint = |entry: &'a Entry| {
        if entry.number.is_multiple_of(CHECKPOINT) { Value::of(&entry.hash) } else { Value::Null }
    };
    let [inbox, number] = place(home);
    writes.put(
        &EVENTS,
        vec![inbox, number, Value::of(&event.bytes), Value::Null, Value::Null, checkpoint(home)],
    );
    for entry in others {
        let ([inbox, number], [home, home_number]) = (place(entry), place(home));
        writes.put(&EVENTS, vec![inbox, number, Value::Null, home, home_number, checkpoint(entry)]);
    }
}

/// A row of the live tables: where it goes, and its columns as the statement there has them.
fn state_row(row: &Row, at: i64, is_new: impl Fn(Key) -> bool) -> (&'static Table, Vec<Value<'_>>) {
    match row {
        Row::Device(device) => {
            let account = match &device.holder {
                Holder::System => Value::Null,
                Holder::Account(account) => Value::of(account),
            };
            let (kind, until) = rows::kind(device.kind);
            let columns = vec![
                Value::of(&device.key),
                account,
                kind.into(),
                until.into(),
                Value::of(&device.public_key),
                device.enrolled_at.0.into(),
                device.pays_from.0.into(),
                device.revoked_at.map(|at| at.0).into(),
                Value::maybe(device.merchant.as_ref()),
                device.staff.into(),
                device.left_at.map(|at| at.0).into(),
                device.certificate.map(|certificate| certificate.until.0).into(),
                device.certificate.map(|certificate| certificate.most.0).into(),
                device.certificate.map(|certificate| certificate.used.0).into(),
            ];
            (&DEVICES, columns)
        }
        Row::Counter(key, counter) => (&COUNTERS, vec![Value::of(key), counter.cast_signed().into()]),
        Row::Merchant(merchant) => {
            let profile = canonical::encode(&merchant.profile).into();
            let (id, owner) = (Value::of(&merchant.id), Value::of(&merchant.owner));
            let (day, invited) = merchant.invited;
            let invited = [i64::from(day.0).into(), i64::from(invited).into()];
            let columns = [id, owner, profile, merchant.allowance.0.into(), at.into()];
            (&MERCHANTS, columns.into_iter().chain(invited).collect())
        }
        Row::Sale(sale) => {
            let columns = vec![
                Value::of(&sale.merchant),
                Value::of(&sale.id),
                Value::of(&sale.key),
                sale.amount.0.into(),
                sale.time.cast_signed().into(),
                Value::maybe(sale.addressee.as_ref()),
                Value::maybe(sale.claimed.as_ref().map(|claimed| &claimed.lot)),
                sale.waits_until.map(|until| until.0).into(),
                sale.lapsed.into(),
                sale.staff.into(),
                Value::maybe(sale.claimed.as_ref().map(|claimed| &claimed.account)),
                Value::maybe(sale.claimed.as_ref().map(|claimed| &claimed.group)),
                sale.voided.into(),
                Value::maybe(sale.redemption.as_ref()),
                sale.refunded.0.into(),
                sale.money_back.0.into(),
                sale.unearned.0.into(),
                sale.clawed.get().into(),
                sale.forgone.get().into(),
            ];
            (if is_new(Key::Sale(sale.merchant, sale.id)) { &NEW_SALES } else { &SALES }, columns)
        }
        Row::Group(group) => {
            let columns = vec![
                Value::of(&group.id),
                Value::of(&group.founder),
                canonical::encode(&group.profile).into(),
                group.terms_version.into(),
                group.members.into(),
                Value::of(&group.admin),
                rows::ids(&group.frozen).into(),
                group.closing.map(|closing| closing.redeem_only_from.0).into(),
                group.closing.map(|closing| closing.ends_at.0).into(),
                group.closing.is_some_and(|closing| closing.ended).into(),
                group.profile_version.into(),
            ];
            (&GROUPS, columns)
        }
        Row::Amendment(amendment) => {
            let columns = vec![
                Value::of(&amendment.group),
                Value::of(&amendment.id),
                canonical::encode(&amendment.terms).into(),
                amendment.from.0.into(),
                rows::ids(&amendment.agreed).into(),
                rows::ids(&amendment.declined).into(),
                amendment.decided.into(),
            ];
            (&AMENDMENTS, columns)
        }
        Row::Hold(hold) => {
            let columns = vec![
                Value::of(&hold.merchant),
                Value::of(&hold.id),
                Value::of(&hold.account),
                Value::of(&hold.group),
                canonical::encode(&hold.held).into(),
                hold.made_at.0.into(),
                hold.until.0.into(),
                rows::hold_state(hold.state).into(),
                Value::maybe(hold.till.as_ref()),
            ];
            (&HOLDS, columns)
        }
        Row::Redemption(redemption) => {
            let columns = vec![
                Value::of(&redemption.merchant),
                Value::of(&redemption.id),
                Value::of(&redemption.account),
                Value::of(&redemption.group),
                redemption.made_at.0.into(),
                canonical::encode(&redemption.allocations).into(),
                redemption.returned.get().into(),
                Value::maybe(redemption.till.as_ref()),
            ];
            let key = Key::Redemption(redemption.merchant, redemption.id);
            (if is_new(key) { &NEW_REDEMPTIONS } else { &REDEMPTIONS }, columns)
        }
        Row::Invitation(invitation) => {
            let columns = vec![
                Value::of(&invitation.issuer),
                Value::of(&invitation.id),
                Value::maybe(rows::invited_to(&invitation.to)),
                Value::maybe(invitation.hash.as_ref().map(|hash| &hash.0)),
                Value::maybe(invitation.shop.as_ref()),
                i64::from(invitation.uses).into(),
                i64::from(invitation.used).into(),
                i64::from(invitation.declined).into(),
                invitation.made_at.0.into(),
                invitation.until.0.into(),
                invitation.revoked.into(),
            ];
            (&INVITATIONS, columns)
        }
        Row::JoinRequest(request) => {
            let columns = vec![
                Value::of(&request.group),
                Value::of(&request.merchant),
                Value::of(&request.id),
                request.terms_version.into(),
                request.asked_at.0.into(),
                rows::ids(&request.for_it).into(),
                rows::ids(&request.against).into(),
                rows::request_state(request.state).into(),
                request.ended_at.map(|at| at.0).into(),
            ];
            (&JOIN_REQUESTS, columns)
        }
        Row::Debt(debt) => {
            let columns = vec![
                Value::of(&debt.account),
                Value::of(&debt.group),
                Value::of(&debt.merchant),
                rows::unit(debt.unit).into(),
                debt.units.get().into(),
                debt.since.0.into(),
            ];
            (&DEBTS, columns)
        }
        Row::Terms(terms) => {
            let columns = vec![
                Value::of(&terms.group),
                terms.version.into(),
                canonical::encode(&terms.terms).into(),
                terms.in_force_from.0.into(),
                terms.in_force_until.map(|at| at.0).into(),
            ];
            (&TERMS, columns)
        }
        Row::Member(member) => {
            let (group, merchant) = (Value::of(&member.group), Value::of(&member.merchant));
            let columns = vec![
                group,
                merchant,
                member.joined_at.0.into(),
                member.terms_version.into(),
                member.left_at.map(|at| at.0).into(),
                member.frozen_at.map(|at| at.0).into(),
            ];
            (&MEMBERS, columns)
        }
        Row::Standing(standing) => {
            let choice = canonical::encode(&standing.choice).into();
            let (best, since) = (standing.choice.best.into(), standing.since.0.into());
            let marketing = canonical::encode(&standing.marketing).into();
            (&STANDINGS, vec![Value::of(&standing.account), choice, best, since, marketing])
        }
        Row::Lot(lot) => {
            let columns = vec![
                Value::of(&lot.account),
                Value::of(&lot.group),
                Value::of(&lot.id),
                Value::of(&lot.issuer),
                Value::of(&lot.sale),
                lot.units.get().into(),
                lot.remaining.get().into(),
                lot.worth.unit_value.0.into(),
                rows::basis(lot.worth.basis).into(),
                lot.terms_version.into(),
                lot.issued_at.0.into(),
                i64::from(lot.last_day.0).into(),
                lot.ends_at.0.into(),
                lot.held.get().into(),
                rows::unit(lot.worth.unit).into(),
                lot.expired.get().into(),
                Value::maybe(lot.revives.as_ref()),
            ];
            (if is_new(Key::Lot(lot.account, lot.group, lot.id)) { &NEW_LOTS } else { &LOTS }, columns)
        }
        Row::Staff(staff) => {
            let columns = vec![
                Value::of(&staff.merchant),
                Value::of(&staff.account),
                Value::of(&staff.key),
                staff.limits.per_sale.0.into(),
                staff.limits.per_day.0.into(),
                staff.joined_at.0.into(),
                staff.left_at.map(|at| at.0).into(),
            ];
            (&STAFF, columns)
        }
        Row::StaffDay { merchant, account, day, sold } => (
            &STAFF_DAYS,
            vec![Value::of(merchant), Value::of(account), i64::from(day.0).into(), sold.0.into()],
        ),
        Row::Pass(pass) => {
            let columns = vec![
                Value::of(&pass.merchant),
                Value::of(&pass.id),
                Value::of(&pass.till),
                Value::of(&pass.account),
                Value::of(&pass.key),
                Value::of(&pass.group),
                canonical::encode(&pass.held).into(),
                pass.expires.cast_signed().into(),
                rows::pass_state(pass.state).into(),
                pass.made_at.0.into(),
            ];
            (&PASSES, columns)
        }
        Row::Closed { account, at, into } => {
            (&CLOSED, vec![Value::of(account), at.0.into(), Value::maybe(into.as_ref())])
        }
        Row::Operator { account, operator } => (&OPERATORS, vec![Value::of(account), (*operator).into()]),
    }
}
