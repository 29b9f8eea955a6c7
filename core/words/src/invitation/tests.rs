//! Every invitation in one file, `tests/invitations.txt`, made anew with `MOA_BLESS=1`; and what holds of all of them.

use std::fmt::Write;
use std::{env, fs};

use moa_rules::quantity::{BasisPoints, Money, Units};
use moa_rules::staff::Limits;
use moa_rules::terms::{MAX_NAME, StampCard, Terms};
use moa_rules::time::{Day, Validity};
use proptest::prelude::*;

use super::*;

const LINK: &str = "https://moa.example/i/d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7";
const CODE: &str = "7K3M-9QXW";
/// As long as the link of a signed staff invitation is, below a long address.
const LONGEST_LINK: usize = 320;
/// 21 November 2026.
const DAY: Day = Day(20_778);

fn points() -> Terms {
    Terms::points(BasisPoints::new(500).unwrap(), Validity::Months(6), Units::new(10_000).unwrap())
}

fn limits() -> Limits {
    Limits { per_sale: Money(50_000), per_day: Money(300_000) }
}

fn invitation<'a>(from: &'a str, invites: Invites<'a>) -> Invitation<'a> {
    Invitation { from, invites, link: LINK, code: Some(CODE), last_day: Some(DAY) }
}

/// All that a channel may carry of an invitation.
fn texts(lang: Lang, invitation: &Invitation) -> Vec<(&'static str, String)> {
    let KakaoFeed { title, description, button } = kakao(lang, invitation);
    let Mail { subject, plain, html } = mail(lang, invitation);
    let notice = in_app(lang, invitation);
    vec![
        ("SMS", sms(lang, invitation)),
        ("KakaoTalk", format!("{title}\n{description}\n[{button}]")),
        ("LINE, WhatsApp, system sheet", chat(lang, invitation)),
        ("Telegram, beside the link", beside_link(lang, invitation)),
        ("e-mail", format!("{subject}\n\n{plain}")),
        ("e-mail in HTML", html),
        ("in the app", format!("{}\n{}", notice.title, notice.body)),
        ("copied", copied(invitation)),
    ]
}

#[test]
fn the_invitations_are_those_that_were_read_and_agreed_to() {
    let (points, any) = (points(), Terms { minimum: Units::ZERO, ..points() });
    let card = StampCard { per: None, stamps: 10, reward: Money(5_000) };
    let stamps = Terms::stamps(card, Validity::Months(12));
    let coupons = Terms::coupons(Money(3_000), Some(Money(10_000)), Validity::Days(45));
    let offer = |group, terms, members| Offer { group, terms, members };
    let bare = Invitation { code: None, last_day: None, ..invitation("책방 온", Invites::Buyer(None)) };
    let link = format!("https://moa.example/t/{}", "oQEmo".repeat(40));
    let clerk = invitation("서울식당 2호점", Invites::Staff(limits()));
    let clerk = Invitation { link: &link, code: None, ..clerk };
    let kinds = [
        (
            "a shop, to a group with points",
            invitation("행복카페", Invites::Shop(offer("감나무 골목", &points, 7))),
        ),
        (
            "a shop, to a group with stamps",
            invitation("빵굽는집", Invites::Shop(offer("Persimmon Alley", &stamps, 1))),
        ),
        ("someone, to sell for a shop", clerk),
        (
            "a buyer, to a group",
            invitation("Happy Café", Invites::Buyer(Some(offer("감나무 골목", &any, 12)))),
        ),
        (
            "a buyer, to a group with coupons",
            invitation("미용실 A", Invites::Buyer(Some(offer("3층 모임", &coupons, 3)))),
        ),
        ("a buyer, to the app, before the server has told a code", bare),
    ];
    let mut found = String::from("Every invitation, as each channel carries it.\n");
    for (kind, invitation) in kinds {
        for lang in Lang::ALL {
            for (channel, text) in texts(lang, &invitation) {
                let indented = text.trim_end().replace('\n', "\n  ");
                write!(found, "\n{kind}, {lang}, {channel}\n  {indented}\n").unwrap();
            }
        }
    }
    let found = found.replace("\n  \n", "\n\n");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/invitations.txt");
    if env::var_os("MOA_BLESS").is_some_and(|bless| bless == "1") {
        fs::write(path, &found).unwrap();
    }
    let agreed = fs::read_to_string(path).unwrap_or_default();
    for (line, (found, agreed)) in found.lines().zip(agreed.lines()).enumerate() {
        assert_eq!(found, agreed, "line {} of tests/invitations.txt; MOA_BLESS=1 writes it anew", line + 1);
    }
    assert_eq!(
        found.len(),
        agreed.len(),
        "tests/invitations.txt is of another length; MOA_BLESS=1 writes it anew"
    );
}

