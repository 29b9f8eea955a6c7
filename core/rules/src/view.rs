//! What a decision can see: a set of cells, each present, absent, or not loaded.
//!
//! A rule asks for a cell; if it is not loaded the rule stops with the key and the caller loads it and asks again.
//! So rules never fetch, and an op that walks from a sale to its shop to the shop's groups needs no special case.

use std::collections::HashMap;

use crate::device::Device;
use crate::group::{Group, Member, TermsVersion};
use crate::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use crate::lot::Wallet;
use crate::merchant::Merchant;
use crate::refusal::Refusal;
use crate::sale::Sale;
use crate::standing::Standing;
use crate::state::Row;

/// The name of a cell. Each starts with its owner's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A signing key's record.
    Device(KeyId),
    /// Whether a key has used a counter.
    Counter(KeyId, u64),
    /// A shop.
    Merchant(MerchantId),
    /// The groups of a shop, in order of id.
    Memberships(MerchantId),
    /// A sale of a shop.
    Sale(MerchantId, OpId),
    /// A group.
    Group(GroupId),
    /// One version of a group's terms.
    Terms(GroupId, u32),
    /// A shop's membership of a group.
    Member(GroupId, MerchantId),
    /// A buyer's lots in a group.
    Wallet(AccountId, GroupId),
    /// Whether a buyer ever had a lot of that id in a group.
    Lot(AccountId, GroupId, LotId),
    /// A buyer's standing choice.
    Standing(AccountId),
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// For [`Key::Device`].
    Device(Device),
    /// For [`Key::Counter`].
    Counter,
    /// For [`Key::Merchant`].
    Merchant(Merchant),
    /// For [`Key::Memberships`].
    Memberships(Vec<GroupId>),
    /// For [`Key::Sale`].
    Sale(Sale),
    /// For [`Key::Group`].
    Group(Group),
    /// For [`Key::Terms`].
    Terms(TermsVersion),
    /// For [`Key::Member`].
    Member(Member),
    /// For [`Key::Wallet`].
    Wallet(Wallet),
    /// For [`Key::Lot`].
    Lot,
    /// For [`Key::Standing`].
    Standing(Standing),
}

/// Why a rule stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// These cells must be loaded first.
    Need(Vec<Key>),
    /// The answer is no.
    Refused(Refusal),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The cells loaded so far, with the effects of what was decided since.
#[derive(Debug, Clone, Default)]
pub struct View {
    cells: HashMap<Key, Option<Cell>>,
    /// Changes to cells of many rows that were not loaded at the time: they go in when the cell is.
    early: HashMap<Key, Vec<Row>>,
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),+) -> $out:ty, $variant:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// [`Halt::Need`] while it is not loaded.
        pub fn $name(&self, $($arg: $ty),+) -> Result<Option<&$out>, Halt> {
            match self.cell(Key::$variant($($arg),+))? {
                Some(Cell::$variant(value)) => Ok(Some(value)),
                _ => Ok(None),
            }
        }
    };
}

impl View {
    /// Puts a loaded cell in, and into it what was decided before it was loaded.
    pub fn load(&mut self, key: Key, cell: Option<Cell>) {
        self.cells.insert(key, cell);
        for row in self.early.remove(&key).unwrap_or_default() {
            self.put(&row);
        }
    }

    /// Whether a cell is loaded, present or absent.
    pub fn is_loaded(&self, key: Key) -> bool {
        self.cells.contains_key(&key)
    }

