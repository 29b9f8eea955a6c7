//! The buyer's side of a purchase: the shop's groups, and turning the sale into mileage of one. (A7, A8)

use moa_rules::choice::by_rate;
use moa_rules::choice::weigh::Reason;
use moa_rules::group::TermsVersion;
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::op::{Choice, OpBody};
use moa_rules::quantity::{Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::sale::{CLAIM_DAYS, HOURS_AHEAD, VOUCHER_MINUTES, check_amount};
use moa_rules::terms::{Profile, Terms, Unit};
use moa_rules::time::{Day, Timestamp};
use rusqlite::Connection;

use crate::choice::{Suggestion, suggest};
use crate::code::{ScannedVoucher, VoucherStanding};
use crate::error::PhoneError;
use crate::outbox::Kind;
use crate::phone::{Phone, account, own_shop};
use crate::plan::PlannedPurchase;
use crate::shop::Shop;
use crate::store::outbox::{self, Effect};
use crate::store::{directory, vouchers};

/// A group that a sale could be turned into mileage of, as it was known when the phone last heard of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChoice {
    /// For [`Phone::claim`]: the group, and the version of the terms that is shown here.
    pub choice: Choice,
    /// How the group presents itself.
    pub profile: Profile,
    /// What the group promises.
    pub terms: Terms,
    /// The day until which it can be used at least, in the group's zone: validity counts from the server's
    /// decision, which comes later.
    pub usable_at_least_until: Day,
    /// What the sale would earn.
    pub earns: Units,
    /// The shops where it can be used: those that the buyer visits most first, then the nearest.
    pub members: Vec<Shop>,
    /// What the buyer has of that there and can be used, as confirmed.
    pub balance: Units,
    /// What would still be missing to the minimum after this sale.
    pub to_minimum: Units,
    /// What the buyer is expected to use of what this claim earns, in minor units: an estimate from their own
    /// purchases; never more than it earns.
    pub expected_use: Money,
    /// Why it stands where it stands, most telling first; empty for one that has nothing ahead of the others.
    pub reasons: Vec<Reason>,
    /// The purchase that [`Reason::PlannedPurchase`] is about, if that is one of them.
    pub planned: Option<PlannedPurchase>,
}

/// A claim in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The claim.
    pub op: OpId,
    /// The group, if it could be told.
    pub group: Option<GroupId>,
    /// What the sale is going to earn, if it could be told.
    pub earns: Option<Units>,
    /// What a unit of that is; none for points.
    pub unit: Option<Unit>,
}

/// A claim that the server has not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingClaim {
    /// The claim.
    pub op: OpId,
    /// When it was made.
    pub at: Timestamp,
    /// The group; none if the server chooses and this phone could not tell which.
    pub group: Option<GroupId>,
    /// What it is going to earn, if it could be told.
    pub earns: Option<Units>,
    /// What a unit of that is; none for points.
    pub unit: Option<Unit>,
}

impl Phone {
    /// The groups of the voucher's shop, best first. Empty for a shop never met; the server then takes the best.
    ///
    /// # Errors
    /// Storage.
    pub fn choices(&self, voucher: &ScannedVoucher) -> Result<Vec<GroupChoice>, PhoneError> {
        let now = self.now();
        let Some(shop) = &voucher.shop else { return Ok(Vec::new()) };
        self.store().read(|db| choices(db, shop.id, voucher.amount, now))
    }

    /// Turns a sale into mileage of the chosen group; without a choice, the server takes the best. On disk before
    /// it returns.
    ///
    /// # Errors
    /// `sale_already_claimed`, `voucher_expired`, `not_addressee`, `own_sale`, `sale_dated_ahead`,
    /// `seller_not_in_group`, `earns_nothing`.
    pub fn claim(&self, voucher: &ScannedVoucher, choice: Option<Choice>) -> Result<Claimed, PhoneError> {
        let now = self.now();
        let effect = self.store().read(|db| {
            account(db)?;
            check(db, self, voucher, now)?;
            effect(db, voucher.shop.as_ref().map(|shop| shop.id), voucher.amount, choice, now)
        })?;
        let body = OpBody::Claim { sale: voucher.token.clone(), choice };
        let op = self.submit(
            body,
            |_| effect,
            |db, op| {
                // Asked again: the lock was not held while the key signed.
                check_unclaimed(db, voucher)?;
                vouchers::put(db, voucher.seller, voucher.sale, op.value().id)
            },
        )?;
        Ok(Claimed { op: op.value().id, group: effect.group, earns: effect.units, unit: effect.unit })
    }

