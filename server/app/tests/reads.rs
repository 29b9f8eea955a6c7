//! What each role reads, over HTTP: its own, and nothing of another's, whatever ids, cursors, tokens and codes it sends.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use moa_rules::id::{KeyId, OpId};
use moa_rules::invitation::{Invited, TokenHash};
use moa_rules::member::Buyer;
use moa_rules::op::OpBody;
use moa_rules::quantity::{Money, Units};
use moa_rules::role::Role;
use moa_rules::time::Timestamp;
use moa_wire::api::{
    Base64, Changes, DeviceKind, Devices, InboxName, InvitationShown, InvitationToSend, InvitationTraces,
    OneTime, OneTimeLookup, OneTimeRequest, RefreshRequest, ShopRole, ShopStaff, Snapshot,
};
use moa_wire::channel::Channel;
use moa_wire::invitation::InvitationToken;
use reqwest::{Method, Response};
use serde::Serialize;
use serde_json::Value;
use support::subjects::{NO_GROUP, NO_SHOP, Street, Subject, Who};
use support::{Device, fresh_id, problem, read};

/// What a route gives, by its method and pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    /// The same for everyone, without a session.
    Open,
    /// The session itself.
    Session,
    /// What differs by who asks.
    Read,
}

/// Every route of the API document. One that is missing here fails the test.
#[rustfmt::skip]
const ROUTES: [(&str, &str, Route); 22] = [
    ("post", "/v1/enrolments", Route::Open),
    ("post", "/v1/enrolments/{id}/confirm", Route::Open),
    ("post", "/v1/ops", Route::Open),
    ("get", "/healthz", Route::Open),
    ("get", "/openapi.json", Route::Open),
    ("post", "/v1/sessions", Route::Session),
    ("post", "/v1/sessions/refresh", Route::Session),
    ("post", "/v1/sessions/end", Route::Session),
    ("get", "/v1/devices", Route::Read),
    ("get", "/v1/staff", Route::Read),
    ("post", "/v1/one-time-codes", Route::Read),
    ("post", "/v1/one-time-codes/look-up", Route::Read),
    ("get", "/v1/invitations", Route::Read),
    ("post", "/v1/invitations/open", Route::Read),
    ("post", "/v1/invitations/send", Route::Read),
    ("post", "/v1/pictures", Route::Read),
    ("get", "/v1/changes", Route::Read),
    ("get", "/v1/snapshot", Route::Read),
    ("get", "/v1/directory", Route::Read),
    ("get", "/v1/search", Route::Read),
    ("get", "/v1/groups/{id}", Route::Read),
    ("get", "/v1/merchants/{id}", Route::Read),
];
/// Beside those, so that the array stays readable.
const KEYS: (&str, &str, Route) = ("get", "/v1/keys/{id}", Route::Read);

/// Someone who asks, and whom they ask after.
struct Asks<'a> {
    street: &'a Street,
    subject: &'a Subject,
    other: &'a Subject,
}

