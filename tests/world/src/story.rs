//! The story of an alley, told as it happens: three shops, two buyers, real phones, a real server.

mod folder;
mod screen;
mod words;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use moa_phone::{Balance, Data, Fate, GroupChoice, Happened};
use moa_rules::id::GroupId;
use moa_rules::quantity::{BasisPoints, Units};
use moa_rules::terms::{Scope, Terms};
use moa_rules::time::Validity;
use moa_words::number::units;
use moa_words::{Lang, Line, Mileage, Reason, line, reason};

use crate::books::{Books, GroupBooks, Standing};
use crate::resident::Resident;
use crate::town::{Town, number};
use crate::{Failure, picture, program};

pub use folder::{Folder, FolderError};
pub use screen::{Screen, Tone};
pub use words::{Who, Words};

/// How to run the server where it was not built yet.
const BUILT_BY_CARGO: &str = "cargo run --package moa-server --bin moa --";
/// What the first purchase costs, in won.
const BEANS: i64 = 64_000;
/// What the second purchase costs, in won.
const BOOK: i64 = 18_000;
/// Units used at the bakery, at the bookshop, and asked for in vain at the café.
const SPENT: [i64; 3] = [1_200, 1_100, 500];

/// Tells the story in `lang` and leaves the server's data and pictures of the codes in `out`.
///
/// # Errors
/// [`FolderError`] if `out` can't be used; whatever else goes wrong, which is a bug.
pub async fn tell<W: Write>(lang: Lang, out: &Path, screen: Screen<W>) -> Result<(), Failure> {
    let folder = Folder::prepare(out)?;
    let began = Instant::now();
    let mut teller = Teller { words: Words(lang), screen, folder };
    teller.screen.title(&teller.words.title())?;
    let alley = teller.shops_sign_up().await?;
    let group = teller.groups(&alley).await?;
    teller.without_a_signal(&alley, group)?;
    teller.signal_returns(&alley, group).await?;
    teller.spending(&alley, group).await?;
    let books = Books::open(&teller.folder.data())?;
    teller.who_owes_whom(&alley, &books.group(group))?;
    teller.proof(&alley, group, &books, began)?;
    drop(books);
    alley.town.stop().await;
    teller.what_next()
}

/// The town, and who lives there.
struct Alley {
    town: Town,
    cafe: Resident,
    bookshop: Resident,
    bakery: Resident,
    regular: Resident,
    visitor: Resident,
}

impl Alley {
    fn everyone(&self) -> [&Resident; 5] {
        [&self.cafe, &self.bookshop, &self.bakery, &self.regular, &self.visitor]
    }
}

struct Teller<W> {
    words: Words,
    screen: Screen<W>,
    folder: Folder,
}

impl<W: Write> Teller<W> {
    fn does(&mut self, who: Who, text: &str) -> Result<(), Failure> {
        Ok(self.screen.does(self.words.name(who), text)?)
    }

    fn shows(&mut self, tone: Tone, text: &str) -> Result<(), Failure> {
        Ok(self.screen.shows(tone, text)?)
    }

    fn shows_line(&mut self, tone: Tone, shown: &Line) -> Result<(), Failure> {
        self.shows(tone, &line(self.words.0, shown))
    }

    async fn shops_sign_up(&mut self) -> Result<Alley, Failure> {
        let words = self.words;
        self.screen.chapter(&words.shops())?;
        let town = Town::start(&self.folder.data()).await?.speaking(words.0);
        let data = self.folder.data().display().to_string();
        self.does(Who::Server, &words.server_is_up(town.url(), &data))?;

        let cafe = town.open_phone(&number(1), Data::Memory)?;
        self.does(Who::Cafe, &words.asks_for_a_code())?;
        let message = town.enrol(&cafe).await?;
        self.shows(Tone::Plain, &message.text)?;
        self.does(Who::Cafe, &words.opens())?;
        cafe.open_shop(words.name(Who::Cafe)).await?;
        let mut others = Vec::new();
        for (nth, who) in [(2, Who::Bookshop), (3, Who::Bakery)] {
            let shop = town.newcomer(&number(nth)).await?;
            shop.open_shop(words.name(who)).await?;
            self.does(who, &words.opens_too())?;
            others.push(shop);
        }
        let [bookshop, bakery] = <[Resident; 2]>::try_from(others).map_err(|_| "two other shops")?;
        let regular = town.open_phone(&number(4), Data::Memory)?;
        let visitor = town.open_phone(&number(5), Data::Memory)?;
        Ok(Alley { town, cafe, bookshop, bakery, regular, visitor })
    }

