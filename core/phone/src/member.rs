//! Buyers whom a shop can name: the code that a buyer shows, the sale to its owner, and the sales that wait for this
//! buyer's choice. (A7, docs/rules.md S9..S12)

use moa_rules::id::OpId;
use moa_rules::member::Buyer;
use moa_rules::op::{Choice, OpBody};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::sale::{CLAIM_DAYS, check_amount};
use moa_rules::time::Timestamp;
use moa_wire::api::WaitingSale;
use moa_wire::code::{self, Scanned};
use moa_wire::member;
use rusqlite::Connection;

use crate::claim::{Claimed, GroupChoice, choices, effect};
use crate::error::{PhoneError, corrupt};
use crate::lookup::Lookup;
use crate::phone::{Phone, account};
use crate::sale::{Purchase, sold};
use crate::shop::{Shop, shop};
use crate::store::outbox::{self, Effect};
use crate::store::waiting::{self, Waiting};
use crate::store::{sales, secrets};

/// A buyer's member code, to be shown to a shop. Names the buyer and gives nothing away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownMember {
    /// To be drawn as a QR: `MOA1:…`.
    pub text: String,
    /// When the next one is to be shown, by the server's clock.
    pub valid_until: Timestamp,
}

/// A sale that waits for this buyer's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingChoice {
    /// The sale.
    pub sale: OpId,
    /// The shop.
    pub shop: Shop,
    /// What was paid in money.
    pub amount: Money,
    /// When, by the shop's clock.
    pub sold_at: Timestamp,
    /// The last instant at which it can be claimed.
    pub until: Timestamp,
    /// The groups to choose from, best first; empty while the directory has not told.
    pub choices: Vec<GroupChoice>,
    /// The op that chooses, while the server has not answered.
    pub claim: Option<OpId>,
}

impl Phone {
    /// The member code to be shown now; another one every 30 seconds. Needs no network.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`]; [`PhoneError::NotHere`] until the first sync after signing in.
    pub fn member_code(&self) -> Result<ShownMember, PhoneError> {
        self.account()?;
        let sealing = self.sealing()?;
        let secret = self
            .store()
            .read(|db| secrets::get(db, &sealing, &secrets::MEMBER)?.ok_or(PhoneError::NotHere))?;
        let (code, valid_until) = secret.code(self.now()).ok_or(corrupt("member"))?;
        Ok(ShownMember { text: member::text(&code), valid_until })
    }

    /// Records a sale to the buyer who shows this member code, or reads out these twelve digits. On disk before it returns; there is no voucher, the
    /// mileage goes to the buyer, or the sale waits for the buyer's choice.
    ///
    /// # Errors
    /// `no_merchant`, `amount_not_positive`, `amount_too_large`, `member_code_unknown` for any other code,
    /// `member_code_expired`; [`PhoneError::NotOurs`], if a digit is wrong say; [`PhoneError::StorageFull`].
    pub fn record_sale_for(&self, purchase: impl Into<Purchase>, buyer: &str) -> Result<OpId, PhoneError> {
        let Purchase { amount, redemption } = purchase.into();
        check_amount(amount)?;
        let merchant = self.selling(amount)?;
        let buyer = match code::read(buyer, self.link_base())? {
            Scanned::Member(code) => {
                code.check_time(self.now().seconds())?;
                Buyer::Member(code)
            }
            Scanned::OneTime(digits) => Buyer::OneTime(digits),
            _ => return Err(Refusal::MemberCodeUnknown.into()),
        };
        let op = self.submit(
            OpBody::SellTo { amount, buyer, redemption },
            |_| Effect::default(),
            |db, op| sales::put(db, &sold(op.value(), merchant)),
        )?;
        Ok(op.value().id)
    }

    /// Sales that wait for this buyer's choice, oldest first. One whose time is over is not among them.
    ///
    /// # Errors
    /// Storage.
    pub fn waiting_sales(&self) -> Result<Vec<WaitingChoice>, PhoneError> {
        let now = self.now();
        let waiting = self.store().read(|db| {
            let mut found = Vec::new();
            for Waiting { sale, claim, .. } in waiting::all(db)? {
                let WaitingSale { sale, merchant, amount, time, until } = sale;
                if until < now {
                    continue;
                }
                let (shop, choices) = (shop(db, merchant)?, choices(db, merchant, amount, now)?);
                let sold_at = Timestamp::from_seconds(time);
                found.push(WaitingChoice { sale, shop, amount, sold_at, until, choices, claim });
            }
            Ok(found)
        })?;
        for unknown in waiting.iter().filter(|waiting| waiting.choices.is_empty()) {
            self.want_once(Lookup::Merchant(unknown.shop.id));
        }
        Ok(waiting)
    }

    /// Chooses the group of a sale that waits; without a choice, the server takes the best. On disk before it
    /// returns.
    ///
    /// # Errors
    /// `not_your_sale` if it does not wait, `sale_already_claimed` if this phone has chosen, `sale_lapsed`,
    /// `seller_not_in_group`, `earns_nothing`.
    pub fn claim_waiting(&self, sale: OpId, choice: Option<Choice>) -> Result<Claimed, PhoneError> {
        self.choose(sale, choice, false)
    }

    /// The same; without a question if `at_once`.
    pub(crate) fn choose(
        &self,
        sale: OpId,
        choice: Option<Choice>,
        at_once: bool,
    ) -> Result<Claimed, PhoneError> {
        let now = self.now();
        let (merchant, effect) = self.store().read(|db| {
            account(db)?;
            let WaitingSale { merchant, amount, until, .. } = unclaimed(db, sale)?;
            if until < now {
                return Err(Refusal::SaleLapsed { days: CLAIM_DAYS }.into());
            }
            Ok((merchant, effect(db, Some(merchant), amount, choice, now)?))
        })?;
        let op = self.submit(
            OpBody::ClaimWaiting { merchant, sale, choice },
            |_| effect,
            |db, op| {
                // Asked again: the lock was not held while the key signed.
                unclaimed(db, sale)?;
                if at_once {
                    outbox::quiet(db, op.value().id)?;
                }
                waiting::claim(db, sale, op.value().id, at_once)
            },
        )?;
        Ok(Claimed { op: op.value().id, group: effect.group, earns: effect.units, unit: effect.unit })
    }
}

fn unclaimed(db: &Connection, sale: OpId) -> Result<WaitingSale, PhoneError> {
    match waiting::all(db)?.into_iter().find(|waiting| waiting.sale.sale == sale) {
        Some(Waiting { sale, claim: None, .. }) => Ok(sale),
        Some(_) => Err(Refusal::SaleAlreadyClaimed.into()),
        None => Err(Refusal::NotYourSale.into()),
    }
}
