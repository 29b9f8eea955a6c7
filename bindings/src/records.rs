//! Plain records. Ids are hex, times are milliseconds since 1970, money is minor units, mileage is units; beside a figure
//! stands its text, ready for a screen.

use crate::refund::{Refund, Reversal};

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

/// What a unit of mileage is. Mileage of different units is never added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum MileageUnit {
    /// A point.
    Point,
    /// A stamp, of a card of so many.
    Stamp {
        /// Stamps that fill a card.
        card: u16,
    },
    /// A coupon.
    Coupon,
    /// A won of reserve.
    Reserve,
}

/// So much of one unit.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Mileage {
    /// How much.
    pub units: i64,
    /// Of what.
    pub unit: MileageUnit,
    /// The same, such as `1,200 points`, `7 stamps`.
    pub text: String,
}

/// What a group gives. (A1)
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Gives {
    /// A share of the amount in points, one point one won.
    Points {
        /// In hundredths of a percent, 1..=10 000.
        rate_bp: u16,
    },
    /// Stamps, used a full card at a time.
    Stamps {
        /// One for each so much spent; without it, one a visit.
        per: Option<i64>,
        /// Stamps that fill a card, 1..=100.
        stamps: u16,
        /// What a full card is good for; the stamps must divide it.
        reward: i64,
    },
    /// Coupons, one a purchase.
    Coupons {
        /// What one is good for.
        face: i64,
        /// The least purchase that earns one; none for any.
        least_purchase: Option<i64>,
    },
    /// A share of the amount, put by in won.
    Reserve {
        /// In hundredths of a percent, 1..=10 000.
        rate_bp: u16,
    },
}

/// The day on which a settlement period is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum CutDay {
    /// The last day of the period's last month.
    Last,
    /// This day, 1..=28, of the month after.
    Next {
        /// The day.
        day: u8,
    },
}

/// How often members settle, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Period {
    /// Calendar months, counted from January: 1, 2, 3, 4, 6 or 12.
    pub months: u8,
    /// The day of the cut-off.
    pub day: CutDay,
    /// Its time, in minutes from midnight, 0..=1 440: the last is the day's end.
    pub minute: u16,
}

/// What a group promises. In won and in Seoul's zone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Terms {
    /// What it gives.
    pub gives: Gives,
    /// How long it can be used.
    pub validity: Validity,
    /// The least balance from which it can be used, in units; zero for none.
    pub minimum: i64,
    /// Who owes whom.
    pub basis: Basis,
    /// How often members settle; none: each calendar month, at its end.
    #[uniffi(default = None)]
    pub period: Option<Period>,
    /// The share of the members that has to agree to other terms, in hundredths of a percent; none: all.
    #[uniffi(default = None)]
    pub consent_bp: Option<u16>,
    /// Who lets shops in that ask to join; none: any shop joins at once.
    #[uniffi(default = None)]
    pub admission: Option<Admission>,
}

/// Who lets a shop in that asks to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Admission {
    /// The member that administers the group.
    Admin,
    /// The members: this share of them has to be for it.
    Vote {
        /// In hundredths of a percent, 1..=10 000.
        share_bp: u16,
    },
}

