//! A town for tests: phones in memory or on disk, and a server double without sockets.
//!
//! The double decides by `moa_rules` and signs by `moa_wire`, so its events, chains and heads are real ones. It keeps
//! everything in memory and can be made to misbehave.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use moa_phone::sync::{Failure, Machine, RequestId, Work};
use moa_phone::{
    Code, Data, DeviceKeys, Environment, Method, Options, Phone, Request, Response, ScannedVoucher,
    SeededEnvironment, TransportError, Voucher,
};
use moa_rules::decide::decide;
use moa_rules::device::{Device, Holder, KeyKind};
use moa_rules::event::{EVENT_VERSION, Event, EventBody, Inbox};
use moa_rules::group::Group;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::lot::Usable;
use moa_rules::member::{Buyer, Found};
use moa_rules::merchant::MerchantProfile;
use moa_rules::one_time::{LIFETIME, OneTimeCode};
use moa_rules::op::{Carried, OP_VERSION, Op, OpBody};
use moa_rules::pass::PassToken;
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::sale::Sale;
use moa_rules::staff::Staff;
use moa_rules::state::{self, Row};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_rules::view::{Halt, Key, View};
use moa_rules::waiting::waits_until;
use moa_wire::api::{
    Access, Base64, Changes, Confirmation, DeviceEntry, DeviceKind, Devices, Directory, Enrolled, Enrolment,
    EnrolmentRequest, GivenToken, GroupEntry, InboxChanges, KeyEntry, MAX_CHANGES, MerchantEntry, OneTime,
    OneTimeFound, OneTimeLookup, OneTimeRequest, Ops, RefreshRequest, Refused, Session, SessionRequest,
    Snapshot, TillStanding, Verdict, Verdicts, WaitingSale,
};
use moa_wire::dpop::{self, Proof};
use moa_wire::keys::{Signer, SoftwareKey, key_id};
use moa_wire::member::MemberSecret;
use moa_wire::number::TypedNumber;
use moa_wire::problem::Problem;
use moa_wire::submission::{Parsed, Submission};
use moa_wire::token::{Approval, Checked, Head, Possession, Sealed, SessionEndorsement};
use moa_wire::{canonical, chain};
use serde::Serialize;

/// 21 November 2026, 12:00 in Seoul.
pub const NOON: Timestamp = Timestamp(1_795_230_000_000);

pub fn units(count: i64) -> Units {
    Units::new(count).unwrap()
}

/// What a server's backup holds.
#[derive(Clone)]
pub struct Backup {
    view: View,
    inboxes: BTreeMap<Inbox, Vec<Vec<u8>>>,
    answers: HashMap<OpId, Option<Refusal>>,
    waited: Vec<(MerchantId, OpId)>,
    merchants: Vec<MerchantId>,
}

/// The server double.
pub struct Server {
    pub key: SoftwareKey,
    pub now: Timestamp,
    view: View,
    inboxes: BTreeMap<Inbox, Vec<Vec<u8>>>,
    answers: HashMap<OpId, Option<Refusal>>,
    /// Sales that waited for their buyer's choice.
    waited: Vec<(MerchantId, OpId)>,
    /// Passes that were reserved.
    passes: Vec<(MerchantId, OpId)>,
    merchants: Vec<MerchantId>,
    enrolments: HashMap<String, Vec<u8>>,
    /// Who is known: of each key the account.
    devices: HashMap<KeyId, AccountId>,
    /// Of each device the session key, and the refresh token.
    sessions: HashMap<KeyId, (Vec<u8>, String)>,
    /// Of each token the device, and when it is void.
    tokens: HashMap<String, (KeyId, Timestamp)>,
    /// Keys and ids of proofs that came.
    proofs: HashSet<(Vec<u8>, String)>,
    /// Sessions begun, tokens given.
    pub begun: usize,
    pub given: usize,
    one_time: HashMap<String, (AccountId, Timestamp, Vec<u8>)>,
    /// The phone numbers that came with the last ops.
    pub numbers: Vec<TypedNumber>,
    /// The accounts of phone numbers, as typed.
    pub people: HashMap<String, AccountId>,
    /// Ops received, each time.
    pub received: Vec<OpId>,
    /// Sizes of the batches received.
    pub batches: Vec<usize>,
    /// Cursors older than this are gone.
    pub cursors_gone: bool,
    /// Requests that hold this op are refused as a whole, with a problem.
    pub poison: Option<OpId>,
    /// Whose the next new phones are; none for accounts of their own.
    pub enrols_as: Option<AccountId>,
    /// Why the next op is refused, whatever it is.
    pub refuses_once: Option<Refusal>,
    /// Spoils an answer to `GET /v1/changes`.
    pub tamper: Option<fn(&mut InboxChanges)>,
}

