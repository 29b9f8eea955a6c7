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
}
