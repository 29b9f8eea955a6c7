package moa

import java.nio.file.Path
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
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
import uniffi.moa.PassState
import uniffi.moa.Payment
import uniffi.moa.Redemption
import uniffi.moa.Scan
import uniffi.moa.Scope
import uniffi.moa.StaffLimits
import uniffi.moa.Terms
import uniffi.moa.Validity

/** Clerks, second phones, and paying where one side has no signal, or neither. */
class PeopleTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var server: Server
    private lateinit var cable: Cable
    private lateinit var cafe: App
    private lateinit var shop: String
    private lateinit var group: String
    private val apps = mutableListOf<App>()
    private val accounts = mutableMapOf<String, String>()

    /** How often each number was told a code. */
    private val numbers = mutableMapOf<String, Int>()

    /** A shop with a group, whose till reaches the server by a cable. */
    @BeforeEach
    fun start() = runBlocking {
        server = Server(folder.resolve("server"))
        cable = Cable(server.url)
        cafe = enrolled("cafe", "010-0000-0001", cable.url)
        cafe.registerMerchant("Cafe", null)
        cafe.syncNow()
        shop = assertNotNull(cafe.ownShop()).id
        group = cafe.foundGroup(Founding("Alley", Scope.BUILDING, Terms(Gives.Points(1_000u), Validity.Months(6u), 100, Basis.ON_ISSUE)))
        cafe.syncNow()
    }

    @AfterEach
    fun stop() {
        apps.forEach { it.close() }
        cable.close()
        server.close()
    }

    private suspend fun enrolled(name: String, number: String, url: String = server.url): App =
        App.open(AppConfig(folder.resolve(name).toString(), url, "en")).also { apps += it }.apply {
            beginEnrolment(number)
            val messages = numbers.merge(number, 1, Int::plus)!!
            accounts[name] = confirmEnrolment(server.code(number, messages)).account
        }

    private suspend fun buyerWith(amount: Long): App {
        val buyer = enrolled("buyer", "010-0000-0002")
        buyer.syncNow()
        val voucher = cafe.recordSale(amount).code
        buyer.claim(voucher, buyer.choices(voucher).first())
        for (app in listOf(buyer, cafe)) app.syncNow()
        return buyer
    }

    private fun App.balance(): Long = balances().single().confirmed

    private fun refusal(call: () -> Unit): ApiException.Refused = assertFailsWith { call() }

    @Test
    fun `an owner invites a clerk, who sells within the limits without a network, and is removed`() = runBlocking {
        val clerk = enrolled("clerk", "010-0000-0003", cable.url)
        clerk.syncNow()
        assertNull(clerk.tillState())
        val limits = StaffLimits(30_000, 50_000)
        val invitation = cafe.staffInvitation(limits).code
        val scanned = assertIs<Scan.Invitation>(clerk.readCode(invitation)).invitation
        assertEquals(limits, scanned.limits)
        clerk.joinStaff(invitation)
        clerk.syncNow()
        assertEquals(shop, assertNotNull(clerk.ownShop()).id)

        cable.cut()
        val states = LinkedBlockingQueue<AppState>()
        val subscription = clerk.subscribe(object : Observer {
            override fun changed(state: AppState) {
                states += state
            }
        })
        assertEquals("over_sale_limit", refusal { clerk.recordSale(30_001) }.code)
        clerk.recordSale(30_000)
        val full = refusal { clerk.recordSale(20_001) }
        assertEquals("over_day_limit", full.code)
        assertContains(full.text, "50,000")
        val told = generateSequence { states.poll(20, TimeUnit.SECONDS) }.first { it.till?.unconfirmed == 1uL }
        assertEquals(limits, assertNotNull(told.till).limits)
        assertTrue(assertNotNull(told.till).refusesText.isEmpty())
        subscription.cancel()
        subscription.close()

        cable.mend()
        clerk.syncNow()
        assertEquals(0uL, assertNotNull(clerk.tillState()).unconfirmed)
        assertEquals("not_allowed", refusal { clerk.staffInvitation(limits) }.code)
        cafe.removeStaff(accounts["clerk"])
        cafe.syncNow()
        clerk.syncNow()
        assertNull(clerk.ownShop())
        assertEquals("no_merchant", refusal { clerk.recordSale(1_000) }.code)
        assertEquals(listOf(30_000L), cafe.merchantToday().sales.map { it.amount })

        // Invited again, the same phone goes on where it left.
        clerk.joinStaff(cafe.staffInvitation(limits).code)
        clerk.syncNow()
        assertEquals(shop, assertNotNull(clerk.ownShop()).id)
        assertEquals("over_day_limit", refusal { clerk.recordSale(20_001) }.code)
    }

    @Test
    fun `a second phone waits 48 hours unless the first admits it, and is listed and revoked`() = runBlocking {
        val first = buyerWith(50_000)
        val second = enrolled("second", "010-0000-0002")
        second.syncNow()
        assertEquals(5_000, second.balance())
        val early = assertFailsWith<ApiException.Refused> { second.pay(shop, group, 1_000) }
        assertEquals("device_too_new", early.code)
        assertContains(early.text, "48")
        val listed = first.devices()
        assertEquals(listOf(true, false), listed.map { it.thisPhone }.sortedDescending())
        val other = listed.single { !it.thisPhone }.id

        val admission = first.admitDevice(other)
        first.syncNow()
        assertEquals(Fate.Applied, first.fate(admission))
        second.syncNow()
        assertIs<Payment.Approved>(second.pay(shop, group, 1_000))

        first.revokeDevice(other)
        first.syncNow()
        val code = second.redemptionCode(group, 500).code
        val late = assertFailsWith<ApiException.Refused> { cafe.redeem(code, 500) }
        assertEquals("revoked_key", late.code)
        assertIs<Redemption.Approved>(cafe.redeem(first.redemptionCode(group, 500).code, 500))
        first.syncNow()
        assertEquals(3_500, first.balance())
    }

    @Test
    fun `paid at a shop behind a cut cable, whose till takes the server's word from the buyer's screen once`() = runBlocking {
        val buyer = buyerWith(50_000)
        cable.cut()
        val approval = assertIs<Payment.Approved>(buyer.pay(shop, group, 2_000)).approval
        assertEquals(2_000, approval.units)
        assertIs<Scan.Approval>(cafe.readCode(approval.code))
        assertEquals(2_000, cafe.takeApproval(approval.code).units)
        assertEquals("approval_seen", refusal { cafe.takeApproval(approval.code) }.code)
        assertEquals(listOf("2,000 points"), cafe.merchantToday().redeemed.map { it.text })
        val tooMuch = assertFailsWith<ApiException.Refused> { buyer.pay(shop, group, 3_001) }
        assertEquals("not_enough", tooMuch.code)

        cable.mend()
        cafe.syncNow()
        assertEquals(listOf(2_000L), cafe.merchantToday().redeemed.map { it.units }, "counted once")
        buyer.syncNow()
        assertEquals(3_000, buyer.balance())
    }

    @Test
    fun `a pass is spent with both sides offline, and both learn the same`() = runBlocking {
        val buyer = buyerWith(50_000)
        val pass = buyer.reservePass(shop, group, 3_000, 24u)
        buyer.syncNow()
        assertEquals(2_000, buyer.balance())
        assertEquals(PassState.OPEN, buyer.passes().single().state)
        // The cable of the till is cut, and the buyer's phone asks nobody.
        cable.cut()
        val shown = buyer.showPass(pass)
        val scanned = assertIs<Scan.Pass>(cafe.readCode(shown.code)).pass
        assertEquals(3_000L to "", scanned.units to scanned.refusedText)
        val took = cafe.takePass(shown.code, 1_200)
        assertEquals("pass_spent", refusal { cafe.takePass(buyer.showPass(pass).code, 1) }.code)

        cable.mend()
        cafe.syncNow()
        assertEquals(Fate.Applied, cafe.fate(took.op))
        buyer.syncNow()
        assertEquals(3_800L to PassState.SPENT, buyer.balance() to buyer.passes().single().state)
    }
}
