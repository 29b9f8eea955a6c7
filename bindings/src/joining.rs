//! Requests to join, and the members' answers.

use moa_phone as phone;
use moa_rules::admission::RequestState;
use moa_words::{InvitationText, group as words, invited, votes};

use crate::app::App;
use crate::convert::{self, Dress};
use crate::error::ApiError;
use crate::records::Shop;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum JoinRequestState {
    /// It can be answered.
    Open,
    /// The shop was let in.
    Admitted,
    /// It was not.
    Refused,
    /// It asks no more.
    Withdrawn,
}

/// A shop that asks to join a group.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct JoinRequest {
    /// The group's id.
    pub group: String,
    /// The group's name.
    pub group_name: Option<String>,
    /// The shop that asks.
    pub shop: Shop,
    /// Whether that is this phone's own.
    pub own: bool,
    /// When it asked.
    pub asked_at: i64,
    /// Until before this instant it can be answered.
    pub until: i64,
    /// The same, as a phrase.
    pub until_text: String,
    /// Members for it.
    pub for_it: Vec<Shop>,
    /// Members against it.
    pub against: Vec<Shop>,
    /// How many of each: `2 for, 1 against`.
    pub votes_text: String,
    /// Who lets shops in.
    pub admission_text: String,
    /// What became of it.
    pub state: JoinRequestState,
    /// The same in words.
    pub state_text: String,
    /// What this phone's shop says, what it has just said too.
    pub answer: Option<bool>,
}

impl Dress {
    fn join_request(self, asked: phone::RequestInfo) -> JoinRequest {
        let (state, text) = match asked.state {
            RequestState::Open => (JoinRequestState::Open, InvitationText::PendingApproval),
            RequestState::Admitted => (JoinRequestState::Admitted, InvitationText::Joined),
            RequestState::Refused => (JoinRequestState::Refused, InvitationText::NotAdmitted),
            RequestState::Withdrawn => (JoinRequestState::Withdrawn, InvitationText::Revoked),
        };
        JoinRequest {
            group: asked.group.to_string(),
            group_name: asked.group_name,
            shop: convert::shop(asked.shop),
            own: asked.own,
            asked_at: asked.asked_at.0,
            until: asked.until.0,
            until_text: self.moment(asked.until),
            votes_text: votes(self.lang, asked.for_it.len(), asked.against.len()),
            for_it: convert::shops(asked.for_it),
            against: convert::shops(asked.against),
            admission_text: words::admission(self.lang, asked.admission),
            state,
            state_text: invited(self.lang, text),
            answer: asked.answer,
        }
    }
}

#[uniffi::export]
impl App {
    /// Shops that wait to be let in, and this shop's own requests with what became of them.
    pub fn join_requests(&self) -> Result<Vec<JoinRequest>, ApiError> {
        let requests = self.ask(self.phone()?.join_requests())?.into_iter();
        Ok(requests.map(|asked| self.dress().join_request(asked)).collect())
    }

    /// Answers for this phone's shop to one that asks to join; the last answer counts. Gives the op.
    pub fn answer_join(&self, group: String, merchant: String, admits: bool) -> Result<String, ApiError> {
        let (group, merchant) = (self.group_id(&group)?, self.merchant_id(&merchant)?);
        Ok(self.ask(self.phone()?.answer_join(group, merchant, admits))?.to_string())
    }

    /// Asks no more to join a group. Gives the op.
    pub fn withdraw_request(&self, group: String) -> Result<String, ApiError> {
        let group = self.group_id(&group)?;
        Ok(self.ask(self.phone()?.withdraw_request(group))?.to_string())
    }
}
