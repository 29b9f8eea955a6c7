//! What people do with keys, staff, certificates and passes, at random.

use moa_rules::certificate::MOST_ALLOWANCE;
use moa_rules::id::{AccountId, KeyId};
use moa_rules::op::OpBody;
use moa_rules::staff::Staff;
use moa_rules::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{
    Asked, BUYERS, ClaimStep, GROUPS, History, SHOPS, WalletStep, pick, some_amount, some_claim, some_delay,
};
use crate::driver::{Person, SYSTEM, Shop};
use crate::model::Reserved;

/// What someone does. A phone is one of those that buyers ever had; a till is one of those or of the owners'.
#[derive(Debug, Clone)]
pub enum Deed {
    /// A further phone, or one that enrols again.
    Enrol {
        buyer: usize,
        again: Option<Index>,
        proved: bool,
    },
    Revoke {
        by: Index,
        phone: Index,
        own: bool,
    },
    Admit {
        by: Index,
        phone: Index,
        own: bool,
    },
    /// An invitation is made so many seconds ago, and someone joins on it.
    Hire {
        shop: usize,
        phone: Index,
        per_sale: i64,
        per_day: i64,
        made_ago_s: i64,
    },
    /// Someone joins on an invitation that was shown before.
    JoinAgain {
        invitation: Index,
        phone: Index,
    },
    /// By the owner, or another phone.
    Remove {
        shop: usize,
        by: Option<Index>,
        phone: Index,
    },
    /// A till sells, by a voucher that is claimed or to a buyer whom it can name.
    Sell {
        till: Index,
        clerk: bool,
        amount: i64,
        sold_ago_s: i64,
        pushed: bool,
        named: bool,
        claim: ClaimStep,
    },
    Renew {
        till: Index,
    },
    /// By someone who runs the server, or not.
    Allow {
        shop: usize,
        by: Option<Index>,
        most: i64,
    },
    /// A till takes mileage on a code of whatever phone.
    Redeem {
        till: Index,
        phone: Index,
        group: usize,
        percent: i64,
    },
    Pay {
        shop: usize,
        phone: Option<Index>,
        wallet: WalletStep,
        percent: i64,
        seconds: i64,
    },
    Reserve {
        till: Index,
        phone: Option<Index>,
        wallet: WalletStep,
        percent: i64,
        minutes: i64,
    },
    /// A till says that it took a pass, of which its buyer's phone or another showed the code.
    Take {
        pass: Index,
        till: Option<Index>,
        phone: Option<Index>,
        percent: i64,
    },
    Release {
        pass: Index,
    },
    /// Time passes until around the end of a pass, or of the day in which its till may still report it.
    WaitForPass {
        pass: Index,
        released: bool,
        millis_after: i64,
    },
    /// Time passes until a phone pays.
    WaitForPhone {
        phone: Index,
        millis_after: i64,
    },
}

fn maybe(weight: f64) -> impl Strategy<Value = Option<Index>> {
    prop::option::weighted(weight, any::<Index>())
}

