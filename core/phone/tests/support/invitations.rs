//! The double's invitations: who shows one gets a ticket, who made one sees its way, and messages that it would send.

use moa_phone::Response;
use moa_rules::admission::JoinRequest;
use moa_rules::id::{AccountId, KeyId};
use moa_rules::invitation::{Invitation, InvitationState, Invited, Ticket, TicketMac};
use moa_rules::op::{Carried, Op, OpBody};
use moa_wire::api::{
    Base64, InvitationFound, InvitationSent, InvitationShown, InvitationToSend, InvitationTrace,
    InvitationTraces,
};
use moa_wire::canonical;
use moa_wire::invitation::{InvitationCode, InvitationToken};

use super::server::Server;
use super::{ok, problem};

impl Server {
    fn invitations(&self) -> Vec<Invitation> {
        let made = self.made.iter().filter_map(|(issuer, id)| self.view.invitation(*issuer, *id).ok()?);
        made.copied().collect()
    }

    /// Invitations by the shop that a key acts for, and to it; of a snapshot.
    pub(super) fn invitations_for(&self, key: KeyId) -> Vec<Base64> {
        let shop = self.shop_of(key);
        let mut told = self.invitations();
        told.retain(|known| Some(known.issuer) == shop || (shop.is_some() && known.shop == shop));
        told.iter().map(|known| Base64(canonical::encode(known))).collect()
    }

    /// Open requests of that shop, and to its groups.
    pub(super) fn requests_for(&self, key: KeyId) -> Vec<JoinRequest> {
        let Some(shop) = self.shop_of(key) else { return Vec::new() };
        let groups = self.groups_of(shop);
        let asked = self.asked.iter().filter_map(|(group, merchant)| {
            let ours = *merchant == shop || groups.contains(group);
            self.view.join_request(*group, *merchant).ok()?.filter(|_| ours)
        });
        asked.filter(|asked| asked.is_open(self.now)).cloned().collect()
    }

    /// Whoever shows a token, or the characters, gets the ticket.
    pub(super) fn open_invitation(&mut self, account: AccountId, body: &[u8]) -> Response {
        let InvitationShown { token, code } = serde_json::from_slice(body).unwrap();
        let hash = token.and_then(|token| token.parse::<InvitationToken>().ok()).map(InvitationToken::hash);
        let code = code.and_then(|code| InvitationCode::read(&code).ok());
        let mut known = self.invitations();
        known.retain(|known| {
            let shown =
                known.hash.is_some_and(|own| Some(own.0) == hash) || code == Some(Self::characters(known));
            shown && known.state(self.now) == InvitationState::Open
        });
        let [known] = known[..] else { return problem(404, "invitation_void") };
        self.claimed.push(known.id);
        let group = match known.to {
            Invited::Group(group) => self.group_entry(group),
            Invited::App => None,
        };
        let members = group.iter().flat_map(|group| group.members.clone());
        let mac = Some(TicketMac(account.0));
        let ticket = Ticket { issuer: known.issuer, invitation: known.id, mac };
        ok(&InvitationFound {
            invitation: Base64(canonical::encode(&known)),
            issuer: self.merchant_entry(known.issuer),
            members: members.map(|member| self.merchant_entry(member)).collect(),
            group,
            ticket: Base64(canonical::encode(&ticket)),
        })
    }

    /// The characters that stand for an invitation.
    pub fn characters(known: &Invitation) -> InvitationCode {
        InvitationCode::of(u64::from_be_bytes(known.id.0[8..].try_into().unwrap()))
    }

    /// Of an op with a ticket, whether it is its author's.
    pub(super) fn ticket_of(&self, op: &Op) -> Option<Carried> {
        let (OpBody::JoinGroup { invitation: Some(ticket), .. } | OpBody::DeclineInvitation { ticket }) =
            op.body
        else {
            return None;
        };
        let account = self.device(op.actor).and_then(|device| device.account());
        let genuine = ticket.mac.is_some_and(|mac| account.is_some_and(|account| mac.0 == account.0));
        Some(if genuine { Carried::Ticket } else { Carried::None })
    }

    /// The ways of a shop's invitations.
    pub(super) fn traces(&self, key: KeyId) -> Response {
        let shop = self.shop_of(key);
        let mut own = self.invitations();
        own.retain(|known| Some(known.issuer) == shop);
        let traces = own.into_iter().map(|known| {
            let sent = self.sent.iter().find(|sent| sent.invitation == known.id);
            InvitationTrace {
                code: known.hash.map(|_| Self::characters(&known).text()),
                contact: sent.map(|sent| sent.to.clone()),
                sent_at: sent.map(|_| self.now),
                waits_until: sent.and(self.morning),
                delivered_at: sent.filter(|_| self.morning.is_none()).map(|_| self.now),
                claimed_at: self.claimed.contains(&known.id).then_some(self.now),
                ..InvitationTrace::of(known.id)
            }
        });
        ok(&InvitationTraces { traces: traces.collect() })
    }

    /// Takes an invitation to be sent; once.
    pub(super) fn send_invitation(&mut self, body: &[u8]) -> Response {
        let asked: InvitationToSend = serde_json::from_slice(body).unwrap();
        let hash = asked.token.parse::<InvitationToken>().unwrap().hash();
        let known = self.invitations().into_iter().find(|known| known.id == asked.invitation);
        if known.and_then(|known| known.hash).is_none_or(|own| own.0 != hash) {
            return problem(404, "invitation_void");
        }
        if asked.to.ends_with("bounces.example") {
            return problem(422, "bad_contact");
        }
        let before = self.sent.iter().any(|sent| sent.invitation == asked.invitation);
        if !before {
            self.sent.push(asked);
        }
        ok(&InvitationSent { before, waits_until: self.morning.filter(|_| !before) })
    }
}
