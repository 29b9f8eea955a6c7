//! A town in memory: rows in maps, and around [`decide`] what an engine does, in the plainest way.
//!
//! It decides everything twice: with a view made for the op and loaded from the tables as they are, and with the view
//! of a batch, loaded from the tables as they were when the batch began, with every change since put into it. They
//! must agree.

use std::collections::{BTreeMap, BTreeSet};

use moa_rules::admission::JoinRequest;
use moa_rules::amendment::Amendment;
use moa_rules::books::{Account, Ledger, Party, postings};
use moa_rules::certificate::MOST_ALLOWANCE;
use moa_rules::debt::Debt;
use moa_rules::decide::{Decision, decide};
use moa_rules::device::Device;
use moa_rules::event::{EVENT_VERSION, Event, EventBody};
use moa_rules::group::{Group, Member, TermsVersion};
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use moa_rules::invitation::Invitation;
use moa_rules::lot::{Lot, Wallet};
use moa_rules::member::{Buyer, Found, MemberCode, NumberHash, STEP_SECONDS};
use moa_rules::merchant::{Merchant, MerchantProfile};
use moa_rules::op::{Carried, Choice, OP_VERSION, Op, OpBody, RedemptionCode};
use moa_rules::pass::{Pass, PassState};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::redemption::Redemption;
use moa_rules::refusal::Refusal;
use moa_rules::sale::Sale;
use moa_rules::staff::Staff;
use moa_rules::standing::{Standing, StandingChoice};
use moa_rules::state::{Row, apply};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Day, Timestamp, Validity};
use moa_rules::view::{Cell, Halt, Key, View};

/// 10 April 2026, 12:00 in Seoul.
pub const START: Timestamp = Timestamp(1_775_790_000_000);

/// The server's own key.
pub const SYSTEM: KeyId = KeyId([0xff; 8]);

/// The live tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    pub devices: BTreeMap<KeyId, Device>,
    pub counters: BTreeSet<(KeyId, u64)>,
    pub merchants: BTreeMap<MerchantId, Merchant>,
    pub sales: BTreeMap<(MerchantId, OpId), Sale>,
    pub groups: BTreeMap<GroupId, Group>,
    pub terms: BTreeMap<(GroupId, u32), TermsVersion>,
    pub members: BTreeMap<(GroupId, MerchantId), Member>,
    pub lots: BTreeMap<(AccountId, GroupId, LotId), Lot>,
    pub standings: BTreeMap<AccountId, Standing>,
    pub staff: BTreeMap<(MerchantId, AccountId), Staff>,
    pub staff_days: BTreeMap<(MerchantId, AccountId, Day), Money>,
    pub passes: BTreeMap<(MerchantId, OpId), Pass>,
    pub operators: BTreeSet<AccountId>,
    pub closed: BTreeMap<AccountId, (Timestamp, Option<AccountId>)>,
    pub holds: BTreeMap<(MerchantId, OpId), Hold>,
    pub redemptions: BTreeMap<(MerchantId, OpId), Redemption>,
    pub debts: Vec<Debt>,
    pub amendments: BTreeMap<GroupId, Box<Amendment>>,
    pub invitations: BTreeMap<(MerchantId, OpId), Invitation>,
    pub join_requests: BTreeMap<(GroupId, MerchantId), JoinRequest>,
}

impl Tables {
    fn keys(&self, of: impl Fn(&Device) -> bool) -> Option<Cell> {
        let keys: Vec<KeyId> =
            self.devices.values().filter(|device| of(device)).map(|device| device.key).collect();
        (!keys.is_empty()).then_some(Cell::Keys(keys))
    }

