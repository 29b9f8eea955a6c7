//! Rows of tables as values, and back: the same columns in every database.

pub(crate) mod journal;
pub(crate) mod people;

use minicbor::{Decode, Encode};
use moa_rules::admission::{JoinRequest, RequestState};
use moa_rules::amendment::Amendment;
use moa_rules::books::{Account, Ledger, Party, Worth};
use moa_rules::certificate::Certificate;
use moa_rules::debt::Debt;
use moa_rules::device::{Device, Holder, KeyKind};
use moa_rules::group::{Closing, Group, Member, TermsVersion};
use moa_rules::hold::{Hold, HoldState};
use moa_rules::id::{AccountId, BadId, GroupId, MerchantId};
use moa_rules::invitation::{Invitation, Invited, TokenHash};
use moa_rules::lot::Lot;
use moa_rules::merchant::Merchant;
use moa_rules::pass::{Pass, PassState};
use moa_rules::quantity::{Money, Units};
use moa_rules::redemption::Redemption;
use moa_rules::refusal::Refusal;
use moa_rules::sale::{Claimed, Sale};
use moa_rules::staff::{Limits, Staff};
use moa_rules::standing::Standing;
use moa_rules::state::Row as StateRow;
use moa_rules::terms::{Basis, Unit};
use moa_rules::time::{Day, Timestamp};
use moa_wire::canonical;

use crate::store::{Answer, StoreError};

/// Bytes that this program did not write.
pub fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("the database holds {what} that cannot be read"))
}

