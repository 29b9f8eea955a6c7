//! How invitations and requests to join stand. Fragments, not sentences: no full stop.

use crate::Lang;
use crate::number::count;

/// How an invitation stands, or a shop's answer to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationText {
    /// The server has not decided it yet.
    Draft,
    /// It can be sent.
    Minted,
    /// It was sent.
    Shared,
    /// It is sent in the morning.
    Scheduled,
    /// It was delivered.
    Delivered,
    /// Its page was opened.
    Opened,
    /// Someone took it up in the app.
    Claimed,
    /// A shop waits for the members.
    PendingApproval,
    /// A shop joined.
    Joined,
    /// A shop declined.
    Declined,
    /// The members did not let a shop in, or it asks no more.
    NotAdmitted,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
    /// All have answered.
    Exhausted,
}

impl InvitationText {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Draft,
        Self::Minted,
        Self::Shared,
        Self::Scheduled,
        Self::Delivered,
        Self::Opened,
        Self::Claimed,
        Self::PendingApproval,
        Self::Joined,
        Self::Declined,
        Self::NotAdmitted,
        Self::Expired,
        Self::Revoked,
        Self::Exhausted,
    ];
}

/// Its words.
pub fn invited(lang: Lang, what: InvitationText) -> String {
    match what {
        InvitationText::Draft => text!(lang, "연결되면 열림", "Opens once there is a network"),
        InvitationText::Minted => text!(lang, "아직 안 보냄", "Not sent yet"),
        InvitationText::Shared => text!(lang, "보냄", "Sent"),
        InvitationText::Scheduled => text!(lang, "아침 8시에 보냄", "Goes out at 8 in the morning"),
        InvitationText::Delivered => text!(lang, "전달됨", "Delivered"),
        InvitationText::Opened => text!(lang, "열어 봄", "Opened"),
        InvitationText::Claimed => text!(lang, "앱에서 확인함", "Seen in the app"),
        InvitationText::PendingApproval => text!(lang, "승인을 기다림", "Waiting to be let in"),
        InvitationText::Joined => text!(lang, "가입함", "Joined"),
        InvitationText::Declined => text!(lang, "거절함", "Declined"),
        InvitationText::NotAdmitted => text!(lang, "승인되지 않음", "Not let in"),
        InvitationText::Expired => text!(lang, "기한이 지남", "Expired"),
        InvitationText::Revoked => text!(lang, "취소함", "Taken back"),
        InvitationText::Exhausted => text!(lang, "모두 사용함", "Used up"),
    }
}

/// How many members are for a shop that asks to join, and against it.
pub fn votes(lang: Lang, for_it: usize, against: usize) -> String {
    let [for_it, against] = [for_it, against].map(|votes| count(i128::try_from(votes).unwrap_or(i128::MAX)));
    text!(lang, "찬성 {for_it}곳, 반대 {against}곳", "{for_it} for, {against} against")
}
