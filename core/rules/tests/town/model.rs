//! The naive model: a list of everything that happened, and loops. It shares the rules' types and none of their
//! functions; dates come from the calendar, day by day.

mod passes;
mod people;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;
use moa_rules::books::{Account, Ledger, Party};
use moa_rules::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use moa_rules::member::Found;
use moa_rules::op::{Carried, Op, OpBody, RedemptionCode};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Basis, Terms};
use moa_rules::time::{Timestamp, Validity};

use crate::driver::{Parcel, units};
pub use passes::Reserved;

const DAY: i64 = 86_400_000;

/// Something that happened.
#[derive(Debug, Clone)]
enum Fact {
    Joined {
        group: GroupId,
        shop: MerchantId,
    },
    Amended {
        group: GroupId,
        at: i64,
        terms: Terms,
    },
    Sold {
        sale: OpId,
        shop: MerchantId,
        key: KeyId,
        /// Whose sale it is, if not the owner's.
        clerk: Option<AccountId>,
        amount: i64,
        /// In milliseconds.
        time: i64,
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
        per_sale: i64,
        per_day: i64,
    },
    Left {
        shop: MerchantId,
        account: AccountId,
        key: KeyId,
        at: i64,
    },
    Operates {
        account: AccountId,
    },
    Reserved(Reserved),
    /// A pass is over: what it held is free, but for what was spent of it.
    Ended {
        pass: OpId,
        taken: bool,
    },
    Earned(Earned),
    /// `lot` counts the earnings from zero.
    Spent {
        lot: usize,
        units: i64,
        shop: MerchantId,
    },
    Gone {
        lot: usize,
        units: i64,
    },
    Waits(Waits),
    Lapsed {
        sale: OpId,
    },
    Stood {
        account: AccountId,
        groups: Vec<GroupId>,
        best: bool,
    },
    Used {
        key: KeyId,
        counter: u64,
    },
}

#[derive(Debug, Clone, Copy)]
pub struct Waits {
    pub sale: OpId,
    pub shop: MerchantId,
    pub account: AccountId,
    pub amount: i64,
    /// When the sale was made, in milliseconds.
    pub sold: i64,
}

#[derive(Debug, Clone)]
struct Earned {
    at: i64,
    lot: LotId,
    group: GroupId,
    shop: MerchantId,
    account: AccountId,
    sale: OpId,
    units: i64,
    value: i64,
    basis: Basis,
    last_day: NaiveDate,
    ends: i64,
    /// From how many units on it can be used.
    minimum: i64,
}

/// A lot as the facts leave it.
#[derive(Debug, Clone)]
pub struct Stock {
    number: usize,
    pub lot: LotId,
    pub group: GroupId,
    pub issuer: MerchantId,
    pub account: AccountId,
    pub left: i64,
    /// Of what is left, how much passes reserve.
    pub held: i64,
    pub last_day: NaiveDate,
    pub ends: i64,
    issued: i64,
    value: i64,
    basis: Basis,
    minimum: i64,
}

#[derive(Debug, Default)]
pub struct Model {
    facts: Vec<Fact>,
}

impl Model {
    pub fn amended(&mut self, group: GroupId, at: Timestamp, terms: Terms) {
        self.facts.push(Fact::Amended { group, at: at.0, terms });
    }

    pub fn joined(&mut self, group: GroupId, shop: MerchantId) {
        self.facts.push(Fact::Joined { group, shop });
    }

