//! What people do: open shops, found and join groups, buy, claim, pay with mileage, look at screens; and what befalls
//! their phones.

use std::rc::Rc;

use moa_phone::{Code, Phone, PhoneError, SignedIn};
use moa_rules::id::{AccountId, KeyId, OpId};
use moa_rules::marketing::{AgreedText, TextLanguage};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::Choice;
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::terms::{Admission, Basis, Kind, Profile, Scope, SpendingOrder, StampCard, Terms};
use moa_rules::time::{Timestamp, Validity};

use crate::Step;
use crate::afterwards::Afterwards;
use crate::alliance::Change;
use crate::ledger::broken;
use crate::server::CODE;
use crate::world::{Event, World};

/// Something that a person does, or that happens to a phone.
pub(crate) enum Action {
    /// Signs in, or again.
    Enrol,
    OpenShop,
    Found,
    /// Joins a group; tries again if it is not known yet.
    Join {
        group: usize,
        tries: u32,
    },
    /// Goes shopping.
    Visit,
    /// Rings up a sale for this person.
    Sell {
        buyer: usize,
    },
    /// Shows the member code to this shop.
    ShowMember {
        shop: usize,
    },
    /// Rings up a sale for whoever shows this member code.
    SellTo {
        code: Rc<str>,
    },
    /// Holds the camera to a voucher.
    Scan {
        voucher: Rc<str>,
    },
    /// Shows a redemption code to this shop.
    Pay {
        shop: usize,
    },
    /// Holds the camera to this buyer's redemption code.
    Take {
        code: Rc<str>,
        units: Units,
        buyer: usize,
    },
    /// Does what a shop does beyond selling.
    Afterwards(Afterwards),
    /// Does what concerns a whole group.
    Group(Change),
    /// Looks at the app for so many milliseconds.
    Open {
        millis: i64,
    },
    Close,
    /// A push: there is something new.
    Sync,
    /// Says what is to be done with sales that would wait, to the server or to this phone alone.
    Stand,
    /// Looks at every screen.
    Look,
    /// No signal for so many milliseconds.
    Offline {
        millis: i64,
    },
    /// In a hotspot that wants to be agreed to.
    Hotspot {
        millis: i64,
    },
    /// The phone's clock is set so far from the true time.
    SetClock {
        skew: i64,
    },
    Kill,
    /// Shows an invitation to the shop's staff to this person.
    Invite {
        clerk: usize,
    },
    /// Holds the camera to an invitation of this shop's.
    JoinStaff {
        shop: usize,
        text: Rc<str>,
    },
    /// Ends someone's selling, or the own.
    LeaveStaff {
        person: Option<AccountId>,
    },
    /// Says of another key of the account that it may pay, or that it may sign no more.
    AnswerFor {
        key: KeyId,
        admit: bool,
    },
    /// Acts for the own shop, on a new phone.
    ActFor,
    /// Pays online at this shop.
    PayOnline {
        shop: usize,
    },
    ShowApproval {
        op: OpId,
        shop: usize,
    },
    TakeApproval {
        text: Rc<str>,
    },
    /// Reserves mileage for this shop's till.
    Reserve {
        shop: usize,
    },
    ShowPass {
        pass: OpId,
        shop: usize,
        units: Units,
    },
    TakePass {
        pass: OpId,
        text: Rc<str>,
        units: Units,
    },
    /// Sells more than the till may, past the app.
    Overstep,
    /// Pays past the app.
    PayRaw,
    /// Goes on signing with a key that was revoked.
    SignAfterwards,
    Reinstall {
        keep_key: bool,
    },
    BackUp,
    Restore,
}

