//! A city that has been at it for a while: a store with millions of lots in it, made by the store itself in large batches,
//! so that journal, tables and books are what they would be. `moa verify` holds for it.

use std::path::Path;
use std::sync::Arc;

use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::{Answer, Outcome, Store};
use moa_ledger::tables::system_device;
use moa_rules::id::{AccountId, GroupId, KeyId, OpId};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::{Carried, Choice, OP_VERSION, Op, OpBody, RedemptionCode};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::keys::{Signer, SoftwareKey, sha256};
use moa_wire::submission::Submission;
use moa_wire::token::Checked;

use crate::Failure;
use crate::program::Program;

/// Lots of each buyer, about.
pub const LOTS_OF_A_BUYER: usize = 50;
/// Buyers for each shop: a shop's sales stay within one certificate.
const BUYERS_OF_A_SHOP: usize = 100;
/// Shops of each group.
const SHOPS_OF_A_GROUP: usize = 10;
/// Of a load, one op in so many is a redemption.
const REDEEM_EVERY: usize = 8;
/// Ops of one commit while the city is made.
const AT_ONCE: usize = 4_096;

/// Milliseconds within which a code that a shop shows is scanned.
const SHOWN: u64 = 8_000;
/// Milliseconds by which clocks of phones differ.
const OFF: u64 = 1_000;

/// The shop where everyone goes when one is hot.
const HOT: usize = 0;

/// Won of each sale: what earns one unit at 1 %.
pub const PRICE: Money = Money(100);

/// Someone's device, with what it has counted.
pub struct Person {
    /// The key.
    pub key: SoftwareKey,
    /// The account.
    pub account: AccountId,
    counted: u64,
}

/// A shop and its group.
pub struct Shop {
    /// The owner's device.
    pub owner: Person,
    /// The group.
    pub group: GroupId,
}

/// Who is in it.
pub struct City {
    system: Arc<SoftwareKey>,
    /// What the server's key has counted.
    counted: u64,
    /// The shops.
    pub shops: Vec<Shop>,
    /// The buyers; each has lots in the group of one shop.
    pub buyers: Vec<Person>,
    buyers_of_a_shop: usize,
    lots: usize,
    now: Timestamp,
    /// From when on ids are drawn, and how many were.
    epoch: Timestamp,
    drawn: u64,
}

/// What the ops of a load are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trade {
    /// A sale and its claim each, of one unit.
    Accruals,
    /// A redemption of one unit each.
    Redemptions,
}

/// Where the ops of a load happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// Each at the shop where its buyer mostly goes.
    Even,
    /// All at one shop, by buyers from everywhere.
    Hot,
}

impl Person {
    fn new(name: &str, number: usize) -> Result<Self, Failure> {
        let digest = sha256(&[name.as_bytes(), &number.to_be_bytes()]);
        let mut account = [0; 16];
        account.copy_from_slice(&digest[..16]);
        Ok(Self { key: SoftwareKey::generate()?.0, account: AccountId(account), counted: 0 })
    }

    fn count(&mut self) -> u64 {
        self.counted += 1;
        self.counted
    }

    /// Signs an op made at an instant.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn sign(&mut self, body: OpBody, at: Timestamp) -> Result<Checked<Op>, Failure> {
        self.sign_drawn(body, at, at)
    }

    /// The same, its id drawn at an instant of its own.
    fn sign_drawn(&mut self, body: OpBody, at: Timestamp, drawn: Timestamp) -> Result<Checked<Op>, Failure> {
        let (counter, actor) = (self.count(), self.key.key_id());
        let (id, time) = (id(actor, counter, drawn, 7), at.seconds());
        Ok(Checked::sign(Op { version: OP_VERSION, id, actor, counter, time, body }, &self.key)?)
    }

    /// Signs a code that lets a shop take up to `most` units.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn code(
        &mut self,
        group: GroupId,
        most: Units,
        at: Timestamp,
    ) -> Result<Checked<RedemptionCode>, Failure> {
        let expires = at.plus(RedemptionCode::LIFETIME).seconds();
        let (counter, key) = (self.count(), self.key.key_id());
        let code = RedemptionCode { version: OP_VERSION, key, counter, expires, group, most, unit: None };
        Ok(Checked::sign(code, &self.key)?)
    }
}

/// Ids as devices draw them: the time, then what is random.
fn id(actor: KeyId, counter: u64, drawn: Timestamp, version: u8) -> OpId {
    let mut id = [0; 16];
    id.copy_from_slice(&sha256(&[actor.as_ref(), &counter.to_be_bytes()])[..16]);
    id[..6].copy_from_slice(&drawn.0.to_be_bytes()[2..]);
    id[6] = version << 4 | id[6] & 0x0f;
    id[8] = 0x80 | id[8] & 0x3f;
    OpId(id)
}

/// An op that carries nothing, as the engine takes it.
fn alone(op: Checked<Op>) -> Submission {
    Submission { op, sale: None, carried: Carried::None }
}

