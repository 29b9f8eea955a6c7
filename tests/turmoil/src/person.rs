//! Someone with a phone: sells, claims, shows codes, takes them, whatever the network does. The phone may crash at any
//! step and is opened again from its folder.

use moa_world::network::LINK_BASE;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moa_phone::{
    Client, Code, Data, Environment, Fate, Options, Phone, PhoneError, SeededEnvironment, Transport,
};
use moa_rules::id::{GroupId, OpId};
use moa_rules::quantity::{Money, Units};
use moa_rules::time::Timestamp;
use moa_world::Failure;
use moa_world::books::Reckoning;
use moa_world::witness::{Witness, Witnessed};

use crate::Dice;
use crate::network::Way;

/// Units that buyers pay with at least.
const LEAST: i64 = 500;

/// What people see of each other: texts on screens, by turns shown and read.
#[derive(Default)]
pub struct Counter {
    vouchers: Mutex<Vec<String>>,
    codes: Mutex<Vec<(String, Units)>>,
}

/// What a person has on their mind, phone or no phone.
pub struct Person {
    /// Their host's name.
    pub name: String,
    pub(crate) folder: PathBuf,
    pub(crate) is_shop: bool,
    pub(crate) group: GroupId,
    pub(crate) dice: Dice,
    pub(crate) environment: Arc<Watch>,
    pub(crate) counter: Arc<Counter>,
    pub(crate) witness: Arc<Witness>,
    /// Zero while they trade; from one on everyone is to sync, and says so below.
    pub(crate) rounds: Arc<AtomicU64>,
    pub(crate) synced: AtomicU64,
    /// What the last sync said that failed.
    pub(crate) trouble: Mutex<String>,
    pub(crate) written: Mutex<Vec<OpId>>,
    pub(crate) at_rest: Mutex<Option<AtRest>>,
}

/// What a phone shows when everything has come to rest.
pub struct AtRest {
    /// What it reckons.
    pub reckoning: Reckoning,
    /// What became of the ops that its person wrote.
    pub fates: Vec<(OpId, Option<Fate>)>,
}

/// The simulation's time, and randomness that goes on when a phone is opened again.
pub struct Watch {
    now: Arc<AtomicI64>,
    seeded: SeededEnvironment,
}

impl Watch {
    /// A watch that shows `now`.
    pub fn new(now: Arc<AtomicI64>, seed: u64) -> Self {
        Self { now, seeded: SeededEnvironment::new(seed, Timestamp(0)) }
    }
}

impl Environment for Watch {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn random(&self, bytes: &mut [u8]) {
        self.seeded.random(bytes);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Person {
    /// Opens the phone and lives on, until the phone crashes.
    ///
    /// # Errors
    /// What a phone may not say.
    pub async fn live(self: Arc<Self>) -> Result<(), Failure> {
        let options = Options {
            environment: self.environment.clone(),
            link_base: LINK_BASE.to_owned(),
            ..Options::new(Data::Directory(self.folder.clone()))
        };
        let phone = Arc::new(Phone::open(options)?);
        let way: Arc<dyn Transport> =
            Arc::new(Witnessed::new(Arc::new(Way::default()), self.witness.clone()));
        let client = Client::start(phone, way)?;
        loop {
            // By the simulation's clock: a person's pace, and no real time.
            tokio::time::sleep(Duration::from_millis(50 + self.dice.below(1_500))).await;
            let round = self.rounds.load(Ordering::SeqCst);
            if round == 0 {
                self.act(&client).await?;
            } else if self.synced.load(Ordering::SeqCst) < round {
                match client.sync_now().await {
                    Ok(()) => {
                        self.rest(client.phone())?;
                        self.synced.store(round, Ordering::SeqCst);
                    }
                    Err(error) => *lock(&self.trouble) = error.to_string(),
                }
            }
        }
    }

    fn rest(&self, phone: &Phone) -> Result<(), Failure> {
        let written = lock(&self.written).clone();
        let fates: Result<_, PhoneError> = written.into_iter().map(|op| Ok((op, phone.fate(op)?))).collect();
        *lock(&self.at_rest) = Some(AtRest { reckoning: Reckoning::of(phone)?, fates: fates? });
        Ok(())
    }

    async fn act(&self, client: &Client) -> Result<(), Failure> {
        let phone = client.phone();
        match self.dice.below(10) {
            // Whether it comes to anything is the network's business.
            0 => drop(client.sync_now().await),
            1 => client.set_foreground(self.dice.below(2) == 0),
            2..5 if self.is_shop => {
                if let Some((code, units)) = self.pick(&self.counter.codes) {
                    match phone.redeem(&code, units) {
                        Ok(asked) => lock(&self.written).push(asked.op),
                        // Used, or too old: people hear that and go on.
                        Err(PhoneError::Refused(_)) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            _ if self.is_shop => {
                let won = 2_000 * (1 + self.dice.below(10));
                let voucher = phone.record_sale(Money(won.try_into()?), None)?;
                lock(&self.written).push(voucher.sale);
                lock(&self.counter.vouchers).push(voucher.text);
            }
            2..5 => {
                let balances = phone.balances()?.into_iter();
                let usable = balances.filter(|balance| balance.group == self.group);
                if usable.map(|balance| balance.confirmed.get()).sum::<i64>() >= LEAST {
                    let units = Units::new(LEAST)?;
                    let shown = phone.redemption_code(self.group, units)?;
                    lock(&self.counter.codes).push((shown.text, units));
                }
            }
            _ => {
                let Some(voucher) = self.pick(&self.counter.vouchers) else { return Ok(()) };
                let Code::Voucher(voucher) = phone.read_code(&voucher)? else {
                    return Err("no voucher".into());
                };
                let best = phone.choices(&voucher)?.first().map(|best| best.choice);
                match phone.claim(&voucher, best) {
                    Ok(claimed) => lock(&self.written).push(claimed.op),
                    Err(PhoneError::Refused(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Something that someone shows; now and then it is left for a second one to take.
    fn pick<T: Clone>(&self, shown: &Mutex<Vec<T>>) -> Option<T> {
        let mut shown = lock(shown);
        let count = shown.len() as u64;
        let which = usize::try_from(self.dice.below(count.max(1))).ok()?;
        let picked = shown.get(which)?.clone();
        if self.dice.below(6) > 0 {
            shown.remove(which);
        }
        Some(picked)
    }
}