    fn cell(&self, key: Key) -> Option<Cell> {
        match key {
            Key::Device(key) => self.devices.get(&key).cloned().map(Cell::Device),
            Key::Counter(key, counter) => self.counters.contains(&(key, counter)).then_some(Cell::Counter),
            Key::Merchant(merchant) => self.merchants.get(&merchant).cloned().map(Cell::Merchant),
            Key::Memberships(merchant) => {
                let member = |(group, shop): &(GroupId, MerchantId)| (*shop == merchant).then_some(*group);
                let groups: Vec<GroupId> = self.members.keys().filter_map(member).collect();
                (!groups.is_empty()).then_some(Cell::Memberships(groups))
            }
            Key::Sale(merchant, sale) => self.sales.get(&(merchant, sale)).cloned().map(Cell::Sale),
            Key::Group(group) => self.groups.get(&group).cloned().map(Cell::Group),
            Key::Terms(group, version) => self.terms.get(&(group, version)).cloned().map(Cell::Terms),
            Key::Member(group, merchant) => self.members.get(&(group, merchant)).cloned().map(Cell::Member),
            Key::Wallet(account, group) => {
                let wallet = self.wallet(account, group);
                (wallet.lots().len() > 0).then_some(Cell::Wallet(wallet))
            }
            Key::Lot(account, group, lot) => self.lots.get(&(account, group, lot)).cloned().map(Cell::Lot),
            Key::Standing(account) => self.standings.get(&account).cloned().map(Cell::Standing),
            Key::DevicesOf(account) => self.keys(|device| device.account() == Some(account)),
            Key::Tills(merchant) => self.keys(|device| device.merchant == Some(merchant)),
            Key::Staff(merchant, account) => self.staff.get(&(merchant, account)).copied().map(Cell::Staff),
            Key::StaffDay(merchant, account, day) => {
                self.staff_days.get(&(merchant, account, day)).copied().map(Cell::StaffDay)
            }
            Key::Pass(merchant, pass) => self.passes.get(&(merchant, pass)).cloned().map(Cell::Pass),
            Key::OpenPasses(account, group) => {
                let open = |pass: &&Pass| {
                    (pass.account, pass.group, pass.state) == (account, group, PassState::Open)
                };
                let mut passes: Vec<OpId> = self.passes.values().filter(open).map(|pass| pass.id).collect();
                passes.sort_unstable();
                (!passes.is_empty()).then_some(Cell::OpenPasses(passes))
            }
            Key::WalletsOf(account) => {
                let left =
                    self.lots.values().filter(|lot| lot.account == account && !lot.remaining.is_zero());
                let groups: BTreeSet<GroupId> = left.map(|lot| lot.group).collect();
                (!groups.is_empty()).then(|| Cell::WalletsOf(groups.into_iter().collect()))
            }
            Key::Closed(account) => self.closed.get(&account).map(|(_, into)| Cell::Closed(*into)),
            Key::Hold(merchant, id) => self.holds.get(&(merchant, id)).cloned().map(Cell::Hold),
            Key::Redemption(merchant, id) => {
                self.redemptions.get(&(merchant, id)).cloned().map(Cell::Redemption)
            }
            Key::Debts(account) => {
                let owed = self.debts.iter().filter(|debt| debt.account == account).copied();
                Some(Cell::Debts(owed.collect()))
            }
            Key::Amendment(group) => self.amendments.get(&group).cloned().map(Cell::Amendment),
            Key::Invitation(issuer, id) => self.invitations.get(&(issuer, id)).copied().map(Cell::Invitation),
            Key::JoinRequest(group, merchant) => {
                self.join_requests.get(&(group, merchant)).cloned().map(Cell::JoinRequest)
            }
            Key::Operator(account) => self.operators.contains(&account).then_some(Cell::Operator),
        }
    }

    fn write(&mut self, row: Row) {
        match row {
            Row::Device(device) => drop(self.devices.insert(device.key, device)),
            Row::Counter(key, counter) => drop(self.counters.insert((key, counter))),
            Row::Merchant(merchant) => drop(self.merchants.insert(merchant.id, merchant)),
            Row::Sale(sale) => drop(self.sales.insert((sale.merchant, sale.id), sale)),
            Row::Group(group) => drop(self.groups.insert(group.id, group)),
            Row::Terms(terms) => drop(self.terms.insert((terms.group, terms.version), terms)),
            Row::Member(member) => drop(self.members.insert((member.group, member.merchant), member)),
            Row::Lot(lot) => drop(self.lots.insert((lot.account, lot.group, lot.id), lot)),
            Row::Standing(standing) => drop(self.standings.insert(standing.account, standing)),
            Row::Staff(staff) => drop(self.staff.insert((staff.merchant, staff.account), staff)),
            Row::StaffDay { merchant, account, day, sold } => {
                self.staff_days.insert((merchant, account, day), sold);
            }
            Row::Pass(pass) => drop(self.passes.insert((pass.merchant, pass.id), pass)),
            Row::Closed { account, at, into } => drop(self.closed.insert(account, (at, into))),
            Row::Hold(hold) => drop(self.holds.insert((hold.merchant, hold.id), hold)),
            Row::Redemption(taken) => drop(self.redemptions.insert((taken.merchant, taken.id), taken)),
            Row::Debt(debt) => {
                self.debts.retain(|known| (known.account, known.key()) != (debt.account, debt.key()));
                self.debts.push(debt);
            }
            Row::Amendment(proposed) => drop(self.amendments.insert(proposed.group, proposed)),
            Row::Invitation(made) => drop(self.invitations.insert((made.issuer, made.id), made)),
            Row::JoinRequest(asked) => drop(self.join_requests.insert((asked.group, asked.merchant), asked)),
            Row::Operator { account, operator: true } => drop(self.operators.insert(account)),
            Row::Operator { account, operator: false } => drop(self.operators.remove(&account)),
        }
    }

