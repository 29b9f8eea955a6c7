//! The naive model: lists of everything there ever was, and loops over them. It shares the rules' types and none of their
//! functions; dates come from the calendar, day by day.
//!
//! What an op brings about is a list of facts. Writing one down is all that changes a list.

mod books;
mod calendar;
mod gifts;
mod groups;
mod people;
mod returns;
mod sales;
mod spending;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use moa_rules::books::Account;
use moa_rules::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use moa_rules::member::Found;
use moa_rules::op::{Carried, Choice, Op, OpBody};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Basis, Terms, Unit};
use moa_rules::time::Timestamp;

use crate::driver::Parcel;
pub use groups::Group;
use groups::{Member, Proposal};
pub use people::Phone;
use people::{Hired, Stood};
use sales::Refund;
pub use sales::Sale;
pub use spending::{Over, Reserved, Taken};

const DAY: i64 = 86_400_000;
const HOUR: i64 = DAY / 24;
const MINUTE: i64 = HOUR / 60;

/// A lot as the facts leave it. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    pub account: AccountId,
    pub group: GroupId,
    pub lot: LotId,
    pub issuer: MerchantId,
    /// The sale, or the op that gave it.
    pub sale: OpId,
    pub units: i64,
    pub left: i64,
    /// Of what is left, how much passes and holds reserve.
    pub held: i64,
    pub expired: i64,
    pub issued: i64,
    pub last_day: NaiveDate,
    pub ends: i64,
    pub value: i64,
    pub basis: Basis,
    pub unit: Option<Unit>,
    /// Of the terms, from 1.
    pub version: u32,
    pub revives: Option<LotId>,
}

/// What a buyer owes a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owed {
    pub account: AccountId,
    pub group: GroupId,
    pub shop: MerchantId,
    pub unit: Option<Unit>,
    pub since: i64,
    pub units: i64,
}

/// Where something comes back to.
#[derive(Debug)]
enum Place {
    /// A lot's place in the list.
    There(usize),
    /// A lot that did not exist before.
    New(Box<Stock>),
}

/// Something that happened. A lot is its place in the list of lots.
#[derive(Debug)]
enum Fact {
    Used {
        key: KeyId,
        counter: u64,
    },
    Enrolled {
        key: KeyId,
        account: AccountId,
        pays_from: i64,
    },
    Admitted {
        key: KeyId,
        at: i64,
    },
    Revoked {
        key: KeyId,
    },
    Opened {
        shop: MerchantId,
        account: AccountId,
        key: KeyId,
    },
    Allowed {
        shop: MerchantId,
        most: i64,
    },
    Certified {
        key: KeyId,
        most: i64,
        until: i64,
    },
    Hired {
        shop: MerchantId,
        account: AccountId,
        key: KeyId,
        hired: Hired,
    },
    Quit {
        shop: MerchantId,
        account: AccountId,
        key: KeyId,
        at: i64,
    },
    Operates {
        account: AccountId,
    },
    Stood {
        account: AccountId,
        stood: Stood,
    },
    Founded {
        group: GroupId,
        shop: MerchantId,
        terms: Terms,
        at: i64,
    },
    Joined {
        group: GroupId,
        shop: MerchantId,
    },
    Left {
        group: GroupId,
        shop: MerchantId,
        at: i64,
    },
    /// Since when, or no more.
    Frozen {
        group: GroupId,
        shop: MerchantId,
        since: Option<i64>,
    },
    Administers {
        group: GroupId,
        shop: MerchantId,
    },
    Proposed {
        group: GroupId,
        proposal: Proposal,
    },
    Answered {
        group: GroupId,
        shop: MerchantId,
        agrees: bool,
    },
    /// The proposal is in force, or rejected.
    Decided {
        group: GroupId,
        in_force: Option<i64>,
    },
    Closing {
        group: GroupId,
        redeem_only: i64,
        ends: i64,
    },
    Ended {
        group: GroupId,
    },
    Sold(Box<Sale>),
    Waits {
        sale: OpId,
        account: AccountId,
    },
    Lapsed {
        sale: OpId,
    },
    Voided {
        sale: OpId,
    },
    Refunded {
        sale: OpId,
        refund: Refund,
    },
    Earned {
        sale: OpId,
        lot: Box<Stock>,
    },
    Granted {
        lot: Box<Stock>,
    },
    /// Taken back, or paid as a debt, at a shop.
    TakenBack {
        lot: usize,
        units: i64,
        shop: MerchantId,
    },
    Owes(Owed),
    Paid {
        debt: Owed,
        units: i64,
    },
    TakenAway {
        lot: usize,
        units: i64,
    },
    Reserved(Reserved),
    Over {
        reserved: OpId,
        how: Over,
    },
    Taken(Taken),
    /// Of a redemption, so many units came back; those of a lot to where.
    Back {
        redemption: OpId,
        parts: Vec<(usize, i64, Place)>,
        account: AccountId,
    },
    Gone {
        lot: usize,
        units: i64,
    },
    Moved {
        from: AccountId,
        into: AccountId,
    },
    Closed {
        account: AccountId,
        into: Option<AccountId>,
    },
}

