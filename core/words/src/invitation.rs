//! What an invitation says, for each channel that carries it. (A4)
//!
//! One person asks another whom they chose, from their own phone or in their own name: that is no advertising sent for
//! profit to many, so no (광고) stands in front, which Korean law (정보통신망법 제50조) asks of advertising only. For the same
//! reason no text praises anything: it says who asks, for what, the terms, and what to do.
//!
//! A name is anybody's: it is escaped for HTML, isolated where it runs from right to left, and shortened where a channel
//! has little room.

use std::fmt::Write;

use moa_rules::quantity::Currency;
use moa_rules::staff::Limits;
use moa_rules::terms::Terms;
use moa_rules::time::Day;

use crate::html::escaped;
use crate::number::{count, money, plural};
use crate::particle::{Particle, with};
use crate::{Lang, group, when};

/// Bytes of a long text message (LMS) in EUC-KR, as Korean carriers count them. One short message has 90, and a link takes
/// most of that: an invitation is always a long one.
pub const MOST_SMS_BYTES: usize = 2_000;
/// Characters of a message in a chat: what every messenger takes through a URL.
pub const MOST_CHAT: usize = 1_000;
/// Characters of a feed's title, two lines on a narrow phone.
pub const MOST_KAKAO_TITLE: usize = 40;
/// Characters of a feed's description: `KakaoTalk` cuts what does not fit four lines.
pub const MOST_KAKAO_DESCRIPTION: usize = 120;
/// Characters of the inviting shop's name in a description, so that the terms have room.
const MOST_KAKAO_NAME: usize = 20;
/// Characters of a feed's button.
pub const MOST_KAKAO_BUTTON: usize = 14;
/// Characters of a subject (RFC 5322, 2.1.1).
pub const MOST_SUBJECT: usize = 78;

/// What a group offers, as far as an invitation tells.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The group's name.
    pub group: &'a str,
    /// Its terms.
    pub terms: &'a Terms,
    /// How many shops are members.
    pub members: u32,
}

/// What someone is invited to.
#[derive(Debug, Clone, Copy)]
pub enum Invites<'a> {
    /// A shop, to join a group.
    Shop(Offer<'a>),
    /// A person, to sell for the shop that invites, within limits.
    Staff(Limits),
    /// A buyer, to use the app; where a group is named, to collect there.
    Buyer(Option<Offer<'a>>),
}

/// An invitation.
#[derive(Debug, Clone, Copy)]
pub struct Invitation<'a> {
    /// The shop or the person that invites, by name.
    pub from: &'a str,
    /// To what.
    pub invites: Invites<'a>,
    /// Where it is opened.
    pub link: &'a str,
    /// The eight characters that open it too, once the server has told them.
    pub code: Option<&'a str>,
    /// The last day on which it can be opened.
    pub last_day: Option<Day>,
}

/// A message of `KakaoTalk`'s default feed template: link and parameters are added by who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KakaoFeed {
    /// At most [`MOST_KAKAO_TITLE`] characters.
    pub title: String,
    /// At most [`MOST_KAKAO_DESCRIPTION`] characters.
    pub description: String,
    /// The one button's text; the template would take two.
    pub button: String,
}

/// An e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line of at most [`MOST_SUBJECT`] characters.
    pub subject: String,
    /// For readers without HTML.
    pub plain: String,
    /// The same in HTML, without pictures, scripts or anything loaded from elsewhere.
    pub html: String,
}

/// What a shop finds in its inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Who invites to what.
    pub title: String,
    /// The terms, a line each.
    pub body: String,
}

/// What a buyer is called who invites without a name.
pub fn somebody(lang: Lang) -> String {
    text!(lang, "아는 분", "A friend")
}

/// A text message of at most [`MOST_SMS_BYTES`].
pub fn sms(lang: Lang, invitation: &Invitation) -> String {
    let brand = text!(lang, "모아", "Moa");
    format!("[{brand}] {}", chat(lang, invitation))
}

/// A message of at most [`MOST_CHAT`] for LINE, `WhatsApp` and whatever app the system's sheet offers: with the link.
pub fn chat(lang: Lang, invitation: &Invitation) -> String {
    let body = beside_link(lang, invitation);
    let link = invitation.link;
    format!("{body}\n{link}")
}

/// A message for apps that are given the link beside it, such as Telegram.
pub fn beside_link(lang: Lang, invitation: &Invitation) -> String {
    let mut lines = vec![headline(lang, invitation)];
    lines.extend(
        facts(lang, invitation.invites).into_iter().map(|(name, value)| format!("· {name}: {value}")),
    );
    let how = [by_code(lang, invitation), open_by(lang, invitation)].into_iter().flatten();
    lines.extend(how.map(|line| format!("· {line}")));
    lines.push(what_to_do(lang, invitation.invites));
    lines.join("\n")
}

