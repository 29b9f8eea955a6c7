package moa

import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.ApiException
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.Basis
import uniffi.moa.Founding
import uniffi.moa.Gives
import uniffi.moa.Place
import uniffi.moa.Scope
import uniffi.moa.Search
import uniffi.moa.SearchFor
import uniffi.moa.Terms
import uniffi.moa.Validity

/** Groups and shops are found by name and by where they are. */
class SearchTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var server: Server
    private val apps = mutableListOf<App>()

    @BeforeEach
    fun start() {
        server = Server(folder.resolve("server"))
    }

    @AfterEach
    fun stop() {
        apps.forEach { it.close() }
        server.close()
    }

    /** A shop so many metres north of the city hall. */
    private suspend fun shop(name: String, number: String, metres: Int): App =
        App.open(AppConfig(folder.resolve(number).toString(), server.url, "en")).also { apps += it }.apply {
            beginEnrolment(number)
            confirmEnrolment(server.code(number))
            registerMerchant(name, Place(37_566_500 + metres * 9, 126_978_000))
            syncNow()
        }

    @Test
    fun `a neighbour is found by half a name, and its group from where the own shop is`() = runBlocking {
        val terms = Terms(Gives.Points(500u), Validity.Months(6u), 0, Basis.ON_ISSUE)
        val near = shop("연남카페", "010-0000-0001", 300)
        val group = near.foundGroup(Founding("연남동 골목", Scope.AREA, terms))
        near.syncNow()
        shop("서교빵집", "010-0000-0002", 2_000)
        val own = shop("정동꽃집", "010-0000-0003", 0)

        val here = own.searchFromHere(SearchFor.SHOPS)
        val shops = own.search(here).shops
        assertEquals(listOf("연남카페" to "300 m", "서교빵집" to "2.0 km"), shops.map { it.name to it.distanceText })
        assertEquals(listOf(group), shops.first().groups)
        for (typed in listOf("남카ㅍ", "ㅇㄴㅋㅍ", "카페")) {
            assertEquals(listOf("연남카페"), own.search(here.copy(text = typed)).shops.map { it.name })
        }

        val found = own.search(own.searchFromHere(SearchFor.GROUPS)).groups.single()
        assertEquals(listOf(group, "연남동 골목", "300 m"), listOf(found.group, found.name, found.distanceText))
        assertEquals(1u, found.members)
        assertTrue("5%" in found.rateText, found.rateText)
        own.lookUpGroup(found.group)
        own.joinGroup(found.group, found.termsVersion)
        own.syncNow()
        assertEquals(2u, own.search(Search(SearchFor.GROUPS, text = "ㄱㅁ")).groups.single().members)

        assertEquals("Cafe", assertNotNull(own.industries().find { it.code == "cafe" }).name)
        val failed: ApiException = assertFailsWith { own.search(Search(SearchFor.GROUPS, industry = "spaceport")) }
        assertTrue(failed is ApiException.Invalid, "$failed")
    }
}