pub fn some_deed() -> impl Strategy<Value = Deed> {
    let wallet = || any::<Index>().prop_map(WalletStep::Filled);
    let percent = || prop_oneof![8 => 1i64..=60, 2 => Just(100i64), 1 => Just(101i64), 1 => Just(0i64)];
    let seconds = prop_oneof![12 => 0i64..=600, 1 => select(vec![-1, 601, 4_000])];
    let minutes = prop_oneof![12 => 0i64..=4_320, 1 => select(vec![-1, 4_321])];
    let made_ago_s = prop_oneof![12 => 0i64..=86_400, 1 => select(vec![86_401, -3_600, -3_601])];
    let per_sale = prop_oneof![12 => 5_000i64..100_000, 1 => select(vec![0, 10_000_000_001])];
    let most = select(vec![MOST_ALLOWANCE.0, 5_000_000, 500_000, 200_000, 50_000, 0]);
    prop_oneof![
        3 => (0..BUYERS, maybe(0.3), prop::bool::weighted(0.3))
            .prop_map(|(buyer, again, proved)| Deed::Enrol { buyer, again, proved }),
        2 => (any::<Index>(), any::<Index>(), any::<bool>())
            .prop_map(|(by, phone, own)| Deed::Revoke { by, phone, own }),
        2 => (any::<Index>(), any::<Index>(), prop::bool::weighted(0.7))
            .prop_map(|(by, phone, own)| Deed::Admit { by, phone, own }),
        4 => (0..SHOPS, any::<Index>(), per_sale, 0i64..50_000, made_ago_s).prop_map(
            |(shop, phone, per_sale, more, made_ago_s)| {
                Deed::Hire { shop, phone, per_sale, per_day: per_sale + more, made_ago_s }
            }
        ),
        1 => (any::<Index>(), any::<Index>())
            .prop_map(|(invitation, phone)| Deed::JoinAgain { invitation, phone }),
        4 => (0..SHOPS, maybe(0.2), any::<Index>())
            .prop_map(|(shop, by, phone)| Deed::Remove { shop, by, phone }),
        14 => (
            (any::<Index>(), prop::bool::weighted(0.9)),
            some_amount(),
            some_delay(),
            any::<bool>(),
            any::<bool>(),
            some_claim()
        )
            .prop_map(|((till, clerk), amount, sold_ago_s, pushed, named, claim)| {
                Deed::Sell { till, clerk, amount, sold_ago_s, pushed, named, claim }
            }),
        2 => any::<Index>().prop_map(|till| Deed::Renew { till }),
        1 => (0..SHOPS, maybe(0.2), most).prop_map(|(shop, by, most)| Deed::Allow { shop, by, most }),
        3 => (any::<Index>(), any::<Index>(), 0..GROUPS, percent())
            .prop_map(|(till, phone, group, percent)| Deed::Redeem { till, phone, group, percent }),
        3 => (0..SHOPS, maybe(0.3), wallet(), percent(), seconds).prop_map(
            |(shop, phone, wallet, percent, seconds)| Deed::Pay { shop, phone, wallet, percent, seconds }
        ),
        10 => (any::<Index>(), maybe(0.2), wallet(), percent(), minutes).prop_map(
            |(till, phone, wallet, percent, minutes)| Deed::Reserve { till, phone, wallet, percent, minutes }
        ),
        5 => (any::<Index>(), maybe(0.1), maybe(0.1), percent())
            .prop_map(|(pass, till, phone, percent)| Deed::Take { pass, till, phone, percent }),
        3 => any::<Index>().prop_map(|pass| Deed::Release { pass }),
        1 => (any::<Index>(), any::<bool>(), -1i64..=1)
            .prop_map(|(pass, released, millis_after)| Deed::WaitForPass { pass, released, millis_after }),
        1 => (any::<Index>(), -1i64..=0)
            .prop_map(|(phone, millis_after)| Deed::WaitForPhone { phone, millis_after }),
    ]
}

impl History {
    /// The phones of the buyers, and the keys of the owners.
    pub(super) fn tills(&self) -> Vec<KeyId> {
        let owners = self.shops.iter().map(|shop| shop.owner.key);
        self.phones.iter().map(|phone| phone.key).chain(owners).collect()
    }

    fn phone(&self, index: Option<Index>, otherwise: Person) -> Person {
        index.and_then(|index| pick(index, &self.phones)).unwrap_or(otherwise)
    }

    /// A till of someone's who sells, or sold, for a shop that is not theirs, if there is any; else any till.
    fn clerks_or(&self, index: Index) -> KeyId {
        let mut clerks = self.tills();
        clerks.retain(|key| self.town.tables.devices[key].staff);
        pick(index, &clerks).or_else(|| pick(index, &self.tills())).unwrap()
    }

    /// Another phone of the same account's, or any.
    fn sibling(&self, of: Person, index: Index) -> Person {
        let mut siblings = self.phones.clone();
        siblings.retain(|phone| phone.account == of.account && phone.key != of.key);
        pick(index, &siblings).or_else(|| pick(index, &self.phones)).unwrap()
    }

