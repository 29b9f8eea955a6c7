package moa.app

import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.UserNotAuthenticatedException
import java.security.InvalidKeyException
import java.security.KeyFactory
import java.security.MessageDigest
import java.security.Signature
import java.security.spec.X509EncodedKeySpec
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import org.junit.After
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import uniffi.moa.KeyStoreException

/** What the app asks of Android's key store, and what it makes of its answers. */
@RunWith(RobolectricTestRunner::class)
class AndroidKeyStoreTest {
    private var android = KeyStoreDouble()

    @After
    fun close() = android.close()

    @Test
    fun `the keys are P-256 and AES-256 in StrongBox, made once`() {
        val public = AndroidKeyStore("moa").publicKey()
        assertContentEquals(public, AndroidKeyStore("moa").publicKey())
        val (seal, sign) = android.made
        assertEquals(listOf("moa.seal", "moa.sign"), listOf(seal.keystoreAlias, sign.keystoreAlias))
        assertTrue(android.made.all { it.isStrongBoxBacked })
        assertEquals(KeyProperties.PURPOSE_SIGN to listOf(KeyProperties.DIGEST_NONE), sign.purposes to sign.digests.toList())
        assertEquals(256 to listOf(KeyProperties.BLOCK_MODE_GCM), seal.keySize to seal.blockModes.toList())
        assertEquals(91, public.size, "as Java encodes a point of P-256")
    }

    @Test
    fun `without StrongBox they lie in the trusted environment`() {
        android.close()
        android = KeyStoreDouble(strongBox = false)
        AndroidKeyStore("moa").publicKey()
        assertEquals(listOf(false, false), android.made.map { it.isStrongBoxBacked })
    }

    @Test
    fun `a digest is signed as it is`() {
        val keys = AndroidKeyStore("moa")
        val text = "Corner Café".toByteArray()
        val signed = keys.signDigest(MessageDigest.getInstance("SHA-256").digest(text))
        val public = KeyFactory.getInstance("EC").generatePublic(X509EncodedKeySpec(keys.publicKey()))
        assertTrue(
            Signature.getInstance("SHA256withECDSA").run {
                initVerify(public)
                update(text)
                verify(signed)
            },
        )
    }

    @Test
    fun `what was sealed is opened by the same keys alone`() {
        val keys = AndroidKeyStore("moa")
        val plain = ByteArray(1_024) { it.toByte() }
        val sealed = keys.seal(plain)
        assertContentEquals(plain, AndroidKeyStore("moa").unseal(sealed))
        assertTrue(!sealed.contentEquals(keys.seal(plain)), "a new nonce each time")
        val altered = sealed.copyOf().also { it[20] = (it[20] + 1).toByte() }
        for (other in listOf(altered, sealed.copyOf(20), ByteArray(3))) assertFailsWith<KeyStoreException.Gone> { keys.unseal(other) }
        assertFailsWith<KeyStoreException.Gone> { AndroidKeyStore("another").unseal(sealed) }
    }

    @Test
    fun `a locked phone is asked again, a key that is gone is not`() {
        val keys = AndroidKeyStore("moa")
        val digest = ByteArray(32)
        android.refusing = UserNotAuthenticatedException()
        assertFailsWith<KeyStoreException.Locked> { keys.signDigest(digest) }
        android.refusing = KeyPermanentlyInvalidatedException()
        assertFailsWith<KeyStoreException.Gone> { keys.signDigest(digest) }
        android.refusing = InvalidKeyException("something else")
        assertFailsWith<KeyStoreException.Failed> { keys.signDigest(digest) }
        android.refusing = null
        android.kept.clear()
        assertFailsWith<KeyStoreException.Gone> { keys.signDigest(digest) }
        assertFailsWith<KeyStoreException.Gone> { keys.publicKey() }
    }
}
