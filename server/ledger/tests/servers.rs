//! Several servers on one PostgreSQL, and connections that break at the worst instant: every op once.

mod town;

use std::sync::{Arc, Barrier};

use moa_database::{Database, Fault, Proxy, Server};
use moa_ledger::engine::Engine;
use moa_ledger::memory::MemoryStore;
use moa_ledger::postgres::{Batches, PostgresStore};
use moa_ledger::store::{Answer, Committed, Outcome, People, Store};
use moa_rules::event::Inbox;
use moa_rules::id::{AccountId, GroupId};
use moa_rules::op::OpBody;
use moa_rules::quantity::Units;
use moa_rules::terms::Basis;
use moa_wire::keys::Signer;
use moa_wire::submission::Submission;
use town::stores::fresh;
use town::{Actor, START, Shop, Town, points, system};

/// Two servers on one database.
struct Two {
    towns: [Town<PostgresStore>; 2],
    _database: Database<'static>,
}

/// Two that take turns, and two whose batches are serializable.
fn both() -> [Two; 2] {
    [Batches::InTurn, Batches::Serializable].map(two)
}

fn two(batches: Batches) -> Two {
    let (actor, device) = system();
    let database = fresh();
    let open = || Arc::new(PostgresStore::open_with(&database.url(), &device, batches).unwrap());
    let one = Town::new(open(), actor);
    let (actor, _) = system();
    let ids = one.ids.clone();
    let two = Town { ids, ..Town::new(open(), actor) };
    Two { towns: [one, two], _database: database }
}

fn redemptions(town: &Town<impl Store>, shop: &Shop, buyer: &Actor, group: GroupId) -> Vec<Submission> {
    let units = Units::new(100).unwrap();
    let one = |_| {
        let body = OpBody::Redeem { code: buyer.code(group, 100, town.now), units };
        town.check(&shop.actor.sign(shop.actor.op(body, town.now))).unwrap()
    };
    (0..100).map(one).collect()
}

fn applied(outcomes: impl IntoIterator<Item = Outcome>) -> usize {
    outcomes.into_iter().filter(|outcome| *outcome == Outcome::First(Answer::Applied)).count()
}

#[test]
fn a_hundred_redemptions_at_two_servers_take_exactly_what_there_is() {
    for Two { towns: [town, other], .. } in &both() {
        let cafe = town.shop("카페");
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 25_000);
        let redemptions = redemptions(town, &cafe, &buyer, group);
        let start = Barrier::new(4);
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = redemptions
                .chunks(25)
                .zip([town, other].into_iter().cycle())
                .map(|(chunk, at)| {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        let commit =
                            |one: &Submission| at.store.commit(std::slice::from_ref(one), START).unwrap();
                        applied(chunk.iter().flat_map(|one| commit(one).outcomes))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((taken, other.balance(&buyer, group)), (25, 0));
    }
}

/// Rows of `ops` that were read by its key so far, once whoever read has gone.
fn ops_read(database: &Database) -> u64 {
    let others = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", database.name());
    while database.server().run("postgres", &others) != "0" {}
    database
        .run("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'ops_pkey'")
        .parse()
        .unwrap()
}

#[test]
fn a_table_that_was_empty_when_its_plan_was_made_is_still_read_by_its_key_when_it_is_full() {
    const SALES: u64 = 500;
    let (actor, device) = system();
    let database = fresh();
    let store = Arc::new(PostgresStore::open(&database.url(), &device).unwrap());
    // Without it, the planner takes a table that it knows nothing of for a small one, not an empty one.
    database.run("VACUUM ANALYZE");
    let town = Town::new(store, actor);
    let cafe = town.shop("카페");
    (0..SALES)
        .for_each(|_| assert_eq!(town.submit(&town.sale(&cafe, 1_000)), Outcome::First(Answer::Applied)));
    drop(town);
    let read = ops_read(&database);
    assert!(read < SALES * SALES / 20, "{read} rows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_committers_of_two_servers_take_exactly_what_there_is_too() {
    for Two { towns: [town, other], .. } in &both() {
        let cafe = town.shop("카페");
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 25_000);
        let engines = [town, other].map(|at| Engine::start(at.store.clone(), Arc::new(|| START)));
        let asked = redemptions(town, &cafe, &buyer, group).into_iter().zip(engines.iter().cycle());
        let asked = asked.map(|(one, engine)| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.submit(vec![one]).await.unwrap() })
        });
        let mut taken = 0;
        for answer in asked.collect::<Vec<_>>() {
            taken += applied(answer.await.unwrap());
        }
        assert_eq!((taken, town.balance(&buyer, group)), (25, 0));
        tokio::task::spawn_blocking(move || engines.each_ref().map(Engine::stop)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hot_shop_at_two_servers_loses_nothing_and_its_inbox_has_no_gap() {
    const SALES: usize = 120;
    for Two { towns: [town, other], .. } in &both() {
        let cafe = town.shop("카페");
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let buyers: Vec<Actor> = (0..6).map(|_| town.enrol()).collect();
        let before = town.store.head(Inbox::Merchant(cafe.id)).unwrap().count;
        let claims: Vec<Submission> = (0..SALES)
            .map(|at| town.check(&town.claim(&buyers[at % 6], &town.sale(&cafe, 10_000), group)).unwrap())
            .collect();
        let engines = [town, other].map(|at| Engine::start(at.store.clone(), Arc::new(|| START)));
        let asked = claims.into_iter().zip(engines.iter().cycle()).map(|(one, engine)| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.submit(vec![one]).await.unwrap() })
        });
        let mut done = 0;
        for answer in asked.collect::<Vec<_>>() {
            done += applied(answer.await.unwrap());
        }
        assert_eq!(done, SALES);
        assert!(buyers.iter().all(|buyer| other.balance(buyer, group) == 500 * 20));
        // A sale recorded and an accrual each, in the shop's inbox.
        let head = other.store.head(Inbox::Merchant(cafe.id)).unwrap();
        assert_eq!(head.count, before + 2 * SALES as u64);
        let page = other.store.inbox(Inbox::Merchant(cafe.id), 0, usize::MAX).unwrap();
        assert_eq!((page.events.len() as u64, page.head), (head.count, head));
        tokio::task::spawn_blocking(move || engines.each_ref().map(Engine::stop)).await.unwrap();
    }
}

