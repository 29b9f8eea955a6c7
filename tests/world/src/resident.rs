//! Someone in a town: a real phone, kept in step by a real client, with a signal that comes and goes.

use std::sync::Arc;
use std::time::Duration;

use moa_phone::{
    Balance, Claimed, Client, Code, Fate, Phone, PhoneError, ReceivedInvitation, ScannedVoucher, ShownCode,
    Voucher,
};
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::invitation::Invited;
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::Choice;
use moa_rules::quantity::{Currency, Money, Units};
use moa_rules::terms::{Profile, Scope, Terms};

use crate::network::Reception;
use crate::town::{Doing, TownError};

/// How long a verdict is waited for.
const VERDICT: Duration = Duration::from_secs(20);

/// Someone with a phone. Dropping it closes the phone; what is on disk stays.
pub struct Resident {
    number: String,
    client: Client,
    reception: Arc<Reception>,
}

impl Resident {
    pub(crate) fn new(number: &str, client: Client, reception: Arc<Reception>) -> Self {
        Self { number: number.to_owned(), client, reception }
    }

    /// The phone number.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The phone.
    pub fn phone(&self) -> &Phone {
        self.client.phone()
    }

    /// What keeps the phone in step. In the background until told otherwise: a town of thousands does not wait at
    /// the server.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Takes the signal away: nothing leaves the phone any more, and what was under way breaks off.
    pub fn lose_signal(&self) {
        self.reception.set_signal(false);
    }

    /// Gives the signal back. The phone may take a while to notice; [`Self::sync`] makes it.
    pub fn regain_signal(&self) {
        self.reception.set_signal(true);
    }

    /// Sends everything that waits and receives everything that there is.
    ///
    /// # Errors
    /// What the client says, such as that there is no signal.
    pub async fn sync(&self) -> Result<(), TownError> {
        let mut synced = self.client.sync_now().await;
        // What was under way on any of the phone's three lanes when the signal came back may fail a sync each.
        for _ in 0..3 {
            if !self.reception.has_signal() || !matches!(synced, Err(PhoneError::Offline(_))) {
                break;
            }
            synced = self.client.sync_now().await;
        }
        synced.doing("sync", self)
    }

    /// Opens a shop that takes won, and waits until it is confirmed.
    ///
    /// # Errors
    /// If it is refused, or the server does not answer.
    pub async fn open_shop(&self, name: &str) -> Result<MerchantId, TownError> {
        let profile = MerchantProfile::new(name, Currency::KRW, None);
        let shop = self.phone().register_merchant(profile).doing("open a shop", self)?;
        self.confirmed("open a shop", OpId(shop.0)).await?;
        Ok(shop)
    }

    /// Founds a group, and waits until it is confirmed.
    ///
    /// # Errors
    /// If it is refused, or the server does not answer.
    pub async fn found_group(&self, name: &str, scope: Scope, terms: Terms) -> Result<GroupId, TownError> {
        let profile = Profile::new(name, scope);
        let group = self.phone().found_group(profile, terms).doing("found a group", self)?;
        self.confirmed("found a group", OpId(group.0)).await?;
        Ok(group)
    }

    /// Invites so many into a group by one link, for two weeks, and waits until it opens. Gives the link.
    ///
    /// # Errors
    /// If it is refused, or the server does not answer.
    pub async fn invite(&self, group: GroupId, uses: u16) -> Result<String, TownError> {
        const DOING: &str = "invite";
        let made = self.phone().invite(Invited::Group(group), uses, 14).doing(DOING, self)?;
        self.confirmed(DOING, made).await?;
        let own = self.phone().invitations().doing(DOING, self)?.into_iter().find(|own| own.id == made);
        let link = own.and_then(|own| own.link).ok_or(PhoneError::NotHere).doing(DOING, self)?;
        Ok(link.link)
    }

    /// Opens an invitation, reads the terms, joins under them, and waits until that is confirmed.
    ///
    /// # Errors
    /// If it is void, it is refused, or the server does not answer.
    pub async fn follow(&self, link: &str) -> Result<ReceivedInvitation, TownError> {
        const DOING: &str = "follow an invitation";
        let received = self.client.open_invitation(link).await.doing(DOING, self)?;
        let group = received.group.as_ref().ok_or(PhoneError::NotHere).doing(DOING, self)?;
        let op = self.phone().accept_invitation(received.id, group.terms_version).doing(DOING, self)?;
        self.confirmed(DOING, op).await?;
        Ok(received)
    }