impl Asks<'_> {
    fn device(&self) -> &Device {
        &self.subject.device
    }

    fn is(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.subject.who == Who::Role(*role))
    }

    fn service(&self) -> bool {
        self.is(&[Role::Service])
    }

    fn owner(&self) -> bool {
        self.is(&[Role::Owner, Role::GroupAdmin, Role::Browser])
    }

    async fn get(&self, path: &str) -> Response {
        self.street.town.get(path, self.device()).await
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Response {
        let request = self.street.town.request(Method::POST, path, self.device()).await;
        request.header("accept-language", "en").json(body).send().await.unwrap()
    }

    async fn code(&self, response: Response, status: u16) -> String {
        assert_eq!(response.status(), status, "{:?}", self.subject.who);
        problem(response).await.code
    }

    /// The inboxes that are the subject's to read.
    fn inboxes(&self) -> BTreeSet<InboxName> {
        let mut own = BTreeSet::new();
        if !self.service() {
            own.insert(InboxName::Account(self.device().account));
        }
        if self.is(&[Role::Staff]) {
            own.insert(InboxName::Till(self.device().key_id()));
        } else {
            own.extend(self.subject.merchant.map(InboxName::Merchant));
        }
        if self.subject.merchant.is_some() {
            own.extend(self.street.groups.map(InboxName::Group));
            own.extend(self.subject.group.map(InboxName::Group));
        }
        own
    }

    /// Tries a route on what is the own, and on what is another's.
    async fn tries(&self, path: &str) {
        let who = self.subject.who;
        match path {
            "/v1/devices" => {
                let answer = self.get(path).await;
                if self.service() {
                    assert_eq!(self.code(answer, 403).await, "forbidden");
                    return;
                }
                let devices: Devices = read(answer).await;
                let keys: BTreeSet<KeyId> = devices.devices.iter().map(|device| device.key).collect();
                let mut own = BTreeSet::from([self.device().key_id()]);
                own.extend(self.subject.phone.as_ref().map(Device::key_id));
                assert_eq!(keys, own, "{who:?}");
            }
            "/v1/staff" => {
                let answer = self.get(path).await;
                if !self.owner() {
                    assert_eq!(self.code(answer, 403).await, "forbidden");
                    return;
                }
                let staff: ShopStaff = read(answer).await;
                assert_eq!(Some(staff.merchant), self.subject.merchant, "{who:?}");
                let mut own = BTreeSet::from([self.device().account]);
                own.extend(staff.staff.iter().map(|clerk| clerk.account));
                assert!(staff.tills.iter().all(|till| own.contains(&till.account)), "{who:?}");
            }
            "/v1/changes" => {
                let other = &self.other.device;
                let theirs = self.street.town.changes(other, "", 0).await;
                for cursor in ["", theirs.cursor.as_str()] {
                    let answer = self.get(&format!("{path}?cursor={cursor}")).await;
                    let changes: Changes = read(answer).await;
                    let seen: BTreeSet<InboxName> = changes.inboxes.iter().map(|inbox| inbox.inbox).collect();
                    assert!(seen.is_subset(&self.inboxes()), "{who:?}: {seen:?}");
                    assert!(!cursor.is_empty() || seen == self.inboxes(), "{who:?}: {seen:?}");
                }
            }
            "/v1/snapshot" => {
                let snapshot: Snapshot = read(self.get(path).await).await;
                assert_eq!(snapshot.merchant, self.subject.merchant, "{who:?}");
                assert_eq!(snapshot.heads.len(), self.inboxes().len(), "{who:?}");
                assert_eq!(snapshot.member.is_none(), self.service(), "{who:?}");
                let own = |account| account == self.device().account && !self.service();
                assert!(snapshot.lots.iter().all(|lot| own(lot.account)), "{who:?}");
            }
            "/v1/one-time-codes" => self.asks_for_digits(path).await,
            "/v1/one-time-codes/look-up" => self.looks_up(path).await,
            "/v1/pictures" => {
                let answer = self.post(path, &"no picture").await;
                let (status, code) = if self.service() { (403, "forbidden") } else { (415, "not_a_picture") };
                assert_eq!(self.code(answer, status).await, code);
            }
            "/v1/invitations" => {
                let answer = self.get(path).await;
                if !self.owner() {
                    assert_eq!(self.code(answer, 403).await, "forbidden");
                    return;
                }
                let (theirs, _) = self.theirs().await;
                let seen: InvitationTraces = read(answer).await;
                assert!(!seen.traces.iter().any(|trace| trace.invitation == theirs), "{who:?}");
            }
            "/v1/invitations/open" => {
                let shown = InvitationShown { token: Some(InvitationToken([9; 16]).hex()), code: None };
                let (status, code) =
                    if self.service() { (403, "forbidden") } else { (404, "invitation_void") };
                assert_eq!(self.code(self.post(path, &shown).await, status).await, code);
            }
            "/v1/invitations/send" => {
                let (invitation, token) = self.theirs().await;
                let (channel, to) = (Channel::Email, "shop@moa.example".to_owned());
                let asked = InvitationToSend { invitation, token: token.hex(), channel, to };
                let (status, code) = if self.owner() { (404, "invitation_void") } else { (403, "forbidden") };
                assert_eq!(self.code(self.post(path, &asked).await, status).await, code);
            }
            "/v1/directory" => assert_eq!(self.get(path).await.status(), 200, "{who:?}"),
            "/v1/search" => {
                for what in ["groups", "shops"] {
                    let found: Value = read(self.get(&format!("{path}?what={what}")).await).await;
                    assert!(!found[what].as_array().unwrap().is_empty(), "{who:?}: {found}");
                    let owner = self.street.florist.device.account.to_string();
                    assert!(!found.to_string().contains(&owner), "{found}");
                }
            }
            // The directory is everyone's, and has no people in it.
            "/v1/groups/{id}" => {
                self.is_public("/v1/groups", &self.street.groups[0].to_string(), &NO_GROUP.to_string()).await;
            }
            "/v1/merchants/{id}" => {
                let other = self.street.florist.merchant;
                self.is_public("/v1/merchants", &other.to_string(), &NO_SHOP.to_string()).await;
            }
            "/v1/keys/{id}" => {
                let (till, buyer) = (&self.street.florist.device, &self.street.regular);
                self.is_public("/v1/keys", &till.key_id().to_string(), &buyer.key_id().to_string()).await;
            }
            _ => panic!("{path} is not tried"),
        }
    }

    /// An invitation by a shop that is not the subject's, and its token.
    async fn theirs(&self) -> (OpId, InvitationToken) {
        let (town, florist) = (&self.street.town, &self.street.florist.device);
        let token = InvitationToken(fresh_id());
        let (hash, expires) = (Some(TokenHash(token.hash())), town.now().plus(Timestamp::DAY).seconds());
        let body = OpBody::Invite { to: Invited::App, hash, shop: None, uses: 1, expires };
        let invites = florist.op(town.now(), body);
        town.applied(&[&invites]).await;
        (invites.value().id, token)
    }

    async fn is_public(&self, path: &str, there: &str, not_there: &str) {
        let found: Value = read(self.get(&format!("{path}/{there}")).await).await;
        assert!(!found.to_string().contains(&self.street.florist.device.account.to_string()), "{found}");
        assert_eq!(self.code(self.get(&format!("{path}/{not_there}")).await, 404).await, "not_found");
    }

    async fn member_bytes(&self, of: &Device) -> Base64 {
        let Buyer::Member(code) = self.street.member_code(of).await else { panic!("no member code") };
        Base64([&code.tag[..], &code.step.to_be_bytes(), &code.mac].concat())
    }

    async fn asks_for_digits(&self, path: &str) {
        let theirs = OneTimeRequest { code: self.member_bytes(&self.street.regular).await };
        assert_eq!(self.code(self.post(path, &theirs).await, 422).await, "bad_one_time_code");
        if self.service() {
            let code =
                self.device().code(self.street.town.now(), self.street.groups[0], Units::new(1).unwrap());
            let own = OneTimeRequest { code: Base64(code.bytes().to_vec()) };
            assert_eq!(self.code(self.post(path, &own).await, 422).await, "bad_one_time_code");
        } else {
            let own = OneTimeRequest { code: self.member_bytes(self.device()).await };
            let _: OneTime = read(self.post(path, &own).await).await;
        }
    }

    async fn looks_up(&self, path: &str) {
        let digits = async || {
            let (town, buyer) = (&self.street.town, self.street.enrol().await);
            let code = buyer.code(town.now(), self.street.groups[0], Units::new(1).unwrap());
            let body = OneTimeRequest { code: Base64(code.bytes().to_vec()) };
            let request = town.request(Method::POST, "/v1/one-time-codes", &buyer).await.json(&body);
            OneTimeLookup { digits: read::<OneTime>(request.send().await.unwrap()).await.digits }
        };
        let (free, taken) = (digits().await, digits().await);
        let baker = &self.street.baker.device;
        let takes = self.street.town.request(Method::POST, path, baker).await.json(&taken);
        assert_eq!(takes.send().await.unwrap().status(), 200);
        if self.subject.merchant.is_some() {
            assert_eq!(self.post(path, &free).await.status(), 200, "{:?}", self.subject.who);
            assert_eq!(self.code(self.post(path, &taken).await, 409).await, "one_time_code_used");
        } else {
            assert_eq!(self.code(self.post(path, &free).await, 403).await, "forbidden");
            assert_eq!(self.code(self.post(path, &taken).await, 403).await, "forbidden");
        }
    }

    /// Another's tokens are of no use to the own key.
    async fn tries_anothers_session(&self) {
        let (town, other) = (&self.street.town, &self.other.device);
        let token = town.token(other).await;
        for (method, path, _) in all_routes().filter(|(.., route)| *route == Route::Read) {
            let path = path.replace("{id}", &self.street.groups[0].to_string());
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let proof = self.device().proof(town.now(), &method, &town.url(&path), Some(&token));
            let request = town.client.request(method, town.url(&path)).header("dpop", proof);
            let answer = request.header("authorization", format!("DPoP {token}")).send().await.unwrap();
            assert_eq!(self.code(answer, 401).await, "proof_wrong");
        }
        let refresh = other.session.lock().unwrap().as_ref().unwrap().refresh.clone();
        let theirs = RefreshRequest { refresh };
        for path in ["/v1/sessions/refresh", "/v1/sessions/end"] {
            let answer = town.post_proved(path, self.device(), &theirs).await;
            assert_eq!(self.code(answer, 401).await, "proof_wrong");
        }
        // Their word for a session key is not this one's.
        let answer = town.begin_session(self.device(), &other.endorsement(town.now())).await;
        assert_eq!(self.code(answer, 422).await, "endorsement_wrong");
        assert_eq!(town.get("/v1/snapshot", other).await.status(), 200, "the other's session goes on");
    }
}

