//! A server in this process on a free port, and devices that speak to it over HTTP.

#![allow(dead_code, reason = "each test file uses a part")]

pub mod subjects;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moa_database::{Database, Server};
use moa_ledger::postgres::PostgresJournal;
use moa_ledger::verify::{verify, verify_file};
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::{Choice, OP_VERSION, Op, OpBody, RedemptionCode};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_server::http::ClockTime;
use moa_server::{Config, Running, start};
use moa_wire::api::{
    Base64, Changes, Confirmation, Directory, Enrolled, Enrolment, EnrolmentRequest, Ops, Session,
    SessionRequest, Snapshot, Verdict, Verdicts,
};
use moa_wire::dpop;
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::problem::Problem;
use moa_wire::token::{Checked, Possession, SessionEndorsement};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Midday in Seoul, 21 September 2026.
pub const NOON: i64 = 1_789_959_600_000;

/// The binary, with nothing of its settings from the environment.
pub fn moa() -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_moa"));
    let names = [
        "DATA",
        "DATABASE",
        "LISTEN",
        "LINK_BASE",
        "CARRIER",
        "CONNECTIONS",
        "FONT",
        "TRACE",
        "SMTP",
        "SMS_URL",
    ];
    for name in names {
        command.env_remove(format!("MOA_{name}"));
    }
    command
}

/// A server on a folder of its own, with a clock that stands until it is moved.
pub struct Town {
    pub server: Running,
    pub client: Client,
    clock: Arc<AtomicI64>,
    folder: tempfile::TempDir,
    database: Option<Arc<Database<'static>>>,
}

/// A PostgreSQL database of the test's own, where the tests are to run on that (`MOA_TESTS_ON=postgres`).
fn chosen() -> Option<Arc<Database<'static>>> {
    let chosen = std::env::var("MOA_TESTS_ON").is_ok_and(|database| database == "postgres");
    chosen.then(|| Arc::new(Server::shared().database()))
}

impl Town {
    pub async fn open() -> Self {
        Self::open_on(tempfile::tempdir().unwrap(), NOON, false).await
    }

    /// The same with a clock that is moved over HTTP: [`Self::pass`] moves only the devices'.
    pub async fn open_with_test_clock() -> Self {
        Self::open_on(tempfile::tempdir().unwrap(), NOON, true).await
    }

    async fn open_on(folder: tempfile::TempDir, now: i64, test_clock: bool) -> Self {
        Self::open_with(folder, now, |local| Config { test_clock, ..local }).await
    }

    /// The same with the database in the folder, whatever the tests run on.
    pub async fn open_on_sqlite() -> Self {
        Self::start(tempfile::tempdir().unwrap(), NOON, None, |local| local).await
    }

    /// The same on PostgreSQL.
    pub async fn open_on_postgres() -> Self {
        let database = Some(Arc::new(Server::shared().database()));
        Self::start(tempfile::tempdir().unwrap(), NOON, database, |local| local).await
    }

    /// A further server on the same database, which must be PostgreSQL.
    pub async fn further(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for secret in ["server-key.p8", "pepper"] {
            std::fs::copy(self.folder.path().join(secret), folder.path().join(secret)).unwrap();
        }
        Self::start(folder, self.now().0, self.database.clone(), |local| local).await
    }

    /// The same with settings.
    pub async fn open_with(
        folder: tempfile::TempDir,
        now: i64,
        settings: impl FnOnce(Config) -> Config,
    ) -> Self {
        Self::start(folder, now, chosen(), settings).await
    }

    async fn start(
        folder: tempfile::TempDir,
        now: i64,
        database: Option<Arc<Database<'static>>>,
        settings: impl FnOnce(Config) -> Config,
    ) -> Self {
        let clock = Arc::new(AtomicI64::new(now));
        let time = clock.clone();
        let url = database.as_ref().map(|database| database.url());
        let config = settings(Config { database: url, ..Config::local(folder.path()) });
        let server = start(&config, Arc::new(move || Timestamp(time.load(Ordering::SeqCst)))).await.unwrap();
        tls();
        let client = Client::builder().timeout(Duration::from_secs(40)).no_proxy().build().unwrap();
        Self { server, client, clock, folder, database }
    }

