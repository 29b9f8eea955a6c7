//! The pages to which links lead, as browsers, messengers' own browsers and makers of previews get them.

mod support;

use moa_rules::id::{GroupId, OpId};
use moa_rules::invitation::{Invited, TokenHash};
use moa_rules::op::OpBody;
use moa_rules::terms::{Profile, Scope};
use moa_rules::time::Timestamp;
use moa_server::{Apps, Config, Limits};
use moa_wire::api::InvitationTraces;
use moa_wire::invitation::InvitationToken;
use reqwest::Response;
use reqwest::header::HeaderMap;
use support::{NOON, Shop, Town, read};

const KAKAO_ANDROID: &str = "Mozilla/5.0 (Linux; Android 13; SM-X706N Build/TP1A.220624.014; wv) AppleWebKit/537.36 \
    (KHTML, like Gecko) Version/4.0 Chrome/115.0.5790.138 Safari/537.36;KAKAOTALK 2410310";
const SCRAPER: &str = "facebookexternalhit/1.1; kakaotalk-scrap/1.0";
const TOKEN: InvitationToken = InvitationToken([0xd7; 16]);

/// A page as a browser gets it that likes Korean.
struct Seen {
    status: u16,
    headers: HeaderMap,
    html: String,
}

impl Seen {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, html: response.text().await.unwrap() }
    }

    fn has(&self, text: &str) -> bool {
        self.html.contains(text)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The content of a `meta` of Open Graph.
    fn shared(&self, property: &str) -> &str {
        let from = format!("property=\"og:{property}\" content=\"");
        let rest = self.html.split_once(&from).map_or("", |(_, rest)| rest);
        rest.split('"').next().unwrap()
    }
}

async fn look_as(town: &Town, path: &str, agent: &str) -> Seen {
    let request = town.client.get(town.url(path)).header("accept-language", "ko").header("user-agent", agent);
    Seen::of(request.send().await.unwrap()).await
}

async fn look(town: &Town, path: &str) -> Seen {
    look_as(town, path, "Mozilla/5.0 (X11; Linux x86_64)").await
}

/// A shop with a group, and the id of its invitation by [`TOKEN`].
async fn invited(town: &Town, name: &str, uses: u16) -> (Shop, GroupId, OpId) {
    let shop = town.shop("010-1111-1111", name).await;
    let group = town.found(&shop).await;
    let invitation = invite(town, &shop, Invited::Group(group), TOKEN, uses).await;
    (shop, group, invitation)
}

async fn invite(town: &Town, shop: &Shop, to: Invited, token: InvitationToken, uses: u16) -> OpId {
    let expires = town.now().plus(7 * Timestamp::DAY).seconds();
    let hash = Some(TokenHash(token.hash()));
    let op = shop.device.op(town.now(), OpBody::Invite { to, hash, shop: None, uses, expires });
    town.applied(&[&op]).await;
    op.value().id
}

async fn opened(town: &Town, shop: &Shop, invitation: OpId) -> u32 {
    let traces: InvitationTraces = read(town.get("/v1/invitations", &shop.device).await).await;
    traces.traces.into_iter().find(|trace| trace.invitation == invitation).unwrap().opened
}

fn path(token: InvitationToken) -> String {
    format!("/i/{}", token.hex())
}

