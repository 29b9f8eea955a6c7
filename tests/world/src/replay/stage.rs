//! What people do in a replay, each with phones in hand: opening a shop, joining, buying, and reckoning in the end.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moa_phone::{Code, Fate, PhoneError};
use moa_rules::id::{GroupId, OpId};
use moa_rules::merchant::{MerchantProfile, Place};
use moa_rules::quantity::{Currency, Money, Units};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::handset::Handset;
use super::phones::{Owner, Phones};
use super::plan::{PlannedGroup, Purchase};
use crate::Failure;
use crate::books::Reckoning;

/// Everyone and everything in a replay.
pub struct Stage {
    phones: Phones,
    venues: BTreeMap<u32, Place>,
    groups: Vec<PlannedGroup>,
    /// The groups of each shop, by their place in `groups`.
    of_shop: BTreeMap<u32, Vec<usize>>,
    /// The shop that founds each group: the first of it that opens.
    founders: BTreeMap<usize, u32>,
    founded: Mutex<BTreeMap<usize, GroupId>>,
}

/// What came of something that was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Ops that phones wrote.
    pub ops: u64,
    /// Claims that the server applied.
    pub accrued: u64,
    /// Units that they earned, as the buyers' phones had said beforehand.
    pub issued: i64,
    /// Units that were paid with.
    pub redeemed: i64,
    /// Times that there was nothing to pay with.
    pub nothing_usable: u64,
    /// How long each claim and redemption took, until its phone had the server's answer and what it brought.
    pub took: Vec<Duration>,
}

impl Done {
    /// Adds what came of something else.
    pub fn add(&mut self, other: Self) {
        let Self { ops, accrued, issued, redeemed, nothing_usable, took } = other;
        self.ops += ops;
        self.accrued += accrued;
        self.issued += issued;
        self.redeemed += redeemed;
        self.nothing_usable += nothing_usable;
        self.took.extend(took);
    }
}

/// Where a phone stands in the end.
pub struct Stand {
    /// What it reckons.
    pub reckoning: Reckoning,
    /// Its ops that the server refused.
    pub refused: u64,
    /// What does not add up, if anything; or what still waits.
    pub wrong: Option<String>,
}

