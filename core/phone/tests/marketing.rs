//! Consent to advertising: said here, kept by the server, known to every phone of the account.

mod support;

use moa_rules::marketing::{AgreedText, Marketing, TextLanguage};

use support::{NOON, Person, Town, offline};

const AGREED: AgreedText = AgreedText { version: 1, language: TextLanguage::Korean, hash: [7; 32] };

#[test]
fn a_consent_is_kept_with_its_text_and_time_on_every_phone_and_so_is_its_withdrawal() {
    let mut town = Town::new();
    assert_eq!(town.buyer.phone.marketing().unwrap().marketing, Marketing::default());
    town.buyer.phone.set_standing(vec![town.group], true).unwrap();
    town.buyer.phone.set_marketing(Some(AGREED)).unwrap();
    assert!(town.buyer.sync_over(&mut town.server, offline).is_err());
    let said = town.buyer.phone.marketing().unwrap();
    assert!(said.pending && said.marketing.agreed == Some(AGREED));

    town.buyer.sync(&mut town.server).unwrap();
    let said = town.buyer.phone.marketing().unwrap();
    assert_eq!((said.marketing, said.pending), (Marketing { agreed: Some(AGREED), since: NOON }, false));
    assert!(town.buyer.phone.standing().unwrap().best, "the standing choice stays as it was set");

    // A phone that starts anew learns it from the snapshot.
    let mut tablet = Person::new(9);
    town.server.enrols_as = Some(town.account);
    tablet.enrol(&mut town.server);
    town.server.enrols_as = None;
    assert_eq!(tablet.phone.marketing().unwrap().marketing.agreed, Some(AGREED));

    // Said twice without a network: the last word counts.
    town.advance(60_000);
    tablet.environment.advance(60_000);
    tablet.phone.set_marketing(Some(AGREED)).unwrap();
    tablet.phone.set_marketing(None).unwrap();
    tablet.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    for phone in [&tablet.phone, &town.buyer.phone] {
        let said = phone.marketing().unwrap();
        assert_eq!(said.marketing, Marketing { agreed: None, since: NOON.plus(60_000) });
        assert!(!said.pending && phone.standing().unwrap().best);
    }
}
