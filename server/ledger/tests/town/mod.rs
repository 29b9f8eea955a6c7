//! People and shops with real keys, who sign real ops.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test file uses its own part of the town")]

pub mod acts;
pub mod aftermath;
pub mod inner;
pub mod lively;
pub mod stores;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moa_ledger::given::token;
use moa_ledger::store::{Answer, Outcome, Store};
use moa_ledger::tables::system_device;
use moa_rules::device::Device;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::lot::Usable;
use moa_rules::member::{Buyer, Found, MemberCode, STEP_SECONDS};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::{Carried, Choice, OP_VERSION, Op, OpBody, RedemptionCode};
use moa_rules::pass::PassCode;
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::staff::{Limits, StaffInvitation};
use moa_rules::terms::{Basis, Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::submission::{Parsed, Submission};
use moa_wire::token::Checked;

/// 2 March 2026, 12:00 in Seoul.
pub const START: Timestamp = Timestamp(1_772_420_400_000);

pub struct Actor {
    pub key: SoftwareKey,
    pub account: AccountId,
    counter: AtomicU64,
    ids: Ids,
}

/// Ids in order, so that a run can be told again.
#[derive(Clone)]
pub struct Ids(Arc<AtomicU64>);

impl Ids {
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1)))
    }

    fn bytes(&self, version: u8) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes[6] = version << 4;
        bytes[8] |= 0x80;
        bytes
    }

    pub fn account(&self) -> AccountId {
        AccountId(self.bytes(4))
    }
}

impl Actor {
    pub fn new(ids: &Ids) -> Self {
        let (key, _) = SoftwareKey::generate().unwrap();
        Self { key, account: ids.account(), counter: AtomicU64::new(0), ids: ids.clone() }
    }

    pub fn key_id(&self) -> KeyId {
        self.key.key_id()
    }

    pub fn next_counter(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn op(&self, body: OpBody, at: Timestamp) -> Op {
        let (id, actor) = (OpId(self.ids.bytes(7)), self.key_id());
        Op { version: OP_VERSION, id, actor, counter: self.next_counter(), time: at.seconds(), body }
    }

    pub fn sign(&self, op: Op) -> Checked<Op> {
        Checked::sign(op, &self.key).unwrap()
    }

    pub fn code(&self, group: GroupId, most: i64, at: Timestamp) -> Vec<u8> {
        let expires = at.plus(RedemptionCode::LIFETIME).seconds();
        let (key, counter, most) = (self.key_id(), self.next_counter(), Units::new(most).unwrap());
        let code = RedemptionCode { version: OP_VERSION, key, counter, expires, group, most, unit: None };
        Checked::sign(code, &self.key).unwrap().bytes().to_vec()
    }
}

pub struct Shop {
    pub actor: Actor,
    pub id: MerchantId,
}

pub struct Town<S> {
    pub store: Arc<S>,
    pub system: Actor,
    pub ids: Ids,
    pub now: Timestamp,
}

pub fn system() -> (Actor, Device) {
    let actor = Actor::new(&Ids::new());
    let device = system_device(actor.key.public_key());
    (actor, device)
}

impl<S: Store> Town<S> {
    pub fn new(store: Arc<S>, system: Actor) -> Self {
        Self { store, system, ids: Ids::new(), now: START }
    }

    /// Checks an op as the server does: keys from the store, every signature.
    pub fn check(&self, signed: &Checked<Op>) -> Result<Submission, Refusal> {
        let parsed = Parsed::parse(signed.bytes())?;
        let key = |key| self.store.device(key).unwrap().map(|device| device.public_key);
        let mut submission = parsed.check(key)?;
        // Whether a ticket is genuine only the server's pepper tells; here every one is.
        let ticket = match &submission.op.value().body {
            OpBody::JoinGroup { invitation, .. } => invitation.as_ref(),
            OpBody::DeclineInvitation { ticket } => Some(ticket),
            _ => None,
        };
        if ticket.is_some_and(|ticket| ticket.mac.is_some()) {
            submission.carried = Carried::Ticket;
        }
        Ok(submission)
    }

