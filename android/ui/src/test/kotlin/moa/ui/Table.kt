package moa.ui

import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import moa.Cable
import moa.Server
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.Basis
import uniffi.moa.Founding
import uniffi.moa.Gives
import uniffi.moa.Scope
import uniffi.moa.ShareIntent
import uniffi.moa.Terms
import uniffi.moa.Validity

/** The real server, and phones on the table that reach it by a cable. */
class Table(private val folder: Path, private val language: String) : AutoCloseable {
    private val server = Server(folder.resolve("server"))
    private val apps = mutableListOf<App>()
    val cable = Cable(server.url)

    /** Opens a phone that nobody has signed in on. */
    fun phone(name: String): App =
        App.open(AppConfig(folder.resolve(name).toString(), cable.url, language)).also { apps += it }

    fun digits(number: String): String = server.code(number)

    override fun close() {
        apps.forEach { it.close() }
        cable.close()
        server.close()
    }
}

/** Signs in, and knows what there is. */
suspend fun App.signIn(table: Table, number: String) {
    beginEnrolment(number)
    confirmEnrolment(table.digits(number))
    syncNow()
}

/** Founds a group as a shop does, and waits until the server has it. */
fun App.found(name: String, rate: Int, scope: Scope, months: Int): String = runBlocking {
    val terms = Terms(Gives.Points(rate.toUShort()), Validity.Months(months.toUShort()), 1_000, Basis.ON_ISSUE)
    foundGroup(Founding(name, scope, terms)).also { syncNow() }
}

/** A role that lasts as long as the test. */
class Remembered(override var role: Role? = null) : RoleMemory

/** A phone without other apps: nothing is picked, nothing opens. */
object NoApps : Shell {
    override suspend fun pickContact(): PickedContact? = null
    override suspend fun pickPicture(): PickedPicture? = null
    override fun openUrl(url: String) = false
    override fun composeSms(sms: ShareIntent.Sms) = false
    override fun composeMail(mail: ShareIntent.Mail) = false
    override fun shareInKakaoTalk(feed: ShareIntent.Kakao) = false
    override fun showSheet(sheet: ShareIntent.Sheet) = false
    override fun copy(text: String) = false
}

/** What a camera reads in a picture. */
fun camera(picture: Path): String {
    val zbar = ProcessBuilder("zbarimg", "--quiet", "--raw", picture.toString()).redirectError(ProcessBuilder.Redirect.DISCARD).start()
    return zbar.inputStream.bufferedReader().readText().trim().also { zbar.waitFor() }
}