impl Stage {
    /// The shops of these venues, which open in this order, in these groups.
    pub fn new<'a>(
        phones: Phones,
        venues: BTreeMap<u32, Place>,
        groups: Vec<PlannedGroup>,
        opening: impl Iterator<Item = &'a u32>,
    ) -> Self {
        let mut of_shop: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (at, group) in groups.iter().enumerate() {
            group.venues.iter().for_each(|venue| of_shop.entry(*venue).or_default().push(at));
        }
        let mut founders = BTreeMap::new();
        for venue in opening {
            for at in of_shop.get(venue).into_iter().flatten() {
                founders.entry(*at).or_insert(*venue);
            }
        }
        Self { phones, venues, groups, of_shop, founders, founded: Mutex::default() }
    }

    /// The phones.
    pub fn phones(&self) -> &Phones {
        &self.phones
    }

    /// Opens a shop and founds the groups that begin with it.
    ///
    /// # Errors
    /// What a phone or the server says; a refusal is an error here.
    pub async fn open_shop(&self, venue: u32) -> Result<Done, Failure> {
        let mut shop = self.phones.take(Owner::Shop(venue))?;
        shop.sign_in().await?;
        let place = self.venues.get(&venue).copied();
        let profile = MerchantProfile::new(format!("Shop {venue}"), Currency::KRW, place);
        let mut ops = vec![OpId(shop.phone().register_merchant(profile)?.0)];
        for at in self.groups_of(venue).iter().filter(|at| self.founders.get(at) == Some(&venue)) {
            let group = &self.groups[*at];
            let id = shop.phone().found_group(group.profile(), group.terms()?)?;
            self.founded.lock().unwrap_or_else(PoisonError::into_inner).insert(*at, id);
            ops.push(OpId(id.0));
        }
        self.applied(shop, Owner::Shop(venue), &ops).await
    }

    /// Joins the shop's other groups, whose founders have all opened by now.
    ///
    /// # Errors
    /// What a phone or the server says; a refusal is an error here.
    pub async fn join(&self, venue: u32) -> Result<Done, Failure> {
        let shop = self.phones.take(Owner::Shop(venue))?;
        let mut ops = Vec::new();
        for at in self.groups_of(venue).iter().filter(|at| self.founders.get(at) != Some(&venue)) {
            ops.push(shop.phone().join_group(self.founded(*at)?, 1)?);
        }
        self.applied(shop, Owner::Shop(venue), &ops).await
    }

    async fn applied(&self, mut shop: Handset, owner: Owner, ops: &[OpId]) -> Result<Done, Failure> {
        shop.settle().await?;
        for op in ops {
            if let Fate::Refused(refused) = shop.verdict(*op)? {
                return Err(format!("{owner:?}: {}: {}", refused.code, refused.text).into());
            }
        }
        self.phones.give_back(owner, shop);
        Ok(Done { ops: ops.len() as u64, ..Done::default() })
    }

    /// Makes a purchase.
    ///
    /// # Errors
    /// What a phone says, or that there is no verdict. A refusal by the server is none.
    pub async fn purchase(&self, purchase: Purchase) -> Result<Done, Failure> {
        let owners = (Owner::Buyer(purchase.user), Owner::Shop(purchase.venue));
        let (mut buyer, mut shop) = (self.phones.take(owners.0)?, self.phones.take(owners.1)?);
        buyer.sign_in().await?;
        let mut done = Done::default();
        let mut rest = purchase.amount;
        if purchase.redeems {
            let paid = self.redeem(&mut buyer, &mut shop, &purchase, &mut done).await?;
            rest = Money(rest.0 - paid.get());
        }
        if rest > Money(0) {
            buy(&mut buyer, &mut shop, rest, purchase.shop_first, &mut done).await?;
        }
        self.phones.give_back(owners.0, buyer);
        self.phones.give_back(owners.1, shop);
        Ok(done)
    }

    /// Pays with what is usable at the shop and expires soonest; gives the units, each worth one won.
    async fn redeem(
        &self,
        buyer: &mut Handset,
        shop: &mut Handset,
        purchase: &Purchase,
        done: &mut Done,
    ) -> Result<Units, Failure> {
        let groups: Vec<GroupId> =
            self.groups_of(purchase.venue).iter().map(|at| self.founded(*at)).collect::<Result<_, _>>()?;
        let balances = buyer.phone().balances()?.into_iter();
        let place = |group: &GroupId| groups.iter().position(|of_shop| of_shop == group);
        let usable = balances.filter(|balance| !balance.usable.is_zero());
        let here = usable.filter_map(|balance| Some((balance.next_expiry, place(&balance.group)?, balance)));
        let Some((_, _, balance)) = here.min_by_key(|(expiry, place, _)| (*expiry, *place)) else {
            done.nothing_usable += 1;
            return Ok(Units::ZERO);
        };
        let units = balance.usable.min(Units::new(purchase.amount.0)?);
        let code = buyer.phone().redemption_code(balance.group, units)?;
        let began = Instant::now();
        let asked = shop.phone().redeem(&code.text, units)?;
        shop.settle().await?;
        done.took.push(began.elapsed());
        done.ops += 1;
        let taken = match shop.verdict(asked.op)? {
            Fate::Applied => units,
            _ => Units::ZERO,
        };
        done.redeemed += taken.get();
        buyer.sync().await?;
        Ok(taken)
    }

    /// Receives all there is, and reckons.
    ///
    /// # Errors
    /// What a phone says, or that the server does not answer.
    pub async fn reckon(&self, owner: Owner) -> Result<Stand, Failure> {
        let mut handset = self.phones.take(owner)?;
        handset.sync().await?;
        let stand = stand(&handset)?;
        self.phones.give_back(owner, handset);
        Ok(stand)
    }

    /// The same; then takes the server's word anew and compares the balances.
    ///
    /// # Errors
    /// What a phone says, or that the server does not answer.
    pub async fn reckon_and_start_over(&self, owner: Owner) -> Result<Stand, Failure> {
        let mut stand = self.reckon(owner).await?;
        let mut handset = self.phones.take(owner)?;
        handset.phone().start_over()?;
        handset.sync().await?;
        let told = Reckoning::of(handset.phone())?.balances;
        let here = &stand.reckoning.balances;
        if stand.wrong.is_none() && nonzero(&told).ne(nonzero(here)) {
            stand.wrong = Some(format!("{owner:?}: the phone reckons {here:?}, the snapshot says {told:?}"));
        }
        self.phones.give_back(owner, handset);
        Ok(stand)
    }

    fn groups_of(&self, venue: u32) -> &[usize] {
        self.of_shop.get(&venue).map_or(&[], Vec::as_slice)
    }

    fn founded(&self, at: usize) -> Result<GroupId, Failure> {
        let founded = self.founded.lock().unwrap_or_else(PoisonError::into_inner);
        founded.get(&at).copied().ok_or_else(|| format!("group {at} was never founded").into())
    }
}

