//! One person, browser or computer of each role, made anew for each thing that is tried.

use moa_ledger::system;
use moa_rules::device::{BROWSER_DAYS, KeyKind};
use moa_rules::id::{AccountId, GroupId, MerchantId};
use moa_rules::member::Buyer;
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::{Choice, OP_VERSION, Op, OpBody};
use moa_rules::pass::PassCode;
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::role::Role;
use moa_rules::staff::{Limits, StaffInvitation};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::api::{Base64, Ops, Verdict, Verdicts};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::token::Checked;

use super::{Device, Shop, Town, read};

/// Who asks: a role, or one of those beside the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A key that the server does not know.
    Nobody,
    /// Someone of a role. A browser is that of someone who has every role of a person.
    Role(Role),
    /// A browser of someone who is a buyer and no more.
    BuyersBrowser,
}

impl Who {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Nobody, Self::BuyersBrowser].into_iter().chain(Role::ALL.map(Self::Role))
    }
}

/// Someone of a role, fresh.
pub struct Subject {
    pub who: Who,
    /// The key that asks.
    pub device: Device,
    /// The person's phone, where that is not the key that asks; it may pay.
    pub phone: Option<Device>,
    /// The shop that the key acts for.
    pub merchant: Option<MerchantId>,
    /// The phone of the shop's owner, if the subject is of its staff.
    pub owner: Option<Device>,
    /// The group that the shop administers.
    pub group: Option<GroupId>,
}

impl Subject {
    /// The key of the person that may pay: a browser's or computer's phone, or the key itself.
    pub fn payer(&self) -> &Device {
        self.phone.as_ref().unwrap_or(&self.device)
    }
}

/// A town with a street of shops that were there before, in two groups.
pub struct Street {
    pub town: Town,
    /// The server, by the key in its folder.
    pub server: SoftwareKey,
    /// A shop in both groups, which administers them.
    pub baker: Shop,
    /// A shop in both groups.
    pub florist: Shop,
    pub groups: [GroupId; 2],
    /// A buyer of both, with plenty of mileage.
    pub regular: Device,
}

impl Street {
    pub async fn open() -> Self {
        Self::of(Town::open().await).await
    }

    /// The same, at the time that programs beside it go by.
    pub async fn open_now() -> Self {
        let now = moa_server::system_clock()().0;
        Self::of(Town::open_with(tempfile::tempdir().unwrap(), now, |local| local).await).await
    }

    async fn of(town: Town) -> Self {
        let server = town.server_key();
        let [baker, florist] = [open_shop(&town, &server).await, open_shop(&town, &server).await];
        let groups = [found(&town, &baker).await, found(&town, &baker).await];
        for group in groups {
            town.join(&florist, group).await;
        }
        let regular = enrol(&town, &server, None).await;
        let street = Self { town, server, baker, florist, groups, regular };
        for _ in 0..5 {
            street.earn(&street.regular).await;
        }
        street
    }

    /// A device of a new person.
    pub async fn enrol(&self) -> Device {
        enrol(&self.town, &self.server, None).await
    }

    /// A further phone of a person, which may not pay yet.
    pub async fn further(&self, account: AccountId) -> Device {
        enrol(&self.town, &self.server, Some(account)).await
    }

    /// A new shop in both groups.
    pub async fn shop(&self) -> Shop {
        let shop = open_shop(&self.town, &self.server).await;
        for group in self.groups {
            self.town.join(&shop, group).await;
        }
        shop
    }

    /// Mileage in the first group, 30,000 points.
    pub async fn earn(&self, buyer: &Device) {
        let sale = self.town.sale(&self.florist, 1_000_000);
        self.town.applied(&[&self.town.claim(buyer, &sale, self.groups[0])]).await;
    }

