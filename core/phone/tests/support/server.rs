//! The server double: its books, and how an op becomes events.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use moa_phone::{Method, Request, Response};
use moa_rules::adjustment::Grantee;
use moa_rules::decide::decide;
use moa_rules::device::Device;
use moa_rules::event::{EVENT_VERSION, Event, EventBody, Inbox};
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::lot::Usable;
use moa_rules::member::{Buyer, Found};
use moa_rules::op::{Carried, OP_VERSION, Op, OpBody};
use moa_rules::pass::PassToken;
use moa_rules::quantity::Units;
use moa_rules::refusal::Refusal;
use moa_rules::staff::Staff;
use moa_rules::state::{self, Row};
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use moa_rules::view::{Halt, Key, View};
use moa_wire::api::{
    Changes, Devices, GivenToken, InboxChanges, InvitationToSend, Ops, Refused, Verdict, Verdicts,
};
use moa_wire::api::{DeviceEntry, DeviceKind};
use moa_wire::canonical;
use moa_wire::dpop::{self, Proof};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::number::TypedNumber;
use moa_wire::problem::Problem;
use moa_wire::submission::{Parsed, Submission};
use moa_wire::token::{Approval, Checked};

use super::{found, member_secret, ok, problem};

/// What a server's backup holds.
#[derive(Clone)]
pub struct Backup {
    view: View,
    inboxes: BTreeMap<Inbox, Vec<Vec<u8>>>,
    answers: HashMap<OpId, Option<Refusal>>,
    waited: Vec<(MerchantId, OpId)>,
    merchants: Vec<MerchantId>,
    passes: Vec<(MerchantId, OpId)>,
    holds: Vec<(MerchantId, OpId)>,
    groups: BTreeMap<GroupId, BTreeSet<MerchantId>>,
}

