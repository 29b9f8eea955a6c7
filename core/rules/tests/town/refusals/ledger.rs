//! Refusals of holds, reversals, refunds, voids, grants; of kinds and terms; of members and groups that end.

use moa_rules::id::{GroupId, OpId};
use moa_rules::op::{Carried, OpBody};
use moa_rules::period::{CutDay, Period};
use moa_rules::quantity::{BasisPoints, Currency, Money};
use moa_rules::terms::{Kind, StampCard, Terms, Unit};
use moa_rules::time::{Day, Timestamp, Validity, local_day};

use super::{Case, Scene};
use crate::driver::{Parcel, SYSTEM, Shop, points, units};

const NOTHING: OpId = OpId([7; 16]);

fn stamps() -> Terms {
    let card = StampCard { per: None, stamps: 3, reward: Money(300) };
    Terms::stamps(card, Validity::Days(10))
}

impl Scene {
    /// Sends what is to be applied, and returns its op.
    fn done(&mut self, parcel: &Parcel) -> OpId {
        self.town.send(parcel).unwrap();
        parcel.op.id
    }

    fn hold(&mut self, seconds: Option<u32>) -> Parcel {
        let code = self.town.code(self.buyer, self.group, 100);
        self.town.hold_with(self.shop.owner.key, code, 100, seconds)
    }

    fn held(&mut self) -> OpId {
        let hold = self.hold(None);
        self.done(&hold)
    }

    fn capture(&mut self, hold: OpId, asked: i64) -> Parcel {
        self.town.capture(self.shop.owner.key, hold, asked)
    }

    fn redeemed(&mut self) -> OpId {
        let redemption = self.redeem(self.shop, 100, 100);
        self.done(&redemption)
    }

    /// A sale of 10,000 that nobody has claimed.
    fn sold(&mut self) -> OpId {
        let sale = self.sell(|_| {});
        self.done(&sale)
    }

    fn refund(&mut self, sale: OpId, amount: i64) -> Parcel {
        self.town.refund(self.shop.owner.key, sale, amount)
    }

    fn void(&mut self, sale: OpId) -> Parcel {
        self.town.void(self.shop.owner.key, sale)
    }

    fn grant(&mut self, given: i64, days: Option<i32>) -> Parcel {
        let today = Day::from(local_day(self.town.now, &points(1, 0).tz()));
        let last_day = days.map(|days| Day(today.0 + days));
        self.town.grant(self.shop.owner.key, self.buyer.account, self.group, given, last_day)
    }

    fn take_away(&mut self, asked: i64) -> Parcel {
        self.town.take_away(self.shop.owner.key, self.buyer.account, self.group, (asked, None))
    }

    /// The loner joins.
    fn two(&mut self) -> Shop {
        self.town.join(self.loner, self.group);
        self.loner
    }

    fn freeze(&mut self) {
        let freeze = self.town.freeze(SYSTEM, self.group, self.shop.merchant, true);
        self.done(&freeze);
    }

    fn closing(&mut self) {
        let close = self.town.close_group(self.shop.owner.key, self.group);
        self.done(&close);
    }

    fn propose(&mut self, terms: Terms, seconds: i64) -> Parcel {
        let from = self.town.now.plus(seconds * Timestamp::SECOND);
        self.town.propose(self.shop.owner.key, self.group, terms, from)
    }

    fn answer(&mut self, shop: Shop, amendment: OpId) -> Parcel {
        self.town.answer(shop.owner.key, self.group, amendment, true)
    }

    /// A group of stamps, and three of them in the wallet.
    fn with_stamps(&mut self) -> GroupId {
        self.group = self.town.group(self.shop, stamps());
        for _ in 0..3 {
            self.town.earn(self.shop, self.buyer, self.group, 1_000);
        }
        self.group
    }
}

