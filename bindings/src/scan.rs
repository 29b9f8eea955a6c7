//! What a camera saw.

use crate::member::ScannedMember;
use crate::pass::ScannedPass;
use crate::records::{MileageUnit, Shop};
use crate::staff::ScannedInvitation;

/// What a code is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Scan {
    /// A sale, to be claimed.
    Voucher {
        /// As scanned.
        voucher: ScannedVoucher,
    },
    /// A buyer's permission to take mileage, for a shop.
    Redemption {
        /// As scanned.
        code: ScannedRedemption,
    },
    /// The server's word that a redemption stands, its signature checked.
    Approval {
        /// The shop's id that it is for.
        merchant: String,
        /// Whether that is this phone's shop.
        for_us: bool,
        /// Units taken.
        units: i64,
        /// The same, such as `1,200 points`.
        units_text: String,
        /// Whether it is too late to honour it.
        expired: bool,
    },
    /// A buyer's member code, for a shop.
    Member {
        /// As scanned.
        code: ScannedMember,
    },
    /// Twelve digits that a buyer was given, for a shop: to pay with, or to name the buyer by.
    OneTime {
        /// In three groups of four.
        text: String,
    },
    /// An owner's invitation to sell for the shop.
    Invitation {
        /// As scanned.
        invitation: ScannedInvitation,
    },
    /// The word of another account of this person's, that it may end: `mergeAccount`.
    MergeConsent {
        /// Whether it is void.
        expired: bool,
    },
    /// Mileage that a buyer reserved for a till.
    Pass {
        /// As scanned.
        pass: ScannedPass,
    },
    /// A browser that wants in as this person: `App::let_in_browser`.
    Browser {
        /// The public point of its key, 65 bytes.
        public_key: Vec<u8>,
        /// What the person is to be asked first.
        question_text: String,
    },
    /// A link to a screen.
    Link {
        /// Where it leads.
        destination: Destination,
    },
}

/// A screen that a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Destination {
    /// A group.
    Group {
        /// Its id.
        id: String,
    },
    /// A shop.
    Shop {
        /// Its id.
        id: String,
    },
    /// The buyer's wallet in a group.
    Wallet {
        /// The group's id.
        group: String,
    },
    /// An invitation, by its link.
    Invitation {
        /// What the link carries, 32 hex digits. Opening it needs nothing else.
        token: String,
    },
    /// An invitation, by the code that was typed for it.
    InvitationCode {
        /// In two groups of four, such as `7K3M-9QXW`.
        code: String,
    },
}

/// Whether a voucher can be claimed by this phone now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum VoucherStanding {
    /// It can.
    Open,
    /// This phone has claimed it.
    Claimed,
    /// Someone else was first.
    Gone,
    /// It was to be scanned earlier.
    Expired,
    /// It is for another buyer.
    ForAnother,
    /// It is this shop's own.
    Own,
}

/// A sale as scanned.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ScannedVoucher {
    /// The sale's id.
    pub sale: String,
    /// The shop, its signature checked; none for a shop never met: *unverified*, and still claimable.
    pub shop: Option<Shop>,
    /// What was paid.
    pub amount: i64,
    /// What was paid, such as `4,500원`.
    pub amount_text: String,
    /// Until when it can be claimed.
    pub claim_until: i64,
    /// Whether it can be claimed now.
    pub standing: VoucherStanding,
    /// Why it cannot, and what to do; empty if it can.
    pub standing_text: String,
}

/// A buyer's permission as scanned. Only the server can check who signed it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ScannedRedemption {
    /// The group's id.
    pub group: String,
    /// Its name, if known.
    pub group_name: Option<String>,
    /// Units that may be taken at most.
    pub most: i64,
    /// What a unit is.
    pub unit: MileageUnit,
    /// The same, such as `1,200 points`.
    pub most_text: String,
    /// The same as a limit, such as `at most 1,200 points`.
    pub at_most_text: String,
    /// Whether it is void.
    pub expired: bool,
}
