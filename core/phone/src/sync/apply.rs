//! Applying what the server sent: checked first, then by the same rules that the server applies it by.
//!
//! Each inbox brings what is its own: the account's the lots and their history, the shop's its sales and redemptions.
//! So an event that lands in two inboxes counts once in each, in whichever order they come.

use moa_rules::certificate::{ALLOWANCE, Certificate};
use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::id::{AccountId, KeyId};
use moa_rules::pass::Pass;
use moa_rules::quantity::Money;
use moa_rules::state::{self, Row};
use moa_rules::view::{Cell, Halt, Key, View};
use moa_wire::api::{Base64, Changes, InboxChanges, Snapshot, TillStanding, WaitingSale};
use moa_wire::token::{Head, Sealed};
use moa_wire::{canonical, chain};
use rusqlite::Connection;

use super::again;
use crate::breach::{Breach, Mismatch};
use crate::enrolment::server_key;
use crate::error::{PhoneError, corrupt};
use crate::phone::account;
use crate::sealing::Sealing;
use crate::store::inbox::Followed;
use crate::store::{
    directory, history, inbox, lots, meta, outbox, passes, redemptions, sales, secrets, waiting,
};
use crate::wallet::Happened;

/// What came of applying an answer.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// An inbox that does not add up, and was set aside.
    pub breach: Option<Breach>,
    /// Whether something happened that the directory tells more of.
    pub directory: bool,
}

/// Applies an answer to `GET /v1/changes`, with its cursor.
pub(super) fn changes(db: &Connection, key: KeyId, changes: &Changes) -> Result<Applied, PhoneError> {
    let me = Me { account: account(db)?, key };
    let server_key = server_key(db)?;
    let mut applied = Applied::default();
    for news in &changes.inboxes {
        let name = Inbox::from(news.inbox);
        let followed = inbox::get(db, name)?;
        if followed.set_aside {
            continue;
        }
        let head = match check(name, followed, news, &server_key) {
            Ok(head) => head,
            Err(what) => {
                let breach = Breach { inbox: news.inbox, number: followed.count + 1, what };
                inbox::set_aside(db, name)?;
                report(db, &breach)?;
                applied.breach.get_or_insert(breach);
                continue;
            }
        };
        let mut hash = followed.hash;
        for (number, Base64(bytes)) in (news.first..).zip(&news.events) {
            hash = chain::next(hash, number, bytes);
            // A newer server's event may be of a kind that is not known here. It is kept, for a newer app.
            let event = canonical::decode::<Event>(bytes).ok();
            inbox::keep(db, name, number, (bytes, hash), event.is_some())?;
            if let Some(event) = event {
                applied.directory |= apply(db, me, name, &event)?;
            }
        }
        inbox::put(db, name, head.count, head.hash)?;
    }
    meta::set(db, &meta::CURSOR, &changes.cursor)?;
    Ok(applied)
}

/// Takes a snapshot in place of lots and heads. What is in the outbox stays, and what is pending, unless it was
/// applied before.
pub(super) fn snapshot(
    db: &Connection,
    sealing: &Sealing,
    snapshot: &Snapshot,
) -> Result<Result<(), &'static str>, PhoneError> {
    let (account, server_key) = (account(db)?, server_key(db)?);
    if snapshot.account != account || snapshot.lots.iter().any(|lot| lot.account != account) {
        return Ok(Err("a snapshot of another account"));
    }
    let mut heads = Vec::new();
    for Base64(head) in &snapshot.heads {
        match Sealed::<Head>::parse(head).and_then(|head| head.check(&server_key)) {
            Ok(head) => heads.push(*head.value()),
            Err(_) => return Ok(Err("a snapshot whose heads the server did not sign")),
        }
    }
    let known_gone = meta::get(db, &meta::CURSOR_GONE)?.unwrap_or(false);
    let lost = again::compare(db, &heads, known_gone)?;
    if let Some(lost) = &lost {
        again::take_back(db, lost)?;
        if let Some(breach) = &lost.breach {
            report(db, breach)?;
        }
    }
    let given_passes: Result<Vec<Pass>, _> =
        snapshot.passes.iter().map(|pass| canonical::decode(&pass.0)).collect();
    let Ok(given_passes) = given_passes else {
        return Ok(Err("a snapshot with a pass that is none"));
    };
    meta::clear(db, &meta::CURSOR_GONE)?;
    inbox::forget_all(db)?;
    for head in heads {
        inbox::put(db, head.inbox, head.count, head.hash)?;
    }
    lots::replace(db, &snapshot.lots)?;
    passes::replace(db, account, &given_passes, snapshot.now)?;
    waiting::replace(db, &snapshot.waiting)?;
    meta::set(db, &meta::STANDING, &snapshot.standing)?;
    if let Some(member) = &snapshot.member {
        secrets::set(db, sealing, &secrets::MEMBER, member)?;
    }
    match snapshot.merchant {
        Some(merchant) => meta::set(db, &meta::MERCHANT, &merchant)?,
        None => meta::clear(db, &meta::MERCHANT)?,
    }
    meta::set(db, &meta::TILL, &snapshot.till)?;
    if let Some(lost) = &lost {
        again::send(db, lost)?;
    }
    outbox::snapshot_taken(db)?;
    meta::set(db, &meta::CURSOR, &snapshot.cursor)?;
    Ok(Ok(()))
}

