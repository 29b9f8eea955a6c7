//! Ops: signed commands, the only way in. (design: "Writes: one path")

use minicbor::{Decode, Encode};

use crate::account::MergeConsent;
use crate::adjustment::{Grantee, Reason};
use crate::device::KeyKind;
use crate::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use crate::invitation::{Invited, Ticket, TokenHash};
use crate::marketing::AgreedText;
use crate::member::{Buyer, Found};
use crate::merchant::MerchantProfile;
use crate::quantity::{Money, Units};
use crate::staff::StaffInvitation;
use crate::standing::StandingChoice;
use crate::terms::{Profile, Terms, Unit};
use crate::time::{Day, Timestamp};

/// The version of the op format that this code writes.
pub const OP_VERSION: u8 = 1;

/// A command as its author signed it.
///
/// In CBOR `[version, id, actor, counter, time, [kind, …]]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Op {
    /// [`OP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// Made by the author and stored there before the op is sent.
    #[n(1)]
    pub id: OpId,
    /// The key that signs.
    #[n(2)]
    pub actor: KeyId,
    /// Never used before by this key, for ops or codes. May have gaps; orders nothing.
    #[n(3)]
    pub counter: u64,
    /// The author's clock, in seconds since 1970: evidence, never an ordering.
    #[n(4)]
    pub time: u64,
    /// What is asked for.
    #[n(5)]
    pub body: OpBody,
}