    /// The same folder under a new server, so much later.
    pub async fn reopen(self, later: i64) -> Self {
        let now = self.now().plus(later).0;
        self.server.shutdown().await;
        Self::start(self.folder, now, self.database, |local| local).await
    }

    /// The same, and something is done to the folder meanwhile.
    pub async fn reopen_after(self, later: i64, meanwhile: impl FnOnce(&std::path::Path)) -> Self {
        let now = self.now().plus(later).0;
        self.server.shutdown().await;
        meanwhile(self.folder.path());
        Self::start(self.folder, now, self.database, |local| local).await
    }

    /// The same as it was a moment later, and something takes its time meanwhile.
    pub async fn stopped(self, meanwhile: impl AsyncFnOnce(&std::path::Path)) -> Self {
        let now = self.now().0;
        self.server.shutdown().await;
        meanwhile(self.folder.path()).await;
        Self::start(self.folder, now, self.database, |local| local).await
    }

    /// The same on a database, or in another folder.
    pub async fn moved(self, folder: Option<&std::path::Path>, database: Option<Database<'static>>) -> Self {
        let now = self.now().0;
        self.server.shutdown().await;
        let data = folder.unwrap_or(self.folder.path()).to_owned();
        let settings = |local| Config { data, ..local };
        Self::start(self.folder, now, database.map(Arc::new), settings).await
    }

    /// Where the server keeps everything.
    pub fn folder(&self) -> std::path::PathBuf {
        self.folder.path().to_owned()
    }

    /// Stops the server and verifies its books.
    pub async fn close(self) {
        self.server.shutdown().await;
        let report = match &self.database {
            Some(database) => verify(&mut PostgresJournal::open(&database.url()).unwrap()),
            None => verify_file(&moa_server::database(self.folder.path())),
        };
        let report = report.unwrap();
        assert!(report.is_clean(), "{:#?}", report.differences);
    }

