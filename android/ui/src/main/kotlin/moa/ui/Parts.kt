package moa.ui

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.selection.toggleable
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.KeyboardActions
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.FilledTonalButton
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Surface
import androidx.compose.material3.Switch
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.autofill.ContentType
import androidx.compose.ui.focus.FocusRequester
import androidx.compose.ui.focus.focusRequester
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.contentType
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay

/** Between a screen's content and the glass's edge: less above and below, where a small phone has little to give. */
private val edge = PaddingValues(horizontal = 20.dp, vertical = 12.dp)

/** A screen that fills the glass without scrolling: its parts share the height. */
@Composable
fun FixedPage(content: @Composable ColumnScope.() -> Unit) =
    Column(Modifier.fillMaxSize().padding(edge), verticalArrangement = Arrangement.spacedBy(8.dp), content = content)

/** A screen: what it says, from the top or in the [middle], scrolling if letters are large, over what is tapped. */
@Composable
fun Page(
    middle: Boolean = false,
    bottom: @Composable ColumnScope.() -> Unit = {},
    content: @Composable ColumnScope.() -> Unit,
) = Column(Modifier.fillMaxSize().padding(edge), verticalArrangement = Arrangement.spacedBy(12.dp)) {
    Column(
        Modifier.weight(1f).fillMaxWidth().verticalScroll(rememberScrollState()),
        verticalArrangement = Arrangement.spacedBy(16.dp, if (middle) Alignment.CenterVertically else Alignment.Top),
        horizontalAlignment = if (middle) Alignment.CenterHorizontally else Alignment.Start,
        content = content,
    )
    bottom()
}

@Composable
fun Title(text: String, modifier: Modifier = Modifier) =
    Words(text, modifier.semantics { heading() }, style = MaterialTheme.typography.headlineMedium)

@Composable
fun Quiet(
    text: String,
    modifier: Modifier = Modifier,
    style: TextStyle = MaterialTheme.typography.bodyLarge,
    align: TextAlign? = null,
    maxLines: Int = Int.MAX_VALUE,
) = Words(text, modifier, MaterialTheme.colorScheme.onSurfaceVariant, style, align, maxLines)

/** Under a code: whom it is for, and until when it is good. */
@Composable
fun Shown(whom: String, goodUntil: String) = Column(Modifier.fillMaxWidth(), horizontalAlignment = Alignment.CenterHorizontally) {
    Words(whom, Modifier.semantics { heading() }, style = MaterialTheme.typography.titleLarge, align = TextAlign.Center)
    Quiet(goodUntil, align = TextAlign.Center)
}

/** The one thing to do here. */
@Composable
fun BigButton(text: String, enabled: Boolean = true, onClick: () -> Unit) = Button(
    onClick,
    Modifier.fillMaxWidth().heightIn(min = 64.dp),
    enabled = enabled,
    shape = RoundedCornerShape(20.dp),
) { Words(text, style = MaterialTheme.typography.titleLarge, align = TextAlign.Center) }

/** Another thing to do here. */
@Composable
fun SecondButton(text: String, modifier: Modifier = Modifier, enabled: Boolean = true, onClick: () -> Unit) = FilledTonalButton(
    onClick,
    modifier.fillMaxWidth().heightIn(min = 56.dp),
    enabled = enabled,
    shape = RoundedCornerShape(20.dp),
) { Words(text, style = MaterialTheme.typography.titleMedium, align = TextAlign.Center) }

/** Leads elsewhere, in few words. */
@Composable
fun SmallButton(text: String, enabled: Boolean = true, onClick: () -> Unit) =
    TextButton(onClick, Modifier.heightIn(min = 48.dp), enabled) { Words(text, style = MaterialTheme.typography.labelLarge) }

/** The top of a screen: where one is, and the way elsewhere. */
@Composable
fun Top(title: String, elsewhere: String, titleLines: Int = 2, onElsewhere: () -> Unit) = Row(
    Modifier.fillMaxWidth(),
    horizontalArrangement = Arrangement.spacedBy(8.dp),
    verticalAlignment = Alignment.CenterVertically,
) {
    Words(title, Modifier.weight(1f).semantics { heading() }, style = MaterialTheme.typography.headlineSmall, maxLines = titleLines)
    SmallButton(elsewhere, onClick = onElsewhere)
}

