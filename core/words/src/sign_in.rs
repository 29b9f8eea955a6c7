//! What the page says on which a browser is signed in by a phone.

use crate::Lang;

/// A text of that page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInText {
    /// Its title.
    Title,
    /// What to do.
    Scan,
    /// What the picture is, for those who do not see it.
    Picture,
    /// A link for the phone that shows the page itself.
    OnThisPhone,
    /// The browser's key is being made.
    Preparing,
    /// Nobody has let the browser in yet.
    Waiting,
    /// The server does not answer; the page goes on trying.
    Offline,
    /// It is in.
    SignedIn,
    /// What stands before the balance.
    Balance,
    /// The phone, or the time, ended it.
    Ended,
    /// Scripts are off, or the browser cannot keep a key.
    Unable,
    /// The button that ends it.
    SignOut,
    /// What the phone's list calls this browser.
    Browser,
}

impl SignInText {
    /// Those that are sentences.
    pub const SENTENCES: [Self; 7] = [
        Self::Scan,
        Self::Preparing,
        Self::Waiting,
        Self::Offline,
        Self::SignedIn,
        Self::Ended,
        Self::Unable,
    ];
    /// Headings, buttons and names.
    pub const LABELS: [Self; 6] =
        [Self::Title, Self::Picture, Self::OnThisPhone, Self::Balance, Self::SignOut, Self::Browser];
}

/// A text of the page.
pub fn sign_in(lang: Lang, what: SignInText) -> String {
    match what {
        SignInText::Title => text!(lang, "휴대폰으로 로그인", "Sign in with your phone"),
        SignInText::Scan => text!(
            lang,
            "휴대폰의 모아 앱에서 코드 읽기를 누르고 아래 코드를 비춘 뒤 허용해 주세요.",
            "In the Moa app on your phone, tap Scan, point it at this code, and agree.",
        ),
        SignInText::Picture => {
            text!(lang, "휴대폰으로 읽을 로그인 코드", "The sign-in code for your phone to scan")
        }
        SignInText::OnThisPhone => {
            text!(lang, "이 휴대폰의 모아 앱에서 열기", "Open in the Moa app on this phone")
        }
        SignInText::Preparing => text!(
            lang,
            "이 브라우저의 키를 만들고 있어요. 잠시만 기다려 주세요.",
            "Making a key for this browser. One moment.",
        ),
        SignInText::Waiting => text!(
            lang,
            "휴대폰에서 허용하기를 기다리고 있어요. 허용하면 이 화면이 저절로 바뀌어요.",
            "Waiting for your phone to agree. This page goes on by itself.",
        ),
        SignInText::Offline => text!(
            lang,
            "서버에 연결되지 않았어요. 인터넷 연결을 확인해 주세요. 계속 다시 시도하고 있어요.",
            "The server cannot be reached. Check the connection; this page keeps trying.",
        ),
        SignInText::SignedIn => text!(
            lang,
            "이 브라우저에 로그인했어요. 휴대폰의 기기 목록에서 언제든지 끝낼 수 있어요.",
            "This browser is signed in. You can end that on your phone, under Devices.",
        ),
        SignInText::Balance => text!(lang, "쓸 수 있는 마일리지", "Mileage that you can use"),
        SignInText::Ended => text!(
            lang,
            "이 브라우저의 로그인이 끝났어요. 다시 로그인하려면 새 코드를 읽어 주세요.",
            "This browser was signed out. Scan the new code to sign in again.",
        ),
        SignInText::Unable => text!(
            lang,
            "이 브라우저에서는 로그인할 수 없어요. 자바스크립트를 켜거나 다른 브라우저를 써 주세요.",
            "This browser cannot sign in. Turn on JavaScript, or use another browser.",
        ),
        SignInText::SignOut => {
            text!(lang, "로그아웃", "Sign out")
        }
        SignInText::Browser => text!(lang, "브라우저", "Browser"),
    }
}