impl City {
    /// Fills a new store with people for so many lots, and no lots yet. Lots earned in it are good for `validity`.
    ///
    /// # Errors
    /// If anything is refused.
    pub fn found(
        store: &dyn Store,
        system: Arc<SoftwareKey>,
        lots: usize,
        validity: Validity,
    ) -> Result<Self, Failure> {
        Self::found_of(store, system, lots.div_ceil(LOTS_OF_A_BUYER).max(1), BUYERS_OF_A_SHOP, validity)
    }

    /// The same with so many buyers, and so many to a shop.
    ///
    /// # Errors
    /// If anything is refused.
    pub fn found_of(
        store: &dyn Store,
        system: Arc<SoftwareKey>,
        buyers: usize,
        buyers_of_a_shop: usize,
        validity: Validity,
    ) -> Result<Self, Failure> {
        let (shops, people) = (Vec::new(), Vec::new());
        let now = crate::now();
        let mut city = Self {
            system,
            counted: 0,
            shops,
            buyers: people,
            buyers_of_a_shop,
            lots: 0,
            now,
            epoch: now,
            drawn: 0,
        };
        city.open_shops(store, buyers.div_ceil(buyers_of_a_shop), validity)?;
        let mut enrolments = Vec::new();
        for number in 0..buyers {
            let buyer = Person::new("buyer", number)?;
            enrolments.push(city.enrolment(&buyer)?);
            city.buyers.push(buyer);
        }
        city.commit(store, &enrolments)?;
        Ok(city)
    }