    /// Reads a group's terms, joins under them, and waits until that is confirmed.
    ///
    /// # Errors
    /// If there is no such group, it is refused, or the server does not answer.
    pub async fn join(&self, group: GroupId) -> Result<(), TownError> {
        const DOING: &str = "join a group";
        let terms = self.client.look_up_group(group).await.doing(DOING, self)?;
        let op = self.phone().join_group(group, terms.terms_version).doing(DOING, self)?;
        self.confirmed(DOING, op).await
    }

    /// Records a sale in won. No network is needed.
    ///
    /// # Errors
    /// What the phone says.
    pub fn sell(&self, won: i64) -> Result<Voucher, TownError> {
        self.phone().record_sale(Money(won), None).doing("record a sale", self)
    }

    /// Reads a voucher. No network is needed.
    ///
    /// # Errors
    /// What the phone says, or that the text is no voucher.
    pub fn scan(&self, text: &str) -> Result<ScannedVoucher, TownError> {
        match self.phone().read_code(text).doing("scan a voucher", self)? {
            Code::Voucher(voucher) => Ok(voucher),
            _ => Err(PhoneError::NotHere).doing("scan a voucher", self),
        }
    }

    /// Turns a sale into mileage, of the best group without a choice. No network is needed.
    ///
    /// # Errors
    /// What the phone says.
    pub fn claim(&self, voucher: &ScannedVoucher, choice: Option<Choice>) -> Result<Claimed, TownError> {
        self.phone().claim(voucher, choice).doing("claim a sale", self)
    }

    /// Reads a voucher and claims it in the group that the phone puts first. No network is needed.
    ///
    /// # Errors
    /// What the phone says.
    pub fn claim_best(&self, text: &str) -> Result<Claimed, TownError> {
        let voucher = self.scan(text)?;
        let choices = self.phone().choices(&voucher).doing("list the shop's groups", self)?;
        self.claim(&voucher, choices.first().map(|best| best.choice))
    }

    /// Makes a code that lets a shop take up to `most` units. No network is needed.
    ///
    /// # Errors
    /// What the phone says.
    pub fn show_code(&self, group: GroupId, most: Units) -> Result<ShownCode, TownError> {
        self.phone().redemption_code(group, most).doing("make a redemption code", self)
    }

    /// Asks for units on a buyer's code, and waits for the verdict: a refusal is one, and no error.
    ///
    /// # Errors
    /// If the phone itself refuses, or no verdict comes.
    pub async fn redeem(&self, code: &str, units: Units) -> Result<Fate, TownError> {
        let asked = self.phone().redeem(code, units).doing("redeem", self)?;
        self.verdict("redeem", asked.op).await
    }

    /// Waits for the verdict on an op of this phone.
    ///
    /// # Errors
    /// If none comes.
    pub async fn verdict(&self, doing: &'static str, op: OpId) -> Result<Fate, TownError> {
        match self.client.wait_for_verdict(op, VERDICT).await.doing(doing, self)? {
            Fate::Waiting | Fate::BeingChecked => {
                Err(PhoneError::Offline("no verdict in time".to_owned())).doing(doing, self)
            }
            fate => Ok(fate),
        }
    }

    /// Waits until an op holds and everything that it brought has come.
    async fn confirmed(&self, doing: &'static str, op: OpId) -> Result<(), TownError> {
        if let Fate::Refused(refused) = self.verdict(doing, op).await? {
            let refusal = format!("{}: {}", refused.code, refused.text);
            return Err(TownError::new(doing, self.number(), refusal));
        }
        self.sync().await
    }

    /// What this phone reckons its mileage in a group to be; none if it has never heard of any.
    ///
    /// # Errors
    /// Storage.
    pub fn balance(&self, group: GroupId) -> Result<Option<Balance>, TownError> {
        let balances = self.phone().balances().doing("reckon the balance", self)?;
        Ok(balances.into_iter().find(|balance| balance.group == group))
    }

    /// Confirmed and pending units in a group.
    ///
    /// # Errors
    /// Storage.
    pub fn units(&self, group: GroupId) -> Result<(Units, Units), TownError> {
        let balance = self.balance(group)?;
        Ok(balance.map_or((Units::ZERO, Units::ZERO), |balance| (balance.confirmed, balance.pending)))
    }
}
