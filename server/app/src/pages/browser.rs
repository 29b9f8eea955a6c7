//! Which browser asks, as far as a page has to know: a messenger's own, from which an app opens in its own way; one that only
//! makes a preview. Sources are in docs/invitations.md.

use moa_wire::link::{self, Destination};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::apps::Apps;

/// The most bytes of a `User-Agent` that are looked at.
const MOST: usize = 1_024;

/// What each app's own browser says of itself; the first that fits.
const INSIDE: [(&str, Inside); 7] = [
    ("KAKAOTALK", Inside::KakaoTalk),
    (" Line/", Inside::Line),
    ("Instagram", Inside::Instagram),
    ("FBAN/", Inside::Facebook),
    ("FBAV/", Inside::Facebook),
    ("FB_IAB/", Inside::Facebook),
    ("NAVER(inapp", Inside::Naver),
];

/// What programs say that read a page without a person, in lower case: makers of previews, search engines.
const ROBOTS: [&str; 12] = [
    "kakaotalk-scrap",
    "facebookexternalhit",
    "meta-externalagent",
    "line-poker",
    "whatsapp/",
    "skypeuripreview",
    "embedly",
    "yeti/",
    "daumoa",
    "bot",
    "crawler",
    "spider",
];

/// An app that opens links in a browser of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    KakaoTalk,
    Line,
    Facebook,
    Instagram,
    Naver,
}

/// The system below it, where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Android,
    Ios,
    Other,
}

/// A browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Browser {
    pub(super) inside: Option<Inside>,
    pub(super) system: System,
    /// Whether no person looks.
    pub(super) robot: bool,
}

impl Browser {
    /// By its `User-Agent`.
    pub(super) fn of(user_agent: &str) -> Self {
        let agent = user_agent.get(..MOST).unwrap_or(user_agent);
        let lower = agent.to_ascii_lowercase();
        let robot = ROBOTS.iter().any(|name| lower.contains(name));
        let inside = INSIDE.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, inside)| *inside);
        let system = if agent.contains("Android") {
            System::Android
        } else if ["iPhone", "iPad", "iPod"].iter().any(|device| agent.contains(device)) {
            System::Ios
        } else {
            System::Other
        };
        Self { inside: inside.filter(|_| !robot), system, robot }
    }

    /// The link that opens the app at a screen. Android's says where to go when the app is not there.
    pub(super) fn open(self, destination: Destination, apps: &Apps, page: &str) -> String {
        self.open_path(link::app_link(destination), apps, &store(destination, apps, page))
    }

    /// The same for a link of the app's own scheme.
    pub(super) fn open_path(self, app_link: String, apps: &Apps, otherwise: &str) -> String {
        let Some((scheme, path)) = app_link.split_once("://") else { return app_link };
        if self.system != System::Android {
            return app_link;
        }
        let package =
            apps.android_package.as_ref().map(|name| format!("package={name};")).unwrap_or_default();
        let otherwise = encoded(otherwise);
        format!("intent://{path}#Intent;scheme={scheme};{package}S.browser_fallback_url={otherwise};end")
    }

    /// The link that shows this page in the phone's own browser, where there is one.
    pub(super) fn outside(self, page: &str) -> Option<String> {
        match (self.inside?, self.system) {
            (Inside::KakaoTalk, System::Android | System::Ios) => {
                Some(format!("kakaotalk://web/openExternal?url={}", encoded(page)))
            }
            (Inside::Line, System::Android | System::Ios) => {
                let joint = if page.contains('?') { '&' } else { '?' };
                Some(format!("{page}{joint}openExternalBrowser=1"))
            }
            (_, System::Android) => {
                let (scheme, rest) = page.split_once("://")?;
                Some(format!(
                    "intent://{rest}#Intent;scheme={scheme};action=android.intent.action.VIEW;\
                    category=android.intent.category.BROWSABLE;end"
                ))
            }
            _ => None,
        }
    }
}

