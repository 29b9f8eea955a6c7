//! What a key may read: the inboxes of its account, its shop and the shop's groups, as far as its role goes; and, for a phone
//! that starts anew, what they have come to. (docs/rules.md F)

use moa_rules::admission::{JoinRequest, REQUEST_DAYS};
use moa_rules::debt::Debt;
use moa_rules::device::KeyKind;
use moa_rules::event::Inbox;
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, KeyId, MerchantId};
use moa_rules::lot::Lot;
use moa_rules::marketing::Marketing;
use moa_rules::standing::StandingChoice;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, TillStanding, WaitingSale};
use moa_wire::canonical;

use crate::store::invitations::told_since;
use crate::store::{Store, StoreError, passes_since};

/// What a key may read and sell, as it stands. Changes when its account joins a shop, or its shop a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The shop that the key acts for.
    pub merchant: Option<MerchantId>,
    /// What the key may sell, and from when it may pay.
    pub till: TillStanding,
    /// The account's inbox, the shop's or the clerk's, and those of the shop's groups.
    pub inboxes: Vec<Inbox>,
}

impl Reach {
    /// What `key` of `account` may read now. A clerk follows the own till; the shop's inbox, with what it adds up to, is its
    /// owner's.
    ///
    /// # Errors
    /// The store's.
    pub fn of(store: &dyn Store, account: AccountId, key: KeyId) -> Result<Self, StoreError> {
        let Some(device) = store.device(key)? else {
            return Ok(Self { merchant: None, till: TillStanding::default(), inboxes: Vec::new() });
        };
        // A shop's computer is not its owner: whoever runs it reads nothing of theirs.
        let person = device.kind != KeyKind::Service;
        let mut inboxes: Vec<Inbox> = person.then_some(Inbox::Account(account)).into_iter().collect();
        let merchant = device.merchant.filter(|_| device.left_at.is_none());
        let mut limits = None;
        if device.staff {
            inboxes.push(Inbox::Till(key));
        }
        if let Some(merchant) = merchant {
            if device.staff {
                let staff = store.staff_of(merchant)?;
                limits = staff.iter().find(|staff| staff.account == account).map(|staff| staff.limits);
            } else {
                inboxes.push(Inbox::Merchant(merchant));
            }
            let groups = store.merchant(merchant)?.map(|shop| shop.groups).unwrap_or_default();
            inboxes.extend(groups.into_iter().map(Inbox::Group));
        }
        let certificate = device.certificate.filter(|_| merchant.is_some());
        let till = TillStanding { limits, certificate, pays_from: device.pays_from };
        Ok(Self { merchant, till, inboxes })
    }
}

/// What a key's inboxes have come to, as a snapshot tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// The account's lots that have something left.
    pub lots: Vec<Lot>,
    /// What the account owes.
    pub debts: Vec<Debt>,
    /// The open holds that the inboxes tell of.
    pub holds: Vec<Hold>,
    /// The account's passes that are open or ran out lately, and those for the key, each in CBOR.
    pub passes: Vec<Base64>,
    /// Sales that wait for the account's choice, oldest first.
    pub waiting: Vec<WaitingSale>,
    /// What the account wants done with sales that would wait for its choice.
    pub standing: StandingChoice,
    /// Whether the account may be sent advertising.
    pub marketing: Marketing,
    /// Invitations by the shop and to it that are good or were lately, each in CBOR; for its owner.
    pub invitations: Vec<Base64>,
    /// Requests to join that wait: the shop's, and those to join its groups; for its owner.
    pub join_requests: Vec<JoinRequest>,
}

impl Reach {
    /// Whether its inboxes tell of a hold: the buyer's, its shop's, or that of the clerk's till that made it.
    pub fn shows(&self, hold: &Hold) -> bool {
        let till = hold.till.map(Inbox::Till);
        let mut told = [Inbox::Account(hold.account), Inbox::Merchant(hold.merchant)].into_iter().chain(till);
        told.any(|inbox| self.inboxes.contains(&inbox))
    }

    /// What `key` of `account`, whose reach it is, finds at `now`. A key that does not read its account's inbox, a shop's
    /// computer, finds its shop's holds.
    ///
    /// # Errors
    /// The store's.
    pub fn holdings(
        &self,
        store: &dyn Store,
        account: AccountId,
        key: KeyId,
        now: Timestamp,
    ) -> Result<Holdings, StoreError> {
        let mut holds = store.open_holds(account, self.merchant)?;
        holds.retain(|hold| self.shows(hold));
        if !self.inboxes.contains(&Inbox::Account(account)) {
            return Ok(Holdings { holds, ..Holdings::default() });
        }
        let passes = store.passes_for(account, key, passes_since(now))?;
        let owns = |merchant: &MerchantId| self.inboxes.contains(&Inbox::Merchant(*merchant));
        let (invitations, join_requests) = match self.merchant.filter(owns) {
            Some(merchant) => {
                let waits = now.plus(-i64::from(REQUEST_DAYS) * Timestamp::DAY);
                (store.invitations_of(merchant, told_since(now))?, store.join_requests_of(merchant, waits)?)
            }
            None => (Vec::new(), Vec::new()),
        };
        let standing = store.standing(account)?;
        Ok(Holdings {
            lots: store.lots(account)?,
            debts: store.debts(account)?,
            holds,
            passes: passes.iter().map(|pass| Base64(canonical::encode(pass))).collect(),
            waiting: store.waiting_of(account)?.iter().filter_map(WaitingSale::of).collect(),
            marketing: standing.as_ref().map(|standing| standing.marketing).unwrap_or_default(),
            standing: standing.map(|standing| standing.choice).unwrap_or_default(),
            invitations: invitations.iter().map(|known| Base64(canonical::encode(known))).collect(),
            join_requests,
        })
    }
}

/// How far a reader has come in an inbox: events, and the beginning of the hash over them.
pub type Place = (u64, u32);

/// The beginning of a hash: enough to tell an accident, of which a restored database is one.
pub fn brief(hash: [u8; 32]) -> u32 {
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// Whether an inbox still has the events that a reader has of it. It does not, if the database was restored to a time before
/// they were read, even if others have come since.
///
/// # Errors
/// The store's.
pub fn stands(store: &dyn Store, inbox: Inbox, (count, hash): Place) -> Result<bool, StoreError> {
    let head = store.head(inbox)?;
    if count == 0 || head.count <= count {
        return Ok(count == 0 || (head.count == count && brief(head.hash) == hash));
    }
    Ok(brief(store.inbox(inbox, count - 1, 1)?.head.hash) == hash)
}
