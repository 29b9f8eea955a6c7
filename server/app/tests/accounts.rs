//! Accounts that end, over HTTP: what they held, who may still read, and what is kept of the person.

mod support;

use moa_rules::account::MergeConsent;
use moa_rules::op::{OP_VERSION, OpBody};
use moa_rules::time::Timestamp;
use moa_wire::api::Verdict;
use moa_wire::token::Checked;
use support::{Device, Town, problem, refused};

const CAFE: &str = "010-1111-1111";
const OLD: &str = "010-3333-3333";
const NEW: &str = "010-4444-4444";

fn consent(town: &Town, of: &Device) -> Vec<u8> {
    let expires = town.now().plus(10 * Timestamp::MINUTE).seconds();
    let (key, counter) = (of.key_id(), of.next_counter());
    let consent = MergeConsent { version: OP_VERSION, key, counter, expires };
    Checked::sign(consent, &of.key).unwrap().bytes().to_vec()
}

/// A town with a café, and two phones of one person, each with an account; 3,000 points with the old one.
async fn twice() -> (Town, Device, Device) {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let group = town.found(&cafe).await;
    let (old, new) = (town.enrol(OLD).await, town.enrol(NEW).await);
    town.applied(&[&town.claim(&old, &town.sale(&cafe, 100_000), group)]).await;
    assert_eq!((town.balance(&old).await, town.balance(&new).await), (3_000, 0));
    (town, old, new)
}

#[tokio::test]
async fn edge_33_merged_accounts_share_one_wallet_and_the_old_number_is_free_again() {
    let (town, old, new) = twice().await;
    let merge = new.op(town.now(), OpBody::MergeAccount { consent: consent(&town, &old) });
    town.applied(&[&merge]).await;
    assert_eq!(town.balance(&new).await, 3_000);
    assert_eq!(problem(town.get("/v1/snapshot", &old).await).await.status, 401, "the old phone is out");

    let next = town.enrol(OLD).await;
    assert_ne!(next.account, old.account, "whoever has the number now begins anew");
    assert_eq!(town.balance(&next).await, 0);
    town.close().await;
}

#[tokio::test]
async fn edge_33_a_closed_account_leaves_nothing_of_its_person_behind() {
    let (town, old, new) = twice().await;
    town.applied(&[&old.op(town.now(), OpBody::CloseAccount)]).await;
    let again = old.op(town.now(), OpBody::CloseAccount);
    assert_eq!(refused(&town.submit_one(&again).await)["code"], "revoked_key");
    let merge = new.op(town.now(), OpBody::MergeAccount { consent: consent(&town, &old) });
    let Verdict::Refused(no) = town.submit_one(&merge).await else { panic!("it held nothing any more") };
    assert_eq!(no.reason.code(), "revoked_key");
    let next = town.enrol(OLD).await;
    assert_ne!(next.account, old.account);
    assert!(next.recovery.is_some(), "a new account has a recovery code of its own");
    town.close().await;
}

#[tokio::test]
async fn a_consent_of_a_strangers_making_moves_nothing() {
    let (town, old, new) = twice().await;
    let mut forged = consent(&town, &old);
    let last = forged.len() - 1;
    forged[last] ^= 1;
    for (bytes, code) in
        [(forged, "bad_signature"), (vec![0x84; 40], "not_a_consent"), (Vec::new(), "not_a_consent")]
    {
        let merge = new.op(town.now(), OpBody::MergeAccount { consent: bytes });
        assert_eq!(refused(&town.submit_one(&merge).await)["code"], code);
    }
    assert_eq!((town.balance(&old).await, town.balance(&new).await), (3_000, 0));
    town.close().await;
}
