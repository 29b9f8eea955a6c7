//! Why an op was refused that has to do with keys, roles, certificates, approvals or passes.

use moa_rules::quantity::Currency;
use moa_rules::refusal::Refusal;

use crate::Lang;
use crate::number::{count, money, plural};

/// What such a refusal says; none if it is of another kind.
pub(crate) fn refusal(lang: Lang, refusal: &Refusal, currency: Currency) -> Option<String> {
    keys(lang, refusal).or_else(|| tills(lang, refusal, currency)).or_else(|| passes(lang, refusal, currency))
}

fn keys(lang: Lang, refusal: &Refusal) -> Option<String> {
    Some(match refusal {
        Refusal::KeyExpired => text!(
            lang,
            "이 브라우저의 로그인 기간이 끝났어요. 휴대폰으로 다시 로그인해 주세요.",
            "This browser is signed in no more. Sign in again with your phone.",
        ),
        Refusal::DeviceTooNew { hours } => {
            let (ko, en) = (count(*hours), plural(*hours, "hour", "hours"));
            text!(
                lang,
                "새 휴대폰이라 {ko}시간 뒤부터 쓸 수 있어요. 전에 쓰던 휴대폰에서 승인하면 바로 쓸 수 있어요.",
                "This phone is new and can pay in {en}. Approve it on your old phone to pay at once.",
            )
        }
        Refusal::UnknownDevice => text!(
            lang,
            "내 기기 목록에 없는 기기예요. 목록을 새로 고치고 다시 골라 주세요.",
            "This device is not on your list. Refresh the list and choose again.",
        ),
        Refusal::TooManyKeys { max } => {
            let max = count(*max);
            text!(
                lang,
                "한 사람이 쓸 수 있는 기기는 {max}대까지예요. 안 쓰는 기기를 먼저 해지해 주세요.",
                "One person can have {max} devices. Remove one that you no longer use first.",
            )
        }
        Refusal::SessionTooLong { days } => {
            let (ko, en) = (count(*days), plural(*days, "day", "days"));
            text!(
                lang,
                "브라우저 로그인은 {ko}일까지 할 수 있어요. 기간을 줄여서 다시 해 주세요.",
                "A browser can stay signed in for {en}. Choose a shorter time.",
            )
        }
        Refusal::NotAnInvitation => text!(
            lang,
            "초대가 아니에요. 초대한 사람이 보여 주거나 보낸 것을 읽어 주세요.",
            "This is no invitation. Use what the person who invites you showed or sent.",
        ),
        Refusal::InvitationExpired { hours } => {
            let (ko, en) = (count(*hours), plural(*hours, "hour", "hours"));
            text!(
                lang,
                "{ko}시간이 지난 초대 코드예요. 사장님에게 새 코드를 부탁해 주세요.",
                "This invitation was good for {en}. Ask the owner for a new one.",
            )
        }
        Refusal::InvitationUsed => text!(
            lang,
            "이미 다른 사람이 쓴 초대예요. 초대한 사람에게 새 초대를 부탁해 주세요.",
            "Someone has used this invitation. Ask whoever invited you for a new one.",
        ),
        Refusal::AlreadyStaff => text!(
            lang,
            "이미 이 가게의 직원이에요. 더 하실 일은 없어요.",
            "You are of this shop's staff already. There is nothing more to do.",
        ),
        Refusal::NotStaff => text!(
            lang,
            "이 가게의 직원이 아니에요. 사장님에게 초대를 부탁해 주세요.",
            "This person is not of the shop's staff. Ask the owner for an invitation.",
        ),
        _ => return None,
    })
}

fn tills(lang: Lang, refusal: &Refusal, currency: Currency) -> Option<String> {
    Some(match refusal {
        Refusal::OverSaleLimit { max } => {
            let max = money(lang, *max, currency);
            text!(
                lang,
                "한 번에 {max}까지 판매할 수 있어요. 사장님 휴대폰으로 판매해 주세요.",
                "You can sell up to {max} at once. Use the owner's phone for more.",
            )
        }
        Refusal::OverDayLimit { max, sold } => {
            let (max, sold) = (money(lang, *max, currency), money(lang, *sold, currency));
            text!(
                lang,
                "하루에 {max}까지 판매할 수 있는데 오늘 {sold}을 판매했어요. 사장님 휴대폰으로 판매해 주세요.",
                "You can sell up to {max} a day and have sold {sold}. Use the owner's phone for more.",
            )
        }
        Refusal::CertificateExpired { days } => {
            let (ko, en) = (count(*days), plural(*days, "day", "days"));
            text!(
                lang,
                "{ko}일 넘게 서버와 연결되지 않았어요. 인터넷에 연결한 뒤 다시 판매해 주세요.",
                "This till has been without the server for more than {en}. Go online and sell again.",
            )
        }
        Refusal::CertificateUsed { left } => {
            let left = money(lang, *left, currency);
            text!(
                lang,
                "연결 없이 판매할 수 있는 금액이 {left} 남았어요. 인터넷에 연결한 뒤 다시 판매해 주세요.",
                "Without a connection this till can sell {left} more. Go online and sell again.",
            )
        }
        Refusal::NoAllowance => text!(
            lang,
            "가게의 다른 휴대폰들이 연결 없이 판매할 금액을 다 맡아 두었어요. 그 휴대폰들을 연결한 뒤 다시 해 주세요.",
            "The shop's other phones hold all that it may sell offline. Connect them and try again.",
        ),
        Refusal::OfflineTooLong { hours } => {
            let (ko, en) = (count(*hours), plural(*hours, "hour", "hours"));
            text!(
                lang,
                "{ko}시간 넘게 서버와 연결되지 않았어요. 인터넷에 연결한 뒤 다시 판매해 주세요.",
                "This till has been without the server for {en}. Go online and sell again.",
            )
        }
        Refusal::TooManyOffline { max } => {
            let (ko, en) = (count(*max), plural(*max, "sale", "sales"));
            text!(
                lang,
                "보내지 못한 판매가 {ko}건이에요. 인터넷에 연결한 뒤 다시 판매해 주세요.",
                "This till has {en} to send. Go online and sell again.",
            )
        }
        _ => return None,
    })
}

