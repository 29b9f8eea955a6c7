//! How a group goes on: other terms and the members' answers, leaving, putting out, freezing, closing. (A1, A6; docs/rules.md
//! M)

use moa_rules::amendment::{Amendment, DAYS_AHEAD};
use moa_rules::group::{Closing, Group};
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::op::OpBody;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Profile, Terms};
use moa_rules::time::{Day, Timestamp, end_of_day, local_day};
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::outbox::Kind;
use crate::phone::{Phone, own_shop};
use crate::shop::{Shop, shop};
use crate::store::directory;
use crate::store::outbox::{self, Effect};

/// Terms that are proposed, and what the members say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendmentInfo {
    /// The op that proposed them: for [`Phone::answer_amendment`].
    pub id: OpId,
    /// What the group would promise.
    pub terms: Terms,
    /// From when, if enough members agree before.
    pub from: Timestamp,
    /// The day of that, in the group's zone.
    pub from_day: Day,
    /// Members that agree.
    pub agreed: Vec<Shop>,
    /// Members that do not.
    pub declined: Vec<Shop>,
    /// How many have to agree.
    pub needed: u32,
    /// What this phone's shop says, what it has just said too; none if nothing.
    pub answer: Option<bool>,
}

/// What a group is about to become, beside its profile and its terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupState {
    /// The member that administers it; none while the directory has not told.
    pub admin: Option<MerchantId>,
    /// Members, present or past, whose mileage cannot be used, and that neither give nor take.
    pub frozen: Vec<Shop>,
    /// How it ends, if it does.
    pub closing: Option<Closing>,
    /// Other terms that are proposed.
    pub amendment: Option<AmendmentInfo>,
    /// How it is to present itself, as this phone has asked and the server has not decided.
    pub presenting: Option<Profile>,
}

impl Phone {
    /// Proposes other terms from the beginning of a day on, in the group's zone, in place of what was proposed before. The
    /// admin's shop agrees hereby.
    ///
    /// # Errors
    /// `no_merchant`, `not_allowed`, `group_closing`, `bad_terms`, `cannot_follow`, `bad_date`.
    pub fn amend_terms(&self, group: GroupId, terms: Terms, from: Day) -> Result<OpId, PhoneError> {
        terms.check()?;
        let (known, current) = self.store().read(|db| {
            let known = administered(db, group)?;
            Ok((known, directory::terms(db, group)?))
        })?;
        if known.is_some_and(|known| known.closing.is_some()) {
            return Err(Refusal::GroupClosing.into());
        }
        let zone = current.as_ref().map_or_else(|| terms.tz(), |version| version.terms.tz());
        if let Some(current) = &current {
            terms.check_follows(&current.terms)?;
        }
        let (now, today) = (self.now(), Day::from(local_day(self.now(), &zone)));
        let from_begin = end_of_day(Day(from.0.saturating_sub(1)), &zone);
        if from < today || from_begin > now.plus(i64::from(DAYS_AHEAD) * Timestamp::DAY) {
            return Err(Refusal::BadDate { days: DAYS_AHEAD }.into());
        }
        self.ask_of(group, OpBody::AmendTerms { group, terms, from: from_begin.max(now).seconds() })
    }

    /// Presents a group otherwise that this shop administers: name, nickname, picture, scope.
    ///
    /// # Errors
    /// `no_merchant`, `not_allowed`, `bad_name`.
    pub fn amend_group_profile(&self, group: GroupId, profile: Profile) -> Result<OpId, PhoneError> {
        profile.check()?;
        self.store().read(|db| administered(db, group))?;
        self.ask_of(group, OpBody::AmendProfile { group, profile })
    }

