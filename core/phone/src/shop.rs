//! Shops and groups: opening, founding, joining, presenting oneself, and what the directory knows. (A1, A2, A5)

use moa_rules::admission::JoinRequest;
use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::invitation::Ticket;
use moa_rules::merchant::{MerchantProfile, Place};
use moa_rules::op::OpBody;
use moa_rules::quantity::Currency;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Profile, Terms};
use moa_rules::time::Timestamp;
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::group::{GroupState, state};
use crate::outbox::Kind;
use crate::phone::{Phone, account, own_shop};
use crate::store::outbox::{self, Effect};
use crate::store::{directory, join_requests, meta};

/// A shop, as far as this phone knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// The shop.
    pub id: MerchantId,
    /// Its name; none while the directory has not told.
    pub name: Option<String>,
    /// Where it is, if it said.
    pub place: Option<Place>,
    /// The money it takes; none while the directory has not told.
    pub currency: Option<Currency>,
}

/// The shop that this phone acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnShop {
    /// The shop.
    pub id: MerchantId,
    /// How it presents itself; none while the directory has not told.
    pub profile: Option<MerchantProfile>,
    /// Whether the server has confirmed it.
    pub confirmed: bool,
    /// How it is to present itself, while the server has not decided that.
    pub amending: Option<MerchantProfile>,
}

/// A group, as far as this phone knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// The group.
    pub id: GroupId,
    /// How it presents itself.
    pub profile: Profile,
    /// The version of its terms in force.
    pub terms_version: u32,
    /// Its terms in force.
    pub terms: Terms,
    /// Its members.
    pub members: Vec<Shop>,
    /// What it is about to become.
    pub state: GroupState,
}

/// A group of the shop that this phone acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnGroup {
    /// The group.
    pub id: GroupId,
    /// What is known of it.
    pub info: Option<GroupInfo>,
    /// Whether the server has confirmed the membership.
    pub confirmed: bool,
    /// Since when this phone's shop waits for the members to let it in; none if it is one, or is not confirmed to have asked.
    pub asked_at: Option<Timestamp>,
    /// Whether this phone's shop administers it.
    pub administers: bool,
    /// Whether this phone's shop is frozen in it.
    pub frozen: bool,
}

/// A shop as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopInfo {
    /// The shop.
    pub id: MerchantId,
    /// How it presents itself.
    pub profile: MerchantProfile,
    /// Its groups, those that this phone knows.
    pub groups: Vec<GroupInfo>,
}

impl Phone {
    /// Opens a shop; this phone acts for it from now on.
    ///
    /// # Errors
    /// `key_has_merchant`, `bad_name`, `bad_place`.
    pub fn register_merchant(&self, profile: MerchantProfile) -> Result<MerchantId, PhoneError> {
        profile.check()?;
        self.store().read(|db| {
            account(db)?;
            if own_shop(db)?.is_some() {
                return Err(Refusal::KeyHasMerchant.into());
            }
            Ok(())
        })?;
        let op = self.submit(OpBody::RegisterMerchant { profile }, |_| Effect::default(), |_, _| Ok(()))?;
        Ok(op.value().id.as_merchant())
    }

    /// Founds a group with this phone's shop as first member.
    ///
    /// # Errors
    /// `no_merchant`, `bad_name`, `bad_terms`, `unknown_zone`, `currency_differs`.
    pub fn found_group(&self, profile: Profile, terms: Terms) -> Result<GroupId, PhoneError> {
        profile.check()?;
        terms.check()?;
        self.check_currency(&terms)?;
        let effect = |op: OpId| Effect { group: Some(op.as_group()), ..Effect::default() };
        let op = self.submit(OpBody::FoundGroup { profile, terms }, effect, |_, _| Ok(()))?;
        Ok(op.value().id.as_group())
    }

    /// Joins a group under the version of its terms that the merchant has read; or asks to, where it does not take everyone.
    ///
    /// # Errors
    /// `no_merchant`, `already_member`, `already_asked`, `terms_changed`, `currency_differs`.
    pub fn join_group(&self, group: GroupId, terms_version: u32) -> Result<OpId, PhoneError> {
        self.join(group, terms_version, None)
    }