impl World {
    /// The first days: everyone signs in, shops open, found and join.
    pub(crate) fn settle_in(&mut self) {
        for person in 0..self.people.len() {
            let is_second = person >= self.settings.phones;
            let first = if is_second { 20 * Timestamp::HOUR } else { 0 };
            let arrives = first + self.rng.between(0, 8 * Timestamp::HOUR) * if is_second { 6 } else { 1 };
            self.after(arrives, Event::Act(person, Action::Enrol));
            if person >= self.shops {
                continue;
            }
            self.after(arrives + 1_000, Event::Act(person, Action::OpenShop));
            if person % self.shops.div_ceil(self.group_count()) == 0 {
                self.after(arrives + 2_000, Event::Act(person, Action::Found));
            }
            for _ in 0..self.rng.between(0, 2) {
                let group = self.rng.below(self.group_count());
                let joins = arrives + self.rng.between(0, 20 * Timestamp::HOUR);
                self.after(joins, Event::Act(person, Action::Join { group, tries: 8 }));
            }
        }
    }

    fn group_count(&self) -> usize {
        self.settings.groups.unwrap_or(self.shops.div_ceil(3)).clamp(1, self.shops)
    }

    /// What people are going to do today, and what befalls them.
    pub(crate) fn morning(&mut self) {
        if self.now >= self.calm_from() {
            return;
        }
        self.after(Timestamp::DAY, Event::Morning);
        for person in 0..self.people.len() {
            let is_shop = person < self.shops;
            let visits = if is_shop { i64::from(self.rng.chance(1_000)) } else { self.rng.between(0, 2) };
            let visits = if self.rng.chance(2_000) { 0 } else { visits };
            for _ in 0..visits {
                let at = self.rng.between(8 * Timestamp::HOUR, 22 * Timestamp::HOUR);
                self.after(at, Event::Act(person, Action::Visit));
            }
            self.sometime(person, 3_000, |_| Action::Sync);
            self.sometime(person, 3_500, |_| Action::Look);
            self.sometime(person, 800, |_| Action::Stand);
            let faults = self.faults.clone();
            self.sometime(person, faults.offline, |rng| {
                let most = if rng.chance(700) { 30 * Timestamp::HOUR } else { Timestamp::HOUR };
                Action::Offline { millis: rng.between(Timestamp::MINUTE, most) }
            });
            self.sometime(person, faults.hotspot, |rng| Action::Hotspot {
                millis: rng.between(Timestamp::MINUTE, 90 * Timestamp::MINUTE),
            });
            self.sometime(person, faults.clock_jump, |rng| Action::SetClock {
                skew: match rng.below(6) {
                    0 => 0,
                    1 => Timestamp::DAY,
                    2 => -Timestamp::DAY,
                    3 => rng.between(-3 * Timestamp::DAY, 3 * Timestamp::DAY),
                    4 => 400 * Timestamp::DAY,
                    _ => rng.between(-10 * Timestamp::MINUTE, 10 * Timestamp::MINUTE),
                },
            });
            self.sometime(person, faults.restart, |_| Action::Kill);
            self.keys_today(person);
            self.groups_today(person);
            self.gifts_today(person);
            self.mishaps_today(person);
        }
    }

    /// Something that a person does today, perhaps, at some time.
    pub(crate) fn sometime(
        &mut self,
        person: usize,
        chance: u32,
        action: impl FnOnce(&mut crate::rng::Rng) -> Action,
    ) {
        if self.rng.chance(chance) {
            let at = self.rng.between(0, Timestamp::DAY);
            let action = action(&mut self.rng);
            self.after(at, Event::Act(person, action));
        }
    }

