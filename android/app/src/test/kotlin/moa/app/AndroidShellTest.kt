package moa.app

import android.app.Activity
import android.content.ComponentName
import android.content.ContentProvider
import android.content.ContentValues
import android.content.Intent
import android.content.IntentFilter
import android.content.IntentSender
import android.content.pm.ActivityInfo
import android.content.pm.PackageManager
import android.database.Cursor
import android.database.MatrixCursor
import android.graphics.Bitmap
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.ContactsContract
import android.provider.ContactsContract.CommonDataKinds.Phone as PhoneNumber
import java.io.File
import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import moa.ui.Screen
import org.junit.After
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import uniffi.moa.Channel
import uniffi.moa.Founding
import uniffi.moa.Group
import uniffi.moa.Invitation
import uniffi.moa.MileageKind
import uniffi.moa.Scope

/** What the app starts of Android and of other apps, and what becomes of their answers. */
@RunWith(RobolectricTestRunner::class)
class AndroidShellTest {
    @get:Rule
    val folder = TemporaryFolder()

    private lateinit var phone: Phone
    private lateinit var shown: MainActivity
    private lateinit var alley: Group

    @Before
    fun open() {
        phone = Phone(Path.of(folder.root.path))
        shown = phone.opens().get()
        phone.opensShop("Corner Café", "010-0000-0001")
        alley = runBlocking {
            val terms = phone.app.core.suggestedTerms(Scope.AREA, MileageKind.POINTS)
            val id = phone.app.core.foundGroup(Founding("Alley", Scope.AREA, terms))
            phone.app.core.syncNow()
            assertNotNull(phone.app.core.group(id))
        }
    }

    @After
    fun close() = phone.close()

    /** An address book of one, who may be read because they were picked; [asked] says what was. */
    class AddressBook : ContentProvider() {
        val asked = mutableListOf<Pair<Uri, List<String>>>()

        override fun query(uri: Uri, columns: Array<String>?, where: String?, values: Array<String>?, order: String?): Cursor {
            asked += uri to columns.orEmpty().toList()
            val kim = mapOf(PhoneNumber.DISPLAY_NAME to "Kim the baker", PhoneNumber.NUMBER to "010-0000-0002")
            return MatrixCursor(columns).apply { addRow(columns.orEmpty().map(kim::getValue)) }
        }

        override fun onCreate() = true
        override fun getType(uri: Uri): String? = null
        override fun insert(uri: Uri, values: ContentValues?) = throw UnsupportedOperationException()
        override fun delete(uri: Uri, where: String?, values: Array<String>?) = throw UnsupportedOperationException()
        override fun update(uri: Uri, new: ContentValues?, where: String?, values: Array<String>?) = throw UnsupportedOperationException()
    }

    @Test
    fun `a contact is picked in the system's picker and comes to the list as a number`() {
        val book = Robolectric.setupContentProvider(AddressBook::class.java, ContactsContract.AUTHORITY)
        phone.moa.go(Screen.Invite(alley))
        val picking = phone.moa.groups.pickContact(alley)
        phone.until { shadowOf(shown).peekNextStartedActivityForResult() != null }
        val picker = assertNotNull(shadowOf(shown).nextStartedActivityForResult).intent
        assertEquals(Intent.ACTION_PICK to PhoneNumber.CONTENT_URI, picker.action to picker.data)
        val row = Uri.withAppendedPath(PhoneNumber.CONTENT_URI, "7")
        shadowOf(shown).receiveResult(picker, Activity.RESULT_OK, Intent().setData(row))
        phone.done(picking)
        val kim = phone.moa.groups.invitees.single()
        assertEquals(Triple("Kim the baker", Channel.SMS, "+821000000002"), Triple(kim.name, kim.channel, kim.contact))
        assertEquals(listOf(row to listOf(PhoneNumber.DISPLAY_NAME, PhoneNumber.NUMBER)), book.asked, "the row that was picked, and nothing else")
    }

    @Test
    fun `nobody is picked, or the phone has no address book, and nothing comes to the list`() {
        val picking = phone.moa.groups.pickContact(alley)
        phone.until { shadowOf(shown).peekNextStartedActivityForResult() != null }
        shadowOf(shown).receiveResult(shadowOf(shown).nextStartedActivityForResult.intent, Activity.RESULT_CANCELED, null)
        phone.done(picking)
        shadowOf(phone.app).checkActivities(true)
        phone.done(phone.moa.groups.pickContact(alley))
        assertEquals(emptyList(), phone.app.core.invitees(alley.id))
        assertNull(phone.moa.problem)
    }

