package moa.ui

import java.nio.file.Path
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.AppInterface
import uniffi.moa.AppState
import uniffi.moa.Balance
import uniffi.moa.Fate
import uniffi.moa.MileageUnit
import uniffi.moa.Observer
import uniffi.moa.Qr
import uniffi.moa.Redemption
import uniffi.moa.RedemptionCode
import uniffi.moa.RefusedItem
import uniffi.moa.ScannedRedemption
import uniffi.moa.Subscription

/** Screens that go on by themselves, by what the core tells. */
class MoaTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var real: App
    private lateinit var core: Core
    private lateinit var moa: Moa
    private val scope = CoroutineScope(Dispatchers.Default.limitedParallelism(1))

    /** A real core that nobody has signed in on, but for what the server says of redemptions and balances. */
    private class Core(private val real: App) : AppInterface by real {
        val fates = mutableMapOf<String, Fate>("1" to Fate.BeingChecked)
        val refusals = CopyOnWriteArrayList<RefusedItem>()
        var codeEnds = Long.MAX_VALUE
        private lateinit var observer: Observer
        private val nothing = real.state().copy(signedIn = true)

        override fun signedIn() = true
        override fun state() = nothing.copy(refused = refusals.size.toUInt(), refusals = refusals.toList())
        override fun dismiss(op: String) {
            refusals.removeIf { it.op == op }
        }
        override fun subscribe(observer: Observer): Subscription = real.subscribe(Nobody).also { this.observer = observer }
        override suspend fun redeem(code: String, units: Long) = Redemption.BeingChecked("1")
        override fun fate(op: String) = fates[op]
        override fun redemptionCode(group: String, most: Long, unit: MileageUnit?) =
            RedemptionCode("MOA1:", Qr(1u, byteArrayOf(1)), group, most, unit ?: MileageUnit.Point, "$most points", codeEnds, "")

        fun tells(change: AppState.() -> AppState) = observer.changed(state().change())

        fun refuses(vararg refused: RefusedItem) {
            refusals += refused
            tells { this }
        }
    }

    private object Nobody : Observer {
        override fun changed(state: AppState) = Unit
    }

    @BeforeEach
    fun open() {
        real = App.open(AppConfig(folder.toString(), "http://127.0.0.1:9", "en"))
        core = Core(real)
        moa = Moa(core, scope, Remembered(Role.BUYER), NoApps)
    }

    @AfterEach
    fun close() {
        moa.close()
        scope.cancel()
        real.close()
    }

    @Test
    fun `points that are being checked become approved by their own op, and by no other`() = runBlocking {
        takes(points = 300)
        assertEquals(Screen.Taken("300 points", beingChecked = "1"), moa.screen)
        core.fates["2"] = Fate.Applied
        core.tells { copy(waiting = 1u) }
        until { moa.state.waiting == 1u && !moa.busy }
        assertEquals(Screen.Taken("300 points", beingChecked = "1"), moa.screen)
        core.fates["1"] = Fate.Applied
        core.tells { this }
        until { moa.screen == Screen.Taken("300 points") }
    }

    @Test
    fun `points that are being checked and then refused are never shown as approved`() = runBlocking {
        takes(points = 300)
        core.fates["1"] = Fate.Refused("below_minimum", "Collect 700 more.")
        core.refuses(RefusedItem("1", "below_minimum", "Collect 700 more."))
        until { moa.problem == Problem("Refused", "Collect 700 more.", "1") && moa.screen == Screen.Wallet }
    }

    @Test
    fun `of two refusals that read alike, each is shown until it was read`() = runBlocking {
        core.refuses(RefusedItem("1", "amount_too_large", "Too much."), RefusedItem("2", "amount_too_large", "Too much."))
        until { moa.problem?.op == "1" && !moa.busy }
        moa.dismiss()
        until { moa.problem?.op == "2" && !moa.busy }
        moa.dismiss()
        until { moa.problem == null && core.refusals.isEmpty() && !moa.busy }
    }

    @Test
    fun `a code goes once the shop has used it, and not because more was earned`() = runBlocking {
        moa.spend(balance(confirmed = 2_000)).join()
        core.tells { copy(balances = listOf(balance(confirmed = 2_400))) }
        until { moa.state.balances.isNotEmpty() && !moa.busy }
        assertIs<Screen.ShowCode>(moa.screen)
        core.tells { copy(balances = listOf(balance(confirmed = 900))) }
        until { moa.screen == Screen.Wallet }
    }

    @Test
    fun `a code goes when it is void`() = runBlocking {
        core.codeEnds = core.now()
        moa.spend(balance(confirmed = 2_000)).join()
        until { moa.screen == Screen.Wallet }
    }

    private suspend fun takes(points: Long) {
        val code = ScannedRedemption("g", "Alley", points, MileageUnit.Point, "", "", false)
        moa.take(Screen.Take("MOA1:", code, Keypad(points))).join()
    }

    private fun balance(confirmed: Long) =
        Balance(
            group = "g",
            unit = MileageUnit.Point,
            name = "Alley",
            confirmed = confirmed,
            pending = 0,
            usable = confirmed,
            held = 0,
            frozen = 0,
            owed = 0,
            expiringSoon = 0,
            minimum = 1_000,
            confirmedText = "$confirmed points",
            pendingText = "",
            line = "",
            minimumText = "",
            expiringText = "",
            usableText = "",
            cardsText = "",
            notes = emptyList(),
        )
}
