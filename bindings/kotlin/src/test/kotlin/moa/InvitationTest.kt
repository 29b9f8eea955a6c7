package moa

import java.nio.file.Path
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.Admission
import uniffi.moa.ApiException
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.Channel
import uniffi.moa.Destination
import uniffi.moa.Founding
import uniffi.moa.FoundingPlan
import uniffi.moa.Gives
import uniffi.moa.GroupProfile
import uniffi.moa.InvitationState
import uniffi.moa.JoinRequestState
import uniffi.moa.MileageKind
import uniffi.moa.Reach
import uniffi.moa.Scan
import uniffi.moa.Scope
import uniffi.moa.ShareIntent
import uniffi.moa.ShopProfile
import uniffi.moa.Validity

/** Founding a group, inviting the neighbours, asking to be let in. */
class InvitationTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var server: Server
    private val apps = mutableListOf<App>()

    @BeforeEach
    fun start() {
        server = Server(folder.resolve("server"), testClock = true)
    }

    @AfterEach
    fun stop() {
        apps.forEach { it.close() }
        server.close()
    }

    private suspend fun enrolled(number: String): App =
        App.open(AppConfig(folder.resolve(number).toString(), server.url, "en")).also { apps += it }.apply {
            beginEnrolment(number)
            confirmEnrolment(server.code(number))
        }

    private suspend fun shop(name: String, number: String): App = enrolled(number).apply {
        registerShop(ShopProfile(name, industry = "cafe", area = "서울 마포구 연남동"))
        syncNow()
        assertEquals("cafe", assertNotNull(ownShop()?.profile).industry)
    }

    private fun App.id(): String = assertNotNull(ownShop()).id

    private fun App.names(group: String): List<String?> = assertNotNull(group(group)).members.map { it.name }.sortedBy { it }

    /** What whoever was sent an invitation holds: its link, from the app that was opened or from the message that came. */
    private fun linkIn(text: String): String = assertNotNull(Regex("""${Regex.escape(server.url)}/i/[0-9a-f]{32}""").find(text), text).value

    @Test
    fun `of ten neighbours invited by four channels eight join and everyone sees who they are`() = runBlocking {
        val founder = shop("Corner Cafe", "010-0000-0001")
        val terms = founder.suggestedTerms(Scope.BUILDING, MileageKind.POINTS)
        val founding = Founding("Alley", Scope.BUILDING, terms, nickname = "alley")
        val preview = founder.foundingPreview(founding)
        assertEquals(listOf("10%", "1,000 points for ₩10,000", "3 months"), listOf(preview.rateText, preview.exampleText, preview.validityText))
        val alley = founder.foundGroup(founding)

        val neighbours = (10..19).map { shop("Shop $it", "010-0000-00$it") }
        for ((at, neighbour) in neighbours.withIndex()) {
            val reach = when (at) {
                in 0..2 -> Reach.Contact(Channel.SMS, "010-0000-00${10 + at}")
                in 3..4 -> Reach.Contact(Channel.EMAIL, "shop$at@neighbours.example")
                in 5..7 -> Reach.Messenger(Channel.KAKAO_TALK)
                else -> Reach.Shop(neighbour.id())
            }
            founder.addInvitee(alley, "Neighbour $at", reach)
        }
        val invitees = founder.inviteListed(alley, 14u)
        assertEquals(10, invitees.size)
        assertTrue(invitees.all { it.state == InvitationState.DRAFT })
        founder.syncNow()

        server.moveToHour(22)
        for (invitee in invitees.take(3)) founder.sendToInvitee(invitee.id)
        founder.syncNow()
        founder.refreshInvitations()
        assertEquals(List(3) { "Goes out at 8 in the morning" }, founder.invitees(alley).take(3).map { it.stateText })
        server.moveToHour(8)
        val made = founder.invitations().associateBy { it.id }
        for ((at, invitee) in invitees.withIndex()) {
            val (own, neighbour) = Pair(made.getValue(assertNotNull(invitee.invitation)), neighbours[at])
            val held = when (val channel = invitee.channel) {
                Channel.IN_APP -> null
                Channel.SMS -> linkIn(server.messages(assertNotNull(invitee.contact)))
                else -> {
                    val intent = founder.shareIntent(assertNotNull(own.share), channel, invitee.contact)
                    founder.invitationShared(own.id, channel)
                    linkIn(if (intent is ShareIntent.Mail) intent.body else assertIs<ShareIntent.Kakao>(intent).link)
                }
            }
            // It hears there how late it is.
            neighbour.syncNow()
            val received = if (held == null) {
                neighbour.receivedInvitations().single()
            } else {
                assertIs<Destination.Invitation>(assertIs<Scan.Link>(neighbour.readCode(held)).destination)
                neighbour.openInvitation(held)
            }
            assertEquals(listOf("Corner Cafe", "Alley", "10%"), listOf(received.from.name, received.group?.name, received.group?.rateText))
            if (at == 3 || at == 8) neighbour.declineInvitation(received.id) else neighbour.acceptInvitation(received.id, assertNotNull(received.group).termsVersion)
            neighbour.syncNow()
        }

        founder.syncNow()
        founder.refreshInvitations()
        val states = founder.invitees(alley).map { it.state }
        assertEquals(8, states.count { it == InvitationState.JOINED })
        assertEquals(2, states.count { it == InvitationState.DECLINED })
        val expected = (listOf("Corner Cafe") + (10..19).filter { it != 13 && it != 18 }.map { "Shop $it" }).sorted()
        val buyer = enrolled("010-0000-0002")
        buyer.syncNow()
        for (app in listOf(founder, neighbours[0], neighbours[9], buyer)) {
            app.syncNow()
            assertEquals(expected, app.names(alley))
        }
        val voucher = neighbours[4].recordSale(20_000)
        val choice = buyer.choices(voucher.code).single()
        assertEquals(alley, choice.group)
        buyer.claim(voucher.code, choice)
        buyer.syncNow()
        assertEquals(2_000, buyer.balances().single().confirmed)

        // Sent to one number, it is that person's; used, it is over: the same to who never had it.
        val second = assertNotNull(founder.invite(alley, 1u, 14u).link)
        founder.syncNow()
        val used = linkIn(server.messages("+821000000010"))
        for (text in listOf(used, "$used?utm_source=chat")) {
            assertEquals("invitation_void", assertFailsWith<ApiException.Server> { neighbours[3].openInvitation(text) }.code)
        }
        val own = founder.invitations().first()
        assertEquals(second, own.link)
        founder.revokeInvitation(own.id)
        founder.syncNow()
        assertEquals(InvitationState.REVOKED, founder.invitations().first().state)
        assertEquals("invitation_void", assertFailsWith<ApiException.Server> { neighbours[3].openInvitation(second) }.code)
    }

    @Test
    fun `a founder takes the rate suggested or gives more and is told what either costs`() = runBlocking {
        val founder = shop("Corner Cafe", "010-0000-0001")
        val plan = FoundingPlan(Scope.BUILDING, MileageKind.POINTS, members = 6u, validity = Validity.Months(12u))
        val (terms, suggested) = founder.foundingDraft(plan)
        assertEquals(listOf("8.8%", "3 months", null), listOf(suggested.rateText, suggested.validityText, suggested.bound))
        assertEquals("for ₩1,000,000 of sales ₩29,694 on average, ₩88,000 at most", suggested.cost.text)
        assertContains(suggested.reasons, "About 69% of the mileage is used in time.")
        founder.foundGroup(Founding("As suggested", Scope.BUILDING, terms))

        val own = terms.copy(gives = Gives.Points(1_500u))
        val weighed = founder.weighTerms(plan, own)
        assertEquals(listOf("15%", 150_000L, "8.8%"), listOf(weighed.givesText, weighed.cost.worst, weighed.suggestion.rateText))
        assertTrue(weighed.cost.mean > 30_000, "more than 3 % of the sales: ${weighed.cost}")
        founder.foundGroup(Founding("Generous", Scope.BUILDING, own))
        founder.syncNow()
        val founded = founder.ownGroups().map { assertNotNull(it.group) }.associate { it.name to it.rateText }
        assertEquals(mapOf("As suggested" to "8.8%", "Generous" to "15%"), founded)

        val refused = assertFailsWith<ApiException.Refused> { founder.foundingDraft(plan.copy(budgetBp = 2_001u)) }
        assertEquals("bad_terms", refused.code)
        assertContains(refused.text, "from 0.1% to 20%")
    }

    @Test
    fun `a shop asks to join a group that votes and is let in`() = runBlocking {
        val founder = shop("Corner Cafe", "010-0000-0001")
        val terms = founder.suggestedTerms(Scope.AREA, MileageKind.STAMPS).copy(admission = Admission.Vote(10_000u))
        val district = founder.foundGroup(Founding("District", Scope.AREA, terms))
        val bakery = shop("Bakery", "010-0000-0003")
        founder.inviteShop(district, bakery.id(), 14u)
        founder.syncNow()
        bakery.syncNow()
        bakery.acceptInvitation(bakery.receivedInvitations().single().id, 1u)
        bakery.syncNow()
        assertTrue(bakery.ownGroups().single().confirmed, "the only member invited it")

        val florist = shop("Florist", "010-0000-0004")
        val found = florist.lookUpGroup(district)
        assertEquals("100% of the members let a shop in", found.admissionText)
        florist.joinGroup(district, found.termsVersion)
        florist.syncNow()
        val waits = florist.ownGroups().single()
        assertEquals(Pair(false, "Waiting to be let in"), Pair(waits.confirmed, waits.waitingText))
        for ((app, votes) in listOf(founder to "0 for, 0 against", bakery to "1 for, 0 against")) {
            app.syncNow()
            val asked = app.joinRequests().single()
            assertEquals(listOf("Florist", votes, null), listOf(asked.shop.name, asked.votesText, asked.answer))
            app.answerJoin(district, asked.shop.id, true)
            assertEquals(true, app.joinRequests().single().answer)
            app.syncNow()
        }
        florist.syncNow()
        assertTrue(florist.ownGroups().single().confirmed)
        assertEquals(JoinRequestState.ADMITTED, florist.joinRequests().single().state)

        founder.amendGroupProfile(district, GroupProfile("Green District", Scope.AREA, nickname = "green"))
        founder.amendShop(ShopProfile("Corner Roastery", building = "Moa Tower"))
        founder.syncNow()
        assertEquals("Moa Tower", founder.ownShop()?.profile?.building)
        val buyer = enrolled("010-0000-0002")
        for (app in listOf(buyer, florist, bakery)) {
            app.syncNow()
            val group = assertNotNull(app.group(district))
            assertEquals(Pair("Green District", "green"), Pair(group.name, group.nickname))
            assertEquals(listOf("Bakery", "Corner Roastery", "Florist"), app.names(district))
        }
    }
}
