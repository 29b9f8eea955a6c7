package moa.ui

import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.graphics.toComposeImageBitmap
import java.awt.Color
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.nio.file.Path
import java.util.concurrent.CopyOnWriteArrayList
import javax.imageio.ImageIO
import kotlinx.coroutines.runBlocking
import moa.Cable
import moa.Server
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.Basis
import uniffi.moa.Channel
import uniffi.moa.Founding
import uniffi.moa.Gives
import uniffi.moa.Scope
import uniffi.moa.ShareIntent
import uniffi.moa.ShopProfile
import uniffi.moa.Terms
import uniffi.moa.Validity

/** The real server, and phones on the table that reach it by a cable. With a test clock its time stands until it is [moved][moveToHour]. */
class Table(private val folder: Path, private val language: String, testClock: Boolean = false) : AutoCloseable {
    private val server = Server(folder.resolve("server"), testClock)
    private val apps = mutableListOf<App>()
    val cable = Cable(server.url)

    /** Opens a phone that nobody has signed in on. */
    fun phone(name: String): App =
        App.open(AppConfig(folder.resolve(name).toString(), cable.url, language)).also { apps += it }

    fun digits(number: String): String = server.code(number)

    fun moveToHour(hour: Int) = server.moveToHour(hour)

    /** The link in the newest invitation that was sent to a number, with the address at which the phones reach the server. */
    fun linkSentTo(number: String): String = checkNotNull(Regex("""http://[^\s"\\]*/i/[0-9a-f]{32}""").findAll(server.messages(number)).lastOrNull())
        .value.replace(server.url, cable.url)

    override fun close() {
        // Not closed: screens that are still about may ask, and are told.
        apps.forEach { it.shutDown() }
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

/** A shop that is open, and says where and what it is. */
suspend fun Table.shop(name: String, number: String, profile: ShopProfile = ShopProfile(name)): App = phone(name).apply {
    signIn(this@shop, number)
    registerShop(profile.copy(name = name))
    syncNow()
}

/** A role that lasts as long as the test. */
class Remembered(override var role: Role? = null) : RoleMemory

/** A phone without other apps: nothing is picked, nothing opens. */
object NoApps : Shell {
    override suspend fun pickContact(): PickedContact? = null
    override suspend fun pickPicture(): PickedPicture? = null
    override fun decode(jpeg: ByteArray): ImageBitmap? = ImageIO.read(jpeg.inputStream())?.toComposeImageBitmap()
    override fun openUrl(url: String) = false
    override fun composeSms(sms: ShareIntent.Sms) = false
    override fun composeMail(mail: ShareIntent.Mail) = false
    override fun shareInKakaoTalk(feed: ShareIntent.Kakao) = false
    override fun showSheet(sheet: ShareIntent.Sheet, chosen: (Channel) -> Unit) = false
    override fun copy(text: String) = false
}

/** A phone on which everything opens, but what is [missing]: [opened] says what did. */
class Apps(private val contact: PickedContact? = null, private val picture: PickedPicture? = null) : Shell {
    val opened = CopyOnWriteArrayList<ShareIntent>()
    var missing: (ShareIntent) -> Boolean = { false }

    /** What the sheet that was opened last tells. */
    var chosen: (Channel) -> Unit = {}

    override suspend fun pickContact() = contact
    override suspend fun pickPicture() = picture
    override fun decode(jpeg: ByteArray) = NoApps.decode(jpeg)
    override fun openUrl(url: String) = opens(ShareIntent.OpenUrl(url))
    override fun composeSms(sms: ShareIntent.Sms) = opens(sms)
    override fun composeMail(mail: ShareIntent.Mail) = opens(mail)
    override fun shareInKakaoTalk(feed: ShareIntent.Kakao) = opens(feed)
    override fun showSheet(sheet: ShareIntent.Sheet, chosen: (Channel) -> Unit) = opens(sheet).also { this.chosen = chosen }
    override fun copy(text: String) = opens(ShareIntent.Copy(text))

    private fun opens(intent: ShareIntent) = !missing(intent) && opened.add(intent)
}

/** A picture of a green field under a yellow sun, as a phone's camera gives it. */
fun photo(): PickedPicture {
    val drawn = BufferedImage(320, 160, BufferedImage.TYPE_INT_RGB).apply {
        createGraphics().run {
            color = Color(0xB9E3F5)
            fillRect(0, 0, 320, 160)
            color = Color(0x4C9A62)
            fillRect(0, 100, 320, 60)
            color = Color(0xF5C542)
            fillOval(220, 20, 60, 60)
            dispose()
        }
    }
    val file = ByteArrayOutputStream().also { ImageIO.write(drawn, "png", it) }.toByteArray()
    return PickedPicture(file, drawn.toComposeImageBitmap())
}

/** What a camera reads in a picture. */
fun camera(picture: Path): String {
    val zbar = ProcessBuilder("zbarimg", "--quiet", "--raw", picture.toString()).redirectError(ProcessBuilder.Redirect.DISCARD).start()
    return zbar.inputStream.bufferedReader().readText().trim().also { zbar.waitFor() }
}
