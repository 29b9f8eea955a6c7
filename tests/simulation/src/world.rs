//! The world: one queue of events, one clock, and everyone in it. Nothing happens but by an event, and events of
//! one instant happen in the order in which they were put in.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;
use std::rc::Rc;

use moa_ledger::memory::MemoryStore;
use moa_phone::sync::RequestId;
use moa_phone::{Request, Response, TransportError};
use moa_rules::event::Inbox;
use moa_rules::id::{GroupId, OpId};
use moa_rules::quantity::Units;
use moa_rules::time::Timestamp;
use tempfile::TempDir;

use crate::faults::Faults;
use crate::key::SeededKey;
use crate::ledger::{Ledger, LedgerKind, SqliteFile, broken};
use crate::mishaps::ServerBackup;
use crate::person::Person;
use crate::rng::Rng;
use crate::server::{Job, Server};
use crate::town::Action;
use crate::trace::Trace;
use crate::{START, Settings, Step};

/// For how long everyone has time to get in step once the faults have stopped.
const CALM: i64 = 2 * Timestamp::HOUR;

/// Something that is going to happen.
pub(crate) enum Event {
    /// A phone wanted to be polled at this instant.
    Wake(usize),
    /// A request arrives at the server; without a sender it is an echo that nobody waits for.
    Arrive(Option<Sender>, Rc<Request>),
    /// The committer takes what waits.
    Commit,
    /// An answer arrives, or the phone gives up waiting.
    Answer(Sender, Result<Response, TransportError>),
    /// A request has waited at the server for long enough.
    WaitOver(Sender),
    /// Someone does something.
    Act(usize, Action),
    /// Someone's app starts again.
    AppStarts(usize),
    /// The server is up again.
    ServerUp,
    /// Each hour: the server sweeps.
    Hour,
    /// Each morning: what people are going to do.
    Morning,
    /// The faults stop.
    Calm,
    /// Everything should be done by now: everyone syncs once more.
    LastSync,
    /// The server's books are copied.
    BackUp,
    /// The server's books are lost, and the copy takes their place.
    Restore,
    /// The end.
    End,
}

/// Who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sender {
    pub(crate) person: usize,
    pub(crate) process: u32,
    pub(crate) id: RequestId,
}

/// A request that waits at the server.
pub(crate) struct Waiting {
    pub(crate) from: Sender,
    pub(crate) request: Rc<Request>,
    pub(crate) inboxes: Vec<Inbox>,
}

struct Queued {
    at: Timestamp,
    number: u64,
    event: Event,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) rng: Rng,
    pub(crate) faults: Faults,
    pub(crate) people: Vec<Person>,
    /// The first so many people have a shop.
    pub(crate) shops: usize,
    pub(crate) groups: Vec<GroupId>,
    /// Who sells for whose shop, as people think.
    pub(crate) clerks: Vec<(usize, usize)>,
    /// Which till honoured which pass.
    pub(crate) passes: BTreeMap<OpId, usize>,
    /// Approvals that tills honoured.
    pub(crate) approvals: BTreeMap<(usize, OpId), Units>,
    pub(crate) seed: u64,
    pub(crate) forged: u64,
    pub(crate) backup: Option<ServerBackup>,
    /// Whether the server was restored from a backup.
    pub(crate) restored: bool,
    pub(crate) server: Server,
    pub(crate) server_up: bool,
    /// Ops that wait for the committer.
    pub(crate) jobs: Vec<(Option<Sender>, Job)>,
    /// Requests that wait for something new.
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) trace: Trace,
    pub(crate) settings: Settings,
    queue: BinaryHeap<Reverse<Queued>>,
    number: u64,
    // Removed last.
    _folder: TempDir,
}