/// What an op asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum OpBody {
    /// The server, after the six-digit code: this key may sign for this account.
    #[n(0)]
    EnrolDevice {
        /// The account.
        #[n(0)]
        account: AccountId,
        /// The key's id.
        #[n(1)]
        key: KeyId,
        /// The key's uncompressed P-256 point, 65 bytes.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        public_key: Vec<u8>,
        /// Whether the person proved by more than the number that the account is theirs. Some for yes.
        #[n(3)]
        proved: Option<bool>,
    },
    /// A device: opens a shop, owned by the device's account; this key signs its sales from now on.
    #[n(1)]
    RegisterMerchant {
        /// How the shop presents itself.
        #[n(0)]
        profile: MerchantProfile,
    },
    /// A shop's device: founds a group with its shop as first member. (A1, A2)
    #[n(2)]
    FoundGroup {
        /// How the group presents itself.
        #[n(0)]
        profile: Profile,
        /// What it promises.
        #[n(1)]
        terms: Terms,
    },
    /// A shop's device: joins a group under the terms in force, or asks to. (A4, A5)
    #[n(3)]
    JoinGroup {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The version of the terms that the merchant read.
        #[n(1)]
        terms_version: u32,
        /// The invitation that it follows, if one.
        #[n(2)]
        invitation: Option<Ticket>,
    },
    /// A shop's device: a purchase. The signed op is the voucher. (A7)
    #[n(4)]
    RecordSale {
        /// What was paid in money, in minor units of the shop's currency.
        #[n(0)]
        amount: Money,
        /// The one buyer who may claim it, if known.
        #[n(1)]
        addressee: Option<AccountId>,
        /// The redemption that paid the rest of the purchase, if mileage paid a part: for refunds.
        #[n(2)]
        redemption: Option<OpId>,
    },
    /// A buyer's device: turns a sale into mileage of one group. (A7)
    #[n(5)]
    Claim {
        /// The voucher: the signed bytes of the sale.
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        sale: Vec<u8>,
        /// The group chosen. Without one (a shop never met, no network): the best rate, then the longest
        /// validity, then the lowest id.
        #[n(1)]
        choice: Option<Choice>,
    },
    /// A shop's device: takes mileage as payment, on a code that the buyer's device signed. (A9)
    #[n(6)]
    Redeem {
        /// The signed bytes of the [`RedemptionCode`].
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        code: Vec<u8>,
        /// Units to take.
        #[n(1)]
        units: Units,
    },
    /// The server's sweep: writes down what has expired in one wallet.
    #[n(7)]
    ExpireLots {
        /// The wallet's group.
        #[n(0)]
        group: GroupId,
        /// The wallet's owner.
        #[n(1)]
        account: AccountId,
    },
    /// A shop's device: a purchase of a buyer whom the shop can name. No voucher is needed: the sale goes into the
    /// buyer's wallet, or waits for the buyer's choice. (A7)
    #[n(8)]
    SellTo {
        /// What was paid in money, in minor units of the shop's currency.
        #[n(0)]
        amount: Money,
        /// The buyer, as the shop knows them.
        #[n(1)]
        buyer: Buyer,
        /// As with [`OpBody::RecordSale`].
        #[n(2)]
        redemption: Option<OpId>,
    },
    /// A buyer's device: chooses the group of a sale that waits for it. (A7)
    #[n(9)]
    ClaimWaiting {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The sale.
        #[n(1)]
        sale: OpId,
        /// The group chosen; without one the best, as for a claim.
        #[n(2)]
        choice: Option<Choice>,
    },
    /// The server's sweep: a sale has waited long enough.
    #[n(10)]
    LapseSale {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The sale.
        #[n(1)]
        sale: OpId,
    },
    /// A buyer's device: what is to be done with sales that would wait for this buyer's choice. (A8)
    #[n(11)]
    SetStanding {
        /// In place of the one before.
        #[n(0)]
        choice: StandingChoice,
    },
    /// The server, when the owner of a phone number signs up: a sale that waited for that is mileage, if nothing is to be
    /// chosen. (A7)
    #[n(13)]
    OfferAgain {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The sale.
        #[n(1)]
        sale: OpId,
    },
    /// The server's sweep: takes the best group for a buyer who agreed to that and has not chosen for a day. (A8)
    #[n(12)]
    TakeBest {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The sale.
        #[n(1)]
        sale: OpId,
    },
    /// A phone, or an operator: a key may no longer sign. (A9)
    #[n(14)]
    RevokeDevice {
        /// The key.
        #[n(0)]
        key: KeyId,
    },
    /// An older phone of the account: a new one may pay before its 48 hours are over.
    #[n(15)]
    AdmitDevice {
        /// The new one's key.
        #[n(0)]
        key: KeyId,
    },
    /// A person's phone: sells for a shop from now on, on its owner's word.
    #[n(16)]
    JoinStaff {
        /// The signed bytes of the [`StaffInvitation`](crate::staff::StaffInvitation).
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        invitation: Vec<u8>,
    },
    /// The owner, or the person: someone sells for the shop no more.
    #[n(17)]
    RemoveStaff {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The person.
        #[n(1)]
        account: AccountId,
    },
    /// A shop's device: may go on selling without the server for another week.
    #[n(18)]
    RenewCertificate,
    /// A buyer's phone that is online, at a shop that is not: takes mileage as payment there. (A9)
    #[n(19)]
    Pay {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The group whose mileage it is.
        #[n(1)]
        group: GroupId,
        /// Units to take.
        #[n(2)]
        units: Units,
        /// The second after which the shop no longer honours the approval.
        #[n(3)]
        expires: u64,
        /// What a unit is; none for points.
        #[n(4)]
        unit: Option<Unit>,
    },
    /// A buyer's phone: reserves mileage for one till, to be taken while both are offline. (A9)
    #[n(20)]
    ReservePass {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The till's key.
        #[n(1)]
        till: KeyId,
        /// The group whose mileage it is.
        #[n(2)]
        group: GroupId,
        /// Units to reserve.
        #[n(3)]
        units: Units,
        /// The second after which the till takes it no more.
        #[n(4)]
        expires: u64,
        /// What a unit is; none for points.
        #[n(5)]
        unit: Option<Unit>,
    },
    /// A till: has taken mileage of a pass.
    #[n(21)]
    RedeemPass {
        /// The signed bytes of the [`PassCode`](crate::pass::PassCode).
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        code: Vec<u8>,
        /// Units taken. The rest comes back to the buyer.
        #[n(1)]
        units: Units,
    },
    /// The server's sweep: what a pass reserved comes back.
    #[n(22)]
    ReleasePass {
        /// The shop that it was for.
        #[n(0)]
        merchant: MerchantId,
        /// The op that reserved it.
        #[n(1)]
        pass: OpId,
    },
    /// A phone: lets in a browser, or a computer of its owner's shop. (A11)
    #[n(23)]
    AddKey {
        /// The key's id.
        #[n(0)]
        key: KeyId,
        /// The key's uncompressed P-256 point, 65 bytes.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        public_key: Vec<u8>,
        /// What it lives in; not a phone.
        #[n(2)]
        kind: KeyKind,
    },
    /// A phone: acts for a shop of its owner's, opened by another phone.
    #[n(24)]
    ActFor {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
    },
    /// An operator: what a shop's tills may sell together before they sync.
    #[n(25)]
    SetAllowance {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// In minor units, none or more, up to [`MOST_ALLOWANCE`](crate::certificate::MOST_ALLOWANCE).
        #[n(1)]
        most: Money,
    },
    /// The admin of a group hands that over to another member.
    #[n(26)]
    AppointAdmin {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The member.
        #[n(1)]
        merchant: MerchantId,
    },
    /// The server, told so where it runs: a person runs it for everyone, or does no more.
    #[n(27)]
    AppointOperator {
        /// The person.
        #[n(0)]
        account: AccountId,
        /// Whether they are one from now on.
        #[n(1)]
        operator: bool,
    },
    /// A person: ends their account. What it holds expires.
    #[n(28)]
    CloseAccount,
    /// A person: takes over what another account of theirs holds; that one ends.
    #[n(29)]
    MergeAccount {
        /// The signed bytes of the [`MergeConsent`].
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        consent: Vec<u8>,
    },
    /// The admin of a group proposes other terms, for lots from a date on. In place of what was proposed before. (A1)
    #[n(30)]
    AmendTerms {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// What it would promise.
        #[n(1)]
        terms: Terms,
        /// From when, in seconds since 1970; until then the members answer.
        #[n(2)]
        from: u64,
    },
    /// A member agrees to proposed terms, or does not.
    #[n(31)]
    AnswerAmendment {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The op that proposed them.
        #[n(1)]
        amendment: OpId,
        /// Whether it agrees.
        #[n(2)]
        agrees: bool,
    },
    /// The server's sweep: the date of proposed terms has come.
    #[n(32)]
    DecideAmendment {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The op that proposed them.
        #[n(1)]
        amendment: OpId,
    },
    /// A member leaves. What it issued stays good; it issues no more.
    #[n(33)]
    LeaveGroup {
        /// The group.
        #[n(0)]
        group: GroupId,
    },
    /// The admin of a group puts a member out: as if it had left.
    #[n(34)]
    ExpelMember {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The member.
        #[n(1)]
        merchant: MerchantId,
    },
    /// An operator, or the server when a settlement is long overdue: a member issues and redeems no more, and what it
    /// issued cannot be used; or all of that again.
    #[n(35)]
    FreezeMember {
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
    /// The last member closes the group: after a notice it issues no more, and some time later what remains expires.
    #[n(36)]
    CloseGroup {
        /// The group.
        #[n(0)]
        group: GroupId,
    },
    /// The server's sweep: nothing remains of a closed group.
    #[n(37)]
    EndGroup {
        /// The group.
        #[n(0)]
        group: GroupId,
    },
    /// A shop's device: reserves mileage on a code, to be taken when the goods are handed over. (A9, A11)
    #[n(38)]
    Hold {
        /// The signed bytes of the [`RedemptionCode`].
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        code: Vec<u8>,
        /// Units to reserve.
        #[n(1)]
        units: Units,
        /// For how many seconds from the decision; none for [`HOLD_MINUTES`](crate::hold::HOLD_MINUTES).
        #[n(2)]
        seconds: Option<u32>,
    },
    /// A shop's device: takes what a hold reserved, or a part; the rest comes back.
    #[n(39)]
    CaptureHold {
        /// The op that made it.
        #[n(0)]
        hold: OpId,
        /// Units to take.
        #[n(1)]
        units: Units,
    },
    /// A shop's device: gives back what a hold reserved.
    #[n(40)]
    VoidHold {
        /// The op that made it.
        #[n(0)]
        hold: OpId,
    },
    /// The server's sweep: the time of a hold is over.
    #[n(41)]
    LapseHold {
        /// The shop.
        #[n(0)]
        merchant: MerchantId,
        /// The op that made it.
        #[n(1)]
        hold: OpId,
    },
    /// A shop's device: gives back what is left of a redemption.
    #[n(42)]
    ReverseRedemption {
        /// The op of the redemption, or of the capture, or of the pass's taking.
        #[n(0)]
        redemption: OpId,
    },
    /// A shop's device: has paid back a purchase, in part or in full.
    #[n(43)]
    RefundSale {
        /// The sale.
        #[n(0)]
        sale: OpId,
        /// How much of the whole purchase, what mileage paid counted in, in minor units.
        #[n(1)]
        amount: Money,
    },
    /// A shop's device: the sale was a mistake. Within 30 minutes, and if nobody has claimed it.
    #[n(44)]
    VoidSale {
        /// The sale.
        #[n(0)]
        sale: OpId,
    },
    /// A shop's owner: gives a buyer mileage without a sale.
    #[n(45)]
    Grant {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// To whom.
        #[n(1)]
        to: Grantee,
        /// Units of the kind that the terms in force have.
        #[n(2)]
        units: Units,
        /// Why.
        #[n(3)]
        reason: Reason,
        /// The last day on which it can be used; none: as long as what is earned now.
        #[n(4)]
        last_day: Option<Day>,
    },
    /// A shop's owner: takes away mileage that the shop issued.
    #[n(46)]
    TakeAway {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// From whom.
        #[n(1)]
        account: AccountId,
        /// How many units.
        #[n(2)]
        units: Units,
        /// Why.
        #[n(3)]
        reason: Reason,
        /// What a unit is; none for points.
        #[n(4)]
        unit: Option<Unit>,
    },
    /// A shop's owner: invites another shop into a group, or buyers. (A3)
    #[n(47)]
    Invite {
        /// To what.
        #[n(0)]
        to: Invited,
        /// By what the link is known, if there is to be one.
        #[n(1)]
        hash: Option<TokenHash>,
        /// The shop that is told in its app.
        #[n(2)]
        shop: Option<MerchantId>,
        /// How many may answer, up to [`MOST_USES`](crate::invitation::MOST_USES).
        #[n(3)]
        uses: u16,
        /// The second from which it is void, within [`INVITATION_DAYS`](crate::invitation::INVITATION_DAYS).
        #[n(4)]
        expires: u64,
    },
    /// A shop's owner: takes an invitation back.
    #[n(48)]
    RevokeInvitation {
        /// The op that made it.
        #[n(0)]
        invitation: OpId,
    },
    /// A shop's owner: will not follow an invitation. (A4)
    #[n(49)]
    DeclineInvitation {
        /// Which.
        #[n(0)]
        ticket: Ticket,
    },
    /// A member answers a shop that asks to join, or that shop asks no more. (A5)
    #[n(50)]
    AnswerJoin {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// The shop that asks.
        #[n(1)]
        merchant: MerchantId,
        /// The op that asked.
        #[n(2)]
        request: OpId,
        /// Whether it may come in.
        #[n(3)]
        admits: bool,
    },
    /// The admin of a group: how it presents itself from now on. (A2)
    #[n(51)]
    AmendProfile {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// In place of the one before.
        #[n(1)]
        profile: Profile,
    },
    /// A shop's owner: how it presents itself from now on.
    #[n(52)]
    AmendMerchant {
        /// In place of the one before.
        #[n(0)]
        profile: MerchantProfile,
    },
    /// A person's device: agrees to be sent advertising, or withdraws that.
    #[n(53)]
    SetMarketing {
        /// The text that was agreed to; none withdraws.
        #[n(0)]
        agreed: Option<AgreedText>,
    },
}