fn all_routes() -> impl Iterator<Item = (&'static str, &'static str, Route)> {
    ROUTES.into_iter().chain([KEYS])
}

#[tokio::test]
async fn nobody_reads_what_is_another_s_in_any_role() {
    let street = Street::open().await;
    let document: Value = read(street.town.get("/openapi.json", None).await).await;
    let paths: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_value(document["paths"].clone()).unwrap();
    let written = paths.iter().flat_map(|(path, methods)| {
        let path = path.replace("{enrolment}", "{id}");
        methods.keys().map(move |method| (method.clone(), path.clone()))
    });
    let written: BTreeSet<(String, String)> = written.collect();
    let known = all_routes().map(|(method, path, _)| (method.to_owned(), path.to_owned()));
    let mut known: BTreeSet<_> = known.collect();
    // For development alone: no carrier is there, so the messages are shown.
    known.insert(("get".to_owned(), "/v1/development/inbox".to_owned()));
    assert_eq!(written, known, "each route of the API is tried for each role");

    for who in Who::all() {
        let (subject, other) = (street.subject(who).await, street.subject(who).await);
        if matches!(who, Who::Nobody | Who::Role(Role::Server)) {
            // Neither is a person's device: there is no session to be had, and nothing without one.
            let endorsement = subject.device.endorsement(street.town.now());
            let answer = street.town.begin_session(&subject.device, &endorsement).await;
            assert_eq!(problem(answer).await.code, "unauthorized", "{who:?}");
            for (method, path, _) in all_routes().filter(|(.., route)| *route == Route::Read) {
                let url = street.town.url(&path.replace("{id}", &street.groups[0].to_string()));
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let answer = street.town.client.request(method, url).send().await.unwrap();
                assert_eq!(problem(answer).await.code, "unauthorized", "{who:?} {path}");
            }
            continue;
        }
        let asks = Asks { street: &street, subject: &subject, other: &other };
        for (_, path, _) in all_routes().filter(|(.., route)| *route == Route::Read) {
            asks.tries(path).await;
        }
        asks.tries_anothers_session().await;
    }
    street.town.close().await;
}

