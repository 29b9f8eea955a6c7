//! The API's requests and answers, in JSON. Bytes are base64 (RFC 4648 section 4), ids are hex, times are
//! milliseconds since 1970. Readers ignore fields that they do not know.

use moa_rules::admission::JoinRequest;
use moa_rules::amendment::Amendment;
use moa_rules::certificate::Certificate;
use moa_rules::debt::Debt;
use moa_rules::event::Inbox;
use moa_rules::group::{Group, TermsVersion};
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId, PictureId};
use moa_rules::lot::Lot;
use moa_rules::merchant::MerchantProfile;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::sale::Sale;
use moa_rules::staff::Limits;
use moa_rules::standing::StandingChoice;
use moa_rules::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::member::MemberSecret;
use crate::number::TypedNumber;

/// The most ops in one `POST /v1/ops`.
pub const MAX_OPS: usize = 100;
/// The most events in one answer to `GET /v1/changes`.
pub const MAX_CHANGES: usize = 500;
/// The most shops on a page of the directory.
pub const MAX_DIRECTORY: usize = 200;
/// The longest that `GET /v1/changes` waits, in seconds.
pub const MAX_WAIT_S: u64 = 25;
/// The most bytes in a request's body.
pub const MAX_BODY: usize = 640 * 1024;

/// Bytes as base64 in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = Byte))]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_encoding::BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        data_encoding::BASE64.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

impl From<&[u8]> for Base64 {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

/// `POST /v1/enrolments`: send a six-digit code to this number for this key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolmentRequest {
    /// The phone number, as typed; read as Korean without a country code.
    pub phone: String,
    /// The device key's uncompressed P-256 point, 65 bytes.
    pub public_key: Base64,
}

/// An enrolment under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolment {
    /// Its id, 32 hex digits.
    pub enrolment: String,
    /// When the code is void.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Timestamp,
}

/// `POST /v1/enrolments/{enrolment}/confirm`: the code that came, and proof that the device holds the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Confirmation {
    /// Six digits.
    pub code: String,
    /// A [`crate::token::Possession`] signed by the device key.
    pub possession: Base64,
    /// The account's recovery code, as typed: the second proof, if the person has it at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<String>,
}

/// A device that may sign for an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolled {
    /// The account: a new one, or that of the number.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub account: AccountId,
    /// The server's public key, for heads and approvals.
    pub server_key: Base64,
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
    /// The account's recovery code, if the account begins here: ten characters, to be shown once and kept by the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<String>,
}

impl std::fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrolled").field("account", &self.account).finish_non_exhaustive()
    }
}

/// The most characters of a device's name.
pub const MAX_DEVICE_NAME: usize = 60;

/// `POST /v1/sessions`: begin to read, with a proof by the session key (RFC 9449) in the header `DPoP`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionRequest {
    /// A [`crate::token::SessionEndorsement`] signed by the device key.
    pub endorsement: Base64,
    /// What the person calls the device; at most 60 characters.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 60))]
    pub name: String,
}

/// A session: one a device, which ends the one before.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Sent as `Authorization: DPoP …` with every read, beside a proof.
    pub token: String,
    /// When the token is void.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Timestamp,
    /// Good for further tokens until the endorsement ends.
    pub refresh: String,
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

/// `POST /v1/sessions/refresh`: another token; `POST /v1/sessions/end`: no more of them. With a proof by the session key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefreshRequest {
    /// As given when the session began.
    pub refresh: String,
}

impl std::fmt::Debug for RefreshRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshRequest(…)")
    }
}

/// An access token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Access {
    /// Sent as `Authorization: DPoP …` with every read, beside a proof.
    pub token: String,
    /// When it is void.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Timestamp,
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access(…)")
    }
}

/// A session that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionEnded {
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
}

/// `GET /v1/devices`: the keys that may sign for the caller's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Devices {
    /// The one that was seen last first.
    pub devices: Vec<DeviceEntry>,
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
}

/// What a key lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A phone.
    Phone,
    /// A browser that a phone let in.
    Browser,
    /// A shop's own computer.
    Service,
}

/// What a key does for its shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShopRole {
    /// It acts for the shop's owner.
    Owner,
    /// It sells for one of the staff.
    Staff,
    /// It sold for one of the staff, who has left.
    Left,
    /// It is the shop's own computer.
    Service,
}

