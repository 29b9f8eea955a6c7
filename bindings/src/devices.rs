//! Signing in, the devices of an account, and a shop's staff and tills.

use std::sync::Arc;

use moa_words::{Label, Line, label, line};

use crate::app::{App, Inner};
use crate::convert::Dress;
use crate::error::ApiError;
use crate::staff::StaffLimits;

/// Who signed in.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct SignedUp {
    /// The account's id.
    pub account: String,
    /// The account's recovery code, if the account begins here: to be shown once, for the person to write down. Nobody can
    /// tell it again.
    pub recovery_code: Option<String>,
}

/// What a key lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum DeviceKind {
    /// A phone.
    Phone,
    /// A browser that a phone let in.
    Browser,
    /// A shop's own computer.
    Service,
}

/// What a key does for its shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ShopRole {
    /// It acts for the owner.
    Owner,
    /// It sells for one of the staff.
    Staff,
    /// It sold for one of the staff, who has left.
    Left,
    /// It is the shop's own computer.
    Service,
}

/// A device of the account, one that was removed too.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Device {
    /// Its key's id.
    pub id: String,
    /// What the person calls it; empty if nothing was said.
    pub name: String,
    /// What it is, in a word: `Phone`, `Browser`; `Removed` once it is.
    pub kind_text: String,
    /// What it lives in.
    pub kind: DeviceKind,
    /// The shop's id that it acts for, or sold for.
    pub shop: Option<String>,
    /// What it does there.
    pub role: Option<ShopRole>,
    /// The same in a word; empty without a shop.
    pub role_text: String,
    /// When it was enrolled.
    pub since: i64,
    /// The same, for a screen.
    pub since_text: String,
    /// When it was last there.
    pub seen: i64,
    /// The same, for a screen.
    pub seen_text: String,
    /// From when it may pay.
    pub pays_from: i64,
    /// Until when a browser may stay signed in.
    pub until: Option<i64>,
    /// When it was removed.
    pub revoked_at: Option<i64>,
    /// Whether it is this phone.
    pub this_phone: bool,
}

/// A device that joined the account without this phone's doing.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NewDevice {
    /// Its key's id: `admitDevice`, `revokeDevice`, `deviceSeen`.
    pub id: String,
    /// Whether it is a phone; else a browser, or a shop's computer.
    pub phone: bool,
    /// When it joined.
    pub joined_at: i64,
    /// The same, for a screen.
    pub joined_text: String,
    /// From when it may pay, if it is a phone.
    pub pays_from: i64,
}

/// The staff and tills of the own shop.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ShopStaff {
    /// Who sells, or sold, for it and is not its owner.
    pub staff: Vec<StaffMember>,
    /// The keys that sell, or sold, for it.
    pub tills: Vec<Till>,
}

/// Someone who sells, or sold, for the own shop.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StaffMember {
    /// The person's account: `App::remove_staff`.
    pub account: String,
    /// The key of the phone that sells; one of the tills.
    pub till: String,
    /// What they may sell.
    pub limits: StaffLimits,
    /// What they sold today.
    pub sold_today: i64,
    /// The same, such as `40,000원`.
    pub sold_today_text: String,
    /// When they joined.
    pub joined_at: i64,
    /// When they left.
    pub left_at: Option<i64>,
}

/// A key that sells, or sold, for the own shop.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Till {
    /// Its id: `App::revoke_device`.
    pub id: String,
    /// What its person calls it; empty if nothing was said.
    pub name: String,
    /// What it lives in.
    pub kind: DeviceKind,
    /// What it does for the shop.
    pub role: ShopRole,
    /// The same in a word; `Removed` once it is.
    pub role_text: String,
    /// When it was last heard, if ever.
    pub heard_at: Option<i64>,
    /// The same, for a screen; empty if never.
    pub heard_text: String,
    /// Numbers that it counted and that have not arrived.
    pub missing: u64,
    /// What that means, as a sentence; empty if there are none.
    pub missing_text: String,
    /// What it may still sell without a connection, until `sells_until`; nothing without a certificate.
    pub left_offline: i64,
    /// Until when.
    pub sells_until: Option<i64>,
    /// When it was removed.
    pub revoked_at: Option<i64>,
}

impl From<moa_phone::DeviceKind> for DeviceKind {
    fn from(kind: moa_phone::DeviceKind) -> Self {
        match kind {
            moa_phone::DeviceKind::Phone => Self::Phone,
            moa_phone::DeviceKind::Browser => Self::Browser,
            moa_phone::DeviceKind::Service => Self::Service,
        }
    }
}

impl From<moa_phone::ShopRole> for ShopRole {
    fn from(role: moa_phone::ShopRole) -> Self {
        match role {
            moa_phone::ShopRole::Owner => Self::Owner,
            moa_phone::ShopRole::Staff => Self::Staff,
            moa_phone::ShopRole::Left => Self::Left,
            moa_phone::ShopRole::Service => Self::Service,
        }
    }
}

impl DeviceKind {
    fn label(self) -> Label {
        match self {
            Self::Phone => Label::OfPhone,
            Self::Browser => Label::OfBrowser,
            Self::Service => Label::OfComputer,
        }
    }
}

impl ShopRole {
    fn label(self) -> Label {
        match self {
            Self::Owner => Label::OfOwner,
            Self::Staff => Label::OfStaff,
            Self::Left => Label::OfFormerStaff,
            Self::Service => Label::OfComputer,
        }
    }
}

