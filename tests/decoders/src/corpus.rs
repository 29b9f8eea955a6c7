//! The seeds of the corpus: one good example of every kind that each way in takes, made from real keys.

mod ledger;
mod people;

use moa_rules::device::KeyKind;
use moa_rules::event::{EVENT_VERSION, Event, EventBody, Inbox};
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::member::{Buyer, MemberCode};
use moa_rules::merchant::MerchantProfile;
use moa_rules::one_time::OneTimeCode;
use moa_rules::op::{Choice, OP_VERSION, Op, OpBody, RedemptionCode};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::standing::StandingChoice;
use moa_rules::terms::{Profile, Scope, Terms, Unit};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::api::{
    Base64, Changes, Confirmation, Directory, EnrolmentRequest, InboxChanges, OneTimeLookup, OneTimeRequest,
    Ops, RefreshRequest, Session, SessionRequest, Snapshot, Verdict, Verdicts,
};
use moa_wire::dpop;
use moa_wire::invitation::{InvitationCode, InvitationToken};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::link::{self, Destination};
use moa_wire::number::TypedNumber;
use moa_wire::token::{Approval, Checked, Head, Possession, SessionEndorsement};
use moa_wire::{canonical, chain, code, member, number};
use serde::Serialize;

use crate::answers::{ACCOUNT, server_key};
use crate::tokens::BASE;

