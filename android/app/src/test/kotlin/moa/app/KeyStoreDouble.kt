package moa.app

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.StrongBoxUnavailableException
import java.io.InputStream
import java.io.OutputStream
import java.security.InvalidKeyException
import java.security.Key
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.KeyPairGeneratorSpi
import java.security.KeyStoreSpi
import java.security.PrivateKey
import java.security.Provider
import java.security.PublicKey
import java.security.SecureRandom
import java.security.Security
import java.security.SignatureSpi
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.KeyGenerator
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey

/**
 * What answers to the name of Android's key store where there is none: keys of Java's, made as they were asked for. With
 * [strongBox] or without; [refusing] is thrown where a key is used, as Android throws it.
 */
class KeyStoreDouble(private val strongBox: Boolean = true) : Provider("AndroidKeyStore", "1", "for tests"), AutoCloseable {
    val made = mutableListOf<KeyGenParameterSpec>()
    val kept = mutableMapOf<String, Any>()
    var refusing: InvalidKeyException? = null

    init {
        serve("KeyStore", "AndroidKeyStore") { Entries() }
        serve("KeyPairGenerator", "EC") { Pairs() }
        serve("KeyGenerator", "AES") { Secrets() }
        serve("Signature", "NONEwithECDSA") { Refusal() }
        Security.addProvider(this)
    }

    override fun close() = Security.removeProvider(name)

    private fun serve(type: String, algorithm: String, make: () -> Any) =
        putService(object : Service(this, type, algorithm, "$type.$algorithm", null, null) {
            override fun newInstance(parameter: Any?) = make()

            override fun supportsParameter(parameter: Any?) = parameter is RefusingKey
        })

    private fun make(spec: AlgorithmParameterSpec?): KeyGenParameterSpec {
        val asked = spec as KeyGenParameterSpec
        if (asked.isStrongBoxBacked && !strongBox) throw StrongBoxUnavailableException()
        return asked.also { made += it }
    }

    private inner class Pairs : KeyPairGeneratorSpi() {
        private lateinit var asked: KeyGenParameterSpec

        override fun initialize(spec: AlgorithmParameterSpec?, random: SecureRandom?) {
            asked = make(spec)
        }

        override fun initialize(bits: Int, random: SecureRandom?) = throw UnsupportedOperationException()

        override fun generateKeyPair(): KeyPair = KeyPairGenerator.getInstance("EC").run {
            initialize(asked.algorithmParameterSpec)
            generateKeyPair()
        }.also { kept[asked.keystoreAlias] = it }
    }

    private inner class Secrets : KeyGeneratorSpi() {
        private lateinit var asked: KeyGenParameterSpec

        override fun engineInit(spec: AlgorithmParameterSpec?, random: SecureRandom?) {
            asked = make(spec)
        }

        override fun engineInit(random: SecureRandom?) = throw UnsupportedOperationException()

        override fun engineInit(bits: Int, random: SecureRandom?) = throw UnsupportedOperationException()

        override fun engineGenerateKey(): SecretKey = KeyGenerator.getInstance("AES").run {
            init(asked.keySize)
            generateKey()
        }.also { kept[asked.keystoreAlias] = it }
    }

    private inner class Entries : KeyStoreSpi() {
        override fun engineGetKey(alias: String, password: CharArray?): Key? = when (val entry = kept[alias]) {
            is KeyPair -> if (refusing == null) entry.private else RefusingKey
            is SecretKey -> entry
            else -> null
        }

        override fun engineGetCertificate(alias: String): Certificate? = (kept[alias] as? KeyPair)?.let { SelfSigned(it.public) }

        override fun engineContainsAlias(alias: String) = alias in kept

        override fun engineDeleteEntry(alias: String) {
            kept.remove(alias)
        }

        override fun engineLoad(stream: InputStream?, password: CharArray?) {}

        override fun engineAliases(): Enumeration<String> = Collections.enumeration(kept.keys)

        override fun engineSize() = kept.size

        override fun engineIsKeyEntry(alias: String) = alias in kept

        override fun engineIsCertificateEntry(alias: String) = false

        override fun engineGetCertificateChain(alias: String) = throw UnsupportedOperationException()

        override fun engineGetCreationDate(alias: String): Date = throw UnsupportedOperationException()

        override fun engineSetKeyEntry(alias: String, key: Key?, password: CharArray?, chain: Array<Certificate>?) = throw UnsupportedOperationException()

        override fun engineSetKeyEntry(alias: String, key: ByteArray?, chain: Array<Certificate>?) = throw UnsupportedOperationException()

        override fun engineSetCertificateEntry(alias: String, certificate: Certificate?) = throw UnsupportedOperationException()

        override fun engineGetCertificateAlias(certificate: Certificate?) = throw UnsupportedOperationException()

        override fun engineStore(stream: OutputStream?, password: CharArray?) = throw UnsupportedOperationException()
    }

    private inner class Refusal : SignatureSpi() {
        override fun engineInitSign(key: PrivateKey?) = throw checkNotNull(refusing)

        override fun engineInitVerify(key: PublicKey?) = throw UnsupportedOperationException()

        override fun engineUpdate(byte: Byte) = throw UnsupportedOperationException()

        override fun engineUpdate(bytes: ByteArray?, from: Int, count: Int) = throw UnsupportedOperationException()

        override fun engineSign() = throw UnsupportedOperationException()

        override fun engineVerify(signature: ByteArray?) = throw UnsupportedOperationException()

        @Deprecated("of Java 1.1")
        override fun engineSetParameter(name: String?, value: Any?) = throw UnsupportedOperationException()

        @Deprecated("of Java 1.1")
        override fun engineGetParameter(name: String?) = throw UnsupportedOperationException()
    }
}

/** A key that no other provider takes. */
private object RefusingKey : PrivateKey {
    private fun readResolve(): Any = RefusingKey

    override fun getAlgorithm() = "EC"

    override fun getFormat(): String? = null

    override fun getEncoded(): ByteArray? = null
}

private class SelfSigned(private val key: PublicKey) : Certificate("X.509") {
    override fun getPublicKey() = key

    override fun getEncoded() = throw UnsupportedOperationException()

    override fun verify(by: PublicKey?) = throw UnsupportedOperationException()

    override fun verify(by: PublicKey?, provider: String?) = throw UnsupportedOperationException()

    override fun toString() = "a key's own certificate"
}
