//! Problems: what a caller reads when a request as a whole went wrong (RFC 9457).
//!
//! A handler says what is wrong ([`Fault`]); the outermost layer, which knows the caller's language, writes it. So
//! routes that do not exist, bodies that are too large and handlers that panic all answer in the same form.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use moa_ledger::engine::NotDecided;
use moa_ledger::store::StoreError;
use moa_ledger::sweep::SweepError;
use moa_wire::api::MAX_DEVICE_NAME;
use moa_wire::keys::SignError;
use moa_wire::problem::{MEDIA_TYPE, Problem};
use moa_words::{Lang, ProblemText, problem};

use crate::buyers::NoSecret;
use crate::cursor::BadCursor;
use crate::enrolment::EnrolmentError;
use crate::invitations::InvitationError;
use crate::one_time::OneTimeError;
use crate::pictures::{MOST_PIXELS, PictureError};
use crate::proof::NotProved;
use crate::sessions::SessionError;

/// When to try again after a hiccup, in seconds.
pub(crate) const RETRY_AFTER_S: u32 = 2;

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) ProblemText);

/// A problem, as the API document shows it.
#[derive(utoipa::ToResponse)]
#[response(description = "What went wrong, with a stable code", content_type = "application/problem+json")]
#[expect(dead_code, reason = "a name in the API document")]
pub(crate) struct ProblemResponse(Problem);

impl Fault {
    /// Too much waits, or something took too long.
    pub(crate) const BUSY: Self = Self(ProblemText::ServerBusy { after_s: RETRY_AFTER_S as u64 });
    /// A fault of the server.
    pub(crate) const INTERNAL: Self = Self(ProblemText::Internal);

