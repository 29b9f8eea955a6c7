package moa.ui

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.clickable
import androidx.compose.foundation.Canvas
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.HorizontalDivider
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.semantics.Role as SemanticRole
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import uniffi.moa.Voucher

@Composable
internal fun TillScreen(moa: Moa) = FixedPage {
    Top(moa.shop?.name.orEmpty(), counted(moa.labels.groups, moa.groups.waiting), titleLines = 1) { moa.go(Screen.Groups) }
    moa.day?.let { day ->
        Row(
            Modifier.fillMaxWidth().heightIn(min = 48.dp).clickable(role = SemanticRole.Button, onClickLabel = moa.labels.salesToday) {
                moa.go(Screen.Day)
            },
            horizontalArrangement = Arrangement.spacedBy(8.dp),
            verticalAlignment = Alignment.CenterVertically,
        ) {
            Quiet(day.dayText, Modifier.weight(1f), MaterialTheme.typography.bodyMedium, maxLines = 1)
            Quiet(day.amountText, style = MaterialTheme.typography.bodyMedium)
        }
    }
    Keys(moa, moa.labels.amount, moa.amountText(), moa.amount)
    BigButton(moa.labels.showCode, enabled = moa.amount.number > 0 && !moa.busy) { moa.recordSale() }
    SecondButton(moa.labels.readCustomer) { moa.go(Screen.ReadCode) }
}

/** The sales of the day, newest first, and where each stands. */
@Composable
internal fun DayScreen(moa: Moa) = Page(bottom = { SecondButton(moa.labels.back) { moa.goHome() } }) {
    Title(moa.labels.salesToday)
    val day = moa.day ?: return@Page
    Column {
        Quiet(day.dayText)
        Figure(day.amountText, style = MaterialTheme.typography.headlineSmall)
    }
    if (day.sales.isEmpty()) Words(moa.labels.noSales, style = MaterialTheme.typography.titleLarge)
    for (sale in day.sales) {
        Column(Modifier.fillMaxWidth().semantics(mergeDescendants = true) {}) {
            Row(Modifier.fillMaxWidth(), horizontalArrangement = Arrangement.spacedBy(12.dp), Alignment.CenterVertically) {
                Quiet(sale.atText)
                Figure(sale.amountText, Modifier.weight(1f), MaterialTheme.typography.titleLarge, TextAlign.End)
            }
            Words(sale.standingText, Modifier.fillMaxWidth(), align = TextAlign.End, style = MaterialTheme.typography.bodyLarge)
        }
        HorizontalDivider()
    }
}

/** A figure and the keys under it, in what is left of the screen: most of it is the thumb's. */
@Composable
private fun ColumnScope.Keys(moa: Moa, label: String, figure: String, keypad: Keypad) {
    Column(
        Modifier.fillMaxWidth().weight(1f),
        verticalArrangement = Arrangement.Center,
        horizontalAlignment = Alignment.CenterHorizontally,
    ) {
        Quiet(label)
        Figure(figure, Modifier.fillMaxWidth(), align = TextAlign.Center)
    }
    Column(Modifier.fillMaxWidth().weight(3.5f), verticalArrangement = Arrangement.spacedBy(8.dp)) {
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
            // In the sun, a key's shade alone is not seen.
            border = BorderStroke(1.dp, MaterialTheme.colorScheme.outline),
        ) {
            Column(verticalArrangement = Arrangement.Center, horizontalAlignment = Alignment.CenterHorizontally) {
                Text(text, style = MaterialTheme.typography.headlineMedium)
            }
        }
    }
}

@Composable
internal fun VoucherScreen(moa: Moa, voucher: Voucher) =
    Page(middle = true, bottom = { BigButton(moa.labels.nextSale) { moa.go(Screen.Till) } }) {
        Column(Modifier.fillMaxWidth(), horizontalAlignment = Alignment.CenterHorizontally) {
            Quiet(moa.shop?.name.orEmpty(), align = TextAlign.Center, maxLines = 2)
            Figure(voucher.amountText, Modifier.fillMaxWidth(), align = TextAlign.Center)
        }
        QrCode(voucher.qr, "${moa.labels.codePicture}, ${voucher.amountText}")
        when (val collected = moa.collected(voucher)) {
            null -> Shown(moa.labels.forCustomer, voucher.goodUntilText)
            else -> Row(
                Modifier.semantics { liveRegion = LiveRegionMode.Polite },
                horizontalArrangement = Arrangement.spacedBy(8.dp),
                verticalAlignment = Alignment.CenterVertically,
            ) {
                Tick(Modifier.size(24.dp))
                Words("${moa.labels.collected} $collected", style = MaterialTheme.typography.titleLarge)
            }
        }
    }

