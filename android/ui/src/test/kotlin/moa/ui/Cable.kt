package moa.ui

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.thread

/** What lies between the phones and the server. It can be cut, or lose what the server answers; and be mended. */
class Cable(server: String) : AutoCloseable {
    private val far = URI(server)
    private val held = ConcurrentHashMap.newKeySet<Socket>()
    private var near = listen(port = 0)

    @Volatile
    private var losesAnswers = false

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

    fun mend() {
        cut()
        losesAnswers = false
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
        carry(server, phone) { !losesAnswers }
        // Cut while it was being joined.
        if (through.isClosed) listOf(phone, server).forEach { it.close() }
    }

    private fun carry(from: Socket, to: Socket, arrives: () -> Boolean) = thread(isDaemon = true) {
        quietly {
            from.use {
                to.use {
                    val bytes = ByteArray(16_384)
                    while (true) {
                        val count = from.getInputStream().read(bytes)
                        if (count < 0) break
                        if (arrives()) to.getOutputStream().write(bytes, 0, count)
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
}
