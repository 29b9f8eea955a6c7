//! The texts of the story, in Korean and English. What phones show, what the rules say, figures and dates come from
//! `moa-words`.

use std::time::Duration;

use moa_phone::GroupChoice;
use moa_rules::quantity::{Currency, Money, Units};
use moa_rules::terms::Terms;
use moa_words::particle::{Particle, with};
use moa_words::{Label, Lang, label, number, when};

use super::folder::FolderError;

/// The text in the language told: Korean first, then English, each a format string.
macro_rules! text {
    ($words:expr, $ko:literal, $en:literal $(,)?) => {
        match $words.0 {
            Lang::Ko => format!($ko),
            Lang::En => format!($en),
        }
    };
}

/// Who appears in the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The server.
    Server,
    /// The shop that founds the groups.
    Cafe,
    /// The shop that joins both.
    Bookshop,
    /// The shop that joins the alley's.
    Bakery,
    /// The buyer who comes every day.
    Regular,
    /// The buyer who is here for the first time.
    Visitor,
}

/// The story's texts in one language.
#[derive(Debug, Clone, Copy)]
pub struct Words(pub Lang);

impl Words {
    fn points(self, units: Units) -> String {
        number::units(self.0, units)
    }

    fn won(self, money: Money) -> String {
        number::money(self.0, money, Currency::KRW)
    }

