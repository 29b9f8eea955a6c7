package moa.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import uniffi.moa.Balance
import uniffi.moa.GroupChoice
import uniffi.moa.RedemptionCode

@Composable
internal fun WalletScreen(moa: Moa, paste: suspend () -> String?) = Page(bottom = { CodeEntry(moa, paste) }) {
    Top(moa.labels.myPoints, moa.labels.otherRole) { moa.go(Screen.ChooseRole) }
    for (balance in moa.state.balances) BalanceCard(moa, balance)
    if (moa.state.balances.isEmpty()) {
        Text(moa.labels.noPoints, Modifier.padding(top = 120.dp).fillMaxWidth(), style = MaterialTheme.typography.titleLarge, textAlign = TextAlign.Center)
        Quiet(moa.labels.noPointsHint, Modifier.fillMaxWidth(), TextAlign.Center)
    }
}

@Composable
private fun BalanceCard(moa: Moa, balance: Balance) = Card(MaterialTheme.colorScheme.surfaceVariant, MaterialTheme.colorScheme.onSurface) {
    Text(balance.name.orEmpty(), style = MaterialTheme.typography.titleMedium)
    Text(balance.confirmedText, style = MaterialTheme.typography.displaySmall)
    if (balance.pendingText.isNotEmpty()) {
        Pill("${moa.labels.pending} ${balance.pendingText}")
    }
    if (balance.minimumText.isNotEmpty()) Quiet(balance.minimumText)
    if (balance.usable > 0) SecondButton(moa.labels.spend, enabled = !moa.busy) { moa.spend(balance.group, balance.usable) }
}

@Composable
internal fun ChooseScreen(moa: Moa, choose: Screen.Choose) = Page(
    bottom = { SecondButton(moa.labels.back) { moa.goHome() } },
) {
    Title(moa.labels.chooseGroup)
    Row(Modifier.fillMaxWidth(), Arrangement.SpaceBetween, Alignment.CenterVertically) {
        Quiet(choose.voucher.shop?.let { it.name.orEmpty() } ?: moa.labels.unverified, Modifier.weight(1f))
        Text(choose.voucher.amountText, style = MaterialTheme.typography.titleLarge)
    }
    choose.choices.forEachIndexed { place, choice ->
        ChoiceCard(moa, choice, best = place == 0) { moa.claim(choose.text, choice) }
    }
    if (choose.choices.isEmpty()) BigButton(moa.labels.collectInBest, enabled = !moa.busy) { moa.claim(choose.text, null) }
}

/** One tap takes it. The first says why it is first by its size and colour, too. */
@Composable
private fun ChoiceCard(moa: Moa, choice: GroupChoice, best: Boolean, onClick: () -> Unit) {
    val colors = MaterialTheme.colorScheme
    Card(
        if (best) colors.primary else colors.surfaceVariant,
        if (best) colors.onPrimary else colors.onSurface,
        onClick.takeUnless { moa.busy },
    ) {
        if (best) Pill(moa.labels.suggested)
        Text(choice.name, style = if (best) MaterialTheme.typography.headlineSmall else MaterialTheme.typography.titleMedium)
        Text(
            choice.earnsText,
            style = if (best) MaterialTheme.typography.displayMedium else MaterialTheme.typography.headlineMedium,
        )
        Text("${choice.rateText} · ${choice.validityText} · ${choice.shopsText}", style = MaterialTheme.typography.bodyLarge)
        Text(choice.untilText, style = MaterialTheme.typography.bodyMedium)
    }
}

@Composable
internal fun ShowCodeScreen(moa: Moa, code: RedemptionCode) = Page(bottom = { BigButton(moa.labels.ok) { moa.goHome() } }) {
    Text(
        code.mostText,
        Modifier.fillMaxWidth(),
        style = MaterialTheme.typography.displaySmall,
        textAlign = TextAlign.Center,
    )
    QrCode(code.qr, "${moa.labels.codePicture}, ${code.mostText}")
    Text(
        moa.labels.forShop,
        Modifier.fillMaxWidth().semantics { heading() },
        style = MaterialTheme.typography.titleLarge,
        textAlign = TextAlign.Center,
    )
}

@Composable
private fun Card(color: Color, ink: Color, onClick: (() -> Unit)? = null, content: @Composable ColumnScope.() -> Unit) {
    val shape = RoundedCornerShape(24.dp)
    val inside: @Composable () -> Unit = {
        Column(Modifier.padding(20.dp), verticalArrangement = Arrangement.spacedBy(8.dp), content = content)
    }
    if (onClick == null) {
        Surface(Modifier.fillMaxWidth(), shape, color, ink, content = inside)
    } else {
        Surface(onClick, Modifier.fillMaxWidth(), shape = shape, color = color, contentColor = ink, content = inside)
    }
}

/** A word or two that stand out. */
@Composable
private fun Pill(text: String) = Surface(
    shape = RoundedCornerShape(12.dp),
    color = MaterialTheme.colorScheme.tertiaryContainer,
    contentColor = MaterialTheme.colorScheme.onTertiaryContainer,
) { Text(text, Modifier.padding(horizontal = 12.dp, vertical = 4.dp), style = MaterialTheme.typography.labelLarge) }