    /// The status and the stable code.
    fn status_and_code(self) -> (StatusCode, &'static str) {
        match self.0 {
            ProblemText::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            ProblemText::NoPosterFont => (StatusCode::SERVICE_UNAVAILABLE, "no_poster_font"),
            ProblemText::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            ProblemText::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json"),
            ProblemText::BrokenJson => (StatusCode::BAD_REQUEST, "broken_json"),
            ProblemText::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            ProblemText::BadParameter { .. } => (StatusCode::BAD_REQUEST, "bad_parameter"),
            ProblemText::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            ProblemText::ProofWrong => (StatusCode::UNAUTHORIZED, "proof_wrong"),
            ProblemText::ProofStale { .. } => (StatusCode::UNAUTHORIZED, "proof_stale"),
            ProblemText::ProofReused => (StatusCode::UNAUTHORIZED, "proof_reused"),
            ProblemText::SessionOver => (StatusCode::UNAUTHORIZED, "session_over"),
            ProblemText::EndorsementWrong => (StatusCode::UNPROCESSABLE_ENTITY, "endorsement_wrong"),
            ProblemText::DeviceNameTooLong { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "device_name_too_long")
            }
            ProblemText::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            ProblemText::BadCursor => (StatusCode::BAD_REQUEST, "bad_cursor"),
            ProblemText::CursorGone => (StatusCode::GONE, "cursor_gone"),
            ProblemText::BadPhoneNumber => (StatusCode::UNPROCESSABLE_ENTITY, "bad_phone_number"),
            ProblemText::BadPublicKey => (StatusCode::UNPROCESSABLE_ENTITY, "bad_public_key"),
            ProblemText::KeyTaken => (StatusCode::CONFLICT, "key_taken"),
            ProblemText::TooManyCodes { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_codes"),
            ProblemText::CodeWrong { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "code_wrong"),
            ProblemText::RecoveryWrong { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "recovery_wrong"),
            ProblemText::EnrolmentVoid => (StatusCode::GONE, "enrolment_void"),
            ProblemText::PossessionWrong => (StatusCode::FORBIDDEN, "possession_wrong"),
            ProblemText::BadOneTimeCode => (StatusCode::UNPROCESSABLE_ENTITY, "bad_one_time_code"),
            ProblemText::TooManyOneTimeCodes { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many_one_time_codes")
            }
            ProblemText::OneTimeCodeUnknown => (StatusCode::NOT_FOUND, "one_time_code_unknown"),
            ProblemText::OneTimeCodeExpired => (StatusCode::GONE, "one_time_code_expired"),
            ProblemText::OneTimeCodeUsed => (StatusCode::CONFLICT, "one_time_code_used"),
            ProblemText::TooManyTries { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_tries"),
            ProblemText::InvitationVoid => (StatusCode::NOT_FOUND, "invitation_void"),
            ProblemText::InvitationForAnother => (StatusCode::FORBIDDEN, "invitation_for_another"),
            ProblemText::BadContact => (StatusCode::UNPROCESSABLE_ENTITY, "bad_contact"),
            ProblemText::TooManyInvitationsSent { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many_invitations_sent")
            }
            ProblemText::NotAPicture => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_picture"),
            ProblemText::PictureTooLarge { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "picture_too_large"),
            ProblemText::TooManyPictures { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_pictures"),
            ProblemText::NoOps => (StatusCode::BAD_REQUEST, "no_ops"),
            ProblemText::TooManyOps { .. } => (StatusCode::BAD_REQUEST, "too_many_ops"),
            ProblemText::ClockOutOfReach { .. } => (StatusCode::CONFLICT, "clock_out_of_reach"),
            ProblemText::ServerBusy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "server_busy"),
            ProblemText::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// The stable code.
    pub(crate) fn code(self) -> &'static str {
        self.status_and_code().1
    }

    /// The problem in the caller's language.
    fn problem(self, lang: Lang) -> Problem {
        let (status, code) = self.status_and_code();
        let title = status.canonical_reason().unwrap_or_default();
        let plain = Problem::new(status.as_u16(), title, code, problem(lang, &self.0));
        match self.0 {
            ProblemText::BodyTooLarge { max_bytes } => plain.with("max_bytes", max_bytes),
            ProblemText::BadParameter { name } => plain.with("name", name),
            ProblemText::TooManyCodes { retry_after_s }
            | ProblemText::TooManyOneTimeCodes { retry_after_s }
            | ProblemText::TooManyInvitationsSent { retry_after_s }
            | ProblemText::TooManyPictures { retry_after_s }
            | ProblemText::TooManyTries { retry_after_s } => plain.with("retry_after_s", retry_after_s),
            ProblemText::ProofStale { now_ms } => plain.with("now", now_ms),
            ProblemText::CodeWrong { tries_left } | ProblemText::RecoveryWrong { tries_left } => {
                plain.with("tries_left", tries_left)
            }
            ProblemText::TooManyOps { max } | ProblemText::DeviceNameTooLong { max } => {
                plain.with("max", max)
            }
            ProblemText::ClockOutOfReach { now_ms, most_ms } => {
                plain.with("now", now_ms).with("most", most_ms)
            }
            ProblemText::PictureTooLarge { max_megapixels } => plain.with("max_megapixels", max_megapixels),
            ProblemText::ServerBusy { after_s } => plain.with("after_s", after_s),
            _ => plain,
        }
    }

    /// What the caller reads. Headers that the answer had already, such as `Allow`, stay.
    pub(crate) fn write(self, lang: Lang, mut headers: HeaderMap) -> Response {
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
        if let ProblemText::TooManyCodes { retry_after_s: after }
        | ProblemText::TooManyOneTimeCodes { retry_after_s: after }
        | ProblemText::TooManyInvitationsSent { retry_after_s: after }
        | ProblemText::TooManyPictures { retry_after_s: after }
        | ProblemText::TooManyTries { retry_after_s: after }
        | ProblemText::ServerBusy { after_s: after } = self.0
        {
            headers.insert(header::RETRY_AFTER, after.into());
        }
        let challenge = match self.0 {
            ProblemText::Unauthorized => Some(r#"DPoP algs="ES256""#),
            ProblemText::SessionOver => Some(r#"DPoP error="invalid_token", algs="ES256""#),
            ProblemText::ProofWrong | ProblemText::ProofStale { .. } | ProblemText::ProofReused => {
                Some(r#"DPoP error="invalid_dpop_proof", algs="ES256""#)
            }
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        (self.status_and_code().0, headers, Json(self.problem(lang))).into_response()
    }
}

/// Carries the fault to the outermost layer.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status_and_code().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store did not answer");
        match error {
            StoreError::Database { .. } => Self::BUSY,
            StoreError::Corrupt(_)
            | StoreError::Newer
            | StoreError::Older
            | StoreError::Unreleased
            | StoreError::Unfit(_) => Self::INTERNAL,
        }
    }
}

impl From<SignError> for Fault {
    fn from(error: SignError) -> Self {
        tracing::error!(%error, "the server's key did not sign");
        Self::INTERNAL
    }
}

impl From<NoSecret> for Fault {
    fn from(error: NoSecret) -> Self {
        match error {
            NoSecret::Store(error) => error.into(),
            NoSecret::NoRandomness(error) => {
                tracing::error!(%error, "a member tag could not be given");
                Self::INTERNAL
            }
        }
    }
}

impl From<NotDecided> for Fault {
    fn from(_: NotDecided) -> Self {
        Self::BUSY
    }
}

impl From<SweepError> for Fault {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Store(error) => error.into(),
            SweepError::NotSigned(error) => error.into(),
            SweepError::NotDecided(error) => error.into(),
        }
    }
}

impl From<BadCursor> for Fault {
    fn from(_: BadCursor) -> Self {
        Self(ProblemText::BadCursor)
    }
}

impl From<NotProved> for Fault {
    fn from(error: NotProved) -> Self {
        Self(match error {
            NotProved::Wrong => ProblemText::ProofWrong,
            NotProved::Stale { now } => ProblemText::ProofStale { now_ms: now.0 },
            NotProved::Reused => ProblemText::ProofReused,
        })
    }
}

impl From<SessionError> for Fault {
    fn from(error: SessionError) -> Self {
        Self(match error {
            SessionError::NotProved(error) => return error.into(),
            SessionError::Unknown => ProblemText::Unauthorized,
            SessionError::Over => ProblemText::SessionOver,
            SessionError::EndorsementWrong => ProblemText::EndorsementWrong,
            SessionError::NameTooLong => {
                let max = u32::try_from(MAX_DEVICE_NAME).unwrap_or(u32::MAX);
                ProblemText::DeviceNameTooLong { max }
            }
            SessionError::Store(error) => return error.into(),
            SessionError::NoRandomness(error) => {
                tracing::error!(%error, "a session could not be given a token");
                ProblemText::Internal
            }
        })
    }
}

impl From<OneTimeError> for Fault {
    fn from(error: OneTimeError) -> Self {
        Self(match error {
            OneTimeError::Bad => ProblemText::BadOneTimeCode,
            OneTimeError::TooMany { retry_after_s } => ProblemText::TooManyOneTimeCodes { retry_after_s },
            OneTimeError::NoShop => ProblemText::Forbidden,
            OneTimeError::Unknown => ProblemText::OneTimeCodeUnknown,
            OneTimeError::Expired => ProblemText::OneTimeCodeExpired,
            OneTimeError::Used => ProblemText::OneTimeCodeUsed,
            OneTimeError::TooManyTries { retry_after_s } => ProblemText::TooManyTries { retry_after_s },
            OneTimeError::Store(error) => return error.into(),
            OneTimeError::NoRandomness(error) => {
                tracing::error!(%error, "digits could not be drawn");
                ProblemText::Internal
            }
        })
    }
}

impl From<InvitationError> for Fault {
    fn from(error: InvitationError) -> Self {
        Self(match error {
            InvitationError::Void => ProblemText::InvitationVoid,
            InvitationError::ForAnother => ProblemText::InvitationForAnother,
            InvitationError::NoShop => ProblemText::Forbidden,
            InvitationError::BadContact => ProblemText::BadContact,
            InvitationError::TooManyTries { retry_after_s } => ProblemText::TooManyTries { retry_after_s },
            InvitationError::TooManySent { retry_after_s } => {
                ProblemText::TooManyInvitationsSent { retry_after_s }
            }
            InvitationError::Store(error) => return error.into(),
            InvitationError::NoRandomness(error) => {
                tracing::error!(%error, "a contact could not be sealed");
                ProblemText::Internal
            }
        })
    }
}

impl From<PictureError> for Fault {
    fn from(error: PictureError) -> Self {
        Self(match error {
            PictureError::NotAPicture => ProblemText::NotAPicture,
            PictureError::TooLarge => {
                ProblemText::PictureTooLarge { max_megapixels: MOST_PIXELS / 1_000_000 }
            }
            PictureError::NotAPerson => ProblemText::Forbidden,
            PictureError::TooMany { retry_after_s } => ProblemText::TooManyPictures { retry_after_s },
            PictureError::Store(error) => return error.into(),
        })
    }
}

impl From<EnrolmentError> for Fault {
    fn from(error: EnrolmentError) -> Self {
        let text = match error {
            EnrolmentError::BadPhoneNumber => ProblemText::BadPhoneNumber,
            EnrolmentError::BadPublicKey => ProblemText::BadPublicKey,
            EnrolmentError::TooManyCodes { retry_after_s } => ProblemText::TooManyCodes { retry_after_s },
            EnrolmentError::CodeWrong { tries_left } => ProblemText::CodeWrong { tries_left },
            EnrolmentError::RecoveryWrong { tries_left } => ProblemText::RecoveryWrong { tries_left },
            EnrolmentError::Void => ProblemText::EnrolmentVoid,
            EnrolmentError::PossessionWrong => ProblemText::PossessionWrong,
            EnrolmentError::KeyTaken => ProblemText::KeyTaken,
            EnrolmentError::NotDecided(error) => return error.into(),
            EnrolmentError::Store(error) => return error.into(),
            EnrolmentError::NotSigned(error) => return error.into(),
            EnrolmentError::NoRandomness(error) => {
                tracing::error!(%error, "an enrolment could not go on");
                ProblemText::Internal
            }
        };
        Self(text)
    }
}
