//! What an op will want to see, told beforehand: so it is loaded in a round or two, not in one for each step of a rule.
//!
//! Only a hint, for what is asked most: claims, sales, redemptions. A rule asks for whatever else it needs, a round later.

use crate::device::Device;
use crate::id::KeyId;
use crate::op::{Carried, Choice, Op, OpBody, RedemptionCode};
use crate::staff::sales_day;
use crate::view::{Key, View};

/// The cells that an op will want, as far as the op and what is loaded tell; those that are loaded are left out.
pub fn foresee(view: &View, op: &Op, carried: &Carried) -> Vec<Key> {
    let mut keys = author(op);
    match (&op.body, carried) {
        (OpBody::Claim { choice, .. }, Carried::Sale(sale)) => claim(&mut keys, view, op, sale, *choice),
        (OpBody::RecordSale { .. }, _) => record(&mut keys, view, op),
        (OpBody::Redeem { .. } | OpBody::Hold { .. }, Carried::Code(code)) => {
            redeem(&mut keys, view, op, code);
        }
        _ => {}
    }
    keys.retain(|key| !view.is_loaded(*key));
    keys
}

fn author(op: &Op) -> Vec<Key> {
    vec![Key::Device(op.actor), Key::Counter(op.actor, op.counter)]
}

fn claim(keys: &mut Vec<Key>, view: &View, op: &Op, sale: &Op, choice: Option<Choice>) {
    keys.extend(author(sale));
    record(keys, view, sale);
    let account = device(view, op.actor).and_then(Device::account);
    let seller = device(view, sale.actor).and_then(|till| till.merchant);
    keys.extend(account.map(Key::Debts));
    if let (Some(seller), Some(account)) = (seller, account) {
        keys.extend([Key::Merchant(seller), Key::Staff(seller, account)]);
    }
    let Some(Choice { group, terms_version }) = choice else { return };
    keys.extend([Key::Group(group), Key::Terms(group, terms_version)]);
    keys.extend(seller.map(|seller| Key::Member(group, seller)));
    keys.extend(account.map(|account| Key::Lot(account, group, op.id.as_lot())));
}

/// A sale that a till records, or that a claim brings.
fn record(keys: &mut Vec<Key>, view: &View, sale: &Op) {
    let Some(till) = device(view, sale.actor) else { return };
    let Some(merchant) = till.merchant else { return };
    keys.push(Key::Sale(merchant, sale.id));
    if let (true, Some(clerk)) = (till.staff, till.account()) {
        keys.extend([Key::Staff(merchant, clerk), Key::StaffDay(merchant, clerk, sales_day(sale.time))]);
    }
}

fn redeem(keys: &mut Vec<Key>, view: &View, op: &Op, code: &RedemptionCode) {
    let RedemptionCode { key, counter, group, .. } = *code;
    keys.extend([Key::Device(key), Key::Counter(key, counter), Key::Group(group)]);
    if let Some(merchant) = device(view, op.actor).and_then(|till| till.merchant) {
        keys.push(Key::Member(group, merchant));
        keys.extend(matches!(op.body, OpBody::Redeem { .. }).then_some(Key::Redemption(merchant, op.id)));
    }
    let buyer = device(view, key).and_then(Device::account);
    keys.extend(buyer.map(|account| Key::Wallet(account, group)));
    let known = view.group(group).ok().flatten();
    keys.extend(known.map(|known| Key::Terms(group, known.terms_version)));
}

fn device(view: &View, key: KeyId) -> Option<&Device> {
    view.device(key).ok().flatten()
}