/// A feed for `KakaoTalk`.
pub fn kakao(lang: Lang, invitation: &Invitation) -> KakaoFeed {
    let from = isolated(invitation.from);
    let title = match invitation.invites {
        Invites::Shop(Offer { group, .. }) => {
            let group = isolated(group);
            text!(lang, "{group} 마일리지 그룹 초대", "Join {group}")
        }
        Invites::Staff(_) => text!(lang, "{from} 직원 초대", "Sell for {from}"),
        Invites::Buyer(_) => text!(lang, "{from}의 적립 초대", "Collect at {from}"),
    };
    let mut lines = Vec::new();
    if matches!(invitation.invites, Invites::Shop(_)) {
        let from = shortened(&from, MOST_KAKAO_NAME);
        lines.push(text!(lang, "보낸 곳 {from}", "From {from}"));
    }
    let facts = facts(lang, invitation.invites).into_iter();
    lines.extend(facts.map(|(name, value)| format!("{name} {value}")));
    if lines.is_empty() {
        lines.push(headline(lang, invitation));
    }
    let button = match invitation.invites {
        Invites::Shop(_) => text!(lang, "조건 보기", "See terms"),
        Invites::Staff(_) => text!(lang, "시작하기", "Start"),
        Invites::Buyer(_) => text!(lang, "모아 열기", "Open Moa"),
    };
    KakaoFeed {
        title: shortened(&title, MOST_KAKAO_TITLE),
        description: shortened(&lines.join(" · "), MOST_KAKAO_DESCRIPTION),
        button,
    }
}

/// An e-mail.
pub fn mail(lang: Lang, invitation: &Invitation) -> Mail {
    let from = isolated(invitation.from);
    let subject = match invitation.invites {
        Invites::Shop(Offer { group, .. }) => {
            let group = isolated(group);
            text!(lang, "{group} 마일리지 그룹 초대 · {from}", "{from} invites you to join {group}")
        }
        Invites::Staff(_) => text!(lang, "{from} 직원 초대", "{from} invites you to sell for it"),
        Invites::Buyer(_) => text!(lang, "{from}의 적립 초대", "{from} invites you to collect"),
    };
    let why = text!(
        lang,
        "이 메일은 {from}의 부탁으로 한 번 보냈어요. 원하지 않으면 그냥 지우면 돼요.",
        "{from} asked for this mail, which is sent once. If it is not for you, just delete it.",
    );
    let plain = format!("{}\n\n{why}\n", chat(lang, invitation));
    Mail { subject: shortened(&subject, MOST_SUBJECT), plain, html: html(lang, invitation, &why) }
}

/// What a shop that uses Moa already finds in its inbox.
pub fn in_app(lang: Lang, invitation: &Invitation) -> Notice {
    let facts = facts(lang, invitation.invites).into_iter().map(|(name, value)| format!("{name}: {value}"));
    let lines: Vec<String> = facts.chain(open_by(lang, invitation)).collect();
    Notice { title: headline(lang, invitation), body: lines.join("\n") }
}

/// What is copied: the code, to be typed or read aloud; until the server has told one, the link.
pub fn copied(invitation: &Invitation) -> String {
    invitation.code.unwrap_or(invitation.link).to_owned()
}

/// Bytes as Korean carriers count them: one for ASCII, two for all that EUC-KR has, and as many for each half of what it
/// has not, which phones then send as a multimedia message.
pub fn sms_bytes(text: &str) -> usize {
    text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 * letter.len_utf16() }).sum()
}

/// Who invites to what, a sentence.
pub fn headline(lang: Lang, invitation: &Invitation) -> String {
    let from = isolated(invitation.from);
    let who = with(&format!("‘{from}’"), Particle::Subject);
    match invitation.invites {
        Invites::Shop(Offer { group, .. }) => {
            let group = isolated(group);
            text!(
                lang,
                "{who} 마일리지 그룹 ‘{group}’에 함께하자고 초대했어요.",
                "“{from}” invites your shop to join “{group}”, a mileage group.",
            )
        }
        Invites::Staff(_) => text!(
            lang,
            "{who} 직원으로 초대했어요. 휴대폰으로 판매를 기록하고 적립해 줄 수 있어요.",
            "“{from}” invites you to sell for it with your own phone.",
        ),
        Invites::Buyer(Some(Offer { group, .. })) => {
            let group = isolated(group);
            text!(
                lang,
                "{who} ‘{group}’ 마일리지를 함께 모으자고 초대했어요.",
                "“{from}” invites you to collect with “{group}”.",
            )
        }
        Invites::Buyer(None) => text!(
            lang,
            "{who} 모아로 마일리지를 모으자고 초대했어요.",
            "“{from}” invites you to collect mileage with Moa.",
        ),
    }
}

