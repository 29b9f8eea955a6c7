//! Lines of screens, and of the demo's terminal. Fragments, not sentences: no full stop.

use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::time::{Day, Timestamp, Validity, Zone};

use crate::Lang;
use crate::number::{self, count, plural};
use crate::when;

/// Why a group is put first. (A8)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is the shop's only group.
    OnlyGroup,
    /// It gives more of the amount than the others.
    HigherRate,
    /// It can be used for longer.
    LongerValidity,
    /// More of its shops are ones that this buyer goes to.
    MoreShops {
        /// How many.
        visited: u32,
    },
    /// This buyer's balance in it is close to the minimum.
    NearMinimum {
        /// Units that are missing.
        missing: Units,
    },
    /// A purchase that this buyer plans falls within the validity.
    PlannedPurchase,
}

/// The reason in a few words.
pub fn reason(lang: Lang, reason: Reason) -> String {
    match reason {
        Reason::OnlyGroup => text!(lang, "이 가게의 하나뿐인 그룹", "the shop's only group"),
        Reason::HigherRate => text!(lang, "더 높은 적립률", "higher rate"),
        Reason::LongerValidity => text!(lang, "더 긴 유효기간", "longer validity"),
        Reason::MoreShops { visited } => {
            let (ko, en) = (count(visited), plural(visited, "shop that you go to", "shops that you go to"));
            text!(lang, "자주 가는 가게 {ko}곳", "{en}")
        }
        Reason::NearMinimum { missing } => {
            let (ko, en) = (number::units(lang, missing), plural(missing.get(), "point", "points"));
            text!(lang, "{ko}만 더 모으면 사용 가능", "{en} short of being usable")
        }
        Reason::PlannedPurchase => text!(lang, "계획한 구매에 사용 가능", "usable for a planned purchase"),
    }
}

/// What a phone has recorded and not sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsent {
    /// Everything.
    pub ops: u32,
    /// Sales among it.
    pub sales: u32,
    /// Claims among it.
    pub claims: u32,
}

impl Unsent {
    /// `판매 3건과 적립 1건`, `3 sales and 1 claim`; of what is neither, the number alone.
    pub(crate) fn text(self, lang: Lang) -> String {
        let Self { ops, sales, claims } = self;
        let (ko_sales, ko_claims, ko_ops) = (count(sales), count(claims), count(ops));
        let en_sales = plural(sales, "sale", "sales");
        let en_claims = plural(claims, "claim", "claims");
        match (sales, claims) {
            (0, 0) => text!(lang, "{ko_ops}건", "{ko_ops}"),
            (_, 0) => text!(lang, "판매 {ko_sales}건", "{en_sales}"),
            (0, _) => text!(lang, "적립 {ko_claims}건", "{en_claims}"),
            _ => text!(lang, "판매 {ko_sales}건과 적립 {ko_claims}건", "{en_sales} and {en_claims}"),
        }
    }
}

