package moa.ui

import androidx.compose.material3.ColorScheme
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Typography
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.sp

internal val light: ColorScheme = lightColorScheme(
    primary = Color(0xFF0B6B4F),
    onPrimary = Color.White,
    primaryContainer = Color(0xFFC9EFDD),
    onPrimaryContainer = Color(0xFF00301F),
    secondaryContainer = Color(0xFFE2EAE5),
    onSecondaryContainer = Color(0xFF17211C),
    tertiaryContainer = Color(0xFFFFE2B0),
    onTertiaryContainer = Color(0xFF3D2700),
    error = Color(0xFFB3261E),
    background = Color(0xFFF7FAF8),
    onBackground = Color(0xFF171D1A),
    surface = Color(0xFFF7FAF8),
    onSurface = Color(0xFF171D1A),
    surfaceVariant = Color(0xFFEAF0EC),
    onSurfaceVariant = Color(0xFF48534D),
    outline = Color(0xFF78847D),
    outlineVariant = Color(0xFFCBD5CF),
)

internal val dark: ColorScheme = darkColorScheme(
    primary = Color(0xFF7FD9B5),
    onPrimary = Color(0xFF003826),
    primaryContainer = Color(0xFF0A4F3A),
    onPrimaryContainer = Color(0xFFCDF3E2),
    secondaryContainer = Color(0xFF29322D),
    onSecondaryContainer = Color(0xFFDCE5DF),
    tertiaryContainer = Color(0xFF5A3F0B),
    onTertiaryContainer = Color(0xFFFFE2B0),
    error = Color(0xFFFFB4AB),
    background = Color(0xFF101512),
    onBackground = Color(0xFFE0E6E2),
    surface = Color(0xFF101512),
    onSurface = Color(0xFFE0E6E2),
    surfaceVariant = Color(0xFF1D2420),
    onSurfaceVariant = Color(0xFFB4BFB8),
    outline = Color(0xFF8A958F),
    outlineVariant = Color(0xFF3B4540),
)

private val type = Typography().run {
    copy(
        displayLarge = displayLarge.copy(fontSize = 56.sp, fontWeight = FontWeight.SemiBold),
        displayMedium = displayMedium.copy(fontWeight = FontWeight.SemiBold),
        displaySmall = displaySmall.copy(fontWeight = FontWeight.SemiBold),
        headlineMedium = headlineMedium.copy(fontWeight = FontWeight.SemiBold),
        headlineSmall = headlineSmall.copy(fontWeight = FontWeight.SemiBold),
        titleLarge = titleLarge.copy(fontWeight = FontWeight.SemiBold),
    )
}

/** Moa's colours and letters. */
@Composable
fun MoaTheme(inTheDark: Boolean, content: @Composable () -> Unit) =
    MaterialTheme(colorScheme = if (inTheDark) dark else light, typography = type, content = content)