impl World {
    pub(crate) fn new(seed: u64, settings: &Settings) -> Step<Self> {
        let mut rng = Rng::new(seed, 0);
        let folder = folder()?;
        let key = SeededKey::new(seed, "server");
        let kind = settings.ledger.unwrap_or(if rng.chance(3_000) {
            LedgerKind::Sqlite
        } else {
            LedgerKind::Memory
        });
        let faults = if settings.faults { Faults::draw(&mut rng) } else { Faults::default() };
        let ledger = ledger(kind, &key, folder.path(), settings)?;
        let shops = settings.shops.unwrap_or(settings.phones * 2 / 5).clamp(1, settings.phones);
        let mut people = Vec::new();
        for index in 0..settings.phones {
            let name = if index < shops { format!("shop {index}") } else { format!("buyer {index}") };
            // What has no disk can't show what a restart finds there; but opening a file costs, too.
            let on_disk = rng.chance(3_000) || settings.needs_disk();
            let place = on_disk.then(|| folder.path().join(index.to_string()));
            people.push(Person::new(seed, index, name, place, START));
        }
        // Some have a second phone, on the same number; some a third. A phone's key hangs on its name.
        for second in 0..settings.phones.div_ceil(8) {
            let of = rng.below(settings.phones);
            let account = people[of].account;
            let index = settings.phones + second;
            let phones = people.iter().filter(|phone| phone.account == account).count();
            let name = match phones {
                1 => format!("second phone of {}", people[of].name),
                more => format!("phone {} of {}", more + 1, people[of].name),
            };
            let place = rng.chance(3_000).then(|| folder.path().join(index.to_string()));
            let mut phone = Person::new(seed, index, name, place, START);
            phone.account = account;
            people.push(phone);
        }
        let mut world = Self {
            now: START,
            rng,
            faults,
            people,
            shops,
            groups: Vec::new(),
            clerks: Vec::new(),
            passes: BTreeMap::new(),
            approvals: BTreeMap::new(),
            seed,
            forged: 0,
            backup: None,
            restored: false,
            server: Server::new(ledger, key),
            server_up: true,
            jobs: Vec::new(),
            waiting: Vec::new(),
            counts: BTreeMap::new(),
            trace: Trace::new(settings.aloud),
            settings: settings.clone(),
            queue: BinaryHeap::new(),
            number: 0,
            _folder: folder,
        };
        world.note(&format!("seed {seed}, {kind:?}, {:?}", world.faults));
        Ok(world)
    }

    /// Runs from the first day to the last, lets everyone get in step, and checks everything.
    pub(crate) fn run(&mut self) -> Step {
        let calm = self.calm_from();
        // Again: a phone that takes the best without a question may choose for what it hears of in its last sync. And after an
        // hour: so long may a phone wait that was restored from a backup of when its clock was fast.
        for (after, event) in [
            (0, Event::Calm),
            (CALM, Event::LastSync),
            (CALM + 5 * Timestamp::MINUTE, Event::LastSync),
            (CALM + 65 * Timestamp::MINUTE, Event::LastSync),
            (CALM + 75 * Timestamp::MINUTE, Event::End),
        ] {
            self.at(calm.plus(after), event);
        }
        for person in 0..self.people.len() {
            self.people[person].start(self.now)?;
        }
        self.settle_in();
        self.after(0, Event::Morning);
        let days = i64::from(self.settings.days);
        if self.faults.server_restored && days >= 3 {
            let backup = self.rng.between(
                Timestamp::DAY + 9 * Timestamp::HOUR,
                (days - 2) * Timestamp::DAY + 12 * Timestamp::HOUR,
            );
            let lost = backup + self.rng.between(Timestamp::HOUR, Timestamp::DAY);
            self.after(backup, Event::BackUp);
            self.after(lost, Event::Restore);
        }
        self.after(Timestamp::HOUR, Event::Hour);
        while let Some(Reverse(Queued { at, event, .. })) = self.queue.pop() {
            self.now = at;
            if matches!(event, Event::End) {
                return self.check_all();
            }
            self.happen(event)?;
        }
        Err("time ran out".to_owned())
    }

    /// When the faults stop.
    pub(crate) fn calm_from(&self) -> Timestamp {
        START.plus(i64::from(self.settings.days) * Timestamp::DAY)
    }

    fn happen(&mut self, event: Event) -> Step {
        match event {
            Event::Wake(person) if self.people[person].wakes_at == Some(self.now) => self.poll(person),
            Event::Wake(_) | Event::End => Ok(()),
            Event::Arrive(from, request) => self.arrive(from, request),
            Event::Commit => self.commit(),
            Event::Answer(to, answer) => self.answered(to, answer),
            Event::WaitOver(from) => {
                self.wait_over(from);
                Ok(())
            }
            Event::Act(person, action) => self.act(person, action),
            Event::AppStarts(person) => self.app_starts(person),
            Event::ServerUp => {
                self.server_up = true;
                self.note("the server is up");
                Ok(())
            }
            Event::Hour => self.hour(),
            Event::Morning => {
                self.morning();
                Ok(())
            }
            Event::Calm => self.calm(),
            Event::LastSync => self.last_sync(),
            Event::BackUp => self.back_up_server(),
            Event::Restore => self.restore_server(),
        }
    }