    pub fn wallet(&self, account: AccountId, group: GroupId) -> Wallet {
        let whole = (account, group, LotId([0; 16]))..=(account, group, LotId([0xff; 16]));
        Wallet::new(self.lots.range(whole).map(|(_, lot)| lot.clone()).collect())
    }
}

/// Someone with a phone.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub account: AccountId,
    pub key: KeyId,
}

/// A shop and the phone at its till.
#[derive(Debug, Clone, Copy)]
pub struct Shop {
    pub merchant: MerchantId,
    pub owner: Person,
}

/// A signed op with what it carries, ready to be sent.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub op: Op,
    pub carried: Carried,
}

pub struct Town {
    pub now: Timestamp,
    pub tables: Tables,
    pub books: BTreeMap<Account, i64>,
    /// Whether tills renew their certificates before they sell.
    pub renews: bool,
    /// The tables when the batch began.
    committed: Tables,
    /// What the batch has loaded and changed.
    batch: View,
    journal: Vec<Event>,
    made: u64,
}

impl Town {
    pub fn new() -> Self {
        let mut town = Self {
            now: START,
            tables: Tables::default(),
            books: BTreeMap::new(),
            renews: true,
            committed: Tables::default(),
            batch: View::default(),
            journal: Vec::new(),
            made: 0,
        };
        town.write(Row::Device(system()));
        town
    }

