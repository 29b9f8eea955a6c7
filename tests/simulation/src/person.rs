//! A person with a phone: the phone, the machine that syncs it, and what the world knows of both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use moa_phone::sync::{Machine, RequestId, Ticket};
use moa_phone::{Data, Environment, Fate, Options, Phone, Request, SeededEnvironment, SoftwareKeys};
use moa_rules::id::{AccountId, KeyId, OpId};
use moa_rules::time::Timestamp;
use moa_wire::keys::Signer;
use tokio::sync::watch;

use crate::Step;
use crate::key::SeededKey;
use crate::ledger::{broken, copy_database, remove_database};

pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) account: AccountId,
    pub(crate) key: Arc<SeededKey>,
    pub(crate) environment: Arc<SeededEnvironment>,
    /// Where the phone keeps its data; in memory without one.
    folder: Option<PathBuf>,
    /// Counts the app's processes: an answer to an earlier one is nobody's.
    pub(crate) process: u32,
    pub(crate) app: Option<App>,
    /// The phone's clock less the true time.
    pub(crate) skew: i64,
    pub(crate) offline_until: Timestamp,
    pub(crate) hotspot_until: Timestamp,
    pub(crate) foreground_until: Timestamp,
    /// The next wake-up in the queue: others are stale.
    pub(crate) wakes_at: Option<Timestamp>,
    /// Ops of this phone whose fate was not told yet.
    pub(crate) waiting: BTreeSet<OpId>,
    /// Fates that this phone has told.
    pub(crate) told: BTreeMap<OpId, Fate>,
    /// Claims that are still to be seen in the balance, pending or confirmed.
    pub(crate) claims: BTreeSet<OpId>,
    /// Claims that may be in a snapshot and pending too until their verdict comes.
    pub(crate) blurred: BTreeSet<OpId>,
    /// Ops whose answers were lost with the server's disk, or with this phone's.
    pub(crate) doubted: BTreeSet<OpId>,
    /// Whether it may have followed what is not in the books any more.
    pub(crate) astray: bool,
    backup: Option<Backup>,
    /// The last sync, asked for when everything should be done.
    pub(crate) ticket: Option<Ticket>,
}

/// What a phone's backup holds, and what the world knew of the phone then.
struct Backup {
    key: KeyId,
    database: PathBuf,
    waiting: BTreeSet<OpId>,
    told: BTreeMap<OpId, Fate>,
}

/// The app's process.
pub(crate) struct App {
    pub(crate) phone: Phone,
    pub(crate) machine: Machine,
    pub(crate) changes: watch::Receiver<u64>,
    /// Requests whose answers it waits for.
    pub(crate) under_way: BTreeMap<RequestId, Rc<Request>>,
}

impl Person {
    pub(crate) fn new(
        seed: u64,
        index: usize,
        name: String,
        folder: Option<PathBuf>,
        now: Timestamp,
    ) -> Self {
        let mut account = [0xa0; 16];
        account[8..].copy_from_slice(&(index as u64 + 1).to_be_bytes());
        let random = seed.wrapping_mul(1_000_003).wrapping_add(index as u64);
        Self {
            key: Arc::new(SeededKey::new(seed, &name)),
            environment: Arc::new(SeededEnvironment::new(random, now)),
            name,
            account: AccountId(account),
            folder,
            process: 0,
            app: None,
            skew: 0,
            offline_until: now,
            hotspot_until: now,
            foreground_until: now,
            wakes_at: None,
            waiting: BTreeSet::new(),
            told: BTreeMap::new(),
            claims: BTreeSet::new(),
            blurred: BTreeSet::new(),
            doubted: BTreeSet::new(),
            astray: false,
            backup: None,
            ticket: None,
        }
    }

    fn data(&self) -> Data {
        self.folder
            .as_ref()
            .map_or(Data::Memory, |folder| Data::Directory(folder.join(self.process.to_string())))
    }

