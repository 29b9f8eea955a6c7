//! Invitations in memory.

use moa_rules::admission::JoinRequest;
use moa_rules::id::{MerchantId, OpId};
use moa_rules::invitation::{Invitation, TokenHash};
use moa_rules::time::Timestamp;

use super::{MemoryStore, State};
use crate::store::invitations::{Invitations, MOST_INVITATIONS, Seen, Sending, Sent, Trace};
use crate::store::{Effect, StoreError};

impl State {
    fn trace(&mut self, issuer: MerchantId, id: OpId, now: Timestamp) -> &mut Trace {
        &mut self.traces.entry((issuer, id)).or_insert_with(|| (now, Trace::default())).1
    }
}

impl Invitations for MemoryStore {
    fn invitation(&self, issuer: MerchantId, id: OpId) -> Result<Option<Invitation>, StoreError> {
        Ok(self.lock().tables.invitations.get(&(issuer, id)).copied())
    }

    fn invitation_by_hash(&self, hash: TokenHash) -> Result<Option<Invitation>, StoreError> {
        Ok(self.lock().tables.invitations.values().find(|known| known.hash == Some(hash)).copied())
    }

    fn invitation_by_code(&self, code_mac: [u8; 32]) -> Result<Option<Invitation>, StoreError> {
        let state = self.lock();
        let named = state.traces.iter().find(|(_, (_, trace))| trace.code_mac == Some(code_mac));
        Ok(named.and_then(|(of, _)| state.tables.invitations.get(of).copied()))
    }

    fn invitations_of(&self, merchant: MerchantId, since: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        Ok(self.lock().tables.invitations_of(merchant, since, MOST_INVITATIONS))
    }

    fn join_requests_of(
        &self,
        merchant: MerchantId,
        since: Timestamp,
    ) -> Result<Vec<JoinRequest>, StoreError> {
        Ok(self.lock().tables.join_requests_of(merchant, since))
    }

    fn trace_of(&self, issuer: MerchantId, id: OpId) -> Result<Option<Trace>, StoreError> {
        Ok(self.lock().traces.get(&(issuer, id)).map(|(_, trace)| trace.clone()))
    }

    fn traces_of(&self, issuer: MerchantId) -> Result<Vec<(OpId, Trace)>, StoreError> {
        let state = self.lock();
        let of = state.traces.range((issuer, OpId([0; 16]))..=(issuer, OpId([0xff; 16])));
        Ok(of.map(|((_, id), (_, trace))| (*id, trace.clone())).collect())
    }

    fn name_invitation(
        &self,
        issuer: MerchantId,
        id: OpId,
        code_mac: [u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.lock().trace(issuer, id, now).code_mac = Some(code_mac);
        Ok(())
    }

    fn send_invitation(&self, sending: &Sending, now: Timestamp) -> Result<Sent, StoreError> {
        let mut state = self.lock();
        let limits = sending.limits;
        let lately = |trace: &Trace| trace.sent_at.is_some_and(|sent| sent > limits.since);
        let count = |of: &dyn Fn(MerchantId, &Trace) -> bool| {
            state
                .traces
                .iter()
                .filter(|((issuer, _), (_, trace))| lately(trace) && of(*issuer, trace))
                .count()
        };
        let to_contact = count(&|_, trace| trace.contact_mac == Some(sending.contact_mac));
        let by_issuer = count(&|issuer, _| issuer == sending.issuer);
        let known = state.traces.get(&(sending.issuer, sending.invitation));
        if known.is_some_and(|(_, trace)| trace.sent_at.is_some()) {
            return Ok(Sent::Before);
        }
        if to_contact >= limits.to_contact as usize {
            return Ok(Sent::TooManyToContact);
        }
        if by_issuer >= limits.by_issuer as usize {
            return Ok(Sent::TooManyByIssuer);
        }
        let trace = state.trace(sending.issuer, sending.invitation, now);
        trace.channel = Some(sending.channel.clone());
        trace.contact_mac = Some(sending.contact_mac);
        trace.contact = Some(sending.contact.clone());
        trace.sent_at = Some(now);
        let effect = sending.effect.clone();
        state.effects.insert(effect.id, Effect { effect, attempts: 0 });
        Ok(Sent::Now)
    }

    fn invitation_seen(
        &self,
        issuer: MerchantId,
        id: OpId,
        seen: Seen,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut state = self.lock();
        let trace = state.trace(issuer, id, now);
        match seen {
            Seen::Opened => {
                trace.opened += 1;
                trace.opened_at = trace.opened_at.or(Some(now));
            }
            Seen::Claimed => trace.claimed_at = trace.claimed_at.or(Some(now)),
            Seen::Delivered => trace.delivered_at = trace.delivered_at.or(Some(now)),
        }
        Ok(())
    }

    fn forget_traces(&self, before: Timestamp) -> Result<(), StoreError> {
        self.lock().traces.retain(|_, (begun, _)| *begun >= before);
        Ok(())
    }
}
