//! Mail by SMTP.
//!
//! A mail's Message-ID is made of the invitation's id, so that a mail that is sent again after a lost answer is the same
//! mail to whoever keeps it. It says that a program sent it (Auto-Submitted, RFC 3834), so that nobody's automatic answer
//! comes back. There is no List-Unsubscribe: each invitation is one mail that one person asked for, and nothing follows it.
//! Each mail has a connection of its own: they are few, and a kept connection fails in more ways.

use std::time::Duration;

use data_encoding::HEXLOWER;
use futures_util::future::BoxFuture;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use moa_words::invitation::Mail;

use crate::carrier::NotSent;
use crate::config::{BadSetting, MailSettings};
use crate::mailer::Mailer;

/// For how long the mail server may take for one command; below what a job waits for the whole.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A mail server that takes mails.
pub(crate) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    pub(crate) fn new(settings: &MailSettings) -> Result<Self, BadSetting> {
        let from: Mailbox = settings.from.parse().map_err(|_| BadSetting::MailFrom)?;
        let url = encrypted(&settings.url)?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map_err(|_| BadSetting::Smtp)?;
        let mut builder = builder.timeout(Some(TIMEOUT));
        if let Some((user, password)) = &settings.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.0.clone()));
        }
        Ok(Self { transport: builder.build(), from })
    }

    fn message(&self, id: [u8; 16], to: &str, mail: &Mail) -> Option<Message> {
        let to = Mailbox::new(None, to.parse().ok()?);
        let id = format!("<{}@{}>", HEXLOWER.encode(&id), self.from.email.domain());
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .date_now();
        message.multipart(MultiPart::alternative_plain_html(mail.plain.clone(), mail.html.clone())).ok()
    }
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, id: [u8; 16], to: &'a str, mail: &'a Mail) -> BoxFuture<'a, Result<(), NotSent>> {
        Box::pin(async move {
            let message =
                self.message(id, to, mail).ok_or_else(|| NotSent::never("no mail can be made of it"))?;
            self.transport.send(message).await.map(drop).map_err(|error| not_sent(&error))
        })
    }
}

/// What a mail server says may hold the address: the log gets the figure alone.
fn not_sent(error: &Error) -> NotSent {
    match error.status() {
        Some(code) if error.is_permanent() => NotSent::never(format!("the mail server said {code}")),
        Some(code) => NotSent::later(format!("the mail server said {code}")),
        None if error.is_timeout() => NotSent::later("the mail server took too long"),
        None if error.is_tls() => NotSent::later("no encrypted connection to the mail server"),
        None => NotSent::later("no connection to the mail server"),
    }
}

/// The address with encryption, unless the mail server is on this machine.
fn encrypted(url: &str) -> Result<String, BadSetting> {
    let Some(rest) = url.strip_prefix("smtp://") else { return Ok(url.to_owned()) };
    if url.contains("tls=") {
        return Ok(url.to_owned());
    }
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let near = ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|near| host.strip_prefix(near).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    if near {
        return Ok(url.to_owned());
    }
    if url.contains('?') {
        return Err(BadSetting::Smtp);
    }
    Ok(format!("{url}?tls=required"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mail_server_of_this_machine_is_spoken_to_without_encryption() {
        for near in ["smtp://localhost", "smtp://u:p@127.0.0.1:2525", "smtp://[::1]:25/"] {
            assert_eq!(encrypted(near).unwrap(), near);
        }
        assert_eq!(
            encrypted("smtp://u:p@mail.example:587").unwrap(),
            "smtp://u:p@mail.example:587?tls=required"
        );
        assert_eq!(encrypted("smtp://localhost.example").unwrap(), "smtp://localhost.example?tls=required");
        assert_eq!(encrypted("smtps://mail.example").unwrap(), "smtps://mail.example");
    }

    #[test]
    fn settings_that_cannot_be_used_are_told_at_the_start() {
        let settings = |url: &str, from: &str| MailSettings {
            url: url.to_owned(),
            from: from.to_owned(),
            credentials: None,
        };
        assert!(Smtp::new(&settings("smtps://mail.example", "Moa <moa@moa.example>")).is_ok());
        assert!(matches!(
            Smtp::new(&settings("smtps://mail.example", "Moa")).err(),
            Some(BadSetting::MailFrom)
        ));
        for bad in ["mail.example", "http://mail.example", "smtp://", "smtp://mail.example?x=1"] {
            assert!(
                matches!(Smtp::new(&settings(bad, "moa@moa.example")).err(), Some(BadSetting::Smtp)),
                "{bad}"
            );
        }
    }
}
