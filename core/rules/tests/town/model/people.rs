//! Keys, staff and certificates.

use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId};
use moa_rules::op::Op;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::staff::StaffInvitation;

use super::sales::check_amount;
use super::{DAY, Fact, HOUR, Model, millis};
use crate::driver::SYSTEM;

/// A key as the facts leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    pub account: AccountId,
    pub pays_from: i64,
    pub revoked: bool,
    pub shop: Option<MerchantId>,
    pub staff: bool,
    pub left_at: Option<i64>,
    /// What it may sell, until when, and what it has sold.
    pub certificate: Option<(i64, i64, i64)>,
}

/// Someone's selling for a shop as the facts leave it.
#[derive(Debug, Clone, Copy)]
pub struct Hired {
    pub key: KeyId,
    pub per_sale: i64,
    pub per_day: i64,
    pub left_at: Option<i64>,
}

/// What a buyer wants done with sales that would wait.
#[derive(Debug)]
pub struct Stood {
    pub groups: Vec<GroupId>,
    pub best: bool,
}

impl Phone {
    pub fn new(account: AccountId, pays_from: i64) -> Self {
        Self {
            account,
            pays_from,
            revoked: false,
            shop: None,
            staff: false,
            left_at: None,
            certificate: None,
        }
    }
}

impl Model {
    /// A phone that pays at once.
    pub fn knows(&mut self, key: KeyId, account: AccountId) {
        self.write(Fact::Enrolled { key, account, pays_from: 0 });
    }

    /// A shop, its till certified at `at` for half of what it is allowed.
    pub fn opened(&mut self, shop: MerchantId, owner: KeyId, allowance: i64, at: i64) {
        let account = self.account_of(owner);
        self.write(Fact::Opened { shop, account, key: owner });
        self.write(Fact::Allowed { shop, most: allowance });
        self.write(Fact::Certified { key: owner, most: allowance / 2, until: at + 7 * DAY });
    }

    pub fn runs_the_server(&mut self, account: AccountId) {
        self.write(Fact::Operates { account });
    }

    /// Every key there ever was.
    pub fn phones(&self) -> impl Iterator<Item = (KeyId, &Phone)> {
        self.phones.iter().map(|(key, phone)| (*key, phone))
    }

    pub fn phone(&self, key: KeyId) -> Option<&Phone> {
        self.phones.get(&key)
    }

    fn known(&self, key: KeyId) -> &Phone {
        self.phone(key).unwrap()
    }

    pub fn account_of(&self, key: KeyId) -> AccountId {
        assert_ne!(key, SYSTEM);
        self.known(key).account
    }

    pub fn is_revoked(&self, key: KeyId) -> bool {
        self.phone(key).is_some_and(|phone| phone.revoked)
    }

    pub(super) fn check_operates(&self, key: KeyId, now: i64) -> Result<(), Refusal> {
        if !self.operators.contains(&self.account_of(key)) {
            return Err(Refusal::NotAllowed);
        }
        self.pays(key, now).map(drop)
    }

    fn hired(&self, shop: MerchantId, account: AccountId) -> Option<Hired> {
        self.staff.get(&(shop, account)).copied()
    }

    /// Who signs may pay, and answer for other keys.
    pub(super) fn pays(&self, key: KeyId, now: i64) -> Result<AccountId, Refusal> {
        let phone = self.known(key);
        if phone.revoked {
            return Err(Refusal::RevokedKey);
        }
        let wait = phone.pays_from - now;
        if wait > 0 {
            // Begun hours count.
            let hours = (wait + HOUR - 1) / HOUR;
            return Err(Refusal::DeviceTooNew { hours: u32::try_from(hours).unwrap() });
        }
        Ok(phone.account)
    }

    /// The shop for which a key does something that is dated `time`, or now.
    pub(super) fn shop_of(&self, key: KeyId, time: Option<i64>) -> Result<MerchantId, Refusal> {
        let phone = self.known(key);
        let shop = phone.shop.ok_or(Refusal::NoMerchant)?;
        match phone.left_at {
            Some(left) if time.is_none_or(|time| time >= left) => Err(Refusal::NotStaff),
            _ => Ok(shop),
        }
    }

    /// The shop that a key acts for, or acted for.
    pub(super) fn shop_ever(&self, key: KeyId) -> Option<MerchantId> {
        self.known(key).shop
    }

    /// The shop whose owner's key it is.
    pub(super) fn owned_by(&self, key: KeyId) -> Result<MerchantId, Refusal> {
        let phone = self.known(key);
        if phone.staff { Err(Refusal::NotAllowed) } else { phone.shop.ok_or(Refusal::NoMerchant) }
    }

    fn owns(&self, key: KeyId) -> Option<MerchantId> {
        let phone = self.known(key);
        phone.shop.filter(|_| !phone.staff)
    }

    /// Whether a shop's sale of this instant earns an account nothing.
    pub(super) fn is_own(&self, shop: MerchantId, account: AccountId, sold: i64) -> bool {
        let of_staff = |hired: Hired| hired.left_at.is_none_or(|left| sold < left);
        self.shops[&shop].0 == account || self.hired(shop, account).is_some_and(of_staff)
    }

