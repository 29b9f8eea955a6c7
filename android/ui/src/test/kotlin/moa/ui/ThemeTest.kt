package moa.ui

import androidx.compose.material3.ColorScheme
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.luminance
import kotlin.test.assertTrue
import org.junit.jupiter.api.Test

class ThemeTest {
    @Test
    fun `letters stand out from what they are on, by day and by night`() {
        for ((name, colors) in mapOf("day" to light, "night" to dark)) {
            for ((what, ink, ground) in pairs(colors)) {
                assertTrue(contrast(ink, ground) >= 4.5f, "$what by $name: ${contrast(ink, ground)}")
            }
        }
    }

    @Test
    fun `a key's edge is seen`() {
        for (colors in listOf(light, dark)) assertTrue(contrast(colors.outline, colors.background) >= 3f)
    }

    private fun pairs(colors: ColorScheme) = with(colors) {
        listOf(
            Triple("text", onBackground, background),
            Triple("quiet text", onSurfaceVariant, background),
            Triple("quiet text on a card", onSurfaceVariant, surfaceVariant),
            Triple("a key", onSurface, surfaceVariant),
            Triple("the one button", onPrimary, primary),
            Triple("another button", onSecondaryContainer, secondaryContainer),
            Triple("a button in few words", primary, background),
            Triple("a role", onPrimaryContainer, primaryContainer),
            Triple("the banner", onTertiaryContainer, tertiaryContainer),
            Triple("being checked", onTertiaryContainer, background),
            Triple("a refusal", error, background),
        )
    }

    /** As WCAG 2.2 has it: 4.5 for text, 3 for what can be tapped. */
    private fun contrast(one: Color, other: Color): Float {
        val (darker, lighter) = listOf(one.luminance(), other.luminance()).sorted()
        return (lighter + 0.05f) / (darker + 0.05f)
    }
}