    pub(crate) fn act(&mut self, person: usize, action: Action) -> Step {
        let now = self.now;
        // What was begun before the calm may be brought to its end, for an hour.
        if now > self.calm_from().plus(Timestamp::HOUR) && !matches!(action, Action::Close) {
            return Ok(());
        }
        let calm = now >= self.calm_from();
        let someone = &mut self.people[person];
        match action {
            // Everyone has signal then.
            Action::Offline { .. } | Action::Hotspot { .. } if calm => return Ok(()),
            Action::Offline { millis } => {
                someone.offline_until = now.plus(millis);
                self.count("offline spells");
                return Ok(());
            }
            Action::Hotspot { millis } => {
                someone.hotspot_until = now.plus(millis);
                self.count("hotspots");
                return Ok(());
            }
            Action::SetClock { skew } => {
                someone.skew = skew;
                let line =
                    format!("{}: the clock is set {} s from the true time", someone.name, skew / 1_000);
                self.note(&line);
                self.count("clocks set");
                // A sleeping app notices within a minute.
                let noticed = now.plus(Timestamp::MINUTE);
                self.people[person].wakes_at = Some(noticed);
                self.at(noticed, Event::Wake(person));
                return Ok(());
            }
            Action::Kill => return self.kill(person),
            Action::Reinstall { keep_key } => return self.reinstall(person, keep_key),
            Action::BackUp => return self.back_up_phone(person),
            Action::Restore => return self.restore_phone(person),
            Action::Visit => {
                self.visit(person);
                return Ok(());
            }
            _ => {}
        }
        someone.set_clock(now);
        if someone.app.is_none() {
            return Ok(());
        }
        let says_no = self.rng.chance(self.faults.key_says_no);
        self.people[person].key.lock(says_no);
        let done = self.act_on_phone(person, action);
        self.people[person].key.lock(false);
        done?;
        self.perhaps_kill(person)?;
        self.poll(person)
    }

    /// Goes to a shop: both take out their phones.
    fn visit(&mut self, buyer: usize) {
        let nearest = buyer % self.shops;
        let shop = if self.rng.chance(6_000) { nearest } else { self.rng.below(self.shops) };
        for who in [buyer, shop] {
            let (at, millis) = (self.rng.between(0, 5_000), self.rng.between(8_000, 30_000));
            self.after(at, Event::Act(who, Action::Open { millis }));
        }
        if self.rng.chance(4_000) {
            let at = self.rng.between(6_000, 20_000);
            self.after(at, Event::Act(buyer, Action::Pay { shop }));
        }
        if self.rng.chance(1_500) {
            let at = self.rng.between(6_000, 20_000);
            self.after(at, Event::Act(buyer, Action::PayOnline { shop }));
        }
        if self.rng.chance(1_500) {
            let at = self.rng.between(6_000, 20_000);
            self.after(at, Event::Act(buyer, Action::Reserve { shop }));
        }
        let at = self.rng.between(6_000, 60_000);
        let seller = self.seller(shop);
        if seller != shop {
            self.after(0, Event::Act(seller, Action::Open { millis: 60_000 }));
        }
        if self.rng.chance(3_000) {
            return self.after(at, Event::Act(buyer, Action::ShowMember { shop: seller }));
        }
        self.after(at, Event::Act(seller, Action::Sell { buyer }));
    }

