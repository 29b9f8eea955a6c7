package moa

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path
import java.time.ZoneId
import java.time.ZonedDateTime
import java.time.temporal.ChronoUnit
import java.util.concurrent.TimeUnit

/** The real server, as a process on a free port of this machine. Stopped by [close]. With a test clock its time stands until it is [moved][move]. */
class Server(data: Path, testClock: Boolean = false) : AutoCloseable {
    private val process: Process =
        ProcessBuilder(listOfNotNull(System.getProperty("moa.server"), "serve", "--listen", "127.0.0.1:0", "--data", data.toString(), "--test-clock".takeIf { testClock }))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
    private val output = process.inputStream.bufferedReader()

    val url: String = checkNotNull(output.readLine()?.removePrefix("listening on ")) { "the server did not start" }

    /** Where the test clock stands, or a little later. */
    private var time = ZonedDateTime.now(ZoneId.of("Asia/Seoul"))

    /** The six digits of the newest message to a number, once so many came: there is no carrier here, so the server shows them. */
    fun code(phone: String, messages: Int = 1): String {
        val request = HttpRequest.newBuilder(URI("$url/v1/development/inbox?phone=$phone")).build()
        repeat(500) {
            val inbox = http.send(request, HttpResponse.BodyHandlers.ofString()).body()
            // The message's id is 32 hex digits; the code stands alone.
            Regex("""(?<![0-9a-f])\d{6}(?![0-9a-f])""").findAll(inbox).toList()
                .takeIf { it.size >= messages }?.let { return it.last().value }
            Thread.onSpinWait()
        }
        error("no code came")
    }

    /** Everything that was sent to a number, as the server shows it where there is no carrier; once an invitation is among it. */
    fun messages(phone: String): String {
        val request = HttpRequest.newBuilder(URI("$url/v1/development/inbox?phone=${phone.replace("+", "%2B")}")).build()
        repeat(500) {
            http.send(request, HttpResponse.BodyHandlers.ofString()).body().takeIf { "/i/" in it }?.let { return it }
            Thread.onSpinWait()
        }
        error("no invitation came")
    }

    /** Moves the test clock on to this instant; what is due by then is done when it returns. */
    fun move(millis: Long) {
        val request = HttpRequest.newBuilder(URI("$url/v1/test/clock")).header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("""{"now": $millis}""")).build()
        val answer = http.send(request, HttpResponse.BodyHandlers.ofString())
        check(answer.statusCode() == 200) { answer.body() }
    }

    /** Moves the test clock on to when it is next so late in Seoul. */
    fun moveToHour(hour: Int) {
        val today = time.withHour(hour).truncatedTo(ChronoUnit.HOURS)
        time = if (today > time) today else today.plusDays(1)
        move(time.toInstant().toEpochMilli())
    }

    override fun close() {
        process.destroy()
        check(process.waitFor(20, TimeUnit.SECONDS)) { "the server did not stop" }
        check(process.exitValue() == 0) { "the server stopped with ${process.exitValue()}" }
    }

    private companion object {
        val http: HttpClient = HttpClient.newHttpClient()
    }
}
