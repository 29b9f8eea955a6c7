package moa.ui

import androidx.compose.ui.ImageComposeScene
import androidx.compose.ui.unit.Density
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.fileSize
import kotlin.io.path.writeBytes
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.jetbrains.skia.EncodedImageFormat
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.App
import uniffi.moa.Scope

/**
 * A picture of each screen, as on a phone of 412 × 892. With `MOA_BLESS=1` they go to `android/pictures`, to be looked
 * at; each run draws them and reads the codes in them.
 */
class PicturesTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `every screen, Korean by day`() = gallery("ko", "light", Names("모퉁이 카페", "골목 상점가", "서울 한 바퀴"))

    @Test
    fun `every screen, English by night`() = gallery("en", "dark", Names("Corner Café", "Alley", "Around Seoul"))

    private class Names(val shop: String, val alley: String, val wide: String)

    private fun gallery(language: String, shade: String, names: Names) = Table(folder, language).use { table ->
        runBlocking {
            val scope = CoroutineScope(Dispatchers.Default.limitedParallelism(1))
            fun Moa.picture(screen: String): Path = draw(this, "$screen-$language-$shade", inTheDark = shade == "dark")
            val shopApp = table.phone("shop")
            val customerApp = table.phone("customer")
            val shop = Moa(shopApp, scope, Remembered())
            val customer = Moa(customerApp, scope, Remembered())

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

            shop.amount.press("45000")
            shop.picture("keypad")
            shop.recordSale().join()
            val voucher = assertIs<Screen.ShowVoucher>(shop.screen).voucher
            assertEquals(voucher.code, camera(shop.picture("voucher")), "read back from its picture")
            customer.read(voucher.code).join()
            customer.picture("choose")
            customer.claim(voucher.code, assertIs<Screen.Choose>(customer.screen).choices.first()).join()
            customerApp.syncNow()
            until { customer.state.balances.any { it.confirmed == 2_250L } }

            customer.spend(alley, 2_250).join()
            val code = assertIs<Screen.ShowCode>(customer.screen).code
            assertEquals(code.code, camera(customer.picture("spend")), "read back from its picture")
            shop.read(code.code).join()
            val take = assertIs<Screen.Take>(shop.screen)
            take.keypad.press("1500")
            shop.picture("take")
            shop.take(take).join()
            shop.picture("approved")
            customerApp.syncNow()
            shop.read(customerApp.redemptionCode(alley, 750).code).join()
            shop.take(assertIs<Screen.Take>(shop.screen)).join()
            until { shop.problem != null }
            shop.picture("refused")

            table.stopServer()
            shop.dismiss()
            until { shop.problem == null && !shop.busy }
            shop.goHome()
            sell(shopApp, 12_000)
            shop.sync().join()
            until { shop.state.offline && shop.state.salesWaiting == 1u }
            shop.dismiss()
            until { shop.problem == null && !shop.busy }
            shop.picture("offline")
            val unsent = sell(shopApp, 36_000)
            customer.read(unsent).join()
            customer.claim(unsent, assertIs<Screen.Choose>(customer.screen).choices.first()).join()
            until { customer.state.offline && customer.state.balances.any { it.pending > 0 } }
            customer.picture("wallet")

            shop.close()
            customer.close()
            scope.cancel()
        }
    }

    private fun sell(shop: App, amount: Long): String = shop.recordSale(amount).code

    /** Waits for what the core is about to tell. */
    private suspend fun until(holds: () -> Boolean) = withTimeout(20_000) { while (!holds()) yield() }

    private fun draw(moa: Moa, name: String, inTheDark: Boolean): Path {
        val scene = ImageComposeScene(width = 824, height = 1784, density = Density(2f)) { MoaApp(moa, inTheDark, { null }) }
        val png = try {
            scene.render(0)
            checkNotNull(scene.render(16_000_000).encodeToData(EncodedImageFormat.PNG)) { "not drawn" }.bytes
        } finally {
            scene.close()
        }
        val to = Path.of(System.getProperty(if (System.getenv("MOA_BLESS") == "1") "moa.pictures" else "moa.pictures.made"))
        val picture = to.createDirectories().resolve("$name.png").also { it.writeBytes(png) }
        assertTrue(picture.fileSize() in 5_000..<150_000, "$name has ${Files.size(picture)} bytes")
        return picture
    }
}
