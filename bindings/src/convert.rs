//! The phone's values as records, dressed in the app's language.

use moa_phone as phone;
use moa_rules::merchant::Place;
use moa_rules::quantity::{Currency, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::sale::{CLAIM_DAYS, VOUCHER_MINUTES};
use moa_rules::terms::{Basis, Scope};
use moa_rules::time::{self, Timestamp, Zone};
use moa_wire::link;
use moa_words::{Lang, Line, SaleText, line, number, refusal, sale, when};

use crate::error::ApiError;
use crate::member::ScannedMember;
use crate::pass::ScannedPass;
use crate::records::{self as out, Qr};
use crate::scan::{Destination, Scan, ScannedRedemption, ScannedVoucher, VoucherStanding};
use crate::staff::ScannedInvitation;

impl From<out::Scope> for Scope {
    fn from(scope: out::Scope) -> Self {
        match scope {
            out::Scope::Building => Self::Building,
            out::Scope::Area => Self::Area,
            out::Scope::Industry => Self::Industry,
            out::Scope::Nationwide => Self::Nationwide,
        }
    }
}

impl From<Scope> for out::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Building => Self::Building,
            Scope::Area => Self::Area,
            Scope::Industry => Self::Industry,
            Scope::Nationwide => Self::Nationwide,
        }
    }
}

impl From<out::Basis> for Basis {
    fn from(basis: out::Basis) -> Self {
        match basis {
            out::Basis::OnIssue => Self::OnIssue,
            out::Basis::OnRedemption => Self::OnRedemption,
        }
    }
}

pub(crate) fn validity(validity: out::Validity) -> time::Validity {
    match validity {
        out::Validity::Months { count } => time::Validity::Months(count),
        out::Validity::Days { count } => time::Validity::Days(count),
    }
}

/// The language's tag.
pub(crate) fn tag(lang: Lang) -> &'static str {
    match lang {
        Lang::Ko => "ko",
        Lang::En => "en",
    }
}

fn place(place: Place) -> out::Place {
    out::Place { lat_e6: place.lat_e6, lon_e6: place.lon_e6 }
}

pub(crate) fn shop(shop: phone::Shop) -> out::Shop {
    out::Shop { id: shop.id.to_string(), name: shop.name, place: shop.place.map(place) }
}

fn shops(shops: Vec<phone::Shop>) -> Vec<out::Shop> {
    shops.into_iter().map(shop).collect()
}

pub(crate) fn own_shop(own: phone::OwnShop) -> out::OwnShop {
    let name = own.profile.map(|profile| profile.name);
    out::OwnShop { id: own.id.to_string(), name, confirmed: own.confirmed }
}

pub(crate) fn claimed(claimed: phone::Claimed) -> out::Claimed {
    out::Claimed {
        op: claimed.op.to_string(),
        group: claimed.group.map(|group| group.to_string()),
        earns: claimed.earns.map(Units::get),
    }
}

/// The zone in which times of day are shown.
pub(crate) fn country() -> Zone {
    Zone::named("Asia/Seoul").unwrap_or_default()
}

/// Within how many days mileage *expires soon*.
const SOON_DAYS: u32 = 30;
const _: () = assert!(phone::SOON == SOON_DAYS as i64 * Timestamp::DAY);

/// Figures in the app's language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dress {
    pub(crate) lang: Lang,
}

impl Dress {
    pub(crate) fn won(self, amount: Money) -> String {
        number::money(self.lang, amount, Currency::KRW)
    }

    pub(crate) fn group(self, info: phone::GroupInfo) -> out::Group {
        out::Group {
            id: info.id.to_string(),
            name: info.profile.name,
            scope: info.profile.scope.into(),
            terms_version: info.terms_version,
            rate_bp: info.terms.rate.get(),
            rate_text: number::rate(info.terms.rate),
            validity_text: when::validity(self.lang, info.terms.validity),
            minimum: info.terms.minimum.get(),
            members: shops(info.members),
        }
    }

