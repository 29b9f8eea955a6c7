package moa.ui

import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.App
import uniffi.moa.Scope

/**
 * A picture of each screen. With `MOA_BLESS=1` they go to `android/pictures`, to be looked at; each run draws them,
 * reads the codes in them, and checks what must hold of [any screen][checkScreen].
 */
class PicturesTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `every screen, Korean by day`() =
        gallery(Look("ko", "ko-light"), Names("모퉁이 카페", "골목 상점가", "서울 한 바퀴"), sale = 45_000)

    @Test
    fun `every screen, English by night`() =
        gallery(Look("en", "en-dark", inTheDark = true), Names("Corner Café", "Alley", "Around Seoul"), sale = 45_000)

    @Test
    fun `every screen on a small phone with large letters, long names and a large sale`() = gallery(
        Look("ko", "ko-small", width = 360, height = 640, letters = 1.3f, kept = crowded),
        Names(
            "감나무 골목에서 삼대째 이어 온 할머니 손맛 그대로 참기름과 들기름 짜는 집 본점",
            "감나무 골목과 오래된 우물터 사이 상인들이 함께 꾸리는 적립 모임",
            "서울부터 제주까지 전국 어디서나 쓸 수 있는 골목 가게 연합",
        ),
        sale = 200_000_000,
    )

    /** The screens with the least room to spare. */
    private val crowded = setOf("keypad", "offline", "voucher", "choose", "wallet", "refused", "plans", "new-plan")

    private class Names(val shop: String, val alley: String, val wide: String)

    private fun gallery(look: Look, names: Names, sale: Long) = Table(folder, look.language).use { table ->
        runBlocking {
            val scope = CoroutineScope(Dispatchers.Default.limitedParallelism(1))
            fun Moa.picture(screen: String): Path = draw(screen, look)
            val shopApp = table.phone("shop")
            val customerApp = table.phone("customer")
            val shop = Moa(shopApp, scope, Remembered(), NoApps)
            val customer = Moa(customerApp, scope, Remembered(), NoApps)

            shop.typed = "010-1234-5678"
            shop.picture("number")
            shop.sendCode().join()
            shop.typed = table.digits("010-1234-5678")
            shop.picture("digits")
            shop.signIn().join()
            shop.picture("role")
            shop.choose(Role.SHOP).join()
            shop.typed = names.shop
            shop.picture("open-shop")
            shop.openShop().join()
            val alley = shopApp.found(names.alley, 500, Scope.BUILDING, 6)
            shopApp.found(names.wide, 200, Scope.NATIONWIDE, 12)
            customer.typed = "010-8765-4321"
            customer.sendCode().join()
            customer.typed = table.digits("010-8765-4321")
            customer.signIn().join()
            customer.choose(Role.BUYER).join()
            customer.picture("wallet-empty")

            shop.amount.press(sale.toString())
            shop.picture("keypad")
            shop.recordSale().join()
            val voucher = assertIs<Screen.ShowVoucher>(shop.screen).voucher
            assertEquals(voucher.code, camera(shop.picture("voucher")), "read back from its picture")
            customer.read(voucher.code).join()
            customer.picture("choose")
            customer.claim(voucher.code, assertIs<Screen.Choose>(customer.screen).choices.first()).join()
            customerApp.syncNow()
            val earned = sale / 20
            until { customer.state.balances.any { it.confirmed == earned } }
            shopApp.syncNow()
            until { shop.collected(voucher) != null }
            shop.picture("collected")
            shop.go(Screen.Day)
            shop.picture("day")

            customer.spend(customer.state.balances.single()).join()
            val code = assertIs<Screen.ShowCode>(customer.screen).code
            assertEquals(code.code, camera(customer.picture("spend")), "read back from its picture")
            customer.spendByDigits(customer.state.balances.single()).join()
            val digits = assertIs<Screen.ShowDigits>(customer.screen).code.text
            customer.picture("digits-for-paying")
            shop.go(Screen.ReadCode)
            shop.picture("read-code")
            shop.read(digits).join()
            shop.picture("for-what")
            shop.read(code.code).join()
            val take = assertIs<Screen.Take>(shop.screen)
            take.keypad.press((earned - 750).toString())
            shop.picture("take")
            shop.take(take).join()
            shop.picture("approved")
            customerApp.syncNow()
            shop.read(customerApp.redemptionCode(alley, 750).code).join()
            shop.take(assertIs<Screen.Take>(shop.screen)).join()
            until { shop.problem != null }
            shop.picture("refused")

            shop.dismiss()
            until { shop.problem == null && !shop.busy }
            customer.showMember().join()
            val member = assertIs<Screen.ShowMember>(customer.screen).code
            assertEquals(member.code, camera(customer.picture("member")), "read back from its picture")
            shop.read(member.code).join()
            shop.amount.press(sale.toString())
            shop.picture("sell-to")
            shop.sell(assertIs<Screen.SellTo>(shop.screen)).join()
            shopApp.syncNow()
            until { shop.standing(assertIs<Screen.Sold>(shop.screen).sale).any { it.isDigit() } }
            shop.picture("sold")
            customerApp.syncNow()
            until { customer.toChoose.isNotEmpty() }
            customer.goHome()
            customer.picture("wallet-to-choose")
            customer.setAlwaysBest(true).join()
            customer.setStanding(listOf(alley), bestAfterADay = false).join()
            customer.picture("without-asking")
            customer.setAlwaysBest(false).join()
            until { !customer.busy }
            plans(customer, look, sale)
            customer.goHome()

            table.cable.cut()
            shop.dismiss()
            until { shop.problem == null && !shop.busy }
            shop.goHome()
            sell(shopApp, 12_000)
            shop.sync().join()
            until { shop.state.offline && shop.state.salesWaiting == 1u }
            shop.dismiss()
            until { shop.problem == null && !shop.busy }
            shop.picture("offline")
            val unsent = sell(shopApp, sale)
            shop.sync().join()
            shop.dismiss()
            until { shop.problem == null && !shop.busy && shop.day?.sales?.firstOrNull()?.amount == sale }
            shop.go(Screen.Day)
            shop.picture("day-offline")
            customer.read(unsent).join()
            customer.claim(unsent, assertIs<Screen.Choose>(customer.screen).choices.first()).join()
            until { customer.state.offline && customer.state.balances.any { it.pending > 0 } }
            customer.picture("wallet")

            table.cable.alterHeads()
            withTimeout(20_000) {
                while (!customer.mismatch) {
                    customer.sync().join()
                    customer.dismiss()
                    yield()
                }
            }
            until { customer.problem == null && !customer.busy }
            customer.picture("mismatch")
            table.cable.mend()
            customer.startOver().join()
            customerApp.syncNow()
            until { !customer.state.integrityBroken && customer.state.balances.all { it.pending == 0L } }

            shop.close()
            customer.close()
            scope.cancel()
        }
    }

    /** Two purchases that the customer plans. */
    private suspend fun plans(customer: Moa, look: Look, amount: Long) {
        customer.plans.show().join()
        customer.draw("plans-empty", look)
        val shop = assertIs<Screen.Plans>(customer.screen).shops.single()
        for (planned in listOf(amount, 300_000)) {
            customer.plans.begin(shop.id, assertNotNull(shop.name)).join()
            val plan = assertIs<Screen.NewPlan>(customer.screen)
            plan.form.type(planned.toString())
            if (planned != amount) plan.form.later(PlanForm.MONTH) else customer.draw("new-plan", look)
            customer.plans.note(plan).join()
        }
        until { customer.plans.all.size == 2 && !customer.busy }
        customer.draw("plans", look)
    }

    private fun sell(shop: App, amount: Long): String = shop.recordSale(amount).code
}
