//! Push: the outbox goes out, verdicts come back, one an op.

use moa_rules::id::OpId;
use moa_rules::time::Timestamp;
use moa_wire::api::{GivenToken, MAX_OPS, Verdict};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{self, Failure, Outcome};
use super::{Lane, MOST_RETRY_AFTER_S, Machine, UnderWay, Work, ask};
use crate::error::PhoneError;
use crate::outbox::{Kind, RefusedOp};
use crate::phone::Phone;
use crate::redemption::deadline;
use crate::store::{numbers, outbox, passes};
use crate::transport::{Response, TransportError};

/// For how long an op rests that the server does not take even alone, or answers in words that are not known here.
const REST: i64 = 5 * Timestamp::MINUTE;

/// The answer to `POST /v1/ops`, verdict by verdict: one that is newer than this app must not spoil the others.
#[derive(Deserialize)]
struct Answered {
    verdicts: Vec<Value>,
    #[serde(default)]
    tokens: Vec<GivenToken>,
    now: Timestamp,
}

/// A verdict, as far as this app can read it.
enum Read {
    Known(Verdict),
    /// A refusal whose reason is newer than this app.
    Refused(RefusedOp),
    Unknown,
}

impl Machine {
    pub(super) fn poll_push(
        &mut self,
        phone: &Phone,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<(), PhoneError> {
        let taking_snapshot = self.under_way.values().any(|u| matches!(u, UnderWay::Snapshot));
        if self.is_under_way(Lane::Push) || taking_snapshot {
            return Ok(());
        }
        let (due, waiting) =
            phone.store().read(|db| Ok((outbox::due(db, now, self.batch)?, outbox::waiting(db)?)))?;
        if due.is_empty() {
            if let (1.., Some(next)) = waiting {
                self.wake_at(next.max(now.plus(Timestamp::SECOND)));
            }
            return Ok(());
        }
        if !self.may_ask(Lane::Push, now) && !self.hurries(phone)? {
            return Ok(());
        }
        let (ops, bytes): (Vec<OpId>, _) = due.into_iter().unzip();
        let sealing = phone.sealing()?;
        let beside = phone.store().read(|db| numbers::of(db, &sealing, &ops))?;
        let request = ask::ops(phone, bytes, beside)?;
        self.send(work, UnderWay::Push { ops }, request);
        Ok(())
    }

    /// A new redemption does not wait for its lane, once: someone stands at the till.
    fn hurries(&mut self, phone: &Phone) -> Result<bool, PhoneError> {
        let standing = self.standing(Lane::Push);
        let newest = at_till(phone)?;
        if newest.is_none() || newest == self.hurried || standing.asked {
            return Ok(false);
        }
        self.hurried = newest;
        Ok(true)
    }

    pub(super) fn pushed(
        &mut self,
        phone: &Phone,
        ops: &[OpId],
        answer: Result<Response, TransportError>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        let verdicts = match answer::read::<Answered>(answer) {
            Outcome::Good(verdicts) if verdicts.verdicts.len() == ops.len() => verdicts,
            Outcome::Good(verdicts) => {
                let told = format!("{} verdicts on {} ops", verdicts.verdicts.len(), ops.len());
                return self.failed(phone, Lane::Push, Failure::NotOurServer(told), None, now);
            }
            Outcome::None { failure, retry_after_s } => {
                return self.failed(phone, Lane::Push, failure, retry_after_s, now);
            }
            Outcome::Problem { problem, retry_after_s } => {
                if matches!(problem.status, 401 | 403) {
                    let failure = Failure::Problem(problem);
                    return self.failed(phone, Lane::Push, failure, retry_after_s, now);
                }
                return self.isolate(phone, ops, Failure::Problem(problem), now);
            }
        };
        phone.write(|db| {
            phone.server_told_time(db, verdicts.now)?;
            for GivenToken { op, token } in verdicts.tokens.iter().filter(|given| ops.contains(&given.op)) {
                passes::put_token(db, *op, &token.0)?;
            }
            for (op, verdict) in ops.iter().zip(verdicts.verdicts) {
                match read(&verdict) {
                    Read::Known(Verdict::Applied | Verdict::Duplicate { refused: None }) => {
                        outbox::applied(db, *op)?;
                    }
                    Read::Known(
                        Verdict::Duplicate { refused: Some(refused) } | Verdict::Refused(refused),
                    ) => {
                        outbox::refused(db, phone.key(), *op, &refused.into())?;
                    }
                    Read::Refused(refused) => outbox::refused(db, phone.key(), *op, &refused)?,
                    Read::Known(Verdict::Retry { after_s }) => {
                        let wait = i64::from(after_s.clamp(1, MOST_RETRY_AFTER_S)) * Timestamp::SECOND;
                        outbox::put_off(db, *op, now.plus(wait))?;
                    }
                    Read::Unknown => outbox::put_off(db, *op, now.plus(REST))?,
                }
            }
            Ok(())
        })?;
        self.pushed = self.tick();
        self.batch = (self.batch * 2).min(MAX_OPS);
        self.succeeded(phone, Lane::Push)
    }

    /// The server does not take the request as a whole: half of it is tried, down to the one op that it does not
    /// take. That one rests and is tried again; nothing is dropped, and nothing behind it waits.
    fn isolate(
        &mut self,
        phone: &Phone,
        ops: &[OpId],
        failure: Failure,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        match ops {
            [alone] => {
                tracing::warn!(op = %alone, %failure, "the server does not take this op");
                self.batch = MAX_OPS;
                self.failure = Some(failure);
                phone.write(|db| outbox::put_off(db, *alone, now.plus(REST)))
            }
            _ => {
                self.batch = (ops.len() / 2).max(1);
                Ok(())
            }
        }
    }
}

/// The newest redemption, hold or payment that waits and whose code is still good.
pub(super) fn at_till(phone: &Phone) -> Result<Option<OpId>, PhoneError> {
    let now = phone.now();
    let pending = phone.store().read(|db| {
        let mut pending = outbox::waiting_of(db, Kind::Redeem)?;
        pending.extend(outbox::waiting_of(db, Kind::Hold)?);
        pending.extend(outbox::waiting_of(db, Kind::Pay)?);
        Ok(pending)
    })?;
    let live = pending.iter().rev().find(|entry| deadline(&entry.body.body).is_some_and(|end| now <= end));
    Ok(live.map(|entry| entry.op))
}

fn read(verdict: &Value) -> Read {
    if let Ok(verdict) = Verdict::deserialize(verdict) {
        return Read::Known(verdict);
    }
    let refused = match verdict["verdict"].as_str() {
        Some("refused") => verdict,
        Some("duplicate") => &verdict["refused"],
        _ => return Read::Unknown,
    };
    match (refused["reason"]["code"].as_str(), refused["text"].as_str()) {
        (Some(code), Some(text)) => {
            let (code, text) = (code.to_owned(), text.to_owned());
            Read::Refused(RefusedOp { code, reason: None, text, mileage: None })
        }
        _ => Read::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moa_rules::refusal::Refusal;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_refusal_that_is_newer_than_the_app_is_still_a_refusal() {
        let newer = json!({"verdict": "refused", "reason": {"code": "moon_full", "phase": 4}, "text": "no"});
        let again =
            json!({"verdict": "duplicate", "refused": {"reason": {"code": "moon_full"}, "text": "no"}});
        for verdict in [newer, again] {
            let Read::Refused(RefusedOp { code, reason, text, .. }) = read(&verdict) else {
                panic!("no refusal")
            };
            assert_eq!((code.as_str(), reason, text.as_str()), ("moon_full", None, "no"));
        }
        assert!(matches!(read(&json!({"verdict": "perhaps"})), Read::Unknown));
        let known = json!({"verdict": "refused", "reason": {"code": "code_expired"}, "text": "no"});
        let Read::Known(Verdict::Refused(refused)) = read(&known) else { panic!("no refusal") };
        assert_eq!(refused.reason, Refusal::CodeExpired);
    }

    proptest! {
        #[test]
        fn arbitrary_verdicts_never_panic(verdict in "(refused|duplicate|applied|retry|.{0,9})", code in ".{0,9}") {
            let _ = read(&json!({"verdict": verdict, "reason": {"code": code}, "refused": code, "text": 1}));
            let _ = read(&json!([verdict, code]));
        }
    }
}
