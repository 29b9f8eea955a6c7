package moa.app

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import java.security.GeneralSecurityException
import java.security.Key
import java.security.KeyPairGenerator
import java.security.PrivateKey
import java.security.ProviderException
import java.security.Signature
import java.security.spec.ECGenParameterSpec
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.spec.GCMParameterSpec
import uniffi.moa.KeyStore
import uniffi.moa.KeyStoreException

/** The app's keys in Android's key store: in the phone's StrongBox or, where there is none, in its trusted environment. Made when first asked for. */
class AndroidKeyStore(alias: String) : KeyStore {
    private val sign = "$alias.sign"
    private val seal = "$alias.seal"
    private val keys = java.security.KeyStore.getInstance(STORE).apply { load(null) }

    init {
        // The signing key comes last: without it, what the other one seals is nobody's yet.
        if (!keys.containsAlias(sign)) {
            try {
                make(strong = true)
            } catch (_: StrongBoxUnavailableException) {
                make(strong = false)
            }
        }
    }

    private fun make(strong: Boolean) {
        KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE).run {
            init(
                KeyGenParameterSpec.Builder(seal, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
                    .setKeySize(256)
                    .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                    .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                    .setIsStrongBoxBacked(strong)
                    .build(),
            )
            generateKey()
        }
        KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, STORE).run {
            // A key that is to sign digests made elsewhere must allow none of its own.
            initialize(
                KeyGenParameterSpec.Builder(sign, KeyProperties.PURPOSE_SIGN)
                    .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
                    .setDigests(KeyProperties.DIGEST_NONE)
                    .setIsStrongBoxBacked(strong)
                    .build(),
            )
            generateKeyPair()
        }
    }

    override fun publicKey(): ByteArray = asked {
        keys.getCertificate(sign)?.publicKey?.encoded ?: throw KeyStoreException.Gone("no $sign")
    }

    override fun signDigest(digest: ByteArray): ByteArray = asked {
        Signature.getInstance("NONEwithECDSA").run {
            initSign(key(sign) as PrivateKey)
            update(digest)
            sign()
        }
    }

    /** The key store draws the nonce. */
    override fun seal(plain: ByteArray): ByteArray = asked {
        Cipher.getInstance(SEALING).run {
            init(Cipher.ENCRYPT_MODE, key(seal))
            iv + doFinal(plain)
        }
    }

    override fun unseal(sealed: ByteArray): ByteArray = asked {
        if (sealed.size < NONCE) throw KeyStoreException.Gone("${sealed.size} bytes are too few")
        Cipher.getInstance(SEALING).run {
            init(Cipher.DECRYPT_MODE, key(seal), GCMParameterSpec(TAG_BITS, sealed, 0, NONCE))
            doFinal(sealed, NONCE, sealed.size - NONCE)
        }
    }

    private fun key(alias: String): Key = keys.getKey(alias, null) ?: throw KeyStoreException.Gone("no $alias")

    private fun <T> asked(ask: () -> T): T = try {
        ask()
    } catch (error: UserNotAuthenticatedException) {
        throw KeyStoreException.Locked(error.toString())
    } catch (error: KeyPermanentlyInvalidatedException) {
        throw KeyStoreException.Gone(error.toString())
    } catch (error: AEADBadTagException) {
        throw KeyStoreException.Gone(error.toString())
    } catch (error: GeneralSecurityException) {
        throw KeyStoreException.Failed(error.toString())
    } catch (error: ProviderException) {
        throw KeyStoreException.Failed(error.toString())
    }

    private companion object {
        const val STORE = "AndroidKeyStore"
        const val SEALING = "AES/GCM/NoPadding"
        const val NONCE = 12
        const val TAG_BITS = 128
    }
}
