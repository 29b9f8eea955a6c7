//! The session: a key in software that the device key vouches for once a month, and that proves each read (RFC 9449).
//!
//! The device key may be slow and may ask for a finger, so it signs ops, codes, and its word for this key, and nothing
//! else. Tokens are short and of use to this key alone. When to begin a session, and when to ask for another token, is
//! for [`crate::sync`] to decide.

use std::time::Duration;

use moa_rules::op::OP_VERSION;
use moa_rules::time::Timestamp;
use moa_wire::api::{Access, Base64, MAX_DEVICE_NAME, RefreshRequest, Session, SessionRequest};
use moa_wire::dpop;
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::token::{Checked, SessionEndorsement};
use serde::{Deserialize, Serialize};

use crate::error::{PhoneError, corrupt};
use crate::phone::{Phone, account};
use crate::store::{meta, secrets};
use crate::sync::answer::{self, Outcome};
use crate::transport::{Method, Request, Response, TransportError};

const TIMEOUT: Duration = Duration::from_secs(30);
/// A session key whose time is up by then is followed by another.
const KEY_EARLY: i64 = Timestamp::HOUR;
/// How far ahead of its own clock the server takes a device's word.
const CLOCK_AHEAD: i64 = 5 * Timestamp::MINUTE;
/// A token that is void by then is followed by another.
const TOKEN_EARLY: i64 = 30 * Timestamp::SECOND;

/// The session as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The session key in PKCS #8.
    key: Base64,
    /// The device's word for it.
    endorsement: Base64,
    /// When that begins and ends, by the server's clock as this phone knew it.
    from: Timestamp,
    until: Timestamp,
    /// Good for tokens, once the session has begun.
    refresh: Option<String>,
    /// The last token, and when it is void, by the server's clock.
    token: Option<(String, Timestamp)>,
}

/// How far a session has come.
pub(crate) enum Stage {
    /// The device key has to vouch for a session key.
    Endorse,
    /// The session has to be begun, or asked for another token.
    Ask(Kept),
    /// Reads may go.
    Ready(Reader),
}

/// What reads are proved with.
pub(crate) struct Reader {
    kept: Kept,
    token: String,
}

impl Phone {
    /// Makes a session key and has the device key vouch for it, for a month. No lock is held: the key may ask for a
    /// finger. To be called when [`crate::sync::Machine`] asks for it.
    ///
    /// # Errors
    /// Key, storage.
    pub fn endorse(&self) -> Result<(), PhoneError> {
        let (session_key, pkcs8) = SoftwareKey::generate()?;
        let public_key = session_key.public_key().try_into().map_err(|_| corrupt("session key"))?;
        let from = self.now().seconds();
        let until = from + SessionEndorsement::MOST_SECONDS;
        let endorsement =
            SessionEndorsement { version: OP_VERSION, key: self.key(), public_key, from, until };
        let endorsement = Checked::sign(endorsement, self.signer())?;
        let kept = Kept {
            key: Base64(pkcs8),
            endorsement: endorsement.bytes().into(),
            from: Timestamp::from_seconds(from),
            until: Timestamp::from_seconds(until),
            refresh: None,
            token: None,
        };
        self.keep_session(&kept)
    }

    /// How far the session has come. None if nobody is signed in.
    pub(crate) fn session(&self) -> Result<Option<Stage>, PhoneError> {
        if self.store().read(|db| meta::get(db, &meta::ENROLLED))? != Some(true) {
            return Ok(None);
        }
        let kept = self.kept_session()?;
        let now = self.now();
        let holds = |kept: &Kept| {
            // A word given by a clock that was fast, and was set right since, is none yet.
            kept.until > now.plus(KEY_EARLY) && (kept.begun() || kept.from <= now.plus(CLOCK_AHEAD))
        };
        let Some(kept) = kept.filter(holds) else {
            return Ok(Some(Stage::Endorse));
        };
        let token = kept.token.clone().filter(|(_, until)| *until > now.plus(TOKEN_EARLY));
        Ok(Some(match token {
            Some((token, _)) => Stage::Ready(Reader { kept, token }),
            None => Stage::Ask(kept),
        }))
    }

    /// A request of a read, or of whatever else the session speaks for, with the token and a proof made now; in place of
    /// those that it has.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`]; [`PhoneError::SignInAgain`]; [`PhoneError::Offline`] without a session.
    pub(crate) fn as_caller(&self, request: Request) -> Result<Request, PhoneError> {
        self.store().read(account)?;
        match self.session()? {
            None => Err(PhoneError::SignInAgain),
            Some(Stage::Ready(reader)) => reader.prove(self, request),
            Some(_) => Err(PhoneError::Offline("no session".to_owned())),
        }
    }