/// Keeps the first breach: what comes after may follow from it.
fn report(db: &Connection, breach: &Breach) -> Result<(), PhoneError> {
    if meta::get(db, &meta::BREACH)?.is_none() {
        meta::set(db, &meta::BREACH, breach)?;
    }
    Ok(())
}

/// Checks numbers, hashes and the signed head, before anything is applied.
fn check(name: Inbox, followed: Followed, news: &InboxChanges, server_key: &[u8]) -> Result<Head, Mismatch> {
    if news.first != followed.count + 1 {
        return Err(Mismatch::Numbering);
    }
    let head = Sealed::<Head>::parse(&news.head.0).and_then(|head| head.check(server_key));
    let head = *head.map_err(|_| Mismatch::HeadSignature)?.value();
    let count = followed.count + news.events.len() as u64;
    if (head.inbox, head.count) != (name, count) {
        return Err(Mismatch::HeadElsewhere);
    }
    let numbered = (news.first..).zip(&news.events);
    let hash = numbered.fold(followed.hash, |hash, (number, event)| chain::next(hash, number, &event.0));
    if hash == head.hash { Ok(head) } else { Err(Mismatch::Hash) }
}

/// Whose phone this is.
#[derive(Clone, Copy)]
struct Me {
    account: AccountId,
    key: KeyId,
}

/// Applies one event, as its inbox sees it. Tells whether the directory knows more of it.
fn apply(db: &Connection, me: Me, name: Inbox, event: &Event) -> Result<bool, PhoneError> {
    for row in rows(db, me, event)? {
        match (name, row) {
            (Inbox::Account(account), Row::Lot(lot)) if account == me.account && lot.account == account => {
                lots::put(db, &lot)?;
            }
            (Inbox::Merchant(_) | Inbox::Till(_), Row::Sale(sale)) => sales::put(db, &sale)?,
            (Inbox::Account(account), Row::Pass(pass)) if pass.account == account => passes::put(db, &pass)?,
            (Inbox::Merchant(_) | Inbox::Till(_), Row::Pass(pass)) => passes::put(db, &pass)?,
            (Inbox::Account(account), Row::Standing(standing)) if account == me.account => {
                meta::set(db, &meta::STANDING, &standing.choice)?;
            }
            (_, Row::Merchant(merchant)) => directory::add_merchant(db, merchant.id, &merchant.profile)?,
            (_, Row::Group(group)) => directory::add_group(db, &group)?,
            (_, Row::Terms(terms)) => directory::add_terms(db, &terms)?,
            (_, Row::Member(member)) => directory::add_member(db, member.group, member.merchant)?,
            _ => {}
        }
    }
    note(db, me, name, event)?;
    till(db, me, name, event)?;
    outbox::confirmed(db, event.actor, event.op)?;
    Ok(matches!(
        event.body,
        EventBody::MerchantRegistered { .. }
            | EventBody::GroupFounded { .. }
            | EventBody::MemberJoined { .. }
            | EventBody::StaffJoined { .. }
            | EventBody::TillAdded { .. }
    ))
}

