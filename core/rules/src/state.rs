//! State: the rows that events leave behind. A function of the events, so that a rebuild gives the same again.

use crate::certificate::{ALLOWANCE, Certificate, until};
use crate::device::{Device, Holder};
use crate::event::{Event, EventBody};
use crate::group::{Group, Member, TermsVersion};
use crate::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use crate::lot::{Allocation, Lot};
use crate::merchant::Merchant;
use crate::pass::{Pass, PassState, let_go};
use crate::quantity::{Money, Units};
use crate::sale::Sale;
use crate::staff::{Staff, sales_day};
use crate::standing::Standing;
use crate::time::{Day, Timestamp};
use crate::view::{Halt, Key, View};

/// One row of the live tables, as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A signing key.
    Device(Device),
    /// A counter that a key has used.
    Counter(KeyId, u64),
    /// A shop.
    Merchant(Merchant),
    /// A sale.
    Sale(Sale),
    /// A group.
    Group(Group),
    /// A version of a group's terms.
    Terms(TermsVersion),
    /// A membership.
    Member(Member),
    /// A lot.
    Lot(Lot),
    /// A buyer's standing choice.
    Standing(Standing),
    /// A person's selling for a shop that is not theirs.
    Staff(Staff),
    /// What a clerk has sold on a day.
    StaffDay {
        /// The shop.
        merchant: MerchantId,
        /// The clerk.
        account: AccountId,
        /// The day.
        day: Day,
        /// Minor units.
        sold: Money,
    },
    /// Mileage reserved for a till.
    Pass(Pass),
    /// Whether a person runs the server for everyone.
    Operator {
        /// The person.
        account: AccountId,
        /// Whether they do.
        operator: bool,
    },
    /// An account that has ended.
    Closed {
        /// The account.
        account: AccountId,
        /// When.
        at: Timestamp,
    },
}

