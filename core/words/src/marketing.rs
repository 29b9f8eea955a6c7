//! What a person agrees to who wants to be sent advertising. A text that was published is never worded anew under its version: the
//! books know it by its hash. (docs/rules.md S25)

use moa_rules::marketing::{AgreedText, TextLanguage};
use moa_wire::keys::sha256;

use crate::Lang;

/// The version that is asked for now.
pub const VERSION: u32 = 1;

/// The text of [`VERSION`].
pub fn text(lang: Lang) -> &'static str {
    match lang {
        Lang::Ko => {
            "(선택) 모아와 내가 이용하는 그룹의 혜택·행사 소식을 문자 메시지, 이메일, 앱 알림으로 받는 데 동의해요. \
             밤 9시부터 아침 8시까지는 보내지 않아요. 동의하지 않아도 모든 기능을 쓸 수 있고, 언제든지 이 화면에서 철회할 수 있어요."
        }
        Lang::En => {
            "(Optional) I agree to be sent news of offers and events of Moa and of the groups that I use, by text message, \
             e-mail and notification. None is sent between 9 p.m. and 8 a.m. Everything works without this consent, and I \
             can withdraw it on this screen at any time."
        }
    }
}

/// The text as it is agreed to.
pub fn agreed(lang: Lang) -> AgreedText {
    let language = match lang {
        Lang::Ko => TextLanguage::Korean,
        Lang::En => TextLanguage::English,
    };
    AgreedText { version: VERSION, language, hash: sha256(&[text(lang).as_bytes()]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_agreed_to_is_not_worded_anew_under_its_version() {
        let hashes = [Lang::Ko, Lang::En].map(|lang| {
            let hash = agreed(lang).hash;
            hash[..4].iter().fold(String::new(), |all, byte| format!("{all}{byte:02x}"))
        });
        assert_eq!((VERSION, hashes), (1, ["4d003b91".to_owned(), "0c3ed653".to_owned()]));
    }
}