/// A key of the caller's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceEntry {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub key: KeyId,
    /// What its person calls it; empty if nothing was said.
    pub name: String,
    /// When it was enrolled.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub since: Timestamp,
    /// When it last began or went on with a session, or sent an op; when it was enrolled, if it never did.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub seen: Timestamp,
    /// What it lives in.
    pub kind: DeviceKind,
    /// The shop that it acts for, or sold for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub merchant: Option<MerchantId>,
    /// What it does there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ShopRole>,
    /// From when it may pay and answer for other keys; a phone alone ever does.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub pays_from: Timestamp,
    /// Until when a browser may stay signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub until: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub revoked_at: Option<Timestamp>,
}

/// `GET /v1/staff`: who sells for the caller's shop, and its tills. For the shop's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopStaff {
    /// The shop.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub merchant: MerchantId,
    /// Everyone who sells, or sold, for it and is not its owner: those first that joined first.
    pub staff: Vec<StaffEntry>,
    /// The keys that sell, or sold, for it, in order of id.
    pub tills: Vec<TillEntry>,
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
}

/// Someone who sells, or sold, for a shop that is not theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffEntry {
    /// The person.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub account: AccountId,
    /// The key of the phone that sells.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub key: KeyId,
    /// What they may sell, in minor units: `per_sale`, `per_day`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub limits: Limits,
    /// What they have sold on the day of the server's clock, by the sales' own time, in minor units.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub sold_today: Money,
    /// When they joined.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub joined_at: Timestamp,
    /// When they left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub left_at: Option<Timestamp>,
}

/// A key that sells, or sold, for a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TillEntry {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub key: KeyId,
    /// What its person calls it, which its shop's owner may know; empty if nothing was said.
    pub name: String,
    /// What it lives in.
    pub kind: DeviceKind,
    /// What it does for the shop.
    pub role: ShopRole,
    /// Whose it is.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub account: AccountId,
    /// When it was last heard, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub heard_at: Option<Timestamp>,
    /// Numbers that it counted and that have not arrived: sales that are still on it, or codes that nobody used.
    pub missing: u64,
    /// What it may sell without the server: `until`, `most` and, of that, `used`; one without sells nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub certificate: Option<Certificate>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub revoked_at: Option<Timestamp>,
}

/// `POST /v1/one-time-codes`: hand out twelve digits that stand for a code of this phone's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OneTimeRequest {
    /// A redemption code as this device signed it, or the 28 bytes of a member code of this account.
    pub code: Base64,
}

/// Twelve digits, good for three minutes and one use.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OneTime {
    /// The digits, in one run.
    pub digits: String,
    /// When they are void.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Timestamp,
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
}

impl std::fmt::Debug for OneTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTime(…)")
    }
}

/// `POST /v1/one-time-codes/look-up`: the redemption code that these digits stand for. By a shop's device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OneTimeLookup {
    /// The digits, in one run.
    pub digits: String,
}

impl std::fmt::Debug for OneTimeLookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTimeLookup(…)")
    }
}

/// What digits stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OneTimeFound {
    /// The redemption code as the buyer's device signed it.
    pub code: Base64,
}

/// `POST /v1/invitations/open`: what someone holds of an invitation, one of the two.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationShown {
    /// The token of its link, 32 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The eight characters that stand for it, as they were typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Both let anyone in: neither is printed.
impl std::fmt::Debug for InvitationShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvitationShown(…)")
    }
}

/// An invitation that can be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationFound {
    /// The invitation in CBOR ([`moa_rules::invitation::Invitation`]).
    pub invitation: Base64,
    /// The shop that invites.
    pub issuer: MerchantEntry,
    /// The group that it leads into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupEntry>,
    /// The group's members, up to 200: names and places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MerchantEntry>,
    /// Names the invitation in the answer ([`moa_rules::invitation::Ticket`] in CBOR); for the caller's account alone.
    pub ticket: Base64,
}

/// `POST /v1/invitations/send`: the server is to send an invitation by mail or text message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationToSend {
    /// The op that made it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub invitation: OpId,
    /// The token of its link, 32 hex digits: the server keeps it only until the message is out.
    pub token: String,
    /// `email` or `sms`.
    pub channel: Channel,
    /// The address, or the number in E.164.
    pub to: String,
}

/// It holds an address and a token: it is never printed.
impl std::fmt::Debug for InvitationToSend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvitationToSend(…)")
    }
}

