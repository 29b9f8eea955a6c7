//! The driver on tokio, over a transport without sockets.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use moa_phone::{Answer, Client, Data, Fate, Options, Phone, PhoneError, Request, Transport, TransportError};
use moa_rules::id::{GroupId, OpId};
use moa_rules::quantity::Money;
use moa_rules::terms::{Profile, Scope};
use support::{NOON, Server, profile, terms, units};
use tokio::sync::watch;

/// More than any of these tests takes.
const LONG: Duration = Duration::from_mins(1);

/// The server double behind a transport; a request that waits is answered when there is news.
struct Wire {
    server: Mutex<Server>,
    news: watch::Sender<u64>,
    online: watch::Sender<bool>,
}

impl Wire {
    fn new() -> Arc<Self> {
        let server = Mutex::new(Server::new(NOON));
        Arc::new(Self { server, news: watch::Sender::new(0), online: watch::Sender::new(true) })
    }
}

struct Line(Arc<Wire>);

impl Transport for Line {
    fn send(&self, request: Request) -> Answer<'_> {
        let wire = Arc::clone(&self.0);
        Box::pin(async move {
            let (mut news, mut online) = (wire.news.subscribe(), wire.online.subscribe());
            loop {
                if !*online.borrow_and_update() {
                    return Err(TransportError::Unreachable("no signal".into()));
                }
                {
                    let mut server = wire.server.lock().unwrap();
                    if !request.path.ends_with("&wait=25") || server.has_news(&request) {
                        let answer = server.answer(&request);
                        if request.path == "/v1/ops" {
                            wire.news.send_modify(|news| *news += 1);
                        }
                        return Ok(answer);
                    }
                }
                tokio::select! {
                    _ = news.changed() => {}
                    _ = online.changed() => {}
                }
            }
        })
    }
}

/// A phone with the system's clock would stand apart from the double's; the offset is learned when it enrols.
async fn client(wire: &Arc<Wire>) -> Client {
    let phone = Arc::new(Phone::open(Options::new(Data::Memory)).unwrap());
    let client = Client::start(phone, Arc::new(Line(Arc::clone(wire)))).unwrap();
    client.begin_enrolment("010-1234-5678").await.unwrap();
    client.confirm_enrolment("123456", None).await.unwrap();
    client
}

async fn shop(wire: &Arc<Wire>) -> (Client, GroupId) {
    let shop = client(wire).await;
    shop.phone().register_merchant(profile("골목 카페")).unwrap();
    let alley = Profile::new("골목", Scope::Area);
    let group = shop.phone().found_group(alley, terms(1_000, 1_000)).unwrap();
    shop.sync_now().await.unwrap();
    (shop, group)
}

fn claim(shop: &Client, buyer: &Client, amount: i64) -> OpId {
    let voucher = shop.phone().record_sale(Money(amount), None).unwrap();
    let moa_phone::Code::Voucher(scanned) = buyer.phone().read_code(&voucher.text).unwrap() else {
        panic!("no voucher")
    };
    buyer.phone().claim(&scanned, None).unwrap().op
}

async fn until(client: &Client, mut holds: impl FnMut(&Phone) -> bool) {
    let mut changes = client.phone().changes();
    let waited = tokio::time::timeout(LONG, async {
        while !holds(client.phone()) {
            changes.changed().await.unwrap();
        }
    });
    waited.await.expect("it comes to hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_sent_by_itself_and_its_event_comes_by_the_long_poll() {
    let wire = Wire::new();
    let (shop, group) = shop(&wire).await;
    let buyer = client(&wire).await;
    let op = claim(&shop, &buyer, 20_000);
    assert_eq!(buyer.wait_for_verdict(op, LONG).await.unwrap(), Fate::Applied);
    let confirmed = |phone: &Phone| phone.balances().unwrap().iter().any(|b| b.confirmed == units(2_000));
    until(&buyer, confirmed).await;
    // The shop hears of it without asking.
    until(&shop, |phone| phone.merchant_today().unwrap().claimed == 1).await;

    let code = buyer.phone().redemption_code(group, units(1_200)).unwrap();
    let asked = shop.phone().redeem(&code.text, units(1_200)).unwrap();
    assert_eq!(shop.wait_for_verdict(asked.op, LONG).await.unwrap(), Fate::Applied);
    until(&buyer, |phone| phone.balances().unwrap()[0].confirmed == units(800)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_signal_sync_says_so_and_a_redemption_is_being_checked() {
    let wire = Wire::new();
    let (shop, _) = shop(&wire).await;
    let buyer = client(&wire).await;
    wire.online.send_replace(false);
    let op = claim(&shop, &buyer, 20_000);
    assert!(matches!(buyer.sync_now().await, Err(PhoneError::Offline(_))));
    assert!(buyer.status().failure.is_some());
    assert_eq!(buyer.wait_for_verdict(op, Duration::from_millis(50)).await.unwrap(), Fate::Waiting);
    let code = buyer.phone().redemption_code(GroupId([1; 16]), units(1)).unwrap();
    let asked = shop.phone().redeem(&code.text, units(1)).unwrap();
    let fate = shop.wait_for_verdict(asked.op, Duration::from_millis(50)).await.unwrap();
    assert_eq!(fate, Fate::BeingChecked);
    let unknown = buyer.wait_for_verdict(OpId([7; 16]), LONG).await;
    assert!(matches!(unknown, Err(PhoneError::NotHere)), "{unknown:?}");

    wire.online.send_replace(true);
    buyer.sync_now().await.unwrap();
    assert_eq!(buyer.status().failure, None);
    assert_eq!(buyer.phone().balances().unwrap()[0].confirmed, units(2_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_is_told_and_the_right_one_still_works() {
    let wire = Wire::new();
    let phone = Arc::new(Phone::open(Options::new(Data::Memory)).unwrap());
    let client = Client::start(phone, Arc::new(Line(Arc::clone(&wire)))).unwrap();
    assert!(matches!(client.confirm_enrolment("123456", None).await, Err(PhoneError::NoEnrolment)));
    assert!(matches!(client.sync_now().await, Err(PhoneError::NotSignedIn)));
    client.begin_enrolment("01012345678").await.unwrap();
    let wrong = client.confirm_enrolment("000000", None).await;
    assert!(matches!(&wrong, Err(PhoneError::Problem(problem)) if problem.code == "code_wrong"), "{wrong:?}");
    client.confirm_enrolment("123456", None).await.unwrap();
    assert!(client.phone().enrolment_under_way().unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_from_a_link_is_looked_up() {
    let wire = Wire::new();
    let buyer = client(&wire).await;
    let (_shop, group) = shop(&wire).await;
    assert_eq!(buyer.phone().group(group).unwrap(), None);
    assert_eq!(buyer.look_up_group(group).await.unwrap().profile.name, "골목");
    let none = buyer.look_up_group(GroupId([9; 16])).await;
    assert!(matches!(none, Err(PhoneError::NotHere)), "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_client_stops() {
    let wire = Wire::new();
    let buyer = client(&wire).await;
    let phone = Arc::downgrade(buyer.phone());
    drop(buyer);
    let gone = tokio::time::timeout(LONG, async {
        while phone.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("nothing holds the phone");
}
