//! Deep links: every screen has one (A17).
//!
//! `https://…/g/<id>` and `moa://g/<id>`; the id in hex of either case, so that a poster's QR can be all upper case and
//! stay in the denser alphanumeric mode. The same path comes as a parameter `moa` where an app is opened by another (what
//! `KakaoLink` hands over) or was installed through a link (the install referrer of Google Play).

use std::borrow::Cow;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use moa_rules::id::{GroupId, MerchantId};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::invitation::{InvitationCode, InvitationToken};
use crate::keys::plausible;

/// The most bytes of a text that is looked at as a link.
pub const MAX_LINK: usize = 2_048;

/// The scheme of our own app.
const SCHEME: &str = "moa://";

/// What every link from KakaoTalk begins with, before the app's key there, and what follows the key.
const KAKAO: (&str, &str) = ("kakao", "://kakaolink");

/// The parameter whose value is the path of a link.
const PARAMETER: &str = "moa";

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// A group: its terms and members.
    Group(GroupId),
    /// A shop and its groups.
    Merchant(MerchantId),
    /// The buyer's own wallet in a group.
    Wallet(GroupId),
    /// A browser that wants in, by the public half of its key.
    Browser(BrowserKey),
    /// An invitation, by the token that its link carries.
    Invitation(InvitationToken),
    /// An invitation, by the eight characters that stand for it.
    InvitationCode(InvitationCode),
}

/// The public half of a browser's key: both coordinates of a P-256 point. In hex in a link, 128 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrowserKey([u8; 64]);

impl BrowserKey {
    /// Of an uncompressed point, 65 bytes. None for what cannot be one.
    pub fn of(public_key: &[u8]) -> Option<Self> {
        let coordinates = public_key.get(1..).filter(|_| plausible(public_key))?;
        coordinates.try_into().ok().map(Self)
    }

    /// The uncompressed point, 65 bytes.
    pub fn public_key(self) -> Vec<u8> {
        [&[4], &self.0[..]].concat()
    }

    fn read(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| Self::of(&[&[4], &bytes[..]].concat()))
    }
}

impl Destination {
    fn path(self) -> String {
        match self {
            Self::Group(id) => format!("g/{id}"),
            Self::Merchant(id) => format!("s/{id}"),
            Self::Wallet(id) => format!("w/{id}"),
            Self::Browser(key) => format!("b/{}", HEXLOWER.encode(&key.0)),
            Self::Invitation(token) => format!("i/{}", token.hex()),
            Self::InvitationCode(code) => format!("c/{}", code.characters()),
        }
    }
}

/// The link to a screen below `base`, such as `https://moa.example`.
pub fn link(destination: Destination, base: &str) -> String {
    below(base, &destination.path())
}

/// The link for a poster: upper case, which means the same here and makes a smaller QR.
pub fn poster(destination: Destination, base: &str) -> String {
    link(destination, base).to_uppercase()
}

/// The link for apps on the same phone.
pub fn app_link(destination: Destination) -> String {
    format!("{SCHEME}{}", destination.path())
}

/// What `KakaoLink` is told to open the app with, on Android and on iOS: `moa=i/…`, as `key=value`.
pub fn parameter(destination: Destination) -> (&'static str, String) {
    (PARAMETER, destination.path())
}

/// The same for an app that is yet to be installed, encoded to be the value of `referrer=` in a link to Google Play.
pub fn referrer(destination: Destination) -> String {
    let (name, path) = parameter(destination);
    utf8_percent_encode(&format!("{name}={path}"), NON_ALPHANUMERIC).to_string()
}

/// The link of a signed token, such as a staff invitation: what its QR says, for where there is no camera.
pub fn token_link(token: &[u8], base: &str) -> String {
    below(base, &format!("t/{}", BASE64URL_NOPAD.encode(token)))
}

fn below(base: &str, path: &str) -> String {
    format!("{}/{path}", base.trim_end_matches('/'))
}

