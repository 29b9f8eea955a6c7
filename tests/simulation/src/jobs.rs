//! The server's own ops, as `server/app/src/{system,jobs}.rs` make them: everything in them follows from the
//! job and its subject, so that a second run is a duplicate.

use moa_ledger::store::Store;
use moa_rules::id::{AccountId, KeyId, OpId};
use moa_rules::op::{Carried, OP_VERSION, Op, OpBody};
use moa_rules::standing::best_from;
use moa_rules::time::Timestamp;
use moa_wire::keys::{Signer, sha256};
use moa_wire::submission::Submission;
use moa_wire::token::Checked;

use crate::Step;
use crate::ledger::broken;

/// Wallets, and sales, that are swept in one go.
const AT_ONCE: usize = 200;

/// `key` may sign for `account`.
pub(crate) fn enrol_device(
    signer: &dyn Signer,
    enrolment: OpId,
    at: Timestamp,
    (account, key, public_key): (AccountId, KeyId, Vec<u8>),
) -> Step<Submission> {
    let body = OpBody::EnrolDevice { account, key, public_key };
    sign(signer, &[b"enrol", &enrolment.0], at, body)
}

/// What writes down all that has expired by now.
pub(crate) fn expired(store: &dyn Store, signer: &dyn Signer, now: Timestamp) -> Step<Vec<Submission>> {
    let mut ops = Vec::new();
    for (account, group) in store.wallets_to_expire(now, AT_ONCE).map_err(broken)? {
        let lots = store.lots(account).map_err(broken)?;
        let ended = lots.iter().filter(|lot| lot.group == group && lot.ends_at <= now);
        let Some(ended) = ended.map(|lot| lot.ends_at).max() else { continue };
        let subject: [&[u8]; 4] = [b"expire", &account.0, &group.0, &ended.0.to_be_bytes()];
        ops.push(sign(signer, &subject, ended, OpBody::ExpireLots { group, account })?);
    }
    Ok(ops)
}

/// What takes the best for buyers who agreed to that and have not chosen for a day.
pub(crate) fn best(store: &dyn Store, signer: &dyn Signer, now: Timestamp) -> Step<Vec<Submission>> {
    let mut ops = Vec::new();
    for (sale, since) in store.sales_for_best(now, AT_ONCE).map_err(broken)? {
        let body = OpBody::TakeBest { merchant: sale.merchant, sale: sale.id };
        let subject: [&[u8]; 4] = [b"best", &sale.merchant.0, &sale.id.0, &since.0.to_be_bytes()];
        ops.push(sign(signer, &subject, best_from(sale.time), body)?);
    }
    Ok(ops)
}

/// What writes down which sales waited for their buyer in vain.
pub(crate) fn lapsed(store: &dyn Store, signer: &dyn Signer, now: Timestamp) -> Step<Vec<Submission>> {
    let mut ops = Vec::new();
    for sale in store.sales_to_lapse(now, AT_ONCE).map_err(broken)? {
        let Some(until) = sale.waits_until else { continue };
        let body = OpBody::LapseSale { merchant: sale.merchant, sale: sale.id };
        ops.push(sign(signer, &[b"lapse", &sale.merchant.0, &sale.id.0], until, body)?);
    }
    Ok(ops)
}

fn sign(signer: &dyn Signer, subject: &[&[u8]], time: Timestamp, body: OpBody) -> Step<Submission> {
    let hash = sha256(subject);
    let (mut id, mut counter) = ([0; 16], [0; 8]);
    id.copy_from_slice(&hash[..16]);
    counter.copy_from_slice(&hash[16..24]);
    // UUIDv8 (RFC 9562).
    id[6] = 0x80 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    let op = Op {
        version: OP_VERSION,
        id: OpId(id),
        actor: signer.key_id(),
        counter: u64::from_be_bytes(counter) >> 1,
        time: time.seconds(),
        body,
    };
    Ok(Submission { op: Checked::sign(op, signer).map_err(broken)?, sale: None, carried: Carried::None })
}