/// The sale and its claim, for what is paid in money.
async fn buy(
    buyer: &mut Handset,
    shop: &mut Handset,
    amount: Money,
    shop_first: bool,
    done: &mut Done,
) -> Result<(), Failure> {
    shop.open_till().await?;
    let voucher = shop.phone().record_sale(amount, None)?;
    if shop_first {
        shop.settle().await?;
    }
    let Code::Voucher(scanned) = buyer.phone().read_code(&voucher.text)? else {
        return Err("a voucher that reads as something else".into());
    };
    let best = buyer.phone().choices(&scanned)?.first().map(|best| best.choice);
    let began = Instant::now();
    let claimed = buyer.phone().claim(&scanned, best)?;
    buyer.settle().await?;
    done.took.push(began.elapsed());
    done.ops += 2;
    if buyer.verdict(claimed.op)? == Fate::Applied {
        done.accrued += 1;
        done.issued += claimed.earns.map_or(0, Units::get);
    }
    Ok(())
}

fn stand(handset: &Handset) -> Result<Stand, PhoneError> {
    let outbox = handset.phone().outbox()?;
    let refused = outbox.iter().filter(|item| matches!(item.fate, Fate::Refused(_))).count();
    let waiting = outbox.len() - refused;
    let wrong = match handset.phone().breach()? {
        Some(breach) => Some(breach.to_string()),
        None => (waiting > 0).then(|| format!("{waiting} ops still wait")),
    };
    Ok(Stand { reckoning: Reckoning::of(handset.phone())?, refused: refused as u64, wrong })
}

fn nonzero(balances: &BTreeMap<GroupId, Units>) -> impl Iterator<Item = (&GroupId, &Units)> {
    balances.iter().filter(|(_, units)| !units.is_zero())
}

/// Does something with each, `at_once` of them side by side. The phones' disks are waited for on threads of their own,
/// not on those that serve the server's connections.
///
/// # Errors
/// The first that failed.
pub async fn side_by_side<T, R, F, Act>(
    stage: &Arc<Stage>,
    each: impl IntoIterator<Item = T>,
    at_once: usize,
    act: Act,
) -> Result<Vec<R>, Failure>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Future<Output = Result<R, Failure>>,
    Act: Fn(Arc<Stage>, T) -> F + Clone + Send + 'static,
{
    let (mut tasks, mut results) = (JoinSet::new(), Vec::new());
    for one in each {
        if tasks.len() == at_once
            && let Some(result) = tasks.join_next().await
        {
            results.push(result??);
        }
        let (stage, act) = (stage.clone(), act.clone());
        tasks.spawn_blocking(move || Handle::current().block_on(act(stage, one)));
    }
    while let Some(result) = tasks.join_next().await {
        results.push(result??);
    }
    Ok(results)
}
