package moa

import java.nio.file.Path
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneId
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
import uniffi.moa.Balance
import uniffi.moa.Basis
import uniffi.moa.Correction
import uniffi.moa.Fate
import uniffi.moa.Founding
import uniffi.moa.Gives
import uniffi.moa.GrantReason
import uniffi.moa.HistoryKind
import uniffi.moa.HoldAsked
import uniffi.moa.MileageUnit
import uniffi.moa.Recipient
import uniffi.moa.Redemption
import uniffi.moa.Scope
import uniffi.moa.Terms
import uniffi.moa.Validity

/** Kinds, holds, reversals, refunds, grants, and groups that change: one path each. */
class LedgerTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var server: Server
    private lateinit var cafe: App
    private lateinit var buyer: App
    private val apps = mutableListOf<App>()

    @BeforeEach
    fun start() = runBlocking {
        server = Server(folder.resolve("server"), testClock = true)
        cafe = shop("Cafe", "010-0000-0001")
        buyer = enrolled("buyer", "010-0000-0002")
    }

    @AfterEach
    fun stop() {
        apps.forEach { it.close() }
        server.close()
    }

    private suspend fun enrolled(name: String, number: String): App =
        App.open(AppConfig(folder.resolve(name).toString(), server.url, "en")).also { apps += it }.apply {
            beginEnrolment(number)
            confirmEnrolment(server.code(number))
            syncNow()
        }

    private suspend fun shop(name: String, number: String): App = enrolled(name, number).apply {
        registerMerchant(name, null)
        syncNow()
    }

    private val points = Terms(Gives.Points(1_000u), Validity.Months(6u), 0, Basis.ON_ISSUE)

    private suspend fun founded(terms: Terms): String =
        cafe.foundGroup(Founding("Alley", Scope.BUILDING, terms)).also { settle() }

    private suspend fun settle() {
        for (app in apps) app.syncNow()
        for (app in apps) app.syncNow()
    }

    /** The buyer buys and collects. Gives the sale. */
    private suspend fun buys(amount: Long): String {
        val voucher = cafe.recordSale(amount)
        buyer.claim(voucher.code, buyer.choices(voucher.code).first())
        settle()
        return voucher.sale
    }

    private fun balance(unit: MileageUnit = MileageUnit.Point): Balance = buyer.balances().single { it.unit == unit }

    private fun refusal(call: () -> Unit): String = assertFailsWith<ApiException.Refused> { call() }.code

    @Test
    fun `stamps fill cards, a card is held, taken in part, and given back`() = runBlocking {
        val group = founded(Terms(Gives.Stamps(1_000, 10u, 5_000), Validity.Months(6u), 0, Basis.ON_ISSUE))
        val card = MileageUnit.Stamp(10u)
        val voucher = cafe.recordSale(7_000)
        val choice = buyer.choices(voucher.code).single()
        assertEquals("7 stamps" to "₩5,000 for 10", choice.earnsText to choice.rateText)
        assertEquals("a stamp for each ₩1,000 spent, 10 are good for ₩5,000", choice.promiseText)
        buyer.claim(voucher.code, choice)
        settle()
        assertEquals("7 stamps, 3 more fill a card", balance(card).cardsText)
        assertEquals(0L, balance(card).usable)
        buys(16_000)
        assertEquals("2 full cards and 3 stamps, 7 more fill a card", balance(card).cardsText)
        assertEquals("20 stamps", balance(card).usableText)

        val code = buyer.redemptionCode(group, 20)
        assertEquals("20 stamps", code.mostText)
        assertEquals("whole_cards", assertFailsWith<ApiException.Refused> { cafe.hold(code.code, 15) }.code)
        val hold = assertIs<HoldAsked.Held>(cafe.hold(code.code, 20, 120u)).hold
        settle()
        assertEquals("20 stamps", cafe.holds().single().mileage.text)
        assertEquals(hold, buyer.held().single().hold)
        assertEquals(listOf("20 stamps held for a shop"), balance(card).notes)
        val taken = assertIs<Redemption.Approved>(cafe.captureHold(hold, 10)).op
        settle()
        assertTrue(cafe.holds().isEmpty())
        assertEquals(13L to 0L, balance(card).confirmed to balance(card).held)
        assertEquals("10 stamps", cafe.merchantToday().redeemed.single().text)

        cafe.reverse(taken)
        settle()
        assertEquals(23L, balance(card).confirmed)
        assertEquals(HistoryKind.REVERSAL, buyer.history(group).first().kind)
        assertEquals("10 stamps given back", cafe.merchantToday().reversals.single().text)
        assertEquals("already_reversed", refusal { cafe.reverse(taken) })
        val tooMuch = assertFailsWith<ApiException.Refused> { cafe.redeem(buyer.redemptionCode(group, 30).code, 30) }
        assertEquals("Asked for 30 stamps; this wallet has 23. Use 23 or fewer.", tooMuch.text)
    }

    @Test
    fun `a refund takes back what was earned, and the next earning pays what was not there`() = runBlocking {
        val group = founded(points)
        val sale = buys(20_000)
        val paid = assertIs<Redemption.Approved>(cafe.redeem(buyer.redemptionCode(group, 1_500).code, 1_500)).op
        val preview = cafe.refundPreview(sale, 20_000)
        assertEquals("₩20,000 refunded, 2,000 points taken back", preview.text)
        val op = cafe.refund(sale, 20_000)
        assertNull(cafe.refundOf(op))
        settle()
        val refund = assertNotNull(cafe.refundOf(op))
        assertEquals("₩20,000 refunded, 500 points taken back, 1,500 points still owed", refund.text)
        assertEquals(listOf(refund), cafe.merchantToday().refunds)
        assertEquals(0L to 1_500L, balance().confirmed to balance().owed)
        buys(50_000)
        assertEquals(3_500L to 0L, balance().confirmed to balance().owed)
        assertEquals(HistoryKind.DEBT_PAID, buyer.history(group).first().kind)

        // Mileage paid a part: both come back. A sale that nobody claimed is voided, and a wrong amount put right.
        val rest = cafe.recordRest(8_500, paid)
        settle()
        assertEquals("₩850 refunded, 150 points given back", cafe.refundPreview(rest.sale, 1_000).text)
        cafe.voidSale(rest.sale)
        settle()
        assertTrue(assertNotNull(cafe.sale(rest.sale)).voided)
        assertEquals("sale_voided", refusal { cafe.voidSale(rest.sale) })
        val wrong = cafe.recordSale(1_000).sale
        val more = assertIs<Correction.Sale>(cafe.correctSale(wrong, 1_500)).voucher
        assertEquals(500L, more.amount)
        settle()
        assertIs<Correction.Refund>(cafe.correctSale(wrong, 900))
        settle()
        assertEquals("₩100 refunded", assertNotNull(cafe.sale(wrong)).refundedText)
    }

    @Test
    fun `two shops agree to other terms, which are in force from their day on, and one of them leaves`() = runBlocking<Unit> {
        val group = founded(points)
        val bakery = shop("Bakery", "010-0000-0003")
        bakery.joinGroup(group, 1u)
        settle()
        buys(10_000)
        val seoul = ZoneId.of("Asia/Seoul")
        val tomorrow: LocalDate = Instant.ofEpochMilli(cafe.now()).atZone(seoul).toLocalDate().plusDays(1)
        val stamps = Terms(Gives.Stamps(null, 5u, 5_000), Validity.Months(3u), 0, Basis.ON_ISSUE, null, 6_700u)
        cafe.amendTerms(group, stamps, tomorrow.toString())
        settle()
        val proposed = assertNotNull(assertNotNull(bakery.group(group)).amendment)
        assertEquals(stamps to 2u, proposed.terms to proposed.needed)
        assertTrue(proposed.text.endsWith("1 of 2 needed agree so far"), proposed.text)
        bakery.answerAmendment(group, proposed.id, true)
        settle()
        val agreed = assertNotNull(assertNotNull(buyer.lookUpGroup(group)).amendment)
        assertTrue(agreed.text.startsWith("The terms change on "), agreed.text)

        server.move(tomorrow.atStartOfDay(seoul).toInstant().toEpochMilli())
        settle()
        val changed = buyer.lookUpGroup(group)
        assertEquals(2u to stamps, changed.termsVersion to changed.terms)
        assertEquals("67% of the members agree", changed.consentText)
        buys(10_000)
        assertEquals("1,000 points", balance().confirmedText, "old points stay points")
        assertEquals("1 stamp, 4 more fill a card", balance(MileageUnit.Stamp(5u)).cardsText)

        assertEquals("admin_stays", refusal { cafe.leaveGroup(group) })
        val left = bakery.leaveGroup(group)
        settle()
        assertEquals(Fate.Applied, bakery.fate(left))
        assertTrue(bakery.ownGroups().isEmpty())
        assertEquals(listOf("Cafe"), buyer.lookUpGroup(group).members.map { it.name })
        cafe.closeGroup(group)
        settle()
        assertNotNull(assertNotNull(cafe.ownGroups().single().group).closing)
    }

    @Test
    fun `opening balances come from a table, once, and a shop gives and takes away`() = runBlocking {
        val group = founded(points)
        val file = "전화번호,점수\r\n010-0000-0002,\"1,200\"\r\n010-0000-0009,300\r\nnobody,5\r\n".toByteArray()
        cafe.previewOpening(group, file).use { opening ->
            val preview = opening.preview()
            assertEquals("1,500 points for 2 customers, worth ₩1,500", preview.text)
            assertEquals("1 row left out", preview.leftOutText)
            assertEquals(listOf(true, true, false), preview.rows.map { it.good })
            assertEquals(2uL, cafe.importOpening(opening))
            assertEquals("file_already_imported", assertFailsWith<ApiException.Refused> { cafe.importOpening(opening) }.code)
        }
        settle()
        assertEquals("2 given, 0 waiting, 0 refused", cafe.openings().single().text)
        assertEquals(1_200L, balance().confirmed)
        assertEquals(HistoryKind.GRANT, buyer.history(group).single().kind)
        val missing = assertFailsWith<ApiException.Refused> { cafe.previewOpening(group, "phone\n1".toByteArray()) }
        assertEquals("The first line has no column 'units'. Name it and try again.", missing.text)
        val late = enrolled("late", "010-0000-0009")
        assertEquals(300L, late.balances().single().confirmed, "it waited for its owner")

        cafe.grant(group, Recipient.Code(buyer.memberCode().code), 100, GrantReason.GOODWILL, "2030-01-31")
        val account = assertNotNull(assertNotNull(cafe.sale(buys(1_000))).buyer)
        cafe.takeAway(group, account, 50, GrantReason.CORRECTION)
        settle()
        assertEquals(1_350L, balance().confirmed)
        assertEquals("50 points taken away by Cafe (a correction)", buyer.history(group).first().line)
    }
}
