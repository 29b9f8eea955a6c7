//! Ops of the server itself: enrolments and jobs. (design: "Writes: one path")
//!
//! Everything in such an op is derived from the job and its subject, so that a second run signs the same payload
//! and the engine answers `duplicate`.

use moa_rules::amendment::Amendment;
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::lot::Lot;
use moa_rules::op::{Carried, OP_VERSION, Op, OpBody};
use moa_rules::time::Timestamp;
use moa_wire::keys::{SignError, Signer, sha256};
use moa_wire::submission::Submission;
use moa_wire::token::Checked;

/// `key` may sign for `account`: the end of an enrolment, which began at `at`. `proved` if the person showed more than
/// that the number is theirs.
///
/// # Errors
/// If the key does not sign.
pub fn enrol_device(
    signer: &dyn Signer,
    enrolment: [u8; 16],
    at: Timestamp,
    (account, key, public_key): (AccountId, KeyId, Vec<u8>),
    proved: bool,
) -> Result<Submission, SignError> {
    let body = OpBody::EnrolDevice { account, key, public_key, proved: Some(proved) };
    sign(signer, &[b"enrol", &enrolment], at, body)
}

/// Writes down what expired of these lots of a wallet, all of which have, the last at `ended`.
///
/// Named by how much of each is free: what a pass or a hold gives back later is another sweep's.
///
/// # Errors
/// If the key does not sign.
pub fn expire_lots(
    signer: &dyn Signer,
    (account, group): (AccountId, GroupId),
    lots: &[&Lot],
    ended: Timestamp,
) -> Result<Submission, SignError> {
    let body = OpBody::ExpireLots { group, account };
    let free = lots.iter().flat_map(|lot| [lot.id.0.to_vec(), lot.free().get().to_be_bytes().to_vec()]);
    let free: Vec<u8> = free.flatten().collect();
    sign(signer, &[b"expire", &account.0, &group.0, &ended.0.to_be_bytes(), &free], ended, body)
}

/// Counts the answers to an amendment whose date has come.
///
/// # Errors
/// If the key does not sign.
pub fn decide_amendment(signer: &dyn Signer, amendment: &Amendment) -> Result<Submission, SignError> {
    let Amendment { group, id, from, .. } = *amendment;
    let body = OpBody::DecideAmendment { group, amendment: id };
    sign(signer, &[b"amend", &group.0, &id.0], from, body)
}

/// Gives back what a hold reserved.
///
/// # Errors
/// If the key does not sign.
pub fn lapse_hold(signer: &dyn Signer, hold: &Hold) -> Result<Submission, SignError> {
    let body = OpBody::LapseHold { merchant: hold.merchant, hold: hold.id };
    sign(signer, &[b"hold", &hold.merchant.0, &hold.id.0], hold.until, body)
}

/// Nothing remains of a group whose end came at `ended`.
///
/// # Errors
/// If the key does not sign.
pub fn end_group(signer: &dyn Signer, group: GroupId, ended: Timestamp) -> Result<Submission, SignError> {
    sign(signer, &[b"end", &group.0], ended, OpBody::EndGroup { group })
}

/// Writes down that a sale has waited long enough.
///
/// # Errors
/// If the key does not sign.
pub fn lapse_sale(
    signer: &dyn Signer,
    (merchant, sale): (MerchantId, OpId),
    at: Timestamp,
) -> Result<Submission, SignError> {
    let body = OpBody::LapseSale { merchant, sale };
    sign(signer, &[b"lapse", &merchant.0, &sale.0], at, body)
}

/// Makes mileage of a sale that waited for its buyer to sign up, where nothing is to be chosen.
///
/// # Errors
/// If the key does not sign.
pub fn offer_again(
    signer: &dyn Signer,
    (merchant, sale): (MerchantId, OpId),
    at: Timestamp,
) -> Result<Submission, SignError> {
    let body = OpBody::OfferAgain { merchant, sale };
    sign(signer, &[b"offer", &merchant.0, &sale.0], at, body)
}

/// Takes the best for a buyer who last agreed to that at `since`. Named by that too: refused once because the buyer had
/// just changed their mind, it can be asked again when they change it back.
///
/// # Errors
/// If the key does not sign.
pub fn take_best(
    signer: &dyn Signer,
    (merchant, sale): (MerchantId, OpId),
    since: Timestamp,
    at: Timestamp,
) -> Result<Submission, SignError> {
    let body = OpBody::TakeBest { merchant, sale };
    sign(signer, &[b"best", &merchant.0, &sale.0, &since.0.to_be_bytes()], at, body)
}

/// Gives back what a pass reserved.
///
/// # Errors
/// If the key does not sign.
pub fn release_pass(
    signer: &dyn Signer,
    (merchant, pass): (MerchantId, OpId),
    at: Timestamp,
) -> Result<Submission, SignError> {
    let body = OpBody::ReleasePass { merchant, pass };
    sign(signer, &[b"release", &merchant.0, &pass.0], at, body)
}

/// A person runs the server for everyone from `at` on, or does no more.
///
/// # Errors
/// If the key does not sign.
pub fn appoint_operator(
    signer: &dyn Signer,
    account: AccountId,
    operator: bool,
    at: Timestamp,
) -> Result<Submission, SignError> {
    let body = OpBody::AppointOperator { account, operator };
    sign(signer, &[b"operator", &account.0, &[u8::from(operator)], &at.0.to_be_bytes()], at, body)
}

fn sign(
    signer: &dyn Signer,
    subject: &[&[u8]],
    time: Timestamp,
    body: OpBody,
) -> Result<Submission, SignError> {
    let hash = sha256(subject);
    let (mut id, mut counter) = ([0; 16], [0; 8]);
    id.copy_from_slice(&hash[..16]);
    counter.copy_from_slice(&hash[16..24]);
    // UUIDv8 (RFC 9562): version and variant, the rest is ours.
    id[6] = 0x80 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    let op = Op {
        version: OP_VERSION,
        id: OpId(id),
        actor: signer.key_id(),
        // 63 bits: a database's integers are signed.
        counter: u64::from_be_bytes(counter) >> 1,
        time: time.seconds(),
        body,
    };
    Ok(Submission { op: Checked::sign(op, signer)?, sale: None, carried: Carried::None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use moa_wire::keys::SoftwareKey;

    #[test]
    fn a_second_run_signs_the_same_payload() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let run =
            |at| expire_lots(&key, (AccountId([1; 16]), GroupId([2; 16])), &[], Timestamp(at)).unwrap().op;
        let (one, two, later) = (run(86_400_000), run(86_400_000), run(2 * 86_400_000));
        assert_eq!(one.payload_hash(), two.payload_hash());
        assert_eq!(one.value().id.version(), 8);
        assert_ne!(one.value().id, later.value().id);
        assert_ne!(one.value().counter, later.value().counter);
    }
}
