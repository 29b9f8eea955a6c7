//! What is done with a purchase without a question: the *standing choice*, which the server knows, and *always best*,
//! which is a setting of this phone alone. (A8, docs/rules.md S14..S16)

use std::sync::PoisonError;

use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::op::{Choice, OpBody};
use moa_rules::standing::{self, StandingChoice};

use crate::claim::{Claimed, GroupChoice, choices};
use crate::code::{ScannedVoucher, VoucherStanding};
use crate::error::PhoneError;
use crate::lookup::Lookup;
use crate::outbox::Kind;
use crate::phone::{Phone, account};
use crate::shop::{Shop, shop};
use crate::store::outbox::{self, Effect};
use crate::store::waiting::{self, Waiting};
use crate::store::{directory, meta, visits};

/// What this buyer wants done with sales that would wait for a choice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// *Always this group*: the first of these that earns at the shop is taken at once.
    pub groups: Vec<StandingGroup>,
    /// Whether the best is taken for the buyer once a sale has waited for 24 hours.
    pub best: bool,
    /// Whether the server has not confirmed this yet.
    pub pending: bool,
}

/// What is done without a question with purchases at one shop, whatever holds elsewhere: known to this phone alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtShop {
    /// Nothing: the person is asked.
    Ask,
    /// This group is taken, while it earns there.
    Always(GroupId),
}

/// The same, with the shop and the group's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingAt {
    /// The shop.
    pub shop: Shop,
    /// What is done there.
    pub standing: AtShop,
    /// The group's name; none for asking, or while the directory has not told.
    pub group_name: Option<String>,
}

/// A group of a standing choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingGroup {
    /// The group.
    pub id: GroupId,
    /// Its name; none while the directory has not told.
    pub name: Option<String>,
}

impl Phone {
    /// The standing choice of this account: the one set here last, or else as confirmed.
    ///
    /// # Errors
    /// Storage.
    pub fn standing(&self) -> Result<Standing, PhoneError> {
        let standing = self.store().read(|db| {
            let set = outbox::pending(db, Kind::Standing)?.into_iter().next_back();
            let set = set.and_then(|pending| match pending.body.body {
                OpBody::SetStanding { choice } => Some(choice),
                _ => None,
            });
            let pending = set.is_some();
            let StandingChoice { groups, best } = match set {
                Some(choice) => choice,
                None => meta::get(db, &meta::STANDING)?.unwrap_or_default(),
            };
            let mut named = Vec::new();
            for id in groups {
                let name = directory::group(db, id)?.map(|group| group.profile.name);
                named.push(StandingGroup { id, name });
            }
            Ok(Standing { groups: named, best, pending })
        })?;
        for unknown in standing.groups.iter().filter(|group| group.name.is_none()) {
            self.want_once(Lookup::Group(unknown.id));
        }
        Ok(standing)
    }

    /// Sets the standing choice of this account in place of the one before; no groups and not the best clears it.
    /// Counts for sales that reach the server after it. On disk before it returns.
    ///
    /// # Errors
    /// `too_many_groups`.
    pub fn set_standing(&self, groups: Vec<GroupId>, best: bool) -> Result<OpId, PhoneError> {
        let choice = StandingChoice { groups, best };
        standing::check(&choice)?;
        self.store().read(account)?;
        let op = self.submit(OpBody::SetStanding { choice }, |_| Effect::default(), |_, _| Ok(()))?;
        Ok(op.value().id)
    }

    /// Whether this phone takes the best without a question.
    ///
    /// # Errors
    /// Storage.
    pub fn always_best(&self) -> Result<bool, PhoneError> {
        self.store().read(|db| Ok(meta::get(db, &meta::ALWAYS_BEST)?.unwrap_or(false)))
    }

    /// From now on this phone takes the best without a question, or asks again: of a voucher that is scanned
    /// ([`Self::claim_at_once`]) and of a sale that waits, when the sync hears of it. Known to this phone alone. The
    /// key signs then without anyone having tapped.
    ///
    /// # Errors
    /// Storage.
    pub fn set_always_best(&self, on: bool) -> Result<(), PhoneError> {
        self.write(|db| meta::set(db, &meta::ALWAYS_BEST, &on))
    }