    /// Polls a phone's machine until it rests, as the client does.
    pub(crate) fn poll(&mut self, person: usize) -> Step {
        for _ in 0..100 {
            let now = self.now;
            let someone = &mut self.people[person];
            someone.set_clock(now);
            if let Some(app) = &mut someone.app {
                app.changes.mark_unchanged();
            }
            self.choose_at_once(person)?;
            self.renew_certificate(person)?;
            let someone = &mut self.people[person];
            let its_now = now.plus(someone.skew);
            let Some(app) = &mut someone.app else { return Ok(()) };
            let work = app.machine.poll(&app.phone, its_now).map_err(broken)?;
            let wakeup = app.machine.next_wakeup();
            let changed = app.changes.has_changed().unwrap_or(false);
            for id in work.give_up {
                app.under_way.remove(&id);
            }
            let endorses = work.endorse;
            if endorses {
                // A key that is locked does not vouch either; the machine asks again later.
                let endorsed = app.phone.endorse();
                app.machine.endorsed(&app.phone, endorsed, its_now).map_err(broken)?;
            }
            let mut sent = Vec::new();
            for (id, request) in work.send {
                let request = Rc::new(request);
                app.under_way.insert(id, Rc::clone(&request));
                sent.push((Sender { person, process: someone.process, id }, request));
            }
            someone.wakes_at = wakeup.map(|wakeup| now.plus((wakeup.0 - its_now.0).max(1)));
            if let Some(at) = someone.wakes_at {
                self.at(at, Event::Wake(person));
            }
            for (from, request) in sent {
                self.send(from, request);
            }
            if !changed && !endorses {
                return self.perhaps_kill(person);
            }
        }
        Err(format!("{}: the machine never rests", self.people[person].name))
    }

    /// A phone takes an answer.
    fn answered(&mut self, to: Sender, answer: Result<Response, TransportError>) -> Step {
        let Sender { person, process, id } = to;
        let is_awaited = |someone: &Person| {
            someone.process == process
                && someone.app.as_ref().is_some_and(|app| app.under_way.contains_key(&id))
        };
        if !is_awaited(&self.people[person]) {
            return Ok(());
        }
        self.perhaps_kill(person)?;
        if !is_awaited(&self.people[person]) {
            return Ok(());
        }
        let told = match &answer {
            Ok(response) => {
                self.trace.bytes(&response.body);
                format!("{}, {} bytes", response.status, response.body.len())
            }
            Err(error) => error.to_string(),
        };
        let its_now = self.now.plus(self.people[person].skew);
        let someone = &mut self.people[person];
        someone.set_clock(self.now);
        let Some(app) = &mut someone.app else { return Ok(()) };
        let Some(request) = app.under_way.remove(&id) else { return Ok(()) };
        let good = answer.as_ref().is_ok_and(|answer| answer.status == 200);
        // What else there is to read concerns no op.
        let telling =
            ["/v1/ops", "/v1/changes", "/v1/snapshot"].iter().any(|path| request.path.starts_with(path));
        if good && request.path == "/v1/snapshot" {
            someone.blurred.extend(someone.claims.iter().copied());
        }
        app.machine.receive(&app.phone, id, answer, its_now).map_err(broken)?;
        #[cfg(feature = "sabotage")]
        if request.path == "/v1/snapshot" {
            self.lose_sent_again(person)?;
        }
        let someone = &mut self.people[person];
        let line = format!("{} <- {request:?}: {told}", someone.name);
        self.note(&line);
        self.perhaps_kill(person)?;
        if good && telling {
            self.watch(person)?;
        }
        self.poll(person)
    }

    /// Kills an app between two steps, now and then.
    pub(crate) fn perhaps_kill(&mut self, person: usize) -> Step {
        if !self.rng.chance(self.faults.phone_killed) {
            return Ok(());
        }
        self.kill(person)
    }

    /// Kills an app; it is started again after a while.
    pub(crate) fn kill(&mut self, person: usize) -> Step {
        if self.people[person].app.is_none() {
            return Ok(());
        }
        self.count("phones killed");
        self.people[person].kill()?;
        #[cfg(feature = "sabotage")]
        self.lose_overlay(person)?;
        self.note(&format!("{}: killed", self.people[person].name));
        let pause = self.rng.between(Timestamp::SECOND, 20 * Timestamp::MINUTE);
        self.after(pause, Event::AppStarts(person));
        Ok(())
    }

