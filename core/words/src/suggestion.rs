//! What a suggested rate costs, and why it is suggested.

use moa_rules::quantity::{BasisPoints, Currency, Money};
use moa_rules::suggest::{Cost, Reach, Reason, SALES};

use crate::Lang;
use crate::number::{count, money, plural, rate};
use crate::particle::{Particle, with};

/// What a rate costs, on average and at most: `100만 원 팔 때 평균 29,694원, 가장 많아야 88,000원`. A fragment.
pub fn cost(lang: Lang, cost: &Cost, currency: Currency) -> String {
    let sales = match lang {
        Lang::Ko if currency == Currency::KRW => "100만 원".to_owned(),
        _ => money(lang, SALES, currency),
    };
    let [mean, worst] = [cost.mean, cost.worst].map(|amount: Money| money(lang, amount, currency));
    text!(
        lang,
        "{sales} 팔 때 평균 {mean}, 가장 많아야 {worst}",
        "for {sales} of sales {mean} on average, {worst} at most",
    )
}

/// Why a rate or a validity is suggested: a sentence.
pub fn reason(lang: Lang, reason: Reason) -> String {
    match reason {
        Reason::Reach { reach, weight } => {
            let (place, weight) = (place(lang, reach), count(weight));
            text!(
                lang,
                "{place} 그룹에는 예산의 {weight}%까지 쓸 만해요. 그만큼 손님이 다시 와요.",
                "A group {place} is worth {weight}% of the budget: so much of it brings customers back.",
            )
        }
        Reason::AtHome { share } => {
            let share = percent(share);
            text!(
                lang,
                "쓰는 마일리지의 {share}쯤은 준 가게에서 쓰여요. 그 가게는 원가만 들어요.",
                "About {share} of what is used is used at the shop that gave it, where it costs the goods alone.",
            )
        }
        Reason::Used { share } => {
            let share = percent(share);
            text!(
                lang,
                "유효기간 안에 마일리지의 {share}쯤이 쓰여요.",
                "About {share} of the mileage is used in time.",
            )
        }
        Reason::Reckoned { share } => {
            let share = percent(share);
            text!(
                lang,
                "그래도 {share}쯤 쓰인다고 보고 정했어요. 더 쓰여도 지킬 수 있어야 해요.",
                "It is reckoned as if {share} were used: the promise has to hold if more is.",
            )
        }
        Reason::NoMoreThan(reach) => {
            let place = place(lang, reach);
            text!(
                lang,
                "더 가까운 {place} 그룹보다 높게 권하지는 않아요.",
                "The same group {place} would be suggested no more, so neither is a wider one.",
            )
        }
        Reason::Lowest(lowest) => {
            let (lowest, is) = (rate(lowest), with(&rate(lowest), Particle::Is));
            text!(
                lang,
                "이런 그룹에 권하는 가장 낮은 적립률은 {is}. 정한 예산보다 더 들어요.",
                "{lowest} is the lowest rate suggested for such a group; it costs more than the budget gives.",
            )
        }
        Reason::Highest(highest) => {
            let (highest, is) = (rate(highest), with(&rate(highest), Particle::Is));
            text!(
                lang,
                "이런 그룹에 권하는 가장 높은 적립률은 {is}. 예산은 남아요.",
                "{highest} is the highest rate suggested for such a group; the budget would give more.",
            )
        }
        Reason::ValidityOfSize { members } => {
            let (ko, en) = (count(members), plural(members, "member", "members"));
            text!(
                lang,
                "권하는 유효기간은 회원 {ko}곳 정도인 그룹에 알맞은 길이예요.",
                "The validity suggested is what suits a group of {en}.",
            )
        }
        Reason::ValidityForMinimum { days } => {
            let (ko, en) = (count(days), plural(days, "day", "days"));
            text!(
                lang,
                "한 가게만 다니는 손님이 모아서 쓰기까지 {ko}일쯤 걸려요.",
                "Who buys at one shop only needs about {en} to collect the minimum and come back.",
            )
        }
    }
}

/// Where a group's shops are, before `그룹`; after `a group`.
fn place(lang: Lang, reach: Reach) -> String {
    match reach {
        Reach::Building => text!(lang, "한 건물", "in one building"),
        Reach::Street => text!(lang, "한 골목", "in one street"),
        Reach::District => text!(lang, "한 동네", "in one district"),
        Reach::City => text!(lang, "한 업종", "of one trade"),
        Reach::Nationwide => text!(lang, "전국", "across the country"),
    }
}

/// Hundredths of a percent to the whole percent.
fn percent(share: u16) -> String {
    format!("{}%", (u32::from(share) + 50) / 100)
}

/// Hundredths of a percent from 0 on, exactly.
pub(crate) fn exact(share: i64) -> String {
    let share = u16::try_from(share).ok().and_then(|share| BasisPoints::new(share).ok());
    share.map_or_else(|| "0%".to_owned(), rate)
}
