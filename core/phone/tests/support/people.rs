//! The double's people: enrolments, devices, sessions, digits.

use moa_phone::Response;
use moa_rules::device::{Device, Holder, KeyKind};
use moa_rules::event::EventBody;
use moa_rules::id::{AccountId, KeyId, OpId};
use moa_rules::one_time::{LIFETIME, OneTimeCode};
use moa_rules::time::Timestamp;
use moa_wire::api::{
    Access, Base64, Confirmation, Enrolled, Enrolment, EnrolmentRequest, OneTime, OneTimeFound,
    OneTimeLookup, OneTimeRequest, RefreshRequest, Session, SessionRequest,
};
use moa_wire::dpop::Proof;
use moa_wire::keys::{Signer, key_id};
use moa_wire::token::{Possession, Sealed, SessionEndorsement};

use super::server::Server;
use super::{found, ok, problem};

impl Server {
    pub(super) fn begin(&mut self, body: &[u8]) -> Response {
        let request: EnrolmentRequest = serde_json::from_slice(body).unwrap();
        let enrolment = format!("{:032x}", self.enrolments.len() + 1);
        self.enrolments.insert(enrolment.clone(), request.public_key.0);
        ok(&Enrolment { enrolment, expires_at: self.now.plus(5 * Timestamp::MINUTE) })
    }

    pub(super) fn confirm(&mut self, id: &str, body: &[u8]) -> Response {
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

    pub(super) fn begin_session(&mut self, proof: &Proof, body: &[u8]) -> Response {
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

    pub(super) fn refresh_session(&mut self, proof: &Proof, body: &[u8]) -> Response {
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

    pub(super) fn give(&mut self, key: KeyId) -> (String, Timestamp) {
        self.given += 1;
        let (token, expires_at) = (format!("token-{}", self.given), self.now.plus(10 * Timestamp::MINUTE));
        self.tokens.insert(token.clone(), (key, expires_at));
        (token, expires_at)
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

    /// Hands out digits: the number of those handed out before.
    pub(super) fn one_time(&mut self, account: AccountId, body: &[u8]) -> Response {
        let OneTimeRequest { code } = serde_json::from_slice(body).unwrap();
        let digits = OneTimeCode::of(self.one_time.len() as u64).unwrap();
        self.one_time.insert(digits.digits(), (account, self.now, code.0));
        let expires_at = self.now.plus(LIFETIME);
        ok(&OneTime { digits: digits.digits(), expires_at, now: self.now })
    }

    pub(super) fn one_time_lookup(&mut self, body: &[u8]) -> Response {
        let OneTimeLookup { digits } = serde_json::from_slice(body).unwrap();
        found(self.one_time.get(&digits).map(|(_, _, code)| OneTimeFound { code: Base64(code.clone()) }))
    }
}
