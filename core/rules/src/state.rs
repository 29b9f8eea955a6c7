//! State: the rows that events leave behind. A function of the events, so that a rebuild gives the same again.

use crate::admission::{JoinRequest, RequestState};
use crate::amendment::Amendment;
use crate::certificate::{ALLOWANCE, Certificate, until};
use crate::debt::Debt;
use crate::device::{Device, Holder};
use crate::event::{Answered, Captured, Event, EventBody};
use crate::group::{Closing, Group, Member, TermsVersion};
use crate::hold::{Hold, HoldState};
use crate::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use crate::invitation::{self, Invitation};
use crate::lot::{Allocation, Lot};
use crate::marketing::Marketing;
use crate::merchant::Merchant;
use crate::pass::{Pass, PassState};
use crate::quantity::{Money, Units};
use crate::redemption::Redemption;
use crate::sale::{Claimed, Sale};
use crate::staff::{Staff, sales_day};
use crate::standing::{Standing, StandingChoice};
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
        /// The one that took over what it held.
        into: Option<AccountId>,
    },
    /// Mileage reserved for a shop.
    Hold(Hold),
    /// Mileage that a shop took.
    Redemption(Redemption),
    /// What a buyer owes a shop.
    Debt(Debt),
    /// Terms that were proposed.
    Amendment(Box<Amendment>),
    /// An invitation.
    Invitation(Invitation),
    /// A shop's last request to join a group.
    JoinRequest(JoinRequest),
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
        EventBody::AccountClosed { account, into } => {
            view.want(&[Key::DevicesOf(*account), Key::Debts(*account)])?;
            let keys = view.devices_of(*account)?;
            view.want(&keys.iter().map(|key| Key::Device(*key)).collect::<Vec<_>>())?;
            let mut rows = vec![Row::Closed { account: *account, at: event.at, into: *into }];
            rows.extend(inherit(view, *account, *into)?);
            for key in keys {
                let revoked_at = |device: &Device| device.revoked_at.or(Some(event.at));
                let revoke = |device: Device| Device { revoked_at: revoked_at(&device), ..device };
                rows.extend(change(view, *key, revoke)?);
            }
            rows
        }
        EventBody::PassReserved { pass, merchant, till, account, key, group, held, expires, .. } => {
            let mut rows = hold_lots(view, (*account, *group), held)?;
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
                made_at: event.at,
            }));
            rows
        }
        EventBody::PassReleased { pass, merchant, account, group, .. } => {
            end_pass(view, (*merchant, *pass), (*account, *group), &[], PassState::Released)?
        }
        EventBody::HoldMade { hold, merchant, account, group, held, until, till } => {
            let mut rows = hold_lots(view, (*account, *group), held)?;
            rows.push(Row::Hold(Hold {
                id: *hold,
                merchant: *merchant,
                account: *account,
                group: *group,
                held: held.clone(),
                made_at: event.at,
                until: *until,
                state: HoldState::Open,
                till: *till,
            }));
            rows
        }
        EventBody::HoldReleased { hold, merchant, account, group, held, lapsed, .. } => {
            let state = if *lapsed { HoldState::Lapsed } else { HoldState::Voided };
            let mut rows = let_go(view, (*account, *group), held, &[])?;
            let ended = |hold: &Hold| Row::Hold(Hold { state, ..hold.clone() });
            rows.extend(view.hold(*merchant, *hold)?.map(ended));
            rows
        }
        EventBody::MerchantRegistered { merchant, owner, key, profile } => {
            let half = Money(ALLOWANCE.0 / 2);
            let certificate = Some(Certificate { until: until(event.at), most: half, used: Money(0) });
            let mut rows =
                change(view, *key, |device| Device { merchant: Some(*merchant), certificate, ..device })?;
            let (id, owner, profile) = (*merchant, *owner, profile.clone());
            let invited = (Day(0), 0);
            rows.push(Row::Merchant(Merchant { id, owner, profile, allowance: ALLOWANCE, invited }));
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
                frozen: Vec::new(),
                closing: None,
                profile_version: 1,
            }),
            Row::Terms(TermsVersion {
                group: *group,
                version: 1,
                terms: terms.clone(),
                in_force_from: event.at,
                in_force_until: None,
            }),
        ],
        EventBody::MemberJoined { group, merchant, terms_version, invitation } => {
            let request = Key::JoinRequest(*group, *merchant);
            view.want(&[Key::Group(*group), Key::Member(*group, *merchant), request])?;
            let asked =
                view.join_request(*group, *merchant)?.filter(|asked| asked.state == RequestState::Open);
            let admitted = |asked: &JoinRequest| {
                let (state, ended_at) = (RequestState::Admitted, Some(event.at));
                Row::JoinRequest(JoinRequest { state, ended_at, ..asked.clone() })
            };
            let asked = asked.map(admitted);
            let followed = invitation.map(|answered| use_up(view, answered, false)).transpose()?.flatten();
            let known = view.group(*group)?.cloned();
            let counted = known.map(|group| Row::Group(Group { members: group.members + 1, ..group }));
            let member = Member {
                group: *group,
                merchant: *merchant,
                joined_at: event.at,
                terms_version: *terms_version,
                left_at: None,
                // Whoever left frozen comes back frozen.
                frozen_at: view.member(*group, *merchant)?.and_then(|before| before.frozen_at),
            };
            counted.into_iter().chain([Row::Member(member)]).chain(followed).chain(asked).collect()
        }
        EventBody::MemberLeft { group, merchant, .. } => {
            view.want(&[Key::Group(*group), Key::Member(*group, *merchant), Key::Amendment(*group)])?;
            let fewer = |group: &Group| {
                Row::Group(Group { members: group.members.saturating_sub(1), ..group.clone() })
            };
            let left = |member: &Member| Row::Member(Member { left_at: Some(event.at), ..member.clone() });
            let unanswered =
                |amendment: &Amendment| Row::Amendment(Box::new(amendment.clone().answered(*merchant, None)));
            let amendment = view.amendment(*group)?.filter(|amendment| !amendment.decided);
            let rows = [
                view.group(*group)?.map(fewer),
                view.member(*group, *merchant)?.map(left),
                amendment.map(unanswered),
            ];
            rows.into_iter().flatten().collect()
        }
        EventBody::MemberFrozen { group, merchant, frozen } => {
            view.want(&[Key::Group(*group), Key::Member(*group, *merchant)])?;
            let at = frozen.then_some(event.at);
            let member = |member: &Member| Row::Member(Member { frozen_at: at, ..member.clone() });
            let listed = |group: &Group| {
                let mut list = group.frozen.clone();
                list.retain(|member| member != merchant);
                list.extend(frozen.then_some(*merchant));
                list.sort_unstable();
                Row::Group(Group { frozen: list, ..group.clone() })
            };
            let rows = [view.group(*group)?.map(listed), view.member(*group, *merchant)?.map(member)];
            rows.into_iter().flatten().collect()
        }
        EventBody::GroupClosing { group, redeem_only_from, ends_at, .. } => {
            let (redeem_only_from, ends_at) = (*redeem_only_from, *ends_at);
            let closing = Some(Closing { redeem_only_from, ends_at, ended: false });
            let closes = |group: &Group| Row::Group(Group { closing, ..group.clone() });
            view.group(*group)?.map(closes).into_iter().collect()
        }
        EventBody::GroupEnded { group, .. } => {
            let ended = |group: &Group| {
                let closing = group.closing.map(|closing| Closing { ended: true, ..closing });
                Row::Group(Group { closing, ..group.clone() })
            };
            view.group(*group)?.map(ended).into_iter().collect()
        }
        EventBody::AmendmentProposed { group, amendment, merchant, terms, from } => {
            vec![Row::Amendment(Box::new(Amendment {
                group: *group,
                id: *amendment,
                terms: terms.clone(),
                from: *from,
                agreed: vec![*merchant],
                declined: Vec::new(),
                decided: false,
            }))]
        }
        EventBody::AmendmentAnswered { group, merchant, agrees, .. } => {
            let answered = |amendment: &Amendment| {
                Row::Amendment(Box::new(amendment.clone().answered(*merchant, Some(*agrees))))
            };
            view.amendment(*group)?.map(answered).into_iter().collect()
        }
        EventBody::TermsAmended { group, version, terms, .. } => {
            let before = version.saturating_sub(1);
            view.want(&[Key::Group(*group), Key::Terms(*group, before), Key::Amendment(*group)])?;
            let replaced = |terms: &TermsVersion| {
                Row::Terms(TermsVersion { in_force_until: Some(event.at), ..terms.clone() })
            };
            let amended = |group: &Group| Row::Group(Group { terms_version: *version, ..group.clone() });
            let new = TermsVersion {
                group: *group,
                version: *version,
                terms: terms.clone(),
                in_force_from: event.at,
                in_force_until: None,
            };
            let replaced = view.terms(*group, before)?.map(replaced);
            let rows = [replaced, Some(Row::Terms(new)), view.group(*group)?.map(amended)];
            rows.into_iter().flatten().chain(decided(view, *group)?).collect()
        }
        EventBody::InvitationMade { invitation, merchant, to, hash, shop, uses, until } => {
            let day = invitation::today(event.at);
            let counted = |shop: &Merchant| {
                let made = if shop.invited.0 == day { shop.invited.1 } else { 0 };
                Row::Merchant(Merchant { invited: (day, made.saturating_add(1)), ..shop.clone() })
            };
            let made = Invitation {
                id: *invitation,
                issuer: *merchant,
                to: *to,
                hash: *hash,
                shop: *shop,
                uses: *uses,
                used: 0,
                declined: 0,
                made_at: event.at,
                until: *until,
                revoked: false,
            };
            view.merchant(*merchant)?.map(counted).into_iter().chain([Row::Invitation(made)]).collect()
        }
        EventBody::InvitationRevoked { invitation, merchant, .. } => {
            let revoked = |known: &Invitation| Row::Invitation(Invitation { revoked: true, ..*known });
            view.invitation(*merchant, *invitation)?.map(revoked).into_iter().collect()
        }
        EventBody::InvitationDeclined { invitation, merchant, .. } => {
            let answered = Answered { issuer: *merchant, invitation: *invitation };
            use_up(view, answered, true)?.into_iter().collect()
        }
        EventBody::JoinAsked { group, merchant, request, terms_version, invitation } => {
            let followed = invitation.map(|answered| use_up(view, answered, false)).transpose()?.flatten();
            let request = JoinRequest {
                group: *group,
                merchant: *merchant,
                id: *request,
                terms_version: *terms_version,
                asked_at: event.at,
                for_it: invitation.iter().map(|answered| answered.issuer).collect(),
                against: Vec::new(),
                state: RequestState::Open,
                ended_at: None,
            };
            [Row::JoinRequest(request)].into_iter().chain(followed).collect()
        }
        EventBody::JoinAnswered { group, merchant, by, admits, state, .. } => {
            let answered = |request: &JoinRequest| {
                let request = match state {
                    RequestState::Withdrawn => request.clone(),
                    _ => request.clone().answered(*by, *admits),
                };
                let ended_at = (*state != RequestState::Open).then_some(event.at);
                Row::JoinRequest(JoinRequest { state: *state, ended_at, ..request })
            };
            view.join_request(*group, *merchant)?.map(answered).into_iter().collect()
        }
        EventBody::ProfileAmended { group, version, profile, .. } => {
            let amended = |group: &Group| {
                let profile = profile.clone();
                Row::Group(Group { profile, profile_version: *version, ..group.clone() })
            };
            view.group(*group)?.map(amended).into_iter().collect()
        }
        EventBody::MerchantAmended { merchant, profile } => {
            let amended =
                |shop: &Merchant| Row::Merchant(Merchant { profile: profile.clone(), ..shop.clone() });
            view.merchant(*merchant)?.map(amended).into_iter().collect()
        }
        EventBody::AmendmentRejected { group, .. } => decided(view, *group)?.into_iter().collect(),
        EventBody::SaleRecorded { sale, merchant, key, amount, time, addressee, till, redemption } => {
            let mut rows = sold(view, *merchant, *key, *amount, *time, till.is_some())?;
            let sale = Sale::new(*sale, *merchant, *key, *amount, *time);
            let (addressee, redemption, staff) = (*addressee, *redemption, till.is_some());
            rows.push(Row::Sale(Sale { addressee, staff, redemption, ..sale }));
            rows
        }
        EventBody::SaleVoided { sale, merchant, .. } => {
            let voided = |sale: &Sale| Row::Sale(Sale { voided: true, ..sale.clone() });
            view.sale(*merchant, *sale)?.map(voided).into_iter().collect()
        }
        EventBody::SaleWaits { sale, merchant, account, until, .. } => {
            let waits = |sale| Sale { addressee: Some(*account), waits_until: Some(*until), ..sale };
            view.sale(*merchant, *sale)?.cloned().map(waits).map(Row::Sale).into_iter().collect()
        }
        EventBody::SaleLapsed { sale, merchant, .. } => {
            let lapsed = |sale| Sale { lapsed: true, ..sale };
            view.sale(*merchant, *sale)?.cloned().map(lapsed).map(Row::Sale).into_iter().collect()
        }
        EventBody::Accrued { lot, group, merchant, account, sale, .. } => {
            let claimed = Some(Claimed { lot: *lot, account: *account, group: *group });
            let known = view.sale(*merchant, *sale)?.cloned();
            let known = known.map(|sale| Row::Sale(Sale { claimed, unearned: sale.money_back, ..sale }));
            known.into_iter().chain(issued(event)).collect()
        }
        EventBody::Granted { .. } => issued(event).into_iter().collect(),
        EventBody::TakenAway { group, account, taken, .. } => take(view, *account, *group, taken)?,
        EventBody::DebtPaid { group, account, merchant, taken } => {
            view.want(&[Key::Debts(*account), Key::Lot(*account, *group, taken.lot)])?;
            let mut rows = take(view, *account, *group, std::slice::from_ref(taken))?;
            let owed = (*group, *merchant, taken.worth.unit);
            let debt = view.debts(*account)?.iter().find(|debt| debt.key() == owed);
            let less = |debt: &Debt| {
                let units = debt.units.checked_sub(taken.units).unwrap_or_default();
                Row::Debt(Debt { units, ..*debt })
            };
            rows.extend(debt.map(less));
            rows
        }
        EventBody::Refunded {
            sale,
            merchant,
            amount,
            money,
            account,
            group,
            units,
            taken,
            debt,
            unit,
            ..
        } => {
            let mut rows = match (account, group) {
                (Some(account), Some(group)) => take(view, *account, *group, taken)?,
                _ => Vec::new(),
            };
            let there: Units = taken.iter().map(|part| part.units).chain([*debt]).sum();
            let forgone = units.checked_sub(there).unwrap_or_default();
            let refunded = |sale: &Sale| {
                Row::Sale(Sale {
                    refunded: sale.refunded + *amount,
                    money_back: sale.money_back + *money,
                    clawed: [sale.clawed, *units].into_iter().sum(),
                    forgone: [sale.forgone, forgone].into_iter().sum(),
                    ..sale.clone()
                })
            };
            rows.extend(view.sale(*merchant, *sale)?.map(refunded));
            if let (Some(account), Some(group), false) = (account, group, debt.is_zero()) {
                let new = Debt {
                    account: *account,
                    group: *group,
                    merchant: *merchant,
                    unit: *unit,
                    units: *debt,
                    since: event.at,
                };
                rows.push(Row::Debt(owe(view.debts(*account)?, new)));
            }
            rows
        }
        EventBody::Reversed { redemption, merchant, units, lots, .. } => {
            let mut rows: Vec<Row> = lots.iter().cloned().map(Row::Lot).collect();
            let returned = |redemption: &Redemption| {
                let returned = [redemption.returned, *units].into_iter().sum();
                Row::Redemption(Redemption { returned, ..redemption.clone() })
            };
            rows.extend(view.redemption(*merchant, *redemption)?.map(returned));
            rows
        }
        EventBody::StandingSet { account, choice } => {
            let marketing = view.standing(*account)?.map(|known| known.marketing).unwrap_or_default();
            let (account, choice) = (*account, choice.clone());
            vec![Row::Standing(Standing { account, choice, since: event.at, marketing })]
        }
        EventBody::MarketingSet { account, agreed } => {
            let marketing = Marketing { agreed: *agreed, since: event.at };
            vec![Row::Standing(match view.standing(*account)? {
                Some(known) => Standing { marketing, ..known.clone() },
                None => {
                    let (choice, since) = (StandingChoice::default(), event.at);
                    Standing { account: *account, choice, since, marketing }
                }
            })]
        }
        EventBody::Redeemed { group, merchant, account, allocations, pass, hold, till, .. } => {
            let (mut rows, made_at) = match (pass, hold) {
                (Some(pass), _) => {
                    let made_at = view.pass(*merchant, *pass)?.map(|pass| pass.made_at);
                    let of = (*account, *group);
                    (end_pass(view, (*merchant, *pass), of, allocations, PassState::Spent)?, made_at)
                }
                (None, Some(Captured { hold, held })) => {
                    let known = view.hold(*merchant, *hold)?;
                    let mut rows = let_go(view, (*account, *group), held, allocations)?;
                    let state = HoldState::Captured;
                    rows.extend(known.map(|hold| Row::Hold(Hold { state, ..hold.clone() })));
                    (rows, known.map(|hold| hold.made_at))
                }
                (None, None) => (take(view, *account, *group, allocations)?, None),
            };
            rows.push(Row::Redemption(Redemption {
                id: event.op,
                merchant: *merchant,
                account: *account,
                group: *group,
                made_at: made_at.unwrap_or(event.at),
                allocations: allocations.clone(),
                returned: Units::ZERO,
                till: *till,
            }));
            rows
        }
        EventBody::Expired { group, account, allocation } => {
            let rows = take(view, *account, *group, std::slice::from_ref(allocation))?;
            let expired = |row| match row {
                Row::Lot(lot) => {
                    let expired = [lot.expired, allocation.units].into_iter().sum();
                    Row::Lot(Lot { expired, ..lot })
                }
                other => other,
            };
            rows.into_iter().map(expired).collect()
        }
    };
    Ok(rows)
}