/// Where a link of ours leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// To a screen.
    Screen(Destination),
    /// To what a token says, by its bytes.
    Token(Vec<u8>),
    /// Nowhere: it is cut off, or of a newer app.
    Broken,
}

/// The screen that a link leads to, if it is one of ours: below `base`, with our own scheme, or in parameters.
pub fn parse(text: &str, base: &str) -> Option<Destination> {
    match target(text, base)? {
        Target::Screen(destination) => Some(destination),
        Target::Token(_) | Target::Broken => None,
    }
}

/// Where a text leads, if it is a link of ours.
pub(crate) fn target(text: &str, base: &str) -> Option<Target> {
    if text.len() > MAX_LINK || !text.is_ascii() {
        return None;
    }
    let text = text.trim();
    let linked = path(text, base).map(Cow::Borrowed);
    let path = linked.or_else(|| in_parameters(text, base).map(Cow::Owned))?;
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    Some(read(path).unwrap_or(Target::Broken))
}

/// What follows the address of our links or the scheme of our app. The address counts with its scheme or without, as
/// messengers show it.
fn path<'a>(text: &'a str, base: &str) -> Option<&'a str> {
    let base = base.trim_end_matches('/');
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    let below = |base: &str| after(text, base)?.strip_prefix('/');
    after(text, SCHEME).or_else(|| below(base)).or_else(|| below(host).filter(|_| !host.is_empty()))
}

/// What follows `start`, of either case.
fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(tail)
}

/// The path in parameters: `moa=i/…` among others, of `KakaoLink` or of an install referrer. The latter may come with its
/// encoding as it was in the link.
fn in_parameters(text: &str, base: &str) -> Option<String> {
    let query = match after(text, KAKAO.0).and_then(|rest| rest.split_once(KAKAO.1)) {
        Some((_, rest)) => rest.split_once('?')?.1,
        None if text.contains("://") => return None,
        None => text,
    };
    let query = if query.contains('=') { Cow::Borrowed(query) } else { decoded(query)? };
    let value = query.split('&').find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == PARAMETER));
    let value = decoded(value?.1)?;
    Some(path(&value, base).unwrap_or(&value).to_owned())
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