    pub fn submit(&self, signed: &Checked<Op>) -> Outcome {
        let submission = match self.check(signed) {
            Ok(submission) => submission,
            Err(refusal) => return Outcome::First(Answer::Refused(refusal)),
        };
        self.store.commit(&[submission], self.now).unwrap().outcomes.remove(0)
    }

    pub fn apply(&self, actor: &Actor, body: OpBody) -> OpId {
        let signed = actor.sign(actor.op(body, self.now));
        assert_eq!(self.submit(&signed), Outcome::First(Answer::Applied));
        signed.value().id
    }

    pub fn refuse(&self, actor: &Actor, body: OpBody) -> Refusal {
        match self.submit(&actor.sign(actor.op(body, self.now))) {
            Outcome::First(Answer::Refused(refusal)) => refusal,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    pub fn system_op(&self, body: OpBody) -> Checked<Op> {
        let mut op = self.system.op(body, self.now);
        op.id = OpId(self.ids.bytes(8));
        self.system.sign(op)
    }

    pub fn enrol(&self) -> Actor {
        let actor = Actor::new(&self.ids);
        let (account, key, public_key) = (actor.account, actor.key_id(), actor.key.public_key());
        let op = self.system_op(OpBody::EnrolDevice { account, key, public_key, proved: Some(true) });
        assert_eq!(self.submit(&op), Outcome::First(Answer::Applied));
        actor
    }

    pub fn shop(&self, name: &str) -> Shop {
        let actor = self.enrol();
        let profile = shop_profile(name);
        let id = self.apply(&actor, OpBody::RegisterMerchant { profile }).as_merchant();
        Shop { actor, id }
    }

    /// A further phone of someone's; whether they proved more than the number.
    pub fn further(&self, of: &Actor, proved: bool) -> Actor {
        let actor = Actor { account: of.account, ..Actor::new(&self.ids) };
        let (account, key, public_key) = (actor.account, actor.key_id(), actor.key.public_key());
        let op = self.system_op(OpBody::EnrolDevice { account, key, public_key, proved: Some(proved) });
        assert_eq!(self.submit(&op), Outcome::First(Answer::Applied));
        actor
    }

    /// The server is told that someone runs it, or no more.
    pub fn appoint(&self, account: AccountId, operator: bool) {
        let op = self.system_op(OpBody::AppointOperator { account, operator });
        assert_eq!(self.submit(&op), Outcome::First(Answer::Applied));
    }

    /// Someone joins a shop's staff.
    pub fn hire(&self, shop: &Shop, clerk: &Actor, per_sale: i64, per_day: i64) {
        let limits = Limits { per_sale: Money(per_sale), per_day: Money(per_day) };
        let (key, counter) = (shop.actor.key_id(), shop.actor.next_counter());
        let expires = self.now.plus(Timestamp::DAY).seconds();
        let invitation = StaffInvitation { version: OP_VERSION, key, counter, expires, limits };
        let invitation = Checked::sign(invitation, &shop.actor.key).unwrap().bytes().to_vec();
        self.apply(clerk, OpBody::JoinStaff { invitation });
    }

    /// A pass for a till, of so many hours.
    pub fn reserve(
        &self,
        buyer: &Actor,
        (shop, till): (&Shop, &Actor),
        group: GroupId,
        units: i64,
        hours: i64,
    ) -> OpId {
        let (merchant, till, units) = (shop.id, till.key_id(), Units::new(units).unwrap());
        let expires = self.now.plus(hours * Timestamp::HOUR).seconds();
        self.apply(buyer, OpBody::ReservePass { merchant, till, group, units, expires, unit: None })
    }

    /// The pass of an op that reserved one, as its buyer's phone shows it now.
    pub fn pass_code(&self, buyer: &Actor, op: OpId, body: &OpBody) -> Vec<u8> {
        let op = Op { id: op, ..buyer.op(body.clone(), self.now) };
        let pass = token(&self.system.key, &op, &buyer.key.public_key()).unwrap().unwrap();
        let code = PassCode { version: OP_VERSION, pass, shown: self.now.seconds() };
        Checked::sign(code, &buyer.key).unwrap().bytes().to_vec()
    }

    /// A till takes a pass that a buyer shows.
    pub fn take(&self, buyer: &Actor, till: &Actor, pass: OpId, units: i64) -> Outcome {
        let stored = self.store.passes_for(buyer.account, till.key_id(), 0).unwrap();
        let stored = stored.into_iter().find(|stored| stored.id == pass).unwrap();
        let reserved = OpBody::ReservePass {
            merchant: stored.merchant,
            till: stored.till,
            group: stored.group,
            units: stored.units(),
            expires: stored.expires,
            unit: None,
        };
        let code = self.pass_code(buyer, pass, &reserved);
        let body = OpBody::RedeemPass { code, units: Units::new(units).unwrap() };
        self.submit(&till.sign(till.op(body, self.now)))
    }

    pub fn group(&self, terms: Terms, members: &[&Shop]) -> GroupId {
        let (founder, others) = members.split_first().unwrap();
        let profile = alley();
        let group = self.apply(&founder.actor, OpBody::FoundGroup { profile, terms }).as_group();
        for shop in others {
            self.apply(&shop.actor, OpBody::JoinGroup { group, terms_version: 1, invitation: None });
        }
        group
    }

    pub fn sale(&self, shop: &Shop, amount: i64) -> Checked<Op> {
        let body = OpBody::RecordSale { amount: Money(amount), addressee: None, redemption: None };
        shop.actor.sign(shop.actor.op(body, self.now))
    }

    /// A sale to a buyer who showed a member code, as the server submits it once it has found whose code it is.
    pub fn sell_to(&self, shop: &Shop, buyer: &Actor, amount: i64) -> (OpId, Outcome) {
        let step = u32::try_from(self.now.seconds() / STEP_SECONDS).unwrap();
        let code = MemberCode { tag: buyer.account.0, step, mac: [7; 8] };
        let body = OpBody::SellTo { amount: Money(amount), buyer: Buyer::Member(code), redemption: None };
        let signed = shop.actor.sign(shop.actor.op(body, self.now));
        let mut submission = self.check(&signed).unwrap();
        submission.carried = Carried::Buyer(Found::Account(buyer.account));
        let outcome = self.store.commit(&[submission], self.now).unwrap().outcomes.remove(0);
        (signed.value().id, outcome)
    }

    pub fn claim(&self, buyer: &Actor, sale: &Checked<Op>, group: GroupId) -> Checked<Op> {
        let choice = Some(Choice { group, terms_version: 1 });
        buyer.sign(buyer.op(OpBody::Claim { sale: sale.bytes().to_vec(), choice }, self.now))
    }

    pub fn earn(&self, shop: &Shop, buyer: &Actor, group: GroupId, amount: i64) {
        let claim = self.claim(buyer, &self.sale(shop, amount), group);
        assert_eq!(self.submit(&claim), Outcome::First(Answer::Applied));
    }

    pub fn redeem(&self, shop: &Shop, buyer: &Actor, group: GroupId, units: i64) -> Outcome {
        let code = buyer.code(group, units, self.now);
        let body = OpBody::Redeem { code, units: Units::new(units).unwrap() };
        self.submit(&shop.actor.sign(shop.actor.op(body, self.now)))
    }

    pub fn balance(&self, buyer: &Actor, group: GroupId) -> i64 {
        let lots = self.store.lots(buyer.account).unwrap();
        lots.iter()
            .filter(|lot| lot.group == group && lot.usable(&Usable::new(None, self.now)))
            .map(|lot| lot.remaining.get())
            .sum()
    }
}

pub fn points(rate_bp: u16, minimum: i64, basis: Basis) -> Terms {
    let rate = BasisPoints::new(rate_bp).unwrap();
    Terms { basis, ..Terms::points(rate, Validity::Months(6), Units::new(minimum).unwrap()) }
}

pub fn shop_profile(name: &str) -> MerchantProfile {
    MerchantProfile::new(name, Currency::KRW, None)
}

pub fn alley() -> Profile {
    Profile::new("Alley", Scope::Building)
}