/// Google Play, told where the app is to begin once it is installed; the page itself, if the app is in no store.
fn store(destination: Destination, apps: &Apps, page: &str) -> String {
    apps.store_android(destination).unwrap_or_else(|| page.to_owned())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use moa_wire::invitation::InvitationToken;

    /// As phones send them.
    const AGENTS: [(&str, Option<Inside>, System); 12] = [
        (
            "Mozilla/5.0 (Linux; Android 13; SM-X706N Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) \
            Version/4.0 Chrome/115.0.5790.138 Safari/537.36;KAKAOTALK 2410310",
            Some(Inside::KakaoTalk),
            System::Android,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
            Mobile/15E148 KAKAOTALK 10.3.1",
            Some(Inside::KakaoTalk),
            System::Ios,
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-S911N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
            Chrome/126.0.0.0 Mobile Safari/537.36 Line/14.9.0/IAB",
            Some(Inside::Line),
            System::Android,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
            Mobile/15E148 Safari Line/14.9.0",
            Some(Inside::Line),
            System::Ios,
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-S911N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
            Chrome/126.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/470.0.0.0;]",
            Some(Inside::Facebook),
            System::Android,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
            Mobile/15E148 [FBAN/FBIOS;FBAV/470.0.0.0;FBDV/iPhone14,5]",
            Some(Inside::Facebook),
            System::Ios,
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-S911N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
            Chrome/126.0.0.0 Mobile Safari/537.36 Instagram 337.0.0.0 Android (34/14; 480dpi)",
            Some(Inside::Instagram),
            System::Android,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
            Version/16.5 Mobile/15E148 Safari/605.1 NAVER(inapp; search; 1010; 11.24.5; 12PRO)",
            Some(Inside::Naver),
            System::Ios,
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-X706N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
            Chrome/102.0.5005.189 Whale/1.0.0.0 Safari/537.36 NAVER(inapp; search; 1010; 11.24.6)",
            Some(Inside::Naver),
            System::Android,
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
            None,
            System::Android,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
            Version/17.5 Mobile/15E148 Safari/604.1",
            None,
            System::Ios,
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            None,
            System::Other,
        ),
    ];

    #[test]
    fn edge_46_each_messengers_own_browser_is_known() {
        for (agent, inside, system) in AGENTS {
            assert_eq!(Browser::of(agent), Browser { inside, system, robot: false }, "{agent}");
        }
    }

    #[test]
    fn edge_45_a_preview_is_no_person() {
        for agent in [
            "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
            "facebookexternalhit/1.1;line-poker/1.0",
            "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
            "TelegramBot (like TwitterBot)",
            "WhatsApp/2.23.20.0",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "Mozilla/5.0 (compatible; Yeti/1.1; +https://naver.me/spd)",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        ] {
            let browser = Browser::of(agent);
            assert!(browser.robot && browser.inside.is_none(), "{agent}");
        }
    }

    #[test]
    fn edge_46_each_browser_has_a_way_out_where_there_is_one() {
        let page = "https://moa.example/i/d7";
        let outside = |inside, system| Browser { inside: Some(inside), system, robot: false }.outside(page);
        assert_eq!(
            outside(Inside::KakaoTalk, System::Ios).as_deref(),
            Some("kakaotalk://web/openExternal?url=https%3A%2F%2Fmoa%2Eexample%2Fi%2Fd7")
        );
        assert_eq!(
            outside(Inside::Line, System::Android).as_deref(),
            Some("https://moa.example/i/d7?openExternalBrowser=1")
        );
        assert_eq!(
            outside(Inside::Instagram, System::Android).as_deref(),
            Some(
                "intent://moa.example/i/d7#Intent;scheme=https;action=android.intent.action.VIEW;\
                category=android.intent.category.BROWSABLE;end"
            )
        );
        assert_eq!(outside(Inside::Facebook, System::Ios), None, "only the person can leave it");
        assert_eq!(Browser { inside: None, system: System::Ios, robot: false }.outside(page), None);
    }

    #[test]
    fn on_android_the_app_is_opened_or_its_store_which_tells_it_where_to_begin() {
        let token = Destination::Invitation(InvitationToken([0xd7; 16]));
        let hex = "d7".repeat(16);
        let page = format!("https://moa.example/i/{hex}");
        let android = Browser { inside: None, system: System::Android, robot: false };
        let apps = Apps {
            android_package: Some("example.moa".to_owned()),
            store_android: Some("https://play.google.com/store/apps/details?id=example.moa".to_owned()),
            ..Apps::default()
        };
        assert_eq!(
            android.open(token, &apps, &page),
            format!(
                "intent://i/{hex}#Intent;scheme=moa;package=example.moa;S.browser_fallback_url=\
                https%3A%2F%2Fplay%2Egoogle%2Ecom%2Fstore%2Fapps%2Fdetails%3Fid%3Dexample%2Emoa%26referrer%3D\
                moa%253Di%252F{hex};end"
            )
        );
        assert_eq!(
            android.open(token, &Apps::default(), &page),
            format!(
                "intent://i/{hex}#Intent;scheme=moa;S.browser_fallback_url=https%3A%2F%2Fmoa%2Eexample%2Fi%2F{hex};end"
            )
        );
        let elsewhere = Browser { system: System::Ios, ..android };
        assert_eq!(elsewhere.open(token, &apps, &page), format!("moa://i/{hex}"));
    }

    #[test]
    fn a_user_agent_of_any_length_is_read() {
        assert_eq!(Browser::of(&"가".repeat(5_000)).system, System::Other);
        assert!(!Browser::of("").robot);
    }
}
