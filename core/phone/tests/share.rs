//! Invitations on their way out: what a shell opens, read back as the other app would read it.

mod support;

use moa_phone::{Channel, Code, Contact, PhoneError, Said, ShareIntent, Shared, ToShare, intent};
use moa_rules::id::GroupId;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::staff::Limits;
use moa_rules::time::Timestamp;
use moa_wire::invitation::InvitationToken;
use moa_wire::link::Destination;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use support::{Person, Town};

const TOKEN: InvitationToken = InvitationToken([0xd7; 16]);
const LIMITS: Limits = Limits { per_sale: Money(30_000), per_day: Money(100_000) };

fn said(text: &str) -> Said {
    let say = |what: &str| format!("{what}: {text}\nhttps://moa.example/i/d7?a=b&c=d#e");
    Said {
        sms: say("sms"),
        chat: say("chat"),
        beside_link: format!("beside: {text}"),
        subject: format!("subject: {text}"),
        mail: say("mail"),
        feed: [format!("title: {text}"), text.to_owned(), "button".to_owned()],
        copied: "7K3M-9QXW".to_owned(),
    }
}

fn shared() -> Shared {
    let link = "https://moa.example/i/d7?a=b&c=d#e".to_owned();
    let parameter = Some(("moa", "i/d7".to_owned()));
    Shared { from: None, group: None, limits: None, expires_at: None, qr: link.clone(), link, parameter }
}

fn open(channel: Channel, to: Option<&Contact>, text: &str) -> String {
    match intent(channel, to, &shared(), said(text)) {
        Some(ShareIntent::OpenUrl { url } | ShareIntent::Sms { url, .. } | ShareIntent::Mail { url, .. }) => {
            url
        }
        other => panic!("{channel:?} opens no URL: {other:?}"),
    }
}

/// What stands before the question mark, and the parameters behind it: each name once, its value decoded.
fn parts(url: &str) -> (&str, Vec<(&str, String)>) {
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    assert!(!url.contains(['#', '"', '\'', '<', '>', '+']) || url.starts_with("sms:+"), "{url}");
    let (address, query) = url.split_once('?').unwrap();
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (name, percent_decode_str(value).decode_utf8().unwrap().into_owned())
    });
    (address, pairs.collect())
}

fn check(text: &str) {
    let (said, link) = (said(text), shared().link);
    let number = Contact::read("010-1234-5678").unwrap();
    let address = Contact::read("o'hara+shop@cafe.example").unwrap();
    for (channel, to, expected, pairs) in [
        (Channel::Sms, Some(&number), "sms:+821012345678", vec![("body", said.sms.clone())]),
        (Channel::Sms, None, "sms:", vec![("body", said.sms.clone())]),
        (
            Channel::Email,
            Some(&address),
            "mailto:o%27hara%2Bshop@cafe.example",
            vec![("subject", said.subject.clone()), ("body", said.mail.replace('\n', "\r\n"))],
        ),
        (Channel::Line, None, "https://line.me/R/share", vec![("text", said.chat.clone())]),
        (
            Channel::Telegram,
            None,
            "https://t.me/share/url",
            vec![("url", link.clone()), ("text", said.beside_link.clone())],
        ),
        (Channel::WhatsApp, None, "https://wa.me/", vec![("text", said.chat.clone())]),
        (Channel::WhatsApp, Some(&number), "https://wa.me/821012345678", vec![("text", said.chat.clone())]),
        (Channel::Messenger, None, "fb-messenger://share", vec![("link", link.clone())]),
    ] {
        let url = open(channel, to, text);
        assert_eq!(parts(&url), (expected, pairs), "{channel:?}");
    }
}

#[test]
fn every_url_says_what_was_written_whatever_the_names() {
    let long = "가게".repeat(100);
    for text in [
        "행복카페",
        "A & B #1 \"quoted\" 'single' 100% a+b=c?/\\",
        "☕🏳️‍🌈👩‍👩‍👧‍👦",
        "קפה שלום (مقهى)",
        "\u{202e}override",
        "line\nbreak\ttab",
        "%26%23 already encoded",
        &long,
    ] {
        check(text);
    }
}