#[tokio::test]
async fn an_owner_sees_the_staff_with_what_they_sold_and_what_of_each_till_has_not_arrived() {
    let street = Street::open().await;
    let town = &street.town;
    let clerk = street.subject(Who::Role(Role::Staff)).await;
    let owner = clerk.owner.as_ref().unwrap();
    let sells = |won| OpBody::RecordSale { amount: Money(won), addressee: None, redemption: None };
    let [first, second, third] = [30_000, 20_000, 10_000].map(|won| clerk.device.op(town.now(), sells(won)));
    town.applied(&[&first, &third]).await;
    let service = street.till(owner, moa_rules::device::KeyKind::Service).await;

    let seen: ShopStaff = read(town.get("/v1/staff", owner).await).await;
    assert_eq!(seen.staff.len(), 1);
    let entry = &seen.staff[0];
    assert_eq!((entry.account, entry.key), (clerk.device.account, clerk.device.key_id()));
    assert_eq!((entry.sold_today, entry.limits.per_sale), (Money(40_000), Money(1_000_000)));
    assert_eq!((entry.joined_at, entry.left_at), (town.now(), None));
    let till = |key: KeyId, seen: &ShopStaff| seen.tills.iter().find(|till| till.key == key).unwrap().clone();
    let clerks = till(clerk.device.key_id(), &seen);
    assert_eq!((clerks.role, clerks.missing, clerks.heard_at), (ShopRole::Staff, 1, Some(town.now())));
    assert_eq!(clerks.certificate.unwrap().used, Money(40_000));
    assert_eq!(till(service.key_id(), &seen).kind, DeviceKind::Service);
    assert_eq!(till(owner.key_id(), &seen).role, ShopRole::Owner);

    town.applied(&[&second]).await;
    let leaves = OpBody::RemoveStaff { merchant: seen.merchant, account: clerk.device.account };
    town.pass(86_400_000);
    town.applied(&[&owner.op(town.now(), leaves)]).await;
    let seen: ShopStaff = read(town.get("/v1/staff", owner).await).await;
    assert_eq!((seen.staff[0].sold_today, seen.staff[0].left_at), (Money(0), Some(town.now())));
    let clerks = till(clerk.device.key_id(), &seen);
    assert_eq!((clerks.role, clerks.missing), (ShopRole::Left, 0));
    // A clerk who has left is a person like any other, and looks up no buyers' digits for the shop.
    let digits = OneTimeLookup { digits: "000000000000".to_owned() };
    let request = town.request(Method::POST, "/v1/one-time-codes/look-up", &clerk.device).await;
    assert_eq!(problem(request.json(&digits).send().await.unwrap()).await.code, "forbidden");
    street.town.close().await;
}

