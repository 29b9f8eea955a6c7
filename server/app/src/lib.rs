//! The backend: HTTP, enrolment, jobs.
//!
//! `moa-ledger` decides and keeps; this crate lets phones reach it. [`start`] runs a server in this process, the
//! binary `moa` runs one from the command line. Handlers are small and live by noun in [`http`]; what they write, they
//! write as ops through the engine, except personal data (numbers, codes, sessions), which is kept beside the journal.

mod app;
pub mod apps;
mod auth;
pub mod buyers;
mod carrier;
mod config;
pub mod copying;
mod cursor;
mod data_dir;
mod devices;
mod enrolment;
pub mod http;
mod invitations;
mod jobs;
mod keys;
pub mod mailer;
mod night;
mod one_time;
pub mod operator;
mod pages;
mod peer;
mod pepper;
mod phone_number;
mod pictures;
mod place;
mod poster;
mod proof;
mod random;
mod recovery;
mod search;
mod server;
mod sessions;
mod sms_gateway;
mod smtp;
mod test_clock;

pub use apps::Apps;
pub use config::{BadSetting, CarrierKind, Config, DailyCodes, Limits, MailSettings, Secret, SmsSettings};
pub use data_dir::{DataError, database};
pub use moa_ledger::engine::Clock;
pub use place::Place;
pub use poster::FontError;
pub use server::{Running, StartError, start, start_on};

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use moa_rules::time::Timestamp;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}