fn read(path: &str) -> Option<Target> {
    let (kind, rest) = path.split_once('/')?;
    let lower = rest.to_ascii_lowercase();
    let screen = match kind.to_ascii_lowercase().as_str() {
        "g" => lower.parse().ok().map(Destination::Group),
        "s" => lower.parse().ok().map(Destination::Merchant),
        "w" => lower.parse().ok().map(Destination::Wallet),
        "b" => BrowserKey::read(&lower).map(Destination::Browser),
        "i" => lower.parse().ok().map(Destination::Invitation),
        "c" => InvitationCode::read(rest).ok().map(Destination::InvitationCode),
        // Base 64 knows two cases.
        "t" => return BASE64URL_NOPAD.decode(rest.as_bytes()).ok().map(Target::Token),
        _ => None,
    };
    screen.map(Target::Screen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Signer, SoftwareKey};
    use crate::qr;
    use proptest::prelude::*;

    const BASE: &str = "https://moa.example/";

    fn screens() -> [Destination; 6] {
        [
            Destination::Group(GroupId([0xa5; 16])),
            Destination::Merchant(MerchantId([1; 16])),
            Destination::Wallet(GroupId([2; 16])),
            Destination::Browser(browser()),
            Destination::Invitation(InvitationToken([0xd7; 16])),
            Destination::InvitationCode(InvitationCode::of(12_345_678_901)),
        ]
    }

    fn browser() -> BrowserKey {
        let key = SoftwareKey::generate().unwrap().0.public_key();
        let read = BrowserKey::of(&key).unwrap();
        assert_eq!(read.public_key(), key);
        read
    }

    #[test]
    fn links_read_back_in_every_form() {
        for destination in screens() {
            let link = link(destination, BASE);
            let (name, path) = parameter(destination);
            let encoded = utf8_percent_encode(&path, NON_ALPHANUMERIC);
            for text in [
                link.clone(),
                poster(destination, BASE),
                app_link(destination),
                app_link(destination).to_uppercase(),
                format!("{link}/?utm_source=chat#top"),
                link["https://".len()..].to_owned(),
                format!("kakao0123456789abcdef://kakaolink?{name}={path}"),
                format!("kakao0123456789abcdef://kakaolink?from=chat&{name}={encoded}&x="),
                format!("{name}={path}"),
                format!("utm_source=google-play&utm_medium=organic&{name}={encoded}"),
                referrer(destination),
                format!("utm_source%3Dposter%26{}", referrer(destination)),
                format!("{name}={}", utf8_percent_encode(&link, NON_ALPHANUMERIC)),
            ] {
                assert_eq!(parse(&text, BASE), Some(destination), "{text}");
            }
        }
    }

    #[test]
    fn a_referrer_has_nothing_in_it_that_a_link_would_end_at() {
        let invitation = Destination::Invitation(InvitationToken([0xd7; 16]));
        assert_eq!(referrer(invitation), format!("moa%3Di%2F{}", "d7".repeat(16)));
    }

    #[test]
    fn a_token_keeps_its_case() {
        let token = [0xfb, 0xef, 0x00, 0x10, 0x69, 0xb7];
        let text = token_link(&token, BASE);
        assert_eq!(text, "https://moa.example/t/--8AEGm3");
        assert_eq!(target(&text, BASE), Some(Target::Token(token.to_vec())));
        assert_eq!(target("MOA://T/--8AEGm3", BASE), Some(Target::Token(token.to_vec())));
        assert_eq!(parse(&text, BASE), None, "a token is no screen");
    }

    #[test]
    fn a_browsers_link_fits_a_version_9_qr() {
        let text = poster(Destination::Browser(browser()), "https://join.a-rather-long-name.example");
        assert!(qr::matrix(&text).unwrap().side <= 53, "version 9 is 53 modules wide");
        for no_key in [&[][..], &[4; 64], &[5; 65], &[4; 66]] {
            assert_eq!(BrowserKey::of(no_key), None, "{no_key:?}");
        }
    }

    #[test]
    fn a_posters_link_and_an_invitations_fit_a_version_5_qr() {
        for screen in
            [Destination::Group(GroupId([0xff; 16])), Destination::Invitation(InvitationToken([0xff; 16]))]
        {
            let poster = poster(screen, "https://join.a-rather-long-name.example");
            assert!(qr::matrix(&poster).unwrap().side <= 37, "version 5 is 37 modules wide");
        }
    }

    #[test]
    fn strangers_links_lead_nowhere() {
        for text in [
            "",
            "https://moa.example.evil/g/a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            "https://moa.example@evil.example/g/a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            "https://evil.example/?moa=g/a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            "ftp://moa.example/g/a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            "kakao0123://kakaotalk?moa=g/a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            "kakao0123://kakaolink",
            "utm_source=google-play&utm_medium=organic",
            "moa.example",
        ] {
            assert_eq!(target(text, BASE), None, "{text}");
        }
    }

    #[test]
    fn links_of_ours_that_are_cut_off_are_ours() {
        for text in [
            "https://moa.example/g/12",
            "https://moa.example/",
            "HTTPS://MOA.EXAMPLE/I/D7D7D7",
            "moa://",
            "moa://x/a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            "moa://c/0000000Z",
            "moa://t/====",
            "moa=i/d7d7",
        ] {
            assert_eq!(target(text, BASE), Some(Target::Broken), "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(text in ".{0,600}", path in "[a-z0-9%/=&?.:]{0,80}") {
            let _ = target(&text, BASE);
            for text in [format!("moa://{path}"), format!("moa={path}"), format!("kakao1://kakaolink?{path}")] {
                let _ = target(&text, BASE);
            }
            let _ = target(&path, "");
        }
    }
}
