//! Why an op was refused, for a person at a till: short, with the figures, and what to do next.

use moa_rules::quantity::Currency;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Kind;

use crate::Lang;
use crate::access;
use crate::joining;
use crate::ledger;
use crate::number::{count, counted, counted_again, money, plural};
use crate::particle::{Particle, with};
use crate::suggestion;

/// What a refusal says, with amounts of money in won, and mileage without saying of what.
pub fn refusal(lang: Lang, refusal: &Refusal) -> String {
    refusal_in(lang, refusal, Currency::KRW, None)
}

/// What a refusal says, with amounts of money in the shop's currency and mileage as the kind that was asked for, if it is
/// known: a refusal names neither.
pub fn refusal_in(lang: Lang, refusal: &Refusal, currency: Currency, kind: Option<Kind>) -> String {
    match refusal {
        // The op itself.
        Refusal::MalformedOp => text!(
            lang,
            "요청을 읽을 수 없어요. 앱을 업데이트하고 다시 해 주세요.",
            "This could not be read. Update the app and try again.",
        ),
        Refusal::OpTooLarge { max } => {
            let max = count(*max);
            text!(
                lang,
                "내용이 너무 길어요. {max}바이트까지 받아요. 줄여서 다시 해 주세요.",
                "This is too long: at most {max} bytes. Shorten it and try again.",
            )
        }
        Refusal::UnsupportedVersion => text!(
            lang,
            "서버가 아직 모르는 새 형식이에요. 서버가 업데이트된 뒤에 다시 해 주세요.",
            "The app is newer than the server. Try again once the server is up to date.",
        ),
        Refusal::UnknownKey => text!(
            lang,
            "서명한 휴대폰이 등록되어 있지 않아요. 그 휴대폰에서 다시 로그인해 주세요.",
            "The phone that signed this is not registered. Sign in again on that phone.",
        ),
        Refusal::BadSignature => text!(
            lang,
            "서명이 맞지 않아요. 만든 휴대폰에서 새로 만들어 주세요.",
            "The signature does not match. Make it anew on the phone that it came from.",
        ),
        Refusal::RevokedKey => text!(
            lang,
            "서명한 휴대폰은 사용이 중지되었어요. 다른 휴대폰으로 해 주세요.",
            "The phone that signed this may no longer do so. Use another phone.",
        ),
        Refusal::OpIdReused => text!(
            lang,
            "같은 번호로 다른 내용이 먼저 왔어요. 새로 만들어 주세요.",
            "Something else came first under the same number. Make it anew.",
        ),
        Refusal::CounterUsed { counter } => {
            let counter = count(*counter);
            text!(
                lang,
                "이 휴대폰에서 {counter}번은 이미 쓰였어요. 새로 만들어 주세요.",
                "This phone has used number {counter} before. Make it anew.",
            )
        }
        Refusal::BadOpId => text!(
            lang,
            "번호가 맞지 않거나 이미 쓰였어요. 새로 만들어 주세요.",
            "Its number is taken or of the wrong kind. Make it anew.",
        ),
        Refusal::NotAllowed => text!(
            lang,
            "이 휴대폰으로는 할 수 없어요. 권한이 있는 휴대폰으로 해 주세요.",
            "This phone may not do that. Use one that may.",
        ),

        // Shops and groups.
        Refusal::KeyHasMerchant => text!(
            lang,
            "이 휴대폰에는 이미 가게가 있어요. 다른 가게는 다른 휴대폰으로 등록해 주세요.",
            "This phone has a shop already. Register another shop from another phone.",
        ),
        Refusal::NoMerchant => text!(
            lang,
            "이 휴대폰에는 가게가 없어요. 먼저 가게를 등록해 주세요.",
            "This phone has no shop. Register the shop first.",
        ),
        Refusal::BadName { max } => {
            let max = count(*max);
            text!(
                lang,
                "이름은 1자부터 {max}자까지예요. 앞뒤 빈칸과 줄 바꿈 없이 다시 적어 주세요.",
                "A name has 1 to {max} characters. Leave out spaces at the ends and line breaks.",
            )
        }
        Refusal::BadTerms { field, min, max } => {
            let [min, max] = [*min, *max].map(|limit| match field.as_str() {
                "budget" | "margin" => suggestion::exact(limit),
                _ => count(limit),
            });
            let field = term(lang, field);
            let topic = with(&field, Particle::Topic);
            text!(
                lang,
                "{topic} {min}부터 {max}까지 정할 수 있어요. 다시 정해 주세요.",
                "The {field} can be from {min} to {max}. Choose again.",
            )
        }
        Refusal::UnknownZone => text!(
            lang,
            "모르는 시간대예요. 목록에서 다시 골라 주세요.",
            "This time zone is not known. Choose one from the list.",
        ),
        Refusal::UnknownGroup => text!(
            lang,
            "그런 그룹이 없어요. 목록을 새로 고치고 다시 골라 주세요.",
            "There is no such group. Refresh the list and choose again.",
        ),
        Refusal::AlreadyMember => text!(
            lang,
            "이 가게는 이미 이 그룹의 회원이에요. 더 하실 일은 없어요.",
            "This shop is a member of the group already. There is nothing more to do.",
        ),
        Refusal::TermsChanged { current } => {
            let current = count(*current);
            text!(
                lang,
                "그룹의 조건이 {current}판으로 바뀌었어요. 새 조건을 읽고 다시 가입해 주세요.",
                "The group's terms have changed to version {current}. Read them and join again.",
            )
        }
        Refusal::CurrencyDiffers => text!(
            lang,
            "가게와 그룹의 통화가 달라요. 같은 통화를 쓰는 그룹을 골라 주세요.",
            "The shop and the group use different currencies. Choose a group with the shop's own.",
        ),
        Refusal::BadPlace => text!(
            lang,
            "지도 밖의 위치예요. 지도에서 다시 골라 주세요.",
            "This place is off the map. Choose it again on the map.",
        ),

        // Sales and claims.
        Refusal::AmountNotPositive => text!(
            lang,
            "금액이 0보다 커야 해요. 금액을 다시 적어 주세요.",
            "The amount must be more than 0. Enter it again.",
        ),
        Refusal::AmountTooLarge { max } => {
            let max = money(lang, *max, currency);
            text!(
                lang,
                "한 번에 {max}까지 적을 수 있어요. 금액을 다시 적어 주세요.",
                "One sale can be {max} at most. Enter the amount again.",
            )
        }
        Refusal::SaleDatedAhead { hours } => {
            let (ko, en) = (count(*hours), plural(*hours, "hour", "hours"));
            text!(
                lang,
                "판매 시각이 지금보다 {ko}시간 넘게 앞서 있어요. 휴대폰의 시계를 맞추고 다시 해 주세요.",
                "The sale is dated more than {en} ahead. Set the phone's clock and record it again.",
            )
        }
        Refusal::SaleTooOld { days } => {
            let (ko, en) = (count(*days), plural(*days, "day", "days"));
            text!(
                lang,
                "판매한 지 {ko}일이 지나서 적립할 수 없어요. 가게에 문의해 주세요.",
                "A sale can be claimed for {en}, which are over. Ask the shop.",
            )
        }
        Refusal::VoucherExpired { minutes } => {
            let (ko, en) = (count(*minutes), plural(*minutes, "minute", "minutes"));
            text!(
                lang,
                "판매하고 {ko}분이 지난 코드예요. 가게에 새 코드를 부탁해 주세요.",
                "This code was good for {en}. Ask the shop for a new one.",
            )
        }
        Refusal::SaleAlreadyClaimed => text!(
            lang,
            "이미 적립된 구매예요. 직접 적립하지 않으셨다면 가게에 문의해 주세요.",
            "This purchase was claimed before. If it was not you, ask the shop.",
        ),
        Refusal::NotAddressee => text!(
            lang,
            "다른 손님의 코드예요. 가게에 새 코드를 부탁해 주세요.",
            "This code is for another customer. Ask the shop for yours.",
        ),
        Refusal::OwnSale => text!(
            lang,
            "내 가게의 판매는 적립할 수 없어요. 손님이 코드를 읽게 해 주세요.",
            "You cannot earn at your own shop. Let the customer scan the code.",
        ),
        Refusal::NotASale => text!(
            lang,
            "적립 코드가 아니에요. 가게가 보여 주는 적립 코드를 읽어 주세요.",
            "This is not a code for earning. Scan the one that the shop shows.",
        ),
        Refusal::SellerNotInGroup => text!(
            lang,
            "이 가게는 고른 그룹의 회원이 아니에요. 이 가게의 그룹에서 골라 주세요.",
            "The shop is not in the group chosen. Choose one of the shop's groups.",
        ),
        Refusal::SellerInNoGroup => text!(
            lang,
            "이 가게는 아직 그룹이 없어서 적립할 수 없어요. 가게에 문의해 주세요.",
            "The shop is in no group, so there is nothing to earn yet. Ask the shop.",
        ),
        Refusal::EarnsNothing { amount } => {
            let amount = money(lang, *amount, currency);
            let toward = with(&amount, Particle::Toward);
            text!(
                lang,
                "{toward}는 쌓이는 것이 없어요. 금액이 더 큰 구매를 적립해 주세요.",
                "{amount} is too little to earn anything here. Claim a larger purchase.",
            )
        }

        Refusal::MemberCodeUnknown => text!(
            lang,
            "모르는 회원 코드예요. 손님에게 앱을 다시 열어 코드를 보여 달라고 해 주세요.",
            "This member code is not known. Ask the customer to open the app and show it again.",
        ),
        Refusal::MemberCodeExpired => text!(
            lang,
            "시간이 지난 회원 코드예요. 손님이 지금 보여 주는 코드를 읽어 주세요.",
            "This member code has run out. Scan the one that the customer shows now.",
        ),
        Refusal::UnknownSale => text!(
            lang,
            "그런 구매가 없어요. 목록을 새로 고치고 다시 골라 주세요.",
            "There is no such purchase. Refresh the list and choose again.",
        ),
        Refusal::NotYourSale => text!(
            lang,
            "내 선택을 기다리는 구매가 아니에요. 목록에 있는 구매를 골라 주세요.",
            "This purchase does not wait for your choice. Choose one on your list.",
        ),
        Refusal::SaleLapsed { days } => {
            let (ko, en) = (count(*days), plural(*days, "day", "days"));
            text!(
                lang,
                "{ko}일 동안 고르지 않아서 적립이 끝난 구매예요. 가게에 문의해 주세요.",
                "This purchase waited {en} for your choice and earns no more. Ask the shop.",
            )
        }

        Refusal::TooManyGroups { max } => {
            let (ko, en) = (count(*max), plural(*max, "group", "groups"));
            text!(
                lang,
                "항상 적립할 그룹은 {ko}개까지 고를 수 있어요. 줄여서 다시 골라 주세요.",
                "A standing choice has {en} at most. Choose fewer.",
            )
        }

        Refusal::OneTimeCodeUnknown => text!(
            lang,
            "모르는 적립 번호예요. 손님에게 새 적립 번호를 부탁해 주세요.",
            "These digits name no customer. Ask the customer for a new number for earning.",
        ),
        Refusal::OneTimeCodeExpired => text!(
            lang,
            "시간이 지난 적립 번호예요. 손님에게 새 적립 번호를 부탁해 주세요.",
            "This number for earning has run out. Ask the customer for a new one.",
        ),
        Refusal::OneTimeCodeUsed => text!(
            lang,
            "이미 쓴 적립 번호예요. 손님에게 새 적립 번호를 부탁해 주세요.",
            "This number for earning was used before. Ask the customer for a new one.",
        ),
        Refusal::BadNumber => text!(
            lang,
            "전화번호가 맞지 않아요. 손님에게 번호를 다시 물어보고 적어 주세요.",
            "That is not a phone number. Ask the customer for it again.",
        ),
        Refusal::NumberMissing => text!(
            lang,
            "판매에 전화번호가 따라오지 않았어요. 번호를 적어 새로 판매해 주세요.",
            "The sale came without its phone number. Record it anew with the number.",
        ),

        // Redemptions.
        Refusal::UnitsNotPositive => text!(
            lang,
            "0보다 많아야 해요. 얼마나 쓸지 다시 적어 주세요.",
            "It must be more than none. Enter how much again.",
        ),
        Refusal::BelowMinimum { minimum, available } => {
            let missing = minimum.checked_sub(*available).unwrap_or_default();
            let from = counted(lang, *minimum, kind);
            let [has, missing] = [*available, missing].map(|units| counted_again(lang, units, kind));
            let (subject, object) = (with(&has, Particle::Subject), with(&missing, Particle::Object));
            text!(
                lang,
                "{from}부터 쓸 수 있는데 이 지갑에는 {subject} 있어요. {object} 더 모아 주세요.",
                "Usable from {from}; this wallet has {has}. Collect {missing} more.",
            )
        }
        Refusal::NotEnough { asked, available } => {
            let (asked, has) = (counted(lang, *asked, kind), counted_again(lang, *available, kind));
            let (object, subject) = (with(&asked, Particle::Object), with(&has, Particle::Subject));
            if available.is_zero() {
                return text!(
                    lang,
                    "{object} 쓰려고 하셨는데 이 지갑에는 {subject} 있어요. 먼저 적립해 주세요.",
                    "Asked for {asked}; this wallet has {has}. Collect some first.",
                );
            }
            text!(
                lang,
                "{object} 쓰려고 하셨는데 이 지갑에는 {subject} 있어요. {has}까지 쓸 수 있어요.",
                "Asked for {asked}; this wallet has {has}. Use {has} or fewer.",
            )
        }
        Refusal::MoreThanCode { asked, most } => {
            let (asked, most) = (counted(lang, *asked, kind), counted_again(lang, *most, kind));
            let object = with(&asked, Particle::Object);
            text!(
                lang,
                "{object} 쓰려고 하셨는데 손님이 허락한 것은 {most}까지예요. 손님에게 새 코드를 부탁해 주세요.",
                "Asked for {asked}; the customer allows {most}. Ask the customer for a new code.",
            )
        }
        Refusal::CodeExpired => text!(
            lang,
            "시간이 지난 코드예요. 손님에게 새 코드를 부탁해 주세요.",
            "This code has run out. Ask the customer for a new one.",
        ),
        Refusal::CodeUsed => text!(
            lang,
            "이미 쓴 코드예요. 손님에게 새 코드를 부탁해 주세요.",
            "This code was used before. Ask the customer for a new one.",
        ),
        Refusal::NotACode => text!(
            lang,
            "사용 코드가 아니에요. 손님이 보여 주는 사용 코드를 읽어 주세요.",
            "This is not a code for paying. Scan the one that the customer shows.",
        ),
        Refusal::ShopNotInGroup => text!(
            lang,
            "이 가게는 이 그룹의 회원이 아니에요. 다른 그룹의 마일리지로 받아 주세요.",
            "This shop is not in that group. Take mileage of a group that it is in.",
        ),

        // Jobs.
        Refusal::NothingExpired => text!(
            lang,
            "소멸할 마일리지가 없어요. 더 하실 일은 없어요.",
            "Nothing has expired here. There is nothing to do.",
        ),
        Refusal::NotLapsed => text!(
            lang,
            "아직 기다릴 수 있는 구매예요. 더 하실 일은 없어요.",
            "This purchase has not lapsed. There is nothing to do.",
        ),
        Refusal::NotDue => text!(
            lang,
            "대신 고를 구매가 아니에요. 더 하실 일은 없어요.",
            "Nothing is to be chosen for this purchase. There is nothing to do.",
        ),

        // Keys, roles and passes; or a reason newer than these tables.
        _ => access::refusal(lang, refusal, currency)
            .or_else(|| ledger::refusal(lang, refusal, currency, kind))
            .or_else(|| joining::refusal(lang, refusal))
            .unwrap_or_else(|| unknown(lang)),
    }
}

