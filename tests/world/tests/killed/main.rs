//! The server killed at random moments of a mixed load: nothing acknowledged is lost, nothing is doubled, nothing is half
//! there. On PostgreSQL too, where the database is killed as well: before its server, after it, or under it.
//!
//! The moments follow from a seed, which is printed; `MOA_SEED` repeats one.

mod mix;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moa_database::Server;
use moa_phone::{Environment, Fate, PassStanding, PhoneError, SeededEnvironment, Transport};
use moa_rules::id::{GroupId, MerchantId};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::Validity;
use moa_server::Place;
use moa_server::copying::verify;
use moa_wire::api::{Base64, MAX_OPS, Verdict};
use moa_wire::token::Sealed;
use moa_world::books::Books;
use moa_world::program::Program;
use moa_world::raw::Client;
use moa_world::resident::Resident;
use moa_world::town::{Town, number};
use moa_world::witness::{Witness, Witnessed};
use moa_world::{Failure, network};
use tokio::task::{JoinSet, block_in_place};

use mix::Mix;

/// `MOA_KILLS` makes it more: 300 in `make soak`.
const MOMENTS: usize = 30;
/// The same on PostgreSQL: 100 in `make soak`.
const MOMENTS_ON_POSTGRES: usize = 10;
/// A phone keeps away for five minutes at most.
const LONGEST_PAUSE: Duration = Duration::from_mins(6);
const PRICE: Money = Money(10_000);
/// What a sale at that price earns.
const EARNED: i64 = 500;

/// Numbers that follow from the seed.
struct Dice(SeededEnvironment);

impl Dice {
    /// Dice for a load of its own.
    fn another(&self) -> Self {
        Self(SeededEnvironment::new(self.below(usize::MAX) as u64, moa_world::now()))
    }

    fn below(&self, limit: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.random(&mut bytes);
        u32::from_le_bytes(bytes) as usize % limit
    }
}

/// A buyer without a phone: ops signed here, sent until they are answered.
struct Raw {
    client: Client,
    unanswered: Vec<Base64>,
    claims: i64,
}

impl Raw {
    /// Buys and claims, a few at once, until the server is gone.
    async fn load(mut self, shop: Arc<Client>, group: GroupId, at_once: usize) -> Self {
        loop {
            if self.unanswered.is_empty() {
                for _ in 0..at_once {
                    let sale = shop
                        .sign(OpBody::RecordSale { amount: PRICE, addressee: None, redemption: None })
                        .unwrap();
                    let claim = self.client.claim(&sale, group).unwrap();
                    // Every other sale comes inside its claim alone.
                    if self.claims % 2 == 0 {
                        self.unanswered.push(sale.bytes().into());
                    }
                    self.unanswered.push(claim.bytes().into());
                    self.claims += 1;
                }
            }
            if self.flush().await.is_err() {
                return self;
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        self.client.flush(&mut self.unanswered).await
    }
}

/// A shop and a buyer with real phones: vouchers, member codes, redemptions, passes, until the server is gone.
async fn trade(shop: Arc<Resident>, merchant: MerchantId, buyer: Arc<Resident>, group: GroupId) {
    loop {
        let voucher = shop.sell(PRICE.0).unwrap();
        buyer.claim_best(&voucher.text).unwrap();
        // A phone that was never in step has no member code yet.
        if let Ok(code) = buyer.phone().member_code() {
            shop.phone().record_sale_for(PRICE, &code.text).unwrap();
        }
        let (confirmed, _) = buyer.units(group).unwrap();
        if confirmed.get() >= 4 * EARNED {
            let units = Units::new(EARNED).unwrap();
            let code = buyer.show_code(group, units).unwrap();
            shop.phone().redeem(&code.text, units).unwrap();
            let mut open = buyer.phone().passes().unwrap();
            open.retain(|pass| pass.standing == PassStanding::Open);
            if open.is_empty() {
                buyer.phone().reserve_pass(merchant, group, units, 1).unwrap();
            }
            // The event of a pass may be here before the answer that brings the pass itself.
            for shown in open.iter().filter_map(|pass| buyer.phone().show_pass(pass.pass).ok()) {
                // Or the buyer has not heard yet that it was taken.
                let taken = shop.phone().take_pass(&shown.text, shown.units);
                assert!(matches!(taken, Ok(_) | Err(PhoneError::Refused(Refusal::PassSpent))), "{taken:?}");
            }
        }
        let (shop_synced, buyer_synced) = tokio::join!(shop.sync(), buyer.sync());
        if shop_synced.and(buyer_synced).is_err() {
            return;
        }
    }
}

/// Syncs, when the phone will: told that the server was busy, it keeps away for a while.
async fn in_step(resident: &Resident) {
    let syncing = async {
        while let Err(error) = resident.sync().await {
            let why = error.source().and_then(|why| why.downcast_ref());
            let Some(PhoneError::Busy { until }) = why else { panic!("{error}") };
            let left = until.0.saturating_sub(moa_world::now().0);
            tokio::time::sleep(Duration::from_millis(left.max(1).unsigned_abs())).await;
        }
    };
    tokio::time::timeout(LONGEST_PAUSE, syncing).await.expect("the server is back, and the phone comes");
}

/// Sends ops again that were answered before: the first answers, again.
async fn ask_again(client: &Client, ops: &[Vec<u8>]) {
    for ops in ops.chunks(MAX_OPS) {
        let verdicts =
            client.submit(ops.iter().map(|op| Base64::from(op.as_slice())).collect()).await.unwrap();
        let lost = verdicts.iter().find(|verdict| !matches!(verdict, Verdict::Duplicate { .. }));
        assert_eq!(lost, None, "an acknowledged op was not known any more");
    }
}

/// What is killed, and started again.
struct Installation<'a> {
    data: &'a Path,
    postgres: Option<(Server, String)>,
}

impl Installation<'_> {
    fn url(&self) -> Option<&str> {
        self.postgres.as_ref().map(|(_, url)| url.as_str())
    }

