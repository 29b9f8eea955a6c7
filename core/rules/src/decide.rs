//! The one way in: an op and a view go in, a decision comes out.

use crate::account;
use crate::adjustment::{self, Gift, Taking};
use crate::admission;
use crate::amendment;
use crate::certificate;
use crate::claim;
use crate::device::{self, Device, Holder, KeyKind};
use crate::event::EventBody;
use crate::expiry;
use crate::group;
use crate::hold;
use crate::id::{AccountId, KeyId, MerchantId, OpId};
use crate::invitation;
use crate::marketing;
use crate::merchant;
use crate::op::{Carried, OP_VERSION, Op, OpBody};
use crate::pass::{self, Wanted};
use crate::redemption;
use crate::refund;
use crate::refusal::Refusal;
use crate::reversal;
use crate::role;
use crate::sale;
use crate::staff;
use crate::standing;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};
use crate::waiting;

/// What follows from an op.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// What happened, in order, each with the actor and the op that caused it.
    pub events: Vec<(KeyId, OpId, EventBody)>,
    /// Counters now used, beside the op's own.
    pub counters: Vec<(KeyId, u64)>,
    /// Whether the op that was carried is hereby applied too, as if its author had sent it.
    pub carried_applied: bool,
}

impl Decision {
    pub(crate) fn then(&mut self, author: &Author, body: EventBody) {
        self.events.push((author.device.key, author.op.id, body));
    }

    pub(crate) fn use_counter(&mut self, key: KeyId, counter: u64) {
        self.counters.push((key, counter));
    }

    pub(crate) fn accept_carried(&mut self, op: &Op) {
        self.carried_applied = true;
        self.use_counter(op.actor, op.counter);
    }
}

/// An op whose author may sign: a registered key, not revoked, with a counter it has not used.
pub(crate) struct Author<'a> {
    pub(crate) op: &'a Op,
    pub(crate) device: &'a Device,
}

impl<'a> Author<'a> {
    pub(crate) fn check(view: &'a View, op: &'a Op, now: Timestamp) -> Result<Self, Halt> {
        if op.version != OP_VERSION {
            return Err(Refusal::UnsupportedVersion.into());
        }
        view.want(&[Key::Device(op.actor), Key::Counter(op.actor, op.counter)])?;
        let device = view.device(op.actor)?.ok_or(Refusal::UnknownKey)?;
        if device.revoked_at.is_some() {
            return Err(Refusal::RevokedKey.into());
        }
        if !device.signs(now) {
            return Err(Refusal::KeyExpired.into());
        }
        let uuid_version = match device.holder {
            Holder::System => 8,
            Holder::Account(_) => 7,
        };
        if op.id.version() != uuid_version {
            return Err(Refusal::BadOpId.into());
        }
        if view.counter_used(op.actor, op.counter)? {
            return Err(Refusal::CounterUsed { counter: op.counter }.into());
        }
        Ok(Self { op, device })
    }

    pub(crate) fn account(&self) -> Result<AccountId, Refusal> {
        match self.device.holder {
            Holder::Account(account) => Ok(account),
            Holder::System => Err(Refusal::NotAllowed),
        }
    }

    /// The account of a person: on a phone or in a browser.
    pub(crate) fn person(&self) -> Result<AccountId, Refusal> {
        match self.device.kind {
            KeyKind::Phone | KeyKind::Browser { .. } => self.account(),
            KeyKind::Service => Err(Refusal::NotAllowed),
        }
    }

    /// The account of a person on a phone.
    pub(crate) fn phone(&self) -> Result<AccountId, Refusal> {
        if self.device.kind == KeyKind::Phone { self.account() } else { Err(Refusal::NotAllowed) }
    }

    /// The shop that the key acts for.
    pub(crate) fn merchant(&self) -> Result<MerchantId, Refusal> {
        self.account()?;
        if self.device.left_at.is_some() {
            return Err(Refusal::NotStaff);
        }
        self.device.merchant.ok_or(Refusal::NoMerchant)
    }

