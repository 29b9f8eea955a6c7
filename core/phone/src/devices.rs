//! Looking at one's own devices, and as an owner at the shop's staff and tills. Asked of the server each time, kept nowhere.

use std::time::Duration;

use moa_rules::id::{KeyId, MerchantId};
use moa_rules::time::Timestamp;
use moa_wire::api::{DeviceKind, Devices, ShopRole, ShopStaff};
use serde::{Deserialize, Serialize};

use crate::error::PhoneError;
use crate::phone::Phone;
use crate::store::new_devices;
use crate::transport::{Method, Request, Response, TransportError};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A device of the account, as its person knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDevice {
    /// Its key.
    pub key: KeyId,
    /// What its person calls it; empty if nothing was said.
    pub name: String,
    /// What the key lives in.
    pub kind: DeviceKind,
    /// The shop that it acts for, or sold for.
    pub merchant: Option<MerchantId>,
    /// What it does there.
    pub role: Option<ShopRole>,
    /// When it was enrolled.
    pub since: Timestamp,
    /// When it was last there.
    pub seen: Timestamp,
    /// From when it may pay and answer for other keys.
    pub pays_from: Timestamp,
    /// Until when a browser may stay signed in.
    pub until: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Whether it is this phone.
    pub here: bool,
}

/// A device that joined the account without this phone's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDevice {
    /// Its key.
    pub key: KeyId,
    /// Whether it is a phone; else a browser that a phone let in, or a shop's computer.
    pub phone: bool,
    /// When it joined.
    pub joined_at: Timestamp,
    /// From when it may pay and answer for other keys, if it is a phone.
    pub pays_from: Timestamp,
}

impl Phone {
    /// Devices that joined the account without this phone's doing, until they are admitted, revoked, or
    /// [looked at](Self::device_seen).
    ///
    /// # Errors
    /// Storage.
    pub fn new_devices(&self) -> Result<Vec<NewDevice>, PhoneError> {
        self.store().read(new_devices::all)
    }

    /// The person knows that device, or has read of it; it is no longer shown.
    ///
    /// # Errors
    /// Storage.
    pub fn device_seen(&self, key: KeyId) -> Result<(), PhoneError> {
        self.write(|db| new_devices::gone(db, key))
    }

    /// Asks for the account's devices.
    ///
    /// # Errors
    /// As a read: [`PhoneError::NotSignedIn`], [`PhoneError::SignInAgain`], [`PhoneError::Offline`] without a session.
    pub fn devices_request(&self) -> Result<Request, PhoneError> {
        self.look("/v1/devices")
    }

    /// Takes the answer to [`Self::devices_request`]: the device seen last first, also those that were revoked.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub fn devices_read(
        &self,
        answer: Result<Response, TransportError>,
    ) -> Result<Vec<OwnDevice>, PhoneError> {
        let Devices { devices, now } = self.outcome(answer)?;
        self.store().write(|db| self.server_told_time(db, now))?;
        let here = self.key();
        let devices = devices.into_iter().map(|device| OwnDevice {
            key: device.key,
            name: device.name,
            kind: device.kind,
            merchant: device.merchant,
            role: device.role,
            since: device.since,
            seen: device.seen,
            pays_from: device.pays_from,
            until: device.until,
            revoked_at: device.revoked_at,
            here: device.key == here,
        });
        Ok(devices.collect())
    }

    /// Asks for the shop's staff and tills.
    ///
    /// # Errors
    /// As for [`Self::devices_request`].
    pub fn staff_request(&self) -> Result<Request, PhoneError> {
        self.look("/v1/staff")
    }

    /// Takes the answer to [`Self::staff_request`].
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason, `forbidden` for whoever does not own the shop;
    /// [`PhoneError::Offline`].
    pub fn staff_read(&self, answer: Result<Response, TransportError>) -> Result<ShopStaff, PhoneError> {
        let staff: ShopStaff = self.outcome(answer)?;
        self.store().write(|db| self.server_told_time(db, staff.now))?;
        Ok(staff)
    }

    pub(crate) fn look(&self, path: &str) -> Result<Request, PhoneError> {
        let headers =
            vec![("accept", "application/json".to_owned()), ("accept-language", self.language().to_owned())];
        let path = path.to_owned();
        self.as_caller(Request { method: Method::Get, path, headers, body: None, timeout: TIMEOUT })
    }
}
