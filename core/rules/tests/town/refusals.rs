//! One table: each way to be refused, and that it changes nothing.

mod joining;
mod ledger;

use moa_rules::device::{KeyKind, MOST_KEYS};
use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, KeyId, MerchantId, OpId};
use moa_rules::merchant::{MerchantProfile, Place};
use moa_rules::op::{Carried, Choice, OP_VERSION, Op, OpBody};
use moa_rules::pass::MOST_PASSES;
use moa_rules::quantity::{Currency, Money};
use moa_rules::staff::StaffInvitation;
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};

use crate::driver::{Parcel, Person, SYSTEM, Shop, Town, points, units};

/// A town in which every refusal can be provoked.
struct Scene {
    town: Town,
    shop: Shop,
    loner: Shop,
    buyer: Person,
    group: GroupId,
}

fn scene() -> Scene {
    let mut town = Town::new();
    let (shop, loner, buyer) = (town.shop(), town.shop(), town.person());
    let group = town.group(shop, points(1_000, 500));
    town.earn(shop, buyer, group, 10_000);
    Scene { town, shop, loner, buyer, group }
}

impl Scene {
    fn op(&mut self, actor: KeyId, body: OpBody) -> Parcel {
        self.town.op(actor, body).into()
    }

    fn sell(&mut self, spoil: impl FnOnce(&mut Op)) -> Parcel {
        let mut sale = self.town.sale(self.shop, 10_000);
        spoil(&mut sale);
        sale.into()
    }

    fn claim(&mut self, spoil: impl FnOnce(&mut Op)) -> Parcel {
        let mut sale = self.town.sale(self.shop, 10_000);
        spoil(&mut sale);
        self.town.claim(self.buyer, &sale, self.group)
    }

    fn found(&mut self, spoil: impl FnOnce(&mut Profile, &mut Terms)) -> Parcel {
        let mut profile = Profile::new("시장", Scope::Building);
        let mut terms = points(300, 0);
        spoil(&mut profile, &mut terms);
        self.op(self.shop.owner.key, OpBody::FoundGroup { profile, terms })
    }

    fn register(&mut self, profile: MerchantProfile) -> Parcel {
        self.op(self.buyer.key, OpBody::RegisterMerchant { profile })
    }

    fn join(&mut self, group: GroupId, terms_version: u32) -> Parcel {
        self.op(self.loner.owner.key, OpBody::JoinGroup { group, terms_version, invitation: None })
    }

    fn redeem(&mut self, shop: Shop, most: i64, asked: i64) -> Parcel {
        let code = self.town.code(self.buyer, self.group, most);
        self.town.redeem_with(shop, code, asked)
    }

    /// A counter that the shop's key has used.
    fn used_counter(&self) -> u64 {
        let of_shop = |(key, _): &&(KeyId, u64)| *key == self.shop.owner.key;
        self.town.tables.counters.iter().find(of_shop).unwrap().1
    }

    fn revoke(&mut self, key: KeyId) {
        let operator = self.town.operator();
        let revocation = self.town.revoke(operator.key, key);
        self.town.send(&revocation).unwrap();
    }

    /// A phone of the buyer's that does not pay yet.
    fn new_phone(&mut self) -> Person {
        self.town.further_phone(self.buyer.account)
    }

    /// Someone joins the shop's staff on an invitation that is spoiled somehow.
    fn join_staff(&mut self, spoil: impl FnOnce(&mut StaffInvitation)) -> Parcel {
        let mut invitation = self.town.invitation(self.shop.owner.key, 10_000, 20_000);
        spoil(&mut invitation);
        self.town.join_staff(self.buyer, invitation)
    }

    fn sell_as_clerk(&mut self, amount: i64) -> Parcel {
        let clerk = self.town.clerk(self.shop, 10_000, 20_000);
        let sale = self.town.sale_by(clerk.key, 10_000);
        self.town.send(&sale.into()).unwrap();
        self.town.sale_by(clerk.key, amount).into()
    }

    /// The shop's tills may sell so much together; its owner's till has half of that.
    fn allow(&mut self, most: i64) {
        let operator = self.town.operator();
        let set = self.town.set_allowance(operator.key, self.shop, most);
        self.town.send(&set).unwrap();
        if most > 0 {
            self.town.renew(self.shop.owner.key);
        }
    }