#[derive(Debug, Default)]
pub struct Model {
    used: BTreeSet<(KeyId, u64)>,
    phones: BTreeMap<KeyId, Phone>,
    /// Shops, their owners, and what they may sell before they sync.
    shops: BTreeMap<MerchantId, (AccountId, i64)>,
    operators: BTreeSet<AccountId>,
    staff: BTreeMap<(MerchantId, AccountId), Hired>,
    standings: BTreeMap<AccountId, Stood>,
    groups: BTreeMap<GroupId, Group>,
    sales: BTreeMap<OpId, Sale>,
    lots: Vec<Stock>,
    /// Where in the list a lot is.
    places: BTreeMap<(AccountId, GroupId, LotId), usize>,
    reserved: BTreeMap<OpId, Reserved>,
    taken: BTreeMap<OpId, Taken>,
    debts: Vec<Owed>,
    closed: BTreeMap<AccountId, Option<AccountId>>,
    books: BTreeMap<Account, i64>,
}

impl Model {
    /// Decides an op and, if it holds, writes down what happened.
    pub fn decide(&mut self, parcel: &Parcel, now: Timestamp) -> Result<(), Refusal> {
        let (op, now) = (&parcel.op, now.0);
        if self.is_revoked(op.actor) {
            return Err(Refusal::RevokedKey);
        }
        if self.is_used(op.actor, op.counter) {
            return Err(Refusal::CounterUsed { counter: op.counter });
        }
        for fact in self.facts(op, &parcel.carried, now)? {
            self.write(fact);
        }
        self.write(Fact::Used { key: op.actor, counter: op.counter });
        Ok(())
    }

