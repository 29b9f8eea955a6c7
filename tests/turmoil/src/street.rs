//! A street: a server, two shops and four buyers, each on a host of their own, until everything has come to rest.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moa_ledger::engine::Engine;
use moa_phone::Fate;
use moa_rules::id::GroupId;
use moa_rules::quantity::{BasisPoints, Units};
use moa_rules::terms::{Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_server::{Config, start, start_on, system_clock};
use moa_wire::api::{Base64, MAX_OPS, Ops, Verdict, Verdicts};
use moa_world::Failure;
use moa_world::books::Books;
use moa_world::network;
use moa_world::town::{Town, number};
use moa_world::witness::Witness;
use tempfile::TempDir;
use turmoil::{Builder, Sim};

use crate::Dice;
use crate::network::{Door, SERVER};
use crate::person::{Counter, Person, Watch, lock};

/// Phones with a shop come first.
const SHOPS: u32 = 2;
const PHONES: u32 = 6;
/// How much of the simulation passes in a step.
const TICK: Duration = Duration::from_millis(10);
/// For how long people trade and things go wrong.
const TRADING: Duration = Duration::from_mins(1);
/// By when everything must have come to rest: longer than any request and any wait of a phone.
const LONGEST: Duration = Duration::from_mins(7);

/// A street as it is before a simulation: everyone has signed in, the shops are in one group.
pub struct Street {
    folder: TempDir,
    group: GroupId,
    opened: Timestamp,
}

/// What a seed came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// What things followed from.
    pub seed: u64,
    /// Things that went wrong: hosts and links that failed.
    pub faults: u32,
    /// Times that the server crashed.
    pub server_crashes: u32,
    /// Ops that people wrote.
    pub written: usize,
    /// Ops that the server applied.
    pub applied: usize,
    /// From the last fault until every phone and the server agreed.
    pub to_rest: Duration,
}

impl Street {
    /// Opens it, over real sockets.
    ///
    /// # Errors
    /// If a phone or the server fails, which nothing here makes them do.
    pub async fn open() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let town = Town::start(&folder.path().join(SERVER)).await?;
        let mut shops = Vec::new();
        for person in 0..PHONES {
            let resident = town.newcomer_on_disk(&number(person), folder.path().join(name(person))).await?;
            if person < SHOPS {
                resident.open_shop(&name(person)).await?;
                shops.push(resident);
            } else {
                resident.sync().await?;
            }
        }
        let terms = Terms::points(BasisPoints::new(500)?, Validity::Months(6), Units::new(100)?);
        let group = shops[0].found_group("Alley", Scope::Building, terms).await?;
        for shop in &shops[1..] {
            shop.join(group).await?;
        }
        drop(shops);
        town.stop().await;
        Ok(Self { folder, group, opened: moa_world::now() })
    }

    /// The same with a server that loses on its first crash what it had acknowledged: to show that it is noticed.
    ///
    /// # Errors
    /// What does not hold, which is to be expected.
    pub fn run_forgetful(&self, seed: u64) -> Result<Report, Failure> {
        self.play(seed, true)
    }

    /// Lets everyone trade while a seed's faults happen, then rest; and checks that nothing was lost.
    ///
    /// # Errors
    /// What does not hold.
    pub fn run(&self, seed: u64) -> Result<Report, Failure> {
        self.play(seed, false)
    }

    fn play(&self, seed: u64, mut forgets: bool) -> Result<Report, Failure> {
        let folder = tempfile::tempdir()?;
        copy(self.folder.path(), folder.path())?;
        let mut play = Play::new(self, seed, folder.path());
        while play.sim.elapsed() < TRADING {
            play.step()?;
            play.go_wrong();
            if forgets && play.server_crashes > 0 && !play.witness.answers().is_empty() {
                // While the server is down, if it is; the next start finds what was there before anyone traded.
                let data = folder.path().join(SERVER);
                if play.troubled.contains(SERVER) {
                    fs::remove_dir_all(&data)?;
                    copy(&self.folder.path().join(SERVER), &data)?;
                    forgets = false;
                }
            }
        }
        play.mend_everything();
        let ended = play.sim.elapsed();
        // What one sends, another still has to hear.
        for round in 1..=2 {
            play.rounds.store(round, Ordering::SeqCst);
            let is_behind = |person: &&Arc<Person>| person.synced.load(Ordering::SeqCst) < round;
            while let Some(person) = play.people.iter().find(is_behind) {
                if play.sim.elapsed() > LONGEST {
                    let (name, trouble) = (&person.name, lock(&person.trouble));
                    return Err(format!("{name} does not come to rest: {trouble}").into());
                }
                play.step()?;
            }
        }
        let to_rest = play.sim.elapsed().saturating_sub(ended);
        let Play { sim, people, engine, witness, faults, server_crashes, .. } = play;
        drop(sim);
        settle(&engine);
        let written = check(&people, &witness, &folder.path().join(SERVER))?;
        let applied = witness.answers().values().filter(|answer| answer.is_none()).count();
        Ok(Report { seed, faults, server_crashes, written, applied, to_rest })
    }
}

