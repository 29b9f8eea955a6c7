//! A stand-in for the server's HTTP: takes a phone's requests, gives answers, on one ledger. No sockets, no clock.
//!
//! It imitates `server/app/src/http` call for call. An op is checked when it arrives, waits with others for the
//! committer, and is answered after the commit; so the world can kill the server at every step between.

use std::collections::BTreeMap;

use moa_ledger::given;
use moa_ledger::store::{self, Answer, NewToken, Outcome};
use moa_ledger::sweep;
use moa_ledger::system;
use moa_phone::{Method, Request, Response};
use moa_rules::adjustment::Grantee;
use moa_rules::device::{Device, Holder};
use moa_rules::event::Inbox;
use moa_rules::id::{AccountId, KeyId, OpId};
use moa_rules::member::{Buyer, Found, MemberCode};
use moa_rules::op::{Carried, Op, OpBody};
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::api::{
    Access, Base64, Confirmation, Enrolled, Enrolment, EnrolmentRequest, GivenToken, MAX_OPS, Ops,
    RefreshRequest, Refused, Session, SessionRequest, Verdict, Verdicts,
};
use moa_wire::dpop::{self, Proof, thumbprint};
use moa_wire::keys::{Signer, key_id, sha256};
use moa_wire::problem::Problem;
use moa_wire::submission::{Parsed, Submission};
use moa_wire::token::{Possession, Sealed, SessionEndorsement};
use serde::Serialize;

use crate::Step;
use crate::key::SeededKey;
use crate::ledger::{Ledger, broken};
use crate::reads;

/// When to ask again after a hiccup, in seconds.
const RETRY_AFTER_S: u32 = 2;
/// How far from the server's clock a proof may have been made.
const PROOF_WINDOW: i64 = 5 * Timestamp::MINUTE;
/// For how long a token is good.
const TOKEN_LIFETIME: i64 = 10 * Timestamp::MINUTE;
/// The code that every enrolment is confirmed with.
pub(crate) const CODE: &str = "123456";

pub(crate) struct Server {
    pub(crate) ledger: Ledger,
    pub(crate) key: SeededKey,
    /// Decisions never go back in time.
    last: Timestamp,
    enrolments: BTreeMap<String, Begun>,
    /// Counts sessions and tokens, which are drawn at random elsewhere.
    given: u64,
    pub(crate) journal: Journal,
}

struct Begun {
    public_key: Vec<u8>,
    account: AccountId,
    at: Timestamp,
}

/// What the world remembers of every op, to hold phones and ledger against.
#[derive(Default)]
pub(crate) struct Journal {
    /// As signed; of a sale also if it only came inside a claim.
    pub(crate) signed: BTreeMap<(KeyId, OpId), Vec<u8>>,
    /// The first answer that was committed.
    pub(crate) answers: BTreeMap<(KeyId, OpId), Answer>,
    /// Ops that never got as far as the engine.
    pub(crate) turned_away: BTreeMap<(KeyId, OpId), Refusal>,
    /// How many ops came that had been answered already.
    pub(crate) again: u64,
}

/// What became of a request when it arrived.
pub(crate) enum Taken {
    /// It is answered.
    Answer(Response),
    /// It waits for the committer.
    Ops(Job),
    /// It waits for something to land in these inboxes.
    Wait(Vec<Inbox>),
}

/// The ops of one request.
pub(crate) struct Job {
    /// Those that may be decided.
    submissions: Vec<Submission>,
    /// One an op: why it may not be, if so.
    turned_away: Vec<Option<Refusal>>,
}

/// Who is asking.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    pub(crate) key: KeyId,
}

impl Server {
    pub(crate) fn new(ledger: Ledger, key: SeededKey) -> Self {
        let (enrolments, journal) = (BTreeMap::new(), Journal::default());
        Self { ledger, key, last: Timestamp(0), enrolments, given: 0, journal }
    }

