package moa.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.BasicText
import androidx.compose.foundation.text.TextAutoSize
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.Role as SemanticRole
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import uniffi.moa.Voucher

@Composable
internal fun TillScreen(moa: Moa) = Column(
    Modifier.fillMaxSize().padding(20.dp),
    verticalArrangement = Arrangement.spacedBy(12.dp),
) {
    Top(moa.shop?.name.orEmpty(), moa.labels.otherRole) { moa.go(Screen.ChooseRole) }
    moa.day?.let { day ->
        Row(Modifier.fillMaxWidth(), horizontalArrangement = Arrangement.SpaceBetween) {
            Quiet(day.dayText)
            Quiet(day.amountText)
        }
    }
    Keys(moa, moa.labels.amount, moa.amountText(), moa.amount)
    BigButton(moa.labels.showCode, enabled = moa.amount.number > 0 && !moa.busy) { moa.recordSale() }
    SecondButton(moa.labels.takePoints) { moa.go(Screen.ReadCode) }
}

/** A figure and the keys under it, in what is left of the screen. */
@Composable
private fun ColumnScope.Keys(moa: Moa, label: String, figure: String, keypad: Keypad) {
    Column(
        Modifier.fillMaxWidth().weight(1f),
        verticalArrangement = Arrangement.Center,
        horizontalAlignment = Alignment.CenterHorizontally,
    ) {
        Quiet(label)
        Figure(figure)
    }
    Column(Modifier.fillMaxWidth().weight(2.4f), verticalArrangement = Arrangement.spacedBy(8.dp)) {
        for (row in listOf("123", "456", "789")) {
            KeyRow { for (digit in row) Key(digit.toString()) { keypad.press(digit.toString()) } }
        }
        KeyRow {
            Key("00") { keypad.press("00") }
            Key("0") { keypad.press("0") }
            Key("⌫", moa.labels.erase) { keypad.erase() }
        }
    }
}

/** A figure as large as fits on one line. */
@Composable
private fun Figure(text: String) = BasicText(
    text,
    Modifier.fillMaxWidth().semantics { liveRegion = LiveRegionMode.Polite },
    style = MaterialTheme.typography.displayMedium.copy(
        color = MaterialTheme.colorScheme.onBackground,
        textAlign = TextAlign.Center,
    ),
    maxLines = 1,
    autoSize = TextAutoSize.StepBased(minFontSize = 24.sp, maxFontSize = 56.sp),
)

@Composable
private fun ColumnScope.KeyRow(keys: @Composable KeyRowScope.() -> Unit) = Row(
    Modifier.fillMaxWidth().weight(1f),
    horizontalArrangement = Arrangement.spacedBy(8.dp),
) { KeyRowScope(this).keys() }

private class KeyRowScope(private val row: RowScope) {
    @Composable
    fun Key(text: String, spoken: String = text, onClick: () -> Unit) = with(row) {
        Surface(
            onClick,
            Modifier.weight(1f).fillMaxHeight().semantics {
                role = SemanticRole.Button
                contentDescription = spoken
            },
            shape = RoundedCornerShape(20.dp),
            color = MaterialTheme.colorScheme.surfaceVariant,
            contentColor = MaterialTheme.colorScheme.onSurface,
        ) {
            Column(verticalArrangement = Arrangement.Center, horizontalAlignment = Alignment.CenterHorizontally) {
                Text(text, style = MaterialTheme.typography.headlineMedium)
            }
        }
    }
}

@Composable
internal fun VoucherScreen(moa: Moa, voucher: Voucher) = Page(bottom = { BigButton(moa.labels.nextSale) { moa.go(Screen.Till) } }) {
    Column(Modifier.fillMaxWidth(), horizontalAlignment = Alignment.CenterHorizontally) {
        Quiet(moa.shop?.name.orEmpty(), align = TextAlign.Center)
        Figure(voucher.amountText)
    }
    QrCode(voucher.qr, "${moa.labels.codePicture}, ${voucher.amountText}")
    Text(
        moa.labels.forCustomer,
        Modifier.fillMaxWidth().semantics { heading() },
        style = MaterialTheme.typography.titleLarge,
        textAlign = TextAlign.Center,
    )
}

@Composable
internal fun ReadCodeScreen(moa: Moa, paste: suspend () -> String?) = Page(
    bottom = {
        CodeEntry(moa, paste)
        SecondButton(moa.labels.back) { moa.go(Screen.Till) }
    },
) { Title(moa.labels.takePoints) }

@Composable
internal fun TakeScreen(moa: Moa, take: Screen.Take) = Column(
    Modifier.fillMaxSize().padding(20.dp),
    verticalArrangement = Arrangement.spacedBy(12.dp),
) {
    Top(take.code.groupName ?: moa.labels.takePoints, moa.labels.back) { moa.goHome() }
    Keys(moa, moa.labels.pointsToTake, moa.pointsText(take.keypad.number), take.keypad)
    BigButton(moa.labels.takePoints, enabled = take.keypad.number > 0 && !moa.busy) { moa.take(take) }
}

@Composable
internal fun TakenScreen(moa: Moa, taken: Screen.Taken) = Page(bottom = { BigButton(moa.labels.ok) { moa.goHome() } }) {
    val color = if (taken.approved) MaterialTheme.colorScheme.primary else MaterialTheme.colorScheme.onTertiaryContainer
    Text(
        taken.title,
        Modifier.fillMaxWidth().padding(top = 160.dp).semantics { heading() },
        color = color,
        style = MaterialTheme.typography.displaySmall,
        textAlign = TextAlign.Center,
    )
    Figure(taken.points)
}
