//! What a server is told when it starts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use crate::apps::Apps;

/// How a server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder that keeps everything: database, key, pepper.
    pub data: PathBuf,
    /// The address of a PostgreSQL database, `postgres://user@host/name`, in place of the one in the folder.
    pub database: Option<String>,
    /// Where it listens. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address at which phones reach it, for links, the API document, and proofs of requests; without one, where it
    /// listens, and for proofs the host that a request names.
    pub link_base: Option<String>,
    /// The apps that links open.
    pub apps: Apps,
    /// What takes text messages to phones.
    pub carrier: CarrierKind,
    /// The service that sends text messages, in place of the carrier.
    pub sms: Option<SmsSettings>,
    /// The mail server; without one, mails are only kept.
    pub mail: Option<MailSettings>,
    /// The most connections at once; more wait to be accepted.
    pub connections: usize,
    /// Limits on codes.
    pub limits: Limits,
    /// A font with Hangul for posters; without one, that of Debian's `fonts-nanum`, if it is there.
    pub font: Option<PathBuf>,
    /// Whether the clock stands until `POST /v1/test/clock` moves it. For tests, and only on loopback.
    pub test_clock: bool,
}

impl Config {
    /// Connections at once, unless told otherwise: below the 1 024 files that a process may commonly open.
    pub const CONNECTIONS: usize = 900;

    /// A server on a free port of this machine alone, with the development carrier.
    pub fn local(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            database: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            link_base: None,
            apps: Apps::default(),
            carrier: CarrierKind::Development,
            sms: None,
            mail: None,
            connections: Self::CONNECTIONS,
            limits: Limits::default(),
            font: None,
            test_clock: false,
        }
    }
}

/// A text that does not get into logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// `smtps://host` or `smtp://host:port`, without user and password. Encrypted, unless it is on this machine.
    pub url: String,
    /// The mailbox that mails come from: `Moa <moa@moa.example>`.
    pub from: String,
    /// User and password, if it wants them.
    pub credentials: Option<(String, Secret)>,
}

/// A service that sends text messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsSettings {
    /// Where it takes them.
    pub url: String,
    /// A JSON template, in whose texts `{to}`, `{text}` and `{id}` are filled in.
    pub body: String,
    /// The bearer token, if it wants one.
    pub token: Option<Secret>,
}

impl SmsSettings {
    /// The body, unless told otherwise.
    pub const BODY: &str = r#"{"id":"{id}","to":"{to}","text":"{text}"}"#;
}

/// A setting that cannot be used. Says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// The mail server's address.
    #[error("--smtp must read like smtps://mail.example or smtp://mail.example:587")]
    Smtp,
    /// The mailbox that mails come from.
    #[error("--mail-from must be a mailbox, such as Moa <moa@moa.example>")]
    MailFrom,
    /// The service's address.
    #[error("--sms-url must begin with https://, or be on this machine")]
    SmsUrl,
    /// The template of what is sent to it.
    #[error("--sms-body must be JSON with {{to}} and {{text}} in it")]
    SmsBody,
    /// TLS is not to be had, which is a bug.
    #[error("TLS cannot be set up")]
    Tls,
}

/// Limits on codes: a text message costs money, and may be a nuisance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Codes that may be sent in 24 hours, by country calling code.
    pub daily_codes: Vec<DailyCodes>,
    /// Codes that one network address may ask for in an hour. Phones of one carrier may share an address.
    pub codes_per_address: u32,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            daily_codes: vec![DailyCodes { dial_code: Some(82), most: 20_000 }],
            codes_per_address: Self::CODES_PER_ADDRESS,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Limits {
    /// Codes an hour and address, unless told otherwise.
    pub const CODES_PER_ADDRESS: u32 = 60;
    /// Codes in 24 hours to a country that has no budget of its own: enough for travellers, not for pumping.
    pub const ELSEWHERE: u32 = 100;

    /// The budget of a country.
    pub(crate) fn daily(&self, dial_code: u16) -> u32 {
        let own = self.daily_codes.iter().find(|daily| daily.dial_code == Some(dial_code));
        let elsewhere = || self.daily_codes.iter().find(|daily| daily.dial_code.is_none());
        own.or_else(elsewhere).map_or(Self::ELSEWHERE, |daily| daily.most)
    }
}

/// How many codes may be sent in 24 hours to numbers of a country, written `82=20000`; to all others, `*=100`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyCodes {
    /// The country calling code; none for those without a budget of their own.
    pub dial_code: Option<u16>,
    /// Codes at most.
    pub most: u32,
}

impl FromStr for DailyCodes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(code, most)| {
            let dial_code = if code == "*" { None } else { Some(code.parse().ok()?) };
            Some(Self { dial_code, most: most.parse().ok()? })
        });
        parts.ok_or_else(|| "it must read like 82=20000, or *=100 for all other countries".to_owned())
    }
}

/// The carriers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CarrierKind {
    /// Sends nothing: shows each message in the log and, on loopback, under `/v1/development/inbox`.
    Development,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_without_a_budget_has_that_of_all_others() {
        let daily = |texts: &[&str]| Limits {
            daily_codes: texts.iter().map(|text| text.parse().unwrap()).collect(),
            ..Limits::default()
        };
        assert_eq!([82, 1].map(|code| Limits::default().daily(code)), [20_000, Limits::ELSEWHERE]);
        assert_eq!([82, 1].map(|code| daily(&["82=5", "*=0"]).daily(code)), [5, 0]);
        for text in ["", "82", "82=", "=5", "82=-1", "x=5", "82=5=5"] {
            assert!(text.parse::<DailyCodes>().is_err(), "{text}");
        }
    }
}