/** No network, and what waits: said, not in the way. */
@Composable
fun Banner(text: String) = Surface(
    Modifier.fillMaxWidth().semantics { liveRegion = LiveRegionMode.Polite },
    color = MaterialTheme.colorScheme.tertiaryContainer,
    contentColor = MaterialTheme.colorScheme.onTertiaryContainer,
) {
    Words(
        text,
        Modifier.padding(horizontal = 20.dp, vertical = 12.dp),
        style = MaterialTheme.typography.titleSmall,
        align = TextAlign.Center,
    )
}

/** What takes longer than a blink is at work. Always as high, so that nothing jumps. */
@Composable
fun Working(busy: Boolean) = Box(Modifier.fillMaxWidth().height(4.dp)) {
    var long by remember { mutableStateOf(false) }
    LaunchedEffect(busy) {
        long = false
        if (busy) {
            delay(BLINK)
            long = true
        }
    }
    if (long) LinearProgressIndicator(Modifier.fillMaxWidth())
}

private val BLINK = 400.milliseconds

/** The one line to type in on its screen: ready for it. Its [name] is shown unless a title above says it. */
@Composable
fun OnlyField(
    value: String,
    name: String,
    nameShown: Boolean = true,
    keyboard: KeyboardType = KeyboardType.Text,
    filledWith: ContentType? = null,
    onDone: () -> Unit,
    onChange: (String) -> Unit,
) {
    val focus = remember { FocusRequester() }
    LaunchedEffect(Unit) { focus.requestFocus() }
    Field(value, name, Modifier.focusRequester(focus), nameShown, keyboard, filledWith, onDone, onChange)
}

/** One line to type in; Enter does what the button does. */
@Composable
fun Field(
    value: String,
    name: String,
    modifier: Modifier = Modifier,
    nameShown: Boolean = true,
    keyboard: KeyboardType = KeyboardType.Text,
    filledWith: ContentType? = null,
    onDone: () -> Unit,
    onChange: (String) -> Unit,
) = OutlinedTextField(
    value,
    onChange,
    modifier.fillMaxWidth().semantics {
        if (!nameShown) contentDescription = name
        filledWith?.let { contentType = it }
    },
    textStyle = MaterialTheme.typography.titleLarge,
    label = if (nameShown) ({ Words(name) }) else null,
    singleLine = true,
    keyboardOptions = KeyboardOptions(keyboardType = keyboard, imeAction = ImeAction.Done),
    keyboardActions = KeyboardActions(onDone = { onDone() }),
    shape = RoundedCornerShape(16.dp),
)

/** A code from outside: pasted with one tap, or typed. */
@Composable
fun CodeEntry(moa: Moa, paste: suspend () -> String?) {
    Field(moa.typed, moa.labels.code, onDone = { moa.read(moa.typed) }) { moa.typed = it }
    if (moa.typed.isBlank()) {
        BigButton(moa.labels.pasteCode, enabled = !moa.busy) { moa.readFrom(paste) }
    } else {
        BigButton(moa.labels.next, enabled = !moa.busy) { moa.read(moa.typed) }
    }
}

@Composable
fun Card(color: Color, ink: Color, onClick: (() -> Unit)? = null, content: @Composable ColumnScope.() -> Unit) {
    val shape = RoundedCornerShape(24.dp)
    val inside: @Composable () -> Unit = {
        Column(Modifier.padding(20.dp), verticalArrangement = Arrangement.spacedBy(8.dp), content = content)
    }
    if (onClick == null) {
        Surface(Modifier.fillMaxWidth(), shape, color, ink, content = inside)
    } else {
        Surface(onClick, Modifier.fillMaxWidth().semantics { role = Role.Button }, shape = shape, color = color, contentColor = ink, content = inside)
    }
}

