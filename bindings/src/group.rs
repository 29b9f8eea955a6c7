//! How a group goes on: other terms, leaving, putting out, freezing, closing.

use moa_phone as phone;
use moa_rules::period;
use moa_rules::quantity::{BasisPoints, Money, OutOfRange, Units};
use moa_rules::terms::{self, Kind, StampCard};
use moa_words::group as words;
use moa_words::{InvitationText, invited, when};

use crate::app::App;
use crate::convert::{self, Dress, country};
use crate::error::ApiError;
use crate::records::{
    Admission, Amendment, Closing, CutDay, Gives, Group, MileageUnit, OwnGroup, Period, Terms,
};

impl From<Option<terms::Unit>> for MileageUnit {
    fn from(unit: Option<terms::Unit>) -> Self {
        match unit {
            None => Self::Point,
            Some(terms::Unit::Stamp(card)) => Self::Stamp { card },
            Some(terms::Unit::Coupon) => Self::Coupon,
            Some(terms::Unit::Reserve) => Self::Reserve,
        }
    }
}

impl From<MileageUnit> for Option<terms::Unit> {
    fn from(unit: MileageUnit) -> Self {
        match unit {
            MileageUnit::Point => None,
            MileageUnit::Stamp { card } => Some(terms::Unit::Stamp(card)),
            MileageUnit::Coupon => Some(terms::Unit::Coupon),
            MileageUnit::Reserve => Some(terms::Unit::Reserve),
        }
    }
}

impl From<Period> for period::Period {
    fn from(period: Period) -> Self {
        let day = match period.day {
            CutDay::Last => period::CutDay::Last,
            CutDay::Next { day } => period::CutDay::Next(day),
        };
        Self { months: period.months, day, minute: period.minute }
    }
}

impl From<period::Period> for Period {
    fn from(period: period::Period) -> Self {
        let day = match period.day {
            period::CutDay::Last => CutDay::Last,
            period::CutDay::Next(day) => CutDay::Next { day },
        };
        Self { months: period.months, day, minute: period.minute }
    }
}

impl TryFrom<Terms> for terms::Terms {
    type Error = OutOfRange;

    fn try_from(given: Terms) -> Result<Self, OutOfRange> {
        let validity = convert::validity(given.validity);
        let minimum = Units::new(given.minimum)?;
        let made = match given.gives {
            Gives::Points { rate_bp } => Self::points(BasisPoints::new(rate_bp)?, validity, minimum),
            Gives::Reserve { rate_bp } => {
                Self { kind: Kind::Reserve, ..Self::points(BasisPoints::new(rate_bp)?, validity, minimum) }
            }
            Gives::Stamps { per, stamps, reward } => {
                Self::stamps(StampCard { per: per.map(Money), stamps, reward: Money(reward) }, validity)
            }
            Gives::Coupons { face, least_purchase } => {
                Self::coupons(Money(face), least_purchase.map(Money), validity)
            }
        };
        let consent = given.consent_bp.map(BasisPoints::new).transpose()?;
        let admission = given.admission.map(TryInto::try_into).transpose()?;
        let (basis, period) = (given.basis.into(), given.period.map(Into::into));
        Ok(Self { minimum, basis, period, consent, admission, ..made })
    }
}

impl From<&terms::Terms> for Terms {
    fn from(terms: &terms::Terms) -> Self {
        let gives = match (terms.kind, terms.card) {
            (Kind::Stamp, Some(StampCard { per, stamps, reward })) => {
                Gives::Stamps { per: per.map(|per| per.0), stamps, reward: reward.0 }
            }
            (Kind::Coupon, _) => Gives::Coupons {
                face: terms.unit_value.0,
                least_purchase: terms.least_purchase.map(|least| least.0),
            },
            (Kind::Reserve, _) => Gives::Reserve { rate_bp: terms.rate.get() },
            _ => Gives::Points { rate_bp: terms.rate.get() },
        };
        Self {
            gives,
            validity: terms.validity.into(),
            minimum: terms.minimum.get(),
            basis: terms.basis.into(),
            period: terms.period.map(Into::into),
            consent_bp: terms.consent.map(BasisPoints::get),
            admission: terms.admission.map(Into::into),
        }
    }
}

impl TryFrom<Admission> for terms::Admission {
    type Error = OutOfRange;

    fn try_from(given: Admission) -> Result<Self, OutOfRange> {
        Ok(match given {
            Admission::Admin => Self::Admin,
            Admission::Vote { share_bp } => Self::Vote(BasisPoints::new(share_bp)?),
        })
    }
}

impl From<terms::Admission> for Admission {
    fn from(admission: terms::Admission) -> Self {
        match admission {
            terms::Admission::Admin => Self::Admin,
            terms::Admission::Vote(share) => Self::Vote { share_bp: share.get() },
        }
    }
}

