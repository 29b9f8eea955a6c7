//! The phone: its store, its outbox, its sync, and what screens ask.
//!
//! A [`Phone`] is one SQLite file and one signing key. Every write is signed, put in the outbox together with what it
//! would change, and on disk when the call returns; no network is needed. A [`Client`] carries the outbox to the
//! server and what the server decided back. What is *confirmed* and what is *pending* are kept apart.
//!
//! Inside, [`sync::Machine`] decides what to ask and what to make of the answers without sockets, threads or a clock,
//! so that a simulation can drive it; the client only runs it. Calls go downwards: client → machine → phone → store.
//! Texts are not made here (`moa-words`), nor pictures of codes (`moa_wire::qr`).
//!
//! ```no_run
//! # use std::{sync::Arc, time::Duration};
//! # use moa_phone::{Client, Code, Data, HttpOptions, HttpTransport, Options, Phone};
//! # use moa_rules::quantity::Money;
//! # async fn story(shop: &Phone) -> Result<(), Box<dyn std::error::Error>> {
//! let phone = Arc::new(Phone::open(Options::new(Data::Directory("moa".into())))?);
//! let http = HttpTransport::new("https://moa.example", HttpOptions::default())?;
//! let client = Client::start(Arc::clone(&phone), Arc::new(http))?;
//! client.begin_enrolment("010-1234-5678").await?;
//! client.confirm_enrolment("123456", None).await?;
//!
//! let voucher = shop.record_sale(Money(4_500), None)?; // on the shop's phone
//! let Code::Voucher(scanned) = phone.read_code(&voucher.text)? else { return Ok(()) };
//! let choices = phone.choices(&scanned)?; // best first; empty for a shop never met
//! let claim = phone.claim(&scanned, choices.first().map(|best| best.choice))?;
//! let verdict = client.wait_for_verdict(claim.op, Duration::from_secs(10)).await?;
//! println!("{verdict:?} {:?}", phone.balances()?);
//! # Ok(())
//! # }
//! ```

mod account;
mod adjustment;
mod breach;
mod choice;
mod claim;
mod client;
mod code;
mod data_key;
mod devices;
mod enrolment;
mod environment;
mod error;
mod founding;
mod group;
mod hold;
mod http;
mod invitation;
mod invited;
mod invitee;
mod joining;
mod key;
mod key_store;
mod leaving;
mod lookup;
mod marketing;
mod member;
mod number;
mod one_time;
mod opening;
mod outbox;
mod pass;
mod phone;
mod picture;
mod plan;
mod redemption;
mod refund;
mod sale;
mod sealing;
mod search;
mod session;
mod set_aside;
mod share;
mod shop;
mod staff;
mod standing;
mod store;
pub mod sync;
mod till;
mod transport;
mod wallet;

pub use account::ShownConsent;
pub use adjustment::Recipient;
pub use breach::{Breach, Mismatch, Reckoned};
pub use claim::{Claimed, GroupChoice, PendingClaim};
pub use client::Client;
pub use code::{
    Code, ScannedApproval, ScannedInvitation, ScannedMember, ScannedOneTime, ScannedRedemption,
    ScannedVoucher, VoucherStanding,
};
pub use devices::{NewDevice, OwnDevice};
pub use enrolment::SignedUp;
pub use environment::{Environment, SeededEnvironment, SystemEnvironment};
pub use error::{PhoneError, StorageError};
pub use group::{AmendmentInfo, GroupState};
pub use hold::HoldItem;
pub use http::{BadServer, HttpOptions, HttpTransport};
pub use invitation::{HowAnswered, InvitationAnswer, InvitationLink, InvitationStanding, OwnInvitation};
pub use invited::ReceivedInvitation;
pub use invitee::{Invitee, MOST_LISTED, Reach};
pub use joining::RequestInfo;
pub use key_store::{DeviceKeys, HostKeys, KeyStore, KeyStoreError, MAX_SEALED, SoftwareKeys};
pub use leaving::Unsent;
pub use lookup::Lookup;
pub use marketing::MarketingConsent;
pub use member::{ShownMember, WaitingChoice};
pub use moa_rules::choice::weigh::Reason;
pub use moa_wire::api::{DeviceKind, ShopRole, ShopStaff, StaffEntry, TillEntry};
pub use moa_wire::channel::Channel;
pub use moa_wire::contact::{Contact, NotAContact};
pub use moa_wire::search::{FoundGroup, FoundShop, MapBox, SearchFor, SearchPage, SearchRequest, SearchSort};
pub use one_time::{Purpose, ShownOneTime};
pub use opening::{
    Column, MAX_FILE, MAX_ROWS, OpeningFault, OpeningItem, OpeningPreview, OpeningRow, RowFault,
};
pub use outbox::{Fate, Kind, OutboxItem, RefusedOp};
pub use pass::{PassItem, PassStanding, ScannedPass, ShownApproval, ShownPass, Took};
pub use phone::{Data, Options, Phone, SignedIn};
pub use picture::MOST_PICTURE;
pub use plan::{MOST_PLANS, PlanFault, PlannedPurchase};
pub use redemption::{Asked, ShownCode};
pub use refund::{Correction, RefundItem, RefundPreview};
pub use sale::{MerchantDay, Purchase, RedemptionItem, ReversalItem, SaleItem, SaleStanding, Voucher};
pub use search::Suggested;
pub use set_aside::SetAside;
pub use share::{Said, ShareIntent, Shared, ToShare, intent};
pub use shop::{GroupInfo, OwnGroup, OwnShop, Shop, ShopInfo};
pub use staff::ShownInvitation;
pub use standing::{AtShop, Standing, StandingAt, StandingGroup};
pub use store::bound::Bounds as DirectoryBounds;
pub use store::invitation_links::Unsent as UnsentInvitation;
pub use till::TillState;
pub use transport::{Answer, MAX_ANSWER, Method, Request, Response, Transport, TransportError};
pub use wallet::{Balance, Happened, HistoryItem, SOON};
