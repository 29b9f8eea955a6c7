package moa.ui

import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.Scope

/** Two tills take the same points, and what the server says of it is lost on the way. */
class LostAnswerTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a redemption whose answer is lost becomes approved or refused on the screen by its own op`() = Table(folder, "en").use { table ->
        runBlocking {
            val (cafe, bakery, customer) = listOf("cafe", "bakery", "customer").mapIndexed { place, name ->
                table.phone(name).also { it.signIn(table, "010-0000-000$place") }
            }
            for (shop in listOf(cafe, bakery)) {
                shop.registerMerchant("Shop", null)
                shop.syncNow()
            }
            val alley = cafe.found("Alley", 500, Scope.BUILDING, 6)
            bakery.lookUpGroup(alley)
            bakery.joinGroup(alley, 1u)
            bakery.syncNow()
            val voucher = cafe.recordSale(45_000).code
            customer.claim(voucher, null)
            customer.syncNow()
            assertEquals(2_250, customer.balances().single().confirmed)

            val scope = CoroutineScope(Dispatchers.Default.limitedParallelism(1))
            val tills = listOf(cafe, bakery).map { Moa(it, scope, Remembered(Role.SHOP), NoApps) }
            val codes = tills.map { till ->
                till.read(customer.redemptionCode(alley, 1_500).code).join()
                assertIs<Screen.Take>(till.screen)
            }
            table.cable.loseAnswers()
            tills.zip(codes).map { (till, code) -> till.take(code) }.joinAll()
            val asked = tills.map { assertNotNull(assertIs<Screen.Taken>(it.screen).beingChecked) }
            assertNotEquals(asked[0], asked[1])

            table.cable.mend()
            for (till in tills) till.sync().join()
            until { tills.all { till -> (till.screen as? Screen.Taken)?.beingChecked == null } }
            val approved = tills.count { it.screen == Screen.Taken("1,500 points") && it.problem == null }
            val refused = tills.count {
                it.screen == Screen.Till && it.problem?.text == "Usable from 1,000 points; this wallet has 750. Collect 250 more."
            }
            assertEquals(1 to 1, approved to refused, "${tills.map { it.screen to it.problem }}")
            customer.syncNow()
            assertEquals(750, customer.balances().single().confirmed)
            tills.forEach { it.close() }
            scope.cancel()
        }
    }

    /** Waits for what the core is about to tell. */
    private suspend fun until(holds: () -> Boolean) = withTimeout(60_000) { while (!holds()) yield() }
}
