//! Plain records. Ids are hex, times are milliseconds since 1970, money is minor units, mileage is units; beside a figure
//! stands its text, ready for a screen.

/// Where a shop is, in millionths of a degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Place {
    /// Latitude, north positive.
    pub lat_e6: i32,
    /// Longitude, east positive.
    pub lon_e6: i32,
}

/// How wide a group is meant to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Scope {
    /// The shops of one building.
    Building,
    /// The shops of one street or district.
    Area,
    /// The shops of one trade.
    Industry,
    /// Anyone in the country.
    Nationwide,
}

/// How long mileage can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Validity {
    /// So many calendar months, 1..=120.
    Months {
        /// How many.
        count: u16,
    },
    /// So many days, 1..=3 660.
    Days {
        /// How many.
        count: u16,
    },
}

/// Who owes whom between shops, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Basis {
    /// The issuer owes the pool when it issues; the pool owes whoever redeems.
    OnIssue,
    /// The issuer owes the redeeming shop.
    OnRedemption,
}

/// What a group promises. Points, one point one won, in Seoul's zone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Founding {
    /// The group's name, 1..=60 characters.
    pub name: String,
    /// How wide it is meant to reach.
    pub scope: Scope,
    /// The share of the amount that is earned, in hundredths of a percent, 1..=10 000.
    pub rate_bp: u16,
    /// How long mileage can be used.
    pub validity: Validity,
    /// The least balance from which it can be used, in units; zero for none.
    pub minimum: i64,
    /// Who owes whom.
    pub basis: Basis,
}

/// A shop, as far as this phone knows.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Shop {
    /// Its id.
    pub id: String,
    /// Its name; none while the directory has not told.
    pub name: Option<String>,
    /// Where it is, if it said.
    pub place: Option<Place>,
}

/// A group, as far as this phone knows.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How wide it is meant to reach.
    pub scope: Scope,
    /// The version of its terms in force: to be given when joining.
    pub terms_version: u32,
    /// The rate, in hundredths of a percent.
    pub rate_bp: u16,
    /// The rate, such as `5%`.
    pub rate_text: String,
    /// How long mileage can be used, such as `6 months`.
    pub validity_text: String,
    /// The least balance from which it can be used.
    pub minimum: i64,
    /// Its members.
    pub members: Vec<Shop>,
}

/// A group of this phone's own shop.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OwnGroup {
    /// Its id.
    pub id: String,
    /// What is known of it.
    pub group: Option<Group>,
    /// Whether the server has confirmed the membership.
    pub confirmed: bool,
}

/// The shop that this phone acts for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OwnShop {
    /// Its id.
    pub id: String,
    /// Its name; none while the directory has not told.
    pub name: Option<String>,
    /// Whether the server has confirmed it.
    pub confirmed: bool,
}

/// A QR code: `side × side` modules, row by row; 1 is dark, 0 light. To be drawn with four light modules around it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Qr {
    /// Modules on a side.
    pub side: u32,
    /// The modules, one byte each.
    pub modules: Vec<u8>,
}

/// A sale, as the buyer's phone scans it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Voucher {
    /// The sale's id.
    pub sale: String,
    /// What was paid.
    pub amount: i64,
    /// What was paid, such as `4,500원`.
    pub amount_text: String,
    /// What the QR says.
    pub code: String,
    /// To be shown.
    pub qr: Qr,
    /// Until when it can be scanned.
    pub claim_until: i64,
    /// The same, as a phrase.
    pub good_until_text: String,
}

/// A group that a sale could be turned into mileage of, best first.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GroupChoice {
    /// The group's id.
    pub group: String,
    /// The version of the terms shown here.
    pub terms_version: u32,
    /// The group's name.
    pub name: String,
    /// The rate, in hundredths of a percent.
    pub rate_bp: u16,
    /// What this sale would earn.
    pub earns: i64,
    /// What the buyer has there, confirmed.
    pub balance: i64,
    /// The balance from which it can be used.
    pub minimum: i64,
    /// What this sale would earn, such as `135 points`.
    pub earns_text: String,
    /// The rate, such as `5%`.
    pub rate_text: String,
    /// How long mileage can be used, such as `6 months`.
    pub validity_text: String,
    /// How many shops it has, such as `3 shops`.
    pub shops_text: String,
    /// Name, earning, rate, validity and shops in one line.
    pub line: String,
    /// Until when it could be used at least, as a phrase.
    pub until_text: String,
    /// The shops where it can be used.
    pub members: Vec<Shop>,
}

