package moa

import java.nio.file.Path
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.ApiException
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.AppState
import uniffi.moa.Basis
import uniffi.moa.Fate
import uniffi.moa.Founding
import uniffi.moa.Gives
import uniffi.moa.Observer
import uniffi.moa.Redemption
import uniffi.moa.Scope
import uniffi.moa.Terms
import uniffi.moa.Validity

/** Phones whose network goes and comes, loses and halves answers, and is a hotspot's. */
class NetworkTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var server: Server
    private lateinit var cable: Cable
    private lateinit var cafe: App
    private lateinit var buyer: App
    private lateinit var group: String
    private val apps = mutableListOf<App>()

    /** A shop with a group, and a buyer, who reach the server by the cable. */
    @BeforeEach
    fun start() = runBlocking {
        server = Server(folder.resolve("server"))
        cable = Cable(server.url)
        cafe = enrolled("cafe", "010-0000-0001")
        cafe.registerMerchant("Cafe", null)
        cafe.syncNow()
        group = cafe.foundGroup(Founding("Alley", Scope.BUILDING, Terms(Gives.Points(500u), Validity.Months(6u), 100, Basis.ON_ISSUE)))
        cafe.syncNow()
        buyer = enrolled("buyer", "010-0000-0002")
        buyer.syncNow()
    }

    @AfterEach
    fun stop() {
        apps.forEach { it.close() }
        cable.close()
        server.close()
    }

    private fun open(name: String, language: String = "en"): App =
        App.open(AppConfig(folder.resolve(name).toString(), cable.url, language)).also { apps += it }

    private suspend fun enrolled(name: String, number: String): App = open(name).apply {
        beginEnrolment(number)
        confirmEnrolment(server.code(number))
    }

    private fun sellAndClaim(amount: Long) {
        val voucher = cafe.recordSale(amount).code
        buyer.claim(voucher, buyer.choices(voucher).first())
    }

    private suspend fun App.isOffline(): ApiException.Offline = assertFailsWith { syncNow() }

    /** What an observer is told, in order. */
    private class States(app: App) : Observer, AutoCloseable {
        private val told = LinkedBlockingQueue<AppState>()
        private val subscription = app.subscribe(this)

        override fun changed(state: AppState) {
            told += state
        }

        /** The first from here on for which it holds. */
        fun first(holds: (AppState) -> Boolean): AppState =
            generateSequence { told.poll(20, TimeUnit.SECONDS) }.first(holds)

        override fun close() {
            subscription.cancel()
            subscription.close()
        }
    }

    @Test
    fun `sold and claimed while the network is cut, cut again and on again, everything arrives once`() = runBlocking {
        val watched = listOf(States(cafe), States(buyer))
        cable.cut()
        watched.forEach { states -> states.first { it.offline } }
        sellAndClaim(20_000)
        sellAndClaim(30_000)
        for (app in apps) assertEquals("no_connection", app.isOffline().code)
        watched.forEach { states -> states.first { it.waiting == 2u && it.offlineCode == "no_connection" } }

        cable.loseAnswers()
        for (app in apps) app.isOffline()
        cable.cut()
        sellAndClaim(40_000)
        assertEquals("No connection, 3 sales waiting to be sent", cafe.state().offlineText)
        cable.halveAnswers()
        for (app in apps) assertEquals("no_connection", app.isOffline().code)
        assertEquals(4_500L to 0L, buyer.balances().single().let { it.pending to it.confirmed })

        cable.delay(5)
        for (app in apps + apps) app.syncNow()
        watched.forEach { states -> states.first { !it.offline && it.offlineText.isEmpty() && it.waiting == 0u } }
        assertEquals(0L to 4_500L, buyer.balances().single().let { it.pending to it.confirmed })
        assertEquals(3, buyer.history(group).size)
        assertEquals(listOf<Long?>(1_000, 1_500, 2_000), cafe.merchantToday().sales.map { it.claimed?.units }.sortedBy { it })
        for (app in apps) assertTrue(app.outbox().isEmpty())
        watched.forEach { it.close() }
    }

    @Test
    fun `edge 48 - a redemption whose answer is lost is being checked, and then known`() = runBlocking {
        sellAndClaim(20_000)
        buyer.syncNow()
        val code = buyer.redemptionCode(group, 700).code
        val states = States(cafe)
        cable.loseAnswers()
        val op = assertIs<Redemption.BeingChecked>(cafe.redeem(code, 700)).op
        states.first { it.offline && it.waiting == 1u }
        cable.mend()
        states.first { !it.offline && it.waiting == 0u }
        assertEquals(Fate.Applied, cafe.fate(op))
        buyer.syncNow()
        assertEquals(300L, buyer.balances().single().confirmed)
        states.close()
    }

    @Test
    fun `edge 49 - a hotspot that answers in the server's place is told as such, and nothing is lost`() = runBlocking {
        val states = States(cafe)
        for (answers in listOf(cable::leadToPortal, cable::leadToLogin)) {
            answers()
            sellAndClaim(20_000)
            // A request on a connection that was cut may still fail as such: one a lane.
            val told = listOf(1, 2, 3, 4).map { cafe.isOffline() }.last()
            assertEquals("not_our_server", told.code)
            assertTrue("Wi-Fi" in told.text, told.text)
            states.first { it.offlineCode == "not_our_server" && it.offlineText.startsWith("Check the Wi-Fi's sign-in, ") }
            val newcomer = open("newcomer", "ko")
            val refused = assertFailsWith<ApiException.Offline> { newcomer.beginEnrolment("010-0000-0009") }
            assertEquals("not_our_server", refused.code)
            assertTrue("와이파이 로그인" in refused.text, refused.text)
            newcomer.close()
            apps -= newcomer
        }
        cable.mend()
        for (app in apps) app.syncNow()
        states.first { it.offlineCode.isEmpty() && it.waiting == 0u }
        assertEquals(2_000L, buyer.balances().single().confirmed)
        assertEquals(2, cafe.merchantToday().sales.size)
        states.close()
    }

    @Test
    fun `edge 49 - half an answer is none, and is asked for again`() = runBlocking {
        cable.halveAnswers()
        sellAndClaim(20_000)
        for (app in apps) assertEquals("no_connection", app.isOffline().code)
        assertEquals(0L, buyer.balances().single().confirmed)
        assertEquals(1, buyer.outbox().size)
        cable.mend()
        for (app in apps) app.syncNow()
        assertEquals(1_000L, buyer.balances().single().confirmed)
    }
}