impl Dress {
    pub(crate) fn group(self, info: phone::GroupInfo) -> Group {
        let phone::GroupInfo { id, profile, terms_version, terms, members, state } = info;
        Group {
            id: id.to_string(),
            name: profile.name,
            nickname: profile.nickname,
            picture: profile.picture.map(|picture| picture.to_string()),
            scope: profile.scope.into(),
            terms_version,
            terms: (&terms).into(),
            rate_text: words::share(self.lang, &terms),
            promise_text: words::promise(self.lang, &terms),
            validity_text: when::validity(self.lang, terms.validity),
            usable_text: words::usable(self.lang, &terms),
            period_text: words::period(self.lang, terms.period.unwrap_or_default()),
            consent_text: words::consent(self.lang, terms.consent),
            admission_text: words::admission(self.lang, terms.admission),
            minimum: terms.minimum.get(),
            members: convert::shops(members),
            admin: state.admin.map(|admin| admin.to_string()),
            frozen: convert::shops(state.frozen),
            closing: state.closing.map(|closing| Closing {
                redeem_only_from: closing.redeem_only_from.0,
                ends_at: closing.ends_at.0,
                ended: closing.ended,
                text: words::closing(self.lang, closing.redeem_only_from, closing.ends_at, &country()),
            }),
            amendment: state.amendment.map(|amendment| self.amendment(amendment)),
        }
    }

    fn amendment(self, amendment: phone::AmendmentInfo) -> Amendment {
        let agreed = u32::try_from(amendment.agreed.len()).unwrap_or(u32::MAX);
        Amendment {
            id: amendment.id.to_string(),
            promise_text: words::promise(self.lang, &amendment.terms),
            terms: (&amendment.terms).into(),
            from: amendment.from.0,
            agreed: convert::shops(amendment.agreed),
            declined: convert::shops(amendment.declined),
            needed: amendment.needed,
            answer: amendment.answer,
            text: words::amendment(self.lang, amendment.from_day, agreed, amendment.needed),
        }
    }

    pub(crate) fn own_group(self, own: phone::OwnGroup) -> OwnGroup {
        let group = own.info.map(|info| self.group(info));
        let frozen_text = if own.frozen { words::frozen(self.lang) } else { String::new() };
        let waits = own.asked_at.map(|_| invited(self.lang, InvitationText::PendingApproval));
        let (id, confirmed, administers) = (own.id.to_string(), own.confirmed, own.administers);
        OwnGroup { id, group, confirmed, waiting_text: waits.unwrap_or_default(), administers, frozen_text }
    }
}

#[uniffi::export]
impl App {
    /// Proposes other terms from the beginning of a day on, as `2026-12-01`, in place of what was proposed before. Gives the op.
    pub fn amend_terms(&self, group: String, terms: Terms, from_day: String) -> Result<String, ApiError> {
        let (group, from) = (self.group_id(&group)?, self.day(&from_day)?);
        let terms = terms::Terms::try_from(terms).map_err(|error| self.invalid(error))?;
        Ok(self.ask(self.phone()?.amend_terms(group, terms, from))?.to_string())
    }

    /// Answers for this phone's shop to terms that are proposed; the last answer counts. Gives the op.
    pub fn answer_amendment(
        &self,
        group: String,
        amendment: String,
        agrees: bool,
    ) -> Result<String, ApiError> {
        let (group, amendment) = (self.group_id(&group)?, self.op_id(&amendment)?);
        Ok(self.ask(self.phone()?.answer_amendment(group, amendment, agrees))?.to_string())
    }

    /// Leaves a group; what this shop gave stays good. Gives the op.
    pub fn leave_group(&self, group: String) -> Result<String, ApiError> {
        let group = self.group_id(&group)?;
        Ok(self.ask(self.phone()?.leave_group(group))?.to_string())
    }

    /// Puts a member out of a group that this shop administers. Gives the op.
    pub fn expel_member(&self, group: String, merchant: String) -> Result<String, ApiError> {
        let (group, merchant) = (self.group_id(&group)?, self.merchant_id(&merchant)?);
        Ok(self.ask(self.phone()?.expel_member(group, merchant))?.to_string())
    }

    /// Hands a group that this shop administers over to another member. Gives the op.
    pub fn appoint_admin(&self, group: String, merchant: String) -> Result<String, ApiError> {
        let (group, merchant) = (self.group_id(&group)?, self.merchant_id(&merchant)?);
        Ok(self.ask(self.phone()?.appoint_admin(group, merchant))?.to_string())
    }

    /// Closes a group whose last member this shop is: it gives for 30 more days, takes for 60 more, and has ended. Gives the op.
    pub fn close_group(&self, group: String) -> Result<String, ApiError> {
        let group = self.group_id(&group)?;
        Ok(self.ask(self.phone()?.close_group(group))?.to_string())
    }

    /// Freezes a member, or lets it go on; for whoever runs the server for everyone. Gives the op.
    pub fn freeze_member(&self, group: String, merchant: String, frozen: bool) -> Result<String, ApiError> {
        let (group, merchant) = (self.group_id(&group)?, self.merchant_id(&merchant)?);
        Ok(self.ask(self.phone()?.freeze_member(group, merchant, frozen))?.to_string())
    }
}

impl App {
    /// The unit that was named, or that which the group gives now.
    pub(crate) fn unit_of(
        &self,
        group: moa_rules::id::GroupId,
        unit: Option<MileageUnit>,
    ) -> Result<Option<terms::Unit>, ApiError> {
        match unit {
            Some(unit) => Ok(unit.into()),
            None => self.ask(self.phone()?.unit_in_force(group)),
        }
    }
}