    /// What is done without a question at single shops.
    ///
    /// # Errors
    /// Storage.
    pub fn standing_at_shops(&self) -> Result<Vec<StandingAt>, PhoneError> {
        self.store().read(|db| {
            let mut standings = Vec::new();
            for (merchant, standing) in visits::standings(db)? {
                let known = match standing {
                    AtShop::Ask => None,
                    AtShop::Always(group) => directory::group(db, group)?,
                };
                standings.push(StandingAt {
                    shop: shop(db, merchant)?,
                    standing,
                    group_name: known.map(|group| group.profile.name),
                });
            }
            Ok(standings)
        })
    }

    /// From now on purchases at one shop are asked about, or go to one group, whatever holds elsewhere; `None` lets what
    /// holds for every shop hold there too. Known to this phone alone.
    ///
    /// # Errors
    /// Storage.
    pub fn set_standing_at(&self, shop: MerchantId, standing: Option<AtShop>) -> Result<(), PhoneError> {
        self.write(|db| visits::set_standing(db, shop, standing))
    }

    /// Claims a scanned voucher with the best choice, if this phone does so without a question. None if there is
    /// something to ask or to show: the setting is off, the voucher cannot be claimed, or it earns nothing.
    ///
    /// # Errors
    /// As [`Self::claim`].
    pub fn claim_at_once(&self, voucher: &ScannedVoucher) -> Result<Option<Claimed>, PhoneError> {
        if voucher.standing != VoucherStanding::Open {
            return Ok(None);
        }
        let shop = voucher.shop.as_ref().map(|shop| shop.id);
        let standing =
            shop.map(|shop| self.store().read(|db| visits::standing(db, shop))).transpose()?.flatten();
        if standing.is_none() && !self.always_best()? {
            return Ok(None);
        }
        let choices = self.choices(voucher)?;
        match taken(standing, &choices) {
            Some(choice) => self.claim(voucher, Some(choice)).map(Some),
            // A shop never met: the server takes the best.
            None if choices.is_empty() && standing.is_none() => self.claim(voucher, None).map(Some),
            None => Ok(None),
        }
    }

    /// Chooses for the sales that wait, if this phone does so without a question. To be called before each
    /// [poll](crate::sync::Machine::poll); the client does.
    ///
    /// # Errors
    /// Storage. A sale that cannot be chosen for is left to the person.
    pub fn choose_at_once(&self) -> Result<(), PhoneError> {
        for (sale, choice) in self.to_choose_at_once()? {
            if let Err(error) = self.choose(sale, Some(choice), true) {
                tracing::warn!(%sale, %error, "left to the person");
                self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(sale);
            }
        }
        Ok(())
    }

    /// Sales that wait and are to be chosen for without a question, each with its best choice. One that was chosen
    /// for so once is left to the person.
    pub(crate) fn to_choose_at_once(&self) -> Result<Vec<(OpId, Choice)>, PhoneError> {
        let now = self.now();
        let (found, unknown) = self.store().read(|db| {
            let (mut found, mut unknown) = (Vec::new(), Vec::new());
            let always_best = meta::get(db, &meta::ALWAYS_BEST)?.unwrap_or(false);
            let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            for Waiting { sale, claim, at_once } in waiting::all(db)? {
                if claim.is_some() || at_once || sale.until < now || left.contains(&sale.sale) {
                    continue;
                }
                let standing = visits::standing(db, sale.merchant)?;
                if standing.is_none() && !always_best {
                    continue;
                }
                let choices = choices(db, sale.merchant, sale.amount, now)?;
                found.extend(taken(standing, &choices).map(|choice| (sale.sale, choice)));
                unknown.extend(choices.is_empty().then_some(sale.merchant));
            }
            Ok((found, unknown))
        })?;
        for merchant in unknown {
            self.want_once(Lookup::Merchant(merchant));
        }
        Ok(found)
    }
}

/// What is taken without a question: what was set for the shop, or else the first of the choices, which stand best first,
/// that earns something.
fn taken(standing: Option<AtShop>, choices: &[GroupChoice]) -> Option<Choice> {
    let mut earning = choices.iter().filter(|choice| !choice.earns.is_zero()).map(|choice| choice.choice);
    match standing {
        Some(AtShop::Always(group)) => earning.find(|choice| choice.group == group),
        Some(AtShop::Ask) => None,
        None => earning.next(),
    }
}