    fn act_on_phone(&mut self, person: usize, action: Action) -> Step {
        match action {
            Action::Enrol => self.enrol(person),
            Action::OpenShop => self.open_shop(person),
            Action::Found => self.found(person),
            Action::Join { group, tries } => self.join(person, group, tries),
            Action::Sell { buyer } => self.sell(person, buyer),
            Action::ShowMember { shop } => self.show_member(person, shop),
            Action::SellTo { code } => self.sell_to(person, &code),
            Action::Scan { voucher } => self.scan(person, &voucher),
            Action::Pay { shop } => self.pay(person, shop),
            Action::Stand => self.stand(person),
            Action::Take { code, units, buyer } => self.take_code(person, &code, units, buyer),
            Action::Afterwards(what) => self.do_afterwards(person, what),
            Action::Group(change) => self.change_group(person, change),
            Action::Open { millis } => {
                let until = self.now.plus(millis);
                let someone = &mut self.people[person];
                someone.foreground_until = someone.foreground_until.max(until);
                if let Some(app) = &mut someone.app {
                    app.machine.set_foreground(true);
                }
                self.at(until, Event::Act(person, Action::Close));
                Ok(())
            }
            Action::Close => {
                let someone = &mut self.people[person];
                if let (Some(app), true) = (&mut someone.app, someone.foreground_until <= self.now) {
                    app.machine.set_foreground(false);
                }
                Ok(())
            }
            Action::Sync => {
                let its_now = self.now.plus(self.people[person].skew);
                if let Some(app) = &mut self.people[person].app {
                    app.machine.sync_now(&app.phone, its_now).map_err(broken)?;
                }
                Ok(())
            }
            Action::Look => {
                self.choose(person)?;
                self.look(person)
            }
            Action::Invite { clerk } => self.invite(person, clerk),
            Action::JoinStaff { shop, text } => self.join_staff(person, shop, &text),
            Action::LeaveStaff { person: whom } => self.leave_staff(person, whom),
            Action::AnswerFor { key, admit } => self.answer_for(person, key, admit),
            Action::ActFor => self.act_for(person),
            Action::PayOnline { shop } => self.pay_online(person, shop),
            Action::ShowApproval { op, shop } => self.show_approval(person, op, shop),
            Action::TakeApproval { text } => self.take_approval(person, &text),
            Action::Reserve { shop } => self.reserve(person, shop),
            Action::ShowPass { pass, shop, units } => self.show_pass(person, pass, shop, units),
            Action::TakePass { pass, text, units } => self.take_pass(person, pass, &text, units),
            Action::Overstep => self.overstep(person),
            Action::PayRaw => self.pay_raw(person),
            Action::SignAfterwards => self.sign_afterwards(person),
            Action::Offline { .. }
            | Action::Hotspot { .. }
            | Action::SetClock { .. }
            | Action::Kill
            | Action::Reinstall { .. }
            | Action::BackUp
            | Action::Restore
            | Action::Visit => Ok(()),
        }
    }

    /// Signs in, if need be. The text message is left out, and so are faults on the way.
    pub(crate) fn enrol(&mut self, person: usize) -> Step {
        let someone = &mut self.people[person];
        let (account, name) = (someone.account, someone.name.clone());
        let Some(app) = &mut someone.app else { return Ok(()) };
        if matches!(app.phone.signed_in().map_err(broken)?, SignedIn::Yes(_)) {
            return Ok(());
        }
        if !self.server_up {
            self.after(Timestamp::MINUTE, Event::Act(person, Action::Enrol));
            return Ok(());
        }
        let request = app.phone.begin_enrolment("010-1234-5678").map_err(broken)?;
        let answer = self.server.enrol(account, &request, self.now)?;
        app.phone.enrolment_begun(Ok(answer)).map_err(broken)?;
        match app.phone.confirm_enrolment(CODE, None) {
            Ok(request) => {
                let answer = self.server.enrol(account, &request, self.now)?;
                match app.phone.enrolment_confirmed(Ok(answer)) {
                    // Its key was revoked.
                    Err(PhoneError::Problem(_)) => return Ok(()),
                    confirmed => drop(confirmed.map_err(broken)?),
                }
                self.note(&format!("{name}: signed in"));
            }
            Err(PhoneError::Key(_)) => self.after(Timestamp::MINUTE, Event::Act(person, Action::Enrol)),
            Err(error) => return Err(broken(error)),
        }
        Ok(())
    }

    fn open_shop(&mut self, person: usize) -> Step {
        let name = self.people[person].name.clone();
        let profile = MerchantProfile::new(name, Currency::KRW, None);
        let opened = self.on_phone(person, |phone| phone.register_merchant(profile))?;
        match opened {
            Some(merchant) => self.promised(person, "opens", OpId(merchant.0)),
            None if self.people[person].told.is_empty() && self.people[person].waiting.is_empty() => {
                self.after(Timestamp::HOUR, Event::Act(person, Action::OpenShop));
            }
            None => {}
        }
        Ok(())
    }

    fn found(&mut self, person: usize) -> Step {
        let profile = Profile::new(format!("alley of {}", self.people[person].name), Scope::Area);
        let terms = self.terms()?;
        match self.on_phone(person, |phone| phone.found_group(profile, terms))? {
            Some(group) => {
                self.groups.push(group);
                self.promised(person, "founds", OpId(group.0));
            }
            None => self.after(Timestamp::HOUR, Event::Act(person, Action::Found)),
        }
        Ok(())
    }

