//! Holds: mileage reserved on a buyer's code until the goods are handed over. (A9, A11; docs/rules.md R5, R6)

use moa_rules::hold::{Hold, MOST_HOURS};
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::op::OpBody;
use moa_rules::quantity::Units;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::outbox::Kind;
use crate::phone::{Phone, account, own_shop};
use crate::redemption::{Asked, asked, check_units, check_unused, effect};
use crate::shop::{Shop, shop};
use crate::store::outbox::{self, Effect};
use crate::store::{directory, holds, redemptions};

/// Mileage reserved for a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldItem {
    /// The op that made it.
    pub hold: OpId,
    /// The shop.
    pub shop: Shop,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// Its name; none while the directory has not told.
    pub group_name: Option<String>,
    /// Units held.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// When the server decided it.
    pub made_at: Timestamp,
    /// The last instant at which it can be captured.
    pub until: Timestamp,
    /// Whether that is over; what it held is about to come back.
    pub over: bool,
    /// The op of this phone that captures or voids it, while the server has not answered.
    pub ending: Option<OpId>,
}

impl Phone {
    /// Reserves `units` on a buyer's code: for so many seconds from the server's decision, or for ten minutes. To be waited
    /// for like a redemption.
    ///
    /// # Errors
    /// As [`Self::redeem`]; `hold_too_long`.
    pub fn hold(&self, text: &str, units: Units, seconds: Option<u32>) -> Result<Asked, PhoneError> {
        if seconds.is_some_and(|seconds| seconds == 0 || seconds > MOST_HOURS * 3_600) {
            return Err(Refusal::HoldTooLong { hours: MOST_HOURS }.into());
        }
        let (code, bytes) = self.code_for(text, units)?;
        let op = self.submit(
            OpBody::Hold { code: bytes, units, seconds },
            |_| effect(&code, units),
            |db, op| {
                // Asked again: the lock was not held while the key signed.
                check_unused(redemptions::asked_with(db, &code)?)?;
                redemptions::ask_with(db, op.value().id, &code)
            },
        )?;
        Ok(asked(op.value().id, &code, units))
    }

    /// Takes what a hold of this shop reserved, or a part of it; the rest comes back to the buyer.
    ///
    /// # Errors
    /// `no_merchant`, `units_not_positive`, `more_than_code` beyond what is held, `whole_cards`, `hold_over`.
    pub fn capture_hold(&self, hold: OpId, units: Units) -> Result<OpId, PhoneError> {
        let now = self.now();
        let known = self.store().read(|db| {
            own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            check_not_ending(db, hold, None)?;
            holds::get(db, hold)
        })?;
        // One that another till of the shop's has just made may not be known here yet: the server decides.
        let (group, unit) = match &known {
            Some(known) => (Some(known.group), known.unit()),
            None => (None, None),
        };
        check_units(units, unit)?;
        if let Some(known) = &known {
            if now > known.until {
                return Err(Refusal::HoldOver.into());
            }
            if units > known.units() {
                return Err(Refusal::MoreThanCode { asked: units, most: known.units() }.into());
            }
        }
        let effect = Effect { group, units: known.map(|_| units), unit };
        self.end_hold(hold, OpBody::CaptureHold { hold, units }, effect)
    }

    /// Gives back what a hold of this shop reserved.
    ///
    /// # Errors
    /// `no_merchant`, `hold_over` while this phone captures it.
    pub fn void_hold(&self, hold: OpId) -> Result<OpId, PhoneError> {
        self.store().read(|db| {
            own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            check_not_ending(db, hold, None)
        })?;
        self.end_hold(hold, OpBody::VoidHold { hold }, Effect::default())
    }

    fn end_hold(&self, hold: OpId, body: OpBody, effect: Effect) -> Result<OpId, PhoneError> {
        // Asked again: the lock was not held while the key signed.
        let op = self.submit(body, |_| effect, |db, op| check_not_ending(db, hold, Some(op.value().id)))?;
        Ok(op.value().id)
    }

    /// The open holds of this phone's shop, oldest first.
    ///
    /// # Errors
    /// Storage.
    pub fn holds(&self) -> Result<Vec<HoldItem>, PhoneError> {
        let own = self.store().read(own_shop)?;
        self.list_holds(|hold| Some(hold.merchant) == own)
    }

    /// The open holds of this buyer's mileage, at whatever shop, oldest first.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn held(&self) -> Result<Vec<HoldItem>, PhoneError> {
        let me = self.account()?;
        self.list_holds(|hold| hold.account == me)
    }

    fn list_holds(&self, of: impl Fn(&Hold) -> bool) -> Result<Vec<HoldItem>, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            account(db)?;
            let ending = ending(db)?;
            let open = holds::all(db)?.into_iter().filter(of);
            open.map(|hold| {
                let ending = ending.iter().find(|(of, _)| *of == hold.id).map(|(_, op)| *op);
                item(db, &hold, (now, ending))
            })
            .collect()
        })
    }
}

fn item(
    db: &Connection,
    hold: &Hold,
    (now, ending): (Timestamp, Option<OpId>),
) -> Result<HoldItem, PhoneError> {
    let merchant: MerchantId = hold.merchant;
    Ok(HoldItem {
        hold: hold.id,
        shop: shop(db, merchant)?,
        group: hold.group,
        group_name: directory::group(db, hold.group)?.map(|group| group.profile.name),
        units: hold.units(),
        unit: hold.unit(),
        made_at: hold.made_at,
        until: hold.until,
        over: now > hold.until,
        ending,
    })
}

/// The holds that this phone captures or voids, and by which op, until the event has come.
fn ending(db: &Connection) -> Result<Vec<(OpId, OpId)>, PhoneError> {
    let mut pending = outbox::pending(db, Kind::CaptureHold)?;
    pending.extend(outbox::pending(db, Kind::VoidHold)?);
    let ended = pending.into_iter().filter_map(|pending| match pending.body.body {
        OpBody::CaptureHold { hold, .. } | OpBody::VoidHold { hold } => Some((hold, pending.op)),
        _ => None,
    });
    Ok(ended.collect())
}

/// Refuses to end a hold that another op of this phone's ends already.
fn check_not_ending(db: &Connection, hold: OpId, by: Option<OpId>) -> Result<(), PhoneError> {
    let other = |(of, op): &(OpId, OpId)| *of == hold && Some(*op) != by;
    if ending(db)?.iter().any(other) { Err(Refusal::HoldOver.into()) } else { Ok(()) }
}
