//! Clients that remember what the server acknowledged, and ask again.

use std::path::Path;
use std::sync::Arc;

use moa_phone::Transport;
use moa_rules::id::GroupId;
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::OpBody;
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::Validity;
use moa_wire::api::{Base64, MAX_OPS, Verdict};
use moa_world::raw::Client;

use crate::Failure;
use crate::random::Random;

/// Buyers that send at the same time.
const BUYERS: usize = 3;
/// The most ops in one request of theirs.
const MOST_AT_ONCE: u64 = 6;
/// One op in so many is a sale of nothing, which is refused: refusals are kept too.
const REFUSED_EVERY: usize = 16;
/// Won of each sale, and the units that it earns at 5 %.
const PRICE: Money = Money(10_000);
const EARNED: i64 = 500;

/// A shop with a group, its buyers, and everything that they sent.
#[derive(Default)]
pub struct Witness {
    shop: Option<Client>,
    group: Option<GroupId>,
    buyers: Vec<Client>,
    numbers: u32,
    sent: Vec<Sent>,
    secrets: Option<[Vec<u8>; 2]>,
}

/// An op and what came of it, as far as it is known.
struct Sent {
    bytes: Base64,
    claim: bool,
    answer: Option<Answer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Applied,
    Refused(Refusal),
}

impl Answer {
    /// The answer in a verdict, however often it was given; none if nothing was decided.
    fn of(verdict: Verdict) -> Option<Self> {
        match verdict {
            Verdict::Applied | Verdict::Duplicate { refused: None } => Some(Self::Applied),
            Verdict::Refused(refused) | Verdict::Duplicate { refused: Some(refused) } => {
                Some(Self::Refused(refused.reason))
            }
            Verdict::Retry { .. } => None,
        }
    }
}