/// What an op refused for a reason that this table does not know says.
pub(crate) fn unknown(lang: Lang) -> String {
    text!(
        lang,
        "처리할 수 없는 요청이에요. 앱을 업데이트하고 다시 해 주세요.",
        "This was refused. Update the app and try again.",
    )
}

/// A field of the terms, by the name that it has in the rules.
fn term(lang: Lang, field: &str) -> String {
    match field {
        "validity" => text!(lang, "유효기간", "validity"),
        "minimum" => text!(lang, "최소 사용량", "minimum"),
        "unit_value" => text!(lang, "하나의 값", "value of a unit"),
        "card" => text!(lang, "한 판의 스탬프 수", "number of stamps on a card"),
        "per" => text!(lang, "스탬프 하나의 구매 금액", "amount for a stamp"),
        "reward" => text!(lang, "한 판의 보상", "reward of a card"),
        "least_purchase" => text!(lang, "최소 구매 금액", "least purchase"),
        "rate" => text!(lang, "적립률", "rate"),
        "period" => text!(lang, "정산 주기", "settlement period"),
        "members" => text!(lang, "회원 가게 수", "number of members"),
        "purchase" => text!(lang, "보통 구매 금액", "usual purchase"),
        "budget" => text!(lang, "적립 예산", "share of the sales put into mileage"),
        "margin" => text!(lang, "마진", "margin"),
        _ => text!(lang, "이 조건", "value"),
    }
}