/// A group to be founded.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Founding {
    /// Its name, 1..=60 characters.
    pub name: String,
    /// How wide it is meant to reach.
    pub scope: Scope,
    /// What it promises.
    pub terms: Terms,
    /// What people call it for short, 1..=20 characters.
    #[uniffi(default = None)]
    pub nickname: Option<String>,
    /// The id of its cover picture, 32 hex digits.
    #[uniffi(default = None)]
    pub picture: Option<String>,
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
    /// What people call it for short.
    pub nickname: Option<String>,
    /// The id of its cover picture.
    pub picture: Option<String>,
    /// How wide it is meant to reach.
    pub scope: Scope,
    /// The version of its terms in force: to be given when joining.
    pub terms_version: u32,
    /// Its terms in force.
    pub terms: Terms,
    /// What it gives, in a word or two: `5%`, `₩5,000 for 10`.
    pub rate_text: String,
    /// What it gives, in full.
    pub promise_text: String,
    /// How long mileage can be used, such as `6 months`.
    pub validity_text: String,
    /// From which balance, such as `from 1,000 points`.
    pub usable_text: String,
    /// When members settle, such as `monthly, on the last day at 24:00`.
    pub period_text: String,
    /// Who has to agree to other terms, such as `67% of the members agree`.
    pub consent_text: String,
    /// Who lets shops in that ask to join, such as `any shop joins at once`.
    pub admission_text: String,
    /// The least balance from which it can be used.
    pub minimum: i64,
    /// Its members.
    pub members: Vec<Shop>,
    /// The id of the member that administers it; none while the directory has not told.
    pub admin: Option<String>,
    /// Members, present or past, that have not settled: they neither give nor take, and what they gave cannot be used.
    pub frozen: Vec<Shop>,
    /// How it ends, if it does.
    pub closing: Option<Closing>,
    /// Other terms that are proposed.
    pub amendment: Option<Amendment>,
}

/// The end of a group.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Closing {
    /// From when nothing is given.
    pub redeem_only_from: i64,
    /// When what remains has ended.
    pub ends_at: i64,
    /// Whether nothing remains.
    pub ended: bool,
    /// Both dates, as a phrase.
    pub text: String,
}

/// Other terms that are proposed, and what the members say.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Amendment {
    /// Its id: for `answerAmendment`.
    pub id: String,
    /// What the group would promise.
    pub terms: Terms,
    /// The same, in full.
    pub promise_text: String,
    /// From when, if enough members agree before.
    pub from: i64,
    /// Members that agree.
    pub agreed: Vec<Shop>,
    /// Members that do not.
    pub declined: Vec<Shop>,
    /// How many have to agree.
    pub needed: u32,
    /// What this phone's shop says; none if nothing yet.
    pub answer: Option<bool>,
    /// From when, and how it stands, as a phrase.
    pub text: String,
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
    /// That this phone's shop waits to be let in; empty if not.
    pub waiting_text: String,
    /// Whether this phone's shop administers it.
    pub administers: bool,
    /// That this phone's shop is frozen in it; empty if not.
    pub frozen_text: String,
}

/// The shop that this phone acts for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OwnShop {
    /// Its id.
    pub id: String,
    /// Its name; none while the directory has not told.
    pub name: Option<String>,
    /// How it presents itself; none while the directory has not told.
    pub profile: Option<ShopProfile>,
    /// How it is to, while the server has not decided that.
    pub amending: Option<ShopProfile>,
    /// Whether the server has confirmed it.
    pub confirmed: bool,
}

/// How a shop presents itself. Anyone who may see the directory sees it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ShopProfile {
    /// Its name, 1..=60 characters.
    pub name: String,
    /// Where it is.
    #[uniffi(default = None)]
    pub place: Option<Place>,
    /// The code of its trade: `cafe`.
    #[uniffi(default = None)]
    pub industry: Option<String>,
    /// The district of its registered address, as people write it, 1..=60 characters.
    #[uniffi(default = None)]
    pub area: Option<String>,
    /// The building that it is in, as its neighbours write it, 1..=60 characters.
    #[uniffi(default = None)]
    pub building: Option<String>,
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
    /// What this sale would earn.
    pub earns: i64,
    /// What a unit of that is.
    pub unit: MileageUnit,
    /// What the buyer has of that there, confirmed.
    pub balance: i64,
    /// The balance from which it can be used.
    pub minimum: i64,
    /// What this sale would earn, such as `135 points`.
    pub earns_text: String,
    /// What the group gives, in a word or two: `5%`, `₩5,000 for 10`.
    pub rate_text: String,
    /// What it gives, in full.
    pub promise_text: String,
    /// How long mileage can be used, such as `6 months`.
    pub validity_text: String,
    /// How many shops it has, such as `3 shops`.
    pub shops_text: String,
    /// Name, earning, rate, validity and shops in one line.
    pub line: String,
    /// Until when it could be used at least, as a phrase.
    pub until_text: String,
    /// Why it stands where it stands, in one sentence; none for one that has nothing ahead of the others.
    pub reason_text: Option<String>,
    /// What the buyer is expected to use of what this claim earns, in minor units: an estimate from their own
    /// purchases, made on this phone alone.
    pub expected_use: i64,
    /// The same in a sentence.
    pub expected_use_text: String,
    /// What would still be missing to the minimum after this sale.
    pub to_minimum: i64,
    /// The way to the minimum after this sale; none where there is no minimum.
    pub minimum_text: Option<String>,
    /// The shops where it can be used: those that the buyer visits most first, then the nearest.
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
    /// The same, such as `135 points`; empty if it could not be told.
    pub earns_text: String,
}