/// A row that was read, whatever database it came from.
pub(crate) trait Columns {
    /// An integer; none for null.
    fn integer(&self, column: &'static str) -> Result<Option<i64>, StoreError>;
    /// Bytes, those of a text too; none for null.
    fn bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError>;
    /// Yes or no.
    fn flag(&self, column: &'static str) -> Result<bool, StoreError>;
}

/// A value of a column.
pub(crate) trait Value: Sized {
    /// Reads it; an error if it is null and may not be.
    fn read(row: &dyn Columns, column: &'static str) -> Result<Self, StoreError>;
}

impl Value for i64 {
    fn read(row: &dyn Columns, column: &'static str) -> Result<Self, StoreError> {
        row.integer(column)?.ok_or_else(|| corrupt(column))
    }
}

impl Value for Option<i64> {
    fn read(row: &dyn Columns, column: &'static str) -> Result<Self, StoreError> {
        row.integer(column)
    }
}

impl Value for bool {
    fn read(row: &dyn Columns, column: &'static str) -> Result<Self, StoreError> {
        row.flag(column)
    }
}

impl Value for Vec<u8> {
    fn read(row: &dyn Columns, column: &'static str) -> Result<Self, StoreError> {
        row.bytes(column)?.map(<[u8]>::to_vec).ok_or_else(|| corrupt(column))
    }
}

impl Value for Option<Vec<u8>> {
    fn read(row: &dyn Columns, column: &'static str) -> Result<Self, StoreError> {
        Ok(row.bytes(column)?.map(<[u8]>::to_vec))
    }
}

impl Value for String {
    fn read(row: &dyn Columns, column: &'static str) -> Result<Self, StoreError> {
        Self::from_utf8(at(row, column)?).map_err(|_| corrupt(column))
    }
}

impl<const N: usize> Value for [u8; N] {
    fn read(row: &dyn Columns, column: &'static str) -> Result<Self, StoreError> {
        Option::<Self>::read(row, column)?.ok_or_else(|| corrupt(column))
    }
}

impl<const N: usize> Value for Option<[u8; N]> {
    fn read(row: &dyn Columns, column: &'static str) -> Result<Self, StoreError> {
        row.bytes(column)?.map(|bytes| bytes.try_into().map_err(|_| corrupt(column))).transpose()
    }
}

/// A column of a row.
pub(crate) fn at<T: Value>(row: &dyn Columns, column: &'static str) -> Result<T, StoreError> {
    T::read(row, column)
}

pub fn id<T>(row: &dyn Columns, column: &'static str) -> Result<T, StoreError>
where
    T: for<'a> TryFrom<&'a [u8], Error = BadId>,
{
    maybe_id(row, column)?.ok_or_else(|| corrupt(column))
}

pub fn maybe_id<T>(row: &dyn Columns, column: &'static str) -> Result<Option<T>, StoreError>
where
    T: for<'a> TryFrom<&'a [u8], Error = BadId>,
{
    row.bytes(column)?.map(|bytes| T::try_from(bytes).map_err(|_| corrupt(column))).transpose()
}

pub fn number<T: TryFrom<i64>>(row: &dyn Columns, column: &'static str) -> Result<T, StoreError> {
    T::try_from(at::<i64>(row, column)?).map_err(|_| corrupt(column))
}

fn cbor<T>(row: &dyn Columns, column: &'static str) -> Result<T, StoreError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    canonical::decode(row.bytes(column)?.ok_or_else(|| corrupt(column))?).map_err(|_| corrupt(column))
}

fn units(row: &dyn Columns, column: &'static str) -> Result<Units, StoreError> {
    Units::new(at(row, column)?).map_err(|_| corrupt(column))
}

fn maybe_at(row: &dyn Columns, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    Ok(at::<Option<i64>>(row, column)?.map(Timestamp))
}

/// A time in milliseconds.
pub fn instant(row: &dyn Columns, column: &'static str) -> Result<Timestamp, StoreError> {
    at(row, column).map(Timestamp)
}

/// Every column of `devices`.
pub fn device(row: &dyn Columns) -> Result<Device, StoreError> {
    let account: Option<AccountId> = maybe_id(row, "account")?;
    Ok(Device {
        key: id(row, "key")?,
        holder: account.map_or(Holder::System, Holder::Account),
        kind: kind_of(at(row, "kind")?, maybe_at(row, "until")?)?,
        public_key: at(row, "public_key")?,
        enrolled_at: Timestamp(at(row, "enrolled_at")?),
        pays_from: Timestamp(at(row, "pays_from")?),
        revoked_at: maybe_at(row, "revoked_at")?,
        merchant: maybe_id(row, "merchant")?,
        staff: at(row, "staff")?,
        left_at: maybe_at(row, "left_at")?,
        certificate: match maybe_at(row, "cert_until")? {
            Some(until) => {
                let (most, used) = (Money(at(row, "cert_most")?), Money(at(row, "cert_used")?));
                Some(Certificate { until, most, used })
            }
            None => None,
        },
    })
}

/// The columns `kind` and `until`.
pub fn kind(kind: KeyKind) -> (i64, Option<i64>) {
    match kind {
        KeyKind::Phone => (0, None),
        KeyKind::Browser { until } => (1, Some(until.0)),
        KeyKind::Service => (2, None),
    }
}

fn kind_of(code: i64, until: Option<Timestamp>) -> Result<KeyKind, StoreError> {
    match (code, until) {
        (0, None) => Ok(KeyKind::Phone),
        (1, Some(until)) => Ok(KeyKind::Browser { until }),
        (2, None) => Ok(KeyKind::Service),
        _ => Err(corrupt("kind")),
    }
}

/// Every column of `staff`.
pub fn staff(row: &dyn Columns) -> Result<Staff, StoreError> {
    Ok(Staff {
        merchant: id(row, "merchant")?,
        account: id(row, "account")?,
        key: id(row, "key")?,
        limits: Limits { per_sale: Money(at(row, "per_sale")?), per_day: Money(at(row, "per_day")?) },
        joined_at: Timestamp(at(row, "joined_at")?),
        left_at: maybe_at(row, "left_at")?,
    })
}

/// Every column of `staff_days`.
pub fn staff_day(row: &dyn Columns) -> Result<StateRow, StoreError> {
    let (merchant, account) = (id(row, "merchant")?, id(row, "account")?);
    let (day, sold) = (Day(number(row, "day")?), Money(at(row, "sold")?));
    Ok(StateRow::StaffDay { merchant, account, day, sold })
}

/// Every column of `closed`.
pub fn closed(row: &dyn Columns) -> Result<StateRow, StoreError> {
    let (account, into) = (id(row, "account")?, maybe_id(row, "merged_into")?);
    Ok(StateRow::Closed { account, at: Timestamp(at(row, "at")?), into })
}

/// Every column of `passes`.
pub fn pass(row: &dyn Columns) -> Result<Pass, StoreError> {
    Ok(Pass {
        id: id(row, "id")?,
        merchant: id(row, "merchant")?,
        till: id(row, "till")?,
        account: id(row, "account")?,
        key: id(row, "key")?,
        group: id(row, "group_id")?,
        held: cbor(row, "held")?,
        expires: number(row, "expires")?,
        state: match at(row, "state")? {
            0 => PassState::Open,
            1 => PassState::Spent,
            2 => PassState::Released,
            _ => return Err(corrupt("state")),
        },
        made_at: Timestamp(at(row, "made_at")?),
    })
}

/// Every column of `holds`.
pub fn hold(row: &dyn Columns) -> Result<Hold, StoreError> {
    Ok(Hold {
        id: id(row, "id")?,
        merchant: id(row, "merchant")?,
        account: id(row, "account")?,
        group: id(row, "group_id")?,
        held: cbor(row, "held")?,
        made_at: Timestamp(at(row, "made_at")?),
        until: Timestamp(at(row, "until")?),
        state: match at(row, "state")? {
            0 => HoldState::Open,
            1 => HoldState::Captured,
            2 => HoldState::Voided,
            3 => HoldState::Lapsed,
            _ => return Err(corrupt("state")),
        },
        till: maybe_id(row, "till")?,
    })
}

/// The column `holds.state`.
pub fn hold_state(state: HoldState) -> i64 {
    match state {
        HoldState::Open => 0,
        HoldState::Captured => 1,
        HoldState::Voided => 2,
        HoldState::Lapsed => 3,
    }
}

/// Every column of `redemptions`.
pub fn redemption(row: &dyn Columns) -> Result<Redemption, StoreError> {
    Ok(Redemption {
        id: id(row, "id")?,
        merchant: id(row, "merchant")?,
        account: id(row, "account")?,
        group: id(row, "group_id")?,
        made_at: Timestamp(at(row, "made_at")?),
        allocations: cbor(row, "allocations")?,
        returned: units(row, "returned")?,
        till: maybe_id(row, "till")?,
    })
}

/// Every column of `debts`.
pub fn debt(row: &dyn Columns) -> Result<Debt, StoreError> {
    Ok(Debt {
        account: id(row, "account")?,
        group: id(row, "group_id")?,
        merchant: id(row, "merchant")?,
        unit: unit_of(at(row, "unit")?)?,
        units: units(row, "units")?,
        since: Timestamp(at(row, "since")?),
    })
}

/// Every column of `amendments`.
pub fn amendment(row: &dyn Columns) -> Result<Amendment, StoreError> {
    Ok(Amendment {
        group: id(row, "group_id")?,
        id: id(row, "id")?,
        terms: cbor(row, "terms")?,
        from: Timestamp(at(row, "from_at")?),
        agreed: ids_of(row, "agreed")?,
        declined: ids_of(row, "declined")?,
        decided: at(row, "decided")?,
    })
}

/// Shops, one id after the other.
pub fn ids(shops: &[MerchantId]) -> Vec<u8> {
    shops.iter().flat_map(|shop| shop.0).collect()
}

fn ids_of(row: &dyn Columns, column: &'static str) -> Result<Vec<MerchantId>, StoreError> {
    let bytes: Vec<u8> = at(row, column)?;
    bytes.chunks(16).map(|id| MerchantId::try_from(id).map_err(|_| corrupt(column))).collect()
}

/// The column `unit`.
pub fn unit(unit: Option<Unit>) -> i64 {
    match unit {
        None => 0,
        Some(Unit::Stamp(card)) => card.into(),
        Some(Unit::Coupon) => -1,
        Some(Unit::Reserve) => -2,
    }
}

fn unit_of(code: i64) -> Result<Option<Unit>, StoreError> {
    match code {
        0 => Ok(None),
        -1 => Ok(Some(Unit::Coupon)),
        -2 => Ok(Some(Unit::Reserve)),
        card => u16::try_from(card).map(|card| Some(Unit::Stamp(card))).map_err(|_| corrupt("unit")),
    }
}

/// The column `passes.state`.
pub fn pass_state(state: PassState) -> i64 {
    match state {
        PassState::Open => 0,
        PassState::Spent => 1,
        PassState::Released => 2,
    }
}

/// Every column of `merchants`.
pub fn merchant(row: &dyn Columns) -> Result<Merchant, StoreError> {
    Ok(Merchant {
        id: id(row, "id")?,
        owner: id(row, "owner")?,
        profile: cbor(row, "profile")?,
        allowance: Money(at(row, "allowance")?),
        invited: (Day(number(row, "invited_on")?), number(row, "invited")?),
    })
}

/// Every column of `groups`.
pub fn group(row: &dyn Columns) -> Result<Group, StoreError> {
    Ok(Group {
        id: id(row, "id")?,
        founder: id(row, "founder")?,
        profile: cbor(row, "profile")?,
        terms_version: number(row, "terms_version")?,
        members: number(row, "members")?,
        admin: id(row, "admin")?,
        frozen: ids_of(row, "frozen")?,
        closing: match (maybe_at(row, "redeem_only_from")?, maybe_at(row, "closes_at")?) {
            (Some(redeem_only_from), Some(ends_at)) => {
                Some(Closing { redeem_only_from, ends_at, ended: at(row, "ended")? })
            }
            _ => None,
        },
        profile_version: number(row, "profile_version")?,
    })
}

/// Every column of `invitations`.
pub fn invitation(row: &dyn Columns) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        id: id(row, "id")?,
        issuer: id(row, "issuer")?,
        to: maybe_id(row, "group_id")?.map_or(Invited::App, Invited::Group),
        hash: at::<Option<[u8; 32]>>(row, "hash")?.map(TokenHash),
        shop: maybe_id(row, "shop")?,
        uses: number(row, "uses")?,
        used: number(row, "used")?,
        declined: number(row, "declined")?,
        made_at: Timestamp(at(row, "made_at")?),
        until: Timestamp(at(row, "until")?),
        revoked: at(row, "revoked")?,
    })
}

/// The column `invitations.group_id`.
pub fn invited_to(to: &Invited) -> Option<&GroupId> {
    match to {
        Invited::Group(group) => Some(group),
        Invited::App => None,
    }
}

/// Every column of `join_requests`.
pub fn join_request(row: &dyn Columns) -> Result<JoinRequest, StoreError> {
    Ok(JoinRequest {
        group: id(row, "group_id")?,
        merchant: id(row, "merchant")?,
        id: id(row, "id")?,
        terms_version: number(row, "terms_version")?,
        asked_at: Timestamp(at(row, "asked_at")?),
        for_it: ids_of(row, "for_it")?,
        against: ids_of(row, "against")?,
        state: match at::<i64>(row, "state")? {
            0 => RequestState::Open,
            1 => RequestState::Admitted,
            2 => RequestState::Refused,
            3 => RequestState::Withdrawn,
            _ => return Err(corrupt("the state of a request")),
        },
        ended_at: maybe_at(row, "ended_at")?,
    })
}

/// The column `join_requests.state`.
pub fn request_state(state: RequestState) -> i64 {
    match state {
        RequestState::Open => 0,
        RequestState::Admitted => 1,
        RequestState::Refused => 2,
        RequestState::Withdrawn => 3,
    }
}

/// `SELECT group_id, version, terms, in_force_from, in_force_until`
pub fn terms(row: &dyn Columns) -> Result<TermsVersion, StoreError> {
    let until: Option<i64> = at(row, "in_force_until")?;
    Ok(TermsVersion {
        group: id(row, "group_id")?,
        version: number(row, "version")?,
        terms: cbor(row, "terms")?,
        in_force_from: Timestamp(at(row, "in_force_from")?),
        in_force_until: until.map(Timestamp),
    })
}

/// Every column of `members`.
pub fn member(row: &dyn Columns) -> Result<Member, StoreError> {
    Ok(Member {
        group: id(row, "group_id")?,
        merchant: id(row, "merchant")?,
        joined_at: Timestamp(at(row, "joined_at")?),
        terms_version: number(row, "terms_version")?,
        left_at: maybe_at(row, "left_at")?,
        frozen_at: maybe_at(row, "frozen_at")?,
    })
}

/// Every column of `sales`.
pub fn sale(row: &dyn Columns) -> Result<Sale, StoreError> {
    let waits_until: Option<i64> = at(row, "waits_until")?;
    Ok(Sale {
        id: id(row, "id")?,
        merchant: id(row, "merchant")?,
        key: id(row, "key")?,
        amount: Money(at(row, "amount")?),
        time: number(row, "time")?,
        addressee: maybe_id(row, "addressee")?,
        claimed: match maybe_id(row, "claimed_by")? {
            Some(lot) => {
                let (account, group) = (id(row, "claimed_account")?, id(row, "claimed_group")?);
                Some(Claimed { lot, account, group })
            }
            None => None,
        },
        waits_until: waits_until.map(Timestamp),
        lapsed: at(row, "lapsed")?,
        staff: at(row, "staff")?,
        voided: at(row, "voided")?,
        redemption: maybe_id(row, "redemption")?,
        refunded: Money(at(row, "refunded")?),
        money_back: Money(at(row, "money_back")?),
        unearned: Money(at(row, "unearned")?),
        clawed: units(row, "clawed")?,
        forgone: units(row, "forgone")?,
    })
}

/// `SELECT account, choice, since, marketing`
pub fn standing(row: &dyn Columns) -> Result<Standing, StoreError> {
    let since = Timestamp(at(row, "since")?);
    let (choice, marketing) = (cbor(row, "choice")?, cbor(row, "marketing")?);
    Ok(Standing { account: id(row, "account")?, choice, since, marketing })
}

/// Every column of `lots`.
pub fn lot(row: &dyn Columns) -> Result<Lot, StoreError> {
    Ok(Lot {
        id: id(row, "id")?,
        group: id(row, "group_id")?,
        account: id(row, "account")?,
        issuer: id(row, "issuer")?,
        sale: id(row, "sale")?,
        units: units(row, "units")?,
        remaining: units(row, "remaining")?,
        worth: Worth {
            unit_value: Money(at(row, "unit_value")?),
            basis: basis_of(at(row, "basis")?)?,
            unit: unit_of(at(row, "unit")?)?,
        },
        terms_version: number(row, "terms_version")?,
        issued_at: Timestamp(at(row, "issued_at")?),
        last_day: Day(number(row, "last_day")?),
        ends_at: Timestamp(at(row, "ends_at")?),
        held: units(row, "held")?,
        expired: units(row, "expired")?,
        revives: maybe_id(row, "revives")?,
    })
}

pub fn basis(basis: Basis) -> i64 {
    match basis {
        Basis::OnIssue => 0,
        Basis::OnRedemption => 1,
    }
}

fn basis_of(code: i64) -> Result<Basis, StoreError> {
    match code {
        0 => Ok(Basis::OnIssue),
        1 => Ok(Basis::OnRedemption),
        _ => Err(corrupt("a basis")),
    }
}

/// An account of the books as its primary key after the group: party, ledger, issuer.
pub fn account_key(account: &Account) -> (Vec<u8>, i64, Vec<u8>) {
    let (tag, id): (u8, &[u8]) = match &account.party {
        Party::Buyer(id) => (0, id.as_ref()),
        Party::Member(id) => (1, id.as_ref()),
        Party::Pool => (2, &[]),
        Party::Exchange => (3, &[]),
    };
    let ledger = match account.ledger {
        Ledger::Issued => 0,
        Ledger::Wallet => 1,
        Ledger::Redeemed => 2,
        Ledger::Expired => 3,
        Ledger::Position => 4,
        Ledger::ClawedBack => 5,
        Ledger::Adjusted => 6,
    };
    let issuer = account.issuer.as_ref().map_or(Vec::new(), |issuer| issuer.as_ref().to_vec());
    ([&[tag], id].concat(), ledger, issuer)
}

/// `SELECT group_id, party, ledger, issuer, amount`
pub fn balance(row: &dyn Columns) -> Result<(Account, i64), StoreError> {
    let party: Vec<u8> = at(row, "party")?;
    let party = match party.split_first() {
        Some((0, id)) => Party::Buyer(AccountId::try_from(id).map_err(|_| corrupt("party"))?),
        Some((1, id)) => Party::Member(MerchantId::try_from(id).map_err(|_| corrupt("party"))?),
        Some((2, [])) => Party::Pool,
        Some((3, [])) => Party::Exchange,
        _ => return Err(corrupt("party")),
    };
    let ledger = match at(row, "ledger")? {
        0 => Ledger::Issued,
        1 => Ledger::Wallet,
        2 => Ledger::Redeemed,
        3 => Ledger::Expired,
        4 => Ledger::Position,
        5 => Ledger::ClawedBack,
        6 => Ledger::Adjusted,
        _ => return Err(corrupt("ledger")),
    };
    let issuer: Vec<u8> = at(row, "issuer")?;
    let issuer = match issuer.as_slice() {
        [] => None,
        id => Some(MerchantId::try_from(id).map_err(|_| corrupt("issuer"))?),
    };
    let group: GroupId = id(row, "group_id")?;
    Ok((Account { group, party, ledger, issuer }, at(row, "amount")?))
}

/// The column `ops.answer`: null for applied.
pub fn answer(column: Option<Vec<u8>>) -> Result<Answer, StoreError> {
    let Some(bytes) = column else { return Ok(Answer::Applied) };
    canonical::decode::<Refusal>(&bytes).map(Answer::Refused).map_err(|_| corrupt("an answer"))
}