impl From<moa_phone::SignedUp> for SignedUp {
    fn from(signed_up: moa_phone::SignedUp) -> Self {
        Self { account: signed_up.account.to_string(), recovery_code: signed_up.recovery_code }
    }
}

impl Dress {
    pub(crate) fn new_device(self, device: moa_phone::NewDevice) -> NewDevice {
        NewDevice {
            id: device.key.to_string(),
            phone: device.phone,
            joined_at: device.joined_at.0,
            joined_text: self.moment(device.joined_at),
            pays_from: device.pays_from.0,
        }
    }

    fn device(self, device: moa_phone::OwnDevice) -> Device {
        let (kind, role) = (DeviceKind::from(device.kind), device.role.map(ShopRole::from));
        let ended = device.revoked_at.is_some();
        Device {
            id: device.key.to_string(),
            name: device.name,
            kind_text: self.label(if ended { Label::Ended } else { kind.label() }),
            kind,
            shop: device.merchant.map(|shop| shop.to_string()),
            role,
            role_text: role.map(|role| self.label(role.label())).unwrap_or_default(),
            since: device.since.0,
            since_text: self.moment(device.since),
            seen: device.seen.0,
            seen_text: self.moment(device.seen),
            pays_from: device.pays_from.0,
            until: device.until.map(|until| until.0),
            revoked_at: device.revoked_at.map(|at| at.0),
            this_phone: device.here,
        }
    }

    fn staff(self, staff: moa_phone::ShopStaff) -> ShopStaff {
        let member = |clerk: moa_phone::StaffEntry| StaffMember {
            account: clerk.account.to_string(),
            till: clerk.key.to_string(),
            limits: clerk.limits.into(),
            sold_today: clerk.sold_today.0,
            sold_today_text: self.won(clerk.sold_today),
            joined_at: clerk.joined_at.0,
            left_at: clerk.left_at.map(|at| at.0),
        };
        ShopStaff {
            staff: staff.staff.into_iter().map(member).collect(),
            tills: staff.tills.into_iter().map(|till| self.till(till)).collect(),
        }
    }

    fn till(self, till: moa_phone::TillEntry) -> Till {
        let role = ShopRole::from(till.role);
        let ended = till.revoked_at.is_some();
        let left = till.certificate.map_or(0, |certificate| certificate.most.0 - certificate.used.0);
        Till {
            id: till.key.to_string(),
            name: till.name,
            kind: till.kind.into(),
            role,
            role_text: self.label(if ended { Label::Ended } else { role.label() }),
            heard_at: till.heard_at.map(|at| at.0),
            heard_text: till.heard_at.map(|at| self.moment(at)).unwrap_or_default(),
            missing: till.missing,
            missing_text: match till.missing {
                0 => String::new(),
                numbers => line(self.lang, &Line::Missing { numbers }),
            },
            left_offline: left.max(0),
            sells_until: till.certificate.map(|certificate| certificate.until.0),
            revoked_at: till.revoked_at.map(|at| at.0),
        }
    }

    fn label(self, what: Label) -> String {
        label(self.lang, what).to_owned()
    }
}

#[uniffi::export]
impl App {
    /// The person knows a new device, or has read of it: `AppState.newDevices` has it no more.
    pub fn device_seen(&self, id: String) -> Result<(), ApiError> {
        let key = self.key_id(&id)?;
        self.ask(self.phone()?.device_seen(key))
    }

    /// Has a six-digit code sent to a phone number, as typed. Gives the instant at which it is void.
    pub async fn begin_enrolment(&self, phone_number: String) -> Result<i64, ApiError> {
        let call = async move |app: Arc<Inner>| app.client.begin_enrolment(&phone_number).await;
        Ok(self.run(call).await?.0)
    }

    /// Sends the code that came: this phone is signed in.
    pub async fn confirm_enrolment(&self, code: String) -> Result<SignedUp, ApiError> {
        let call = async move |app: Arc<Inner>| app.client.confirm_enrolment(&code, None).await;
        Ok(self.run(call).await?.into())
    }

    /// Sends the code that came and the account's recovery code, as typed: a second proof, with which a new phone may pay at
    /// once, and a number that was not used for long leads to its account.
    pub async fn confirm_enrolment_with_recovery(
        &self,
        code: String,
        recovery_code: String,
    ) -> Result<SignedUp, ApiError> {
        let call =
            async move |app: Arc<Inner>| app.client.confirm_enrolment(&code, Some(&recovery_code)).await;
        Ok(self.run(call).await?.into())
    }

    /// The account's devices, the one that was there last first. Needs a network.
    pub async fn devices(&self) -> Result<Vec<Device>, ApiError> {
        let devices = self.run(async move |app: Arc<Inner>| app.client.devices().await).await?;
        Ok(devices.into_iter().map(|device| self.dress().device(device)).collect())
    }

    /// The staff and tills of the shop that this person owns, with what each clerk sold today, when each till was last heard,
    /// and what of it has not arrived. Needs a network.
    pub async fn staff(&self) -> Result<ShopStaff, ApiError> {
        let staff = self.run(async move |app: Arc<Inner>| app.client.staff().await).await?;
        Ok(self.dress().staff(staff))
    }
}
