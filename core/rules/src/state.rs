//! State: the rows that events leave behind. A function of the events, so that a rebuild gives the same again.

use crate::device::{Device, Holder};
use crate::event::{Event, EventBody};
use crate::group::{Group, Member, TermsVersion};
use crate::id::{AccountId, GroupId, KeyId};
use crate::lot::{Allocation, Lot};
use crate::merchant::Merchant;
use crate::sale::Sale;
use crate::standing::Standing;
use crate::view::{Halt, View};

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
}

/// The rows that an event changes, given what stood before.
///
/// # Errors
/// [`Halt::Need`] while a cell that the event changes is not loaded.
pub fn apply(view: &View, event: &Event) -> Result<Vec<Row>, Halt> {
    let rows = match &event.body {
        EventBody::DeviceEnrolled { account, key, public_key } => vec![Row::Device(Device {
            key: *key,
            holder: Holder::Account(*account),
            merchant: None,
            public_key: public_key.clone(),
            revoked_at: None,
        })],
        EventBody::MerchantRegistered { merchant, owner, key, profile } => {
            let device = view.device(*key)?.cloned();
            let device = device.map(|device| Row::Device(Device { merchant: Some(*merchant), ..device }));
            let merchant = Merchant { id: *merchant, owner: *owner, profile: profile.clone() };
            device.into_iter().chain([Row::Merchant(merchant)]).collect()
        }
        EventBody::GroupFounded { group, founder, profile, terms } => vec![
            Row::Group(Group {
                id: *group,
                founder: *founder,
                profile: profile.clone(),
                terms_version: 1,
                members: 0,
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
        EventBody::SaleRecorded { sale, merchant, key, amount, time, addressee } => vec![Row::Sale(Sale {
            id: *sale,
            merchant: *merchant,
            key: *key,
            amount: *amount,
            time: *time,
            addressee: *addressee,
            claimed_by: None,
            waits_until: None,
            lapsed: false,
        })],
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
            };
            claimed.into_iter().chain([Row::Lot(lot)]).collect()
        }
        EventBody::StandingSet { account, choice } => {
            vec![Row::Standing(Standing { account: *account, choice: choice.clone(), since: event.at })]
        }
        EventBody::Redeemed { group, account, allocations, .. } => take(view, *account, *group, allocations)?,
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
