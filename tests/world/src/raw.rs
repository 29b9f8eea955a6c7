//! A client without a phone: keys, signed ops, plain HTTP. For loads that are signed beforehand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use moa_rules::id::{GroupId, OpId};
use moa_rules::op::{Choice, OP_VERSION, Op, OpBody};
use moa_wire::api::{Base64, Confirmation, Enrolled, Enrolment, EnrolmentRequest, Ops, Verdict, Verdicts};
use moa_wire::keys::{Signer, SoftwareKey, sha256};
use moa_wire::token::{Checked, Possession};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Anything that went wrong: whoever loads a server stops at the first.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A device with an account at a server.
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: SoftwareKey,
    counter: AtomicU64,
}

impl Client {
    /// Enrols a new key with a number, reading the code from the development inbox.
    ///
    /// # Errors
    /// Whatever the server says.
    pub async fn enrol(http: reqwest::Client, url: &str, phone: &str) -> Result<Self, Failure> {
        let (key, _) = SoftwareKey::generate()?;
        let client = Self { http, url: url.to_owned(), key, counter: AtomicU64::new(0) };
        let request = EnrolmentRequest { phone: phone.to_owned(), public_key: Base64(client.key.public_key()) };
        let begun: Enrolment = client.post("/v1/enrolments", &request).await?;
        let code = client.code(phone, &begun.enrolment).await?;
        let enrolment: OpId = begun.enrolment.parse()?;
        let possession = Possession { version: OP_VERSION, enrolment: enrolment.0 };
        let possession = Base64::from(Checked::sign(possession, &client.key)?.bytes());
        let path = format!("/v1/enrolments/{}/confirm", begun.enrolment);
        let _: Enrolled = client.post(&path, &Confirmation { code, possession }).await?;
        Ok(client)
    }

    /// The six digits of the last message of an enrolment; the job that sends it may take a moment.
    async fn code(&self, phone: &str, enrolment: &str) -> Result<String, Failure> {
        for _ in 0..500 {
            let url = format!("{}/v1/development/inbox?phone={phone}", self.url);
            let inbox: serde_json::Value = serde_json::from_slice(&self.http.get(url).send().await?.bytes().await?)?;
            let messages = inbox["messages"].as_array().cloned().unwrap_or_default();
            let sent = messages.iter().rev().find(|message| message["id"] == enrolment);
            if let Some(text) = sent.and_then(|message| message["text"].as_str()) {
                let digits = text.split(|letter: char| !letter.is_ascii_digit());
                return Ok(digits.filter(|digits| digits.len() == 6).collect());
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Err("no code came".into())
    }

    async fn post<A: Serialize, B: DeserializeOwned>(&self, path: &str, body: &A) -> Result<B, Failure> {
        let request = self.http.post(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/json").body(serde_json::to_vec(body)?);
        let answer = request.send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        if !status.is_success() {
            return Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&bytes)).into());
        }
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Signs an op made now.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn sign(&self, body: OpBody) -> Result<Checked<Op>, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let counter = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        let actor = self.key.key_id();
        // Unique per key and counter, and so for ever; the version and variant bits of a UUIDv7.
        let mut id = [0; 16];
        id.copy_from_slice(&sha256(&[actor.as_ref(), &counter.to_be_bytes()])[..16]);
        id[..6].copy_from_slice(&u64::try_from(now.as_millis())?.to_be_bytes()[2..]);
        id[6] = 0x70 | id[6] & 0x0f;
        id[8] = 0x80 | id[8] & 0x3f;
        let op = Op { version: OP_VERSION, id: OpId(id), actor, counter, time: now.as_secs(), body };
        Ok(Checked::sign(op, &self.key)?)
    }

    /// Signs a claim of a sale.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn claim(&self, sale: &Checked<Op>, group: GroupId) -> Result<Checked<Op>, Failure> {
        let choice = Some(Choice { group, terms_version: 1 });
        self.sign(OpBody::Claim { sale: sale.bytes().to_vec(), choice })
    }

    /// Sends signed ops; every one of them has to be applied.
    ///
    /// # Errors
    /// If one is not.
    pub async fn send(&self, ops: &[Checked<Op>]) -> Result<(), Failure> {
        let ops = Ops { ops: ops.iter().map(|op| Base64::from(op.bytes())).collect() };
        let answer: Verdicts = self.post("/v1/ops", &ops).await?;
        match answer.verdicts.into_iter().find(|verdict| *verdict != Verdict::Applied) {
            None => Ok(()),
            Some(verdict) => Err(format!("{verdict:?}").into()),
        }
    }
}
