//! The session: a key that the device vouches for once a month, and tokens that reads wait for and ops do not.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use moa_phone::sync::{Failure, Machine};
use moa_phone::{
    Data, DeviceKeys, Environment, Fate, KeyStoreError, Method, Options, Phone, PhoneError,
    SeededEnvironment, SignedIn, TransportError,
};
use moa_rules::time::Timestamp;
use moa_wire::keys::{SignError, Signer, SoftwareKey};
use moa_wire::problem::Problem;
use support::{NOON, Person, Server, Town, ok, problem};

/// A key that counts what it signs, and that can be locked.
struct Counting {
    key: SoftwareKey,
    signed: AtomicUsize,
    locked: AtomicBool,
}

impl Signer for Counting {
    fn public_key(&self) -> Vec<u8> {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if self.locked.load(Ordering::SeqCst) {
            return Err(SignError::Locked("by its owner".into()));
        }
        self.signed.fetch_add(1, Ordering::SeqCst);
        self.key.sign(message)
    }
}

/// What it seals, it leaves as it is: nothing here looks at the file.
impl DeviceKeys for Counting {
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        Ok(plain.to_vec())
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        Ok(sealed.to_vec())
    }
}

fn with_counting_key() -> (Person, Arc<Counting>) {
    let key = SoftwareKey::generate().unwrap().0;
    let key = Arc::new(Counting { key, signed: AtomicUsize::new(0), locked: AtomicBool::new(false) });
    let environment = Arc::new(SeededEnvironment::new(1, NOON));
    let given: Arc<dyn Environment> = environment.clone();
    let options = Options {
        environment: given,
        keys: Some(key.clone()),
        device_name: " 폰 ".into(),
        ..Options::new(Data::Memory)
    };
    let phone = Arc::new(Phone::open(options).unwrap());
    let mut machine = Machine::new(&phone).unwrap();
    machine.set_foreground(false);
    (Person { phone, environment, machine }, key)
}

fn pass(server: &mut Server, person: &Person, millis: i64) {
    server.now = server.now.plus(millis);
    person.environment.advance(millis);
}

#[test]
fn the_device_key_vouches_once_a_month_and_signs_no_read() {
    let mut server = Server::new(NOON);
    let (mut person, key) = with_counting_key();
    person.enrol(&mut server);
    let signed = || key.signed.load(Ordering::SeqCst);
    assert_eq!(signed(), 2, "the enrolment, and the session key");
    for _ in 0..29 {
        pass(&mut server, &person, Timestamp::DAY);
        person.sync(&mut server).unwrap();
    }
    assert_eq!((signed(), server.begun), (2, 1));
    pass(&mut server, &person, 2 * Timestamp::DAY);
    person.sync(&mut server).unwrap();
    assert_eq!((signed(), server.begun), (3, 2));
}

#[test]
fn a_token_is_used_until_it_ends_and_another_is_asked_for_only_to_read() {
    let mut server = Server::new(NOON);
    let mut person = Person::new(1);
    person.enrol(&mut server);
    pass(&mut server, &person, 9 * Timestamp::MINUTE);
    person.sync(&mut server).unwrap();
    assert_eq!(server.given, 1);
    pass(&mut server, &person, Timestamp::MINUTE);
    for _ in 0..3 {
        let work = person.poll();
        assert!(work.send.is_empty() && !work.endorse, "in the background nothing is asked");
    }
    person.sync(&mut server).unwrap();
    person.sync(&mut server).unwrap();
    assert_eq!((server.begun, server.given), (1, 2));
}

#[test]
fn ops_go_out_while_the_device_key_keeps_the_session_waiting() {
    let mut town = Town::new();
    let claim = town.buy(20_000);
    town.server.end_sessions();
    town.advance(31 * Timestamp::DAY);
    let buyer = &mut town.buyer;
    let now = buyer.now();
    buyer.machine.sync_now(&buyer.phone, now).unwrap();
    let work = buyer.poll();
    assert!(work.endorse);
    let [(id, request)] = work.send.as_slice() else { panic!("{work:?}") };
    assert_eq!(request.path, "/v1/ops");
    buyer.receive(*id, Ok(town.server.answer(request)));
    assert!(matches!(buyer.phone.fate(claim).unwrap(), Some(Fate::Refused(_) | Fate::Applied)));
    let again = buyer.poll();
    assert!(!again.endorse && again.send.is_empty(), "it was asked once, and nothing else may go");
}