    /// Decides an op and, if it holds, writes down what happened.
    pub fn decide(&mut self, parcel: &Parcel, now: Timestamp) -> Result<(), Refusal> {
        let (op, now) = (&parcel.op, now.0);
        if self.is_revoked(op.actor) {
            return Err(Refusal::RevokedKey);
        }
        if self.used(op.actor, op.counter) {
            return Err(Refusal::CounterUsed { counter: op.counter });
        }
        let facts = match (&op.body, &parcel.carried) {
            (OpBody::JoinGroup { group, terms_version }, _) => self.join(op, *group, *terms_version)?,
            (OpBody::RecordSale { amount, .. }, _) => self.sell(op, amount.0, now)?,
            (OpBody::Claim { choice, .. }, Carried::Sale(sale)) => {
                let choice = choice.map(|choice| (choice.group, choice.terms_version));
                self.claim(op, sale, choice, now)?
            }
            (OpBody::Redeem { units, .. }, Carried::Code(code)) => self.redeem(op, code, units.get(), now)?,
            (OpBody::ExpireLots { group, account }, _) => self.sweep(*account, *group, now)?,
            (OpBody::SellTo { .. }, Carried::Buyer(Found::Account(account))) => {
                self.sell_to(op, *account, true, now)?
            }
            (OpBody::SellTo { .. }, Carried::Buyer(Found::Number { account, signed_up })) => {
                self.sell_to(op, *account, *signed_up, now)?
            }
            (OpBody::OfferAgain { sale, .. }, _) => self.offer_again(op, *sale, now)?,
            (OpBody::ClaimWaiting { sale, choice, .. }, _) => {
                let choice = choice.map(|choice| (choice.group, choice.terms_version));
                self.choose(op, *sale, choice, now)?
            }
            (OpBody::LapseSale { sale, .. }, _) => self.lapse(*sale, now)?,
            (OpBody::SetStanding { choice }, _) => {
                let (groups, best) = (choice.groups.clone(), choice.best);
                vec![Fact::Stood { account: self.account_of(op.actor), groups, best }]
            }
            (OpBody::TakeBest { sale, .. }, _) => self.take_best(op, *sale, now)?,
            (OpBody::EnrolDevice { account, key, proved, .. }, _) => {
                self.enrol(*account, *key, *proved == Some(true), now)?
            }
            (OpBody::RevokeDevice { key }, _) => self.revoke(op.actor, *key, now)?,
            (OpBody::AdmitDevice { key }, _) => self.admit(op.actor, *key, now)?,
            (OpBody::JoinStaff { .. }, Carried::Invitation(invitation)) => {
                self.join_staff(op.actor, invitation, now)?
            }
            (OpBody::RemoveStaff { merchant, account }, _) => {
                self.remove_staff(op.actor, *merchant, *account, now)?
            }
            (OpBody::RenewCertificate, _) => self.renew(op.actor, now)?,
            (OpBody::SetAllowance { merchant, most }, _) => self.allow(op.actor, *merchant, most.0, now)?,
            (OpBody::Pay { merchant, group, units, expires, unit: None }, _) => {
                self.pay(op, (*merchant, *group), units.get(), *expires, now)?
            }
            (OpBody::ReservePass { merchant, till, group, units, expires, unit: None }, _) => {
                self.reserve(op, (*merchant, *till), *group, units.get(), *expires, now)?
            }
            (OpBody::RedeemPass { units, .. }, Carried::Pass { pass, key }) => {
                self.take_pass(op, (*pass, *key), units.get())?
            }
            (OpBody::ReleasePass { merchant, pass }, _) => self.release(*merchant, *pass, now)?,
            other => panic!("no history has {other:?}"),
        };
        self.facts.extend(facts);
        self.facts.push(Fact::Used { key: op.actor, counter: op.counter });
        Ok(())
    }

    fn join(&self, op: &Op, group: GroupId, agreed: u32) -> Result<Vec<Fact>, Refusal> {
        let shop = self.shop_of(op.actor, None)?;
        if self.is_member(shop, group) {
            return Err(Refusal::AlreadyMember);
        }
        let current = u32::try_from(self.versions(group).len()).unwrap();
        if agreed != current {
            return Err(Refusal::TermsChanged { current });
        }
        Ok(vec![Fact::Joined { group, shop }])
    }

    fn claim(
        &self,
        op: &Op,
        sale: &Op,
        choice: Option<(GroupId, u32)>,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let OpBody::RecordSale { amount: Money(amount), addressee, .. } = sale.body else { panic!("a sale") };
        let (account, sold) = (self.account_of(op.actor), millis(sale.time));
        let shop = self.shop_ever(sale.actor).ok_or(Refusal::NoMerchant)?;
        let mut facts = Vec::new();
        if !self.is_sold(sale.id) {
            if self.is_revoked(sale.actor) {
                return Err(Refusal::RevokedKey);
            }
            if self.used(sale.actor, sale.counter) {
                return Err(Refusal::CounterUsed { counter: sale.counter });
            }
            facts = self.sell(sale, amount, now)?;
            facts.push(Fact::Used { key: sale.actor, counter: sale.counter });
        }
        if self.is_claimed(sale.id) {
            return Err(Refusal::SaleAlreadyClaimed);
        }
        if self.is_own(shop, account, sold) {
            return Err(Refusal::OwnSale);
        }
        if addressee.is_some() && addressee != Some(account) {
            return Err(Refusal::NotAddressee);
        }
        if now - millis(sale.time) > 7 * DAY {
            return Err(Refusal::SaleTooOld { days: 7 });
        }
        if addressee.is_none() && millis(op.time) - millis(sale.time) > 15 * 60_000 {
            return Err(Refusal::VoucherExpired { minutes: 15 });
        }

        let (group, terms) = match choice {
            Some((group, _)) if !self.is_member(shop, group) => return Err(Refusal::SellerNotInGroup),
            Some((group, version)) => (group, self.honoured(group, version, now)),
            None => self.best(shop).ok_or(Refusal::SellerInNoGroup)?,
        };
        let waits = Waits { sale: sale.id, shop, account, amount, sold: millis(sale.time) };
        facts.push(earn(op, &waits, (group, &terms), now)?);
        Ok(facts)
    }