    /// Claims that the server has not confirmed, oldest first. They count toward nothing yet.
    ///
    /// # Errors
    /// Storage.
    pub fn pending_claims(&self) -> Result<Vec<PendingClaim>, PhoneError> {
        let pending = self.store().read(|db| outbox::pending(db, Kind::Claim))?;
        Ok(pending
            .into_iter()
            .map(|claim| PendingClaim {
                op: claim.op,
                at: claim.created_at,
                group: claim.effect.group,
                earns: claim.effect.units,
                unit: claim.effect.unit,
            })
            .collect())
    }
}

/// The groups of a shop, the one worth most to this buyer first.
pub(crate) fn choices(
    db: &Connection,
    shop: MerchantId,
    amount: Money,
    now: Timestamp,
) -> Result<Vec<GroupChoice>, PhoneError> {
    let suggested = suggest(db, shop, amount, versions(db, shop, now)?, now)?;
    let choice =
        |Suggestion { version, group, earns, expected_use, reasons, planned, members, balance }: Suggestion| {
            let TermsVersion { group: id, version: terms_version, terms, .. } = version;
            let after = balance.checked_add(earns).unwrap_or(balance);
            GroupChoice {
                choice: Choice { group: id, terms_version },
                profile: group.profile,
                usable_at_least_until: terms.validity.last_day(now, &terms.tz()),
                earns,
                members,
                balance,
                to_minimum: terms.minimum.checked_sub(after).unwrap_or_default(),
                expected_use,
                reasons,
                planned,
                terms,
            }
        };
    Ok(suggested.into_iter().map(choice).collect())
}

/// The terms in force of the groups in which a shop issues, as far as this phone knows.
fn versions(db: &Connection, shop: MerchantId, now: Timestamp) -> Result<Vec<TermsVersion>, PhoneError> {
    let mut versions = Vec::new();
    for id in directory::groups_of(db, shop)? {
        let known = directory::group(db, id)?;
        if known.is_some_and(|group| group.issues(now) && !group.frozen.contains(&shop)) {
            versions.extend(directory::terms(db, id)?);
        }
    }
    Ok(versions)
}

fn ranked(amount: Money, versions: &[TermsVersion]) -> Vec<&TermsVersion> {
    let mut ranked: Vec<&TermsVersion> = versions.iter().collect();
    ranked.sort_by_key(|version| by_rate(version, amount));
    ranked
}

/// What a claim is going to bring, as far as this phone can tell; `shop` is none if it was never met.
pub(crate) fn effect(
    db: &Connection,
    shop: Option<MerchantId>,
    amount: Money,
    choice: Option<Choice>,
    now: Timestamp,
) -> Result<Effect, PhoneError> {
    let versions = shop.map(|shop| versions(db, shop, now)).transpose()?.unwrap_or_default();
    let ranked = ranked(amount, &versions);
    let taken = match choice {
        Some(choice) => ranked.iter().find(|version| version.group == choice.group),
        None => ranked.first(),
    };
    match (taken, choice) {
        (Some(taken), _) if taken.terms.earns(amount).is_zero() => {
            Err(Refusal::EarnsNothing { amount }.into())
        }
        (Some(taken), _) => {
            let TermsVersion { group, terms, .. } = taken;
            Ok(Effect { group: Some(*group), units: Some(terms.earns(amount)), unit: terms.unit() })
        }
        (None, Some(_)) if !ranked.is_empty() => Err(Refusal::SellerNotInGroup.into()),
        (None, choice) => Ok(Effect { group: choice.map(|choice| choice.group), units: None, unit: None }),
    }
}

fn check(db: &Connection, phone: &Phone, voucher: &ScannedVoucher, now: Timestamp) -> Result<(), PhoneError> {
    check_unclaimed(db, voucher)?;
    check_amount(voucher.amount)?;
    let own = own_shop(db)?;
    if voucher.seller == phone.key() || (own.is_some() && own == voucher.shop.as_ref().map(|shop| shop.id)) {
        return Err(Refusal::OwnSale.into());
    }
    if voucher.standing == VoucherStanding::ForAnother {
        return Err(Refusal::NotAddressee.into());
    }
    if voucher.sold_at > now.plus(i64::from(HOURS_AHEAD) * Timestamp::HOUR) {
        return Err(Refusal::SaleDatedAhead { hours: HOURS_AHEAD }.into());
    }
    if now > voucher.claim_until {
        return Err(if voucher.addressed {
            Refusal::SaleTooOld { days: CLAIM_DAYS }.into()
        } else {
            Refusal::VoucherExpired { minutes: VOUCHER_MINUTES }.into()
        });
    }
    Ok(())
}

fn check_unclaimed(db: &Connection, voucher: &ScannedVoucher) -> Result<(), PhoneError> {
    match vouchers::claim(db, voucher.seller, voucher.sale)? {
        Some(_) => Err(Refusal::SaleAlreadyClaimed.into()),
        None => Ok(()),
    }
}