    /// Starts the app.
    pub(crate) fn start(&mut self, now: Timestamp) -> Step {
        self.set_clock(now);
        let environment: Arc<dyn Environment> = self.environment.clone();
        let keys = SoftwareKeys::new(self.key.clone(), self.name.as_bytes());
        let options = Options { keys: Some(Arc::new(keys)), environment, ..Options::new(self.data()) };
        let phone = Phone::open(options).map_err(broken)?;
        self.run(phone)
    }

    fn run(&mut self, phone: Phone) -> Step {
        let mut machine = Machine::new(&phone).map_err(broken)?;
        machine.set_foreground(false);
        let changes = phone.changes();
        self.app = Some(App { phone, machine, changes, under_way: BTreeMap::new() });
        Ok(())
    }

    /// Kills the app's process, between two of its steps: what was in memory is gone, what is on disk is as it is.
    ///
    /// A phone in memory loses its machine only, and is running again at once.
    pub(crate) fn kill(&mut self) -> Step {
        let Some(app) = self.app.take() else { return Ok(()) };
        self.wakes_at = None;
        let before = self.data();
        self.process += 1;
        let (Data::Directory(before), Data::Directory(after)) = (before, self.data()) else {
            return self.run(app.phone);
        };
        fs::create_dir_all(&after).map_err(broken)?;
        copy_database(&before.join("phone.db"), &after.join("phone.db"))?;
        drop(app);
        remove_database(&before.join("phone.db"))
    }

    /// The device key's id.
    pub(crate) fn key_id(&self) -> KeyId {
        self.key.key_id()
    }

    /// Begins with no data at all.
    pub(crate) fn install_anew(&mut self, now: Timestamp) -> Step {
        let before = self.data();
        self.app = None;
        self.wakes_at = None;
        self.process += 1;
        if let Data::Directory(before) = before {
            fs::remove_dir_all(before).map_err(broken)?;
        }
        for known in [&mut self.waiting, &mut self.claims, &mut self.blurred, &mut self.doubted] {
            known.clear();
        }
        self.told.clear();
        self.start(now)
    }

    /// Keeps the database as it is now, where there is a file.
    pub(crate) fn back_up(&mut self) -> Step {
        let (Some(folder), Data::Directory(data), Some(_)) = (&self.folder, self.data(), &self.app) else {
            return Ok(());
        };
        let database = folder.join("backup.db");
        remove_database(&database)?;
        copy_database(&data.join("phone.db"), &database)?;
        let (waiting, told) = (self.waiting.clone(), self.told.clone());
        self.backup = Some(Backup { key: self.key.key_id(), database, waiting, told });
        Ok(())
    }

    /// Goes on from the backup, if there is one. What was not sent and was not in it is lost, and known to be.
    pub(crate) fn restore(&mut self, now: Timestamp) -> Step<bool> {
        let Some(Backup { key, database, waiting, told }) = self.backup.take() else { return Ok(false) };
        if key != self.key.key_id() {
            return Ok(false);
        }
        let before = self.data();
        self.app = None;
        self.wakes_at = None;
        self.process += 1;
        let (Data::Directory(before), Data::Directory(after)) = (before, self.data()) else {
            return Ok(false);
        };
        fs::create_dir_all(&after).map_err(broken)?;
        copy_database(&database, &after.join("phone.db"))?;
        remove_database(&before.join("phone.db"))?;
        for known in [&mut self.claims, &mut self.blurred, &mut self.doubted] {
            known.clear();
        }
        (self.waiting, self.told) = (waiting, told);
        self.start(now)?;
        Ok(true)
    }

    /// The phone's database, while the app does not run.
    #[cfg(feature = "sabotage")]
    pub(crate) fn database(&self) -> Option<PathBuf> {
        match self.data() {
            Data::Directory(folder) => Some(folder.join("phone.db")),
            Data::Memory => None,
        }
    }

    /// Lets the phone's clock show what it shows at this true time.
    pub(crate) fn set_clock(&self, now: Timestamp) {
        self.environment.set(now.plus(self.skew));
    }

    /// An op was written.
    pub(crate) fn promised(&mut self, op: OpId) {
        self.waiting.insert(op);
    }
}
