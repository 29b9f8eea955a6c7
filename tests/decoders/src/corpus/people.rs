//! Seeds of keys, staff, certificates, approvals and passes.

use moa_rules::account::MergeConsent;
use moa_rules::books::Worth;
use moa_rules::device::KeyKind;
use moa_rules::event::EventBody;
use moa_rules::id::{KeyId, LotId, OpId};
use moa_rules::lot::Allocation;
use moa_rules::op::{OP_VERSION, OpBody};
use moa_rules::pass::{Pass, PassCode, PassState, PassToken};
use moa_rules::quantity::{Money, Units};
use moa_rules::staff::{Limits, StaffInvitation};
use moa_rules::terms::Basis;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, GivenToken};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::token::Checked;

use super::{GROUP, MERCHANT, NOON};
use crate::answers::{ACCOUNT, server_key};

const TILL: KeyId = KeyId([4; 8]);
const PASS: OpId = OpId([8; 16]);
const LIMITS: Limits = Limits { per_sale: Money(30_000), per_day: Money(100_000) };

fn units(count: i64) -> Units {
    Units::new(count).expect("in range")
}

fn expires() -> u64 {
    Timestamp(NOON).seconds() + 3_600
}

fn invitation(key: &SoftwareKey) -> Vec<u8> {
    let (version, key_id, counter) = (OP_VERSION, key.key_id(), 30);
    let invitation = StaffInvitation { version, key: key_id, counter, expires: expires(), limits: LIMITS };
    Checked::sign(invitation, key).expect("signed").bytes().to_vec()
}

fn consent(key: &SoftwareKey) -> Vec<u8> {
    let consent = MergeConsent { version: OP_VERSION, key: key.key_id(), counter: 31, expires: expires() };
    Checked::sign(consent, key).expect("signed").bytes().to_vec()
}

fn pass(key: &SoftwareKey) -> Vec<u8> {
    let pass = PassToken {
        version: OP_VERSION,
        pass: PASS,
        merchant: MERCHANT,
        till: TILL,
        group: GROUP,
        units: units(500),
        expires: expires(),
        public_key: key.public_key(),
        unit: None,
    };
    Checked::sign(pass, &server_key()).expect("signed").bytes().to_vec()
}

fn pass_code(key: &SoftwareKey) -> Vec<u8> {
    let code = PassCode { version: OP_VERSION, pass: pass(key), shown: Timestamp(NOON).seconds() };
    Checked::sign(code, key).expect("signed").bytes().to_vec()
}

/// Tokens that are no ops, by their names.
pub(super) fn tokens(key: &SoftwareKey) -> [(&'static str, Vec<u8>); 4] {
    [
        ("invitation", invitation(key)),
        ("consent", consent(key)),
        ("pass", pass(key)),
        ("pass-code", pass_code(key)),
    ]
}

/// What ops ask for, by their names.
pub(super) fn ops(key: &SoftwareKey) -> Vec<(&'static str, OpBody)> {
    let (merchant, group, till, account) = (MERCHANT, GROUP, TILL, ACCOUNT);
    let (of, public_key, until) = (key.key_id(), key.public_key(), Timestamp(NOON).plus(Timestamp::DAY));
    vec![
        ("revoke", OpBody::RevokeDevice { key: of }),
        ("admit", OpBody::AdmitDevice { key: of }),
        ("join-staff", OpBody::JoinStaff { invitation: invitation(key) }),
        ("remove-staff", OpBody::RemoveStaff { merchant, account }),
        ("renew", OpBody::RenewCertificate),
        ("pay", OpBody::Pay { merchant, group, units: units(500), expires: expires(), unit: None }),
        (
            "reserve",
            OpBody::ReservePass { merchant, till, group, units: units(500), expires: expires(), unit: None },
        ),
        ("take-pass", OpBody::RedeemPass { code: pass_code(key), units: units(300) }),
        ("release", OpBody::ReleasePass { merchant, pass: PASS }),
        (
            "browser",
            OpBody::AddKey { key: of, public_key: public_key.clone(), kind: KeyKind::Browser { until } },
        ),
        ("service", OpBody::AddKey { key: of, public_key: public_key.clone(), kind: KeyKind::Service }),
        ("act-for", OpBody::ActFor { merchant }),
        ("allowance", OpBody::SetAllowance { merchant, most: Money(5_000_000) }),
        ("admin", OpBody::AppointAdmin { group, merchant }),
        ("operator", OpBody::AppointOperator { account, operator: true }),
        ("merge", OpBody::MergeAccount { consent: consent(key) }),
        ("enrol", OpBody::EnrolDevice { account, key: of, public_key, proved: Some(true) }),
    ]
}

fn held() -> Vec<Allocation> {
    let worth = Worth { unit_value: Money(1), basis: Basis::OnIssue, unit: None };
    vec![Allocation { lot: LotId([6; 16]), issuer: MERCHANT, units: units(500), worth }]
}

/// What happened, by its names.
pub(super) fn events(key: &SoftwareKey) -> Vec<(&'static str, EventBody)> {
    let (merchant, group, account, of) = (MERCHANT, GROUP, ACCOUNT, key.key_id());
    let until = Timestamp(NOON).plus(7 * Timestamp::DAY);
    vec![
        ("revoked", EventBody::DeviceRevoked { account, key: of, merchant: Some(merchant), till: Some(of) }),
        ("admitted", EventBody::DeviceAdmitted { account, key: of }),
        ("staff-joined", EventBody::StaffJoined { merchant, account, key: of, limits: LIMITS }),
        ("staff-left", EventBody::StaffLeft { merchant, account, key: of }),
        (
            "certificate",
            EventBody::CertificateIssued { merchant, key: of, most: Money(5_000), until, till: None },
        ),
        (
            "pass-reserved",
            EventBody::PassReserved {
                pass: PASS,
                merchant,
                till: TILL,
                account,
                key: of,
                group,
                held: held(),
                expires: expires(),
                staff: Some(TILL),
            },
        ),
        (
            "pass-taken",
            EventBody::Redeemed {
                group,
                merchant,
                account,
                units: units(500),
                allocations: held(),
                till: Some(TILL),
                pass: Some(PASS),
                hold: None,
            },
        ),
        ("pass-released", EventBody::PassReleased { pass: PASS, merchant, account, group, till: None }),
        ("till", EventBody::TillAdded { merchant, account, key: of }),
        ("allowance", EventBody::AllowanceSet { merchant, most: Money(5_000_000) }),
        ("admin", EventBody::AdminAppointed { group, merchant, before: merchant }),
        ("operator", EventBody::OperatorAppointed { account, operator: true }),
    ]
}

/// A pass as a snapshot has it.
pub(super) fn kept(key: &SoftwareKey) -> Pass {
    Pass {
        id: PASS,
        merchant: MERCHANT,
        till: TILL,
        account: ACCOUNT,
        key: key.key_id(),
        group: GROUP,
        held: held(),
        expires: expires(),
        state: PassState::Open,
        made_at: Timestamp(0),
    }
}

/// The server's word on an op, as it comes with verdicts.
pub(super) fn given(key: &SoftwareKey) -> GivenToken {
    GivenToken { op: PASS, token: Base64(pass(key)) }
}