#[tokio::test]
async fn an_invitation_shows_what_is_offered_and_by_whom_and_how_to_open_it() {
    let town = Town::open().await;
    let (shop, group, invitation) = invited(&town, "모퉁이 <카페> & \"빵\"", 1).await;
    let other = town.shop("010-2222-2222", "우산 수리").await;
    town.join(&other, group).await;
    let seen = look(&town, &path(TOKEN)).await;
    assert_eq!((seen.status, seen.header("content-type")), (200, "text/html; charset=utf-8"));
    for text in [
        "<html lang=\"ko\">",
        "모퉁이 &lt;카페&gt; &amp; &quot;빵&quot;",
        "우산 수리",
        "함께하는 가게 2곳",
        "구매 금액의 3% 포인트",
        "2026년 9월 28일까지 열 수 있어요.",
        &format!("href=\"moa://i/{}\"", TOKEN.hex()),
    ] {
        assert!(seen.has(text), "{text} in {}", seen.html);
    }
    assert!(!seen.has("<카페>") && !seen.has("<script"), "names are text, and there is no script");
    assert_eq!(seen.header("x-robots-tag"), "noindex, nofollow");
    assert_eq!(seen.header("referrer-policy"), "no-referrer");
    assert_eq!(seen.header("cache-control"), "no-store");
    assert!(seen.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
    assert_eq!(opened(&town, &shop, invitation).await, 1);

    // The eight characters that it shows open the same.
    let code = seen.html.split_once("<p class=\"code\">").unwrap().1.split('<').next().unwrap();
    let typed = look(&town, &format!("/c?code=%20{}", code.to_lowercase())).await;
    assert_eq!(typed.status, 200);
    assert!(typed.has("우산 수리") && typed.has(&format!("moa://c/{}", code.replace('-', ""))));
    assert_eq!(opened(&town, &shop, invitation).await, 2);

    // A poster's link is in upper case, path and all.
    let poster = look(&town, &path(TOKEN).to_uppercase()).await;
    assert!(poster.status == 200 && poster.has("우산 수리"));

    let english = look(&town, &format!("{}?lang=en", path(TOKEN))).await;
    assert!(english.has("<html lang=\"en\">") && english.has("2 shops take part"), "{}", english.html);
    town.close().await;
}

#[tokio::test]
async fn edge_45_an_invitation_opened_by_a_link_preview_is_neither_used_nor_counted() {
    let town = Town::open().await;
    let (shop, group, invitation) = invited(&town, "모퉁이 카페", 1).await;
    let preview = look_as(&town, &path(TOKEN), SCRAPER).await;
    assert_eq!(preview.status, 200);
    assert_eq!(preview.shared("title"), "‘모퉁이 카페’가 마일리지 그룹 ‘Alley’에 함께하자고 초대했어요.");
    assert!(preview.shared("description").contains("유효기간 6개월"), "{}", preview.shared("description"));
    assert_eq!((preview.shared("locale"), preview.shared("site_name")), ("ko_KR", "모아"));
    assert_eq!(preview.shared("url"), town.url(&path(TOKEN)));
    let english = town.client.get(town.url(&path(TOKEN))).header("accept-language", "en");
    let english = Seen::of(english.header("user-agent", SCRAPER).send().await.unwrap()).await;
    assert_eq!(english.shared("locale"), "en_US");
    let head = town.client.head(town.url(&path(TOKEN))).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(opened(&town, &shop, invitation).await, 0);

    // It is still good, for whoever follows it in the app.
    let other = town.shop("010-2222-2222", "우산 수리").await;
    town.join(&other, group).await;
    assert_eq!(look(&town, &path(TOKEN)).await.status, 200);
    assert_eq!(opened(&town, &shop, invitation).await, 1);
    town.close().await;
}

#[tokio::test]
async fn unknown_expired_and_revoked_invitations_have_one_and_the_same_page() {
    let town = Town::open().await;
    let (shop, _, invitation) = invited(&town, "모퉁이 카페", 5).await;
    let short = InvitationToken([0x11; 16]);
    let expiring = invite(&town, &shop, Invited::App, short, 1).await;
    assert_ne!(expiring, invitation);
    assert_eq!(look(&town, &path(short)).await.status, 200);
    let unknown = look(&town, &path(InvitationToken([9; 16]))).await;
    let op = shop.device.op(town.now(), OpBody::RevokeInvitation { invitation });
    town.applied(&[&op]).await;
    let revoked = look(&town, &path(TOKEN)).await;
    town.pass(8 * Timestamp::DAY);
    let expired = look(&town, &path(short)).await;
    let garbage = look(&town, "/i/%3Cscript%3E").await;
    assert!(unknown.has("지금은 쓸 수 없는 초대"));
    for other in [&revoked, &expired, &garbage] {
        assert_eq!((other.status, &other.html), (404, &unknown.html));
    }
    assert_eq!(unknown.status, 404);
    town.close().await;
}

#[tokio::test]
async fn a_buyers_invitation_shows_what_the_shop_takes_part_in() {
    let town = Town::open().await;
    let shop = town.shop("010-1111-1111", "모퉁이 카페").await;
    invite(&town, &shop, Invited::App, TOKEN, 100).await;
    assert!(look(&town, &path(TOKEN)).await.has("아직 함께하는 마일리지가 없는 가게예요."));
    let group = town.found(&shop).await;
    let seen = look(&town, &path(TOKEN)).await;
    assert!(seen.has(&format!("href=\"/g/{group}?lang=ko\"")) && seen.has("구매 금액의 3% 포인트"));
    town.close().await;
}

#[tokio::test]
async fn wrong_codes_are_counted_by_network_address_and_mistyped_ones_are_not() {
    let limits = Limits {
        codes_per_address: 3,
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..Limits::default()
    };
    let town = Town::open_with(tempfile::tempdir().unwrap(), NOON, |local| Config { limits, ..local }).await;
    invited(&town, "모퉁이 카페", 1).await;
    let good = look(&town, &path(TOKEN)).await;
    let good = good.html.split_once("<p class=\"code\">").unwrap().1.split('<').next().unwrap().to_owned();
    let type_from = async |address: &str, code: &str| {
        let request =
            town.client.get(town.url(&format!("/c?code={code}"))).header("x-forwarded-for", address);
        Seen::of(request.header("accept-language", "en").send().await.unwrap()).await
    };
    assert!(look(&town, "/c").await.has("<form method=\"get\" action=\"/c\">"));
    for garbage in ["", "0000", "%3Cb%3E%22", "0000000U", "%ff", &"가".repeat(500)] {
        let seen = type_from("203.0.113.7", garbage).await;
        assert!(seen.status == 200 && seen.has("There is no such code."), "{garbage}");
        assert!(!seen.has("<b>"));
    }
    for wrong in 0..3_u64 {
        let code = moa_wire::invitation::InvitationCode::of(wrong).text();
        let seen = type_from("203.0.113.7", &code).await;
        assert!(seen.status == 404 && seen.has("This invitation can't be used now"));
    }
    let seen = type_from("203.0.113.7", &good).await;
    assert!(seen.has("Try again in 60 minutes.") || seen.has("Try again in 61 minutes."), "{}", seen.html);
    assert!(type_from("203.0.113.8", &good).await.has("takes part"), "another address is not held back");
    town.pass(61 * Timestamp::MINUTE);
    assert!(type_from("203.0.113.7", &good).await.has("takes part"), "an hour later it may go on");
    town.close().await;
}

#[tokio::test]
async fn groups_shops_and_what_only_the_app_has_are_pages_too() {
    let town = Town::open().await;
    let (shop, group, _) = invited(&town, "모퉁이 카페", 1).await;
    let profile = Profile::new("감나무 골목", Scope::Area);
    let op = shop.device.op(town.now(), OpBody::AmendProfile { group, profile });
    town.applied(&[&op]).await;
    let seen = look(&town, &format!("/g/{group}")).await;
    assert!(seen.has("감나무 골목") && seen.has("모퉁이 카페") && seen.has(&format!("moa://g/{group}")));
    assert_eq!(seen.header("x-robots-tag"), "", "a group may be found");
    assert!(look(&town, &format!("/G/{}", group.to_string().to_uppercase())).await.has("감나무 골목"));
    let seen = look(&town, &format!("/s/{}", shop.merchant)).await;
    assert!(
        seen.has("모퉁이 카페") && seen.has("감나무 골목") && seen.has(&format!("moa://s/{}", shop.merchant))
    );
    assert!(look(&town, &format!("/w/{group}")).await.has(&format!("moa://w/{group}")));
    assert!(look(&town, "/t/--8AEGm3").await.has("moa://t/--8AEGm3"));
    for nothing in ["/g/12", "/s/zz", "/w/1", "/b/00", "/t/====", &format!("/g/{}", "0".repeat(32))] {
        let seen = look(&town, nothing).await;
        assert!(seen.status == 404 && seen.has("찾을 수 없는 곳"), "{nothing}");
    }
    town.close().await;
}

#[tokio::test]
async fn edge_46_a_messengers_in_app_browser_is_shown_the_way_out_and_the_store() {
    let apps = Apps {
        android_package: Some("example.moa".to_owned()),
        store_android: Some("https://play.google.com/store/apps/details?id=example.moa".to_owned()),
        store_ios: Some("https://apps.apple.com/kr/app/id1".to_owned()),
        ..Apps::default()
    };
    let town = Town::open_with(tempfile::tempdir().unwrap(), NOON, |local| Config { apps, ..local }).await;
    invited(&town, "모퉁이 카페", 1).await;
    let seen = look_as(&town, &path(TOKEN), KAKAO_ANDROID).await;
    assert!(seen.has(&format!("href=\"intent://i/{}#Intent;scheme=moa;package=example.moa;", TOKEN.hex())));
    assert!(seen.has("href=\"kakaotalk://web/openExternal?url=http%3A%2F%2F127"));
    assert!(seen.has("id=example.moa&amp;referrer=moa%3Di%2F") && !seen.has("apps.apple.com"));
    let desktop = look(&town, &path(TOKEN)).await;
    assert!(desktop.has("apps.apple.com") && desktop.has("play.google.com") && !desktop.has("kakaotalk://"));
    town.close().await;
}

#[tokio::test]
async fn systems_are_told_whose_the_links_are_if_the_server_was() {
    let cert = vec!["A5"; 32].join(":");
    let apps = Apps {
        android_package: Some("example.moa".to_owned()),
        android_certs: vec![cert.clone()],
        ios_app_id: Some("ABCDE12345.example.moa".to_owned()),
        ..Apps::default()
    };
    let (links, association) = ("/.well-known/assetlinks.json", "/.well-known/apple-app-site-association");
    let town = Town::open().await;
    for path in [links, association] {
        assert_eq!(town.get(path, None).await.status(), 404);
    }
    town.close().await;
    let town = Town::open_with(tempfile::tempdir().unwrap(), NOON, |local| Config { apps, ..local }).await;
    let answer = town.get(links, None).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    let told: serde_json::Value = read(answer).await;
    assert_eq!(told[0]["target"]["package_name"], "example.moa");
    assert_eq!(told[0]["target"]["sha256_cert_fingerprints"][0], cert);
    let answer = town.get(association, None).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    let told: serde_json::Value = read(answer).await;
    let details = &told["applinks"]["details"][0];
    assert_eq!(details["appIDs"][0], "ABCDE12345.example.moa");
    assert_eq!(
        (&details["components"][0]["/"], details["components"][0]["caseSensitive"].as_bool()),
        (&"/i/*".into(), Some(false))
    );
    town.close().await;
}