    /** A gallery of one picture, wide as a camera makes it. */
    class Gallery : ContentProvider() {
        override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
            val file = File.createTempFile("picture", ".png", checkNotNull(context).cacheDir)
            file.outputStream().use { Bitmap.createBitmap(4_000, 2_000, Bitmap.Config.ARGB_8888).compress(Bitmap.CompressFormat.PNG, 100, it) }
            return ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_ONLY)
        }

        override fun onCreate() = true
        override fun getType(uri: Uri) = "image/png"
        override fun query(uri: Uri, columns: Array<String>?, where: String?, values: Array<String>?, order: String?) = throw UnsupportedOperationException()
        override fun insert(uri: Uri, values: ContentValues?) = throw UnsupportedOperationException()
        override fun delete(uri: Uri, where: String?, values: Array<String>?) = throw UnsupportedOperationException()
        override fun update(uri: Uri, new: ContentValues?, where: String?, values: Array<String>?) = throw UnsupportedOperationException()
    }

    @Test
    fun `a picture is picked in the system's picker and comes as a JPEG of the size that the server keeps`() {
        Robolectric.setupContentProvider(Gallery::class.java, "gallery")
        phone.moa.groups.beginFounding().let(phone::done)
        val founding = assertIs<Screen.Found>(phone.moa.screen)
        val adding = phone.moa.groups.addPicture(founding.draft)
        phone.until { shadowOf(shown).peekNextStartedActivityForResult() != null }
        val picker = shadowOf(shown).nextStartedActivityForResult.intent
        assertEquals("image/*", picker.type)
        shadowOf(shown).receiveResult(picker, Activity.RESULT_OK, Intent().setData(Uri.parse("content://gallery/1")))
        phone.done(adding)
        val cover = assertNotNull(assertIs<Screen.Found>(phone.moa.screen).cover)
        assertEquals(1_333 to 666, cover.picture.image.run { width to height })
        assertEquals(listOf(0xFF, 0xD8), cover.picture.file.take(2).map { it.toInt() and 0xFF }, "as JPEGs begin")
    }

    @Test
    fun `each way of sending an invitation starts its app with the message and the link`() {
        val invitation = invitation()
        val link = assertNotNull(invitation.link)
        fun starts(channel: Channel): Intent {
            phone.done(phone.moa.groups.share(invitation, channel))
            assertEquals(channel, phone.app.core.invitations().single().channel)
            return assertNotNull(shadowOf(shown).nextStartedActivity, "$channel")
        }
        starts(Channel.SMS).run {
            assertEquals(Intent.ACTION_SENDTO to "smsto:", action to dataString)
            assertTrue(assertNotNull(getStringExtra("sms_body")).contains(link))
        }
        starts(Channel.EMAIL).run {
            assertEquals(Intent.ACTION_SENDTO to "mailto:", action to dataString)
            assertTrue(assertNotNull(getStringExtra(Intent.EXTRA_SUBJECT)).contains("Alley"))
            assertTrue(assertNotNull(getStringExtra(Intent.EXTRA_TEXT)).contains(link))
        }
        starts(Channel.KAKAO_TALK).run {
            assertEquals(Triple(Intent.ACTION_SEND, "com.kakao.talk", "text/plain"), Triple(action, `package`, type))
            assertTrue(assertNotNull(getStringExtra(Intent.EXTRA_TEXT)).run { contains("Alley") && endsWith(link) })
        }
        val hosts = mapOf(Channel.LINE to "line.me", Channel.TELEGRAM to "t.me", Channel.WHATS_APP to "wa.me", Channel.MESSENGER to "share")
        for ((channel, host) in hosts) {
            starts(channel).run {
                assertEquals(Intent.ACTION_VIEW to host, action to data?.host)
                assertTrue(Uri.decode(dataString).contains(link), "$channel")
            }
        }
        starts(Channel.SHEET).run {
            val message = assertNotNull(getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java))
            assertEquals(Triple(Intent.ACTION_CHOOSER, Intent.ACTION_SEND, "text/plain"), Triple(action, message.action, message.type))
            assertTrue(assertNotNull(message.getStringExtra(Intent.EXTRA_TEXT)).contains(link))
        }
        phone.done(phone.moa.groups.share(invitation, Channel.COPY))
        assertEquals(invitation.code ?: link, runBlocking { phone.app.shell.paste() })
        assertNull(shadowOf(shown).nextStartedActivity, "copied without a word to anyone")
    }

    @Test
    fun `one on the list is named to the composer, as the core knows the number and the address`() {
        phone.moa.go(Screen.Invite(alley))
        phone.done(phone.moa.groups.add(alley, "010-0000-0002"))
        phone.done(phone.moa.groups.add(alley, "Shop@Neighbours.example"))
        phone.done(phone.moa.groups.inviteListed(alley))
        val (number, address) = phone.moa.groups.invitees.map { invitee -> phone.moa.groups.invitations.single { it.id == invitee.invitation } }
        phone.done(phone.moa.groups.share(number, Channel.SMS))
        assertEquals("smsto:+821000000002", Uri.decode(shadowOf(shown).nextStartedActivity.dataString))
        phone.done(phone.moa.groups.share(address, Channel.EMAIL))
        shadowOf(shown).nextStartedActivity.run {
            assertEquals("mailto:Shop@neighbours.example", Uri.decode(dataString))
            assertEquals(listOf("Shop@neighbours.example"), getStringArrayExtra(Intent.EXTRA_EMAIL)?.toList())
        }
    }

    @Test
    fun `the core is told which app was picked in the sheet`() {
        val invitation = invitation()
        val picked = mapOf("com.kakao.talk" to Channel.KAKAO_TALK, "jp.naver.line.android" to Channel.LINE, "com.example.notes" to Channel.SHEET)
        for ((app, channel) in picked) {
            phone.done(phone.moa.groups.share(invitation, Channel.COPY))
            phone.done(phone.moa.groups.share(invitation, Channel.SHEET))
            val sheet = shadowOf(shown).nextStartedActivity
            val answer = sheet.getParcelableExtra(Intent.EXTRA_CHOSEN_COMPONENT_INTENT_SENDER, IntentSender::class.java)
            assertNotNull(answer).sendIntent(phone.app, 0, Intent().putExtra(Intent.EXTRA_CHOSEN_COMPONENT, ComponentName(app, "Share")), null, null)
            phone.until { phone.app.core.invitations().single().channel == channel }
        }
    }

    @Test
    fun `what is not there gives way to the sheet`() {
        val invitation = invitation()
        shadowOf(phone.app).checkActivities(true)
        phone.done(phone.moa.groups.share(invitation, Channel.KAKAO_TALK))
        assertNotNull(phone.moa.problem, "not even a sheet is there")
        phone.moa.dismiss()
        phone.until { phone.moa.problem == null && !phone.moa.busy }
        val sheet = ComponentName("android", "com.android.internal.app.ChooserActivity")
        shadowOf(phone.app.packageManager).addOrUpdateActivity(ActivityInfo().apply { packageName = sheet.packageName; name = sheet.className })
        shadowOf(phone.app.packageManager).addIntentFilterForActivity(sheet, IntentFilter(Intent.ACTION_CHOOSER).apply { addCategory(Intent.CATEGORY_DEFAULT) })
        phone.done(phone.moa.groups.share(invitation, Channel.KAKAO_TALK))
        assertEquals(Intent.ACTION_CHOOSER, shadowOf(shown).nextStartedActivity.action)
        assertEquals(Channel.SHEET, phone.app.core.invitations().single().channel)
    }

    @Test
    fun `no permission is asked of anyone`() {
        val asked = phone.app.packageManager.getPackageInfo(phone.app.packageName, PackageManager.GET_PERMISSIONS).requestedPermissions
        assertEquals(
            setOf("android.permission.INTERNET", "com.google.android.finsky.permission.BIND_GET_INSTALL_REFERRER_SERVICE"),
            assertNotNull(asked).toSet(),
            "both are granted as the app is installed",
        )
    }

    /** One for anyone who is given it. */
    private fun invitation(): Invitation {
        phone.done(phone.moa.groups.inviteMany(alley))
        val id = assertIs<Screen.ShowInvitation>(phone.moa.screen).invitation
        runBlocking { phone.app.core.syncNow() }
        return phone.app.core.invitations().single { it.id == id }
    }
}
