//! Trades: their names, and the words that people search for them by.

use moa_rules::merchant::Industry;

use crate::Lang;

/// A trade's name in both languages, and further words for it.
fn words(industry: Industry) -> ([&'static str; 2], &'static [&'static str]) {
    match industry {
        Industry::Cafe => (["카페", "Cafe"], &["커피", "찻집", "디저트", "coffee", "tea", "dessert"]),
        Industry::Restaurant => {
            (["음식점", "Restaurant"], &["식당", "밥집", "분식", "치킨", "고깃집", "food"])
        }
        Industry::Bakery => (["빵집", "Bakery"], &["베이커리", "제과점", "케이크", "bread", "cake"]),
        Industry::Bar => (["술집", "Bar"], &["주점", "호프", "포차", "와인바", "pub", "beer", "wine"]),
        Industry::Convenience => (["편의점", "Convenience store"], &["슈퍼", "마트", "mart"]),
        Industry::Grocery => {
            (["식료품점", "Grocery"], &["과일", "채소", "정육점", "반찬", "떡집", "fruit", "butcher"])
        }
        Industry::Fashion => (["옷가게", "Clothing"], &["의류", "신발", "액세서리", "fashion", "shoes"]),
        Industry::Beauty => (["뷰티", "Beauty"], &["피부", "네일", "화장품", "nails", "cosmetics", "skin"]),
        Industry::Hair => (["미용실", "Hairdresser"], &["헤어", "이발소", "hair", "barber"]),
        Industry::Health => {
            (["병원·약국", "Health"], &["의원", "치과", "한의원", "안경", "clinic", "pharmacy", "optician"])
        }
        Industry::Fitness => (["운동", "Fitness"], &["헬스", "요가", "필라테스", "수영", "gym", "yoga"]),
        Industry::Books => (["책방·문구점", "Books"], &["서점", "문방구", "bookshop", "stationery"]),
        Industry::Flowers => (["꽃집", "Flowers"], &["화원", "식물", "florist", "plants"]),
        Industry::Electronics => (
            ["전자제품", "Electronics"],
            &["휴대폰", "컴퓨터", "가전", "수리", "phone", "computer", "repair"],
        ),
        Industry::Laundry => (["세탁소", "Laundry"], &["빨래방", "수선", "cleaners", "tailor"]),
        Industry::Pets => (["반려동물", "Pets"], &["동물병원", "애견", "애완", "vet"]),
        Industry::Education => {
            (["학원", "Education"], &["교습소", "공방", "교실", "school", "lessons", "class"])
        }
        Industry::Lodging => {
            (["숙소", "Lodging"], &["호텔", "모텔", "민박", "게스트하우스", "hotel", "guesthouse"])
        }
        Industry::Leisure => {
            (["놀거리", "Leisure"], &["노래방", "게임방", "영화관", "karaoke", "cinema", "games"])
        }
        Industry::Home => {
            (["집·생활", "Home"], &["가구", "인테리어", "생활용품", "철물점", "furniture", "hardware"])
        }
        Industry::Other => (["그 밖의 가게", "Other"], &[]),
    }
}

/// A trade's name.
pub fn industry(lang: Lang, industry: Industry) -> &'static str {
    let ([ko, en], _) = words(industry);
    match lang {
        Lang::Ko => ko,
        Lang::En => en,
    }
}

/// What people type who look for a trade, in either language. Nobody looks for the rest.
pub fn industry_words(industry: Industry) -> impl Iterator<Item = &'static str> {
    let (names, further) = words(industry);
    let names = if industry == Industry::Other { Vec::new() } else { names.to_vec() };
    // Two in one name are two words.
    names.into_iter().flat_map(|name| name.split('·')).chain(further.iter().copied())
}