    /// A number never given before.
    pub fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Sixteen bytes that stand in no order of time, so that ties between ids are real.
    fn bytes(&mut self) -> [u8; 16] {
        let number = self.number();
        let mixed = (number ^ 0x9e37).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&mixed.wrapping_mul(0x94d0_49bb_1331_11eb).to_be_bytes());
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        bytes
    }

    /// An op of this author, now by their clock too.
    pub fn op(&mut self, actor: KeyId, body: OpBody) -> Op {
        let mut id = self.bytes();
        id[6] = if actor == SYSTEM { 0x80 } else { 0x70 };
        let (counter, time) = (self.number(), self.now.seconds());
        Op { version: OP_VERSION, id: OpId(id), actor, counter, time, body }
    }

    /// Another phone of the same account.
    pub fn device(&mut self, account: AccountId) -> Person {
        let key = KeyId(self.number().to_be_bytes());
        self.enrol(account, key, true);
        Person { account, key }
    }

    /// Enrols a key; a further one of an account that did not prove more than the number waits before it pays.
    pub fn enrol(&mut self, account: AccountId, key: KeyId, proved: bool) {
        let public_key = vec![4; 65];
        let op = self.op(SYSTEM, OpBody::EnrolDevice { account, key, public_key, proved: Some(proved) });
        self.send(&op.into()).unwrap();
    }

    pub fn person(&mut self) -> Person {
        let account = AccountId(self.bytes());
        self.device(account)
    }

    pub fn shop(&mut self) -> Shop {
        let owner = self.person();
        self.shop_of(owner)
    }

    pub fn shop_of(&mut self, owner: Person) -> Shop {
        let profile = MerchantProfile::new("모퉁이", Currency::KRW, None);
        let op = self.op(owner.key, OpBody::RegisterMerchant { profile });
        self.send(&op.clone().into()).unwrap();
        let shop = Shop { merchant: op.id.as_merchant(), owner };
        let operator = self.operator();
        let body = OpBody::SetAllowance { merchant: shop.merchant, most: MOST_ALLOWANCE };
        let op = self.op(operator.key, body);
        self.send(&op.into()).unwrap();
        self.renew(shop.owner.key);
        shop
    }

    /// Someone who runs the server for everyone.
    pub fn operator(&mut self) -> Person {
        let person = self.person();
        let op = self.op(SYSTEM, OpBody::AppointOperator { account: person.account, operator: true });
        self.send(&op.into()).unwrap();
        person
    }

    /// A till hears from the server.
    pub fn renew(&mut self, till: KeyId) {
        let op = self.op(till, OpBody::RenewCertificate);
        self.send(&op.into()).unwrap();
    }

    /// A till hears from the server, if it has not for half a week.
    pub fn keep_fresh(&mut self, till: KeyId) {
        let certificate = self.tables.devices.get(&till).and_then(|device| device.certificate);
        if self.renews
            && certificate.is_some_and(|certificate| certificate.until < self.now.plus(4 * Timestamp::DAY))
        {
            self.renew(till);
        }
    }

    pub fn group(&mut self, founder: Shop, terms: Terms) -> GroupId {
        let profile = Profile::new("골목", Scope::Area);
        let op = self.op(founder.owner.key, OpBody::FoundGroup { profile, terms });
        self.send(&op.clone().into()).unwrap();
        op.id.as_group()
    }

    pub fn join(&mut self, shop: Shop, group: GroupId) {
        let terms_version = self.tables.groups[&group].terms_version;
        let op = self.op(shop.owner.key, OpBody::JoinGroup { group, terms_version, invitation: None });
        self.send(&op.into()).unwrap();
    }

    /// Other terms for a group, to which all its members agree: in force at the next full second.
    pub fn amend(&mut self, group: GroupId, terms: Terms) {
        let from = self.now.plus(Timestamp::SECOND).seconds();
        let admin = self.owner_of(self.tables.groups[&group].admin);
        let proposal = self.op(admin, OpBody::AmendTerms { group, terms, from });
        let amendment = proposal.id;
        self.send(&proposal.into()).unwrap();
        let members: Vec<MerchantId> =
            self.tables.members.keys().filter(|of| of.0 == group).map(|of| of.1).collect();
        for member in members {
            let owner = self.owner_of(member);
            let answer = self.op(owner, OpBody::AnswerAmendment { group, amendment, agrees: true });
            self.send(&answer.into()).unwrap();
        }
        self.now = Timestamp::from_seconds(from);
        let count = self.op(SYSTEM, OpBody::DecideAmendment { group, amendment });
        self.send(&count.into()).unwrap();
    }

    /// The key at a shop's till that is its owner's.
    pub fn owner_of(&self, shop: MerchantId) -> KeyId {
        let owners = |device: &&Device| device.merchant == Some(shop) && !device.staff;
        self.tables.devices.values().find(owners).map(|device| device.key).unwrap()
    }

    /// Puts a group in that no shop of this town could found.
    pub fn put_group(&mut self, group: Group, terms: TermsVersion) {
        self.write(Row::Group(group));
        self.write(Row::Terms(terms));
    }

    /// A sale that the shop has signed and not sent: the voucher.
    pub fn sale(&mut self, shop: Shop, amount: i64) -> Op {
        self.keep_fresh(shop.owner.key);
        self.op(
            shop.owner.key,
            OpBody::RecordSale { amount: Money(amount), addressee: None, redemption: None },
        )
    }

    pub fn sale_to(&mut self, shop: Shop, amount: i64, buyer: Person) -> Op {
        self.keep_fresh(shop.owner.key);
        let addressee = Some(buyer.account);
        self.op(shop.owner.key, OpBody::RecordSale { amount: Money(amount), addressee, redemption: None })
    }

    /// A sale to a buyer whose member code the shop has scanned, and whom the server has found.
    pub fn sell_to(&mut self, shop: Shop, amount: i64, buyer: Person) -> Parcel {
        self.keep_fresh(shop.owner.key);
        let step = u32::try_from(self.now.seconds() / STEP_SECONDS).unwrap();
        let member = Buyer::Member(MemberCode { tag: buyer.account.0, step, mac: [7; 8] });
        let op = self
            .op(shop.owner.key, OpBody::SellTo { amount: Money(amount), buyer: member, redemption: None });
        Parcel { op, carried: Carried::Buyer(Found::Account(buyer.account)) }
    }

    /// A sale to a phone number, whose owner may have yet to sign up.
    pub fn sell_to_number(&mut self, shop: Shop, amount: i64, buyer: Person, signed_up: bool) -> Parcel {
        self.keep_fresh(shop.owner.key);
        let number = Buyer::Number(NumberHash([7; 32]));
        let op = self
            .op(shop.owner.key, OpBody::SellTo { amount: Money(amount), buyer: number, redemption: None });
        Parcel { op, carried: Carried::Buyer(Found::Number { account: buyer.account, signed_up }) }
    }

    /// What the server does with a sale that waits when its buyer signs up.
    pub fn offer_again(&mut self, shop: Shop, sale: OpId) -> Parcel {
        self.op(SYSTEM, OpBody::OfferAgain { merchant: shop.merchant, sale }).into()
    }

    /// A buyer's choice for a sale that waits.
    pub fn choose(&mut self, buyer: Person, shop: Shop, sale: OpId, group: GroupId) -> Parcel {
        let terms_version = self.tables.groups[&group].terms_version;
        let (merchant, choice) = (shop.merchant, Some(Choice { group, terms_version }));
        self.op(buyer.key, OpBody::ClaimWaiting { merchant, sale, choice }).into()
    }

    /// A buyer's standing choice.
    pub fn stand(&mut self, buyer: Person, groups: &[GroupId], best: bool) -> Parcel {
        let choice = StandingChoice { groups: groups.to_vec(), best };
        self.op(buyer.key, OpBody::SetStanding { choice }).into()
    }

    /// The server's sweep of a sale whose buyer agreed to the best.
    pub fn take_best(&mut self, shop: Shop, sale: OpId) -> Parcel {
        self.op(SYSTEM, OpBody::TakeBest { merchant: shop.merchant, sale }).into()
    }

    /// The server's sweep of a sale that waits.
    pub fn lapse(&mut self, shop: Shop, sale: OpId) -> Parcel {
        self.op(SYSTEM, OpBody::LapseSale { merchant: shop.merchant, sale }).into()
    }

    /// A claim of a voucher into a group, under the terms now in force.
    pub fn claim(&mut self, buyer: Person, sale: &Op, group: GroupId) -> Parcel {
        let terms_version = self.tables.groups[&group].terms_version;
        self.claim_for(buyer, sale, Some(Choice { group, terms_version }))
    }

    pub fn claim_for(&mut self, buyer: Person, sale: &Op, choice: Option<Choice>) -> Parcel {
        let bytes = minicbor::to_vec(sale).unwrap();
        let op = self.op(buyer.key, OpBody::Claim { sale: bytes, choice });
        Parcel { op, carried: Carried::Sale(Box::new(sale.clone())) }
    }

    pub fn code(&mut self, buyer: Person, group: GroupId, most: i64) -> RedemptionCode {
        let expires = self.now.plus(RedemptionCode::LIFETIME).seconds();
        let (key, counter) = (buyer.key, self.number());
        RedemptionCode { version: OP_VERSION, key, counter, expires, group, most: units(most), unit: None }
    }

    pub fn redeem_with(&mut self, shop: Shop, code: RedemptionCode, asked: i64) -> Parcel {
        let bytes = minicbor::to_vec(code).unwrap();
        let op = self.op(shop.owner.key, OpBody::Redeem { code: bytes, units: units(asked) });
        Parcel { op, carried: Carried::Code(code) }
    }

    /// A redemption with a code made for it.
    pub fn redeem(&mut self, shop: Shop, buyer: Person, group: GroupId, asked: i64) -> Parcel {
        let code = self.code(buyer, group, asked);
        self.redeem_with(shop, code, asked)
    }

    pub fn sweep(&mut self, buyer: AccountId, group: GroupId) -> Parcel {
        self.op(SYSTEM, OpBody::ExpireLots { group, account: buyer }).into()
    }

    /// Earns `amount` at 100 %, or whatever the group gives, and returns the lot.
    pub fn earn(&mut self, shop: Shop, buyer: Person, group: GroupId, amount: i64) -> LotId {
        let sale = self.sale(shop, amount);
        let claim = self.claim(buyer, &sale, group);
        self.send(&claim).unwrap();
        claim.op.id.as_lot()
    }

    /// What an engine does with an op that is not known to it. A refusal leaves everything as it was.
    pub fn send(&mut self, parcel: &Parcel) -> Result<Decision, Refusal> {
        let decision = self.decide(parcel)?;
        let op = &parcel.op;
        for (index, (actor, op, body)) in decision.events.iter().enumerate() {
            let index = u16::try_from(index).unwrap();
            let (actor, op, body) = (*actor, *op, body.clone());
            self.happen(Event { version: EVENT_VERSION, actor, op, index, at: self.now, body });
        }
        for (key, counter) in [(op.actor, op.counter)].iter().chain(&decision.counters) {
            self.write(Row::Counter(*key, *counter));
        }
        Ok(decision)
    }

    fn decide(&mut self, parcel: &Parcel) -> Result<Decision, Refusal> {
        let anew = settle(&mut View::default(), &self.tables, parcel, self.now);
        let in_batch = settle(&mut self.batch, &self.committed, parcel, self.now);
        assert_eq!(anew, in_batch, "a batch decides as if each of its ops were alone");
        anew
    }

    /// Ends the batch; what follows is the next.
    pub fn commit(&mut self) {
        self.committed = self.tables.clone();
        self.batch = View::default();
    }

    fn happen(&mut self, event: Event) {
        for row in rows_of(&event, &self.committed, &mut self.batch) {
            self.write(row);
        }
        self.post(&event.body);
        self.journal.push(event);
    }

    fn write(&mut self, row: Row) {
        self.batch.put(&row);
        self.tables.write(row);
    }

    /// Adds an event to the books: zero in money, zero in the units of each issuer.
    fn post(&mut self, event: &EventBody) {
        let mut sums: BTreeMap<Option<MerchantId>, i64> = BTreeMap::new();
        for posting in postings(event) {
            assert_eq!(posting.account.ledger.is_money(), posting.account.issuer.is_none());
            *sums.entry(posting.account.issuer).or_default() += posting.amount;
            *self.books.entry(posting.account).or_default() += posting.amount;
        }
        assert!(sums.values().all(|sum| *sum == 0), "{event:?} does not balance: {sums:?}");
    }

    /// The tables that the journal alone gives. Counters are in the ops, not in the events.
    pub fn rebuilt(&self) -> Tables {
        let mut tables = Tables { counters: self.tables.counters.clone(), ..Tables::default() };
        tables.write(Row::Device(system()));
        for event in &self.journal {
            rows_of(event, &tables, &mut View::default()).into_iter().for_each(|row| tables.write(row));
        }
        tables
    }

    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.journal.iter()
    }

    pub fn available(&self, buyer: AccountId, group: GroupId) -> i64 {
        let usable = self.tables.groups[&group].usable(None, self.now);
        self.tables.wallet(buyer, group).available(&usable).get()
    }

    /// Money that a party of a group is owed (negative: owes).
    pub fn position(&self, group: GroupId, party: Party) -> i64 {
        let account = Account { group, party, ledger: Ledger::Position, issuer: None };
        self.books.get(&account).copied().unwrap_or(0)
    }

    pub fn wait(&mut self, millis: i64) {
        self.now = self.now.plus(millis);
    }
}

