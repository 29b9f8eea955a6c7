//! Events: what the server decided. Kept and sent as the bytes that it made, once.

use minicbor::{Decode, Encode};

use crate::books::Worth;
use crate::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use crate::lot::Allocation;
use crate::merchant::MerchantProfile;
use crate::quantity::{Money, Units};
use crate::standing::StandingChoice;
use crate::terms::{Profile, Terms};
use crate::time::{Day, Timestamp};

/// The version of the event format that this code writes.
pub const EVENT_VERSION: u8 = 1;

/// One thing that happened, and the op that caused it.
///
/// In CBOR `[version, actor, op, index, at, [kind, …]]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Event {
    /// [`EVENT_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The key that signed the op.
    #[n(1)]
    pub actor: KeyId,
    /// The op.
    #[n(2)]
    pub op: OpId,
    /// Which of the op's events this is, from zero.
    #[n(3)]
    pub index: u16,
    /// The instant of the decision, by the server's clock.
    #[n(4)]
    pub at: Timestamp,
    /// What happened.
    #[n(5)]
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum EventBody {
    /// A key may sign for an account.
    #[n(0)]
    DeviceEnrolled {
        /// The account.
        #[n(0)]
        account: AccountId,
        /// The key.
        #[n(1)]
        key: KeyId,
        /// Its uncompressed P-256 point.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        public_key: Vec<u8>,
    },
    /// A shop opened.
    #[n(1)]
    MerchantRegistered {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// Its owner.
        #[n(1)]
        owner: AccountId,
        /// The key that signs its sales.
        #[n(2)]
        key: KeyId,
        /// How it presents itself.
        #[n(3)]
        profile: MerchantProfile,
    },
    /// A group was founded.
    #[n(2)]
    GroupFounded {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// Its founder and first member.
        #[n(1)]
        founder: MerchantId,
        /// How it presents itself.
        #[n(2)]
        profile: Profile,
        /// Its terms, version 1.
        #[n(3)]
        terms: Terms,
    },
    /// A shop became a member. The founder's own joining follows the founding.
    #[n(3)]
    MemberJoined {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The new member.
        #[n(1)]
        merchant: MerchantId,
        /// The version of the terms that it agreed to.
        #[n(2)]
        terms_version: u32,
    },
    /// A purchase was recorded.
    #[n(4)]
    SaleRecorded {
        /// The op of the sale.
        #[n(0)]
        sale: OpId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// The key that signed it.
        #[n(2)]
        key: KeyId,
        /// What was paid in money.
        #[n(3)]
        amount: Money,
        /// The shop's clock, in seconds since 1970.
        #[n(4)]
        time: u64,
        /// The one buyer who may claim it.
        #[n(5)]
        addressee: Option<AccountId>,
    },
    /// A buyer earned mileage: a lot.
    #[n(5)]
    Accrued {
        /// The new lot.
        #[n(0)]
        lot: LotId,
        /// Its group.
        #[n(1)]
        group: GroupId,
        /// The shop that issued it.
        #[n(2)]
        merchant: MerchantId,
        /// The buyer.
        #[n(3)]
        account: AccountId,
        /// The sale claimed.
        #[n(4)]
        sale: OpId,
        /// What was paid.
        #[n(5)]
        amount: Money,
        /// What it earned.
        #[n(6)]
        units: Units,
        /// What the units are worth, and who owes whom for them.
        #[n(7)]
        worth: Worth,
        /// The version of the terms that it was issued under.
        #[n(8)]
        terms_version: u32,
        /// The last day on which it can be used, in the group's zone.
        #[n(9)]
        last_day: Day,
        /// The instant at which that day ends.
        #[n(10)]
        ends_at: Timestamp,
    },
    /// A buyer paid with mileage.
    #[n(6)]
    Redeemed {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The shop that took it.
        #[n(1)]
        merchant: MerchantId,
        /// The buyer.
        #[n(2)]
        account: AccountId,
        /// Units taken.
        #[n(3)]
        units: Units,
        /// From which lots.
        #[n(4)]
        allocations: Vec<Allocation>,
    },
    /// What was left of a lot could no longer be used.
    #[n(7)]
    Expired {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The buyer.
        #[n(1)]
        account: AccountId,
        /// The lot and what was left of it.
        #[n(2)]
        allocation: Allocation,
    },
    /// A sale to a known buyer waits for the buyer's choice. Follows its recording.
    #[n(8)]
    SaleWaits {
        /// The sale.
        #[n(0)]
        sale: OpId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// The buyer.
        #[n(2)]
        account: AccountId,
        /// What was paid in money.
        #[n(3)]
        amount: Money,
        /// The shop's clock, in seconds since 1970.
        #[n(4)]
        time: u64,
        /// The last instant at which it can be claimed.
        #[n(5)]
        until: Timestamp,
    },
    /// Nobody chose in time: the sale earns nothing any more.
    #[n(9)]
    SaleLapsed {
        /// The sale.
        #[n(0)]
        sale: OpId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// The buyer.
        #[n(2)]
        account: AccountId,
    },
    /// A buyer's standing choice was set, in place of the one before.
    #[n(10)]
    StandingSet {
        /// The buyer.
        #[n(0)]
        account: AccountId,
        /// What was chosen.
        #[n(1)]
        choice: StandingChoice,
    },
}

/// Whose inbox an event lands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(flat)]
pub enum Inbox {
    /// A person's.
    #[n(0)]
    Account(#[n(0)] AccountId),
    /// A shop's.
    #[n(1)]
    Merchant(#[n(0)] MerchantId),
    /// A group's: founding, terms, members. Not its traffic.
    #[n(2)]
    Group(#[n(0)] GroupId),
}

impl EventBody {
    /// Whom the event concerns, each once, in order.
    ///
    /// A redemption concerns the shop that took the mileage and every shop that issued some of it: both see it in
    /// their status and settlement (A12, A14).
    pub fn inboxes(&self) -> Vec<Inbox> {
        let mut inboxes = match self {
            Self::DeviceEnrolled { account, .. } | Self::StandingSet { account, .. } => {
                vec![Inbox::Account(*account)]
            }
            Self::MerchantRegistered { merchant, owner, .. } => {
                vec![Inbox::Account(*owner), Inbox::Merchant(*merchant)]
            }
            Self::GroupFounded { group, founder, .. } => {
                vec![Inbox::Merchant(*founder), Inbox::Group(*group)]
            }
            Self::MemberJoined { group, merchant, .. } => {
                vec![Inbox::Merchant(*merchant), Inbox::Group(*group)]
            }
            Self::SaleRecorded { merchant, .. } => vec![Inbox::Merchant(*merchant)],
            Self::Accrued { account, merchant, .. }
            | Self::SaleWaits { account, merchant, .. }
            | Self::SaleLapsed { account, merchant, .. } => {
                vec![Inbox::Account(*account), Inbox::Merchant(*merchant)]
            }
            Self::Redeemed { account, merchant, allocations, .. } => {
                let issuers = allocations.iter().map(|part| Inbox::Merchant(part.issuer));
                [Inbox::Account(*account), Inbox::Merchant(*merchant)].into_iter().chain(issuers).collect()
            }
            Self::Expired { account, allocation, .. } => {
                vec![Inbox::Account(*account), Inbox::Merchant(allocation.issuer)]
            }
        };
        inboxes.sort_unstable();
        inboxes.dedup();
        inboxes
    }
}
