//! Sales to a known buyer, and those that wait for the buyer's choice.

use moa_rules::event::EventBody;
use moa_rules::id::{GroupId, OpId};
use moa_rules::member::{Buyer, Found, STEP_SECONDS};
use moa_rules::one_time::{self, OneTimeCode};
use moa_rules::op::{Carried, OpBody};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_rules::waiting::waits_until;

use crate::driver::{Parcel, Person, SYSTEM, Shop, Town, points};

/// A shop in two groups, at 5 % and at 3 %, and a buyer.
struct Corner {
    town: Town,
    shop: Shop,
    groups: [GroupId; 2],
    buyer: Person,
}

fn corner() -> Corner {
    let mut town = Town::new();
    let (shop, buyer) = (town.shop(), town.person());
    let groups = [500, 300].map(|rate| town.group(shop, points(rate, 0)));
    Corner { town, shop, groups, buyer }
}

impl Corner {
    /// A sale of 10 000 that waits.
    fn wait(&mut self) -> OpId {
        let sale = self.town.sell_to(self.shop, 10_000, self.buyer);
        self.town.send(&sale).unwrap();
        assert!(self.sale(sale.op.id).waits());
        sale.op.id
    }

    fn sale(&self, sale: OpId) -> &moa_rules::sale::Sale {
        &self.town.tables.sales[&(self.shop.merchant, sale)]
    }

    fn choose(&mut self, buyer: Person, sale: OpId) -> Result<(), Refusal> {
        let claim = self.town.choose(buyer, self.shop, sale, self.groups[1]);
        self.town.send(&claim).map(drop)
    }

    fn lapse(&mut self, sale: OpId) -> Result<(), Refusal> {
        let sweep = self.town.lapse(self.shop, sale);
        self.town.send(&sweep).map(drop)
    }

    fn balance(&self, group: usize) -> i64 {
        self.town.available(self.buyer.account, self.groups[group])
    }
}

fn kinds(parcel: &Parcel, town: &mut Town) -> Vec<&'static str> {
    let events = town.send(parcel).unwrap().events;
    let kind = |body: &EventBody| match body {
        EventBody::SaleRecorded { .. } => "recorded",
        EventBody::Accrued { .. } => "accrued",
        EventBody::SaleWaits { .. } => "waits",
        _ => "other",
    };
    events.iter().map(|(_, _, body)| kind(body)).collect()
}

#[test]
fn a_sale_at_a_shop_of_one_group_is_mileage_at_once() {
    let mut town = Town::new();
    let (shop, buyer) = (town.shop(), town.person());
    let group = town.group(shop, points(500, 0));
    let sale = town.sell_to(shop, 10_000, buyer);
    assert_eq!(kinds(&sale, &mut town), ["recorded", "accrued"]);
    assert_eq!(town.available(buyer.account, group), 500);
    assert_eq!(town.rebuilt(), town.tables);
}

#[test]
fn a_sale_that_earns_in_one_of_two_groups_only_has_nothing_to_choose() {
    let mut corner = corner();
    // 5 % of 25 is a unit, 3 % is none.
    let sale = corner.town.sell_to(corner.shop, 25, corner.buyer);
    assert_eq!(kinds(&sale, &mut corner.town), ["recorded", "accrued"]);
    assert_eq!((corner.balance(0), corner.balance(1)), (1, 0));
}

#[test]
fn a_sale_that_fits_no_group_is_recorded_and_waits_for_nothing() {
    let mut corner = corner();
    let small = corner.town.sell_to(corner.shop, 1, corner.buyer);
    assert_eq!(kinds(&small, &mut corner.town), ["recorded"]);
    assert_eq!(corner.choose(corner.buyer, small.op.id), Err(Refusal::NotYourSale));
    let loner = corner.town.shop();
    let sale = corner.town.sell_to(loner, 10_000, corner.buyer);
    assert_eq!(kinds(&sale, &mut corner.town), ["recorded"]);
}

#[test]
fn where_there_is_a_choice_the_sale_waits_and_the_buyer_chooses() {
    let mut corner = corner();
    let sale = corner.wait();
    assert_eq!((corner.balance(0), corner.balance(1)), (0, 0));
    corner.choose(corner.buyer, sale).unwrap();
    assert_eq!((corner.balance(0), corner.balance(1)), (0, 300));
    assert_eq!(corner.choose(corner.buyer, sale), Err(Refusal::SaleAlreadyClaimed));
    assert_eq!(corner.lapse(sale), Err(Refusal::NotLapsed));
    assert_eq!(corner.town.rebuilt(), corner.town.tables);
}

