package moa.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import uniffi.moa.Balance
import uniffi.moa.GroupChoice

@Composable
internal fun WalletScreen(moa: Moa, paste: suspend () -> String?) = Page(bottom = { CodeEntry(moa, paste) }) {
    Top(moa.labels.myPoints, moa.labels.otherRole) { moa.go(Screen.ChooseRole) }
    for (balance in moa.state.balances) BalanceCard(moa, balance)
    if (moa.state.balances.isEmpty()) {
        Words(
            moa.labels.noPoints,
            Modifier.padding(top = 120.dp).fillMaxWidth(),
            style = MaterialTheme.typography.titleLarge,
            align = TextAlign.Center,
        )
        Quiet(moa.labels.noPointsHint, Modifier.fillMaxWidth(), align = TextAlign.Center)
    }
}

@Composable
private fun BalanceCard(moa: Moa, balance: Balance) = Card(MaterialTheme.colorScheme.surfaceVariant, MaterialTheme.colorScheme.onSurface) {
    Words(balance.name.orEmpty(), style = MaterialTheme.typography.titleMedium)
    Figure(balance.confirmedText, style = MaterialTheme.typography.displaySmall)
    if (balance.pendingText.isNotEmpty()) {
        Pill("${moa.labels.pending} ${balance.pendingText}")
    }
    if (balance.minimumText.isNotEmpty()) Quiet(balance.minimumText)
    if (balance.expiringText.isNotEmpty()) Words(balance.expiringText, style = MaterialTheme.typography.bodyLarge)
    if (balance.usable > 0) SecondButton(moa.labels.spend, enabled = !moa.busy) { moa.spend(balance) }
}

@Composable
internal fun ChooseScreen(moa: Moa, choose: Screen.Choose) = Page(
    bottom = { SecondButton(moa.labels.back) { moa.goHome() } },
) {
    Title(moa.labels.chooseGroup)
    Column {
        Quiet(choose.voucher.shop?.let { it.name.orEmpty() } ?: moa.labels.unverified, maxLines = 2)
        Figure(choose.voucher.amountText, style = MaterialTheme.typography.headlineSmall)
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
        Words(choice.name, style = if (best) MaterialTheme.typography.headlineSmall else MaterialTheme.typography.titleMedium)
        Figure(
            choice.earnsText,
            style = if (best) MaterialTheme.typography.displayMedium else MaterialTheme.typography.headlineMedium,
        )
        Words(choice.untilText, style = MaterialTheme.typography.bodyLarge)
        Words("${choice.rateText} · ${choice.validityText} · ${choice.shopsText}", style = MaterialTheme.typography.bodyLarge)
    }
}

@Composable
internal fun ShowCodeScreen(moa: Moa, shown: Screen.ShowCode) =
    Page(middle = true, bottom = { BigButton(moa.labels.ok) { moa.goHome() } }) {
        Column(Modifier.fillMaxWidth(), horizontalAlignment = Alignment.CenterHorizontally) {
            Quiet(shown.balance.name.orEmpty(), align = TextAlign.Center, maxLines = 2)
            Figure(shown.code.mostText, Modifier.fillMaxWidth(), MaterialTheme.typography.displayMedium, TextAlign.Center)
        }
        QrCode(shown.code.qr, "${moa.labels.codePicture}, ${shown.code.mostText}")
        Words(
            moa.labels.forShop,
            Modifier.fillMaxWidth().semantics { heading() },
            style = MaterialTheme.typography.titleLarge,
            align = TextAlign.Center,
        )
        Quiet(shown.code.goodUntilText, align = TextAlign.Center)
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
        Surface(onClick, Modifier.fillMaxWidth().semantics { role = Role.Button }, shape = shape, color = color, contentColor = ink, content = inside)
    }
}

/** A word or two that stand out. */
@Composable
private fun Pill(text: String) = Surface(
    shape = RoundedCornerShape(12.dp),
    color = MaterialTheme.colorScheme.tertiaryContainer,
    contentColor = MaterialTheme.colorScheme.onTertiaryContainer,
) { Words(text, Modifier.padding(horizontal = 12.dp, vertical = 4.dp), style = MaterialTheme.typography.labelLarge) }