    pub(crate) fn terms(&mut self) -> Step<Terms> {
        let rate = BasisPoints::new(u16::try_from(self.rng.between(1, 12) * 100).map_err(broken)?)
            .map_err(broken)?;
        let days = u16::try_from(self.rng.between(1, 5)).map_err(broken)?;
        let validity = if self.rng.chance(7_000) { Validity::Days(days) } else { Validity::Months(days) };
        let minimum = Units::new(*self.rng.pick(&[0, 0, 500, 1_500]).unwrap_or(&0)).map_err(broken)?;
        let basis = if self.rng.chance(5_000) { Basis::OnIssue } else { Basis::OnRedemption };
        let order = if self.rng.chance(5_000) { SpendingOrder::Oldest } else { SpendingOrder::SoonestExpiry };
        let zone = *self.rng.pick(&["Asia/Seoul", "America/New_York", "UTC"]).unwrap_or(&"UTC");
        let unit_value = Money(self.rng.between(1, 2));
        let stamps = self.rng.between(2, 4);
        let kinds = match self.rng.below(10) {
            0 => {
                let per = self.rng.chance(5_000).then_some(Money(9_000));
                let stamps = u16::try_from(stamps).map_err(broken)?;
                Terms::stamps(StampCard { per, stamps, reward: Money(i64::from(stamps) * 500) }, validity)
            }
            1 => Terms::coupons(Money(1_000), self.rng.chance(5_000).then_some(Money(5_000)), validity),
            2 => Terms { kind: Kind::Reserve, ..Terms::points(rate, validity, minimum) },
            _ => Terms { unit_value, ..Terms::points(rate, validity, minimum) },
        };
        let consent = if self.rng.chance(6_000) { BasisPoints::new(5_000).ok() } else { None };
        let admission = match self.rng.below(10) {
            0 => Some(Admission::Admin),
            1 => BasisPoints::new(5_000).ok().map(Admission::Vote),
            _ => None,
        };
        Ok(Terms { basis, order, consent, admission, zone: zone.to_owned(), ..kinds })
    }

    fn join(&mut self, person: usize, group: usize, tries: u32) -> Step {
        let again = |world: &mut Self| {
            if tries > 0 {
                let wait = world.rng.between(Timestamp::HOUR, 5 * Timestamp::HOUR);
                world.after(wait, Event::Act(person, Action::Join { group, tries: tries - 1 }));
            }
        };
        let Some(group) = self.groups.get(group).copied() else {
            again(self);
            return Ok(());
        };
        let known = self.on_phone(person, |phone| phone.group(group))?.flatten();
        // Some join what they only have a link to.
        let Some(version) = known.map(|info| info.terms_version).or(self.rng.chance(2_000).then_some(1))
        else {
            self.on_phone(person, |phone| {
                phone.want(moa_phone::Lookup::Group(group));
                Ok(())
            })?;
            again(self);
            return Ok(());
        };
        match self.on_phone(person, |phone| phone.join_group(group, version))? {
            Some(op) => self.promised(person, "joins", op),
            None => again(self),
        }
        Ok(())
    }

    fn sell(&mut self, shop: usize, buyer: usize) -> Step {
        let amount = if self.rng.chance(300) { 3 } else { self.rng.between(1_000, 60_000) };
        let addressee = self.rng.chance(1_500).then(|| self.people[buyer].account);
        let Some(voucher) = self.on_phone(shop, |phone| phone.record_sale(Money(amount), addressee))? else {
            return Ok(());
        };
        self.count("sales");
        self.promised(shop, "sells", voucher.sale);
        let text: Rc<str> = voucher.text.into();
        self.perhaps_refunded(shop, voucher.sale, amount);
        let late = self.rng.chance(400);
        let wait = if late { 16 * Timestamp::MINUTE } else { self.rng.between(1_000, 10_000) };
        self.after(wait, Event::Act(buyer, Action::Scan { voucher: Rc::clone(&text) }));
        if self.rng.chance(800) {
            let clerk = self.clerks.iter().find(|(of, _)| *of == shop).map(|(_, clerk)| *clerk);
            clerk.map_or(Ok(()), |clerk| self.claim_own(clerk, &text))?;
        }
        if self.rng.chance(1_000) {
            // A picture of the voucher was sent on, or it is scanned twice, or by the shop itself.
            let other = self.rng.below(self.people.len());
            let wait = self.rng.between(1_000, 12 * Timestamp::MINUTE);
            self.after(wait, Event::Act(other, Action::Scan { voucher: text }));
        }
        Ok(())
    }