    pub(crate) fn join(
        &self,
        group: GroupId,
        terms_version: u32,
        invitation: Option<Ticket>,
    ) -> Result<OpId, PhoneError> {
        let now = self.now();
        let known = self.store().read(|db| {
            let merchant = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            if directory::groups_of(db, merchant)?.contains(&group) || under_way(db)?.contains(&group) {
                return Err(Refusal::AlreadyMember.into());
            }
            let asked = join_requests::get(db, group, merchant)?;
            if asked.is_some_and(|asked| asked.is_open(now) && asked.terms_version == terms_version) {
                return Err(Refusal::AlreadyAsked.into());
            }
            directory::terms(db, group)
        })?;
        if let Some(TermsVersion { version, terms, .. }) = known {
            if version > terms_version {
                return Err(Refusal::TermsChanged { current: version }.into());
            }
            self.check_currency(&terms)?;
        }
        let effect = |_| Effect { group: Some(group), ..Effect::default() };
        let op =
            self.submit(OpBody::JoinGroup { group, terms_version, invitation }, effect, |_, _| Ok(()))?;
        Ok(op.value().id)
    }

    /// Presents this phone's shop otherwise. The money that it takes stays.
    ///
    /// # Errors
    /// `no_merchant`, `bad_name`, `bad_place`, `currency_differs`.
    pub fn amend_shop(&self, profile: MerchantProfile) -> Result<OpId, PhoneError> {
        profile.check()?;
        let own = self.own_shop()?.ok_or(Refusal::NoMerchant)?;
        if own.profile.is_some_and(|known| known.currency != profile.currency) {
            return Err(Refusal::CurrencyDiffers.into());
        }
        let op = self.submit(OpBody::AmendMerchant { profile }, |_| Effect::default(), |_, _| Ok(()))?;
        Ok(op.value().id)
    }

    /// The shop that this phone acts for.
    ///
    /// # Errors
    /// Storage.
    pub fn own_shop(&self) -> Result<Option<OwnShop>, PhoneError> {
        self.store().read(|db| {
            let amending = amending(db)?;
            if let Some(id) = meta::get(db, &meta::MERCHANT)? {
                let profile = directory::merchant(db, id)?;
                return Ok(Some(OwnShop { id, profile, confirmed: true, amending }));
            }
            let opening = opening(db)?;
            Ok(opening.map(|(id, profile)| OwnShop {
                id,
                profile: Some(profile),
                confirmed: false,
                amending,
            }))
        })
    }

    /// The groups of this phone's shop, those under way too, and those that it has asked to join.
    ///
    /// # Errors
    /// Storage.
    pub fn own_groups(&self) -> Result<Vec<OwnGroup>, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            let Some(merchant) = own_shop(db)? else { return Ok(Vec::new()) };
            let mut groups = Vec::new();
            let confirmed = directory::groups_of(db, merchant)?;
            for id in under_way(db)? {
                if !confirmed.contains(&id) {
                    groups.push(own(merchant, id, info(db, id)?, false));
                }
            }
            for JoinRequest { group: id, asked_at, .. } in waiting(db, merchant, now)? {
                if !confirmed.contains(&id) && groups.iter().all(|group| group.id != id) {
                    groups.push(OwnGroup {
                        asked_at: Some(asked_at),
                        ..own(merchant, id, info(db, id)?, false)
                    });
                }
            }
            for id in confirmed {
                groups.push(own(merchant, id, info(db, id)?, true));
            }
            Ok(groups)
        })
    }

    /// A group, as far as this phone knows; one that it doesn't is [asked for](crate::Client::look_up_group).
    ///
    /// # Errors
    /// Storage.
    pub fn group(&self, group: GroupId) -> Result<Option<GroupInfo>, PhoneError> {
        self.store().read(|db| info(db, group))
    }

    /// A shop and its groups, as far as this phone knows them; others are [looked up](crate::Client::look_up_shop).
    ///
    /// # Errors
    /// Storage.
    pub fn shop_info(&self, id: MerchantId) -> Result<Option<ShopInfo>, PhoneError> {
        self.store().read(|db| {
            let Some(profile) = directory::merchant(db, id)? else { return Ok(None) };
            let groups = directory::groups_of(db, id)?.into_iter().map(|group| info(db, group));
            let groups = groups.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            Ok(Some(ShopInfo { id, profile, groups }))
        })
    }

    /// A shop's groups of which this phone knows only that.
    pub(crate) fn groups_unknown(&self, id: MerchantId) -> Result<Vec<GroupId>, PhoneError> {
        self.store().read(|db| {
            let mut unknown = Vec::new();
            for group in directory::groups_of(db, id)? {
                if info(db, group)?.is_none() {
                    unknown.push(group);
                }
            }
            Ok(unknown)
        })
    }

    fn check_currency(&self, terms: &Terms) -> Result<(), PhoneError> {
        match self.store().read(own_currency)? {
            Some(currency) if currency != terms.currency => Err(Refusal::CurrencyDiffers.into()),
            _ => Ok(()),
        }
    }
}

