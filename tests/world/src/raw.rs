//! A client without a phone: keys, signed ops, plain HTTP. For loads that are signed beforehand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use moa_phone::Transport;
use moa_rules::id::{AccountId, GroupId, KeyId, OpId};
use moa_rules::op::{Choice, OP_VERSION, Op, OpBody, RedemptionCode};
use moa_rules::quantity::Units;
use moa_rules::staff::{Limits, StaffInvitation};
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Confirmation, Enrolled, Enrolment, EnrolmentRequest, Ops, Verdict, Verdicts};
use moa_wire::keys::{Signer, SoftwareKey, sha256};
use moa_wire::token::{Checked, Possession};

use crate::Failure;
use crate::messages::{self, Message};
use crate::network::post;

/// A device with an account at a server.
pub struct Client {
    way: Arc<dyn Transport>,
    key: SoftwareKey,
    account: AccountId,
    counter: AtomicU64,
}

impl Client {
    /// Enrols a new key with a number, reading the code from the development inbox.
    ///
    /// # Errors
    /// Whatever the server says.
    pub async fn enrol(way: Arc<dyn Transport>, phone: &str) -> Result<Self, Failure> {
        let (key, _) = SoftwareKey::generate()?;
        let request = EnrolmentRequest { phone: phone.to_owned(), public_key: Base64(key.public_key()) };
        let begun: Enrolment = post(&*way, "/v1/enrolments".to_owned(), &request).await?;
        let sent = |message: &Message| message.id == begun.enrolment;
        let message = messages::wait_for(&*way, phone, sent).await?;
        let code = message.code().ok_or("a message without a code")?.to_owned();
        let enrolment: OpId = begun.enrolment.parse()?;
        let possession = Possession { version: OP_VERSION, enrolment: enrolment.0 };
        let possession = Base64::from(Checked::sign(possession, &key)?.bytes());
        let path = format!("/v1/enrolments/{}/confirm", begun.enrolment);
        let enrolled: Enrolled =
            post(&*way, path, &Confirmation { code, possession, recovery: None }).await?;
        Ok(Self { way, key, account: enrolled.account, counter: AtomicU64::new(0) })
    }

    /// Signs an op made now.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn sign(&self, body: OpBody) -> Result<Checked<Op>, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let counter = self.next_counter();
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

    /// Signs a code that lets a shop take up to `most` units now.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn code(&self, group: GroupId, most: Units) -> Result<Vec<u8>, Failure> {
        let expires = crate::now().plus(RedemptionCode::LIFETIME).seconds();
        let (key, counter) = (self.key.key_id(), self.next_counter());
        let code = RedemptionCode { version: OP_VERSION, key, counter, expires, group, most, unit: None };
        Ok(Checked::sign(code, &self.key)?.bytes().to_vec())
    }

    /// Signs an invitation to the staff of this owner's shop, good for an hour.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn invitation(&self, limits: Limits) -> Result<Vec<u8>, Failure> {
        let expires = crate::now().plus(Timestamp::HOUR).seconds();
        let (key, counter) = (self.key.key_id(), self.next_counter());
        let invitation = StaffInvitation { version: OP_VERSION, key, counter, expires, limits };
        Ok(Checked::sign(invitation, &self.key)?.bytes().to_vec())
    }

    fn next_counter(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Sends signed ops; every one of them has to be applied.
    ///
    /// # Errors
    /// If one is not.
    pub async fn send(&self, ops: &[Checked<Op>]) -> Result<(), Failure> {
        let verdicts = self.submit(ops.iter().map(|op| Base64::from(op.bytes())).collect()).await?;
        match verdicts.into_iter().find(|verdict| *verdict != Verdict::Applied) {
            None => Ok(()),
            Some(verdict) => Err(format!("{verdict:?}").into()),
        }
    }

    /// Sends up to 100 ops as signed, and gives the verdicts.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn submit(&self, ops: Vec<Base64>) -> Result<Vec<Verdict>, Failure> {
        let answer: Verdicts = post(&*self.way, "/v1/ops".to_owned(), &Ops { ops, ..Ops::default() }).await?;
        Ok(answer.verdicts)
    }

    /// Sends up to 100 ops, and keeps those that were not answered.
    ///
    /// # Errors
    /// If any was not: the server is gone, or cannot decide now.
    pub async fn flush(&self, unanswered: &mut Vec<Base64>) -> Result<(), Failure> {
        let mut verdicts = self.submit(unanswered.clone()).await?.into_iter();
        unanswered.retain(|_| matches!(verdicts.next(), None | Some(Verdict::Retry { .. })));
        if unanswered.is_empty() { Ok(()) } else { Err("not decided".into()) }
    }

    /// The server is reached this way now.
    pub fn move_to(&mut self, way: Arc<dyn Transport>) {
        self.way = way;
    }

    /// The key.
    pub fn key_id(&self) -> KeyId {
        self.key.key_id()
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.account
    }
}