/// What became of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationSent {
    /// Whether it was sent before: then nothing more is sent.
    pub before: bool,
    /// The morning for which it waits: at night no advertising is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub waits_until: Option<Timestamp>,
}

/// What became of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PictureTaken {
    /// By which a group's profile names it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub picture: PictureId,
}

/// `GET /v1/invitations`: the ways of the caller's shop's invitations to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationTraces {
    /// One an invitation that is good, or was lately.
    pub traces: Vec<InvitationTrace>,
}

/// The way of one invitation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationTrace {
    /// The op that made it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub invitation: OpId,
    /// The eight characters that stand for it, while it has a link and can be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// By what the server sent it: `email` or `sms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// To which address or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// When it was to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub sent_at: Option<Timestamp>,
    /// The morning for which it waits: at night no advertising is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub waits_until: Option<Timestamp>,
    /// When the mail server or the carrier took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub delivered_at: Option<Timestamp>,
    /// How often its page was opened; programs that look at links count too.
    pub opened: u32,
    /// When someone who is signed in first took it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub claimed_at: Option<Timestamp>,
}

impl InvitationTrace {
    /// That of an invitation that has gone nowhere.
    pub fn of(invitation: OpId) -> Self {
        Self {
            invitation,
            code: None,
            channel: None,
            contact: None,
            sent_at: None,
            waits_until: None,
            delivered_at: None,
            opened: 0,
            claimed_at: None,
        }
    }
}

/// It holds an address and a code: it is never printed.
impl std::fmt::Debug for InvitationTrace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InvitationTrace({})", self.invitation)
    }
}

/// `POST /v1/ops`: signed ops, 1..=100.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ops {
    /// Each a signed op, decided in this order.
    pub ops: Vec<Base64>,
    /// The phone numbers that some of the ops name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<TypedNumber>,
}

/// The server's answer to one op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It holds, and is on disk.
    Applied,
    /// It came before; this was the answer.
    Duplicate {
        /// Why it was refused then; nothing if it was applied.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<Refused>,
    },
    /// No, for ever, under this id.
    Refused(Refused),
    /// Not decided; the same again later, under the same id.
    Retry {
        /// Not before so many seconds.
        after_s: u32,
    },
}

/// A refusal: the reason for a program, the sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refused {
    /// The `code` and its figures.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub reason: Refusal,
    /// In the language of the request's `Accept-Language`.
    pub text: String,
}

/// The answers to `POST /v1/ops`, one an op, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verdicts {
    /// One an op, in order.
    pub verdicts: Vec<Verdict>,
    /// Approvals and passes of those ops that were applied, now or before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<GivenToken>,
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
}

/// The server's signed word on an applied op, to be shown to a shop without signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GivenToken {
    /// The op.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub op: OpId,
    /// A [`crate::token::Approval`], or a [`moa_rules::pass::PassToken`].
    pub token: Base64,
}

/// The name of an inbox in JSON: `{"kind": "account", "id": "…"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum InboxName {
    /// A person's.
    Account(AccountId),
    /// A shop's.
    Merchant(MerchantId),
    /// A group's.
    Group(GroupId),
    /// A clerk's till's.
    Till(KeyId),
}

impl From<Inbox> for InboxName {
    fn from(inbox: Inbox) -> Self {
        match inbox {
            Inbox::Account(id) => Self::Account(id),
            Inbox::Merchant(id) => Self::Merchant(id),
            Inbox::Group(id) => Self::Group(id),
            Inbox::Till(id) => Self::Till(id),
        }
    }
}

impl From<InboxName> for Inbox {
    fn from(name: InboxName) -> Self {
        match name {
            InboxName::Account(id) => Self::Account(id),
            InboxName::Merchant(id) => Self::Merchant(id),
            InboxName::Group(id) => Self::Group(id),
            InboxName::Till(id) => Self::Till(id),
        }
    }
}

/// `GET /v1/changes`: what has happened in the caller's inboxes since the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Changes {
    /// Inboxes with something new.
    pub inboxes: Vec<InboxChanges>,
    /// To be sent with the next request.
    pub cursor: String,
    /// Whether there is more to be had at once.
    pub more: bool,
    /// The next page of the directory, if one was asked for and there was room beside the events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<Directory>,
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
}

