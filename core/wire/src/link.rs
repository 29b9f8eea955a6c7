//! Deep links: every screen has one (A17).
//!
//! `https://…/g/<id>` and `moa://g/<id>`; the id in hex of either case, so that a poster's QR can be all upper case and
//! stay in the denser alphanumeric mode.

use moa_rules::id::{GroupId, MerchantId};

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// A group: its terms and members.
    Group(GroupId),
    /// A shop and its groups.
    Merchant(MerchantId),
    /// The buyer's own wallet in a group.
    Wallet(GroupId),
}

impl Destination {
    fn path(self) -> String {
        match self {
            Self::Group(id) => format!("g/{id}"),
            Self::Merchant(id) => format!("s/{id}"),
            Self::Wallet(id) => format!("w/{id}"),
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
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qr;
    use proptest::prelude::*;

    const BASE: &str = "https://moa.example/";

    #[test]
    fn links_read_back_in_every_form() {
        for destination in [
            Destination::Group(GroupId([0xa5; 16])),
            Destination::Merchant(MerchantId([1; 16])),
            Destination::Wallet(GroupId([2; 16])),
        ] {
            for text in [link(destination, BASE), poster(destination, BASE), app_link(destination)] {
                assert_eq!(parse(&text, BASE), Some(destination), "{text}");
            }
            let tracked = format!("{}?utm_source=chat#top", link(destination, BASE));
            assert_eq!(parse(&tracked, BASE), Some(destination));
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