/// A server behind a way on which ends of transactions go wrong, and a model that is told the same ops.
struct Faulty {
    town: Town<PostgresStore>,
    model: MemoryStore,
    proxy: Proxy,
    database: Database<'static>,
}

impl Faulty {
    fn new() -> Self {
        let (actor, device) = system();
        let database = fresh();
        let proxy = Proxy::start(database.server().port()).unwrap();
        let store = PostgresStore::open(&database.url_at(proxy.port()), &device).unwrap();
        Self { town: Town::new(Arc::new(store), actor), model: MemoryStore::new(&device), proxy, database }
    }

    /// Commits here and in the model: they must say the same.
    fn commit(&self, batch: &[Submission], faults: impl IntoIterator<Item = Fault>) -> Committed {
        self.proxy.meet(faults);
        let committed = self.town.store.commit(batch, START).unwrap();
        assert_eq!(committed, self.model.commit(batch, START).unwrap());
        committed
    }

    fn check_same(&self, inboxes: &[Inbox]) {
        assert_eq!(self.town.store.tables().unwrap(), self.model.tables());
        for inbox in inboxes {
            let page = self.town.store.inbox(*inbox, 0, usize::MAX).unwrap();
            assert_eq!(page, self.model.inbox(*inbox, 0, usize::MAX).unwrap());
        }
    }
}

/// Someone's enrolment, shop and group as submissions, so that the model can be told them.
struct Cast {
    cafe: Shop,
    group: GroupId,
    buyer: Actor,
    told: Vec<Submission>,
}

fn cast(faulty: &Faulty) -> Cast {
    let town = &faulty.town;
    let mut told = Vec::new();
    let mut tell = |signed: &moa_wire::token::Checked<moa_rules::op::Op>| {
        let submission = town.check(signed).unwrap();
        let one = std::slice::from_ref(&submission);
        assert_eq!(faulty.commit(one, []).outcomes, [Outcome::First(Answer::Applied)]);
        told.push(submission);
    };
    let mut enrol = || {
        let actor = Actor::new(&town.ids);
        let (account, key, public_key) = (actor.account, actor.key_id(), actor.key.public_key());
        tell(&town.system_op(OpBody::EnrolDevice { account, key, public_key, proved: Some(true) }));
        actor
    };
    let (owner, buyer) = (enrol(), enrol());
    let profile = town::shop_profile("카페");
    let opened = owner.sign(owner.op(OpBody::RegisterMerchant { profile }, town.now));
    tell(&opened);
    let terms = points(1_000, 0, Basis::OnIssue);
    let founded = owner.sign(owner.op(OpBody::FoundGroup { profile: town::alley(), terms }, town.now));
    tell(&founded);
    let cafe = Shop { id: opened.value().id.as_merchant(), actor: owner };
    Cast { cafe, group: founded.value().id.as_group(), buyer, told }
}

/// The last is what a server is told that has stood still in the middle for too long.
const FAULTS: [Fault; 5] = [
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::Refused("40001"),
    Fault::Refused("40P01"),
    Fault::Refused("25P03"),
];

