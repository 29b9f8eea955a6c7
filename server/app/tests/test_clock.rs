//! A clock that tests move.

mod support;

use moa_rules::event::Inbox;
use moa_rules::member::Buyer;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::time::Timestamp;
use moa_server::http::ClockTime;
use moa_server::{Config, StartError, start};
use moa_wire::problem::Problem;
use serde_json::{Value, json};
use support::{Town, read};

const PATH: &str = "/v1/test/clock";

#[tokio::test]
async fn a_lot_has_expired_when_the_clock_stands_past_its_last_day() {
    let town = Town::open_with_test_clock().await;
    let (cafe, buyer) = (town.shop("010-1111-1111", "Cafe").await, town.enrol("010-3333-3333").await);
    let group = town.found(&cafe).await;
    town.applied(&[&town.claim(&buyer, &town.sale(&cafe, 100_000), group)]).await;
    let ends = town.snapshot(&buyer).await.lots[0].ends_at;
    // What stands written is read where it is kept.
    let store = town.server.engine().store().clone();
    let written = || store.head(Inbox::Account(buyer.account)).unwrap().count;
    let before = written();

    assert_eq!(town.move_to(ends.plus(-1)).await.now, ends.plus(-1));
    assert_eq!((store.lots(buyer.account).unwrap().len(), written()), (1, before));
    // The answer comes when the sweep has written it down: no waiting.
    assert_eq!(town.move_to(ends).await.now, ends);
    assert_eq!((store.lots(buyer.account).unwrap().len(), written()), (0, before + 1));
    assert_eq!(town.server.engine().now(), ends);
    town.close().await;
}

#[tokio::test]
async fn the_clock_stands_until_it_is_moved_and_goes_forward_only() {
    let town = Town::open_with_test_clock().await;
    let start = town.server.engine().now();
    assert_eq!(town.now(), start);
    town.pass(Timestamp::HOUR);
    assert_eq!(town.server.engine().now(), start, "what the clock began from no longer counts");
    let later = start.plus(Timestamp::DAY);
    town.move_to(later).await;
    for wrong in [start, later.plus(-1), Timestamp(i64::MAX), Timestamp(i64::MIN)] {
        let answer = town.post(PATH, &ClockTime { now: wrong }).await;
        assert_eq!(answer.status(), 409);
        let problem: Problem = answer.json().await.unwrap();
        assert_eq!((problem.code.as_str(), &problem.figures["now"]), ("clock_out_of_reach", &json!(later.0)));
        assert!(problem.detail.contains(&later.0.to_string()), "{}", problem.detail);
    }
    assert_eq!(town.server.engine().now(), later);
    assert_eq!(town.move_to(later).await.now, later, "asked again after a lost answer");
    town.close().await;
}

#[tokio::test]
async fn a_sale_that_waited_in_vain_has_lapsed_when_the_answer_comes() {
    let town = Town::open_with_test_clock().await;
    let (cafe, buyer) = (town.shop("010-1111-1111", "Cafe").await, town.enrol("010-3333-3333").await);
    town.found(&cafe).await;
    town.found(&cafe).await;
    let code = town.snapshot(&buyer).await.member.unwrap().code(town.now()).unwrap().0;
    let body = OpBody::SellTo { amount: Money(50_000), buyer: Buyer::Member(code), redemption: None };
    town.applied(&[&cafe.device.op(town.now(), body)]).await;
    let until = town.snapshot(&buyer).await.waiting[0].until;
    town.move_to(until).await;
    assert_eq!(town.snapshot(&buyer).await.waiting.len(), 1);
    town.move_to(until.plus(1)).await;
    assert_eq!(town.snapshot(&buyer).await.waiting.len(), 0);
    town.close().await;
}

#[tokio::test]
async fn garbage_is_told_so() {
    let town = Town::open_with_test_clock().await;
    for body in [json!({}), json!([]), json!({"now": "soon"}), json!({"now": 1e300}), json!({"now": 0.5})] {
        let answer = town.post(PATH, &body).await;
        assert_eq!(answer.status(), 400, "{body}");
        assert_eq!(answer.json::<Problem>().await.unwrap().code, "broken_json");
    }
    town.close().await;
}

#[tokio::test]
async fn it_is_there_and_in_the_document_only_with_the_flag() {
    for (town, served) in [(Town::open().await, false), (Town::open_with_test_clock().await, true)] {
        let status = town.post(PATH, &ClockTime { now: town.now() }).await.status().as_u16();
        assert_eq!(status, if served { 200 } else { 404 });
        let document: Value = read(town.get("/openapi.json", None).await).await;
        assert_eq!(document["paths"][PATH].is_object(), served);
        town.close().await;
    }
    assert!(!moa_server::http::document(None).unwrap().contains(PATH));
}

#[tokio::test]
async fn a_server_that_others_can_reach_does_not_start_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let listen = "0.0.0.0:0".parse().unwrap();
    let config = Config { listen, test_clock: true, ..Config::local(folder.path()) };
    let refused = start(&config, moa_server::system_clock()).await.map(drop);
    assert!(matches!(refused, Err(StartError::TestClock(_))), "{refused:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}
