//! What a decision can see: a set of cells, each present, absent, or not loaded.
//!
//! A rule asks for a cell; if it is not loaded the rule stops with the key and the caller loads it and asks again.
//! So rules never fetch, and an op that walks from a sale to its shop to the shop's groups needs no special case.

use std::collections::HashMap;
use std::slice;

use crate::admission::JoinRequest;
use crate::amendment::Amendment;
use crate::debt::Debt;
use crate::device::Device;
use crate::group::{Group, Member, TermsVersion};
use crate::hold::Hold;
use crate::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use crate::invitation::Invitation;
use crate::lot::{Lot, Wallet};
use crate::merchant::Merchant;
use crate::pass::{Pass, PassState};
use crate::quantity::Money;
use crate::redemption::Redemption;
use crate::refusal::Refusal;
use crate::sale::Sale;
use crate::staff::Staff;
use crate::standing::Standing;
use crate::state::Row;
use crate::time::Day;

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
    /// A buyer's lot of that id in a group, spent or not.
    Lot(AccountId, GroupId, LotId),
    /// A buyer's standing choice.
    Standing(AccountId),
    /// The keys that an account ever had, in order of id.
    DevicesOf(AccountId),
    /// The keys that ever acted for a shop, in order of id.
    Tills(MerchantId),
    /// A person's selling for a shop that is not theirs.
    Staff(MerchantId, AccountId),
    /// What a clerk has sold on a day.
    StaffDay(MerchantId, AccountId, Day),
    /// Mileage reserved for a till of a shop.
    Pass(MerchantId, OpId),
    /// The passes of a buyer in a group that are open, in order of id.
    OpenPasses(AccountId, GroupId),
    /// Whether a person runs the server for everyone.
    Operator(AccountId),
    /// The groups in which a buyer has something left, in order of id. Those spent empty may be among them.
    WalletsOf(AccountId),
    /// Whether an account has ended, and which one took over what it held.
    Closed(AccountId),
    /// Mileage reserved for a shop.
    Hold(MerchantId, OpId),
    /// Mileage that a shop took.
    Redemption(MerchantId, OpId),
    /// What an account owes, in any group. Debts that are paid may be among them.
    Debts(AccountId),
    /// The terms that were proposed last in a group.
    Amendment(GroupId),
    /// An invitation by a shop.
    Invitation(MerchantId, OpId),
    /// A shop's last request to join a group.
    JoinRequest(GroupId, MerchantId),
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
    Lot(Lot),
    /// For [`Key::Standing`].
    Standing(Standing),
    /// For [`Key::DevicesOf`] and [`Key::Tills`].
    Keys(Vec<KeyId>),
    /// For [`Key::Staff`].
    Staff(Staff),
    /// For [`Key::StaffDay`].
    StaffDay(Money),
    /// For [`Key::Pass`].
    Pass(Pass),
    /// For [`Key::OpenPasses`].
    OpenPasses(Vec<OpId>),
    /// For [`Key::Operator`].
    Operator,
    /// For [`Key::WalletsOf`].
    WalletsOf(Vec<GroupId>),
    /// For [`Key::Closed`].
    Closed(Option<AccountId>),
    /// For [`Key::Hold`].
    Hold(Hold),
    /// For [`Key::Redemption`].
    Redemption(Redemption),
    /// For [`Key::Debts`].
    Debts(Vec<Debt>),
    /// For [`Key::Amendment`].
    Amendment(Box<Amendment>),
    /// For [`Key::Invitation`].
    Invitation(Invitation),
    /// For [`Key::JoinRequest`].
    JoinRequest(JoinRequest),
}

/// Why a rule stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// These cells must be loaded first.
    Need(Vec<Key>),
    /// The answer is no.
    Refused(Refusal),
}

impl Halt {
    /// The cells that must be loaded first.
    pub(crate) fn keys(&self) -> &[Key] {
        match self {
            Self::Need(keys) => keys,
            Self::Refused(_) => &[],
        }
    }
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
    pub fn load(&mut self, key: Key, mut cell: Option<Cell>) {
        let early = self.early.remove(&key).unwrap_or_default();
        early.iter().for_each(|row| gather_in(key, &mut cell, row));
        self.cells.insert(key, cell);
    }

    /// Whether a cell is loaded, present or absent.
    pub fn is_loaded(&self, key: Key) -> bool {
        self.cells.contains_key(&key)
    }