#[test]
fn a_locked_key_is_asked_again_later_and_reads_wait_for_it() {
    let mut server = Server::new(NOON);
    let (mut person, key) = with_counting_key();
    person.enrol(&mut server);
    pass(&mut server, &person, 31 * Timestamp::DAY);
    key.locked.store(true, Ordering::SeqCst);
    assert_eq!(person.sync(&mut server), Err(Failure::Key(KeyStoreError::Locked("by its owner".into()))));
    assert!(!person.poll().endorse, "not before its time");
    key.locked.store(false, Ordering::SeqCst);
    person.sync(&mut server).unwrap();
    assert!(matches!(person.phone.signed_in().unwrap(), SignedIn::Yes(_)));
}

#[test]
fn a_session_that_is_over_is_begun_again_on_the_same_word() {
    let mut server = Server::new(NOON);
    let (mut person, key) = with_counting_key();
    person.enrol(&mut server);
    let signed = key.signed.load(Ordering::SeqCst);
    server.void_tokens();
    person.sync(&mut server).unwrap();
    assert_eq!((server.begun, server.given), (1, 2));
    server.end_sessions();
    person.sync(&mut server).unwrap();
    assert_eq!((server.begun, key.signed.load(Ordering::SeqCst)), (2, signed));
}

#[test]
fn a_lost_answer_to_the_begin_of_a_session_is_asked_for_again() {
    let mut server = Server::new(NOON);
    let mut person = Person::new(1);
    let mut lose = 2;
    let request = person.phone.begin_enrolment("010-1234-5678").unwrap();
    person.phone.enrolment_begun(Ok(server.answer(&request))).unwrap();
    let request = person.phone.confirm_enrolment("123456", None).unwrap();
    let signed_up = person.phone.enrolment_confirmed(Ok(server.answer(&request))).unwrap();
    assert_eq!(signed_up.recovery_code.as_deref(), Some("01234-56789"));
    assert!(!format!("{signed_up:?}").contains("01234"));
    for _ in 0..3 {
        let carried = person.sync_over(&mut server, |server, request| {
            let answer = server.answer(request);
            if request.path == "/v1/sessions" && lose > 0 {
                lose -= 1;
                return Err(TransportError::TimedOut);
            }
            Ok(answer)
        });
        assert_eq!(carried.is_ok(), lose == 0 && server.given == server.begun && server.begun == 3);
    }
}

#[test]
fn edge_30_a_clock_that_is_off_is_corrected_by_the_servers_word_and_asks_again_at_once() {
    for off in [400 * Timestamp::DAY, -400 * Timestamp::DAY, 3 * Timestamp::HOUR] {
        let mut server = Server::new(NOON);
        let mut person = Person::new(1);
        person.enrol(&mut server);
        // Set by hand after it was right.
        person.environment.advance(off);
        person.sync(&mut server).unwrap();
        assert!(person.phone.now().0.abs_diff(server.now.0) <= 2_000, "{off}");
        assert!(matches!(person.phone.signed_in().unwrap(), SignedIn::Yes(_)));
    }
    let mut server = Server::new(NOON);
    let mut person = Person::new(1);
    person.enrol(&mut server);
    person.environment.advance(7 * Timestamp::MINUTE);
    let mut asked = Vec::new();
    person
        .sync_over(&mut server, |server, request| {
            asked.push(request.path.clone());
            Ok(server.answer(request))
        })
        .unwrap();
    let stale = asked.iter().filter(|path| path.starts_with("/v1/changes")).count();
    assert_eq!(stale, 2, "{asked:?}");
}

