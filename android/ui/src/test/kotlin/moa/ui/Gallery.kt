package moa.ui

import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.toAwtImage
import androidx.compose.ui.test.ExperimentalTestApi
import androidx.compose.ui.test.captureToImage
import androidx.compose.ui.test.onRoot
import androidx.compose.ui.test.v2.runSkikoComposeUiTest
import androidx.compose.ui.unit.Density
import java.nio.file.Path
import javax.imageio.ImageIO
import kotlin.io.path.createDirectories
import kotlin.io.path.fileSize
import kotlin.test.assertTrue
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield

/** A phone's glass in dp, how large its owner likes letters, and which pictures are kept if not all. */
data class Look(
    val language: String,
    val name: String,
    val inTheDark: Boolean = false,
    val width: Int = 412,
    val height: Int = 892,
    val letters: Float = 1f,
    val kept: Set<String>? = null,
)

/** Draws the screen, and checks it. */
@OptIn(ExperimentalTestApi::class)
fun Moa.draw(screen: String, look: Look): Path {
    val moa = this
    val name = "$screen-${look.name}"
    val blessed = System.getenv("MOA_BLESS") == "1" && look.kept?.contains(screen) != false
    val to = Path.of(System.getProperty(if (blessed) "moa.pictures" else "moa.pictures.made"))
    val picture = to.createDirectories().resolve("$name.png")
    runSkikoComposeUiTest(Size(2f * look.width, 2f * look.height), Density(2f, look.letters)) {
        setContent { MoaApp(moa, look.inTheDark, { null }) }
        waitForIdle()
        ImageIO.write(onRoot().captureToImage().toAwtImage(), "png", picture.toFile())
        checkScreen(name)
    }
    assertTrue(picture.fileSize() in 5_000..<180L * look.height, "$name has ${picture.fileSize()} bytes")
    return picture
}

/** Waits for what the core is about to tell. */
suspend fun until(holds: () -> Boolean) = withTimeout(20_000) { while (!holds()) yield() }