pub const RETURNS: &[Case] = &[
    ("hold_too_long", |s| s.hold(Some(86_401))),
    ("hold_too_long", |s| s.hold(Some(0))),
    ("not_a_code", |s| Parcel { carried: Carried::None, ..s.hold(None) }),
    ("below_minimum", |s| {
        let spent = s.redeem(s.shop, 600, 600);
        s.done(&spent);
        s.hold(None)
    }),
    ("shop_not_in_group", |s| {
        let code = s.town.code(s.buyer, s.group, 100);
        s.town.hold_with(s.loner.owner.key, code, 100, None)
    }),
    ("no_merchant", |s| {
        let code = s.town.code(s.buyer, s.group, 100);
        s.town.hold_with(s.buyer.key, code, 100, None)
    }),
    ("bad_op_id", |s| {
        let hold = s.held();
        let mut again = s.hold(None);
        again.op.id = hold;
        again
    }),
    ("unknown_hold", |s| s.capture(NOTHING, 1)),
    ("unknown_hold", |s| s.town.void_hold(s.shop.owner.key, NOTHING)),
    ("unknown_hold", |s| s.town.lapse_hold(s.shop.merchant, NOTHING)),
    ("units_not_positive", |s| {
        let hold = s.held();
        s.capture(hold, 0)
    }),
    ("more_than_code", |s| {
        let hold = s.held();
        s.capture(hold, 101)
    }),
    ("hold_over", |s| {
        let hold = s.held();
        s.town.wait(10 * Timestamp::MINUTE + 1);
        s.capture(hold, 1)
    }),
    ("hold_over", |s| {
        let hold = s.held();
        let taken = s.capture(hold, 1);
        s.done(&taken);
        s.town.void_hold(s.shop.owner.key, hold)
    }),
    ("not_due", |s| {
        let hold = s.held();
        s.town.lapse_hold(s.shop.merchant, hold)
    }),
    ("not_allowed", |s| {
        let hold = s.held();
        s.op(s.shop.owner.key, OpBody::LapseHold { merchant: s.shop.merchant, hold })
    }),
    ("unknown_redemption", |s| s.town.reverse(s.shop.owner.key, NOTHING)),
    ("unknown_redemption", |s| {
        let redemption = s.redeemed();
        s.town.reverse(s.loner.owner.key, redemption)
    }),
    ("already_reversed", |s| {
        let redemption = s.redeemed();
        let back = s.town.reverse(s.shop.owner.key, redemption);
        s.done(&back);
        s.town.reverse(s.shop.owner.key, redemption)
    }),
    ("no_merchant", |s| {
        let redemption = s.redeemed();
        s.town.reverse(s.buyer.key, redemption)
    }),
    ("unknown_sale", |s| s.refund(NOTHING, 1)),
    ("amount_not_positive", |s| {
        let sale = s.sold();
        s.refund(sale, 0)
    }),
    ("refund_too_large", |s| {
        let sale = s.sold();
        s.refund(sale, 10_001)
    }),
    ("sale_voided", |s| {
        let sale = s.sold();
        let void = s.void(sale);
        s.done(&void);
        s.refund(sale, 1)
    }),
    ("sale_voided", |s| {
        let sale = s.sell(|_| {});
        s.done(&sale);
        let void = s.void(sale.op.id);
        s.done(&void);
        s.town.claim(s.buyer, &sale.op, s.group)
    }),
    ("sale_voided", |s| {
        let sale = s.sold();
        let void = s.void(sale);
        s.done(&void);
        s.void(sale)
    }),
    ("unknown_sale", |s| s.void(NOTHING)),
    ("void_too_late", |s| {
        let sale = s.sold();
        s.town.wait(30 * Timestamp::MINUTE + Timestamp::SECOND);
        s.void(sale)
    }),
    ("sale_already_claimed", |s| {
        let sale = s.town.sale(s.shop, 10_000);
        let claim = s.town.claim(s.buyer, &sale, s.group);
        s.done(&claim);
        s.void(sale.id)
    }),
    ("sale_refunded", |s| {
        let sale = s.sold();
        let part = s.refund(sale, 1);
        s.done(&part);
        s.void(sale)
    }),
];

