//! The pages to which links lead, in Chromium: as phones show them, in both languages, light and dark, and for those who hear
//! them. Pictures of them are left in the target folder for people to look at.

mod support;

use std::path::{Path, PathBuf};

use moa_browser::Browser;
use moa_rules::id::GroupId;
use moa_rules::invitation::{Invited, TokenHash};
use moa_rules::op::OpBody;
use moa_rules::terms::{Profile, Scope};
use moa_rules::time::Timestamp;
use moa_server::{Apps, Config};
use moa_wire::api::PictureTaken;
use moa_wire::invitation::InvitationToken;
use reqwest::Method;
use serde_json::{Value, json};
use support::{NOON, Town, read};

const TOKEN: InvitationToken = InvitationToken([0xd7; 16]);
const AGENTS: [(&str, &str); 4] = [
    (
        "kakaotalk-android",
        "Mozilla/5.0 (Linux; Android 13; SM-S911N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
        Chrome/115.0.5790.138 Mobile Safari/537.36;KAKAOTALK 2410310",
    ),
    (
        "line-ios",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 \
        Safari Line/14.9.0",
    ),
    (
        "instagram-ios",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 \
        Instagram 337.0.0.0",
    ),
    (
        "safari-ios",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 \
        Mobile/15E148 Safari/604.1",
    ),
];
/// Nothing is cut off at the side, and every button is high enough for a thumb.
const FITS: &str = "document.documentElement.scrollWidth <= window.innerWidth && \
    [...document.querySelectorAll('.button')].every((button) => button.getBoundingClientRect().height >= 44)";
/// What axe finds wrong: rule and place.
const WRONG: &str = "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })\
    .then((found) => found.violations.map((wrong) => wrong.id + ': ' + wrong.nodes.map((node) => node.target + ' ' + node.failureSummary).join(', ')))";

fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// axe-core, as npm brings it.
fn axe() -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("axe/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; make need-axe", path.display()))
}

