package moa

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.supervisorScope
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.ApiException
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.AppState
import uniffi.moa.FfiConverterTypeObserver
import uniffi.moa.Observer
import uniffi.moa.Subscription
import uniffi.panicking.InternalException as PanickingException
import uniffi.panicking.panics
import uniffi.panicking.panicsWhileWaiting
import uniffi.panicking.twice

/** What begins and ends: calls, subscriptions, apps. */
class LifeTest {
    @TempDir
    lateinit var folder: Path

    private val toClose = mutableListOf<AutoCloseable>()

    @AfterEach
    fun stop() = toClose.reversed().forEach { it.close() }

    private fun open(url: String): App =
        App.open(AppConfig(folder.resolve("app").toString(), url, "en")).also { toClose += it }

    private suspend fun enrolled(): App {
        val server = Server(folder.resolve("server")).also { toClose += it }
        return open(server.url).apply {
            beginEnrolment("010-0000-0001")
            confirmEnrolment(server.code("010-0000-0001"))
        }
    }

    /** Counts how often it is told. */
    private class Counting : Observer {
        val count = AtomicInteger()
        val once = CountDownLatch(1)

        override fun changed(state: AppState) {
            count.incrementAndGet()
            once.countDown()
        }

        fun isTold() = once.await(20, TimeUnit.SECONDS)
    }

    /** The threads that apps have, as far as this system tells. */
    private fun threads(): Int {
        val tasks = Path.of("/proc/self/task").takeIf { it.exists() }?.listDirectoryEntries().orEmpty()
        return tasks.count { task -> runCatching { Files.readString(task.resolve("comm")) }.getOrNull() == "moa\n" }
    }

    private fun waitUntil(what: String, holds: () -> Boolean) {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20)
        while (!holds()) {
            assertTrue(System.nanoTime() < end, what)
            Thread.yield()
        }
    }

    @Test
    fun `a cancelled call is given up inside too`() = runBlocking<Unit> {
        DeafServer().use { deaf ->
            val app = open(deaf.url)
            supervisorScope {
                val waiting = async(Dispatchers.IO) { app.beginEnrolment("010-0000-0003") }
                assertTrue(deaf.isAsked())
                waiting.cancelAndJoin()
                assertFailsWith<CancellationException> { waiting.await() }
            }
            assertTrue(deaf.isLeft(), "the request was given up")
            assertFalse(app.signedIn(), "the app goes on")
        }
    }

    @Test
    fun `a closed app stops, and says so`() = runBlocking<Unit> {
        val app = enrolled()
        val states = LinkedBlockingQueue<AppState>()
        val subscription = app.subscribe(object : Observer {
            override fun changed(state: AppState) {
                states += state
            }
        })
        assertNotNull(states.poll(20, TimeUnit.SECONDS))
        app.close()
        waitUntil("its threads end") { threads() == 0 }
        val told = states.size // What a sync brought before it was closed.
        subscription.cancel() // Nothing is left of it, and that is fine.
        subscription.close()
        assertFailsWith<IllegalStateException> { app.balances() }
        assertFailsWith<IllegalStateException> { app.syncNow() }
        assertFailsWith<IllegalStateException> { subscription.cancel() }
        app.close()
        assertEquals(told, states.size)

        // The directory is free again, and as it was.
        assertTrue(open("http://127.0.0.1:9").signedIn())
    }

    @Test
    fun `an app that was shut down says so to whoever still has it`() = runBlocking<Unit> {
        DeafServer().use { deaf ->
            val app = open(deaf.url)
            supervisorScope {
                val waiting = async(Dispatchers.IO) { app.beginEnrolment("010-0000-0003") }
                assertTrue(deaf.isAsked())
                app.shutDown()
                assertFailsWith<ApiException.Closed> { waiting.await() }
            }
            waitUntil("its threads end") { threads() == 0 }
            assertFailsWith<ApiException.Closed> { app.balances() }
            assertFailsWith<ApiException.Closed> { app.syncNow() }
            app.shutDown()
        }
    }

    @Test
    fun `a call under way keeps its app until it is given up`() = runBlocking<Unit> {
        DeafServer().use { deaf ->
            val app = open(deaf.url)
            supervisorScope {
                val waiting = async(Dispatchers.IO) { app.beginEnrolment("010-0000-0003") }
                assertTrue(deaf.isAsked())
                app.close()
                assertTrue(waiting.isActive)
                waiting.cancelAndJoin()
            }
            assertTrue(deaf.isLeft())
            waitUntil("its threads end") { threads() == 0 }
        }
    }

    @Test
    fun `an observer that throws is told again, and stands in nobody's way`() = runBlocking<Unit> {
        val app = enrolled()
        val told = LinkedBlockingQueue<AppState>()
        val subscription = app.subscribe(object : Observer {
            override fun changed(state: AppState) {
                told += state
                error("no screen")
            }
        })
        assertNotNull(told.poll(20, TimeUnit.SECONDS))
        app.registerMerchant("Cafe", null)
        assertNotNull(told.poll(20, TimeUnit.SECONDS))
        app.syncNow()
        assertEquals("Cafe", assertNotNull(app.ownShop()).name)
        subscription.close()
    }

    @Test
    fun `a panic inside is an exception, and what follows works`() = runBlocking<Unit> {
        val now = assertFailsWith<PanickingException> { panics("the ball was dropped") }
        assertEquals("the ball was dropped", now.message)
        val later = assertFailsWith<PanickingException> { panicsWhileWaiting("the bus was missed") }
        assertEquals("the bus was missed", later.message)
        assertEquals(42u, twice(21u))
    }

    @Test
    fun `a thousand subscriptions come and go`() = runBlocking<Unit> {
        val app = enrolled()
        app.registerMerchant("Cafe", null)
        app.syncNow()
        repeat(3) {
            val observers = List(1_000) { Counting() }
            val subscriptions: List<Subscription> = observers.map { app.subscribe(it) }
            observers.forEach { assertTrue(it.isTold(), "told at once") }
            assertTrue(threads() <= 24, "${threads()} threads")

            // Calls are queued; none comes after its subscription ended, but for those under way.
            app.recordSale(1_000)
            subscriptions.take(500).forEach { it.cancel() }
            subscriptions.forEach { it.close() }
            val before = observers.sumOf { it.count.get() }

            // A change after that is told to who is still there.
            val sentinel = LinkedBlockingQueue<AppState>()
            val watching = app.subscribe(object : Observer {
                override fun changed(state: AppState) {
                    sentinel += state
                }
            })
            assertNotNull(sentinel.poll(20, TimeUnit.SECONDS))
            app.recordSale(1_000)
            assertNotNull(sentinel.poll(20, TimeUnit.SECONDS))
            watching.close()
            waitUntil("forgotten inside too") { FfiConverterTypeObserver.handleMap.size == 0 }
            assertTrue(observers.sumOf { it.count.get() } - before <= 16)
        }
    }
}
