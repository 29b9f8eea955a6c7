//! A town for tests: phones in memory or on disk, and a server double without sockets.
//!
//! The double decides by `moa_rules` and signs by `moa_wire`, so its events, chains and heads are real ones. It keeps
//! everything in memory and can be made to misbehave.

#![allow(dead_code, reason = "each test file uses a part of it")]

mod invitations;
mod people;
mod reads;
mod server;

use std::path::Path;
use std::sync::Arc;

pub use self::server::Server;
use moa_phone::sync::{Failure, Machine, RequestId, Work};
use moa_phone::{
    Code, Data, DeviceKeys, Environment, Options, Phone, Request, Response, ScannedVoucher,
    SeededEnvironment, TransportError, Voucher,
};
use moa_rules::event::Inbox;
use moa_rules::id::{AccountId, GroupId, OpId};
use moa_rules::merchant::MerchantProfile;
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::canonical;
use moa_wire::member::MemberSecret;
use moa_wire::problem::Problem;
use serde::Serialize;

/// 21 November 2026, 12:00 in Seoul.
pub const NOON: Timestamp = Timestamp(1_795_230_000_000);

pub fn units(count: i64) -> Units {
    Units::new(count).unwrap()
}

pub fn member_secret(account: AccountId) -> MemberSecret {
    MemberSecret::new(account.0, [7; 32])
}

fn name(inbox: Inbox) -> String {
    canonical::encode(&inbox).iter().map(u8::to_string).collect::<Vec<_>>().join("_")
}

pub fn ok<T: Serialize>(body: &T) -> Response {
    Response { status: 200, retry_after_s: None, body: serde_json::to_vec(body).unwrap() }
}

pub fn problem(status: u16, code: &str) -> Response {
    let problem = Problem::new(status, "title", code, "detail");
    Response { status, retry_after_s: None, body: serde_json::to_vec(&problem).unwrap() }
}

fn found<T: Serialize>(thing: Option<T>) -> Response {
    thing.map_or_else(|| problem(404, "not_found"), |thing| ok(&thing))
}

/// A phone with its machine, driven by hand. In the background: nothing waits at the server.
pub struct Person {
    pub phone: Arc<Phone>,
    pub environment: Arc<SeededEnvironment>,
    pub machine: Machine,
}

impl Person {
    pub fn new(seed: u64) -> Self {
        Self::open(Data::Memory, seed, NOON)
    }

    pub fn on_disk(directory: &Path, seed: u64) -> Self {
        Self::open(Data::Directory(directory.to_owned()), seed, NOON)
    }

    pub fn open(data: Data, seed: u64, now: Timestamp) -> Self {
        Self::with_keys(data, None, seed, now)
    }

    pub fn with_keys(data: Data, keys: Option<Arc<dyn DeviceKeys>>, seed: u64, now: Timestamp) -> Self {
        let environment = Arc::new(SeededEnvironment::new(seed, now));
        let given: Arc<dyn Environment> = environment.clone();
        let options = Options { keys, environment: given, language: "en".into(), ..Options::new(data) };
        let phone = Arc::new(Phone::open(options).unwrap());
        let mut machine = Machine::new(&phone).unwrap();
        machine.set_foreground(false);
        Self { phone, environment, machine }
    }

    pub fn now(&self) -> Timestamp {
        self.environment.now()
    }

    pub fn enrol(&mut self, server: &mut Server) -> AccountId {
        let request = self.phone.begin_enrolment("010-1234-5678").unwrap();
        self.phone.enrolment_begun(Ok(server.answer(&request))).unwrap();
        let request = self.phone.confirm_enrolment("123 456", None).unwrap();
        let account = self.phone.enrolment_confirmed(Ok(server.answer(&request))).unwrap().account;
        self.sync(server).unwrap();
        account
    }

    pub fn poll(&mut self) -> Work {
        self.phone.choose_at_once().unwrap();
        self.phone.renew_certificate_if_due().unwrap();
        let now = self.now();
        self.machine.poll(&self.phone, now).unwrap()
    }

    pub fn receive(&mut self, id: RequestId, answer: Result<Response, TransportError>) {
        let now = self.now();
        self.machine.receive(&self.phone, id, answer, now).unwrap();
    }

    /// Sends and receives until there is nothing more to be done now. `carry` is the network.
    pub fn run(
        &mut self,
        server: &mut Server,
        mut carry: impl FnMut(&mut Server, &Request) -> Result<Response, TransportError>,
    ) {
        for _ in 0..1_000 {
            let work = self.poll();
            if work.endorse {
                let (endorsed, now) = (self.phone.endorse(), self.now());
                self.machine.endorsed(&self.phone, endorsed, now).unwrap();
            } else if work.send.is_empty() {
                return;
            }
            for (id, request) in work.send {
                let answer = carry(server, &request);
                self.receive(id, answer);
            }
        }
        panic!("the machine never rests");
    }

