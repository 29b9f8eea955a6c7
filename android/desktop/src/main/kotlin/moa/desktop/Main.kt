package moa.desktop

import androidx.compose.foundation.draganddrop.dragAndDropTarget
import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.ui.ExperimentalComposeUiApi
import androidx.compose.ui.Modifier
import androidx.compose.ui.draganddrop.DragAndDropEvent
import androidx.compose.ui.draganddrop.DragAndDropTarget
import androidx.compose.ui.draganddrop.DragData
import androidx.compose.ui.draganddrop.dragData
import androidx.compose.ui.unit.DpSize
import androidx.compose.ui.unit.dp
import androidx.compose.ui.window.Window
import androidx.compose.ui.window.application
import androidx.compose.ui.window.rememberWindowState
import java.awt.Toolkit
import java.awt.datatransfer.DataFlavor
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.readText
import kotlin.io.path.writeText
import moa.ui.Moa
import moa.ui.MoaApp
import moa.ui.Role
import moa.ui.RoleMemory
import uniffi.moa.App
import uniffi.moa.AppConfig

/** `DATA SERVER LANGUAGE`: a folder for this app alone, the server's address, `ko` or `en`. */
fun main(arguments: Array<String>) {
    val (data, server, language) = arguments
    val app = App.open(AppConfig(data, server, language))
    application {
        Window(
            onCloseRequest = {
                app.close()
                exitApplication()
            },
            title = app.labels().appName,
            state = rememberWindowState(size = DpSize(412.dp, 892.dp)),
        ) {
            val scope = rememberCoroutineScope()
            val moa = remember { Moa(app, scope, RoleFile(Path.of(data, "role")), DesktopShell) }
            MoaApp(moa, isSystemInDarkTheme(), { clipboard() }, dropped { moa.follow(it) })
        }
    }
}

/** The role as a word in a file. */
private class RoleFile(private val file: Path) : RoleMemory {
    override var role: Role?
        get() = if (file.exists()) Role.entries.find { it.name == file.readText() } else null
        set(role) = file.writeText(role?.name.orEmpty())
}

private fun clipboard(): String? =
    Toolkit.getDefaultToolkit().systemClipboard.getContents(null)
        ?.takeIf { it.isDataFlavorSupported(DataFlavor.stringFlavor) }
        ?.getTransferData(DataFlavor.stringFlavor) as String?

/** A text dropped on the window. */
@OptIn(ExperimentalComposeUiApi::class)
private fun dropped(read: (String) -> Unit): Modifier = Modifier.dragAndDropTarget(
    shouldStartDragAndDrop = { it.dragData() is DragData.Text },
    target = object : DragAndDropTarget {
        override fun onDrop(event: DragAndDropEvent): Boolean {
            val text = event.dragData() as? DragData.Text ?: return false
            read(text.readText())
            return true
        }
    },
)