/// A line with figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// A wallet: what the server has confirmed and what waits.
    Balance {
        /// The group's name.
        group: &'a str,
        /// Units that can be used.
        confirmed: Units,
        /// Units that wait for the server.
        pending: Units,
    },
    /// From which balance the wallet can be used, and what is missing.
    Minimum {
        /// The group's minimum.
        minimum: Units,
        /// Units still missing; none if it is reached.
        missing: Units,
    },
    /// Units that end soon.
    Expiring {
        /// How many.
        units: Units,
        /// Within how many days.
        days: u32,
        /// The last day of the soonest.
        last_day: Day,
    },
    /// What a person is asked before a browser is let in.
    LetInBrowser,
    /// Numbers of a till that have not arrived.
    Missing {
        /// How many.
        numbers: u64,
    },
    /// The most that a buyer lets a shop take.
    AtMost {
        /// Units.
        units: Units,
    },
    /// Until when a voucher can be scanned.
    ScanUntil {
        /// The last instant.
        at: Timestamp,
        /// The zone in which the time is shown.
        zone: &'a Zone,
    },
    /// Until when a code is good that lives for seconds or minutes.
    GoodUntil {
        /// When it is void.
        at: Timestamp,
        /// The zone in which the time is shown.
        zone: &'a Zone,
    },
    /// Until when a buyer can choose the group of a sale.
    ChooseUntil {
        /// The last instant.
        at: Timestamp,
        /// The zone in which the time is shown.
        zone: &'a Zone,
    },
    /// A group in the list that a buyer chooses from. (A7)
    Choice {
        /// The group's name.
        group: &'a str,
        /// Its rate.
        rate: BasisPoints,
        /// Its validity.
        validity: Validity,
        /// How many shops it has.
        shops: u32,
        /// What this purchase would earn.
        earns: Units,
    },
    /// A sale that the shop recorded.
    Sale {
        /// The shop's name.
        shop: &'a str,
        /// What was paid.
        amount: Money,
        /// In which currency.
        currency: Currency,
    },
    /// A claim that only the phone knows of.
    Claimed {
        /// What it will earn.
        units: Units,
        /// The last day if it were decided today.
        last_day: Day,
    },
    /// A claim that the server has decided.
    Earned {
        /// What it earned.
        units: Units,
        /// The last day on which it can be used.
        last_day: Day,
    },
    /// A redemption that stands.
    Redeemed {
        /// The shop's name.
        shop: &'a str,
        /// Units taken.
        units: Units,
        /// Units left in the wallet.
        left: Units,
    },
    /// The same in a list, where each row's rest is not known.
    Spent {
        /// The shop's name.
        shop: &'a str,
        /// Units taken.
        units: Units,
    },
    /// Units that came with another account of the person's.
    Moved {
        /// How many.
        units: Units,
    },
    /// Units that could no longer be used.
    Expired {
        /// How many.
        units: Units,
    },
    /// The shops where mileage can be used, counted.
    Shops {
        /// How many.
        shops: u32,
    },
    /// No network: what waits.
    NoNetwork {
        /// Sales that wait to be sent.
        sales: u32,
        /// Everything that waits, sales among it.
        waiting: u32,
    },
    /// Something other than our server answers, a hotspot most likely: what waits.
    NotOurServer {
        /// Sales that wait to be sent.
        sales: u32,
        /// Everything that waits, sales among it.
        waiting: u32,
    },
    /// No network: how old the figures are and what waits.
    Offline {
        /// When the phone last heard from the server.
        as_of: Timestamp,
        /// The instant at which this is read: of another day, the date is said too.
        now: Timestamp,
        /// The zone in which the time is shown.
        zone: &'a Zone,
        /// What waits to be sent.
        unsent: Unsent,
    },
    /// All is sent and up to date.
    Synced {
        /// When the phone last heard from the server.
        as_of: Timestamp,
        /// The zone in which the time is shown.
        zone: &'a Zone,
    },
}

