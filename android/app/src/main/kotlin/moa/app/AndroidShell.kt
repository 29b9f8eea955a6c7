package moa.app

import android.app.Activity
import android.app.PendingIntent
import android.content.ActivityNotFoundException
import android.content.BroadcastReceiver
import android.content.ClipData
import android.content.ClipDescription
import android.content.ClipboardManager
import android.content.ComponentName
import android.content.Context
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.ImageDecoder
import android.net.Uri
import android.os.Build
import android.provider.ContactsContract.CommonDataKinds.Phone
import android.provider.Telephony
import androidx.activity.ComponentActivity
import androidx.activity.result.ActivityResultLauncher
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContract
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.graphics.asImageBitmap
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.lang.ref.WeakReference
import kotlin.math.max
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import moa.ui.PickedContact
import moa.ui.PickedPicture
import moa.ui.Shell
import uniffi.moa.Channel
import uniffi.moa.ShareIntent

/** Android's own ways: its pickers, its sheet, and intents to other apps. Needs no permission. */
class AndroidShell(private val context: Context) : Shell {
    private val contacts = Picker(PickContact)
    private val pictures = Picker(PickVisualMedia())
    private var shown = WeakReference<Activity>(null)

    /** What is told of the sheet that was opened last. */
    @Volatile private var chosen: (Channel) -> Unit = {}

    /** From an activity's `onCreate`: what it starts is a part of its task, and what is picked comes back to it. */
    fun attach(activity: ComponentActivity) {
        shown = WeakReference(activity)
        contacts.attach(activity)
        pictures.attach(activity)
    }

    override suspend fun pickContact(): PickedContact? =
        contacts.pick(Unit)?.let { row -> withContext(Dispatchers.IO) { contactAt(row) } }

    override suspend fun pickPicture(): PickedPicture? =
        pictures.pick(PickVisualMediaRequest(PickVisualMedia.ImageOnly))?.let { file -> withContext(Dispatchers.IO) { pictureAt(file) } }

    override fun decode(jpeg: ByteArray): ImageBitmap? = BitmapFactory.decodeByteArray(jpeg, 0, jpeg.size)?.asImageBitmap()

    override fun openUrl(url: String) = start(Intent(Intent.ACTION_VIEW, Uri.parse(url)))

    override fun composeSms(sms: ShareIntent.Sms) =
        start(Intent(Intent.ACTION_SENDTO, Uri.fromParts("smsto", sms.to.orEmpty(), null)).putExtra("sms_body", sms.body))

    override fun composeMail(mail: ShareIntent.Mail) = start(
        Intent(Intent.ACTION_SENDTO, Uri.fromParts("mailto", mail.to.orEmpty(), null))
            .putExtra(Intent.EXTRA_EMAIL, listOfNotNull(mail.to).toTypedArray())
            .putExtra(Intent.EXTRA_SUBJECT, mail.subject)
            .putExtra(Intent.EXTRA_TEXT, mail.body),
    )

    /** As a message with the link, for which KakaoTalk has whom it goes to picked. A card with a button takes Kakao's SDK. */
    override fun shareInKakaoTalk(feed: ShareIntent.Kakao) =
        start(send(listOf(feed.title, feed.description, feed.link).joinToString("\n")).setPackage(KAKAO_TALK))