fn name(person: u32) -> String {
    format!("{}-{person}", if person < SHOPS { "shop" } else { "buyer" })
}

/// What mends a fault.
enum Mend {
    Link(String),
    OneWay(String),
    Held(String),
    Latency(String),
    Host(String),
}

struct Play {
    sim: Sim<'static>,
    dice: Dice,
    began: Timestamp,
    clock: Arc<AtomicI64>,
    engine: Arc<Mutex<Option<Engine>>>,
    people: Vec<Arc<Person>>,
    rounds: Arc<AtomicU64>,
    witness: Arc<Witness>,
    /// When the next fault happens.
    next: Duration,
    /// What is to be mended, and when.
    mends: Vec<(Duration, Mend)>,
    /// Hosts that are down or whose link to the server fails.
    troubled: BTreeSet<String>,
    faults: u32,
    server_crashes: u32,
}

impl Play {
    fn new(street: &Street, seed: u64, folder: &Path) -> Self {
        let began = street.opened.plus(Timestamp::MINUTE);
        let clock = Arc::new(AtomicI64::new(began.0));
        let mut sim = Builder::new()
            .rng_seed(seed)
            .tick_duration(TICK)
            .simulation_duration(LONGEST)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(200))
            .enable_random_order()
            .build();
        let engine = Arc::new(Mutex::new(None));
        sim.host(SERVER, {
            // The phones know the server by its name, and nothing in between has to.
            let link_base = Some(network::LINK_BASE.to_owned());
            let config = Config { link_base, ..Config::local(folder.join(SERVER)) };
            let (clock, engine) = (clock.clone(), engine.clone());
            move || serve(config.clone(), clock.clone(), engine.clone())
        });
        let (counter, rounds, witness) = (Arc::new(Counter::default()), Arc::default(), Arc::default());
        let people: Vec<Arc<Person>> = (0..PHONES)
            .map(|person| {
                let own_seed = seed.wrapping_mul(1_000).wrapping_add(u64::from(person) + 1);
                Arc::new(Person {
                    name: name(person),
                    folder: folder.join(name(person)),
                    is_shop: person < SHOPS,
                    group: street.group,
                    dice: Dice::new(own_seed),
                    environment: Arc::new(Watch::new(clock.clone(), own_seed ^ u64::MAX)),
                    counter: counter.clone(),
                    witness: Arc::clone(&witness),
                    rounds: Arc::clone(&rounds),
                    synced: AtomicU64::new(0),
                    trouble: Mutex::default(),
                    written: Mutex::default(),
                    at_rest: Mutex::default(),
                })
            })
            .collect();
        for person in &people {
            let someone = person.clone();
            sim.host(person.name.as_str(), move || {
                let someone = someone.clone();
                async move {
                    let name = someone.name.clone();
                    someone.live().await.map_err(|error| format!("{name}: {error}").into())
                }
            });
        }
        Self {
            sim,
            dice: Dice::new(seed),
            began,
            clock,
            engine,
            people,
            rounds,
            witness,
            next: Duration::ZERO,
            mends: Vec::new(),
            troubled: BTreeSet::new(),
            faults: 0,
            server_crashes: 0,
        }
    }

    /// One step of every host. Time stands until the committer has answered: it has a thread of its own, which the
    /// simulation would not wait for, and a slow disk would become a slow network.
    fn step(&mut self) -> Result<(), Failure> {
        let engine = lock(&self.engine).clone();
        while engine.as_ref().is_some_and(|engine| engine.undecided() > 0) {
            std::thread::yield_now();
        }
        self.sim.step().map_err(|error| error.to_string())?;
        let elapsed = i64::try_from(self.sim.elapsed().as_millis())?;
        self.clock.store(self.began.0 + elapsed, Ordering::SeqCst);
        Ok(())
    }

    fn millis(&self, from: u64, below: u64) -> Duration {
        Duration::from_millis(from + self.dice.below(below - from))
    }

    /// Mends what is due, and lets the next thing go wrong when its time has come.
    fn go_wrong(&mut self) {
        let now = self.sim.elapsed();
        while let Some(due) = self.mends.iter().position(|(at, _)| *at <= now) {
            let (_, mend) = self.mends.swap_remove(due);
            self.mend(&mend);
        }
        if now < self.next {
            return;
        }
        self.next = now + self.millis(200, 3_000);
        let which = usize::try_from(self.dice.below(PHONES.into())).unwrap_or_default();
        let phone = self.people[which].name.clone();
        let kind = self.dice.below(8);
        let who = if kind == 7 { SERVER.to_owned() } else { phone };
        let lasts = if kind < 4 { self.millis(200, 40_000) } else { self.millis(50, 5_000) };
        if !self.troubled.insert(who.clone()) {
            return;
        }
        self.faults += 1;
        let (there, back) = (who.as_str(), SERVER);
        let mend = match kind {
            0 => {
                self.sim.partition(there, back);
                Mend::Link(who)
            }
            1 => {
                // What is asked arrives, what is answered does not.
                self.sim.partition_oneway(back, there);
                Mend::OneWay(who)
            }
            2 => {
                self.sim.hold(there, back);
                Mend::Held(who)
            }
            3 => {
                self.sim.set_link_latency(there, back, self.millis(300, 5_000));
                Mend::Latency(who)
            }
            _ => {
                // Between any two steps: the committer may be in the middle of its work.
                self.sim.crash(there);
                if kind == 7 {
                    self.server_crashes += 1;
                    settle(&self.engine);
                }
                Mend::Host(who)
            }
        };
        self.mends.push((now + lasts, mend));
    }

    fn mend(&mut self, mend: &Mend) {
        let (Mend::Link(who) | Mend::OneWay(who) | Mend::Held(who) | Mend::Latency(who) | Mend::Host(who)) =
            mend;
        self.troubled.remove(who);
        let who = who.as_str();
        match mend {
            Mend::Link(_) => self.sim.repair(who, SERVER),
            Mend::OneWay(_) => self.sim.repair_oneway(SERVER, who),
            Mend::Held(_) => self.sim.release(who, SERVER),
            Mend::Latency(_) => self.sim.set_link_latency(who, SERVER, Duration::from_millis(20)),
            Mend::Host(_) => self.sim.bounce(who),
        }
    }

    fn mend_everything(&mut self) {
        for (_, mend) in std::mem::take(&mut self.mends) {
            self.mend(&mend);
        }
    }
}