    fn facts(&self, op: &Op, carried: &Carried, now: i64) -> Result<Vec<Fact>, Refusal> {
        let picked = |choice: &Option<Choice>| choice.map(|choice| (choice.group, choice.terms_version));
        match (&op.body, carried) {
            (OpBody::RecordSale { .. }, _) => self.sell(op, now),
            (OpBody::Claim { choice, .. }, Carried::Sale(sale)) => self.claim(op, sale, picked(choice), now),
            (OpBody::SellTo { .. }, Carried::Buyer(Found::Account(account))) => {
                self.sell_to(op, *account, true, now)
            }
            (OpBody::SellTo { .. }, Carried::Buyer(Found::Number { account, signed_up })) => {
                self.sell_to(op, *account, *signed_up, now)
            }
            (OpBody::OfferAgain { sale, .. }, _) => self.offer_again(op, *sale, now),
            (OpBody::ClaimWaiting { sale, choice, .. }, _) => self.choose(op, *sale, picked(choice), now),
            (OpBody::LapseSale { sale, .. }, _) => self.lapse(*sale, now),
            (OpBody::TakeBest { sale, .. }, _) => self.take_best(op, *sale, now),
            (OpBody::SetStanding { choice }, _) => Ok(self.stand(op, choice)),
            (OpBody::VoidSale { sale }, _) => self.void(op, *sale),
            (OpBody::RefundSale { sale, amount }, _) => self.refund(op, *sale, amount.0, now),
            (OpBody::ReverseRedemption { redemption }, _) => self.reverse(op, *redemption, now),

            (OpBody::Redeem { units, .. }, Carried::Code(code)) => self.redeem(op, code, units.get(), now),
            (OpBody::Hold { units, seconds, .. }, Carried::Code(code)) => {
                self.hold(op, code, units.get(), *seconds, now)
            }
            (OpBody::CaptureHold { hold, units }, _) => self.capture(op, *hold, units.get(), now),
            (OpBody::VoidHold { hold }, _) => self.void_hold(op, *hold),
            (OpBody::LapseHold { merchant, hold }, _) => self.lapse_hold(*merchant, *hold, now),
            (OpBody::ExpireLots { group, account }, _) => self.sweep(*account, *group, now),
            (OpBody::Pay { merchant, group, units, expires, unit }, _) => {
                self.pay(op, (*merchant, *group), (units.get(), *unit), *expires, now)
            }
            (OpBody::ReservePass { merchant, till, group, units, expires, unit }, _) => {
                let wanted = (units.get(), *unit);
                self.reserve(op, (*merchant, *till), *group, wanted, *expires, now)
            }
            (OpBody::RedeemPass { units, .. }, Carried::Pass { pass, key }) => {
                self.take_pass(op, (*pass, *key), units.get())
            }
            (OpBody::ReleasePass { merchant, pass }, _) => self.release(*merchant, *pass, now),

            (OpBody::Grant { group, units, last_day, .. }, Carried::Buyer(Found::Account(account))) => {
                self.grant(op, (*account, *group), units.get(), *last_day, now)
            }
            (OpBody::TakeAway { group, account, units, unit, .. }, _) => {
                self.take_away(op, (*account, *group), (units.get(), *unit), now)
            }

            (OpBody::FoundGroup { terms, .. }, _) => self.found(op, terms, now),
            (OpBody::JoinGroup { group, terms_version, .. }, _) => self.join(op, *group, *terms_version),
            (OpBody::LeaveGroup { group }, _) => self.leave(op, *group, now),
            (OpBody::ExpelMember { group, merchant }, _) => self.expel(op, *group, *merchant, now),
            (OpBody::FreezeMember { group, merchant, frozen }, _) => {
                self.freeze(op, (*group, *merchant), *frozen, now)
            }
            (OpBody::AppointAdmin { group, merchant }, _) => self.appoint(op, *group, *merchant),
            (OpBody::AmendTerms { group, terms, from }, _) => self.propose(op, *group, terms, *from, now),
            (OpBody::AnswerAmendment { group, amendment, agrees }, _) => {
                self.answer(op, (*group, *amendment), *agrees, now)
            }
            (OpBody::DecideAmendment { group, amendment }, _) => self.count(*group, *amendment, now),
            (OpBody::CloseGroup { group }, _) => self.close(op, *group, now),
            (OpBody::EndGroup { group }, _) => self.end(*group, now),

            (OpBody::EnrolDevice { account, key, proved, .. }, _) => {
                self.enrol(*account, *key, *proved == Some(true), now)
            }
            (OpBody::RevokeDevice { key }, _) => self.revoke(op.actor, *key, now),
            (OpBody::AdmitDevice { key }, _) => self.admit(op.actor, *key, now),
            (OpBody::JoinStaff { .. }, Carried::Invitation(invitation)) => {
                self.join_staff(op.actor, invitation, now)
            }
            (OpBody::RemoveStaff { merchant, account }, _) => {
                self.remove_staff(op.actor, *merchant, *account, now)
            }
            (OpBody::RenewCertificate, _) => self.renew(op.actor, now),
            (OpBody::SetAllowance { merchant, most }, _) => self.allow(op.actor, *merchant, most.0, now),
            (OpBody::CloseAccount, _) => self.close_account(op, now),
            (OpBody::MergeAccount { .. }, Carried::Consent(consent)) => self.merge(op, consent, now),
            other => panic!("no history has {other:?}"),
        }
    }

