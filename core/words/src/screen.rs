//! Lines of screens, and of the demo's terminal. Fragments, not sentences: no full stop.

use moa_rules::quantity::{Currency, Money};
use moa_rules::terms::Terms;
use moa_rules::time::{Day, Timestamp, Zone};

use crate::Lang;
use crate::group::share;
use crate::number::{self, Mileage, count, plural};
use crate::particle::{Particle, with};
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
        missing: Mileage,
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
            let missing = number::mileage(lang, missing);
            text!(lang, "{missing}만 더 모으면 사용 가능", "{missing} short of being usable")
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
        confirmed: Mileage,
        /// Units that wait for the server.
        pending: Mileage,
    },
    /// From which balance the wallet can be used, and what is missing.
    Minimum {
        /// The group's minimum.
        minimum: Mileage,
        /// Units still missing; none if it is reached.
        missing: Mileage,
    },
    /// Units that end soon.
    Expiring {
        /// How many.
        units: Mileage,
        /// Within how many days.
        days: u32,
        /// The last day of the soonest.
        last_day: Day,
    },
    /// Stamps by the card.
    Cards {
        /// Cards that are full.
        full: u64,
        /// Stamps beside them.
        stamps: u64,
        /// Stamps that are missing to the next full card.
        missing: u64,
    },
    /// Units that passes and holds reserve.
    Held {
        /// How many.
        units: Mileage,
    },
    /// Units that cannot be used because a shop has not settled.
    Frozen {
        /// How many.
        units: Mileage,
    },
    /// Units that what is earned next pays.
    Owed {
        /// How many.
        units: Mileage,
    },
    /// Until when a group's mileage can be used that is closing.
    GroupEnds {
        /// When it has ended.
        at: Timestamp,
        /// The zone in which the time is shown.
        zone: &'a Zone,
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
        units: Mileage,
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
        /// What it promises.
        terms: &'a Terms,
        /// How many shops it has.
        shops: u32,
        /// What this purchase would earn.
        earns: Mileage,
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
        units: Mileage,
        /// The last day if it were decided today.
        last_day: Day,
    },
    /// A claim that the server has decided.
    Earned {
        /// What it earned.
        units: Mileage,
        /// The last day on which it can be used.
        last_day: Day,
    },
    /// A redemption that stands.
    Redeemed {
        /// The shop's name.
        shop: &'a str,
        /// Units taken.
        units: Mileage,
        /// Units left in the wallet.
        left: Mileage,
    },
    /// The same in a list, where each row's rest is not known.
    Spent {
        /// The shop's name.
        shop: &'a str,
        /// Units taken.
        units: Mileage,
    },
    /// Units that came with another account of the person's.
    Moved {
        /// How many.
        units: Mileage,
    },
    /// Units that could no longer be used.
    Expired {
        /// How many.
        units: Mileage,
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
    let points = |mileage: Mileage| number::mileage(lang, mileage);
    let again = |mileage: Mileage| number::again(lang, mileage);
    match *line {
        Line::Balance { group, confirmed, pending } if pending.is_none() => {
            let confirmed = points(confirmed);
            text!(lang, "{group} {confirmed}", "{group}: {confirmed}")
        }
        Line::Balance { group, confirmed, pending } => {
            let (confirmed, pending) = (points(confirmed), again(pending));
            text!(lang, "{group} {confirmed}, 확인 중 {pending}", "{group}: {confirmed}, {pending} pending")
        }
        Line::Minimum { minimum, missing } if missing.is_none() => {
            let minimum = points(minimum);
            text!(lang, "{minimum}부터 사용, 지금 사용 가능", "Usable from {minimum}: reached")
        }
        Line::Minimum { minimum, missing } => {
            let (minimum, missing) = (points(minimum), again(missing));
            text!(lang, "{minimum}부터 사용, {missing} 남음", "Usable from {minimum}: {missing} to go")
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
        Line::Cards { full: 0, stamps, missing } => {
            let (ko, en, missing) = (count(stamps), plural(stamps, "stamp", "stamps"), count(missing));
            text!(lang, "스탬프 {ko}개, {missing}개 더 모으면 한 판", "{en}, {missing} more fill a card")
        }
        Line::Cards { full, stamps: 0, .. } => {
            let (ko, en) = (count(full), plural(full, "full card", "full cards"));
            text!(lang, "다 채운 스탬프 {ko}판", "{en}")
        }
        Line::Cards { full, stamps, missing } => {
            let (ko_full, en_full) = (count(full), plural(full, "full card", "full cards"));
            let (ko, en, missing) = (count(stamps), plural(stamps, "stamp", "stamps"), count(missing));
            text!(
                lang,
                "다 채운 스탬프 {ko_full}판과 {ko}개, {missing}개 더 모으면 한 판",
                "{en_full} and {en}, {missing} more fill a card",
            )
        }
        Line::Held { units } => {
            let units = points(units);
            text!(lang, "{units} 잡아 둠", "{units} held for a shop")
        }
        Line::Frozen { units } => {
            let units = points(units);
            let topic = with(&units, Particle::Topic);
            text!(
                lang,
                "{topic} 가게가 정산할 때까지 사용 불가",
                "{units} not usable until a shop has settled"
            )
        }
        Line::Owed { units } => {
            let units = points(units);
            text!(
                lang,
                "환불로 갚을 {units}, 다음 적립에서 먼저 갚음",
                "{units} owed after a refund, paid by what you earn next"
            )
        }
        Line::GroupEnds { at, zone } => {
            let moment = when::moment(lang, at, zone);
            text!(
                lang,
                "그룹이 문을 닫아 {moment}까지 사용 가능",
                "The group is closing: usable until {moment}"
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
        Line::Choice { group, terms, shops, earns } => {
            let (rate, validity) = (share(lang, terms), when::validity(lang, terms.validity));
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
            let (units, left) = (points(units), again(left));
            text!(lang, "{shop}에서 {units} 사용, {left} 남음", "{units} used at {shop}, {left} left")
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
