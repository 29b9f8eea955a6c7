//! Events: what the server decided. Kept and sent as the bytes that it made, once.

use minicbor::{Decode, Encode};

use crate::adjustment::Reason;
use crate::admission::RequestState;
use crate::books::Worth;
use crate::device::KeyKind;
use crate::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use crate::invitation::{Invited, TokenHash};
use crate::lot::{Allocation, Lot};
use crate::marketing::AgreedText;
use crate::merchant::MerchantProfile;
use crate::quantity::{Money, Units};
use crate::staff::Limits;
use crate::standing::StandingChoice;
use crate::terms::{Profile, Terms, Unit};
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

/// The invitation that a shop followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Answered {
    /// The shop that invited.
    #[n(0)]
    pub issuer: MerchantId,
    /// The op that made it.
    #[n(1)]
    pub invitation: OpId,
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
        /// What it lives in.
        #[n(3)]
        kind: KeyKind,
        /// From when it may pay and answer for other keys.
        #[n(4)]
        pays_from: Timestamp,
        /// The shop that it acts for at once: that of the phone which let it in.
        #[n(5)]
        merchant: Option<MerchantId>,
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
        /// The invitation that it followed.
        #[n(3)]
        invitation: Option<Answered>,
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
        /// The key that signed the sale, if it is one of the staff's.
        #[n(6)]
        till: Option<KeyId>,
        /// The redemption that paid the rest of the purchase.
        #[n(7)]
        redemption: Option<OpId>,
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
        /// The key that signed the sale, if it is one of the staff's.
        #[n(11)]
        till: Option<KeyId>,
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
        /// The key that took it, if it is one of the staff's.
        #[n(5)]
        till: Option<KeyId>,
        /// The pass that reserved it. What it reserved and was not taken comes back.
        #[n(6)]
        pass: Option<OpId>,
        /// The hold that was captured. What it reserved and was not taken comes back.
        #[n(7)]
        hold: Option<Captured>,
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
        /// The key that signed the sale, if it is one of the staff's.
        #[n(6)]
        till: Option<KeyId>,
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
        /// The key that signed the sale, if it is one of the staff's.
        #[n(3)]
        till: Option<KeyId>,
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
    /// A key may no longer sign.
    #[n(11)]
    DeviceRevoked {
        /// Whose it was.
        #[n(0)]
        account: AccountId,
        /// The key.
        #[n(1)]
        key: KeyId,
        /// The shop that it acted for.
        #[n(2)]
        merchant: Option<MerchantId>,
        /// The same key, if it is one of the staff's.
        #[n(3)]
        till: Option<KeyId>,
    },
    /// A new phone may pay from now on: an older one agreed.
    #[n(12)]
    DeviceAdmitted {
        /// Whose it is.
        #[n(0)]
        account: AccountId,
        /// The new phone's key.
        #[n(1)]
        key: KeyId,
    },
    /// Someone sells for a shop that is not theirs.
    #[n(13)]
    StaffJoined {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The person.
        #[n(1)]
        account: AccountId,
        /// The person's phone that sells.
        #[n(2)]
        key: KeyId,
        /// What they may sell.
        #[n(3)]
        limits: Limits,
    },
    /// Someone sells for a shop no more. What they signed before is honoured.
    #[n(14)]
    StaffLeft {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The person.
        #[n(1)]
        account: AccountId,
        /// The person's phone that sold.
        #[n(2)]
        key: KeyId,
    },
    /// A till may sell so much without the server.
    #[n(15)]
    CertificateIssued {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The till's key.
        #[n(1)]
        key: KeyId,
        /// Minor units.
        #[n(2)]
        most: Money,
        /// For sales dated up to this instant.
        #[n(3)]
        until: Timestamp,
        /// The same key, if it is one of the staff's.
        #[n(4)]
        till: Option<KeyId>,
    },
    /// Mileage is reserved for one till.
    #[n(16)]
    PassReserved {
        /// The op that reserved it.
        #[n(0)]
        pass: OpId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// The till's key.
        #[n(2)]
        till: KeyId,
        /// The buyer.
        #[n(3)]
        account: AccountId,
        /// The buyer's key, which shows it.
        #[n(4)]
        key: KeyId,
        /// The group.
        #[n(5)]
        group: GroupId,
        /// Which lots are held, how many units of each.
        #[n(6)]
        held: Vec<Allocation>,
        /// The second after which the till takes it no more.
        #[n(7)]
        expires: u64,
        /// The till's key again, if it is one of the staff's.
        #[n(8)]
        staff: Option<KeyId>,
    },
    /// What a pass reserved came back.
    #[n(17)]
    PassReleased {
        /// The op that reserved it.
        #[n(0)]
        pass: OpId,
        /// The shop that it was for.
        #[n(1)]
        merchant: MerchantId,
        /// The buyer.
        #[n(2)]
        account: AccountId,
        /// The group.
        #[n(3)]
        group: GroupId,
        /// The till's key, if it is one of the staff's.
        #[n(4)]
        till: Option<KeyId>,
    },
    /// Another phone of its owner's acts for a shop.
    #[n(18)]
    TillAdded {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The owner.
        #[n(1)]
        account: AccountId,
        /// The phone's key.
        #[n(2)]
        key: KeyId,
    },
    /// What a shop's tills may sell together before they sync was set.
    #[n(19)]
    AllowanceSet {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// Minor units.
        #[n(1)]
        most: Money,
    },
    /// A group has another admin.
    #[n(20)]
    AdminAppointed {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The member that administers it now.
        #[n(1)]
        merchant: MerchantId,
        /// The member that did before.
        #[n(2)]
        before: MerchantId,
    },
    /// A person runs the server for everyone, or does no more.
    #[n(21)]
    OperatorAppointed {
        /// The person.
        #[n(0)]
        account: AccountId,
        /// Whether they do from now on.
        #[n(1)]
        operator: bool,
    },
    /// Lots of one account went to another of the same person's.
    #[n(22)]
    LotsMoved {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The account that ends.
        #[n(1)]
        from: AccountId,
        /// The one that stays.
        #[n(2)]
        into: AccountId,
        /// The lots, as they stood with the first.
        #[n(3)]
        lots: Vec<Lot>,
    },
    /// An account has ended; none of its keys may sign.
    #[n(23)]
    AccountClosed {
        /// The account.
        #[n(0)]
        account: AccountId,
        /// The one that took over what it held.
        #[n(1)]
        into: Option<AccountId>,
    },
    /// A group's admin proposed other terms.
    #[n(24)]
    AmendmentProposed {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The op that proposed them.
        #[n(1)]
        amendment: OpId,
        /// The member that administers the group, and agrees hereby.
        #[n(2)]
        merchant: MerchantId,
        /// What the group would promise.
        #[n(3)]
        terms: Terms,
        /// From when, if enough members agree before.
        #[n(4)]
        from: Timestamp,
    },
    /// A member answered. The last answer counts.
    #[n(25)]
    AmendmentAnswered {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The op that proposed the terms.
        #[n(1)]
        amendment: OpId,
        /// The member.
        #[n(2)]
        merchant: MerchantId,
        /// Whether it agrees.
        #[n(3)]
        agrees: bool,
    },
    /// The group has other terms from now on, for new lots.
    #[n(26)]
    TermsAmended {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The op that proposed them.
        #[n(1)]
        amendment: OpId,
        /// Their version.
        #[n(2)]
        version: u32,
        /// The terms.
        #[n(3)]
        terms: Terms,
    },
    /// Not enough members agreed in time.
    #[n(27)]
    AmendmentRejected {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The op that proposed the terms.
        #[n(1)]
        amendment: OpId,
    },
    /// A shop is no member any more. What it issued stays good.
    #[n(28)]
    MemberLeft {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// Whether the group's admin put it out.
        #[n(2)]
        expelled: bool,
    },
    /// A member issues and redeems no more, and what it issued cannot be used; or all of that again.
    #[n(29)]
    MemberFrozen {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The member.
        #[n(1)]
        merchant: MerchantId,
        /// Whether it is frozen from now on.
        #[n(2)]
        frozen: bool,
    },
    /// A group is to end.
    #[n(30)]
    GroupClosing {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// Its last member.
        #[n(1)]
        merchant: MerchantId,
        /// From when nothing is issued.
        #[n(2)]
        redeem_only_from: Timestamp,
        /// When what remains expires.
        #[n(3)]
        ends_at: Timestamp,
    },
    /// Nothing remains of a group.
    #[n(31)]
    GroupEnded {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// Its last member.
        #[n(1)]
        merchant: MerchantId,
    },
    /// Mileage is reserved for a shop.
    #[n(32)]
    HoldMade {
        /// The op that made it.
        #[n(0)]
        hold: OpId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// The buyer.
        #[n(2)]
        account: AccountId,
        /// The group.
        #[n(3)]
        group: GroupId,
        /// Which lots are held, how many units of each.
        #[n(4)]
        held: Vec<Allocation>,
        /// The last instant at which it can be captured.
        #[n(5)]
        until: Timestamp,
        /// The key that made it, if it is one of the staff's.
        #[n(6)]
        till: Option<KeyId>,
    },
    /// What a hold reserved came back.
    #[n(33)]
    HoldReleased {
        /// The op that made it.
        #[n(0)]
        hold: OpId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// The buyer.
        #[n(2)]
        account: AccountId,
        /// The group.
        #[n(3)]
        group: GroupId,
        /// Which lots were held, how many units of each.
        #[n(4)]
        held: Vec<Allocation>,
        /// Whether its time was over; otherwise the shop gave it back.
        #[n(5)]
        lapsed: bool,
        /// The key that made it, if it is one of the staff's.
        #[n(6)]
        till: Option<KeyId>,
    },
    /// Mileage that was taken came back.
    #[n(34)]
    Reversed {
        /// The op of the redemption.
        #[n(0)]
        redemption: OpId,
        /// The shop that took it.
        #[n(1)]
        merchant: MerchantId,
        /// The buyer: the one that took over the account which paid, if that was merged.
        #[n(2)]
        account: AccountId,
        /// The group.
        #[n(3)]
        group: GroupId,
        /// Units that came back.
        #[n(4)]
        units: Units,
        /// Of which lots they were taken.
        #[n(5)]
        parts: Vec<Allocation>,
        /// The lots that they came back into, as they stand since: the same, or new ones in place of those that have ended or
        /// that this account does not have.
        #[n(6)]
        lots: Vec<Lot>,
        /// The key that took it, if it is one of the staff's.
        #[n(7)]
        till: Option<KeyId>,
    },
    /// A purchase was paid back, in part or in full.
    #[n(35)]
    Refunded {
        /// The sale.
        #[n(0)]
        sale: OpId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// How much of the purchase, in minor units.
        #[n(2)]
        amount: Money,
        /// The part of it that goes back in money. The rest comes back as mileage.
        #[n(3)]
        money: Money,
        /// The buyer, if the sale became mileage.
        #[n(4)]
        account: Option<AccountId>,
        /// The group of that mileage.
        #[n(5)]
        group: Option<GroupId>,
        /// Units of that mileage that this refund takes back.
        #[n(6)]
        units: Units,
        /// Which lots they were taken from. Those of another shop's settle as if redeemed here.
        #[n(7)]
        taken: Vec<Allocation>,
        /// Units that were not there: later earnings pay them.
        #[n(8)]
        debt: Units,
        /// What a unit is; none for points.
        #[n(9)]
        unit: Option<Unit>,
        /// The key that sold, if it is one of the staff's.
        #[n(10)]
        till: Option<KeyId>,
    },
    /// A sale was a mistake, and nobody had claimed it.
    #[n(36)]
    SaleVoided {
        /// The sale.
        #[n(0)]
        sale: OpId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// The buyer whose choice it waited for.
        #[n(2)]
        account: Option<AccountId>,
        /// The key that signed the sale, if it is one of the staff's.
        #[n(3)]
        till: Option<KeyId>,
    },
    /// A shop gave a buyer mileage without a sale: a lot.
    #[n(37)]
    Granted {
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
        /// How much.
        #[n(4)]
        units: Units,
        /// What the units are worth, and who owes whom for them.
        #[n(5)]
        worth: Worth,
        /// The version of the terms that it was issued under.
        #[n(6)]
        terms_version: u32,
        /// The last day on which it can be used, in the group's zone.
        #[n(7)]
        last_day: Day,
        /// The instant at which that day ends.
        #[n(8)]
        ends_at: Timestamp,
        /// Why.
        #[n(9)]
        reason: Reason,
    },
    /// A shop took away mileage that it had issued.
    #[n(38)]
    TakenAway {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// The buyer.
        #[n(2)]
        account: AccountId,
        /// How much.
        #[n(3)]
        units: Units,
        /// From which lots.
        #[n(4)]
        taken: Vec<Allocation>,
        /// Why.
        #[n(5)]
        reason: Reason,
    },
    /// What a buyer earned paid a debt that a refund had left.
    #[n(39)]
    DebtPaid {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The buyer.
        #[n(1)]
        account: AccountId,
        /// The shop that it was owed to.
        #[n(2)]
        merchant: MerchantId,
        /// What was taken of the new lot.
        #[n(3)]
        taken: Allocation,
    },
    /// A shop invited someone.
    #[n(40)]
    InvitationMade {
        /// The op.
        #[n(0)]
        invitation: OpId,
        /// The shop that invites.
        #[n(1)]
        merchant: MerchantId,
        /// To what.
        #[n(2)]
        to: Invited,
        /// By what the link is known.
        #[n(3)]
        hash: Option<TokenHash>,
        /// The shop that is told.
        #[n(4)]
        shop: Option<MerchantId>,
        /// How many may answer.
        #[n(5)]
        uses: u16,
        /// Until before this instant it is good.
        #[n(6)]
        until: Timestamp,
    },
    /// A shop took an invitation back.
    #[n(41)]
    InvitationRevoked {
        /// The op that made it.
        #[n(0)]
        invitation: OpId,
        /// The shop that invited.
        #[n(1)]
        merchant: MerchantId,
        /// The shop that was told.
        #[n(2)]
        shop: Option<MerchantId>,
    },
    /// A shop will not follow an invitation.
    #[n(42)]
    InvitationDeclined {
        /// The op that made it.
        #[n(0)]
        invitation: OpId,
        /// The shop that invited.
        #[n(1)]
        merchant: MerchantId,
        /// The shop that declined.
        #[n(2)]
        shop: MerchantId,
    },
    /// A shop asks to join a group that does not take everyone.
    #[n(43)]
    JoinAsked {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The shop.
        #[n(1)]
        merchant: MerchantId,
        /// The op that asked.
        #[n(2)]
        request: OpId,
        /// The version of the terms that it agreed to.
        #[n(3)]
        terms_version: u32,
        /// The invitation that it followed; its shop is for it.
        #[n(4)]
        invitation: Option<Answered>,
    },
    /// A member answered a shop that asks to join, or that shop asks no more.
    #[n(44)]
    JoinAnswered {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The shop that asks.
        #[n(1)]
        merchant: MerchantId,
        /// The op that asked.
        #[n(2)]
        request: OpId,
        /// Who answered.
        #[n(3)]
        by: MerchantId,
        /// How.
        #[n(4)]
        admits: bool,
        /// What became of the request by that.
        #[n(5)]
        state: RequestState,
    },
    /// A group presents itself otherwise.
    #[n(45)]
    ProfileAmended {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The shop that administers it.
        #[n(1)]
        merchant: MerchantId,
        /// The version, from 2.
        #[n(2)]
        version: u32,
        /// In place of the one before.
        #[n(3)]
        profile: Profile,
    },
    /// A shop presents itself otherwise.
    #[n(46)]
    MerchantAmended {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// In place of the one before.
        #[n(1)]
        profile: MerchantProfile,
    },
    /// A person agreed to be sent advertising, or withdrew that.
    #[n(47)]
    MarketingSet {
        /// The person.
        #[n(0)]
        account: AccountId,
        /// The text that was agreed to; none if that was withdrawn.
        #[n(1)]
        agreed: Option<AgreedText>,
    },
}

