package moa.ui

import uniffi.moa.Balance
import uniffi.moa.GroupChoice
import uniffi.moa.MemberCode
import uniffi.moa.MileageUnit
import uniffi.moa.OneTimeCode
import uniffi.moa.RedemptionCode
import uniffi.moa.ScannedRedemption
import uniffi.moa.ScannedVoucher
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

    /** The customer's permission, for the shop to read: [balance] is what there was when it was given. */
    data class ShowCode(val code: RedemptionCode, val balance: Balance) : Screen
}

/** Something that could not be done, and the op if the server refused one. Shown over the screen until it was read. */
data class Problem(val title: String, val text: String, val op: String? = null) : Outcome

/** Who uses this phone. */
enum class Role { SHOP, BUYER }

/** Where the shell keeps the role. */
interface RoleMemory {
    var role: Role?
}