    /// The group of the alley.
    async fn groups(&mut self, alley: &Alley) -> Result<GroupId, Failure> {
        let words = self.words;
        let [alley_name, wider_name] = words.groups();
        let (alley_terms, wider_terms) = (terms(500, 6, 1_000)?, terms(300, 12, 500)?);
        self.screen.chapter(&words.group())?;
        self.does(Who::Cafe, &words.founds())?;
        self.shows(Tone::Plain, &words.terms(alley_name, &alley_terms))?;
        self.shows(Tone::Plain, &words.terms(wider_name, &wider_terms))?;
        let group = alley.cafe.found_group(alley_name, Scope::Building, alley_terms).await?;
        let wider = alley.cafe.found_group(wider_name, Scope::Area, wider_terms).await?;
        let link = alley.cafe.invite(group, 2).await?;
        self.does(Who::Cafe, &words.invites())?;
        self.shows(Tone::Aside, &link)?;
        self.does(Who::Bookshop, &words.joins_both())?;
        alley.bookshop.follow(&link).await?;
        alley.bookshop.join(wider).await?;
        self.does(Who::Bakery, &words.joins_one())?;
        alley.bakery.follow(&link).await?;
        alley.cafe.sync().await?;
        self.members(alley, group)?;
        self.does(Who::Regular, &words.buyers_sign_up())?;
        alley.town.enrol(&alley.regular).await?;
        alley.town.enrol(&alley.visitor).await?;
        Ok(group)
    }

    /// Who is in the alley's group, as the café's phone has heard.
    fn members(&mut self, alley: &Alley, group: GroupId) -> Result<(), Failure> {
        let known = alley.cafe.phone().group(group)?.ok_or("the café's own group")?;
        let answered = alley.cafe.phone().invitations()?.first().map_or(0, |own| own.answers.len());
        let names: Vec<String> = known.members.into_iter().filter_map(|shop| shop.name).collect();
        let joined = self.words.members(answered, &names);
        self.shows(Tone::Good, &joined)
    }

    fn without_a_signal(&mut self, alley: &Alley, group: GroupId) -> Result<(), Failure> {
        let words = self.words;
        self.screen.chapter(&words.offline())?;
        self.screen.remark(&words.signal_gone())?;
        alley.everyone().into_iter().for_each(Resident::lose_signal);

        let voucher = alley.cafe.sell(BEANS)?;
        self.does(Who::Cafe, &words.sells(voucher.amount))?;
        let path = self.folder.voucher();
        picture::save_qr(&voucher.text, &path)?;
        self.shows(Tone::Aside, &words.picture(&path.display().to_string()))?;

        self.does(Who::Regular, &words.scans())?;
        let scanned = alley.regular.scan(&voucher.text)?;
        let choices = alley.regular.phone().choices(&scanned)?;
        for (at, choice) in choices.iter().enumerate() {
            let shops = u32::try_from(choice.members.len())?;
            let (terms, earns) = (&choice.terms, Mileage::of(choice.earns, choice.terms.unit()));
            let shown = Line::Choice { group: &choice.profile.name, terms, shops, earns };
            self.shows_line(Tone::Plain, &shown)?;
            self.shows(Tone::Plain, &words.shops_of(choice))?;
            if let Some(why) = speaks_for(at, &choices) {
                let why = reason(words.0, why);
                let text = if at == 0 { words.suggested(&why) } else { words.instead(&why) };
                self.shows(if at == 0 { Tone::Good } else { Tone::Aside }, &text)?;
            }
        }
        let best = choices.first().ok_or("the café is in two groups")?;
        self.does(Who::Regular, &words.takes_the_first())?;
        let claimed = alley.regular.claim(&scanned, Some(best.choice))?;
        let units = Mileage::of(claimed.earns.unwrap_or_default(), claimed.unit);
        self.shows_line(Tone::Plain, &Line::Claimed { units, last_day: best.usable_at_least_until })?;
        self.shows_balance(&alley.regular, group)?;

        let book = alley.bookshop.sell(BOOK)?;
        self.does(Who::Visitor, &words.buys_too(words.name(Who::Bookshop), book.amount))?;
        alley.visitor.claim_best(&book.text)?;
        self.shows_balance(&alley.visitor, group)?;
        self.does(Who::Visitor, &words.claims_a_photo())?;
        alley.visitor.claim_best(&voucher.text)?;
        Ok(())
    }