/// An invitation that one more has answered.
fn use_up(
    view: &View,
    Answered { issuer, invitation }: Answered,
    declines: bool,
) -> Result<Option<Row>, Halt> {
    let answered = |known: &Invitation| {
        let used = known.used.saturating_add(1);
        let declined = known.declined.saturating_add(declines.into());
        Row::Invitation(Invitation { used, declined, ..*known })
    };
    Ok(view.invitation(issuer, invitation)?.map(answered))
}

/// The lots of these parts, each once it is seen.
fn lots<'a>(
    view: &'a View,
    (account, group): (AccountId, GroupId),
    parts: &[Allocation],
) -> Result<Vec<Option<&'a Lot>>, Halt> {
    let lot = view.lots(account, group);
    let found: Vec<_> = parts.iter().map(|part| lot(part.lot)).collect();
    // All that are not seen at once: a redemption may take thousands.
    let needed = found.iter().filter_map(|lot| lot.as_ref().err());
    let needed: Vec<Key> = needed.flat_map(|halt| halt.keys().to_vec()).collect();
    if needed.is_empty() { found.into_iter().collect() } else { Err(Halt::Need(needed)) }
}

fn take(view: &View, account: AccountId, group: GroupId, parts: &[Allocation]) -> Result<Vec<Row>, Halt> {
    let taken = lots(view, (account, group), parts)?.into_iter().zip(parts).filter_map(|(lot, part)| {
        let lot = lot?.clone();
        let remaining = lot.remaining.checked_sub(part.units)?;
        Some(Row::Lot(Lot { remaining, ..lot }))
    });
    Ok(taken.collect())
}

