package moa.ui

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.thread

/** What lies between the phones and the server. It can be cut, and mended. */
class Cable(server: String) : AutoCloseable {
    private val far = URI(server)
    private val held = ConcurrentHashMap.newKeySet<Socket>()
    private var near = listen(port = 0)

    /** Where phones find the server. */
    val url = "http://127.0.0.1:${near.localPort}"

    /** Nobody gets through, and whoever is through is cut off. */
    fun cut() {
        near.close()
        held.forEach { it.close() }
    }

    fun mend() {
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
        for ((from, to) in listOf(phone to server, server to phone)) {
            thread(isDaemon = true) {
                quietly { from.use { to.use { from.getInputStream().copyTo(to.getOutputStream()) } } }
                held -= from
            }
        }
        // Cut while it was being joined.
        if (through.isClosed) listOf(phone, server).forEach { it.close() }
    }

    /** A socket that is closed under a reader ends the reading. */
    private fun quietly(work: () -> Unit) = try {
        work()
    } catch (_: IOException) {
    }
}
