package moa.ui

import uniffi.moa.Balance
import uniffi.moa.FoundGroup
import uniffi.moa.FoundShop
import uniffi.moa.Group
import uniffi.moa.GroupChoice
import uniffi.moa.HistoryItem
import uniffi.moa.Industry
import uniffi.moa.MemberCode
import uniffi.moa.MileageUnit
import uniffi.moa.OneTimeCode
import uniffi.moa.ReceivedInvitation
import uniffi.moa.RedemptionCode
import uniffi.moa.ScannedRedemption
import uniffi.moa.ScannedVoucher
import uniffi.moa.Shop
import uniffi.moa.StandingChoice
import uniffi.moa.Voucher
import uniffi.moa.WaitingSale

/** What a tap leads to. */
sealed interface Outcome

/** What is on the screen, with what it shows. */
sealed interface Screen : Outcome {
    /** Sign-in: the phone number. */
    data object Number : Screen

    /** Sign-in: the six digits that were sent. */
    data object Digits : Screen

    /** Shop or customer. */
    data object ChooseRole : Screen

    /** A shop's name, once. */
    data object OpenShop : Screen

    /** The shop's keypad. */
    data object Till : Screen

    /** The shop's sales of the day. */
    data object Day : Screen

    /** A sale, for the customer to scan. */
    data class ShowVoucher(val voucher: Voucher) : Screen

    /** The customer's code is to be read. */
    data object ReadCode : Screen

    /** What twelve digits are for: only the server knows, and the customer. */
    data class ForWhat(val digits: String) : Screen

    /** How many points to take on it: [text] is the code as read, a pass, or digits that stand for a code not seen here. */
    data class Take(
        val text: String,
        val code: ScannedRedemption?,
        val keypad: Keypad,
        val unit: MileageUnit = MileageUnit.Point,
        val isPass: Boolean = false,
    ) : Screen

    /** The amount of a sale to the customer of whom [buyer] was read: a member code or digits. */
    data class SellTo(val buyer: String) : Screen

    /** A sale to a customer, recorded. */
    data class Sold(val sale: String, val amountText: String) : Screen

    /** Points taken: the server approved, or its word on the op that is [beingChecked] is waited for. */
    data class Taken(val points: String, val beingChecked: String? = null) : Screen

    /** The customer's points, by group. */
    data object Wallet : Screen

    /** Into which group a sale goes, best first: [text] is the voucher as read. */
    data class Choose(val text: String, val voucher: ScannedVoucher, val choices: List<GroupChoice>) : Screen

    /** Into which group a sale goes that a shop recorded for this customer. */
    data class ChooseFor(val sale: WaitingSale) : Screen

    /** The code that names this customer, for a shop to read: another every half minute. */
    data class ShowMember(val code: MemberCode) : Screen

    /** The same as digits; or a permission: then [balance] is what there was when it was given. */
    data class ShowDigits(val code: OneTimeCode, val balance: Balance? = null) : Screen

    /** What is collected without a question. */
    data class WithoutAsking(val standing: StandingChoice, val alwaysBest: Boolean) : Screen

    /** What the customer means to buy; and [shops] to plan at: those of a [name], if one was said. */
    data class Plans(val name: String, val shops: List<Shop>) : Screen

    /** A purchase at a shop, of that name, that is about to be planned. */
    data class NewPlan(val shop: String, val name: String, val form: PlanForm) : Screen

    /** The customer's permission, for the shop to read: [balance] is what there was when it was given. */
    data class ShowCode(val code: RedemptionCode, val balance: Balance) : Screen

    /** A buyer's mileage in a group, and how it came and went. */
    data class History(val group: String, val balances: List<Balance>, val rows: List<HistoryItem>) : Screen

    /** The shop's groups, and what waits for its word. */
    data object Groups : Screen

    /** An invitation's code is typed, or pasted. */
    data object EnterInvitation : Screen

    /** A group that is about to be founded. */
    data class Found(val draft: Draft, val cover: Cover? = null) : Screen

    /** A group: terms and members. */
    data class GroupPage(override val group: Group) : Screen, OfGroup

    /** Whom to invite: a list, before anything is sent. */
    data class Invite(override val group: Group) : Screen, OfGroup

    /** Shops of the directory that can be put on that list. */
    data class PickShops(override val group: Group, val found: List<FoundShops>) : Screen, OfGroup

    /** The invitations into a group, and how each stands. */
    data class Sent(override val group: Group) : Screen, OfGroup

    /** An invitation to be scanned, or sent by one app or another. */
    data class ShowInvitation(override val group: Group, val invitation: String) : Screen, OfGroup

    /** An invitation to this phone's person. */
    data class Received(val invitation: ReceivedInvitation) : Screen

    /** Shops that ask to join. */
    data object Requests : Screen

    /** Groups, looked for. */
    data class Find(val query: Query, val found: List<FoundGroup>, val more: Boolean) : Screen

    /** The trades, of which one is taken; none for any. */
    data class PickTrade(val taken: String?, val take: (Industry?) -> Unit) : Screen

    /** How the own shop presents itself. */
    data class OurShop(val form: ShopForm) : Screen

    /** A shop and its groups. */
    data class ShopPage(val page: uniffi.moa.ShopPage) : Screen
}

/** A screen about a group of the own shop. */
sealed interface OfGroup {
    val group: Group
}

/** Shops under one title. */
data class FoundShops(val title: String, val shops: List<FoundShop>)

/** Something that could not be done, and the op if the server refused one. Shown over the screen until it was read. */
data class Problem(val title: String, val text: String, val op: String? = null) : Outcome

/** Where purchases at one shop are collected. */
sealed interface AtShop {
    /** As what holds for every shop says. */
    data object AsElsewhere : AtShop

    /** The person is asked, whatever holds elsewhere. */
    data object AskEachTime : AtShop

    /** In this group, without a question. */
    data class Always(val group: String) : AtShop
}

/** Who uses this phone. */
enum class Role { SHOP, BUYER }

/** Where the shell keeps the role. */
interface RoleMemory {
    var role: Role?
}