    /// Someone's name.
    pub fn name(self, who: Who) -> &'static str {
        let (ko, en) = match who {
            Who::Server => ("서버", "the server"),
            Who::Cafe => ("새벽 카페", "Dawn Café"),
            Who::Bookshop => ("책갈피 서점", "Page Bookshop"),
            Who::Bakery => ("노릇 빵집", "Golden Bakery"),
            Who::Regular => ("단골손님", "the regular"),
            Who::Visitor => ("처음 온 손님", "the visitor"),
        };
        match self.0 {
            Lang::Ko => ko,
            Lang::En => en,
        }
    }

    /// The group of the alley, and the wider one.
    pub fn groups(self) -> [&'static str; 2] {
        match self.0 {
            Lang::Ko => ["감나무 골목", "강변 동네"],
            Lang::En => ["Persimmon Alley", "Riverside"],
        }
    }

    /// The headline.
    pub fn title(self) -> String {
        text!(self, "모아 · 어느 골목 이야기", "Moa · the story of an alley")
    }

    // Three shops.

    /// Chapter one.
    pub fn shops(self) -> String {
        text!(self, "1. 가게 셋이 모여요", "1. Three shops sign up")
    }

    /// The server listens.
    pub fn server_is_up(self, url: &str, data: &str) -> String {
        text!(
            self,
            "{url}에서 켜졌어요. 자료는 {data}에 둬요.",
            "is up at {url}; it keeps its data in {data}"
        )
    }

    /// A shop asks for a code.
    pub fn asks_for_a_code(self) -> String {
        text!(self, "전화번호를 적으니 문자가 와요.", "types in its phone number, and gets a text message")
    }

    /// A shop opens.
    pub fn opens(self) -> String {
        text!(self, "인증번호를 적고 가게를 열어요.", "types in the code and opens its shop")
    }

    /// Another shop does the same.
    pub fn opens_too(self) -> String {
        text!(self, "같은 방법으로 가게를 열어요.", "does the same")
    }

    // Groups.

    /// Chapter two.
    pub fn group(self) -> String {
        text!(self, "2. 함께 쓸 그룹을 만들어요", "2. They run one programme together")
    }

    /// The café founds two groups.
    pub fn founds(self) -> String {
        text!(
            self,
            "골목 그룹을 만들고, 동네를 아우르는 더 넓은 그룹도 만들어요.",
            "founds a group for the alley, and a wider one for the district",
        )
    }

    /// A group's terms.
    pub fn terms(self, group: &str, terms: &Terms) -> String {
        let (rate, validity) = (number::rate(terms.rate), when::validity(self.0, terms.validity));
        let minimum = self.points(terms.minimum);
        text!(
            self,
            "{group}: 적립률 {rate}, 유효기간 {validity}, {minimum}부터 사용",
            "{group}: {rate} back, usable for {validity}, from {minimum}",
        )
    }

    /// The café invites its neighbours.
    pub fn invites(self) -> String {
        text!(self, "링크 하나로 이웃 가게 둘을 초대해요.", "invites its two neighbours by one link")
    }

    /// A shop follows the invitation, and joins the wider group too.
    pub fn joins_both(self) -> String {
        let [alley, wider] = self.groups();
        text!(
            self,
            "링크를 열어 조건을 읽고 {alley}에 들어가요. {wider}에도 들어가요.",
            "opens it, reads the terms and joins {alley}; joins {wider} as well",
        )
    }

    /// A shop follows the invitation.
    pub fn joins_one(self) -> String {
        let [alley, _] = self.groups();
        text!(self, "같은 링크로 {alley}에 들어가요.", "joins {alley} by the same link")
    }

    /// How many followed the invitation, and who is in the group.
    pub fn members(self, followed: usize, names: &[String]) -> String {
        let (count, names) = (names.len(), names.join(", "));
        text!(
            self,
            "초대한 {followed}곳이 모두 들어와 회원은 {count}곳: {names}",
            "{followed} of 2 have joined, {count} members: {names}",
        )
    }

    /// Two buyers sign up.
    pub fn buyers_sign_up(self) -> String {
        let visitor = with(self.name(Who::Visitor), Particle::Subject);
        text!(
            self,
            "전화번호로 가입해요. 곧이어 {visitor} 가입해요.",
            "signs up with a phone number; so does the visitor",
        )
    }

    // Without a signal.

    /// Chapter three.
    pub fn offline(self) -> String {
        text!(self, "3. 인터넷이 끊겨도 적립해요", "3. The signal goes, sales go on")
    }

    /// No phone reaches the server.
    pub fn signal_gone(self) -> String {
        text!(
            self,
            "골목의 인터넷이 끊겼어요. 이제 어느 휴대폰도 서버에 연결되지 않아요.",
            "No phone in the alley reaches the server any more.",
        )
    }

    /// A shop records a sale.
    pub fn sells(self, amount: Money) -> String {
        let amount = self.won(amount);
        text!(
            self,
            "{amount}어치를 팔고 QR 코드를 보여 줘요.",
            "sells for {amount} and shows the sale as a QR code"
        )
    }

    /// Where a picture is.
    pub fn picture(self, path: &str) -> String {
        text!(self, "그림: {path}", "picture: {path}")
    }

    /// A buyer scans a voucher.
    pub fn scans(self) -> String {
        text!(
            self,
            "코드를 읽어요. 인터넷은 필요 없어요. 코드에 가게가 서명한 판매가 그대로 들어 있고, 휴대폰은 \
             미리 받아 둔 가게의 열쇠로 진짜인지 확인해요.",
            "scans it. No network is needed: the code holds the sale itself, signed by the shop, and the phone \
             keeps the shop's key to tell that it is genuine.",
        )
    }

    /// The shops of a group.
    pub fn shops_of(self, choice: &GroupChoice) -> String {
        let names: Vec<&str> = choice.members.iter().filter_map(|shop| shop.name.as_deref()).collect();
        format!("  {}: {}", label(self.0, Label::Shops), names.join(", "))
    }

    /// Why a group is put first.
    pub fn suggested(self, reason: &str) -> String {
        text!(self, "  추천: {reason}", "  suggested: {reason}")
    }

    /// What else speaks for a group.
    pub fn instead(self, reason: &str) -> String {
        text!(self, "  대신 {reason}", "  instead: {reason}")
    }

    /// A buyer takes the group suggested.
    pub fn takes_the_first(self) -> String {
        text!(self, "추천을 골라요. 한 번 누르면 끝이에요.", "takes the suggestion with one tap")
    }

    /// The visitor buys elsewhere.
    pub fn buys_too(self, shop: &str, amount: Money) -> String {
        let amount = self.won(amount);
        text!(
            self,
            "{shop}에서 {amount}어치를 사고 똑같이 적립해요.",
            "buys for {amount} at {shop} and does the same",
        )
    }

    /// The visitor claims what is not theirs.
    pub fn claims_a_photo(self) -> String {
        let cafe = self.name(Who::Cafe);
        text!(
            self,
            "{cafe}의 코드를 찍은 사진으로도 적립해 봐요. 아직은 아무도 몰라요.",
            "also tries a photo of the café's code: without a network nobody can tell yet",
        )
    }

    // Back online.

    /// Chapter four.
    pub fn back(self) -> String {
        text!(self, "4. 인터넷이 다시 연결됐어요", "4. The signal returns")
    }

    /// The buyer's phone sends what it holds.
    pub fn sends_the_claim(self) -> String {
        let cafe = with(self.name(Who::Cafe), Particle::Subject);
        text!(
            self,
            "휴대폰이 적립을 보내요. {cafe} 아직 보내지 않은 판매도 함께 가요.",
            "is back first: the phone sends the claim, and the café's sale inside it",
        )
    }

    /// The shop's phone sends its sale after that.
    pub fn sends_the_sale(self) -> String {
        text!(
            self,
            "이제 판매를 보내요. 서버가 이미 아는 판매라서 두 번 세지 않아요.",
            "sends the same sale later: it is known already, and counts once",
        )
    }

    /// A shop's day.
    pub fn day(self, sales: usize, amount: Money, claimed: usize) -> String {
        let amount = self.won(amount);
        let plural = if sales == 1 { "sale" } else { "sales" };
        text!(
            self,
            "오늘 판매 {sales}건 {amount}, 그중 적립 {claimed}건",
            "today: {sales} {plural} of {amount}, {claimed} turned into points",
        )
    }

    /// The visitor's phone sends both claims.
    pub fn sends_both(self) -> String {
        text!(
            self,
            "두 건을 보내요. 내 구매는 적립되고, 사진으로 한 것은 거절돼요.",
            "sends both claims: the purchase counts, the photo does not",
        )
    }

    // Spending.

    /// Chapter five.
    pub fn spending(self) -> String {
        text!(self, "5. 옆 가게에서 써요", "5. Spent next door")
    }

    /// A buyer shows a redemption code without a signal.
    pub fn shows_code(self, units: Units, seconds: u64) -> String {
        let (units, time) = (self.points(units), when::duration(self.0, seconds));
        text!(
            self,
            "빵집에서 {units}까지 쓰는 코드를 보여 줘요. {time} 동안, 한 번만 쓸 수 있어요. 손님은 인터넷이 없어도 돼요.",
            "shows a code for up to {units}, good once and for {time}; the buyer needs no signal for that",
        )
    }

    /// A shop asks the server for mileage.
    pub fn takes(self, units: Units) -> String {
        let units = self.points(units);
        text!(
            self,
            "코드를 읽고 {units}을 써도 되는지 서버에 물어봐요.",
            "scans it and asks the server for {units}"
        )
    }

    /// The buyer's phone learns of a redemption that it was offline for.
    pub fn sees_it_later(self) -> String {
        text!(self, "인터넷이 연결되자 휴대폰에도 보여요.", "sees it once there is a signal again")
    }

    /// The buyer's phone learns of a redemption while online.
    pub fn sees_it(self) -> String {
        text!(self, "휴대폰에서 바로 보여요.", "sees it at once")
    }

    /// A shop takes mileage in the same way.
    pub fn takes_too(self, units: Units) -> String {
        let units = self.points(units);
        text!(self, "새 코드로 {units}을 받아요.", "takes {units} on another code")
    }

    /// A shop asks for mileage that the buyer cannot use.
    pub fn asks_for(self, units: Units) -> String {
        let units = self.points(units);
        text!(self, "세 번째 코드로 {units}을 써도 되는지 물어봐요.", "asks for {units} on a third code")
    }

    /// The shop's phone shows that the redemption stands.
    pub fn approved(self, group: &str, units: Units) -> String {
        let (word, units) = (label(self.0, Label::Approved), self.points(units));
        text!(self, "{word}: {group} {units}", "{word}: {units} of {group}")
    }

    /// A phone shows that something was refused.
    pub fn refused(self, why: &str) -> String {
        format!("{}: {why}", label(self.0, Label::Refused))
    }

    // Books.

    /// Chapter six.
    pub fn books(self) -> String {
        text!(self, "6. 누가 누구에게 얼마를", "6. Who owes whom")
    }

    /// How the books work.
    pub fn books_rule(self) -> String {
        let [alley, _] = self.groups();
        text!(
            self,
            "{alley}의 장부: 점수를 준 가게는 내고, 받아 준 가게는 돌려받아요. 1점은 1원이에요.",
            "The books of {alley}: who gave points pays, who took them is paid. A point is worth ₩1.",
        )
    }

    /// The heads of the table.
    pub fn columns(self) -> [&'static str; 2] {
        match self.0 {
            Lang::Ko => ["준 점수", "받은 점수"],
            Lang::En => ["gave", "took"],
        }
    }

    /// What follows for a shop.
    pub fn position(self, position: Money) -> String {
        let amount = self.won(Money(position.0.abs()));
        match position.0 {
            0 => text!(self, "주고받을 것이 없어요", "is even"),
            1.. => text!(self, "{amount} 받을 것", "is owed {amount}"),
            _ => text!(self, "{amount} 낼 것", "owes {amount}"),
        }
    }

    /// The group itself, as a row of the table.
    pub fn pool(self) -> &'static str {
        match self.0 {
            Lang::Ko => "그룹",
            Lang::En => "the group",
        }
    }

    /// What the group keeps.
    pub fn pool_keeps(self, pool: Money, outstanding: Units) -> String {
        let (pool, units) = (self.won(pool), self.points(outstanding));
        text!(self, "{pool} 보관: 아직 쓰지 않은 {units} 몫", "keeps {pool} for {units} not spent yet")
    }

    /// The sum of the table.
    pub fn sum(self, sum: Money) -> String {
        let sum = self.won(sum);
        text!(
            self,
            "모두 더하면 {sum}. 장부가 맞아요.",
            "All together: {sum}. Nothing is lost, nothing made up."
        )
    }

    // Proof.

    /// Chapter seven.
    pub fn proof(self) -> String {
        text!(self, "7. 장부를 다시 계산해요", "7. The proof")
    }

    /// The books were verified.
    pub fn verified(self, ops: u64, events: u64) -> String {
        text!(
            self,
            "기록 {ops}건과 결정 {events}건으로 모든 잔액을 처음부터 다시 계산해요. 모두 맞아요.",
            "computes every balance again from {ops} signed requests and {events} decisions: all agree",
        )
    }

    /// A phone computed its balance itself.
    pub fn reckons(self, here: Units, there: Units) -> String {
        let (here, there) = (self.points(here), self.points(there));
        text!(
            self,
            "휴대폰이 받은 내역을 스스로 더해 보니 {here}, 서버의 장부에도 {there}이에요.",
            "adds up what the phone received: {here}. The server's books say {there}.",
        )
    }

    /// All phones agree.
    pub fn all_agree(self, phones: usize) -> String {
        text!(
            self,
            "휴대폰 {phones}대가 스스로 계산한 것이 모두 서버와 같아요.",
            "All {phones} phones come to the same as the server, entry by entry.",
        )
    }

    /// The story in figures.
    pub fn figures(self, ops: u64, events: u64, took: Duration) -> String {
        let seconds = format!("{}.{}", took.as_secs(), took.subsec_millis() / 100);
        text!(
            self,
            "이 이야기는 {seconds}초 걸렸어요. 서명된 기록 {ops}건, 결정 {events}건이 모두 디스크에 남았어요.",
            "The story took {seconds} s: {ops} signed requests, {events} decisions, all of it on disk.",
        )
    }

    // What next.

    /// The last chapter.
    pub fn next(self) -> String {
        text!(self, "이제 해 볼 것", "What to try next")
    }

    /// Starts the server on this data.
    pub fn try_server(self) -> String {
        text!(self, "이 자료로 서버를 켜요", "start the server on this data")
    }

    /// Asks it whether it is well.
    pub fn try_health(self) -> String {
        text!(self, "켜 둔 서버가 잘 있는지 물어봐요", "while it runs, ask whether it is well")
    }

    /// Reads its API document.
    pub fn try_document(self) -> String {
        text!(self, "API 문서를 봐요", "read its API document")
    }

    /// Verifies its books.
    pub fn try_verify(self) -> String {
        text!(self, "장부를 직접 확인해요", "verify the books yourself")
    }

    /// Looks at the pictures.
    pub fn try_pictures(self) -> String {
        text!(self, "코드 그림을 봐요", "look at the codes")
    }

    /// Reads the documents.
    pub fn try_documents(self) -> String {
        text!(self, "문서를 읽어요", "read how it works")
    }

    /// Why the story can't begin.
    pub fn cannot_begin(self, error: &FolderError) -> String {
        match error {
            FolderError::NotOurs(path) => {
                let path = path.display();
                text!(
                    self,
                    "{path} 폴더는 이 데모가 만든 것이 아니라서 그대로 두었어요. --out으로 다른 폴더를 정해 주세요.",
                    "{path} was not made by this demo, so it was left alone. Name another folder with --out.",
                )
            }
            FolderError::InUse(path) => {
                let path = path.display();
                text!(
                    self,
                    "{path} 자료로 서버가 켜져 있어요. 서버를 끄거나 --out으로 다른 폴더를 정해 주세요.",
                    "A server is running on {path}. Stop it, or name another folder with --out.",
                )
            }
            FolderError::Io { path, why } => {
                let path = path.display();
                text!(self, "{path} 폴더를 쓸 수 없어요: {why}", "{path} can't be used: {why}")
            }
        }
    }
}
