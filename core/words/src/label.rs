//! Labels: over figures, on buttons, as titles. Fragments, not sentences: no full stop.

use crate::Lang;

/// One row a label: what it is for, its name, the Korean and the English.
macro_rules! labels {
    ($($(#[$doc:meta])* $label:ident: $ko:literal, $en:literal;)*) => {
        /// A word or a few, over a figure, on a button, or as a title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Label {
            $($(#[$doc])* $label,)*
        }

        impl Label {
            /// Every label.
            pub const ALL: &[Self] = &[$(Self::$label,)*];
        }

        /// A label's words.
        pub fn label(lang: Lang, label: Label) -> &'static str {
            match (label, lang) {
                $((Label::$label, Lang::Ko) => $ko, (Label::$label, Lang::En) => $en,)*
            }
        }
    };
}

labels! {
    // Over figures.

    /// The server has decided it.
    Confirmed: "확정", "Confirmed";
    /// Only this phone knows it so far.
    Pending: "확인 중", "Pending";
    /// What can be used now.
    Available: "쓸 수 있는 점수", "Available";
    /// What ends within thirty days.
    ExpiringSoon: "곧 소멸", "Expiring soon";
    /// The balance from which mileage can be used.
    Minimum: "최소 사용 점수", "Minimum";
    /// The share of the amount that is earned.
    Rate: "적립률", "Rate";
    /// How long mileage can be used.
    Validity: "유효기간", "Validity";
    /// The shops of a group.
    Shops: "쓸 수 있는 가게", "Shops";
    /// What this purchase would earn.
    Earns: "적립 예정", "Earns";
    /// A shop that this phone has never met: its key is not in the directory cached.
    Unverified: "아직 확인되지 않은 가게", "Shop not verified yet";
    /// Headline of a redemption that stands.
    Approved: "승인", "Approved";
    /// Headline of an op that was refused.
    Refused: "거절", "Refused";

    // Of the whole app.

    /// The product's name.
    AppName: "모아", "Moa";
    /// Leaves a message that was read.
    Ok: "확인", "OK";
    /// Leaves a screen for the one before it.
    Back: "뒤로", "Back";
    /// Goes on to the next step.
    Next: "다음", "Next";
    /// Headline of something that could not be done.
    NotDone: "처리하지 못했어요", "That did not work";
    /// Under it, for a code or a link that this app does not use yet.
    NotUsedYet: "이 코드는 아직 이 앱에서 쓸 수 없어요", "This app cannot use that code yet";
    /// Headline where what came from the server does not match what it signed.
    Mismatch: "내역이 맞지 않아요", "The records do not match";
    /// Button under it.
    StartOver: "처음부터 다시 받기", "Fetch everything anew";
    /// Leads past it for now.
    Later: "나중에", "Later";

    // Signing in and the role.

    /// Title.
    SignInTitle: "전화번호로 시작하기", "Start with your phone number";
    /// Field.
    PhoneNumber: "전화번호", "Phone number";
    /// Button that has the code sent.
    SendCode: "인증번호 받기", "Send me a code";
    /// Field for the code that came.
    SixDigits: "인증번호 여섯 자리", "Six-digit code";
    /// Button that sends the code back.
    SignIn: "로그인", "Sign in";
    /// Leads back to the number.
    OtherNumber: "다른 번호로 하기", "Use another number";
    /// Title.
    RoleTitle: "모아를 어떻게 쓰세요?", "How do you use Moa?";
    /// Button: this phone is a shop's.
    RoleShop: "가게로", "As a shop";
    /// What a shop does.
    RoleShopHint: "판매하고 점수를 주고받기", "Sell, give and take points";
    /// Button: this phone is a buyer's.
    RoleBuyer: "손님으로", "As a customer";
    /// What a buyer does.
    RoleBuyerHint: "점수를 모으고 쓰기", "Collect and spend points";
    /// Leads back to the choice of a role.
    OtherRole: "역할 바꾸기", "Change role";
    /// Title and field.
    ShopName: "가게 이름", "Name of your shop";
    /// Button that registers the shop.
    OpenShop: "가게 열기", "Open the shop";

    // The shop's.

    /// Over the amount on the keypad.
    Amount: "판매 금액", "Amount of the sale";
    /// Button that records the sale.
    ShowCode: "적립 코드 보이기", "Show the code";
    /// The key that takes the last digit away.
    Erase: "지우기", "Erase";
    /// Over the voucher.
    ForCustomer: "손님이 이 코드를 찍어요", "For the customer to scan";
    /// The picture of a code, for who cannot see it.
    CodePicture: "코드 그림", "Picture of the code";
    /// Over what a customer collected with a voucher.
    Collected: "적립 완료", "Collected";
    /// Title over the sales of the day, and the way there.
    SalesToday: "오늘 판매", "Sales today";
    /// Where there is none yet.
    NoSales: "오늘은 아직 판매가 없어요", "No sales yet today";
    /// Button after a voucher.
    NextSale: "다음 판매", "Next sale";
    /// Button and title: a customer pays with points.
    TakePoints: "점수로 받기", "Take points";
    /// Button and title: what the customer shows or reads out.
    ReadCustomer: "손님 코드 읽기", "Read the customer's code";
    /// Button and title: a sale to the customer whose code was read.
    SellTo: "이 손님에게 적립", "Collect for this customer";
    /// Headline of a sale to a customer, once recorded.
    Sold: "판매를 기록했어요", "Sale recorded";
    /// Title over what digits can be for.
    ForWhat: "이 번호로 무엇을 할까요?", "What is this number for?";
    /// Over the points on the keypad.
    PointsToTake: "받을 점수", "Points to take";
    /// Headline of a redemption without an answer yet.
    BeingChecked: "서버에서 확인 중", "Being checked";

    // Devices.

    /// A key in a phone.
    OfPhone: "휴대폰", "Phone";
    /// A key in a browser.
    OfBrowser: "브라우저", "Browser";
    /// A key of a shop's own computer.
    OfComputer: "가게 컴퓨터", "Shop's computer";
    /// A key that acts for a shop's owner.
    OfOwner: "사장님", "Owner";
    /// A key that sells for one of the staff.
    OfStaff: "직원", "Staff";
    /// A key of someone who was of the staff.
    OfFormerStaff: "그만둔 직원", "Former staff";
    /// A key that was ended.
    Ended: "해지됨", "Removed";

    // The buyer's.

    /// Title.
    MyPoints: "내 점수", "My points";
    /// Where no group has points yet.
    NoPoints: "아직 모은 점수가 없어요", "No points yet";
    /// How to come to some.
    NoPointsHint: "가게에서 받은 코드를 붙여넣어 보세요", "Paste the code that a shop gave you";
    /// Button that reads the clipboard.
    PasteCode: "코드 붙여넣기", "Paste a code";
    /// Where a code can be typed or dropped.
    Code: "코드", "Code";
    /// Title over a shop's groups.
    ChooseGroup: "어디에 적립할까요?", "Where to collect?";
    /// Over the first of them.
    Suggested: "추천", "Suggested";
    /// Button where the shop's groups are not known.
    CollectInBest: "가장 좋은 곳에 적립하기", "Collect where it is best";
    /// Button under a balance.
    Spend: "점수 쓰기", "Spend points";
    /// Over a redemption code.
    ForShop: "가게에 보여 주세요", "Show this to the shop";
    /// Under what could not be done: a code that only a shop reads.
    ShopsRead: "가게에서 읽는 코드예요", "A shop reads that code";
    /// Button: the code that names this buyer.
    MyCode: "내 코드 보이기", "Show my code";
    /// Button: the same as digits, to be read aloud.
    AsDigits: "숫자로 보이기", "Show as digits";
    /// Title and button: what is collected without a question.
    WithoutAsking: "묻지 않고 적립", "Collect without asking";
    /// Switch: this phone takes the best.
    AlwaysBest: "이 휴대폰은 늘 가장 좋은 곳에", "Always where it is best, on this phone";
    /// Switch: the server takes the best of what has waited.
    BestAfterADay: "하루 동안 고르지 않으면 가장 좋은 곳에", "Where it is best, after a day without a choice";
    /// Over the groups that are taken first.
    AlwaysHere: "고르지 않고 늘 여기에", "Always here, without a choice";
    /// Over a sale that waits for a choice.
    ToChoose: "적립할 곳을 골라 주세요", "Choose where to collect";

    // What is collected at one shop, and what is planned.

    /// Over where purchases at one shop are collected.
    AtThisShop: "이 가게에서 적립할 곳", "Where to collect at this shop";
    /// Under it: as what holds for every shop says.
    AsElsewhere: "다른 가게처럼", "As elsewhere";
    /// Under it: the person chooses each time.
    AskEachTime: "그때마다 묻기", "Ask each time";
    /// Over the shops for which that was said.
    AtSingleShops: "따로 정한 가게", "Set for single shops";
    /// Title and button: what the person means to buy.
    Plans: "살 계획", "Planned purchases";
    /// Where there is none yet.
    NoPlans: "아직 적은 계획이 없어요", "Nothing is planned yet";
    /// Button on a shop's page.
    PlanHere: "여기서 살 계획 적기", "Plan a purchase here";
    /// Field: a shop, to plan a purchase at.
    WhereToBuy: "어느 가게에서 살까요?", "At which shop?";
    /// Field: what the purchase is to come to.
    PlannedAmount: "살 금액 (원)", "Amount in won";
    /// Over the day of the purchase.
    PlannedDay: "살 날", "Day";
    /// Button: the day, later.
    WeekLater: "일주일 뒤로", "A week later";
    /// Button: the day, later: thirty days.
    MonthLater: "한 달 뒤로", "A month later";
    /// Button that keeps the plan.
    NotePlan: "적어 두기", "Note it";
    /// Button that drops it.
    ForgetPlan: "지우기", "Forget";
    /// Beside a plan whose day is over.
    Overdue: "날이 지남", "Overdue";

    // Groups: founding, inviting, finding, joining.

    /// Title and button: the groups of the own shop.
    Groups: "그룹", "Groups";
    /// Where there is none yet.
    NoGroups: "아직 그룹이 없어요", "No groups yet";
    /// What to do about it.
    NoGroupsHint: "이웃 가게와 함께 만들거나, 있는 그룹을 찾아보세요", "Found one with your neighbours, or find one to join";
    /// Title and button.
    FoundGroup: "그룹 만들기", "Found a group";
    /// Title and button.
    FindGroups: "그룹 찾기", "Find groups";
    /// Field.
    GroupName: "그룹 이름", "Name of the group";
    /// Field that may stay empty.
    GroupNickname: "짧은 이름 (없어도 돼요)", "Short name (optional)";
    /// Over how wide a group is meant to reach.
    Reach: "함께할 범위", "Reach";
    /// The shops of one building.
    OneBuilding: "한 건물", "One building";
    /// The shops of one street or district.
    OneArea: "한 동네", "One neighbourhood";
    /// The shops of one trade.
    OneTrade: "같은 업종", "One trade";
    /// Anyone in the country.
    Nationwide: "전국", "The country";
    /// Over what a group gives.
    Kind: "주는 것", "What it gives";
    /// Points.
    Points: "포인트", "Points";
    /// Stamps on a card.
    Stamps: "스탬프", "Stamps";
    /// Coupons.
    Coupons: "쿠폰", "Coupons";
    /// Money put by.
    Reserve: "적립금", "Reserve";
    /// Over the stamps that fill a card.
    StampsOnACard: "한 판의 스탬프", "Stamps on a card";
    /// Over what a full card is good for.
    Reward: "한 판의 보상", "Reward for a card";
    /// Over what a coupon is good for.
    CouponFace: "쿠폰 한 장", "A coupon";
    /// Over the balance from which mileage can be used.
    UsableFrom: "사용", "Usable";
    /// Button beside a figure, read aloud.
    More: "늘리기", "More";
    /// Button beside a figure, read aloud.
    Less: "줄이기", "Less";
    /// Over who lets shops in.
    Admission: "가입 방법", "How shops join";
    /// Any shop joins at once.
    Anyone: "누구나 바로", "Any shop";
    /// The shop that runs the group lets others in.
    AdminAdmits: "우리 가게가 승인", "We let them in";
    /// More than half of the members let others in.
    MembersVote: "회원 투표", "Members vote";
    /// Over what a founder's terms cost.
    Cost: "드는 비용", "What it costs";
    /// Before who has to agree to other terms.
    OtherTerms: "조건 변경", "Other terms";
    /// Before when members settle.
    Settlement: "정산", "Settlement";
    /// Before the instant at which something ends.
    Until: "기한", "Until";
    /// Over what a founder is about to promise.
    Preview: "손님에게 이렇게 보여요", "What a customer will see";
    /// Button: the group's cover.
    AddPicture: "사진 넣기", "Add a picture";
    /// Button: another in its place.
    OtherPicture: "다른 사진 넣기", "Another picture";
    /// The group's cover, for who cannot see it.
    GroupPicture: "그룹 사진", "Picture of the group";
    /// Over a group's members.
    Members: "함께하는 가게", "Member shops";
    /// Button: to a group of the own shop.
    InviteShops: "가게 초대하기", "Invite shops";
    /// Title over the list of whom to invite.
    WhomToInvite: "누구를 초대할까요?", "Whom to invite?";
    /// Field: any of the three.
    NumberMailOrName: "전화번호, 이메일, 가게 이름", "Number, e-mail or a shop's name";
    /// Button that puts what was typed on the list.
    PutOnList: "목록에 넣기", "Put on the list";
    /// Button that opens the system's picker of one contact.
    PickContact: "연락처에서 고르기", "Pick a contact";
    /// Button and title: what the directory suggests.
    SuggestedShops: "추천 가게", "Suggested shops";
    /// Over the messengers: whom to send it is picked there.
    InMessenger: "메신저에서 고르기", "Pick in a messenger";
    /// Button that takes someone off the list.
    TakeOff: "빼기", "Take off";
    /// Button: an invitation for each on the list.
    MakeInvitations: "초대장 만들기", "Make the invitations";
    /// Title and button: invitations of the own shop, and how each stands.
    Invitations: "보낸 초대", "Invitations";
    /// Where there is none yet.
    NoInvitations: "아직 초대하지 않았어요", "Nobody is invited yet";
    /// Button that opens the other app with an invitation.
    SendIt: "보내기", "Send";
    /// Button: the server sends to numbers and addresses.
    MoaSends: "모아가 문자와 메일로 보내기", "Have Moa send texts and mails";
    /// Button that takes an invitation back.
    TakeBack: "초대 취소", "Take it back";
    /// Button: one invitation that any may answer who is given it.
    LinkForMany: "여럿에게 줄 링크 만들기", "Make a link for many";
    /// Whom such a one is for.
    AnyoneWithLink: "링크를 받은 누구나", "Anyone with the link";
    /// Over the code of an invitation.
    ScanToJoin: "옆에서 찍으면 초대가 열려요", "Scanned, it opens the invitation";
    /// Over the apps by which an invitation leaves.
    SendBy: "어떻게 보낼까요?", "How to send it?";
    /// A channel.
    BySms: "문자", "Text message";
    /// A channel.
    ByKakaoTalk: "카카오톡", "KakaoTalk";
    /// A channel.
    ByLine: "라인", "LINE";
    /// A channel.
    ByTelegram: "텔레그램", "Telegram";
    /// A channel.
    ByWhatsApp: "왓츠앱", "WhatsApp";
    /// A channel.
    ByMessenger: "메신저", "Messenger";
    /// A channel.
    ByEmail: "이메일", "E-mail";
    /// A channel: the other shop's app.
    InApp: "모아 앱", "In Moa";
    /// A channel: whatever the system offers.
    BySheet: "다른 앱", "Another app";
    /// A channel: the clipboard.
    ByCopy: "복사", "Copy";
    /// Headline where no app opened.
    NoAppOpened: "열 수 있는 앱이 없어요", "No app opened";
    /// What to do about it.
    NoAppOpenedHint: "복사해서 보내 주세요", "Copy it and send it yourself";
    /// Title over an invitation to this phone's shop.
    InvitedTo: "초대를 받았어요", "You are invited";
    /// Before the name of the shop that invites.
    InvitedBy: "초대한 가게", "Invited by";
    /// Button: follows an invitation.
    Accept: "함께하기", "Accept";
    /// Button: does not.
    Decline: "거절하기", "Decline";
    /// Button, for who has no shop here yet.
    OpenShopFirst: "먼저 가게 열기", "Open a shop first";
    /// Button: joins a group that takes any shop.
    Join: "가입하기", "Join";
    /// Button: asks a group that lets shops in.
    AskToJoin: "가입 신청하기", "Ask to join";
    /// Button: asks no more.
    WithdrawRequest: "신청 취소", "Ask no more";
    /// Title and button: shops that ask to join.
    JoinRequests: "가입 신청", "Requests to join";
    /// Where none waits.
    NoJoinRequests: "기다리는 신청이 없어요", "No request waits";
    /// Button: for a shop that asks to join.
    LetIn: "찬성", "Let in";
    /// Button: against it.
    KeepOut: "반대", "Keep out";
    /// Field of a search.
    NameOrTrade: "이름이나 초성, 업종", "Name or trade";
    /// Button that searches.
    Search: "찾기", "Search";
    /// Switch: from where the own shop is.
    NearMyShop: "우리 가게 근처에서", "Near my shop";
    /// Over the trades.
    Trade: "업종", "Trade";
    /// No trade in particular.
    AnyTrade: "모든 업종", "Any trade";
    /// Over what comes first.
    SortBy: "먼저 보기", "First";
    /// What is nearest.
    Nearest: "가까운 곳", "Nearest";
    /// Groups with most members.
    MostMembers: "가게가 많은 곳", "Most shops";
    /// Groups that give most.
    HighestRate: "많이 주는 곳", "Gives most";
    /// Where nothing was found.
    NothingFound: "찾지 못했어요", "Nothing found";
    /// Button: the next page.
    MoreResults: "더 보기", "Show more";
    /// Title and button: how the own shop presents itself.
    OurShop: "우리 가게 소개", "Our shop";
    /// Field: the district.
    Area: "동네 (서울 마포구 연남동)", "Neighbourhood";
    /// Field.
    Building: "건물 이름", "Building";
    /// Why to say it.
    OurShopHint: "적어 두면 이웃 가게가 찾고, 추천 가게가 보여요", "Neighbours find you by it, and suggestions come from it";
    /// Button.
    Save: "저장", "Save";
    /// Title and button: an invitation that is typed or pasted.
    EnterInvitation: "초대 코드 넣기", "Enter an invitation";
    /// Under an invitation that is to no group.
    CollectThere: "이 가게에서 점수를 모을 수 있어요", "Collect points at this shop";
    /// Button: from such an invitation to the shop.
    SeeShop: "가게 보기", "See the shop";
    /// Button: from what was collected in a group to the group.
    SeeGroup: "그룹 보기", "See the group";
    /// Over what happened in a group.
    History: "적립과 사용", "Collected and spent";
}