impl Server {
    pub fn new(now: Timestamp) -> Self {
        Self {
            key: SoftwareKey::generate().unwrap().0,
            now,
            view: View::default(),
            inboxes: BTreeMap::new(),
            answers: HashMap::new(),
            waited: Vec::new(),
            passes: Vec::new(),
            merchants: Vec::new(),
            enrolments: HashMap::new(),
            devices: HashMap::new(),
            sessions: HashMap::new(),
            tokens: HashMap::new(),
            proofs: HashSet::new(),
            begun: 0,
            given: 0,
            one_time: HashMap::new(),
            numbers: Vec::new(),
            people: HashMap::new(),
            received: Vec::new(),
            batches: Vec::new(),
            cursors_gone: false,
            poison: None,
            enrols_as: None,
            refuses_once: None,
            tamper: None,
        }
    }

    /// Answers a request.
    pub fn answer(&mut self, request: &Request) -> Response {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let body = request.body.as_deref().unwrap_or_default();
        match (request.method, parts.as_slice()) {
            (Method::Post, ["enrolments"]) => return self.begin(body),
            (Method::Post, ["enrolments", id, "confirm"]) => return self.confirm(id, body),
            (Method::Post, ["ops"]) => return self.ops(body),
            _ => {}
        }
        let header =
            |name| request.headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.as_str());
        let token = header("authorization").and_then(|value| value.strip_prefix("DPoP "));
        let proof = header("dpop").and_then(|proof| Proof::read(proof).ok());
        let url = format!("https://moa.example{path}");
        let is_for = dpop::Request { method: request.method.name(), url: &url, token };
        let Some(proof) = proof.filter(|proof| proof.is_for(is_for)) else {
            return problem(401, "proof_wrong");
        };
        if proof.at.abs_diff(self.now.seconds()) > 300 {
            let stale = Problem::new(401, "title", "proof_stale", "detail").with("now", self.now.0);
            return Response { status: 401, retry_after_s: None, body: serde_json::to_vec(&stale).unwrap() };
        }
        if !self.proofs.insert((proof.public_key.clone(), proof.id.clone())) {
            return problem(401, "proof_reused");
        }
        match (request.method, parts.as_slice()) {
            (Method::Post, ["sessions"]) => return self.begin_session(&proof, body),
            (Method::Post, ["sessions", "refresh"]) => return self.refresh_session(&proof, body),
            _ => {}
        }
        let caller = token.and_then(|token| self.tokens.get(token)).filter(|(_, until)| *until > self.now);
        let Some((key, _)) = caller.copied() else { return problem(401, "session_over") };
        if self.sessions.get(&key).is_none_or(|(session, _)| *session != proof.public_key) {
            return problem(401, "session_over");
        }
        let Some(account) = self.devices.get(&key).copied() else { return problem(401, "unauthorized") };
        match parts.as_slice() {
            ["one-time-codes"] => self.one_time(account, body),
            ["one-time-codes", "look-up"] => self.one_time_lookup(body),
            ["devices"] => {
                let mut devices: Vec<DeviceEntry> = Vec::new();
                for (key, _) in self.devices.iter().filter(|(_, of)| **of == account) {
                    devices.push(DeviceEntry {
                        key: *key,
                        name: "폰".into(),
                        since: self.now,
                        seen: self.now,
                        kind: DeviceKind::Phone,
                        merchant: None,
                        role: None,
                        pays_from: self.now,
                        until: None,
                        revoked_at: None,
                    });
                }
                ok(&Devices { devices, now: self.now })
            }
            ["changes"] => self.changes(account, key, query),
            ["snapshot"] => self.snapshot(account, key),
            ["directory"] => self.directory(),
            ["keys", id] => {
                let device = self.device(id.parse().unwrap());
                found(device.and_then(|device| device.merchant).map(|merchant| self.merchant_entry(merchant)))
            }
            ["groups", id] => found(self.group_entry(id.parse().unwrap())),
            _ => problem(404, "not_found"),
        }
    }

    /// Hands out digits: the number of those handed out before.
    fn one_time(&mut self, account: AccountId, body: &[u8]) -> Response {
        let OneTimeRequest { code } = serde_json::from_slice(body).unwrap();
        let digits = OneTimeCode::of(self.one_time.len() as u64).unwrap();
        self.one_time.insert(digits.digits(), (account, self.now, code.0));
        let expires_at = self.now.plus(LIFETIME);
        ok(&OneTime { digits: digits.digits(), expires_at, now: self.now })
    }

    fn one_time_lookup(&mut self, body: &[u8]) -> Response {
        let OneTimeLookup { digits } = serde_json::from_slice(body).unwrap();
        found(self.one_time.get(&digits).map(|(_, _, code)| OneTimeFound { code: Base64(code.clone()) }))
    }

    fn begin_session(&mut self, proof: &Proof, body: &[u8]) -> Response {
        let SessionRequest { endorsement, .. } = serde_json::from_slice(body).unwrap();
        let sealed = Sealed::<SessionEndorsement>::parse(&endorsement.0).unwrap();
        let key = sealed.unchecked().key;
        let Some(device) = self.devices.get(&key).and_then(|_| self.device(key)) else {
            return problem(401, "unauthorized");
        };
        let endorsement = *sealed.check(&device.public_key).unwrap().value();
        let now = self.now.seconds();
        assert!(endorsement.until - endorsement.from <= SessionEndorsement::MOST_SECONDS);
        if endorsement.public_key[..] != proof.public_key
            || endorsement.from > now + 300
            || endorsement.until <= now
        {
            return problem(422, "endorsement_wrong");
        }
        self.begun += 1;
        let refresh = format!("refresh-{}", self.begun);
        self.sessions.insert(key, (proof.public_key.clone(), refresh.clone()));
        let (token, expires_at) = self.give(key);
        ok(&Session { token, expires_at, refresh, now: self.now })
    }

    fn refresh_session(&mut self, proof: &Proof, body: &[u8]) -> Response {
        let RefreshRequest { refresh } = serde_json::from_slice(body).unwrap();
        let session = self
            .sessions
            .iter()
            .find(|(_, session)| **session == (proof.public_key.clone(), refresh.clone()));
        let Some((key, _)) = session else { return problem(401, "session_over") };
        if !self.devices.contains_key(key) {
            return problem(401, "unauthorized");
        }
        let (token, expires_at) = self.give(*key);
        ok(&Access { token, expires_at, now: self.now })
    }

    fn give(&mut self, key: KeyId) -> (String, Timestamp) {
        self.given += 1;
        let (token, expires_at) = (format!("token-{}", self.given), self.now.plus(10 * Timestamp::MINUTE));
        self.tokens.insert(token.clone(), (key, expires_at));
        (token, expires_at)
    }

    /// Whether the caller of a request that waits has something new.
    pub fn has_news(&mut self, request: &Request) -> bool {
        let proofs = self.proofs.clone();
        let answer = self.answer(request);
        self.proofs = proofs;
        serde_json::from_slice::<Changes>(&answer.body).is_ok_and(|changes| !changes.inboxes.is_empty())
    }

    /// No device is known any more.
    pub fn forget_devices(&mut self) {
        self.devices.clear();
        self.void_tokens();
    }

    /// Every session is over.
    pub fn end_sessions(&mut self) {
        self.sessions.clear();
        self.void_tokens();
    }

    /// No token is good any more.
    pub fn void_tokens(&mut self) {
        self.tokens.clear();
    }

    /// An event that no op of a phone caused, in one inbox.
    pub fn slip_in(&mut self, inbox: Inbox, bytes: Vec<u8>) {
        self.inboxes.entry(inbox).or_default().push(bytes);
    }

    /// The books as they are now.
    pub fn backup(&self) -> Backup {
        Backup {
            view: self.view.clone(),
            inboxes: self.inboxes.clone(),
            answers: self.answers.clone(),
            waited: self.waited.clone(),
            merchants: self.merchants.clone(),
        }
    }

    /// The books as they were then. People and their sessions are as before.
    pub fn restore(&mut self, backup: Backup) {
        let Backup { view, inboxes, answers, waited, merchants } = backup;
        (self.view, self.inboxes, self.answers) = (view, inboxes, answers);
        (self.waited, self.merchants) = (waited, merchants);
    }

    fn begin(&mut self, body: &[u8]) -> Response {
        let request: EnrolmentRequest = serde_json::from_slice(body).unwrap();
        let enrolment = format!("{:032x}", self.enrolments.len() + 1);
        self.enrolments.insert(enrolment.clone(), request.public_key.0);
        ok(&Enrolment { enrolment, expires_at: self.now.plus(5 * Timestamp::MINUTE) })
    }

    fn confirm(&mut self, id: &str, body: &[u8]) -> Response {
        let confirmation: Confirmation = serde_json::from_slice(body).unwrap();
        let Some(public_key) = self.enrolments.get(id).cloned() else {
            return problem(410, "enrolment_void");
        };
        let possession = Sealed::<Possession>::parse(&confirmation.possession.0)
            .and_then(|possession| possession.check(&public_key))
            .unwrap();
        assert_eq!(OpId(possession.value().enrolment).to_string(), id);
        if confirmation.code != "123456" {
            return problem(422, "code_wrong");
        }
        let key = key_id(&public_key);
        let account = match self.device(key) {
            Some(Device { holder: Holder::Account(account), .. }) => account,
            _ => {
                let number = u8::try_from(self.enrolments.len()).unwrap();
                let account = self.enrols_as.unwrap_or(AccountId([number; 16]));
                let op = OpId([0x80 | number; 16]);
                let actor = self.key.key_id();
                let (kind, pays_from) = (KeyKind::Phone, self.now);
                let body =
                    EventBody::DeviceEnrolled { account, key, public_key, kind, pays_from, merchant: None };
                self.happen(vec![(actor, op, body)]);
                account
            }
        };
        let begins = !self.devices.values().any(|of| *of == account);
        self.devices.insert(key, account);
        let recovery = begins.then(|| "01234-56789".to_owned());
        ok(&Enrolled { account, server_key: Base64(self.key.public_key()), now: self.now, recovery })
    }

    fn ops(&mut self, body: &[u8]) -> Response {
        let Ops { ops, numbers } = serde_json::from_slice(body).unwrap();
        self.numbers = numbers;
        self.batches.push(ops.len());
        let parsed: Vec<Parsed> = ops.iter().map(|op| Parsed::parse(&op.0).unwrap()).collect();
        if self.poison.is_some_and(|poison| parsed.iter().any(|op| op.unchecked().id == poison)) {
            return problem(400, "broken_json");
        }
        let ops: Vec<Op> = parsed.iter().map(|op| op.unchecked().clone()).collect();
        let verdicts = parsed.into_iter().map(|op| self.verdict(op)).collect();
        ok(&Verdicts { verdicts, tokens: self.given(&ops), now: self.now })
    }

    /// The server's signed word on those ops that were applied.
    fn given(&self, ops: &[Op]) -> Vec<GivenToken> {
        let applied = ops.iter().filter(|op| matches!(self.answers.get(&op.id), Some(None)));
        applied
            .filter_map(|op| {
                let (version, public_key) = (OP_VERSION, self.device(op.actor)?.public_key);
                let token = match op.body {
                    OpBody::Pay { merchant, group, units, expires, unit } => {
                        let approval = Approval { version, op: op.id, merchant, group, units, expires, unit };
                        Checked::sign(approval, &self.key).unwrap().bytes().into()
                    }
                    OpBody::ReservePass { merchant, till, group, units, expires, unit } => {
                        let pass = op.id;
                        let pass = PassToken {
                            version,
                            pass,
                            merchant,
                            till,
                            group,
                            units,
                            expires,
                            public_key,
                            unit,
                        };
                        Checked::sign(pass, &self.key).unwrap().bytes().into()
                    }
                    _ => return None,
                };
                Some(GivenToken { op: op.id, token })
            })
            .collect()
    }

    fn verdict(&mut self, parsed: Parsed) -> Verdict {
        let id = parsed.unchecked().id;
        self.received.push(id);
        let refused = |reason: Refusal| Refused { text: format!("no: {reason}"), reason };
        if let Some(answer) = self.answers.get(&id) {
            return Verdict::Duplicate { refused: answer.clone().map(refused) };
        }
        let decided =
            parsed.check(|key| self.device(key).map(|device| device.public_key)).and_then(|submission| {
                match self.refuses_once.take() {
                    Some(refusal) => Err(refusal),
                    None => self.decide(&submission),
                }
            });
        self.answers.insert(id, decided.clone().err());
        match decided {
            Ok(()) => Verdict::Applied,
            Err(reason) => Verdict::Refused(refused(reason)),
        }
    }

    /// The buyer of a sale to a known buyer; an account's tag is its own id here.
    fn carried(&self, submission: &Submission) -> Carried {
        let OpBody::SellTo { buyer, .. } = &submission.op.value().body else {
            return submission.carried.clone();
        };
        let code = match buyer {
            Buyer::Member(code) => code,
            Buyer::OneTime(digits) => {
                let known = self.one_time.get(&digits.digits());
                let nobody = Found::Nobody(Refusal::OneTimeCodeUnknown);
                return Carried::Buyer(known.map_or(nobody, |known| Found::OneTime(known.0, known.1)));
            }
            Buyer::Number(named) => {
                let op = submission.op.value().id;
                let typed = self.numbers.iter().find(|typed| typed.op == op && typed.is(*named));
                let missing = Found::Nobody(Refusal::NumberMissing);
                return Carried::Buyer(typed.map_or(missing, |typed| match self.people.get(&typed.number) {
                    Some(account) => Found::Number { account: *account, signed_up: true },
                    None => Found::Number { account: AccountId([0xee; 16]), signed_up: false },
                }));
            }
        };
        let account = AccountId(code.tag);
        let known = self.devices.values().any(|of| *of == account) && member_secret(account).made(code);
        Carried::Buyer(if known {
            Found::Account(account)
        } else {
            Found::Nobody(Refusal::MemberCodeUnknown)
        })
    }

    /// A job of the server's.
    pub fn job(&mut self, body: OpBody) -> Result<(), Refusal> {
        let actor = self.key.key_id();
        let public_key = self.key.public_key();
        let system = Device::system(actor, public_key);
        self.view.put(&Row::Device(system));
        let counter = self.answers.len() as u64 + 1_000;
        let id = OpId([0x80 | u8::try_from(self.answers.len()).unwrap(); 16]);
        let op = Op { version: OP_VERSION, id, actor, counter, time: self.now.seconds(), body };
        let op = Checked::sign(op, &self.key).unwrap();
        self.decide(&Submission { op, sale: None, carried: Carried::None })
    }

    fn waiting(&self, account: AccountId) -> Vec<WaitingSale> {
        let sales = self.waited.iter().filter_map(|(merchant, sale)| {
            let sale = self.view.sale(*merchant, *sale).unwrap()?;
            let Sale { id: sale, merchant, amount, time, .. } =
                *Some(sale).filter(|sale| sale.waits() && sale.addressee == Some(account))?;
            Some(WaitingSale { sale, merchant, amount, time, until: waits_until(time) })
        });
        sales.collect()
    }

    fn decide(&mut self, submission: &Submission) -> Result<(), Refusal> {
        let (op, carried) = (submission.op.value(), self.carried(submission));
        let decision = loop {
            match decide(&self.view, op, &carried, self.now) {
                Ok(decision) => break decision,
                Err(Halt::Refused(reason)) => return Err(reason),
                Err(Halt::Need(keys)) => self.load(keys),
            }
        };
        self.view.put(&Row::Counter(op.actor, op.counter));
        for (key, counter) in decision.counters {
            self.view.put(&Row::Counter(key, counter));
        }
        if decision.carried_applied {
            let sale = submission.sale.as_ref().unwrap().value();
            self.answers.insert(sale.id, None);
        }
        self.happen(decision.events);
        Ok(())
    }

    fn load(&mut self, keys: Vec<Key>) {
        for key in keys {
            self.view.load(key, None);
        }
    }

    /// An operator ends a key.
    pub fn revoke(&mut self, key: KeyId) {
        let device = self.device(key).unwrap();
        let (account, merchant) = (device.account().unwrap(), device.merchant);
        let body = EventBody::DeviceRevoked { account, key, merchant, till: None };
        self.happen(vec![(self.key.key_id(), OpId([0x8f; 16]), body)]);
    }

    fn happen(&mut self, events: Vec<(KeyId, OpId, EventBody)>) {
        for (index, (actor, op, body)) in (0..).zip(events) {
            let event = Event { version: EVENT_VERSION, actor, op, index, at: self.now, body };
            let rows = loop {
                match state::apply(&self.view, &event) {
                    Ok(rows) => break rows,
                    Err(Halt::Need(keys)) => self.load(keys),
                    Err(Halt::Refused(reason)) => panic!("{reason}"),
                }
            };
            for row in &rows {
                // Whatever is written is known from now on.
                match row {
                    Row::Member(member) => self.touch(Key::Memberships(member.merchant)),
                    Row::Lot(lot) => self.touch(Key::Wallet(lot.account, lot.group)),
                    Row::Pass(pass) => self.touch(Key::OpenPasses(pass.account, pass.group)),
                    Row::Device(device) => {
                        let lists = [device.account().map(Key::DevicesOf), device.merchant.map(Key::Tills)];
                        lists.into_iter().flatten().for_each(|list| self.touch(list));
                    }
                    _ => {}
                }
                self.view.put(row);
            }
            match event.body {
                EventBody::MerchantRegistered { merchant, .. } => self.merchants.push(merchant),
                EventBody::PassReserved { merchant, pass, .. } => self.passes.push((merchant, pass)),
                EventBody::SaleWaits { merchant, sale, .. } => self.waited.push((merchant, sale)),
                _ => {}
            }
            let bytes = canonical::encode(&event);
            for inbox in event.body.inboxes() {
                self.inboxes.entry(inbox).or_default().push(bytes.clone());
            }
        }
    }

    fn touch(&mut self, key: Key) {
        if !self.view.is_loaded(key) {
            self.view.load(key, None);
        }
    }

    fn device(&self, key: KeyId) -> Option<Device> {
        self.view.device(key).ok().flatten().cloned()
    }

    /// The shop that a key acts for, until its holder has left.
    fn shop_of(&self, key: KeyId) -> Option<MerchantId> {
        self.device(key).filter(|device| device.left_at.is_none()).and_then(|device| device.merchant)
    }

    fn staff(&self, device: &Device) -> Option<Staff> {
        let (merchant, account) = (device.merchant?, device.account()?);
        self.view.staff(merchant, account).ok().flatten().copied().filter(|staff| staff.left_at.is_none())
    }

    /// What a buyer's phone, or a till, is told of passes when it starts anew.
    fn passes_for(&self, account: AccountId, till: KeyId) -> Vec<Base64> {
        let passes =
            self.passes.iter().filter_map(|(merchant, pass)| self.view.pass(*merchant, *pass).ok()?);
        let passes = passes.filter(|pass| pass.account == account || pass.till == till);
        passes.map(|pass| Base64(canonical::encode(pass))).collect()
    }

    fn reach(&self, account: AccountId, key: KeyId) -> Vec<Inbox> {
        let staff = self.device(key).is_some_and(|device| device.staff);
        let merchant = self.shop_of(key);
        let groups = merchant.map(|merchant| self.view.memberships(merchant).unwrap_or_default().to_vec());
        [Inbox::Account(account)]
            .into_iter()
            .chain(staff.then_some(Inbox::Till(key)))
            .chain(merchant.filter(|_| !staff).map(Inbox::Merchant))
            .chain(groups.unwrap_or_default().into_iter().map(Inbox::Group))
            .collect()
    }

    fn head(&self, inbox: Inbox, count: usize) -> Base64 {
        let events = self.inboxes.get(&inbox).map(Vec::as_slice).unwrap_or_default();
        let numbered = (1..).zip(&events[..count]);
        let hash =
            numbered.fold(chain::start(inbox), |hash, (number, event)| chain::next(hash, number, event));
        let head = Head::new(inbox, count as u64, hash);
        Base64(Checked::sign(head, &self.key).unwrap().bytes().to_vec())
    }

    fn count(&self, inbox: Inbox) -> usize {
        self.inboxes.get(&inbox).map_or(0, Vec::len)
    }

    /// How far a reader is in an inbox: `inbox-count-hash`.
    fn place(&self, inbox: Inbox, count: usize) -> String {
        let events = self.inboxes.get(&inbox).map(Vec::as_slice).unwrap_or_default();
        let numbered = (1..).zip(&events[..count]);
        let hash =
            numbered.fold(chain::start(inbox), |hash, (number, event)| chain::next(hash, number, event));
        format!("{}-{count}-{}", name(inbox), u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]))
    }

    /// A cursor is a place in each inbox, joined by dots.
    fn changes(&mut self, account: AccountId, key: KeyId, query: &str) -> Response {
        if self.cursors_gone {
            return problem(410, "cursor_gone");
        }
        let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor=")).unwrap_or_default();
        let seen: BTreeMap<String, (usize, String)> = cursor
            .split('.')
            .filter_map(|part| part.split_once('-').map(|(inbox, rest)| (inbox, (rest, part))))
            .map(|(inbox, (rest, part))| {
                (inbox.to_owned(), (rest.split('-').next().unwrap().parse().unwrap(), part.to_owned()))
            })
            .collect();
        let (mut inboxes, mut next, mut more) = (Vec::new(), BTreeMap::new(), false);
        next.extend(seen.iter().map(|(inbox, (_, place))| (inbox.clone(), place.clone())));
        for inbox in self.reach(account, key) {
            let (after, place) = seen.get(&name(inbox)).cloned().unwrap_or_default();
            if self.count(inbox) < after || (after > 0 && self.place(inbox, after) != place) {
                return problem(410, "cursor_gone");
            }
            let upto = self.count(inbox).min(after + MAX_CHANGES);
            more |= upto < self.count(inbox);
            next.insert(name(inbox), self.place(inbox, upto));
            if upto == after {
                continue;
            }
            let events = self.inboxes[&inbox][after..upto].iter().cloned().map(Base64).collect();
            let head = self.head(inbox, upto);
            let mut news = InboxChanges { inbox: inbox.into(), first: after as u64 + 1, events, head };
            if let Some(tamper) = self.tamper {
                tamper(&mut news);
            }
            inboxes.push(news);
        }
        let next: Vec<String> = next.into_values().collect();
        ok(&Changes { inboxes, cursor: next.join("."), more, now: self.now })
    }

    fn snapshot(&mut self, account: AccountId, key: KeyId) -> Response {
        self.cursors_gone = false;
        let inboxes = self.reach(account, key);
        let groups: Vec<GroupId> = self
            .merchants
            .iter()
            .flat_map(|merchant| self.view.memberships(*merchant).unwrap_or_default().to_vec())
            .collect();
        let mut lots = BTreeMap::new();
        for group in groups {
            let wallet = self.view.wallet(account, group).unwrap_or_default();
            lots.extend(wallet.lots().map(|lot| (lot.id, lot.clone())));
        }
        ok(&Snapshot {
            account,
            merchant: self.shop_of(key),
            till: self.device(key).map_or_else(TillStanding::default, |device| TillStanding {
                limits: self.staff(&device).map(|staff| staff.limits),
                certificate: device.certificate,
                pays_from: device.pays_from,
            }),
            debts: Vec::new(),
            holds: Vec::new(),
            lots: lots.into_values().collect(),
            passes: self.passes_for(account, key),
            waiting: self.waiting(account),
            standing: self
                .view
                .standing(account)
                .ok()
                .flatten()
                .map(|s| s.choice.clone())
                .unwrap_or_default(),
            member: Some(member_secret(account)),
            heads: inboxes.iter().map(|inbox| self.head(*inbox, self.count(*inbox))).collect(),
            cursor: inboxes
                .iter()
                .map(|inbox| self.place(*inbox, self.count(*inbox)))
                .collect::<Vec<_>>()
                .join("."),
            now: self.now,
        })
    }

    fn directory(&self) -> Response {
        let merchants: Vec<_> =
            self.merchants.iter().map(|merchant| self.merchant_entry(*merchant)).collect();
        let groups: BTreeMap<GroupId, GroupEntry> = merchants
            .iter()
            .flat_map(|merchant| merchant.groups.clone())
            .map(|group| (group, self.group_entry(group).unwrap()))
            .collect();
        let groups = groups.into_values().collect();
        ok(&Directory { merchants, groups, cursor: "end".into(), more: false })
    }

    fn merchant_entry(&self, id: MerchantId) -> MerchantEntry {
        let merchant = self.view.merchant(id).unwrap().unwrap();
        let keys = self.devices.keys().filter_map(|key| self.device(*key));
        let keys: BTreeMap<KeyId, KeyEntry> = keys
            .filter(|device| device.sells_for(id) && device.signs(self.now))
            .map(|device| {
                (device.key, KeyEntry { id: device.key, public_key: Base64(device.public_key), till: true })
            })
            .collect();
        MerchantEntry {
            id,
            profile: merchant.profile.clone(),
            groups: self.view.memberships(id).unwrap_or_default().to_vec(),
            keys: keys.into_values().collect(),
        }
    }

    fn group_entry(&self, id: GroupId) -> Option<GroupEntry> {
        let group: Group = self.view.group(id).ok()??.clone();
        let terms = self.view.terms(id, group.terms_version).unwrap()?.clone();
        let joined =
            |merchant: &&MerchantId| self.view.memberships(**merchant).unwrap_or_default().contains(&id);
        let members = self.merchants.iter().filter(joined).copied().collect();
        Some(GroupEntry { group, terms, members, amendment: None })
    }

    pub fn wallet(&self, account: AccountId, group: GroupId) -> Units {
        self.view.wallet(account, group).unwrap_or_default().available(&Usable::new(None, self.now))
    }
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
    MerchantProfile { name: name.into(), currency: Currency::KRW, place: None }
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
        let alley = Profile { name: "골목".into(), scope: Scope::Area };
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
        let building = Profile { name: "건물".into(), scope: Scope::Building };
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
