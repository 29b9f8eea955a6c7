//! What the pages say to which links lead in a browser: an invitation, a group, a shop.

use moa_rules::terms::{Admission, Terms};

use crate::Lang;
use crate::group;
use crate::number::{self, count, plural};

/// A text of those pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageText {
    /// The button that opens the app.
    OpenApp,
    /// The button that leaves a messenger's own browser.
    OpenOutside,
    /// What to do in such a browser, if no button helps.
    InsideAnother,
    /// The link to the store on Android.
    StoreAndroid,
    /// The link to the store on iOS.
    StoreIos,
    /// What stands before the eight characters.
    Code,
    /// What they are for.
    CodeUse,
    /// The title of the page on which they are typed.
    EnterCode,
    /// What to type there.
    EnterCodeHow,
    /// The button there.
    ShowInvitation,
    /// What was typed can't be one.
    Mistyped,
    /// Too many were tried.
    TooManyTries {
        /// Whole minutes until the next.
        minutes: u64,
    },
    /// The title, for every invitation that can't be answered, whatever the reason.
    Void,
    /// What to do about it.
    VoidHow,
    /// The title where no group or shop is.
    NotHere,
    /// What to do about it.
    NotHereHow,
    /// The title of what only the app can show.
    AppOnly,
    /// What to do with it.
    AppOnlyHow,
    /// The title when the server could not look.
    Trouble,
    /// What to do about it.
    TroubleHow,
    /// What stands before the terms.
    Terms,
    /// What stands before the names of the members.
    Members {
        /// How many there are.
        shops: u32,
    },
    /// That names are left out.
    More {
        /// How many.
        shops: u32,
    },
    /// What stands before the groups of a shop.
    Groups,
    /// A shop without groups.
    NoGroups,
    /// What stands before a shop's trade.
    Trade,
    /// What stands before a shop's district and building.
    Where,
    /// What a group's picture is, for those who do not see it.
    Picture,
    /// The group ends.
    Closing,
    /// The other language, in that language's own words.
    OtherLanguage,
}

impl PageText {
    /// Those that are sentences.
    pub const SENTENCES: [Self; 10] = [
        Self::InsideAnother,
        Self::CodeUse,
        Self::EnterCodeHow,
        Self::Mistyped,
        Self::TooManyTries { minutes: 12 },
        Self::VoidHow,
        Self::NotHereHow,
        Self::AppOnlyHow,
        Self::TroubleHow,
        Self::NoGroups,
    ];
    /// Headings, buttons and names, but for the other language's.
    pub const LABELS: [Self; 19] = [
        Self::OpenApp,
        Self::OpenOutside,
        Self::StoreAndroid,
        Self::StoreIos,
        Self::Code,
        Self::EnterCode,
        Self::ShowInvitation,
        Self::Void,
        Self::NotHere,
        Self::AppOnly,
        Self::Trouble,
        Self::Terms,
        Self::Members { shops: 8 },
        Self::More { shops: 12 },
        Self::Groups,
        Self::Trade,
        Self::Where,
        Self::Picture,
        Self::Closing,
    ];
}