#[test]
fn an_op_whose_commit_is_refused_or_cut_is_decided_once_and_told_as_decided_first() {
    let faulty = Faulty::new();
    let Cast { cafe, group, buyer, .. } = cast(&faulty);
    let town = &faulty.town;
    let inboxes = [Inbox::Merchant(cafe.id), Inbox::Account(buyer.account), Inbox::Group(group)];
    let sequences = FAULTS.iter().map(|fault| vec![*fault]).chain([
        // One after another, for the same op.
        vec![Fault::CutAfter, Fault::CutAfter, Fault::Refused("40001"), Fault::CutBefore],
        vec![Fault::CutBefore, Fault::CutBefore, Fault::CutAfter],
        FAULTS.to_vec(),
    ]);
    let mut met = 0;
    for faults in sequences {
        met += faults.len();
        let claim = town.check(&town.claim(&buyer, &town.sale(&cafe, 10_000), group)).unwrap();
        let committed = faulty.commit(&[claim], faults);
        assert_eq!(committed.outcomes, [Outcome::First(Answer::Applied)]);
        assert!(committed.touched.contains(&Inbox::Account(buyer.account)), "whoever waits there is woken");
        assert_eq!(faulty.proxy.met(), met);
        faulty.check_same(&inboxes);
    }
    // Both the sale and the claim are in the journal, once each.
    let ops = faulty.database.run("SELECT count(*), count(signed) FROM ops");
    assert_eq!(ops, "20|12");
}

#[test]
fn a_batch_whose_commit_is_refused_or_cut_says_of_each_op_what_it_said_first() {
    let faulty = Faulty::new();
    let Cast { cafe, group, buyer, told } = cast(&faulty);
    let town = &faulty.town;
    for fault in FAULTS {
        let sale = town.sale(&cafe, 10_000);
        let claim = town.check(&town.claim(&buyer, &sale, group)).unwrap();
        let again = town.check(&town.claim(&buyer, &sale, group)).unwrap();
        let nothing = town.check(&town.claim(&buyer, &town.sale(&cafe, 1), group)).unwrap();
        let batch = [told[0].clone(), claim.clone(), claim, again, nothing, town.check(&sale).unwrap()];
        let committed = faulty.commit(&batch, [fault]);
        assert!(matches!(
            committed.outcomes.as_slice(),
            [
                Outcome::Again(Answer::Applied),
                Outcome::First(Answer::Applied),
                Outcome::Again(Answer::Applied),
                Outcome::First(Answer::Refused(_)),
                Outcome::First(Answer::Refused(_)),
                Outcome::Again(Answer::Applied),
            ]
        ));
    }
    faulty.check_same(&[Inbox::Merchant(cafe.id), Inbox::Account(buyer.account)]);
}

#[test]
fn connections_that_ended_between_two_requests_are_made_anew() {
    let (actor, device) = system();
    let server = Server::shared();
    let database = server.database();
    let town = Town::new(Arc::new(PostgresStore::open(&database.url(), &device).unwrap()), actor);
    let cafe = town.shop("카페");
    let end = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{}'",
        database.name()
    );
    for _ in 0..3 {
        server.run("postgres", &end);
        assert!(town.store.merchant(cafe.id).unwrap().is_some());
        server.run("postgres", &end);
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe]);
        assert!(town.store.group(group).unwrap().is_some());
    }
}

#[test]
fn a_row_that_was_there_before_is_told_of_by_its_key() {
    let (_, device) = system();
    let database = fresh();
    let store = PostgresStore::open(&database.url(), &device).unwrap();
    let tag = [7; 16];
    assert_eq!(store.member_tag(AccountId([1; 16]), tag).unwrap(), tag);
    let said = store.member_tag(AccountId([2; 16]), tag).unwrap_err().to_string();
    assert!(said.contains("23505"), "{said}");
    assert_eq!(store.member_tag(AccountId([2; 16]), [8; 16]).unwrap(), [8; 16]);
}

#[test]
fn a_database_that_is_gone_is_told_of_and_decides_nothing() {
    let server = Server::start().unwrap();
    let (actor, device) = system();
    let database = server.database();
    let town = Town::new(Arc::new(PostgresStore::open(&database.url(), &device).unwrap()), actor);
    let cafe = town.shop("카페");
    let sale = town.check(&town.sale(&cafe, 4_500)).unwrap();
    server.crash();
    let said = town.store.commit(&[sale], START).unwrap_err().to_string();
    assert!(said.contains("is PostgreSQL running where --database says?"), "{said}");
    let said = town.store.merchant(cafe.id).unwrap_err().to_string();
    assert!(said.contains("is PostgreSQL running where --database says?"), "{said}");
    std::mem::forget(database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_at_one_server_is_woken_by_what_another_commits() {
    for Two { towns: [town, other], .. } in &both() {
        let cafe = town.shop("카페");
        let engines = [town, other].map(|at| Engine::start(at.store.clone(), Arc::new(|| START)));
        let inbox = Inbox::Merchant(cafe.id);
        let known = town.store.head(inbox).unwrap().count;
        let mut watch = engines[0].watch(&[(inbox, known)]);
        let sale = town.check(&town.sale(&cafe, 4_500)).unwrap();
        engines[1].submit(vec![sale]).await.unwrap();
        tokio::time::timeout(std::time::Duration::from_secs(30), watch.changed()).await.unwrap();
        assert_eq!(town.store.head(inbox).unwrap().count, known + 1);
        tokio::task::spawn_blocking(move || engines.each_ref().map(Engine::stop)).await.unwrap();
    }
}
