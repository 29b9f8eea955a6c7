//! Effects: what is to be done outside, written with the decision that asked for it and carried out here, each at
//! least once with its own id.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use futures_util::future::join_all;
use moa_ledger::store::{Effect, StoreError};
use moa_rules::time::Timestamp;
use moa_words::{Lang, enrolment_sms};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::carrier::{NotSent, Then};
use crate::invitations::{self, Message, Outgoing};
use crate::night;
use crate::phone_number::PhoneNumber;
use crate::random;

/// Effects that are under way at once.
const AT_ONCE: usize = 16;
/// How often effects are looked for that nobody announced: those of a failed attempt, or of another server.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// For how long effects are one server's, so that no other carries them out meanwhile. Well above what a carrier may take; a
/// server that ends in the middle leaves them to whoever looks after that.
const TAKEN_FOR: i64 = 45 * Timestamp::SECOND;
/// For how long a carrier may take.
const CARRIER_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest pause before an effect is tried again, in seconds.
const LONGEST_PAUSE_S: u32 = 300;

/// How often an effect is tried: with pauses of two and a half minutes on average, through a day without a carrier.
const MOST_ATTEMPTS: u32 = 600;

/// A text message with an enrolment's code. The code itself is made when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sms {
    to: String,
    enrolment: String,
    public_key: String,
    lang: String,
    expires_at: Timestamp,
}

impl Sms {
    /// The kind of effect.
    pub(crate) const KIND: &str = "sms";

    pub(crate) fn new(
        to: &PhoneNumber,
        enrolment: [u8; 16],
        public_key: &[u8],
        lang: Lang,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            to: to.as_str().to_owned(),
            enrolment: HEXLOWER.encode(&enrolment),
            public_key: HEXLOWER.encode(public_key),
            lang: lang.tag().to_owned(),
            expires_at,
        }
    }

    /// The message as an effect's payload.
    pub(crate) fn payload(&self) -> String {
        serde_json::json!(self).to_string()
    }

    fn text(&self, app: &App) -> Option<String> {
        let enrolment = HEXLOWER.decode(self.enrolment.as_bytes()).ok()?.try_into().ok()?;
        let public_key = HEXLOWER.decode(self.public_key.as_bytes()).ok()?;
        let lang = self.lang.parse().unwrap_or_default();
        Some(enrolment_sms(lang, &app.pepper.code(enrolment, &public_key)))
    }
}