    /// Everything at once.
    pub fn sync(&mut self, server: &mut Server) -> Result<(), Failure> {
        self.sync_over(server, |server, request| Ok(server.answer(request)))
    }

    pub fn sync_over(
        &mut self,
        server: &mut Server,
        carry: impl FnMut(&mut Server, &Request) -> Result<Response, TransportError>,
    ) -> Result<(), Failure> {
        let now = self.now();
        let ticket = self.machine.sync_now(&self.phone, now).unwrap();
        self.run(server, carry);
        self.machine.finished(ticket).expect("the ticket is closed when the machine rests")
    }

    pub fn scan(&self, voucher: &Voucher) -> ScannedVoucher {
        match self.phone.read_code(&voucher.text).unwrap() {
            Code::Voucher(scanned) => scanned,
            other => panic!("{other:?}"),
        }
    }
}

pub fn offline(_: &mut Server, _: &Request) -> Result<Response, TransportError> {
    Err(TransportError::Unreachable("no signal".into()))
}

pub fn profile(name: &str) -> MerchantProfile {
    MerchantProfile::new(name, Currency::KRW, None)
}

pub fn terms(bp: u16, minimum: i64) -> Terms {
    Terms::points(BasisPoints::new(bp).unwrap(), Validity::Months(6), units(minimum))
}

/// A café and a bakery in one group at 10 % with a minimum of 1 000, and a buyer; all enrolled and in step.
pub struct Town {
    pub server: Server,
    pub cafe: Person,
    pub bakery: Person,
    pub buyer: Person,
    pub group: GroupId,
    pub account: AccountId,
}

impl Town {
    pub fn new() -> Self {
        Self::with_buyer(Person::new(3))
    }

    pub fn with_buyer(mut buyer: Person) -> Self {
        let mut server = Server::new(NOON);
        let (mut cafe, mut bakery) = (Person::new(1), Person::new(2));
        cafe.enrol(&mut server);
        bakery.enrol(&mut server);
        cafe.phone.register_merchant(profile("골목 카페")).unwrap();
        let alley = Profile::new("골목", Scope::Area);
        let group = cafe.phone.found_group(alley, terms(1_000, 1_000)).unwrap();
        bakery.phone.register_merchant(profile("골목 빵집")).unwrap();
        cafe.sync(&mut server).unwrap();
        bakery.sync(&mut server).unwrap();
        bakery.phone.join_group(group, 1).unwrap();
        bakery.sync(&mut server).unwrap();
        cafe.sync(&mut server).unwrap();
        let account = buyer.enrol(&mut server);
        Self { server, cafe, bakery, buyer, group, account }
    }

    /// Time passes for everyone.
    pub fn advance(&mut self, millis: i64) {
        self.server.now = self.server.now.plus(millis);
        for person in [&self.cafe, &self.bakery, &self.buyer] {
            person.environment.advance(millis);
        }
    }

    /// The buyer buys at the café and claims, without signal.
    pub fn buy(&mut self, amount: i64) -> OpId {
        let voucher = self.cafe.phone.record_sale(Money(amount), None).unwrap();
        let scanned = self.buyer.scan(&voucher);
        let choice = self.buyer.phone.choices(&scanned).unwrap().first().map(|best| best.choice);
        self.buyer.phone.claim(&scanned, choice).unwrap().op
    }

    /// The same, and everything is synced.
    pub fn earn(&mut self, amount: i64) {
        self.buy(amount);
        self.buyer.sync(&mut self.server).unwrap();
        self.cafe.sync(&mut self.server).unwrap();
    }

    /// A second group of the café's, at 3 %: from now on there is something to choose.
    pub fn second_group(&mut self) -> GroupId {
        let building = Profile::new("건물", Scope::Building);
        let group = self.cafe.phone.found_group(building, terms(300, 0)).unwrap();
        self.cafe.sync(&mut self.server).unwrap();
        self.buyer.sync(&mut self.server).unwrap();
        group
    }

    /// The café sells to the buyer, whose member code it scans; the server knows, the buyer does not yet.
    pub fn sell(&mut self, amount: i64) -> OpId {
        let code = self.buyer.phone.member_code().unwrap();
        let sale = self.cafe.phone.record_sale_for(Money(amount), &code.text).unwrap();
        self.cafe.sync(&mut self.server).unwrap();
        sale
    }
}
