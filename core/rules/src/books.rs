//! Double entry: what each event moves, between whom. (rules.md "Books", "Settlement")
//!
//! Postings are a function of the event alone, so the journal keeps the events and nobody keeps postings twice.
//! Two ledgers, each summing to zero over every event: *units* (where mileage is) and *money* (who owes whom for
//! it; a positive position is owed to its party).

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::event::EventBody;
use crate::id::{AccountId, GroupId, MerchantId};
use crate::lot::Allocation;
use crate::quantity::{Money, Units};
use crate::terms::{Basis, Unit};

/// What a unit is worth and who owes whom for it: fixed when the lot is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Worth {
    /// Money per unit, in minor units of the group's currency.
    #[n(0)]
    pub unit_value: Money,
    /// Who owes whom, and from when.
    #[n(1)]
    pub basis: Basis,
    /// What a unit is; none for points.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
}

/// Someone with an account in a group's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A buyer.
    Buyer(AccountId),
    /// A shop of the group, present or past.
    Member(MerchantId),
    /// The group itself, between issue and redemption.
    Pool,
    /// The exchange, a party of its own beside the members.
    Exchange,
}

/// What an account counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ledger {
    /// Units a member has brought into being (negative: they came from there).
    Issued,
    /// Units in a buyer's wallet.
    Wallet,
    /// Units that a member took as payment.
    Redeemed,
    /// Units that nobody can use any more.
    Expired,
    /// Units taken back because the purchase that earned them was refunded.
    ClawedBack,
    /// Units that their issuer took away.
    Adjusted,
    /// Money owed to the party; negative: owed by it.
    Position,
}

impl Ledger {
    /// Whether the account counts money rather than units.
    pub fn is_money(self) -> bool {
        self == Self::Position
    }
}

/// An account in the books of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// The group.
    pub group: GroupId,
    /// Whose it is.
    pub party: Party,
    /// What it counts.
    pub ledger: Ledger,
    /// For units: the shop whose lots they are of. For money: none.
    pub issuer: Option<MerchantId>,
}

/// One side of an entry: units or minor units of money, by the account's ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// What is added to it.
    pub amount: i64,
}

struct Entry {
    group: GroupId,
    postings: Vec<Posting>,
}

impl Entry {
    fn units(&mut self, issuer: MerchantId, units: Units, from: (Party, Ledger), to: (Party, Ledger)) {
        for ((party, ledger), amount) in [(from, -units.get()), (to, units.get())] {
            let account = Account { group: self.group, party, ledger, issuer: Some(issuer) };
            self.postings.push(Posting { account, amount });
        }
    }

    /// `from` owes `to` what the units are worth. Nobody owes themselves.
    fn money(&mut self, units: Units, worth: Worth, from: Party, to: Party) {
        // A lot is worth no more than was paid, and its parts no more than the lot: it always fits.
        let value = units.value(worth.unit_value).unwrap_or(Money(i64::MAX)).0;
        if from == to || value == 0 {
            return;
        }
        for (party, amount) in [(from, -value), (to, value)] {
            let account = Account { group: self.group, party, ledger: Ledger::Position, issuer: None };
            self.postings.push(Posting { account, amount });
        }
    }
}

impl Entry {
    /// A refunding shop takes a part of a lot back: its own returns to it, another's settles as if redeemed there.
    fn claw_back(&mut self, account: AccountId, merchant: MerchantId, part: &Allocation) {
        let Allocation { issuer, units, worth, .. } = *part;
        let (shop, buyer) = (Party::Member(merchant), Party::Buyer(account));
        self.units(issuer, units, (buyer, Ledger::Wallet), (shop, Ledger::ClawedBack));
        match worth.basis {
            Basis::OnIssue => self.money(units, worth, Party::Pool, shop),
            Basis::OnRedemption => self.money(units, worth, Party::Member(issuer), shop),
        }
    }
}

/// Parts of lots that differ by nothing but the lot, taken together: a redemption may take thousands of one shop's.
fn alike(parts: &[Allocation]) -> impl Iterator<Item = (MerchantId, Units, Worth)> {
    let groups = parts.chunk_by(|one, other| (one.issuer, one.worth) == (other.issuer, other.worth));
    groups.filter_map(|parts| {
        let first = parts.first()?;
        Some((first.issuer, parts.iter().map(|part| part.units).sum(), first.worth))
    })
}