/// New events of one inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxChanges {
    /// Which: its `kind` (`account`, `merchant`, `group`, `till`) and `id`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub inbox: InboxName,
    /// The number of the first event here; they follow without gaps.
    pub first: u64,
    /// The events' bytes, as the server made them.
    pub events: Vec<Base64>,
    /// A signed [`crate::token::Head`] after the last event here.
    pub head: Base64,
}

/// `GET /v1/snapshot`: where the caller stands, for a phone that starts anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// The caller's account.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub account: AccountId,
    /// The shop that the caller's key acts for.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub merchant: Option<MerchantId>,
    /// What the caller's key may sell, and from when it may pay.
    #[serde(default)]
    pub till: TillStanding,
    /// The account's lots that have something left.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub lots: Vec<Lot>,
    /// What the account owes.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub debts: Vec<Debt>,
    /// The open holds of the account, and those of the caller's shop; of a clerk's till, those that it made.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub holds: Vec<Hold>,
    /// The account's passes that are open or ran out lately, and those for the caller's key, each in CBOR.
    #[serde(default)]
    pub passes: Vec<Base64>,
    /// Sales that wait for the account's choice, oldest first.
    #[serde(default)]
    pub waiting: Vec<WaitingSale>,
    /// What the account wants done with sales that would wait for its choice.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub standing: StandingChoice,
    /// Whether the account may be sent advertising, and to what text it agreed ([`moa_rules::marketing::Marketing`] in CBOR).
    #[serde(default)]
    pub marketing: Option<Base64>,
    /// What the phone makes its member codes of.
    #[serde(default)]
    pub member: Option<MemberSecret>,
    /// Invitations by the caller's shop, and to it in its app, that are good or were lately, each in CBOR
    /// ([`moa_rules::invitation::Invitation`]); the newest first. For its owner.
    #[serde(default)]
    pub invitations: Vec<Base64>,
    /// Requests to join that wait: those of the caller's shop, and those to join its groups. For its owner.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub join_requests: Vec<JoinRequest>,
    /// Signed heads of the caller's inboxes.
    pub heads: Vec<Base64>,
    /// From where `GET /v1/changes` goes on.
    pub cursor: String,
    /// The server's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub now: Timestamp,
}

/// What a key may sell, and from when it may pay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TillStanding {
    /// What its person may sell, if they are of the shop's staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub limits: Option<Limits>,
    /// What it may sell before it renews that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub certificate: Option<Certificate>,
    /// From when it may pay.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub pays_from: Timestamp,
}

/// A sale that waits for its buyer's choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WaitingSale {
    /// The sale.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub sale: OpId,
    /// The shop.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub merchant: MerchantId,
    /// What was paid in money, in minor units.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub amount: Money,
    /// The shop's clock, in seconds since 1970.
    pub time: u64,
    /// The last instant at which it can be claimed.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub until: Timestamp,
}

impl WaitingSale {
    /// A sale as it waits; none, if it does not.
    pub fn of(sale: &Sale) -> Option<Self> {
        let Sale { id, merchant, amount, time, .. } = *sale;
        Some(Self { sale: id, merchant, amount, time, until: sale.waits_until? })
    }
}

/// `GET /v1/directory`, and beside changes: shops and groups changed since a time, in pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Directory {
    /// Shops.
    pub merchants: Vec<MerchantEntry>,
    /// The groups of these shops.
    pub groups: Vec<GroupEntry>,
    /// To be sent as `cursor` (of changes: `directory`) with the next request.
    pub cursor: String,
    /// Whether there is more to be had at once.
    pub more: bool,
}

/// A shop in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MerchantEntry {
    /// The shop.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: MerchantId,
    /// How it presents itself.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub profile: MerchantProfile,
    /// Its groups, in order of id.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub groups: Vec<GroupId>,
    /// The keys that sign its sales.
    pub keys: Vec<KeyEntry>,
}

/// A key in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyEntry {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: KeyId,
    /// Its uncompressed P-256 point.
    pub public_key: Base64,
    /// Whether it is a phone at the shop, which takes passes.
    #[serde(default)]
    pub till: bool,
}

/// A group in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupEntry {
    /// The group.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub group: Group,
    /// Its terms now in force.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub terms: TermsVersion,
    /// Its member shops, in order of id.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub members: Vec<MerchantId>,
    /// Other terms that are proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub amendment: Option<Amendment>,
}
