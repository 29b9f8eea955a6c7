package moa

import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** Takes requests and never answers. */
class DeafServer : AutoCloseable {
    private val listening = ServerSocket(0, 8, InetAddress.getLoopbackAddress())
    private val asked = Semaphore(0)
    private val left = Semaphore(0)

    val url = "http://127.0.0.1:${listening.localPort}"

    init {
        thread(isDaemon = true) {
            while (true) {
                val caller = runCatching { listening.accept() }.getOrNull() ?: break
                thread(isDaemon = true) { hear(caller) }
            }
        }
    }

    /** Reads until the caller hangs up. */
    private fun hear(caller: Socket) {
        var isAsked = false
        runCatching {
            caller.getInputStream().bufferedReader().forEachLine { line ->
                if (line.isEmpty() && !isAsked) {
                    isAsked = true
                    asked.release()
                }
            }
        }
        caller.close()
        if (isAsked) left.release()
    }

    /** Waits for a request. */
    fun isAsked(): Boolean = asked.tryAcquire(20, TimeUnit.SECONDS)

    /** Waits until one who asked hangs up, which is long before an answer would be given up. */
    fun isLeft(): Boolean = left.tryAcquire(5, TimeUnit.SECONDS)

    override fun close() = listening.close()
}
