//! What the server signs for a buyer to show: approvals and passes. A function of the op alone, so that a repeated answer says
//! the same again. (docs/rules.md P)

use moa_rules::op::{OP_VERSION, Op, OpBody};
use moa_rules::pass::PassToken;
use moa_wire::keys::{SignError, Signer};
use moa_wire::token::{Approval, Checked};

/// The token of an applied op, as it travels; none for ops that have none. `public_key` is that of the op's author.
///
/// # Errors
/// If the key does not sign.
pub fn token(signer: &dyn Signer, op: &Op, public_key: &[u8]) -> Result<Option<Vec<u8>>, SignError> {
    let version = OP_VERSION;
    match op.body {
        OpBody::Pay { merchant, group, units, expires, unit } => {
            let approval = Approval { version, op: op.id, merchant, group, units, expires, unit };
            Ok(Some(Checked::sign(approval, signer)?.bytes().to_vec()))
        }
        OpBody::ReservePass { merchant, till, group, units, expires, unit } => {
            let (pass, public_key) = (op.id, public_key.to_vec());
            let token = PassToken { version, pass, merchant, till, group, units, expires, public_key, unit };
            Ok(Some(Checked::sign(token, signer)?.bytes().to_vec()))
        }
        _ => Ok(None),
    }
}