pub const GIFTS: &[Case] = &[
    ("units_not_positive", |s| s.grant(0, None)),
    ("grant_too_large", |s| s.grant(1_000_001, None)),
    ("grant_too_large", |s| s.grant(i64::MAX, None)),
    ("bad_last_day", |s| s.grant(1, Some(-1))),
    ("bad_last_day", |s| s.grant(1, Some(3_661))),
    ("own_sale", |s| s.town.grant(s.shop.owner.key, s.shop.owner.account, s.group, 1, None)),
    ("own_sale", |s| {
        let clerk = s.town.clerk(s.shop, 10_000, 20_000);
        s.town.grant(s.shop.owner.key, clerk.account, s.group, 1, None)
    }),
    ("not_allowed", |s| {
        let clerk = s.town.clerk(s.shop, 10_000, 20_000);
        s.town.grant(clerk.key, s.buyer.account, s.group, 1, None)
    }),
    ("shop_not_in_group", |s| s.town.grant(s.loner.owner.key, s.buyer.account, s.group, 1, None)),
    ("account_closed", |s| {
        let close = s.town.close_account(s.buyer.key);
        s.done(&close);
        s.grant(1, None)
    }),
    ("account_closed", |s| {
        let close = s.town.close_account(s.buyer.key);
        s.done(&close);
        s.town.sell_to(s.shop, 1_000, s.buyer)
    }),
    ("units_not_positive", |s| s.take_away(0)),
    ("not_so_much_issued", |s| s.take_away(1_001)),
    ("not_so_much_issued", |s| s.town.take_away(s.loner.owner.key, s.buyer.account, s.group, (1, None))),
    ("not_so_much_issued", |s| {
        let of = (1, Some(Unit::Coupon));
        s.town.take_away(s.shop.owner.key, s.buyer.account, s.group, of)
    }),
];

pub const ALLIANCES: &[Case] = &[
    ("last_member", |s| s.town.leave(s.shop.owner.key, s.group)),
    ("admin_stays", |s| {
        s.two();
        s.town.leave(s.shop.owner.key, s.group)
    }),
    ("admin_stays", |s| {
        s.two();
        s.town.expel(s.shop.owner.key, s.group, s.shop.merchant)
    }),
    ("shop_not_in_group", |s| s.town.leave(s.loner.owner.key, s.group)),
    ("shop_not_in_group", |s| s.town.expel(s.shop.owner.key, s.group, s.loner.merchant)),
    ("not_allowed", |s| {
        let member = s.two();
        s.town.expel(member.owner.key, s.group, s.shop.merchant)
    }),
    ("not_last_member", |s| {
        s.two();
        s.town.close_group(s.shop.owner.key, s.group)
    }),
    ("not_allowed", |s| s.town.close_group(s.loner.owner.key, s.group)),
    ("group_closing", |s| {
        s.closing();
        s.town.close_group(s.shop.owner.key, s.group)
    }),
    ("group_closing", |s| {
        s.closing();
        s.join(s.group, 1)
    }),
    ("group_closing", |s| {
        s.closing();
        s.propose(points(1, 0), 0)
    }),
    ("group_closing", |s| {
        s.closing();
        s.town.wait(30 * Timestamp::DAY);
        s.claim(|_| {})
    }),
    ("not_due", |s| s.town.end_group(s.group)),
    ("not_due", |s| {
        s.closing();
        s.town.wait(90 * Timestamp::DAY - 1);
        s.town.end_group(s.group)
    }),
    ("member_frozen", |s| {
        s.freeze();
        s.redeem(s.shop, 100, 100)
    }),
    ("member_frozen", |s| {
        s.freeze();
        s.claim(|_| {})
    }),
    ("member_frozen", |s| {
        s.freeze();
        s.grant(1, None)
    }),
    ("shop_not_in_group", |s| s.town.freeze(SYSTEM, s.group, s.loner.merchant, true)),
    ("not_allowed", |s| s.town.freeze(s.shop.owner.key, s.group, s.shop.merchant, true)),
    ("cannot_follow", |s| s.propose(Terms { zone: "UTC".into(), ..points(1, 0) }, 0)),
    ("cannot_follow", |s| {
        s.propose(Terms { currency: Currency::try_from("USD").unwrap(), ..points(1, 0) }, 0)
    }),
    ("cannot_follow", |s| {
        s.with_stamps();
        let card = StampCard { per: None, stamps: 10, reward: Money(1_000) };
        s.propose(Terms::stamps(card, Validity::Days(10)), 0)
    }),
    ("bad_terms", |s| s.propose(Terms { unit_value: Money(0), ..points(1, 0) }, 0)),
    ("bad_date", |s| s.propose(points(1, 0), -86_401)),
    ("bad_date", |s| s.propose(points(1, 0), 366 * 86_400 + 1)),
    ("not_allowed", |s| s.town.propose(s.loner.owner.key, s.group, points(1, 0), s.town.now)),
    ("unknown_amendment", |s| s.answer(s.shop, NOTHING)),
    ("unknown_amendment", |s| s.town.count(s.group, NOTHING)),
    ("unknown_amendment", |s| {
        let first = s.propose(points(1, 0), 60);
        let first = s.done(&first);
        let second = s.propose(points(2, 0), 60);
        s.done(&second);
        s.answer(s.shop, first)
    }),
    ("unknown_amendment", |s| {
        let proposal = s.propose(points(1, 0), 60);
        let proposal = s.done(&proposal);
        s.town.wait(Timestamp::MINUTE);
        s.answer(s.shop, proposal)
    }),
    ("shop_not_in_group", |s| {
        let proposal = s.propose(points(1, 0), 60);
        let proposal = s.done(&proposal);
        s.answer(s.loner, proposal)
    }),
    ("not_due", |s| {
        let proposal = s.propose(points(1, 0), 60);
        let proposal = s.done(&proposal);
        s.town.count(s.group, proposal)
    }),
];

