//! Paying where one side has no signal, or neither: approvals and passes. (A9; docs/rules.md P)
//!
//! A buyer who is online asks the server to take mileage for a shop and shows its signed answer, the *approval*. Where
//! both will be offline the buyer reserves mileage beforehand, for one till: the *pass*. That till alone keeps which
//! passes were spent, so that none is spent twice.

use minicbor::{Decode, Encode};

use crate::decide::{Author, Decision};
use crate::device::{Device, KeyKind};
use crate::event::EventBody;
use crate::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use crate::lot::Allocation;
use crate::op::Carried;
use crate::quantity::{Money, Units};
use crate::redemption::{afford, check_fresh};
use crate::refusal::Refusal;
use crate::terms::Unit;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// The longest that an approval is good: the buyer stands at the till.
pub const APPROVAL_MINUTES: u32 = 10;
/// The longest that a pass is good.
pub const PASS_HOURS: u32 = 72;
/// How long after a pass has run out its mileage comes back: time for the till to say what it took.
pub const RELEASE_HOURS: u32 = 24;
/// The most that a pass reserves, in minor units.
pub const PASS_MOST: Money = Money(100_000);
/// The most passes of one buyer in one group at a time.
pub const MOST_PASSES: usize = 5;

/// How a pass stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum PassState {
    /// Its mileage is reserved.
    #[n(0)]
    Open,
    /// The till took some of it, or all; the rest came back.
    #[n(1)]
    Spent,
    /// The till did not take it; all of it came back.
    #[n(2)]
    Released,
}

/// Mileage reserved for one till.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pass {
    /// The op that reserved it.
    #[n(0)]
    pub id: OpId,
    /// The shop.
    #[n(1)]
    pub merchant: MerchantId,
    /// The till's key.
    #[n(2)]
    pub till: KeyId,
    /// The buyer.
    #[n(3)]
    pub account: AccountId,
    /// The key that shows it.
    #[n(4)]
    pub key: KeyId,
    /// The group.
    #[n(5)]
    pub group: GroupId,
    /// Which lots are held, how many units of each.
    #[n(6)]
    pub held: Vec<Allocation>,
    /// The second after which the till takes it no more.
    #[n(7)]
    pub expires: u64,
    /// How it stands.
    #[n(8)]
    pub state: PassState,
    /// When it was reserved.
    #[n(9)]
    pub made_at: Timestamp,
}

impl Pass {
    /// When what is left of it comes back.
    pub fn released_from(&self) -> Timestamp {
        Timestamp::from_seconds(self.expires).plus(i64::from(RELEASE_HOURS) * Timestamp::HOUR)
    }

    /// Units held.
    pub fn units(&self) -> Units {
        self.held.iter().map(|part| part.units).sum()
    }
}

/// A pass as the buyer's phone shows it: the server's word, and the buyer's that it is shown now.
///
/// In CBOR `[version, pass, shown]`, signed by the buyer's key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PassCode {
    /// [`OP_VERSION`](crate::op::OP_VERSION).
    #[n(0)]
    pub version: u8,
    /// The signed bytes of the [`PassToken`].
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub pass: Vec<u8>,
    /// The second at which it was shown, by the buyer's phone. A till takes it for three minutes.
    #[n(2)]
    pub shown: u64,
}

/// The server's word that mileage is reserved for a till. Signed by the server's key.
///
/// In CBOR `[version, pass, merchant, till, group, units, expires, public key, unit]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PassToken {
    /// [`OP_VERSION`](crate::op::OP_VERSION).
    #[n(0)]
    pub version: u8,
    /// The op that reserved it.
    #[n(1)]
    pub pass: OpId,
    /// The shop.
    #[n(2)]
    pub merchant: MerchantId,
    /// The till's key.
    #[n(3)]
    pub till: KeyId,
    /// The group.
    #[n(4)]
    pub group: GroupId,
    /// Units reserved.
    #[n(5)]
    pub units: Units,
    /// The second after which the till takes it no more.
    #[n(6)]
    pub expires: u64,
    /// The uncompressed P-256 point of the buyer's key, which signs the [`PassCode`].
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub public_key: Vec<u8>,
    /// What a unit is; none for points.
    #[n(8)]
    pub unit: Option<Unit>,
}

/// Takes mileage at a shop that the buyer names: the shop has no signal, the buyer has. The answer carries an approval.
pub(crate) fn pay(
    view: &View,
    author: &Author,
    (merchant, group): (MerchantId, GroupId),
    (units, unit): (Units, Option<Unit>),
    expires: u64,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let account = author.device.check_pays(now)?;
    let end = Timestamp::from_seconds(expires);
    if end < now || end > now.plus(i64::from(APPROVAL_MINUTES) * Timestamp::MINUTE) {
        return Err(Refusal::ApprovalTooLong { minutes: APPROVAL_MINUTES }.into());
    }
    let allocations = afford(view, (account, group), merchant, (units, unit), now)?;
    check_fresh(view, author, merchant)?;
    Ok(author.caused(EventBody::Redeemed {
        group,
        merchant,
        account,
        units,
        allocations,
        till: None,
        pass: None,
        hold: None,
    }))
}