    fn sell(&self, op: &Op, amount: i64, now: i64) -> Result<Vec<Fact>, Refusal> {
        let time = millis(op.time);
        let shop = self.shop_of(op.actor, Some(time))?;
        check_amount(amount)?;
        if time - now > DAY {
            return Err(Refusal::SaleDatedAhead { hours: 24 });
        }
        self.may_sell(op, shop, amount)?;
        let (sale, key, clerk) = (op.id, op.actor, self.clerk(op.actor));
        Ok(vec![Fact::Sold { sale, shop, key, clerk, amount, time }])
    }

    fn sell_to(&self, op: &Op, account: AccountId, signed_up: bool, now: i64) -> Result<Vec<Fact>, Refusal> {
        let shop = self.shop_of(op.actor, Some(millis(op.time)))?;
        if self.is_own(shop, account, millis(op.time)) {
            return Err(Refusal::OwnSale);
        }
        let OpBody::SellTo { amount: Money(amount), .. } = op.body else { panic!("a sale") };
        let mut facts = self.sell(op, amount, now)?;
        let waits = Waits { sale: op.id, shop, account, amount, sold: millis(op.time) };
        if now > waits.sold + 7 * DAY {
            return Ok(facts);
        }
        let fitting = self.fitting(&waits);
        let (standing, _) = self.standing(account);
        let wanted = standing.iter().find_map(|group| fitting.iter().find(|(fits, _)| fits == group));
        match (fitting.as_slice(), wanted) {
            ([], _) => {}
            _ if !signed_up => facts.push(Fact::Waits(waits)),
            ([(group, terms)], _) | (_, Some((group, terms))) => {
                facts.push(earn(op, &waits, (*group, terms), now)?);
            }
            _ => facts.push(Fact::Waits(waits)),
        }
        Ok(facts)
    }

    fn offer_again(&self, op: &Op, sale: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let open = |waits: &Waits| !self.is_over(sale) && now <= waits.sold + 7 * DAY;
        let waits = self.waited(sale).filter(open).ok_or(Refusal::NotDue)?;
        let fitting = self.fitting(&waits);
        let (standing, _) = self.standing(waits.account);
        let wanted = standing.iter().find_map(|group| fitting.iter().find(|(fits, _)| fits == group));
        match (fitting.as_slice(), wanted) {
            ([(group, terms)], _) | (_, Some((group, terms))) => {
                Ok(vec![earn(op, &waits, (*group, terms), now)?])
            }
            _ => Err(Refusal::NotDue),
        }
    }

    fn choose(
        &self,
        op: &Op,
        sale: OpId,
        choice: Option<(GroupId, u32)>,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        if !self.is_sold(sale) {
            return Err(Refusal::UnknownSale);
        }
        let waits = self.waited(sale).filter(|waits| waits.account == self.account_of(op.actor));
        let waits = waits.ok_or(Refusal::NotYourSale)?;
        if self.is_claimed(sale) {
            return Err(Refusal::SaleAlreadyClaimed);
        }
        if self.is_lapsed(sale) || now > waits.sold + 7 * DAY {
            return Err(Refusal::SaleLapsed { days: 7 });
        }
        let (group, terms) = match choice {
            Some((group, _)) if !self.is_member(waits.shop, group) => return Err(Refusal::SellerNotInGroup),
            Some((group, version)) => (group, self.honoured(group, version, now)),
            None => self.best(waits.shop).unwrap(),
        };
        Ok(vec![earn(op, &waits, (group, &terms), now)?])
    }