#[test]
fn another_phone_of_the_buyer_may_choose_and_nobody_else() {
    let mut corner = corner();
    let sale = corner.wait();
    let stranger = corner.town.person();
    assert_eq!(corner.choose(stranger, sale), Err(Refusal::NotYourSale));
    assert_eq!(corner.choose(corner.shop.owner, sale), Err(Refusal::NotYourSale));
    let tablet = corner.town.device(corner.buyer.account);
    corner.choose(tablet, sale).unwrap();
}

#[test]
fn without_a_choice_of_its_own_a_claim_takes_the_best() {
    let mut corner = corner();
    let (merchant, sale) = (corner.shop.merchant, corner.wait());
    let body = OpBody::ClaimWaiting { merchant, sale, choice: None };
    let claim = corner.town.op(corner.buyer.key, body);
    corner.town.send(&claim.into()).unwrap();
    assert_eq!((corner.balance(0), corner.balance(1)), (500, 0));
}

#[test]
fn a_sale_waits_seven_days_to_the_millisecond_and_lapses_after() {
    let mut corner = corner();
    let (one, two) = (corner.wait(), corner.wait());
    let until = corner.sale(one).waits_until.unwrap();
    assert_eq!(until, waits_until(corner.sale(one).time));
    assert_eq!(until, Timestamp::from_seconds(corner.town.now.seconds()).plus(7 * Timestamp::DAY));
    corner.town.now = until;
    assert_eq!(corner.lapse(one), Err(Refusal::NotLapsed));
    corner.choose(corner.buyer, one).unwrap();
    corner.town.wait(1);
    assert_eq!(corner.choose(corner.buyer, two), Err(Refusal::SaleLapsed { days: 7 }));
    corner.lapse(two).unwrap();
    assert!(corner.sale(two).lapsed);
    assert_eq!(corner.lapse(two), Err(Refusal::NotLapsed));
    assert_eq!(corner.choose(corner.buyer, two), Err(Refusal::SaleLapsed { days: 7 }));
    assert_eq!(corner.town.rebuilt(), corner.town.tables);
}

#[test]
fn a_sale_that_comes_after_seven_days_is_the_shops_record_and_no_more() {
    let mut corner = corner();
    let sale = corner.town.sell_to(corner.shop, 10_000, corner.buyer);
    corner.town.wait(8 * Timestamp::DAY);
    assert_eq!(kinds(&sale, &mut corner.town), ["recorded"]);
}

#[test]
fn a_code_is_good_two_steps_beside_the_sale_and_not_three() {
    let mut corner = corner();
    for (beside, taken) in [(-3, false), (-2, true), (2, true), (3, false)] {
        let mut sale = corner.town.sell_to(corner.shop, 10_000, corner.buyer);
        let OpBody::SellTo { buyer: Buyer::Member(code), .. } = &mut sale.op.body else { panic!("a sale") };
        code.step = code.step.checked_add_signed(beside).unwrap();
        let expected = if taken { Ok(()) } else { Err(Refusal::MemberCodeExpired) };
        assert_eq!(corner.town.send(&sale).map(drop), expected, "{beside}");
    }
    // However late it comes: what counts is when it was shown.
    let late = corner.town.sell_to(corner.shop, 10_000, corner.buyer);
    corner.town.wait(6 * Timestamp::DAY);
    corner.town.send(&late).unwrap();
    assert_eq!(STEP_SECONDS, 30);
}

#[test]
fn digits_name_the_buyer_of_a_sale_made_while_they_were_good() {
    let mut corner = corner();
    let made = corner.town.now;
    let until = made.plus(one_time::LIFETIME + one_time::BESIDE);
    for (sold, taken) in [(until, true), (until.plus(Timestamp::SECOND), false)] {
        let mut sale = corner.town.sell_to(corner.shop, 10_000, corner.buyer);
        let body = OpBody::SellTo {
            amount: Money(10_000),
            buyer: Buyer::OneTime(OneTimeCode::of(7).unwrap()),
            redemption: None,
        };
        sale.op = corner.town.op(corner.shop.owner.key, body);
        sale.op.time = sold.seconds();
        sale.carried = Carried::Buyer(Found::OneTime(corner.buyer.account, made));
        // However late it comes.
        corner.town.now = made.plus(Timestamp::DAY);
        let expected = if taken { Ok(()) } else { Err(Refusal::OneTimeCodeExpired) };
        assert_eq!(corner.town.send(&sale).map(drop), expected);
    }
}

#[test]
fn one_code_may_serve_several_sales() {
    let mut corner = corner();
    let mut baker = corner.town.sell_to(corner.shop, 10_000, corner.buyer);
    corner.town.send(&baker).unwrap();
    baker.op = corner.town.op(corner.shop.owner.key, baker.op.body);
    corner.town.send(&baker).unwrap();
}