#[test]
fn the_terms_that_matter_are_in_every_text_that_invites_to_a_group() {
    let points = points();
    let offer = Offer { group: "감나무 골목", terms: &points, members: 7 };
    for invites in [Invites::Shop(offer), Invites::Buyer(Some(offer))] {
        for (channel, text) in texts(Lang::Ko, &invitation("행복카페", invites)) {
            let missing = |what: &&str| !text.contains(*what) && channel != "copied";
            let missing: Vec<&str> =
                ["5% 포인트", "6개월", "10,000점", "7곳"].into_iter().filter(missing).collect();
            assert!(missing.is_empty(), "{channel} lacks {missing:?}: {text}");
        }
    }
}

#[test]
fn particles_follow_the_name() {
    let texts = |from| sms(Lang::Ko, &invitation(from, Invites::Buyer(None)));
    assert!(texts("행복카페").starts_with("[모아] ‘행복카페’가 "));
    assert!(texts("서울식당").starts_with("[모아] ‘서울식당’이 "));
    assert!(texts("카페24").starts_with("[모아] ‘카페24’가 "));
    assert!(texts("☕").starts_with("[모아] ‘☕’이(가) "));
}

#[test]
fn a_name_that_runs_from_right_to_left_stays_among_its_quotes() {
    let text = chat(Lang::En, &invitation("קפה 5%", Invites::Buyer(None)));
    assert!(text.starts_with("“\u{2068}קפה 5%\u{2069}” invites"), "{text}");
    let sly = chat(Lang::En, &invitation("a\u{2069}\u{202e}b", Invites::Buyer(None)));
    assert!(sly.starts_with("“\u{2068}a\u{202e}b\u{2069}” invites"), "{sly:?}");
}

#[test]
fn what_is_shortened_has_no_half_of_a_joined_emoji_at_its_end() {
    let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦".repeat(20);
    for most in 5..60 {
        let short = shortened(&family, most);
        assert!(short.chars().count() <= most && short.ends_with('…'), "{short}");
        assert!(!short.contains("\u{200d}…"), "{short}");
    }
    assert_eq!(shortened("four", 4), "four");
}

#[test]
fn a_syllable_counts_two_bytes_and_an_emoji_four() {
    assert_eq!(["", "abc", "가나", "a가", "☕", "😀"].map(sms_bytes), [0, 3, 4, 3, 2, 4]);
}

proptest! {
    #[test]
    fn whatever_the_names_every_channel_has_room_and_html_stays_html(
        from in "\\PC{1,60}",
        group in prop_oneof!["\\PC{1,60}", "[😀-🙏👩\u{200d}\u{2066}-\u{2069}א-ת]{60}", "[&<>\"'#%?가]{60}"],
        members in any::<u32>(),
        minimum in 0..=1_000_000_000_i64,
        link in "[a-z0-9]{300}",
    ) {
        prop_assert!(from.chars().count() <= MAX_NAME && group.chars().count() <= MAX_NAME);
        let terms = Terms { minimum: Units::new(minimum).unwrap(), ..points() };
        let offer = Offer { group: &group, terms: &terms, members };
        let link = format!("https://moa.example/{link}");
        prop_assert!(link.len() <= LONGEST_LINK);
        for invites in [Invites::Shop(offer), Invites::Staff(limits()), Invites::Buyer(Some(offer)), Invites::Buyer(None)] {
            let invitation = Invitation { link: &link, ..invitation(&from, invites) };
            for lang in Lang::ALL {
                let sms = sms(lang, &invitation);
                prop_assert!(sms_bytes(&sms) <= MOST_SMS_BYTES, "{} bytes", sms_bytes(&sms));
                prop_assert_eq!(sms.matches(&link).count(), 1);
                prop_assert_eq!(sms.rsplit('\n').next(), Some(link.as_str()));
                prop_assert!(chat(lang, &invitation).chars().count() <= MOST_CHAT);
                prop_assert!(!beside_link(lang, &invitation).contains(&link));
                let KakaoFeed { title, description, button } = kakao(lang, &invitation);
                prop_assert!(title.chars().count() <= MOST_KAKAO_TITLE);
                prop_assert!(description.chars().count() <= MOST_KAKAO_DESCRIPTION);
                prop_assert!(button.chars().count() <= MOST_KAKAO_BUTTON);
                let Mail { subject, html, .. } = mail(lang, &invitation);
                prop_assert!(subject.chars().count() <= MOST_SUBJECT && !subject.contains('\n'));
                // Of each kind of tag as many as the template has; nothing of a name among them.
                let tags: Vec<&str> = html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default()).collect();
                let known = ["!doctype html", "meta charset=\"utf-8\"", "body", "/body", "/html", "p", "/p", "ul", "/ul", "li", "/li",
                    "small", "/small", "/a"];
                for tag in tags {
                    let opens = tag.starts_with("html lang=") || tag == format!("a href=\"{link}\"");
                    prop_assert!(opens || known.contains(&tag), "{}", tag);
                }
            }
        }
    }
}
