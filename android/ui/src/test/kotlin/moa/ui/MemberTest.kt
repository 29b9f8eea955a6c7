package moa.ui

import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.App
import uniffi.moa.Scope

/** The shop reads the customer: by a code or by digits, to give points and to take them. */
class MemberTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var table: Table
    private lateinit var shopApp: App
    private lateinit var customerApp: App
    private lateinit var till: Moa
    private lateinit var customer: Moa
    private lateinit var alley: String
    private lateinit var town: String
    private val scope = CoroutineScope(Dispatchers.Default.limitedParallelism(1))

    @BeforeEach
    fun open() = runBlocking {
        table = Table(folder, "en")
        shopApp = table.phone("shop").also { it.signIn(table, "010-0000-0001") }
        shopApp.registerMerchant("Corner Café", null)
        shopApp.syncNow()
        alley = shopApp.found("Alley", 500, Scope.BUILDING, 6)
        town = shopApp.found("Town", 200, Scope.AREA, 12)
        customerApp = table.phone("customer").also { it.signIn(table, "010-0000-0002") }
        till = Moa(shopApp, scope, Remembered(Role.SHOP), NoApps)
        customer = Moa(customerApp, scope, Remembered(Role.BUYER), NoApps)
    }

    @AfterEach
    fun close() {
        till.close()
        customer.close()
        scope.cancel()
        table.close()
    }

    @Test
    fun `a sale to a customer waits for the customer's choice, and the till shows where it stands`() = runBlocking {
        val sale = sells(45_000, readsCode())
        assertEquals("₩45,000", sale.amountText)
        until { till.standing(sale.sale).startsWith("The customer chooses until") }
        until { customer.toChoose.size == 1 }
        val waiting = customer.toChoose.single()
        customer.go(Screen.ChooseFor(waiting))
        customer.claim(waiting, waiting.choices.single { it.group == town }).join()
        assertEquals(Screen.Wallet, customer.screen)
        settled()
        until { customer.toChoose.isEmpty() && customer.points(town) == 900L }
        until { till.standing(sale.sale) == "900 points collected" }
    }

    @Test
    fun `with a standing choice nothing waits, and without asking the best is taken`() = runBlocking {
        customer.setStanding(listOf(town), bestAfterADay = true).join()
        customerApp.syncNow()
        val standing = assertIs<Screen.WithoutAsking>(customer.screen).standing
        assertEquals(listOf(town) to true, standing.groups.map { it.id } to standing.bestAfterADay)
        sells(45_000, readsCode())
        until { customer.points(town) == 900L && customer.toChoose.isEmpty() }

        customer.setAlwaysBest(true).join()
        assertTrue(assertIs<Screen.WithoutAsking>(customer.screen).alwaysBest)
        customer.read(shopApp.recordSale(45_000).code).join()
        assertEquals(Screen.Wallet, customer.screen)
        settled()
        until { customer.points(alley) == 2_250L }
    }

    @Test
    fun `digits name the buyer of a sale, and others pay`() = runBlocking {
        customer.setStanding(listOf(alley), bestAfterADay = false).join()
        customerApp.syncNow()
        customer.showMemberDigits().join()
        till.read(assertIs<Screen.ShowDigits>(customer.screen).code.text).join()
        sells(45_000, Screen.SellTo(assertIs<Screen.ForWhat>(till.screen).digits))
        until { customer.points(alley) == 2_250L }

        customer.spendByDigits(customer.state.balances.single()).join()
        till.read(assertIs<Screen.ShowDigits>(customer.screen).code.digits).join()
        val digits = assertIs<Screen.ForWhat>(till.screen).digits
        till.take(Screen.Take(digits, null, Keypad(1_500))).join()
        assertEquals(Screen.Taken("1,500 points"), till.screen)
        settled()
        until { customer.screen == Screen.Wallet && customer.points(alley) == 750L }
    }

    @Test
    fun `a sale to digits that name nobody is refused, and does not stay on the screen as recorded`() = runBlocking {
        sells(45_000, readsCode())
        val waiting = customerApp.waitingSales().single()
        customerApp.claimWaiting(waiting.sale, waiting.choices.single { it.group == alley })
        settled()
        val digits = customerApp.oneTimeCodeForPaying(alley, 2_000).text
        till.goHome()
        till.amount.press("8000")
        till.sell(Screen.SellTo(digits)).join()
        shopApp.syncNow()
        until { till.problem != null && till.screen == Screen.Till }
        assertEquals("Refused", till.problem?.title)
    }

    @Test
    fun `a customer's phone says of what shops read that shops read it`() = runBlocking {
        customer.read(customerApp.memberCode().code).join()
        assertEquals("A shop reads that code", customer.problem?.text)
    }

    /** What the customer shows, as the till reads it. */
    private suspend fun readsCode(): Screen.SellTo {
        customer.showMember().join()
        till.read(assertIs<Screen.ShowMember>(customer.screen).code.code).join()
        return assertIs<Screen.SellTo>(till.screen)
    }

    private suspend fun sells(amount: Long, to: Screen.SellTo): Screen.Sold {
        till.amount.press(amount.toString())
        till.sell(to).join()
        settled()
        return assertIs<Screen.Sold>(till.screen)
    }

    private suspend fun settled() {
        shopApp.syncNow()
        customerApp.syncNow()
        shopApp.syncNow()
    }

    private fun Moa.points(group: String) = state.balances.find { it.group == group }?.confirmed
}