/// A way in, a name, and the bytes.
pub type Seed = (&'static str, String, Vec<u8>);

const GROUP: GroupId = GroupId([3; 16]);
const MERCHANT: MerchantId = MerchantId([2; 16]);
const SALT: [u8; number::SALT_BYTES] = [8; number::SALT_BYTES];
const NUMBER: &str = "010-1234-5678";
const INVITATION: Destination = Destination::Invitation(InvitationToken([0xd7; 16]));
const NOON: i64 = 1_795_230_000_000;

/// Every seed. The keys are new each time, so that a second run gives other bytes of the same form.
pub fn seeds() -> Vec<Seed> {
    let key = SoftwareKey::generate().expect("randomness").0;
    let ops = ops(&key);
    let code = Checked::sign(redemption_code(&key, None), &key).expect("signed");
    let stamps = Checked::sign(redemption_code(&key, Some(Unit::Stamp(10))), &key).expect("signed");
    let approval = Checked::sign(approval(), &server_key()).expect("signed");
    let head = Checked::sign(Head::new(Inbox::Account(ACCOUNT), 7, [7; 32]), &server_key()).expect("signed");
    let possession = Possession { version: OP_VERSION, enrolment: [9; 16] };
    let possession = Checked::sign(possession, &key).expect("signed");
    let endorsement = SessionEndorsement {
        version: OP_VERSION,
        key: key.key_id(),
        public_key: key.public_key().try_into().expect("a point"),
        from: 1_795_230_000,
        until: 1_795_230_000 + SessionEndorsement::MOST_SECONDS,
    };
    let endorsement = Checked::sign(endorsement, &key).expect("signed");
    let mut seeds: Vec<Seed> = Vec::new();
    for (name, op) in &ops {
        seeds.push(("submission", (*name).to_owned(), op.bytes().to_vec()));
    }
    let tokens = [
        code.bytes(),
        stamps.bytes(),
        approval.bytes(),
        head.bytes(),
        possession.bytes(),
        endorsement.bytes(),
    ];
    for (name, token) in
        ["code", "code-of-stamps", "approval", "head", "possession", "endorsement"].into_iter().zip(tokens)
    {
        seeds.push(("tokens", name.to_owned(), token.to_vec()));
    }
    for (name, token) in people::tokens(&key) {
        seeds.push(("tokens", name.to_owned(), token.clone()));
        seeds.push(("scanned", name.to_owned(), code::text(&token).into_bytes()));
    }
    for (name, event) in events(&key) {
        seeds.push(("event", name.to_owned(), canonical::encode(&event)));
    }
    let sale = ops.iter().find(|(name, _)| *name == "sale").map(|(_, op)| op.bytes()).unwrap_or_default();
    let kakao = link::parameter(INVITATION);
    for (name, text) in [
        ("voucher", code::text(sale)),
        ("code", code::text(code.bytes())),
        ("code-of-stamps", code::text(stamps.bytes())),
        ("approval", code::text(approval.bytes())),
        ("member", member::text(&member_code())),
        ("digits", digits().digits()),
        ("digits-read-aloud", digits().text()),
        ("digits-mistyped", "1234 5678 9012".to_owned()),
        ("link", link::link(Destination::Group(GROUP), BASE)),
        ("poster", link::poster(Destination::Merchant(MERCHANT), BASE)),
        ("app-link", link::app_link(Destination::Wallet(GROUP))),
        ("invitation", link::link(INVITATION, BASE)),
        ("invitation-poster", link::poster(INVITATION, BASE)),
        ("invitation-from-kakao", format!("kakao00ff://kakaolink?{}={}", kakao.0, kakao.1)),
        ("invitation-from-the-store", format!("utm_source%3Dposter%26{}", link::referrer(INVITATION))),
        ("invitation-in-a-message", format!("감나무 골목\n<{}>.", link::link(INVITATION, BASE))),
        ("invitation-code", InvitationCode::of(12_345_678_901).text()),
        ("invitation-code-mistyped", "0000-0001".to_owned()),
        ("token-link", link::token_link(sale, BASE)),
        ("broken-link", format!("{BASE}/i/d7d7")),
        ("payment", "00020101021229300012D156000000000510A93FO3230Q".to_owned()),
    ] {
        seeds.push(("scanned", name.to_owned(), text.into_bytes()));
    }
    let named = ops.iter().find(|(name, _)| *name == "sell-to-number").map(|(_, op)| op.value().id);
    let typed = TypedNumber {
        op: named.expect("among them"),
        salt: Base64(SALT.to_vec()),
        number: NUMBER.to_owned(),
    };
    let all = Ops { ops: ops.iter().map(|(_, op)| Base64::from(op.bytes())).collect(), numbers: vec![typed] };
    let shorten = OneTimeRequest { code: Base64::from(code.bytes()) };
    let look_up = OneTimeLookup { digits: digits().digits() };
    let enrolment =
        EnrolmentRequest { phone: "010-1234-5678".to_owned(), public_key: Base64(key.public_key()) };
    let confirmation = Confirmation {
        code: "123456".to_owned(),
        possession: Base64::from(possession.bytes()),
        recovery: Some("01234-56789".to_owned()),
    };
    let session = SessionRequest { endorsement: Base64::from(endorsement.bytes()), name: "폰".to_owned() };
    let refresh = RefreshRequest { refresh: "cmVmcmVzaA".to_owned() };
    let shown = dpop::Request { method: "GET", url: "https://moa.example/v1/snapshot", token: Some("none") };
    let shown = dpop::prove(&key, shown, [7; 16], 1_795_230_000).expect("signed");
    let cursor = canonical::encode(&vec![(Inbox::Account(ACCOUNT), 3_u64)]);
    let directory = canonical::encode(&(Timestamp(NOON), MERCHANT));
    let base64url = |bytes: &[u8]| Base64Url(bytes).text().into_bytes();
    for (name, route, body) in [
        ("ops", 0, json(&all)),
        ("one-time", 10, json(&shorten)),
        ("one-time-look-up", 11, json(&look_up)),
        ("session", 12, json(&session)),
        ("refresh", 13, json(&refresh)),
        ("session-end", 14, json(&refresh)),
        ("proof", 15, shown.into_bytes()),
        ("enrolment", 2, json(&enrolment)),
        ("confirmation", 3, json(&confirmation)),
        ("changes", 4, base64url(&cursor)),
        ("changes-wait", 5, b"&wait=0".to_vec()),
        ("directory", 6, base64url(&directory)),
        ("group", 7, GROUP.to_string().into_bytes()),
        ("key", 8, key.key_id().to_string().into_bytes()),
        ("health", 9, b"healthz".to_vec()),
        ("inbox", 9, b"v1/development/inbox?phone=01012345678".to_vec()),
    ] {
        seeds.push(("requests", name.to_owned(), [vec![route], body].concat()));
    }
    seeds.extend(answers(&key));
    seeds
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("our own types are JSON")
}

/// Base64url as cursors have it.
struct Base64Url<'b>(&'b [u8]);

impl Base64Url<'_> {
    fn text(&self) -> String {
        let json = serde_json::to_string(&Base64::from(self.0)).expect("a text");
        json.trim_matches(['"', '=']).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
    }
}

fn terms() -> Terms {
    let minimum = Units::new(1_000).expect("in range");
    Terms::points(BasisPoints::new(300).expect("in range"), Validity::Months(6), minimum)
}

fn profile() -> MerchantProfile {
    MerchantProfile::new("달빛책방", Currency::KRW, None)
}

fn group_profile() -> Profile {
    Profile::new("골목", Scope::Area)
}