fn passes(lang: Lang, refusal: &Refusal, currency: Currency) -> Option<String> {
    Some(match refusal {
        Refusal::ApprovalTooLong { minutes } => {
            let (ko, en) = (count(*minutes), plural(*minutes, "minute", "minutes"));
            text!(
                lang,
                "승인 화면은 {ko}분까지 쓸 수 있어요. 휴대폰의 시계를 맞추고 다시 해 주세요.",
                "An approval is good for {en}. Set the phone's clock and try again.",
            )
        }
        Refusal::PassTooLong { hours } => {
            let (ko, en) = (count(*hours), plural(*hours, "hour", "hours"));
            text!(
                lang,
                "이용권은 {ko}시간까지 쓸 수 있어요. 기간을 줄여서 다시 해 주세요.",
                "A pass is good for {en} at most. Choose a shorter time.",
            )
        }
        Refusal::PassTooLarge { max } => {
            let max = money(lang, *max, currency);
            text!(
                lang,
                "이용권 하나는 {max}까지예요. 더 적게 잡아 다시 해 주세요.",
                "One pass can be worth {max}. Reserve less.",
            )
        }
        Refusal::TooManyPasses { max } => {
            let (ko, en) = (count(*max), plural(*max, "pass", "passes"));
            text!(
                lang,
                "이용권은 {ko}장까지 가질 수 있어요. 가진 이용권을 쓰고 다시 해 주세요.",
                "You can have {en} at a time. Use one first.",
            )
        }
        Refusal::NotAPass => text!(
            lang,
            "이용권이 아니에요. 손님이 보여 주는 이용권을 읽어 주세요.",
            "This is not a pass. Scan the one that the customer shows.",
        ),
        Refusal::UnknownPass => text!(
            lang,
            "이 가게의 이용권이 아니에요. 손님에게 가게 이름을 확인해 달라고 해 주세요.",
            "This pass is not for this shop. Ask the customer to check the shop's name.",
        ),
        Refusal::PassSpent => text!(
            lang,
            "이미 쓴 이용권이에요. 손님에게 다른 이용권을 부탁해 주세요.",
            "This pass was used before. Ask the customer for another.",
        ),
        Refusal::PassReleased { hours } => {
            let (ko, en) = (count(*hours), plural(*hours, "hour", "hours"));
            text!(
                lang,
                "이용권 기간이 끝나고 {ko}시간 안에 알리지 않아 손님에게 돌아갔어요. 손님에게 다시 받아 주세요.",
                "A till has {en} after a pass ends to report it; it went back. Ask the customer again.",
            )
        }
        Refusal::WrongTill => text!(
            lang,
            "다른 휴대폰에서 받기로 한 이용권이에요. 이용권에 적힌 휴대폰으로 받아 주세요.",
            "This pass is for another till. Take it with the phone that it names.",
        ),
        Refusal::ApprovalSeen => text!(
            lang,
            "이미 받은 승인이에요. 손님에게 새로 결제해 달라고 해 주세요.",
            "This approval was taken before. Ask the customer to pay anew.",
        ),
        Refusal::NotAConsent => text!(
            lang,
            "계정 합치기 코드가 아니에요. 다른 계정의 휴대폰이 보여 주는 코드를 읽어 주세요.",
            "This is no code for merging accounts. Scan the one on the other account's phone.",
        ),
        Refusal::HasShop => text!(
            lang,
            "이 계정으로 판매하는 가게가 있어요. 가게를 먼저 정리해 주세요.",
            "A shop sells with this account. See to the shop first.",
        ),
        Refusal::PassesOpen => text!(
            lang,
            "가게를 위해 잡아 둔 마일리지가 있어요. 쓰거나 끝날 때까지 기다려 주세요.",
            "Mileage is reserved for a shop. Use it, or wait until that ends.",
        ),
        Refusal::HasMileage { units } => {
            let units = count(units.get());
            let subject = crate::particle::with(&units, crate::particle::Particle::Subject);
            text!(
                lang,
                "아직 마일리지 {subject} 남아 있어요. 계정을 닫으면 사라지니 먼저 쓰거나 다른 계정과 합쳐 주세요.",
                "Mileage is left ({units} in one place), lost if the account ends. Use it, or merge the account.",
            )
        }
        Refusal::AccountClosed => text!(
            lang,
            "끝난 계정이에요. 전화번호로 다시 가입해 주세요.",
            "This account has ended. Sign up anew with the phone number.",
        ),
        Refusal::ApprovalWrong => text!(
            lang,
            "이 가게에서 쓸 수 있는 승인이 아니에요. 손님에게 다시 해 달라고 해 주세요.",
            "This approval is not good at this shop. Ask the customer to try again.",
        ),
        _ => return None,
    })
}