/// A text of a page.
pub fn page(lang: Lang, what: PageText) -> String {
    match what {
        PageText::OpenApp => text!(lang, "모아 앱에서 열기", "Open in the Moa app"),
        PageText::OpenOutside => text!(lang, "기본 브라우저에서 열기", "Open in your browser"),
        PageText::InsideAnother => text!(
            lang,
            "앱이 열리지 않으면 메뉴에서 다른 브라우저로 열기를 골라 주세요.",
            "If the app does not open, choose “Open in browser” in this app's menu.",
        ),
        PageText::StoreAndroid => {
            text!(lang, "구글 플레이에서 모아 받기", "Get Moa on Google Play")
        }
        PageText::StoreIos => text!(lang, "앱 스토어에서 모아 받기", "Get Moa on the App Store"),
        PageText::Code => text!(lang, "초대 코드", "Invitation code"),
        PageText::CodeUse => text!(
            lang,
            "링크가 열리지 않는 휴대폰에서는 모아 앱에 이 코드를 적어 주세요.",
            "On a phone that does not open the link, type this code into the Moa app.",
        ),
        PageText::EnterCode => text!(lang, "초대 코드 적기", "Type an invitation code"),
        PageText::EnterCodeHow => text!(
            lang,
            "초대에 적힌 글자와 숫자 여덟 개를 적어 주세요.",
            "Type the eight letters and digits of the invitation.",
        ),
        PageText::ShowInvitation => text!(lang, "초대 보기", "Show the invitation"),
        PageText::Mistyped => text!(
            lang,
            "그런 코드는 없어요. 여덟 글자를 다시 확인해 주세요.",
            "There is no such code. Check all eight characters.",
        ),
        PageText::TooManyTries { minutes } => {
            let (ko, en) = (count(minutes), plural(minutes, "minute", "minutes"));
            text!(
                lang,
                "맞지 않는 코드가 여러 번 들어왔어요. {ko}분 뒤에 다시 적어 주세요.",
                "Too many codes from here were wrong. Try again in {en}.",
            )
        }
        PageText::Void => text!(lang, "지금은 쓸 수 없는 초대", "This invitation can't be used now"),
        PageText::VoidHow => text!(
            lang,
            "주소가 다르거나, 기한이 지났거나, 이미 끝난 초대예요. 보낸 가게에 새로 보내 달라고 해 주세요.",
            "Its address is wrong, its time is over, or it was answered. Ask the shop that sent it for a new one.",
        ),
        PageText::NotHere => text!(lang, "찾을 수 없는 곳", "Nothing is here"),
        PageText::NotHereHow => text!(
            lang,
            "주소가 잘렸거나 없는 곳이에요. 링크를 처음부터 끝까지 다시 열어 주세요.",
            "The address was cut off, or is of nothing. Open the whole link again.",
        ),
        PageText::AppOnly => text!(lang, "모아 앱에서 볼 수 있어요", "The Moa app shows this"),
        PageText::AppOnlyHow => text!(
            lang,
            "이 링크는 모아 앱이 있는 휴대폰에서 열어 주세요.",
            "Open this link on the phone that has the Moa app.",
        ),
        PageText::Trouble => text!(lang, "지금은 보여 드릴 수 없어요", "This can't be shown now"),
        PageText::TroubleHow => {
            text!(
                lang,
                "서버가 바빠요. 잠시 뒤에 이 화면을 새로 고쳐 주세요.",
                "The server is busy. Load this page again in a moment."
            )
        }
        PageText::Terms => text!(lang, "조건", "Terms"),
        PageText::Members { shops } => {
            let (ko, en) = (count(shops), plural(shops, "shop takes part", "shops take part"));
            text!(lang, "함께하는 가게 {ko}곳", "{en}")
        }
        PageText::More { shops } => {
            let shops = count(shops);
            text!(lang, "외 {shops}곳", "and {shops} more")
        }
        PageText::Groups => text!(lang, "여기서 모으는 마일리지", "Mileage collected here"),
        PageText::NoGroups => {
            text!(lang, "아직 함께하는 마일리지가 없는 가게예요.", "This shop takes part in no mileage yet.",)
        }
        PageText::Trade => text!(lang, "업종", "Trade"),
        PageText::Where => text!(lang, "위치", "Where"),
        PageText::Picture => text!(lang, "그룹 사진", "The group's picture"),
        PageText::Closing => text!(lang, "마감", "Closing"),
        PageText::OtherLanguage => text!(lang, "English", "한국어"),
    }
}

/// What a shop that thinks of joining reads beside what buyers are promised: what each is called, and what it is.
pub fn among_members(lang: Lang, terms: &Terms) -> Vec<(String, String)> {
    let admission = match terms.admission {
        None => text!(lang, "바로 함께", "at once"),
        Some(Admission::Admin) => text!(lang, "운영 가게가 승인", "the shop that runs it agrees"),
        Some(Admission::Vote(share)) => {
            let share = number::rate(share);
            text!(lang, "회원 {share} 이상 승인", "{share} of the members agree")
        }
    };
    vec![
        (text!(lang, "가입", "Joining"), admission),
        (text!(lang, "정산", "Settled"), group::period(lang, terms.period.unwrap_or_default())),
        (text!(lang, "조건 변경", "New terms"), group::consent(lang, terms.consent)),
    ]
}
