//! Holds: mileage reserved by a shop on its buyer's code, until the goods are handed over. (A9, A11, rules.md "Redemption")
//!
//! What a redemption needs is tested when the hold is made, not when it is captured. Its lots may end meanwhile, the shop
//! may leave the group, a period may be cut: the capture goes through all the same.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::{Captured, EventBody};
use crate::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use crate::lot::Allocation;
use crate::op::Carried;
use crate::pass::split;
use crate::quantity::Units;
use crate::redemption::{check_code, check_fresh};
use crate::refusal::Refusal;
use crate::terms::Unit;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// For how long a hold lasts, unless its shop says otherwise.
pub const HOLD_MINUTES: u32 = 10;
/// The longest that a hold lasts.
pub const MOST_HOURS: u32 = 24;

/// How a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// Its mileage is reserved.
    #[n(0)]
    Open,
    /// It was taken, or a part of it.
    #[n(1)]
    Captured,
    /// Its shop gave it back.
    #[n(2)]
    Voided,
    /// Its time was over.
    #[n(3)]
    Lapsed,
}

/// Mileage reserved for a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The op that made it.
    pub id: OpId,
    /// The shop.
    pub merchant: MerchantId,
    /// The buyer.
    pub account: AccountId,
    /// The group.
    pub group: GroupId,
    /// Which lots are held, how many units of each.
    pub held: Vec<Allocation>,
    /// When it was decided.
    pub made_at: Timestamp,
    /// The last instant at which it can be captured.
    pub until: Timestamp,
    /// How it stands.
    pub state: HoldState,
    /// The key that made it, if it is one of the staff's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub till: Option<KeyId>,
}

impl Hold {
    /// Units held.
    pub fn units(&self) -> Units {
        self.held.iter().map(|part| part.units).sum()
    }

    /// What a unit of it is; none for points.
    pub fn unit(&self) -> Option<Unit> {
        self.held.first().and_then(|part| part.worth.unit)
    }
}

/// Reserves `units` of whoever signed the code for the author's shop.
pub(crate) fn make(
    view: &View,
    author: &Author,
    carried: &Carried,
    units: Units,
    seconds: Option<u32>,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.merchant()?;
    let most = MOST_HOURS * 3_600;
    let seconds = seconds.unwrap_or(HOLD_MINUTES * 60);
    if seconds == 0 || seconds > most {
        return Err(Refusal::HoldTooLong { hours: MOST_HOURS }.into());
    }
    let asked = check_code(view, author, merchant, carried, units, now)?;
    let hold = author.op.id;
    if view.hold(merchant, hold)?.is_some() {
        return Err(Refusal::BadOpId.into());
    }
    let (account, group, held, till) = (asked.account, asked.group, asked.allocations, author.till());
    let until = now.plus(i64::from(seconds) * Timestamp::SECOND);
    let body = EventBody::HoldMade { hold, merchant, account, group, held, until, till };
    let mut decision = author.caused(body);
    decision.use_counter(asked.key, asked.counter);
    Ok(decision)
}

/// Takes what a hold reserved, or a part; the rest comes back.
pub(crate) fn capture(
    view: &View,
    author: &Author,
    id: OpId,
    units: Units,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.merchant()?;
    view.want(&[Key::Hold(merchant, id), Key::Redemption(merchant, author.op.id)])?;
    let hold = open(view, merchant, id)?;
    if now > hold.until {
        return Err(Refusal::HoldOver.into());
    }
    if units.is_zero() {
        return Err(Refusal::UnitsNotPositive.into());
    }
    if units > hold.units() {
        return Err(Refusal::MoreThanCode { asked: units, most: hold.units() }.into());
    }
    Unit::check_whole(hold.unit(), units)?;
    check_fresh(view, author, merchant)?;
    let (allocations, _) = split(&hold.held, units);
    Ok(author.caused(EventBody::Redeemed {
        group: hold.group,
        merchant,
        account: hold.account,
        units,
        allocations,
        till: author.till(),
        pass: None,
        hold: Some(Captured { hold: id, held: hold.held.clone() }),
    }))
}

/// Gives back what a hold of the author's shop reserved.
pub(crate) fn void(view: &View, author: &Author, id: OpId) -> Result<Decision, Halt> {
    let merchant = author.merchant()?;
    let hold = open(view, merchant, id)?;
    Ok(author.caused(released(hold, false)))
}

/// Gives back what a hold reserved whose time is over.
pub(crate) fn lapse(
    view: &View,
    author: &Author,
    (merchant, id): (MerchantId, OpId),
    now: Timestamp,
) -> Result<Decision, Halt> {
    author.system()?;
    let hold = open(view, merchant, id)?;
    if now <= hold.until {
        return Err(Refusal::NotDue.into());
    }
    Ok(author.caused(released(hold, true)))
}

fn open(view: &View, merchant: MerchantId, id: OpId) -> Result<&Hold, Halt> {
    let hold = view.hold(merchant, id)?.ok_or(Refusal::UnknownHold)?;
    if hold.state == HoldState::Open { Ok(hold) } else { Err(Refusal::HoldOver.into()) }
}

fn released(hold: &Hold, lapsed: bool) -> EventBody {
    EventBody::HoldReleased {
        hold: hold.id,
        merchant: hold.merchant,
        account: hold.account,
        group: hold.group,
        held: hold.held.clone(),
        lapsed,
        till: hold.till,
    }
}