#[test]
fn what_is_no_url_is_handed_over_as_it_is() {
    let said = said("A & B");
    let kakao = ShareIntent::Kakao {
        title: "title: A & B".to_owned(),
        description: "A & B".to_owned(),
        button: "button".to_owned(),
        link: shared().link,
        parameter: Some(("moa", "i/d7".to_owned())),
    };
    assert_eq!(intent(Channel::KakaoTalk, None, &shared(), said.clone()), Some(kakao));
    let sheet = ShareIntent::Sheet { title: said.subject.clone(), text: said.chat.clone() };
    assert_eq!(intent(Channel::Sheet, None, &shared(), said.clone()), Some(sheet));
    let copy = ShareIntent::Copy { text: said.copied.clone() };
    assert_eq!(intent(Channel::Copy, None, &shared(), said.clone()), Some(copy));
    assert_eq!(intent(Channel::InApp, None, &shared(), said), None);
}

#[test]
fn a_contact_of_another_kind_is_not_put_where_it_does_not_belong() {
    let address = Contact::read("a@cafe.example").unwrap();
    let number = Contact::read("010-1234-5678").unwrap();
    assert!(open(Channel::Sms, Some(&address), "").starts_with("sms:?&body="));
    assert!(open(Channel::WhatsApp, Some(&address), "").starts_with("https://wa.me/?text="));
    assert!(open(Channel::Email, Some(&number), "").starts_with("mailto:?subject="));
}

#[test]
fn an_invitation_to_a_group_says_what_the_directory_knows_and_its_link_leads_back() {
    let mut town = Town::new();
    let what = ToShare::Group { group: town.group, token: TOKEN };
    let shared = town.cafe.phone.to_share(&what).unwrap();
    let group = shared.group.unwrap();
    assert_eq!((group.id, group.members.len()), (town.group, 2));
    let own = town.cafe.phone.own_shop().unwrap().unwrap().profile.unwrap();
    assert_eq!(shared.from, Some(own.name));
    let (name, path) = shared.parameter.unwrap();
    let opened = Code::Link(Destination::Invitation(TOKEN));
    for text in [shared.link, shared.qr, format!("kakao00ff://kakaolink?{name}={path}")] {
        assert_eq!(town.buyer.phone.read_code(&text).unwrap(), opened, "{text}");
    }

    let app = town.buyer.phone.to_share(&ToShare::App { group: None, token: TOKEN }).unwrap();
    assert_eq!((app.from, app.group), (None, None));
    let unknown = ToShare::App { group: Some(GroupId([9; 16])), token: TOKEN };
    assert!(matches!(town.buyer.phone.to_share(&unknown), Err(PhoneError::NotHere)));
    town.buyer.sync(&mut town.server).unwrap();
}

#[test]
fn a_clerk_joins_by_the_link_of_an_invitation_to_the_staff() {
    let mut town = Town::new();
    let code = town.cafe.phone.staff_invitation(LIMITS).unwrap().text;
    let shared = town.cafe.phone.to_share(&ToShare::Staff { code: code.clone() }).unwrap();
    assert_eq!((shared.limits, shared.qr.as_str(), &shared.parameter), (Some(LIMITS), code.as_str(), &None));

    let mut clerk = Person::new(7);
    clerk.enrol(&mut town.server);
    clerk.environment.set(town.server.now);
    let Code::Invitation(scanned) = clerk.phone.read_code(&shared.link).unwrap() else {
        panic!("no invitation")
    };
    assert_eq!(Some(scanned.expires_at), shared.expires_at);
    clerk.phone.join_staff(&shared.link).unwrap();
    clerk.sync(&mut town.server).unwrap();
    assert_eq!(
        clerk.phone.own_shop().unwrap().map(|shop| shop.id),
        town.cafe.phone.own_shop().unwrap().map(|shop| shop.id)
    );

    town.advance(25 * Timestamp::HOUR);
    let late = town.cafe.phone.to_share(&ToShare::Staff { code });
    assert!(matches!(late, Err(PhoneError::Refused(Refusal::InvitationExpired { hours: 24 }))));
    let member = town.buyer.phone.member_code().unwrap().text;
    let other = town.cafe.phone.to_share(&ToShare::Staff { code: member });
    assert!(matches!(other, Err(PhoneError::Refused(Refusal::NotAnInvitation))));
}

proptest! {
    #[test]
    fn arbitrary_texts_survive_every_url(text in ".{0,200}") {
        check(&text);
    }
}
