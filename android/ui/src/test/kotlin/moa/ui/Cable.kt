package moa.ui

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.thread

/** What lies between the phones and the server. It listens on one port for good: another program may take a port that is let go. */
class Cable(server: String) : AutoCloseable {
    private enum class Fault { NONE, CUT, LOSES_ANSWERS, ALTERS_HEADS }

    private val far = URI(server)
    private val held = ConcurrentHashMap.newKeySet<Socket>()
    private val near = ServerSocket().apply { bind(InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0)) }

    @Volatile
    private var fault = Fault.NONE

    /** Where phones find the server. */
    val url = "http://127.0.0.1:${near.localPort}"

    init {
        thread(isDaemon = true) { quietly { while (true) join(near.accept()) } }
    }

    /** Nobody gets through. */
    fun cut() = turn(Fault.CUT)

    /** What phones ask arrives; what the server answers does not. */
    fun loseAnswers() = turn(Fault.LOSES_ANSWERS)

    /** Someone in between alters the signatures over inboxes. */
    fun alterHeads() = turn(Fault.ALTERS_HEADS)

    fun mend() = turn(Fault.NONE)

    override fun close() {
        near.close()
        cut()
    }

    /** Whoever was through before is cut off. */
    private fun turn(into: Fault) {
        fault = into
        held.forEach { it.close() }
    }

    private fun join(phone: Socket) {
        val before = fault
        if (before == Fault.CUT) return phone.close()
        val server = Socket(far.host, far.port)
        held += listOf(phone, server)
        carry(phone, server) { true }
        carry(server, phone) { answer ->
            if (fault == Fault.ALTERS_HEADS) alterHeads(answer)
            fault != Fault.LOSES_ANSWERS
        }
        // Turned while it was being joined.
        if (fault != before) listOf(phone, server).forEach { it.close() }
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

    /** Another letter near the end of each head, where its signature is. */
    private fun alterHeads(answer: ByteArray) {
        for (head in heads.findAll(String(answer, Charsets.ISO_8859_1))) {
            val letter = head.range.last - 8
            answer[letter] = if (answer[letter] == 'A'.code.toByte()) 'B'.code.toByte() else 'A'.code.toByte()
        }
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
