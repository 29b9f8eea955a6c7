package moa.ui

import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.Admission
import uniffi.moa.App
import uniffi.moa.Channel
import uniffi.moa.Founding
import uniffi.moa.Gives
import uniffi.moa.Group
import uniffi.moa.InvitationState
import uniffi.moa.MileageKind
import uniffi.moa.Scope
import uniffi.moa.SearchSort
import uniffi.moa.ShareIntent
import uniffi.moa.ShopProfile
import uniffi.moa.Validity

/** Founding and inviting, by what the screens call; and where links lead. */
class GroupsTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var table: Table
    private lateinit var app: App
    private lateinit var moa: Moa
    private val apps = Apps(contact = PickedContact("Kim the baker", "010-0000-0002"), picture = photo())
    private val scope = CoroutineScope(Dispatchers.Default.limitedParallelism(1))
    private val cafe = ShopProfile("", industry = "cafe", area = "서울 마포구 연남동")

    @BeforeEach
    fun open() = runBlocking {
        table = Table(folder, "en")
        app = table.shop("Corner Café", "010-0000-0001", cafe)
        moa = Moa(app, scope, Remembered(Role.SHOP), apps)
    }

    @AfterEach
    fun close() {
        moa.close()
        scope.cancel()
        table.close()
    }

    @Test
    fun `a founder changes what was suggested, step by step, and the group is as the preview said`() = runBlocking {
        moa.groups.beginFounding().join()
        val draft = assertIs<Screen.Found>(moa.screen).draft
        assertEquals("Name of the group", draft.preview?.name)
        draft.call("Alley", "alley")
        draft.reach(Scope.AREA)
        val suggested = app.suggestedTerms(Scope.AREA, MileageKind.POINTS)
        assertEquals(suggested, draft.terms)
        assertEquals(app.foundingPreview(draft.founding()), draft.preview)
        val suggestion = assertNotNull(draft.weighed).also { assertEquals(it.cost, it.suggestion.cost) }.suggestion
        assertEquals(true to Gives.Points(suggestion.rateBp), suggestion.reasons.isNotEmpty() to suggested.gives)
        draft.gives(Gives.Points(650u))
        draft.lasts(-2)
        draft.usableFrom(0)
        assertEquals(Validity.Months((assertIs<Validity.Months>(suggested.validity).count - 2u).toUShort()), draft.terms.validity)
        val preview = assertNotNull(draft.preview)
        assertEquals(listOf("6.5%", "at once"), listOf(preview.rateText, preview.usableText))
        val weighed = assertNotNull(draft.weighed)
        assertEquals(listOf("6.5%", true), listOf(weighed.givesText, weighed.cost.mean > suggestion.cost.mean))
        moa.groups.addPicture(draft).join()
        val cover = assertNotNull(assertIs<Screen.Found>(moa.screen).cover)
        moa.groups.found(assertIs<Screen.Found>(moa.screen)).join()
        app.syncNow()
        val group = assertIs<Screen.GroupPage>(moa.screen).group
        assertEquals(listOf("Alley", "alley", cover.id, "6.5%", "at once"), group.run { listOf(name, nickname, picture, rateText, usableText) })
        moa.groups.fetchCover("00".repeat(16))
        assertTrue(moa.groups.covers.isEmpty(), "there is no such picture")
        moa.groups.fetchCover(cover.id)
        assertEquals(320 to 160, moa.groups.covers[cover.id]?.run { width to height })
    }

    @Test
    fun `what could not be founded is said in place of the preview`() = runBlocking {
        moa.groups.beginFounding().join()
        val draft = assertIs<Screen.Found>(moa.screen).draft
        draft.call("x".repeat(61))
        assertEquals(null to null, draft.preview to draft.weighed)
        assertTrue(draft.wrong.isNotEmpty())
        draft.call("Alley")
        draft.give(MileageKind.STAMPS)
        draft.gives(Gives.Stamps(null, 7u, 10_000))
        assertNull(draft.preview, "seven stamps do not divide it")
        draft.give(MileageKind.COUPONS)
        assertEquals("" to true, draft.wrong to (draft.preview != null))
    }

    @Test
    fun `the list takes numbers, addresses, a picked contact, messenger friends and shops by name`() = runBlocking {
        table.shop("Bakery", "010-0000-0003", cafe.copy(industry = "bakery"))
        val alley = founded()
        moa.go(Screen.Invite(alley))
        moa.groups.add(alley, "010-0000-0004").join()
        moa.groups.add(alley, "shop@neighbours.example").join()
        moa.groups.pickContact(alley).join()
        moa.groups.addInMessenger(alley, Channel.KAKAO_TALK, "").join()
        moa.groups.addInMessenger(alley, Channel.KAKAO_TALK, "").join()
        moa.groups.add(alley, "bakery").join()
        val pick = assertIs<Screen.PickShops>(moa.screen)
        moa.groups.add(pick, pick.found.single().shops.single()).join()
        val listed = moa.groups.invitees.map { Triple(it.name, it.channel, it.contact) }
        assertEquals(
            listOf(
                Triple("010-0000-0004", Channel.SMS, "+821000000004"),
                Triple("shop@neighbours.example", Channel.EMAIL, "shop@neighbours.example"),
                Triple("Kim the baker", Channel.SMS, "+821000000002"),
                Triple("KakaoTalk 1", Channel.KAKAO_TALK, null),
                Triple("KakaoTalk 2", Channel.KAKAO_TALK, null),
                Triple("Bakery", Channel.IN_APP, null),
            ),
            listed,
        )
        moa.groups.takeOff(moa.groups.invitees.first()).join()
        until { moa.groups.invitees.size == 5 }
        moa.groups.add(alley, "010-12").join()
        assertEquals("Refused" to false, moa.problem?.title to moa.problem?.text.isNullOrEmpty())
        moa.dismiss()
        until { moa.problem == null && !moa.busy }
        moa.groups.suggest(alley).join()
        val suggested = assertIs<Screen.PickShops>(moa.screen).found
        assertEquals(listOf("In your neighbourhood" to listOf("Bakery")), suggested.map { it.title to it.shops.map { shop -> shop.name } })
    }

    @Test
    fun `an invitation leaves by the app that was tapped, or by the sheet, and the core knows which`() = runBlocking {
        val alley = founded()
        moa.groups.inviteMany(alley).join()
        val id = assertIs<Screen.ShowInvitation>(moa.screen).invitation
        app.syncNow()
        fun invitation() = moa.groups.invitations.single { it.id == id }
        until { invitation().state == InvitationState.MINTED }
        val link = assertNotNull(invitation().link)
        val opened = mapOf(
            Channel.SMS to ShareIntent.Sms::class,
            Channel.EMAIL to ShareIntent.Mail::class,
            Channel.KAKAO_TALK to ShareIntent.Kakao::class,
            Channel.LINE to ShareIntent.OpenUrl::class,
            Channel.TELEGRAM to ShareIntent.OpenUrl::class,
            Channel.WHATS_APP to ShareIntent.OpenUrl::class,
            Channel.MESSENGER to ShareIntent.OpenUrl::class,
            Channel.SHEET to ShareIntent.Sheet::class,
            Channel.COPY to ShareIntent.Copy::class,
        )
        for ((channel, kind) in opened) {
            moa.groups.share(invitation(), channel).join()
            assertEquals(kind, apps.opened.last()::class)
            assertEquals(channel to InvitationState.SHARED, invitation().channel to invitation().state)
        }
        assertTrue(apps.opened.filterIsInstance<ShareIntent.Sheet>().single().text.contains(link))

        apps.missing = { it !is ShareIntent.Sheet }
        moa.groups.share(invitation(), Channel.MESSENGER).join()
        assertEquals(Channel.SHEET, invitation().channel)
        apps.chosen(Channel.TELEGRAM)
        until { invitation().channel == Channel.TELEGRAM }
        apps.missing = { true }
        moa.groups.share(invitation(), Channel.LINE).join()
        assertEquals("No app opened", moa.problem?.title)
        assertEquals(Channel.TELEGRAM, invitation().channel, "nothing was sent")
        moa.dismiss()
        until { moa.problem == null && !moa.busy }

        moa.groups.takeBack(alley, invitation()).join()
        app.syncNow()
        until { invitation().state == InvitationState.REVOKED }
        assertTrue(!invitation().isOpen)
    }

    @Test
    fun `whatever a link leads to opens its screen, before and after signing in`() = runBlocking {
        val alley = founded()
        val invitation = app.invite(alley.id, 5u, 14u)
        app.syncNow()
        app.refreshInvitations()
        val base = assertNotNull(invitation.link).substringBefore("/i/")
        val code = assertNotNull(app.invitations().first().code)
        val shop = assertNotNull(app.ownShop()).id
        val other = table.phone("visitor")
        val visitor = Moa(other, scope, Remembered(), NoApps)
        visitor.follow("$base/g/${alley.id}")
        assertEquals(Screen.Number, visitor.screen)
        other.signIn(table, "010-0000-0005")
        visitor.goHome()
        visitor.choose(Role.BUYER).join()
        assertEquals("Alley", assertIs<Screen.GroupPage>(visitor.screen).group.name)

        for (link in listOf("$base/i/${invitation.link?.substringAfter("/i/")}", "$base/c/$code", code)) {
            visitor.read(link).join()
            assertEquals("Alley", assertIs<Screen.Received>(visitor.screen, "$link ${visitor.problem}").invitation.group?.name)
        }
        visitor.read("$base/s/$shop").join()
        val page = assertIs<Screen.ShopPage>(visitor.screen).page
        assertEquals(listOf("Corner Café", "Cafe", "Alley"), listOf(page.profile.name, page.industryText, page.groups.single().name))
        visitor.showMember()
        visitor.follow("$base/g/${alley.id}")
        until { visitor.screen is Screen.GroupPage }
        visitor.read(app.recordSale(45_000).code).join()
        visitor.claim(assertIs<Screen.Choose>(visitor.screen).text, null).join()
        other.syncNow()
        visitor.read("$base/w/${alley.id}").join()
        until { (visitor.screen as? Screen.History)?.rows.orEmpty().size == 1 }
        assertEquals("2,250 points", assertIs<Screen.History>(visitor.screen).balances.single().confirmedText)
        visitor.close()
    }

    @Test
    fun `an invitation is declined, a request withdrawn, and the shop that let others in sees both`() = runBlocking {
        val alley = founded(Admission.Admin)
        val otherApp = table.shop("Bakery", "010-0000-0003", cafe)
        val other = Moa(otherApp, scope, Remembered(Role.SHOP), NoApps)
        app.inviteShop(alley.id, assertNotNull(otherApp.ownShop()).id, 14u)
        app.syncNow()
        otherApp.syncNow()
        until { other.groups.waiting == 1 }
        other.groups.decline(other.groups.received.single()).join()
        otherApp.syncNow()
        app.syncNow()
        assertEquals(0, other.groups.waiting)
        moa.groups.showSent(alley).join()
        until { moa.groups.invitations.single().state == InvitationState.DECLINED }

        other.groups.show(alley.id).join()
        other.groups.join(assertIs<Screen.GroupPage>(other.screen).group).join()
        otherApp.syncNow()
        app.syncNow()
        until { moa.groups.waiting == 1 && other.groups.own.single().waitingText.isNotEmpty() }
        other.groups.withdraw(alley.id).join()
        otherApp.syncNow()
        app.syncNow()
        until { moa.groups.waiting == 0 && other.groups.own.isEmpty() }
        other.close()
    }

    @Test
    fun `a search goes on page by page, and without a network the list and the invitations are there all the same`() = runBlocking {
        repeat(52) { app.foundGroup(Founding("Alley $it", Scope.AREA, app.suggestedTerms(Scope.AREA, MileageKind.POINTS))) }
        app.syncNow()
        moa.groups.beginSearch().join()
        val first = assertIs<Screen.Find>(moa.screen)
        assertEquals(50 to true, first.found.size to first.more)
        moa.groups.searchOn(first).join()
        val all = assertIs<Screen.Find>(moa.screen)
        assertEquals(52 to false, all.found.map { it.group }.distinct().size to all.more)
        all.query.text = "alley 51"
        all.query.trade = moa.groups.trades().single { it.code == "cafe" }
        all.query.sort = SearchSort.RATE
        moa.groups.search(all.query).join()
        assertEquals(listOf("Alley 51"), assertIs<Screen.Find>(moa.screen).found.map { it.name })

        val alley = assertNotNull(app.group(assertIs<Screen.Find>(moa.screen).found.single().group))
        table.cable.cut()
        moa.groups.beginSearch().join()
        assertEquals(emptyList(), assertIs<Screen.Find>(moa.screen).found)
        moa.groups.add(alley, "010-0000-0004").join()
        moa.groups.inviteListed(alley).join()
        moa.groups.showSent(alley).join()
        assertIs<Screen.Sent>(moa.screen)
        assertEquals(InvitationState.DRAFT, moa.groups.invitations.single().state)
        assertNull(moa.problem)
        table.cable.mend()
        app.syncNow()
        until { moa.groups.invitations.single().state == InvitationState.MINTED }
    }

    @Test
    fun `a contact in a vCard is its name and its first number`() {
        val card = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Kim;Bora\r\nFN:Kim Bora\r\nitem1.TEL;type=CELL:010-0000-0002\r\nEMAIL:kim@shop.example\r\nEND:VCARD"
        assertEquals(PickedContact("Kim Bora", "010-0000-0002"), contactIn(card))
        assertEquals(PickedContact("a@b.example", "a@b.example"), contactIn("BEGIN:VCARD\nEMAIL;TYPE=work:a@b.example"))
        for (garbage in listOf("", "\u0000\uFFFF", "TEL", "FN:nobody", "TEL:")) assertNull(contactIn(garbage))
    }

    private suspend fun founded(admission: Admission? = null): Group {
        val terms = app.suggestedTerms(Scope.AREA, MileageKind.POINTS).copy(gives = Gives.Points(500u), admission = admission)
        val id = app.foundGroup(Founding("Alley", Scope.AREA, terms))
        app.syncNow()
        return assertNotNull(app.group(id))
    }
}
