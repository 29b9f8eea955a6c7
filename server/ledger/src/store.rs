//! What a store must do. One conformance suite (`tests/conformance.rs`) runs on every one.

pub mod invitations;
pub mod pictures;

use std::collections::BTreeSet;

use moa_rules::amendment::Amendment;
use moa_rules::debt::Debt;
use moa_rules::device::{Device, KeyKind};
use moa_rules::event::Inbox;
use moa_rules::group::{Group, TermsVersion};
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId};
use moa_rules::lot::Lot;
use moa_rules::merchant::Merchant;
use moa_rules::pass::{PASS_HOURS, Pass, RELEASE_HOURS};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::sale::Sale;
use moa_rules::staff::Staff;
use moa_rules::standing::Standing;
use moa_rules::time::{Day, Timestamp};
use moa_wire::api::{Base64, GroupEntry, KeyEntry, MerchantEntry};
use moa_wire::submission::Submission;

pub use self::invitations::Invitations;
pub use self::pictures::Pictures;
use crate::search::{Found, Query};

/// The store could not do it: disk full, file broken, database newer than this program.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What the database said, and while doing what.
    #[error("{doing}: {source}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database was written by a newer program.
    #[error("the database is of a newer version of Moa: update this program")]
    Newer,
    /// The database was written by an older program.
    #[error(
        "the database is of an older version of Moa: start the server on it once, which brings it up to date"
    )]
    Older,
    /// The database was made before its tables were released, and they have changed since.
    #[error(
        "the database was made by a Moa that was never released; begin with a new folder, or use that very version"
    )]
    Unreleased,
    /// The database can't be used as it is set up. Says what to do.
    #[error("{0}")]
    Unfit(String),
    /// Bytes in the database that this program did not write.
    #[error("{0}")]
    Corrupt(String),
}

/// The answer to an op, kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Applied,
    /// It does not, and changed nothing.
    Refused(Refusal),
}

/// What became of an op in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Decided now.
    First(Answer),
    /// Decided before; the first answer again.
    Again(Answer),
}

/// What a batch left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// One an op, in order.
    pub outcomes: Vec<Outcome>,
    /// Inboxes with something new, each once.
    pub touched: Vec<Inbox>,
}

/// How far an inbox has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxHead {
    /// Events in it.
    pub count: u64,
    /// The hash over them (`moa_wire::chain`).
    pub hash: [u8; 32],
}

/// A stretch of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxPage {
    /// The events' bytes, in order.
    pub events: Vec<Vec<u8>>,
    /// The head after the last of them.
    pub head: InboxHead,
    /// Events in the inbox altogether.
    pub count: u64,
}

/// How many events lie between two kept hashes of an inbox.
pub(crate) const CHECKPOINT: u64 = 64;

/// What has been heard of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// When an op last came from it, and not inside another's.
    pub last: Option<Timestamp>,
    /// Numbers that it counted and that have not arrived: sales that are still on it, or codes that nobody used. Between two
    /// that have, so that what it signed last is not among them.
    pub missing: u64,
}

/// The longest gap that is counted, in numbers. A till signs 300 vouchers at most without hearing the server, so a longer one
/// is no gap: its phone came back from a backup, or lost its storage, and went on well above all that it may have used.
pub const LONGEST_GAP: u64 = 2_000;

/// The gaps between the counters that a key has used, which come least first: each from its first number to its last.
pub fn gaps(used: impl IntoIterator<Item = u64>) -> Vec<(u64, u64)> {
    let (mut gaps, mut before) = (Vec::new(), 0_u64);
    for counter in used {
        if (2..=LONGEST_GAP).contains(&counter.saturating_sub(before)) {
            gaps.push((before + 1, counter - 1));
        }
        before = counter;
    }
    gaps
}

/// How many numbers of these gaps, from first to last, have not arrived: those of refused ops have, though they are not used.
pub fn missing(gaps: &[(u64, u64)], refused: &BTreeSet<u64>) -> u64 {
    let missing = |(first, last): &(u64, u64)| {
        let all = last.saturating_sub(*first).saturating_add(1);
        all.saturating_sub(refused.range(first..=last).count() as u64)
    };
    gaps.iter().map(missing).fold(0, u64::saturating_add)
}