    fn write(&mut self, fact: Fact) {
        self.book(&fact);
        match fact {
            Fact::Used { key, counter } => drop(self.used.insert((key, counter))),
            Fact::Enrolled { key, account, pays_from } => {
                self.phones.insert(key, Phone::new(account, pays_from));
            }
            Fact::Admitted { key, at } => {
                let phone = self.phones.get_mut(&key).unwrap();
                phone.pays_from = phone.pays_from.min(at);
            }
            Fact::Revoked { key } => self.phones.get_mut(&key).unwrap().revoked = true,
            Fact::Opened { shop, account, key } => {
                self.shops.insert(shop, (account, 0));
                self.phones.get_mut(&key).unwrap().shop = Some(shop);
            }
            Fact::Allowed { shop, most } => self.shops.get_mut(&shop).unwrap().1 = most,
            Fact::Certified { key, most, until } => {
                self.phones.get_mut(&key).unwrap().certificate = Some((most, until, 0));
            }
            Fact::Hired { shop, account, key, hired } => {
                let phone = self.phones.get_mut(&key).unwrap();
                (phone.shop, phone.staff, phone.left_at) = (Some(shop), true, None);
                self.staff.insert((shop, account), hired);
            }
            Fact::Quit { shop, account, key, at } => {
                self.phones.get_mut(&key).unwrap().left_at = Some(at);
                self.staff.get_mut(&(shop, account)).unwrap().left_at = Some(at);
            }
            Fact::Operates { account } => drop(self.operators.insert(account)),
            Fact::Stood { account, stood } => drop(self.standings.insert(account, stood)),
            Fact::Founded { group, shop, terms, at } => {
                self.groups.insert(group, Group::new(shop, terms, at));
            }
            Fact::Joined { group, shop } => {
                let members = &mut self.group_mut(group).members;
                // Whoever left frozen comes back frozen.
                let frozen = members.get(&shop).and_then(|before| before.frozen);
                members.insert(shop, Member { left: None, frozen });
            }
            Fact::Left { group, shop, at } => {
                let group = self.group_mut(group);
                group.members.get_mut(&shop).unwrap().left = Some(at);
                if let Some(proposal) = group.proposal.as_mut().filter(|proposal| !proposal.decided) {
                    proposal.answers.remove(&shop);
                }
            }
            Fact::Frozen { group, shop, since } => {
                self.group_mut(group).members.get_mut(&shop).unwrap().frozen = since;
            }
            Fact::Administers { group, shop } => self.group_mut(group).admin = shop,
            Fact::Proposed { group, proposal } => self.group_mut(group).proposal = Some(proposal),
            Fact::Answered { group, shop, agrees } => {
                self.group_mut(group).proposal.as_mut().unwrap().answers.insert(shop, agrees);
            }
            Fact::Decided { group, in_force } => {
                let group = self.group_mut(group);
                let proposal = group.proposal.as_mut().unwrap();
                proposal.decided = true;
                let terms = proposal.terms.clone();
                group.versions.extend(in_force.map(|at| (at, terms)));
            }
            Fact::Closing { group, redeem_only, ends } => {
                self.group_mut(group).closing = Some((redeem_only, ends));
            }
            Fact::Ended { group } => self.group_mut(group).ended = true,
            other => self.write_trade(other),
        }
    }