    /// What a sale is checked for beside the sale itself: a clerk's limits, then the till's certificate.
    pub(super) fn may_sell(&self, op: &Op, shop: MerchantId, amount: i64) -> Result<(), Refusal> {
        let (phone, time) = (self.known(op.actor), millis(op.time));
        if phone.staff {
            let Hired { per_sale, per_day, .. } = self.hired(shop, phone.account).unwrap();
            if amount > per_sale {
                return Err(Refusal::OverSaleLimit { max: Money(per_sale) });
            }
            let mut sold = 0;
            for sale in self.sales.values() {
                let own = (sale.shop, sale.clerk) == (shop, Some(phone.account));
                if own && seoul_day(sale.time) == seoul_day(time) {
                    sold += sale.amount;
                }
            }
            if sold + amount > per_day {
                return Err(Refusal::OverDayLimit { max: Money(per_day), sold: Money(sold) });
            }
        }
        let (most, until, used) = phone.certificate.unwrap();
        if time > until {
            return Err(Refusal::CertificateExpired { days: 7 });
        }
        if amount > most - used {
            return Err(Refusal::CertificateUsed { left: Money(most - used) });
        }
        Ok(())
    }

    pub(super) fn clerk(&self, key: KeyId) -> Option<AccountId> {
        let phone = self.known(key);
        phone.staff.then_some(phone.account)
    }

    /// Half of what the other tills leave.
    fn share(&self, shop: MerchantId, till: KeyId, now: i64) -> i64 {
        let mut left = self.shops[&shop].1;
        for (key, phone) in &self.phones {
            let Some((most, until, _)) = phone.certificate else { continue };
            if *key != till && phone.shop == Some(shop) && !phone.revoked && until > now {
                left -= most;
            }
        }
        if left < 0 { 0 } else { left / 2 }
    }

    pub(super) fn enrol(
        &self,
        account: AccountId,
        key: KeyId,
        proved: bool,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let Some(known) = self.phone(key) else {
            let pays_from = if proved { now } else { now + 2 * DAY };
            return Ok(vec![Fact::Enrolled { key, account, pays_from }]);
        };
        if known.revoked {
            return Err(Refusal::RevokedKey);
        }
        if known.account != account {
            return Err(Refusal::NotAllowed);
        }
        if proved && now < known.pays_from {
            return Ok(vec![Fact::Admitted { key, at: now }]);
        }
        Ok(Vec::new())
    }

    pub(super) fn revoke(&self, by: KeyId, key: KeyId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let (own, phone) = (self.account_of(by), self.known(key));
        let of_shop = phone.shop.is_some() && phone.left_at.is_none() && phone.shop == self.owns(by);
        if phone.account != own && !of_shop && !self.operators.contains(&own) {
            return Err(Refusal::UnknownDevice);
        }
        if key != by {
            self.pays(by, now)?;
        }
        if phone.revoked { Err(Refusal::RevokedKey) } else { Ok(vec![Fact::Revoked { key }]) }
    }

    pub(super) fn admit(&self, by: KeyId, key: KeyId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let own = self.pays(by, now)?;
        let phone = self.known(key);
        if phone.account != own {
            return Err(Refusal::UnknownDevice);
        }
        if phone.revoked { Err(Refusal::RevokedKey) } else { Ok(vec![Fact::Admitted { key, at: now }]) }
    }

    pub(super) fn join_staff(
        &self,
        by: KeyId,
        invitation: &StaffInvitation,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let StaffInvitation { key: owner, counter, expires, limits, .. } = *invitation;
        let account = self.account_of(by);
        if self.is_revoked(owner) {
            return Err(Refusal::RevokedKey);
        }
        let shop = self.owns(owner).ok_or(Refusal::NotAnInvitation)?;
        if self.is_used(owner, counter) {
            return Err(Refusal::InvitationUsed);
        }
        if now > millis(expires) || millis(expires) > now + 25 * HOUR {
            return Err(Refusal::InvitationExpired { hours: 24 });
        }
        check_amount(limits.per_sale.0)?;
        check_amount(limits.per_day.0)?;
        if self.account_of(owner) == account {
            return Err(Refusal::NotAllowed);
        }
        let phone = self.known(by);
        if phone.shop.is_some_and(|other| other != shop || phone.left_at.is_none()) {
            return Err(Refusal::KeyHasMerchant);
        }
        if let Some(hired) = self.hired(shop, account)
            && hired.left_at.is_none()
            && !self.is_revoked(hired.key)
        {
            return Err(Refusal::AlreadyStaff);
        }
        let (per_sale, per_day) = (limits.per_sale.0, limits.per_day.0);
        let hired = Hired { key: by, per_sale, per_day, left_at: None };
        Ok(vec![
            Fact::Hired { shop, account, key: by, hired },
            Fact::Certified { key: by, most: self.share(shop, by, now), until: now + 7 * DAY },
            Fact::Used { key: owner, counter },
        ])
    }

    pub(super) fn remove_staff(
        &self,
        by: KeyId,
        shop: MerchantId,
        account: AccountId,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        self.shop_ever(by).ok_or(Refusal::NoMerchant)?;
        if self.account_of(by) != account && self.owns(by) != Some(shop) {
            return Err(Refusal::NotStaff);
        }
        let hired = self.hired(shop, account).filter(|hired| hired.left_at.is_none());
        let key = hired.ok_or(Refusal::NotStaff)?.key;
        Ok(vec![Fact::Quit { shop, account, key, at: now }])
    }

    pub(super) fn renew(&self, key: KeyId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let shop = self.shop_of(key, None)?;
        match self.share(shop, key, now) {
            0 => Err(Refusal::NoAllowance),
            most => Ok(vec![Fact::Certified { key, most, until: now + 7 * DAY }]),
        }
    }

    pub(super) fn allow(
        &self,
        by: KeyId,
        shop: MerchantId,
        most: i64,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        self.check_operates(by, now)?;
        Ok(vec![Fact::Allowed { shop, most }])
    }
}

/// Seoul has no summer time: nine hours ahead, all year.
fn seoul_day(at: i64) -> i64 {
    (at + 9 * HOUR).div_euclid(DAY)
}