/// What screens want to know beside the rows.
fn note(db: &Connection, me: Me, name: Inbox, event: &Event) -> Result<(), PhoneError> {
    let mine = name == Inbox::Account(me.account);
    let (op, place, at) = (event.op, event.index, event.at);
    let add = |group, happened, merchant, units| {
        history::add(db, group, &history::Row { happened, at, merchant, units, op, place })
    };
    match event.body {
        EventBody::MerchantRegistered { merchant, key, .. } if key == me.key => {
            meta::set(db, &meta::MERCHANT, &merchant)
        }
        EventBody::Accrued { group, merchant, sale, units, amount, last_day, .. } if mine => {
            waiting::gone(db, sale)?;
            add(group, Happened::Accrual { amount, last_day }, merchant, units)
        }
        EventBody::Redeemed { group, merchant, units, .. } if mine => {
            add(group, Happened::Redemption, merchant, units)
        }
        EventBody::Expired { group, allocation, .. } if mine => {
            add(group, Happened::Expiry, allocation.issuer, allocation.units)
        }
        EventBody::LotsMoved { group, into, ref lots, .. } if mine && into == me.account => {
            lots.iter().try_for_each(|lot| add(group, Happened::Moved, lot.issuer, lot.remaining))
        }
        EventBody::SaleWaits { sale, merchant, amount, time, until, .. } if mine => {
            waiting::put(db, &WaitingSale { sale, merchant, amount, time, until })
        }
        EventBody::SaleLapsed { sale, .. } if mine => waiting::gone(db, sale),
        EventBody::Accrued { sale, group, units, .. } => sales::claimed(db, sale, group, units),
        EventBody::Redeemed { group, merchant, units, .. }
            if name == Inbox::Merchant(merchant) || matches!(name, Inbox::Till(_)) =>
        {
            redemptions::confirm(db, op, group, units, at)
        }
        _ => Ok(()),
    }
}

/// What this phone's own key may sell and pay, and for which shop.
fn till(db: &Connection, me: Me, name: Inbox, event: &Event) -> Result<(), PhoneError> {
    let mut till: TillStanding = meta::get(db, &meta::TILL)?.unwrap_or_default();
    let before = till;
    match event.body {
        EventBody::DeviceEnrolled { key, pays_from, .. } if key == me.key => till.pays_from = pays_from,
        EventBody::DeviceAdmitted { key, .. } if key == me.key => {
            till.pays_from = till.pays_from.min(event.at);
        }
        EventBody::MerchantRegistered { key, .. } if key == me.key => {
            till.certificate = Some(Certificate::new(Money(ALLOWANCE.0 / 2), event.at));
        }
        EventBody::TillAdded { merchant, key, .. } if key == me.key => {
            meta::set(db, &meta::MERCHANT, &merchant)?;
            till.certificate = Some(Certificate::new(Money(0), event.at));
        }
        EventBody::StaffJoined { merchant, key, limits, .. } if key == me.key => {
            meta::set(db, &meta::MERCHANT, &merchant)?;
            till.limits = Some(limits);
        }
        EventBody::StaffLeft { key, .. } if key == me.key => {
            meta::clear(db, &meta::MERCHANT)?;
            till.limits = None;
            till.certificate = None;
        }
        EventBody::CertificateIssued { key, most, until, .. } if key == me.key => {
            till.certificate = Some(Certificate { until, most, used: Money(0) });
        }
        // In the inbox that brings every sale of this key, and no other.
        EventBody::SaleRecorded { key, amount, .. }
            if key == me.key && !matches!(name, Inbox::Account(_)) =>
        {
            if let Some(certificate) = &mut till.certificate {
                certificate.used = Money(certificate.used.0.saturating_add(amount.0));
            }
        }
        _ => {}
    }
    if till == before { Ok(()) } else { meta::set(db, &meta::TILL, &till) }
}

/// The rows that an event changes, given what is on this phone.
fn rows(db: &Connection, me: Me, event: &Event) -> Result<Vec<Row>, PhoneError> {
    let mut view = View::default();
    loop {
        match state::apply(&view, event) {
            Ok(rows) => return Ok(rows),
            Err(Halt::Need(keys)) => {
                for key in keys {
                    view.load(key, cell(db, me, key)?);
                }
            }
            Err(Halt::Refused(_)) => return Err(corrupt("event")),
        }
    }
}

/// A cell, as far as this phone has it: its own lots and sales. Other people's are not its business.
fn cell(db: &Connection, me: Me, key: Key) -> Result<Option<Cell>, PhoneError> {
    Ok(match key {
        Key::Wallet(account, group) if account == me.account => Some(Cell::Wallet(lots::wallet(db, group)?)),
        Key::Sale(_, sale) => sales::get(db, sale)?.map(Cell::Sale),
        Key::Pass(_, pass) => passes::get(db, pass)?.map(Cell::Pass),
        _ => None,
    })
}
