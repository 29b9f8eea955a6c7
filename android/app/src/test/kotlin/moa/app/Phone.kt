package moa.app

import android.content.Intent
import android.os.Looper
import java.nio.file.Path
import java.time.Duration
import kotlinx.coroutines.Job
import kotlinx.coroutines.runBlocking
import moa.Server
import moa.ui.Moa
import moa.ui.Role
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.Founding
import uniffi.moa.MileageKind
import uniffi.moa.Scope
import uniffi.moa.ShopProfile

/** The app on a phone, with the real core, beside the real server and a neighbour's phone. */
class Phone(folder: Path) : AutoCloseable {
    private val server = Server(folder.resolve("server"))
    private val keys = KeyStoreDouble()
    private val neighbours = folder.resolve("neighbours")
    private val open = mutableListOf<AutoCloseable>()
    val app = RuntimeEnvironment.getApplication() as MoaApplication
    val moa: Moa get() = app.moa

    init {
        checkNotNull(shadowOf(app.packageManager).getInternalMutablePackageInfo(app.packageName).applicationInfo).metaData.putString("moa.server", server.url)
    }

    /** Where its links begin. */
    val base get() = server.url

    /** Opens it, as the launcher or a link does. */
    fun opens(by: Intent = Intent(Intent.ACTION_MAIN)): ActivityController<MainActivity> {
        val opened = Robolectric.buildActivity(MainActivity::class.java, by.setClass(app, MainActivity::class.java)).setup()
        draws()
        return opened.also { open += it }
    }

    fun signsIn(number: String, role: Role) {
        runBlocking {
            app.core.beginEnrolment(number)
            app.core.confirmEnrolment(server.code(number))
            app.core.syncNow()
        }
        until { moa.state.signedIn }
        moa.goHome()
        done(moa.choose(role))
    }

    /** A shop that is open, on this phone. */
    fun opensShop(name: String, number: String) = runBlocking {
        app.core.beginEnrolment(number)
        app.core.confirmEnrolment(server.code(number))
        app.core.registerShop(ShopProfile(name, industry = "cafe", area = "서울 마포구 연남동"))
        app.core.syncNow()
        until { moa.state.signedIn }
        done(moa.choose(Role.SHOP))
    }

    /** A shop of the neighbourhood, on a phone of its own, with a group. */
    fun neighbour(name: String, number: String, group: String): Pair<App, String> = runBlocking {
        val shop = App.open(AppConfig(neighbours.resolve(name).toString(), server.url, "en")).also { open += AutoCloseable { it.shutDown() } }
        shop.beginEnrolment(number)
        shop.confirmEnrolment(server.code(number))
        shop.registerShop(ShopProfile(name, industry = "bakery", area = "서울 마포구 연남동"))
        shop.foundGroup(Founding(group, Scope.AREA, shop.suggestedTerms(Scope.AREA, MileageKind.POINTS))).let { id ->
            shop.syncNow()
            shop to id
        }
    }

    fun done(job: Job) = until { job.isCompleted }

    /** Lets the app's own thread work until it is so. */
    fun until(so: () -> Boolean) {
        val end = System.nanoTime() + 20_000_000_000
        while (!so()) {
            shadowOf(Looper.getMainLooper()).idle()
            check(System.nanoTime() < end) { "it did not come to pass; the screen: ${moa.screen}, the problem: ${moa.problem}" }
            Thread.onSpinWait()
        }
    }

    /** Lets the screens be drawn. */
    fun draws() = shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(100))

    override fun close() {
        open.reversed().forEach { it.close() }
        draws() // Compose is the same in every test, and waits for the last frame that it asked for.
        moa.close()
        app.core.shutDown()
        keys.close()
        server.close()
    }
}