    /// Whether the same request may do better at once: the server told its time, or took the token for void.
    pub(crate) fn may_ask_again(
        &self,
        answer: &Result<Response, TransportError>,
    ) -> Result<bool, PhoneError> {
        let Outcome::Problem { problem, .. } = answer::read::<serde_json::Value>(answer.clone()) else {
            return Ok(false);
        };
        if let Some(now) = problem.stale_proof() {
            self.store().write(|db| self.server_told_time(db, Timestamp(now)))?;
            return Ok(true);
        }
        if problem.status == 401 {
            self.drop_token()?;
        }
        Ok(problem.status == 401)
    }

    /// Keeps the session as it is now.
    pub(crate) fn keep_session(&self, kept: &Kept) -> Result<(), PhoneError> {
        let sealing = self.sealing()?;
        self.write(|db| secrets::set(db, &sealing, &secrets::SESSION, kept))
    }
}

impl Phone {
    /// The server takes the token for void.
    pub(crate) fn drop_token(&self) -> Result<(), PhoneError> {
        self.change_session(|kept| kept.token = None)
    }

    /// The server takes the session for over: it is begun again, on the same word of the device's.
    pub(crate) fn start_session_again(&self) -> Result<(), PhoneError> {
        self.change_session(|kept| (kept.token, kept.refresh) = (None, None))
    }

    fn change_session(&self, change: impl FnOnce(&mut Kept)) -> Result<(), PhoneError> {
        let sealing = self.sealing()?;
        self.store().write(|db| {
            let Some(mut kept) = secrets::get(db, &sealing, &secrets::SESSION)? else { return Ok(()) };
            change(&mut kept);
            secrets::set(db, &sealing, &secrets::SESSION, &kept)
        })
    }
}

impl Kept {
    /// Whether the session has begun, so that another token is asked for.
    pub(crate) fn begun(&self) -> bool {
        self.refresh.is_some()
    }

    /// Whether this is the session that a request was for.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// Begins the session, or asks for another token.
    pub(crate) fn ask(&self, phone: &Phone) -> Result<Request, PhoneError> {
        let (path, body) = match &self.refresh {
            Some(refresh) => ("/v1/sessions/refresh", json(&RefreshRequest { refresh: refresh.clone() })?),
            None => {
                let name = phone.device_name().trim().chars().take(MAX_DEVICE_NAME).collect();
                let endorsement = self.endorsement.clone();
                ("/v1/sessions", json(&SessionRequest { endorsement, name })?)
            }
        };
        let headers = vec![
            ("accept", "application/json".to_owned()),
            ("accept-language", phone.language().to_owned()),
            ("content-type", "application/json".to_owned()),
            (dpop::HEADER, self.proof(phone, Method::Post, path, None)?),
        ];
        let path = path.to_owned();
        Ok(Request { method: Method::Post, path, headers, body: Some(body), timeout: TIMEOUT })
    }

    /// The same session, begun.
    pub(crate) fn began(self, Session { token, expires_at, refresh, .. }: Session) -> Self {
        Self { refresh: Some(refresh), token: Some((token, expires_at)), ..self }
    }

    /// The same session with another token.
    pub(crate) fn refreshed(self, Access { token, expires_at, .. }: Access) -> Self {
        Self { token: Some((token, expires_at)), ..self }
    }

    fn proof(
        &self,
        phone: &Phone,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Result<String, PhoneError> {
        let key = SoftwareKey::from_pkcs8(&self.key.0)?;
        let mut id = [0; 16];
        phone.environment().random(&mut id);
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let url = format!("{}{path}", phone.link_base().trim_end_matches('/'));
        let request = dpop::Request { method: method.name(), url: &url, token };
        Ok(dpop::prove(&key, request, id, phone.now().seconds())?)
    }
}

impl Reader {
    /// Puts the token and a proof to a request.
    pub(crate) fn prove(&self, phone: &Phone, mut request: Request) -> Result<Request, PhoneError> {
        let proof = self.kept.proof(phone, request.method, &request.path, Some(&self.token))?;
        request.headers.retain(|(name, _)| *name != "authorization" && *name != dpop::HEADER);
        request.headers.push(("authorization", format!("{} {}", dpop::SCHEME, self.token)));
        request.headers.push((dpop::HEADER, proof));
        Ok(request)
    }
}

fn json<T: Serialize>(body: &T) -> Result<Vec<u8>, PhoneError> {
    serde_json::to_vec(body).map_err(|_| corrupt("request"))
}
