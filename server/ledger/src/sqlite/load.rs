//! Reading: cells for decisions, inboxes, wallets.

use moa_rules::amendment::Amendment;
use moa_rules::debt::Debt;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::group::Group;
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::lot::{Lot, Wallet};
use moa_rules::pass::Pass;
use moa_rules::quantity::Money;
use moa_rules::sale::{CLAIM_DAYS, Sale};
use moa_rules::staff::Staff;
use moa_rules::standing::{BEST_AFTER, Standing};
use moa_rules::time::Timestamp;
use moa_rules::view::{Cell, Key};
use moa_wire::{canonical, chain};
use rusqlite::{Connection, Params};

use super::columns::{Named, Places};
use super::{counters, doing};
use crate::batch::Prior;
use crate::rows::{self, Columns};
use crate::store::{CHECKPOINT, InboxHead, InboxPage, StoreError};

const PRIOR: &str = "SELECT payload_hash, answer FROM ops WHERE actor = ?1 AND id = ?2";
const DEVICE: &str = "SELECT * FROM devices WHERE key = ?1";
const DEVICES_OF: &str = "SELECT * FROM devices WHERE account = ?1 AND account IS NOT NULL ORDER BY key";
const TILLS: &str = "SELECT * FROM devices WHERE merchant = ?1 AND merchant IS NOT NULL ORDER BY key";
const MERCHANT: &str = "SELECT * FROM merchants WHERE id = ?1";
const MEMBERSHIPS: &str = "SELECT group_id FROM members WHERE merchant = ?1 ORDER BY group_id";
const SALE: &str = "SELECT * FROM sales
    WHERE merchant = ?1 AND id = ?2";
const WAITING_OF: &str = "SELECT * FROM sales WHERE addressee = ?1 AND waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided
    ORDER BY time, id";
const TO_LAPSE: &str = "SELECT * FROM sales WHERE waits_until < ?1 AND waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided
    ORDER BY waits_until LIMIT ?2";
const STANDING: &str = "SELECT account, choice, since, marketing FROM standings WHERE account = ?1";
const FOR_BEST: &str = "SELECT sales.*, since FROM sales JOIN standings ON account = addressee
    WHERE waits_until BETWEEN ?1 AND ?2 AND waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided AND best
    ORDER BY waits_until, id LIMIT ?3";
const GROUP: &str = "SELECT * FROM groups WHERE id = ?1";
const TERMS: &str = "SELECT group_id, version, terms, in_force_from, in_force_until FROM terms
    WHERE group_id = ?1 AND version = ?2";
const MEMBER: &str = "SELECT * FROM members WHERE group_id = ?1 AND merchant = ?2";
const INVITATION: &str = "SELECT * FROM invitations WHERE issuer = ?1 AND id = ?2";
const JOIN_REQUEST: &str = "SELECT * FROM join_requests WHERE group_id = ?1 AND merchant = ?2";
const WALLET: &str = "SELECT * FROM lots WHERE account = ?1 AND group_id = ?2 AND remaining > 0 ORDER BY id";
const LOT: &str = "SELECT * FROM lots WHERE account = ?1 AND group_id = ?2 AND id = ?3";
const OPEN_LOTS: &str = "SELECT * FROM lots WHERE account = ?1 AND remaining > 0 ORDER BY group_id, id";
const INBOX_NUMBER: &str = "SELECT seq FROM inboxes WHERE inbox = ?1";
const HEAD: &str = "SELECT number AS count, CASE WHEN head THEN hash END AS hash FROM inbox_events
    WHERE inbox = (SELECT seq FROM inboxes WHERE inbox = ?1) ORDER BY number DESC LIMIT 1";
const INBOX: &str = "SELECT e.number, v.bytes FROM inboxes i JOIN inbox_events e ON e.inbox = i.seq
    LEFT JOIN events v ON v.seq = e.event
    WHERE i.inbox = ?1 AND e.number > ?2 ORDER BY e.number LIMIT ?3";
const KEPT_HASH: &str = "SELECT e.hash FROM inboxes i JOIN inbox_events e ON e.inbox = i.seq
    WHERE i.inbox = ?1 AND e.number = ?2 AND e.hash IS NOT NULL";