    /// The shop that the key sold for when it signed this: one who has left since answers for what was before.
    pub(crate) fn seller(&self) -> Result<MerchantId, Refusal> {
        match self.device.left_at {
            Some(left) if Timestamp::from_seconds(self.op.time) < left => {
                self.device.merchant.ok_or(Refusal::NoMerchant)
            }
            _ => self.merchant(),
        }
    }

    /// The shop, of which the author is the owner, on a phone or in a browser.
    pub(crate) fn owner(&self) -> Result<MerchantId, Refusal> {
        self.person()?;
        if self.device.staff { Err(Refusal::NotAllowed) } else { self.merchant() }
    }

    /// The key, if it is one of the staff's: names its inbox.
    pub(crate) fn till(&self) -> Option<KeyId> {
        self.device.staff.then_some(self.device.key)
    }

    pub(crate) fn system(&self) -> Result<(), Refusal> {
        match self.device.holder {
            Holder::System => Ok(()),
            Holder::Account(_) => Err(Refusal::NotAllowed),
        }
    }

    pub(crate) fn caused(&self, body: EventBody) -> Decision {
        let mut decision = Decision::default();
        decision.then(self, body);
        decision
    }
}

/// Decides one op at `now`, by the server's clock.
///
/// # Errors
/// [`Halt::Need`] while a cell is missing; [`Halt::Refused`] with the reason, and then nothing changes.
pub fn decide(view: &View, op: &Op, carried: &Carried, now: Timestamp) -> Result<Decision, Halt> {
    let author = Author::check(view, op, now)?;
    role::check(author.device, &op.body)?;
    match &op.body {
        OpBody::EnrolDevice { account, key, public_key, proved } => {
            device::enrol(view, &author, (*account, *key, public_key), proved.unwrap_or(false), now)
        }
        OpBody::RegisterMerchant { profile } => merchant::register(view, &author, profile),
        OpBody::FoundGroup { profile, terms } => group::found(view, &author, profile, terms),
        OpBody::JoinGroup { group, terms_version, invitation } => {
            let invitation = invitation.as_ref().map(|ticket| (ticket, carried));
            group::join(view, &author, *group, *terms_version, invitation, now)
        }
        OpBody::RecordSale { amount, addressee, redemption } => {
            sale::record(view, &author, *amount, (*addressee, *redemption), now)
        }
        OpBody::Claim { choice, .. } => claim::claim(view, &author, carried, *choice, now),
        OpBody::Redeem { units, .. } => redemption::redeem(view, &author, carried, *units, now),
        OpBody::ExpireLots { group, account } => expiry::expire(view, &author, *group, *account, now),
        OpBody::SellTo { amount, buyer, redemption } => {
            waiting::sell_to(view, &author, carried, (*amount, *redemption), buyer, now)
        }
        OpBody::ClaimWaiting { merchant, sale, choice } => {
            waiting::claim(view, &author, (*merchant, *sale), *choice, now)
        }
        OpBody::LapseSale { merchant, sale } => waiting::lapse(view, &author, (*merchant, *sale), now),
        OpBody::SetStanding { choice } => standing::set(view, &author, choice),
        OpBody::SetMarketing { agreed } => marketing::set(&author, *agreed),
        OpBody::OfferAgain { merchant, sale } => waiting::offer_again(view, &author, (*merchant, *sale), now),
        OpBody::TakeBest { merchant, sale } => waiting::take_best(view, &author, (*merchant, *sale), now),
        OpBody::RevokeDevice { key } => device::revoke(view, &author, *key, now),
        OpBody::AdmitDevice { key } => device::admit(view, &author, *key, now),
        OpBody::AddKey { key, public_key, kind } => {
            device::add_key(view, &author, (*key, public_key), *kind, now)
        }
        OpBody::ActFor { merchant } => device::act_for(view, &author, *merchant, now),
        OpBody::JoinStaff { .. } => staff::join(view, &author, carried, now),
        OpBody::RemoveStaff { merchant, account } => staff::remove(view, &author, *merchant, *account),
        OpBody::RenewCertificate => certificate::renew(view, &author, now),
        OpBody::SetAllowance { merchant, most } => {
            certificate::set_allowance(view, &author, *merchant, *most, now)
        }
        OpBody::AppointAdmin { group, merchant } => group::appoint_admin(view, &author, *group, *merchant),
        OpBody::AppointOperator { account, operator } => {
            role::appoint_operator(view, &author, *account, *operator)
        }
        OpBody::CloseAccount => account::close(view, &author, now),
        OpBody::MergeAccount { .. } => account::merge(view, &author, carried, now),
        OpBody::Pay { merchant, group, units, expires, unit } => {
            pass::pay(view, &author, (*merchant, *group), (*units, *unit), *expires, now)
        }
        OpBody::ReservePass { merchant, till, group, units, expires, unit } => {
            let (group, merchant, till, expires) = (*group, *merchant, *till, *expires);
            let (units, unit) = (*units, *unit);
            pass::reserve(view, &author, &Wanted { group, merchant, till, units, unit, expires }, now)
        }
        OpBody::RedeemPass { units, .. } => pass::redeem(view, &author, carried, *units),
        OpBody::ReleasePass { merchant, pass } => pass::release(view, &author, (*merchant, *pass), now),
        OpBody::AmendTerms { group, terms, from } => {
            amendment::propose(view, &author, *group, terms, *from, now)
        }
        OpBody::AnswerAmendment { group, amendment, agrees } => {
            amendment::answer(view, &author, (*group, *amendment), *agrees, now)
        }
        OpBody::DecideAmendment { group, amendment } => {
            amendment::decide(view, &author, (*group, *amendment), now)
        }
        OpBody::LeaveGroup { group } => group::leave(view, &author, *group),
        OpBody::ExpelMember { group, merchant } => group::expel(view, &author, *group, *merchant),
        OpBody::FreezeMember { group, merchant, frozen } => {
            group::freeze(view, &author, (*group, *merchant), *frozen, now)
        }
        OpBody::CloseGroup { group } => group::close(view, &author, *group, now),
        OpBody::EndGroup { group } => group::end(view, &author, *group, now),
        OpBody::Hold { units, seconds, .. } => hold::make(view, &author, carried, *units, *seconds, now),
        OpBody::CaptureHold { hold, units } => hold::capture(view, &author, *hold, *units, now),
        OpBody::VoidHold { hold } => hold::void(view, &author, *hold),
        OpBody::LapseHold { merchant, hold } => hold::lapse(view, &author, (*merchant, *hold), now),
        OpBody::ReverseRedemption { redemption } => reversal::reverse(view, &author, *redemption, now),
        OpBody::RefundSale { sale, amount } => refund::refund(view, &author, *sale, *amount, now),
        OpBody::VoidSale { sale } => refund::void(view, &author, *sale),
        OpBody::Grant { group, to, units, reason, last_day } => {
            let gift = Gift { group: *group, units: *units, reason: *reason, last_day: *last_day };
            adjustment::grant(view, &author, carried, to, &gift, now)
        }
        OpBody::TakeAway { group, account, units, reason, unit } => {
            let (group, account, reason) = (*group, *account, *reason);
            let taking = Taking { group, account, units: *units, unit: *unit, reason };
            adjustment::take_away(view, &author, &taking, now)
        }
        OpBody::Invite { to, hash, shop, uses, expires } => {
            let (to, hash, shop, uses, expires) = (*to, *hash, *shop, *uses, *expires);
            let wanted = invitation::Wanted { to, hash, shop, uses, expires };
            invitation::invite(view, &author, &wanted, now)
        }
        OpBody::RevokeInvitation { invitation } => invitation::revoke(view, &author, *invitation),
        OpBody::DeclineInvitation { ticket } => invitation::decline(view, &author, ticket, carried, now),
        OpBody::AnswerJoin { group, merchant, request, admits } => {
            admission::answer(view, &author, (*group, *merchant, *request), *admits, now)
        }
        OpBody::AmendProfile { group, profile } => group::amend_profile(view, &author, *group, profile),
        OpBody::AmendMerchant { profile } => merchant::amend(view, &author, profile),
    }
}
