//! The core as Kotlin and Swift see it: one [`App`], plain records, one observer. No logic.
//!
//! Everything here forwards to `moa-phone` and dresses its values for a screen: ids as hex, money and mileage as
//! whole numbers with their text beside them, in the app's language. A thousand records cost about as much to hand over
//! as ten calls, so a screen's data comes in one call.

mod account;
mod app;
mod check;
mod convert;
mod devices;
mod error;
mod founding;
mod grant;
mod group;
mod hold;
mod invitation;
mod invitee;
mod joining;
mod key_store;
mod labels;
mod leaving;
mod marketing;
mod member;
mod observer;
mod one_time;
mod pass;
mod picture;
mod plan;
mod records;
mod refund;
mod scan;
mod search;
mod share;
mod shop_page;
mod staff;
mod standing;
mod till;

pub use account::MergeConsent;
pub use app::{App, AppConfig};
pub use check::choice_decisions;
pub use error::ApiError;
pub use founding::{
    FoundingDraft, FoundingPlan, FoundingPreview, GroupProfile, MileageKind, RateBound, RateCost,
    RateSuggestion, WeighedTerms,
};
pub use grant::{GrantReason, ImportedFile, Opening, OpeningPreview, OpeningRow, Recipient, RefusedLine};
pub use hold::{Hold, HoldAsked};
pub use invitation::{
    HowAnswered, Invitation, InvitationAnswer, InvitationState, ReceivedInvitation, UnsentInvitation,
};
pub use invitee::{Invitee, Reach};
pub use joining::{JoinRequest, JoinRequestState};
pub use labels::Labels;
pub use member::{MemberCode, ScannedMember, WaitingSale};
pub use observer::{AppState, Observer, RefusedItem, Subscription};
pub use one_time::OneTimeCode;
pub use pass::{Approval, Pass, PassState, Payment, ScannedPass, ShownPass, Took};
pub use plan::{PlanDay, PlannedPurchase};
pub use records::*;
pub use refund::{Correction, Refund, RefundPreview, Reversal};
pub use scan::*;
pub use search::{
    FoundGroup, FoundShop, Industry, MapBox, Search, SearchFor, SearchPage, SearchSort, Suggestion,
};
pub use share::{Channel, Contact, Invite, Parameter, ShareIntent};
pub use shop_page::ShopPage;
pub use staff::{ScannedInvitation, StaffInvitation, StaffLimits};
pub use standing::{ShopStanding, StandingChoice, StandingGroup};
pub use till::TillState;

uniffi::setup_scaffolding!("moa");