impl Witness {
    /// Ops that the server acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.sent.iter().filter(|sent| sent.answer.is_some()).count() + self.keys()
    }

    /// Ops that were sent, or were to be sent, and not answered.
    pub fn open(&self) -> usize {
        self.sent.iter().filter(|sent| sent.answer.is_none()).count()
    }

    /// Keys whose enrolment was acknowledged.
    fn keys(&self) -> usize {
        self.buyers.len() + usize::from(self.shop.is_some())
    }

    /// From now on the server is reached this way.
    pub fn move_to(&mut self, way: &Arc<dyn Transport>) {
        for client in self.shop.iter_mut().chain(&mut self.buyers) {
            client.move_to(way.clone());
        }
    }

    /// Opens the shop, founds the group and enrols the buyers, as far as that was not done yet. `data` is the server's
    /// folder, whose secrets have to stay from the first answer on.
    ///
    /// # Errors
    /// If the server goes meanwhile; what it acknowledged is remembered.
    pub async fn set_up(&mut self, way: &Arc<dyn Transport>, data: &Path) -> Result<(), Failure> {
        if self.shop.is_none() {
            let shop = self.enrol(way).await?;
            self.secrets = Some(secrets(data)?);
            let profile = MerchantProfile::new("Durable", Currency::KRW, None);
            let opening = shop.sign(OpBody::RegisterMerchant { profile })?;
            let profile = Profile::new("Durable", Scope::Building);
            let terms = Terms::points(BasisPoints::new(500)?, Validity::Months(6), Units::new(1_000)?);
            let founding = shop.sign(OpBody::FoundGroup { profile, terms })?;
            self.group = Some(founding.value().id.as_group());
            self.shop = Some(shop);
            for op in [opening, founding] {
                self.sent.push(Sent { bytes: Base64::from(op.bytes()), claim: false, answer: None });
            }
        }
        self.ask_for_answers().await?;
        while self.buyers.len() < BUYERS {
            let buyer = self.enrol(way).await?;
            self.buyers.push(buyer);
        }
        Ok(())
    }

    /// A new number each time: of an enrolment that broke off nothing is known.
    async fn enrol(&mut self, way: &Arc<dyn Transport>) -> Result<Client, Failure> {
        self.numbers += 1;
        Client::enrol(way.clone(), &format!("010-2000-{:04}", self.numbers)).await
    }

    /// Sends some `count` new ops from all buyers at once, until all are answered or the server is gone.
    ///
    /// # Errors
    /// If they can't be signed.
    pub async fn load(&mut self, count: usize, random: &mut Random) -> Result<(), Failure> {
        let (Some(shop), Some(group)) = (&self.shop, self.group) else { return Ok(()) };
        let mut tasks = Vec::new();
        for buyer in std::mem::take(&mut self.buyers) {
            let mut requests = Vec::new();
            let mut left = count.div_ceil(BUYERS);
            while left > 0 {
                let size = usize::try_from(1 + random.below(MOST_AT_ONCE))?.min(left);
                left -= size;
                let mut request = Vec::with_capacity(size);
                for _ in 0..size {
                    let refused = (left + request.len()).is_multiple_of(REFUSED_EVERY);
                    let amount = if refused { Money(0) } else { PRICE };
                    let sale = shop.sign(OpBody::RecordSale { amount, addressee: None, redemption: None })?;
                    let op = if refused { sale } else { buyer.claim(&sale, group)? };
                    request.push(Sent { bytes: Base64::from(op.bytes()), claim: !refused, answer: None });
                }
                requests.push(request);
            }
            tasks.push(tokio::spawn(async move {
                for request in &mut requests {
                    let ops = request.iter().map(|sent| sent.bytes.clone()).collect();
                    let Ok(verdicts) = buyer.submit(ops).await else { break };
                    for (sent, verdict) in request.iter_mut().zip(verdicts) {
                        sent.answer = Answer::of(verdict);
                    }
                }
                (buyer, requests)
            }));
        }
        for task in tasks {
            let (buyer, requests) = task.await?;
            self.buyers.push(buyer);
            self.sent.extend(requests.into_iter().flatten());
        }
        Ok(())
    }

    /// Whatever was acknowledged is known to the server, with the answer that it gave; what was not is decided now.
    ///
    /// # Errors
    /// The first thing that was lost or changed.
    pub async fn ask_again(&mut self) -> Result<(), Failure> {
        let Some(client) = &self.shop else { return Ok(()) };
        let mut acknowledged = self.sent.iter().filter(|sent| sent.answer.is_some());
        loop {
            let some: Vec<&Sent> = acknowledged.by_ref().take(MAX_OPS).collect();
            if some.is_empty() {
                break;
            }
            let verdicts = client.submit(some.iter().map(|sent| sent.bytes.clone()).collect()).await?;
            for (sent, verdict) in some.into_iter().zip(verdicts) {
                let known = matches!(verdict, Verdict::Duplicate { .. });
                let told = format!("{verdict:?}");
                if !known || Answer::of(verdict) != sent.answer {
                    return Err(format!("{:?} was acknowledged; now it is {told}", sent.answer).into());
                }
            }
        }
        self.ask_for_answers().await
    }

    /// Sends again what was not answered, and takes the answers.
    async fn ask_for_answers(&mut self) -> Result<(), Failure> {
        let Some(client) = &self.shop else { return Ok(()) };
        let mut open: Vec<&mut Sent> = self.sent.iter_mut().filter(|sent| sent.answer.is_none()).collect();
        for some in open.chunks_mut(MAX_OPS) {
            let verdicts = client.submit(some.iter().map(|sent| sent.bytes.clone()).collect()).await?;
            for (sent, verdict) in some.iter_mut().zip(verdicts) {
                let answer = Answer::of(verdict).ok_or("an op was not decided by a server that is well")?;
                if sent.claim && answer != Answer::Applied {
                    return Err(format!("a claim got {answer:?}").into());
                }
                sent.answer = Some(answer);
            }
        }
        Ok(())
    }

    /// Every claim made one lot and no more, and the folder's secrets are those of the beginning.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, data: &Path) -> Result<(), Failure> {
        if let Some(before) = &self.secrets
            && *before != secrets(data)?
        {
            return Err("the server's secrets are not those of the beginning".into());
        }
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = rusqlite::Connection::open_with_flags(data.join("moa.db"), flags)?;
        let counted = "SELECT COUNT(*), COALESCE(SUM(units), 0) FROM lots";
        let (lots, units): (i64, i64) =
            database.query_row(counted, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let claimed = |sent: &&Sent| sent.claim && sent.answer == Some(Answer::Applied);
        let claims = i64::try_from(self.sent.iter().filter(claimed).count())?;
        if (lots, units) != (claims, claims * EARNED) {
            return Err(format!("{claims} claims made {lots} lots of {units} units").into());
        }
        Ok(())
    }
}

/// The server's key and pepper.
fn secrets(data: &Path) -> Result<[Vec<u8>; 2], Failure> {
    Ok([std::fs::read(data.join("server-key.p8"))?, std::fs::read(data.join("pepper"))?])
}