    /// Answers for this phone's shop to terms that are proposed. The last answer counts.
    ///
    /// # Errors
    /// `no_merchant`, `shop_not_in_group`, `unknown_amendment` if others are proposed by now, or its date has come.
    pub fn answer_amendment(
        &self,
        group: GroupId,
        amendment: OpId,
        agrees: bool,
    ) -> Result<OpId, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            member(db, group)?;
            match directory::amendment(db, group)? {
                Some(open) if open.id != amendment || open.from <= now => {
                    Err(Refusal::UnknownAmendment.into())
                }
                _ => Ok(()),
            }
        })?;
        self.ask_of(group, OpBody::AnswerAmendment { group, amendment, agrees })
    }

    /// Leaves a group. What this shop issued stays good.
    ///
    /// # Errors
    /// `no_merchant`, `shop_not_in_group`, `last_member`, `admin_stays`.
    pub fn leave_group(&self, group: GroupId) -> Result<OpId, PhoneError> {
        self.store().read(|db| {
            let merchant = member(db, group)?;
            let Some(known) = directory::group(db, group)? else { return Ok(()) };
            if directory::members(db, group)? == [merchant] {
                return Err(Refusal::LastMember.into());
            }
            if known.admin == merchant { Err(Refusal::AdminStays.into()) } else { Ok(()) }
        })?;
        self.ask_of(group, OpBody::LeaveGroup { group })
    }

    /// Puts a member out of a group that this shop administers: as if it had left.
    ///
    /// # Errors
    /// `no_merchant`, `not_allowed`, `admin_stays`.
    pub fn expel_member(&self, group: GroupId, merchant: MerchantId) -> Result<OpId, PhoneError> {
        self.store().read(|db| {
            administered(db, group)?;
            if own_shop(db)? == Some(merchant) { Err(Refusal::AdminStays.into()) } else { Ok(()) }
        })?;
        self.ask_of(group, OpBody::ExpelMember { group, merchant })
    }

    /// Freezes a member, or lets it go on; for operators.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn freeze_member(
        &self,
        group: GroupId,
        merchant: MerchantId,
        frozen: bool,
    ) -> Result<OpId, PhoneError> {
        self.account()?;
        self.ask_of(group, OpBody::FreezeMember { group, merchant, frozen })
    }

    /// Closes a group whose last member this shop is: it gives for 30 more days, takes for 60 more, and then has ended.
    ///
    /// # Errors
    /// `no_merchant`, `not_allowed`, `not_last_member`, `group_closing`.
    pub fn close_group(&self, group: GroupId) -> Result<OpId, PhoneError> {
        self.store().read(|db| {
            let Some(known) = administered(db, group)? else { return Ok(()) };
            if known.closing.is_some() {
                return Err(Refusal::GroupClosing.into());
            }
            if directory::members(db, group)?.len() > 1 {
                return Err(Refusal::NotLastMember.into());
            }
            Ok(())
        })?;
        self.ask_of(group, OpBody::CloseGroup { group })
    }

    fn ask_of(&self, group: GroupId, body: OpBody) -> Result<OpId, PhoneError> {
        let effect = Effect { group: Some(group), ..Effect::default() };
        Ok(self.submit(body, |_| effect, |_, _| Ok(()))?.value().id)
    }
}

/// What a group is about to become.
pub(crate) fn state(db: &Connection, group: &Group) -> Result<GroupState, PhoneError> {
    let named = |ids: &[MerchantId]| ids.iter().map(|id| shop(db, *id)).collect::<Result<Vec<_>, _>>();
    let amendment = match directory::amendment(db, group.id)? {
        Some(Amendment { id, terms, from, agreed, declined, .. }) => {
            let current = directory::terms(db, group.id)?.map(|version| version.terms);
            let members = u32::try_from(directory::members(db, group.id)?.len()).unwrap_or(u32::MAX);
            let in_force = current.as_ref().unwrap_or(&terms);
            let enough = |count: &u32| in_force.consents(*count as usize, members);
            let own = own_shop(db)?;
            let said = |list: &[MerchantId]| own.is_some_and(|own| list.contains(&own));
            let answer = if said(&agreed) { Some(true) } else { said(&declined).then_some(false) };
            Some(AmendmentInfo {
                id,
                from,
                from_day: local_day(from, &in_force.tz()).into(),
                agreed: named(&agreed)?,
                declined: named(&declined)?,
                needed: (0..=members).find(enough).unwrap_or(members),
                answer: answering(db, id)?.or(answer),
                terms,
            })
        }
        None => None,
    };
    Ok(GroupState {
        admin: Some(group.admin),
        frozen: named(&group.frozen)?,
        closing: group.closing,
        amendment,
        presenting: presenting(db, group.id)?,
    })
}

/// How this phone has asked the group to present itself, until the event has come.
fn presenting(db: &Connection, of: GroupId) -> Result<Option<Profile>, PhoneError> {
    let pending = outbox::pending(db, Kind::AmendProfile)?.into_iter().rev();
    let mut profiles = pending.filter_map(|pending| match pending.body.body {
        OpBody::AmendProfile { group, profile } if group == of => Some(profile),
        _ => None,
    });
    Ok(profiles.next())
}

/// What this phone has just answered, until the event has come.
fn answering(db: &Connection, amendment: OpId) -> Result<Option<bool>, PhoneError> {
    let pending = outbox::pending(db, Kind::AnswerAmendment)?.into_iter().rev();
    let mut answers = pending.filter_map(|pending| match pending.body.body {
        OpBody::AnswerAmendment { amendment: of, agrees, .. } if of == amendment => Some(agrees),
        _ => None,
    });
    Ok(answers.next())
}

/// A group that this phone's shop administers, if the directory has told of it.
fn administered(db: &Connection, group: GroupId) -> Result<Option<Group>, PhoneError> {
    let merchant = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
    match directory::group(db, group)? {
        Some(known) if known.admin != merchant => Err(Refusal::NotAllowed.into()),
        known => Ok(known),
    }
}

/// This phone's shop, a member of the group as far as is known.
fn member(db: &Connection, group: GroupId) -> Result<MerchantId, PhoneError> {
    let merchant = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
    if directory::group(db, group)?.is_some() && !directory::groups_of(db, merchant)?.contains(&group) {
        return Err(Refusal::ShopNotInGroup.into());
    }
    Ok(merchant)
}
