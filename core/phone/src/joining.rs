//! Asking to join a group that does not take everyone, and the members' answers. (A5)

use moa_rules::admission::{JoinRequest, REQUEST_DAYS, RequestState};
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::op::OpBody;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Admission;
use moa_rules::time::Timestamp;
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::outbox::Kind;
use crate::phone::{Phone, own_shop};
use crate::shop::{Shop, shop};
use crate::store::outbox::{self, Effect};
use crate::store::{directory, join_requests};

/// A shop that asks to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// The group.
    pub group: GroupId,
    /// The group's name, if the directory has told.
    pub group_name: Option<String>,
    /// The shop that asks.
    pub shop: Shop,
    /// Whether that is this phone's own.
    pub own: bool,
    /// When it asked.
    pub asked_at: Timestamp,
    /// Until before this instant it can be answered.
    pub until: Timestamp,
    /// Members for it.
    pub for_it: Vec<Shop>,
    /// Members against it.
    pub against: Vec<Shop>,
    /// Who lets shops in, as far as the directory has told.
    pub admission: Option<Admission>,
    /// What became of it; open too once its time is over, see `until`.
    pub state: RequestState,
    /// What this phone's shop says, what it has just said too; none if nothing. Of the own request: false once it is being
    /// withdrawn.
    pub answer: Option<bool>,
}

impl Phone {
    /// Requests that wait for an answer, and this shop's own with what became of them. The oldest first.
    ///
    /// # Errors
    /// Storage.
    pub fn join_requests(&self) -> Result<Vec<RequestInfo>, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            let Some(own) = own_shop(db)? else { return Ok(Vec::new()) };
            let mut requests = join_requests::all(db)?;
            requests.retain(|asked| asked.merchant == own || asked.is_open(now));
            requests.sort_by_key(|asked| (asked.asked_at, asked.id));
            requests.iter().map(|asked| info(db, own, asked)).collect()
        })
    }

    /// Answers for this phone's shop to one that asks to join. The last answer counts.
    ///
    /// # Errors
    /// `no_merchant`, `unknown_request` for one that is over, `not_allowed` where the admin alone lets in.
    pub fn answer_join(
        &self,
        group: GroupId,
        merchant: MerchantId,
        admits: bool,
    ) -> Result<OpId, PhoneError> {
        let request = self.store().read(|db| {
            let own = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            if merchant == own {
                return Err(Refusal::NotAllowed.into());
            }
            let terms = directory::terms(db, group)?.map(|version| version.terms);
            let admin = directory::group(db, group)?.map(|group| group.admin);
            let alone = terms.is_some_and(|terms| terms.admission == Some(Admission::Admin));
            if alone && admin.is_some_and(|admin| admin != own) {
                return Err(Refusal::NotAllowed.into());
            }
            open(db, (group, merchant), self.now())
        })?;
        self.answer(group, merchant, request, admits)
    }

    /// Asks no more.
    ///
    /// # Errors
    /// `no_merchant`, `unknown_request` for one that is over.
    pub fn withdraw_request(&self, group: GroupId) -> Result<OpId, PhoneError> {
        let (merchant, request) = self.store().read(|db| {
            let own = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            Ok((own, open(db, (group, own), self.now())?))
        })?;
        self.answer(group, merchant, request, false)
    }

    fn answer(
        &self,
        group: GroupId,
        merchant: MerchantId,
        request: OpId,
        admits: bool,
    ) -> Result<OpId, PhoneError> {
        let effect = Effect { group: Some(group), ..Effect::default() };
        let body = OpBody::AnswerJoin { group, merchant, request, admits };
        Ok(self.submit(body, |_| effect, |_, _| Ok(()))?.value().id)
    }
}

/// The open request of a shop.
fn open(
    db: &Connection,
    (group, merchant): (GroupId, MerchantId),
    now: Timestamp,
) -> Result<OpId, PhoneError> {
    let asked = join_requests::get(db, group, merchant)?.filter(|asked| asked.is_open(now));
    Ok(asked.ok_or(Refusal::UnknownRequest)?.id)
}

fn info(db: &Connection, own: MerchantId, asked: &JoinRequest) -> Result<RequestInfo, PhoneError> {
    let named = |ids: &[MerchantId]| ids.iter().map(|id| shop(db, *id)).collect::<Result<Vec<_>, _>>();
    let said =
        if asked.for_it.contains(&own) { Some(true) } else { asked.against.contains(&own).then_some(false) };
    let group = directory::group(db, asked.group)?;
    Ok(RequestInfo {
        group: asked.group,
        group_name: group.map(|group| group.profile.name),
        shop: shop(db, asked.merchant)?,
        own: asked.merchant == own,
        asked_at: asked.asked_at,
        until: asked.asked_at.plus(i64::from(REQUEST_DAYS) * Timestamp::DAY),
        for_it: named(&asked.for_it)?,
        against: named(&asked.against)?,
        admission: directory::terms(db, asked.group)?.and_then(|version| version.terms.admission),
        state: asked.state,
        answer: answering(db, asked.id)?.or(said),
    })
}

/// What this phone has just answered, until the event has come.
fn answering(db: &Connection, asked: OpId) -> Result<Option<bool>, PhoneError> {
    let pending = outbox::pending(db, Kind::AnswerJoin)?.into_iter().rev();
    let mut answers = pending.filter_map(|pending| match pending.body.body {
        OpBody::AnswerJoin { request, admits, .. } if request == asked => Some(admits),
        _ => None,
    });
    Ok(answers.next())
}