    /// Whether a text stands in a file of the data folder, or in a row of the database elsewhere.
    pub fn holds(&self, text: &str) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files = files.filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap());
        if files.any(|file| file.windows(text.len()).any(|bytes| bytes == text.as_bytes())) {
            return true;
        }
        let Some(database) = &self.database else { return false };
        let tables =
            database.run("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'");
        let rows = |table: &str| database.run(&format!("SELECT t::text FROM \"{table}\" t"));
        // Bytes are told in hex.
        let hex = data_encoding::HEXLOWER.encode(text.as_bytes());
        tables.lines().map(rows).any(|rows| rows.contains(text) || rows.contains(&hex))
    }

    /// Where the database is, if not in the folder.
    pub fn database(&self) -> Option<String> {
        self.database.as_ref().map(|database| database.url())
    }

    /// The server's own key, from its folder.
    pub fn server_key(&self) -> SoftwareKey {
        SoftwareKey::from_pkcs8(&std::fs::read(self.folder.path().join("server-key.p8")).unwrap()).unwrap()
    }

    pub fn now(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::SeqCst))
    }

    pub fn pass(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    /// Moves the clock of a server with a test clock, which answers when all is done that is due by then; and the devices'.
    pub async fn move_to(&self, now: Timestamp) -> ClockTime {
        let moved: ClockTime = read(self.post("/v1/test/clock", &ClockTime { now }).await).await;
        self.pass(moved.now.0 - self.now().0);
        moved
    }

    pub async fn post(&self, path: &str, body: &impl Serialize) -> Response {
        let request = self.client.post(self.url(path)).header("accept-language", "en").json(body);
        request.send().await.unwrap()
    }

    /// Reads as a device, in its session; or as nobody.
    pub async fn get(&self, path: &str, device: impl Into<Option<&Device>>) -> Response {
        let request = match device.into() {
            Some(device) => self.request(Method::GET, path, device).await,
            None => self.client.get(self.url(path)),
        };
        request.header("accept-language", "en").send().await.unwrap()
    }

    /// A request in a device's session, with its proof. Begins a session if need be.
    pub async fn request(&self, method: Method, path: &str, device: &Device) -> RequestBuilder {
        let token = self.token(device).await;
        let proof = device.proof(self.now(), &method, &self.url(path), Some(&token));
        self.client
            .request(method, self.url(path))
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", proof)
    }

    /// A token that the device may read with now.
    pub async fn token(&self, device: &Device) -> String {
        let known = device.session.lock().unwrap().clone();
        if let Some(session) = known.filter(|session| session.expires_at > self.now()) {
            return session.token;
        }
        let session: Session = read(self.begin_session(device, &device.endorsement(self.now())).await).await;
        let token = session.token.clone();
        *device.session.lock().unwrap() = Some(session);
        token
    }

    /// Begins a session, or does not.
    pub async fn begin_session(&self, device: &Device, endorsement: &[u8]) -> Response {
        let body = SessionRequest { endorsement: endorsement.into(), name: "Phone".to_owned() };
        self.post_proved("/v1/sessions", device, &body).await
    }

    /// Posts with a proof by the device's session key and no token.
    pub async fn post_proved(&self, path: &str, device: &Device, body: &impl Serialize) -> Response {
        self.proved(path, device).header("accept-language", "en").json(body).send().await.unwrap()
    }

    /// A post with a proof by the device's session key and no token.
    pub fn proved(&self, path: &str, device: &Device) -> RequestBuilder {
        let proof = device.proof(self.now(), &Method::POST, &self.url(path), None);
        self.client.post(self.url(path)).header("dpop", proof)
    }

    /// Sends a code to a number for a key.
    pub async fn begin(&self, phone: &str, key: &SoftwareKey) -> Enrolment {
        let request = EnrolmentRequest { phone: phone.to_owned(), public_key: Base64(key.public_key()) };
        read(self.post("/v1/enrolments", &request).await).await
    }

    /// The code that was sent for an enrolment.
    pub async fn code(&self, phone: &str, enrolment: &Enrolment) -> String {
        let path = format!("/v1/development/inbox?phone={phone}");
        eventually(async || {
            let inbox: moa_server::http::DevelopmentInbox = read(self.get(&path, None).await).await;
            let message = inbox.messages.into_iter().find(|message| message.id == enrolment.enrolment)?;
            let digits: String = message.text.chars().filter(char::is_ascii_digit).collect();
            Some(digits)
        })
        .await
    }

    pub async fn confirm(&self, enrolment: &Enrolment, confirmation: &Confirmation) -> Response {
        self.post(&format!("/v1/enrolments/{}/confirm", enrolment.enrolment), confirmation).await
    }

    /// A new device of the number's owner.
    pub async fn enrol(&self, phone: &str) -> Device {
        let (key, _) = SoftwareKey::generate().unwrap();
        let enrolment = self.begin(phone, &key).await;
        let code = self.code(phone, &enrolment).await;
        let confirmation = confirmation(&code, &enrolment, &key);
        let enrolled: Enrolled = read(self.confirm(&enrolment, &confirmation).await).await;
        Device::new(key, enrolled)
    }

    /// A new device with a shop.
    pub async fn shop(&self, phone: &str, name: &str) -> Shop {
        let device = self.enrol(phone).await;
        let op = device.op(self.now(), OpBody::RegisterMerchant { profile: profile(name) });
        let merchant = op.value().id.as_merchant();
        self.applied(&[&op]).await;
        Shop { device, merchant }
    }

    /// A group of the shop's: 3 %, six months, usable from 1 000.
    pub async fn found(&self, shop: &Shop) -> GroupId {
        let profile = Profile::new("Alley", Scope::Area);
        let (rate, minimum) = (BasisPoints::new(300).unwrap(), Units::new(1_000).unwrap());
        let terms = Terms::points(rate, Validity::Months(6), minimum);
        let op = shop.device.op(self.now(), OpBody::FoundGroup { profile, terms });
        self.applied(&[&op]).await;
        op.value().id.as_group()
    }

    pub async fn join(&self, shop: &Shop, group: GroupId) {
        let op = shop.device.op(self.now(), OpBody::JoinGroup { group, terms_version: 1, invitation: None });
        self.applied(&[&op]).await;
    }

    pub fn sale(&self, shop: &Shop, won: i64) -> Checked<Op> {
        let body = OpBody::RecordSale { amount: Money(won), addressee: None, redemption: None };
        shop.device.op(self.now(), body)
    }

    pub fn claim(&self, buyer: &Device, sale: &Checked<Op>, group: GroupId) -> Checked<Op> {
        let choice = Some(Choice { group, terms_version: 1 });
        buyer.op(self.now(), OpBody::Claim { sale: sale.bytes().to_vec(), choice })
    }

    pub fn redemption(&self, shop: &Shop, buyer: &Device, group: GroupId, units: i64) -> Checked<Op> {
        let units = Units::new(units).unwrap();
        let code = buyer.code(self.now(), group, units);
        shop.device.op(self.now(), OpBody::Redeem { code: code.bytes().to_vec(), units })
    }

    pub async fn submit_bytes(&self, ops: Vec<Vec<u8>>) -> Vec<Verdict> {
        let ops = Ops { ops: ops.into_iter().map(Base64).collect(), ..Ops::default() };
        read::<Verdicts>(self.post("/v1/ops", &ops).await).await.verdicts
    }

    pub async fn submit(&self, ops: &[&Checked<Op>]) -> Vec<Verdict> {
        self.submit_bytes(ops.iter().map(|op| op.bytes().to_vec()).collect()).await
    }

    pub async fn submit_one(&self, op: &Checked<Op>) -> Verdict {
        self.submit(&[op]).await.remove(0)
    }

    pub async fn applied(&self, ops: &[&Checked<Op>]) {
        for verdict in self.submit(ops).await {
            assert_eq!(verdict, Verdict::Applied);
        }
    }

    pub async fn changes(&self, device: &Device, cursor: &str, wait: u64) -> Changes {
        read(self.get(&format!("/v1/changes?cursor={cursor}&wait={wait}"), device).await).await
    }

    pub async fn snapshot(&self, device: &Device) -> Snapshot {
        read(self.get("/v1/snapshot", device).await).await
    }

    pub async fn directory(&self, device: &Device, cursor: &str) -> Directory {
        read(self.get(&format!("/v1/directory?cursor={cursor}"), device).await).await
    }

    pub async fn balance(&self, device: &Device) -> i64 {
        self.snapshot(device).await.lots.iter().map(|lot| lot.remaining.get()).sum()
    }
}

