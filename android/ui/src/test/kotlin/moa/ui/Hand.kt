package moa.ui

import androidx.compose.ui.graphics.toAwtImage
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.test.ComposeUiTest
import androidx.compose.ui.test.ExperimentalTestApi
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.SemanticsNodeInteraction
import androidx.compose.ui.test.captureToImage
import androidx.compose.ui.test.hasAnyAncestor
import androidx.compose.ui.test.hasClickAction
import androidx.compose.ui.test.hasContentDescription
import androidx.compose.ui.test.hasScrollAction
import androidx.compose.ui.test.hasSetTextAction
import androidx.compose.ui.test.hasTestTag
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.isEnabled
import androidx.compose.ui.test.performClick
import androidx.compose.ui.test.performScrollTo
import androidx.compose.ui.test.performTextReplacement
import java.nio.file.Path
import javax.imageio.ImageIO

/** One of the phones on the screen. */
@OptIn(ExperimentalTestApi::class)
class Hand(private val ui: ComposeUiTest, private val phone: String) {
    private fun here(what: SemanticsMatcher) = what and hasAnyAncestor(hasTestTag(phone))

    fun sees(text: String, part: Boolean = false) {
        val shown = here(hasText(text, substring = part))
        ui.waitUntil("$phone sees $text", 20_000) { ui.onAllNodes(shown).fetchSemanticsNodes().isNotEmpty() }
    }

    /** Gone without a tap. */
    fun nowhere(text: String, part: Boolean = false) {
        val shown = here(hasText(text, substring = part))
        ui.waitUntil("$phone no longer shows $text", 20_000) { ui.onAllNodes(shown).fetchSemanticsNodes().isEmpty() }
    }

    fun taps(text: String) = taps(text, hasText(text))

    /** What has a name that is read out. */
    fun tapsOn(spoken: String) = taps(spoken, hasContentDescription(spoken))

    /** Of several, one. */
    fun takes(text: String) = taps(text, hasText(text) and SemanticsMatcher.expectValue(SemanticsProperties.Role, Role.RadioButton))

    private fun taps(name: String, what: SemanticsMatcher) {
        // What is at work cannot be tapped.
        val tapped = here(what and hasClickAction() and isEnabled())
        ui.waitUntil("$phone can tap $name", 20_000) { ui.onAllNodes(tapped).fetchSemanticsNodes().isNotEmpty() }
        ui.onAllNodes(tapped)[0].reach().performClick()
        ui.waitForIdle()
    }

    fun keys(digits: String) = digits.forEach { digit ->
        ui.onNode(here(hasContentDescription(digit.toString()))).performClick()
    }

    fun types(text: String, field: String) = ui.onNode(here(hasSetTextAction() and hasText(field))).performTextReplacement(text)

    fun types(text: String) = ui.onNode(here(hasSetTextAction())).performTextReplacement(text)

    fun photograph(to: Path) {
        ui.waitForIdle()
        ImageIO.write(ui.onNode(hasTestTag(phone)).captureToImage().toAwtImage(), "png", to.toFile())
    }

    fun signsIn(table: Table, number: String, role: String) {
        types(number)
        taps("Send me a code")
        sees("Six-digit code")
        types(table.digits(number))
        taps("Sign in")
        taps(role)
    }

    /** Scrolled to, where its screen scrolls. */
    private fun SemanticsNodeInteraction.reach() = apply {
        if (hasAnyAncestor(hasScrollAction()).matches(fetchSemanticsNode())) performScrollTo()
    }
}
