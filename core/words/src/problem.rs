//! What the server says when a request as a whole went wrong: the `detail` of a problem (RFC 9457).

use crate::Lang;
use crate::number::{count, kilobytes, plural};
use crate::when::duration;

/// A problem with a request, with the figures that its text names. Refusals of single ops are elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemText {
    /// Nothing is at this address.
    NotFound,
    /// The server has no font to write a poster with.
    NoPosterFont,
    /// The address takes other methods.
    MethodNotAllowed,
    /// The body is of another media type than JSON.
    NotJson,
    /// The body is no JSON of the form asked for.
    BrokenJson,
    /// The body has too many bytes.
    BodyTooLarge {
        /// Bytes that are taken at most.
        max_bytes: u64,
    },
    /// A parameter of the address is missing or outside its limits.
    BadParameter {
        /// Its name.
        name: &'static str,
    },
    /// Nobody that the server knows: no token, or a device that it does not know or that was revoked.
    Unauthorized,
    /// The proof beside a request is missing, or proves something else.
    ProofWrong,
    /// The proof was not made now, by the server's clock.
    ProofStale {
        /// The server's clock, in milliseconds since 1970.
        now_ms: i64,
    },
    /// The proof came before.
    ProofReused,
    /// The session has run out, or was ended.
    SessionOver,
    /// The device's word for its session key does not hold.
    EndorsementWrong,
    /// A device's name has too many characters.
    DeviceNameTooLong {
        /// Characters that are taken at most.
        max: u32,
    },
    /// The caller may not see this.
    Forbidden,
    /// The cursor is not one that the server gave.
    BadCursor,
    /// The cursor is too old to go on from.
    CursorGone,
    /// The text is not a phone number that can be reached.
    BadPhoneNumber,
    /// The bytes are not a public key of the one curve taken.
    BadPublicKey,
    /// The key belongs to someone already.
    KeyTaken,
    /// Codes were asked for too often.
    TooManyCodes {
        /// Seconds until the next one can be had.
        retry_after_s: u64,
    },
    /// The code is not the one that was sent.
    CodeWrong {
        /// Tries that are left.
        tries_left: u32,
    },
    /// The recovery code is not the account's.
    RecoveryWrong {
        /// Tries that are left.
        tries_left: u32,
    },
    /// The enrolment has run out, is used up, or never was.
    EnrolmentVoid,
    /// The proof that the device holds its key does not hold.
    PossessionWrong,
    /// What is to be shortened to digits is no code of this phone's, or no longer good.
    BadOneTimeCode,
    /// One-time codes were asked for too often.
    TooManyOneTimeCodes {
        /// Seconds until the next one can be had.
        retry_after_s: u64,
    },
    /// The digits stand for nothing that can be paid with.
    OneTimeCodeUnknown,
    /// The digits have run out.
    OneTimeCodeExpired,
    /// Another shop was given what the digits stand for.
    OneTimeCodeUsed,
    /// A shop has tried wrong digits too often.
    TooManyTries {
        /// Seconds until the next try.
        retry_after_s: u64,
    },
    /// There is no such invitation, or it can't be answered any more: the same words for each.
    InvitationVoid,
    /// The invitation was sent to someone else.
    InvitationForAnother,
    /// The text is neither a number nor an address that an invitation can be sent to.
    BadContact,
    /// As many invitations were sent, by the shop or to the number or address, as may be.
    TooManyInvitationsSent {
        /// Seconds until one more can be sent.
        retry_after_s: u64,
    },
    /// What was sent as a picture is none, or not of a kind that is taken.
    NotAPicture,
    /// A picture of too many pixels.
    PictureTooLarge {
        /// Millions of pixels at most.
        max_megapixels: u64,
    },
    /// The account sent as many pictures as it may.
    TooManyPictures {
        /// Seconds until one more can be sent.
        retry_after_s: u64,
    },
    /// No op in a request for ops.
    NoOps,
    /// More ops than one request may have.
    TooManyOps {
        /// Ops that are taken at most.
        max: u32,
    },
    /// A test clock was to be moved back, or too far.
    ClockOutOfReach {
        /// Where it stands, in milliseconds since 1970.
        now_ms: i64,
        /// The furthest that it goes in one step.
        most_ms: i64,
    },
    /// Too much waits; nothing was decided.
    ServerBusy {
        /// Seconds until it is worth trying again.
        after_s: u64,
    },
    /// A fault of the server.
    Internal,
}