/// Carries out effects, without end. May be dropped at any point: what was under way is done again.
pub(crate) async fn run(app: &Arc<App>) {
    loop {
        match carry_out_due(app).await {
            Ok(AT_ONCE) => continue,
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "effects could not be read or ticked off"),
        }
        tokio::select! {
            () = app.effects.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Carries out what is due, up to [`AT_ONCE`]; how many there were.
pub(super) async fn carry_out_due(app: &Arc<App>) -> Result<usize, StoreError> {
    let take = |app: &App| {
        let now = app.engine.now();
        app.store().take_effects(now, now.plus(TAKEN_FOR), AT_ONCE)
    };
    let due = app.blocking(take).await?;
    let count = due.len();
    for result in join_all(due.into_iter().map(|effect| carry_out(app, effect))).await {
        result?;
    }
    Ok(count)
}

/// Whether an effect of this kind sends advertising.
fn is_advertising(kind: &str) -> bool {
    kind == Outgoing::KIND
}

async fn carry_out(app: &Arc<App>, Effect { effect, attempts }: Effect) -> Result<(), StoreError> {
    let id = effect.id;
    if let Some(morning) = night::waits_until(app.engine.now()).filter(|_| is_advertising(&effect.kind)) {
        return app.blocking(move |app| app.store().effect_failed(id, morning)).await;
    }
    let sent = match effect.kind.as_str() {
        Sms::KIND => match serde_json::from_str(&effect.payload) {
            Ok(sms) => send(app, id, &sms).await,
            Err(_) => Err(NotSent::never("a damaged message")),
        },
        Outgoing::KIND => match serde_json::from_str(&effect.payload) {
            Ok(outgoing) => invite(app, id, outgoing).await,
            Err(_) => Err(NotSent::never("a damaged invitation")),
        },
        kind => Err(NotSent::later(format!("an effect of kind {kind:?} that this server does not know"))),
    };
    let pause = match sent {
        Ok(()) => None,
        Err(error) if error.then == Then::Never || attempts >= MOST_ATTEMPTS => {
            tracing::warn!(effect = HEXLOWER.encode(&id), attempts, %error, "an effect failed for good");
            None
        }
        Err(error) => {
            tracing::warn!(effect = HEXLOWER.encode(&id), attempts, %error, "an effect failed; again later");
            let asked = if let Then::After(seconds) = error.then { seconds } else { 0 };
            let asked = i64::try_from(asked).unwrap_or(i64::MAX).saturating_mul(Timestamp::SECOND);
            Some(asked.saturating_add(pause_ms(attempts)))
        }
    };
    app.blocking(move |app| {
        let now = app.engine.now();
        match pause {
            None => app.store().effect_done(id, now),
            Some(pause) => app.store().effect_failed(id, now.plus(pause)),
        }
    })
    .await
}

async fn send(app: &App, id: [u8; 16], sms: &Sms) -> Result<(), NotSent> {
    if sms.expires_at <= app.engine.now() {
        // The code is void; a message now would only confuse.
        return Ok(());
    }
    let text = sms.text(app).ok_or_else(|| NotSent::never("a damaged message"))?;
    let sending = app.carrier.send(id, &sms.to, &text);
    tokio::time::timeout(CARRIER_TIMEOUT, sending)
        .await
        .unwrap_or_else(|_| Err(NotSent::later("it took too long")))
}

/// Sends an invitation, unless nobody can answer it any more.
async fn invite(app: &Arc<App>, id: [u8; 16], outgoing: Outgoing) -> Result<(), NotSent> {
    let not_read = |error: StoreError| NotSent::later(error.to_string());
    let (message, outgoing) = app.blocking(move |app| (invitations::message(app, &outgoing), outgoing)).await;
    let sending = async {
        match message.map_err(not_read)? {
            None => Ok(false),
            Some(Message::Sms(text)) => app.carrier.send(id, &outgoing.to, &text).await.map(|()| true),
            Some(Message::Mail(mail)) => app.mailer.send(id, &outgoing.to, &mail).await.map(|()| true),
        }
    };
    let sent = tokio::time::timeout(CARRIER_TIMEOUT, sending).await;
    if sent.unwrap_or_else(|_| Err(NotSent::later("it took too long")))? {
        app.blocking(move |app| invitations::delivered(app, &outgoing)).await.map_err(not_read)?;
    }
    Ok(())
}

/// Full jitter: anything up to 2, 4, 8 … 300 seconds, so that what failed together does not come back together.
fn pause_ms(attempts: u32) -> i64 {
    let longest = 2_u32.saturating_pow(attempts.saturating_add(1)).min(LONGEST_PAUSE_S);
    let pause = random::up_to(longest * 1_000);
    // Without randomness the longest pause is as good.
    pause.unwrap_or(longest * 1_000).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, PoisonError};

    use futures_util::future::BoxFuture;
    use moa_wire::keys::{Signer, SoftwareKey};

    use crate::app::testing;
    use crate::carrier::Carrier;
    use crate::enrolment;

    /// Takes only every third message, and keeps the ids and texts of all.
    #[derive(Default)]
    struct Flaky(Mutex<Vec<([u8; 16], String)>>);

    impl Flaky {
        fn given(&self) -> Vec<([u8; 16], String)> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
    }

    impl Carrier for Flaky {
        fn send<'a>(&'a self, id: [u8; 16], _: &'a str, text: &'a str) -> BoxFuture<'a, Result<(), NotSent>> {
            Box::pin(async move {
                let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                given.push((id, text.to_owned()));
                if given.len().is_multiple_of(3) { Ok(()) } else { Err(NotSent::later("no signal")) }
            })
        }
    }

    fn begin(app: &App) {
        let (key, _) = SoftwareKey::generate().unwrap();
        enrolment::begin(app, "010-1234-5678", &key.public_key(), (Lang::En, Peer(None))).unwrap();
    }

    #[tokio::test]
    async fn a_message_is_given_to_the_carrier_until_it_takes_it_each_time_the_same() {
        let carrier = Arc::new(Flaky::default());
        let (app, hand) = testing::app(carrier.clone());
        begin(&app);
        for attempts in 1..=3 {
            assert_eq!(carry_out_due(&app).await.unwrap(), 1, "attempt {attempts}");
            hand.fetch_add(10 * Timestamp::SECOND, Ordering::SeqCst);
        }
        assert_eq!(carry_out_due(&app).await.unwrap(), 0);
        let given = carrier.given();
        assert!(given.len() == 3 && given.iter().all(|message| *message == given[0]));
    }

    /// Takes nothing, and says each time what it has been told to.
    struct Refusing(NotSent, AtomicUsize);

    impl Carrier for Refusing {
        fn send<'a>(&'a self, _: [u8; 16], _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), NotSent>> {
            self.1.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { Err(self.0.clone()) })
        }
    }

    #[tokio::test]
    async fn what_is_refused_for_good_is_tried_once_and_a_pause_that_was_asked_for_is_kept() {
        for (then, tried) in [(Then::Never, [1, 1, 1]), (Then::After(60), [1, 1, 2])] {
            let carrier = Arc::new(Refusing(NotSent { reason: String::new(), then }, AtomicUsize::new(0)));
            let (app, hand) = testing::app(carrier.clone());
            begin(&app);
            for (wait, tried) in [0, 59, 3].into_iter().zip(tried) {
                hand.fetch_add(wait * Timestamp::SECOND, Ordering::SeqCst);
                carry_out_due(&app).await.unwrap();
                assert_eq!(carrier.1.load(Ordering::SeqCst), tried, "{then:?} after {wait} s more");
            }
        }
    }

    #[tokio::test]
    async fn a_code_that_is_void_is_not_sent_any_more() {
        let carrier = Arc::new(Flaky::default());
        let (app, hand) = testing::app(carrier.clone());
        begin(&app);
        hand.fetch_add(enrolment::CODE_LIFETIME, Ordering::SeqCst);
        assert_eq!(carry_out_due(&app).await.unwrap(), 1);
        assert_eq!(carry_out_due(&app).await.unwrap(), 0);
        assert!(carrier.given().is_empty());
    }

    #[test]
    fn pauses_grow_to_five_minutes_and_no_further() {
        for (attempts, longest) in [(0, 2_000), (1, 4_000), (7, 256_000), (8, 300_000), (u32::MAX, 300_000)] {
            let pauses: Vec<i64> = (0..200).map(|_| pause_ms(attempts)).collect();
            assert!(pauses.iter().all(|pause| (0..=longest).contains(pause)));
            assert!(pauses.iter().any(|pause| *pause > longest / 2), "spread over the whole stretch");
        }
    }

    #[test]
    fn a_message_reads_back_from_its_payload_and_holds_no_code() {
        let phone = PhoneNumber::read("01012345678").unwrap();
        let sms = Sms::new(&phone, [1; 16], &[4; 65], Lang::En, Timestamp(7));
        assert_eq!(serde_json::from_str::<Sms>(&sms.payload()).unwrap(), sms);
    }
}
