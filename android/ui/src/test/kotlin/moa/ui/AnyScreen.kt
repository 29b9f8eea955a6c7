package moa.ui

import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.test.ExperimentalTestApi
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.SkikoComposeUiTest
import androidx.compose.ui.test.hasClickAction
import androidx.compose.ui.test.onRoot
import androidx.compose.ui.text.TextLayoutResult
import androidx.compose.ui.text.style.TextOverflow
import kotlin.test.assertTrue

/** The least that a thumb hits, in dp. */
private const val THUMB = 48


/**
 * What must hold of any screen, so that a thumb finds everything and eyes or ears understand it: what is tapped is large
 * and has a name, no text is cut, no Korean word is broken, nothing leaves the glass at its sides.
 */
@OptIn(ExperimentalTestApi::class)
fun SkikoComposeUiTest.checkScreen(name: String) {
    val glass = onRoot().fetchSemanticsNode().size
    for (tapped in onAllNodes(hasClickAction()).fetchSemanticsNodes()) {
        val (width, height) = listOf(tapped.size.width, tapped.size.height).map { it / density.density }
        assertTrue(width >= THUMB && height >= THUMB, "$name: ${spoken(tapped)} is $width × $height dp")
        assertTrue(spoken(tapped).any { it.isNotBlank() }, "$name: something without a name can be tapped")
    }
    for (image in onAllNodes(SemanticsMatcher.expectValue(SemanticsProperties.Role, Role.Image)).fetchSemanticsNodes()) {
        assertTrue(spoken(image).any { it.isNotBlank() }, "$name: a picture without a name")
    }
    val texts = onAllNodes(SemanticsMatcher.keyIsDefined(SemanticsActions.GetTextLayoutResult), useUnmergedTree = true)
    for (node in texts.fetchSemanticsNodes()) {
        // What is typed scrolls in its field.
        if (SemanticsActions.SetText in node.config) continue
        val (from, to) = node.positionInRoot.x to node.positionInRoot.x + node.size.width
        assertTrue(from >= 0 && to <= glass.width, "$name: ${spoken(node)} leaves the glass")
        val laidOut = mutableListOf<TextLayoutResult>()
        node.config[SemanticsActions.GetTextLayoutResult].action?.invoke(laidOut)
        for (text in laidOut) {
            // A name may end in dots.
            val isName = text.layoutInput.overflow == TextOverflow.Ellipsis
            assertTrue(isName || !isCut(text, node), "$name: ${spoken(node)} is cut")
            assertTrue(brokenWords(text).isEmpty(), "$name: broken within ${brokenWords(text)}")
        }
    }
}

private fun spoken(node: SemanticsNode): List<String> =
    node.config.getOrNull(SemanticsProperties.ContentDescription).orEmpty() +
        node.config.getOrNull(SemanticsProperties.Text).orEmpty().map { it.text }

/** Ended early, or laid out beyond the room it has. (`hasVisualOverflow` compares with the room that it was offered.) */
private fun isCut(text: TextLayoutResult, node: SemanticsNode): Boolean {
    val lines = 0 until text.lineCount
    val wide = lines.any { text.getLineRight(it) - text.getLineLeft(it) > node.size.width + 1 }
    val high = text.getLineBottom(lines.last) > node.size.height + 1
    return wide || high || text.multiParagraph.didExceedMaxLines || lines.any(text::isLineEllipsized)
}

/** Korean words that go over the end of a line. */
private fun brokenWords(text: TextLayoutResult): List<String> = (0 until text.lineCount - 1).mapNotNull { line ->
    val end = text.getLineEnd(line)
    val before = text.layoutInput.text.take(end).takeLastWhile { !it.isWhitespace() }.filter { it.isLetterOrDigit() }
    val after = text.layoutInput.text.drop(end).takeWhile { !it.isWhitespace() }.filter { it.isLetterOrDigit() }
    (before.toString() + "|" + after).takeIf { before.isNotEmpty() && after.isNotEmpty() && it.any { char -> char in '가'..'힣' } }
}