// Several lots of a wallet may have ended; what is over the limit is found the next time. Looked for wallet by wallet, it would read
// thousands of lots each time for a few hundred wallets.
const TO_EXPIRE: &str = "SELECT DISTINCT account, group_id FROM
        (SELECT account, group_id FROM lots WHERE remaining > held AND ends_at <= ?1 ORDER BY ends_at LIMIT ?2)";
const STAFF: &str = "SELECT * FROM staff WHERE merchant = ?1 AND account = ?2";
const STAFF_OF: &str = "SELECT * FROM staff WHERE merchant = ?1 ORDER BY joined_at, account";
const STAFF_DAY: &str = "SELECT sold FROM staff_days WHERE merchant = ?1 AND account = ?2 AND day = ?3";
const PASS: &str = "SELECT * FROM passes WHERE merchant = ?1 AND id = ?2";
const OPEN_PASSES: &str =
    "SELECT id FROM passes WHERE account = ?1 AND group_id = ?2 AND state = 0 ORDER BY id";
const PASSES_OVER: &str = "SELECT * FROM passes WHERE expires < ?1 AND state = 0 ORDER BY expires LIMIT ?2";
const PASSES_FOR: &str = "SELECT * FROM passes WHERE account = ?1 AND state = 0
    UNION SELECT * FROM passes WHERE account = ?1 AND expires >= ?3
    UNION SELECT * FROM passes WHERE till = ?2 AND expires >= ?3 ORDER BY id";
const CLOSED: &str = "SELECT merged_into FROM closed WHERE account = ?1";
const WALLETS_OF: &str =
    "SELECT DISTINCT group_id FROM lots WHERE account = ?1 AND remaining > 0 ORDER BY group_id";
const HOLD: &str = "SELECT * FROM holds WHERE merchant = ?1 AND id = ?2";
const HOLDS_OVER: &str = "SELECT * FROM holds WHERE until < ?1 AND state = 0 ORDER BY until LIMIT ?2";
const OPEN_HOLDS: &str = "SELECT * FROM holds WHERE account = ?1 AND state = 0
    UNION SELECT * FROM holds WHERE merchant = ?2 AND state = 0 ORDER BY merchant, id";
const REDEMPTION: &str = "SELECT * FROM redemptions WHERE merchant = ?1 AND id = ?2";
/// In the order of [`moa_rules::terms::Unit`]: points, stamps by the card, coupons, reserve.
const DEBTS: &str = "SELECT * FROM debts WHERE account = ?1 AND units > 0
    ORDER BY group_id, merchant, unit < 0, abs(unit)";
const AMENDMENT: &str = "SELECT * FROM amendments WHERE group_id = ?1";
const AMENDMENTS_DUE: &str =
    "SELECT * FROM amendments WHERE from_at <= ?1 AND NOT decided ORDER BY from_at LIMIT ?2";
const GROUPS_TO_END: &str = "SELECT * FROM groups
    WHERE closes_at <= ?1 AND closes_at IS NOT NULL AND NOT ended ORDER BY closes_at LIMIT ?2";
const LOTS_LEFT: &str = "SELECT * FROM lots WHERE group_id = ?1 AND remaining > 0 LIMIT ?2";
const OPERATOR: &str = "SELECT 1 FROM operators WHERE account = ?1";

/// Every row of a query.
pub fn all<T>(
    connection: &Connection,
    sql: &'static str,
    params: impl Params,
    read: impl Fn(&dyn Columns) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(doing("preparing a query"))?;
    let mut found = statement.query(params).map_err(doing("reading"))?;
    let (mut values, places) = (Vec::new(), Places::default());
    while let Some(row) = found.next().map_err(doing("reading"))? {
        values.push(read(&Named { row, places: &places })?);
    }
    Ok(values)
}

/// The one row of a query, if there is one.
pub fn one<T>(
    connection: &Connection,
    sql: &'static str,
    params: impl Params,
    read: impl Fn(&dyn Columns) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    Ok(all(connection, sql, params, read)?.pop())
}