#[test]
fn a_server_that_never_finds_a_proof_fresh_is_not_asked_without_end() {
    let mut server = Server::new(NOON);
    let mut person = Person::new(1);
    person.enrol(&mut server);
    let mut asked = 0;
    let answered = person.sync_over(&mut server, |_, request| {
        if request.method == Method::Get {
            asked += 1;
            let stale = Problem::new(401, "title", "proof_stale", "detail").with("now", NOON.0);
            return Ok(moa_phone::Response {
                status: 401,
                retry_after_s: None,
                body: serde_json::to_vec(&stale).unwrap(),
            });
        }
        Ok(problem(500, "internal"))
    });
    assert!(matches!(answered, Err(Failure::Problem(_))));
    assert!(asked <= 4, "{asked}: each lane twice");
}

#[test]
fn denials_and_rubbish_in_place_of_a_session_are_asked_again_later_and_lose_nothing() {
    for (status, code) in
        [(401, "proof_wrong"), (401, "session_over"), (422, "endorsement_wrong"), (403, "moon"), (500, "x")]
    {
        let mut town = Town::new();
        let claim = town.buy(20_000);
        town.server.end_sessions();
        let mut asked = 0;
        let denied = town.buyer.sync_over(&mut town.server, |server, request| {
            if request.path.starts_with("/v1/sessions") {
                asked += 1;
                return Ok(problem(status, code));
            }
            Ok(server.answer(request))
        });
        assert!(denied.is_err() && asked <= 4, "{code}: {asked}");
        assert_eq!(town.buyer.phone.fate(claim).unwrap(), Some(Fate::Applied), "ops need no session");
        town.buyer.sync(&mut town.server).unwrap();
    }
    let void = serde_json::json!({"token": "t", "expires_at": 0, "refresh": "r", "now": NOON});
    for rubbish in [ok(&void), ok(&serde_json::json!({})), ok(&"<html>")] {
        let mut town = Town::new();
        town.server.end_sessions();
        let mut asked = 0;
        let answered = town.buyer.sync_over(&mut town.server, |server, request| {
            if request.path == "/v1/sessions" {
                asked += 1;
                return Ok(rubbish.clone());
            }
            Ok(server.answer(request))
        });
        assert!(matches!(answered, Err(Failure::NotOurServer(_))), "{answered:?}");
        assert_eq!(asked, 1);
        town.buyer.sync(&mut town.server).unwrap();
    }
}

#[test]
fn the_session_is_kept_over_a_restart_and_belongs_to_its_device_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::new(NOON);
    let mut person = Person::on_disk(folder.path(), 1);
    person.enrol(&mut server);
    drop(person);
    let mut person = Person::on_disk(folder.path(), 2);
    person.sync(&mut server).unwrap();
    assert_eq!((server.begun, server.given), (1, 1));
    drop(person);
    std::fs::remove_file(folder.path().join("device.key")).unwrap();
    let mut person = Person::on_disk(folder.path(), 3);
    assert!(matches!(person.phone.signed_in().unwrap(), SignedIn::Again(_)));
    assert_eq!(person.sync(&mut server), Err(Failure::SignInAgain));
    assert_eq!(server.begun, 1);
}

#[test]
fn the_accounts_devices_are_told_with_this_one_marked() {
    let mut server = Server::new(NOON);
    let (mut person, _) = with_counting_key();
    assert!(matches!(person.phone.devices_request(), Err(PhoneError::NotSignedIn)));
    person.enrol(&mut server);
    let request = person.phone.devices_request().unwrap();
    let devices = person.phone.devices_read(Ok(server.answer(&request))).unwrap();
    assert_eq!((devices.len(), devices[0].here, devices[0].key), (1, true, person.phone.key()));
    for garbage in [&b"<html>"[..], br#"{"devices":[{"key":"x"}],"now":1}"#] {
        let answer = moa_phone::Response { status: 200, retry_after_s: None, body: garbage.to_vec() };
        assert!(matches!(person.phone.devices_read(Ok(answer)), Err(PhoneError::NotOurServer(_))));
    }
}
