//! Why an op was refused that has to do with kinds and terms, members and groups that end, holds, refunds and grants.

use moa_rules::quantity::Currency;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Kind;

use crate::Lang;
use crate::number::{count, counted, money, plural};
use crate::particle::{Particle, with};

/// What such a refusal says; none if it is of another kind.
pub(crate) fn refusal(
    lang: Lang,
    refusal: &Refusal,
    currency: Currency,
    kind: Option<Kind>,
) -> Option<String> {
    Some(match refusal {
        Refusal::WholeCards { card } => {
            let card = count(*card);
            text!(
                lang,
                "스탬프는 {card}개를 모은 한 판씩 쓸 수 있어요. {card}개 단위로 다시 적어 주세요.",
                "Stamps are used a full card of {card} at a time. Enter a multiple of {card}.",
            )
        }
        Refusal::CannotFollow { field } => {
            let (ko, en) = match field.as_str() {
                "currency" => ("통화는", "the currency"),
                "zone" => ("시간대는", "the time zone"),
                _ => ("한 판의 스탬프 수는", "the stamps of a card"),
            };
            text!(
                lang,
                "{ko} 바꿀 수 없어요. 지금 조건과 같게 두고 다시 제안해 주세요.",
                "A change can't touch {en}. Leave that as it is and propose again.",
            )
        }
        Refusal::UnknownAmendment => text!(
            lang,
            "이미 정해졌거나 바뀐 제안이에요. 그룹의 지금 조건을 새로 확인해 주세요.",
            "This proposal was decided or replaced. Look at the group's terms again.",
        ),
        Refusal::BadDate { days } => {
            let (ko, en) = (count(*days), plural(*days, "day", "days"));
            text!(
                lang,
                "시작하는 날은 오늘부터 {ko}일 안이어야 해요. 날짜를 다시 골라 주세요.",
                "It can begin today or within {en}. Choose another date.",
            )
        }
        Refusal::AdminStays => text!(
            lang,
            "그룹을 관리하는 가게는 나갈 수 없어요. 다른 가게에 관리를 먼저 넘겨 주세요.",
            "The shop that administers the group stays. Hand that over to another member first.",
        ),
        Refusal::LastMember => text!(
            lang,
            "마지막 가게라서 나갈 수 없어요. 그룹을 닫아 주세요.",
            "This shop is the group's last member. Close the group instead.",
        ),
        Refusal::NotLastMember => text!(
            lang,
            "다른 가게가 아직 있어서 그룹을 닫을 수 없어요. 관리를 넘기고 나가 주세요.",
            "Other shops are members still. Hand the group over and leave it instead.",
        ),
        Refusal::GroupClosing => text!(
            lang,
            "문을 닫는 그룹이에요. 다른 그룹을 골라 주세요.",
            "This group is closing. Choose another group.",
        ),
        Refusal::MemberFrozen => text!(
            lang,
            "정산이 밀려 이 그룹에서 멈춘 가게예요. 정산을 마친 뒤에 다시 해 주세요.",
            "The shop is frozen in this group until it has settled. Try again after that.",
        ),
        Refusal::HoldTooLong { hours } => {
            let (ko, en) = (count(*hours), plural(*hours, "hour", "hours"));
            text!(
                lang,
                "잡아 둘 수 있는 시간은 1초부터 {ko}시간까지예요. 시간을 다시 골라 주세요.",
                "Mileage can be held for a second up to {en}. Choose another time.",
            )
        }
        Refusal::UnknownHold => text!(
            lang,
            "이 가게에서 잡아 둔 것이 아니에요. 목록을 새로 고치고 다시 골라 주세요.",
            "This shop has no such hold. Refresh the list and choose again.",
        ),
        Refusal::HoldOver => text!(
            lang,
            "이미 쓰였거나 시간이 지나 돌아갔어요. 손님에게 새 코드를 부탁해 주세요.",
            "This hold was used or is over. Ask the customer for a new code.",
        ),
        Refusal::UnknownRedemption => text!(
            lang,
            "이 가게에서 쓴 기록이 없어요. 기록을 새로 고치고 다시 골라 주세요.",
            "Nothing like it was used at this shop. Refresh the history and choose again.",
        ),
        Refusal::AlreadyReversed => text!(
            lang,
            "이미 모두 돌려준 사용이에요. 더 할 일은 없어요.",
            "All of it was given back before. Nothing is left to do.",
        ),
        Refusal::RefundTooLarge { left } => {
            let left = money(lang, *left, currency);
            text!(
                lang,
                "이 구매에서 환불할 수 있는 금액은 {left}까지예요. 금액을 다시 적어 주세요.",
                "Of this purchase {left} can be refunded. Enter the amount again.",
            )
        }
        Refusal::SaleVoided => text!(
            lang,
            "취소된 판매예요. 가게에 새로 판매해 달라고 해 주세요.",
            "The shop cancelled this sale. Ask the shop to record it anew.",
        ),
        Refusal::VoidTooLate { minutes } => {
            let (ko, en) = (count(*minutes), plural(*minutes, "minute", "minutes"));
            text!(
                lang,
                "판매 취소는 {ko}분 안에만 할 수 있어요. 환불로 처리해 주세요.",
                "A sale can be cancelled for {en}. Refund it instead.",
            )
        }
        Refusal::SaleRefunded => text!(
            lang,
            "환불한 판매는 취소할 수 없어요. 남은 금액도 환불로 처리해 주세요.",
            "A refunded sale can't be cancelled. Refund the rest instead.",
        ),
        Refusal::GrantTooLarge { max } => {
            let max = money(lang, *max, currency);
            text!(
                lang,
                "한 번에 줄 수 있는 것은 {max}어치까지예요. 나누어서 주세요.",
                "At most {max} worth can be given at once. Give it in parts.",
            )
        }
        Refusal::NotSoMuchIssued { left } => {
            let left = counted(lang, *left, kind);
            let is = with(&left, Particle::Is);
            text!(
                lang,
                "이 가게가 준 것 중 남은 것은 {is}. 그 안에서 다시 적어 주세요.",
                "This shop can take away {left}: no more of what it gave is left. Enter that or less.",
            )
        }
        Refusal::BadLastDay { days } => {
            let (ko, en) = (count(*days), plural(*days, "day", "days"));
            text!(
                lang,
                "쓸 수 있는 마지막 날은 오늘부터 {ko}일 안이어야 해요. 날짜를 다시 적어 주세요.",
                "The last day is today or within {en}. Enter the date again.",
            )
        }
        _ => return None,
    })
}
