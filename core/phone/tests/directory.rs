//! A phone keeps what its buyer can meet, and no more; what was used works without a network.

mod support;

use moa_phone::sync::Failure;
use moa_phone::{DirectoryBounds, Request, Response};
use moa_rules::id::MerchantId;
use moa_rules::merchant::MerchantProfile;
use moa_rules::quantity::{Currency, Money};
use moa_wire::api::{Changes, MerchantEntry};

use support::{Person, Server, Town, ok, problem, profile};

const STRANGERS: u16 = 300;

/// The real directory, and strangers far away who change all the time.
fn among_strangers(server: &mut Server, request: &Request) -> Response {
    let answer = server.answer(request);
    if !request.path.contains("&directory=") {
        return answer;
    }
    let mut changes: Changes = serde_json::from_slice(&answer.body).unwrap();
    changes.directory.as_mut().unwrap().merchants.extend((0..STRANGERS).map(|number| {
        let mut id = [0xee; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        let profile = MerchantProfile::new(format!("{number}호점"), Currency::KRW, None);
        MerchantEntry { id: MerchantId(id), profile, groups: Vec::new(), keys: Vec::new() }
    }));
    ok(&changes)
}

#[test]
fn a_claim_at_a_shop_that_was_used_needs_no_network_whatever_else_the_directory_holds() {
    let mut town = Town::new();
    town.earn(10_000);
    town.buyer.machine.set_directory_bounds(DirectoryBounds { shops: 5, groups: 1 });
    for _ in 0..3 {
        town.advance(3_600_000);
        town.buyer
            .sync_over(&mut town.server, |server, request| Ok(among_strangers(server, request)))
            .unwrap();
        let voucher = town.cafe.phone.record_sale(Money(5_000), None).unwrap();
        let scanned = town.buyer.scan(&voucher);
        assert_eq!(scanned.shop.as_ref().unwrap().name.as_deref(), Some("골목 카페"));
        let choices = town.buyer.phone.choices(&scanned).unwrap();
        assert_eq!(choices.len(), 1);
        town.buyer.phone.claim(&scanned, Some(choices[0].choice)).unwrap();
    }
    town.buyer.sync_over(&mut town.server, |server, request| Ok(among_strangers(server, request))).unwrap();
    assert!(town.buyer.phone.pending_claims().unwrap().is_empty(), "all three were taken");
}

#[test]
fn a_shop_that_was_dropped_is_looked_up_when_it_is_met_and_kept_once_it_was_used() {
    let mut town = Town::new();
    let mut met = Person::new(7);
    met.enrol(&mut town.server);
    met.phone.register_merchant(profile("새 가게")).unwrap();
    met.phone.join_group(town.group, 1).unwrap();
    met.sync(&mut town.server).unwrap();
    town.buyer.machine.set_directory_bounds(DirectoryBounds { shops: 0, groups: 0 });
    town.advance(3_600_000);
    met.environment.advance(3_600_000);
    town.buyer.sync(&mut town.server).unwrap();
    let voucher = met.phone.record_sale(Money(5_000), None).unwrap();
    assert!(town.buyer.scan(&voucher).shop.is_none(), "nothing was used, nothing is kept");
    // Not a whole sync: the look-ups alone.
    town.buyer.run(&mut town.server, |server, request| Ok(server.answer(request)));
    let scanned = town.buyer.scan(&voucher);
    let choices = town.buyer.phone.choices(&scanned).unwrap();
    town.buyer.phone.claim(&scanned, Some(choices[0].choice)).unwrap();
    town.advance(3_600_000);
    met.environment.advance(3_600_000);
    town.buyer.sync_over(&mut town.server, |server, request| Ok(among_strangers(server, request))).unwrap();
    let again = met.phone.record_sale(Money(7_000), None).unwrap();
    assert_eq!(town.buyer.phone.choices(&town.buyer.scan(&again)).unwrap().len(), 1);
}

/// What a server answers, with something done to it where a page of the directory was asked for.
fn with_page(
    server: &mut Server,
    request: &Request,
    asked: &mut Vec<String>,
    change: impl Fn(usize, &mut Changes),
) -> Response {
    let answer = server.answer(request);
    let Some((_, from)) = request.path.split_once("&directory=") else { return answer };
    asked.push(from.to_owned());
    let mut changes: Changes = serde_json::from_slice(&answer.body).unwrap();
    change(asked.len(), &mut changes);
    ok(&changes)
}

#[test]
fn the_directory_comes_with_the_changes_page_by_page() {
    let (mut town, mut asked) = (Town::new(), Vec::new());
    let pages = |number: usize, changes: &mut Changes| {
        let page = changes.directory.as_mut().unwrap();
        (page.cursor, page.more) = (format!("page {number}"), number < 3);
    };
    let sync = |town: &mut Town, asked: &mut Vec<String>| {
        town.buyer
            .sync_over(&mut town.server, |server, request| Ok(with_page(server, request, asked, pages)))
            .unwrap();
    };
    sync(&mut town, &mut asked);
    assert_eq!(asked, ["end", "page%201", "page%202"], "until there is no more");
    sync(&mut town, &mut asked);
    assert_eq!(asked[3..], ["page%203"]);
}

#[test]
fn a_page_for_which_there_was_no_room_is_asked_for_again_and_no_page_at_all_is_an_error() {
    let (mut town, mut asked) = (Town::new(), Vec::new());
    town.earn(10_000);
    town.bakery.phone.record_sale_for(Money(9_000), &town.buyer.phone.member_code().unwrap().text).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    let full = |_: usize, changes: &mut Changes| {
        if !changes.inboxes.is_empty() {
            changes.directory = None;
        }
    };
    town.buyer
        .sync_over(&mut town.server, |server, request| Ok(with_page(server, request, &mut asked, full)))
        .unwrap();
    assert_eq!(asked.len(), 2);

    let never = |_: usize, changes: &mut Changes| changes.directory = None;
    let failure = town
        .buyer
        .sync_over(&mut town.server, |server, request| Ok(with_page(server, request, &mut asked, never)))
        .unwrap_err();
    assert!(matches!(failure, Failure::NotOurServer(_)), "{failure}");
    assert_eq!(asked.len(), 3, "and not for ever");

    let again = |_: usize, changes: &mut Changes| changes.directory.as_mut().unwrap().more = true;
    let failure = town
        .buyer
        .sync_over(&mut town.server, |server, request| Ok(with_page(server, request, &mut asked, again)))
        .unwrap_err();
    assert!(matches!(failure, Failure::NotOurServer(_)), "{failure}");
}

#[test]
fn a_directory_cursor_that_a_server_cannot_read_begins_anew() {
    let (mut town, mut asked) = (Town::new(), Vec::new());
    let strange =
        |_: usize, changes: &mut Changes| changes.directory.as_mut().unwrap().cursor = "strange".into();
    town.buyer
        .sync_over(&mut town.server, |server, request| Ok(with_page(server, request, &mut asked, strange)))
        .unwrap();
    let mut asked = Vec::new();
    town.buyer
        .sync_over(&mut town.server, |server, request| {
            if let Some((_, from)) = request.path.split_once("&directory=") {
                asked.push(from.to_owned());
                if from == "strange" {
                    return Ok(problem(400, "bad_cursor"));
                }
            }
            Ok(server.answer(request))
        })
        .unwrap();
    assert_eq!(asked, ["strange", ""]);
}
