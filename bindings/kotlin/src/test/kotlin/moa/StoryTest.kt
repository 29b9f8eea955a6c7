package moa

import java.net.URI
import java.net.URLDecoder
import java.nio.file.Path
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.ApiException
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.AppState
import uniffi.moa.Basis
import uniffi.moa.Channel
import uniffi.moa.Destination
import uniffi.moa.Fate
import uniffi.moa.Founding
import uniffi.moa.Gives
import uniffi.moa.HistoryKind
import uniffi.moa.Invite
import uniffi.moa.Observer
import uniffi.moa.Redemption
import uniffi.moa.RefusedItem
import uniffi.moa.Scan
import uniffi.moa.Scope
import uniffi.moa.ShareIntent
import uniffi.moa.Terms
import uniffi.moa.Validity
import uniffi.moa.VoucherStanding

/** The main job through the bindings, as an app would do it, against the real server. */
class StoryTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var server: Server
    private val apps = mutableListOf<App>()

    @BeforeEach
    fun start() {
        server = Server(folder.resolve("server"))
    }

    @AfterEach
    fun stop() {
        apps.forEach { it.close() }
        server.close()
    }

    private fun open(name: String, url: String = server.url, language: String = "en"): App =
        App.open(AppConfig(folder.resolve(name).toString(), url, language)).also { apps += it }

    private suspend fun enrolled(name: String, phone: String, language: String = "en"): App {
        val app = open(name, language = language)
        app.beginEnrolment(phone)
        val signedUp = app.confirmEnrolment(server.code(phone))
        assertEquals(32, signedUp.account.length)
        assertEquals(11, assertNotNull(signedUp.recoveryCode).length)
        assertEquals(listOf(true), app.devices().map { it.thisPhone })
        assertTrue(app.signedIn())
        return app
    }

    private suspend fun shop(name: String, phone: String): App {
        val app = enrolled(name, phone)
        app.registerMerchant(name, null)
        app.syncNow()
        assertTrue(assertNotNull(app.ownShop()).confirmed)
        return app
    }

    private fun founding(name: String, rate: Int) =
        Founding(name, Scope.BUILDING, Terms(Gives.Points(rate.toUShort()), Validity.Months(6u), 1_000, Basis.ON_ISSUE))

    @Test
    fun `an invitation leaves by each channel, and what comes in leads back to it`() = runBlocking {
        val cafe = shop("Cafe & \"Bar\" #1", "010-0000-0001")
        val group = cafe.foundGroup(founding("Alley", 500))
        cafe.syncNow()
        val token = "d7".repeat(16)
        val invite = Invite.Group(group, token, null, 1_798_761_600_000)
        val bakery = enrolled("bakery", "010-0000-0002")
        fun opens(text: String) = assertIs<Destination.Invitation>(assertIs<Scan.Link>(bakery.readCode(text)).destination).token

        val sms = assertIs<ShareIntent.Sms>(cafe.shareIntent(invite, Channel.SMS, "010-1234-5678"))
        assertEquals("+821012345678", sms.to)
        assertTrue("Cafe & \"Bar\" #1" in sms.body && "5%" in sms.body && "6 months" in sms.body && "1 shop" in sms.body, sms.body)
        assertTrue(sms.url.startsWith("sms:+821012345678?&body=%5BMoa%5D%20"), sms.url)
        assertEquals(token, opens(sms.body), "the whole message, pasted")
        val mail = assertIs<ShareIntent.Mail>(cafe.shareIntent(invite, Channel.EMAIL, "Hello@Bakery.EXAMPLE"))
        assertEquals("Hello@bakery.example", mail.to)
        val kakao = assertIs<ShareIntent.Kakao>(cafe.shareIntent(invite, Channel.KAKAO_TALK))
        val parameter = assertNotNull(kakao.parameter)
        assertEquals(token, opens("kakao00ff://kakaolink?${parameter.name}=${parameter.value}"))
        assertEquals(token, opens(kakao.link))
        for (channel in listOf(Channel.LINE, Channel.TELEGRAM, Channel.WHATS_APP, Channel.MESSENGER)) {
            val url = URI(assertIs<ShareIntent.OpenUrl>(cafe.shareIntent(invite, channel)).url)
            val values = url.rawQuery.split('&').map { URLDecoder.decode(it.substringAfter('='), Charsets.UTF_8) }
            assertTrue(values.any { token in it }, "$channel: $url")
        }
        assertTrue(token in assertIs<ShareIntent.Sheet>(cafe.shareIntent(invite, Channel.SHEET)).text)
        assertTrue(token in assertIs<ShareIntent.Copy>(cafe.shareIntent(invite, Channel.COPY)).text)
        assertEquals(ShareIntent.Nothing, cafe.shareIntent(invite, Channel.IN_APP))
        assertTrue(cafe.invitationQr(invite).side <= 37u)

        val buyer = Invite.App(null, token, null, null)
        assertTrue(assertIs<ShareIntent.Copy>(bakery.shareIntent(buyer, Channel.COPY)).text.endsWith(token))
        assertEquals("contact_not_a_number", assertFailsWith<ApiException.Refused> { cafe.contact("1588-1234") }.code)
        assertEquals("code_is_payment", assertFailsWith<ApiException.NotOurs> { bakery.readCode("00020101021229300012D156000000000510A93FO3230Q") }.code)
        assertEquals("code_invitation_mistyped", assertFailsWith<ApiException.NotOurs> { bakery.readCode("7k3m 9qxx") }.code)
    }

    @Test
    fun `from a scan to a balance, spent next door, refused below the minimum`() = runBlocking {
        val cafe = shop("Cafe", "010-0000-0001")
        val bakery = shop("Bakery", "010-0000-0002")
        val group = cafe.foundGroup(founding("Alley", 500))
        val wide = cafe.foundGroup(founding("Town", 200))
        cafe.syncNow()
        assertEquals("Alley", bakery.lookUpGroup(group).name)
        bakery.joinGroup(group, 1u)
        bakery.syncNow()
        assertEquals(listOf(group), bakery.ownGroups().filter { it.confirmed }.map { it.id })

        val buyer = enrolled("buyer", "010-0000-0003")
        buyer.syncNow()
        val states = LinkedBlockingQueue<AppState>()
        val subscription = buyer.subscribe(object : Observer {
            override fun changed(state: AppState) {
                states += state
            }
        })
        assertNotNull(states.poll(20, TimeUnit.SECONDS), "told at once")

        // The network goes: what follows is the phones' own.
        server.close()
        val voucher = cafe.recordSale(30_000)
        assertEquals("₩30,000", voucher.amountText)
        assertTrue(Regex("Can be scanned until \\d\\d:\\d\\d").matches(voucher.goodUntilText), voucher.goodUntilText)
        assertEquals("Waiting to be sent", cafe.merchantToday().sales.single().standingText)
        assertEquals(voucher.qr.side.toInt() * voucher.qr.side.toInt(), voucher.qr.modules.size)
        val scanned = assertIs<Scan.Voucher>(buyer.readCode(voucher.code)).voucher
        assertEquals("Cafe", assertNotNull(scanned.shop).name)
        assertEquals(VoucherStanding.OPEN, scanned.standing)
        val choices = buyer.choices(voucher.code)
        assertEquals(listOf(group, wide), choices.map { it.group }, "best rate first")
        assertEquals(1_500, choices[0].earns)
        assertTrue(choices[0].reasonText.orEmpty().startsWith("It gives the most"), choices[0].reasonText)
        assertTrue(choices[0].expectedUse in 1..1_500, "${choices[0].expectedUse}")
        assertTrue("about ₩" in choices[0].expectedUseText, choices[0].expectedUseText)
        assertEquals(setOf("Cafe", "Bakery"), choices[0].members.map { it.name }.toSet())
        assertEquals(1_500, buyer.claim(voucher.code, choices[0]).earns)
        buyer.balances().single().let { assertEquals(0L to 1_500L, it.confirmed to it.pending) }
        val twice = assertFailsWith<ApiException.Refused> { buyer.claim(voucher.code, choices[0]) }
        assertEquals("sale_already_claimed", twice.code)
        assertNull(twice.op, "the phone itself said no")
        assertFailsWith<ApiException.Offline> { buyer.syncNow() }

        // And comes back, elsewhere: phones are told by their owner, here by opening them anew.
        apps.forEach { it.close() }
        apps.clear()
        subscription.cancel()
        server = Server(folder.resolve("server"))
        val (cafe2, bakery2, buyer2) = listOf(open("Cafe"), open("Bakery"), open("buyer"))
        buyer2.syncNow()
        cafe2.syncNow()
        val balance = buyer2.balances().single()
        assertEquals(1_500L to 0L, balance.confirmed to balance.pending)
        assertEquals("Alley: 1,500 points", balance.line)
        assertEquals(1_500L, cafe2.merchantToday().sales.single().claimed?.units)
        assertEquals("1,500 points collected", cafe2.merchantToday().sales.single().standingText)
        assertEquals("", balance.expiringText, "good for six months")

        val code = buyer2.redemptionCode(group, 1_200)
        assertTrue(Regex("Good until \\d\\d:\\d\\d:\\d\\d").matches(code.goodUntilText), code.goodUntilText)
        val permission = assertIs<Scan.Redemption>(bakery2.readCode(code.code)).code
        assertEquals(1_200L to "At most 1,200 points", permission.most to permission.atMostText)
        assertIs<Redemption.Approved>(bakery2.redeem(code.code, 1_200))
        buyer2.syncNow()
        assertEquals(300, buyer2.balances().single().confirmed)
        assertEquals(
            listOf(HistoryKind.REDEMPTION, HistoryKind.ACCRUAL),
            buyer2.history(group).map { it.kind },
        )

        val second = buyer2.redemptionCode(group, 300)
        val refused = assertFailsWith<ApiException.Refused> { bakery2.redeem(second.code, 300) }
        assertEquals("below_minimum", refused.code)
        assertEquals(mapOf("minimum" to 1_000L, "available" to 300L), refused.figures)
        assertContains(refused.text, "1,000")
        assertContains(refused.text, "300")
        assertEquals(refused.text, refused.toString())
        val op = assertNotNull(refused.op)
        assertEquals(Fate.Refused(refused.code, refused.text), bakery2.fate(op))
        assertNull(buyer2.fate(op), "of another phone")
        assertEquals(listOf(RefusedItem(op, refused.code, refused.text)), bakery2.state().refusals)
        bakery2.dismiss(op)
        assertTrue(bakery2.state().refusals.isEmpty())
    }

    @Test
    fun `a shop scans the buyer, and the buyer chooses`() = runBlocking {
        val cafe = shop("Cafe", "010-0000-0001")
        val alley = cafe.foundGroup(founding("Alley", 500))
        cafe.syncNow()
        val buyer = enrolled("buyer", "010-0000-0003")
        buyer.syncNow()

        val member = buyer.memberCode()
        assertEquals(47, member.code.length)
        assertEquals(29u, member.qr.side)
        assertFalse(assertIs<Scan.Member>(cafe.readCode(member.code)).code.expired)
        cafe.recordSaleFor(30_000, member.code)
        cafe.syncNow()
        buyer.syncNow()
        assertEquals(1_500, buyer.balances().single().confirmed, "one group: nothing to choose")
        assertTrue(buyer.waitingSales().isEmpty())

        val town = cafe.foundGroup(founding("Town", 200))
        cafe.syncNow()
        val sale = cafe.recordSaleFor(30_000, buyer.memberCode().code)
        cafe.syncNow()
        buyer.syncNow()
        val waiting = buyer.waitingSales().single()
        assertEquals(sale to "₩30,000", waiting.sale to waiting.amountText)
        assertEquals(listOf(alley, town), waiting.choices.map { it.group }, "best rate first")
        buyer.claimWaiting(sale, waiting.choices[1])
        assertTrue(buyer.waitingSales().single().chosen)
        buyer.syncNow()
        assertTrue(buyer.waitingSales().isEmpty())
        assertEquals(600, buyer.balances().single { it.group == town }.confirmed)
        val voucher = cafe.recordSale(1_000)
        val refused = assertFailsWith<ApiException.Refused> { cafe.recordSaleFor(1_000, voucher.code) }
        assertEquals("member_code_unknown", refused.code)
    }

    /** A purchase that is planned at a bakery of the alley is a reason for the alley, until it is forgotten. */
    private suspend fun plans(cafe: App, buyer: App, alley: String) {
        val bakery = shop("Bakery", "010-0000-0002")
        bakery.joinGroup(alley, bakery.lookUpGroup(alley).termsVersion)
        bakery.syncNow()
        buyer.lookUpGroup(alley)
        val there = assertNotNull(bakery.ownShop()).id
        buyer.lookUpShop(there)
        assertEquals(listOf(there), buyer.shopsToPlanAt("bake").map { it.id })
        val day = buyer.planDay(40u)
        val reason = "You can use it at Bakery on ${day.text}"
        val voucher = cafe.recordSale(10_000).code
        fun told() = buyer.choices(voucher).filter { reason in it.reasonText.orEmpty() }.map { it.name }
        assertEquals(emptyList(), told())
        val unsent = buyer.outbox()
        val plan = buyer.planPurchase(there, 30_000, day.day)
        val noted = buyer.plannedPurchases().single()
        assertEquals(listOf(plan, "Bakery", "₩30,000", day.day, day.text), noted.run { listOf(id, shop.name, amountText, this.day, dayText) })
        assertFalse(noted.overdue)
        assertEquals(listOf("Alley"), told())
        assertTrue(buyer.outbox() == unsent && "sent to nobody" in buyer.plansText())
        buyer.forgetPlan(plan)
        assertEquals(emptyList(), told() + buyer.plannedPurchases().map { it.id })
        val late = assertFailsWith<ApiException.Refused> { buyer.planPurchase(there, 30_000, "2020-02-29") }
        assertEquals("bad_plan_day", late.code)
        assertFailsWith<ApiException.Invalid> { buyer.planPurchase(there, 30_000, "soon") }
    }

    @Test
    fun `what is chosen beforehand, digits read aloud, and a phone number`() = runBlocking {
        val cafe = shop("Cafe", "010-0000-0001")
        val alley = cafe.foundGroup(founding("Alley", 500))
        val town = cafe.foundGroup(founding("Town", 200))
        cafe.syncNow()
        val buyer = enrolled("buyer", "010-0000-0003")
        buyer.syncNow()
        suspend fun hears() {
            cafe.syncNow()
            buyer.syncNow()
        }
        fun confirmed(group: String) = buyer.balances().find { it.group == group }?.confirmed ?: 0

        buyer.setStandingChoice(listOf(town), true)
        assertTrue(buyer.standingChoice().pending)
        assertFalse(buyer.marketingConsent().agreed, "nobody has agreed who was not asked")
        assertTrue("withdraw" in buyer.marketingText())
        buyer.setMarketingConsent(true)
        assertTrue(buyer.marketingConsent().pending)
        hears()
        val agreed = buyer.marketingConsent()
        assertTrue(agreed.agreed && agreed.since != null && !agreed.pending)
        val standing = buyer.standingChoice()
        assertEquals(listOf("Town"), standing.groups.map { it.name })
        assertTrue(standing.bestAfterADay && !standing.pending)
        cafe.recordSaleFor(30_000, buyer.memberCode().code)
        hears()
        assertEquals(600L to 0L, confirmed(town) to confirmed(alley))

        buyer.setStandingChoice(emptyList(), false)
        buyer.setAlwaysBest(true)
        assertTrue(buyer.alwaysBest())
        hears()
        val earning = buyer.oneTimeCodeForEarning()
        assertEquals(earning.digits, earning.text.replace(" ", ""))
        assertEquals(earning.text, assertIs<Scan.OneTime>(cafe.readCode(earning.digits)).text)
        cafe.recordSaleFor(30_000, earning.text)
        hears()
        assertEquals(1_500, confirmed(alley), "the best, without a question")
        val voucher = cafe.recordSale(10_000)
        assertEquals(500, assertNotNull(buyer.claimAtOnce(voucher.code)).earns)
        assertNull(buyer.claimAtOnce(voucher.code), "claimed already")
        cafe.recordSaleToNumber(10_000, "010 0000 0003")
        hears()
        assertEquals(2_500, confirmed(alley))
        val here = assertNotNull(cafe.ownShop()).id
        buyer.alwaysAtShop(here, town)
        assertEquals("Town", buyer.standingAtShops().single().always?.name)
        assertEquals(200, assertNotNull(buyer.claimAtOnce(cafe.recordSale(10_000).code)).earns)
        buyer.askAtShop(here)
        assertNull(buyer.claimAtOnce(cafe.recordSale(10_000).code), "it is asked")
        buyer.asEverywhereAtShop(here)
        assertEquals(emptyList(), buyer.standingAtShops())
        plans(cafe, buyer, alley)

        val paying = buyer.oneTimeCodeForPaying(alley, 1_200)
        assertIs<Redemption.Approved>(cafe.redeem(paying.text, 1_200))
        hears()
        assertEquals(1_300, confirmed(alley))
        val last = if (paying.digits.last() == '0') '1' else '0'
        val mistyped = assertFailsWith<ApiException.NotOurs> { cafe.redeem(paying.digits.dropLast(1) + last, 1) }
        assertEquals("code_mistyped", mistyped.code)
        val again = assertFailsWith<ApiException.Server> { cafe.redeem(earning.digits, 1) }
        assertEquals("one_time_code_unknown", again.code)
        val slip = assertFailsWith<ApiException.Refused> { cafe.recordSaleToNumber(1_000, "12") }
        assertEquals("bad_number", slip.code)
    }

    @Test
    fun `an observer is told at once and on every change, until it is cancelled`() = runBlocking {
        val cafe = shop("Cafe", "010-0000-0001")
        cafe.foundGroup(founding("Alley", 500))
        cafe.syncNow()
        val buyer = enrolled("buyer", "010-0000-0003")
        buyer.syncNow()
        val states = LinkedBlockingQueue<AppState>()
        val subscription = buyer.subscribe(object : Observer {
            override fun changed(state: AppState) {
                states += state
            }
        })
        val first = assertNotNull(states.poll(20, TimeUnit.SECONDS))
        assertTrue(first.signedIn && first.balances.isEmpty())
        val voucher = cafe.recordSale(40_000)
        buyer.claim(voucher.code, buyer.choices(voucher.code).first())
        val settled = generateSequence { states.poll(20, TimeUnit.SECONDS) }
            .first { state -> state.balances.any { it.confirmed == 2_000L } }
        assertEquals(0u, settled.waiting)
        assertFalse(settled.offline || settled.integrityBroken)
        subscription.cancel()
        subscription.close()
    }

    @Test
    fun `errors have fields, and a text in the app's language`() = runBlocking<Unit> {
        val english = open("en")
        val korean = open("ko", language = "ko")
        assertFalse(english.signedIn())
        assertNull(english.ownShop())
        val texts = listOf(english, korean).map { app ->
            val refused = assertFailsWith<ApiException.Refused> { app.recordSale(0) }
            assertEquals("amount_not_positive", refused.code)
            refused.text
        }
        assertFalse(texts[0].any { it in '가'..'힣' })
        assertTrue(texts[1].any { it in '가'..'힣' })
        val payment = assertFailsWith<ApiException.NotOurs> { english.readCode("00020101021229300012D156000000000510A93FO3230Q") }
        assertEquals("code_is_payment", payment.code)
        assertEquals(payment.text, payment.toString())
        assertFailsWith<ApiException.Invalid> { english.group("not an id") }
        assertFailsWith<ApiException.Invalid> { english.redemptionCode("00".repeat(16), -1) }
        assertFailsWith<ApiException.SignIn> { english.redemptionCode("00".repeat(16), 1) }
        assertFailsWith<ApiException.Invalid> { open("nowhere", url = "ftp://moa.example") }
        english.beginEnrolment("010-0000-0009")
        val wrong = if (server.code("010-0000-0009") == "000000") "000001" else "000000"
        assertEquals("code_wrong", assertFailsWith<ApiException.Server> { english.confirmEnrolment(wrong) }.code)
    }

    @Test
    fun `a call under way can be cancelled, and a closed app says so`() = runBlocking<Unit> {
        val app = enrolled("buyer", "010-0000-0003")
        val started = CompletableDeferred<Unit>()
        val waiting = launch(Dispatchers.IO) {
            started.complete(Unit)
            // A group that nobody founded: the answer takes its time or says that it is not there.
            runCatching { app.lookUpGroup("00".repeat(16)) }
        }
        started.await()
        withTimeout(20_000) { waiting.cancelAndJoin() }
        app.close()
        apps.clear()
        assertFailsWith<IllegalStateException> { app.balances() }
    }
}
