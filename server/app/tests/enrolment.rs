//! From a phone number to a key that may sign.

mod support;

use moa_rules::id::GroupId;
use moa_rules::op::OpBody;
use moa_rules::time::Timestamp;
use moa_server::{Config, Limits};
use moa_wire::api::{Base64, Confirmation, Enrolled, EnrolmentRequest};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::problem::Problem;
use support::{Device, NOON, Town, confirmation, problem, read, refused};

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
    let mut op = device.unsigned(
        town.now(),
        OpBody::JoinGroup { group: GroupId([1; 16]), terms_version: 1, invitation: None },
    );
    let stranger = key();
    op.actor = stranger.key_id();
    let op = moa_wire::token::Checked::sign(op, &stranger).unwrap();
    assert_eq!(refused(&town.submit_one(&op).await)["code"], "unknown_key");
    town.close().await;
}

/// Limits that a test runs into sooner.
fn limited(codes_per_address: u32, daily: &[&str]) -> impl FnOnce(Config) -> Config {
    let limits = Limits {
        codes_per_address,
        daily_codes: daily.iter().map(|daily| daily.parse().unwrap()).collect(),
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
    };
    |local| Config { limits, ..local }
}

async fn town_with(settings: impl FnOnce(Config) -> Config) -> Town {
    Town::open_with(tempfile::tempdir().unwrap(), NOON, settings).await
}

/// Asks for a code; the status, and the problem's code and wait if it is one.
async fn ask(town: &Town, phone: &str, key: &SoftwareKey, address: &str) -> (u16, String, u64) {
    let body = EnrolmentRequest { phone: phone.to_owned(), public_key: Base64(key.public_key()) };
    let request = town.client.post(town.url("/v1/enrolments")).header("x-forwarded-for", address);
    let answer = request.json(&body).send().await.unwrap();
    if answer.status() == 200 {
        return (200, String::new(), 0);
    }
    let told = problem(answer).await;
    (told.status, told.code.clone(), told.figures["retry_after_s"].as_u64().unwrap())
}

#[tokio::test]
async fn a_key_asks_for_five_codes_an_hour_whatever_the_numbers() {
    let town = Town::open().await;
    let key = key();
    for last in 0..5 {
        assert_eq!(ask(&town, &format!("010-1234-567{last}"), &key, "").await.0, 200);
    }
    assert_eq!(ask(&town, "010-1234-5679", &key, "").await, (429, "too_many_codes".into(), 3_600));
    assert_eq!(ask(&town, "010-1234-5679", &self::key(), "").await.0, 200, "another key");
    town.pass(Timestamp::HOUR + 1);
    assert_eq!(ask(&town, "010-1234-5679", &key, "").await.0, 200);
    town.close().await;
}

#[tokio::test]
async fn an_address_asks_for_so_many_codes_an_hour_and_an_untrusted_header_is_nobodys_address() {
    let town = town_with(limited(3, &[])).await;
    let (here, there) = ("203.0.113.7", "198.51.100.1");
    for last in 0..3 {
        assert_eq!(ask(&town, &format!("010-1234-567{last}"), &key(), here).await.0, 200);
    }
    assert_eq!(ask(&town, "010-1234-5679", &key(), here).await, (429, "too_many_codes".into(), 3_600));
    let forged = format!("{there}, {here}");
    assert_eq!(ask(&town, "010-1234-5679", &key(), &forged).await.0, 429, "what the client wrote is left");
    assert_eq!(ask(&town, "010-1234-5679", &key(), there).await.0, 200);
    town.close().await;

    // Nobody is trusted: the header says nothing, and this machine itself is not counted.
    let untrusted = |local| {
        let limits = Limits { codes_per_address: 1, ..Limits::default() };
        Config { limits, ..local }
    };
    let town = town_with(untrusted).await;
    for last in 0..3 {
        assert_eq!(ask(&town, &format!("010-1234-567{last}"), &key(), here).await.0, 200);
    }
    town.close().await;
}

#[tokio::test]
async fn a_country_gets_so_many_codes_a_day_and_others_are_not_touched() {
    let town = town_with(limited(100, &["82=3", "*=1"])).await;
    for last in 0..3 {
        assert_eq!(ask(&town, &format!("010-1234-567{last}"), &key(), "").await.0, 200);
    }
    town.pass(Timestamp::HOUR);
    assert_eq!(
        ask(&town, "010-1234-5679", &key(), "").await,
        (429, "too_many_codes".into(), 23 * 3_600 + 60)
    );
    for phone in ["+1 650-253-0000", "+81 3-1234-5678"] {
        assert_eq!(ask(&town, phone, &key(), "").await.0, 200, "{phone}: a budget for each country");
        assert_eq!(ask(&town, phone, &key(), "").await.0, 429, "{phone}");
    }
    town.pass(23 * Timestamp::HOUR + 1);
    assert_eq!(ask(&town, "010-1234-5679", &key(), "").await.0, 200);
    town.close().await;
}