/// A street with a group of six shops, a picture and an invitation.
async fn street() -> (Town, GroupId, String) {
    let apps = Apps {
        android_package: Some("example.moa".to_owned()),
        store_android: Some("https://play.google.com/store/apps/details?id=example.moa".to_owned()),
        store_ios: Some("https://apps.apple.com/kr/app/id1".to_owned()),
        ..Apps::default()
    };
    let town = Town::open_with(tempfile::tempdir().unwrap(), NOON, |local| Config { apps, ..local }).await;
    let shop = town.shop("010-1111-0000", "모퉁이 카페").await;
    let group = town.found(&shop).await;
    for (at, name) in [
        "우산 수리 명가",
        "감나무 빵집",
        "Blue Door Books",
        "아주 긴 이름을 가진 동네에서 제일 오래된 철물점과 열쇠",
        "세탁소",
    ]
    .into_iter()
    .enumerate()
    {
        let other = town.shop(&format!("010-1111-100{at}"), name).await;
        town.join(&other, group).await;
    }
    // A sky over a street, as a picture would have it.
    let sky = image::RgbImage::from_fn(1_200, 630, |x, y| {
        let (near, far) = (u8::try_from(y * 255 / 630).unwrap(), u8::try_from(x * 255 / 1_200).unwrap());
        image::Rgb([near, 140, 255 - far / 2])
    });
    let mut file = Vec::new();
    sky.write_to(&mut std::io::Cursor::new(&mut file), image::ImageFormat::Png).unwrap();
    let request = town.request(Method::POST, "/v1/pictures", &shop.device).await;
    let PictureTaken { picture } = read(request.body(file).send().await.unwrap()).await;
    let profile = Profile { picture: Some(picture), ..Profile::new("감나무 골목", Scope::Area) };
    let op = shop.device.op(town.now(), OpBody::AmendProfile { group, profile });
    town.applied(&[&op]).await;
    let (hash, expires) = (Some(TokenHash(TOKEN.hash())), town.now().plus(7 * Timestamp::DAY).seconds());
    let invite = OpBody::Invite { to: Invited::Group(group), hash, shop: None, uses: 5, expires };
    town.applied(&[&shop.device.op(town.now(), invite)]).await;
    (town, group, shop.merchant.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_fit_a_phone_in_both_languages_light_and_dark_and_axe_finds_nothing_wrong() {
    let axe = axe();
    let (town, group, shop) = street().await;
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(profile.path(), "ko").unwrap();
    browser.set_width(360).unwrap();
    let invitation = format!("/i/{}", TOKEN.hex());
    let pages = [
        ("invitation", invitation.clone()),
        ("void", "/i/00".to_owned()),
        ("code", "/c".to_owned()),
        ("mistyped", "/c?code=0000-000U".to_owned()),
        ("group", format!("/g/{group}")),
        ("shop", format!("/s/{shop}")),
        ("app-only", format!("/w/{group}")),
    ];
    for (name, path) in &pages {
        for (lang, dark) in [("ko", false), ("ko", true), ("en", false), ("en", true)] {
            browser.pretend(AGENTS[3].1, lang, dark).unwrap();
            browser.open(&town.url(path)).unwrap();
            let ready = format!(
                "location.href === {} && document.readyState === 'complete' && document.documentElement.lang === '{lang}'",
                json!(town.url(path))
            );
            browser.until(&ready).unwrap();
            assert_eq!(browser.value(FITS).unwrap(), true, "{name} {lang}");
            browser.value(&axe).unwrap();
            assert_eq!(browser.value(WRONG).unwrap(), json!([]), "{name} {lang} dark: {dark}");
            let shade = if dark { "dark" } else { "light" };
            browser.save_picture(&pictures().join(format!("{name}-{lang}-{shade}.png"))).unwrap();
        }
    }
    let complaints: Vec<&String> =
        browser.complaints().iter().filter(|text| !text.contains("status of 404")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");

    // With the keyboard alone: the code is typed and sent.
    browser.open(&town.url("/c")).unwrap();
    browser
        .until("location.pathname === '/c' && !location.search && document.readyState === 'complete'")
        .unwrap();
    browser.press("Tab", 9).unwrap();
    assert_eq!(browser.value("document.activeElement.id").unwrap(), "code");
    browser.value("document.activeElement.value = 'o0000000'").unwrap();
    browser.press("Enter", 13).unwrap();
    browser.until("location.pathname === '/c/00000000'").unwrap();
    drop(browser);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edge_46_each_messengers_browser_shows_the_way_into_the_app() {
    let (town, _, _) = street().await;
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(profile.path(), "ko").unwrap();
    browser.set_width(360).unwrap();
    let path = format!("/i/{}", TOKEN.hex());
    let mut links = |agent: &str, name: &str| -> Vec<String> {
        browser.pretend(agent, "ko", false).unwrap();
        browser.open(&town.url(&format!("{path}?agent={name}"))).unwrap();
        browser
            .until(&format!("location.search === '?agent={name}' && document.readyState === 'complete'"))
            .unwrap();
        assert_eq!(browser.value(FITS).unwrap(), true, "{name}");
        browser.save_picture(&pictures().join(format!("in-{name}.png"))).unwrap();
        let all =
            browser.value("[...document.querySelectorAll('a.button')].map((link) => link.href)").unwrap();
        serde_json::from_value::<Vec<String>>(all).unwrap()
    };
    let [kakao, line, instagram, safari] = AGENTS.map(|(name, agent)| links(agent, name));
    let hex = TOKEN.hex();
    assert!(
        kakao[0].starts_with(&format!("intent://i/{hex}#Intent;scheme=moa;package=example.moa;")),
        "{kakao:?}"
    );
    assert!(kakao[1].starts_with("kakaotalk://web/openExternal?url=http%3A%2F%2F"), "{kakao:?}");
    assert!(kakao[2].starts_with("https://play.google.com/") && kakao.len() == 3, "{kakao:?}");
    assert_eq!(line[0], format!("moa://i/{hex}"));
    assert!(
        line[1].ends_with("&openExternalBrowser=1") && line[2].starts_with("https://apps.apple.com/"),
        "{line:?}"
    );
    assert_eq!(instagram.len(), 2, "there only its menu leads out: {instagram:?}");
    assert_eq!(safari.len(), 2);
    let hint: Value = browser.value("document.body.innerText.includes('메뉴에서')").unwrap();
    assert_eq!(hint, false, "nobody in Safari is told about another app's menu");
    drop(browser);
    town.close().await;
}
