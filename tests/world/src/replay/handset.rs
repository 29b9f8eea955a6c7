//! A phone in a replay: a real phone core and its real sync, run step by step over HTTP.
//!
//! Not [`moa_phone::Client`]: that one keeps a phone in step in the background, by timers of its own, and here time
//! stands between two moves of the server's clock. So the replay runs the machine inside it by hand: ask, answer,
//! until nothing more is to be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use moa_phone::sync::{self, Machine};
use moa_phone::{
    Data, Environment, Fate, Options, Phone, PhoneError, Request, Response, SignedIn, SystemEnvironment,
    Transport, TransportError,
};
use moa_rules::id::OpId;
use moa_rules::time::Timestamp;
use moa_wire::api::Enrolment;

use crate::{Failure, messages};

/// The time in a replay: that of the server's clock, on every phone.
#[derive(Default)]
pub struct Time(AtomicI64);

impl Time {
    /// It is so late now.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// How late it is.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A replay's time, and the system's randomness.
struct World {
    time: Arc<Time>,
    system: SystemEnvironment,
}

impl Environment for World {
    fn now(&self) -> Timestamp {
        self.time.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.system.random(bytes);
    }
}

/// What a phone needs around it.
#[derive(Clone)]
pub struct Surroundings {
    /// The way to the server.
    pub way: Arc<dyn Transport>,
    /// The server's address, as it knows it itself.
    pub link_base: String,
    /// The time.
    pub time: Arc<Time>,
}

/// A phone and its sync.
pub struct Handset {
    number: String,
    phone: Phone,
    machine: Machine,
    around: Surroundings,
}

impl Handset {
    /// Opens a phone, new or as it was closed. One that does not browse does not follow the directory: a
    /// shop's till needs none of it, and a city of thousands would fill every one of them with thousands.
    ///
    /// # Errors
    /// Storage or key.
    pub fn open(number: String, data: Data, around: Surroundings, browses: bool) -> Result<Self, PhoneError> {
        let world = World { time: around.time.clone(), system: SystemEnvironment::default() };
        let options = Options {
            environment: Arc::new(world),
            link_base: around.link_base.clone(),
            language: "en".to_owned(),
            ..Options::new(data)
        };
        let phone = Phone::open(options)?;
        let mut machine = Machine::new(&phone)?;
        machine.set_foreground(false);
        machine.set_follows_directory(browses);
        Ok(Self { number, phone, machine, around })
    }

    /// The phone.
    pub fn phone(&self) -> &Phone {
        &self.phone
    }

    /// Signs in, if the phone is new or the server no longer knows it; then there is nothing left to ask.
    ///
    /// # Errors
    /// What the phone or the server says.
    pub async fn sign_in(&mut self) -> Result<(), Failure> {
        if matches!(self.phone.signed_in()?, SignedIn::Yes(_)) {
            return Ok(());
        }
        let begun = self.answer(self.phone.begin_enrolment(&self.number)?).await;
        let id =
            begun.as_ref().ok().and_then(|answer| serde_json::from_slice::<Enrolment>(&answer.body).ok());
        self.phone.enrolment_begun(begun)?;
        let id = id.ok_or("an enrolment without an id")?.enrolment;
        let message = messages::wait_for(&*self.around.way, &self.number, |sent| sent.id == id).await?;
        let code = message.code().ok_or("a message without a code")?;
        let answer = self.answer(self.phone.confirm_enrolment(code, None)?).await;
        self.phone.enrolment_confirmed(answer)?;
        self.settle().await
    }

    /// Sends what waits and receives what that brought, until there is nothing left to ask. Signs in again if need be.
    ///
    /// # Errors
    /// The first request that came to nothing.
    pub async fn settle(&mut self) -> Result<(), Failure> {
        loop {
            if matches!(self.phone.signed_in()?, SignedIn::Again(_)) {
                Box::pin(self.sign_in()).await?;
            }
            let failure = self.ask().await?;
            // A lane that needs no session may have gone well after another was told to sign in again.
            if matches!(self.phone.signed_in()?, SignedIn::Again(_)) {
                self.machine.sync_now(&self.phone, self.around.time.now())?;
                continue;
            }
            return failure.map_or(Ok(()), |failure| Err(format!("{}: {failure}", self.number).into()));
        }
    }

    /// The same, and whatever else the server has.
    ///
    /// # Errors
    /// The first request that came to nothing.
    pub async fn sync(&mut self) -> Result<(), Failure> {
        self.machine.sync_now(&self.phone, self.around.time.now())?;
        self.settle().await
    }

    /// Opens a shop's till: the server is heard, if it was not for half a day, and the certificate renewed, if it is time.
    ///
    /// # Errors
    /// The first request that came to nothing.
    pub async fn open_till(&mut self) -> Result<(), Failure> {
        let since = self.phone.heard_at().map_or(i64::MAX, |heard| self.around.time.now().0 - heard.0);
        if self.phone.renew_certificate_if_due()? || since > 12 * Timestamp::HOUR {
            self.sync().await?;
        }
        Ok(())
    }

    /// What became of an op.
    ///
    /// # Errors
    /// If the server has not said.
    pub fn verdict(&self, op: OpId) -> Result<Fate, Failure> {
        match self.phone.fate(op)?.ok_or(PhoneError::NotHere)? {
            Fate::Waiting | Fate::BeingChecked => Err(format!("{}: {op} has no verdict", self.number).into()),
            fate => Ok(fate),
        }
    }

    async fn ask(&mut self) -> Result<Option<sync::Failure>, PhoneError> {
        loop {
            let now = self.around.time.now();
            let work = self.machine.poll(&self.phone, now)?;
            let mut asked = work.endorse;
            if work.endorse {
                self.machine.endorsed(&self.phone, self.phone.endorse(), now)?;
            }
            for (id, request) in work.send {
                asked = true;
                let answer = self.answer(request).await;
                self.machine.receive(&self.phone, id, answer, now)?;
            }
            if !asked {
                return Ok(self.machine.status().failure);
            }
        }
    }

    async fn answer(&self, request: Request) -> Result<Response, TransportError> {
        self.around.way.send(request).await
    }
}