    async fn signal_returns(&mut self, alley: &Alley, group: GroupId) -> Result<(), Failure> {
        let words = self.words;
        self.screen.chapter(&words.back())?;
        self.does(Who::Regular, &words.sends_the_claim())?;
        alley.regular.regain_signal();
        alley.regular.sync().await?;
        for item in alley.regular.phone().history(group)? {
            if let Happened::Accrual { last_day, .. } = item.happened {
                self.shows_line(
                    Tone::Good,
                    &Line::Earned { units: Mileage::of(item.units, item.unit), last_day },
                )?;
            }
        }
        self.shows_balance(&alley.regular, group)?;

        self.does(Who::Cafe, &words.sends_the_sale())?;
        alley.cafe.regain_signal();
        alley.cafe.sync().await?;
        let day = alley.cafe.phone().merchant_today()?;
        self.shows(Tone::Plain, &words.day(day.sales.len(), day.amount, day.claimed))?;

        self.does(Who::Visitor, &words.sends_both())?;
        alley.visitor.regain_signal();
        alley.visitor.sync().await?;
        for item in alley.visitor.phone().outbox()? {
            if let Fate::Refused(refused) = item.fate {
                self.shows(Tone::Bad, &words.refused(&refused.text))?;
            }
        }
        self.shows_balance(&alley.visitor, group)?;
        for shop in [&alley.bookshop, &alley.bakery] {
            shop.regain_signal();
            shop.sync().await?;
        }
        Ok(())
    }

    async fn spending(&mut self, alley: &Alley, group: GroupId) -> Result<(), Failure> {
        let words = self.words;
        let [first, second, third] = SPENT.map(Units::new);
        let (first, second, third) = (first?, second?, third?);
        self.screen.chapter(&words.spending())?;

        alley.regular.lose_signal();
        let code = alley.regular.show_code(group, first)?;
        let seconds = code.expires_at.seconds().saturating_sub(alley.regular.phone().now().seconds());
        self.does(Who::Regular, &words.shows_code(first, seconds))?;
        let path = self.folder.redemption_code();
        picture::save_qr(&code.text, &path)?;
        self.shows(Tone::Aside, &words.picture(&path.display().to_string()))?;
        self.does(Who::Bakery, &words.takes(first))?;
        self.redeem(&alley.bakery, &code.text, group, first).await?;
        alley.regular.regain_signal();
        self.does(Who::Regular, &words.sees_it_later())?;
        self.spent(&alley.regular, group, Who::Bakery, first).await?;

        let code = alley.regular.show_code(group, second)?;
        self.does(Who::Bookshop, &words.takes_too(second))?;
        self.redeem(&alley.bookshop, &code.text, group, second).await?;
        self.does(Who::Regular, &words.sees_it())?;
        self.spent(&alley.regular, group, Who::Bookshop, second).await?;

        let code = alley.regular.show_code(group, third)?;
        self.does(Who::Cafe, &words.asks_for(third))?;
        self.redeem(&alley.cafe, &code.text, group, third).await
    }

    /// A shop asks for units; its phone shows what the server says.
    async fn redeem(
        &mut self,
        shop: &Resident,
        code: &str,
        group: GroupId,
        units: Units,
    ) -> Result<(), Failure> {
        let [name, _] = self.words.groups();
        match shop.redeem(code, units).await? {
            Fate::Applied => self.shows(Tone::Good, &self.words.approved(name, units))?,
            Fate::Refused(refused) => self.shows(Tone::Bad, &self.words.refused(&refused.text))?,
            Fate::Waiting | Fate::BeingChecked => return Err(format!("{group}: no verdict").into()),
        }
        Ok(shop.sync().await?)
    }

    /// The buyer's phone learns of it.
    async fn spent(
        &mut self,
        buyer: &Resident,
        group: GroupId,
        shop: Who,
        units: Units,
    ) -> Result<(), Failure> {
        buyer.sync().await?;
        let left = Mileage::points(buyer.units(group)?.0);
        let units = Mileage::points(units);
        self.shows_line(Tone::Plain, &Line::Redeemed { shop: self.words.name(shop), units, left })
    }

