//! What a server is told when it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// How a server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder that keeps everything: database, key, pepper.
    pub data: PathBuf,
    /// Where it listens. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address at which phones reach it, for links and the API document; without one, where it listens.
    pub link_base: Option<String>,
    /// What takes text messages to phones.
    pub carrier: CarrierKind,
    /// The most connections at once; more wait to be accepted.
    pub connections: usize,
    /// Whether the clock stands until `POST /v1/test/clock` moves it. For tests, and only on loopback.
    pub test_clock: bool,
}

impl Config {
    /// Connections at once, unless told otherwise: below the 1 024 files that a process may commonly open.
    pub const CONNECTIONS: usize = 900;

    /// A server on a free port of this machine alone, with the development carrier.
    pub fn local(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            link_base: None,
            carrier: CarrierKind::Development,
            connections: Self::CONNECTIONS,
            test_clock: false,
        }
    }
}

/// The carriers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CarrierKind {
    /// Sends nothing: shows each message in the log and, on loopback, under `/v1/development/inbox`.
    Development,
}