/// The money of the shop that this phone acts for; none while the directory has not told.
///
/// # Errors
/// `no_merchant`.
pub(crate) fn own_currency(db: &Connection) -> Result<Option<Currency>, PhoneError> {
    let merchant = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
    let profile = match directory::merchant(db, merchant)? {
        Some(profile) => Some(profile),
        None => opening(db)?.map(|(_, profile)| profile),
    };
    Ok(profile.map(|profile| profile.currency))
}

/// The shop that is being opened.
fn opening(db: &Connection) -> Result<Option<(MerchantId, MerchantProfile)>, PhoneError> {
    let pending = outbox::pending(db, Kind::RegisterMerchant)?.into_iter().next();
    Ok(pending.and_then(|pending| match pending.body.body {
        OpBody::RegisterMerchant { profile } => Some((pending.op.as_merchant(), profile)),
        _ => None,
    }))
}

/// How the shop is to present itself, as this phone has asked last.
fn amending(db: &Connection) -> Result<Option<MerchantProfile>, PhoneError> {
    let pending = outbox::pending(db, Kind::AmendMerchant)?.into_iter().next_back();
    Ok(pending.and_then(|pending| match pending.body.body {
        OpBody::AmendMerchant { profile } => Some(profile),
        _ => None,
    }))
}

/// The requests of this shop that wait for an answer.
fn waiting(db: &Connection, own: MerchantId, now: Timestamp) -> Result<Vec<JoinRequest>, PhoneError> {
    let mut requests = join_requests::all(db)?;
    requests.retain(|asked| asked.merchant == own && asked.is_open(now));
    Ok(requests)
}

/// Refuses to invite into a group that this shop is not in, nor founding or joining, and into one that ends.
pub(crate) fn inviting_group(db: &Connection, group: GroupId) -> Result<(), PhoneError> {
    let merchant = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
    let known = directory::group(db, group)?;
    if known.is_some_and(|known| known.closing.is_some()) {
        return Err(Refusal::GroupClosing.into());
    }
    if !directory::groups_of(db, merchant)?.contains(&group) && !under_way(db)?.contains(&group) {
        return Err(Refusal::ShopNotInGroup.into());
    }
    Ok(())
}

/// The groups that are being founded or joined.
fn under_way(db: &Connection) -> Result<Vec<GroupId>, PhoneError> {
    let mut groups = outbox::pending(db, Kind::FoundGroup)?;
    groups.extend(outbox::pending(db, Kind::JoinGroup)?);
    Ok(groups.into_iter().filter_map(|pending| pending.effect.group).collect())
}

fn own(merchant: MerchantId, id: GroupId, info: Option<GroupInfo>, confirmed: bool) -> OwnGroup {
    let state = info.as_ref().map(|info| &info.state);
    let administers = state.is_some_and(|state| state.admin == Some(merchant));
    let frozen = state.is_some_and(|state| state.frozen.iter().any(|shop| shop.id == merchant));
    OwnGroup { id, info, confirmed, asked_at: None, administers, frozen }
}

/// A shop, by what the directory knows.
pub(crate) fn shop(db: &Connection, id: MerchantId) -> Result<Shop, PhoneError> {
    Ok(match directory::merchant(db, id)? {
        Some(MerchantProfile { name, currency, place, .. }) => {
            Shop { id, name: Some(name), place, currency: Some(currency) }
        }
        None => Shop { id, name: None, place: None, currency: None },
    })
}

/// The members of a group.
pub(crate) fn members(db: &Connection, group: GroupId) -> Result<Vec<Shop>, PhoneError> {
    directory::members(db, group)?.into_iter().map(|merchant| shop(db, merchant)).collect()
}

pub(crate) fn info(db: &Connection, id: GroupId) -> Result<Option<GroupInfo>, PhoneError> {
    let Some(known) = directory::group(db, id)? else {
        let own = own_shop(db)?;
        let founding = outbox::pending(db, Kind::FoundGroup)?;
        let founding = founding.into_iter().find(|pending| pending.op.as_group() == id);
        return Ok(founding.and_then(|pending| match pending.body.body {
            OpBody::FoundGroup { profile, terms } => {
                let state = GroupState { admin: own, ..GroupState::default() };
                Some(GroupInfo { id, profile, terms_version: 1, terms, members: Vec::new(), state })
            }
            _ => None,
        }));
    };
    let Some(TermsVersion { version, terms, .. }) = directory::terms(db, id)? else { return Ok(None) };
    let (members, state) = (members(db, id)?, state(db, &known)?);
    let Group { profile, .. } = known;
    Ok(Some(GroupInfo { id, profile, terms_version: version, terms, members, state }))
}
