//! What a store keeps of invitations: beside what the journal says of each, the traces of its way to people, which can be
//! erased.

use moa_rules::admission::JoinRequest;
use moa_rules::id::{MerchantId, OpId};
use moa_rules::invitation::{Invitation, TokenHash};
use moa_rules::time::Timestamp;

use super::{NewEffect, StoreError};

/// The most invitations of a shop that are told at once: the newest.
pub const MOST_INVITATIONS: usize = 500;

/// The instant beyond which invitations must have been good to be told at `now`: those that are over, for thirty days.
pub fn told_since(now: Timestamp) -> Timestamp {
    now.plus(-30 * Timestamp::DAY)
}

/// The way of an invitation to people, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// HMAC of the short code that stands for it.
    pub code_mac: Option<[u8; 32]>,
    /// By what it was sent.
    pub channel: Option<String>,
    /// HMAC of the number or address that it was sent to.
    pub contact_mac: Option<[u8; 32]>,
    /// That number or address, sealed for the shop that invited.
    pub contact: Option<Vec<u8>>,
    /// When it was to be sent.
    pub sent_at: Option<Timestamp>,
    /// When whoever carries it took it.
    pub delivered_at: Option<Timestamp>,
    /// How often its page was opened.
    pub opened: u32,
    /// When that was first.
    pub opened_at: Option<Timestamp>,
    /// When a person who is signed in first took it up.
    pub claimed_at: Option<Timestamp>,
}

/// What was seen of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Its page was opened.
    Opened,
    /// Someone who is signed in took it up.
    Claimed,
    /// Whoever carries it took it.
    Delivered,
}

/// An invitation that the server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The shop that invites.
    pub issuer: MerchantId,
    /// The invitation.
    pub invitation: OpId,
    /// By what.
    pub channel: String,
    /// HMAC of the number or address.
    pub contact_mac: [u8; 32],
    /// The number or address, sealed.
    pub contact: Vec<u8>,
    /// What sends it.
    pub effect: NewEffect,
    /// How many invitations a number or address may get, and a shop may have sent, since an instant.
    pub limits: SendingLimits,
}

/// How much is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendingLimits {
    /// To one number or address.
    pub to_contact: u32,
    /// By one shop.
    pub by_issuer: u32,
    /// Since this instant.
    pub since: Timestamp,
}

/// What became of sending an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It is on its way.
    Now,
    /// It was sent before; once is enough.
    Before,
    /// The number or address got as many as it may.
    TooManyToContact,
    /// The shop has sent as many as it may.
    TooManyByIssuer,
}

/// Invitations and requests to join.
pub trait Invitations: Send + Sync {
    /// An invitation by a shop.
    fn invitation(&self, issuer: MerchantId, id: OpId) -> Result<Option<Invitation>, StoreError>;

    /// The invitation whose link holds this token.
    fn invitation_by_hash(&self, hash: TokenHash) -> Result<Option<Invitation>, StoreError>;

    /// The invitation for which a short code stands.
    fn invitation_by_code(&self, code_mac: [u8; 32]) -> Result<Option<Invitation>, StoreError>;

    /// Up to [`MOST_INVITATIONS`] that a shop made, and as many that were made to it in its app, of those that are good
    /// beyond `since`; the newest first.
    fn invitations_of(&self, merchant: MerchantId, since: Timestamp) -> Result<Vec<Invitation>, StoreError>;

    /// The requests that were made after `since` and wait: a shop's own, and those to join the groups it is a member of; in
    /// order of group and shop.
    fn join_requests_of(
        &self,
        merchant: MerchantId,
        since: Timestamp,
    ) -> Result<Vec<JoinRequest>, StoreError>;

    /// The trace of an invitation.
    fn trace_of(&self, issuer: MerchantId, id: OpId) -> Result<Option<Trace>, StoreError>;

    /// The traces of a shop's invitations, by their ids.
    fn traces_of(&self, issuer: MerchantId) -> Result<Vec<(OpId, Trace)>, StoreError>;

    /// From now on a short code stands for an invitation.
    fn name_invitation(
        &self,
        issuer: MerchantId,
        id: OpId,
        code_mac: [u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Keeps to whom an invitation goes, and what sends it.
    fn send_invitation(&self, sending: &Sending, now: Timestamp) -> Result<Sent, StoreError>;

    /// Something was seen of an invitation.
    fn invitation_seen(
        &self,
        issuer: MerchantId,
        id: OpId,
        seen: Seen,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Forgets traces that were begun before an instant.
    fn forget_traces(&self, before: Timestamp) -> Result<(), StoreError>;
}