/// An op decided before.
pub fn prior(connection: &Connection, actor: KeyId, op: OpId) -> Result<Option<Prior>, StoreError> {
    one(connection, PRIOR, (actor.as_ref(), op.as_ref()), |row| {
        Ok(Prior {
            payload_hash: rows::at(row, "payload_hash")?,
            answer: rows::answer(rows::at(row, "answer")?)?,
        })
    })
}

/// A cell, present or absent.
pub fn cell(connection: &Connection, key: Key) -> Result<Option<Cell>, StoreError> {
    match key {
        Key::Device(id) => Ok(device(connection, id)?.map(Cell::Device)),
        Key::Counter(key, counter) => {
            Ok(counters::is_used(connection, key, counter)?.then_some(Cell::Counter))
        }
        Key::Merchant(id) => {
            one(connection, MERCHANT, [id.as_ref()], |row| rows::merchant(row).map(Cell::Merchant))
        }
        Key::Memberships(merchant) => {
            let groups = memberships(connection, merchant)?;
            Ok((!groups.is_empty()).then_some(Cell::Memberships(groups)))
        }
        Key::Sale(merchant, id) => {
            one(connection, SALE, (merchant.as_ref(), id.as_ref()), |row| rows::sale(row).map(Cell::Sale))
        }
        Key::Group(id) => one(connection, GROUP, [id.as_ref()], |row| rows::group(row).map(Cell::Group)),
        Key::Terms(group, version) => {
            one(connection, TERMS, (group.as_ref(), version), |row| rows::terms(row).map(Cell::Terms))
        }
        Key::Member(group, merchant) => one(connection, MEMBER, (group.as_ref(), merchant.as_ref()), |row| {
            rows::member(row).map(Cell::Member)
        }),
        Key::Wallet(account, group) => {
            let lots = all(connection, WALLET, (account.as_ref(), group.as_ref()), rows::lot)?;
            Ok((!lots.is_empty()).then(|| Cell::Wallet(Wallet::new(lots))))
        }
        Key::Lot(account, group, lot) => {
            one(connection, LOT, (account.as_ref(), group.as_ref(), lot.as_ref()), |row| {
                rows::lot(row).map(Cell::Lot)
            })
        }
        Key::Standing(account) => Ok(standing(connection, account)?.map(Cell::Standing)),
        Key::DevicesOf(account) => Ok(keys(&devices_of(connection, account)?)),
        Key::Tills(merchant) => Ok(keys(&tills(connection, merchant)?)),
        Key::Staff(merchant, account) => {
            one(connection, STAFF, (merchant.as_ref(), account.as_ref()), |row| {
                rows::staff(row).map(Cell::Staff)
            })
        }
        Key::StaffDay(merchant, account, day) => {
            one(connection, STAFF_DAY, (merchant.as_ref(), account.as_ref(), day.0), |row| {
                Ok(Cell::StaffDay(Money(rows::at(row, "sold")?)))
            })
        }
        Key::Pass(merchant, id) => {
            one(connection, PASS, (merchant.as_ref(), id.as_ref()), |row| rows::pass(row).map(Cell::Pass))
        }
        Key::OpenPasses(account, group) => {
            let open =
                all(connection, OPEN_PASSES, (account.as_ref(), group.as_ref()), |row| rows::id(row, "id"))?;
            Ok((!open.is_empty()).then_some(Cell::OpenPasses(open)))
        }
        Key::WalletsOf(account) => {
            let groups = all(connection, WALLETS_OF, [account.as_ref()], |row| rows::id(row, "group_id"))?;
            Ok((!groups.is_empty()).then_some(Cell::WalletsOf(groups)))
        }
        Key::Closed(account) => one(connection, CLOSED, [account.as_ref()], |row| {
            rows::maybe_id(row, "merged_into").map(Cell::Closed)
        }),
        Key::Hold(merchant, id) => {
            one(connection, HOLD, (merchant.as_ref(), id.as_ref()), |row| rows::hold(row).map(Cell::Hold))
        }
        Key::Redemption(merchant, id) => {
            one(connection, REDEMPTION, (merchant.as_ref(), id.as_ref()), |row| {
                rows::redemption(row).map(Cell::Redemption)
            })
        }
        Key::Debts(account) => {
            let debts = debts(connection, account)?;
            Ok((!debts.is_empty()).then_some(Cell::Debts(debts)))
        }
        Key::Amendment(group) => one(connection, AMENDMENT, [group.as_ref()], |row| {
            rows::amendment(row).map(|amendment| Cell::Amendment(Box::new(amendment)))
        }),
        Key::Invitation(issuer, id) => one(connection, INVITATION, (issuer.as_ref(), id.as_ref()), |row| {
            rows::invitation(row).map(Cell::Invitation)
        }),
        Key::JoinRequest(group, merchant) => {
            one(connection, JOIN_REQUEST, (group.as_ref(), merchant.as_ref()), |row| {
                rows::join_request(row).map(Cell::JoinRequest)
            })
        }
        Key::Operator(account) => one(connection, OPERATOR, [account.as_ref()], |_| Ok(Cell::Operator)),
    }
}