/// The second before which a pass must have run out for its mileage to come back at `now`.
pub fn pass_over(now: Timestamp) -> u64 {
    let over = now.plus(-i64::from(RELEASE_HOURS) * Timestamp::HOUR);
    // Rounded up: a pass is over once the whole of its last second is.
    over.plus(Timestamp::SECOND - 1).seconds()
}

/// The second before which a pass must have run out to be no phone's business any more at `now`: three days, as long as a
/// pass is good.
pub fn passes_since(now: Timestamp) -> u64 {
    now.plus(-i64::from(PASS_HOURS) * Timestamp::HOUR).seconds()
}

/// A shop as the directory shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryMerchant {
    /// The shop.
    pub merchant: Merchant,
    /// Its groups, in order of id.
    pub groups: Vec<GroupId>,
    /// The keys that sign its sales, unless revoked.
    pub keys: Vec<Device>,
    /// When anything of this last changed.
    pub changed_at: Timestamp,
}

/// A group as the directory shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryGroup {
    /// The group.
    pub group: Group,
    /// Its terms now in force.
    pub terms: TermsVersion,
    /// Its members, in order of id.
    pub members: Vec<MerchantId>,
    /// Other terms that are proposed.
    pub amendment: Option<Amendment>,
}

/// The books and the journal.
///
/// Every method is safe to call from several threads at once. Reads see whole commits only.
pub trait Store: People + Invitations + Pictures {
    /// Decides a batch in order and makes what follows durable, in one transaction; then answers.
    ///
    /// An op is known by (key, id) for ever: the same payload gets its first answer again, another payload
    /// `op_id_reused`. A sale inside a claim counts as sent by its shop.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing of the batch was kept; unless the database went away at the very end, and then all of
    /// it may have been. The same ops may come again either way.
    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError>;

    /// A key's record.
    fn device(&self, key: KeyId) -> Result<Option<Device>, StoreError>;

    /// An inbox's head; that of an empty one if nothing landed there yet.
    fn head(&self, inbox: Inbox) -> Result<InboxHead, StoreError>;

    /// The heads of inboxes, in their order.
    fn heads(&self, inboxes: &[Inbox]) -> Result<Vec<InboxHead>, StoreError> {
        inboxes.iter().map(|inbox| self.head(*inbox)).collect()
    }

    /// Whether other servers may commit on the same database.
    fn is_shared(&self) -> bool {
        false
    }

    /// Up to `limit` events after number `after`. Empty, with the head, beyond the end.
    fn inbox(&self, inbox: Inbox, after: u64, limit: usize) -> Result<InboxPage, StoreError>;

    /// An account's lots with something left, in order of group and id.
    fn lots(&self, account: AccountId) -> Result<Vec<Lot>, StoreError>;

    /// Up to `limit` shops that changed after the (time, id) pair, in that order. A shop changes when it
    /// opens, when a key begins or ends to act for it, when it joins or leaves a group, and when a group of its does.
    fn directory(
        &self,
        after: (Timestamp, MerchantId),
        limit: usize,
    ) -> Result<Vec<DirectoryMerchant>, StoreError>;

    /// A shop, for the directory.
    fn merchant(&self, merchant: MerchantId) -> Result<Option<DirectoryMerchant>, StoreError>;

    /// A group, for the directory.
    fn group(&self, group: GroupId) -> Result<Option<DirectoryGroup>, StoreError>;

    /// The page of shops or groups that a query asks for, in its order. Shops are as they were registered or changed last,
    /// groups that are closing are left out.
    fn search(&self, query: &Query) -> Result<Vec<Found>, StoreError>;