    /// The shop that a key acts for, or any.
    fn shop_of(&self, key: KeyId) -> Shop {
        let acts = self.town.tables.devices[&key].merchant;
        *self.shops.iter().find(|shop| Some(shop.merchant) == acts).unwrap_or(&self.shops[0])
    }

    pub(super) fn renew_tills(&mut self) {
        for shop in self.shops.clone() {
            let certificate = self.town.tables.devices[&shop.owner.key].certificate.unwrap();
            if certificate.until < self.town.now.plus(4 * Timestamp::DAY) {
                let renewal = self.town.renewal(shop.owner.key);
                self.send(&renewal);
            }
        }
    }

    /// Whose phone was revoked uses another, if there is one.
    pub(super) fn pick_up_phones(&mut self) {
        for buyer in &mut self.buyers {
            let revoked = |key: KeyId| self.town.tables.devices[&key].revoked_at.is_some();
            if revoked(buyer.key) {
                let other =
                    self.phones.iter().find(|phone| phone.account == buyer.account && !revoked(phone.key));
                *buyer = *other.unwrap_or(buyer);
            }
        }
    }

    pub(super) fn act(&mut self, deed: Deed) {
        let index = |index: Index, phones: &[Person]| pick(index, phones).unwrap();
        match deed {
            Deed::Enrol { buyer, again, proved } => {
                let account = self.buyers[buyer].account;
                let known = again.and_then(|again| pick(again, &self.phones));
                let key = known.map_or_else(|| self.town.fresh_key(), |phone| phone.key);
                if known.is_none() {
                    self.phones.push(Person { account, key });
                }
                let public_key = vec![4; 65];
                let body = OpBody::EnrolDevice { account, key, public_key, proved: Some(proved) };
                let op = self.town.op(SYSTEM, body);
                self.send(&op.into());
            }
            Deed::Revoke { by, phone, own } => {
                let phone = index(phone, &self.phones);
                let by = if own { self.sibling(phone, by).key } else { pick(by, &self.tills()).unwrap() };
                let parcel = self.town.revoke(by, phone.key);
                self.send(&parcel);
            }
            Deed::Admit { by, phone, own } => {
                let by = index(by, &self.phones);
                let phone = if own { self.sibling(by, phone) } else { index(phone, &self.phones) };
                let parcel = self.town.admit(by.key, phone.key);
                self.send(&parcel);
            }
            Deed::Hire { shop, phone, per_sale, per_day, made_ago_s } => {
                let mut invitation = self.town.invitation(self.shops[shop].owner.key, per_sale, per_day);
                invitation.expires = invitation.expires.checked_add_signed(-made_ago_s).unwrap();
                self.invitations.push(invitation);
                let parcel = self.town.join_staff(index(phone, &self.phones), invitation);
                self.send(&parcel);
            }
            Deed::JoinAgain { invitation, phone } => {
                if let Some(invitation) = pick(invitation, &self.invitations) {
                    let parcel = self.town.join_staff(index(phone, &self.phones), invitation);
                    self.send(&parcel);
                }
            }
            Deed::Remove { shop, by, phone } => {
                let by = by.map_or(self.shops[shop].owner.key, |by| pick(by, &self.tills()).unwrap());
                let here = |staff: &&Staff| staff.merchant == self.shops[shop].merchant;
                let staff: Vec<AccountId> =
                    self.town.tables.staff.values().filter(here).map(|staff| staff.account).collect();
                let account = pick(phone, &staff).unwrap_or_else(|| index(phone, &self.phones).account);
                let parcel = self.town.remove_staff(by, self.shops[shop], account);
                self.send(&parcel);
            }
            Deed::Sell { till, clerk, amount, sold_ago_s, pushed, named, claim } => {
                let till = if clerk { self.clerks_or(till) } else { pick(till, &self.tills()).unwrap() };

                let now = self.town.now;
                self.town.wait(-sold_ago_s * Timestamp::SECOND);
                if named {
                    let mut sale = self.town.sell_to(self.shop_of(till), amount, self.buyers[claim.buyer]);
                    sale.op.actor = till;
                    self.town.now = now;
                    self.send(&sale);
                    return;
                }
                let sale = self.town.sale_by(till, amount);
                self.town.now = now;
                self.sales.push(sale.clone());
                if pushed {
                    self.send(&sale.clone().into());
                }
                self.claim(&sale, &claim);
            }
            Deed::Renew { till } => {
                let parcel = self.town.renewal(pick(till, &self.tills()).unwrap());
                self.send(&parcel);
            }
            Deed::Allow { shop, by, most } => {
                let by = self.phone(by, self.operator);
                let parcel = self.town.set_allowance(by.key, self.shops[shop], most);
                self.send(&parcel);
            }
            Deed::Redeem { till, phone, group, percent } => {
                let (till, phone) = (pick(till, &self.tills()).unwrap(), index(phone, &self.phones));
                let group = self.groups[group];
                let version = (group, self.version(group, 0));
                let unit = self.town.tables.terms[&version].terms.unit();
                let asked = self.asked((phone, group, unit), &Asked::Percent(percent));
                let code = self.town.code_for(phone, group, (asked, unit));
                let mut parcel = self.town.redeem_with(self.shop_of(till), code, asked);
                parcel.op.actor = till;
                self.send(&parcel);
            }
            Deed::Pay { shop, phone, wallet, percent, seconds } => {
                let wallet = self.wallet(&wallet);
                let asked = self.asked(wallet, &Asked::Percent(percent));
                let (buyer, group, of) = wallet;
                let buyer = self.phone(phone, buyer);
                let mut parcel = self.town.pay(buyer, self.shops[shop], group, asked);
                if let OpBody::Pay { expires, unit, .. } = &mut parcel.op.body {
                    *unit = of;
                    *expires = self.town.now.plus(seconds * Timestamp::SECOND).seconds();
                }
                self.send(&parcel);
            }
            Deed::Reserve { till, phone, wallet, percent, minutes } => {
                let wallet = self.wallet(&wallet);
                let asked = self.asked(wallet, &Asked::Percent(percent));
                let (buyer, group, of) = wallet;
                let buyer = self.phone(phone, buyer);
                let mut tills = self.tills();
                tills.retain(|key| self.town.tables.devices[key].merchant.is_some());
                let till = pick(till, &tills).unwrap();
                let till = (self.shop_of(till), till);
                let mut parcel = self.town.reserve(buyer, till, group, asked, minutes * Timestamp::MINUTE);
                if let OpBody::ReservePass { unit, .. } = &mut parcel.op.body {
                    *unit = of;
                }
                self.send(&parcel);
            }
            Deed::Take { pass, till, phone, percent } => {
                let Some((pass, (of, key))) = self.pass(pass) else { return };
                let till = till.map_or(of, |till| pick(till, &self.tills()).unwrap());
                let shown_by = self.phone(phone, Person { account: pass.account, key });
                let asked = pass.units() * percent / 100;
                let parcel = self.town.redeem_pass(till, pass.id, shown_by.key, asked);
                self.send(&parcel);
            }
            Deed::Release { pass } => {
                let Some((pass, _)) = self.pass(pass) else { return };
                let parcel = self.town.release(self.shop_named(pass.shop), pass.id);
                self.send(&parcel);
            }
            Deed::WaitForPass { pass, released, millis_after } => {
                let Some((pass, _)) = self.pass(pass) else { return };
                let at = pass.until + if released { Timestamp::DAY } else { 0 } + millis_after;
                self.town.now = self.town.now.max(Timestamp(at));
            }
            Deed::WaitForPhone { phone, millis_after } => {
                let from = self.town.tables.devices[&index(phone, &self.phones).key].pays_from;
                self.town.now = self.town.now.max(from.plus(millis_after));
            }
        }
    }

    /// A pass that there is or was, its till, and the key that shows it.
    fn pass(&self, index: Index) -> Option<(Reserved, (KeyId, KeyId))> {
        let passes: Vec<&Reserved> = self.model.all_reserved().filter(|pass| pass.pass.is_some()).collect();
        let pass = pick(index, &passes)?;
        Some((pass.clone(), pass.pass?))
    }
}
