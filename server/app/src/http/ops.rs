//! Ops: the one way to write.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use futures_util::future::join_all;
use moa_ledger::given;
use moa_ledger::store::{Answer, Outcome};
use moa_rules::adjustment::Grantee;
use moa_rules::op::{Carried, Op, OpBody};
use moa_rules::refusal::Refusal;
use moa_wire::api::{Base64, GivenToken, MAX_OPS, Ops, Refused, Verdict, Verdicts};
use moa_wire::number::TypedNumber;
use moa_wire::submission::{Parsed, Submission};
use moa_words::{Lang, ProblemText, refusal};

use super::problems::{Fault, ProblemResponse, RETRY_AFTER_S};
use super::requests::{JsonBody, Language};
use crate::app::App;
use crate::buyers;
use crate::invitations;
use crate::one_time::OneTimeError;

/// Ops whose signatures one thread checks, at some 41 µs each (a claim has two).
const CHUNK: usize = 16;

/// [`MAX_OPS`], as texts count.
const MOST: u32 = 100;
const _: () = assert!(MOST as usize == MAX_OPS);

/// Takes up to 100 signed ops and answers each, in order. An op that came before gets its first answer again. The answer
/// to a sale to a phone number does not tell whether the number is known.
#[utoipa::path(
    post,
    path = "/v1/ops",
    tag = "ops",
    operation_id = "submit_ops",
    request_body = Ops,
    responses(
        (status = 200, description = "A verdict for each op, in order", body = Verdicts),
        (status = 400, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Language(lang): Language,
    JsonBody(Ops { ops, numbers }): JsonBody<Ops>,
) -> Result<Json<Verdicts>, Fault> {
    if ops.is_empty() {
        return Err(Fault(ProblemText::NoOps));
    }
    if ops.len() > MAX_OPS || numbers.len() > MAX_OPS {
        return Err(Fault(ProblemText::TooManyOps { max: MOST }));
    }
    let (mut submissions, mut fates) = (Vec::with_capacity(ops.len()), Vec::with_capacity(ops.len()));
    let (mut giving, mut ends_accounts) = (Vec::new(), false);
    for checked in check_all(&app, ops, numbers.into()).await {
        match checked {
            Ok(submission) => {
                if matches!(submission.op.value().body, OpBody::Pay { .. } | OpBody::ReservePass { .. }) {
                    giving.push((fates.len(), submission.op.value().clone()));
                }
                let body = &submission.op.value().body;
                ends_accounts |= matches!(body, OpBody::CloseAccount | OpBody::MergeAccount { .. });
                submissions.push(submission);
                fates.push(None);
            }
            Err(fate) => fates.push(Some(fate)),
        }
    }
    let mut decided = decide(&app, submissions).await.into_iter();
    let verdicts = fates.into_iter().map(|fate| {
        let fate = fate.or_else(|| decided.next().map(Fate::Decided));
        fate.unwrap_or(Fate::Later { after_s: RETRY_AFTER_S }).verdict(lang)
    });
    let verdicts: Vec<Verdict> = verdicts.collect();
    if ends_accounts && let Err(error) = app.blocking(|app| app.store().forget_closed()).await {
        tracing::error!(%error, "a person is erased later");
    }
    giving.retain(|(at, _)| {
        matches!(verdicts.get(*at), Some(Verdict::Applied | Verdict::Duplicate { refused: None }))
    });
    let tokens = if giving.is_empty() { Vec::new() } else { app.blocking(|app| give(app, giving)).await };
    Ok(Json(Verdicts { verdicts, tokens, now: app.engine.now() }))
}

/// Signs what applied ops give their authors to show. One that can't be signed now is asked for again by sending the op
/// again.
fn give(app: &App, ops: Vec<(usize, Op)>) -> Vec<GivenToken> {
    let sign = |op: Op| {
        let public_key = app.public_keys.get(op.actor, app.store()).ok().flatten()?;
        let token = given::token(&app.server_key, &op, &public_key).ok().flatten()?;
        Some(GivenToken { op: op.id, token: Base64(token) })
    };
    ops.into_iter().filter_map(|(_, op)| sign(op)).collect()
}

/// What became of an op.
enum Fate {
    /// The engine's answer.
    Decided(Outcome),
    /// Its form or a signature is wrong; the engine never saw it.
    Refused(Refusal),
    /// Nothing yet; worth asking again after so many seconds.
    Later { after_s: u32 },
}

impl Fate {
    fn verdict(self, lang: Lang) -> Verdict {
        let refused = |reason: Refusal| Refused { text: refusal(lang, &reason), reason };
        match self {
            Self::Decided(Outcome::First(Answer::Applied)) => Verdict::Applied,
            Self::Decided(Outcome::First(Answer::Refused(reason))) | Self::Refused(reason) => {
                Verdict::Refused(refused(reason))
            }
            Self::Decided(Outcome::Again(Answer::Applied)) => Verdict::Duplicate { refused: None },
            Self::Decided(Outcome::Again(Answer::Refused(reason))) => {
                Verdict::Duplicate { refused: Some(refused(reason)) }
            }
            Self::Later { after_s } => Verdict::Retry { after_s },
        }
    }
}

/// The engine's answers; none if it did not decide.
async fn decide(app: &App, submissions: Vec<Submission>) -> Vec<Outcome> {
    if submissions.is_empty() {
        return Vec::new();
    }
    app.engine.submit(submissions).await.unwrap_or_default()
}

/// Reads the ops and checks every signature, many at once.
async fn check_all(
    app: &Arc<App>,
    ops: Vec<Base64>,
    numbers: Arc<[TypedNumber]>,
) -> Vec<Result<Submission, Fate>> {
    let mut ops = ops.into_iter();
    let mut chunks = Vec::new();
    while ops.len() > 0 {
        let chunk: Vec<Base64> = ops.by_ref().take(CHUNK).collect();
        let numbers = numbers.clone();
        chunks.push(app.blocking(move |app| {
            chunk.iter().map(|op| check(app, &op.0, &numbers)).collect::<Vec<Result<Submission, Fate>>>()
        }));
    }
    join_all(chunks).await.into_iter().flatten().collect()
}

fn check(app: &App, op: &[u8], numbers: &[TypedNumber]) -> Result<Submission, Fate> {
    let parsed = Parsed::parse(op).map_err(Fate::Refused)?;
    let mut keys = Vec::with_capacity(2);
    for id in parsed.keys() {
        let key = app.public_keys.get(id, app.store()).map_err(|error| {
            tracing::error!(%error, "a key could not be looked up");
            Fate::Later { after_s: RETRY_AFTER_S }
        })?;
        keys.extend(key.map(|key| (id, key)));
    }
    let public_key = |id| keys.iter().find(|(known, _)| *known == id).map(|(_, key)| key.to_vec());
    let mut submission = parsed.check(public_key).map_err(Fate::Refused)?;
    let op = submission.op.value();
    let named = match &op.body {
        OpBody::SellTo { buyer, .. } | OpBody::Grant { to: Grantee::Buyer(buyer), .. } => Some(buyer),
        _ => None,
    };
    if let Some(buyer) = named {
        let found = buyers::find(app, (op.actor, op.id), buyer, numbers).map_err(|error| match error {
            // A sale is not refused because its shop has guessed at others: it waits with the shop.
            OneTimeError::TooManyTries { retry_after_s } => {
                Fate::Later { after_s: u32::try_from(retry_after_s).unwrap_or(u32::MAX) }
            }
            error => {
                tracing::error!(%error, "a buyer could not be looked up");
                Fate::Later { after_s: RETRY_AFTER_S }
            }
        })?;
        submission.carried = Carried::Buyer(found);
    }
    let op = submission.op.value();
    let ticket = match &op.body {
        OpBody::JoinGroup { invitation, .. } => invitation.as_ref(),
        OpBody::DeclineInvitation { ticket } => Some(ticket),
        _ => None,
    };
    if let Some(ticket) = ticket {
        let genuine = invitations::is_genuine(app, op.actor, ticket).map_err(|error| {
            tracing::error!(%error, "a ticket could not be checked");
            Fate::Later { after_s: RETRY_AFTER_S }
        })?;
        submission.carried = if genuine { Carried::Ticket } else { Carried::None };
    }
    Ok(submission)
}
