//! The phone's values as records, dressed in the app's language.

use std::collections::BTreeMap;

use moa_phone as phone;
use moa_rules::merchant::Place;
use moa_rules::quantity::{Currency, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::sale::{CLAIM_DAYS, VOUCHER_MINUTES};
use moa_rules::terms::{Basis, Scope, Unit};
use moa_rules::time::{self, Timestamp, Zone};
use moa_wire::link;
use moa_words::{
    HistoryText, Lang, Line, Mileage, SaleText, ShopText, group, history, line, number, refusal, refusal_in,
    sale, shop as shop_text, when,
};

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

impl From<Basis> for out::Basis {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::OnIssue => Self::OnIssue,
            Basis::OnRedemption => Self::OnRedemption,
        }
    }
}

impl From<time::Validity> for out::Validity {
    fn from(validity: time::Validity) -> Self {
        match validity {
            time::Validity::Months(count) => Self::Months { count },
            time::Validity::Days(count) => Self::Days { count },
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

pub(crate) fn shops(shops: Vec<phone::Shop>) -> Vec<out::Shop> {
    shops.into_iter().map(shop).collect()
}

pub(crate) fn own_shop(own: phone::OwnShop) -> out::OwnShop {
    let name = own.profile.as_ref().map(|profile| profile.name.clone());
    let (profile, amending) = (own.profile.map(Into::into), own.amending.map(Into::into));
    out::OwnShop { id: own.id.to_string(), name, profile, amending, confirmed: own.confirmed }
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

    /// So much of a unit.
    pub(crate) fn mileage(self, units: Units, unit: Option<Unit>) -> out::Mileage {
        let text = number::mileage(self.lang, Mileage::of(units, unit));
        out::Mileage { units: units.get(), unit: unit.into(), text }
    }

    /// The same in words alone.
    pub(crate) fn units_text(self, units: Units, unit: Option<Unit>) -> String {
        number::mileage(self.lang, Mileage::of(units, unit))
    }

    pub(crate) fn claimed(self, claimed: phone::Claimed) -> out::Claimed {
        let earns_text = claimed.earns.map(|units| self.units_text(units, claimed.unit));
        out::Claimed {
            op: claimed.op.to_string(),
            group: claimed.group.map(|group| group.to_string()),
            earns: claimed.earns.map(Units::get),
            earns_text: earns_text.unwrap_or_default(),
        }
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
        let (terms, unit) = (&choice.terms, choice.terms.unit());
        let earns = Mileage::of(choice.earns, unit);
        let words = Line::Choice { group: &choice.profile.name, terms, shops: members, earns };
        let missing = Mileage::of(choice.to_minimum, unit);
        let minimum = Some(terms.minimum).filter(|minimum| !minimum.is_zero());
        let minimum = minimum.map(|minimum| Line::Minimum { minimum: Mileage::of(minimum, unit), missing });
        let planned = choice.planned.as_ref().and_then(|planned| {
            let day = Some(planned.day).filter(|_| !planned.overdue);
            Some(moa_words::choice::Planned { shop: planned.shop.name.as_deref()?, day })
        });
        out::GroupChoice {
            reason_text: moa_words::choice::reasons(self.lang, &choice.reasons, terms.currency, planned),
            expected_use: choice.expected_use.0,
            expected_use_text: moa_words::choice::expected_use(
                self.lang,
                choice.expected_use,
                terms.currency,
            ),
            to_minimum: choice.to_minimum.get(),
            minimum_text: minimum.map(|minimum| line(self.lang, &minimum)),
            group: choice.choice.group.to_string(),
            terms_version: choice.choice.terms_version,
            unit: unit.into(),
            earns_text: number::mileage(self.lang, earns),
            rate_text: group::share(self.lang, terms),
            promise_text: group::promise(self.lang, terms),
            validity_text: when::validity(self.lang, terms.validity),
            shops_text: line(self.lang, &Line::Shops { shops: members }),
            line: line(self.lang, &words),
            until_text: when::at_least_until(self.lang, choice.usable_at_least_until),
            earns: choice.earns.get(),
            balance: choice.balance.get(),
            minimum: terms.minimum.get(),
            name: choice.profile.name,
            members: shops(choice.members),
        }
    }

    pub(crate) fn balance(self, balance: phone::Balance) -> out::Balance {
        let group = balance.name.clone().unwrap_or_default();
        let of = |units| Mileage::of(units, balance.unit);
        let (confirmed, pending) = (of(balance.confirmed), of(balance.pending));
        let minimum = balance.minimum.filter(|minimum| !minimum.is_zero());
        let missing = of(balance.to_minimum);
        let to_minimum = minimum.map(|minimum| Line::Minimum { minimum: of(minimum), missing });
        let soon = Some(balance.expiring_soon).filter(|units| !units.is_zero());
        let expiring = soon.zip(balance.next_expiry).map(|(units, last_day)| Line::Expiring {
            units: of(units),
            days: SOON_DAYS,
            last_day,
        });
        let cards = balance.full_cards().zip(balance.to_full_card()).zip(balance.unit);
        let cards = cards.map(|((full, missing), unit)| {
            let card = if let Unit::Stamp(card) = unit { u64::from(card) } else { 1 };
            let missing = u64::try_from(missing.get()).unwrap_or(0);
            Line::Cards { full, stamps: card.saturating_sub(missing), missing }
        });
        let zone = &country();
        let some = |units: Units| Some(of(units)).filter(|mileage| !mileage.is_none());
        let notes = [
            some(balance.held).map(|units| Line::Held { units }),
            some(balance.frozen).map(|units| Line::Frozen { units }),
            some(balance.owed).map(|units| Line::Owed { units }),
            balance.group_ends_at.map(|at| Line::GroupEnds { at, zone }),
        ];
        let said = |words: Line| line(self.lang, &words);
        out::Balance {
            group: balance.group.to_string(),
            unit: balance.unit.into(),
            confirmed_text: number::mileage(self.lang, confirmed),
            pending_text: if pending.is_none() { String::new() } else { number::mileage(self.lang, pending) },
            usable_text: number::mileage(self.lang, of(balance.usable)),
            line: said(Line::Balance { group: &group, confirmed, pending }),
            expiring_text: expiring.map(said).unwrap_or_default(),
            minimum_text: to_minimum.map(said).unwrap_or_default(),
            cards_text: cards.map(said).unwrap_or_default(),
            notes: notes.into_iter().flatten().map(said).collect(),
            name: balance.name,
            confirmed: confirmed.units.get(),
            pending: pending.units.get(),
            usable: balance.usable.get(),
            held: balance.held.get(),
            frozen: balance.frozen.get(),
            owed: balance.owed.get(),
            expiring_soon: balance.expiring_soon.get(),
            minimum: balance.minimum.map(Units::get),
        }
    }

    pub(crate) fn history(self, item: phone::HistoryItem) -> out::HistoryItem {
        let name = item.shop.name.clone().unwrap_or_default();
        let (shop_name, units) = (name.as_str(), Mileage::of(item.units, item.unit));
        let said = |words: Line| line(self.lang, &words);
        let told = |words: HistoryText| history(self.lang, &words);
        let (kind, line) = match item.happened {
            phone::Happened::Accrual { last_day, .. } => {
                (out::HistoryKind::Accrual, said(Line::Earned { units, last_day }))
            }
            phone::Happened::Redemption => {
                (out::HistoryKind::Redemption, said(Line::Spent { shop: shop_name, units }))
            }
            phone::Happened::Moved => (out::HistoryKind::Moved, said(Line::Moved { units })),
            phone::Happened::Expiry => (out::HistoryKind::Expiry, said(Line::Expired { units })),
            phone::Happened::Reversal => {
                (out::HistoryKind::Reversal, told(HistoryText::Reversed { shop: shop_name, units }))
            }
            phone::Happened::Clawback { debt, .. } => {
                let debt = Mileage::of(debt, item.unit);
                (out::HistoryKind::Clawback, told(HistoryText::ClawedBack { shop: shop_name, units, debt }))
            }
            phone::Happened::DebtPaid => {
                (out::HistoryKind::DebtPaid, told(HistoryText::DebtPaid { shop: shop_name, units }))
            }
            phone::Happened::Grant { reason, last_day } => {
                let words = HistoryText::Granted { shop: shop_name, units, reason, last_day };
                (out::HistoryKind::Grant, told(words))
            }
            phone::Happened::TakenAway { reason } => {
                (out::HistoryKind::TakenAway, told(HistoryText::TakenAway { shop: shop_name, units, reason }))
            }
        };
        out::HistoryItem {
            kind,
            at: item.at.0,
            at_text: self.moment(item.at),
            units: item.units.get(),
            unit: item.unit.into(),
            shop: shop(item.shop),
            line,
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
            phone::SaleStanding::Claimed { units, unit, .. } => {
                SaleText::Collected { units: Mileage::of(units, unit) }
            }
            phone::SaleStanding::Voided => SaleText::Voided,
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
        let said = |reason| refusal_in(self.lang, reason, Currency::KRW, refused.mileage);
        refused.reason.as_ref().map_or_else(|| refused.text.clone(), said)
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
        let money = Some(sale.money_back).filter(|money| money.0 > 0);
        let refunded_text =
            money.map(|money| shop_text(self.lang, &ShopText::PaidBack { money, currency: Currency::KRW }));
        out::SaleItem {
            sale: sale.sale.to_string(),
            amount: sale.amount.0,
            amount_text: self.won(sale.amount),
            at: sale.at.0,
            at_text: when::clock(sale.at, &country()),
            standing_text: self.sale_standing(sale.standing),
            sent: !matches!(sale.standing, phone::SaleStanding::Unsent),
            claimed: match sale.standing {
                phone::SaleStanding::Claimed { units, unit, .. } => Some(self.mileage(units, unit)),
                _ => None,
            },
            buyer: sale.buyer.map(|buyer| buyer.to_string()),
            voided: matches!(sale.standing, phone::SaleStanding::Voided),
            refunded: sale.refunded.0,
            money_back: sale.money_back.0,
            refunded_text: refunded_text.unwrap_or_default(),
        }
    }

    fn taken(self, taken: phone::RedemptionItem) -> out::TakenItem {
        out::TakenItem {
            op: taken.op.to_string(),
            group: taken.group.to_string(),
            mileage: self.mileage(taken.units, taken.unit),
            returned: taken.returned.get(),
            at: taken.at.0,
            at_text: when::clock(taken.at, &country()),
            fate: self.fate(taken.fate),
        }
    }

    pub(crate) fn day(self, day: phone::MerchantDay) -> out::MerchantDay {
        let approved = day.redemptions.iter().filter(|taken| taken.fate == phone::Fate::Applied);
        let mut redeemed: BTreeMap<Option<Unit>, Vec<Units>> = BTreeMap::new();
        approved.for_each(|taken| redeemed.entry(taken.unit).or_default().push(taken.units));
        let sum = |(unit, all): (_, Vec<Units>)| self.mileage(all.into_iter().sum(), unit);
        out::MerchantDay {
            day_text: when::date(self.lang, day.day),
            amount: day.amount.0,
            amount_text: self.won(day.amount),
            redeemed: redeemed.into_iter().map(sum).collect(),
            paid_back: day.paid_back.0,
            paid_back_text: self.won(day.paid_back),
            sales: day.sales.into_iter().map(|sale| self.sale(sale)).collect(),
            redemptions: day.redemptions.into_iter().map(|taken| self.taken(taken)).collect(),
            refunds: day.refunds.into_iter().map(|refund| self.refund(refund)).collect(),
            reversals: day.reversals.into_iter().map(|reversal| self.reversal(reversal)).collect(),
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
                    unit: code.unit.into(),
                    most_text: self.units_text(code.most, code.unit),
                    at_most_text: line(self.lang, &Line::AtMost { units: Mileage::of(code.most, code.unit) }),
                    expired: code.expired,
                },
            },
            phone::Code::Approval(approval) => Scan::Approval {
                merchant: approval.merchant.to_string(),
                for_us: approval.for_us,
                units: approval.units.get(),
                units_text: self.units_text(approval.units, approval.unit),
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
                    unit: pass.unit.into(),
                    units_text: self.units_text(pass.units, pass.unit),
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
            phone::Code::Link(link::Destination::Invitation(token)) => {
                Scan::Link { destination: Destination::Invitation { token: token.hex() } }
            }
            phone::Code::Link(link::Destination::InvitationCode(code)) => {
                Scan::Link { destination: Destination::InvitationCode { code: code.text() } }
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
