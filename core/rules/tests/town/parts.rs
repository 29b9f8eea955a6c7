//! What the town's people do with keys, staff, certificates and passes.

use moa_rules::device::KeyKind;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::{Carried, OP_VERSION, Op, OpBody};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::staff::{Limits, StaffInvitation};
use moa_rules::time::Timestamp;

use crate::driver::{Parcel, Person, SYSTEM, Shop, Town, units};

impl Town {
    /// A further phone of an account, which waits before it pays.
    pub fn further_phone(&mut self, account: AccountId) -> Person {
        let key = self.fresh_key();
        self.enrol(account, key, false);
        Person { account, key }
    }

    pub fn fresh_key(&mut self) -> KeyId {
        KeyId(self.number().to_be_bytes())
    }

    pub fn revoke(&mut self, by: KeyId, key: KeyId) -> Parcel {
        self.op(by, OpBody::RevokeDevice { key }).into()
    }

    pub fn admit(&mut self, by: KeyId, key: KeyId) -> Parcel {
        self.op(by, OpBody::AdmitDevice { key }).into()
    }

    /// Lets in a browser, or a shop's computer; returns its key, enrolled if that is not refused.
    pub fn add_key(&mut self, by: KeyId, kind: KeyKind) -> Result<KeyId, Refusal> {
        let key = self.fresh_key();
        let op = self.op(by, OpBody::AddKey { key, public_key: vec![4; 65], kind });
        self.send(&op.into()).map(|_| key)
    }

    pub fn browser_until(&mut self, by: KeyId, millis: i64) -> Result<KeyId, Refusal> {
        let until = self.now.plus(millis);
        self.add_key(by, KeyKind::Browser { until })
    }

    pub fn act_for(&mut self, by: KeyId, merchant: MerchantId) -> Parcel {
        self.op(by, OpBody::ActFor { merchant }).into()
    }

    pub fn invitation(&mut self, by: KeyId, per_sale: i64, per_day: i64) -> StaffInvitation {
        let expires = self.now.plus(Timestamp::DAY).seconds();
        let limits = Limits { per_sale: Money(per_sale), per_day: Money(per_day) };
        StaffInvitation { version: OP_VERSION, key: by, counter: self.number(), expires, limits }
    }

    pub fn join_staff(&mut self, person: Person, invitation: StaffInvitation) -> Parcel {
        let bytes = minicbor::to_vec(invitation).unwrap();
        let op = self.op(person.key, OpBody::JoinStaff { invitation: bytes });
        Parcel { op, carried: Carried::Invitation(invitation) }
    }

    /// Someone who sells for a shop, within these limits.
    pub fn clerk(&mut self, shop: Shop, per_sale: i64, per_day: i64) -> Person {
        let person = self.person();
        self.hire(shop, person, per_sale, per_day);
        person
    }

    pub fn hire(&mut self, shop: Shop, person: Person, per_sale: i64, per_day: i64) {
        let invitation = self.invitation(shop.owner.key, per_sale, per_day);
        let parcel = self.join_staff(person, invitation);
        self.send(&parcel).unwrap();
    }

    pub fn remove_staff(&mut self, by: KeyId, shop: Shop, account: AccountId) -> Parcel {
        self.op(by, OpBody::RemoveStaff { merchant: shop.merchant, account }).into()
    }

    /// A voucher of this key's, not sent.
    pub fn sale_by(&mut self, key: KeyId, amount: i64) -> Op {
        self.op(key, OpBody::RecordSale { amount: Money(amount), addressee: None, redemption: None })
    }

    pub fn set_allowance(&mut self, by: KeyId, shop: Shop, most: i64) -> Parcel {
        self.op(by, OpBody::SetAllowance { merchant: shop.merchant, most: Money(most) }).into()
    }

    pub fn renewal(&mut self, till: KeyId) -> Parcel {
        self.op(till, OpBody::RenewCertificate).into()
    }

    /// Payment at a shop without signal, approved for five minutes.
    pub fn pay(&mut self, buyer: Person, shop: Shop, group: GroupId, asked: i64) -> Parcel {
        let expires = self.now.plus(5 * Timestamp::MINUTE).seconds();
        self.op(
            buyer.key,
            OpBody::Pay { merchant: shop.merchant, group, units: units(asked), expires, unit: None },
        )
        .into()
    }

    pub fn reserve(
        &mut self,
        buyer: Person,
        (shop, till): (Shop, KeyId),
        group: GroupId,
        asked: i64,
        millis: i64,
    ) -> Parcel {
        let expires = self.now.plus(millis).seconds();
        let (merchant, units) = (shop.merchant, units(asked));
        self.op(buyer.key, OpBody::ReservePass { merchant, till, group, units, expires, unit: None }).into()
    }

    /// A pass, reserved for three hours.
    pub fn pass(&mut self, buyer: Person, (shop, till): (Shop, KeyId), group: GroupId, asked: i64) -> OpId {
        let parcel = self.reserve(buyer, (shop, till), group, asked, 3 * Timestamp::HOUR);
        self.send(&parcel).unwrap();
        parcel.op.id
    }

    /// What a till says that it took of a pass, shown by the buyer's phone.
    pub fn redeem_pass(&mut self, till: KeyId, pass: OpId, shown_by: KeyId, asked: i64) -> Parcel {
        let op = self.op(till, OpBody::RedeemPass { code: Vec::new(), units: units(asked) });
        Parcel { op, carried: Carried::Pass { pass, key: shown_by } }
    }

    pub fn release(&mut self, shop: Shop, pass: OpId) -> Parcel {
        self.op(SYSTEM, OpBody::ReleasePass { merchant: shop.merchant, pass }).into()
    }

    /// Sends an op that is to be refused: everything stays as it was.
    pub fn refused(&mut self, parcel: &Parcel) -> Refusal {
        let before = (self.tables.clone(), self.books.clone());
        let refusal = self.send(parcel).map(drop).unwrap_err();
        assert!(
            (&self.tables, &self.books) == (&before.0, &before.1),
            "a refused op changes nothing: {parcel:?}"
        );
        refusal
    }

    /// Sends what is to be applied; the tables are still what the journal gives.
    pub fn applied(&mut self, parcel: &Parcel) {
        self.send(parcel).unwrap();
        assert!(self.rebuilt() == self.tables, "the journal tells all: {parcel:?}");
    }
}