impl From<Op> for Parcel {
    fn from(op: Op) -> Self {
        Self { op, carried: Carried::None }
    }
}

fn system() -> Device {
    Device::system(SYSTEM, vec![4; 65])
}

/// Asks until nothing is missing. A cell already loaded must not be asked for again.
fn settle(view: &mut View, tables: &Tables, parcel: &Parcel, now: Timestamp) -> Result<Decision, Refusal> {
    loop {
        match decide(view, &parcel.op, &parcel.carried, now) {
            Ok(decision) => return Ok(decision),
            Err(Halt::Refused(refusal)) => return Err(refusal),
            Err(Halt::Need(keys)) => load(view, tables, &keys),
        }
    }
}

fn rows_of(event: &Event, tables: &Tables, view: &mut View) -> Vec<Row> {
    loop {
        match apply(view, event) {
            Ok(rows) => return rows,
            Err(Halt::Need(keys)) => load(view, tables, &keys),
            Err(Halt::Refused(refusal)) => panic!("an event is not to be refused: {refusal}"),
        }
    }
}

fn load(view: &mut View, tables: &Tables, keys: &[Key]) {
    assert!(!keys.is_empty(), "a rule that stops says what it needs");
    for key in keys {
        assert!(!view.is_loaded(*key), "{key:?} is loaded already");
        view.load(*key, tables.cell(*key));
    }
}

pub fn units(count: i64) -> Units {
    Units::new(count).unwrap()
}

/// Points at so many basis points, for six months, from so many.
pub fn points(rate: u16, minimum: i64) -> Terms {
    Terms::points(BasisPoints::new(rate).unwrap(), Validity::Months(6), units(minimum))
}
