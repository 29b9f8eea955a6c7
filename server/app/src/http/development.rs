//! What the development carrier was given to send. Only there with that carrier, and only on loopback: who sees a
//! number's messages can enrol as its owner.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use data_encoding::HEXLOWER;
use moa_words::ProblemText;
use serde::{Deserialize, Serialize};

use super::problems::{Fault, ProblemResponse};
use super::requests::{Named, Parameters};
use crate::app::App;
use crate::carrier::Message;
use crate::phone_number::PhoneNumber;

/// `GET /v1/development/inbox`: messages for a number, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DevelopmentInbox {
    /// Of the last 1 000 that were sent to anyone.
    pub messages: Vec<DevelopmentMessage>,
}

/// A text message that was shown instead of sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DevelopmentMessage {
    /// Its id, 32 hex digits: that of the enrolment.
    pub id: String,
    /// What the phone would show.
    pub text: String,
}

impl From<Message> for DevelopmentMessage {
    fn from(message: Message) -> Self {
        Self { id: HEXLOWER.encode(&message.id), text: message.text }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// The phone number, as typed; read as Korean without a country code.
    phone: String,
}

impl Named for Query {
    const NAME: &'static str = "phone";
}

/// Messages for a number (development only).
#[utoipa::path(
    get,
    path = "/v1/development/inbox",
    tag = "development",
    operation_id = "read_development_inbox",
    params(Query),
    responses(
        (status = 200, description = "The messages, oldest first", body = DevelopmentInbox),
        (status = 400, response = ProblemResponse),
        (status = 404, response = ProblemResponse),
        (status = 422, response = ProblemResponse),
    )
)]
pub(super) async fn inbox(
    State(app): State<Arc<App>>,
    Parameters(query): Parameters<Query>,
) -> Result<Json<DevelopmentInbox>, Fault> {
    let development = app.shown.as_ref().ok_or(Fault(ProblemText::NotFound))?;
    let phone = PhoneNumber::read(&query.phone).ok_or(Fault(ProblemText::BadPhoneNumber))?;
    let messages = development.messages(phone.as_str()).into_iter().map(Into::into).collect();
    Ok(Json(DevelopmentInbox { messages }))
}