/// A phone.
pub struct Device {
    pub key: SoftwareKey,
    pub account: AccountId,
    pub server_key: Vec<u8>,
    /// The account's recovery code, if it began with this phone.
    pub recovery: Option<String>,
    pub session_key: SoftwareKey,
    pub session: Mutex<Option<Session>>,
    counter: AtomicU64,
}

/// A phone that acts for a shop.
pub struct Shop {
    pub device: Device,
    pub merchant: MerchantId,
}

impl Device {
    pub fn new(key: SoftwareKey, enrolled: Enrolled) -> Self {
        let Enrolled { account, server_key, recovery, .. } = enrolled;
        let session_key = SoftwareKey::generate().unwrap().0;
        let (session, counter) = (Mutex::new(None), AtomicU64::new(0));
        Self { key, account, server_key: server_key.0, recovery, session_key, session, counter }
    }

    /// A proof by the session key, made now.
    pub fn proof(&self, now: Timestamp, method: &Method, url: &str, token: Option<&str>) -> String {
        let url = url.split('?').next().unwrap();
        let request = dpop::Request { method: method.as_str(), url, token };
        dpop::prove(&self.session_key, request, fresh_id(), now.seconds()).unwrap()
    }

    /// The device's word for its session key, for a month from now.
    pub fn endorsement(&self, now: Timestamp) -> Vec<u8> {
        let from = now.seconds();
        self.endorse(SessionEndorsement {
            version: OP_VERSION,
            key: self.key_id(),
            public_key: self.session_key.public_key().try_into().unwrap(),
            from,
            until: from + SessionEndorsement::MOST_SECONDS,
        })
    }