/// The terms that matter: what each is called, and what it is.
pub fn facts(lang: Lang, invites: Invites) -> Vec<(String, String)> {
    match invites {
        Invites::Shop(offer) | Invites::Buyer(Some(offer)) => {
            let Offer { terms, members, .. } = offer;
            let shops = match lang {
                Lang::Ko => format!("{}곳", count(members)),
                Lang::En => plural(members, "shop", "shops"),
            };
            vec![
                (text!(lang, "적립", "Gives"), group::promise(lang, terms)),
                (text!(lang, "유효기간", "Valid for"), when::validity(lang, terms.validity)),
                (text!(lang, "사용", "Usable"), group::usable(lang, terms)),
                (text!(lang, "함께하는 가게", "Members"), shops),
            ]
        }
        Invites::Staff(Limits { per_sale, per_day }) => {
            let [sale, day] = [per_sale, per_day].map(|most| money(lang, most, Currency::KRW));
            vec![
                (text!(lang, "한 번에", "A sale"), text!(lang, "{sale}까지", "up to {sale}")),
                (text!(lang, "하루에", "A day"), text!(lang, "{day}까지", "up to {day}")),
            ]
        }
        Invites::Buyer(None) => Vec::new(),
    }
}

fn by_code(lang: Lang, invitation: &Invitation) -> Option<String> {
    let code = invitation.code?;
    Some(text!(lang, "초대 코드: {code}", "Invitation code: {code}"))
}

/// Until when it can be opened, a sentence.
pub fn open_by(lang: Lang, invitation: &Invitation) -> Option<String> {
    let day = when::date(lang, invitation.last_day?);
    Some(text!(lang, "{day}까지 열 수 있어요.", "Open it by {day}."))
}

/// What to do with the link that follows.
fn what_to_do(lang: Lang, invites: Invites) -> String {
    match invites {
        Invites::Shop(_) => {
            text!(lang, "조건을 보고 함께할지 정해 주세요.", "See the terms, then join or decline:")
        }
        Invites::Staff(_) => text!(
            lang,
            "모아 앱에서 열면 시작돼요. 한 사람만 쓸 수 있으니 다른 사람에게 보내지 마세요.",
            "Open it in the Moa app to start. It is good for one person, so do not pass it on:",
        ),
        Invites::Buyer(_) => {
            text!(
                lang,
                "모아 앱에서 열어 주세요. 앱이 없으면 받을 수 있어요.",
                "Open it in the Moa app, or get the app there:"
            )
        }
    }
}

fn html(lang: Lang, invitation: &Invitation, why: &str) -> String {
    let mut body = format!("<p>{}</p>\n", escaped(&headline(lang, invitation)));
    let facts = facts(lang, invitation.invites);
    if !facts.is_empty() {
        body.push_str("<ul>\n");
        for (name, value) in facts {
            // Writing to a string cannot fail.
            let _ = writeln!(body, "<li>{}: {}</li>", escaped(&name), escaped(&value));
        }
        body.push_str("</ul>\n");
    }
    let (what, link) = (escaped(&what_to_do(lang, invitation.invites)), escaped(invitation.link));
    let _ = writeln!(body, "<p>{what}</p>\n<p><a href=\"{link}\">{link}</a></p>");
    for line in [by_code(lang, invitation), open_by(lang, invitation)].into_iter().flatten() {
        let _ = writeln!(body, "<p>{}</p>", escaped(&line));
    }
    let (tag, why) = (lang.tag(), escaped(why));
    format!(
        "<!doctype html>\n<html lang=\"{tag}\"><meta charset=\"utf-8\">\n<body>\n{body}<p><small>{why}</small></p>\n</body></html>\n"
    )
}

/// A name as it can stand in a line of another direction: what runs from right to left, or turns the direction, is kept to
/// itself (Unicode UAX 9, first strong isolate).
fn isolated(name: &str) -> String {
    let turns = |letter: char| {
        matches!(letter, '\u{590}'..='\u{8ff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}')
    };
    if !name.chars().any(turns) {
        return name.to_owned();
    }
    // What isolates is dropped, so that a name can't end its own isolation.
    let inner: String = name.chars().filter(|letter| !matches!(letter, '\u{2066}'..='\u{2069}')).collect();
    format!("\u{2068}{inner}\u{2069}")
}

/// At most so many characters, an ellipsis for what is left out, and no half of a joined emoji.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(2)).collect();
    let joiner = |letter: char| matches!(letter, '\u{200d}' | '\u{fe0f}') || letter.is_whitespace();
    let kept = kept.trim_end_matches(joiner);
    // An isolation that was cut off is ended, so that it does not reach into what follows.
    let open = kept.matches('\u{2068}').count() > kept.matches('\u{2069}').count();
    format!("{kept}…{}", if open { "\u{2069}" } else { "" })
}

#[cfg(test)]
mod tests;