    /// Someone of a role, fresh.
    pub async fn subject(&self, who: Who) -> Subject {
        let town = &self.town;
        let plain = |device| Subject { who, device, phone: None, merchant: None, owner: None, group: None };
        match who {
            Who::Nobody => plain(stranger()),
            Who::BuyersBrowser => {
                let phone = self.enrol().await;
                let device = self.add_key(&phone, self.browser()).await;
                Subject { phone: Some(phone), ..plain(device) }
            }
            Who::Role(Role::Buyer) => plain(self.enrol().await),
            Who::Role(Role::Staff) => {
                let shop = self.shop().await;
                let clerk = self.enrol().await;
                let invitation = self.invitation(&shop.device);
                let joins = clerk.op(town.now(), OpBody::JoinStaff { invitation });
                town.applied(&[&joins]).await;
                Subject { merchant: Some(shop.merchant), owner: Some(shop.device), ..plain(clerk) }
            }
            Who::Role(Role::Owner) => {
                let shop = self.shop().await;
                Subject { merchant: Some(shop.merchant), ..plain(shop.device) }
            }
            Who::Role(Role::GroupAdmin) => {
                let shop = self.shop().await;
                let group = found(town, &shop).await;
                Subject { merchant: Some(shop.merchant), group: Some(group), ..plain(shop.device) }
            }
            Who::Role(Role::Operator) => {
                let device = self.enrol().await;
                self.appoint(device.account).await;
                plain(device)
            }
            Who::Role(Role::Browser) => {
                let shop = self.shop().await;
                let group = found(town, &shop).await;
                self.appoint(shop.device.account).await;
                let device = self.till(&shop.device, self.browser()).await;
                let (merchant, group) = (Some(shop.merchant), Some(group));
                Subject { phone: Some(shop.device), merchant, group, ..plain(device) }
            }
            Who::Role(Role::Service) => {
                let shop = self.shop().await;
                let device = self.till(&shop.device, KeyKind::Service).await;
                Subject { phone: Some(shop.device), merchant: Some(shop.merchant), ..plain(device) }
            }
            Who::Role(Role::Server) => plain(device(town.server_key(), AccountId([0; 16]))),
        }
    }

    /// A browser's kind: let in for the longest that it may be.
    pub fn browser(&self) -> KeyKind {
        KeyKind::Browser { until: self.town.now().plus(i64::from(BROWSER_DAYS) * Timestamp::DAY) }
    }

    /// A key of another kind that a phone lets in.
    pub async fn add_key(&self, phone: &Device, kind: KeyKind) -> Device {
        let added = device(SoftwareKey::generate().unwrap().0, phone.account);
        let (key, public_key) = (added.key_id(), added.key.public_key());
        let op = phone.op(self.town.now(), OpBody::AddKey { key, public_key, kind });
        self.town.applied(&[&op]).await;
        added
    }

    /// The same of a shop's owner: it has asked for its certificate, to sell.
    pub async fn till(&self, phone: &Device, kind: KeyKind) -> Device {
        let till = self.add_key(phone, kind).await;
        let renews = till.op(self.town.now(), OpBody::RenewCertificate);
        self.town.applied(&[&renews]).await;
        till
    }

    /// Has the server make a person an operator.
    pub async fn appoint(&self, account: AccountId) {
        let op = system::appoint_operator(&self.server, account, true, self.town.now()).unwrap().op;
        self.town.applied(&[&op]).await;
    }

    /// An owner's invitation to sell up to a million won at once.
    pub fn invitation(&self, owner: &Device) -> Vec<u8> {
        let limits = Limits { per_sale: Money(1_000_000), per_day: Money(10_000_000) };
        let expires = self.town.now().plus(24 * Timestamp::HOUR).seconds();
        let (key, counter) = (owner.key_id(), owner.next_counter());
        let invitation = StaffInvitation { version: OP_VERSION, key, counter, expires, limits };
        Checked::sign(invitation, &owner.key).unwrap().bytes().to_vec()
    }

    /// A buyer's member code, shown now.
    pub async fn member_code(&self, buyer: &Device) -> Buyer {
        let secret = self.town.snapshot(buyer).await.member.expect("every account has one");
        Buyer::Member(secret.code(self.town.now()).unwrap().0)
    }

    /// A sale of the florist's that waits for a buyer: both groups earn.
    pub async fn waiting_sale(&self, buyer: &Device) -> Checked<Op> {
        let buyer = self.member_code(buyer).await;
        let op = self
            .florist
            .device
            .op(self.town.now(), OpBody::SellTo { amount: Money(500_000), buyer, redemption: None });
        self.town.applied(&[&op]).await;
        op
    }

    /// A pass of a buyer's for a till of a shop, as the server gave it, shown now.
    pub async fn pass_code(&self, buyer: &Device, merchant: MerchantId, till: &Device) -> Vec<u8> {
        let now = self.town.now();
        let op = buyer.op(now, self.reservation(merchant, till));
        let ops = Ops { ops: vec![Base64(op.bytes().to_vec())], ..Ops::default() };
        let verdicts: Verdicts = read(self.town.post("/v1/ops", &ops).await).await;
        assert_eq!(verdicts.verdicts, [Verdict::Applied]);
        let pass = verdicts.tokens[0].token.0.clone();
        show(buyer, pass, now)
    }