    fn lapse(&self, sale: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        if !self.is_sold(sale) {
            return Err(Refusal::UnknownSale);
        }
        match self.waited(sale) {
            Some(waits) if !self.is_over(sale) && now > waits.sold + 7 * DAY => {
                Ok(vec![Fact::Lapsed { sale }])
            }
            _ => Err(Refusal::NotLapsed),
        }
    }

    fn take_best(&self, op: &Op, sale: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        if !self.is_sold(sale) {
            return Err(Refusal::UnknownSale);
        }
        let waits = self.waited(sale).filter(|waits| {
            let (day, week) = (waits.sold + DAY, waits.sold + 7 * DAY);
            !self.is_over(sale) && now >= day && now <= week && self.standing(waits.account).1
        });
        let waits = waits.ok_or(Refusal::NotDue)?;
        let mut best: Option<(GroupId, Terms)> = None;
        for (group, terms) in self.fitting(&waits) {
            if best.as_ref().is_none_or(|best| better((group, &terms), (best.0, &best.1))) {
                best = Some((group, terms));
            }
        }
        let (group, terms) = best.ok_or(Refusal::EarnsNothing { amount: Money(waits.amount) })?;
        Ok(vec![earn(op, &waits, (group, &terms), now)?])
    }

    /// The shop's groups in which a sale earns something.
    fn fitting(&self, waits: &Waits) -> Vec<(GroupId, Terms)> {
        let mut fitting = Vec::new();
        for fact in &self.facts {
            let Fact::Joined { group, shop } = fact else { continue };
            let (_, terms) = self.versions(*group).pop().unwrap();
            if *shop == waits.shop && earned(waits.amount, &terms) > 0 {
                fitting.push((*group, terms));
            }
        }
        fitting
    }

    /// What an account wants done, as it was said last.
    fn standing(&self, of: AccountId) -> (Vec<GroupId>, bool) {
        let mut standing = (Vec::new(), false);
        for fact in &self.facts {
            match fact {
                Fact::Stood { account, groups, best } if *account == of => standing = (groups.clone(), *best),
                _ => {}
            }
        }
        standing
    }

    /// Every sale that ever waited.
    pub fn all_waited(&self) -> Vec<Waits> {
        let waits = |fact: &Fact| match fact {
            Fact::Waits(waits) => Some(*waits),
            _ => None,
        };
        self.facts.iter().filter_map(waits).collect()
    }

    fn waited(&self, sale: OpId) -> Option<Waits> {
        self.all_waited().into_iter().find(|waits| waits.sale == sale)
    }

