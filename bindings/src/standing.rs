//! What is done with a purchase without a question: the account's standing choice, and *always best* of this phone.

use moa_phone::{AtShop, StandingAt};

use crate::app::App;
use crate::convert;
use crate::error::ApiError;
use crate::records::{Claimed, Shop};

/// What the buyer wants done with sales that would wait for a choice.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StandingChoice {
    /// *Always this group*: the first of these that earns at the shop is taken at once.
    pub groups: Vec<StandingGroup>,
    /// Whether the best is taken for the buyer once a sale has waited for 24 hours.
    pub best_after_a_day: bool,
    /// Whether the server has not confirmed this yet.
    pub pending: bool,
}

/// A group of a standing choice.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StandingGroup {
    /// Its id.
    pub id: String,
    /// Its name; none while the directory has not told.
    pub name: Option<String>,
}

/// What is done without a question with purchases at one shop.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ShopStanding {
    /// The shop.
    pub shop: Shop,
    /// The group that is taken there, while it earns; none for always asking.
    pub always: Option<StandingGroup>,
}

#[uniffi::export]
impl App {
    /// What is done without a question at single shops, whatever holds elsewhere. Known to this phone alone.
    pub fn standing_at_shops(&self) -> Result<Vec<ShopStanding>, ApiError> {
        let standings = self.ask(self.phone()?.standing_at_shops())?;
        let shown = |StandingAt { shop, standing, group_name }: StandingAt| ShopStanding {
            shop: convert::shop(shop),
            always: match standing {
                AtShop::Ask => None,
                AtShop::Always(id) => Some(StandingGroup { id: id.to_string(), name: group_name }),
            },
        };
        Ok(standings.into_iter().map(shown).collect())
    }

    /// From now on purchases at a shop go to this group without a question.
    pub fn always_at_shop(&self, shop: String, group: String) -> Result<(), ApiError> {
        let (shop, group) = (self.merchant_id(&shop)?, self.group_id(&group)?);
        self.ask(self.phone()?.set_standing_at(shop, Some(AtShop::Always(group))))
    }

    /// From now on purchases at a shop are asked about, whatever holds elsewhere.
    pub fn ask_at_shop(&self, shop: String) -> Result<(), ApiError> {
        let shop = self.merchant_id(&shop)?;
        self.ask(self.phone()?.set_standing_at(shop, Some(AtShop::Ask)))
    }

    /// What holds for every shop holds at this one too.
    pub fn as_everywhere_at_shop(&self, shop: String) -> Result<(), ApiError> {
        let shop = self.merchant_id(&shop)?;
        self.ask(self.phone()?.set_standing_at(shop, None))
    }

    /// The account's standing choice: the one set here last, or else as confirmed.
    pub fn standing_choice(&self) -> Result<StandingChoice, ApiError> {
        let standing = self.ask(self.phone()?.standing())?;
        let groups = standing.groups.into_iter();
        Ok(StandingChoice {
            groups: groups
                .map(|group| StandingGroup { id: group.id.to_string(), name: group.name })
                .collect(),
            best_after_a_day: standing.best,
            pending: standing.pending,
        })
    }

    /// Sets the account's standing choice in place of the one before: at most 20 groups, the first that earns at a shop
    /// is taken at once; and whether the best may be taken after a day. No groups and `false` clears it.
    pub fn set_standing_choice(&self, groups: Vec<String>, best_after_a_day: bool) -> Result<(), ApiError> {
        let groups = groups.iter().map(|group| self.group_id(group)).collect::<Result<_, _>>()?;
        self.ask(self.phone()?.set_standing(groups, best_after_a_day)).map(drop)
    }

    /// Whether this phone takes the best without a question.
    pub fn always_best(&self) -> Result<bool, ApiError> {
        self.ask(self.phone()?.always_best())
    }

    /// From now on this phone takes the best without a question, or asks again. Sales that wait are chosen for when they
    /// are heard of; a voucher by `claim_at_once`.
    pub fn set_always_best(&self, on: bool) -> Result<(), ApiError> {
        self.ask(self.phone()?.set_always_best(on))
    }

    /// Claims a scanned voucher with the best choice, if this phone does so without a question. None if there is
    /// something to ask or to show.
    pub fn claim_at_once(&self, voucher: String) -> Result<Option<Claimed>, ApiError> {
        let voucher = self.voucher(&voucher)?;
        Ok(self.ask(self.phone()?.claim_at_once(&voucher))?.map(|claimed| self.dress().claimed(claimed)))
    }
}