/// A claim in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Claimed {
    /// The claim's op.
    pub op: String,
    /// The group, if it could be told.
    pub group: Option<String>,
    /// What it is going to earn, if it could be told.
    pub earns: Option<i64>,
}

/// The buyer's mileage in one group.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Balance {
    /// The group's id.
    pub group: String,
    /// Its name; none while the directory has not told.
    pub name: Option<String>,
    /// What the server has confirmed and has not expired.
    pub confirmed: i64,
    /// What claims are going to bring. Counts toward nothing yet.
    pub pending: i64,
    /// What can be paid with now: all that is confirmed, or nothing below the minimum.
    pub usable: i64,
    /// What of it expires within 30 days.
    pub expiring_soon: i64,
    /// The balance from which mileage can be used; none while the directory has not told.
    pub minimum: Option<i64>,
    /// What is confirmed, such as `1,350 points`.
    pub confirmed_text: String,
    /// What is pending, such as `135 points`; empty without any.
    pub pending_text: String,
    /// Name, confirmed and pending in one line.
    pub line: String,
    /// The minimum and the way to it, as a phrase; empty without a minimum.
    pub minimum_text: String,
    /// What expires within 30 days, as a phrase; empty if nothing does.
    pub expiring_text: String,
}

/// What happened to a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum HistoryKind {
    /// A purchase earned mileage.
    Accrual,
    /// Mileage was paid with.
    Redemption,
    /// Mileage could no longer be used.
    Expiry,
    /// Mileage came with another account of this person's.
    Moved,
}

/// A row of a group's history, as confirmed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HistoryItem {
    /// What happened.
    pub kind: HistoryKind,
    /// When the server decided it.
    pub at: i64,
    /// When, for a screen.
    pub at_text: String,
    /// The shop.
    pub shop: Shop,
    /// Units earned, redeemed or expired.
    pub units: i64,
    /// The whole row in one line.
    pub line: String,
}

/// A buyer's permission to take mileage, to be shown to a shop. Good for one redemption within three minutes.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RedemptionCode {
    /// What the QR says.
    pub code: String,
    /// To be shown.
    pub qr: Qr,
    /// The group whose mileage may be taken.
    pub group: String,
    /// Units that may be taken at most.
    pub most: i64,
    /// The same, such as `1,200 points`.
    pub most_text: String,
    /// When it is void.
    pub expires_at: i64,
    /// The same, as a phrase.
    pub good_until_text: String,
}

/// What became of a redemption that the shop asked for. A refusal is an error.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Redemption {
    /// The server took the mileage.
    Approved,
    /// No answer came in time: it may have been taken. Not to be shown as approved; `fate` tells once it is known.
    BeingChecked {
        /// The op that asks for it.
        op: String,
    },
}

/// What became of an op.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Fate {
    /// Not yet answered.
    Waiting,
    /// A redemption that was not answered in time: it may have been applied.
    BeingChecked,
    /// It holds.
    Applied,
    /// It does not, for good.
    Refused {
        /// The stable word for the reason.
        code: String,
        /// What stood in the way.
        text: String,
    },
}

/// An op that waits for the server, or that it refused.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OutboxItem {
    /// Its id.
    pub op: String,
    /// What it asks for, as a word in `snake_case`: `record_sale`, `claim`, …
    pub kind: String,
    /// When it was written.
    pub created_at: i64,
    /// What became of it.
    pub fate: Fate,
    /// The money in it.
    pub amount: Option<i64>,
    /// The units in it.
    pub units: Option<i64>,
}

/// A sale of the shop.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SaleItem {
    /// The sale's id.
    pub sale: String,
    /// What was paid.
    pub amount: i64,
    /// What was paid, such as `4,500원`.
    pub amount_text: String,
    /// When, by the shop's clock.
    pub at: i64,
    /// The time of day, such as `14:05`.
    pub at_text: String,
    /// Where it stands, in a few words: waiting to be sent, collected, refused.
    pub standing_text: String,
    /// Whether the server has it.
    pub sent: bool,
    /// What a buyer earned by it, once claimed.
    pub claimed: Option<i64>,
}

/// A shop's day so far.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MerchantDay {
    /// The day, for a screen.
    pub day_text: String,
    /// Sales, newest first.
    pub sales: Vec<SaleItem>,
    /// What was paid in all of them.
    pub amount: i64,
    /// What was paid in all of them, such as `45,000원`.
    pub amount_text: String,
    /// Units taken as payment and confirmed.
    pub redeemed: i64,
}
