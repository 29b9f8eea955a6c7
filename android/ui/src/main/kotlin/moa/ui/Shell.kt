package moa.ui

import androidx.compose.ui.graphics.ImageBitmap
import uniffi.moa.Channel
import uniffi.moa.ShareIntent

/**
 * What the system and the other apps of this phone do for the screens: one small function each. What opens another app says
 * whether that opened; any thread may ask.
 */
interface Shell {
    /** One contact, by the system's picker: never the whole address book. None if nobody was picked. */
    suspend fun pickContact(): PickedContact?

    /** A picture, by the system's picker. */
    suspend fun pickPicture(): PickedPicture?

    /** A JPEG to be drawn; none if it cannot be read. */
    fun decode(jpeg: ByteArray): ImageBitmap?

    /** Opens a URL, which leads to a messenger. */
    fun openUrl(url: String): Boolean

    /** The composer of text messages. */
    fun composeSms(sms: ShareIntent.Sms): Boolean

    /** The composer of mails. */
    fun composeMail(mail: ShareIntent.Mail): Boolean

    /** KakaoTalk's sharing SDK. */
    fun shareInKakaoTalk(feed: ShareIntent.Kakao): Boolean

    /** The system's sheet of apps. [chosen] is told by which channel it went on, where the system says that. */
    fun showSheet(sheet: ShareIntent.Sheet, chosen: (Channel) -> Unit): Boolean

    /** The clipboard. */
    fun copy(text: String): Boolean
}

/** Someone of the address book, with the one number or address that was picked. */
data class PickedContact(val name: String, val to: String)

/** A picture as it was picked, and to be drawn. */
class PickedPicture(val file: ByteArray, val image: ImageBitmap)

/** Does what the core says is to be done with an invitation. [chosen] is told by which channel it left, if that is known later only. */
fun Shell.open(intent: ShareIntent, chosen: (Channel) -> Unit): Boolean = when (intent) {
    is ShareIntent.OpenUrl -> openUrl(intent.url)
    is ShareIntent.Sms -> composeSms(intent)
    is ShareIntent.Mail -> composeMail(intent)
    is ShareIntent.Kakao -> shareInKakaoTalk(intent)
    is ShareIntent.Sheet -> showSheet(intent, chosen)
    is ShareIntent.Copy -> copy(intent.text)
    ShareIntent.Nothing -> true
}

/** The first contact in a vCard: its name, and its first number or address. */
fun contactIn(card: String): PickedContact? {
    fun first(property: String) = card.lineSequence()
        .firstOrNull { it.substringBefore(':').substringBefore(';').substringAfterLast('.').equals(property, ignoreCase = true) }
        ?.substringAfter(':', "")?.trim()?.removePrefix("tel:")?.ifEmpty { null }
    val to = first("TEL") ?: first("EMAIL") ?: return null
    return PickedContact(first("FN") ?: to, to)
}
