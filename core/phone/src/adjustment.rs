//! Mileage that a shop gives or takes away without a sale. (docs/rules.md J)

use moa_rules::adjustment::{Grantee, Reason, check_gift};
use moa_rules::id::{AccountId, GroupId, OpId};
use moa_rules::member::Buyer;
use moa_rules::op::OpBody;
use moa_rules::quantity::Units;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Terms, Unit};
use moa_rules::time::Day;
use moa_wire::code::{self, Scanned};

use crate::error::PhoneError;
use crate::number::Typed;
use crate::phone::{Phone, own_shop};
use crate::store::outbox::Effect;
use crate::store::{directory, numbers};

/// To whom a shop gives mileage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A buyer whom the shop knows from its books.
    Account(AccountId),
    /// Whoever shows this member code, or reads out these twelve digits.
    Code(String),
    /// Whoever has this phone number, as typed; whether or not they have signed up.
    Number(String),
}

impl Phone {
    /// Gives a buyer mileage of what the group gives now, up to a last day or as long as what is earned now. On disk before
    /// it returns.
    ///
    /// # Errors
    /// `no_merchant`, `shop_not_in_group`, `units_not_positive`, `grant_too_large`, `bad_last_day`, `bad_number`,
    /// `member_code_unknown`, `member_code_expired`.
    pub fn grant(
        &self,
        group: GroupId,
        to: &Recipient,
        units: Units,
        reason: Reason,
        last_day: Option<Day>,
    ) -> Result<OpId, PhoneError> {
        let terms = self.giving(group)?;
        if let Some(terms) = &terms {
            check_gift(terms, units, last_day, self.now())?;
        }
        let unit = terms.and_then(|terms| terms.unit());
        let effect = Effect { group: Some(group), units: Some(units), unit };
        let (grantee, typed) = match to {
            Recipient::Account(account) => (Grantee::Account(*account), None),
            Recipient::Code(text) => match code::read(text, self.link_base())? {
                Scanned::Member(code) => {
                    code.check_time(self.now().seconds())?;
                    (Grantee::Buyer(Buyer::Member(code)), None)
                }
                Scanned::OneTime(digits) => (Grantee::Buyer(Buyer::OneTime(digits)), None),
                _ => return Err(Refusal::MemberCodeUnknown.into()),
            },
            Recipient::Number(number) => {
                let typed = Typed::new(self, number)?;
                (Grantee::Buyer(typed.buyer()), Some((typed, self.sealing()?)))
            }
        };
        let op = self.submit(
            OpBody::Grant { group, to: grantee, units, reason, last_day },
            |_| effect,
            |db, op| match &typed {
                Some((typed, sealing)) => numbers::put(db, sealing, &typed.beside(op.value().id)),
                None => Ok(()),
            },
        )?;
        Ok(op.value().id)
    }

    /// Takes away mileage that this shop gave a buyer. On disk before it returns.
    ///
    /// # Errors
    /// `no_merchant`, `units_not_positive`.
    pub fn take_away(
        &self,
        group: GroupId,
        account: AccountId,
        (units, unit): (Units, Option<Unit>),
        reason: Reason,
    ) -> Result<OpId, PhoneError> {
        self.store().read(own_shop)?.ok_or(Refusal::NoMerchant)?;
        if units.is_zero() {
            return Err(Refusal::UnitsNotPositive.into());
        }
        let effect = Effect { group: Some(group), units: Some(units), unit };
        let body = OpBody::TakeAway { group, account, units, reason, unit };
        Ok(self.submit(body, |_| effect, |_, _| Ok(()))?.value().id)
    }

    /// The terms under which this phone's shop gives mileage in a group; none while the directory has not told.
    pub(crate) fn giving(&self, group: GroupId) -> Result<Option<Terms>, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            let merchant = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            let Some(known) = directory::group(db, group)? else { return Ok(None) };
            if !directory::groups_of(db, merchant)?.contains(&group) {
                return Err(Refusal::ShopNotInGroup.into());
            }
            if known.frozen.contains(&merchant) {
                return Err(Refusal::MemberFrozen.into());
            }
            if !known.issues(now) {
                return Err(Refusal::GroupClosing.into());
            }
            Ok(directory::terms(db, group)?.map(|version| version.terms))
        })
    }
}
