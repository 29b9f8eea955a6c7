//! Why an op was refused that has to do with invitations and with asking to join.

use moa_rules::refusal::Refusal;

use crate::Lang;
use crate::number::{count, plural};

/// What such a refusal says; none if it is of another kind.
pub(crate) fn refusal(lang: Lang, refusal: &Refusal) -> Option<String> {
    Some(match refusal {
        Refusal::InvitationVoid => text!(
            lang,
            "지금은 쓸 수 없는 초대예요. 보낸 가게에 새로 보내 달라고 해 주세요.",
            "This invitation can't be used now. Ask the shop that sent it for a new one.",
        ),
        Refusal::BadInvitation => text!(
            lang,
            "초대할 곳을 정하지 않았어요. 가게를 고르거나 링크로 초대해 주세요.",
            "Nobody is invited by this. Choose another shop, or invite by a link.",
        ),
        Refusal::BadUses { max } => {
            let (ko, en) = (count(*max), plural(*max, "answer", "answers"));
            text!(
                lang,
                "초대 하나는 1번부터 {ko}번까지 쓸 수 있어요. 횟수를 다시 적어 주세요.",
                "One invitation takes from 1 to {en}. Enter the number again.",
            )
        }
        Refusal::TooManyInvitations { most } => {
            let (ko, en) = (count(*most), plural(*most, "invitation", "invitations"));
            text!(
                lang,
                "하루에 보낼 수 있는 초대는 {ko}개까지예요. 내일 다시 보내 주세요.",
                "A shop can make {en} a day. Invite more tomorrow.",
            )
        }
        Refusal::UnknownShop => text!(
            lang,
            "모아에 없는 가게예요. 링크로 초대해 주세요.",
            "Moa knows no such shop. Invite it by a link.",
        ),
        Refusal::AlreadyAsked => text!(
            lang,
            "이미 가입을 신청했어요. 답이 올 때까지 기다려 주세요.",
            "This shop has asked to join already. Wait for the answer.",
        ),
        Refusal::AskedLately { days } => {
            let (ko, en) = (count(*days), plural(*days, "day", "days"));
            text!(
                lang,
                "거절된 뒤 {ko}일 동안은 다시 신청할 수 없어요. 초대를 받으면 바로 신청할 수 있어요.",
                "A shop that was refused can ask again after {en}, or when it is invited.",
            )
        }
        Refusal::UnknownRequest => text!(
            lang,
            "답을 기다리는 신청이 아니에요. 그룹의 신청 목록을 새로 확인해 주세요.",
            "No such request waits. Look at the group's requests again.",
        ),
        Refusal::RequestStale => text!(
            lang,
            "신청한 뒤에 조건이 바뀌었어요. 그 가게가 새 조건을 읽고 다시 신청해야 해요.",
            "The terms changed after this shop asked. It has to read them and ask again.",
        ),
        _ => return None,
    })
}