    /// Reserves mileage for a till of a shop.
    pub fn reservation(&self, merchant: MerchantId, till: &Device) -> OpBody {
        let expires = self.town.now().plus(Timestamp::HOUR).seconds();
        let (till, units) = (till.key_id(), Units::new(1_000).unwrap());
        OpBody::ReservePass { merchant, till, group: self.groups[0], units, expires, unit: None }
    }

    /// A new group, of this shop alone.
    pub async fn found(&self, shop: &Shop) -> GroupId {
        found(&self.town, shop).await
    }

    /// The admin's op that proposes the terms that a group has, from tomorrow on.
    pub fn proposes(&self, admin: &Shop, group: GroupId) -> Checked<Op> {
        let now = self.town.now();
        admin.device.op(now, OpBody::AmendTerms { group, terms: terms(), from: tomorrow(now) })
    }

    /// A member's agreement to what the admin has just proposed.
    pub async fn proposal(&self, admin: &Shop, group: GroupId) -> OpBody {
        let proposes = self.proposes(admin, group);
        self.town.applied(&[&proposes]).await;
        OpBody::AnswerAmendment { group, amendment: proposes.value().id, agrees: true }
    }

    /// The buyer's choice of the first group.
    pub fn choice(&self) -> Choice {
        Choice { group: self.groups[0], terms_version: 1 }
    }
}

/// A pass as its buyer shows it.
pub fn show(buyer: &Device, pass: Vec<u8>, now: Timestamp) -> Vec<u8> {
    let code = PassCode { version: OP_VERSION, pass, shown: now.seconds() };
    Checked::sign(code, &buyer.key).unwrap().bytes().to_vec()
}

/// A phone whose key the server does not know.
pub fn stranger() -> Device {
    device(SoftwareKey::generate().unwrap().0, AccountId([0xee; 16]))
}

/// A shop that is not in the directory.
pub const NO_SHOP: MerchantId = MerchantId([0xee; 16]);
/// A group that was never founded.
pub const NO_GROUP: GroupId = GroupId([0xee; 16]);

fn device(key: SoftwareKey, account: AccountId) -> Device {
    let (server_key, now) = (Base64(Vec::new()), Timestamp(0));
    Device::new(key, moa_wire::api::Enrolled { account, server_key, now, recovery: None })
}

/// Enrols a key as the server does after the six digits, on its own word: the digits have tests of their own.
async fn enrol(town: &Town, server: &SoftwareKey, account: Option<AccountId>) -> Device {
    let (key, _) = SoftwareKey::generate().unwrap();
    let mut id = [0; 16];
    id[..8].copy_from_slice(&key.key_id().0);
    let (account, subject) = (account.unwrap_or(AccountId(id)), (key.key_id(), key.public_key()));
    let op = system::enrol_device(server, id, town.now(), (account, subject.0, subject.1), false).unwrap().op;
    town.applied(&[&op]).await;
    device(key, account)
}

async fn open_shop(town: &Town, server: &SoftwareKey) -> Shop {
    let device = enrol(town, server, None).await;
    let profile = MerchantProfile::new("Shop", Currency::KRW, None);
    let op = device.op(town.now(), OpBody::RegisterMerchant { profile });
    town.applied(&[&op]).await;
    Shop { device, merchant: op.value().id.as_merchant() }
}

async fn found(town: &Town, shop: &Shop) -> GroupId {
    let op = shop.device.op(town.now(), founding());
    town.applied(&[&op]).await;
    op.value().id.as_group()
}

/// A group under [`terms`].
pub fn founding() -> OpBody {
    OpBody::FoundGroup { profile: Profile::new("Alley", Scope::Area), terms: terms() }
}

/// 3 %, of three days' mileage, usable from 1,000.
pub fn terms() -> Terms {
    let (rate, minimum) = (BasisPoints::new(300).unwrap(), Units::new(1_000).unwrap());
    Terms::points(rate, Validity::Days(3), minimum)
}

/// In a day and an hour, in seconds since 1970.
pub fn tomorrow(now: Timestamp) -> u64 {
    now.plus(Timestamp::DAY + Timestamp::HOUR).seconds()
}