    /// Up to `limit` wallets with lots that ended at or before `now` and have something left.
    fn wallets_to_expire(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(AccountId, GroupId)>, StoreError>;

    /// An account's sales that wait for its choice, oldest first. One whose time is over counts until it has lapsed.
    fn waiting_of(&self, account: AccountId) -> Result<Vec<Sale>, StoreError>;

    /// An account's standing choice, if it ever set one.
    fn standing(&self, account: AccountId) -> Result<Option<Standing>, StoreError>;

    /// Up to `limit` sales that have waited for a day and still do, of buyers who agreed to the best, oldest first,
    /// each with when its buyer last set the standing choice.
    fn sales_for_best(&self, now: Timestamp, limit: usize) -> Result<Vec<(Sale, Timestamp)>, StoreError>;

    /// Up to `limit` sales that waited until before `now`.
    fn sales_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Sale>, StoreError>;

    /// The keys that an account ever had, in order of id.
    fn devices_of(&self, account: AccountId) -> Result<Vec<Device>, StoreError>;

    /// The keys that ever acted for a shop, in order of id.
    fn tills(&self, merchant: MerchantId) -> Result<Vec<Device>, StoreError>;

    /// Everyone who sells, or sold, for a shop that is not theirs, those first that joined first.
    fn staff_of(&self, merchant: MerchantId) -> Result<Vec<Staff>, StoreError>;

    /// What a clerk of a shop sold on a day, in minor units.
    fn sold_on(&self, merchant: MerchantId, account: AccountId, day: Day) -> Result<Money, StoreError>;

    /// When a key was last heard, and what of it has not arrived.
    fn heard_of(&self, key: KeyId) -> Result<Heard, StoreError>;

    /// Up to `limit` open passes whose time, and the time to report them, was over before `now`.
    fn passes_to_release(&self, now: Timestamp, limit: usize) -> Result<Vec<Pass>, StoreError>;

    /// A buyer's passes that are open or ran out at a second or later, and those for a till that did, in order of id.
    fn passes_for(&self, account: AccountId, till: KeyId, since: u64) -> Result<Vec<Pass>, StoreError>;

    /// Up to `limit` open holds whose time was over before `now`.
    fn holds_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Hold>, StoreError>;

    /// The open holds of a buyer, and those of a shop, in order of shop and id.
    fn open_holds(&self, account: AccountId, merchant: Option<MerchantId>) -> Result<Vec<Hold>, StoreError>;

    /// What an account owes, in order of group, shop and unit. Debts that are paid are left out.
    fn debts(&self, account: AccountId) -> Result<Vec<Debt>, StoreError>;

    /// Up to `limit` amendments whose date has come by `now`, those first whose date came first.
    fn amendments_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Amendment>, StoreError>;

    /// Up to `limit` groups whose end has come by `now`, and that have not ended.
    fn groups_to_end(&self, now: Timestamp, limit: usize) -> Result<Vec<Group>, StoreError>;

    /// Up to `limit` lots of a group with something left, in no order. It may walk over all lots: for a group that ends.
    fn lots_left(&self, group: GroupId, limit: usize) -> Result<Vec<Lot>, StoreError>;

    /// Whether a person runs the server for everyone.
    fn is_operator(&self, account: AccountId) -> Result<bool, StoreError>;

    /// Erases what is kept of the persons of accounts that have ended: number, names of devices, sessions, codes.
    fn forget_closed(&self) -> Result<(), StoreError>;
}

/// An enrolment as it is begun. The code itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnrolment {
    /// Random.
    pub id: [u8; 16],
    /// HMAC of the number in E.164: finds the account again.
    pub phone_mac: [u8; 32],
    /// The device key's point.
    pub public_key: Vec<u8>,
    /// HMAC of the code, the enrolment and the key.
    pub code_mac: [u8; 32],
    /// HMAC of the network address that asked; none for this machine itself.
    pub address_mac: Option<[u8; 32]>,
    /// The number's country calling code, such as 82.
    pub dial_code: u16,
    /// When the code is void.
    pub expires_at: Timestamp,
    /// What sends the code, in the same transaction.
    pub effect: NewEffect,
}

/// Something to be done outside: written in the transaction that decides it, carried out by a job, at least once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEffect {
    /// Given to the receiver, so that it can tell a repetition.
    pub id: [u8; 16],
    /// `sms`; later `mail`, `push`.
    pub kind: String,
    /// What the job needs, as JSON.
    pub payload: String,
    /// Not before this instant.
    pub due_at: Timestamp,
}

/// An effect that waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// As written.
    pub effect: NewEffect,
    /// Failed attempts so far.
    pub attempts: u32,
}

/// What codes are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedBy<'a> {
    /// The HMAC of a number.
    Number([u8; 32]),
    /// A device key's point.
    Key(&'a [u8]),
    /// The HMAC of a network address.
    Address([u8; 32]),
    /// A country calling code.
    DialCode(u16),
}

/// A try to end an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeTry {
    /// The enrolment.
    pub enrolment: [u8; 16],
    /// HMAC of the code that was typed.
    pub code_mac: [u8; 32],
    /// Wrong codes that void an enrolment.
    pub tries: u32,
    /// The account, if one begins.
    pub fresh: AccountId,
    /// HMAC of that account's recovery code.
    pub fresh_recovery: [u8; 32],
    /// HMAC of the recovery code that was typed, if one was.
    pub recovery: Option<[u8; 32]>,
    /// Wrong recovery codes after which an account's is void.
    pub recovery_tries: u32,
    /// An account whose every device was last seen before this has left its number.
    pub silent_since: Timestamp,
}

