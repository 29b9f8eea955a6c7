package moa.app

import android.content.ComponentName
import android.content.Intent
import android.content.IntentFilter
import android.content.pm.PackageInfo
import android.os.Binder
import android.os.Bundle
import android.os.Parcel
import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertNull
import kotlinx.coroutines.runBlocking
import moa.ui.Role
import moa.ui.Screen
import org.junit.After
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

/** An app that was installed through a link opens at its screen. */
@RunWith(RobolectricTestRunner::class)
class InstallReferrerTest {
    @get:Rule
    val folder = TemporaryFolder()

    private lateinit var phone: Phone
    private val play = Play()

    @Before
    fun open() {
        phone = Phone(Path.of(folder.root.path))
    }

    @After
    fun close() = phone.close()

    /** Google Play's service, which is asked for what the link to its page said. */
    private class Play : Binder() {
        var referrer = ""
        var asked = 0

        override fun onTransact(code: Int, data: Parcel, reply: Parcel?, flags: Int): Boolean {
            asked += 1
            checkNotNull(reply).writeNoException()
            reply.writeInt(1)
            Bundle().apply { putString("install_referrer", referrer) }.writeToParcel(reply, 0)
            return true
        }
    }

    private fun installedThrough(referrer: String) {
        play.referrer = referrer
        val packages = shadowOf(phone.app.packageManager)
        val service = ComponentName("com.android.vending", "com.google.android.finsky.externalreferrer.GetInstallReferrerService")
        @Suppress("DEPRECATION") // The other one is of Android 9, and what the library asks for is this one.
        packages.installPackage(PackageInfo().apply { packageName = service.packageName; versionCode = 84_000_000 })
        packages.addServiceIfNotPresent(service)
        val asks = "com.google.android.finsky.BIND_GET_INSTALL_REFERRER_SERVICE"
        packages.addIntentFilterForService(service, IntentFilter(asks))
        shadowOf(phone.app).setComponentNameAndServiceForBindServiceForIntent(Intent(asks).setComponent(service), service, play)
    }

    @Test
    fun `the first start leads where the link did, the second one does not`() {
        val (shop, group) = phone.neighbour("Bakery", "010-0000-0002", "Alley")
        runBlocking { shop.syncNow() }
        installedThrough("utm_source=poster&moa=g%2F$group")
        phone.opens()
        
        phone.until { play.asked == 1 }
        phone.signsIn("010-0000-0001", Role.BUYER)
        phone.until { phone.moa.screen is Screen.GroupPage }
        phone.moa.goHome()
        phone.opens()
        phone.draws()
        assertEquals(1, play.asked)
        assertEquals(Screen.Wallet, phone.moa.screen)
    }

    @Test
    fun `of an installation without a link of ours nothing is shown`() {
        installedThrough("utm_source=google-play&utm_medium=organic")
        phone.opens()
        
        phone.until { play.asked == 1 }
        phone.signsIn("010-0000-0001", Role.BUYER)
        phone.draws()
        assertEquals(Screen.Wallet to null, phone.moa.screen to phone.moa.problem)
    }

    @Test
    fun `where Google Play is not, the app starts all the same`() {
        phone.opens()
        phone.signsIn("010-0000-0001", Role.BUYER)
        phone.draws()
        assertNull(phone.moa.problem)
    }
}
