//! Why a group stands where it stands, and what a claim is good for, in one glance. (A8)

use moa_rules::choice::weigh::Reason;
use moa_rules::quantity::{Currency, Money};
use moa_rules::time::Day;

use crate::Lang;
use crate::number::{count, money, plural};
use crate::particle::{Particle, with};
use crate::when;

/// The most reasons that are said.
const SAID: usize = 2;

/// A purchase that the buyer plans, for the reason that is about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned<'a> {
    /// The shop's name.
    pub shop: &'a str,
    /// The day; none for one that is over.
    pub day: Option<Day>,
}

/// The reasons in one sentence, the most telling first; none without any. [`Reason::PlannedPurchase`] is about `planned`; none
/// while the directory has not told the shop's name.
pub fn reasons(
    lang: Lang,
    reasons: &[Reason],
    currency: Currency,
    planned: Option<Planned<'_>>,
) -> Option<String> {
    let said = &reasons[..reasons.len().min(SAID)];
    let (last, first) = said.split_last()?;
    Some(match lang {
        Lang::Ko => {
            let goes_on = |reason: &Reason| korean(*reason, currency, planned, false) + " ";
            let before: String = first.iter().map(goes_on).collect();
            before + &korean(*last, currency, planned, true)
        }
        Lang::En => {
            let parts: Vec<String> = said.iter().map(|reason| english(*reason, currency, planned)).collect();
            let line = parts.join(", and ");
            let mut letters = line.chars();
            letters
                .next()
                .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
        }
    })
}

/// What is expected to be used of what a claim earns: a sentence. An estimate from the buyer's own purchases.
pub fn expected_use(lang: Lang, amount: Money, currency: Currency) -> String {
    if amount.0 <= 0 {
        return text!(
            lang,
            "다니시는 가게로 보면 쓸 일이 거의 없을 것 같아요.",
            "Where you go, hardly any of it is likely to be used.",
        );
    }
    let amount = money(lang, about(amount), currency);
    text!(
        lang,
        "다니시는 가게로 보면 {amount}쯤 쓰게 돼요.",
        "Where you go, about {amount} of use is expected."
    )
}

/// An estimate, to two digits: what lies behind them is not known.
fn about(amount: Money) -> Money {
    let mut step = 1;
    while amount.0 / step >= 100 {
        step *= 10;
    }
    Money(amount.0 / step * step)
}

/// A clause that goes on, or one that ends the sentence.
fn korean(reason: Reason, currency: Currency, planned: Option<Planned<'_>>, ends: bool) -> String {
    let (clause, goes_on, end) = match reason {
        Reason::HigherRate => ("가장 많이 적립".to_owned(), "되고", "돼요."),
        Reason::LongerValidity => ("가장 오래 쓸 수 ".to_owned(), "있고", "있어요."),
        Reason::ShopsYouVisit { shops, monthly_tenths } => {
            let (shops, often) = (count(shops), often(monthly_tenths));
            (format!("다니시는 가게 {shops}곳에서 한 달에 {often}번쯤 쓸 수 "), "있고", "있어요.")
        }
        Reason::CloseToMinimum { usable, now: true } => {
            let usable = with(&money(Lang::Ko, Money(usable), currency), Particle::Object);
            (format!("이번에 최소 기준을 채워 {usable} 쓸 수 있게 "), "되고", "돼요.")
        }
        Reason::CloseToMinimum { usable, now: false } => {
            let usable = with(&money(Lang::Ko, Money(usable), currency), Particle::Object);
            (format!("조금만 더 모으면 {usable} 쓸 수 "), "있고", "있어요.")
        }
        Reason::PlannedPurchase { .. } => {
            let what = match planned {
                Some(Planned { shop, day: Some(day) }) => {
                    format!("{} {shop}에서 살 때", when::date(Lang::Ko, day))
                }
                Some(Planned { shop, day: None }) => format!("{shop}에서 사려던 것에"),
                None => "사려는 것에".to_owned(),
            };
            (what + " 쓸 수 ", "있고", "있어요.")
        }
    };
    clause + if ends { end } else { goes_on }
}

fn english(reason: Reason, currency: Currency, planned: Option<Planned<'_>>) -> String {
    match reason {
        Reason::HigherRate => "it gives the most".to_owned(),
        Reason::LongerValidity => "it lasts the longest".to_owned(),
        Reason::ShopsYouVisit { shops, monthly_tenths } => {
            let (shops, often) = (plural(shops, "shop", "shops"), often(monthly_tenths));
            let often = if often == "1" { "once".to_owned() } else { format!("{often} times") };
            format!("it is good at {shops} you go to, about {often} a month")
        }
        Reason::CloseToMinimum { usable, now: true } => {
            let usable = money(Lang::En, Money(usable), currency);
            format!("this reaches the minimum and makes {usable} usable")
        }
        Reason::CloseToMinimum { usable, now: false } => {
            let usable = money(Lang::En, Money(usable), currency);
            format!("a little more makes {usable} usable")
        }
        Reason::PlannedPurchase { .. } => {
            let what = match planned {
                Some(Planned { shop, day: Some(day) }) => {
                    format!("at {shop} on {}", when::date(Lang::En, day))
                }
                Some(Planned { shop, day: None }) => format!("for what you plan to buy at {shop}"),
                None => "for what you plan to buy".to_owned(),
            };
            format!("you can use it {what}")
        }
    }
}

/// Tenths as a number: `4`, `0.5`.
fn often(tenths: u32) -> String {
    match (tenths / 10, tenths % 10) {
        (whole, 0) => count(whole),
        (0, tenth) => format!("0.{tenth}"),
        // From one on, halves would say more than is known.
        (whole, tenth) => count(whole + u32::from(tenth >= 5)),
    }
}
