package moa.ui

import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.Admission
import uniffi.moa.App
import uniffi.moa.Channel
import uniffi.moa.InvitationState
import uniffi.moa.MileageKind
import uniffi.moa.Place
import uniffi.moa.Scope
import uniffi.moa.ShopProfile

/** A picture of each screen about groups, as [PicturesTest] makes them of the main job. */
class GroupPicturesTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `every screen about groups, Korean by day`() = gallery(
        Look("ko", "ko-light"),
        Names("모퉁이 카페", listOf("골목 빵집", "연남 꽃집", "한가람 책방"), "골목 상점가", "골목", "연남동 동네", "연남빌딩", "김보라 (빵집)"),
    )

    @Test
    fun `every screen about groups, English by night`() = gallery(
        Look("en", "en-dark", inTheDark = true),
        Names("Corner Café", listOf("Alley Bakery", "Rose Florist", "Old Books"), "Alley", "alley", "Yeonnam-dong", "Moa Tower", "Bora Kim (bakery)"),
    )

    @Test
    fun `every screen about groups on a small phone with large letters and long names`() = gallery(
        Look("ko", "ko-small", width = 360, height = 640, letters = 1.3f, kept = setOf("found", "group", "invite", "sent", "received", "find", "shop-page-always")),
        Names(
            "감나무 골목에서 삼대째 이어 온 할머니 손맛 그대로 참기름과 들기름 짜는 집 본점",
            listOf("오래된 우물터 옆 골목에서 새벽마다 빵을 굽는 작은 빵집 연남 본점", "들꽃과 마른 꽃을 함께 엮어 파는 꽃집", "한가람 책방"),
            "감나무 골목과 오래된 우물터 사이 상인들이 함께 꾸리는 적립 모임",
            "감나무 골목 우물터 상인 적립 모임",
            "서울특별시 마포구 연남동 감나무 골목과 오래된 우물터",
            "감나무 골목 우물터 상가 빌딩 제1동",
            "오래된 우물터 옆 골목 빵집 김보라 사장님",
        ),
    )

    private class Names(
        val shop: String,
        val others: List<String>,
        val group: String,
        val nickname: String,
        val area: String,
        val building: String,
        val contact: String,
    )

    private fun profile(names: Names, trade: String, metres: Int) =
        ShopProfile("", Place(37_566_500 + metres * 9, 126_978_000), trade, names.area, names.building)

    private fun gallery(look: Look, names: Names) = Table(folder, look.language).use { table ->
        runBlocking {
            val scope = CoroutineScope(Dispatchers.Default.limitedParallelism(1))
            fun Moa.picture(screen: String): Path = draw(screen, look)
            val app = table.shop(names.shop, "010-1234-5678", profile(names, "cafe", 0))
            val shop = Moa(app, scope, Remembered(Role.SHOP), Apps(PickedContact(names.contact, "010-8765-4321"), photo()))
            val trades = listOf("bakery", "flowers", "books")
            val otherApps = names.others.mapIndexed { at, name -> table.shop(name, "010-2222-000$at", profile(names, trades[at], 120 * (at + 1))) }
            val (bakery, florist, books) = otherApps.map { Moa(it, scope, Remembered(Role.SHOP), NoApps) }
            val (bakeryApp, floristApp, booksApp) = otherApps

            shop.go(Screen.Groups)
            shop.picture("groups-empty")
            shop.groups.beginPresenting().join()
            shop.picture("our-shop")
            val form = assertIs<Screen.OurShop>(shop.screen).form
            shop.go(Screen.PickTrade(form.trade) {})
            shop.picture("trades")

            shop.groups.beginFounding().join()
            val draft = assertIs<Screen.Found>(shop.screen).draft
            shop.picture("found-empty")
            draft.call(names.group, names.nickname)
            draft.give(MileageKind.STAMPS)
            shop.picture("found-stamps")
            draft.give(MileageKind.POINTS)
            draft.reach(Scope.AREA)
            draft.admit(Admission.Vote(6_000u))
            shop.groups.addPicture(draft).join()
            shop.picture("found")
            shop.draw("found-all", look.copy(height = 1_900))
            shop.groups.found(assertIs<Screen.Found>(shop.screen)).join()
            app.syncNow()
            until { (shop.screen as? Screen.GroupPage)?.group?.members?.size == 1 }
            val group = assertIs<Screen.GroupPage>(shop.screen).group

            shop.go(Screen.Invite(group))
            shop.picture("invite-empty")
            shop.groups.suggest(group).join()
            shop.picture("suggested")
            val pick = assertIs<Screen.PickShops>(shop.screen)
            shop.groups.add(pick, pick.found.first().shops.first { it.name == names.others[0] }).join()
            shop.groups.pickContact(group).join()
            shop.groups.add(group, "shop@neighbours.example").join()
            shop.groups.addInMessenger(group, Channel.KAKAO_TALK, "").join()
            shop.picture("invite")
            shop.groups.inviteListed(group).join()
            app.syncNow()
            until { shop.groups.invitations.size == 4 && shop.groups.invitations.none { it.state == InvitationState.DRAFT } }
            shop.groups.share(shop.groups.invitations.first { it.share != null }, Channel.SHEET).join()
            shop.picture("sent")
            shop.groups.inviteMany(group).join()
            app.syncNow()
            shop.groups.showSent(group).join()
            val many = shop.groups.invitations.first { it.uses > 1u }
            shop.go(Screen.ShowInvitation(group, many.id))
            until { shop.groups.invitations.any { it.id == many.id && it.code != null } }
            val read = camera(shop.picture("invitation"))
            assertEquals(assertNotNull(many.link).lowercase(), read.lowercase(), "read back from its picture")

            shop.draw("invitation-all", look.copy(height = 1_200))

            bakeryApp.syncNow()
            until { bakery.groups.received.size == 1 }
            bakery.picture("till-invited")
            bakery.go(Screen.Groups)
            bakery.picture("groups-invited")
            bakery.go(Screen.EnterInvitation)
            bakery.picture("enter-invitation")
            bakery.go(Screen.Received(bakery.groups.received.single()))
            bakery.groups.fetchCover(assertNotNull(group.picture))
            bakery.picture("received")
            bakery.groups.accept(bakery.groups.received.single(), group).join()
            bakeryApp.syncNow()
            app.syncNow()
            until { shop.groups.own.single().group?.members?.size == 2 }

            florist.groups.beginSearch().join()
            florist.picture("find")
            assertIs<Screen.Find>(florist.screen).query.text = "zzzz"
            florist.groups.search(assertIs<Screen.Find>(florist.screen).query).join()
            florist.picture("find-nothing")
            florist.groups.show(group.id).join()
            until { (florist.screen as? Screen.GroupPage)?.group?.members?.all { it.name != null } == true }
            florist.groups.fetchCover(assertNotNull(group.picture))
            florist.picture("group-to-join")
            florist.groups.join(group).join()
            booksApp.syncNow()
            books.groups.show(group.id).join()
            books.groups.join(group).join()
            for (other in listOf(floristApp, booksApp, app)) other.syncNow()
            until { florist.groups.own.singleOrNull()?.waitingText?.isNotEmpty() == true }
            florist.picture("groups-waiting")
            until { shop.groups.asking.size == 2 }
            shop.go(Screen.Requests)
            shop.picture("requests")
            shop.groups.answer(shop.groups.asking.first(), true).join()
            app.syncNow()
            until { shop.groups.asking.size == 1 && shop.groups.requests.any { it.answer == true } }
            shop.picture("requests-answered")
            shop.groups.show(group.id).join()
            shop.groups.fetchCover(assertNotNull(group.picture))
            shop.picture("group")
            shop.go(Screen.Groups)
            shop.picture("groups")

            buyer(table, scope, app, shop, look)
            for (moa in listOf(shop, bakery, florist, books)) moa.close()
            scope.cancel()
        }
    }

    /** What a buyer sees of it all: by links. */
    private suspend fun buyer(table: Table, scope: CoroutineScope, shopApp: App, shop: Moa, look: Look) {
        val app = table.phone("buyer").also { it.signIn(table, "010-3333-0001") }
        val moa = Moa(app, scope, Remembered(Role.BUYER), NoApps)
        val group = shop.groups.own.single().id
        val base = assertNotNull(shop.groups.invitations.firstNotNullOf { it.link }).substringBefore("/i/")
        moa.read(shopApp.recordSale(45_000).code).join()
        moa.claim(assertIs<Screen.Choose>(moa.screen).text, null).join()
        app.syncNow()
        moa.read(assertNotNull(shopApp.invite(null, 1u, 14u).also { shopApp.syncNow() }.link)).join()
        assertTrue(assertIs<Screen.Received>(moa.screen).invitation.toApp)
        moa.draw("received-by-buyer", look)
        moa.read("$base/s/${assertNotNull(shopApp.ownShop()).id}").join()
        assertTrue(assertIs<Screen.ShopPage>(moa.screen).page.groups.isNotEmpty())
        moa.draw("shop-page", look)
        val shown = assertIs<Screen.ShopPage>(moa.screen).page
        moa.collectAt(shown.id, AtShop.Always(group)).join()
        assertEquals(AtShop.Always(group), moa.collectedAt(shown.id))
        moa.draw("shop-page-always", look)
        moa.withoutAsking().join()
        moa.draw("without-asking-at-shops", look)
        moa.collectAt(shown.id, AtShop.AsElsewhere).join()
        moa.read("$base/g/$group").join()
        until { (moa.screen as? Screen.GroupPage)?.group?.members?.all { it.name != null } == true }
        moa.groups.fetchCover(assertNotNull(assertIs<Screen.GroupPage>(moa.screen).group.picture))
        moa.draw("group-to-buyer", look)
        moa.read("$base/w/$group").join()
        until { (moa.screen as? Screen.History)?.rows.orEmpty().isNotEmpty() }
        moa.draw("history", look)
        moa.close()
    }
}