    fn show_member(&mut self, buyer: usize, shop: usize) -> Step {
        let Some(code) = self.on_phone(buyer, Phone::member_code)? else { return Ok(()) };
        let wait = if self.rng.chance(500) { 5 * Timestamp::MINUTE } else { self.rng.between(1_000, 10_000) };
        self.after(wait, Event::Act(shop, Action::SellTo { code: code.text.into() }));
        Ok(())
    }

    fn sell_to(&mut self, shop: usize, code: &str) -> Step {
        let amount = if self.rng.chance(300) { 3 } else { self.rng.between(1_000, 60_000) };
        if let Some(sale) = self.on_phone(shop, |phone| phone.record_sale_for(Money(amount), code))? {
            self.count("sales to a member code");
            self.promised(shop, "sells to a member", sale);
            self.perhaps_refunded(shop, sale, amount);
        }
        Ok(())
    }

    /// Looks through the sales that wait, and chooses, or puts it off.
    pub(crate) fn choose(&mut self, buyer: usize) -> Step {
        for waiting in self.on_phone(buyer, Phone::waiting_sales)?.unwrap_or_default() {
            if self.rng.chance(4_000) {
                continue;
            }
            let choice = self.rng.pick(&waiting.choices).map(|choice| choice.choice);
            let claimed = self.on_phone(buyer, |phone| phone.claim_waiting(waiting.sale, choice))?;
            if let Some(claimed) = claimed {
                self.count("choices");
                self.people[buyer].claims.insert(claimed.op);
                self.promised(buyer, "chooses", claimed.op);
            }
        }
        Ok(())
    }

    /// Sets the standing choice, or whether the phone takes the best without a question; or says something to advertising.
    fn stand(&mut self, buyer: usize) -> Step {
        if self.rng.chance(3_000) {
            let on = self.rng.chance(6_000);
            self.on_phone(buyer, |phone| phone.set_always_best(on))?;
            return Ok(());
        }
        if self.rng.chance(2_000) {
            let text = AgreedText { version: 1, language: TextLanguage::Korean, hash: [7; 32] };
            let agreed = self.rng.chance(6_000).then_some(text);
            if let Some(op) = self.on_phone(buyer, |phone| phone.set_marketing(agreed))? {
                self.promised(buyer, "says to advertising", op);
            }
            return Ok(());
        }
        let mut groups = Vec::new();
        for _ in 0..self.rng.between(0, 2) {
            groups.extend(self.rng.pick(&self.groups).copied());
        }
        let best = self.rng.chance(5_000);
        if let Some(op) = self.on_phone(buyer, |phone| phone.set_standing(groups, best))? {
            self.count("standing choices");
            self.promised(buyer, "stands by", op);
        }
        Ok(())
    }

    /// *Always best*: what the client does before it polls.
    pub(crate) fn choose_at_once(&mut self, buyer: usize) -> Step {
        let Some(app) = &self.people[buyer].app else { return Ok(()) };
        if !app.phone.always_best().map_err(broken)? {
            return Ok(());
        }
        let before = app.phone.pending_claims().map_err(broken)?;
        app.phone.choose_at_once().map_err(broken)?;
        let after = app.phone.pending_claims().map_err(broken)?;
        for claim in after.iter().filter(|claim| !before.contains(claim)) {
            self.count("choices without a question");
            self.people[buyer].claims.insert(claim.op);
            self.promised(buyer, "chooses at once", claim.op);
        }
        Ok(())
    }