/// The buyer's mileage of one unit in one group.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Balance {
    /// The group's id.
    pub group: String,
    /// What a unit is.
    pub unit: MileageUnit,
    /// Its name; none while the directory has not told.
    pub name: Option<String>,
    /// What the server has confirmed and has not expired.
    pub confirmed: i64,
    /// What claims are going to bring. Counts toward nothing yet.
    pub pending: i64,
    /// What can be paid with now: all that is confirmed, of stamps the full cards; or nothing below the minimum.
    pub usable: i64,
    /// What passes and holds reserve.
    pub held: i64,
    /// What cannot be used because the shop that gave it has not settled.
    pub frozen: i64,
    /// What refunds left to be paid by what is earned next.
    pub owed: i64,
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
    /// What can be paid with now, such as `10 stamps`.
    pub usable_text: String,
    /// Full cards and the way to the next, as a phrase; empty of what is no stamp.
    pub cards_text: String,
    /// What is reserved, frozen or owed, and that the group is closing: a phrase each.
    pub notes: Vec<String>,
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
    /// Mileage that was paid with came back.
    Reversal,
    /// A purchase was refunded, and what it earned taken back.
    Clawback,
    /// What was earned paid what a refund had left.
    DebtPaid,
    /// A shop gave mileage.
    Grant,
    /// A shop took away mileage that it had given.
    TakenAway,
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
    /// How much.
    pub units: i64,
    /// What a unit is.
    pub unit: MileageUnit,
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
    /// What a unit is.
    pub unit: MileageUnit,
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
    Approved {
        /// The op that took it: for `reverse`, and for the sale of what was paid in money.
        op: String,
    },
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
    pub claimed: Option<Mileage>,
    /// The buyer's account, if the shop knows it from its books.
    pub buyer: Option<String>,
    /// Whether the shop said that it was a mistake.
    pub voided: bool,
    /// How much of the purchase was refunded, what mileage paid of it counted in.
    pub refunded: i64,
    /// How much of that in money.
    pub money_back: i64,
    /// What was refunded in money, as a phrase; empty if nothing was.
    pub refunded_text: String,
}

/// Mileage that the shop took, or asked for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TakenItem {
    /// The op that asked for it: for `reverse`.
    pub op: String,
    /// The group's id.
    pub group: String,
    /// How much.
    pub mileage: Mileage,
    /// Units of it that came back to the buyer.
    pub returned: i64,
    /// When.
    pub at: i64,
    /// The time of day, such as `14:05`.
    pub at_text: String,
    /// What became of it.
    pub fate: Fate,
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
    /// What was taken as payment and confirmed, by unit.
    pub redeemed: Vec<Mileage>,
    /// What was taken as payment or asked for, newest first.
    pub redemptions: Vec<TakenItem>,
    /// Refunds, of sales of whatever day, newest first.
    pub refunds: Vec<Refund>,
    /// What was paid back in money by them.
    pub paid_back: i64,
    /// The same, such as `4,500원`.
    pub paid_back_text: String,
    /// Redemptions that were given back without a refund, newest first.
    pub reversals: Vec<Reversal>,
}
