package moa.ui

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.thread

/**
 * What lies between the phones and the server. It can be cut, lose what the server answers, or alter what it signed; and be
 * mended.
 */
class Cable(server: String) : AutoCloseable {
    private val far = URI(server)
    private val held = ConcurrentHashMap.newKeySet<Socket>()
    private var near = listen(port = 0)

    @Volatile
    private var losesAnswers = false

    @Volatile
    private var altersHeads = false

    /** Where phones find the server. */
    val url = "http://127.0.0.1:${near.localPort}"

    /** Nobody gets through, and whoever is through is cut off. */
    fun cut() {
        near.close()
        held.forEach { it.close() }
    }

    /** What phones ask arrives; what the server answers does not. */
    fun loseAnswers() {
        losesAnswers = true
    }

    /** With someone in between who [alters] the signatures over inboxes, say. */
    fun mend(alters: Boolean = false) {
        cut()
        losesAnswers = false
        altersHeads = alters
        near = listen(near.localPort)
    }

    override fun close() = cut()

    private fun listen(port: Int): ServerSocket {
        val socket = ServerSocket()
        socket.reuseAddress = true
        socket.bind(InetSocketAddress(InetAddress.getByName("127.0.0.1"), port))
        thread(isDaemon = true) { quietly { while (true) join(socket.accept(), socket) } }
        return socket
    }

    private fun join(phone: Socket, through: ServerSocket) {
        val server = Socket(far.host, far.port)
        held += listOf(phone, server)
        carry(phone, server) { true }
        carry(server, phone) { answer ->
            if (altersHeads) alterHeads(answer)
            !losesAnswers
        }
        // Cut while it was being joined.
        if (through.isClosed) listOf(phone, server).forEach { it.close() }
    }

    /** Another letter near the end of each head, where its signature is. */
    private fun alterHeads(answer: ByteArray) {
        for (head in heads.findAll(String(answer, Charsets.ISO_8859_1))) {
            val letter = head.range.last - 8
            answer[letter] = if (answer[letter] == 'A'.code.toByte()) 'B'.code.toByte() else 'A'.code.toByte()
        }
    }

    private fun carry(from: Socket, to: Socket, arrives: (ByteArray) -> Boolean) = thread(isDaemon = true) {
        quietly {
            from.use {
                to.use {
                    val bytes = ByteArray(16_384)
                    while (true) {
                        val count = from.getInputStream().read(bytes)
                        if (count < 0) break
                        if (arrives(bytes)) to.getOutputStream().write(bytes, 0, count)
                    }
                }
            }
        }
        held -= from
    }

    /** A socket that is closed under a reader ends the reading. */
    private fun quietly(work: () -> Unit) = try {
        work()
    } catch (_: IOException) {
    }

    private companion object {
        val heads = Regex("\"head\":\"[^\"]+\"")
    }
}