    /// Stops with all of `keys` that are not loaded, each once, so that they can be loaded in one go.
    ///
    /// # Errors
    /// [`Halt::Need`] with the missing ones.
    pub fn want(&self, keys: &[Key]) -> Result<(), Halt> {
        let mut missing: Vec<Key> = keys.iter().copied().filter(|key| !self.is_loaded(*key)).collect();
        // Loaded a second time, a cell would lose what was decided before the first.
        missing.sort_unstable();
        missing.dedup();
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

    getter!(
        /// A person's selling for a shop.
        staff(merchant: MerchantId, account: AccountId) -> Staff, Staff
    );
    getter!(
        /// Mileage reserved for a shop.
        hold(merchant: MerchantId, hold: OpId) -> Hold, Hold
    );
    getter!(
        /// Mileage that a shop took.
        redemption(merchant: MerchantId, redemption: OpId) -> Redemption, Redemption
    );
    getter!(
        /// An invitation by a shop.
        invitation(issuer: MerchantId, invitation: OpId) -> Invitation, Invitation
    );
    getter!(
        /// A shop's last request to join a group.
        join_request(group: GroupId, merchant: MerchantId) -> JoinRequest, JoinRequest
    );
    getter!(
        /// Mileage reserved for a till.
        pass(merchant: MerchantId, pass: OpId) -> Pass, Pass
    );

    /// The keys that an account ever had.
    ///
    /// # Errors
    /// [`Halt::Need`] while they are not loaded.
    pub fn devices_of(&self, account: AccountId) -> Result<&[KeyId], Halt> {
        self.keys(Key::DevicesOf(account))
    }

    /// The keys that ever acted for a shop.
    ///
    /// # Errors
    /// [`Halt::Need`] while they are not loaded.
    pub fn tills(&self, merchant: MerchantId) -> Result<&[KeyId], Halt> {
        self.keys(Key::Tills(merchant))
    }

    fn keys(&self, key: Key) -> Result<&[KeyId], Halt> {
        match self.cell(key)? {
            Some(Cell::Keys(keys)) => Ok(keys),
            _ => Ok(&[]),
        }
    }

    /// What a clerk has sold on a day, in minor units.
    ///
    /// # Errors
    /// [`Halt::Need`] while that is not known.
    pub fn staff_day(&self, merchant: MerchantId, account: AccountId, day: Day) -> Result<Money, Halt> {
        match self.cell(Key::StaffDay(merchant, account, day))? {
            Some(Cell::StaffDay(sold)) => Ok(*sold),
            _ => Ok(Money(0)),
        }
    }

    /// The open passes of a buyer in a group.
    ///
    /// # Errors
    /// [`Halt::Need`] while they are not loaded.
    pub fn open_passes(&self, account: AccountId, group: GroupId) -> Result<&[OpId], Halt> {
        match self.cell(Key::OpenPasses(account, group))? {
            Some(Cell::OpenPasses(passes)) => Ok(passes),
            _ => Ok(&[]),
        }
    }

    /// Whether a person runs the server for everyone.
    ///
    /// # Errors
    /// [`Halt::Need`] while that is not known.
    pub fn is_operator(&self, account: AccountId) -> Result<bool, Halt> {
        Ok(self.cell(Key::Operator(account))?.is_some())
    }

    /// The groups in which a buyer has something left.
    ///
    /// # Errors
    /// [`Halt::Need`] while they are not loaded.
    pub fn wallets_of(&self, account: AccountId) -> Result<&[GroupId], Halt> {
        match self.cell(Key::WalletsOf(account))? {
            Some(Cell::WalletsOf(groups)) => Ok(groups),
            _ => Ok(&[]),
        }
    }

    /// Whether an account has ended.
    ///
    /// # Errors
    /// [`Halt::Need`] while that is not known.
    pub fn is_closed(&self, account: AccountId) -> Result<bool, Halt> {
        Ok(self.closed(account)?.is_some())
    }

    /// Whether an account has ended, and then which one took over what it held.
    ///
    /// # Errors
    /// [`Halt::Need`] while that is not known.
    pub fn closed(&self, account: AccountId) -> Result<Option<Option<AccountId>>, Halt> {
        match self.cell(Key::Closed(account))? {
            Some(Cell::Closed(into)) => Ok(Some(*into)),
            _ => Ok(None),
        }
    }

    /// What an account owes, in any group.
    ///
    /// # Errors
    /// [`Halt::Need`] while that is not known.
    pub fn debts(&self, account: AccountId) -> Result<&[Debt], Halt> {
        match self.cell(Key::Debts(account))? {
            Some(Cell::Debts(debts)) => Ok(debts),
            _ => Ok(&[]),
        }
    }

    /// The terms that were proposed last in a group.
    ///
    /// # Errors
    /// [`Halt::Need`] while they are not loaded.
    pub fn amendment(&self, group: GroupId) -> Result<Option<&Amendment>, Halt> {
        match self.cell(Key::Amendment(group))? {
            Some(Cell::Amendment(amendment)) => Ok(Some(amendment)),
            _ => Ok(None),
        }
    }

    /// A buyer's lot in a group, spent or not.
    ///
    /// # Errors
    /// [`Halt::Need`] while neither it nor its wallet is loaded.
    pub fn lot(&self, account: AccountId, group: GroupId, lot: LotId) -> Result<Option<&Lot>, Halt> {
        self.lots(account, group)(lot)
    }

    /// The same for many lots of one wallet.
    pub(crate) fn lots<'a>(
        &'a self,
        account: AccountId,
        group: GroupId,
    ) -> impl Fn(LotId) -> Result<Option<&'a Lot>, Halt> {
        let wallet = match self.cells.get(&Key::Wallet(account, group)) {
            Some(Some(Cell::Wallet(wallet))) => wallet,
            _ => Wallet::EMPTY,
        };
        move |lot| match wallet.lot(lot) {
            Some(lot) => Ok(Some(lot)),
            None => match self.cell(Key::Lot(account, group, lot))? {
                Some(Cell::Lot(lot)) => Ok(Some(lot)),
                _ => Ok(None),
            },
        }
    }

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
    pub fn wallet(&self, account: AccountId, group: GroupId) -> Result<&Wallet, Halt> {
        match self.cell(Key::Wallet(account, group))? {
            Some(Cell::Wallet(wallet)) => Ok(wallet),
            _ => Ok(Wallet::EMPTY),
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

    /// Makes changes visible to the decisions that follow, in order; lots of one wallet together, of which there may be thousands.
    pub fn put_all(&mut self, rows: &[Row]) {
        let wallet = |row: &Row| match row {
            Row::Lot(lot) => Some((lot.account, lot.group)),
            _ => None,
        };
        for run in rows.chunk_by(|one, other| wallet(one).is_some() && wallet(one) == wallet(other)) {
            match run {
                [Row::Lot(lot), ..] => self.put_lots(lot.account, lot.group, run),
                _ => run.iter().for_each(|row| self.put(row)),
            }
        }
    }

    /// Makes a change visible to the decisions that follow, at once or when its cell is loaded.
    pub fn put(&mut self, row: &Row) {
        match row {
            Row::Device(device) => {
                self.set(Key::Device(device.key), Cell::Device(device.clone()));
                let lists = [device.account().map(Key::DevicesOf), device.merchant.map(Key::Tills)];
                lists.into_iter().flatten().for_each(|list| self.gather(list, slice::from_ref(row)));
            }
            Row::Counter(key, counter) => self.set(Key::Counter(*key, *counter), Cell::Counter),
            Row::Merchant(merchant) => self.set(Key::Merchant(merchant.id), Cell::Merchant(merchant.clone())),
            Row::Sale(sale) => self.set(Key::Sale(sale.merchant, sale.id), Cell::Sale(sale.clone())),
            Row::Group(group) => self.set(Key::Group(group.id), Cell::Group(group.clone())),
            Row::Terms(terms) => self.set(Key::Terms(terms.group, terms.version), Cell::Terms(terms.clone())),
            Row::Member(member) => {
                self.set(Key::Member(member.group, member.merchant), Cell::Member(member.clone()));
                self.gather(Key::Memberships(member.merchant), slice::from_ref(row));
            }
            Row::Standing(standing) => {
                self.set(Key::Standing(standing.account), Cell::Standing(standing.clone()));
            }
            Row::Lot(lot) => self.put_lots(lot.account, lot.group, slice::from_ref(row)),
            Row::Staff(staff) => self.set(Key::Staff(staff.merchant, staff.account), Cell::Staff(*staff)),
            Row::StaffDay { merchant, account, day, sold } => {
                self.set(Key::StaffDay(*merchant, *account, *day), Cell::StaffDay(*sold));
            }
            Row::Operator { account, operator } => {
                self.cells.insert(Key::Operator(*account), operator.then_some(Cell::Operator));
            }
            Row::Closed { account, into, .. } => self.set(Key::Closed(*account), Cell::Closed(*into)),
            Row::Hold(hold) => self.set(Key::Hold(hold.merchant, hold.id), Cell::Hold(hold.clone())),
            Row::Redemption(redemption) => {
                let key = Key::Redemption(redemption.merchant, redemption.id);
                self.set(key, Cell::Redemption(redemption.clone()));
            }
            Row::Debt(debt) => self.gather(Key::Debts(debt.account), slice::from_ref(row)),
            Row::Amendment(amendment) => {
                self.set(Key::Amendment(amendment.group), Cell::Amendment(amendment.clone()));
            }
            Row::Invitation(invitation) => {
                self.set(Key::Invitation(invitation.issuer, invitation.id), Cell::Invitation(*invitation));
            }
            Row::JoinRequest(request) => {
                let key = Key::JoinRequest(request.group, request.merchant);
                self.set(key, Cell::JoinRequest(request.clone()));
            }
            Row::Pass(pass) => {
                self.set(Key::Pass(pass.merchant, pass.id), Cell::Pass(pass.clone()));
                self.gather(Key::OpenPasses(pass.account, pass.group), slice::from_ref(row));
            }
        }
    }

    fn set(&mut self, key: Key, cell: Cell) {
        self.cells.insert(key, Some(cell));
    }

    /// Lots of one wallet, and one at least.
    fn put_lots(&mut self, account: AccountId, group: GroupId, rows: &[Row]) {
        self.cells.reserve(rows.len());
        for row in rows {
            if let Row::Lot(lot) = row {
                self.set(Key::Lot(account, group, lot.id), Cell::Lot(lot.clone()));
            }
        }
        self.gather(Key::Wallet(account, group), rows);
        // That list knows groups alone.
        self.gather(Key::WalletsOf(account), &rows[..1]);
    }

    /// Puts rows into a cell of many, or keeps them until that is loaded.
    fn gather(&mut self, list: Key, rows: &[Row]) {
        match self.cells.get_mut(&list) {
            Some(cell) => rows.iter().for_each(|row| gather_in(list, cell, row)),
            None => self.early.entry(list).or_default().extend_from_slice(rows),
        }
    }
}

/// Puts a row into a cell of many rows.
fn gather_in(list: Key, cell: &mut Option<Cell>, row: &Row) {
    match (cell, row) {
        (Some(Cell::WalletsOf(groups)), Row::Lot(lot)) => insert(groups, lot.group),
        (absent, Row::Lot(lot)) if matches!(list, Key::WalletsOf(_)) => {
            *absent = Some(Cell::WalletsOf(vec![lot.group]));
        }
        (Some(Cell::Memberships(groups)), Row::Member(member)) => insert(groups, member.group),
        (absent, Row::Member(member)) => *absent = Some(Cell::Memberships(vec![member.group])),
        (Some(Cell::Wallet(lots)), Row::Lot(lot)) => lots.put(lot.clone()),
        (absent, Row::Lot(lot)) => *absent = Some(Cell::Wallet(Wallet::new(vec![lot.clone()]))),
        (Some(Cell::Debts(debts)), Row::Debt(debt)) => {
            debts.retain(|known| known.key() != debt.key());
            debts.push(*debt);
        }
        (absent, Row::Debt(debt)) => *absent = Some(Cell::Debts(vec![*debt])),
        (Some(Cell::Keys(keys)), Row::Device(device)) => insert(keys, device.key),
        (absent, Row::Device(device)) => *absent = Some(Cell::Keys(vec![device.key])),
        (Some(Cell::OpenPasses(passes)), Row::Pass(pass)) if pass.state == PassState::Open => {
            insert(passes, pass.id);
        }
        (Some(Cell::OpenPasses(passes)), Row::Pass(pass)) => passes.retain(|id| *id != pass.id),
        (absent, Row::Pass(pass)) if pass.state == PassState::Open => {
            *absent = Some(Cell::OpenPasses(vec![pass.id]));
        }
        _ => {}
    }
}

/// Puts an id in its place, once.
fn insert<T: Ord>(ids: &mut Vec<T>, id: T) {
    if let Err(at) = ids.binary_search(&id) {
        ids.insert(at, id);
    }
}
