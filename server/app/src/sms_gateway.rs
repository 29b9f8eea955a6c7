//! Text messages by whatever service takes them over HTTP.
//!
//! Services differ in the names of their fields: the body is a JSON template, in whose texts `{to}`, `{text}` and `{id}` are
//! filled in. The id goes along as Idempotency-Key too, for services that know it.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use futures_util::future::BoxFuture;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

use crate::carrier::{Carrier, NotSent};
use crate::config::{BadSetting, SmsSettings};

/// For how long the service may take; below what a job waits.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest pause that a service may ask for, in seconds.
const LONGEST_PAUSE_S: u64 = 3_600;

/// A service that sends text messages.
pub(crate) struct SmsGateway {
    client: Client,
    settings: SmsSettings,
    body: Value,
}

impl SmsGateway {
    pub(crate) fn new(settings: &SmsSettings) -> Result<Self, BadSetting> {
        Self::with_timeout(settings, TIMEOUT)
    }

    fn with_timeout(settings: &SmsSettings, timeout: Duration) -> Result<Self, BadSetting> {
        let near = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
        let after = |start: &str| settings.url.strip_prefix(start);
        let local = near.into_iter().filter_map(after).any(|rest| rest.starts_with([':', '/']));
        if !local && !settings.url.starts_with("https://") {
            return Err(BadSetting::SmsUrl);
        }
        let body: Value = serde_json::from_str(&settings.body).map_err(|_| BadSetting::SmsBody)?;
        let written = body.to_string();
        if !written.contains("{to}") || !written.contains("{text}") {
            return Err(BadSetting::SmsBody);
        }
        let client = Client::builder()
            .tls_backend_preconfigured(tls().ok_or(BadSetting::Tls)?)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(timeout)
            .build()
            .map_err(|_| BadSetting::Tls)?;
        Ok(Self { client, settings: settings.clone(), body })
    }
}

/// TLS with the roots that browsers trust.
fn tls() -> Option<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    Some(versions.with_root_certificates(roots).with_no_client_auth())
}

impl Carrier for SmsGateway {
    fn send<'a>(&'a self, id: [u8; 16], to: &'a str, text: &'a str) -> BoxFuture<'a, Result<(), NotSent>> {
        Box::pin(async move {
            let id = HEXLOWER.encode(&id);
            let body = filled(&self.body, &[("{id}", &id), ("{to}", to), ("{text}", text)]);
            let mut request = self.client.post(&self.settings.url).header("idempotency-key", &id).json(&body);
            if let Some(token) = &self.settings.token {
                request = request.bearer_auth(&token.0);
            }
            // What it says besides may hold the number: nothing of it gets into the log.
            let answer = request.send().await.map_err(|error| {
                NotSent::later(if error.is_timeout() {
                    "the service took too long"
                } else {
                    "the service was not reached"
                })
            })?;
            let status = answer.status();
            if status.is_success() {
                return Ok(());
            }
            let reason = format!("the service said {}", status.as_u16());
            let wait = answer
                .headers()
                .get(RETRY_AFTER)
                .and_then(|wait| wait.to_str().ok()?.trim().parse::<u64>().ok());
            Err(match (status, wait) {
                (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(wait)) => {
                    NotSent::after(wait.min(LONGEST_PAUSE_S), reason)
                }
                // Keys, quotas and addresses are put right by whoever runs the server; a number is not.
                (StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY, _) => NotSent::never(reason),
                _ => NotSent::later(reason),
            })
        })
    }
}

/// The template with its texts filled in, each place once: what is filled in is not looked at again.
fn filled(template: &Value, with: &[(&str, &str)]) -> Value {
    match template {
        Value::String(text) => Value::String(filled_text(text, with)),
        Value::Array(items) => Value::Array(items.iter().map(|item| filled(item, with)).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), filled(value, with))).collect())
        }
        other => other.clone(),
    }
}

fn filled_text(text: &str, with: &[(&str, &str)]) -> String {
    let next = with.iter().filter_map(|(place, value)| text.find(place).map(|at| (at, place, value))).min();
    match next {
        None => text.to_owned(),
        Some((at, place, value)) => {
            format!("{}{value}{}", &text[..at], filled_text(&text[at + place.len()..], with))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::Then;
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn a_template_is_filled_in_once_whatever_the_text_says() {
        let template =
            json!({ "messages": [{ "to": "{to}", "content": "{text} ({id})", "kind": 1 }], "country": "82" });
        let with = [("{id}", "a5"), ("{to}", "+821012345678"), ("{text}", "\"{to}\" & {id}\n")];
        assert_eq!(
            filled(&template, &with),
            json!({
                "messages": [{ "to": "+821012345678", "content": "\"{to}\" & {id}\n (a5)", "kind": 1 }],
                "country": "82",
            })
        );
    }

    /// What comes of a message, where a service answers this, or nothing.
    async fn sent(answer: Option<&'static str>) -> Result<(), NotSent> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let settings = SmsSettings { url, body: SmsSettings::BODY.to_owned(), token: None };
        // Long enough for a slow machine to be answered, short enough for nobody to wait for the one that is not.
        let timeout = if answer.is_some() { TIMEOUT } else { Duration::from_millis(300) };
        let gateway = SmsGateway::with_timeout(&settings, timeout).unwrap();
        let service = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            if let Some(answer) = answer {
                let mut asked = [0; 4_096];
                assert!(stream.read(&mut asked).await.unwrap() > 0);
                stream
                    .write_all(
                        format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                            .as_bytes(),
                    )
                    .await
                    .unwrap();
                return;
            }
            std::future::pending::<()>().await;
        });
        let sent = gateway.send([1; 16], "+821012345678", "hello").await;
        service.abort();
        sent
    }

    #[tokio::test]
    async fn what_a_service_answers_says_what_becomes_of_a_message() {
        for (answer, then) in [
            (Some("429 Wait\r\nretry-after: 30"), Then::After(30)),
            (Some("503 Busy\r\nretry-after: 999999999"), Then::After(LONGEST_PAUSE_S)),
            (Some("429 Wait\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT"), Then::Later),
            (Some("500 Broken"), Then::Later),
            (Some("401 Whose?"), Then::Later),
            (Some("302 Elsewhere\r\nlocation: http://127.0.0.1:1/"), Then::Later),
            (Some("400 No number"), Then::Never),
            (None, Then::Later),
        ] {
            assert_eq!(sent(answer).await.unwrap_err().then, then, "{answer:?}");
        }
        assert_eq!(sent(Some("202 Taken")).await, Ok(()));
    }

    #[test]
    fn settings_that_cannot_be_used_are_told_at_the_start() {
        let settings = |url: &str, body: &str| {
            SmsGateway::new(&SmsSettings { url: url.to_owned(), body: body.to_owned(), token: None }).err()
        };
        let body = SmsSettings::BODY;
        assert!(settings("https://sms.example/send", body).is_none());
        assert!(settings("http://127.0.0.1:9/send", body).is_none());
        for bad in ["http://sms.example/send", "http://127.0.0.1.example/", "sms.example"] {
            assert!(matches!(settings(bad, body), Some(BadSetting::SmsUrl)), "{bad}");
        }
        for bad in ["", "{", r#"{"to":"{to}"}"#, r#"{"text":"{text}"}"#] {
            assert!(matches!(settings("https://sms.example/", bad), Some(BadSetting::SmsBody)), "{bad}");
        }
    }
}