/** A word or two that stand out. */
@Composable
fun Pill(text: String) = Surface(
    shape = RoundedCornerShape(12.dp),
    color = MaterialTheme.colorScheme.tertiaryContainer,
    contentColor = MaterialTheme.colorScheme.onTertiaryContainer,
) { Words(text, Modifier.padding(horizontal = 12.dp, vertical = 4.dp), style = MaterialTheme.typography.labelLarge) }

/** Under a title, one of several is taken. */
@Composable
fun <T> OneOf(title: String, all: List<Pair<T, String>>, taken: T, enabled: Boolean = true, onTake: (T) -> Unit) =
    Column(Modifier.fillMaxWidth(), verticalArrangement = Arrangement.spacedBy(4.dp)) {
        Quiet(title)
        Chips { for ((one, name) in all) Chip(name, one == taken, enabled) { onTake(one) } }
    }

/** Side by side, on as many lines as they need. */
@Composable
fun Chips(content: @Composable () -> Unit) =
    FlowRow(Modifier.fillMaxWidth(), Arrangement.spacedBy(8.dp), Arrangement.spacedBy(8.dp)) { content() }

/** One of several, taken or not. */
@Composable
fun Chip(text: String, taken: Boolean, enabled: Boolean = true, onClick: () -> Unit) = Surface(
    taken,
    onClick,
    Modifier.heightIn(min = 48.dp).widthIn(min = 48.dp).semantics { role = Role.RadioButton },
    enabled,
    chip,
    if (taken) MaterialTheme.colorScheme.primary else MaterialTheme.colorScheme.surfaceVariant,
    if (taken) MaterialTheme.colorScheme.onPrimary else MaterialTheme.colorScheme.onSurface,
    border = BorderStroke(1.dp, if (taken) MaterialTheme.colorScheme.primary else MaterialTheme.colorScheme.outline),
) { ChipText(text) }

/** One of several things to do, in a word. */
@Composable
fun ChipButton(text: String, enabled: Boolean = true, onClick: () -> Unit) = Surface(
    onClick,
    Modifier.heightIn(min = 48.dp).widthIn(min = 48.dp).semantics { role = Role.Button },
    enabled,
    chip,
    MaterialTheme.colorScheme.surfaceVariant,
    MaterialTheme.colorScheme.onSurface,
    border = BorderStroke(1.dp, MaterialTheme.colorScheme.outline),
) { ChipText(text) }

private val chip = RoundedCornerShape(16.dp)

@Composable
private fun ChipText(text: String) = Box(Modifier.padding(horizontal = 16.dp, vertical = 12.dp), Alignment.Center) {
    Words(text, style = MaterialTheme.typography.titleMedium, align = TextAlign.Center)
}

/** A figure that goes up and down by steps. */
@Composable
fun Stepper(moa: Moa, title: String, figure: String, onStep: (Int) -> Unit) = Row(
    Modifier.fillMaxWidth(),
    Arrangement.spacedBy(8.dp),
    Alignment.CenterVertically,
) {
    Column(Modifier.weight(1f)) {
        Quiet(title)
        Words(figure, style = MaterialTheme.typography.titleLarge)
    }
    Step("−", "${moa.labels.less}, $title") { onStep(-1) }
    Step("+", "${moa.labels.more}, $title") { onStep(1) }
}

@Composable
private fun Step(sign: String, spoken: String, onClick: () -> Unit) = FilledTonalButton(
    onClick,
    Modifier.size(56.dp).semantics { contentDescription = spoken },
    shape = RoundedCornerShape(20.dp),
    contentPadding = PaddingValues(0.dp),
) { Text(sign, style = MaterialTheme.typography.headlineSmall) }

/** Something that is so or not. The whole row is the thumb's. */
@Composable
fun YesOrNo(moa: Moa, text: String, on: Boolean, onChange: (Boolean) -> Unit) = Row(
    Modifier.fillMaxWidth().heightIn(min = 64.dp).toggleable(on, enabled = !moa.busy, role = Role.Switch, onValueChange = onChange),
    horizontalArrangement = Arrangement.spacedBy(16.dp),
    verticalAlignment = Alignment.CenterVertically,
) {
    Words(text, Modifier.weight(1f), style = MaterialTheme.typography.titleMedium)
    Switch(on, onCheckedChange = null)
}
