//! Applying what the server sent: checked first, then by the same rules that the server applies it by.
//!
//! Each inbox brings what is its own: the account's the lots and their history, the shop's its sales and redemptions.
//! So an event that lands in two inboxes counts once in each, in whichever order they come.

use moa_rules::certificate::{ALLOWANCE, Certificate};
use moa_rules::device::KeyKind;
use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::id::{AccountId, KeyId};
use moa_rules::invitation::Invitation;
use moa_rules::pass::Pass;
use moa_rules::quantity::Money;
use moa_rules::standing::Standing;
use moa_rules::state::{self, Row};
use moa_rules::time::Timestamp;
use moa_rules::view::{Cell, Halt, Key, View};
use moa_wire::api::{Base64, Changes, InboxChanges, Snapshot, TillStanding};
use moa_wire::token::{Head, Sealed};
use moa_wire::{canonical, chain};
use rusqlite::Connection;

use super::{again, note};
use crate::breach::{Breach, Mismatch};
use crate::choice;
use crate::devices::NewDevice;
use crate::enrolment::server_key;
use crate::error::{PhoneError, corrupt};
use crate::marketing;
use crate::phone::account;
use crate::sealing::Sealing;
use crate::store::inbox::Followed;
use crate::store::invitations::Answer;
use crate::store::{
    debts, directory, holds, inbox, invitations, join_requests, lots, meta, new_devices, outbox, passes,
    redemptions, sales, secrets, waiting,
};

/// What came of applying an answer.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// An inbox that does not add up, and was set aside.
    pub breach: Option<Breach>,
    /// Whether something happened that the directory tells more of.
    pub directory: bool,
    /// Whether something happened of which a snapshot alone tells the rest.
    pub anew: bool,
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
                apply(db, me, name, &event)?;
                applied.directory |= concerns_directory(&event.body);
                applied.anew |= brings_debts(me, &event.body);
            }
        }
        inbox::put(db, name, head.count, head.hash)?;
    }
    if applied.anew {
        meta::clear(db, &meta::CURSOR)?;
    } else {
        meta::set(db, &meta::CURSOR, &changes.cursor)?;
    }
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
    let invited: Result<Vec<Invitation>, _> =
        snapshot.invitations.iter().map(|invitation| canonical::decode(&invitation.0)).collect();
    let Ok(invited) = invited else {
        return Ok(Err("a snapshot with an invitation that is none"));
    };
    meta::clear(db, &meta::CURSOR_GONE)?;
    inbox::forget_all(db)?;
    for head in heads {
        inbox::put(db, head.inbox, head.count, head.hash)?;
    }
    lots::replace(db, &snapshot.lots)?;
    choice::begin(db, &snapshot.lots)?;
    debts::replace(db, &snapshot.debts)?;
    holds::replace(db, &snapshot.holds)?;
    passes::replace(db, account, &given_passes, snapshot.now)?;
    waiting::replace(db, &snapshot.waiting)?;
    invitations::replace(db, &invited)?;
    join_requests::replace(db, &snapshot.join_requests)?;
    meta::set(db, &meta::STANDING, &snapshot.standing)?;
    match &snapshot.marketing {
        Some(marketing) => meta::set(db, &meta::MARKETING, marketing)?,
        None => meta::clear(db, &meta::MARKETING)?,
    }
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
    again::send_unheard_and_settle(db)?;
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

/// Applies one event, as its inbox sees it.
fn apply(db: &Connection, me: Me, name: Inbox, event: &Event) -> Result<(), PhoneError> {
    let mine = name == Inbox::Account(me.account);
    let of_shop = |merchant| matches!(name, Inbox::Till(_)) || name == Inbox::Merchant(merchant);
    let founds = matches!(event.body, EventBody::GroupFounded { .. });
    for row in rows(db, me, event)? {
        match row {
            Row::Lot(lot) if mine && lot.account == me.account => lots::put(db, &lot)?,
            Row::Debt(debt) if mine && debt.account == me.account => debts::put(db, &debt)?,
            Row::Standing(standing) if mine && standing.account == me.account => {
                meta::set(db, &meta::STANDING, &standing.choice)?;
                meta::set(db, &meta::MARKETING, &Base64(canonical::encode(&standing.marketing)))?;
            }
            Row::Hold(hold) if mine || of_shop(hold.merchant) => holds::put(db, &hold)?,
            Row::Pass(pass) if mine || of_shop(pass.merchant) => passes::put(db, &pass)?,
            Row::Sale(sale) if of_shop(sale.merchant) => sales::put(db, &sale)?,
            Row::Redemption(redemption) if of_shop(redemption.merchant) => {
                redemptions::put(db, &redemption)?;
            }
            Row::Merchant(merchant) => directory::add_merchant(db, merchant.id, &merchant.profile)?,
            Row::Group(group) if founds => directory::add_group(db, &group)?,
            // What happened in a group comes in its own inbox whole and in order; in its shops' there are parts of it.
            Row::Group(group) if name == Inbox::Group(group.id) => directory::change_group(db, &group)?,
            Row::Amendment(amendment) if name == Inbox::Group(amendment.group) => {
                directory::put_amendment(db, &amendment)?;
            }
            Row::Terms(terms) => directory::add_terms(db, &terms)?,
            // Counted once: in the inbox of the shop that made it, or that was told of it.
            Row::Invitation(invitation) if matches!(name, Inbox::Merchant(_)) => {
                invitations::put(db, &invitation)?;
            }
            Row::JoinRequest(request) => {
                // The shop's own in its inbox, others' in the group's: each in order.
                let own = meta::get(db, &meta::MERCHANT)? == Some(request.merchant);
                let inbox = if own { Inbox::Merchant(request.merchant) } else { Inbox::Group(request.group) };
                if name == inbox {
                    join_requests::put(db, &request)?;
                }
            }
            _ => {}
        }
    }
    match event.body {
        _ if mine => note::own(db, me.account, event)?,
        EventBody::Redeemed { merchant, .. }
        | EventBody::Reversed { merchant, .. }
        | EventBody::Refunded { merchant, .. }
        | EventBody::Accrued { merchant, .. }
            if of_shop(merchant) =>
        {
            note::shop(db, event)?;
        }
        _ => {}
    }
    members(db, &event.body)?;
    answers(db, name, &event.body)?;
    devices(db, me, event)?;
    till(db, me, name, event)?;
    outbox::confirmed(db, event.actor, event.op)
}