    fn scan(&mut self, buyer: usize, voucher: &str) -> Step {
        let Some(code) = self.on_phone(buyer, |phone| phone.read_code(voucher))? else { return Ok(()) };
        let Code::Voucher(scanned) = code else { return Err("a voucher reads as something else".to_owned()) };
        let choices = self.on_phone(buyer, |phone| phone.choices(&scanned))?.unwrap_or_default();
        let choice: Option<Choice> = match self.rng.below(10) {
            0 => None,
            1 | 2 => self.rng.pick(&choices).map(|choice| choice.choice),
            _ => choices.first().map(|choice| choice.choice),
        };
        if let Some(claimed) = self.on_phone(buyer, |phone| phone.claim(&scanned, choice))? {
            self.count("claims");
            self.people[buyer].claims.insert(claimed.op);
            self.promised(buyer, "claims", claimed.op);
        }
        Ok(())
    }

    fn pay(&mut self, buyer: usize, shop: usize) -> Step {
        let shown = self.shown(buyer)?;
        let Some((group, unit, confirmed)) = self.rng.pick(&shown).copied() else { return Ok(()) };
        // Now and then for more than there is: what is pending may not count.
        let most = if self.rng.chance(1_500) { confirmed * 2 } else { confirmed };
        let units = self.some_of(unit, most)?;
        let code = self.on_phone(buyer, |phone| phone.redemption_code_of(group, units, unit))?;
        let Some(code) = code else { return Ok(()) };
        self.count("redemption codes");
        let code: Rc<str> = code.text.into();
        let late = self.rng.chance(300);
        let wait = if late { 4 * Timestamp::MINUTE } else { self.rng.between(1_000, 40_000) };
        if self.rng.chance(4_000) {
            self.later(wait, shop, Afterwards::Hold { code: Rc::clone(&code), units });
        } else {
            self.after(wait, Event::Act(shop, Action::Take { code: Rc::clone(&code), units, buyer }));
        }
        if self.rng.chance(1_500) {
            // The same code is shown at a second till.
            let second = self.rng.below(self.shops);
            let wait = wait + self.rng.between(0, 20_000);
            self.after(0, Event::Act(second, Action::Open { millis: 90_000 }));
            self.after(wait, Event::Act(second, Action::Take { code, units, buyer }));
        }
        Ok(())
    }

    fn take_code(&mut self, shop: usize, code: &str, units: Units, buyer: usize) -> Step {
        if let Some(asked) = self.on_phone(shop, |phone| phone.redeem(code, units))? {
            self.count("redemptions asked");
            self.promised(shop, "takes", asked.op);
            if self.rng.chance(3_000) {
                let (redemption, wait) = (asked.op, self.rng.between(3_000, 60_000));
                self.later(wait, shop, Afterwards::SellRest { redemption, buyer });
            }
            self.perhaps_undone(shop, asked.op);
            self.perhaps_brought_back(shop, buyer)?;
        }
        Ok(())
    }

    pub(crate) fn promised(&mut self, person: usize, does: &str, op: OpId) {
        self.people[person].promised(op);
        let line = format!("{}: {does} {op}", self.people[person].name);
        self.note(&line);
    }

    /// Calls a phone. What the rules, the key or the sign-in refuse is everyday; anything else is a bug.
    pub(crate) fn on_phone<T>(
        &mut self,
        person: usize,
        call: impl FnOnce(&Phone) -> Result<T, PhoneError>,
    ) -> Step<Option<T>> {
        let Some(app) = &self.people[person].app else { return Ok(None) };
        match call(&app.phone) {
            Ok(value) => Ok(Some(value)),
            Err(
                error @ (PhoneError::Refused(_)
                | PhoneError::Key(_)
                | PhoneError::NotSignedIn
                | PhoneError::NotHere),
            ) => {
                let line = format!("{}: {error}", self.people[person].name);
                self.note(&line);
                self.count("calls refused");
                Ok(None)
            }
            Err(error) => Err(format!("{}: {error}", self.people[person].name)),
        }
    }
}
