//! Reads of the stand-in: changes, snapshot, directory, look-ups, as `server/app/src/http` answers them.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64URL_NOPAD;
use minicbor::{Decode, Encode};
use moa_ledger::reach::{Holdings, Place, Reach, brief, stands};
use moa_ledger::store::Store;
use moa_phone::Response;
use moa_rules::event::Inbox;
use moa_rules::id::MerchantId;
use moa_rules::time::Timestamp;
use moa_wire::api::{
    Base64, Changes, Directory, GroupEntry, InboxChanges, MAX_CHANGES, MAX_DIRECTORY, MerchantEntry, Snapshot,
};
use moa_wire::canonical;
use moa_wire::keys::{Signer, sha256};
use moa_wire::member::MemberSecret;
use moa_wire::token::{Checked, Head};
use serde::Serialize;

use crate::Step;
use crate::ledger::broken;
use crate::server::{Caller, Taken, ok, problem};

/// At its end the directory's cursor steps back so far.
const STEP_BACK: i64 = Timestamp::MINUTE;

pub(crate) fn reach(store: &dyn Store, caller: Caller) -> Step<Reach> {
    Reach::of(store, caller.account, caller.key).map_err(broken)
}

/// The inboxes that a caller may read.
pub(crate) fn inboxes(store: &dyn Store, caller: Caller) -> Step<Vec<Inbox>> {
    Ok(reach(store, caller)?.inboxes)
}

pub(crate) fn changes(
    store: &dyn Store,
    signer: &dyn Signer,
    caller: Caller,
    query: &str,
    now: Timestamp,
) -> Step<Taken> {
    let Some(counts) = cursor(query).map_or(Some(Vec::new()), decode::<Vec<(Inbox, u64, u32)>>) else {
        return Ok(Taken::Answer(problem(400, "bad_cursor")));
    };
    let places: BTreeMap<Inbox, Place> =
        counts.into_iter().map(|(inbox, count, hash)| (inbox, (count, hash))).collect();
    for (inbox, place) in &places {
        if !stands(store, *inbox, *place).map_err(broken)? {
            return Ok(Taken::Answer(problem(410, "cursor_gone")));
        }
    }
    let (mut inboxes, mut next, mut more) = (Vec::new(), places.clone(), false);
    let mut room = MAX_CHANGES;
    let reach = reach(store, caller)?.inboxes;
    for inbox in &reach {
        let (after, before) = places.get(inbox).copied().unwrap_or((0, 0));
        let page = store.inbox(*inbox, after, room).map_err(broken)?;
        room -= page.events.len();
        let (upto, hash) =
            if page.events.is_empty() { (after, before) } else { (page.head.count, brief(page.head.hash)) };
        more |= page.count > upto;
        next.insert(*inbox, (upto, hash));
        if upto > after {
            let head = signed_head(signer, *inbox, upto, page.head.hash)?;
            let events = page.events.into_iter().map(Base64).collect();
            inboxes.push(InboxChanges { inbox: (*inbox).into(), first: after + 1, events, head });
        }
    }
    let directory = match parameter(query, "directory") {
        Some(from) => match directory(store, from, now)? {
            Some(page) => Some(page),
            None => return Ok(Taken::Answer(problem(400, "bad_cursor"))),
        },
        None if inboxes.is_empty() && parameter(query, "wait") != Some("0") => return Ok(Taken::Wait(reach)),
        None => None,
    };
    let next = next.into_iter().map(|(inbox, (count, hash))| (inbox, count, hash)).collect();
    Ok(Taken::Answer(ok(&Changes { inboxes, cursor: counts_text(next), more, directory, now })))
}

/// The answer to a request that has waited for nothing.
pub(crate) fn nothing_new(query: &str, now: Timestamp) -> Response {
    let cursor = cursor(query).unwrap_or_default().to_owned();
    ok(&Changes { inboxes: Vec::new(), cursor, more: false, directory: None, now })
}

