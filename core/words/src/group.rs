//! What a group promises, how it settles, and what it is about to become. Fragments, not sentences: no full stop.

use moa_rules::period::{CutDay, Period};
use moa_rules::quantity::{BasisPoints, Money};
use moa_rules::terms::{Admission, Kind, StampCard, Terms};
use moa_rules::time::{Day, Timestamp, Zone};

use crate::Lang;
use crate::number::{self, Mileage, count, mileage, money};
use crate::when;

/// What a group gives, in a word or two: `5%`; `10개에 5,000원`, `₩5,000 for 10`; `3,000원 쿠폰`, `a ₩3,000 coupon`.
pub fn share(lang: Lang, terms: &Terms) -> String {
    let in_money = |amount: Money| money(lang, amount, terms.currency);
    match (terms.kind, terms.card) {
        (Kind::Stamp, Some(StampCard { stamps, reward, .. })) => {
            let (stamps, reward) = (count(stamps), in_money(reward));
            text!(lang, "{stamps}개에 {reward}", "{reward} for {stamps}")
        }
        (Kind::Coupon, _) => {
            let face = in_money(terms.unit_value);
            text!(lang, "{face} 쿠폰", "a {face} coupon")
        }
        _ => number::rate(terms.rate),
    }
}

/// What a group gives, in full.
pub fn promise(lang: Lang, terms: &Terms) -> String {
    let in_money = |amount: Money| money(lang, amount, terms.currency);
    match (terms.kind, terms.card) {
        (Kind::Stamp, Some(StampCard { per, stamps, reward })) => {
            let (stamps, reward) = (count(stamps), in_money(reward));
            match per.map(in_money) {
                Some(per) => text!(
                    lang,
                    "{per}마다 스탬프 1개, {stamps}개를 모으면 {reward}",
                    "a stamp for each {per} spent, {stamps} are good for {reward}",
                ),
                None => text!(
                    lang,
                    "방문마다 스탬프 1개, {stamps}개를 모으면 {reward}",
                    "a stamp a visit, {stamps} are good for {reward}",
                ),
            }
        }
        (Kind::Coupon, _) => {
            let face = in_money(terms.unit_value);
            match terms.least_purchase.map(in_money) {
                Some(least) => text!(
                    lang,
                    "{least} 이상 구매마다 {face} 쿠폰 1장",
                    "a {face} coupon for a purchase of {least} or more",
                ),
                None => text!(lang, "구매마다 {face} 쿠폰 1장", "a {face} coupon a purchase"),
            }
        }
        (Kind::Reserve, _) => {
            let rate = number::rate(terms.rate);
            text!(lang, "구매 금액의 {rate} 적립금", "{rate} of the amount put by as reserve")
        }
        _ => {
            let rate = number::rate(terms.rate);
            text!(lang, "구매 금액의 {rate} 포인트", "{rate} of the amount in points")
        }
    }
}

/// From which balance mileage can be used: `바로`, `at once`; `1,000점부터`, `from 1,000 points`.
pub fn usable(lang: Lang, terms: &Terms) -> String {
    if let Some(card) = terms.card {
        let stamps = count(card.stamps);
        return text!(lang, "{stamps}개를 모으면", "once {stamps} are collected");
    }
    if terms.minimum.is_zero() {
        return text!(lang, "바로", "at once");
    }
    let minimum = mileage(lang, Mileage { units: terms.minimum, kind: terms.kind });
    text!(lang, "{minimum}부터", "from {minimum}")
}

/// What a purchase earns, as an example: `10,000원 구매에 1,000점`, `1,000 points for ₩10,000`.
pub fn example(lang: Lang, terms: &Terms, paid: Money) -> String {
    let earned = mileage(lang, Mileage { units: terms.earns(paid), kind: terms.kind });
    let paid = money(lang, paid, terms.currency);
    text!(lang, "{paid} 구매에 {earned}", "{earned} for {paid}")
}

/// Who lets shops in that ask to join: `누구나 바로 가입`, `any shop joins at once`.
pub fn admission(lang: Lang, admission: Option<Admission>) -> String {
    match admission {
        None => text!(lang, "누구나 바로 가입", "any shop joins at once"),
        Some(Admission::Admin) => text!(lang, "관리하는 가게가 승인", "the shop that runs it lets others in"),
        Some(Admission::Vote(share)) => {
            let share = number::rate(share);
            text!(lang, "회원 {share} 이상 찬성", "{share} of the members let a shop in")
        }
    }
}

/// When members settle: `매월 말일 24:00`, `monthly, on the last day at 24:00`.
pub fn period(lang: Lang, period: Period) -> String {
    let Period { months, day, minute } = period;
    let often = match (months, lang) {
        (1, Lang::Ko) => "매월".to_owned(),
        (1, Lang::En) => "monthly".to_owned(),
        (3, Lang::Ko) => "분기마다".to_owned(),
        (3, Lang::En) => "quarterly".to_owned(),
        (6, Lang::Ko) => "반기마다".to_owned(),
        (6, Lang::En) => "every half-year".to_owned(),
        (12, Lang::Ko) => "해마다".to_owned(),
        (12, Lang::En) => "yearly".to_owned(),
        (months, Lang::Ko) => format!("{months}개월마다"),
        (months, Lang::En) => format!("every {months} months"),
    };
    let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
    match day {
        CutDay::Last => text!(lang, "{often} 말일 {clock}", "{often}, on the last day at {clock}"),
        CutDay::Next(day) => {
            text!(
                lang,
                "{often}, 다음 달 {day}일 {clock}",
                "{often}, on day {day} of the month after at {clock}"
            )
        }
    }
}

/// The share of the members that has to agree to other terms, none for all: `회원 67% 이상 동의`, `67% of the members agree`.
pub fn consent(lang: Lang, share: Option<BasisPoints>) -> String {
    let Some(share) = share.filter(|share| share.get() < BasisPoints::MAX) else {
        return text!(lang, "모든 회원 동의", "all members agree");
    };
    let share = number::rate(share);
    text!(lang, "회원 {share} 이상 동의", "{share} of the members agree")
}

/// That other terms are proposed from a day on, and how many of those needed agree so far.
pub fn amendment(lang: Lang, from: Day, agreed: u32, needed: u32) -> String {
    let (from, so_far, all) = (when::date(lang, from), count(agreed), count(needed));
    if agreed >= needed {
        return text!(lang, "조건이 {from}부터 바뀌어요", "The terms change on {from}");
    }
    text!(
        lang,
        "조건을 {from}부터 바꾸자는 제안, 필요한 {all}곳 중 {so_far}곳 동의",
        "Other terms are proposed from {from}: {so_far} of {all} needed agree so far",
    )
}

/// How a closing group ends.
pub fn closing(lang: Lang, redeem_only_from: Timestamp, ends_at: Timestamp, zone: &Zone) -> String {
    let [gives, takes] = [redeem_only_from, ends_at].map(|at| when::moment(lang, at, zone));
    text!(
        lang,
        "문을 닫는 그룹, {gives}까지 적립하고 {takes}까지 사용",
        "Closing: gives until {gives}, takes until {takes}",
    )
}

/// That a member is frozen.
pub fn frozen(lang: Lang) -> String {
    text!(lang, "정산이 밀려 멈춤", "Frozen until it has settled")
}