/// What went wrong with a request and what to do.
pub fn problem(lang: Lang, problem: &ProblemText) -> String {
    match *problem {
        ProblemText::NotFound => text!(
            lang,
            "이 주소에는 아무것도 없어요. 주소를 확인해 주세요.",
            "There is nothing at this address. Check the address.",
        ),
        ProblemText::MethodNotAllowed => text!(
            lang,
            "이 주소에서 받지 않는 요청이에요. 앱을 업데이트해 주세요.",
            "This address does not take that kind of request. Update the app.",
        ),
        ProblemText::NotJson => text!(
            lang,
            "받을 수 없는 형식이에요. JSON으로 보내 주세요.",
            "This format is not taken. Send JSON.",
        ),
        ProblemText::BrokenJson => text!(
            lang,
            "보낸 내용을 읽을 수 없어요. 앱을 업데이트하고 다시 시도해 주세요.",
            "The request could not be read. Update the app and try again.",
        ),
        ProblemText::BodyTooLarge { max_bytes } => {
            let max = kilobytes(max_bytes);
            text!(
                lang,
                "보낸 내용이 너무 커요. 한 번에 {max}까지 받아요. 나누어 보내 주세요.",
                "The request is too large: at most {max} at once. Send it in parts.",
            )
        }
        ProblemText::BadParameter { name } => text!(
            lang,
            "주소의 ‘{name}’ 값이 없거나 범위를 벗어났어요. 값을 고쳐서 다시 보내 주세요.",
            "The parameter ‘{name}’ is missing or out of range. Correct it and send again.",
        ),
        ProblemText::Unauthorized => text!(
            lang,
            "로그인이 풀렸어요. 전화번호로 다시 로그인해 주세요.",
            "You are signed out. Sign in again with your phone number.",
        ),
        ProblemText::ProofWrong => text!(
            lang,
            "이 휴대폰이 보낸 요청인지 확인하지 못했어요. 앱을 업데이트하고 다시 시도해 주세요.",
            "It could not be checked that this phone sent the request. Update the app and try again.",
        ),
        ProblemText::ProofStale { .. } => text!(
            lang,
            "휴대폰 시계가 맞지 않아요. 날짜와 시간을 자동으로 맞추고 다시 시도해 주세요.",
            "The phone's clock is off. Let it set date and time by itself and try again.",
        ),
        ProblemText::ProofReused => text!(
            lang,
            "이미 보낸 요청이에요. 다시 시도해 주세요.",
            "This request was sent before. Try again.",
        ),
        ProblemText::SessionOver => text!(
            lang,
            "접속이 끝났어요. 앱을 다시 열어 주세요.",
            "This session is over. Open the app again.",
        ),
        ProblemText::EndorsementWrong => text!(
            lang,
            "이 휴대폰의 접속을 확인하지 못했어요. 날짜와 시간을 확인하고 앱을 다시 열어 주세요.",
            "This phone could not vouch for its session. Check date and time and open the app again.",
        ),
        ProblemText::DeviceNameTooLong { max } => {
            let max = count(max);
            text!(
                lang,
                "기기 이름이 너무 길어요. {max}자까지 적어 주세요.",
                "The device's name is too long: at most {max} characters.",
            )
        }
        ProblemText::Forbidden => text!(
            lang,
            "이 내용을 볼 권한이 없어요. 권한이 있는 휴대폰으로 로그인해 주세요.",
            "You may not see this. Sign in on a phone that may.",
        ),
        ProblemText::BadCursor => text!(
            lang,
            "어디서부터 이어 받을지 알 수 없어요. 처음부터 다시 받아 주세요.",
            "It is not clear where to go on from. Fetch everything anew.",
        ),
        ProblemText::CursorGone => text!(
            lang,
            "오래되어 이어 받을 수 없어요. 처음부터 다시 받아 주세요.",
            "Too much has happened since to go on from there. Fetch everything anew.",
        ),
        ProblemText::BadPhoneNumber => text!(
            lang,
            "전화번호가 맞지 않아요. 010-1234-5678처럼 적고, 다른 나라 번호는 +와 국가 번호로 시작해 주세요.",
            "That is not a phone number. Write it like 010-1234-5678; from abroad, begin with + and the country code.",
        ),
        ProblemText::BadPublicKey => text!(
            lang,
            "이 휴대폰의 열쇠를 읽을 수 없어요. 앱을 업데이트하고 다시 시도해 주세요.",
            "This phone's key could not be read. Update the app and try again.",
        ),
        ProblemText::KeyTaken => text!(
            lang,
            "이 휴대폰은 이미 다른 계정에서 쓰고 있어요. 그 계정에서 로그아웃하고 다시 시도해 주세요.",
            "This phone is in use by another account. Sign out there and try again.",
        ),
        ProblemText::TooManyCodes { retry_after_s } => {
            let wait = duration(lang, retry_after_s);
            text!(
                lang,
                "인증번호를 너무 자주 요청했어요. {wait} 뒤에 다시 요청해 주세요.",
                "Too many codes were asked for. Ask again in {wait}.",
            )
        }
        ProblemText::CodeWrong { tries_left: 0 } => text!(
            lang,
            "인증번호가 맞지 않고, 남은 횟수가 없어요. 새 인증번호를 받아 주세요.",
            "That is not the code, and no tries are left. Ask for a new code.",
        ),
        ProblemText::CodeWrong { tries_left } => {
            let (ko, en) = (count(tries_left), plural(tries_left, "try", "tries"));
            text!(
                lang,
                "인증번호가 맞지 않아요. 문자를 확인하고 다시 적어 주세요. {ko}번 더 할 수 있어요.",
                "That is not the code. Look at the message and try again: {en} left.",
            )
        }
        ProblemText::RecoveryWrong { tries_left: 0 } => text!(
            lang,
            "이 계정에서 복구 코드를 더 쓸 수 없어요. 복구 코드 없이 로그인해 주세요.",
            "Recovery codes are no longer taken for this account. Sign in without one.",
        ),
        ProblemText::RecoveryWrong { tries_left } => {
            let (ko, en) = (count(tries_left), plural(tries_left, "try", "tries"));
            text!(
                lang,
                "복구 코드가 맞지 않아요. 다시 적거나 복구 코드 없이 로그인해 주세요. {ko}번 더 할 수 있어요.",
                "That is not the recovery code. Try again, {en} left, or sign in without one.",
            )
        }
        ProblemText::EnrolmentVoid => text!(
            lang,
            "이 인증번호는 더 쓸 수 없어요. 새 인증번호를 받아 주세요.",
            "This code is no longer good. Ask for a new one.",
        ),
        ProblemText::PossessionWrong => text!(
            lang,
            "이 휴대폰을 확인하지 못했어요. 앱을 다시 열고 새 인증번호를 받아 주세요.",
            "This phone could not prove its key. Open the app again and ask for a new code.",
        ),
        ProblemText::BadOneTimeCode => text!(
            lang,
            "번호로 바꿀 수 없는 코드예요. 앱에서 코드를 새로 만들고 다시 해 주세요.",
            "This code cannot be turned into digits. Make a new code in the app and try again.",
        ),
        ProblemText::TooManyOneTimeCodes { retry_after_s } => {
            let wait = duration(lang, retry_after_s);
            text!(
                lang,
                "일회용 번호를 너무 자주 만들었어요. {wait} 뒤에 다시 만들어 주세요.",
                "Too many one-time numbers were made. Make another in {wait}.",
            )
        }
        ProblemText::NoPosterFont => text!(
            lang,
            "이 서버에는 한글 글꼴이 없어서 포스터를 만들지 못했어요. 서버를 운영하는 곳에 알려 주세요.",
            "This server has no Korean font, so it cannot make posters. Tell those who run it.",
        ),
        ProblemText::OneTimeCodeUnknown => text!(
            lang,
            "모르는 사용 번호예요. 손님에게 새 사용 번호를 부탁해 주세요.",
            "These digits stand for no payment. Ask the customer for a new number for paying.",
        ),
        ProblemText::OneTimeCodeExpired => text!(
            lang,
            "시간이 지난 사용 번호예요. 손님에게 새 사용 번호를 부탁해 주세요.",
            "This number for paying has run out. Ask the customer for a new one.",
        ),
        ProblemText::OneTimeCodeUsed => text!(
            lang,
            "다른 가게에서 이미 쓴 번호예요. 손님에게 새 사용 번호를 부탁해 주세요.",
            "This number was used at another shop. Ask the customer for a new one.",
        ),
        ProblemText::TooManyTries { retry_after_s } => {
            let wait = duration(lang, retry_after_s);
            text!(
                lang,
                "틀린 번호를 너무 많이 적었어요. {wait} 뒤에 다시 적거나 손님의 코드를 읽어 주세요.",
                "Too many wrong numbers were typed. Try again in {wait}, or scan the customer's code.",
            )
        }
        ProblemText::InvitationVoid => text!(
            lang,
            "지금은 쓸 수 없는 초대예요. 글자를 확인하거나, 보낸 가게에 새로 보내 달라고 해 주세요.",
            "This invitation can't be used now. Check what you typed, or ask the shop that sent it for a new one.",
        ),
        ProblemText::InvitationForAnother => text!(
            lang,
            "다른 전화번호로 보낸 초대예요. 보낸 가게에 이 번호로 보내 달라고 해 주세요.",
            "This invitation was sent to another phone number. Ask the shop to send one to yours.",
        ),
        ProblemText::BadContact => text!(
            lang,
            "보낼 수 없는 전화번호나 이메일이에요. 확인하고 다시 적어 주세요.",
            "An invitation can't be sent to that number or address. Check it and enter it again.",
        ),
        ProblemText::TooManyInvitationsSent { retry_after_s } => {
            let wait = duration(lang, retry_after_s);
            text!(
                lang,
                "초대를 너무 많이 보냈어요. {wait} 뒤에 다시 보내거나 링크로 초대해 주세요.",
                "Too many invitations were sent. Send this one in {wait}, or share its link.",
            )
        }
        ProblemText::NotAPicture => text!(
            lang,
            "열 수 없는 사진이에요. 다른 사진을 골라 주세요.",
            "This is no picture that can be read. Choose a PNG, JPEG or WebP.",
        ),
        ProblemText::PictureTooLarge { max_megapixels } => {
            let (ko, en) = (count(max_megapixels.saturating_mul(100)), count(max_megapixels));
            text!(
                lang,
                "사진이 너무 커요. {ko}만 화소보다 작은 사진을 골라 주세요.",
                "The picture is too large. Choose one of less than {en} megapixels.",
            )
        }
        ProblemText::TooManyPictures { retry_after_s } => {
            let wait = duration(lang, retry_after_s);
            text!(
                lang,
                "사진을 너무 많이 올렸어요. {wait} 뒤에 다시 올려 주세요.",
                "Too many pictures were sent. Send another in {wait}.",
            )
        }
        ProblemText::NoOps => text!(
            lang,
            "보낼 내용이 비어 있어요. 한 건 이상 보내 주세요.",
            "The request has no ops. Send at least one.",
        ),
        ProblemText::TooManyOps { max } => {
            let max = count(max);
            text!(
                lang,
                "한 번에 {max}건까지 받아요. 나누어 보내 주세요.",
                "At most {max} ops at once. Send them in parts.",
            )
        }
        ProblemText::ClockOutOfReach { now_ms, most_ms } => text!(
            lang,
            "시계는 앞으로만, 한 번에 10년까지 가요. {now_ms}부터 {most_ms}까지 보내 주세요.",
            "The clock goes forward only, at most ten years at once. Send {now_ms} to {most_ms}.",
        ),
        ProblemText::ServerBusy { after_s } => {
            let wait = duration(lang, after_s);
            text!(
                lang,
                "서버가 바빠요. {wait} 뒤에 다시 시도해 주세요.",
                "The server is busy. Try again in {wait}.",
            )
        }
        ProblemText::Internal => text!(
            lang,
            "서버에 문제가 생겼어요. 잠시 뒤에 다시 시도해 주세요.",
            "Something went wrong on the server. Try again in a moment.",
        ),
    }
}