    /// The server's own key, as the ledger's first row.
    pub(crate) fn system(key: &SeededKey) -> Device {
        moa_ledger::tables::system_device(key.public_key())
    }

    /// Takes a request that has arrived.
    pub(crate) fn take(&mut self, request: &Request, now: Timestamp) -> Step<Taken> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        if (request.method, parts.as_slice()) == (Method::Post, &["ops"]) {
            return self.ops(request.body.as_deref().unwrap_or_default());
        }
        if request.method == Method::Post && parts.first() == Some(&"sessions") {
            return Ok(Taken::Answer(self.session(request, &parts, now)?));
        }
        let caller = match self.caller(request, now)? {
            Ok(caller) => caller,
            Err(denied) => return Ok(Taken::Answer(denied)),
        };
        let store = self.ledger.store();
        Ok(Taken::Answer(match parts.as_slice() {
            ["changes"] => return reads::changes(store, &self.key, caller, query, now),
            ["snapshot"] => reads::snapshot(store, &self.key, caller, now)?,
            ["keys", id] => reads::key(store, id)?,
            ["merchants", id] => reads::merchant(store, id)?,
            ["groups", id] => reads::group(store, id)?,
            _ => problem(404, "not_found"),
        }))
    }

    fn ops(&mut self, body: &[u8]) -> Step<Taken> {
        let Ok(Ops { ops, .. }) = serde_json::from_slice::<Ops>(body) else {
            return Ok(Taken::Answer(problem(400, "broken_json")));
        };
        if ops.is_empty() || ops.len() > MAX_OPS {
            return Ok(Taken::Answer(problem(400, "too_many_ops")));
        }
        let mut job = Job { submissions: Vec::new(), turned_away: Vec::new() };
        for Base64(op) in ops {
            let parsed =
                Parsed::parse(&op).map_err(|refusal| format!("a phone sent what is no op: {refusal}"))?;
            let name = (parsed.unchecked().actor, parsed.unchecked().id);
            self.journal.signed.entry(name).or_insert(op);
            self.journal.again += u64::from(self.journal.answers.contains_key(&name));
            match self.check(parsed)? {
                Ok(submission) => {
                    job.submissions.push(submission);
                    job.turned_away.push(None);
                }
                Err(refusal) => {
                    self.journal.turned_away.entry(name).or_insert_with(|| refusal.clone());
                    job.turned_away.push(Some(refusal));
                }
            }
        }
        Ok(Taken::Ops(job))
    }

    /// Checks every signature in an op.
    pub(crate) fn check(&self, parsed: Parsed) -> Step<Result<Submission, Refusal>> {
        let mut keys = BTreeMap::new();
        for id in parsed.keys() {
            if let Some(device) = self.ledger.store().device(id).map_err(broken)? {
                keys.insert(id, device.public_key);
            }
        }
        let mut checked = parsed.check(|key| keys.get(&key).cloned());
        if let Ok(submission) = &mut checked {
            let named = match &submission.op.value().body {
                OpBody::SellTo { buyer: Buyer::Member(code), .. }
                | OpBody::Grant { to: Grantee::Buyer(Buyer::Member(code)), .. } => Some(*code),
                _ => None,
            };
            if let Some(code) = named {
                submission.carried = Carried::Buyer(self.find(&code)?);
            }
        }
        Ok(checked)
    }

    fn find(&self, code: &MemberCode) -> Step<Found> {
        let account = self.ledger.store().account_of_tag(code.tag).map_err(broken)?;
        let genuine = reads::member_secret(code.tag).made(code);
        let nobody = Found::Nobody(Refusal::MemberCodeUnknown);
        Ok(account.filter(|_| genuine).map_or(nobody, Found::Account))
    }

    /// Commits what waits, in one batch. Gives an answer for each job, and the inboxes with something new.
    pub(crate) fn commit(&mut self, jobs: &[Job], now: Timestamp) -> Step<(Vec<Response>, Vec<Inbox>)> {
        let batch: Vec<Submission> = jobs.iter().flat_map(|job| job.submissions.iter().cloned()).collect();
        let (outcomes, touched) = self.decide(&batch, now)?;
        let mut outcomes = outcomes.into_iter();
        let mut responses = Vec::new();
        for job in jobs {
            let (mut verdicts, mut tokens) = (Vec::new(), Vec::new());
            let mut submissions = job.submissions.iter();
            for turned_away in &job.turned_away {
                verdicts.push(match turned_away {
                    Some(refusal) => Verdict::Refused(refused(refusal.clone())),
                    None => {
                        let verdict = verdict(outcomes.next().ok_or("fewer outcomes than ops")?);
                        let op = submissions.next().ok_or("fewer ops than outcomes")?.op.value();
                        if matches!(verdict, Verdict::Applied | Verdict::Duplicate { refused: None }) {
                            tokens.extend(self.given(op)?);
                        }
                        verdict
                    }
                });
            }
            responses.push(ok(&Verdicts { verdicts, tokens, now }));
        }
        Ok((responses, touched))
    }

    /// What an applied op gives its author to show.
    fn given(&self, op: &Op) -> Step<Option<GivenToken>> {
        let author = self.ledger.store().device(op.actor).map_err(broken)?.ok_or("an op of nobody")?;
        let token = given::token(&self.key, op, &author.public_key).map_err(broken)?;
        Ok(token.map(|token| GivenToken { op: op.id, token: Base64(token) }))
    }

    /// Decides a batch and remembers the answers.
    pub(crate) fn decide(
        &mut self,
        batch: &[Submission],
        now: Timestamp,
    ) -> Step<(Vec<Outcome>, Vec<Inbox>)> {
        if batch.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        self.last = self.last.max(now);
        let committed = self.ledger.commit(batch, self.last).map_err(broken)?;
        for (submission, outcome) in batch.iter().zip(&committed.outcomes) {
            let op = submission.op.value();
            let Outcome::First(answer) = outcome else { continue };
            self.journal.answers.entry((op.actor, op.id)).or_insert_with(|| answer.clone());
            self.journal.signed.entry((op.actor, op.id)).or_insert_with(|| submission.op.bytes().to_vec());
            if let (Answer::Applied, Some(sale)) = (answer, &submission.sale) {
                let name = (sale.value().actor, sale.value().id);
                self.journal.answers.entry(name).or_insert(Answer::Applied);
                self.journal.signed.entry(name).or_insert_with(|| sale.bytes().to_vec());
            }
        }
        Ok((committed.outcomes, committed.touched))
    }

    /// The server is killed while it commits; nothing of the batch reaches the disk.
    pub(crate) fn kill_in_commit(&mut self, jobs: &[Job], now: Timestamp) -> Step {
        let batch: Vec<Submission> = jobs.iter().flat_map(|job| job.submissions.iter().cloned()).collect();
        self.ledger.kill_in_commit(&batch, self.last.max(now))
    }

    /// The answer of a server whose store could not commit: try again later.
    pub(crate) fn put_off(job: &Job, now: Timestamp, after_s: u32) -> Response {
        let verdicts = job.turned_away.iter().map(|turned_away| match turned_away {
            Some(refusal) => Verdict::Refused(refused(refusal.clone())),
            None => Verdict::Retry { after_s },
        });
        ok(&Verdicts { verdicts: verdicts.collect(), tokens: Vec::new(), now })
    }

    /// Writes down what has expired, takes the best for who agreed, and writes down what has waited in vain; the inboxes
    /// with something new.
    pub(crate) fn sweep(&mut self, now: Timestamp) -> Step<Vec<Inbox>> {
        let mut batch = Vec::new();
        for find in sweep::ALL {
            for due in find(self.ledger.store(), &self.key, now).map_err(broken)? {
                batch.push(due.map_err(broken)?.op);
            }
        }
        Ok(self.decide(&batch, now)?.1)
    }

    /// Who asks, or the problem that the caller is told. That a proof comes once is left out: the network here repeats
    /// requests, and a request that waits is taken more than once.
    fn caller(&self, request: &Request, now: Timestamp) -> Step<Result<Caller, Response>> {
        let token = header(request, "authorization").and_then(|value| value.strip_prefix("DPoP "));
        let thumbprint = match proved(request, token, now) {
            Ok(proof) => thumbprint(&proof.public_key),
            Err(denied) => return Ok(Err(denied)),
        };
        let hash = sha256(&[token.unwrap_or_default().as_bytes()]);
        let known = self.ledger.store().token(hash).map_err(broken)?;
        let known = known.filter(|(session, expires_at)| *expires_at > now && session.until > now);
        let Some((session, _)) = known.filter(|(session, _)| Some(session.thumbprint) == thumbprint) else {
            return Ok(Err(problem(401, "session_over")));
        };
        let device = self.ledger.store().device(session.key).map_err(broken)?;
        if device.is_none_or(|device| device.revoked_at.is_some()) {
            return Ok(Err(problem(401, "unauthorized")));
        }
        Ok(Ok(Caller { account: session.account, key: session.key }))
    }

    /// Begins a session, or gives it another token.
    fn session(&mut self, request: &Request, parts: &[&str], now: Timestamp) -> Step<Response> {
        let proof = match proved(request, None, now) {
            Ok(proof) => proof,
            Err(denied) => return Ok(denied),
        };
        let thumbprint = thumbprint(&proof.public_key).ok_or("a key that is no point")?;
        let body = request.body.as_deref().unwrap_or_default();
        if let ["sessions", "refresh"] = parts {
            let RefreshRequest { refresh } = serde_json::from_slice(body).map_err(broken)?;
            let known = self.ledger.store().session(sha256(&[refresh.as_bytes()])).map_err(broken)?;
            let known = known.filter(|session| session.thumbprint == thumbprint && session.until > now);
            let Some(session) = known else { return Ok(problem(401, "session_over")) };
            let (token, kept) = self.token(now, session.until);
            self.ledger.store().refresh_session(&session, kept, now).map_err(broken)?;
            return Ok(ok(&Access { token, expires_at: kept.expires_at, now }));
        }
        let SessionRequest { endorsement, name } = serde_json::from_slice(body).map_err(broken)?;
        let sealed = Sealed::<SessionEndorsement>::parse(&endorsement.0).map_err(broken)?;
        let device = self.ledger.store().device(sealed.unchecked().key).map_err(broken)?;
        let device = device.filter(|device| device.revoked_at.is_none());
        let Some(Device { key, holder: Holder::Account(account), public_key, .. }) = device else {
            return Ok(problem(401, "unauthorized"));
        };
        let endorsement = *sealed.check(&public_key).map_err(broken)?.value();
        let (from, until) =
            (Timestamp::from_seconds(endorsement.from), Timestamp::from_seconds(endorsement.until));
        if from > now.plus(PROOF_WINDOW)
            || until <= now
            || endorsement.until - endorsement.from > SessionEndorsement::MOST_SECONDS
            || endorsement.public_key[..] != proof.public_key
        {
            return Ok(problem(422, "endorsement_wrong"));
        }
        let session = store::Session { key, account, thumbprint, until };
        let (token, kept) = self.token(now, until);
        let refresh = format!("refresh-{}", self.given);
        let hash = sha256(&[refresh.as_bytes()]);
        self.ledger.store().begin_session(&session, hash, kept, &name, now).map_err(broken)?;
        Ok(ok(&Session { token, expires_at: kept.expires_at, refresh, now }))
    }

    fn token(&mut self, now: Timestamp, until: Timestamp) -> (String, NewToken) {
        self.given += 1;
        let token = format!("token-{}", self.given);
        let (hash, expires_at) = (sha256(&[token.as_bytes()]), now.plus(TOKEN_LIFETIME).min(until));
        (token, NewToken { hash, expires_at })
    }

    /// Takes a request of an enrolment, without a text message: every number has the same code.
    pub(crate) fn enrol(&mut self, account: AccountId, request: &Request, now: Timestamp) -> Step<Response> {
        let body = request.body.as_deref().unwrap_or_default();
        if request.path == "/v1/enrolments" {
            let EnrolmentRequest { public_key, .. } = serde_json::from_slice(body).map_err(broken)?;
            let enrolment = format!("{:032x}", self.enrolments.len() + 1);
            let begun = Begun { public_key: public_key.0, account, at: now };
            self.enrolments.insert(enrolment.clone(), begun);
            return Ok(ok(&Enrolment { enrolment, expires_at: now.plus(5 * Timestamp::MINUTE) }));
        }
        let confirmation: Confirmation = serde_json::from_slice(body).map_err(broken)?;
        let possession = Sealed::<Possession>::parse(&confirmation.possession.0).map_err(broken)?;
        let id = OpId(possession.unchecked().enrolment);
        let begun = self.enrolments.get(&id.to_string()).ok_or("an enrolment that never began")?;
        possession.check(&begun.public_key).map_err(broken)?;
        if confirmation.code != CODE {
            return Ok(problem(422, "code_wrong"));
        }
        let (account, public_key) = (begun.account, begun.public_key.clone());
        let key = key_id(&public_key);
        let op = system::enrol_device(&self.key, id.0, begun.at, (account, key, public_key), false)
            .map_err(broken)?;
        if let [Outcome::First(Answer::Refused(_)) | Outcome::Again(Answer::Refused(_))] =
            self.decide(&[op], now)?.0[..]
        {
            return Ok(problem(409, "not_enrolled"));
        }
        Ok(ok(&Enrolled { account, server_key: Base64(self.key.public_key()), now, recovery: None }))
    }
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.as_str())
}