/// The rows that an event changes, given what stood before.
///
/// # Errors
/// [`Halt::Need`] while a cell that the event changes is not loaded.
pub fn apply(view: &View, event: &Event) -> Result<Vec<Row>, Halt> {
    let rows = match &event.body {
        EventBody::DeviceEnrolled { account, key, public_key, kind, pays_from, merchant } => {
            let device = Device::new(*key, Holder::Account(*account), public_key.clone(), event.at);
            // A further till begins without a certificate: it asks for one before it sells.
            let certificate = merchant.map(|_| Certificate::new(Money(0), event.at));
            let (kind, pays_from, merchant) = (*kind, *pays_from, *merchant);
            vec![Row::Device(Device { kind, pays_from, merchant, certificate, ..device })]
        }
        EventBody::DeviceRevoked { key, .. } => {
            change(view, *key, |device| Device { revoked_at: Some(event.at), ..device })?
        }
        EventBody::DeviceAdmitted { key, .. } => {
            change(view, *key, |device| Device { pays_from: device.pays_from.min(event.at), ..device })?
        }
        EventBody::TillAdded { merchant, key, .. } => {
            let certificate = Some(Certificate::new(Money(0), event.at));
            change(view, *key, |device| Device { merchant: Some(*merchant), certificate, ..device })?
        }
        EventBody::CertificateIssued { key, most, until, .. } => {
            let certificate = Some(Certificate { until: *until, most: *most, used: Money(0) });
            change(view, *key, |device| Device { certificate, ..device })?
        }
        EventBody::StaffJoined { merchant, account, key, limits } => {
            let joined = |device| Device { merchant: Some(*merchant), staff: true, left_at: None, ..device };
            let mut rows = change(view, *key, joined)?;
            let (merchant, account, key, limits) = (*merchant, *account, *key, *limits);
            let staff = Staff { merchant, account, key, limits, joined_at: event.at, left_at: None };
            rows.push(Row::Staff(staff));
            rows
        }
        EventBody::StaffLeft { merchant, account, key } => {
            let mut rows = change(view, *key, |device| Device { left_at: Some(event.at), ..device })?;
            let staff = view.staff(*merchant, *account)?;
            rows.extend(staff.map(|staff| Row::Staff(Staff { left_at: Some(event.at), ..*staff })));
            rows
        }
        EventBody::AllowanceSet { merchant, most } => {
            let set = |shop: &Merchant| Row::Merchant(Merchant { allowance: *most, ..shop.clone() });
            view.merchant(*merchant)?.map(set).into_iter().collect()
        }
        EventBody::AdminAppointed { group, merchant, .. } => {
            let appointed = |group: &Group| Row::Group(Group { admin: *merchant, ..group.clone() });
            view.group(*group)?.map(appointed).into_iter().collect()
        }
        EventBody::OperatorAppointed { account, operator } => {
            vec![Row::Operator { account: *account, operator: *operator }]
        }
        EventBody::LotsMoved { into, lots, .. } => {
            let gone = |lot: &Lot| Row::Lot(Lot { remaining: Units::ZERO, ..lot.clone() });
            let come = |lot: &Lot| Row::Lot(Lot { account: *into, ..lot.clone() });
            lots.iter().flat_map(|lot| [gone(lot), come(lot)]).collect()
        }
        EventBody::AccountClosed { account, .. } => {
            let keys = view.devices_of(*account)?;
            view.want(&keys.iter().map(|key| Key::Device(*key)).collect::<Vec<_>>())?;
            let mut rows = vec![Row::Closed { account: *account, at: event.at }];
            for key in keys {
                let revoked_at = |device: &Device| device.revoked_at.or(Some(event.at));
                let revoke = |device: Device| Device { revoked_at: revoked_at(&device), ..device };
                rows.extend(change(view, *key, revoke)?);
            }
            rows
        }
        EventBody::PassReserved { pass, merchant, till, account, key, group, held, expires, .. } => {
            let wallet = view.wallet(*account, *group)?;
            let hold = |part: &Allocation| {
                let lot = wallet.lot(part.lot)?.clone();
                let held = lot.held.checked_add(part.units)?;
                Some(Row::Lot(Lot { held, ..lot }))
            };
            let mut rows: Vec<Row> = held.iter().filter_map(hold).collect();
            rows.push(Row::Pass(Pass {
                id: *pass,
                merchant: *merchant,
                till: *till,
                account: *account,
                key: *key,
                group: *group,
                held: held.clone(),
                expires: *expires,
                state: PassState::Open,
            }));
            rows
        }
        EventBody::PassReleased { pass, merchant, account, group, .. } => {
            end_pass(view, (*merchant, *pass), (*account, *group), &[], PassState::Released)?
        }
        EventBody::MerchantRegistered { merchant, owner, key, profile } => {
            let half = Money(ALLOWANCE.0 / 2);
            let certificate = Some(Certificate { until: until(event.at), most: half, used: Money(0) });
            let mut rows =
                change(view, *key, |device| Device { merchant: Some(*merchant), certificate, ..device })?;
            let (id, owner, profile) = (*merchant, *owner, profile.clone());
            rows.push(Row::Merchant(Merchant { id, owner, profile, allowance: ALLOWANCE }));
            rows
        }
        EventBody::GroupFounded { group, founder, profile, terms } => vec![
            Row::Group(Group {
                id: *group,
                founder: *founder,
                profile: profile.clone(),
                terms_version: 1,
                members: 0,
                admin: *founder,
            }),
            Row::Terms(TermsVersion {
                group: *group,
                version: 1,
                terms: terms.clone(),
                in_force_from: event.at,
                in_force_until: None,
            }),
        ],
        EventBody::MemberJoined { group, merchant, terms_version } => {
            let known = view.group(*group)?.cloned();
            let counted = known.map(|group| Row::Group(Group { members: group.members + 1, ..group }));
            let member = Member {
                group: *group,
                merchant: *merchant,
                joined_at: event.at,
                terms_version: *terms_version,
            };
            counted.into_iter().chain([Row::Member(member)]).collect()
        }
        EventBody::SaleRecorded { sale, merchant, key, amount, time, addressee, till } => {
            let mut rows = sold(view, *merchant, *key, *amount, *time, till.is_some())?;
            rows.push(Row::Sale(Sale {
                id: *sale,
                merchant: *merchant,
                key: *key,
                amount: *amount,
                time: *time,
                addressee: *addressee,
                claimed_by: None,
                waits_until: None,
                lapsed: false,
                staff: till.is_some(),
            }));
            rows
        }
        EventBody::SaleWaits { sale, merchant, account, until, .. } => {
            let waits = |sale| Sale { addressee: Some(*account), waits_until: Some(*until), ..sale };
            view.sale(*merchant, *sale)?.cloned().map(waits).map(Row::Sale).into_iter().collect()
        }
        EventBody::SaleLapsed { sale, merchant, .. } => {
            let lapsed = |sale| Sale { lapsed: true, ..sale };
            view.sale(*merchant, *sale)?.cloned().map(lapsed).map(Row::Sale).into_iter().collect()
        }
        EventBody::Accrued {
            lot,
            group,
            merchant,
            account,
            sale,
            units,
            worth,
            terms_version,
            last_day,
            ends_at,
            ..
        } => {
            let claimed = view.sale(*merchant, *sale)?.cloned();
            let claimed = claimed.map(|sale| Row::Sale(Sale { claimed_by: Some(*lot), ..sale }));
            let lot = Lot {
                id: *lot,
                group: *group,
                account: *account,
                issuer: *merchant,
                sale: *sale,
                units: *units,
                remaining: *units,
                worth: *worth,
                terms_version: *terms_version,
                issued_at: event.at,
                last_day: *last_day,
                ends_at: *ends_at,
                held: Units::ZERO,
            };
            claimed.into_iter().chain([Row::Lot(lot)]).collect()
        }
        EventBody::StandingSet { account, choice } => {
            vec![Row::Standing(Standing { account: *account, choice: choice.clone(), since: event.at })]
        }
        EventBody::Redeemed { group, account, allocations, pass: None, .. } => {
            take(view, *account, *group, allocations)?
        }
        EventBody::Redeemed { group, merchant, account, allocations, pass: Some(pass), .. } => {
            end_pass(view, (*merchant, *pass), (*account, *group), allocations, PassState::Spent)?
        }
        EventBody::Expired { group, account, allocation } => {
            take(view, *account, *group, std::slice::from_ref(allocation))?
        }
    };
    Ok(rows)
}