#[tokio::test]
async fn a_known_number_and_an_unknown_one_get_the_same_answer_and_the_same_limits() {
    let town = Town::open().await;
    let known = "010-1234-5678";
    town.enrol(known).await;
    town.pass(Timestamp::HOUR + 1);
    let mut told = Vec::new();
    for phone in [known, "010-8765-4321"] {
        let mut answers = Vec::new();
        for _ in 0..6 {
            let body = EnrolmentRequest { phone: phone.to_owned(), public_key: Base64(key().public_key()) };
            let answer = town.post("/v1/enrolments", &body).await;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let mut names: Vec<String> = headers.keys().map(ToString::to_string).collect();
            names.sort();
            let mut body: serde_json::Value = answer.json().await.unwrap();
            if let Some(id) = body.get_mut("enrolment") {
                assert_eq!(id.as_str().unwrap().len(), 32);
                *id = "any".into();
            }
            answers.push((status, names, body));
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
    town.close().await;
}

/// Signs a new phone in to a number with a recovery code, or does not.
async fn enrol_with(town: &Town, phone: &str, recovery: Option<&str>) -> Result<Device, Problem> {
    let key = key();
    let enrolment = town.begin(phone, &key).await;
    let code = town.code(phone, &enrolment).await;
    let confirmation =
        Confirmation { recovery: recovery.map(str::to_owned), ..confirmation(&code, &enrolment, &key) };
    let answer = town.confirm(&enrolment, &confirmation).await;
    if answer.status() != 200 {
        return Err(problem(answer).await);
    }
    Ok(Device::new(key, read(answer).await))
}

#[tokio::test]
async fn edge_43_a_number_that_now_belongs_to_someone_else_begins_a_new_account() {
    let town = Town::open().await;
    let cafe = town.shop("010-1111-1111", "Cafe").await;
    let group = town.found(&cafe).await;
    let before = enrol_with(&town, PHONE, None).await.unwrap();
    town.applied(&[&town.claim(&before, &town.sale(&cafe, 100_000), group)]).await;
    town.token(&before).await;

    // Ninety days to the millisecond since the phone was last there: not silent yet.
    town.pass(90 * Timestamp::DAY);
    assert_eq!(enrol_with(&town, PHONE, None).await.unwrap().account, before.account);
    town.pass(90 * Timestamp::DAY + 1);
    let stranger = enrol_with(&town, PHONE, None).await.unwrap();
    assert_ne!(stranger.account, before.account);
    assert!(stranger.recovery.is_some(), "an account of its own, with a proof of its own");
    assert_eq!((town.balance(&stranger).await, town.balance(&before).await), (0, 3_000));
    // The next phone of the number is the stranger's; the old one still spends what it earned.
    assert_eq!(enrol_with(&town, PHONE, None).await.unwrap().account, stranger.account);
    town.applied(&[&town.redemption(&cafe, &before, group, 1_000)]).await;
    assert_eq!(town.balance(&before).await, 2_000);
    town.close().await;
}

#[tokio::test]
async fn the_recovery_code_finds_the_old_account_of_a_silent_number() {
    let town = Town::open().await;
    let before = enrol_with(&town, PHONE, None).await.unwrap();
    let recovery = before.recovery.clone().unwrap();
    town.pass(200 * Timestamp::DAY);
    let typed = format!(" {} ", recovery.to_lowercase().replace('-', " "));
    let after = enrol_with(&town, PHONE, Some(&typed)).await.unwrap();
    assert_eq!((after.account, after.recovery.clone()), (before.account, None));
    // The second phone, and a blank field, are as without.
    assert_eq!(enrol_with(&town, PHONE, Some(" ")).await.unwrap().account, before.account);
    town.close().await;
}

#[tokio::test]
async fn five_wrong_recovery_codes_void_it_and_the_number_alone_still_signs_in() {
    let town = Town::open().await;
    let first = enrol_with(&town, PHONE, None).await.unwrap();
    let right = first.recovery.clone().unwrap();
    let wrong = if right == "00000-00000" { "11111-11111" } else { "00000-00000" };
    for (typed, left) in [(wrong, 4), ("rubbish", 3), (wrong, 2), (wrong, 1)] {
        town.pass(Timestamp::HOUR);
        let told = enrol_with(&town, PHONE, Some(typed)).await.map(drop).unwrap_err();
        assert_eq!((told.status, told.code.as_str()), (422, "recovery_wrong"));
        assert_eq!(told.figures["tries_left"], left);
    }
    town.pass(Timestamp::HOUR);
    assert_eq!(enrol_with(&town, PHONE, Some(&right)).await.unwrap().account, first.account);
    for left in [4, 3, 2, 1, 0, 0] {
        town.pass(Timestamp::HOUR);
        let told = enrol_with(&town, PHONE, Some(wrong)).await.map(drop).unwrap_err();
        assert_eq!(told.figures["tries_left"], left);
    }
    town.pass(Timestamp::HOUR);
    assert_eq!(enrol_with(&town, PHONE, Some(&right)).await.map(drop).unwrap_err().code, "recovery_wrong");
    assert_eq!(enrol_with(&town, PHONE, None).await.unwrap().account, first.account);
    town.close().await;
}
