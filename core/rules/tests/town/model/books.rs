//! What every account of the books should hold.

use std::collections::BTreeMap;

use moa_rules::books::{Account, Ledger, Party};
use moa_rules::id::GroupId;
use moa_rules::terms::Basis;

use super::{Fact, Model, Stock};

impl Model {
    /// Every account that something was ever put into.
    pub fn books(&self) -> &BTreeMap<Account, i64> {
        &self.books
    }

    /// What a group's units issued *on issue* and not yet used are worth.
    pub fn owed_by_pool(&self, group: GroupId) -> i64 {
        let mut worth = 0;
        for lot in &self.lots {
            if lot.group == group && lot.basis == Basis::OnIssue {
                worth += lot.left * lot.value;
            }
        }
        worth
    }

    /// Called before the fact is written.
    pub(super) fn book(&mut self, fact: &Fact) {
        match fact {
            Fact::Earned { lot, .. } | Fact::Granted { lot } => {
                let issuer = Party::Member(lot.issuer);
                self.move_units(lot, lot.units, (issuer, Ledger::Issued), wallet_of(lot));
                if lot.basis == Basis::OnIssue {
                    self.owe(lot, lot.units, issuer, Party::Pool);
                }
            }
            Fact::Taken(taken) => {
                for (lot, units) in &taken.parts {
                    let (lot, shop) = (self.lots[*lot].clone(), Party::Member(taken.shop));
                    self.move_units(&lot, *units, wallet_of(&lot), (shop, Ledger::Redeemed));
                    self.owe(&lot, *units, debtor(&lot), shop);
                }
            }
            Fact::TakenBack { lot, units, shop } => {
                // The own returns to the shop, another's settles as if redeemed there.
                let (lot, shop) = (self.lots[*lot].clone(), Party::Member(*shop));
                self.move_units(&lot, *units, wallet_of(&lot), (shop, Ledger::ClawedBack));
                self.owe(&lot, *units, debtor(&lot), shop);
            }
            Fact::Back { redemption, parts, account } => {
                let shop = Party::Member(self.taken[redemption].shop);
                for (from, units, _) in parts {
                    let lot = Stock { account: *account, ..self.lots[*from].clone() };
                    self.move_units(&lot, *units, (shop, Ledger::Redeemed), wallet_of(&lot));
                    self.owe(&lot, *units, shop, debtor(&lot));
                }
            }
            Fact::TakenAway { lot, units } => {
                let lot = self.lots[*lot].clone();
                let issuer = Party::Member(lot.issuer);
                self.move_units(&lot, *units, wallet_of(&lot), (issuer, Ledger::Adjusted));
                if lot.basis == Basis::OnIssue {
                    self.owe(&lot, *units, Party::Pool, issuer);
                }
            }
            Fact::Gone { lot, units } => {
                let lot = self.lots[*lot].clone();
                self.move_units(&lot, *units, wallet_of(&lot), (Party::Pool, Ledger::Expired));
                if lot.basis == Basis::OnIssue {
                    self.owe(&lot, *units, Party::Pool, Party::Member(lot.issuer));
                }
            }
            Fact::Moved { from, into } => {
                for lot in self.lots.clone() {
                    if lot.account == *from {
                        let other = (Party::Buyer(*into), Ledger::Wallet);
                        self.move_units(&lot, lot.left, wallet_of(&lot), other);
                    }
                }
            }
            _ => {}
        }
    }

    fn move_units(&mut self, lot: &Stock, units: i64, from: (Party, Ledger), to: (Party, Ledger)) {
        for ((party, ledger), amount) in [(from, -units), (to, units)] {
            let account = Account { group: lot.group, party, ledger, issuer: Some(lot.issuer) };
            *self.books.entry(account).or_default() += amount;
        }
    }

    /// `from` owes `to` what so many units are worth.
    fn owe(&mut self, lot: &Stock, units: i64, from: Party, to: Party) {
        for (party, amount) in [(from, -units * lot.value), (to, units * lot.value)] {
            let account = Account { group: lot.group, party, ledger: Ledger::Position, issuer: None };
            *self.books.entry(account).or_default() += amount;
        }
    }
}

fn wallet_of(lot: &Stock) -> (Party, Ledger) {
    (Party::Buyer(lot.account), Ledger::Wallet)
}

/// Who owes a shop that takes a lot as payment.
fn debtor(lot: &Stock) -> Party {
    match lot.basis {
        Basis::OnIssue => Party::Pool,
        Basis::OnRedemption => Party::Member(lot.issuer),
    }
}
