//! Invitations and requests to join on every store, alike: what is found by token, by code, by shop; what is sent, and to whom
//! no more.

mod town;

use moa_ledger::store::NewEffect;
use moa_ledger::store::invitations::{Seen, Sending, SendingLimits, Sent, Trace};
use moa_rules::id::{MerchantId, OpId};
use moa_rules::invitation::{Invited, TokenHash};
use moa_rules::op::OpBody;
use moa_rules::terms::{Admission, Basis, Terms};
use moa_rules::time::Timestamp;
use town::stores::{Subject, conformance};
use town::{START, Shop, Town, points};

conformance!(
    an_invitation_is_found_by_its_token_its_code_and_its_shops,
    requests_are_told_to_who_asks_and_to_who_answers,
    an_invitation_is_sent_once_and_nobody_gets_too_many,
    what_is_seen_of_an_invitation_is_kept_until_it_is_forgotten,
);

mod suite {
    use super::*;

    fn invite<S: Subject>(town: &Town<S>, by: &Shop, to: Invited, shop: Option<&Shop>, mark: u8) -> OpId {
        let hash = Some(TokenHash([mark; 32]));
        let (shop, expires) = (shop.map(|shop| shop.id), town.now.plus(14 * Timestamp::DAY).seconds());
        town.apply(&by.actor, OpBody::Invite { to, hash, shop, uses: 1, expires })
    }

    pub fn an_invitation_is_found_by_its_token_its_code_and_its_shops<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let first = invite(town, &cafe, Invited::Group(group), None, 1);
        let second = invite(town, &cafe, Invited::App, Some(&bakery), 2);
        let store = &town.store;
        let found = store.invitation_by_hash(TokenHash([1; 32])).unwrap().unwrap();
        assert_eq!((found.id, found.issuer, found.uses), (first, cafe.id, 1));
        assert_eq!(store.invitation(cafe.id, first).unwrap(), Some(found));
        assert_eq!(store.invitation(bakery.id, first).unwrap(), None);
        assert_eq!(store.invitation_by_hash(TokenHash([9; 32])).unwrap(), None);

        assert_eq!(store.invitation_by_code([7; 32]).unwrap(), None);
        store.name_invitation(cafe.id, first, [7; 32], town.now).unwrap();
        assert_eq!(store.invitation_by_code([7; 32]).unwrap(), Some(found));

        let ids = |shop: &Shop, since| {
            let told = store.invitations_of(shop.id, since).unwrap();
            told.into_iter().map(|known| known.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&cafe, town.now), [second.max(first), second.min(first)], "the newest first");
        assert_eq!(ids(&bakery, town.now), [second]);
        assert_eq!(ids(&bakery, town.now.plus(15 * Timestamp::DAY)), []);
    }

    pub fn requests_are_told_to_who_asks_and_to_who_answers<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery, florist) = (town.shop("카페"), town.shop("빵집"), town.shop("꽃집"));
        let terms = Terms { admission: Some(Admission::Admin), ..points(500, 0, Basis::OnIssue) };
        let group = town.group(terms, &[&cafe]);
        let asks = OpBody::JoinGroup { group, terms_version: 1, invitation: None };
        let request = town.apply(&bakery.actor, asks);
        let told = |shop: &Shop, since| {
            let requests = town.store.join_requests_of(shop.id, since).unwrap();
            requests.into_iter().map(|asked| asked.id).collect::<Vec<_>>()
        };
        let before = town.now.plus(-1);
        assert_eq!((told(&cafe, before), told(&bakery, before)), (vec![request], vec![request]));
        assert_eq!((told(&florist, before), told(&cafe, town.now)), (vec![], vec![]));
        let merchant = bakery.id;
        town.apply(&cafe.actor, OpBody::AnswerJoin { group, merchant, request, admits: true });
        assert_eq!(told(&cafe, before), []);
    }

    fn sending(invitation: u8, contact: u8) -> Sending {
        let id = OpId([invitation; 16]);
        Sending {
            issuer: MerchantId([1; 16]),
            invitation: id,
            channel: "sms".to_owned(),
            contact_mac: [contact; 32],
            contact: vec![contact],
            effect: NewEffect {
                id: id.0,
                kind: "invitation".into(),
                payload: "{}".into(),
                due_at: START.plus(-1),
            },
            limits: SendingLimits { to_contact: 2, by_issuer: 3, since: START.plus(-Timestamp::DAY) },
        }
    }

    pub fn an_invitation_is_sent_once_and_nobody_gets_too_many<S: Subject>(town: &mut Town<S>) {
        let send = |sending: Sending, at| town.store.send_invitation(&sending, START.plus(at)).unwrap();
        assert_eq!(send(sending(1, 1), 0), Sent::Now);
        assert_eq!(send(sending(1, 1), 1), Sent::Before);
        assert_eq!(send(sending(2, 1), 2), Sent::Now);
        let elsewhere = Sending { issuer: MerchantId([2; 16]), ..sending(3, 1) };
        assert_eq!(send(elsewhere, 3), Sent::TooManyToContact);
        assert_eq!(send(sending(4, 2), 4), Sent::Now);
        assert_eq!(send(sending(5, 3), 5), Sent::TooManyByIssuer);
        let due = town.store.take_effects(START, START.plus(9), 9).unwrap();
        assert_eq!(due.len(), 3, "each that is on its way, once");
    }

    pub fn what_is_seen_of_an_invitation_is_kept_until_it_is_forgotten<S: Subject>(town: &mut Town<S>) {
        let (issuer, id) = (MerchantId([1; 16]), OpId([1; 16]));
        let see = |seen, at| town.store.invitation_seen(issuer, id, seen, START.plus(at)).unwrap();
        [(Seen::Opened, 1), (Seen::Opened, 2), (Seen::Claimed, 3), (Seen::Claimed, 4), (Seen::Delivered, 5)]
            .into_iter()
            .for_each(|(seen, at)| see(seen, at));
        let trace = Trace {
            opened: 2,
            opened_at: Some(START.plus(1)),
            claimed_at: Some(START.plus(3)),
            delivered_at: Some(START.plus(5)),
            ..Trace::default()
        };
        assert_eq!(town.store.traces_of(issuer).unwrap(), [(id, trace.clone())]);
        assert_eq!(town.store.trace_of(issuer, id).unwrap(), Some(trace.clone()));
        assert_eq!(town.store.trace_of(issuer, OpId([2; 16])).unwrap(), None);
        assert_eq!(town.store.traces_of(MerchantId([2; 16])).unwrap(), []);
        town.store.forget_traces(START.plus(1)).unwrap();
        assert_eq!(town.store.traces_of(issuer).unwrap(), [(id, trace)]);
        town.store.forget_traces(START.plus(2)).unwrap();
        assert_eq!(town.store.traces_of(issuer).unwrap(), []);
    }
}