/// What a pass is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) group: GroupId,
    pub(crate) merchant: MerchantId,
    pub(crate) till: KeyId,
    pub(crate) units: Units,
    pub(crate) unit: Option<Unit>,
    pub(crate) expires: u64,
}

/// Reserves mileage for one till.
pub(crate) fn reserve(
    view: &View,
    author: &Author,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let Wanted { group, merchant, till, units, unit, expires } = *wanted;
    let account = author.device.check_pays(now)?;
    let end = Timestamp::from_seconds(expires);
    if end < now || end > now.plus(i64::from(PASS_HOURS) * Timestamp::HOUR) {
        return Err(Refusal::PassTooLong { hours: PASS_HOURS }.into());
    }
    view.want(&[Key::Device(till), Key::OpenPasses(account, group)])?;
    let acts =
        |device: &&Device| device.sells_for(merchant) && device.signs(now) && device.kind == KeyKind::Phone;
    let staff = view.device(till)?.filter(acts).ok_or(Refusal::WrongTill)?.staff;
    if view.open_passes(account, group)?.len() >= MOST_PASSES {
        return Err(Refusal::TooManyPasses { max: MOST_PASSES as u64 }.into());
    }
    let held = afford(view, (account, group), merchant, (units, unit), now)?;
    let value = |part: &Allocation| part.units.value(part.worth.unit_value).map_or(i64::MAX, |value| value.0);
    if held.iter().map(value).fold(0_i64, i64::saturating_add) > PASS_MOST.0 {
        return Err(Refusal::PassTooLarge { max: PASS_MOST }.into());
    }
    let pass = author.op.id;
    if view.pass(merchant, pass)?.is_some() {
        return Err(Refusal::BadOpId.into());
    }
    let (key, staff) = (author.device.key, staff.then_some(till));
    Ok(author.caused(EventBody::PassReserved {
        pass,
        merchant,
        till,
        account,
        key,
        group,
        held,
        expires,
        staff,
    }))
}

/// The till took `units` of a pass while it had no signal.
pub(crate) fn redeem(
    view: &View,
    author: &Author,
    carried: &Carried,
    units: Units,
) -> Result<Decision, Halt> {
    let merchant = author.seller()?;
    let Carried::Pass { pass: id, key } = *carried else { return Err(Refusal::NotAPass.into()) };
    let pass = view.pass(merchant, id)?.ok_or(Refusal::UnknownPass)?;
    if (pass.till, pass.key) != (author.device.key, key) {
        return Err(Refusal::WrongTill.into());
    }
    match pass.state {
        PassState::Open => {}
        PassState::Spent => return Err(Refusal::PassSpent.into()),
        PassState::Released => return Err(Refusal::PassReleased { hours: RELEASE_HOURS }.into()),
    }
    if units.is_zero() {
        return Err(Refusal::UnitsNotPositive.into());
    }
    if units > pass.units() {
        return Err(Refusal::MoreThanCode { asked: units, most: pass.units() }.into());
    }
    Unit::check_whole(pass.held.first().and_then(|part| part.worth.unit), units)?;
    check_fresh(view, author, merchant)?;
    let (group, account) = (pass.group, pass.account);
    let (allocations, _) = split(&pass.held, units);
    Ok(author.caused(EventBody::Redeemed {
        group,
        merchant,
        account,
        units,
        allocations,
        till: author.till(),
        pass: Some(id),
        hold: None,
    }))
}

/// The mileage of a pass comes back: its time is over, and the till has not said that it took any.
pub(crate) fn release(
    view: &View,
    author: &Author,
    (merchant, id): (MerchantId, OpId),
    now: Timestamp,
) -> Result<Decision, Halt> {
    author.system()?;
    let pass = view.pass(merchant, id)?.ok_or(Refusal::UnknownPass)?;
    if pass.state != PassState::Open || now <= pass.released_from() {
        return Err(Refusal::NotDue.into());
    }
    let (account, group) = (pass.account, pass.group);
    let till = view.device(pass.till)?.is_some_and(|device| device.staff).then_some(pass.till);
    Ok(author.caused(EventBody::PassReleased { pass: id, merchant, account, group, till }))
}

/// The first `units` of held parts, and what is left of them.
pub(crate) fn split(held: &[Allocation], units: Units) -> (Vec<Allocation>, Vec<Allocation>) {
    let (mut taken, mut rest, mut left) = (Vec::new(), Vec::new(), units);
    for part in held {
        let units = left.min(part.units);
        left = left.checked_sub(units).unwrap_or_default();
        if !units.is_zero() {
            taken.push(Allocation { units, ..*part });
        }
        if let Some(more) = part.units.checked_sub(units).filter(|more| !more.is_zero()) {
            rest.push(Allocation { units: more, ..*part });
        }
    }
    (taken, rest)
}
