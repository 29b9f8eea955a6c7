package moa

import java.util.concurrent.TimeUnit

/** What lies between phones and the server, and can be cut: `world proxy`. Each call returns once it is so. */
class Cable(server: String) : AutoCloseable {
    private val process: Process =
        ProcessBuilder(System.getProperty("moa.world"), "proxy", "--server", server)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
    private val output = process.inputStream.bufferedReader()
    private val commands = process.outputStream.bufferedWriter()

    /** Where phones find the server. */
    val url: String = checkNotNull(output.readLine()?.removePrefix("listening on ")) { "the cable was not laid" }

    /** Everything gets through. */
    fun mend() = turn("pass")

    /** Nobody gets through. */
    fun cut() = turn("drop")

    /** What phones ask arrives; what the server answers does not. */
    fun loseAnswers() = turn("lose")

    /** Answers are cut in the middle of their bodies. */
    fun halveAnswers() = turn("half")

    /** Everything takes so many milliseconds longer, each way. */
    fun delay(millis: Int) = turn("delay $millis")

    /** A hotspot answers everything with a page of its own. */
    fun leadToPortal() = turn("portal")

    /** A hotspot sends everyone to its login page. */
    fun leadToLogin() = turn("portal-redirect")

    /** Someone in between alters the signatures over inboxes. */
    fun alterHeads() = turn("alter-heads")

    override fun close() {
        commands.close()
        check(process.waitFor(20, TimeUnit.SECONDS)) { "the cable did not end" }
    }

    /** Whoever was through before is cut off. */
    private fun turn(to: String) {
        commands.write("$to\n")
        commands.flush()
        check(output.readLine() == to) { "the cable did not turn to $to" }
    }
}