    /// Stops with all of `keys` that are not loaded, so that they can be loaded in one go.
    ///
    /// # Errors
    /// [`Halt::Need`] with the missing ones.
    pub fn want(&self, keys: &[Key]) -> Result<(), Halt> {
        let missing: Vec<Key> = keys.iter().copied().filter(|key| !self.is_loaded(*key)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Halt::Need(missing)) }
    }

    fn cell(&self, key: Key) -> Result<Option<&Cell>, Halt> {
        self.cells.get(&key).map(Option::as_ref).ok_or_else(|| Halt::Need(vec![key]))
    }

    getter!(
        /// A signing key's record.
        device(key: KeyId) -> Device, Device
    );
    getter!(
        /// A shop.
        merchant(merchant: MerchantId) -> Merchant, Merchant
    );
    getter!(
        /// A sale of a shop.
        sale(merchant: MerchantId, sale: OpId) -> Sale, Sale
    );
    getter!(
        /// A group.
        group(group: GroupId) -> Group, Group
    );
    getter!(
        /// One version of a group's terms.
        terms(group: GroupId, version: u32) -> TermsVersion, Terms
    );
    getter!(
        /// A buyer's standing choice.
        standing(account: AccountId) -> Standing, Standing
    );
    getter!(
        /// A shop's membership of a group.
        member(group: GroupId, merchant: MerchantId) -> Member, Member
    );

    /// The groups of a shop, in order of id.
    ///
    /// # Errors
    /// [`Halt::Need`] while they are not loaded.
    pub fn memberships(&self, merchant: MerchantId) -> Result<&[GroupId], Halt> {
        match self.cell(Key::Memberships(merchant))? {
            Some(Cell::Memberships(groups)) => Ok(groups),
            _ => Ok(&[]),
        }
    }

    /// A buyer's lots in a group; empty if there are none.
    ///
    /// # Errors
    /// [`Halt::Need`] while they are not loaded.
    pub fn wallet(&self, account: AccountId, group: GroupId) -> Result<Wallet, Halt> {
        match self.cell(Key::Wallet(account, group))? {
            Some(Cell::Wallet(wallet)) => Ok(wallet.clone()),
            _ => Ok(Wallet::default()),
        }
    }

    /// Whether the buyer ever had a lot of that id in the group, spent or not.
    ///
    /// # Errors
    /// [`Halt::Need`] while that is not known.
    pub fn had_lot(&self, account: AccountId, group: GroupId, lot: LotId) -> Result<bool, Halt> {
        Ok(self.cell(Key::Lot(account, group, lot))?.is_some())
    }

    /// Whether the key has used the counter before.
    ///
    /// # Errors
    /// [`Halt::Need`] while that is not known.
    pub fn counter_used(&self, key: KeyId, counter: u64) -> Result<bool, Halt> {
        Ok(self.cell(Key::Counter(key, counter))?.is_some())
    }

    /// Makes a change visible to the decisions that follow, at once or when its cell is loaded.
    pub fn put(&mut self, row: &Row) {
        match row {
            Row::Device(device) => self.set(Key::Device(device.key), Cell::Device(device.clone())),
            Row::Counter(key, counter) => self.set(Key::Counter(*key, *counter), Cell::Counter),
            Row::Merchant(merchant) => self.set(Key::Merchant(merchant.id), Cell::Merchant(merchant.clone())),
            Row::Sale(sale) => self.set(Key::Sale(sale.merchant, sale.id), Cell::Sale(sale.clone())),
            Row::Group(group) => self.set(Key::Group(group.id), Cell::Group(group.clone())),
            Row::Terms(terms) => self.set(Key::Terms(terms.group, terms.version), Cell::Terms(terms.clone())),
            Row::Member(member) => {
                self.set(Key::Member(member.group, member.merchant), Cell::Member(member.clone()));
                let memberships = Key::Memberships(member.merchant);
                match self.cells.get_mut(&memberships) {
                    Some(Some(Cell::Memberships(groups))) => {
                        if let Err(at) = groups.binary_search(&member.group) {
                            groups.insert(at, member.group);
                        }
                    }
                    Some(absent) => *absent = Some(Cell::Memberships(vec![member.group])),
                    None => self.early.entry(memberships).or_default().push(row.clone()),
                }
            }
            Row::Standing(standing) => {
                self.set(Key::Standing(standing.account), Cell::Standing(standing.clone()));
            }
            Row::Lot(lot) => {
                self.set(Key::Lot(lot.account, lot.group, lot.id), Cell::Lot);
                let wallet = Key::Wallet(lot.account, lot.group);
                match self.cells.get_mut(&wallet) {
                    Some(Some(Cell::Wallet(lots))) => lots.put(lot.clone()),
                    Some(absent) => *absent = Some(Cell::Wallet(Wallet::new(vec![lot.clone()]))),
                    None => self.early.entry(wallet).or_default().push(row.clone()),
                }
            }
        }
    }

    fn set(&mut self, key: Key, cell: Cell) {
        self.cells.insert(key, Some(cell));
    }
}
