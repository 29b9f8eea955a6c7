package moa.ui

import androidx.compose.foundation.Canvas
import androidx.compose.foundation.layout.aspectRatio
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import uniffi.moa.Qr

/** Light modules that a reader needs around a code. */
private const val QUIET = 4

/**
 * A code as wide as it may be: black on white in the dark too, and each module a whole number of pixels, so that the
 * oldest scanner in the street reads it.
 */
@Composable
fun QrCode(qr: Qr, description: String, modifier: Modifier = Modifier) {
    val side = qr.side.toInt()
    Canvas(
        modifier.fillMaxWidth().aspectRatio(1f).clip(RoundedCornerShape(16.dp)).semantics {
            contentDescription = description
            role = Role.Image
        },
    ) {
        drawRect(Color.White)
        val module = (size.width / (side + 2 * QUIET)).toInt().coerceAtLeast(1)
        val edge = ((size.width - module * side) / 2).toInt()
        for (row in 0 until side) {
            var column = 0
            while (column < side) {
                val from = column
                while (column < side && qr.modules[row * side + column].toInt() == 1) column++
                if (column > from) {
                    val corner = Offset((edge + from * module).toFloat(), (edge + row * module).toFloat())
                    drawRect(Color.Black, corner, Size(((column - from) * module).toFloat(), module.toFloat()))
                }
                column++
            }
        }
    }
}