/// Counters are any `u64`; the column holds the same bits.
pub fn counter_column(counter: u64) -> i64 {
    counter.cast_signed()
}

/// A key's record.
pub fn device(connection: &Connection, key: KeyId) -> Result<Option<Device>, StoreError> {
    one(connection, DEVICE, [key.as_ref()], rows::device)
}

/// The keys that an account ever had.
pub fn devices_of(connection: &Connection, account: AccountId) -> Result<Vec<Device>, StoreError> {
    all(connection, DEVICES_OF, [account.as_ref()], rows::device)
}

/// The keys that ever acted for a shop.
pub fn tills(connection: &Connection, merchant: MerchantId) -> Result<Vec<Device>, StoreError> {
    all(connection, TILLS, [merchant.as_ref()], rows::device)
}

fn keys(devices: &[Device]) -> Option<Cell> {
    (!devices.is_empty()).then(|| Cell::Keys(devices.iter().map(|device| device.key).collect()))
}

/// Everyone who sells, or sold, for a shop that is not theirs.
pub fn staff_of(connection: &Connection, merchant: MerchantId) -> Result<Vec<Staff>, StoreError> {
    all(connection, STAFF_OF, [merchant.as_ref()], rows::staff)
}

/// Open passes that ran out before a second.
pub fn passes_over(connection: &Connection, second: u64, limit: usize) -> Result<Vec<Pass>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(connection, PASSES_OVER, (counter_column(second), limit), rows::pass)
}

/// A buyer's passes that are open or ran out at a second or later, and those for a till that did.
pub fn passes_for(
    connection: &Connection,
    account: AccountId,
    till: KeyId,
    since: u64,
) -> Result<Vec<Pass>, StoreError> {
    let of = (account.as_ref(), till.as_ref(), counter_column(since));
    all(connection, PASSES_FOR, of, rows::pass)
}

/// Open holds whose time was over before an instant.
pub fn holds_over(connection: &Connection, now: Timestamp, limit: usize) -> Result<Vec<Hold>, StoreError> {
    all(connection, HOLDS_OVER, (now.0, most(limit)), rows::hold)
}

/// The open holds of a buyer, and those of a shop.
pub fn open_holds(
    connection: &Connection,
    account: AccountId,
    merchant: Option<MerchantId>,
) -> Result<Vec<Hold>, StoreError> {
    let merchant = merchant.as_ref().map(AsRef::as_ref);
    all(connection, OPEN_HOLDS, (account.as_ref(), merchant), rows::hold)
}

/// What an account owes.
pub fn debts(connection: &Connection, account: AccountId) -> Result<Vec<Debt>, StoreError> {
    all(connection, DEBTS, [account.as_ref()], rows::debt)
}

