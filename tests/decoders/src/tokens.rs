//! Signed bytes, events, and what a camera sees.

use minicbor::{Decode, Encode};
use moa_rules::event::Event;
use moa_rules::op::RedemptionCode;
use moa_rules::pass::{PassCode, PassToken};
use moa_rules::staff::StaffInvitation;
use moa_wire::code::{self, Scanned};
use moa_wire::invitation::InvitationCode;
use moa_wire::link::Destination;
use moa_wire::submission::Parsed;
use moa_wire::token::{Approval, Head, Possession, Sealed, SessionEndorsement, Token};
use moa_wire::{canonical, link, member};

/// Where links lead.
pub(crate) const BASE: &str = "https://moa.example";

/// An op as it comes to the server.
pub fn submission(bytes: &[u8]) {
    let Ok(parsed) = Parsed::parse(bytes) else { return };
    same_again(parsed.unchecked());
    assert!(parsed.keys().count() >= 1);
    // A point that is no key's: every signature is looked at, none is believed.
    assert!(parsed.check(|_| Some(vec![4; 65])).is_err());
}

/// Tokens that are no ops.
pub fn others(bytes: &[u8]) {
    token::<RedemptionCode>(bytes);
    token::<Approval>(bytes);
    token::<Head>(bytes);
    token::<Possession>(bytes);
    token::<SessionEndorsement>(bytes);
    token::<StaffInvitation>(bytes);
    token::<PassToken>(bytes);
    token::<PassCode>(bytes);
}

fn token<T: Token>(bytes: &[u8]) {
    let Ok(sealed) = Sealed::<T>::parse(bytes) else { return };
    same_again(sealed.unchecked());
    assert_eq!(sealed.bytes(), bytes);
    assert!(sealed.check(&[4; 65]).is_err());
}

fn same_again<T: Encode<()> + for<'b> Decode<'b, ()>>(value: &T) {
    let bytes = canonical::encode(value);
    assert!(canonical::decode::<T>(&bytes).is_ok(), "what was read can't be read again");
}

/// An event as a phone keeps it.
pub fn event(bytes: &[u8]) {
    if let Ok(event) = canonical::decode::<Event>(bytes) {
        assert_eq!(canonical::encode(&event), bytes);
        // Whom it concerns, and what it books, can be told of any event.
        assert!(event.body.inboxes().is_sorted_by(|one, next| one < next), "each once, in order");
        let _ = moa_rules::books::postings(&event.body);
    }
}

/// A text that was scanned or pasted.
pub fn scanned(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(destination) = link::parse(&text, BASE) {
        let (name, path) = link::parameter(destination);
        for form in [link::link(destination, BASE), link::poster(destination, BASE), format!("{name}={path}")]
        {
            assert_eq!(link::parse(&form, BASE), Some(destination));
            assert_eq!(code::read(&form, BASE), Ok(Scanned::Link(destination)));
        }
    }
    match code::read(&text, BASE) {
        Ok(Scanned::Voucher(sale)) => assert!(code::read(&code::text(sale.bytes()), BASE).is_ok()),
        Ok(Scanned::RedemptionCode(code)) => assert!(code::read(&code::text(code.bytes()), BASE).is_ok()),
        Ok(Scanned::Member(member)) => {
            assert_eq!(code::read(&member::text(&member), BASE), Ok(Scanned::Member(member)));
        }
        Ok(Scanned::OneTime(digits)) => {
            assert_eq!(code::read(&digits.text(), BASE), Ok(Scanned::OneTime(digits)));
        }
        Ok(Scanned::Link(Destination::InvitationCode(code))) => {
            assert_eq!(InvitationCode::read(&code.text()), Ok(code));
        }
        Ok(Scanned::Approval(approval)) => assert!(code::read(&code::text(approval.bytes()), BASE).is_ok()),
        Ok(Scanned::StaffInvitation(word)) => assert!(code::read(&code::text(word.bytes()), BASE).is_ok()),
        Ok(Scanned::Pass(pass)) => assert!(code::read(&code::text(pass.bytes()), BASE).is_ok()),
        _ => {}
    }
}
