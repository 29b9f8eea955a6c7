package moa.ui

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import uniffi.moa.ApiException
import uniffi.moa.AppInterface
import uniffi.moa.AppState
import uniffi.moa.Balance
import uniffi.moa.Fate
import uniffi.moa.GroupChoice
import uniffi.moa.MerchantDay
import uniffi.moa.MileageUnit
import uniffi.moa.Observer
import uniffi.moa.OwnShop
import uniffi.moa.ReceivedInvitation
import uniffi.moa.Redemption
import uniffi.moa.SaleItem
import uniffi.moa.Scan
import uniffi.moa.ShopStanding
import uniffi.moa.StandingChoice
import uniffi.moa.StandingGroup
import uniffi.moa.Voucher
import uniffi.moa.WaitingSale

/**
 * What the screens show, and what a tap does. Decides nothing: it asks the core and goes to the next screen, or shows
 * what the core says is in the way.
 *
 * To be used from the thread of [scope]; what waits for the disk or the network runs on [io]. While one tap is at
 * work, others do nothing: a sale is not recorded twice by an impatient thumb.
 */
class Moa(
    private val app: AppInterface,
    private val scope: CoroutineScope,
    private val memory: RoleMemory,
    shell: Shell,
    private val io: CoroutineContext = Dispatchers.IO,
) : AutoCloseable {
    val labels = app.labels()

    var state: AppState by mutableStateOf(app.state())
        private set
    var screen: Screen by mutableStateOf(if (app.signedIn()) home() else Screen.Number)
        private set
    var problem: Problem? by mutableStateOf(null)
        private set
    var busy by mutableStateOf(false)
        private set
    var shop: OwnShop? by mutableStateOf(app.ownShop())
        private set
    var day: MerchantDay? by mutableStateOf(null)
        private set

    /** The sale that the screen shows. */
    var sale: SaleItem? by mutableStateOf(null)
        private set

    /** Sales that shops recorded for this customer, who has not chosen yet. */
    var toChoose: List<WaitingSale> by mutableStateOf(emptyList())
        private set

    /** Shops for which this customer has said where to collect. */
    var standings: List<ShopStanding> by mutableStateOf(emptyList())
        private set

    /** Starting over was put off, until the next mismatch. */
    private var putOff by mutableStateOf(false)

    /** What is typed: a number, six digits, a shop's name, a code. */
    var typed by mutableStateOf("")

    /** The amount of the sale. */
    val amount = Keypad()

    /** The shop's groups, and others. */
    val groups = Groups(this, app, shell, io)

    /** What this customer means to buy. */
    val plans = Plans(this, app, io)

    /** A link that opened the app and was not followed yet. */
    private var arrived: String? = null

    private val subscription = app.subscribe(object : Observer {
        override fun changed(state: AppState) {
            scope.launch { told(state) }
        }
    })

    override fun close() {
        subscription.cancel()
        subscription.close()
    }

    // Signing in.

    fun sendCode(): Job = act {
        app.beginEnrolment(typed)
        Screen.Digits
    }

    fun signIn(): Job = act {
        app.confirmEnrolment(typed)
        home()
    }

    fun choose(role: Role): Job = act {
        memory.role = role
        val link = arrived ?: return@act home()
        arrived = null
        seen(link)
    }

    fun openShop(): Job = act {
        app.registerMerchant(typed.trim(), null)
        groups.firstReceived() ?: home()
    }

    /** From an invitation to a shop: to the shop that can answer it. */
    fun openShopFor(invitation: ReceivedInvitation): Job = act {
        memory.role = Role.SHOP
        if (app.ownShop() == null) Screen.OpenShop else Screen.Received(invitation)
    }

    /** Whether this phone is a shop's now. */
    val isShop get() = memory.role == Role.SHOP

    /** A link that opened the app: followed as soon as nothing is at work, someone is signed in and has said who uses this phone. */
    fun follow(link: String) {
        arrived = link
        followArrived()
    }

    private fun followArrived() {
        if (busy || !state.signedIn || memory.role == null) return
        val link = arrived ?: return
        arrived = null
        read(link)
    }

    // The shop's.

    fun amountText(): String = wonText(amount.number)

    fun wonText(amount: Long): String = app.amountText(amount)

    fun unitsText(units: Long, unit: MileageUnit): String = app.unitsText(units, unit)

    /** What is keyed in of what the customer pays with: points, where digits do not tell. */
    fun unitsText(take: Screen.Take): String = unitsText(take.keypad.number, take.unit)

    /** What the customer has collected with a voucher, once the server has said so. */
    fun collected(voucher: Voucher): String? =
        sale?.takeIf { it.sale == voucher.sale }?.claimed?.text

    fun recordSale(): Job = act { Screen.ShowVoucher(app.recordSale(amount.number)).also { amount.clear() } }

    /** Where a sale stands. */
    fun standing(of: String): String = sale?.takeIf { it.sale == of }?.standingText.orEmpty()

    fun sell(to: Screen.SellTo): Job = act(otherwise = Screen.Till) {
        val text = amountText()
        Screen.Sold(app.recordSaleFor(amount.number, to.buyer), text).also { amount.clear() }
    }

    fun take(take: Screen.Take): Job = act(otherwise = Screen.Till) {
        if (take.isPass) return@act Screen.Taken(app.takePass(take.text, take.keypad.number).unitsText)
        val units = unitsText(take)
        when (val redemption = app.redeem(take.text, take.keypad.number)) {
            is Redemption.Approved -> Screen.Taken(units)
            is Redemption.BeingChecked -> Screen.Taken(units, redemption.op)
        }
    }

    // The customer's.

    fun claim(text: String, choice: GroupChoice?): Job = act {
        app.claim(text, choice)
        Screen.Wallet
    }

    fun claim(sale: WaitingSale, choice: GroupChoice?): Job = act {
        app.claimWaiting(sale.sale, choice)
        Screen.Wallet
    }

    fun showMember(): Job = act { Screen.ShowMember(app.memberCode()) }

    fun showMemberDigits(): Job = act { Screen.ShowDigits(app.oneTimeCodeForEarning()) }

    fun spendByDigits(balance: Balance): Job =
        act { Screen.ShowDigits(app.oneTimeCodeForPaying(balance.group, balance.usable, balance.unit), balance) }

    fun withoutAsking(): Job = act { standing() }

    fun setAlwaysBest(on: Boolean): Job = act {
        app.setAlwaysBest(on)
        standing()
    }

    fun setStanding(groups: List<String>, bestAfterADay: Boolean): Job = act {
        app.setStandingChoice(groups, bestAfterADay)
        standing()
    }

    /** Those chosen, and those in which there is something. */
    fun groupsToStandBy(standing: StandingChoice): List<StandingGroup> =
        (standing.groups + state.balances.map { StandingGroup(it.group, it.name) }).distinctBy { it.id }

    /** What is done at one shop, as was said on this phone. */
    fun collectedAt(shop: String): AtShop {
        val said = standings.find { it.shop.id == shop } ?: return AtShop.AsElsewhere
        return said.always?.let { AtShop.Always(it.id) } ?: AtShop.AskEachTime
    }

    fun collectAt(shop: String, at: AtShop): Job = act {
        when (at) {
            AtShop.AsElsewhere -> app.asEverywhereAtShop(shop)
            AtShop.AskEachTime -> app.askAtShop(shop)
            is AtShop.Always -> app.alwaysAtShop(shop, at.group)
        }
        null
    }

    private fun standing() = Screen.WithoutAsking(app.standingChoice(), app.alwaysBest())

    /** Shows a code for all that can be used, as long as it is good. */
    fun spend(balance: Balance): Job = act { Screen.ShowCode(app.redemptionCode(balance.group, balance.usable, balance.unit), balance) }

    // Both.

    /** What a camera saw, or a person pasted, dropped or typed. */
    fun read(text: String): Job = act { seen(text) }

    private suspend fun seen(text: String): Outcome = when (val scan = app.readCode(text)) {
        is Scan.Voucher -> {
            val reason = scan.voucher.standingText
            when {
                reason.isNotEmpty() -> refused(reason, op = null)
                app.claimAtOnce(text) != null -> Screen.Wallet
                else -> Screen.Choose(text, scan.voucher, app.choices(text))
            }
        }
        is Scan.Redemption -> atTill { Screen.Take(text, scan.code, Keypad(scan.code.most), scan.code.unit) }
        is Scan.Member -> atTill { Screen.SellTo(text) }
        is Scan.OneTime -> atTill { Screen.ForWhat(scan.text) }
        is Scan.Approval -> atTill { Screen.Taken(app.takeApproval(text).unitsText) }
        is Scan.Pass -> atTill {
            val pass = scan.pass
            if (pass.refusedText.isEmpty()) {
                Screen.Take(text, null, Keypad(pass.units), pass.unit, isPass = true)
            } else {
                refused(pass.refusedText, op = null)
            }
        }
        is Scan.Invitation -> {
            app.joinStaff(text)
            memory.role = Role.SHOP
            home()
        }
        is Scan.Link -> groups.at(scan.destination, text)
        is Scan.MergeConsent, is Scan.Browser -> Problem(labels.notDone, labels.notUsedYet)
    }

    /** For codes that a shop reads. */
    private fun atTill(screen: () -> Outcome): Outcome =
        if (memory.role == Role.SHOP) screen() else Problem(labels.notDone, labels.shopsRead)

    /** What [paste] finds, if anything. */
    fun readFrom(paste: suspend () -> String?): Job = afterPicking({ paste()?.takeIf { it.isNotBlank() } }) { seen(it) }

    /** What is done with something that a person picks outside of the screens; nothing if they pick nothing. */
    internal fun <T : Any> afterPicking(pick: suspend () -> T?, step: suspend (T) -> Outcome?): Job = scope.launch {
        pick()?.let { act { step(it) }.join() }
    }

    fun sync(): Job = act {
        app.syncNow()
        null
    }

    /** What came from the server does not match what it signed, and nobody has put that off. */
    val mismatch get() = state.integrityBroken && !putOff

    /** Takes the server's word anew. What waits to be sent stays. */
    fun startOver(): Job = act {
        app.startOver()
        null
    }

    fun startOverLater() {
        putOff = true
    }

    /** Without asking anyone: back, next sale, take points. */
    fun go(to: Screen) {
        typed = ""
        screen = to
        when (to) {
            is Screen.ShowCode -> whenVoid(to, to.code.expiresAt) { goHome() }
            is Screen.ShowDigits -> whenVoid(to, to.code.expiresAt) { goHome() }
            is Screen.ShowMember -> whenVoid(to, to.code.validUntil) {
                val next = withContext(io) { Screen.ShowMember(app.memberCode()) }
                if (screen === to) go(next)
            }
            else -> {}
        }
    }

    /** While it is shown, a code runs out: by the server's clock. */
    private fun whenVoid(shown: Screen, at: Long, then: suspend () -> Unit) = scope.launch {
        try {
            delay(at - app.now())
            if (screen === shown) then()
        } catch (_: ApiException) {
            // The app was shut down, or its disk cannot be read: what is shown stays.
        }
    }

    /** Whether there is nothing to go back from. */
    val isHome get() = screen in setOf(Screen.Number, Screen.ChooseRole, Screen.OpenShop, Screen.Till, Screen.Wallet)

    fun goHome() = go(if (state.signedIn) home() else Screen.Number)

    /** The problem was read. If it is an op's, the core need not keep it. */
    fun dismiss() {
        val read = problem ?: return
        problem = null
        act {
            read.op?.let(app::dismiss)
            nextProblem()
        }
    }

    /** What is shown is known better now; unless something else is shown by now. */
    internal fun replace(shown: Screen, by: Screen) {
        if (screen === shown && shown != by) screen = by
    }

    private fun home(): Screen = when (memory.role) {
        null -> Screen.ChooseRole
        Role.BUYER -> Screen.Wallet
        Role.SHOP -> if (app.ownShop() == null) Screen.OpenShop else Screen.Till
    }

    /** Tells the core what came of something later on, beside whatever is at work. */
    internal fun learn(step: suspend () -> Unit): Job = scope.launch {
        try {
            withContext(io) { step() }
            refresh()
        } catch (_: ApiException) {
            // It stays as it was told before.
        }
    }

    internal fun act(otherwise: Screen? = null, step: suspend () -> Outcome?): Job {
        if (busy) return scope.launch {}
        busy = true
        return scope.launch {
            try {
                when (val outcome = withContext(io) { step() }) {
                    is Screen -> go(outcome)
                    is Problem -> problem = outcome
                    null -> {}
                }
                refresh()
                // Told while this was at work, and kept back.
                if (problem == null && state.refused > 0u) problem = withContext(io) { nextProblem() }
            } catch (error: ApiException) {
                problem = if (error is ApiException.Refused) refused(error.text, error.op) else Problem(labels.notDone, error.toString())
                otherwise?.let(::go)
            } finally {
                busy = false
                followArrived()
            }
        }
    }

    private suspend fun told(now: AppState) {
        state = now
        if (!now.integrityBroken) putOff = false
        val signingIn = screen is Screen.Number || screen is Screen.Digits
        try {
            // Asked anew: what was told may be from before the sign-in.
            if (!now.signedIn && !signingIn && !withContext(io) { app.signedIn() }) go(Screen.Number)
            if (now.refused > 0u && problem == null && !busy) problem = withContext(io) { nextProblem() }
            follow()
            refresh()
        } catch (_: ApiException) {
            // The disk could not be read, or the app was shut down: what is shown stays.
        }
    }

    /** What the screen waits for has come to pass: it goes on without a tap. */
    private suspend fun follow() {
        when (val shown = screen) {
            is Screen.Taken -> {
                val op = shown.beingChecked ?: return
                val fate = withContext(io) { app.fate(op) }
                if (screen !== shown) return
                when (fate) {
                    Fate.Applied -> screen = shown.copy(beingChecked = null)
                    is Fate.Refused -> {
                        if (problem == null) problem = refused(fate.text, op)
                        goHome()
                    }
                    Fate.Waiting, Fate.BeingChecked, null -> {}
                }
            }
            is Screen.Sold -> {
                val fate = withContext(io) { app.fate(shown.sale) }
                if (fate is Fate.Refused && screen === shown) goHome()
            }
            is Screen.ShowCode -> if (spent(shown.balance)) goHome()
            is Screen.ShowDigits -> if (shown.balance?.let(::spent) == true) goHome()
            else -> {}
        }
    }

    /** Less than when the code was given. */
    private fun spent(before: Balance) =
        (state.balances.find { it.group == before.group && it.unit == before.unit }?.confirmed ?: 0) < before.confirmed

    private suspend fun refresh() {
        if (state.signedIn) groups.refresh(isShop)
        if (memory.role == Role.BUYER) {
            toChoose = withContext(io) { app.waitingSales() }.filter { !it.chosen }
            standings = withContext(io) { app.standingAtShops() }
            plans.refresh()
        }
        if (memory.role != Role.SHOP) return
        val (own, today) = withContext(io) { app.ownShop().let { it to if (it == null) null else app.merchantToday() } }
        shop = own
        day = today
        val shown = when (val now = screen) {
            is Screen.ShowVoucher -> now.voucher.sale
            is Screen.Sold -> now.sale
            else -> null
        }
        sale = shown?.let { withContext(io) { app.sale(it) } }
    }

    private fun refused(text: String, op: String?) = Problem(labels.refused, text, op)

    /** Asked anew: what was told may be from before the last one was dismissed. */
    private fun nextProblem(): Problem? = app.state().refusals.firstOrNull()?.let { refused(it.text, it.op) }
}