/// Amendments whose date has come.
pub fn amendments_due(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Amendment>, StoreError> {
    all(connection, AMENDMENTS_DUE, (now.0, most(limit)), rows::amendment)
}

/// Groups whose end has come.
pub fn groups_to_end(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Group>, StoreError> {
    all(connection, GROUPS_TO_END, (now.0, most(limit)), rows::group)
}

/// Lots of a group with something left. A walk over all lots: for a group that ends.
pub fn lots_left(connection: &Connection, group: GroupId, limit: usize) -> Result<Vec<Lot>, StoreError> {
    all(connection, LOTS_LEFT, (group.as_ref(), most(limit)), rows::lot)
}

pub fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The groups of a shop, left ones too, in order of id.
pub fn memberships(connection: &Connection, merchant: MerchantId) -> Result<Vec<GroupId>, StoreError> {
    all(connection, MEMBERSHIPS, [merchant.as_ref()], |row| rows::id(row, "group_id"))
}

/// The number that an inbox goes by in the tables, if there is anything in it.
pub fn inbox_number(connection: &Connection, inbox: Inbox) -> Result<Option<i64>, StoreError> {
    one(connection, INBOX_NUMBER, [canonical::encode(&inbox)], |row| rows::at(row, "seq"))
}

/// An inbox's head.
pub fn head(connection: &Connection, inbox: Inbox) -> Result<InboxHead, StoreError> {
    let found = one(connection, HEAD, [canonical::encode(&inbox)], |row| {
        Ok(InboxHead { count: rows::number(row, "count")?, hash: rows::at(row, "hash")? })
    })?;
    Ok(found.unwrap_or_else(|| InboxHead { count: 0, hash: chain::start(inbox) }))
}

/// A stretch of an inbox.
pub fn inbox(
    connection: &Connection,
    inbox: Inbox,
    after: u64,
    limit: usize,
) -> Result<InboxPage, StoreError> {
    let end = head(connection, inbox)?;
    let page = stretch(connection, inbox, after, limit)?;
    let reached = after.saturating_add(page.len() as u64);
    let head =
        if page.is_empty() || reached == end.count { end } else { head_at(connection, inbox, reached)? };
    Ok(InboxPage { events: page, head, count: end.count })
}

fn stretch(
    connection: &Connection,
    inbox: Inbox,
    after: u64,
    limit: usize,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(connection, INBOX, (canonical::encode(&inbox), after, limit), |row| rows::at(row, "bytes"))
}

/// The head as it was after `count` events: from the last checkpoint on.
fn head_at(connection: &Connection, inbox: Inbox, count: u64) -> Result<InboxHead, StoreError> {
    let kept = count - count % CHECKPOINT;
    let hash = one(connection, KEPT_HASH, (canonical::encode(&inbox), kept.cast_signed()), |row| {
        rows::at(row, "hash")
    })?;
    let start = InboxHead { count: kept, hash: hash.unwrap_or_else(|| chain::start(inbox)) };
    let events = stretch(connection, inbox, kept, usize::try_from(count - kept).unwrap_or(usize::MAX))?;
    Ok(events.iter().fold(start, |head, event| {
        let count = head.count + 1;
        InboxHead { count, hash: chain::next(head.hash, count, event) }
    }))
}

/// An account's lots with something left.
pub fn open_lots(connection: &Connection, account: AccountId) -> Result<Vec<Lot>, StoreError> {
    all(connection, OPEN_LOTS, [account.as_ref()], rows::lot)
}

/// Wallets with lots that have ended and have something left.
pub fn wallets_to_expire(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(AccountId, GroupId)>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(connection, TO_EXPIRE, (now.0, limit), |row| {
        Ok((rows::id(row, "account")?, rows::id(row, "group_id")?))
    })
}

/// An account's sales that wait for its choice, oldest first.
pub fn waiting_of(connection: &Connection, account: AccountId) -> Result<Vec<Sale>, StoreError> {
    all(connection, WAITING_OF, [account.as_ref()], rows::sale)
}

/// An account's standing choice.
pub fn standing(connection: &Connection, account: AccountId) -> Result<Option<Standing>, StoreError> {
    one(connection, STANDING, [account.as_ref()], rows::standing)
}

/// Sales that have waited for a day and still do, of buyers who agreed to the best.
pub fn sales_for_best(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(Sale, Timestamp)>, StoreError> {
    // What has waited for a day has so much less to wait.
    let latest = now.plus(i64::from(CLAIM_DAYS) * Timestamp::DAY - BEST_AFTER);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(connection, FOR_BEST, (now.0, latest.0, limit), |row| {
        Ok((rows::sale(row)?, Timestamp(rows::at(row, "since")?)))
    })
}

/// Sales that have waited long enough.
pub fn sales_to_lapse(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Sale>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(connection, TO_LAPSE, (now.0, limit), rows::sale)
}
