package moa.desktop

import androidx.compose.ui.graphics.toComposeImageBitmap
import java.awt.Desktop
import java.awt.FileDialog
import java.awt.Frame
import java.awt.Toolkit
import java.awt.datatransfer.StringSelection
import java.io.ByteArrayInputStream
import java.io.File
import java.io.IOException
import java.net.URI
import java.net.URISyntaxException
import javax.imageio.ImageIO
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import moa.ui.PickedContact
import moa.ui.PickedPicture
import moa.ui.Shell
import moa.ui.contactIn
import uniffi.moa.Channel
import uniffi.moa.ShareIntent

/** A computer: contacts are picked as the `.vcf` files that address books export, and other programs open by their URLs. */
object DesktopShell : Shell {
    override suspend fun pickContact(): PickedContact? = pickFile(".vcf")?.let { contactIn(it.decodeToString()) }

    override suspend fun pickPicture(): PickedPicture? = pickFile(".png", ".jpg", ".jpeg", ".webp")?.let { file ->
        withContext(Dispatchers.IO) { ImageIO.read(ByteArrayInputStream(file)) }?.let { PickedPicture(file, it.toComposeImageBitmap()) }
    }

    override fun decode(jpeg: ByteArray) = try {
        ImageIO.read(ByteArrayInputStream(jpeg))?.toComposeImageBitmap()
    } catch (_: IOException) {
        null
    }

    override fun openUrl(url: String) = try {
        Desktop.isDesktopSupported() && Desktop.getDesktop().run { isSupported(Desktop.Action.BROWSE).also { if (it) browse(URI(url)) } }
    } catch (_: IOException) {
        false
    } catch (_: URISyntaxException) {
        false
    }

    override fun composeSms(sms: ShareIntent.Sms) = openUrl(sms.url)

    override fun composeMail(mail: ShareIntent.Mail) = openUrl(mail.url)

    /** Kakao's SDK is for phones. */
    override fun shareInKakaoTalk(feed: ShareIntent.Kakao) = false

    /** There is no sheet here: the clipboard is what every program takes from. */
    override fun showSheet(sheet: ShareIntent.Sheet, chosen: (Channel) -> Unit) = copy(sheet.text)

    override fun copy(text: String): Boolean {
        Toolkit.getDefaultToolkit().systemClipboard.setContents(StringSelection(text), null)
        return true
    }

    private suspend fun pickFile(vararg endings: String): ByteArray? {
        val dialog = FileDialog(null as Frame?).apply {
            setFilenameFilter { _, name -> endings.any { name.endsWith(it, ignoreCase = true) } }
            isVisible = true
        }
        val file = File(dialog.directory ?: return null, dialog.file ?: return null)
        return withContext(Dispatchers.IO) { if (file.length() <= MOST_BYTES) file.readBytes() else null }
    }

    private const val MOST_BYTES = 50_000_000L
}
