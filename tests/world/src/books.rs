//! The server's books, read from its folder or its database, as an auditor would: while it runs, after it stopped, after it was
//! killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use moa_ledger::postgres::PostgresStore;
use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::{InboxHead, Store};
use moa_ledger::tables::{Tables, system_device};
use moa_ledger::verify::Report;
use moa_phone::{Phone, PhoneError, Reckoned};
use moa_rules::books::{Ledger, Party};
use moa_rules::event::Inbox;
use moa_rules::id::{AccountId, GroupId, MerchantId};
use moa_rules::lot::{Usable, Wallet};
use moa_rules::quantity::{Money, Units};
use moa_rules::time::Timestamp;
use moa_server::copying::verify;
use moa_server::{Place, database};
use moa_wire::keys::{Signer, SoftwareKey};

use crate::Failure;

/// The books as they stood when they were opened, and the journal behind them.
pub struct Books {
    place: Place,
    store: Arc<dyn Store>,
    tables: Tables,
}

/// What a shop has given and taken in a group, and what follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Units that its sales earned.
    pub issued: Units,
    /// Units that it took as payment.
    pub redeemed: Units,
    /// Money that it is owed; negative: that it owes.
    pub position: Money,
}

/// A group's books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupBooks {
    /// Its shops, those that gave or took something.
    pub shops: BTreeMap<MerchantId, Standing>,
    /// Money set aside for mileage that buyers still hold.
    pub pool: Money,
    /// Units that buyers still hold.
    pub outstanding: Units,
}

impl GroupBooks {
    /// What all parties are owed and owe, which is nothing.
    pub fn sum(&self) -> Money {
        self.shops.values().fold(self.pool, |sum, shop| sum + shop.position)
    }
}

impl Books {
    /// Opens the books in a server's folder.
    ///
    /// # Errors
    /// If they are not there or cannot be read.
    pub fn open(data: &Path) -> Result<Self, Failure> {
        Self::open_on(data, None)
    }

    /// The same on a PostgreSQL database, if one is named, whose server has its key in `data`.
    ///
    /// # Errors
    /// If they are not there or cannot be read.
    pub fn open_on(data: &Path, url: Option<&str>) -> Result<Self, Failure> {
        let key = SoftwareKey::from_pkcs8(&std::fs::read(data.join("server-key.p8"))?)?;
        let system = system_device(key.public_key());
        let (store, tables): (Arc<dyn Store>, Tables) = match url {
            Some(url) => {
                let store = PostgresStore::open(url, &system)?;
                let tables = store.tables()?;
                (Arc::new(store), tables)
            }
            None => {
                let store = SqliteStore::open(&database(data), &system)?;
                let tables = store.tables()?;
                (Arc::new(store), tables)
            }
        };
        Ok(Self { place: Place::of(data, url.map(str::to_owned)), store, tables })
    }

    /// Computes everything again from the journal, and compares.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn verify(&self) -> Result<Report, Failure> {
        Ok(verify(&self.place)?)
    }

    /// The live tables.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// A group's books.
    pub fn group(&self, group: GroupId) -> GroupBooks {
        let mut books = GroupBooks::default();
        let units = |units: Units, amount: i64| Units::new(units.get() + amount.abs()).unwrap_or(units);
        for (account, amount) in self.tables.balances.iter().filter(|(account, _)| account.group == group) {
            match (account.party, account.ledger) {
                (Party::Pool, Ledger::Position) => books.pool = Money(*amount),
                (Party::Member(shop), ledger) => {
                    let standing = books.shops.entry(shop).or_default();
                    match ledger {
                        Ledger::Issued => standing.issued = units(standing.issued, *amount),
                        Ledger::Redeemed => standing.redeemed = units(standing.redeemed, *amount),
                        Ledger::Position => standing.position = Money(*amount),
                        Ledger::Wallet | Ledger::Expired | Ledger::ClawedBack | Ledger::Adjusted => {}
                    }
                }
                _ => {}
            }
        }
        let lots = self.tables.lots.values().filter(|lot| lot.group == group);
        books.outstanding = lots.map(|lot| lot.remaining).sum();
        books
    }

    /// What an account can use in a group.
    pub fn available(&self, account: AccountId, group: GroupId, now: Timestamp) -> Units {
        let known = self.tables.groups.get(&group);
        let usable = known.map_or(Usable::new(None, now), |group| group.usable(None, now));
        Wallet::new(self.tables.lots_of(account, Some(group)).cloned().collect()).available(&usable)
    }

    /// How far an inbox has come by now.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn head(&self, inbox: Inbox) -> Result<InboxHead, Failure> {
        Ok(self.store.head(inbox)?)
    }

    /// Whether a phone reckons what the server does: every inbox that it follows, to the hash over its events, and
    /// every balance, to the unit. Otherwise the first difference.
    ///
    /// # Errors
    /// The difference; or if one of the two cannot be read.
    pub fn agree_with(&self, phone: &Phone) -> Result<(), Failure> {
        self.agree(&Reckoning::of(phone)?)
    }

    /// The same with what a phone reckoned before it was closed.
    ///
    /// # Errors
    /// The difference; or if the books cannot be read.
    pub fn agree(&self, reckoning: &Reckoning) -> Result<(), Failure> {
        let Reckoning { account, now, inboxes, balances } = reckoning;
        for inbox in inboxes {
            let head = self.head(inbox.inbox.into())?;
            if (head.count, head.hash) != (inbox.count, inbox.hash) {
                let (here, there) = (inbox.count, head.count);
                return Err(
                    format!("{:?}: the phone has {here} events, the server {there}", inbox.inbox).into()
                );
            }
        }
        if !inboxes.iter().any(|inbox| Inbox::from(inbox.inbox) == Inbox::Account(*account)) {
            return Err("the phone does not follow its account's inbox".into());
        }
        let groups: BTreeSet<GroupId> = self.tables.lots_of(*account, None).map(|lot| lot.group).collect();
        let mut live: BTreeMap<GroupId, Units> = BTreeMap::new();
        for group in groups {
            live.insert(group, self.available(*account, group, *now));
        }
        for (group, here) in balances {
            let there = live.remove(group).unwrap_or_default();
            if *here != there {
                return Err(format!("{group}: the phone reckons {here} units, the server {there}").into());
            }
        }
        match live.into_iter().find(|(_, units)| !units.is_zero()) {
            Some((group, units)) => {
                Err(format!("{group}: {units} units that the phone does not know").into())
            }
            None => Ok(()),
        }
    }
}

/// What a phone reckons by itself, from what it received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reckoning {
    /// Whose phone it is.
    pub account: AccountId,
    /// When it was asked.
    pub now: Timestamp,
    /// How far it followed each inbox.
    pub inboxes: Vec<Reckoned>,
    /// Confirmed units by group.
    pub balances: BTreeMap<GroupId, Units>,
}

impl Reckoning {
    /// Asks a phone.
    ///
    /// # Errors
    /// Storage.
    pub fn of(phone: &Phone) -> Result<Self, PhoneError> {
        let balances = phone.balances()?.into_iter().map(|balance| (balance.group, balance.confirmed));
        Ok(Self {
            account: phone.account()?,
            now: phone.now(),
            inboxes: phone.reckoned()?,
            balances: balances.collect(),
        })
    }
}
