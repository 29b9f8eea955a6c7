package moa.app

import android.content.Intent
import android.net.Uri
import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import moa.ui.Role
import moa.ui.Screen
import org.junit.After
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** A link opens the app, and leads to its screen. */
@RunWith(RobolectricTestRunner::class)
class LinksTest {
    @get:Rule
    val folder = TemporaryFolder()

    private lateinit var phone: Phone

    @Before
    fun open() {
        phone = Phone(Path.of(folder.root.path))
    }

    @After
    fun close() = phone.close()

    private fun view(link: String) = Intent(Intent.ACTION_VIEW, Uri.parse(link)).addCategory(Intent.CATEGORY_BROWSABLE)

    @Test
    fun `the links that the core makes are the app's, in every form, and other pages are the browser's`() {
        val (shop, group) = phone.neighbour("Bakery", "010-0000-0002", "Alley")
        val invitation = shop.invite(group, 5u, 14u)
        val link = assertNotNull(invitation.link)
        val token = link.substringAfter("/i/")
        assertEquals("${phone.base}/i/$token", link)
        val id = assertNotNull(shop.ownShop()).id
        val paths = listOf("i/$token", "c/7K3M9QXW", "g/$group", "s/$id", "w/$group", "b/${"0a".repeat(64)}")
        val ours = paths.map { "https://moa.example/$it" } + "https://moa.example/t/--8AEGm3" +
            paths.map { "https://moa.example/${it.uppercase()}" } +
            paths.map { "moa://$it" } + paths.map { "kakao0000://kakaolink?moa=$it" }
        for (link in ours) assertEquals(MainActivity::class.java.name, opened(link), link)
        val others = listOf(
            "https://moa.example/", "https://moa.example/c", "https://moa.example/terms", "https://moa.example/.well-known/assetlinks.json",
            "https://moa.example.evil/i/$token", "https://other.example/i/$token", "http://moa.example/i/$token", "kakao1111://kakaolink?moa=i/$token",
        )
        for (link in others) assertNull(opened(link), link)
    }

    /** The activity that the system opens a link with. */
    private fun opened(link: String) = phone.app.packageManager.resolveActivity(view(link), 0)?.activityInfo?.name

    @Test
    fun `a link that opens the app leads to its screen, and the next one in the same activity`() {
        val (shop, group) = phone.neighbour("Bakery", "010-0000-0002", "Alley")
        val invitation = assertNotNull(shop.invite(group, 5u, 14u).link)
        runBlocking { shop.syncNow() }
        val opened = phone.opens(view(invitation))
        assertEquals(Screen.Number, phone.moa.screen, "nobody is signed in yet")
        phone.signsIn("010-0000-0001", Role.BUYER)
        assertEquals("Alley", assertIs<Screen.Received>(phone.moa.screen).invitation.group?.name)

        opened.newIntent(view("moa://g/$group"))
        phone.until { phone.moa.screen is Screen.GroupPage }
        opened.newIntent(view("${phone.base}/s/${assertNotNull(shop.ownShop()).id}"))
        phone.until { phone.moa.screen is Screen.ShopPage }
        opened.newIntent(view("kakao0000://kakaolink?from=chat&moa=w%2F$group"))
        phone.until { phone.moa.screen is Screen.History }
        phone.draws()
        opened.get().onBackPressedDispatcher.onBackPressed()
        assertEquals(Screen.Wallet, phone.moa.screen)
        opened.recreate()
        phone.draws()
        assertEquals(Screen.Wallet, phone.moa.screen, "the link was followed before")
    }

    @Test
    fun `a link that leads nowhere says so`() {
        val opened = phone.opens()
        phone.signsIn("010-0000-0001", Role.BUYER)
        for (garbage in listOf("moa://x/1", "${phone.base}/i/12", "https://moa.example.evil/g/1")) {
            opened.newIntent(view(garbage))
            phone.until { phone.moa.problem != null && !phone.moa.busy }
            assertTrue(assertNotNull(phone.moa.problem).text.length > 10, garbage)
            phone.moa.dismiss()
            phone.until { phone.moa.problem == null && !phone.moa.busy }
            assertEquals(Screen.Wallet, phone.moa.screen)
        }
    }
}