    fn write_trade(&mut self, fact: Fact) {
        match fact {
            Fact::Sold(sale) => {
                if let Some((_, _, used)) = &mut self.phones.get_mut(&sale.key).unwrap().certificate {
                    *used += sale.amount;
                }
                self.sales.insert(sale.id, *sale);
            }
            Fact::Waits { sale, account } => self.sale_mut(sale).waits_for = Some(account),
            Fact::Lapsed { sale } => self.sale_mut(sale).lapsed = true,
            Fact::Voided { sale } => self.sale_mut(sale).voided = true,
            Fact::Refunded { sale, refund } => self.sale_mut(sale).refunds.push(refund),
            Fact::Earned { sale, lot } => {
                self.sale_mut(sale).claimed = Some((lot.lot, lot.account, lot.group));
                self.put(*lot);
            }
            Fact::Granted { lot } => self.put(*lot),
            Fact::TakenBack { lot, units, .. } | Fact::TakenAway { lot, units } => {
                self.lots[lot].left -= units;
            }
            Fact::Owes(new) => {
                let same = |debt: &&mut Owed| {
                    (debt.account, debt.group, debt.shop, debt.unit)
                        == (new.account, new.group, new.shop, new.unit)
                };
                match self.debts.iter_mut().find(same) {
                    Some(debt) => {
                        debt.units += new.units;
                        debt.since = debt.since.min(new.since);
                    }
                    None => self.debts.push(new),
                }
            }
            Fact::Paid { debt, units } => {
                let at = self.debts.iter().position(|known| *known == debt).unwrap();
                self.debts[at].units -= units;
                if self.debts[at].units == 0 {
                    self.debts.remove(at);
                }
            }
            Fact::Reserved(reserved) => {
                for (lot, units) in &reserved.parts {
                    self.lots[*lot].held += units;
                }
                self.reserved.insert(reserved.id, reserved);
            }
            Fact::Over { reserved, how } => {
                let reserved = self.reserved.get_mut(&reserved).unwrap();
                reserved.over = Some(how);
                for (lot, units) in &reserved.parts {
                    self.lots[*lot].held -= units;
                }
            }
            Fact::Taken(taken) => {
                for (lot, units) in &taken.parts {
                    self.lots[*lot].left -= units;
                }
                self.taken.insert(taken.id, taken);
            }
            Fact::Back { redemption, parts, .. } => {
                for (_, units, place) in parts {
                    self.taken.get_mut(&redemption).unwrap().returned += units;
                    match place {
                        Place::There(lot) => self.lots[lot].left += units,
                        Place::New(lot) => self.put(*lot),
                    }
                }
            }
            Fact::Gone { lot, units } => {
                self.lots[lot].left -= units;
                self.lots[lot].expired += units;
            }
            Fact::Moved { from, into } => {
                for at in 0..self.lots.len() {
                    if self.lots[at].account == from && self.lots[at].left > 0 {
                        let moved = Stock { account: into, ..self.lots[at].clone() };
                        self.lots[at].left = 0;
                        self.put(moved);
                    }
                }
            }
            Fact::Closed { account, into } => {
                self.closed.insert(account, into);
                for phone in self.phones.values_mut().filter(|phone| phone.account == account) {
                    phone.revoked = true;
                }
                let owed: Vec<Owed> =
                    self.debts.iter().filter(|debt| debt.account == account).copied().collect();
                self.debts.retain(|debt| debt.account != account);
                for debt in owed {
                    if let Some(account) = into {
                        self.write(Fact::Owes(Owed { account, ..debt }));
                    }
                }
            }
            other => panic!("{other:?} is no fact of trade"),
        }
    }

    fn put(&mut self, lot: Stock) {
        self.places.insert((lot.account, lot.group, lot.lot), self.lots.len());
        self.lots.push(lot);
    }

    fn group_mut(&mut self, group: GroupId) -> &mut Group {
        self.groups.get_mut(&group).unwrap()
    }

    fn sale_mut(&mut self, sale: OpId) -> &mut Sale {
        self.sales.get_mut(&sale).unwrap()
    }

    fn is_used(&self, key: KeyId, counter: u64) -> bool {
        self.used.contains(&(key, counter))
    }

    /// Every lot there ever was, in order of its key.
    pub fn stock(&self) -> impl Iterator<Item = &Stock> {
        self.places.values().map(|at| &self.lots[*at])
    }

    /// The lot at a place in the list.
    pub fn lot(&self, at: usize) -> &Stock {
        &self.lots[at]
    }

    /// The lots of one wallet, by their places.
    fn wallet(&self, account: AccountId, group: GroupId) -> impl Iterator<Item = (usize, &Stock)> {
        let whole = (account, group, LotId([0; 16]))..=(account, group, LotId([0xff; 16]));
        self.places.range(whole).map(|(_, at)| (*at, &self.lots[*at]))
    }

    pub fn all_sales(&self) -> impl Iterator<Item = &Sale> {
        self.sales.values()
    }

    pub fn all_reserved(&self) -> impl Iterator<Item = &Reserved> {
        self.reserved.values()
    }

    pub fn all_taken(&self) -> impl Iterator<Item = &Taken> {
        self.taken.values()
    }

    pub fn debts(&self) -> &[Owed] {
        &self.debts
    }

    pub fn group(&self, group: GroupId) -> &Group {
        &self.groups[&group]
    }

    /// Who holds what an account held: itself, or the one that it was merged into in the end; and whether that was closed.
    fn heir(&self, account: AccountId) -> (AccountId, bool) {
        let mut heir = account;
        loop {
            match self.closed.get(&heir) {
                None => return (heir, false),
                Some(None) => return (heir, true),
                Some(Some(into)) => heir = *into,
            }
        }
    }
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap() * 1_000
}