/// The lots of these parts, so much of each held.
fn hold_lots(view: &View, of: (AccountId, GroupId), held: &[Allocation]) -> Result<Vec<Row>, Halt> {
    let rows = lots(view, of, held)?.into_iter().zip(held).filter_map(|(lot, part)| {
        let lot = lot?.clone();
        let held = lot.held.checked_add(part.units)?;
        Some(Row::Lot(Lot { held, ..lot }))
    });
    Ok(rows.collect())
}

/// The lots of these parts, no longer held, and `taken` taken from them.
fn let_go(
    view: &View,
    of: (AccountId, GroupId),
    held: &[Allocation],
    taken: &[Allocation],
) -> Result<Vec<Row>, Halt> {
    let rows = lots(view, of, held)?.into_iter().zip(held).filter_map(|(lot, part)| {
        let lot = lot?.clone();
        let held = lot.held.checked_sub(part.units).unwrap_or_default();
        let took = taken.iter().find(|taken| taken.lot == part.lot).map(|part| part.units);
        let remaining = lot.remaining.checked_sub(took.unwrap_or_default()).unwrap_or_default();
        Some(Row::Lot(Lot { remaining, held, ..lot }))
    });
    Ok(rows.collect())
}

/// A debt beside those that are known, or together with what was owed to the same shop before: one, that began with the
/// first.
fn owe(debts: &[Debt], new: Debt) -> Debt {
    let known = debts.iter().find(|debt| debt.key() == new.key() && !debt.units.is_zero());
    let together = |known: &Debt| Debt {
        units: [known.units, new.units].into_iter().sum(),
        since: known.since.min(new.since),
        ..*known
    };
    known.map_or(new, together)
}

