package moa.ui

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
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.App
import uniffi.moa.Scope

/** What a customer says beforehand, on their screen, over the real core and the real server. */
@OptIn(ExperimentalTestApi::class)
class ErrandStoryTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a purchase that is planned is a reason where a sale is collected, until it is forgotten`() = story { customer, app, alley ->
        val day = app.planDay(37u).text
        val reason = "You can use it at Bakery on $day"
        customer.taps("Planned purchases")
        customer.sees("Nothing is planned yet")
        customer.sees("Your plans stay on this phone", part = true)
        customer.types("bake", "At which shop?")
        customer.taps("Search")
        customer.taps("Bakery")
        customer.types("30000", "Amount in won")
        customer.sees("₩30,000")
        customer.taps("A month later")
        customer.sees(day)
        customer.taps("Note it")
        customer.nowhere("Nothing is planned yet")
        customer.sees("₩30,000")
        customer.taps("Back")

        customer.reads(alley.cafe)
        customer.sees(reason, part = true)
        customer.taps("Back")
        customer.taps("Planned purchases")
        customer.taps("Forget")
        customer.sees("Nothing is planned yet")
        assertEquals(emptyList(), app.plannedPurchases())
        customer.taps("Back")
        customer.reads(alley.cafe)
        customer.sees("Where to collect?")
        customer.nowhere(reason, part = true)
    }

    @Test
    fun `what is said of one shop holds there from the next sale on, without a tap`() = story { customer, app, alley ->
        customer.reads(alley.cafe)
        customer.sees("Where to collect at this shop")
        customer.takes("Alley")
        holds { app.standingAtShops().singleOrNull()?.always?.name == "Alley" }
        customer.taps("Back")
        customer.reads(alley.cafe)
        customer.sees("My points")
        runBlocking { app.syncNow() }
        customer.sees("1,350 points")

        // Where what holds for every shop is set, this one is shown, and leads to its page.
        customer.taps("Collect without asking")
        customer.sees("Set for single shops")
        customer.taps("Corner Café")
        customer.sees("Plan a purchase here")
        customer.takes("Ask each time")
        holds { app.standingAtShops().singleOrNull()?.let { it.always == null } == true }
        customer.taps("Back")
        customer.taps("Collect without asking")
        customer.taps("Always where it is best, on this phone")
        holds { app.alwaysBest() }
        customer.taps("Back")
        customer.reads(alley.cafe)
        customer.sees("Where to collect?")

        customer.takes("As elsewhere")
        holds { app.standingAtShops().isEmpty() }
        customer.taps("Back")
        customer.reads(alley.cafe)
        customer.sees("My points")
    }

    /** A café in a group with a bakery, and in another alone. */
    private class Alley(val cafe: App, val bakery: App)

    private fun story(tell: (Hand, App, Alley) -> Unit) = runDesktopComposeUiTest(width = 412, height = 892) {
        Table(folder, "en").use { table ->
            val app = table.phone("customer")
            val alley = runBlocking {
                val cafe = table.shop("Corner Café", "010-0000-0001")
                val group = cafe.found("Alley", 300, Scope.AREA, 6)
                cafe.found("Town", 500, Scope.NATIONWIDE, 6)
                val bakery = table.shop("Bakery", "010-0000-0003")
                bakery.joinGroup(group, bakery.lookUpGroup(group).termsVersion)
                bakery.syncNow()
                app.signIn(table, "010-0000-0002")
                Alley(cafe, bakery)
            }
            setContent {
                val scope = rememberCoroutineScope()
                val moa = remember { Moa(app, scope, Remembered(Role.BUYER), NoApps) }
                MoaApp(moa, inTheDark = false, { null }, Modifier.testTag("customer").size(412.dp, 892.dp))
            }
            tell(Hand(this, "customer"), app, alley)
        }
    }

    /** The core has it, in the end. */
    private fun holds(what: () -> Boolean) = runBlocking { until(what) }

    /** The customer is given the code of another sale, and types it. */
    private fun Hand.reads(shop: App) {
        types(shop.recordSale(45_000).code, "Code")
        taps("Next")
    }
}
