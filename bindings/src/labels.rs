//! Titles and buttons, so that a shell needs no table of its own.

use moa_words::{Label, Lang, label};

/// One row a label: what it is for, the field, the name in the core's table.
macro_rules! labels {
    ($($(#[$doc:meta])* $field:ident: $label:ident,)*) => {
        /// Titles and buttons in one language.
        #[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
        pub struct Labels {
            $($(#[$doc])* pub $field: String,)*
        }

        impl Labels {
            pub(crate) fn of(lang: Lang) -> Self {
                Self { $($field: label(lang, Label::$label).to_owned(),)* }
            }
        }
    };
}

labels! {
    /// Only this phone knows it so far.
    pending: Pending,
    /// A shop that this phone has never met: its key is not in the directory cached.
    unverified: Unverified,
    /// Headline of a redemption that stands.
    approved: Approved,
    /// Headline of an op that was refused.
    refused: Refused,
    /// The product's name.
    app_name: AppName,
    /// Leaves a message that was read.
    ok: Ok,
    /// Leaves a screen for the one before it.
    back: Back,
    /// Goes on to the next step.
    next: Next,
    /// Headline of something that could not be done.
    not_done: NotDone,
    /// Under it, for a code or a link that this app does not use yet.
    not_used_yet: NotUsedYet,
    /// Headline where what came from the server does not match what it signed.
    mismatch: Mismatch,
    /// Button under it.
    start_over: StartOver,
    /// Leads past it for now.
    later: Later,
    /// Title.
    sign_in_title: SignInTitle,
    /// Field.
    phone_number: PhoneNumber,
    /// Button that has the code sent.
    send_code: SendCode,
    /// Field for the code that came.
    six_digits: SixDigits,
    /// Button that sends the code back.
    sign_in: SignIn,
    /// Leads back to the number.
    other_number: OtherNumber,
    /// Title.
    role_title: RoleTitle,
    /// Button: this phone is a shop's.
    role_shop: RoleShop,
    /// What a shop does.
    role_shop_hint: RoleShopHint,
    /// Button: this phone is a buyer's.
    role_buyer: RoleBuyer,
    /// What a buyer does.
    role_buyer_hint: RoleBuyerHint,
    /// Leads back to the choice of a role.
    other_role: OtherRole,
    /// Title and field.
    shop_name: ShopName,
    /// Button that registers the shop.
    open_shop: OpenShop,
    /// Over the amount on the keypad.
    amount: Amount,
    /// Button that records the sale.
    show_code: ShowCode,
    /// The key that takes the last digit away.
    erase: Erase,
    /// Over the voucher.
    for_customer: ForCustomer,
    /// The picture of a code, for who cannot see it.
    code_picture: CodePicture,
    /// Over what a customer collected with a voucher.
    collected: Collected,
    /// Title over the sales of the day, and the way there.
    sales_today: SalesToday,
    /// Where there is none yet.
    no_sales: NoSales,
    /// Button after a voucher.
    next_sale: NextSale,
    /// Button and title: a customer pays with points.
    take_points: TakePoints,
    /// Button and title: what the customer shows or reads out.
    read_customer: ReadCustomer,
    /// Button and title: a sale to the customer whose code was read.
    sell_to: SellTo,
    /// Headline of a sale to a customer, once recorded.
    sold: Sold,
    /// Title over what digits can be for.
    for_what: ForWhat,
    /// Over the points on the keypad.
    points_to_take: PointsToTake,
    /// Headline of a redemption without an answer yet.
    being_checked: BeingChecked,
    /// Title.
    my_points: MyPoints,
    /// Where no group has points yet.
    no_points: NoPoints,
    /// How to come to some.
    no_points_hint: NoPointsHint,
    /// Button that reads the clipboard.
    paste_code: PasteCode,
    /// Where a code can be typed or dropped.
    code: Code,
    /// Title over a shop's groups.
    choose_group: ChooseGroup,
    /// Over the first of them.
    suggested: Suggested,
    /// Button where the shop's groups are not known.
    collect_in_best: CollectInBest,
    /// Button under a balance.
    spend: Spend,
    /// Over a redemption code.
    for_shop: ForShop,
    /// Under what could not be done: a code that only a shop reads.
    shops_read: ShopsRead,
    /// Button: the code that names this buyer.
    my_code: MyCode,
    /// Button: the same as digits, to be read aloud.
    as_digits: AsDigits,
    /// Title and button: what is collected without a question.
    without_asking: WithoutAsking,
    /// Switch: this phone takes the best.
    always_best: AlwaysBest,
    /// Switch: the server takes the best of what has waited.
    best_after_a_day: BestAfterADay,
    /// Over the groups that are taken first.
    always_here: AlwaysHere,
    /// Over a sale that waits for a choice.
    to_choose: ToChoose,
    /// Over where purchases at one shop are collected.
    at_this_shop: AtThisShop,
    /// Under it: as what holds for every shop says.
    as_elsewhere: AsElsewhere,
    /// Under it: the person chooses each time.
    ask_each_time: AskEachTime,
    /// Over the shops for which that was said.
    at_single_shops: AtSingleShops,
    /// Title and button: what the person means to buy.
    plans: Plans,
    /// Where there is none yet.
    no_plans: NoPlans,
    /// Button on a shop's page.
    plan_here: PlanHere,
    /// Field: a shop, to plan a purchase at.
    where_to_buy: WhereToBuy,
    /// Field: what the purchase is to come to.
    planned_amount: PlannedAmount,
    /// Over the day of the purchase.
    planned_day: PlannedDay,
    /// Button: the day, later.
    week_later: WeekLater,
    /// Button: the day, later: thirty days.
    month_later: MonthLater,
    /// Button that keeps the plan.
    note_plan: NotePlan,
    /// Button that drops it.
    forget_plan: ForgetPlan,
    /// Beside a plan whose day is over.
    overdue: Overdue,
    /// Over the share of the amount that is earned.
    rate: Rate,
    /// Over how long mileage can be used.
    validity: Validity,
    /// Title and button: the groups of the own shop.
    groups: Groups,
    /// Where there is none yet.
    no_groups: NoGroups,
    /// What to do about it.
    no_groups_hint: NoGroupsHint,
    /// Title and button.
    found_group: FoundGroup,
    /// Title and button.
    find_groups: FindGroups,
    /// Field.
    group_name: GroupName,
    /// Field that may stay empty.
    group_nickname: GroupNickname,
    /// Over how wide a group is meant to reach.
    reach: Reach,
    /// The shops of one building.
    one_building: OneBuilding,
    /// The shops of one street or district.
    one_area: OneArea,
    /// The shops of one trade.
    one_trade: OneTrade,
    /// Anyone in the country.
    nationwide: Nationwide,
    /// Over what a group gives.
    kind: Kind,
    /// Points.
    points: Points,
    /// Stamps on a card.
    stamps: Stamps,
    /// Coupons.
    coupons: Coupons,
    /// Money put by.
    reserve: Reserve,
    /// Over the stamps that fill a card.
    stamps_on_a_card: StampsOnACard,
    /// Over what a full card is good for.
    reward: Reward,
    /// Over what a coupon is good for.
    coupon_face: CouponFace,
    /// Over the balance from which mileage can be used.
    usable_from: UsableFrom,
    /// Button beside a figure, read aloud.
    more: More,
    /// Button beside a figure, read aloud.
    less: Less,
    /// Over who lets shops in.
    admission: Admission,
    /// Any shop joins at once.
    anyone: Anyone,
    /// The shop that runs the group lets others in.
    admin_admits: AdminAdmits,
    /// More than half of the members let others in.
    members_vote: MembersVote,
    /// Over what a founder's terms cost.
    cost: Cost,
    /// Before who has to agree to other terms.
    other_terms: OtherTerms,
    /// Before when members settle.
    settlement: Settlement,
    /// Before the instant at which something ends.
    until: Until,
    /// Over what a founder is about to promise.
    preview: Preview,
    /// Button: the group's cover.
    add_picture: AddPicture,
    /// Button: another in its place.
    other_picture: OtherPicture,
    /// The group's cover, for who cannot see it.
    group_picture: GroupPicture,
    /// Over a group's members.
    members: Members,
    /// Button: to a group of the own shop.
    invite_shops: InviteShops,
    /// Title over the list of whom to invite.
    whom_to_invite: WhomToInvite,
    /// Field: any of the three.
    number_mail_or_name: NumberMailOrName,
    /// Button that puts what was typed on the list.
    put_on_list: PutOnList,
    /// Button that opens the system's picker of one contact.
    pick_contact: PickContact,
    /// Button and title: what the directory suggests.
    suggested_shops: SuggestedShops,
    /// Over the messengers: whom to send it is picked there.
    in_messenger: InMessenger,
    /// Button that takes someone off the list.
    take_off: TakeOff,
    /// Button: an invitation for each on the list.
    make_invitations: MakeInvitations,
    /// Title and button: invitations of the own shop, and how each stands.
    invitations: Invitations,
    /// Where there is none yet.
    no_invitations: NoInvitations,
    /// Button that opens the other app with an invitation.
    send_it: SendIt,
    /// Button: the server sends to numbers and addresses.
    moa_sends: MoaSends,
    /// Button that takes an invitation back.
    take_back: TakeBack,
    /// Button: one invitation that any may answer who is given it.
    link_for_many: LinkForMany,
    /// Whom such a one is for.
    anyone_with_link: AnyoneWithLink,
    /// Over the code of an invitation.
    scan_to_join: ScanToJoin,
    /// Over the apps by which an invitation leaves.
    send_by: SendBy,
    /// A channel.
    by_sms: BySms,
    /// A channel.
    by_kakao_talk: ByKakaoTalk,
    /// A channel.
    by_line: ByLine,
    /// A channel.
    by_telegram: ByTelegram,
    /// A channel.
    by_whats_app: ByWhatsApp,
    /// A channel.
    by_messenger: ByMessenger,
    /// A channel.
    by_email: ByEmail,
    /// A channel: the other shop's app.
    in_app: InApp,
    /// A channel: whatever the system offers.
    by_sheet: BySheet,
    /// A channel: the clipboard.
    by_copy: ByCopy,
    /// Headline where no app opened.
    no_app_opened: NoAppOpened,
    /// What to do about it.
    no_app_opened_hint: NoAppOpenedHint,
    /// Title over an invitation to this phone's shop.
    invited_to: InvitedTo,
    /// Before the name of the shop that invites.
    invited_by: InvitedBy,
    /// Button: follows an invitation.
    accept: Accept,
    /// Button: does not.
    decline: Decline,
    /// Button, for who has no shop here yet.
    open_shop_first: OpenShopFirst,
    /// Button: joins a group that takes any shop.
    join: Join,
    /// Button: asks a group that lets shops in.
    ask_to_join: AskToJoin,
    /// Button: asks no more.
    withdraw_request: WithdrawRequest,
    /// Title and button: shops that ask to join.
    join_requests: JoinRequests,
    /// Where none waits.
    no_join_requests: NoJoinRequests,
    /// Button: for a shop that asks to join.
    let_in: LetIn,
    /// Button: against it.
    keep_out: KeepOut,
    /// Field of a search.
    name_or_trade: NameOrTrade,
    /// Button that searches.
    search: Search,
    /// Switch: from where the own shop is.
    near_my_shop: NearMyShop,
    /// Over the trades.
    trade: Trade,
    /// No trade in particular.
    any_trade: AnyTrade,
    /// Over what comes first.
    sort_by: SortBy,
    /// What is nearest.
    nearest: Nearest,
    /// Groups with most members.
    most_members: MostMembers,
    /// Groups that give most.
    highest_rate: HighestRate,
    /// Where nothing was found.
    nothing_found: NothingFound,
    /// Button: the next page.
    more_results: MoreResults,
    /// Title and button: how the own shop presents itself.
    our_shop: OurShop,
    /// Field: the district.
    area: Area,
    /// Field.
    building: Building,
    /// Why to say it.
    our_shop_hint: OurShopHint,
    /// Button.
    save: Save,
    /// Title and button: an invitation that is typed or pasted.
    enter_invitation: EnterInvitation,
    /// Under an invitation that is to no group.
    collect_there: CollectThere,
    /// Button: from such an invitation to the shop.
    see_shop: SeeShop,
    /// Button: from what was collected in a group to the group.
    see_group: SeeGroup,
    /// Over what happened in a group.
    history: History,
}