    fn is_lapsed(&self, wanted: OpId) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::Lapsed { sale } if *sale == wanted))
    }

    fn is_over(&self, sale: OpId) -> bool {
        self.is_claimed(sale) || self.is_lapsed(sale)
    }

    fn redeem(&self, op: &Op, code: &RedemptionCode, asked: i64, now: i64) -> Result<Vec<Fact>, Refusal> {
        let (shop, group) = (self.shop_of(op.actor, None)?, code.group);
        let account = self.pays(code.key, now)?;
        if self.used(code.key, code.counter) {
            return Err(Refusal::CodeUsed);
        }
        if now > millis(code.expires) {
            return Err(Refusal::CodeExpired);
        }
        if asked == 0 {
            return Err(Refusal::UnitsNotPositive);
        }
        if asked > code.most.get() {
            return Err(Refusal::MoreThanCode { asked: units(asked), most: code.most });
        }
        let mut facts = vec![Fact::Used { key: code.key, counter: code.counter }];
        for (lot, units) in self.afford((account, group), shop, asked, now)? {
            facts.push(Fact::Spent { lot, units, shop });
        }
        Ok(facts)
    }

    fn sweep(&self, account: AccountId, group: GroupId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let mut facts = Vec::new();
        for stock in self.stock() {
            let free = stock.left - stock.held;
            if stock.account == account && stock.group == group && free > 0 && stock.ends <= now {
                facts.push(Fact::Gone { lot: stock.number, units: free });
            }
        }
        if facts.is_empty() {
            return Err(Refusal::NothingExpired);
        }
        Ok(facts)
    }

    /// Every lot there ever was.
    pub fn stock(&self) -> Vec<Stock> {
        let mut all: Vec<Stock> = Vec::new();
        for fact in &self.facts {
            match fact {
                Fact::Earned(earned) => all.push(Stock {
                    number: all.len(),
                    lot: earned.lot,
                    group: earned.group,
                    issuer: earned.shop,
                    account: earned.account,
                    left: earned.units,
                    held: 0,
                    last_day: earned.last_day,
                    ends: earned.ends,
                    issued: earned.at,
                    value: earned.value,
                    basis: earned.basis,
                    minimum: earned.minimum,
                }),
                Fact::Spent { lot, units, .. } | Fact::Gone { lot, units } => all[*lot].left -= units,
                Fact::Reserved(reserved) => {
                    for (lot, units) in &reserved.parts {
                        all[*lot].held += units;
                    }
                }
                Fact::Ended { pass, .. } => {
                    let reserved = self.passes().into_iter().find(|reserved| reserved.pass == *pass).unwrap();
                    for (lot, units) in reserved.parts {
                        all[lot].held -= units;
                    }
                }
                _ => {}
            }
        }
        all
    }

    pub fn available(&self, account: AccountId, group: GroupId, now: Timestamp) -> i64 {
        let mut available = 0;
        for stock in self.stock() {
            if stock.account == account && stock.group == group && stock.ends > now.0 {
                available += stock.left - stock.held;
            }
        }
        available
    }

    /// What every account of the books should hold; those with nothing left out.
    pub fn books(&self) -> BTreeMap<Account, i64> {
        let lots = self.stock();
        let mut books = BTreeMap::new();
        let mut add = |group, party, ledger, issuer, amount: i64| {
            *books.entry(Account { group, party, ledger, issuer }).or_default() += amount;
        };
        for fact in &self.facts {
            match fact {
                Fact::Earned(Earned { group, shop, account, units, value, basis, .. }) => {
                    add(*group, Party::Member(*shop), Ledger::Issued, Some(*shop), -units);
                    add(*group, Party::Buyer(*account), Ledger::Wallet, Some(*shop), *units);
                    if *basis == Basis::OnIssue {
                        add(*group, Party::Member(*shop), Ledger::Position, None, -units * value);
                        add(*group, Party::Pool, Ledger::Position, None, units * value);
                    }
                }
                Fact::Spent { lot, units, shop } => {
                    let Stock { group, account, issuer, value, basis, .. } = lots[*lot];
                    add(group, Party::Buyer(account), Ledger::Wallet, Some(issuer), -units);
                    add(group, Party::Member(*shop), Ledger::Redeemed, Some(issuer), *units);
                    let owes = match basis {
                        Basis::OnIssue => Party::Pool,
                        Basis::OnRedemption => Party::Member(issuer),
                    };
                    add(group, owes, Ledger::Position, None, -units * value);
                    add(group, Party::Member(*shop), Ledger::Position, None, units * value);
                }
                Fact::Gone { lot, units } => {
                    let Stock { group, account, issuer, value, basis, .. } = lots[*lot];
                    add(group, Party::Buyer(account), Ledger::Wallet, Some(issuer), -units);
                    add(group, Party::Pool, Ledger::Expired, Some(issuer), *units);
                    if basis == Basis::OnIssue {
                        add(group, Party::Pool, Ledger::Position, None, -units * value);
                        add(group, Party::Member(issuer), Ledger::Position, None, units * value);
                    }
                }
                _ => {}
            }
        }
        books.retain(|_, amount| *amount != 0);
        books
    }

    /// What a group's units issued *on issue* and not yet used are worth.
    pub fn owed_by_pool(&self, group: GroupId) -> i64 {
        let mut worth = 0;
        for stock in self.stock() {
            if stock.group == group && stock.basis == Basis::OnIssue {
                worth += stock.left * stock.value;
            }
        }
        worth
    }

    fn used(&self, wanted: KeyId, number: u64) -> bool {
        let is =
            |fact: &Fact| matches!(fact, Fact::Used { key, counter } if (*key, *counter) == (wanted, number));
        self.facts.iter().any(is)
    }

    fn is_member(&self, wanted: MerchantId, of: GroupId) -> bool {
        let is =
            |fact: &Fact| matches!(fact, Fact::Joined { group, shop } if (*shop, *group) == (wanted, of));
        self.facts.iter().any(is)
    }

    fn is_sold(&self, wanted: OpId) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::Sold { sale, .. } if *sale == wanted))
    }

    fn is_claimed(&self, wanted: OpId) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::Earned(earned) if earned.sale == wanted))
    }

    /// The versions of a group's terms, and from when each was in force.
    fn versions(&self, wanted: GroupId) -> Vec<(i64, Terms)> {
        let mut versions = Vec::new();
        for fact in &self.facts {
            if let Fact::Amended { group, at, terms } = fact
                && *group == wanted
            {
                versions.push((*at, terms.clone()));
            }
        }
        versions
    }

    /// The terms that a buyer saw, if they were in force within seven days; else those now in force.
    fn honoured(&self, group: GroupId, seen: u32, now: i64) -> Terms {
        let versions = self.versions(group);
        let (_, current) = versions.last().unwrap();
        for (at, (_, terms)) in versions.iter().enumerate() {
            let lately = versions.get(at + 1).is_none_or(|(replaced, _)| *replaced > now - 7 * DAY);
            if at + 1 == seen as usize && lately {
                return terms.clone();
            }
        }
        current.clone()
    }

    /// Of a shop's groups the one with the highest rate, then the longest validity, then the lowest id.
    fn best(&self, of: MerchantId) -> Option<(GroupId, Terms)> {
        let mut best: Option<(GroupId, Terms)> = None;
        for fact in &self.facts {
            let Fact::Joined { group, shop } = fact else { continue };
            if *shop != of {
                continue;
            }
            let (_, terms) = self.versions(*group).pop().unwrap();
            if best.as_ref().is_none_or(|best| better((*group, &terms), (best.0, &best.1))) {
                best = Some((*group, terms));
            }
        }
        best
    }
}