/// What an account owed goes with what it held.
fn inherit(view: &View, account: AccountId, into: Option<AccountId>) -> Result<Vec<Row>, Halt> {
    let debts = view.debts(account)?.iter().filter(|debt| !debt.units.is_zero());
    let mut rows = Vec::new();
    for debt in debts {
        rows.push(Row::Debt(Debt { units: Units::ZERO, ..*debt }));
        if let Some(account) = into {
            rows.push(Row::Debt(owe(view.debts(account)?, Debt { account, ..*debt })));
        }
    }
    Ok(rows)
}

/// The amendment of a group, its date having come.
fn decided(view: &View, group: GroupId) -> Result<Option<Row>, Halt> {
    let decided =
        |amendment: &Amendment| Row::Amendment(Box::new(Amendment { decided: true, ..amendment.clone() }));
    Ok(view.amendment(group)?.map(decided))
}

/// The lot that an accrual or a grant makes.
fn issued(event: &Event) -> Option<Row> {
    let (EventBody::Accrued {
        lot,
        group,
        merchant,
        account,
        units,
        worth,
        terms_version,
        last_day,
        ends_at,
        ..
    }
    | EventBody::Granted {
        lot,
        group,
        merchant,
        account,
        units,
        worth,
        terms_version,
        last_day,
        ends_at,
        ..
    }) = &event.body
    else {
        return None;
    };
    Some(Row::Lot(Lot {
        id: *lot,
        group: *group,
        account: *account,
        issuer: *merchant,
        // A grant stands in the place of a sale.
        sale: if let EventBody::Accrued { sale, .. } = event.body { sale } else { event.op },
        units: *units,
        remaining: *units,
        worth: *worth,
        terms_version: *terms_version,
        issued_at: event.at,
        last_day: *last_day,
        ends_at: *ends_at,
        held: Units::ZERO,
        expired: Units::ZERO,
        revives: None,
    }))
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
    let Some(pass) = view.pass(merchant, pass)? else { return Ok(Vec::new()) };
    let mut rows = let_go(view, (account, group), &pass.held, taken)?;
    rows.push(Row::Pass(Pass { state, ..pass.clone() }));
    Ok(rows)
}