/// The server, as long as its host stands.
async fn serve(config: Config, clock: Arc<AtomicI64>, engine: Arc<Mutex<Option<Engine>>>) -> turmoil::Result {
    let clock = Arc::new(move || Timestamp(clock.load(Ordering::SeqCst)));
    let running = start_on(Door::open().await?, &config, clock)?;
    *lock(&engine) = Some(running.engine().clone());
    std::future::pending::<()>().await;
    drop(running);
    Ok(())
}

/// Waits until the committer of a server that crashed has done what it was at.
fn settle(engine: &Mutex<Option<Engine>>) {
    if let Some(engine) = lock(engine).take() {
        engine.stop();
    }
}

/// Checks the books, what every phone shows and was told, and that the server still says what it said. Gives how many ops
/// people wrote.
fn check(people: &[Arc<Person>], witness: &Witness, data: &Path) -> Result<usize, Failure> {
    let books = Books::open(data)?;
    let report = books.verify()?;
    if !report.is_clean() {
        return Err(format!("{:?}", report.differences).into());
    }
    let mut written = 0;
    for person in people {
        let name = &person.name;
        let at_rest = lock(&person.at_rest).take().ok_or("nobody came to rest")?;
        books.agree(&at_rest.reckoning).map_err(|error| format!("{name}: {error}"))?;
        written += at_rest.fates.len();
        for (op, fate) in at_rest.fates {
            if !matches!(fate, Some(Fate::Applied | Fate::Refused(_))) {
                return Err(format!("{name}: op {op} is {fate:?} in the end").into());
            }
        }
    }
    if let Some(contradiction) = witness.contradictions().first() {
        return Err(contradiction.clone().into());
    }
    let answers = witness.answers();
    let ops: Vec<Base64> = answers.keys().map(|op| op.as_slice().into()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let again = runtime.block_on(ask_again(data, ops))?;
    for (verdict, first) in again.into_iter().zip(answers.into_values()) {
        match verdict {
            Verdict::Duplicate { refused }
                if refused.as_ref().map(|refused| &refused.reason) == first.as_ref() => {}
            verdict => return Err(format!("answered {first:?} before, now {verdict:?}").into()),
        }
    }
    Ok(written)
}

/// What a server on these data says to ops that came before.
async fn ask_again(data: &Path, ops: Vec<Base64>) -> Result<Vec<Verdict>, Failure> {
    let config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::local(data) };
    let server = start(&config, system_clock()).await?;
    let way = network::http(&server.url())?;
    let mut verdicts = Vec::with_capacity(ops.len());
    for ops in ops.chunks(MAX_OPS) {
        let asked = Ops { ops: ops.to_vec(), numbers: Vec::new() };
        let answer: Verdicts = network::post(&*way, "/v1/ops".to_owned(), &asked).await?;
        verdicts.extend(answer.verdicts);
    }
    server.shutdown().await;
    Ok(verdicts)
}

/// Copies a folder and all that is in it.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
