package moa.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.KeyboardActions
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.FilledTonalButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp

private val edge = 20.dp

/** A screen: what it says, scrolling if letters are large, over what is tapped. */
@Composable
fun Page(bottom: @Composable ColumnScope.() -> Unit = {}, content: @Composable ColumnScope.() -> Unit) {
    Column(Modifier.fillMaxSize().padding(edge), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        Column(
            Modifier.weight(1f).fillMaxWidth().verticalScroll(rememberScrollState()),
            verticalArrangement = Arrangement.spacedBy(16.dp),
            content = content,
        )
        bottom()
    }
}

@Composable
fun Title(text: String, modifier: Modifier = Modifier) =
    Text(text, modifier.semantics { heading() }, style = MaterialTheme.typography.headlineMedium)

@Composable
fun Quiet(text: String, modifier: Modifier = Modifier, align: TextAlign? = null) = Text(
    text,
    modifier,
    color = MaterialTheme.colorScheme.onSurfaceVariant,
    style = MaterialTheme.typography.bodyLarge,
    textAlign = align,
)

/** The one thing to do here. */
@Composable
fun BigButton(text: String, enabled: Boolean = true, onClick: () -> Unit) = Button(
    onClick,
    Modifier.fillMaxWidth().heightIn(min = 64.dp),
    enabled = enabled,
    shape = RoundedCornerShape(20.dp),
) { Text(text, style = MaterialTheme.typography.titleLarge, textAlign = TextAlign.Center) }

/** Another thing to do here. */
@Composable
fun SecondButton(text: String, modifier: Modifier = Modifier, enabled: Boolean = true, onClick: () -> Unit) = FilledTonalButton(
    onClick,
    modifier.fillMaxWidth().heightIn(min = 56.dp),
    enabled = enabled,
    shape = RoundedCornerShape(20.dp),
) { Text(text, style = MaterialTheme.typography.titleMedium, textAlign = TextAlign.Center) }

/** Leads elsewhere, in few words. */
@Composable
fun SmallButton(text: String, onClick: () -> Unit) =
    TextButton(onClick, Modifier.heightIn(min = 48.dp)) { Text(text, style = MaterialTheme.typography.labelLarge) }

/** The top of a screen: where one is, and the way elsewhere. */
@Composable
fun Top(title: String, elsewhere: String, onElsewhere: () -> Unit) = Row(
    Modifier.fillMaxWidth(),
    horizontalArrangement = Arrangement.spacedBy(8.dp),
    verticalAlignment = Alignment.CenterVertically,
) {
    Title(title, Modifier.weight(1f))
    SmallButton(elsewhere, onElsewhere)
}

/** No network, and what waits: said, not in the way. */
@Composable
fun Banner(text: String) = Surface(
    Modifier.fillMaxWidth().semantics { liveRegion = LiveRegionMode.Polite },
    color = MaterialTheme.colorScheme.tertiaryContainer,
    contentColor = MaterialTheme.colorScheme.onTertiaryContainer,
) {
    Text(
        text,
        Modifier.padding(horizontal = edge, vertical = 12.dp),
        style = MaterialTheme.typography.titleSmall,
        textAlign = TextAlign.Center,
    )
}

/** One line to type in; Enter does what the button does. */
@Composable
fun Field(
    value: String,
    label: String,
    keyboard: KeyboardType = KeyboardType.Text,
    onDone: () -> Unit,
    onChange: (String) -> Unit,
) = OutlinedTextField(
    value,
    onChange,
    Modifier.fillMaxWidth(),
    textStyle = MaterialTheme.typography.titleLarge,
    label = { Text(label) },
    singleLine = true,
    keyboardOptions = KeyboardOptions(keyboardType = keyboard, imeAction = ImeAction.Done),
    keyboardActions = KeyboardActions(onDone = { onDone() }),
    shape = RoundedCornerShape(16.dp),
)

/** A code from outside: pasted with one tap, or typed. */
@Composable
fun CodeEntry(moa: Moa, paste: suspend () -> String?) {
    Field(moa.typed, moa.labels.code, onDone = { moa.read(moa.typed) }) { moa.typed = it }
    BigButton(moa.labels.pasteCode) { moa.readFrom(paste) }
}

/** In the middle of what is left of the screen. */
@Composable
fun Middle(content: @Composable ColumnScope.() -> Unit) = Box(
    Modifier.fillMaxSize().padding(edge),
    contentAlignment = Alignment.Center,
) {
    Column(
        Modifier.fillMaxWidth().verticalScroll(rememberScrollState()),
        verticalArrangement = Arrangement.spacedBy(16.dp),
        horizontalAlignment = Alignment.CenterHorizontally,
        content = content,
    )
}
