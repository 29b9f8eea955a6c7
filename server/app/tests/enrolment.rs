//! From a phone number to a key that may sign.

mod support;

use moa_rules::id::GroupId;
use moa_rules::op::OpBody;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Enrolled, EnrolmentRequest};
use moa_wire::keys::{Signer, SoftwareKey};
use support::{Device, Town, confirmation, problem, read, refused};

const PHONE: &str = "010-1234-5678";

fn key() -> SoftwareKey {
    SoftwareKey::generate().unwrap().0
}

#[tokio::test]
async fn a_number_s_second_device_joins_the_first_one_s_account() {
    let town = Town::open().await;
    let first = town.enrol(PHONE).await;
    let second = town.enrol("+82 10 1234 5678").await;
    let other = town.enrol("010-8765-4321").await;
    assert_eq!(first.account, second.account);
    assert_ne!(first.account, other.account);
    assert_eq!(town.snapshot(&second).await.account, first.account);
    town.close().await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_code() {
    let town = Town::open().await;
    let key = key();
    let enrolment = town.begin(PHONE, &key).await;
    let confirmation = confirmation(&town.code(PHONE, &enrolment).await, &enrolment, &key);
    let one: Enrolled = read(town.confirm(&enrolment, &confirmation).await).await;
    town.pass(Timestamp::MINUTE);
    let two: Enrolled = read(town.confirm(&enrolment, &confirmation).await).await;
    assert_eq!((one.account, one.recovery.clone()), (two.account, two.recovery));
    assert!(one.recovery.is_some(), "it is shown once, but an answer may get lost");
    assert_eq!(town.snapshot(&Device::new(key, one)).await.lots, []);
    town.close().await;
}

#[tokio::test]
async fn five_wrong_codes_void_an_enrolment() {
    let town = Town::open().await;
    let key = key();
    let enrolment = town.begin(PHONE, &key).await;
    let right = town.code(PHONE, &enrolment).await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for left in [4, 3, 2, 1, 0] {
        let told = problem(town.confirm(&enrolment, &confirmation(wrong, &enrolment, &key)).await).await;
        assert_eq!((told.code.as_str(), &told.figures["tries_left"]), ("code_wrong", &left.into()));
    }
    let told = problem(town.confirm(&enrolment, &confirmation(&right, &enrolment, &key)).await).await;
    assert_eq!((told.status, told.code.as_str()), (410, "enrolment_void"));
    town.close().await;
}

#[tokio::test]
async fn a_code_is_good_for_five_minutes() {
    let town = Town::open().await;
    let key = key();
    let enrolment = town.begin(PHONE, &key).await;
    assert_eq!(enrolment.expires_at, town.now().plus(5 * Timestamp::MINUTE));
    let confirmation = confirmation(&town.code(PHONE, &enrolment).await, &enrolment, &key);
    town.pass(5 * Timestamp::MINUTE + 1);
    let told = problem(town.confirm(&enrolment, &confirmation).await).await;
    assert_eq!(told.code, "enrolment_void");
    town.close().await;
}

#[tokio::test]
async fn a_wrong_proof_of_the_key_is_refused_and_does_not_burn_the_code() {
    let town = Town::open().await;
    let (key, stranger) = (key(), key());
    let enrolment = town.begin(PHONE, &key).await;
    let other = town.begin("010-8765-4321", &key).await;
    let code = town.code(PHONE, &enrolment).await;
    let mut swapped = confirmation(&code, &enrolment, &key);
    swapped.possession = confirmation(&code, &other, &key).possession;
    let mut garbage = swapped.clone();
    garbage.possession = Base64(vec![0xd2; 300]);
    for wrong in [confirmation(&code, &enrolment, &stranger), swapped, garbage] {
        let told = problem(town.confirm(&enrolment, &wrong).await).await;
        assert_eq!((told.status, told.code.as_str()), (403, "possession_wrong"));
    }
    let right = confirmation(&code, &enrolment, &key);
    let _: Enrolled = read(town.confirm(&enrolment, &right).await).await;
    town.close().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_account() {
    let town = Town::open().await;
    let device = town.enrol(PHONE).await;
    let enrolment = town.begin("010-8765-4321", &device.key).await;
    let code = town.code("010-8765-4321", &enrolment).await;
    let told = problem(town.confirm(&enrolment, &confirmation(&code, &enrolment, &device.key)).await).await;
    assert_eq!((told.status, told.code.as_str()), (409, "key_taken"));
    town.close().await;
}

#[tokio::test]
async fn a_number_gets_five_codes_an_hour_even_asked_for_at_once() {
    let town = Town::open().await;
    let key = key();
    town.begin(PHONE, &key).await;
    town.pass(10 * Timestamp::MINUTE);
    let request = EnrolmentRequest { phone: PHONE.to_owned(), public_key: Base64(key.public_key()) };
    let asked = (0..10).map(|_| town.post("/v1/enrolments", &request));
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 4);
    for answer in answers.into_iter().filter(|answer| answer.status() != 200) {
        let after: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        let told = problem(answer).await;
        assert_eq!((told.status, told.code.as_str()), (429, "too_many_codes"));
        // The first one leaves the window in fifty minutes.
        assert!((50 * 60..=51 * 60).contains(&after), "{after}");
    }
    town.begin("010-8765-4321", &self::key()).await;
    town.pass(50 * Timestamp::MINUTE + 1);
    town.begin(PHONE, &key).await;
    town.close().await;
}

#[tokio::test]
async fn what_is_no_number_or_no_key_is_refused() {
    let town = Town::open().await;
    let point = key().public_key();
    for (phone, public_key, code) in [
        ("112", point.clone(), "bad_phone_number"),
        ("", point.clone(), "bad_phone_number"),
        (PHONE, point[1..].to_vec(), "bad_public_key"),
        (PHONE, vec![2; 65], "bad_public_key"),
        (PHONE, Vec::new(), "bad_public_key"),
    ] {
        let request = EnrolmentRequest { phone: phone.to_owned(), public_key: Base64(public_key) };
        let told = problem(town.post("/v1/enrolments", &request).await).await;
        assert_eq!((told.status, told.code.as_str()), (422, code));
    }
    town.close().await;
}

#[tokio::test]
async fn a_point_off_the_curve_proves_nothing() {
    let town = Town::open().await;
    let signer = key();
    let request =
        EnrolmentRequest { phone: PHONE.to_owned(), public_key: Base64([[4].as_slice(), &[1; 64]].concat()) };
    let enrolment = read(town.post("/v1/enrolments", &request).await).await;
    let code = town.code(PHONE, &enrolment).await;
    let told = problem(town.confirm(&enrolment, &confirmation(&code, &enrolment, &signer)).await).await;
    assert_eq!(told.code, "possession_wrong");
    town.close().await;
}

#[tokio::test]
async fn sessions_and_accounts_survive_a_restart() {
    let town = Town::open().await;
    let device = town.enrol(PHONE).await;
    let town = town.reopen(Timestamp::HOUR).await;
    assert_eq!(town.snapshot(&device).await.account, device.account);
    assert_eq!(town.enrol(PHONE).await.account, device.account);
    town.close().await;
}

#[tokio::test]
async fn a_key_that_is_not_enrolled_signs_nothing() {
    let town = Town::open().await;
    let device = town.enrol(PHONE).await;
    let mut op = device.unsigned(town.now(), OpBody::JoinGroup { group: GroupId([1; 16]), terms_version: 1 });
    let stranger = key();
    op.actor = stranger.key_id();
    let op = moa_wire::token::Checked::sign(op, &stranger).unwrap();
    assert_eq!(refused(&town.submit_one(&op).await)["code"], "unknown_key");
    town.close().await;
}