fn check_amount(amount: i64) -> Result<(), Refusal> {
    if amount <= 0 {
        return Err(Refusal::AmountNotPositive);
    }
    if amount > 10_000_000_000 {
        return Err(Refusal::AmountTooLarge { max: Money(10_000_000_000) });
    }
    Ok(())
}

/// The percentage first, then whole units of it.
fn earned(amount: i64, terms: &Terms) -> i64 {
    let earned = i128::from(amount) * i128::from(terms.rate.get()) / 10_000 / i128::from(terms.unit_value.0);
    i64::try_from(earned).unwrap()
}

/// What a sale becomes under these terms; the op names the lot.
fn earn(op: &Op, waits: &Waits, (group, terms): (GroupId, &Terms), now: i64) -> Result<Fact, Refusal> {
    let Waits { sale, shop, account, amount, .. } = *waits;
    let units = earned(amount, terms);
    if units == 0 {
        return Err(Refusal::EarnsNothing { amount: Money(amount) });
    }
    let zone: Tz = terms.zone.parse().unwrap();
    let last_day = last_day(terms.validity, now, zone);
    Ok(Fact::Earned(Earned {
        at: now,
        lot: LotId(op.id.0),
        group,
        shop,
        account,
        sale,
        units,
        value: terms.unit_value.0,
        basis: terms.basis,
        minimum: terms.minimum.get(),
        last_day,
        ends: midnight_after(last_day, zone),
    }))
}

/// The higher rate, then the longer validity, then the lower id.
fn better((group, terms): (GroupId, &Terms), (other, held): (GroupId, &Terms)) -> bool {
    let (new, old) = ((terms.rate, days(terms.validity)), (held.rate, days(held.validity)));
    new > old || new == old && group < other
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap() * 1_000
}

/// Days, a month as 30.44.
fn days(validity: Validity) -> u32 {
    match validity {
        Validity::Months(months) => u32::from(months) * 3_044 / 100,
        Validity::Days(days) => days.into(),
    }
}

fn last_day(validity: Validity, at: i64, zone: Tz) -> NaiveDate {
    let mut day = DateTime::from_timestamp_millis(at).unwrap().with_timezone(&zone).date_naive();
    match validity {
        Validity::Days(days) => {
            for _ in 0..days {
                day = day.succ_opt().unwrap();
            }
            day
        }
        Validity::Months(months) => {
            let (mut year, mut month) = (day.year(), day.month());
            for _ in 0..months {
                (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            }
            // The same day of that month, or the last that it has.
            (1..=day.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day)).unwrap()
        }
    }
}

fn midnight_after(day: NaiveDate, zone: Tz) -> i64 {
    let next = day.succ_opt().unwrap();
    zone.with_ymd_and_hms(next.year(), next.month(), next.day(), 0, 0, 0)
        .earliest()
        .unwrap()
        .timestamp_millis()
}