/// The line's words.
pub fn line(lang: Lang, line: &Line) -> String {
    let points = |units: Units| number::units(lang, units);
    match *line {
        Line::Balance { group, confirmed, pending } if pending.is_zero() => {
            let confirmed = points(confirmed);
            text!(lang, "{group} {confirmed}", "{group}: {confirmed}")
        }
        Line::Balance { group, confirmed, pending } => {
            let (confirmed, ko, en) = (points(confirmed), points(pending), count(pending.get()));
            text!(lang, "{group} {confirmed}, 확인 중 {ko}", "{group}: {confirmed}, {en} pending")
        }
        Line::Minimum { minimum, missing } if missing.is_zero() => {
            let minimum = points(minimum);
            text!(lang, "{minimum}부터 사용, 지금 사용 가능", "Usable from {minimum}: reached")
        }
        Line::Minimum { minimum, missing } => {
            let (minimum, ko, en) = (points(minimum), points(missing), count(missing.get()));
            text!(lang, "{minimum}부터 사용, {ko} 남음", "Usable from {minimum}: {en} to go")
        }
        Line::Expiring { units, days, last_day } => {
            let (units, until, ko) = (points(units), when::until(lang, last_day), count(days));
            let en = plural(days, "day", "days");
            text!(
                lang,
                "{ko}일 안에 {units} 소멸, 빠른 것은 {until} 사용",
                "{units} to expire within {en}, the first usable {until}",
            )
        }
        Line::LetInBrowser => text!(
            lang,
            "이 브라우저에서 내 계정에 로그인할까요? 내가 직접 연 화면일 때만 허용해 주세요.",
            "Sign this browser in as you? Agree only if you opened that page yourself.",
        ),
        Line::Missing { numbers } => {
            let ko = count(numbers);
            let en = plural(numbers, "number", "numbers");
            text!(
                lang,
                "이 기기의 번호 {ko}개가 아직 도착하지 않았어요. 보내지 않은 판매나 쓰지 않은 코드예요.",
                "Not arrived from this till: {en}. They are sales still on it, or codes nobody used.",
            )
        }
        Line::AtMost { units } => {
            let units = points(units);
            text!(lang, "최대 {units}", "At most {units}")
        }
        Line::ScanUntil { at, zone } => {
            let clock = when::clock(at, zone);
            text!(lang, "{clock}까지 적립 가능", "Can be scanned until {clock}")
        }
        Line::GoodUntil { at, zone } => {
            let clock = when::clock_to_second(at, zone);
            text!(lang, "{clock}까지 사용 가능", "Good until {clock}")
        }
        Line::ChooseUntil { at, zone } => {
            let moment = when::moment(lang, at, zone);
            text!(lang, "{moment}까지 선택 가능", "Can be chosen until {moment}")
        }
        Line::Choice { group, rate, validity, shops, earns } => {
            let (rate, validity) = (number::rate(rate), when::validity(lang, validity));
            let (earns, ko, en) = (points(earns), count(shops), plural(shops, "shop", "shops"));
            text!(
                lang,
                "{group}: {earns} 적립, {rate}, {validity}, 가게 {ko}곳",
                "{group}: earns {earns}, {rate}, {validity}, {en}",
            )
        }
        Line::Sale { shop, amount, currency } => {
            let amount = number::money(lang, amount, currency);
            text!(lang, "{shop} 판매 {amount}", "{shop}: sale of {amount}")
        }
        Line::Claimed { units, last_day } => {
            let (units, until) = (points(units), when::at_least_until(lang, last_day));
            text!(lang, "{units} 적립 확인 중, {until} 사용", "{units} pending, usable {until}")
        }
        Line::Earned { units, last_day } => {
            let (units, until) = (points(units), when::until(lang, last_day));
            text!(lang, "{units} 적립, {until} 사용", "{units} earned, usable {until}")
        }
        Line::Redeemed { shop, units, left } => {
            let (units, ko, en) = (points(units), points(left), count(left.get()));
            text!(lang, "{shop}에서 {units} 사용, {ko} 남음", "{units} used at {shop}, {en} left")
        }
        Line::Spent { shop, units } => {
            let units = points(units);
            text!(lang, "{shop}에서 {units} 사용", "{units} used at {shop}")
        }
        Line::Moved { units } => {
            let units = points(units);
            text!(lang, "{units} 합침", "{units} merged")
        }
        Line::Expired { units } => {
            let units = points(units);
            text!(lang, "{units} 소멸", "{units} expired")
        }
        Line::Shops { shops } => {
            let (ko, en) = (count(shops), plural(shops, "shop", "shops"));
            text!(lang, "가게 {ko}곳", "{en}")
        }
        Line::NoNetwork { waiting: 0, .. } => text!(lang, "연결 없음", "No connection"),
        Line::NoNetwork { sales: 0, waiting } => {
            let waiting = count(waiting);
            text!(lang, "연결 없음, {waiting}건 전송 대기", "No connection, {waiting} waiting to be sent")
        }
        Line::NoNetwork { sales, .. } => {
            let (ko, en) = (count(sales), plural(sales, "sale", "sales"));
            text!(lang, "연결 없음, 판매 {ko}건 전송 대기", "No connection, {en} waiting to be sent")
        }
        Line::NotOurServer { waiting: 0, .. } => {
            text!(lang, "와이파이 로그인 확인", "Check the Wi-Fi's sign-in")
        }
        Line::NotOurServer { sales: 0, waiting } => {
            let waiting = count(waiting);
            text!(
                lang,
                "와이파이 로그인 확인, {waiting}건 전송 대기",
                "Check the Wi-Fi's sign-in, {waiting} waiting to be sent"
            )
        }
        Line::NotOurServer { sales, .. } => {
            let (ko, en) = (count(sales), plural(sales, "sale", "sales"));
            text!(
                lang,
                "와이파이 로그인 확인, 판매 {ko}건 전송 대기",
                "Check the Wi-Fi's sign-in, {en} waiting to be sent"
            )
        }
        Line::Offline { as_of, now, zone, unsent } => {
            let at = when::clock_or_moment(lang, as_of, now, zone);
            if unsent.ops == 0 {
                return text!(lang, "{at} 기준", "As of {at}");
            }
            let waiting = unsent.text(lang);
            text!(lang, "{at} 기준, {waiting} 전송 대기", "As of {at}, {waiting} waiting")
        }
        Line::Synced { as_of, zone } => {
            let clock = when::clock(as_of, zone);
            text!(lang, "{clock} 최신 상태", "Up to date at {clock}")
        }
    }
}
