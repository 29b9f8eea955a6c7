//! A revoked key over HTTP: it reads, signs and begins nothing any more, from that instant on.

mod support;

use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::role::Role;
use moa_rules::time::Timestamp;
use moa_wire::api::{RefreshRequest, Verdict};
use support::subjects::{Street, Subject, Who};
use support::{Device, problem, refused};

/// Everything that a key could do is refused, and why.
async fn is_out(street: &Street, device: &Device, of_key: &str) {
    let town = &street.town;
    let session = device.session.lock().unwrap().clone().expect("it read before");
    let answer = town.get("/v1/snapshot", device).await;
    assert_eq!(problem(answer).await.code, "unauthorized");
    let refresh = RefreshRequest { refresh: session.refresh };
    let answer = town.post_proved("/v1/sessions/refresh", device, &refresh).await;
    assert_eq!(problem(answer).await.code, "unauthorized");
    // The first that asked has ended the session too.
    let answer = town.post_proved("/v1/sessions/refresh", device, &refresh).await;
    assert_eq!(problem(answer).await.code, "session_over");
    let answer = town.begin_session(device, &device.endorsement(town.now())).await;
    assert_eq!(problem(answer).await.code, "unauthorized");
    let op =
        device.op(town.now(), OpBody::RecordSale { amount: Money(1_000), addressee: None, redemption: None });
    assert_eq!(refused(&town.submit_one(&op).await)["code"], of_key);
}

/// The device reads once; then `revokes` is applied.
async fn reads_until(street: &Street, device: &Device, by: &Device) {
    let town = &street.town;
    assert_eq!(town.get("/v1/snapshot", device).await.status(), 200);
    let revokes = by.op(town.now(), OpBody::RevokeDevice { key: device.key_id() });
    town.applied(&[&revokes]).await;
}

#[tokio::test]
async fn a_revoked_phone_is_out_at_once() {
    let street = Street::open().await;
    let lost = street.enrol().await;
    let kept = street.further(lost.account).await;
    street.town.pass(48 * 3_600_000);
    reads_until(&street, &lost, &kept).await;
    is_out(&street, &lost, "revoked_key").await;
    assert_eq!(street.town.get("/v1/snapshot", &kept).await.status(), 200, "the other one stays");
    street.town.close().await;
}

#[tokio::test]
async fn a_thief_with_a_new_phone_does_not_revoke_the_old_one_before_its_owner_could_notice() {
    let street = Street::open().await;
    let owners = street.enrol().await;
    let thiefs = street.further(owners.account).await;
    let revokes = thiefs.op(street.town.now(), OpBody::RevokeDevice { key: owners.key_id() });
    assert_eq!(refused(&street.town.submit_one(&revokes).await)["code"], "device_too_new");
    reads_until(&street, &thiefs, &owners).await;
    is_out(&street, &thiefs, "revoked_key").await;
    street.town.close().await;
}

#[tokio::test]
async fn a_browser_and_a_shops_computer_are_out_when_the_phone_says_so() {
    for role in [Role::Browser, Role::Service] {
        let street = Street::open().await;
        let Subject { device, phone, .. } = street.subject(Who::Role(role)).await;
        reads_until(&street, &device, phone.as_ref().unwrap()).await;
        is_out(&street, &device, "revoked_key").await;
        street.town.close().await;
    }
}

#[tokio::test]
async fn a_browser_is_out_when_its_time_is_over_whatever_its_session_says() {
    let street = Street::open().await;
    let phone = street.enrol().await;
    let until = street.town.now().plus(5 * Timestamp::MINUTE);
    let browser = street.add_key(&phone, moa_rules::device::KeyKind::Browser { until }).await;
    assert_eq!(street.town.get("/v1/snapshot", &browser).await.status(), 200);
    let expires_at = browser.session.lock().unwrap().as_ref().unwrap().expires_at;
    assert_eq!(expires_at, until, "no token outlives the browser");
    street.town.pass(5 * Timestamp::MINUTE);
    let token = browser.session.lock().unwrap().as_ref().unwrap().token.clone();
    let url = street.town.url("/v1/snapshot");
    let proof = browser.proof(street.town.now(), &reqwest::Method::GET, &url, Some(&token));
    let request = street.town.client.get(url).header("dpop", proof);
    let answer = request.header("authorization", format!("DPoP {token}")).send().await.unwrap();
    assert_eq!(problem(answer).await.code, "session_over");
    let answer = street.town.begin_session(&browser, &browser.endorsement(street.town.now())).await;
    assert_eq!(problem(answer).await.code, "unauthorized");
    street.town.close().await;
}

#[tokio::test]
async fn a_clerk_who_left_sells_no_more_and_what_they_sold_before_is_honoured() {
    let street = Street::open().await;
    let town = &street.town;
    let clerk = street.subject(Who::Role(Role::Staff)).await;
    let (merchant, owner) = (clerk.merchant.unwrap(), clerk.owner.as_ref().unwrap());
    let sells = || OpBody::RecordSale { amount: Money(500_000), addressee: None, redemption: None };
    let before = clerk.device.op(town.now(), sells());
    town.pass(60_000);
    let leaves = OpBody::RemoveStaff { merchant, account: clerk.device.account };
    town.applied(&[&owner.op(town.now(), leaves)]).await;
    town.pass(60_000);
    let after = clerk.device.op(town.now(), sells());
    let [honoured, not] = [&before, &after].map(|sale| town.claim(&street.regular, sale, street.groups[0]));
    assert_eq!(town.submit_one(&honoured).await, Verdict::Applied);
    assert_eq!(refused(&town.submit_one(&not).await)["code"], "not_staff");
    assert_eq!(refused(&town.submit_one(&after).await)["code"], "not_staff");
    // The own phone stays signed in; the shop is gone from it.
    assert_eq!(town.snapshot(&clerk.device).await.merchant, None);
    street.town.close().await;
}

#[tokio::test]
async fn a_voucher_of_a_revoked_till_is_worth_nothing_once_the_server_is_asked() {
    let street = Street::open().await;
    let shop = street.subject(Who::Role(Role::Staff)).await;
    let (town, owner) = (&street.town, shop.owner.as_ref().unwrap());
    let sale = shop
        .device
        .op(town.now(), OpBody::RecordSale { amount: Money(500_000), addressee: None, redemption: None });
    reads_until(&street, &shop.device, owner).await;
    let claim = town.claim(&street.regular, &sale, street.groups[0]);
    assert_eq!(refused(&town.submit_one(&claim).await)["code"], "revoked_key");
    is_out(&street, &shop.device, "revoked_key").await;
    street.town.close().await;
}
