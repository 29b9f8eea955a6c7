//! What shops do with what they sold and took: holds, reversals, refunds, voids, grants; and what becomes of groups.

use moa_rules::account::MergeConsent;
use moa_rules::adjustment::{Grantee, Reason};
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::member::Found;
use moa_rules::op::{Carried, OP_VERSION, OpBody, RedemptionCode};
use moa_rules::quantity::Money;
use moa_rules::terms::{Terms, Unit};
use moa_rules::time::{Day, Timestamp};

use crate::driver::{Parcel, Person, SYSTEM, Shop, Town, units};

impl Town {
    /// A code for mileage of a unit.
    pub fn code_for(
        &mut self,
        buyer: Person,
        group: GroupId,
        (most, unit): (i64, Option<Unit>),
    ) -> RedemptionCode {
        RedemptionCode { unit, ..self.code(buyer, group, most) }
    }

    pub fn hold_with(
        &mut self,
        till: KeyId,
        code: RedemptionCode,
        asked: i64,
        seconds: Option<u32>,
    ) -> Parcel {
        let bytes = minicbor::to_vec(code).unwrap();
        let op = self.op(till, OpBody::Hold { code: bytes, units: units(asked), seconds });
        Parcel { op, carried: Carried::Code(code) }
    }

    /// A hold with a code made for it, for ten minutes.
    pub fn hold(&mut self, shop: Shop, buyer: Person, group: GroupId, asked: i64) -> Parcel {
        let code = self.code(buyer, group, asked);
        self.hold_with(shop.owner.key, code, asked, None)
    }

    pub fn capture(&mut self, till: KeyId, hold: OpId, asked: i64) -> Parcel {
        self.op(till, OpBody::CaptureHold { hold, units: units(asked) }).into()
    }

    pub fn void_hold(&mut self, till: KeyId, hold: OpId) -> Parcel {
        self.op(till, OpBody::VoidHold { hold }).into()
    }

    pub fn lapse_hold(&mut self, merchant: MerchantId, hold: OpId) -> Parcel {
        self.op(SYSTEM, OpBody::LapseHold { merchant, hold }).into()
    }

    pub fn reverse(&mut self, till: KeyId, redemption: OpId) -> Parcel {
        self.op(till, OpBody::ReverseRedemption { redemption }).into()
    }

    pub fn refund(&mut self, till: KeyId, sale: OpId, amount: i64) -> Parcel {
        self.op(till, OpBody::RefundSale { sale, amount: Money(amount) }).into()
    }

    pub fn void(&mut self, till: KeyId, sale: OpId) -> Parcel {
        self.op(till, OpBody::VoidSale { sale }).into()
    }

    pub fn grant(
        &mut self,
        by: KeyId,
        account: AccountId,
        group: GroupId,
        given: i64,
        last_day: Option<Day>,
    ) -> Parcel {
        let (to, units) = (Grantee::Account(account), units(given));
        let op = self.op(by, OpBody::Grant { group, to, units, reason: Reason::Goodwill, last_day });
        Parcel { op, carried: Carried::Buyer(Found::Account(account)) }
    }

    pub fn take_away(
        &mut self,
        by: KeyId,
        account: AccountId,
        group: GroupId,
        (asked, unit): (i64, Option<Unit>),
    ) -> Parcel {
        let (units, reason) = (units(asked), Reason::Misuse);
        self.op(by, OpBody::TakeAway { group, account, units, reason, unit }).into()
    }

    pub fn propose(&mut self, by: KeyId, group: GroupId, terms: Terms, from: Timestamp) -> Parcel {
        self.op(by, OpBody::AmendTerms { group, terms, from: from.seconds() }).into()
    }

    pub fn answer(&mut self, by: KeyId, group: GroupId, amendment: OpId, agrees: bool) -> Parcel {
        self.op(by, OpBody::AnswerAmendment { group, amendment, agrees }).into()
    }

    pub fn count(&mut self, group: GroupId, amendment: OpId) -> Parcel {
        self.op(SYSTEM, OpBody::DecideAmendment { group, amendment }).into()
    }

    pub fn leave(&mut self, by: KeyId, group: GroupId) -> Parcel {
        self.op(by, OpBody::LeaveGroup { group }).into()
    }

    pub fn expel(&mut self, by: KeyId, group: GroupId, merchant: MerchantId) -> Parcel {
        self.op(by, OpBody::ExpelMember { group, merchant }).into()
    }

    pub fn appoint(&mut self, by: KeyId, group: GroupId, merchant: MerchantId) -> Parcel {
        self.op(by, OpBody::AppointAdmin { group, merchant }).into()
    }

    pub fn freeze(&mut self, by: KeyId, group: GroupId, merchant: MerchantId, frozen: bool) -> Parcel {
        self.op(by, OpBody::FreezeMember { group, merchant, frozen }).into()
    }

    pub fn close_group(&mut self, by: KeyId, group: GroupId) -> Parcel {
        self.op(by, OpBody::CloseGroup { group }).into()
    }

    pub fn end_group(&mut self, group: GroupId) -> Parcel {
        self.op(SYSTEM, OpBody::EndGroup { group }).into()
    }

    pub fn consent(&mut self, of: KeyId) -> MergeConsent {
        let expires = self.now.plus(10 * Timestamp::MINUTE).seconds();
        MergeConsent { version: OP_VERSION, key: of, counter: self.number(), expires }
    }

    /// Another account's lots come to this one, on its consent.
    pub fn merge(&mut self, into: KeyId, consent: MergeConsent) -> Parcel {
        let body = OpBody::MergeAccount { consent: minicbor::to_vec(consent).unwrap() };
        Parcel { op: self.op(into, body), carried: Carried::Consent(consent) }
    }

    pub fn close_account(&mut self, by: KeyId) -> Parcel {
        self.op(by, OpBody::CloseAccount).into()
    }
}
