//! Answers to a phone's requests, of whoever gave them. The first byte says to which request (from 128 on: to those that
//! begin the session), the second which status.

use moa_phone::sync::Machine;
use moa_phone::{Data, Options, Phone, Response};
use moa_rules::id::AccountId;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Enrolled, Enrolment, Session};
use moa_wire::keys::{Signer, SoftwareKey};

/// The key of the server that the phone trusts: fixed, so that what the corpus holds is signed well.
const SERVER_KEY: &[u8] = include_bytes!("server.p8");
/// The account that the phone is signed in to.
pub(crate) const ACCOUNT: AccountId = AccountId([1; 16]);

const STATUSES: [u16; 8] = [200, 200, 200, 400, 401, 410, 429, 503];

/// The server's key.
pub(crate) fn server_key() -> SoftwareKey {
    SoftwareKey::from_pkcs8(SERVER_KEY).expect("the file beside this one")
}

/// A phone in memory, signed in; nothing is under way.
fn phone() -> Phone {
    let phone = Phone::open(Options::new(Data::Memory)).expect("a phone in memory");
    let good = |body: Vec<u8>| Ok(Response { status: 200, retry_after_s: None, body });
    let json = |value: serde_json::Value| value.to_string().into_bytes();
    let now = phone.now();
    phone.begin_enrolment("010-1234-5678").expect("a number");
    let begun = Enrolment { enrolment: "0192837465566778899aabbccddeeff0".to_owned(), expires_at: now };
    phone.enrolment_begun(good(json(serde_json::json!(begun)))).expect("an answer");
    phone.confirm_enrolment("123456", None).expect("a code");
    let server_key = Base64(server_key().public_key());
    let enrolled = Enrolled { account: ACCOUNT, server_key, now, recovery: None };
    phone.enrolment_confirmed(good(json(serde_json::json!(enrolled)))).expect("an answer");
    phone
}

/// Has the session begun, unless the bytes are to be the answer to that.
fn begin_session(phone: &Phone, machine: &mut Machine) {
    let now = phone.now();
    let work = machine.poll(phone, now).expect("a poll");
    assert!(work.endorse && work.send.is_empty(), "reads wait for a session");
    machine.endorsed(phone, phone.endorse(), now).expect("storage is well");
    let work = machine.poll(phone, now).expect("a poll");
    for (id, _) in work.send {
        let expires_at = now.plus(Timestamp::DAY);
        let session = Session { token: "token".to_owned(), expires_at, refresh: "refresh".to_owned(), now };
        let body = serde_json::json!(session).to_string().into_bytes();
        let answer = Ok(Response { status: 200, retry_after_s: None, body });
        machine.receive(phone, id, answer, now).expect("storage is well");
    }
}

/// An answer: the phone takes it or leaves it, and can go on asking either way.
pub fn answers(bytes: &[u8]) {
    let [which, status, body @ ..] = bytes else { return };
    let phone = phone();
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let mut machine = Machine::new(&phone).expect("a machine");
    if *which < 128 {
        begin_session(&phone, &mut machine);
    }
    let mut now = phone.now();
    for round in 0..3_usize {
        let work = machine.poll(&phone, now).expect("a poll");
        if work.endorse {
            machine.endorsed(&phone, phone.endorse(), now).expect("storage is well");
        }
        let wanted = (usize::from(*which) + round) % work.send.len().max(1);
        for (nth, (id, _)) in work.send.into_iter().enumerate() {
            let answer = if nth == wanted {
                Ok(Response { status, retry_after_s: None, body: body.to_vec() })
            } else {
                Err(moa_phone::TransportError::TimedOut)
            };
            machine.receive(&phone, id, answer, now).expect("storage is well");
        }
        now = machine.next_wakeup().unwrap_or(now).max(now);
    }
    phone.balances().expect("balances can be read");
    phone.reckoned().expect("inboxes can be read");
}