/// The group that a buyer picked, and the terms that the buyer saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Choice {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// The version of the terms that the buyer saw.
    #[n(1)]
    pub terms_version: u32,
}

/// A buyer's permission to take mileage, shown to a shop as a QR code. (A9)
///
/// In CBOR `[version, key, counter, expires, group, most, unit]`. Good for one redemption, or one hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RedemptionCode {
    /// [`OP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The buyer's key.
    #[n(1)]
    pub key: KeyId,
    /// From the same series as the key's ops.
    #[n(2)]
    pub counter: u64,
    /// The second after which it is void.
    #[n(3)]
    pub expires: u64,
    /// The group whose mileage may be taken.
    #[n(4)]
    pub group: GroupId,
    /// Units that may be taken at most.
    #[n(5)]
    pub most: Units,
    /// What a unit is; none for points.
    #[n(6)]
    pub unit: Option<Unit>,
}

impl RedemptionCode {
    /// For how long a code is good: three minutes.
    pub const LIFETIME: i64 = 3 * Timestamp::MINUTE;
}

/// What an op needs beside itself: what it carries signed by someone else, opened and checked, or what the server
/// keeps beside the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// Nothing.
    None,
    /// The sale inside a claim.
    Sale(Box<Op>),
    /// The buyer's code inside a redemption.
    Code(RedemptionCode),
    /// The buyer of a sale to a known buyer, or of a grant.
    Buyer(Found),
    /// The owner's word inside a joining of its staff.
    Invitation(StaffInvitation),
    /// The pass that a till took, shown by the buyer's key.
    Pass {
        /// The op that reserved it.
        pass: OpId,
        /// The key that showed it.
        key: KeyId,
    },
    /// The consent inside a merging of accounts.
    Consent(MergeConsent),
    /// The server's own word that the author was shown the invitation of the op's ticket.
    Ticket,
}
