//! One table: each way to be refused, and that it changes nothing.

use moa_rules::device::Device;
use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, KeyId, OpId};
use moa_rules::merchant::{MerchantProfile, Place};
use moa_rules::op::{Carried, Choice, OP_VERSION, Op, OpBody};
use moa_rules::quantity::{Currency, Money};
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
        let mut profile = Profile { name: "시장".into(), scope: Scope::Building };
        let mut terms = points(300, 0);
        spoil(&mut profile, &mut terms);
        self.op(self.shop.owner.key, OpBody::FoundGroup { profile, terms })
    }

    fn register(&mut self, profile: MerchantProfile) -> Parcel {
        self.op(self.buyer.key, OpBody::RegisterMerchant { profile })
    }

    fn join(&mut self, group: GroupId, terms_version: u32) -> Parcel {
        self.op(self.loner.owner.key, OpBody::JoinGroup { group, terms_version })
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
        let device = self.town.tables.devices[&key].clone();
        self.town.put_device(Device { revoked_at: Some(self.town.now), ..device });
    }
}

fn profile() -> MerchantProfile {
    MerchantProfile { name: "새 가게".into(), currency: Currency::KRW, place: None }
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
    ("not_allowed", |s| s.op(SYSTEM, OpBody::RecordSale { amount: Money(1), addressee: None })),
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
    ("no_merchant", |s| s.op(s.buyer.key, OpBody::RecordSale { amount: Money(1), addressee: None })),
    ("no_merchant", |s| {
        let body = OpBody::JoinGroup { group: s.group, terms_version: 1 };
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
        let body = OpBody::JoinGroup { group: s.group, terms_version: 1 };
        s.op(s.shop.owner.key, body)
    }),
];

const SALES_AND_CLAIMS: &[Case] = &[
    ("amount_not_positive", |s| {
        s.sell(|op| op.body = OpBody::RecordSale { amount: Money(0), addressee: None })
    }),
    ("amount_not_positive", |s| {
        s.claim(|op| op.body = OpBody::RecordSale { amount: Money(-5), addressee: None })
    }),
    ("amount_too_large", |s| {
        let amount = Money(1_000_000_000_000_000);
        s.claim(|op| op.body = OpBody::RecordSale { amount, addressee: None })
    }),
    ("sale_dated_ahead", |s| s.sell(|op| op.time += 2 * 86_400)),
    ("sale_dated_ahead", |s| s.claim(|op| op.time = u64::MAX)),
    ("sale_too_old", |s| s.claim(|op| op.time = 0)),
    ("voucher_expired", |s| s.claim(|op| op.time -= 901)),
    ("not_a_sale", |s| {
        let claim = s.claim(|_| {});
        Parcel { carried: Carried::None, ..claim }
    }),
    ("not_a_sale", |s| s.claim(|op| op.body = OpBody::JoinGroup { group: NOWHERE, terms_version: 1 })),
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
    ("earns_nothing", |s| s.claim(|op| op.body = OpBody::RecordSale { amount: Money(9), addressee: None })),
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

#[test]
fn each_reason_is_given_and_changes_nothing() {
    for table in [OPS, SHOPS_AND_GROUPS, SALES_AND_CLAIMS, REDEMPTIONS] {
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