    fn shows_balance(&mut self, resident: &Resident, group: GroupId) -> Result<(), Failure> {
        let [name, _] = self.words.groups();
        let (confirmed, pending) = resident.units(group)?;
        let [confirmed, pending] = [confirmed, pending].map(Mileage::points);
        self.shows_line(Tone::Plain, &Line::Balance { group: name, confirmed, pending })?;
        match resident.balance(group)? {
            Some(Balance { minimum: Some(minimum), to_minimum: missing, .. }) if pending.is_none() => {
                let [minimum, missing] = [minimum, missing].map(Mileage::points);
                self.shows_line(Tone::Plain, &Line::Minimum { minimum, missing })
            }
            _ => Ok(()),
        }
    }

    fn who_owes_whom(&mut self, alley: &Alley, books: &GroupBooks) -> Result<(), Failure> {
        let words = self.words;
        self.screen.chapter(&words.books())?;
        self.screen.remark(&words.books_rule())?;
        let [gave, took] = words.columns();
        self.screen.row("", [gave, took, ""])?;
        for (who, shop) in
            [(Who::Cafe, &alley.cafe), (Who::Bookshop, &alley.bookshop), (Who::Bakery, &alley.bakery)]
        {
            let own = shop.phone().own_shop()?.ok_or("a shop")?;
            let Standing { issued, redeemed, position } =
                books.shops.get(&own.id).copied().unwrap_or_default();
            let [gave, took] = [issued, redeemed].map(|count| units(words.0, count));
            self.screen.row(words.name(who), [&gave, &took, &words.position(position)])?;
        }
        let keeps = words.pool_keeps(books.pool, books.outstanding);
        self.screen.row(words.pool(), ["", "", &keeps])?;
        Ok(self.screen.remark(&words.sum(books.sum()))?)
    }

    fn proof(&mut self, alley: &Alley, group: GroupId, books: &Books, began: Instant) -> Result<(), Failure> {
        let words = self.words;
        self.screen.chapter(&words.proof())?;
        let report = books.verify()?;
        if let Some(difference) = report.differences.first() {
            return Err(difference.as_str().into());
        }
        self.does(Who::Server, &words.verified(report.ops, report.events))?;
        let buyer = alley.regular.phone();
        let (here, _) = alley.regular.units(group)?;
        let there = books.available(buyer.account()?, group, buyer.now());
        self.does(Who::Regular, &words.reckons(here, there))?;
        for resident in alley.everyone() {
            books.agree_with(resident.phone())?;
        }
        self.screen.remark(&words.all_agree(alley.everyone().len()))?;
        Ok(self.screen.remark(&words.figures(report.ops, report.events, began.elapsed()))?)
    }

    fn what_next(&mut self) -> Result<(), Failure> {
        let words = self.words;
        let data = quoted(&self.folder.data());
        let moa =
            program::found().map_or_else(|| BUILT_BY_CARGO.to_owned(), |path| quoted(&from_here(&path)));
        self.screen.chapter(&words.next())?;
        self.screen.hint(&words.try_server(), &format!("{moa} serve --data {data}"))?;
        self.screen.hint(&words.try_health(), "curl http://127.0.0.1:8080/healthz")?;
        self.screen.hint(&words.try_document(), "curl http://127.0.0.1:8080/openapi.json")?;
        self.screen.hint(&words.try_verify(), &format!("{moa} verify --data {data}"))?;
        let (voucher, code) = (self.folder.voucher(), self.folder.redemption_code());
        self.screen.hint(&words.try_pictures(), &format!("{}  {}", voucher.display(), code.display()))?;
        Ok(self.screen.hint(&words.try_documents(), "docs/architecture.md  docs/rules.md")?)
    }
}

/// Terms for points of one won: `rate` in basis points.
fn terms(rate: u16, months: u16, minimum: i64) -> Result<Terms, Failure> {
    Ok(Terms::points(BasisPoints::new(rate)?, Validity::Months(months), Units::new(minimum)?))
}

/// A path as short as it can be written here.
fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path).to_owned()
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+,:=@".contains(letter);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// What speaks for the group at `at` in the list: for the first, why it is first.
fn speaks_for(at: usize, choices: &[GroupChoice]) -> Option<Reason> {
    let (this, first) = (choices.get(at)?, choices.first()?);
    match (at, choices.get(1)) {
        (0, None) => Some(Reason::OnlyGroup),
        (0, Some(second)) if first.terms.rate > second.terms.rate => Some(Reason::HigherRate),
        _ if this.usable_at_least_until > first.usable_at_least_until => Some(Reason::LongerValidity),
        _ => None,
    }
}
