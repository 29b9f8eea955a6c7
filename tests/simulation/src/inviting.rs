//! Shops that invite each other in their apps, follow or decline, ask to be let in, and answer those who ask.

use moa_phone::{OwnInvitation, Phone, ReceivedInvitation, RequestInfo};
use moa_rules::id::{GroupId, MerchantId};
use moa_rules::invitation::Invited;

use crate::Step;
use crate::ledger::broken;
use crate::person::Person;
use crate::world::World;

impl World {
    /// A shop invites another into a group of its own; now and then it has a link made, or takes one back.
    pub(crate) fn invite_shops(&mut self, person: usize) -> Step {
        let groups = self.on_phone(person, Phone::own_groups)?.unwrap_or_default();
        let groups: Vec<GroupId> = groups.iter().map(|group| group.id).collect();
        let Some(group) = self.rng.pick(&groups).copied() else { return Ok(()) };
        let days = u32::try_from(self.rng.between(1, 3)).map_err(broken)?;
        match self.rng.below(6) {
            0 => {
                let uses = u16::try_from(self.rng.between(1, 3)).map_err(broken)?;
                let op = self.on_phone(person, |phone| phone.invite(Invited::Group(group), uses, days))?;
                self.told_of(person, "makes a link", op);
            }
            1 => {
                let own: Vec<OwnInvitation> = self.on_phone(person, Phone::invitations)?.unwrap_or_default();
                let Some(own) = self.rng.pick(&own).map(|own| own.id) else { return Ok(()) };
                let op = self.on_phone(person, |phone| phone.revoke_invitation(own))?;
                self.told_of(person, "takes an invitation back", op);
            }
            _ => {
                let shops: Vec<MerchantId> = self.server.ledger.tables()?.merchants.keys().copied().collect();
                let Some(shop) = self.rng.pick(&shops).copied() else { return Ok(()) };
                let op = self.on_phone(person, |phone| phone.invite_shop(group, shop, days))?;
                // One that is open already is given again.
                if let Some(op) = op.filter(|op| !self.people[person].told.contains_key(op)) {
                    self.promised(person, "invites", op);
                }
            }
        }
        Ok(())
    }

    /// A shop answers what it was invited to.
    pub(crate) fn answer_invitations(&mut self, person: usize) -> Step {
        let received: Vec<ReceivedInvitation> =
            self.on_phone(person, Phone::received_invitations)?.unwrap_or_default();
        for ReceivedInvitation { id, group, answering, .. } in received {
            if answering.is_some() {
                continue;
            }
            if self.rng.chance(2_000) {
                let op = self.on_phone(person, |phone| phone.decline_invitation(id))?;
                self.told_of(person, "declines", op);
            } else if let Some(group) = group {
                let version = group.terms_version;
                let op = self.on_phone(person, |phone| phone.accept_invitation(id, version))?;
                self.told_of(person, "follows", op);
            }
        }
        Ok(())
    }

    /// A shop answers those who ask to join, and sometimes asks no more itself.
    pub(crate) fn answer_requests(&mut self, person: usize) -> Step {
        let asked: Vec<RequestInfo> = self.on_phone(person, Phone::join_requests)?.unwrap_or_default();
        for RequestInfo { group, shop, own, .. } in asked {
            let op = if own {
                if !self.rng.chance(1_000) {
                    continue;
                }
                self.on_phone(person, |phone| phone.withdraw_request(group))?
            } else {
                let admits = self.rng.chance(8_000);
                self.on_phone(person, |phone| phone.answer_join(group, shop.id, admits))?
            };
            self.told_of(person, "answers who asks", op);
        }
        Ok(())
    }

    /// What its owner's phone shows of a shop's invitations, and of requests, is what the books say. A clerk's is not told.
    pub(crate) fn check_invitations(&self, someone: &Person, phone: &Phone) -> Step {
        let Some(own) = phone.own_shop().map_err(broken)?.filter(|own| own.confirmed) else { return Ok(()) };
        let tables = self.server.ledger.tables()?;
        if tables.merchants.get(&own.id).is_none_or(|shop| shop.owner != someone.account) {
            return Ok(());
        }
        for shown in phone.invitations().map_err(broken)? {
            let known = tables.invitations.get(&(own.id, shown.id)).ok_or("an invitation that is none")?;
            if (shown.used, shown.declined, shown.uses, shown.until)
                != (known.used, known.declined, known.uses, known.until)
            {
                return Err(format!(
                    "invitation {} is shown as {shown:?}, the books say {known:?}",
                    shown.id
                ));
            }
        }
        let shown = phone.join_requests().map_err(broken)?;
        let open = |asked: &&moa_rules::admission::JoinRequest| {
            asked.is_open(self.now)
                && (asked.merchant == own.id
                    || tables
                        .members
                        .get(&(asked.group, own.id))
                        .is_some_and(|member| member.left_at.is_none()))
        };
        for asked in tables.join_requests.values().filter(open) {
            let found =
                shown.iter().find(|shown| (shown.group, shown.shop.id) == (asked.group, asked.merchant));
            let votes = found.map(|shown| (shown.for_it.len(), shown.against.len()));
            if votes != Some((asked.for_it.len(), asked.against.len())) {
                return Err(format!("a request to join is shown as {found:?}, the books say {asked:?}"));
            }
        }
        Ok(())
    }
}