#[test]
fn edge_34_the_shops_owner_as_buyer_is_refused_and_nothing_is_recorded() {
    let mut corner = corner();
    let own = corner.town.sell_to(corner.shop, 10_000, corner.shop.owner);
    let before = corner.town.tables.clone();
    assert_eq!(corner.town.send(&own).map(drop), Err(Refusal::OwnSale));
    assert_eq!(corner.town.tables, before);
}

#[test]
fn whom_nobody_knows_and_what_nobody_sold_is_refused() {
    let mut corner = corner();
    let mut unknown = corner.town.sell_to(corner.shop, 10_000, corner.buyer);
    unknown.carried = Carried::Buyer(Found::Nobody(Refusal::MemberCodeUnknown));
    assert_eq!(corner.town.send(&unknown).map(drop), Err(Refusal::MemberCodeUnknown));
    unknown.carried = Carried::None;
    assert_eq!(corner.town.send(&unknown).map(drop), Err(Refusal::MemberCodeUnknown));
    assert_eq!(corner.choose(corner.buyer, OpId([7; 16])), Err(Refusal::UnknownSale));
    assert_eq!(corner.lapse(OpId([7; 16])), Err(Refusal::UnknownSale));

    let (merchant, sale) = (corner.shop.merchant, corner.wait());
    let sweep = corner.town.op(corner.buyer.key, OpBody::LapseSale { merchant, sale });
    assert_eq!(corner.town.send(&sweep.into()).map(drop), Err(Refusal::NotAllowed));
    let claim = corner.town.op(SYSTEM, OpBody::ClaimWaiting { merchant, sale, choice: None });
    assert_eq!(corner.town.send(&claim.into()).map(drop), Err(Refusal::NotAllowed));
    let zero = corner.town.sell_to(corner.shop, 0, corner.buyer);
    assert_eq!(corner.town.send(&zero).map(drop), Err(Refusal::AmountNotPositive));
    let OpBody::SellTo { buyer, .. } = zero.op.body else { panic!("a sale") };
    let no_shop =
        corner.town.op(corner.buyer.key, OpBody::SellTo { amount: Money(1), buyer, redemption: None });
    let no_shop = Parcel { op: no_shop, carried: zero.carried };
    assert_eq!(corner.town.send(&no_shop).map(drop), Err(Refusal::NoMerchant));
}

#[test]
fn a_sale_to_a_number_is_as_one_to_a_code_if_its_owner_has_signed_up() {
    let mut corner = corner();
    let sale = corner.town.sell_to_number(corner.shop, 10_000, corner.buyer, true);
    assert_eq!(kinds(&sale, &mut corner.town), ["recorded", "waits"]);
    let small = corner.town.sell_to_number(corner.shop, 25, corner.buyer, true);
    assert_eq!(kinds(&small, &mut corner.town), ["recorded", "accrued"]);
    let own = corner.town.sell_to_number(corner.shop, 10_000, corner.shop.owner, true);
    assert_eq!(corner.town.send(&own).map(drop), Err(Refusal::OwnSale));
}

#[test]
fn a_sale_to_a_number_waits_for_its_owner_to_sign_up_though_nothing_is_to_be_chosen() {
    let mut corner = corner();
    let [one, two] = [(); 2].map(|()| corner.town.sell_to_number(corner.shop, 25, corner.buyer, false));
    let many = corner.town.sell_to_number(corner.shop, 10_000, corner.buyer, false);
    for sale in [&one, &two, &many] {
        assert_eq!(kinds(sale, &mut corner.town), ["recorded", "waits"]);
    }
    let again = |corner: &mut Corner, sale: OpId| {
        let parcel = corner.town.offer_again(corner.shop, sale);
        corner.town.send(&parcel).map(drop)
    };
    again(&mut corner, one.op.id).unwrap();
    assert_eq!((corner.balance(0), corner.balance(1)), (1, 0));
    assert_eq!(again(&mut corner, one.op.id), Err(Refusal::NotDue));
    assert_eq!(again(&mut corner, many.op.id), Err(Refusal::NotDue), "there is something to choose");
    corner.choose(corner.buyer, many.op.id).unwrap();
    // Until the sale lapses, to the millisecond.
    corner.town.now = waits_until(two.op.time).plus(1);
    assert_eq!(again(&mut corner, two.op.id), Err(Refusal::NotDue));
    corner.lapse(two.op.id).unwrap();
    assert_eq!(again(&mut corner, OpId([9; 16])), Err(Refusal::UnknownSale));
    let (merchant, sale) = (corner.shop.merchant, two.op.id);
    let theirs = corner.town.op(corner.buyer.key, OpBody::OfferAgain { merchant, sale });
    assert_eq!(corner.town.send(&theirs.into()).map(drop), Err(Refusal::NotAllowed));
    assert_eq!(corner.town.rebuilt(), corner.town.tables);
}