    pub(crate) fn own_group(self, own: phone::OwnGroup) -> out::OwnGroup {
        let group = own.info.map(|info| self.group(info));
        out::OwnGroup { id: own.id.to_string(), group, confirmed: own.confirmed }
    }

    pub(crate) fn voucher(
        self,
        voucher: phone::Voucher,
        qr: impl FnOnce(&str) -> Result<Qr, ApiError>,
    ) -> Result<out::Voucher, ApiError> {
        Ok(out::Voucher {
            sale: voucher.sale.to_string(),
            amount: voucher.amount.0,
            amount_text: self.won(voucher.amount),
            qr: qr(&voucher.text)?,
            code: voucher.text,
            claim_until: voucher.claim_until.0,
            good_until_text: line(self.lang, &Line::ScanUntil { at: voucher.claim_until, zone: &country() }),
        })
    }

    pub(crate) fn choice(self, choice: phone::GroupChoice) -> out::GroupChoice {
        let members = u32::try_from(choice.members.len()).unwrap_or(u32::MAX);
        let words = Line::Choice {
            group: &choice.profile.name,
            rate: choice.rate,
            validity: choice.validity,
            shops: members,
            earns: choice.earns,
        };
        out::GroupChoice {
            group: choice.choice.group.to_string(),
            terms_version: choice.choice.terms_version,
            earns_text: number::units(self.lang, choice.earns),
            rate_text: number::rate(choice.rate),
            validity_text: when::validity(self.lang, choice.validity),
            shops_text: line(self.lang, &Line::Shops { shops: members }),
            line: line(self.lang, &words),
            until_text: when::at_least_until(self.lang, choice.usable_at_least_until),
            name: choice.profile.name,
            rate_bp: choice.rate.get(),
            earns: choice.earns.get(),
            balance: choice.balance.get(),
            minimum: choice.minimum.get(),
            members: shops(choice.members),
        }
    }

    pub(crate) fn balance(self, balance: phone::Balance) -> out::Balance {
        let group = balance.name.clone().unwrap_or_default();
        let (confirmed, pending) = (balance.confirmed, balance.pending);
        let minimum = balance.minimum.filter(|minimum| !minimum.is_zero());
        let to_minimum = minimum.map(|minimum| Line::Minimum { minimum, missing: balance.to_minimum });
        let soon = Some(balance.expiring_soon).filter(|units| !units.is_zero());
        let expiring = soon.zip(balance.next_expiry).map(|(units, last_day)| Line::Expiring {
            units,
            days: SOON_DAYS,
            last_day,
        });
        out::Balance {
            group: balance.group.to_string(),
            confirmed_text: number::units(self.lang, confirmed),
            pending_text: if pending.is_zero() { String::new() } else { number::units(self.lang, pending) },
            line: line(self.lang, &Line::Balance { group: &group, confirmed, pending }),
            expiring_text: expiring.map(|words| line(self.lang, &words)).unwrap_or_default(),
            minimum_text: to_minimum.map(|words| line(self.lang, &words)).unwrap_or_default(),
            name: balance.name,
            confirmed: confirmed.get(),
            pending: pending.get(),
            usable: balance.usable.get(),
            expiring_soon: balance.expiring_soon.get(),
            minimum: balance.minimum.map(Units::get),
        }
    }

    pub(crate) fn history(self, item: phone::HistoryItem) -> out::HistoryItem {
        let name = item.shop.name.clone().unwrap_or_default();
        let units = item.units;
        let (kind, words) = match item.happened {
            phone::Happened::Accrual { last_day, .. } => {
                (out::HistoryKind::Accrual, line(self.lang, &Line::Earned { units, last_day }))
            }
            phone::Happened::Redemption => {
                (out::HistoryKind::Redemption, line(self.lang, &Line::Spent { shop: &name, units }))
            }
            phone::Happened::Moved => (out::HistoryKind::Moved, line(self.lang, &Line::Moved { units })),
            phone::Happened::Expiry => (out::HistoryKind::Expiry, line(self.lang, &Line::Expired { units })),
        };
        out::HistoryItem {
            kind,
            at: item.at.0,
            at_text: self.moment(item.at),
            shop: shop(item.shop),
            units: units.get(),
            line: words,
        }
    }