pub(crate) fn snapshot(
    store: &dyn Store,
    signer: &dyn Signer,
    caller: Caller,
    now: Timestamp,
) -> Step<Response> {
    let reach = reach(store, caller)?;
    let (mut heads, mut counts) = (Vec::new(), Vec::new());
    for inbox in &reach.inboxes {
        let head = store.head(*inbox).map_err(broken)?;
        counts.push((*inbox, head.count, brief(head.hash)));
        heads.push(signed_head(signer, *inbox, head.count, head.hash)?);
    }
    let holdings = reach.holdings(store, caller.account, caller.key, now).map_err(broken)?;
    // A tag is random; here it follows from the account.
    let fresh = tag(&[b"tag", &caller.account.0]);
    let member = Some(member_secret(store.member_tag(caller.account, fresh).map_err(broken)?));
    let (account, cursor) = (caller.account, counts_text(counts));
    let Reach { merchant, till, .. } = reach;
    let Holdings { lots, debts, holds, passes, waiting, standing, marketing, invitations, join_requests } =
        holdings;
    Ok(ok(&Snapshot {
        account,
        merchant,
        till,
        lots,
        debts,
        holds,
        passes,
        waiting,
        standing,
        marketing: Some(Base64(canonical::encode(&marketing))),
        member,
        invitations,
        join_requests,
        heads,
        cursor,
        now,
    }))
}

/// What a phone makes its member codes of.
pub(crate) fn member_secret(tag: [u8; 16]) -> MemberSecret {
    MemberSecret::new(tag, sha256(&[b"member", &tag]))
}

fn tag(parts: &[&[u8]]) -> [u8; 16] {
    let mut tag = [0; 16];
    tag.copy_from_slice(&sha256(parts)[..16]);
    tag
}

/// A page of the directory; none if that is no cursor.
fn directory(store: &dyn Store, from: &str, now: Timestamp) -> Step<Option<Directory>> {
    let start = (Timestamp(i64::MIN), MerchantId([0; 16]));
    let after = if from.is_empty() { Some(start) } else { decode::<(Timestamp, MerchantId)>(from) };
    let Some(after) = after else { return Ok(None) };
    let shops = store.directory(after, MAX_DIRECTORY).map_err(broken)?;
    let more = shops.len() == MAX_DIRECTORY;
    let ids: BTreeSet<_> = shops.iter().flat_map(|shop| shop.groups.iter().copied()).collect();
    let mut groups = Vec::new();
    for id in ids {
        groups.extend(store.group(id).map_err(broken)?.map(GroupEntry::from));
    }
    let last = shops.last().map(|shop| (shop.changed_at, shop.merchant.id));
    let cursor = match last {
        Some(last) if more => encode(&last),
        _ => encode(&(now.plus(-STEP_BACK), MerchantId([0; 16]))),
    };
    let merchants = shops.into_iter().map(MerchantEntry::from).collect();
    Ok(Some(Directory { merchants, groups, cursor, more }))
}

pub(crate) fn key(store: &dyn Store, id: &str) -> Step<Response> {
    let device = store.device(id.parse().map_err(broken)?).map_err(broken)?;
    match device.and_then(|device| device.merchant) {
        Some(merchant) => Ok(found(store.merchant(merchant).map_err(broken)?.map(MerchantEntry::from))),
        None => Ok(problem(404, "not_found")),
    }
}

pub(crate) fn merchant(store: &dyn Store, id: &str) -> Step<Response> {
    let shop = store.merchant(id.parse().map_err(broken)?).map_err(broken)?;
    Ok(found(shop.map(MerchantEntry::from)))
}

pub(crate) fn group(store: &dyn Store, id: &str) -> Step<Response> {
    let group = store.group(id.parse().map_err(broken)?).map_err(broken)?;
    Ok(found(group.map(GroupEntry::from)))
}

fn found<T: Serialize>(thing: Option<T>) -> Response {
    thing.map_or_else(|| problem(404, "not_found"), |thing| ok(&thing))
}

fn signed_head(signer: &dyn Signer, inbox: Inbox, count: u64, hash: [u8; 32]) -> Step<Base64> {
    let head = Checked::sign(Head::new(inbox, count, hash), signer).map_err(broken)?;
    Ok(Base64(head.bytes().to_vec()))
}

fn cursor(query: &str) -> Option<&str> {
    parameter(query, "cursor").filter(|cursor| !cursor.is_empty())
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn counts_text(mut counts: Vec<(Inbox, u64, u32)>) -> String {
    counts.retain(|(_, count, _)| *count > 0);
    counts.sort_unstable();
    encode(&counts)
}

fn encode<T: Encode<()>>(value: &T) -> String {
    BASE64URL_NOPAD.encode(&canonical::encode(value))
}

fn decode<T: Encode<()> + for<'b> Decode<'b, ()>>(text: &str) -> Option<T> {
    canonical::decode(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()
}