    pub fn endorse(&self, endorsement: SessionEndorsement) -> Vec<u8> {
        Checked::sign(endorsement, &self.key).unwrap().bytes().to_vec()
    }

    pub fn key_id(&self) -> KeyId {
        self.key.key_id()
    }

    pub fn next_counter(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// An op before it is signed.
    pub fn unsigned(&self, now: Timestamp, body: OpBody) -> Op {
        let counter = self.next_counter();
        let (id, actor, time) = (op_id(self.key_id(), counter), self.key_id(), now.seconds());
        Op { version: OP_VERSION, id, actor, counter, time, body }
    }

    pub fn op(&self, now: Timestamp, body: OpBody) -> Checked<Op> {
        self.sign(self.unsigned(now, body))
    }

    pub fn sign(&self, op: Op) -> Checked<Op> {
        Checked::sign(op, &self.key).unwrap()
    }

    pub fn code(&self, now: Timestamp, group: GroupId, most: Units) -> Checked<RedemptionCode> {
        let expires = now.plus(RedemptionCode::LIFETIME).seconds();
        let (key, counter) = (self.key_id(), self.next_counter());
        let code = RedemptionCode { version: OP_VERSION, key, counter, expires, group, most, unit: None };
        Checked::sign(code, &self.key).unwrap()
    }
}

/// An id that no proof of this process had before.
pub fn fresh_id() -> [u8; 16] {
    static PROOFS: AtomicU64 = AtomicU64::new(0);
    u128::from(PROOFS.fetch_add(1, Ordering::SeqCst)).to_be_bytes()
}

/// Shaped like a `UUIDv7`: the key and its counter in place of random bits.
fn op_id(key: KeyId, counter: u64) -> OpId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&key.0[..4]);
    id[4..8].copy_from_slice(&u32::try_from(counter).unwrap().to_be_bytes());
    id[8..].copy_from_slice(&key.0);
    id[6] = 0x70 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    OpId(id)
}

pub fn profile(name: &str) -> MerchantProfile {
    MerchantProfile::new(name, Currency::KRW, None)
}

pub fn confirmation(code: &str, enrolment: &Enrolment, key: &SoftwareKey) -> Confirmation {
    let digits = data_encoding::HEXLOWER.decode(enrolment.enrolment.as_bytes()).unwrap();
    let possession = Possession { version: OP_VERSION, enrolment: digits.try_into().unwrap() };
    let possession = Base64(Checked::sign(possession, key).unwrap().bytes().to_vec());
    Confirmation { code: code.to_owned(), possession, recovery: None }
}

/// The answer's JSON; panics with the problem if it is one.
pub async fn read<T: DeserializeOwned>(response: Response) -> T {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The problem that an answer is, checked for its form.
pub async fn problem(response: Response) -> Problem {
    let status = response.status();
    assert_eq!(response.headers()["content-type"], moa_wire::problem::MEDIA_TYPE, "{status}");
    let retry_after = response.headers().get("retry-after").cloned();
    let problem: Problem = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(problem.status, status.as_u16());
    assert!(!problem.detail.is_empty() && !problem.code.is_empty());
    assert_eq!(retry_after.is_some(), matches!(problem.status, 429 | 503), "{problem:?}");
    problem
}

/// The code of a refusal and its figures.
pub fn refused(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Refused(refused) | Verdict::Duplicate { refused: Some(refused) } => {
            assert!(!refused.text.is_empty());
            serde_json::to_value(&refused.reason).unwrap()
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// What `look` finds, looking again until it finds something.
pub async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.expect("it never came")
}

/// Built together with the phone, reqwest has TLS and wants to know whose, even where none is spoken.
fn tls() {
    // Whoever was first has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