    pub(crate) fn moment(self, at: Timestamp) -> String {
        when::moment(self.lang, at, &country())
    }

    /// Until when a code is good.
    pub(crate) fn good_until(self, at: Timestamp) -> String {
        line(self.lang, &Line::GoodUntil { at, zone: &country() })
    }

    /// Until when a sale can be chosen for.
    pub(crate) fn choose_until(self, at: Timestamp) -> String {
        line(self.lang, &Line::ChooseUntil { at, zone: &country() })
    }

    fn sale_standing(self, standing: phone::SaleStanding) -> String {
        let zone = &country();
        let words = match standing {
            phone::SaleStanding::Unsent => SaleText::Unsent,
            phone::SaleStanding::Recorded => SaleText::Recorded,
            phone::SaleStanding::Claimed { units, .. } => SaleText::Collected { units },
            phone::SaleStanding::Waiting { until } => SaleText::Waiting { until, zone },
            phone::SaleStanding::Lapsed => SaleText::Lapsed,
            phone::SaleStanding::Refused => SaleText::Refused,
        };
        sale(self.lang, &words)
    }

    pub(crate) fn fate(self, fate: phone::Fate) -> out::Fate {
        match fate {
            phone::Fate::Waiting => out::Fate::Waiting,
            phone::Fate::BeingChecked => out::Fate::BeingChecked,
            phone::Fate::Applied => out::Fate::Applied,
            phone::Fate::Refused(refused) => {
                out::Fate::Refused { text: self.refusal(&refused), code: refused.code }
            }
        }
    }

    /// The sentence of a refusal that the server sent.
    pub(crate) fn refusal(self, refused: &phone::RefusedOp) -> String {
        refused.reason.as_ref().map_or_else(|| refused.text.clone(), |reason| refusal(self.lang, reason))
    }

    pub(crate) fn outbox_item(self, item: phone::OutboxItem) -> out::OutboxItem {
        out::OutboxItem {
            op: item.op.to_string(),
            kind: item.kind.as_str().to_owned(),
            created_at: item.created_at.0,
            fate: self.fate(item.fate),
            amount: item.amount.map(|amount| amount.0),
            units: item.units.map(Units::get),
        }
    }

    pub(crate) fn sale(self, sale: phone::SaleItem) -> out::SaleItem {
        out::SaleItem {
            sale: sale.sale.to_string(),
            amount: sale.amount.0,
            amount_text: self.won(sale.amount),
            at: sale.at.0,
            at_text: when::clock(sale.at, &country()),
            standing_text: self.sale_standing(sale.standing),
            sent: !matches!(sale.standing, phone::SaleStanding::Unsent),
            claimed: match sale.standing {
                phone::SaleStanding::Claimed { units, .. } => Some(units.get()),
                _ => None,
            },
        }
    }

    pub(crate) fn day(self, day: phone::MerchantDay) -> out::MerchantDay {
        let sales = day.sales.into_iter().map(|sale| self.sale(sale));
        let approved = day.redemptions.iter().filter(|taken| taken.fate == phone::Fate::Applied);
        let redeemed: Units = approved.map(|taken| taken.units).sum();
        out::MerchantDay {
            day_text: when::date(self.lang, day.day),
            sales: sales.collect(),
            amount: day.amount.0,
            amount_text: self.won(day.amount),
            redeemed: redeemed.get(),
        }
    }