/// A hold that was captured.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Captured {
    /// The op that made it.
    #[n(0)]
    pub hold: OpId,
    /// Which lots it held, how many units of each.
    #[n(1)]
    pub held: Vec<Allocation>,
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
    /// A group's: founding, terms, members, its end. Not its traffic.
    #[n(2)]
    Group(#[n(0)] GroupId),
    /// A clerk's till: what its key did, and what came of it. The shop's own inbox is its owner's.
    #[n(3)]
    Till(#[n(0)] KeyId),
}

impl EventBody {
    /// Whom the event concerns, each once, in order.
    ///
    /// A redemption concerns the shop that took the mileage and every shop that issued some of it: both see it in
    /// their status and settlement (A12, A14).
    pub fn inboxes(&self) -> Vec<Inbox> {
        let mut inboxes = match self {
            Self::StandingSet { account, .. }
            | Self::MarketingSet { account, .. }
            | Self::DeviceAdmitted { account, .. }
            | Self::OperatorAppointed { account, .. } => vec![Inbox::Account(*account)],
            Self::DeviceEnrolled { account, merchant, .. }
            | Self::DeviceRevoked { account, merchant, .. } => {
                [Inbox::Account(*account)].into_iter().chain(merchant.map(Inbox::Merchant)).collect()
            }
            Self::MerchantRegistered { merchant, owner, .. } => {
                vec![Inbox::Account(*owner), Inbox::Merchant(*merchant)]
            }
            Self::GroupFounded { group, founder, .. } => {
                vec![Inbox::Merchant(*founder), Inbox::Group(*group)]
            }
            Self::LotsMoved { from, into, .. } => vec![Inbox::Account(*from), Inbox::Account(*into)],
            Self::AccountClosed { account, into } => {
                [Inbox::Account(*account)].into_iter().chain(into.map(Inbox::Account)).collect()
            }
            Self::AdminAppointed { group, merchant, before } => {
                vec![Inbox::Merchant(*merchant), Inbox::Merchant(*before), Inbox::Group(*group)]
            }
            Self::MemberJoined { group, merchant, invitation, .. }
            | Self::JoinAsked { group, merchant, invitation, .. } => {
                let issuer = invitation.map(|answered| Inbox::Merchant(answered.issuer));
                [Inbox::Merchant(*merchant), Inbox::Group(*group)].into_iter().chain(issuer).collect()
            }
            Self::InvitationMade { merchant, shop, .. } | Self::InvitationRevoked { merchant, shop, .. } => {
                [Inbox::Merchant(*merchant)].into_iter().chain(shop.map(Inbox::Merchant)).collect()
            }
            Self::InvitationDeclined { merchant, shop, .. } => {
                vec![Inbox::Merchant(*merchant), Inbox::Merchant(*shop)]
            }
            Self::JoinAnswered { group, merchant, .. }
            | Self::ProfileAmended { group, merchant, .. }
            | Self::AmendmentProposed { group, merchant, .. }
            | Self::AmendmentAnswered { group, merchant, .. }
            | Self::MemberLeft { group, merchant, .. }
            | Self::MemberFrozen { group, merchant, .. }
            | Self::GroupClosing { group, merchant, .. }
            | Self::GroupEnded { group, merchant } => {
                vec![Inbox::Merchant(*merchant), Inbox::Group(*group)]
            }
            Self::TermsAmended { group, .. } | Self::AmendmentRejected { group, .. } => {
                vec![Inbox::Group(*group)]
            }
            Self::SaleRecorded { merchant, .. }
            | Self::CertificateIssued { merchant, .. }
            | Self::MerchantAmended { merchant, .. }
            | Self::AllowanceSet { merchant, .. } => vec![Inbox::Merchant(*merchant)],
            Self::Accrued { account, merchant, .. }
            | Self::SaleWaits { account, merchant, .. }
            | Self::SaleLapsed { account, merchant, .. }
            | Self::StaffJoined { account, merchant, .. }
            | Self::StaffLeft { account, merchant, .. }
            | Self::PassReserved { account, merchant, .. }
            | Self::PassReleased { account, merchant, .. }
            | Self::TillAdded { account, merchant, .. }
            | Self::HoldMade { account, merchant, .. }
            | Self::HoldReleased { account, merchant, .. }
            | Self::Granted { account, merchant, .. }
            | Self::TakenAway { account, merchant, .. } => {
                vec![Inbox::Account(*account), Inbox::Merchant(*merchant)]
            }
            Self::SaleVoided { account, merchant, .. } => {
                account.map(Inbox::Account).into_iter().chain([Inbox::Merchant(*merchant)]).collect()
            }
            Self::Reversed { account, merchant, parts: allocations, .. } => {
                let issuers = allocations.iter().map(|part| Inbox::Merchant(part.issuer));
                [Inbox::Account(*account), Inbox::Merchant(*merchant)].into_iter().chain(issuers).collect()
            }
            Self::Refunded { account, merchant, taken, .. } => {
                let issuers = taken.iter().map(|part| Inbox::Merchant(part.issuer));
                let buyer = account.map(Inbox::Account);
                buyer.into_iter().chain([Inbox::Merchant(*merchant)]).chain(issuers).collect()
            }
            Self::DebtPaid { account, merchant, taken, .. } => {
                vec![Inbox::Account(*account), Inbox::Merchant(*merchant), Inbox::Merchant(taken.issuer)]
            }
            Self::Redeemed { account, merchant, allocations, .. } => {
                let issuers = allocations.iter().map(|part| Inbox::Merchant(part.issuer));
                [Inbox::Account(*account), Inbox::Merchant(*merchant)].into_iter().chain(issuers).collect()
            }
            Self::Expired { account, allocation, .. } => {
                vec![Inbox::Account(*account), Inbox::Merchant(allocation.issuer)]
            }
        };
        inboxes.extend(self.till().map(Inbox::Till));
        inboxes.sort_unstable();
        inboxes.dedup();
        inboxes
    }

    /// The key of one of the staff whose doing it is.
    pub fn till(&self) -> Option<KeyId> {
        match self {
            Self::SaleRecorded { till, .. }
            | Self::Accrued { till, .. }
            | Self::SaleWaits { till, .. }
            | Self::SaleLapsed { till, .. }
            | Self::Redeemed { till, .. }
            | Self::DeviceRevoked { till, .. }
            | Self::CertificateIssued { till, .. }
            | Self::PassReleased { till, .. }
            | Self::HoldMade { till, .. }
            | Self::HoldReleased { till, .. }
            | Self::Reversed { till, .. }
            | Self::Refunded { till, .. }
            | Self::SaleVoided { till, .. } => *till,
            Self::PassReserved { staff, .. } => *staff,
            Self::StaffJoined { key, .. } | Self::StaffLeft { key, .. } => Some(*key),
            _ => None,
        }
    }
}
