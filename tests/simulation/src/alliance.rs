//! What becomes of groups: other terms are proposed and answered, members leave, are put out, are frozen; groups close.

use moa_ledger::system;
use moa_phone::{OwnGroup, Phone};
use moa_rules::id::{GroupId, MerchantId};
use moa_rules::terms::Terms;
use moa_rules::time::{Day, local_day};

use crate::Step;
use crate::ledger::broken;
use crate::town::Action;
use crate::world::World;

/// Something that concerns a whole group.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    /// Its admin proposes other terms.
    Amend,
    /// A member says what it thinks of those that are proposed.
    Answer,
    Leave,
    /// Its admin puts a member out.
    Expel,
    Close,
    /// An operator freezes a member, or lets one go on.
    Freeze,
    /// A member invites another shop, or takes that back.
    Invite,
    /// A shop answers what it was invited to.
    Invited,
    /// A member answers shops that ask to join.
    Asked,
}

impl World {
    /// Who runs the server for everyone.
    fn operator(&self) -> usize {
        self.shops.min(self.settings.phones - 1)
    }

    /// What shops and the operator make of their groups today, perhaps.
    pub(crate) fn groups_today(&mut self, person: usize) {
        if person == self.operator() {
            self.sometime(person, 2_500, |_| Action::Group(Change::Freeze));
        }
        if person >= self.shops {
            return;
        }
        self.sometime(person, 1_500, |_| Action::Group(Change::Amend));
        self.sometime(person, 6_000, |_| Action::Group(Change::Answer));
        self.sometime(person, 250, |_| Action::Group(Change::Leave));
        self.sometime(person, 150, |_| Action::Group(Change::Expel));
        self.sometime(person, 200, |_| Action::Group(Change::Close));
        self.sometime(person, 3_000, |_| Action::Group(Change::Invite));
        self.sometime(person, 6_000, |_| Action::Group(Change::Invited));
        self.sometime(person, 6_000, |_| Action::Group(Change::Asked));
        let group = self.rng.below(self.groups.len().max(1));
        self.sometime(person, 400, |_| Action::Join { group, tries: 1 });
    }

    /// The server is told who runs it, and again after it was restored from a backup of before.
    pub(crate) fn appoint_operator(&mut self) -> Step {
        let account = self.people[self.operator()].account;
        if self.server.ledger.store().is_operator(account).map_err(broken)? {
            return Ok(());
        }
        let appoint = system::appoint_operator(&self.server.key, account, true, self.now).map_err(broken)?;
        let (_, touched) = self.server.decide(&[appoint], self.now)?;
        self.wake(&touched)
    }

    pub(crate) fn change_group(&mut self, person: usize, change: Change) -> Step {
        let groups = self.on_phone(person, Phone::own_groups)?.unwrap_or_default();
        let administers = |group: &&OwnGroup| group.administers;
        let administered: Vec<GroupId> = groups.iter().filter(administers).map(|group| group.id).collect();
        let any: Vec<GroupId> = groups.iter().map(|group| group.id).collect();
        // Now and then someone tries who may not.
        let tries = self.rng.chance(500);
        let of = if tries { &any } else { &administered };
        match change {
            Change::Amend => {
                let Some(group) = self.rng.pick(of).copied() else { return Ok(()) };
                self.amend(person, group)
            }
            Change::Answer => {
                for group in groups {
                    self.answer(person, &group)?;
                }
                Ok(())
            }
            Change::Leave => {
                let Some(group) = self.rng.pick(&any).copied() else { return Ok(()) };
                let op = self.on_phone(person, |phone| phone.leave_group(group))?;
                self.told_of(person, "leaves", op);
                Ok(())
            }
            Change::Expel => {
                let Some(group) = self.rng.pick(of).copied() else { return Ok(()) };
                let Some(merchant) = self.some_member(group)? else { return Ok(()) };
                let op = self.on_phone(person, |phone| phone.expel_member(group, merchant))?;
                self.told_of(person, "puts a member out", op);
                Ok(())
            }
            Change::Close => {
                let Some(group) = self.rng.pick(of).copied() else { return Ok(()) };
                let op = self.on_phone(person, |phone| phone.close_group(group))?;
                self.told_of(person, "closes", op);
                Ok(())
            }
            Change::Freeze => self.freeze(person),
            Change::Invite => self.invite_shops(person),
            Change::Invited => self.answer_invitations(person),
            Change::Asked => self.answer_requests(person),
        }
    }

    fn amend(&mut self, person: usize, group: GroupId) -> Step {
        let known = self.on_phone(person, |phone| phone.group(group))?.flatten();
        let Some(zone) = known.map(|known| known.terms.zone) else { return Ok(()) };
        let mut terms: Terms = self.terms()?;
        if !self.rng.chance(500) {
            terms.zone = zone;
        }
        let today: Day = local_day(self.now, &terms.tz()).into();
        let days = self.rng.between(0, 2);
        let from = Day(today.0 + i32::try_from(days).map_err(broken)?);
        let op = self.on_phone(person, |phone| phone.amend_terms(group, terms, from))?;
        self.told_of(person, "proposes terms", op);
        Ok(())
    }

    fn answer(&mut self, person: usize, group: &OwnGroup) -> Step {
        let open = group.info.as_ref().and_then(|info| info.state.amendment.as_ref());
        let Some(amendment) = open.map(|open| open.id) else { return Ok(()) };
        let (id, agrees) = (group.id, self.rng.chance(8_500));
        let op = self.on_phone(person, |phone| phone.answer_amendment(id, amendment, agrees))?;
        self.told_of(person, "answers", op);
        Ok(())
    }

    fn some_member(&mut self, group: GroupId) -> Step<Option<MerchantId>> {
        let tables = self.server.ledger.tables()?;
        let members: Vec<MerchantId> =
            tables.members.keys().filter(|(of, _)| *of == group).map(|(_, member)| *member).collect();
        Ok(self.rng.pick(&members).copied())
    }

    fn freeze(&mut self, operator: usize) -> Step {
        let Some(group) = self.rng.pick(&self.groups).copied() else { return Ok(()) };
        let Some(merchant) = self.some_member(group)? else { return Ok(()) };
        let frozen = self.rng.chance(5_000);
        let op = self.on_phone(operator, |phone| phone.freeze_member(group, merchant, frozen))?;
        // It lands in no inbox of an operator's: what a server that went back lost of it is for a person to say again.
        if !self.faults.server_restored {
            self.told_of(operator, if frozen { "freezes" } else { "lets go on" }, op);
        }
        Ok(())
    }
}