/// The server double.
pub struct Server {
    pub key: SoftwareKey,
    pub now: Timestamp,
    pub(super) view: View,
    pub(super) inboxes: BTreeMap<Inbox, Vec<Vec<u8>>>,
    pub(super) answers: HashMap<OpId, Option<Refusal>>,
    /// Sales that waited for their buyer's choice.
    pub(super) waited: Vec<(MerchantId, OpId)>,
    /// Passes that were reserved, and holds that were made.
    pub(super) passes: Vec<(MerchantId, OpId)>,
    pub(super) holds: Vec<(MerchantId, OpId)>,
    /// Jobs that were done.
    jobs: u8,
    /// Groups, and who ever was a member.
    pub(super) groups: BTreeMap<GroupId, BTreeSet<MerchantId>>,
    pub(super) merchants: Vec<MerchantId>,
    pub(super) enrolments: HashMap<String, Vec<u8>>,
    /// Who is known: of each key the account.
    pub(super) devices: HashMap<KeyId, AccountId>,
    /// Of each device the session key, and the refresh token.
    pub(super) sessions: HashMap<KeyId, (Vec<u8>, String)>,
    /// Of each token the device, and when it is void.
    pub(super) tokens: HashMap<String, (KeyId, Timestamp)>,
    /// Keys and ids of proofs that came.
    pub(super) proofs: HashSet<(Vec<u8>, String)>,
    /// Sessions begun, tokens given.
    pub begun: usize,
    pub given: usize,
    pub(super) one_time: HashMap<String, (AccountId, Timestamp, Vec<u8>)>,
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
    /// Invitations that were made, and shops that asked to join.
    pub(super) made: Vec<(MerchantId, OpId)>,
    pub(super) asked: Vec<(GroupId, MerchantId)>,
    /// Invitations that someone took up, and those that were sent.
    pub(super) claimed: Vec<OpId>,
    pub sent: Vec<InvitationToSend>,
    /// At night: the morning for which those wait that it is to send.
    pub morning: Option<Timestamp>,
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
            holds: Vec::new(),
            jobs: 0,
            groups: BTreeMap::new(),
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
            made: Vec::new(),
            asked: Vec::new(),
            claimed: Vec::new(),
            sent: Vec::new(),
            morning: None,
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
            ["invitations", "open"] => self.open_invitation(account, body),
            ["invitations", "send"] => self.send_invitation(body),
            ["invitations"] => self.traces(key),
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
            ["keys", id] => {
                let device = self.device(id.parse().unwrap());
                found(device.and_then(|device| device.merchant).map(|merchant| self.merchant_entry(merchant)))
            }
            ["groups", id] => found(self.group_entry(id.parse().unwrap())),
            _ => problem(404, "not_found"),
        }
    }

    /// Whether the caller of a request that waits has something new.
    pub fn has_news(&mut self, request: &Request) -> bool {
        let proofs = self.proofs.clone();
        let answer = self.answer(request);
        self.proofs = proofs;
        serde_json::from_slice::<Changes>(&answer.body).is_ok_and(|changes| !changes.inboxes.is_empty())
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
            passes: self.passes.clone(),
            holds: self.holds.clone(),
            groups: self.groups.clone(),
        }
    }

    /// The books as they were then. People and their sessions are as before.
    pub fn restore(&mut self, backup: Backup) {
        let Backup { view, inboxes, answers, waited, merchants, passes, holds, groups } = backup;
        (self.view, self.inboxes, self.answers) = (view, inboxes, answers);
        (self.waited, self.merchants, self.passes) = (waited, merchants, passes);
        (self.holds, self.groups) = (holds, groups);
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
        if let Some(carried) = self.ticket_of(submission.op.value()) {
            return carried;
        }
        let (OpBody::SellTo { buyer, .. } | OpBody::Grant { to: Grantee::Buyer(buyer), .. }) =
            &submission.op.value().body
        else {
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
        self.jobs += 1;
        let counter = 1_000 + u64::from(self.jobs);
        let id = OpId([0x80 | self.jobs; 16]);
        let op = Op { version: OP_VERSION, id, actor, counter, time: self.now.seconds(), body };
        let op = Checked::sign(op, &self.key).unwrap();
        self.decide(&Submission { op, sale: None, carried: Carried::None })
    }

    pub(super) fn decide(&mut self, submission: &Submission) -> Result<(), Refusal> {
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

    pub(super) fn load(&mut self, keys: Vec<Key>) {
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

    pub(super) fn happen(&mut self, events: Vec<(KeyId, OpId, EventBody)>) {
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
                    Row::Debt(debt) => self.touch(Key::Debts(debt.account)),
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
                EventBody::HoldMade { merchant, hold, .. } => self.holds.push((merchant, hold)),
                EventBody::MemberJoined { group, merchant, .. } => {
                    self.groups.entry(group).or_default().insert(merchant);
                }
                EventBody::InvitationMade { merchant, invitation, .. } => {
                    self.made.push((merchant, invitation));
                }
                EventBody::JoinAsked { group, merchant, .. } => {
                    self.asked.retain(|asked| *asked != (group, merchant));
                    self.asked.push((group, merchant));
                }
                EventBody::SaleWaits { merchant, sale, .. } => self.waited.push((merchant, sale)),
                _ => {}
            }
            let bytes = canonical::encode(&event);
            for inbox in event.body.inboxes() {
                self.inboxes.entry(inbox).or_default().push(bytes.clone());
            }
        }
    }

    pub(super) fn touch(&mut self, key: Key) {
        if !self.view.is_loaded(key) {
            self.view.load(key, None);
        }
    }

    pub(super) fn device(&self, key: KeyId) -> Option<Device> {
        self.view.device(key).ok().flatten().cloned()
    }

    /// The shop that a key acts for, until its holder has left.
    pub(super) fn shop_of(&self, key: KeyId) -> Option<MerchantId> {
        self.device(key).filter(|device| device.left_at.is_none()).and_then(|device| device.merchant)
    }

    pub(super) fn staff(&self, device: &Device) -> Option<Staff> {
        let (merchant, account) = (device.merchant?, device.account()?);
        self.view.staff(merchant, account).ok().flatten().copied().filter(|staff| staff.left_at.is_none())
    }

    /// The points that an account can use in a group.
    pub fn wallet(&self, account: AccountId, group: GroupId) -> Units {
        self.wallet_of(account, group, None)
    }

    /// What an account can use in a group of one unit.
    pub fn wallet_of(&self, account: AccountId, group: GroupId, unit: Option<Unit>) -> Units {
        let wallet = self.view.wallet(account, group).cloned().unwrap_or_default();
        match self.view.group(group) {
            Ok(Some(known)) => wallet.available(&known.usable(unit, self.now)),
            _ => wallet.available(&Usable::new(unit, self.now)),
        }
    }
}