#[tokio::test]
async fn a_person_sees_the_kind_role_and_end_of_each_of_their_keys() {
    let street = Street::open().await;
    let town = &street.town;
    let shop = street.subject(Who::Role(Role::Browser)).await;
    let phone = shop.phone.as_ref().unwrap();
    let new = street.further(phone.account).await;
    town.pass(1_000);
    let ends = OpBody::RevokeDevice { key: shop.device.key_id() };
    town.applied(&[&phone.op(town.now(), ends)]).await;
    let seen: Devices = read(town.get("/v1/devices", phone).await).await;
    let of = |key: KeyId| seen.devices.iter().find(|device| device.key == key).unwrap();
    assert_eq!(seen.devices.len(), 3);
    let (own, browser, new) = (of(phone.key_id()), of(shop.device.key_id()), of(new.key_id()));
    assert_eq!((own.kind, own.role, own.merchant), (DeviceKind::Phone, Some(ShopRole::Owner), shop.merchant));
    assert_eq!((browser.kind, browser.revoked_at), (DeviceKind::Browser, Some(town.now())));
    assert!(browser.until.is_some_and(|until| until > town.now()));
    assert_eq!((new.role, new.merchant, new.revoked_at, new.until), (None, None, None, None));
    assert_eq!(new.pays_from, new.since.plus(48 * 3_600_000));
    assert!(own.pays_from <= town.now());
    street.town.close().await;
}
