//! Invitations that the server is to send: asked for once each is decided, and until the server has answered.

use moa_rules::id::OpId;
use moa_rules::time::Timestamp;
use moa_wire::api::{InvitationSent, InvitationToSend};
use moa_wire::channel::Channel;

use super::answer::{self, Failure, Outcome};
use super::{Lane, Machine, UnderWay, Work, ask};
use crate::error::PhoneError;
use crate::phone::Phone;
use crate::session::Reader;
use crate::store::invitation_links::{self, Next, Unsent};
use crate::transport::{Response, TransportError};

impl Machine {
    /// Has the next one sent. False if it would, and waits for a session.
    pub(super) fn poll_invitations(
        &mut self,
        phone: &Phone,
        reader: Option<&Reader>,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<bool, PhoneError> {
        if self.is_under_way(Lane::Invitations) || !phone.store().read(invitation_links::any_to_send)? {
            return Ok(true);
        }
        if !self.may_ask(Lane::Invitations, now) {
            return Ok(true);
        }
        let Some(reader) = reader else { return Ok(false) };
        let sealing = phone.sealing()?;
        let next = phone.store().read(|db| invitation_links::next(db, &sealing))?;
        let Some(Next { op: invitation, opened }) = next else {
            return Ok(true);
        };
        let Some((token, to)) = opened else {
            tracing::error!(%invitation, "an invitation to be sent was changed or moved");
            phone.write(|db| invitation_links::give_up(db, invitation))?;
            return Ok(true);
        };
        let channel = to.channel;
        let body = InvitationToSend { invitation, token: token.hex(), channel, to: to.to };
        self.send(
            work,
            UnderWay::Invitation { invitation, channel },
            ask::send_invitation(phone, reader, &body)?,
        );
        Ok(true)
    }

    pub(super) fn invitation_sent(
        &mut self,
        phone: &Phone,
        (invitation, channel): (OpId, Channel),
        answer: Result<Response, TransportError>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        match answer::read::<InvitationSent>(answer) {
            Outcome::Good(InvitationSent { waits_until, .. }) => {
                let sealing = phone.sealing()?;
                phone.write(|db| {
                    invitation_links::sent(db, invitation, channel)?;
                    waits_until
                        .map_or(Ok(()), |until| invitation_links::waits(db, &sealing, invitation, until))
                })?;
            }
            Outcome::None { failure, retry_after_s } => {
                return self.failed(phone, Lane::Invitations, failure, retry_after_s, now);
            }
            Outcome::Problem { problem, retry_after_s } if problem.status == 401 => {
                let failure = Failure::Problem(problem);
                return self.denied(phone, Lane::Invitations, failure, retry_after_s, now);
            }
            // It says why, and will say the same tomorrow.
            Outcome::Problem { problem, .. } => {
                let why = Unsent { code: problem.code, text: problem.detail };
                phone.write(|db| invitation_links::unsent(db, invitation, &why))?;
            }
        }
        self.succeeded(phone, Lane::Invitations)
    }
}