    /// When everything in it was decided.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    fn enrolment(&mut self, person: &Person) -> Result<Submission, Failure> {
        let (account, key, public_key) = (person.account, person.key.key_id(), person.key.public_key());
        let body = OpBody::EnrolDevice { account, key, public_key, proved: Some(true) };
        self.counted += 1;
        let (counter, actor) = (self.counted, self.system.key_id());
        let (id, time) = (id(actor, counter, self.now, 8), self.now.seconds());
        let op = Op { version: OP_VERSION, id, actor, counter, time, body };
        Ok(alone(Checked::sign(op, &*self.system)?))
    }

    fn open_shops(&mut self, store: &dyn Store, count: usize, validity: Validity) -> Result<(), Failure> {
        let mut group = None;
        for number in 0..count {
            let mut owner = Person::new("shop", number)?;
            let mut ops = vec![self.enrolment(&owner)?];
            let profile = MerchantProfile::new(format!("Shop {number}"), Currency::KRW, None);
            ops.push(alone(owner.sign(OpBody::RegisterMerchant { profile }, self.now)?));
            if number % SHOPS_OF_A_GROUP == 0 {
                let profile = Profile::new(format!("Alley {number}"), Scope::Building);
                let terms = Terms::points(BasisPoints::new(100)?, validity, Units::new(1)?);
                let founding = owner.sign(OpBody::FoundGroup { profile, terms }, self.now)?;
                group = Some(founding.value().id.as_group());
                ops.push(alone(founding));
            } else if let Some(group) = group {
                ops.push(alone(
                    owner.sign(OpBody::JoinGroup { group, terms_version: 1, invitation: None }, self.now)?,
                ));
            }
            self.commit(store, &ops)?;
            self.shops.push(Shop { owner, group: group.ok_or("a shop without a group")? });
        }
        Ok(())
    }

    /// The instant of an id that arrives next: two arrive each millisecond, and were drawn up to `before` milliseconds earlier.
    fn draws(&mut self, before: u64) -> Timestamp {
        self.drawn += 1;
        // Strides as long as the golden section spread evenly, in no order.
        let earlier = self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        self.epoch.plus((self.drawn / 2).cast_signed() - (earlier % before).cast_signed())
    }

    /// A sale of a shop, and its claim by a buyer, signed now.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn accrual(&mut self, buyer: usize, price: Money) -> Result<Submission, Failure> {
        self.accrual_at(self.shop_of(buyer), buyer, price)
    }

    /// The same at a shop of any group.
    ///
    /// # Errors
    /// If the system has no randomness.
    fn accrual_at(&mut self, shop: usize, buyer: usize, price: Money) -> Result<Submission, Failure> {
        let (shown, scanned) = (self.draws(SHOWN), self.draws(OFF));
        let Shop { owner, group } = &mut self.shops[shop];
        let sale = OpBody::RecordSale { amount: price, addressee: None, redemption: None };
        let sale = owner.sign_drawn(sale, self.now, shown)?;
        let choice = Some(Choice { group: *group, terms_version: 1 });
        let claim = OpBody::Claim { sale: sale.bytes().to_vec(), choice };
        let op = self.buyers[buyer].sign_drawn(claim, self.now, scanned)?;
        let carried = Carried::Sale(Box::new(sale.value().clone()));
        Ok(Submission { op, sale: Some(sale), carried })
    }

    /// A redemption of a buyer's at the shop where the buyer earned.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn redemption(&mut self, buyer: usize, units: Units) -> Result<Submission, Failure> {
        self.redemption_at(self.shop_of(buyer), buyer, units)
    }

    fn redemption_at(&mut self, shop: usize, buyer: usize, units: Units) -> Result<Submission, Failure> {
        let drawn = self.draws(OFF);
        let Shop { owner, group } = &mut self.shops[shop];
        let code = self.buyers[buyer].code(*group, units, self.now)?;
        let body = OpBody::Redeem { code: code.bytes().to_vec(), units };
        let op = owner.sign_drawn(body, self.now, drawn)?;
        Ok(Submission { op, sale: None, carried: Carried::Code(*code.value()) })
    }

    /// Grows to so many lots, spread over all buyers.
    ///
    /// # Errors
    /// If anything is refused.
    pub fn grow(&mut self, store: &dyn Store, lots: usize) -> Result<(), Failure> {
        while self.lots < lots {
            let mut batch = Vec::with_capacity(AT_ONCE);
            while batch.len() < AT_ONCE && self.lots < lots {
                // Neighbours in time are strangers, as they are in a city.
                let buyer = self.lots.wrapping_mul(7_919) % self.buyers.len();
                batch.push(self.accrual(buyer, PRICE)?);
                self.lots += 1;
            }
            self.commit(store, &batch)?;
        }
        Ok(())
    }

    /// Ops for each of `clients` to send in order, `count` altogether: accruals of strangers, and now and then a redemption
    /// of whoever earned last.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn load(&mut self, clients: usize, count: usize) -> Result<Vec<Vec<Submission>>, Failure> {
        self.now = crate::now();
        let mut load: Vec<Vec<Submission>> = (0..clients).map(|_| Vec::new()).collect();
        let mut earned = vec![0; clients];
        // In the order in which they will be sent, which is that of their ids.
        for nth in 0..count / clients {
            for client in 0..clients {
                load[client].push(if nth % REDEEM_EVERY == REDEEM_EVERY - 1 {
                    self.redemption(earned[client], Units::new(1)?)?
                } else {
                    earned[client] = (client + nth * clients).wrapping_mul(104_729) % self.buyers.len();
                    self.accrual(earned[client], PRICE)?
                });
            }
        }
        Ok(load)
    }

    /// Gives every buyer something to redeem, at the shop of each and at the hot one.
    ///
    /// # Errors
    /// If anything is refused.
    pub fn endow(&mut self, store: &dyn Store, price: Money) -> Result<(), Failure> {
        let places: Vec<(usize, usize)> =
            (0..self.buyers.len()).flat_map(|buyer| [(self.shop_of(buyer), buyer), (HOT, buyer)]).collect();
        for some in places.chunks(AT_ONCE) {
            let batch = some.iter().map(|(shop, buyer)| self.accrual_at(*shop, *buyer, price));
            let batch = batch.collect::<Result<Vec<_>, _>>()?;
            self.commit(store, &batch)?;
        }
        Ok(())
    }

    /// Ops of one kind for each of `clients` to send in order, `count` altogether, each by another buyer than its neighbours.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn trade(
        &mut self,
        (trade, spread): (Trade, Spread),
        clients: usize,
        count: usize,
    ) -> Result<Vec<Vec<Submission>>, Failure> {
        self.now = crate::now();
        let mut load: Vec<Vec<Submission>> = (0..clients).map(|_| Vec::new()).collect();
        for nth in 0..count {
            let buyer = nth.wrapping_mul(104_729) % self.buyers.len();
            let shop = match spread {
                Spread::Even => self.shop_of(buyer),
                Spread::Hot => HOT,
            };
            load[nth % clients].push(match trade {
                Trade::Accruals => self.accrual_at(shop, buyer, PRICE)?,
                Trade::Redemptions => self.redemption_at(shop, buyer, Units::new(1)?)?,
            });
        }
        Ok(load)
    }

    fn shop_of(&self, buyer: usize) -> usize {
        buyer / self.buyers_of_a_shop % self.shops.len()
    }

    fn commit(&self, store: &dyn Store, batch: &[Submission]) -> Result<(), Failure> {
        applied(store.commit(batch, self.now)?.outcomes)
    }
}

/// The store in a server's folder, which is made if need be, and the server's key. No server runs on it meanwhile.
///
/// # Errors
/// If it can't be made or opened.
pub fn open(folder: &Path) -> Result<(SqliteStore, Arc<SoftwareKey>), Failure> {
    if !folder.exists() {
        // The server makes its folder itself: key, pepper, database.
        Program::start(folder)?.kill()?;
    }
    let key = SoftwareKey::from_pkcs8(&std::fs::read(folder.join("server-key.p8"))?)?;
    let store = SqliteStore::open(&moa_server::database(folder), &system_device(key.public_key()))?;
    Ok((store, Arc::new(key)))
}

/// That everything was applied, and for the first time.
///
/// # Errors
/// The first that was not.
pub fn applied(outcomes: Vec<Outcome>) -> Result<(), Failure> {
    match outcomes.into_iter().find(|outcome| *outcome != Outcome::First(Answer::Applied)) {
        None => Ok(()),
        Some(outcome) => Err(format!("{outcome:?}").into()),
    }
}