/// What a code led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeCheck {
    /// Right: this account, this key. The same again for the same code.
    Right {
        /// The number's account, or the new one.
        account: AccountId,
        /// The key that was named when the enrolment began.
        public_key: Vec<u8>,
        /// Whether the account begins with this enrolment: then it has the recovery code that was named with the try.
        begins: bool,
        /// Whether the account's recovery code was shown.
        proved: bool,
    },
    /// The code is right, the recovery code is not.
    RecoveryWrong {
        /// Zero: the account's recovery code is void.
        tries_left: u32,
    },
    /// Wrong; so many tries are left.
    Wrong {
        /// Zero: the enrolment is void.
        tries_left: u32,
    },
    /// No such enrolment, or it is void.
    Void,
}

/// A device that reads. One session a device: the next one ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The device.
    pub key: KeyId,
    /// The account.
    pub account: AccountId,
    /// The session key's thumbprint (RFC 7638): proofs are by that key.
    pub thumbprint: [u8; 32],
    /// When the device's word for that key ends.
    pub until: Timestamp,
}

/// An access token, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewToken {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// When it is void.
    pub expires_at: Timestamp,
}

/// A device as its account's person knows it. Personal data: the journal knows its key only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// The key.
    pub key: KeyId,
    /// What the person calls it; empty if nothing was said.
    pub name: String,
    /// When it was enrolled.
    pub since: Timestamp,
    /// When it last began or went on with a session.
    pub seen: Timestamp,
}

/// Digits as they are handed out. The digits themselves are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOneTime {
    /// HMAC of the digits.
    pub mac: [u8; 32],
    /// Whose code they stand for.
    pub account: AccountId,
    /// The signed redemption code that they stand for; none if they name the buyer of a sale.
    pub code: Option<Vec<u8>>,
    /// When they were handed out.
    pub made_at: Timestamp,
    /// When they run out.
    pub expires_at: Timestamp,
    /// Until when they are remembered.
    pub kept_until: Timestamp,
}

/// What became of digits that were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneTimeKept {
    /// They are kept.
    Kept,
    /// They are remembered already: others are to be drawn.
    Known,
    /// The account was handed out as many as it may be lately; the first of those at this instant.
    TooMany(Timestamp),
}

/// What digits stand for, and who was given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOneTime {
    /// As they were handed out.
    pub one_time: NewOneTime,
    /// Who took it first: the asker, or another.
    pub taken_by: Vec<u8>,
}

/// Personal data: numbers, enrolments, sessions, and what is to be sent. Beside the journal, which knows random ids
/// only, so that a person can be erased and the books still prove.
pub trait People: Send + Sync {
    /// Keeps what the server's pepper is known by, if nothing is kept yet; whether it is what is kept.
    fn keep_pepper(&self, mac: [u8; 32]) -> Result<bool, StoreError>;

    /// Keeps an enrolment and the effect that sends its code.
    fn begin_enrolment(&self, enrolment: &NewEnrolment) -> Result<(), StoreError>;

    /// Tries a code. The first right one gives the number's account, or opens it: for a number that has none, or whose
    /// account has been silent and did not show its recovery code; that one keeps its devices.
    fn try_code(&self, attempt: &CodeTry, now: Timestamp) -> Result<CodeCheck, StoreError>;

