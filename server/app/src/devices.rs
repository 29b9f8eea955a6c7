//! What a person sees of the own keys, and a shop's owner of its staff and tills. (docs/rules.md D, F)

use std::collections::HashMap;

use moa_ledger::store::{KnownDevice, StoreError};
use moa_rules::device::{Device, KeyKind};
use moa_rules::id::{AccountId, KeyId, MerchantId};
use moa_rules::quantity::Money;
use moa_rules::staff::{Staff, sales_day};
use moa_wire::api::{DeviceEntry, DeviceKind, Devices, ShopRole, ShopStaff, StaffEntry, TillEntry};

use crate::app::App;
use crate::auth::Caller;

/// The keys that ever could sign for a person, the one seen last first.
pub(crate) fn of(app: &App, account: AccountId) -> Result<Devices, StoreError> {
    let known = known(app, account)?;
    let mut devices = Vec::new();
    for device in app.store().devices_of(account)? {
        devices.push(entry(app, &device, known.get(&device.key))?);
    }
    devices.sort_by_key(|device| (std::cmp::Reverse(device.seen), device.key));
    Ok(Devices { devices, now: app.engine.now() })
}

/// The shop that the caller owns, on a phone or in a browser.
pub(crate) fn owned_shop(app: &App, caller: Caller) -> Result<Option<MerchantId>, StoreError> {
    let owns = |device: &Device| !device.staff && device.kind != KeyKind::Service;
    Ok(app.store().device(caller.key)?.filter(owns).and_then(|device| device.merchant))
}

/// Who sells for a shop, and its tills; none unless the caller owns it, on a phone or in a browser.
pub(crate) fn staff(app: &App, caller: Caller) -> Result<Option<ShopStaff>, StoreError> {
    let Some(merchant) = owned_shop(app, caller)? else { return Ok(None) };
    let now = app.engine.now();
    let mut staff = Vec::new();
    for Staff { merchant, account, key, limits, joined_at, left_at } in app.store().staff_of(merchant)? {
        let sold_today: Money = app.store().sold_on(merchant, account, sales_day(now.seconds()))?;
        staff.push(StaffEntry { account, key, limits, sold_today, joined_at, left_at });
    }
    let tills = app.store().tills(merchant)?;
    let tills = tills.iter().map(|device| till(app, merchant, device)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(ShopStaff { merchant, staff, tills: tills.into_iter().flatten().collect(), now }))
}

fn till(app: &App, merchant: MerchantId, device: &Device) -> Result<Option<TillEntry>, StoreError> {
    let (Some(account), Some(role)) = (device.account(), role(device)) else { return Ok(None) };
    let heard = app.store().heard_of(device.key)?;
    let known = known(app, account)?.remove(&device.key);
    let mine = device.merchant == Some(merchant);
    Ok(mine.then(|| TillEntry {
        key: device.key,
        name: known.as_ref().map(|known| known.name.clone()).unwrap_or_default(),
        kind: kind(device),
        role,
        account,
        heard_at: heard.last.max(known.map(|known| known.seen)),
        missing: heard.missing,
        certificate: device.certificate,
        revoked_at: device.revoked_at,
    }))
}

fn entry(app: &App, device: &Device, known: Option<&KnownDevice>) -> Result<DeviceEntry, StoreError> {
    let since = known.map_or(device.enrolled_at, |known| known.since);
    let seen = app.store().heard_of(device.key)?.last.max(known.map(|known| known.seen));
    Ok(DeviceEntry {
        key: device.key,
        name: known.map(|known| known.name.clone()).unwrap_or_default(),
        since,
        seen: seen.unwrap_or(since),
        kind: kind(device),
        merchant: device.merchant,
        role: role(device),
        pays_from: device.pays_from,
        until: match device.kind {
            KeyKind::Browser { until } => Some(until),
            KeyKind::Phone | KeyKind::Service => None,
        },
        revoked_at: device.revoked_at,
    })
}

fn kind(device: &Device) -> DeviceKind {
    match device.kind {
        KeyKind::Phone => DeviceKind::Phone,
        KeyKind::Browser { .. } => DeviceKind::Browser,
        KeyKind::Service => DeviceKind::Service,
    }
}

fn role(device: &Device) -> Option<ShopRole> {
    device.merchant?;
    Some(match device {
        Device { left_at: Some(_), .. } => ShopRole::Left,
        Device { staff: true, .. } => ShopRole::Staff,
        Device { kind: KeyKind::Service, .. } => ShopRole::Service,
        _ => ShopRole::Owner,
    })
}

fn known(app: &App, account: AccountId) -> Result<HashMap<KeyId, KnownDevice>, StoreError> {
    let known = app.store().known_devices(account)?;
    Ok(known.into_iter().map(|known| (known.key, known)).collect())
}
