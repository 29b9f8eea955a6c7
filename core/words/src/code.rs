//! What to say of a scanned code that is not ours, and of a contact that is none.

use moa_wire::code::NotOurs;
use moa_wire::contact::NotAContact;

use crate::Lang;

/// What was scanned instead of a code of ours, and what to do.
pub fn not_ours(lang: Lang, what: NotOurs) -> String {
    match what {
        NotOurs::Empty => text!(
            lang,
            "읽은 것이 없어요. 코드를 화면 가운데에 맞추고 다시 읽어 주세요.",
            "Nothing was read. Hold the code in the middle and scan again.",
        ),
        NotOurs::TooLong => text!(
            lang,
            "모아 코드라기에는 너무 길어요. 상대방이 보여 주는 모아 코드를 읽어 주세요.",
            "This is too long for a Moa code. Scan the code that the other phone shows.",
        ),
        NotOurs::Damaged => text!(
            lang,
            "모아 코드인데 온전하지 않아요. 화면을 밝게 하고 다시 읽거나 새 코드를 부탁해 주세요.",
            "This Moa code is damaged. Brighten the screen and scan again, or ask for a new one.",
        ),
        NotOurs::PaymentCode => text!(
            lang,
            "결제 코드예요. 결제는 결제 앱으로, 적립은 모아 코드로 해 주세요.",
            "This is a payment code. Pay with your payment app; to collect, scan the Moa code.",
        ),
        NotOurs::ForeignLink => text!(
            lang,
            "다른 곳으로 가는 링크라서 열지 않았어요. 모아 코드를 읽어 주세요.",
            "This link leads elsewhere, so it was not opened. Scan a Moa code.",
        ),
        NotOurs::Mistyped => text!(
            lang,
            "번호 열두 자리 중에 틀린 숫자가 있어요. 손님의 화면을 보고 다시 적어 주세요.",
            "One of the twelve digits is wrong. Compare them with the customer's screen and type again.",
        ),
        NotOurs::InvitationMistyped => text!(
            lang,
            "초대 코드 여덟 자리라면 틀린 글자가 있어요. 받은 코드와 견주어 보고 다시 적어 주세요.",
            "If this is an invitation code, one of its eight characters is wrong. Compare and type again.",
        ),
        NotOurs::BrokenLink => text!(
            lang,
            "모아 링크인데 중간에 잘렸거나 이 앱이 아직 모르는 링크예요. 링크를 다시 받거나 앱을 업데이트해 주세요.",
            "This Moa link is cut off or newer than this app. Ask for it again, or update the app.",
        ),
        NotOurs::Unknown => text!(
            lang,
            "모아 코드가 아니에요. 상대방이 보여 주는 모아 코드를 읽어 주세요.",
            "This is not a Moa code. Scan the code that the other phone shows.",
        ),
    }
}

/// Why nobody can be invited by what was typed, and what to do.
pub fn not_a_contact(lang: Lang, what: NotAContact) -> String {
    match what {
        NotAContact::Empty => text!(
            lang,
            "초대할 사람의 전화번호나 이메일 주소를 적어 주세요.",
            "Enter the phone number or the e-mail address of whom you invite.",
        ),
        NotAContact::Number => text!(
            lang,
            "이 번호로는 초대를 보낼 수 없어요. 번호를 확인하고, 다른 나라 번호라면 국가 번호부터 적어 주세요.",
            "No invitation can go to this number. Check it; if it is from abroad, begin with the country code.",
        ),
        NotAContact::Email => text!(
            lang,
            "이 이메일 주소로는 보낼 수 없어요. 골뱅이표 앞뒤를 확인하고 다시 적어 주세요.",
            "No mail can go to this address. Check what stands before and after the @ sign and type again.",
        ),
    }
}
