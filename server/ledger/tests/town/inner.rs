//! A store that does what another does, but for its commits.

use std::ops::Deref;

use moa_ledger::search::{Found, Query};
use moa_ledger::store::invitations::{Invitations, Seen, Sending, Sent, Trace};
use moa_ledger::store::pictures::{NewPicture, PictureKept, Pictures};
use moa_ledger::store::{
    CodeCheck, CodeTry, Committed, CountedBy, DirectoryGroup, DirectoryMerchant, Effect, Heard, InboxHead,
    InboxPage, KnownDevice, NewEnrolment, NewOneTime, NewToken, OneTimeKept, People, Session, Store,
    StoreError, TakenOneTime,
};
use moa_rules::admission::JoinRequest;
use moa_rules::amendment::Amendment;
use moa_rules::debt::Debt;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::group::Group;
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId, PictureId};
use moa_rules::invitation::{Invitation, TokenHash};
use moa_rules::lot::Lot;
use moa_rules::pass::Pass;
use moa_rules::quantity::Money;
use moa_rules::sale::Sale;
use moa_rules::staff::Staff;
use moa_rules::standing::Standing;
use moa_rules::time::{Day, Timestamp};
use moa_wire::submission::Submission;

/// How such a store commits, and which one does the rest.
pub trait Commits: Send + Sync {
    type Inner: Store;
    fn inner(&self) -> &Self::Inner;
    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError>;
}

/// The store.
pub struct By<T>(pub T);

impl<T> Deref for By<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

macro_rules! by_inner {
    ($trait:ident { $(fn $name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)* } $($own:item)*) => {
        impl<T: Commits> $trait for By<T> {
            $($own)*
            $(fn $name(&self, $($arg: $ty),*) -> $out {
                self.0.inner().$name($($arg),*)
            })*
        }
    };
}

by_inner! {
    Store {
        fn device(key: KeyId) -> Result<Option<Device>, StoreError>;
        fn head(inbox: Inbox) -> Result<InboxHead, StoreError>;
        fn heads(inboxes: &[Inbox]) -> Result<Vec<InboxHead>, StoreError>;
        fn inbox(inbox: Inbox, after: u64, limit: usize) -> Result<InboxPage, StoreError>;
        fn lots(account: AccountId) -> Result<Vec<Lot>, StoreError>;
        fn directory(after: (Timestamp, MerchantId), limit: usize) -> Result<Vec<DirectoryMerchant>, StoreError>;
        fn merchant(merchant: MerchantId) -> Result<Option<DirectoryMerchant>, StoreError>;
        fn group(group: GroupId) -> Result<Option<DirectoryGroup>, StoreError>;
        fn search(query: &Query) -> Result<Vec<Found>, StoreError>;
        fn wallets_to_expire(now: Timestamp, limit: usize) -> Result<Vec<(AccountId, GroupId)>, StoreError>;
        fn waiting_of(account: AccountId) -> Result<Vec<Sale>, StoreError>;
        fn standing(account: AccountId) -> Result<Option<Standing>, StoreError>;
        fn sales_for_best(now: Timestamp, limit: usize) -> Result<Vec<(Sale, Timestamp)>, StoreError>;
        fn sales_to_lapse(now: Timestamp, limit: usize) -> Result<Vec<Sale>, StoreError>;
        fn devices_of(account: AccountId) -> Result<Vec<Device>, StoreError>;
        fn tills(merchant: MerchantId) -> Result<Vec<Device>, StoreError>;
        fn staff_of(merchant: MerchantId) -> Result<Vec<Staff>, StoreError>;
        fn sold_on(merchant: MerchantId, account: AccountId, day: Day) -> Result<Money, StoreError>;
        fn heard_of(key: KeyId) -> Result<Heard, StoreError>;
        fn passes_to_release(now: Timestamp, limit: usize) -> Result<Vec<Pass>, StoreError>;
        fn passes_for(account: AccountId, till: KeyId, since: u64) -> Result<Vec<Pass>, StoreError>;
        fn holds_to_lapse(now: Timestamp, limit: usize) -> Result<Vec<Hold>, StoreError>;
        fn open_holds(account: AccountId, merchant: Option<MerchantId>) -> Result<Vec<Hold>, StoreError>;
        fn debts(account: AccountId) -> Result<Vec<Debt>, StoreError>;
        fn amendments_due(now: Timestamp, limit: usize) -> Result<Vec<Amendment>, StoreError>;
        fn groups_to_end(now: Timestamp, limit: usize) -> Result<Vec<Group>, StoreError>;
        fn lots_left(group: GroupId, limit: usize) -> Result<Vec<Lot>, StoreError>;
        fn is_operator(account: AccountId) -> Result<bool, StoreError>;
        fn forget_closed() -> Result<(), StoreError>;
    }
    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
        self.0.commit(batch, now)
    }
}