    /// Enrolments begun since an instant.
    fn enrolments_since(&self, by: CountedBy<'_>, since: Timestamp) -> Result<u32, StoreError>;

    /// Forgets enrolments begun before an instant.
    fn forget_enrolments(&self, before: Timestamp) -> Result<(), StoreError>;

    /// A device was enrolled for an account. The first time counts.
    fn device_enrolled(&self, account: AccountId, key: KeyId, now: Timestamp) -> Result<(), StoreError>;

    /// The devices that were enrolled for an account, the one seen last first.
    fn known_devices(&self, account: AccountId) -> Result<Vec<KnownDevice>, StoreError>;

    /// Begins a device's session under a refresh token's SHA-256, in place of the one that it had, and gives it its
    /// first token. The device has this name and was seen now.
    fn begin_session(
        &self,
        session: &Session,
        refresh_hash: [u8; 32],
        token: NewToken,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The session of a refresh token, if it is anyone's.
    fn session(&self, refresh_hash: [u8; 32]) -> Result<Option<Session>, StoreError>;

    /// Gives a session another token; that before stays good until its time, those before it go. The device was seen now.
    fn refresh_session(&self, session: &Session, token: NewToken, now: Timestamp) -> Result<(), StoreError>;

    /// Ends a device's session.
    fn end_session(&self, key: KeyId) -> Result<(), StoreError>;

    /// The session that a token was given to, and when the token is void; none once that session has ended.
    fn token(&self, token_hash: [u8; 32]) -> Result<Option<(Session, Timestamp)>, StoreError>;

    /// Forgets sessions and tokens that ended before now.
    fn forget_sessions(&self, now: Timestamp) -> Result<(), StoreError>;

    /// The handle of an account's member codes: the one that it has, or `fresh` from now on.
    fn member_tag(&self, account: AccountId, fresh: [u8; 16]) -> Result<[u8; 16], StoreError>;

    /// Whose handle it is, if it is anyone's.
    fn account_of_tag(&self, tag: [u8; 16]) -> Result<Option<AccountId>, StoreError>;

    /// The account of a number, and whether its owner has signed up. One that has none yet is given `fresh`, for its owner
    /// to find when they sign up.
    fn account_of_number(
        &self,
        phone_mac: [u8; 32],
        fresh: AccountId,
        now: Timestamp,
    ) -> Result<(AccountId, bool), StoreError>;

    /// The account that a number's owner has signed up with.
    fn signed_up_with(&self, phone_mac: [u8; 32]) -> Result<Option<AccountId>, StoreError>;

    /// Forgets numbers whose owners have not signed up and that no sale has named since an instant, unless mileage is kept
    /// for them.
    fn forget_numbers(&self, since: Timestamp) -> Result<(), StoreError>;

    /// Keeps digits, unless the account was handed out `most` since an instant.
    fn keep_one_time(
        &self,
        one_time: &NewOneTime,
        most: usize,
        since: Timestamp,
    ) -> Result<OneTimeKept, StoreError>;

    /// What digits stand for, if it is for paying or, if not `paying`, for naming a buyer. Taken by whoever asks first,
    /// for good; the same asker may ask again.
    fn take_one_time(
        &self,
        mac: [u8; 32],
        paying: bool,
        by: &[u8],
    ) -> Result<Option<TakenOneTime>, StoreError>;

    /// A shop or an account tried digits, or a code, that stand for nothing. The same count once.
    fn wrong_digits(&self, asker: [u8; 16], mac: [u8; 32], now: Timestamp) -> Result<(), StoreError>;

    /// When a shop or an account tried wrong ones since an instant, oldest first.
    fn wrong_digits_since(&self, asker: [u8; 16], since: Timestamp) -> Result<Vec<Timestamp>, StoreError>;

    /// Forgets digits that need not be remembered any more, and tries before an instant.
    fn forget_one_time(&self, now: Timestamp, tries_before: Timestamp) -> Result<(), StoreError>;

    /// Up to `limit` effects that are due, those first that were due first. They are the asker's until `until`: then, if
    /// nothing was said of them, they are due again, for whoever asks.
    fn take_effects(&self, now: Timestamp, until: Timestamp, limit: usize)
    -> Result<Vec<Effect>, StoreError>;

    /// An effect was carried out.
    fn effect_done(&self, id: [u8; 16], now: Timestamp) -> Result<(), StoreError>;

    /// An effect failed; again not before `due_at`.
    fn effect_failed(&self, id: [u8; 16], due_at: Timestamp) -> Result<(), StoreError>;
}

impl From<DirectoryMerchant> for MerchantEntry {
    fn from(shop: DirectoryMerchant) -> Self {
        let keys = shop.keys.into_iter();
        Self {
            id: shop.merchant.id,
            profile: shop.merchant.profile,
            groups: shop.groups,
            keys: keys
                .map(|key| {
                    let till = key.kind == KeyKind::Phone;
                    KeyEntry { id: key.key, public_key: Base64(key.public_key), till }
                })
                .collect(),
        }
    }
}

impl From<DirectoryGroup> for GroupEntry {
    fn from(group: DirectoryGroup) -> Self {
        let DirectoryGroup { group, terms, members, amendment } = group;
        Self { group, terms, members, amendment }
    }
}
