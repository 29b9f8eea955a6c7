//! Proofs of possession (RFC 9449): that a request was made by the key behind a session, now, and for the first time.
//!
//! `moa_wire::dpop` reads a proof and checks its signature; here is what only the server knows: its address, its clock,
//! and which proofs came before.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use axum::http::header;
use axum::http::request::Parts;
use moa_rules::time::Timestamp;
use moa_wire::dpop::{self, Proof, Request, thumbprint};
use moa_wire::keys::sha256;

use crate::app::App;

/// How far from the server's clock a proof may have been made.
const WINDOW: i64 = 5 * Timestamp::MINUTE;
/// Proofs that are remembered at most, in each of two halves: some 40 MB in all.
const REMEMBERED: usize = 500_000;

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotProved {
    #[error("no proof, or one of something else")]
    Wrong,
    #[error("not made now")]
    Stale { now: Timestamp },
    #[error("it came before")]
    Reused,
}

/// A key that made a request, now, and with a proof that never came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proved {
    /// The key's uncompressed point.
    pub(crate) public_key: Vec<u8>,
    /// Its thumbprint (RFC 7638).
    pub(crate) thumbprint: [u8; 32],
}

/// Checks the proof beside a request, and the access token if one is shown with it. The signature takes a tenth of a
/// millisecond: no wait for a disk.
pub(crate) fn check(app: &App, parts: &Parts, token: Option<&str>) -> Result<Proved, NotProved> {
    // One proof, no more (RFC 9449 section 4.3).
    let mut headers = parts.headers.get_all(dpop::HEADER).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return Err(NotProved::Wrong) };
    let proof = header.to_str().ok().and_then(|text| Proof::read(text).ok()).ok_or(NotProved::Wrong)?;
    let url = url(app, parts);
    if !proof.is_for(Request { method: parts.method.as_str(), url: &url, token }) {
        return Err(NotProved::Wrong);
    }
    let thumbprint = thumbprint(&proof.public_key).ok_or(NotProved::Wrong)?;
    app.proofs.first_seen(thumbprint, &proof, app.engine.now())?;
    Ok(Proved { public_key: proof.public_key, thumbprint })
}

/// The address of a request, as its sender knows it: that at which phones reach this server, if it was told one;
/// otherwise the host that the request names.
fn url(app: &App, parts: &Parts) -> String {
    let path = parts.uri.path();
    if let Some(base) = &app.link_base {
        return format!("{}{path}", base.trim_end_matches('/'));
    }
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.map_or_else(|| format!("{}{path}", app.address), |host| format!("http://{host}{path}"))
}

/// The proofs that came, for as long as they would be taken again.
pub(crate) struct Proofs {
    seen: Mutex<Seen>,
}

/// Two halves, of which the older is forgotten whole: when all in it is too old to be taken, or, in a flood, earlier;
/// then what is as old as anything forgotten is stale.
#[derive(Default)]
struct Seen {
    newer: Half,
    older: Half,
    /// Proofs made up to this second are not taken any more.
    forgotten_to: u64,
}

#[derive(Default)]
struct Half {
    proofs: HashSet<[u8; 16]>,
    /// The latest second at which one of them was made, by its own word.
    latest: u64,
    /// When the first of them came.
    since: Timestamp,
}

impl Proofs {
    /// None yet, for a server that starts now. What was made before is stale: whether it came to the server that ran then, is
    /// not known.
    pub(crate) fn since(now: Timestamp) -> Self {
        Self { seen: Mutex::new(Seen { forgotten_to: now.seconds().saturating_sub(1), ..Seen::default() }) }
    }

    /// Whether a proof was made now and never came before. Remembers it.
    fn first_seen(&self, thumbprint: [u8; 32], proof: &Proof, now: Timestamp) -> Result<(), NotProved> {
        let made = i64::try_from(proof.at).unwrap_or(i64::MAX).saturating_mul(1_000);
        // A proof tells seconds: it was made somewhere within its own.
        if made.saturating_add(999) < now.0 - WINDOW || made > now.0 + WINDOW {
            return Err(NotProved::Stale { now });
        }
        let mut name = [0; 16];
        name.copy_from_slice(&sha256(&[&thumbprint, proof.id.as_bytes()])[..16]);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take(name, proof.at, now, REMEMBERED)
    }
}

impl Seen {
    fn take(&mut self, name: [u8; 16], at: u64, now: Timestamp, most: usize) -> Result<(), NotProved> {
        if at <= self.forgotten_to {
            return Err(NotProved::Stale { now });
        }
        if self.newer.proofs.contains(&name) || self.older.proofs.contains(&name) {
            return Err(NotProved::Reused);
        }
        // Whatever came before the newer half began is, a window later on either side, too old by the clock.
        if self.newer.proofs.len() >= most || now > self.newer.since.plus(2 * WINDOW + 1_000) {
            let gone = mem::replace(&mut self.older, mem::take(&mut self.newer));
            if !gone.proofs.is_empty() {
                self.forgotten_to = self.forgotten_to.max(gone.latest);
            }
            self.newer.since = now;
            if at <= self.forgotten_to {
                return Err(NotProved::Stale { now });
            }
        }
        self.newer.proofs.insert(name);
        self.newer.latest = self.newer.latest.max(at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(1_795_230_000_000);

    fn name(number: u32) -> [u8; 16] {
        let mut name = [0; 16];
        name[..4].copy_from_slice(&number.to_be_bytes());
        name
    }

    #[test]
    fn a_proof_is_taken_once_for_as_long_as_the_clock_would_take_it() {
        let (mut seen, at) = (Seen::default(), NOON.seconds());
        assert_eq!(seen.take(name(1), at, NOON, 10), Ok(()));
        for later in [0, WINDOW, 2 * WINDOW, 2 * WINDOW + 1_000] {
            let now = NOON.plus(later);
            assert_eq!(seen.take(name(1), at, now, 10), Err(NotProved::Reused), "{later}");
            assert_eq!(seen.take(name(2 + u32::try_from(later).unwrap()), now.seconds(), now, 10), Ok(()));
        }
    }

    #[test]
    fn memory_is_bounded_and_what_was_forgotten_early_is_stale() {
        let mut seen = Seen::default();
        for number in 0..1_000 {
            let now = NOON.plus(i64::from(number) * 1_000);
            assert_eq!(seen.take(name(number), now.seconds(), now, 10), Ok(()), "{number}");
            assert!(seen.newer.proofs.len() + seen.older.proofs.len() <= 20);
            for before in 0..=number {
                let at = NOON.plus(i64::from(before) * 1_000).seconds();
                assert!(seen.take(name(before), at, now, 10).is_err(), "{before} again after {number}");
            }
        }
    }

    #[test]
    fn a_quiet_server_forgets_nothing_that_it_would_still_take() {
        let mut seen = Seen::default();
        let now = NOON.plus(365 * Timestamp::DAY);
        assert_eq!(seen.take(name(1), NOON.seconds(), NOON, 10), Ok(()));
        assert_eq!(seen.take(name(2), now.seconds(), now, 10), Ok(()));
        assert_eq!(seen.take(name(3), now.seconds() - 300, now, 10), Ok(()));
    }
}
