package moa.ui

import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.size
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.test.ComposeUiTest
import androidx.compose.ui.test.ExperimentalTestApi
import androidx.compose.ui.test.v2.runDesktopComposeUiTest
import androidx.compose.ui.unit.dp
import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import uniffi.moa.App
import uniffi.moa.Founding
import uniffi.moa.Gives
import uniffi.moa.MileageKind
import uniffi.moa.Scope

/** A group on the screens of three shops, side by side, over the real core and the real server. */
@OptIn(ExperimentalTestApi::class)
class GroupStoryTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a group is founded, a neighbour invited by a text message joins, a third shop finds it, asks and is let in`() =
        runDesktopComposeUiTest(width = 1240, height = 892) {
            Table(folder, "en", testClock = true).use { table ->
                val apps = listOf("founder", "neighbour", "stranger").associateWith { table.phone(it) }
                val phones = mutableMapOf<String, Moa>()
                setContent {
                    Row {
                        for ((name, app) in apps) {
                            val scope = rememberCoroutineScope()
                            val moa = remember { Moa(app, scope, Remembered(), NoApps).also { phones[name] = it } }
                            MoaApp(moa, inTheDark = false, { null }, Modifier.testTag(name).size(412.dp, 892.dp))
                        }
                    }
                }
                waitForIdle()
                story(table, apps, phones)
            }
        }

    private fun ComposeUiTest.story(table: Table, apps: Map<String, App>, phones: Map<String, Moa>) {
        val (founder, neighbour, stranger) = apps.keys.map { Hand(this, it) }
        fun sync(vararg names: String) = names.forEach { name ->
            // What was tapped is on disk first, or it would go with the next sync alone.
            waitUntil("$name has done what was tapped", 20_000) { !phones.getValue(name).busy }
            runBlocking { apps.getValue(name).syncNow() }
        }

        founder.opensShop(table, "010-0000-0001", "Corner Café")
        founder.taps("Groups")
        founder.sees("No groups yet")
        founder.taps("Found a group")
        founder.types("Alley", "Name of the group")
        founder.taps("One neighbourhood")
        founder.sees(promise(apps.getValue("founder"), more = 0))
        founder.tapsOn("More, Rate")
        val promised = promise(apps.getValue("founder"), more = 50)
        founder.sees(promised)
        founder.taps("Members vote")
        founder.taps("Found a group")
        founder.taps("Invite shops")
        founder.types("010-0000-0002")
        founder.taps("Put on the list")
        founder.sees("Text message · +821000000002")
        founder.taps("Make the invitations (1)")
        sync("founder")
        founder.sees("Not sent yet")
        table.moveToHour(22)
        founder.taps("Have Moa send texts and mails")
        sync("founder")
        founder.sees("Goes out at 8 in the morning")
        table.moveToHour(8)

        // The link in the message opens the neighbour's app, which nobody has signed in on.
        val link = table.linkSentTo("+821000000002")
        runOnIdle { phones.getValue("neighbour").follow(link) }
        neighbour.signsIn(table, "010-0000-0002", "As a shop")
        neighbour.sees("You are invited")
        neighbour.sees("Corner Café")
        neighbour.sees(promised)
        neighbour.taps("Open a shop first")
        neighbour.types("Bakery")
        neighbour.taps("Open the shop")
        sync("neighbour")
        neighbour.taps("Accept")
        sync("neighbour", "founder")
        neighbour.sees("Alley")
        neighbour.sees("Bakery", part = true)
        founder.taps("Back")
        founder.sees("Member shops 2")
        founder.taps("Invitations")
        founder.sees("Joined")
        founder.taps("Back")
        founder.taps("Back")

        stranger.opensShop(table, "010-0000-0003", "Florist")
        sync("stranger")
        stranger.taps("Groups")
        stranger.taps("Find groups")
        stranger.types("alle", "Name or trade")
        stranger.taps("Search")
        stranger.sees("Member shops 2")
        stranger.taps("Alley")
        stranger.sees("Bakery")
        stranger.taps("Ask to join")
        sync("stranger", "founder")
        stranger.sees("Waiting to be let in")

        founder.taps("Requests to join (1)")
        founder.sees("0 for, 0 against")
        founder.taps("Let in")
        sync("founder", "stranger", "neighbour")
        founder.sees("No request waits")
        stranger.nowhere("Waiting to be let in")
        stranger.taps("Alley")
        stranger.sees("Member shops 3")
        stranger.sees("Invite shops")
        assertEquals(3, apps.getValue("neighbour").ownGroups().single().group?.members?.size)
    }

    /** What is promised by what is suggested for an area, or by so much more, in hundredths of a percent. */
    private fun promise(app: App, more: Int): String {
        val terms = app.suggestedTerms(Scope.AREA, MileageKind.POINTS)
        val rate = assertIs<Gives.Points>(terms.gives).rateBp.toInt() + more
        return app.foundingPreview(Founding("Alley", Scope.AREA, terms.copy(gives = Gives.Points(rate.toUShort())))).promiseText
    }

    private fun Hand.opensShop(table: Table, number: String, name: String) {
        signsIn(table, number, "As a shop")
        sees("Name of your shop")
        types(name)
        taps("Open the shop")
        sees(name)
    }
}