/// Whether the directory tells more of what happened.
fn concerns_directory(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::MerchantRegistered { .. }
            | EventBody::GroupFounded { .. }
            | EventBody::MemberJoined { .. }
            | EventBody::MemberLeft { .. }
            | EventBody::MemberFrozen { .. }
            | EventBody::AdminAppointed { .. }
            | EventBody::AmendmentProposed { .. }
            | EventBody::AmendmentAnswered { .. }
            | EventBody::TermsAmended { .. }
            | EventBody::AmendmentRejected { .. }
            | EventBody::ProfileAmended { .. }
            | EventBody::MerchantAmended { .. }
            | EventBody::InvitationMade { shop: Some(_), .. }
            | EventBody::JoinAsked { .. }
            | EventBody::GroupClosing { .. }
            | EventBody::GroupEnded { .. }
            | EventBody::StaffJoined { .. }
            | EventBody::TillAdded { .. }
    )
}

/// Whether an account was merged into this phone's: its lots came in events, what it owed comes in a snapshot.
fn brings_debts(me: Me, body: &EventBody) -> bool {
    matches!(body, EventBody::AccountClosed { into, .. } if *into == Some(me.account))
}

/// Who is in a group, and how a shop presents itself.
fn members(db: &Connection, body: &EventBody) -> Result<(), PhoneError> {
    match *body {
        EventBody::MerchantAmended { merchant, ref profile } => {
            directory::change_merchant(db, merchant, profile)
        }
        EventBody::MemberJoined { group, merchant, .. } => directory::add_member(db, group, merchant),
        EventBody::MemberLeft { group, merchant, .. } => directory::remove_member(db, group, merchant),
        _ => Ok(()),
    }
}

/// Who answered the invitations of this shop, and how it answered those to it.
fn answers(db: &Connection, name: Inbox, body: &EventBody) -> Result<(), PhoneError> {
    if !matches!(name, Inbox::Merchant(_)) {
        return Ok(());
    }
    match body {
        EventBody::MemberJoined { merchant, invitation: Some(followed), .. } => {
            invitations::answered(db, followed.invitation, *merchant, Answer::Joined)
        }
        EventBody::JoinAsked { merchant, invitation: Some(followed), .. } => {
            invitations::answered(db, followed.invitation, *merchant, Answer::Asked)
        }
        EventBody::InvitationDeclined { invitation, shop, .. } => {
            invitations::answered(db, *invitation, *shop, Answer::Declined)
        }
        _ => Ok(()),
    }
}

/// Devices that joined the account without this phone's doing, until someone has looked at them.
fn devices(db: &Connection, me: Me, event: &Event) -> Result<(), PhoneError> {
    match event.body {
        EventBody::DeviceEnrolled { account, key, kind, pays_from, .. }
            if account == me.account && key != me.key && event.actor != me.key =>
        {
            let phone = kind == KeyKind::Phone;
            new_devices::put(db, &NewDevice { key, phone, joined_at: event.at, pays_from })
        }
        EventBody::DeviceAdmitted { key, .. } | EventBody::DeviceRevoked { key, .. } => {
            new_devices::gone(db, key)
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
        EventBody::MerchantRegistered { merchant, key, .. } if key == me.key => {
            meta::set(db, &meta::MERCHANT, &merchant)?;
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

/// A cell, as far as this phone has it: its own lots, debts and holds, its shop's sales and redemptions, the directory.
/// Other people's are not its business.
fn cell(db: &Connection, me: Me, key: Key) -> Result<Option<Cell>, PhoneError> {
    Ok(match key {
        Key::Lot(account, _, lot) if account == me.account => lots::get(db, lot)?.map(Cell::Lot),
        Key::Wallet(account, group) if account == me.account => Some(Cell::Wallet(lots::wallet(db, group)?)),
        Key::Debts(account) if account == me.account => Some(Cell::Debts(debts::all(db)?)),
        Key::Standing(account) if account == me.account => {
            let choice = meta::get(db, &meta::STANDING)?.unwrap_or_default();
            let (marketing, since) = (marketing::confirmed(db)?, Timestamp(0));
            Some(Cell::Standing(Standing { account, choice, since, marketing }))
        }
        Key::Sale(_, sale) => sales::get(db, sale)?.map(Cell::Sale),
        Key::Pass(_, pass) => passes::get(db, pass)?.map(Cell::Pass),
        Key::Hold(_, hold) => holds::get(db, hold)?.map(Cell::Hold),
        Key::Redemption(merchant, op) => {
            redemptions::get(db, op)?.and_then(|taken| taken.redemption(merchant)).map(Cell::Redemption)
        }
        Key::Invitation(_, invitation) => invitations::get(db, invitation)?.map(Cell::Invitation),
        Key::JoinRequest(group, merchant) => join_requests::get(db, group, merchant)?.map(Cell::JoinRequest),
        Key::Group(group) => directory::group(db, group)?.map(Cell::Group),
        Key::Amendment(group) => {
            directory::amendment(db, group)?.map(|amendment| Cell::Amendment(Box::new(amendment)))
        }
        _ => None,
    })
}
