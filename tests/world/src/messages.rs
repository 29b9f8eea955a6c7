//! Text messages, as the development inbox shows them: how whoever lives in a town gets the code of an enrolment.

use std::time::Duration;

use moa_phone::Transport;
use serde::Deserialize;

use crate::Failure;
use crate::network::get;

/// How often the inbox is looked into.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a message may take.
const MOST: Duration = Duration::from_secs(20);

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// That of the enrolment.
    pub id: String,
    /// What the phone shows.
    pub text: String,
}

impl Message {
    /// The six digits in it.
    pub fn code(&self) -> Option<&str> {
        let digits = self.text.split(|letter: char| !letter.is_ascii_digit());
        digits.into_iter().find(|digits| digits.len() == 6)
    }
}

#[derive(Deserialize)]
struct Inbox {
    messages: Vec<Message>,
}

/// The messages for a number so far, oldest first.
///
/// # Errors
/// If the server does not show them.
pub async fn messages(way: &dyn Transport, number: &str) -> Result<Vec<Message>, Failure> {
    let number = number.replace('+', "%2B").replace(' ', "%20");
    let inbox: Inbox = get(way, format!("/v1/development/inbox?phone={number}")).await?;
    Ok(inbox.messages)
}

/// The next message for a number that `wanted` accepts; the job that sends it may take a moment.
///
/// # Errors
/// If the server does not show it, or none comes.
pub async fn wait_for(
    way: &dyn Transport,
    number: &str,
    wanted: impl Fn(&Message) -> bool,
) -> Result<Message, Failure> {
    let looking = async {
        loop {
            let came = messages(way, number).await?.into_iter().rfind(&wanted);
            match came {
                Some(message) => return Ok(message),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    let none = |_| Failure::from(format!("no message for {number} in {} seconds", MOST.as_secs()));
    tokio::time::timeout(MOST, looking).await.map_err(none)?
}