    /// Why a voucher cannot be claimed, as the claim itself would be refused.
    fn standing(self, voucher: &phone::ScannedVoucher) -> String {
        let reason = match voucher.standing {
            phone::VoucherStanding::Open => return String::new(),
            phone::VoucherStanding::Claimed { .. } | phone::VoucherStanding::Gone => {
                Refusal::SaleAlreadyClaimed
            }
            phone::VoucherStanding::Expired if voucher.addressed => Refusal::SaleTooOld { days: CLAIM_DAYS },
            phone::VoucherStanding::Expired => Refusal::VoucherExpired { minutes: VOUCHER_MINUTES },
            phone::VoucherStanding::ForAnother => Refusal::NotAddressee,
            phone::VoucherStanding::Own => Refusal::OwnSale,
        };
        refusal(self.lang, &reason)
    }

    pub(crate) fn scan(self, scanned: phone::Code) -> Scan {
        match scanned {
            phone::Code::Voucher(voucher) => Scan::Voucher {
                voucher: ScannedVoucher {
                    sale: voucher.sale.to_string(),
                    amount: voucher.amount.0,
                    amount_text: self.won(voucher.amount),
                    claim_until: voucher.claim_until.0,
                    standing: standing(voucher.standing),
                    standing_text: self.standing(&voucher),
                    shop: voucher.shop.map(shop),
                },
            },
            phone::Code::Redemption(code) => Scan::Redemption {
                code: ScannedRedemption {
                    group: code.group.to_string(),
                    group_name: code.group_name,
                    most: code.most.get(),
                    most_text: number::units(self.lang, code.most),
                    at_most_text: line(self.lang, &Line::AtMost { units: code.most }),
                    expired: code.expired,
                },
            },
            phone::Code::Approval(approval) => Scan::Approval {
                merchant: approval.merchant.to_string(),
                for_us: approval.for_us,
                units: approval.units.get(),
                expired: approval.expired,
            },
            phone::Code::Member(code) => Scan::Member { code: ScannedMember { expired: code.expired } },
            phone::Code::OneTime(code) => Scan::OneTime { text: code.text },
            phone::Code::Invitation(invitation) => Scan::Invitation {
                invitation: ScannedInvitation {
                    shop: invitation.shop.map(shop),
                    limits: invitation.limits.into(),
                    expires_at: invitation.expires_at.0,
                },
            },
            phone::Code::MergeConsent { expired, .. } => Scan::MergeConsent { expired },
            phone::Code::Pass(pass) => Scan::Pass {
                pass: ScannedPass {
                    group: pass.group.to_string(),
                    units: pass.units.get(),
                    units_text: number::units(self.lang, pass.units),
                    refused_text: pass.refused.map(|reason| refusal(self.lang, &reason)).unwrap_or_default(),
                },
            },
            phone::Code::Browser(public_key) => {
                Scan::Browser { public_key, question_text: line(self.lang, &Line::LetInBrowser) }
            }
            // A browser's is a code of its own.
            phone::Code::Link(link::Destination::Browser(key)) => {
                self.scan(phone::Code::Browser(key.public_key()))
            }
            phone::Code::Link(link::Destination::Group(id)) => {
                Scan::Link { destination: Destination::Group { id: id.to_string() } }
            }
            phone::Code::Link(link::Destination::Merchant(id)) => {
                Scan::Link { destination: Destination::Shop { id: id.to_string() } }
            }
            phone::Code::Link(link::Destination::Wallet(group)) => {
                Scan::Link { destination: Destination::Wallet { group: group.to_string() } }
            }
        }
    }
}

fn standing(standing: phone::VoucherStanding) -> VoucherStanding {
    match standing {
        phone::VoucherStanding::Open => VoucherStanding::Open,
        phone::VoucherStanding::Claimed { .. } => VoucherStanding::Claimed,
        phone::VoucherStanding::Gone => VoucherStanding::Gone,
        phone::VoucherStanding::Expired => VoucherStanding::Expired,
        phone::VoucherStanding::ForAnother => VoucherStanding::ForAnother,
        phone::VoucherStanding::Own => VoucherStanding::Own,
    }
}