    fn app_starts(&mut self, person: usize) -> Step {
        if self.people[person].app.is_none() {
            self.people[person].start(self.now)?;
            self.note(&format!("{}: started", self.people[person].name));
            self.watch(person)?;
        }
        self.poll(person)
    }

    fn hour(&mut self) -> Step {
        self.after(Timestamp::HOUR, Event::Hour);
        if self.rng.chance(self.faults.server_restart) {
            self.kill_server()?;
        }
        if self.server_up {
            self.appoint_operator()?;
            let touched = self.server.sweep(self.now)?;
            self.wake(&touched)?;
        }
        Ok(())
    }

    /// The server's process ends, and with it everything that was under way in it.
    pub(crate) fn kill_server(&mut self) -> Step {
        self.count("server killed");
        self.note("the server is killed");
        self.server.ledger.kill()?;
        self.server_is_down();
        Ok(())
    }

    /// What was under way breaks off; after a while the server is up again.
    pub(crate) fn server_is_down(&mut self) {
        self.server_up = false;
        let jobs = std::mem::take(&mut self.jobs).into_iter().filter_map(|(from, _)| from);
        let waits = std::mem::take(&mut self.waiting).into_iter().map(|waiting| waiting.from);
        for from in jobs.chain(waits).collect::<Vec<_>>() {
            self.after(20, Event::Answer(from, Err(TransportError::Broken("connection reset".to_owned()))));
        }
        let pause = self.rng.between(Timestamp::SECOND, 10 * Timestamp::MINUTE);
        self.after(pause, Event::ServerUp);
    }

    fn calm(&mut self) -> Step {
        self.note("the faults stop");
        self.faults = Faults::default();
        self.server_up = true;
        for person in 0..self.people.len() {
            let someone = &mut self.people[person];
            (someone.offline_until, someone.hotspot_until) = (self.now, self.now);
            if someone.app.is_none() {
                someone.start(self.now)?;
            }
            self.act(person, Action::Enrol)?;
            self.poll(person)?;
        }
        Ok(())
    }

    fn last_sync(&mut self) -> Step {
        let touched = self.server.sweep(self.now)?;
        self.wake(&touched)?;
        for person in 0..self.people.len() {
            // A device that was enrolled after the server's backup is not known any more, and has just heard so.
            self.enrol(person)?;
            let its_now = self.now.plus(self.people[person].skew);
            let someone = &mut self.people[person];
            someone.set_clock(self.now);
            let app = someone.app.as_mut().ok_or("an app is not running")?;
            let ticket = app.machine.sync_now(&app.phone, its_now).map_err(broken)?;
            someone.ticket = Some(ticket);
            self.poll(person)?;
        }
        Ok(())
    }

    /// Puts an event in the queue.
    pub(crate) fn at(&mut self, at: Timestamp, event: Event) {
        self.number += 1;
        self.queue.push(Reverse(Queued { at, number: self.number, event }));
    }

    /// The same, so many milliseconds from now.
    pub(crate) fn after(&mut self, millis: i64, event: Event) {
        self.at(self.now.plus(millis), event);
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(crate) fn note(&mut self, line: &str) {
        self.trace.line(self.now, line);
    }
}

fn ledger(kind: LedgerKind, key: &SeededKey, folder: &Path, settings: &Settings) -> Step<Ledger> {
    let system = Server::system(key);
    #[cfg(feature = "sabotage")]
    if let Some(store) = settings.spoilt_store(&system) {
        return Ok(Ledger::Spoilt(Box::new(store)));
    }
    let _ = settings;
    Ok(match kind {
        LedgerKind::Memory => Ledger::Memory(Box::new(MemoryStore::new(&system))),
        LedgerKind::Sqlite => Ledger::Sqlite(Box::new(SqliteFile::open(&folder.join("server"), system)?)),
    })
}

/// A folder in memory where there is one: what a disk does is for other tests.
fn folder() -> Step<TempDir> {
    let builder = || tempfile::Builder::new().prefix("moa-simulation-").to_owned();
    let memory = Path::new("/dev/shm");
    if let (true, Ok(folder)) = (memory.is_dir(), builder().tempdir_in(memory)) {
        return Ok(folder);
    }
    builder().tempdir().map_err(broken)
}
