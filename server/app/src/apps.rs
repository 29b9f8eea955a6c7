//! The apps that links of this server open, as their systems and stores know them.

use moa_wire::link::{self, Destination};

/// The longest name of an app.
const MAX_NAME: usize = 200;

/// What is known of the apps. Without any of it, links still open an app that is there by its own scheme.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apps {
    /// The package on Android: `example.moa`.
    pub android_package: Option<String>,
    /// SHA-256 of each certificate that signs it, in hex with colons, as Android's tools print it.
    pub android_certs: Vec<String>,
    /// The app on iOS, with the prefix of its team: `ABCDE12345.example.moa`.
    pub ios_app_id: Option<String>,
    /// Its address at Google Play.
    pub store_android: Option<String>,
    /// Its address at the App Store.
    pub store_ios: Option<String>,
}

impl Apps {
    /// The store on Android, which hands the app the screen at which it is to begin once it is installed.
    pub(crate) fn store_android(&self, destination: Destination) -> Option<String> {
        let store = self.store_android.as_ref()?;
        let joint = if store.contains('?') { '&' } else { '?' };
        Some(format!("{store}{joint}referrer={}", link::referrer(destination)))
    }
}

/// A package of Android.
///
/// # Errors
/// What it must look like.
pub fn android_package(text: &str) -> Result<String, String> {
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
    };
    let good = text.len() <= MAX_NAME && text.contains('.') && text.split('.').all(part);
    good.then(|| text.to_owned()).ok_or_else(|| "it must read like example.moa".to_owned())
}

/// A certificate's SHA-256.
///
/// # Errors
/// What it must look like.
pub fn android_cert(text: &str) -> Result<String, String> {
    let byte = |byte: &str| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit());
    let good = text.split(':').count() == 32 && text.split(':').all(byte);
    good.then(|| text.to_ascii_uppercase())
        .ok_or_else(|| "it must be 32 bytes in hex with colons between, as keytool prints SHA256".to_owned())
}

/// An app of iOS.
///
/// # Errors
/// What it must look like.
pub fn ios_app_id(text: &str) -> Result<String, String> {
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'.';
    let team = |team: &str| team.len() == 10 && team.bytes().all(|letter| letter.is_ascii_alphanumeric());
    let parts = text.split_once('.');
    let good =
        parts.is_some_and(|(prefix, bundle)| team(prefix) && !bundle.is_empty() && bundle.bytes().all(plain));
    let good = good && text.len() <= MAX_NAME;
    good.then(|| text.to_owned()).ok_or_else(|| "it must read like ABCDE12345.example.moa".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_apps_are_read_and_what_is_none_is_refused() {
        assert_eq!(android_package("example.moa_app.v2").as_deref(), Ok("example.moa_app.v2"));
        for bad in ["", "moa", "example..moa", "example.moa;end", "1.moa", "example.모아", "example.moa "] {
            assert!(android_package(bad).is_err(), "{bad}");
        }
        let cert = vec!["a5"; 32].join(":");
        assert_eq!(android_cert(&cert), Ok(cert.to_ascii_uppercase()));
        for bad in ["", "a5", &cert[3..], &format!("{cert}:a5"), &cert.replace("a5", "zz")] {
            assert!(android_cert(bad).is_err(), "{bad}");
        }
        assert_eq!(ios_app_id("ABCDE12345.example.moa").as_deref(), Ok("ABCDE12345.example.moa"));
        for bad in ["", "example.moa", "ABCDE12345.", "ABCDE12345.a b", "ABCDE1234.example.moa"] {
            assert!(ios_app_id(bad).is_err(), "{bad}");
        }
    }
}
