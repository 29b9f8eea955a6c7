package moa.ui

import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.size
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.test.ExperimentalTestApi
import androidx.compose.ui.test.v2.runDesktopComposeUiTest
import androidx.compose.ui.unit.dp
import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.App
import uniffi.moa.Scope

/** The main job on the screens of a shop and a customer, side by side, over the real core and the real server. */
@OptIn(ExperimentalTestApi::class)
class StoryTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a sale at the till becomes the customer's points, too few are refused, and the screens follow the server`() =
        runDesktopComposeUiTest(width = 860, height = 892) {
            Table(folder, "en").use { table ->
                val apps = mapOf("shop" to table.phone("shop"), "customer" to table.phone("customer"))
                var clipboard = ""
                setContent {
                    Row {
                        for ((name, app) in apps) {
                            val scope = rememberCoroutineScope()
                            val moa = remember { Moa(app, scope, Remembered(), NoApps) }
                            MoaApp(moa, inTheDark = false, { clipboard }, Modifier.testTag(name).size(412.dp, 892.dp))
                        }
                    }
                }
                story(table, Hand(this, "shop"), Hand(this, "customer"), apps.getValue("shop"), apps.getValue("customer")) {
                    clipboard = it
                }
            }
        }

    private fun story(table: Table, shop: Hand, customer: Hand, shopApp: App, customerApp: App, copy: (String) -> Unit) {
        shop.signsIn(table, "010-0000-0001", "As a shop")
        shop.sees("Name of your shop")
        shop.types("Corner Café")
        shop.taps("Open the shop")
        shop.sees("Corner Café")
        shop.sees("₩0")
        val alley = shopApp.found("Alley", 500, Scope.BUILDING, 6)
        shopApp.found("Old Town", 200, Scope.AREA, 12)
        customer.signsIn(table, "010-0000-0002", "As a customer")
        customer.sees("No points yet")

        shop.keys("45000")
        shop.sees("₩45,000")
        shop.taps("Show the code")
        shop.sees("For the customer to scan")
        val picture = folder.resolve("voucher.png")
        shop.photograph(picture)
        val voucher = camera(picture)
        assertTrue(voucher.startsWith("MOA1:"), "read by a camera: $voucher")

        copy(voucher)
        customer.taps("Paste a code")
        customer.sees("Where to collect?")
        customer.sees("Corner Café")
        customer.sees("Old Town")
        customer.taps("2,250 points")
        customer.sees("My points")
        runBlocking { customerApp.syncNow() }
        customer.nowhere("Pending", part = true)
        customer.sees("2,250 points")
        customer.sees("Usable from 1,000 points: reached")
        assertEquals(2_250, customerApp.balances().single().confirmed)
        runBlocking { shopApp.syncNow() }
        shop.sees("Collected 2,250 points")

        // Spent where it was earned, as the customer's code allows.
        customer.taps("Spend points")
        customer.sees("Show this to the shop")
        customer.photograph(picture)
        copy(camera(picture))
        shop.taps("Next sale")
        shop.taps("Read the customer's code")
        shop.taps("Paste a code")
        shop.sees("At most 2,250 points")
        shop.keys("1500")
        shop.sees("1,500 points")
        shop.taps("Take points")
        shop.sees("Approved")
        shop.taps("OK")
        runBlocking { customerApp.syncNow() }
        customer.sees("My points")
        customer.sees("750 points")

        // A code for what is left: the server says no, and why.
        copy(customerApp.redemptionCode(alley, 750).code)
        shop.taps("Read the customer's code")
        shop.taps("Paste a code")
        shop.taps("Take points")
        shop.sees("Usable from 1,000 points; this wallet has 750. Collect 250 more.")
        shop.taps("OK")
        shop.sees("Show the code")

        // A payment code is none of ours, and the same voucher was claimed.
        copy("00020101021229300012D156000000000510A93FO3230Q")
        customer.taps("Paste a code")
        customer.sees("That did not work")
        customer.taps("OK")
        copy(voucher)
        customer.taps("Paste a code")
        customer.sees("Refused")
        customer.taps("OK")

        // The network goes: the banner says so, the sale is recorded all the same, its points are pending.
        table.cable.cut()
        runCatching { runBlocking { customerApp.syncNow() } }
        customer.sees("No connection")
        shop.keys("8000")
        shop.taps("Show the code")
        runCatching { runBlocking { shopApp.syncNow() } }
        shop.sees("No connection, 1 sale waiting to be sent")
        shop.photograph(picture)
        copy(camera(picture))
        customer.taps("Paste a code")
        customer.taps("400 points")
        customer.sees("Pending 400 points")
        customer.sees("750 points")
        customer.sees("No connection, 1 waiting to be sent")

        // It comes back. Nobody taps: pending becomes confirmed, and the till shows what was collected.
        table.cable.mend()
        runBlocking { customerApp.syncNow() }
        customer.sees("1,150 points")
        customer.nowhere("Pending 400 points")
        customer.nowhere("No connection", part = true)
        runBlocking { shopApp.syncNow() }
        shop.sees("Collected 400 points")
        shop.nowhere("No connection", part = true)
    }
}