@Composable
internal fun ReadCodeScreen(moa: Moa, paste: suspend () -> String?) = Page(
    bottom = {
        CodeEntry(moa, paste)
        SecondButton(moa.labels.back) { moa.go(Screen.Till) }
    },
) { Title(moa.labels.readCustomer) }

@Composable
internal fun ForWhatScreen(moa: Moa, forWhat: Screen.ForWhat) = Page(bottom = { SecondButton(moa.labels.back) { moa.goHome() } }) {
    Title(moa.labels.forWhat)
    Figure(forWhat.digits, Modifier.fillMaxWidth(), MaterialTheme.typography.displaySmall)
    BigButton(moa.labels.takePoints) { moa.go(Screen.Take(forWhat.digits, null, Keypad())) }
    BigButton(moa.labels.sellTo) { moa.go(Screen.SellTo(forWhat.digits)) }
}

@Composable
internal fun SellToScreen(moa: Moa, sellTo: Screen.SellTo) = FixedPage {
    Top(moa.labels.sellTo, moa.labels.back, titleLines = 1) { moa.goHome() }
    Keys(moa, moa.labels.amount, moa.amountText(), moa.amount)
    BigButton(moa.labels.sellTo, enabled = moa.amount.number > 0 && !moa.busy) { moa.sell(sellTo) }
}

@Composable
internal fun SoldScreen(moa: Moa, sold: Screen.Sold) =
    Page(middle = true, bottom = { BigButton(moa.labels.nextSale) { moa.go(Screen.Till) } }) {
        Tick(Modifier.size(96.dp))
        Words(
            moa.labels.sold,
            Modifier.semantics { heading() },
            color = MaterialTheme.colorScheme.primary,
            style = MaterialTheme.typography.displaySmall,
            align = TextAlign.Center,
        )
        Figure(sold.amountText, Modifier.fillMaxWidth(), align = TextAlign.Center)
        Words(
            moa.standing(sold.sale),
            Modifier.semantics { liveRegion = LiveRegionMode.Polite },
            style = MaterialTheme.typography.titleLarge,
            align = TextAlign.Center,
        )
    }

@Composable
internal fun TakeScreen(moa: Moa, take: Screen.Take) = FixedPage {
    Top(take.code?.groupName ?: moa.labels.takePoints, moa.labels.back, titleLines = 1) { moa.goHome() }
    Keys(moa, take.code?.atMostText ?: moa.labels.pointsToTake, moa.unitsText(take), take.keypad)
    BigButton(moa.labels.takePoints, enabled = take.keypad.number > 0 && !moa.busy) { moa.take(take) }
}

@Composable
internal fun TakenScreen(moa: Moa, taken: Screen.Taken) =
    Page(middle = true, bottom = { BigButton(moa.labels.ok) { moa.goHome() } }) {
        val colors = MaterialTheme.colorScheme
        val approved = taken.beingChecked == null
        if (approved) Tick(Modifier.size(96.dp))
        Words(
            if (approved) moa.labels.approved else moa.labels.beingChecked,
            Modifier.semantics {
                heading()
                liveRegion = LiveRegionMode.Assertive
            },
            color = if (approved) colors.primary else colors.onTertiaryContainer,
            style = MaterialTheme.typography.displaySmall,
            align = TextAlign.Center,
        )
        Figure(taken.points, Modifier.fillMaxWidth(), align = TextAlign.Center)
    }

/** Done: seen from across the counter. Words beside it say so. */
@Composable
private fun Tick(modifier: Modifier) {
    val color = MaterialTheme.colorScheme.primary
    Canvas(modifier) {
        val corner = Offset(size.width * 0.4f, size.height * 0.78f)
        val thick = size.width / 8
        drawLine(color, Offset(size.width * 0.12f, size.height * 0.52f), corner, thick, StrokeCap.Round)
        drawLine(color, corner, Offset(size.width * 0.88f, size.height * 0.24f), thick, StrokeCap.Round)
    }
}