fn take(view: &View, account: AccountId, group: GroupId, parts: &[Allocation]) -> Result<Vec<Row>, Halt> {
    let wallet = view.wallet(account, group)?;
    let taken = parts.iter().filter_map(|part| {
        let lot = wallet.lot(part.lot)?.clone();
        let remaining = lot.remaining.checked_sub(part.units)?;
        Some(Row::Lot(Lot { remaining, ..lot }))
    });
    Ok(taken.collect())
}

/// A key's record, changed.
fn change(view: &View, key: KeyId, change: impl FnOnce(Device) -> Device) -> Result<Vec<Row>, Halt> {
    Ok(view.device(key)?.cloned().map(change).map(Row::Device).into_iter().collect())
}

/// What a sale uses up: its till's certificate, and a clerk's day.
fn sold(
    view: &View,
    merchant: MerchantId,
    key: KeyId,
    amount: Money,
    time: u64,
    staff: bool,
) -> Result<Vec<Row>, Halt> {
    let mut rows = change(view, key, |device| {
        let used = |certificate: Certificate| Certificate {
            used: Money(certificate.used.0.saturating_add(amount.0)),
            ..certificate
        };
        Device { certificate: device.certificate.map(used), ..device }
    })?;
    if staff && let Some(account) = view.device(key)?.and_then(Device::account) {
        let day = sales_day(time);
        let before = view.staff_day(merchant, account, day)?;
        let sold = Money(before.0.saturating_add(amount.0));
        rows.push(Row::StaffDay { merchant, account, day, sold });
    }
    Ok(rows)
}

/// A pass comes to its end: `taken` is gone, the rest of what it held is free again.
fn end_pass(
    view: &View,
    (merchant, pass): (MerchantId, OpId),
    (account, group): (AccountId, GroupId),
    taken: &[Allocation],
    state: PassState,
) -> Result<Vec<Row>, Halt> {
    view.want(&[Key::Pass(merchant, pass), Key::Wallet(account, group)])?;
    let Some(pass) = view.pass(merchant, pass)? else { return Ok(Vec::new()) };
    let lots = let_go(&view.wallet(account, group)?, &pass.held, taken);
    let ended = Row::Pass(Pass { state, ..pass.clone() });
    Ok(lots.into_iter().map(Row::Lot).chain([ended]).collect())
}