/// The proof beside a request, made now; or the problem that the caller is told.
fn proved(request: &Request, token: Option<&str>, now: Timestamp) -> Result<Proof, Response> {
    let path = request.path.split('?').next().unwrap_or_default();
    let is_for =
        dpop::Request { method: request.method.name(), url: &format!("https://moa.example{path}"), token };
    let proof = header(request, dpop::HEADER).and_then(|proof| Proof::read(proof).ok());
    let proof = proof.filter(|proof| proof.is_for(is_for)).ok_or_else(|| problem(401, "proof_wrong"))?;
    if Timestamp::from_seconds(proof.at).0.abs_diff(now.0) > PROOF_WINDOW.unsigned_abs() {
        let stale = Problem::new(401, "proof_stale", "proof_stale", "proof_stale").with("now", now.0);
        return Err(Response {
            status: 401,
            retry_after_s: None,
            body: serde_json::to_vec(&stale).unwrap_or_default(),
        });
    }
    Ok(proof)
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::First(Answer::Applied) => Verdict::Applied,
        Outcome::First(Answer::Refused(reason)) => Verdict::Refused(refused(reason)),
        Outcome::Again(Answer::Applied) => Verdict::Duplicate { refused: None },
        Outcome::Again(Answer::Refused(reason)) => Verdict::Duplicate { refused: Some(refused(reason)) },
    }
}

fn refused(reason: Refusal) -> Refused {
    Refused { text: reason.to_string(), reason }
}

/// An answer with a body.
pub(crate) fn ok<T: Serialize>(body: &T) -> Response {
    // Our own types have no way to fail.
    Response { status: 200, retry_after_s: None, body: serde_json::to_vec(body).unwrap_or_default() }
}

/// A problem, as our server writes it.
pub(crate) fn problem(status: u16, code: &str) -> Response {
    let problem = Problem::new(status, code, code, code);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let retry_after_s = (status == 503 || status == 429).then_some(RETRY_AFTER_S);
    Response { status, retry_after_s, body }
}
