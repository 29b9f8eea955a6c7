//! A witness on the way to the server: hears what it answers to each op, and notices when it says something else later.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moa_phone::{Answer, Request, Transport};
use moa_rules::refusal::Refusal;
use moa_wire::api::{Base64, Ops, Verdict, Verdicts};
use tokio::sync::watch;

/// The answers so far.
#[derive(Default)]
pub struct Witness {
    heard: Mutex<Heard>,
    count: watch::Sender<usize>,
}

/// Ops as signed, each with why it was refused, if it was.
pub type Answers = BTreeMap<Vec<u8>, Option<Refusal>>;

#[derive(Default)]
struct Heard {
    answers: Answers,
    lately: Vec<Vec<u8>>,
    contradictions: Vec<String>,
}

impl Witness {
    /// What was answered so far.
    pub fn answers(&self) -> Answers {
        self.heard().answers.clone()
    }

    /// The ops that were first answered since this was called last.
    pub fn take_lately(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.heard().lately)
    }

    /// Where the server took back or forgot an answer.
    pub fn contradictions(&self) -> Vec<String> {
        self.heard().contradictions.clone()
    }

    /// How many answers were heard, repeated ones too.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, ops: Vec<Base64>, verdicts: Vec<Verdict>) {
        let mut heard = self.heard();
        let Heard { answers, lately, contradictions } = &mut *heard;
        let mut count = 0;
        for (Base64(op), verdict) in ops.into_iter().zip(verdicts) {
            let (again, answer) = match verdict {
                Verdict::Applied => (false, None),
                Verdict::Refused(refused) => (false, Some(refused.reason)),
                Verdict::Duplicate { refused } => (true, refused.map(|refused| refused.reason)),
                Verdict::Retry { .. } => continue,
            };
            count += 1;
            match answers.get(&op) {
                Some(first) if !again => {
                    contradictions.push(format!("answered {first:?} before, forgotten, now {answer:?}"));
                }
                Some(first) if *first != answer => {
                    contradictions.push(format!("answered {first:?} before, now {answer:?}"));
                }
                Some(_) => {}
                None => {
                    lately.push(op.clone());
                    answers.insert(op, answer);
                }
            }
        }
        drop(heard);
        self.count.send_modify(|heard| *heard += count);
    }
}

/// A way to the server on which a witness listens.
pub struct Witnessed {
    way: Arc<dyn Transport>,
    witness: Arc<Witness>,
}

impl Witnessed {
    /// This way, with this witness.
    pub fn new(way: Arc<dyn Transport>, witness: Arc<Witness>) -> Self {
        Self { way, witness }
    }
}

impl Transport for Witnessed {
    fn send(&self, request: Request) -> Answer<'_> {
        Box::pin(async move {
            let sent = (request.path == "/v1/ops").then(|| request.body.clone().unwrap_or_default());
            let answer = self.way.send(request).await?;
            if let Some(sent) = sent
                && let Ok(Ops { ops, .. }) = serde_json::from_slice(&sent)
                && let Ok(Verdicts { verdicts, .. }) = serde_json::from_slice(&answer.body)
            {
                self.witness.hear(ops, verdicts);
            }
            Ok(answer)
        })
    }
}