/// What an event moves. Empty where it moves nothing.
pub fn postings(event: &EventBody) -> Vec<Posting> {
    let entry = |group: &GroupId| Entry { group: *group, postings: Vec::new() };
    let entry = match event {
        EventBody::DeviceEnrolled { .. }
        | EventBody::MerchantRegistered { .. }
        | EventBody::GroupFounded { .. }
        | EventBody::MemberJoined { .. }
        | EventBody::SaleRecorded { .. }
        | EventBody::SaleWaits { .. }
        | EventBody::SaleLapsed { .. }
        | EventBody::StandingSet { .. }
        | EventBody::MarketingSet { .. }
        | EventBody::DeviceRevoked { .. }
        | EventBody::DeviceAdmitted { .. }
        | EventBody::StaffJoined { .. }
        | EventBody::StaffLeft { .. }
        | EventBody::CertificateIssued { .. }
        | EventBody::PassReserved { .. }
        | EventBody::PassReleased { .. }
        | EventBody::TillAdded { .. }
        | EventBody::AllowanceSet { .. }
        | EventBody::AdminAppointed { .. }
        | EventBody::OperatorAppointed { .. }
        | EventBody::AccountClosed { .. }
        | EventBody::AmendmentProposed { .. }
        | EventBody::AmendmentAnswered { .. }
        | EventBody::TermsAmended { .. }
        | EventBody::AmendmentRejected { .. }
        | EventBody::InvitationMade { .. }
        | EventBody::InvitationRevoked { .. }
        | EventBody::InvitationDeclined { .. }
        | EventBody::JoinAsked { .. }
        | EventBody::JoinAnswered { .. }
        | EventBody::ProfileAmended { .. }
        | EventBody::MerchantAmended { .. }
        | EventBody::MemberLeft { .. }
        | EventBody::MemberFrozen { .. }
        | EventBody::GroupClosing { .. }
        | EventBody::GroupEnded { .. }
        | EventBody::HoldMade { .. }
        | EventBody::HoldReleased { .. }
        | EventBody::SaleVoided { .. }
        | EventBody::Refunded { group: None, .. }
        | EventBody::Refunded { account: None, .. } => return Vec::new(),
        EventBody::LotsMoved { group, from, into, lots } => {
            let mut entry = entry(group);
            let (from, into) = (Party::Buyer(*from), Party::Buyer(*into));
            for lot in lots {
                let (from, into) = ((from, Ledger::Wallet), (into, Ledger::Wallet));
                entry.units(lot.issuer, lot.remaining, from, into);
            }
            entry
        }
        EventBody::Accrued { group, merchant, account, units, worth, .. }
        | EventBody::Granted { group, merchant, account, units, worth, .. } => {
            let mut entry = entry(group);
            let (issuer, buyer) = (Party::Member(*merchant), Party::Buyer(*account));
            entry.units(*merchant, *units, (issuer, Ledger::Issued), (buyer, Ledger::Wallet));
            match worth.basis {
                Basis::OnIssue => entry.money(*units, *worth, issuer, Party::Pool),
                Basis::OnRedemption => {}
            }
            entry
        }
        EventBody::Redeemed { group, merchant, account, allocations, .. } => {
            let mut entry = entry(group);
            let (shop, buyer) = (Party::Member(*merchant), Party::Buyer(*account));
            for (issuer, units, worth) in alike(allocations) {
                entry.units(issuer, units, (buyer, Ledger::Wallet), (shop, Ledger::Redeemed));
                match worth.basis {
                    Basis::OnIssue => entry.money(units, worth, Party::Pool, shop),
                    Basis::OnRedemption => entry.money(units, worth, Party::Member(issuer), shop),
                }
            }
            entry
        }
        EventBody::Reversed { group, merchant, account, parts, .. } => {
            let mut entry = entry(group);
            let (shop, buyer) = (Party::Member(*merchant), Party::Buyer(*account));
            for Allocation { issuer, units, worth, .. } in parts {
                entry.units(*issuer, *units, (shop, Ledger::Redeemed), (buyer, Ledger::Wallet));
                match worth.basis {
                    Basis::OnIssue => entry.money(*units, *worth, shop, Party::Pool),
                    Basis::OnRedemption => entry.money(*units, *worth, shop, Party::Member(*issuer)),
                }
            }
            entry
        }
        EventBody::Refunded { group: Some(group), account: Some(account), merchant, taken, .. } => {
            let mut entry = entry(group);
            taken.iter().for_each(|part| entry.claw_back(*account, *merchant, part));
            entry
        }
        EventBody::DebtPaid { group, account, merchant, taken } => {
            let mut entry = entry(group);
            entry.claw_back(*account, *merchant, taken);
            entry
        }
        EventBody::TakenAway { group, merchant, account, taken, .. } => {
            let mut entry = entry(group);
            let (shop, buyer) = (Party::Member(*merchant), Party::Buyer(*account));
            for Allocation { issuer, units, worth, .. } in taken {
                entry.units(*issuer, *units, (buyer, Ledger::Wallet), (shop, Ledger::Adjusted));
                if worth.basis == Basis::OnIssue {
                    entry.money(*units, *worth, Party::Pool, shop);
                }
            }
            entry
        }
        EventBody::Expired { group, account, allocation: Allocation { issuer, units, worth, .. } } => {
            let mut entry = entry(group);
            entry.units(
                *issuer,
                *units,
                (Party::Buyer(*account), Ledger::Wallet),
                (Party::Pool, Ledger::Expired),
            );
            match worth.basis {
                Basis::OnIssue => entry.money(*units, *worth, Party::Pool, Party::Member(*issuer)),
                Basis::OnRedemption => {}
            }
            entry
        }
    };
    entry.postings
}