/// Terms of which something is impossible.
pub const KINDS: &[Case] = &[
    ("whole_cards", |s| {
        s.with_stamps();
        let code = s.town.code_for(s.buyer, s.group, (3, Some(Unit::Stamp(3))));
        s.town.redeem_with(s.shop, code, 2)
    }),
    ("whole_cards", |s| {
        s.with_stamps();
        let mut pay = s.town.pay(s.buyer, s.shop, s.group, 2);
        if let OpBody::Pay { unit, .. } = &mut pay.op.body {
            *unit = Some(Unit::Stamp(3));
        }
        pay
    }),
    ("not_enough", |s| {
        s.with_stamps();
        let code = s.town.code_for(s.buyer, s.group, (3, None));
        s.town.redeem_with(s.shop, code, 3)
    }),
    ("bad_terms", |s| s.found(|_, terms| *terms = Terms { card: None, ..stamps() })),
    ("bad_terms", |s| s.found(|_, terms| terms.card = stamps().card)),
    ("bad_terms", |s| s.found(|_, terms| *terms = spoilt(|card| card.stamps = 0))),
    ("bad_terms", |s| s.found(|_, terms| *terms = spoilt(|card| card.stamps = 101))),
    ("bad_terms", |s| s.found(|_, terms| *terms = spoilt(|card| card.reward = Money(301)))),
    ("bad_terms", |s| s.found(|_, terms| *terms = spoilt(|card| card.reward = Money(i64::MAX)))),
    ("bad_terms", |s| s.found(|_, terms| *terms = spoilt(|card| card.per = Some(Money(99))))),
    ("bad_terms", |s| s.found(|_, terms| *terms = spoilt(|card| card.per = Some(Money(i64::MAX))))),
    ("bad_terms", |s| s.found(|_, terms| *terms = Terms { rate: BasisPoints::new(2).unwrap(), ..stamps() })),
    ("bad_terms", |s| s.found(|_, terms| terms.least_purchase = Some(Money(1)))),
    ("bad_terms", |s| {
        let coupons = Terms::coupons(Money(500), Some(Money(0)), Validity::Days(10));
        s.found(|_, terms| *terms = coupons)
    }),
    ("bad_terms", |s| s.found(|_, terms| terms.kind = Kind::Stamp)),
    ("bad_terms", |s| s.found(|_, terms| terms.minimum = units(1_000_000_001))),
    ("bad_terms", |s| s.found(|_, terms| terms.period = Some(cut(5, CutDay::Last, 0)))),
    ("bad_terms", |s| s.found(|_, terms| terms.period = Some(cut(0, CutDay::Last, 0)))),
    ("bad_terms", |s| s.found(|_, terms| terms.period = Some(cut(1, CutDay::Next(29), 0)))),
    ("bad_terms", |s| s.found(|_, terms| terms.period = Some(cut(1, CutDay::Last, 1_441)))),
];

fn spoilt(spoil: impl FnOnce(&mut StampCard)) -> Terms {
    let mut terms = stamps();
    let mut card = terms.card.unwrap();
    spoil(&mut card);
    terms.card = Some(card);
    terms
}

fn cut(months: u8, day: CutDay, minute: u16) -> Period {
    Period { months, day, minute }
}

/// Reasons that the rules give for them.
pub const REASONS: &[&str] = &[
    "whole_cards",
    "cannot_follow",
    "unknown_amendment",
    "bad_date",
    "admin_stays",
    "last_member",
    "not_last_member",
    "group_closing",
    "member_frozen",
    "hold_too_long",
    "unknown_hold",
    "hold_over",
    "unknown_redemption",
    "already_reversed",
    "refund_too_large",
    "sale_voided",
    "void_too_late",
    "sale_refunded",
    "grant_too_large",
    "not_so_much_issued",
    "bad_last_day",
    "account_closed",
];