by_inner! {
    People {
        fn begin_session(
            session: &Session, refresh_hash: [u8; 32], token: NewToken, name: &str, now: Timestamp
        ) -> Result<(), StoreError>;
        fn session(refresh_hash: [u8; 32]) -> Result<Option<Session>, StoreError>;
        fn token(token_hash: [u8; 32]) -> Result<Option<(Session, Timestamp)>, StoreError>;
        fn member_tag(account: AccountId, fresh: [u8; 16]) -> Result<[u8; 16], StoreError>;
        fn account_of_tag(tag: [u8; 16]) -> Result<Option<AccountId>, StoreError>;
        fn account_of_number(
            phone_mac: [u8; 32], fresh: AccountId, now: Timestamp
        ) -> Result<(AccountId, bool), StoreError>;
        fn signed_up_with(phone_mac: [u8; 32]) -> Result<Option<AccountId>, StoreError>;
        fn take_one_time(mac: [u8; 32], paying: bool, by: &[u8]) -> Result<Option<TakenOneTime>, StoreError>;
        fn wrong_digits(asker: [u8; 16], mac: [u8; 32], now: Timestamp) -> Result<(), StoreError>;
        fn effect_done(id: [u8; 16], now: Timestamp) -> Result<(), StoreError>;
        fn effect_failed(id: [u8; 16], due_at: Timestamp) -> Result<(), StoreError>;
        fn begin_enrolment(enrolment: &NewEnrolment) -> Result<(), StoreError>;
        fn try_code(attempt: &CodeTry, now: Timestamp) -> Result<CodeCheck, StoreError>;
        fn enrolments_since(by: CountedBy<'_>, since: Timestamp) -> Result<u32, StoreError>;
        fn forget_enrolments(before: Timestamp) -> Result<(), StoreError>;
        fn device_enrolled(account: AccountId, key: KeyId, now: Timestamp) -> Result<(), StoreError>;
        fn known_devices(account: AccountId) -> Result<Vec<KnownDevice>, StoreError>;
        fn refresh_session(session: &Session, token: NewToken, now: Timestamp) -> Result<(), StoreError>;
        fn end_session(key: KeyId) -> Result<(), StoreError>;
        fn forget_sessions(now: Timestamp) -> Result<(), StoreError>;
        fn forget_numbers(since: Timestamp) -> Result<(), StoreError>;
        fn keep_one_time(one_time: &NewOneTime, most: usize, since: Timestamp) -> Result<OneTimeKept, StoreError>;
        fn wrong_digits_since(asker: [u8; 16], since: Timestamp) -> Result<Vec<Timestamp>, StoreError>;
        fn forget_one_time(now: Timestamp, tries_before: Timestamp) -> Result<(), StoreError>;
        fn keep_pepper(mac: [u8; 32]) -> Result<bool, StoreError>;
        fn take_effects(now: Timestamp, until: Timestamp, limit: usize) -> Result<Vec<Effect>, StoreError>;
    }
}

by_inner! {
    Invitations {
        fn invitation(issuer: MerchantId, id: OpId) -> Result<Option<Invitation>, StoreError>;
        fn invitation_by_hash(hash: TokenHash) -> Result<Option<Invitation>, StoreError>;
        fn invitation_by_code(code_mac: [u8; 32]) -> Result<Option<Invitation>, StoreError>;
        fn invitations_of(merchant: MerchantId, since: Timestamp) -> Result<Vec<Invitation>, StoreError>;
        fn join_requests_of(merchant: MerchantId, since: Timestamp) -> Result<Vec<JoinRequest>, StoreError>;
        fn trace_of(issuer: MerchantId, id: OpId) -> Result<Option<Trace>, StoreError>;
        fn traces_of(issuer: MerchantId) -> Result<Vec<(OpId, Trace)>, StoreError>;
        fn name_invitation(
            issuer: MerchantId, id: OpId, code_mac: [u8; 32], now: Timestamp
        ) -> Result<(), StoreError>;
        fn send_invitation(sending: &Sending, now: Timestamp) -> Result<Sent, StoreError>;
        fn invitation_seen(
            issuer: MerchantId, id: OpId, seen: Seen, now: Timestamp
        ) -> Result<(), StoreError>;
        fn forget_traces(before: Timestamp) -> Result<(), StoreError>;
    }
}

by_inner! {
    Pictures {
        fn keep_picture(
            picture: &NewPicture, most: usize, since: Timestamp
        ) -> Result<PictureKept, StoreError>;
        fn picture(id: PictureId) -> Result<Option<Vec<u8>>, StoreError>;
    }
}