    override fun showSheet(sheet: ShareIntent.Sheet, chosen: (Channel) -> Unit): Boolean {
        this.chosen = chosen
        // The system writes into it which app was picked.
        val writable = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) PendingIntent.FLAG_MUTABLE else 0
        val answer = PendingIntent.getBroadcast(
            context,
            0,
            Intent(context, SheetReceiver::class.java),
            PendingIntent.FLAG_UPDATE_CURRENT or PendingIntent.FLAG_ONE_SHOT or writable,
        )
        val message = send(sheet.text).putExtra(Intent.EXTRA_TITLE, sheet.title).putExtra(Intent.EXTRA_SUBJECT, sheet.title)
        return start(Intent.createChooser(message, null, answer.intentSender))
    }

    /** The sheet's answer. */
    internal fun picked(app: ComponentName) = chosen(channelOf(app))

    override fun copy(text: String): Boolean {
        clipboard().setPrimaryClip(ClipData.newPlainText(null, text))
        return true
    }

    /** What is on the clipboard, if that is text. */
    suspend fun paste(): String? = withContext(Dispatchers.Main.immediate) {
        val clip = clipboard().takeIf { it.primaryClipDescription?.hasMimeType(ClipDescription.MIMETYPE_TEXT_PLAIN) == true }?.primaryClip
        clip?.getItemAt(0)?.text?.toString()
    }

    private fun clipboard() = context.getSystemService(ClipboardManager::class.java)

    private fun send(text: String) = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text)

    /** Whether there is an app that takes it. */
    private fun start(intent: Intent): Boolean = try {
        shown.get()?.startActivity(intent) ?: context.startActivity(intent.addFlags(Intent.FLAG_ACTIVITY_NEW_TASK))
        true
    } catch (_: ActivityNotFoundException) {
        false
    } catch (_: SecurityException) {
        false // There is one, which is nobody else's to open.
    }

    private fun channelOf(app: ComponentName) = when (app.packageName) {
        KAKAO_TALK -> Channel.KAKAO_TALK
        "jp.naver.line.android" -> Channel.LINE
        "org.telegram.messenger", "org.telegram.messenger.web" -> Channel.TELEGRAM
        "com.whatsapp", "com.whatsapp.w4b" -> Channel.WHATS_APP
        "com.facebook.orca" -> Channel.MESSENGER
        Telephony.Sms.getDefaultSmsPackage(context) -> Channel.SMS
        else -> Channel.SHEET
    }

    /** The one row that was picked, which is all that this app may read. */
    private fun contactAt(row: Uri): PickedContact? =
        context.contentResolver.query(row, arrayOf(Phone.DISPLAY_NAME, Phone.NUMBER), null, null, null)?.use { found ->
            val number = found.takeIf { it.moveToFirst() }?.getString(1) ?: return null
            PickedContact(found.getString(0) ?: number, number)
        }

    /** As a JPEG of a size that the server takes, whatever the camera made of it; turned as it was taken, and without where. */
    private fun pictureAt(file: Uri): PickedPicture? = try {
        val image = ImageDecoder.decodeBitmap(ImageDecoder.createSource(context.contentResolver, file)) { decoder, info, _ ->
            decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
            decoder.setTargetSampleSize(max(1, max(info.size.width, info.size.height) / KEPT_PIXELS))
        }
        val jpeg = ByteArrayOutputStream().also { image.compress(Bitmap.CompressFormat.JPEG, QUALITY, it) }
        PickedPicture(jpeg.toByteArray(), image.asImageBitmap())
    } catch (_: IOException) {
        null
    }

    private companion object {
        const val KAKAO_TALK = "com.kakao.talk"

        /** The longer side of the pictures that the server keeps: those sent to it are less than twice as long. */
        const val KEPT_PIXELS = 1_200
        const val QUALITY = 90
    }
}

/** The system's sheet tells here which app was picked. */
class SheetReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        @Suppress("DEPRECATION") // The other one is of Android 13.
        val app = intent.getParcelableExtra<ComponentName>(Intent.EXTRA_CHOSEN_COMPONENT) ?: return
        (context.applicationContext as MoaApplication).shell.picked(app)
    }
}

/** One number of one contact. */
private object PickContact : ActivityResultContract<Unit, Uri?>() {
    override fun createIntent(context: Context, input: Unit) = Intent(Intent.ACTION_PICK, Phone.CONTENT_URI)

    override fun parseResult(resultCode: Int, intent: Intent?) = intent?.data?.takeIf { resultCode == Activity.RESULT_OK }
}

/** Waits for what is picked, over the activities that come and go meanwhile. */
private class Picker<I : Any>(private val contract: ActivityResultContract<I, Uri?>) {
    private var launcher: ActivityResultLauncher<I>? = null
    private var picked = CompletableDeferred<Uri?>()

    fun attach(activity: ComponentActivity) {
        launcher = activity.registerForActivityResult(contract) { picked.complete(it) }
    }

    suspend fun pick(input: I): Uri? = withContext(Dispatchers.Main.immediate) {
        picked.complete(null) // Whoever waited before waits in vain.
        val answer = CompletableDeferred<Uri?>().also { picked = it }
        try {
            launcher?.launch(input) ?: return@withContext null
            answer.await()
        } catch (_: ActivityNotFoundException) {
            null
        }
    }
}