fn ops(key: &SoftwareKey) -> Vec<(&'static str, Checked<Op>)> {
    let sign = |counter: u8, body| {
        let mut id = [counter; 16];
        (id[6], id[8]) = (0x70, 0x80);
        let (actor, time) = (key.key_id(), Timestamp(NOON).seconds());
        let op = Op { version: OP_VERSION, id: OpId(id), actor, counter: u64::from(counter), time, body };
        Checked::sign(op, key).expect("signed")
    };
    let sale = sign(4, OpBody::RecordSale { amount: Money(12_000), addressee: None, redemption: None });
    let choice = Some(Choice { group: GROUP, terms_version: 1 });
    let stamps = Checked::sign(redemption_code(key, Some(Unit::Stamp(10))), key).expect("signed");
    let code = Checked::sign(redemption_code(key, None), key).expect("signed").bytes().to_vec();
    let units = Units::new(500).expect("in range");
    let mut counter = 20;
    let more = people::ops(key).into_iter().chain(ledger::ops(stamps.bytes())).map(|(name, body)| {
        counter += 1;
        (name, sign(counter, body))
    });
    let more: Vec<(&'static str, Checked<Op>)> = more.collect();
    let sell_to =
        |counter, buyer| sign(counter, OpBody::SellTo { amount: Money(12_000), buyer, redemption: None });
    let mut ops = vec![
        ("merchant", sign(1, OpBody::RegisterMerchant { profile: profile() })),
        ("group", sign(2, OpBody::FoundGroup { profile: group_profile(), terms: terms() })),
        ("join", sign(3, OpBody::JoinGroup { group: GROUP, terms_version: 1, invitation: None })),
        ("claim", sign(5, OpBody::Claim { sale: sale.bytes().to_vec(), choice })),
        ("redeem", sign(6, OpBody::Redeem { code, units })),
        ("sale", sale),
        ("sell-to-member", sell_to(7, Buyer::Member(member_code()))),
        ("sell-to-digits", sell_to(8, Buyer::OneTime(digits()))),
        ("sell-to-number", sell_to(9, Buyer::Number(number::hash(&SALT, NUMBER)))),
        ("claim-waiting", sign(10, OpBody::ClaimWaiting { merchant: MERCHANT, sale: OpId([7; 16]), choice })),
        (
            "standing",
            sign(11, OpBody::SetStanding { choice: StandingChoice { groups: vec![GROUP], best: true } }),
        ),
    ];
    ops.extend(more);
    ops
}

fn member_code() -> MemberCode {
    MemberCode { tag: [5; 16], step: 59_841_000, mac: [6; 8] }
}

fn digits() -> OneTimeCode {
    OneTimeCode::of(12_345_678_901).expect("eleven digits")
}

fn redemption_code(key: &SoftwareKey, unit: Option<Unit>) -> RedemptionCode {
    RedemptionCode {
        version: OP_VERSION,
        key: key.key_id(),
        counter: 9,
        expires: Timestamp(NOON).seconds() + 180,
        group: GROUP,
        most: Units::new(5_000).expect("in range"),
        unit,
    }
}

fn approval() -> Approval {
    Approval {
        version: OP_VERSION,
        op: OpId([6; 16]),
        merchant: MERCHANT,
        group: GROUP,
        units: Units::new(500).expect("in range"),
        expires: Timestamp(NOON).seconds() + 180,
        unit: None,
    }
}

fn events(key: &SoftwareKey) -> Vec<(&'static str, Event)> {
    let actor = key.key_id();
    let event = |index, body| {
        let at = Timestamp(NOON);
        Event { version: EVENT_VERSION, actor, op: OpId([5; 16]), index, at, body }
    };
    let time = Timestamp(NOON).seconds();
    let mut events = vec![
        (
            "device",
            event(
                0,
                EventBody::DeviceEnrolled {
                    account: ACCOUNT,
                    key: actor,
                    public_key: key.public_key(),
                    kind: KeyKind::Phone,
                    pays_from: Timestamp(NOON),
                    merchant: None,
                },
            ),
        ),
        (
            "merchant",
            event(
                0,
                EventBody::MerchantRegistered {
                    merchant: MERCHANT,
                    owner: ACCOUNT,
                    key: actor,
                    profile: profile(),
                },
            ),
        ),
        (
            "group",
            event(
                0,
                EventBody::GroupFounded {
                    group: GROUP,
                    founder: MERCHANT,
                    profile: group_profile(),
                    terms: terms(),
                },
            ),
        ),
        (
            "joined",
            event(
                1,
                EventBody::MemberJoined {
                    group: GROUP,
                    merchant: MERCHANT,
                    terms_version: 1,
                    invitation: None,
                },
            ),
        ),
        (
            "sale",
            event(
                0,
                EventBody::SaleRecorded {
                    sale: OpId([4; 16]),
                    merchant: MERCHANT,
                    key: actor,
                    amount: Money(12_000),
                    time,
                    addressee: Some(ACCOUNT),
                    till: None,
                    redemption: None,
                },
            ),
        ),
        (
            "waits",
            event(
                1,
                EventBody::SaleWaits {
                    sale: OpId([4; 16]),
                    merchant: MERCHANT,
                    account: ACCOUNT,
                    amount: Money(12_000),
                    time,
                    until: Timestamp(NOON).plus(7 * Timestamp::DAY),
                    till: None,
                },
            ),
        ),
        (
            "lapsed",
            event(
                0,
                EventBody::SaleLapsed {
                    sale: OpId([4; 16]),
                    merchant: MERCHANT,
                    account: ACCOUNT,
                    till: None,
                },
            ),
        ),
        (
            "standing",
            event(
                0,
                EventBody::StandingSet {
                    account: ACCOUNT,
                    choice: StandingChoice { groups: vec![GROUP], best: true },
                },
            ),
        ),
    ];
    let more = people::events(key).into_iter().chain(ledger::events());
    events.extend(more.map(|(name, body)| (name, event(0, body))));
    events
}

/// Answers that a phone takes: signed by the key that it trusts, about its own account.
fn answers(key: &SoftwareKey) -> Vec<Seed> {
    let now = Timestamp(NOON);
    let (mut hash, mut bytes) = ([0; 32], Vec::new());
    for (number, (_, event)) in (1_u64..).zip(events(key).into_iter().take(2)) {
        let event = canonical::encode(&event);
        hash = chain::next(hash, number, &event);
        bytes.push(Base64(event));
    }
    let inbox = Inbox::Account(ACCOUNT);
    let signed = |count, hash| {
        let head = Checked::sign(Head::new(inbox, count, hash), &server_key()).expect("signed");
        Base64::from(head.bytes())
    };
    let page = InboxChanges { inbox: inbox.into(), first: 1, events: bytes, head: signed(2, hash) };
    let changes = Changes { inboxes: vec![page], cursor: "AA".to_owned(), more: false, directory: None, now };
    let verdicts = Verdicts {
        verdicts: vec![Verdict::Applied, Verdict::Retry { after_s: 2 }],
        tokens: vec![people::given(key)],
        now,
    };
    let (lots, debts, holds) = ledger::standing();
    let snapshot = serde_json::json!({
        "account": ACCOUNT, "merchant": null, "lots": lots, "debts": debts, "holds": holds,
        "passes": [Base64(canonical::encode(&people::kept(key)))],
        "heads": [signed(2, hash)], "cursor": "AA", "now": now,
    });
    debug_assert!(serde_json::from_value::<Snapshot>(snapshot.clone()).is_ok());
    let (groups, cursor) = (vec![ledger::group()], "AA".to_owned());
    let directory = Directory { merchants: Vec::new(), groups, cursor, more: false };
    let session = Session {
        token: "token".to_owned(),
        expires_at: Timestamp(i64::MAX),
        refresh: "refresh".to_owned(),
        now,
    };
    let stale = moa_wire::problem::Problem::new(401, "Unauthorized", "proof_stale", "The clock is off.");
    let stale = stale.with("now", NOON);
    let over = moa_wire::problem::Problem::new(401, "Unauthorized", "session_over", "Begin anew.");
    let seed = |name: &str, which: u8, status: u8, body: Vec<u8>| {
        ("answers", name.to_owned(), [vec![which, status], body].concat())
    };
    let problem = moa_wire::problem::Problem::new(410, "Gone", "cursor_gone", "Start again.");
    vec![
        seed("changes", 0, 0, json(&changes)),
        seed("snapshot", 0, 0, json(&snapshot)),
        seed("directory", 1, 0, br#"{"merchants":[],"groups":[],"cursor":"AA","more":false}"#.to_vec()),
        seed("directory-of-a-group", 1, 0, json(&directory)),
        seed("verdicts", 0, 0, json(&verdicts)),
        seed("gone", 0, 5, json(&problem)),
        seed("session", 128, 0, json(&session)),
        seed("session-stale", 128, 4, json(&stale)),
        seed("stale", 0, 4, json(&stale)),
        seed("over", 0, 4, json(&over)),
    ]
}