    fn start(&self) -> Program {
        block_in_place(|| Program::start_on(self.data, self.url())).unwrap()
    }

    /// Kills the server; on PostgreSQL, two times of three, the database too. It is back when this returns.
    fn kill(&self, server: Program, dice: &Dice) {
        block_in_place(|| {
            let Some((postgres, _)) = &self.postgres else { return server.kill().unwrap() };
            match dice.below(4) {
                // Under the server, which stays for a while, asks again, and may go on.
                0 => {
                    postgres.kill();
                    postgres.resume();
                    server.kill().unwrap();
                }
                1 => {
                    postgres.crash();
                    server.kill().unwrap();
                    postgres.resume();
                }
                2 => {
                    server.kill().unwrap();
                    postgres.kill();
                    postgres.resume();
                }
                _ => server.kill().unwrap(),
            }
        });
    }

    fn assert_clean(&self) {
        let place = Place::of(self.data, self.url().map(str::to_owned));
        let report = block_in_place(|| verify(&place)).unwrap();
        assert!(report.is_clean(), "{:?}", report.differences);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_killed_at_any_moment_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("moa-data");
    kill_at_many_moments(&Installation { data: &data, postgres: None }, MOMENTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_on_postgres_and_the_database_killed_at_any_moment_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("moa-data");
    let server = Server::lasting().unwrap();
    // It goes with its server.
    let url = std::mem::ManuallyDrop::new(server.database()).url();
    let installation = Installation { data: &data, postgres: Some((server, url)) };
    kill_at_many_moments(&installation, MOMENTS_ON_POSTGRES).await;
}

async fn kill_at_many_moments(installation: &Installation<'_>, moments: usize) {
    let seed = match std::env::var("MOA_SEED") {
        Ok(seed) => seed.parse().expect("MOA_SEED is a number"),
        Err(_) => moa_world::now().0.unsigned_abs(),
    };
    println!("MOA_SEED={seed}");
    let began = Instant::now();
    let dice = Dice(SeededEnvironment::new(seed, moa_world::now()));
    let witness = Arc::new(Witness::default());
    let way_to = |server: &Program| -> Arc<dyn Transport> {
        Arc::new(Witnessed::new(network::http(server.url()).unwrap(), witness.clone()))
    };

    let mut server = installation.start();
    let way = way_to(&server);
    let mut town = Town::at(server.url()).unwrap();
    let mut raw_shop = Client::enrol(way.clone(), &number(1)).await.unwrap();
    let profile = MerchantProfile::new("Raw", Currency::KRW, None);
    raw_shop.send(&[raw_shop.sign(OpBody::RegisterMerchant { profile }).unwrap()]).await.unwrap();
    let profile = Profile::new("Alley", Scope::Building);
    let minimum = Units::new(EARNED).unwrap();
    let terms = Terms::points(BasisPoints::new(500).unwrap(), Validity::Months(6), minimum);
    let founding = raw_shop.sign(OpBody::FoundGroup { profile, terms }).unwrap();
    raw_shop.send(std::slice::from_ref(&founding)).await.unwrap();
    let group = founding.value().id.as_group();
    let mut raws = Vec::new();
    for nth in 2..4 {
        let client = Client::enrol(way.clone(), &number(nth)).await.unwrap();
        raws.push(Raw { client, unanswered: Vec::new(), claims: 0 });
    }
    let shop = Arc::new(town.newcomer(&number(4)).await.unwrap());
    let merchant = shop.open_shop("Phone").await.unwrap();
    shop.join(group).await.unwrap();
    let mut clients = Vec::new();
    for nth in 10..13 {
        clients.push(Client::enrol(way.clone(), &number(nth)).await.unwrap());
    }
    let mut mix = Mix::open(clients.try_into().ok().unwrap(), group).await.unwrap();
    let mut buyers = Vec::new();
    for nth in 5..7 {
        buyers.push(Arc::new(town.newcomer(&number(nth)).await.unwrap()));
    }

    let moments = std::env::var("MOA_KILLS").map_or(moments, |kills| kills.parse().expect("a number"));
    for moment in 0..moments {
        let way = way_to(&server);
        town.move_to(server.url(), way.clone());
        raw_shop.move_to(way.clone());
        let lately = witness.take_lately();
        ask_again(&raw_shop, &lately).await;

        let sharing = Arc::new(raw_shop);
        let mut raw_loads = JoinSet::new();
        for mut raw in raws.drain(..) {
            raw.client.move_to(way.clone());
            raw_loads.spawn(raw.load(sharing.clone(), group, 1 + dice.below(4)));
        }
        let mut trades = JoinSet::new();
        for buyer in &buyers {
            trades.spawn(trade(shop.clone(), merchant, buyer.clone(), group));
        }
        mix.move_to(&way);
        let mixing = tokio::spawn(mix.load(dice.another()));
        let (door, their_number) = (way.clone(), format!("010-3000-{moment:04}"));
        let newcomer = tokio::spawn(async move { Client::enrol(door, &their_number).await });
        // A moment counted in answers lies right behind one; a moment in time lies anywhere.
        let mut count = witness.count();
        let enough = *count.borrow_and_update() + 1 + dice.below(40);
        let enough = async { drop(count.wait_for(|count| *count >= enough).await) };
        if moment % 2 == 0 {
            tokio::time::timeout(Duration::from_secs(30), enough).await.expect("the load runs");
        } else {
            tokio::time::sleep(Duration::from_micros(dice.below(60_000) as u64)).await;
        }
        installation.kill(server, &dice);

        raws = raw_loads.join_all().await;
        trades.join_all().await;
        mix = mixing.await.unwrap();
        // Signed up, or not: half of it would be found by the books.
        drop(newcomer.await.unwrap());
        raw_shop = Arc::into_inner(sharing).expect("the load is over");
        installation.assert_clean();
        assert_eq!(witness.contradictions(), Vec::<String>::new(), "moment {moment}");
        server = installation.start();
    }

    // Everybody comes to rest.
    let way = way_to(&server);
    town.move_to(server.url(), way.clone());
    raw_shop.move_to(way.clone());
    for raw in &mut raws {
        raw.client.move_to(way.clone());
        raw.flush().await.unwrap();
    }
    mix.move_to(&way);
    mix.flush().await.unwrap();
    for resident in buyers.iter().chain([&shop]).chain(&buyers) {
        in_step(resident).await;
    }
    let answers = witness.answers();
    let all: Vec<Vec<u8>> = answers.keys().cloned().collect();
    ask_again(&raw_shop, &all).await;
    assert_eq!(witness.contradictions(), Vec::<String>::new());

    installation.assert_clean();
    let books = block_in_place(|| Books::open_on(installation.data, installation.url())).unwrap();
    for resident in buyers.iter().chain([&shop]) {
        books.agree_with(resident.phone()).unwrap();
        let left = resident.phone().outbox().unwrap();
        assert!(left.iter().all(|item| matches!(item.fate, Fate::Refused(_))), "{left:?}");
    }
    for raw in &raws {
        let available = books.available(raw.client.account(), group, moa_world::now());
        assert_eq!(available.get(), raw.claims * EARNED, "each claim once");
    }
    let applied = answers.values().filter(|answer| answer.is_none()).count();
    println!("{moments} kills, {} ops answered, {applied} applied, {:?}", all.len(), began.elapsed());
    assert!(applied > 4 * moments, "a load that barely ran proves little");
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (op, _) in answers.iter().filter(|(_, refused)| refused.is_none()) {
        *kinds.entry(Sealed::<Op>::parse(op).unwrap().unchecked().body.kind().name).or_default() += 1;
    }
    println!("{kinds:?}");
    let missing: Vec<_> = mix::KINDS.iter().filter(|kind| !kinds.contains_key(*kind)).collect();
    assert!(missing.is_empty(), "never applied: {missing:?}");
}
