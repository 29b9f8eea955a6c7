package moa.ui

import uniffi.moa.Balance
import uniffi.moa.GroupChoice
import uniffi.moa.RedemptionCode
import uniffi.moa.ScannedRedemption
import uniffi.moa.ScannedVoucher
import uniffi.moa.Voucher

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

    /** How many points to take on it: [text] is the code as read. */
    data class Take(val text: String, val code: ScannedRedemption, val keypad: Keypad) : Screen

    /** Points taken: the server approved, or its word on the op that is [beingChecked] is waited for. */
    data class Taken(val points: String, val beingChecked: String? = null) : Screen

    /** The customer's points, by group. */
    data object Wallet : Screen

    /** Into which group a sale goes, best first: [text] is the voucher as read. */
    data class Choose(val text: String, val voucher: ScannedVoucher, val choices: List<GroupChoice>) : Screen

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
