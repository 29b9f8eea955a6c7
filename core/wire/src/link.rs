//! Deep links: every screen has one (A17).
//!
//! `https://…/g/<id>` and `moa://g/<id>`; the id in hex of either case, so that a poster's QR can be all upper case and
//! stay in the denser alphanumeric mode.

use data_encoding::HEXLOWER;
use moa_rules::id::{GroupId, MerchantId};

use crate::keys::plausible;

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
        }
    }
}

/// The link to a screen below `base`, such as `https://moa.example`.
pub fn link(destination: Destination, base: &str) -> String {
    format!("{}/{}", base.trim_end_matches('/'), destination.path())
}

/// The link for a poster: upper case, which means the same here and makes a smaller QR.
pub fn poster(destination: Destination, base: &str) -> String {
    link(destination, base).to_uppercase()
}

/// The link for apps on the same phone.
pub fn app_link(destination: Destination) -> String {
    format!("moa://{}", destination.path())
}

/// The screen that a link leads to, if it is one of ours: below `base`, or with our own scheme.
pub fn parse(text: &str, base: &str) -> Option<Destination> {
    if text.len() > 512 || !text.is_ascii() {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let base = base.trim_end_matches('/').to_ascii_lowercase();
    let path = text.strip_prefix("moa://").or_else(|| text.strip_prefix(&base)?.strip_prefix('/'))?;
    let path = path.split(['?', '#']).next()?.trim_end_matches('/');
    match path.split_once('/')? {
        ("g", id) => id.parse().ok().map(Destination::Group),
        ("s", id) => id.parse().ok().map(Destination::Merchant),
        ("w", id) => id.parse().ok().map(Destination::Wallet),
        ("b", key) => BrowserKey::read(key).map(Destination::Browser),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Signer, SoftwareKey};
    use crate::qr;
    use proptest::prelude::*;

    const BASE: &str = "https://moa.example/";

    #[test]
    fn links_read_back_in_every_form() {
        for destination in [
            Destination::Group(GroupId([0xa5; 16])),
            Destination::Merchant(MerchantId([1; 16])),
            Destination::Wallet(GroupId([2; 16])),
            Destination::Browser(browser()),
        ] {
            for text in [link(destination, BASE), poster(destination, BASE), app_link(destination)] {
                assert_eq!(parse(&text, BASE), Some(destination), "{text}");
            }
            let tracked = format!("{}?utm_source=chat#top", link(destination, BASE));
            assert_eq!(parse(&tracked, BASE), Some(destination));
        }
    }

    fn browser() -> BrowserKey {
        let key = SoftwareKey::generate().unwrap().0.public_key();
        let read = BrowserKey::of(&key).unwrap();
        assert_eq!(read.public_key(), key);
        read
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
    fn a_posters_link_fits_a_version_5_qr() {
        let poster =
            poster(Destination::Group(GroupId([0xff; 16])), "https://join.a-rather-long-name.example");
        assert!(qr::matrix(&poster).unwrap().side <= 37, "version 5 is 37 modules wide");
    }

    #[test]
    fn strangers_links_lead_nowhere() {
        for text in [
            "https://moa.example.evil/g/a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            "https://moa.example/g/12",
            "https://moa.example/",
            "moa://",
            "moa://x/a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
        ] {
            assert_eq!(parse(text, BASE), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(text in ".{0,600}") {
            let _ = parse(&text, BASE);
        }
    }
}
