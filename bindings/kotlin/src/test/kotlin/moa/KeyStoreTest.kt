package moa

import java.nio.file.Path
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.SecureRandom
import java.security.Signature
import java.security.spec.ECGenParameterSpec
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.spec.GCMParameterSpec
import kotlin.io.path.exists
import kotlin.io.path.writeBytes
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.ApiException
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.KeyStore
import uniffi.moa.KeyStoreException

/** A key store as Android has one: keys of `java.security` that are used and never read. */
private class JavaKeyStore : KeyStore {
    private val pair: KeyPair =
        KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }.generateKeyPair()
    private val sealing = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()

    @Volatile var locked = false

    @Volatile var breaks = false

    private fun usable() {
        if (locked) throw KeyStoreException.Locked("no finger")
        check(!breaks) { "a bug of the host" }
    }

    override fun publicKey(): ByteArray = pair.public.encoded

    override fun signDigest(digest: ByteArray): ByteArray {
        usable()
        return Signature.getInstance("NONEwithECDSA").run {
            initSign(pair.private)
            update(digest)
            sign()
        }
    }

    override fun seal(plain: ByteArray): ByteArray {
        usable()
        val nonce = ByteArray(12).also { SecureRandom().nextBytes(it) }
        return nonce + cipher(Cipher.ENCRYPT_MODE, nonce).doFinal(plain)
    }

    override fun unseal(sealed: ByteArray): ByteArray {
        usable()
        try {
            return cipher(Cipher.DECRYPT_MODE, sealed.copyOf(12)).doFinal(sealed, 12, sealed.size - 12)
        } catch (error: AEADBadTagException) {
            throw KeyStoreException.Gone(error.toString())
        }
    }

    private fun cipher(mode: Int, nonce: ByteArray) =
        Cipher.getInstance("AES/GCM/NoPadding").apply { init(mode, sealing, GCMParameterSpec(128, nonce)) }
}

/** What lies on the phone: its keys, what waits, and what a broken storage leaves. */
class KeyStoreTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var server: Server
    private val toClose = mutableListOf<AutoCloseable>()

    @BeforeEach
    fun start() {
        server = Server(folder.resolve("server")).also { toClose += it }
    }

    @AfterEach
    fun stop() = toClose.reversed().forEach { it.close() }

    private fun open(keys: KeyStore?): App =
        App.open(AppConfig(folder.resolve("app").toString(), server.url, "en"), keys).also { toClose += it }

    private suspend fun shop(keys: KeyStore?): App = open(keys).apply {
        beginEnrolment("010-7000-0001")
        confirmEnrolment(server.code("010-7000-0001"))
        registerMerchant("Corner Cafe", null)
        syncNow()
    }

    @Test
    fun `a key store's key signs what the server takes, and seals what the phone opens again`() = runBlocking {
        val keys = JavaKeyStore()
        val shop = shop(keys)
        repeat(20) { shop.recordSale(4_500L + it) }
        shop.recordSaleToNumber(1_000, "010-7000-0002")
        shop.syncNow()
        assertTrue(shop.outbox().isEmpty(), "each signature in DER was taken")
        assertFalse(folder.resolve("app/device.key").exists(), "no key lies beside the data")
        shop.close()

        val again = open(keys)
        assertTrue(again.signedIn())
        again.memberCode()
        again.syncNow()
        again.close()

        // Another device's key store: the data is there, the secrets are not.
        val elsewhere = open(JavaKeyStore())
        assertFalse(elsewhere.signedIn())
        assertFailsWith<ApiException.SignIn> { elsewhere.syncNow() }
        assertEquals(21, elsewhere.merchantToday().sales.size)
    }

    @Test
    fun `a locked key store is told and loses nothing`() = runBlocking {
        val keys = JavaKeyStore()
        val shop = shop(keys)
        shop.recordSale(4_500)
        shop.syncNow()
        keys.locked = true
        val locked = assertFailsWith<ApiException.Locked> { shop.recordSale(5_000) }
        assertEquals("The phone is locked, so nothing was recorded. Unlock it and try again.", locked.text)
        assertEquals("no finger", locked.detail)
        assertEquals(1, shop.merchantToday().sales.size)
        shop.close()

        val locked2 = open(keys)
        assertTrue(locked2.signedIn(), "it opens all the same")
        assertFailsWith<ApiException.Locked> { locked2.syncNow() }
        assertEquals(locked.text, locked2.state().keyText)
        assertFalse(locked2.state().offline)
        keys.locked = false
        locked2.syncNow()
        assertEquals("", locked2.state().keyText)
        locked2.recordSale(5_000)
        locked2.syncNow()

        keys.breaks = true
        val bug = assertFailsWith<ApiException.Key> { locked2.recordSale(6_000) }
        assertContains(bug.detail, "a bug of the host")
        keys.breaks = false
        locked2.recordSale(6_000)
        assertEquals(3, locked2.merchantToday().sales.size)
    }

    @Test
    fun `signing out says what would be lost, and then another person may sign in`() = runBlocking {
        val shop = shop(JavaKeyStore())
        assertEquals("", shop.unsent().text)
        assertContains(shop.state().asOfText, Regex("""^Up to date at \d\d:\d\d$"""))
        toClose -= server
        server.close()
        repeat(3) { shop.recordSale(1_000) }
        assertFailsWith<ApiException.Offline> { shop.syncNow() }
        val state = shop.state()
        assertContains(state.asOfText, Regex("""^As of (\d+ \w+ \d+, )?\d\d:\d\d, 3 sales waiting$"""))
        assertTrue(state.offline && checkNotNull(state.heardAt) <= shop.now())

        val unsent = assertFailsWith<ApiException.Unsent> { shop.signOut(false) }
        assertEquals(3u to 3u, unsent.ops to unsent.sales)
        assertEquals(unsent.text, shop.unsent().text)
        assertContains(unsent.text, "3 sales")
        shop.signOut(true)
        assertFailsWith<ApiException.Closed> { shop.state() }

        server = Server(folder.resolve("server")).also { toClose += it }
        val next = open(JavaKeyStore())
        assertFalse(next.signedIn())
        assertTrue(next.outbox().isEmpty())
        next.beginEnrolment("010-7000-0003")
        next.confirmEnrolment(server.code("010-7000-0003"))
        next.syncNow()
        assertEquals(null, next.ownShop())
    }

    @Test
    fun `a broken storage is told, and what can be read of it is sent`() = runBlocking {
        val shop = shop(null)
        shop.recordSale(4_500)
        shop.syncNow()
        val first = shop.state()
        assertEquals("", first.setAsideText)
        shop.close()
        val database = folder.resolve("app/phone.db")
        val bytes = database.toFile().readBytes()
        database.writeBytes(ByteArray(100) + bytes.drop(100))
        val again = open(null)
        val told = again.state().setAsideText
        assertContains(told, "This phone's storage was damaged and made anew, with 2 records from it.")
        again.beginEnrolment("010-7000-0001")
        again.confirmEnrolment(server.code("010-7000-0001"))
        again.syncNow()
        assertTrue(again.outbox().isEmpty(), "the server has had them: it says so again")
        again.setAsideRead()
        assertEquals("", again.state().setAsideText)
    }
}