    fn reserve(&mut self, asked: i64, hours: i64) -> Parcel {
        let till = (self.shop, self.shop.owner.key);
        self.town.reserve(self.buyer, till, self.group, asked, hours * Timestamp::HOUR)
    }

    fn pass(&mut self) -> OpId {
        self.town.pass(self.buyer, (self.shop, self.shop.owner.key), self.group, 100)
    }

    fn take(&mut self, pass: OpId, asked: i64) -> Parcel {
        self.town.redeem_pass(self.shop.owner.key, pass, self.buyer.key, asked)
    }
}

fn profile() -> MerchantProfile {
    MerchantProfile::new("새 가게", Currency::KRW, None)
}

const STRANGER: KeyId = KeyId([7; 8]);
const NOWHERE: GroupId = GroupId([7; 16]);

type Case = (&'static str, fn(&mut Scene) -> Parcel);

const OPS: &[Case] = &[
    ("unsupported_version", |s| s.sell(|op| op.version = OP_VERSION + 1)),
    ("unknown_key", |s| s.sell(|op| op.actor = STRANGER)),
    ("revoked_key", |s| {
        s.revoke(s.shop.owner.key);
        s.sell(|_| {})
    }),
    ("bad_op_id", |s| s.sell(|op| op.id.0[6] = 0x80)),
    ("bad_op_id", |s| {
        let mut sweep = s.town.sweep(s.buyer.account, s.group);
        sweep.op.id.0[6] = 0x70;
        sweep
    }),
    ("bad_op_id", |s| {
        let known = *s.town.tables.sales.keys().next().unwrap();
        s.sell(|op| op.id = known.1)
    }),
    ("counter_used", |s| {
        let used = s.used_counter();
        s.sell(|op| op.counter = used)
    }),
    ("not_allowed", |s| s.op(SYSTEM, OpBody::RegisterMerchant { profile: profile() })),
    ("not_allowed", |s| {
        s.op(SYSTEM, OpBody::RecordSale { amount: Money(1), addressee: None, redemption: None })
    }),
    ("not_allowed", |s| {
        let body = OpBody::ExpireLots { group: s.group, account: s.buyer.account };
        s.op(s.buyer.key, body)
    }),
    ("not_allowed", |s| {
        let (account, key) = (s.buyer.account, STRANGER);
        s.op(s.buyer.key, OpBody::EnrolDevice { account, key, public_key: vec![4; 65], proved: None })
    }),
    ("not_allowed", |s| {
        let (account, key) = (s.buyer.account, s.shop.owner.key);
        s.op(SYSTEM, OpBody::EnrolDevice { account, key, public_key: vec![4; 65], proved: None })
    }),
];

const SHOPS_AND_GROUPS: &[Case] = &[
    ("key_has_merchant", |s| s.op(s.shop.owner.key, OpBody::RegisterMerchant { profile: profile() })),
    ("no_merchant", |s| {
        s.op(s.buyer.key, OpBody::RecordSale { amount: Money(1), addressee: None, redemption: None })
    }),
    ("no_merchant", |s| {
        let body = OpBody::JoinGroup { group: s.group, terms_version: 1, invitation: None };
        s.op(s.buyer.key, body)
    }),
    ("bad_name", |s| s.register(MerchantProfile { name: " ".into(), ..profile() })),
    ("bad_name", |s| s.found(|profile, _| profile.name = "가".repeat(61))),
    ("bad_place", |s| {
        s.register(MerchantProfile { place: Some(Place { lat_e6: 90_000_001, lon_e6: 0 }), ..profile() })
    }),
    ("bad_place", |s| {
        s.register(MerchantProfile { place: Some(Place { lat_e6: 0, lon_e6: i32::MIN }), ..profile() })
    }),
    ("bad_terms", |s| s.found(|_, terms| terms.validity = Validity::Months(0))),
    ("bad_terms", |s| s.found(|_, terms| terms.unit_value = Money(0))),
    ("unknown_zone", |s| s.found(|_, terms| terms.zone = "Seoul".into())),
    ("currency_differs", |s| s.found(|_, terms| terms.currency = Currency::try_from("USD").unwrap())),
    ("currency_differs", |s| {
        let group = s.town.tables.groups[&s.group].clone();
        let version = s.town.tables.terms[&(s.group, 1)].clone();
        let terms = Terms { currency: Currency::try_from("USD").unwrap(), ..version.terms.clone() };
        let group = Group { id: NOWHERE, ..group };
        s.town.put_group(group, TermsVersion { group: NOWHERE, terms, ..version });
        s.join(NOWHERE, 1)
    }),
    ("unknown_group", |s| s.join(NOWHERE, 1)),
    ("terms_changed", |s| s.join(s.group, 2)),
    ("already_member", |s| {
        let body = OpBody::JoinGroup { group: s.group, terms_version: 1, invitation: None };
        s.op(s.shop.owner.key, body)
    }),
];

const SALES_AND_CLAIMS: &[Case] = &[
    ("amount_not_positive", |s| {
        s.sell(|op| op.body = OpBody::RecordSale { amount: Money(0), addressee: None, redemption: None })
    }),
    ("amount_not_positive", |s| {
        s.claim(|op| op.body = OpBody::RecordSale { amount: Money(-5), addressee: None, redemption: None })
    }),
    ("amount_too_large", |s| {
        let amount = Money(1_000_000_000_000_000);
        s.claim(|op| op.body = OpBody::RecordSale { amount, addressee: None, redemption: None })
    }),
    ("sale_dated_ahead", |s| s.sell(|op| op.time += 2 * 86_400)),
    ("sale_dated_ahead", |s| s.claim(|op| op.time = u64::MAX)),
    ("sale_too_old", |s| s.claim(|op| op.time = 0)),
    ("voucher_expired", |s| s.claim(|op| op.time -= 901)),
    ("not_a_sale", |s| {
        let claim = s.claim(|_| {});
        Parcel { carried: Carried::None, ..claim }
    }),
    ("not_a_sale", |s| {
        s.claim(|op| op.body = OpBody::JoinGroup { group: NOWHERE, terms_version: 1, invitation: None })
    }),
    ("unknown_key", |s| s.claim(|op| op.actor = STRANGER)),
    ("no_merchant", |s| {
        let key = s.town.person().key;
        s.claim(|op| op.actor = key)
    }),
    ("revoked_key", |s| {
        s.revoke(s.shop.owner.key);
        s.claim(|_| {})
    }),
    ("counter_used", |s| {
        let used = s.used_counter();
        s.claim(|op| op.counter = used)
    }),
    ("unsupported_version", |s| s.claim(|op| op.version = OP_VERSION + 1)),
    ("not_allowed", |s| {
        let mut claim = s.claim(|_| {});
        claim.op.actor = SYSTEM;
        claim.op.id.0[6] = 0x80;
        claim
    }),
    ("seller_in_no_group", |s| {
        let sale = s.town.sale(s.loner, 10_000);
        s.town.claim_for(s.buyer, &sale, None)
    }),
    ("seller_not_in_group", |s| {
        let sale = s.town.sale(s.loner, 10_000);
        s.town.claim(s.buyer, &sale, s.group)
    }),
    ("unknown_group", |s| {
        let sale = s.town.sale(s.shop, 10_000);
        s.town.claim_for(s.buyer, &sale, Some(Choice { group: NOWHERE, terms_version: 1 }))
    }),
    ("earns_nothing", |s| {
        s.claim(|op| op.body = OpBody::RecordSale { amount: Money(9), addressee: None, redemption: None })
    }),
];

const REDEMPTIONS: &[Case] = &[
    ("units_not_positive", |s| s.redeem(s.shop, 100, 0)),
    ("more_than_code", |s| s.redeem(s.shop, 100, 101)),
    ("not_enough", |s| s.redeem(s.shop, 5_000, 1_001)),
    ("below_minimum", |s| {
        let spent = s.redeem(s.shop, 600, 600);
        s.town.send(&spent).unwrap();
        s.redeem(s.shop, 1, 1)
    }),
    ("shop_not_in_group", |s| s.redeem(s.loner, 100, 100)),
    ("code_expired", |s| {
        let redemption = s.redeem(s.shop, 100, 100);
        s.town.now = Timestamp::from_seconds(s.town.now.seconds() + 180).plus(1);
        redemption
    }),
    ("not_a_code", |s| {
        let redemption = s.redeem(s.shop, 100, 100);
        Parcel { carried: Carried::None, ..redemption }
    }),
    ("unsupported_version", |s| {
        let mut code = s.town.code(s.buyer, s.group, 100);
        code.version = OP_VERSION + 1;
        s.town.redeem_with(s.shop, code, 100)
    }),
    ("unknown_key", |s| {
        let mut code = s.town.code(s.buyer, s.group, 100);
        code.key = STRANGER;
        s.town.redeem_with(s.shop, code, 100)
    }),
    ("not_allowed", |s| {
        let mut code = s.town.code(s.buyer, s.group, 100);
        code.key = SYSTEM;
        s.town.redeem_with(s.shop, code, 100)
    }),
    ("revoked_key", |s| {
        s.revoke(s.buyer.key);
        s.redeem(s.shop, 100, 100)
    }),
    ("unknown_group", |s| {
        let code = s.town.code(s.buyer, NOWHERE, 100);
        s.town.redeem_with(s.shop, code, 100)
    }),
    ("no_merchant", |s| {
        let mut redemption = s.redeem(s.shop, 100, 100);
        redemption.op.actor = s.buyer.key;
        redemption
    }),
    ("nothing_expired", |s| s.town.sweep(s.buyer.account, s.group)),
];

const KEYS: &[Case] = &[
    ("key_expired", |s| {
        let browser = s.town.browser_until(s.buyer.key, 1).unwrap();
        s.town.wait(1);
        s.town.stand(Person { key: browser, ..s.buyer }, &[], true)
    }),
    ("device_too_new", |s| {
        let new = s.new_phone();
        s.town.pay(new, s.shop, s.group, 100)
    }),
    ("device_too_new", |s| {
        let new = s.new_phone();
        s.town.admit(new.key, new.key)
    }),
    ("device_too_new", |s| {
        let new = s.new_phone();
        let until = s.town.now.plus(1);
        let body =
            OpBody::AddKey { key: STRANGER, public_key: vec![4; 65], kind: KeyKind::Browser { until } };
        s.op(new.key, body)
    }),
    ("unknown_device", |s| s.town.revoke(s.buyer.key, STRANGER)),
    ("unknown_device", |s| s.town.revoke(s.buyer.key, s.shop.owner.key)),
    ("unknown_device", |s| s.town.revoke(s.buyer.key, SYSTEM)),
    ("unknown_device", |s| s.town.admit(s.buyer.key, s.shop.owner.key)),
    ("revoked_key", |s| {
        let new = s.new_phone();
        s.revoke(new.key);
        s.town.admit(s.buyer.key, new.key)
    }),
    ("too_many_keys", |s| {
        for _ in 1..MOST_KEYS {
            s.town.device(s.buyer.account);
        }
        let (account, key) = (s.buyer.account, STRANGER);
        s.op(SYSTEM, OpBody::EnrolDevice { account, key, public_key: vec![4; 65], proved: None })
    }),
    ("session_too_long", |s| {
        let until = s.town.now;
        let body =
            OpBody::AddKey { key: STRANGER, public_key: vec![4; 65], kind: KeyKind::Browser { until } };
        s.op(s.buyer.key, body)
    }),
    ("not_allowed", |s| {
        let body = OpBody::AddKey { key: STRANGER, public_key: vec![4; 65], kind: KeyKind::Phone };
        s.op(s.buyer.key, body)
    }),
    ("not_allowed", |s| {
        let key = s.shop.owner.key;
        let until = s.town.now.plus(1);
        let body = OpBody::AddKey { key, public_key: vec![4; 65], kind: KeyKind::Browser { until } };
        s.op(s.buyer.key, body)
    }),
    ("no_merchant", |s| s.town.act_for(s.buyer.key, MerchantId([7; 16]))),
    ("not_allowed", |s| s.town.act_for(s.buyer.key, s.shop.merchant)),
    ("key_has_merchant", |s| s.town.act_for(s.shop.owner.key, s.shop.merchant)),
    ("not_allowed", |s| {
        let account = s.buyer.account;
        s.op(s.buyer.key, OpBody::AppointOperator { account, operator: true })
    }),
    ("not_allowed", |s| {
        let body = OpBody::AppointAdmin { group: s.group, merchant: s.loner.merchant };
        s.op(s.loner.owner.key, body)
    }),
    ("shop_not_in_group", |s| {
        let body = OpBody::AppointAdmin { group: s.group, merchant: s.loner.merchant };
        s.op(s.shop.owner.key, body)
    }),
];

const STAFF: &[Case] = &[
    ("not_an_invitation", |s| {
        let joining = s.join_staff(|_| {});
        Parcel { carried: Carried::None, ..joining }
    }),
    ("not_an_invitation", |s| {
        let buyer = s.town.person().key;
        s.join_staff(|invitation| invitation.key = buyer)
    }),
    ("unsupported_version", |s| s.join_staff(|invitation| invitation.version += 1)),
    ("unknown_key", |s| s.join_staff(|invitation| invitation.key = STRANGER)),
    ("invitation_expired", |s| s.join_staff(|invitation| invitation.expires -= 86_401)),
    ("invitation_expired", |s| s.join_staff(|invitation| invitation.expires = u64::MAX)),
    ("invitation_used", |s| {
        let used = s.used_counter();
        s.join_staff(|invitation| invitation.counter = used)
    }),
    ("amount_not_positive", |s| s.join_staff(|invitation| invitation.limits.per_day = Money(0))),
    ("amount_too_large", |s| s.join_staff(|invitation| invitation.limits.per_sale = Money(i64::MAX))),
    ("already_staff", |s| {
        let joining = s.join_staff(|_| {});
        s.town.send(&joining).unwrap();
        s.buyer = s.town.device(s.buyer.account);
        s.join_staff(|_| {})
    }),
    ("not_staff", |s| s.town.remove_staff(s.shop.owner.key, s.shop, s.buyer.account)),
    ("not_staff", |s| {
        let clerk = s.town.clerk(s.shop, 10_000, 20_000);
        s.town.remove_staff(s.loner.owner.key, s.shop, clerk.account)
    }),
    ("over_sale_limit", |s| s.sell_as_clerk(10_001)),
    ("over_day_limit", |s| {
        let sale = s.sell_as_clerk(10_000);
        s.town.send(&sale).unwrap();
        s.town.sale_by(sale.op.actor, 1).into()
    }),
    ("own_sale", |s| {
        let sale = s.sell_as_clerk(10_000);
        let clerk = *s.town.tables.staff.keys().next().unwrap();
        s.town.claim(Person { account: clerk.1, key: sale.op.actor }, &sale.op, s.group)
    }),
];

const CERTIFICATES: &[Case] = &[
    ("certificate_expired", |s| {
        let sale = s.sell(|_| {});
        s.town.wait(7 * Timestamp::DAY);
        Parcel { op: Op { time: sale.op.time + 7 * 86_400 + 1, ..sale.op }, ..sale }
    }),
    ("certificate_used", |s| {
        s.allow(2_000);
        s.town.sale_by(s.shop.owner.key, 1_001).into()
    }),
    ("no_allowance", |s| {
        s.allow(0);
        s.town.renewal(s.shop.owner.key)
    }),
    ("no_merchant", |s| s.town.renewal(s.buyer.key)),
    ("not_allowed", |s| s.town.set_allowance(s.shop.owner.key, s.shop, 1)),
    ("amount_not_positive", |s| {
        let operator = s.town.operator();
        s.town.set_allowance(operator.key, s.shop, -1)
    }),
    ("amount_too_large", |s| {
        let operator = s.town.operator();
        s.town.set_allowance(operator.key, s.shop, i64::MAX)
    }),
];

const PASSES: &[Case] = &[
    ("approval_too_long", |s| {
        let mut pay = s.town.pay(s.buyer, s.shop, s.group, 100);
        if let OpBody::Pay { expires, .. } = &mut pay.op.body {
            *expires += 301;
        }
        pay
    }),
    ("shop_not_in_group", |s| s.town.pay(s.buyer, s.loner, s.group, 100)),
    ("units_not_positive", |s| s.town.pay(s.buyer, s.shop, s.group, 0)),
    ("not_enough", |s| s.town.pay(s.buyer, s.shop, s.group, 1_001)),
    ("pass_too_long", |s| s.reserve(100, 73)),
    ("pass_too_long", |s| s.reserve(100, -1)),
    ("pass_too_large", |s| {
        s.town.earn(s.shop, s.buyer, s.group, 2_000_000);
        s.reserve(100_001, 1)
    }),
    ("not_enough", |s| s.reserve(1_001, 1)),
    ("below_minimum", |s| {
        let held = s.reserve(501, 1);
        s.town.send(&held).unwrap();
        s.reserve(1, 1)
    }),
    ("too_many_passes", |s| {
        for _ in 0..MOST_PASSES {
            s.town.pass(s.buyer, (s.shop, s.shop.owner.key), s.group, 1);
        }
        s.reserve(1, 1)
    }),
    ("wrong_till", |s| s.town.reserve(s.buyer, (s.shop, s.loner.owner.key), s.group, 100, Timestamp::HOUR)),
    ("wrong_till", |s| {
        let pass = s.pass();
        s.town.redeem_pass(s.shop.owner.key, pass, STRANGER, 100)
    }),
    ("not_a_pass", |s| {
        let pass = s.pass();
        let take = s.take(pass, 100);
        Parcel { carried: Carried::None, ..take }
    }),
    ("unknown_pass", |s| s.take(OpId([7; 16]), 100)),
    ("unknown_pass", |s| s.town.release(s.shop, OpId([7; 16]))),
    ("more_than_code", |s| {
        let pass = s.pass();
        s.take(pass, 101)
    }),
    ("units_not_positive", |s| {
        let pass = s.pass();
        s.take(pass, 0)
    }),
    ("pass_spent", |s| {
        let pass = s.pass();
        let take = s.take(pass, 1);
        s.town.send(&take).unwrap();
        s.take(pass, 1)
    }),
    ("pass_released", |s| {
        let pass = s.pass();
        s.town.wait(28 * Timestamp::HOUR);
        let release = s.town.release(s.shop, pass);
        s.town.send(&release).unwrap();
        s.take(pass, 1)
    }),
    ("not_due", |s| {
        let pass = s.pass();
        s.town.release(s.shop, pass)
    }),
];

/// Reasons that the rules give for keys, staff, certificates, approvals and passes.
const REASONS: &[&str] = &[
    "key_expired",
    "device_too_new",
    "unknown_device",
    "too_many_keys",
    "session_too_long",
    "not_an_invitation",
    "invitation_expired",
    "invitation_used",
    "already_staff",
    "not_staff",
    "over_sale_limit",
    "over_day_limit",
    "certificate_expired",
    "certificate_used",
    "no_allowance",
    "approval_too_long",
    "pass_too_long",
    "pass_too_large",
    "too_many_passes",
    "not_a_pass",
    "unknown_pass",
    "pass_spent",
    "pass_released",
    "wrong_till",
];

#[test]
fn no_reason_is_without_a_scene() {
    let given: Vec<&str> = TABLES.iter().flat_map(|table| table.iter().map(|(code, _)| *code)).collect();
    for reason in REASONS.iter().chain(ledger::REASONS).chain(joining::REASONS) {
        assert!(given.contains(reason), "{reason}");
    }
}

const TABLES: [&[Case]; 13] = [
    OPS,
    SHOPS_AND_GROUPS,
    SALES_AND_CLAIMS,
    REDEMPTIONS,
    KEYS,
    STAFF,
    CERTIFICATES,
    PASSES,
    ledger::RETURNS,
    ledger::GIFTS,
    ledger::ALLIANCES,
    ledger::KINDS,
    joining::JOINING,
];

#[test]
fn each_reason_is_given_and_changes_nothing() {
    for table in TABLES {
        for (at, (code, provoke)) in table.iter().enumerate() {
            let mut scene = scene();
            let parcel = provoke(&mut scene);
            let before = (scene.town.tables.clone(), scene.town.books.clone());
            match scene.town.send(&parcel) {
                Err(refusal) => assert_eq!(refusal.code(), *code, "case {at} of {code}"),
                Ok(decision) => panic!("case {at} of {code} was applied: {decision:?}"),
            }
            assert_eq!((scene.town.tables, scene.town.books), before, "case {at} of {code}");
        }
    }
}

#[test]
fn a_key_enrolled_a_second_time_for_the_same_account_is_no_change() {
    let mut scene = scene();
    let (account, key) = (scene.buyer.account, scene.buyer.key);
    let again = scene.op(SYSTEM, OpBody::EnrolDevice { account, key, public_key: vec![4; 65], proved: None });
    assert_eq!(scene.town.send(&again).unwrap().events, []);
}

#[test]
fn ids_of_the_right_kind_are_taken_as_they_come() {
    let mut scene = scene();
    let mut sale = scene.sell(|_| {});
    sale.op.id = OpId([0x7f; 16]);
    scene.town.send(&sale).unwrap();
    assert_eq!(scene.town.events().last().map(|event| event.op), Some(OpId([0x7f; 16])));
    assert_eq!(scene.town.available(scene.buyer.account, scene.group), units(1_000).get());
}
