package moa.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.selection.toggleable
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Switch
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
import uniffi.moa.WaitingSale

@Composable
internal fun WalletScreen(moa: Moa, paste: suspend () -> String?) = Page(
    bottom = {
        CodeEntry(moa, paste)
        SecondButton(moa.labels.myCode, enabled = !moa.busy) { moa.showMember() }
    },
) {
    Top(moa.labels.myPoints, moa.labels.otherRole) { moa.go(Screen.ChooseRole) }
    for (sale in moa.toChoose) WaitingCard(moa, sale)
    for (balance in moa.state.balances) BalanceCard(moa, balance) { moa.groups.showHistory(balance.group) }
    if (moa.state.balances.isEmpty()) {
        Words(
            moa.labels.noPoints,
            Modifier.padding(top = 120.dp).fillMaxWidth(),
            style = MaterialTheme.typography.titleLarge,
            align = TextAlign.Center,
        )
        Quiet(moa.labels.noPointsHint, Modifier.fillMaxWidth(), align = TextAlign.Center)
    }
    Chips {
        SmallButton(moa.labels.withoutAsking, enabled = !moa.busy) { moa.withoutAsking() }
        SmallButton(moa.labels.plans, enabled = !moa.busy) { moa.plans.show() }
    }
}

/** A sale that a shop recorded for this customer, who has the choice. */
@Composable
private fun WaitingCard(moa: Moa, sale: WaitingSale) = Card(
    MaterialTheme.colorScheme.primaryContainer,
    MaterialTheme.colorScheme.onPrimaryContainer,
    { moa.go(Screen.ChooseFor(sale)) },
) {
    Words(moa.labels.toChoose, style = MaterialTheme.typography.titleMedium)
    Words(sale.shop.name.orEmpty(), style = MaterialTheme.typography.bodyLarge, maxLines = 2)
    Figure(sale.amountText, style = MaterialTheme.typography.headlineSmall)
    Words(sale.untilText, style = MaterialTheme.typography.bodyLarge)
}

@Composable
internal fun BalanceCard(moa: Moa, balance: Balance, onClick: (() -> Unit)? = null) = Card(
    MaterialTheme.colorScheme.surfaceVariant,
    MaterialTheme.colorScheme.onSurface,
    onClick,
) {
    Words(balance.name.orEmpty(), style = MaterialTheme.typography.titleMedium)
    Figure(balance.confirmedText, style = MaterialTheme.typography.displaySmall)
    if (balance.pendingText.isNotEmpty()) {
        Pill("${moa.labels.pending} ${balance.pendingText}")
    }
    if (balance.cardsText.isNotEmpty()) Quiet(balance.cardsText)
    if (balance.minimumText.isNotEmpty()) Quiet(balance.minimumText)
    if (balance.expiringText.isNotEmpty()) Words(balance.expiringText, style = MaterialTheme.typography.bodyLarge)
    for (note in balance.notes) Quiet(note)
    if (balance.usable > 0) SecondButton(moa.labels.spend, enabled = !moa.busy) { moa.spend(balance) }
}

@Composable
internal fun ChooseScreen(moa: Moa, choose: Screen.Choose) {
    val shop = choose.voucher.shop?.let { it.name.orEmpty() } ?: moa.labels.unverified
    Choices(moa, choose.voucher.shop?.id, shop, choose.voucher.amountText, choose.choices) { moa.claim(choose.text, it) }
}

@Composable
internal fun ChooseForScreen(moa: Moa, choose: Screen.ChooseFor) = choose.sale.run {
    Choices(moa, shop.id, shop.name.orEmpty(), amountText, choices) { moa.claim(this, it) }
}

/** A shop's groups. [id] is the shop's, if it is known. */
@Composable
private fun Choices(
    moa: Moa,
    id: String?,
    shop: String,
    amount: String,
    choices: List<GroupChoice>,
    claim: (GroupChoice?) -> Unit,
) = Page(
    bottom = { SecondButton(moa.labels.back) { moa.goHome() } },
) {
    Title(moa.labels.chooseGroup)
    Column {
        Quiet(shop, maxLines = 2)
        Figure(amount, style = MaterialTheme.typography.headlineSmall)
    }
    choices.forEachIndexed { place, choice -> ChoiceCard(moa, choice, best = place == 0) { claim(choice) } }
    if (choices.isEmpty()) BigButton(moa.labels.collectInBest, enabled = !moa.busy) { claim(null) }
    if (id != null) CollectedAt(moa, id, choices.map { it.group to it.name })
}

/** What is done with the next purchases at a shop of these groups: it holds there, whatever holds elsewhere. */
@Composable
internal fun CollectedAt(moa: Moa, shop: String, groups: List<Pair<String, String>>) {
    if (groups.isEmpty()) return
    val said = moa.standings.find { it.shop.id == shop }?.always?.let { it.id to it.name.orEmpty() }
    val all = (groups + listOfNotNull(said)).distinctBy { it.first }.map { (id, name) -> AtShop.Always(id) to name }
    val ways = listOf(AtShop.AsElsewhere to moa.labels.asElsewhere, AtShop.AskEachTime to moa.labels.askEachTime) + all
    OneOf(moa.labels.atThisShop, ways, moa.collectedAt(shop), enabled = !moa.busy) { moa.collectAt(shop, it) }
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
        choice.reasonText?.let { Words(it, style = MaterialTheme.typography.titleMedium) }
        Words(choice.expectedUseText, style = MaterialTheme.typography.bodyLarge)
        choice.minimumText?.let { Words(it, style = MaterialTheme.typography.bodyLarge) }
        Words(choice.untilText, style = MaterialTheme.typography.bodyLarge)
        Words("${choice.rateText} · ${choice.validityText} · ${choice.shopsText}", style = MaterialTheme.typography.bodyLarge)
        val members = choice.members.mapNotNull { it.name }
        if (members.isNotEmpty()) Words(members.joinToString(", "), style = MaterialTheme.typography.bodyMedium, maxLines = 2)
    }
}

/** This customer, for a shop to read. */
@Composable
internal fun ShowMemberScreen(moa: Moa, shown: Screen.ShowMember) = Page(
    middle = true,
    bottom = {
        BigButton(moa.labels.ok) { moa.goHome() }
        SecondButton(moa.labels.asDigits, enabled = !moa.busy) { moa.showMemberDigits() }
    },
) {
    QrCode(shown.code.qr, moa.labels.codePicture)
    Shown(moa.labels.forShop, shown.code.goodUntilText)
}

/** To be read aloud. */
@Composable
internal fun ShowDigitsScreen(moa: Moa, shown: Screen.ShowDigits) =
    Page(middle = true, bottom = { BigButton(moa.labels.ok) { moa.goHome() } }) {
        shown.balance?.let { Quiet(it.name.orEmpty(), align = TextAlign.Center, maxLines = 2) }
        Figure(shown.code.text, Modifier.fillMaxWidth(), align = TextAlign.Center)
        Shown(moa.labels.forShop, shown.code.goodUntilText)
    }

@Composable
internal fun WithoutAskingScreen(moa: Moa, shown: Screen.WithoutAsking) = Page(
    bottom = { SecondButton(moa.labels.back) { moa.goHome() } },
) {
    Title(moa.labels.withoutAsking)
    YesOrNo(moa, moa.labels.alwaysBest, shown.alwaysBest) { moa.setAlwaysBest(it) }
    YesOrNo(moa, moa.labels.bestAfterADay, shown.standing.bestAfterADay) { on ->
        moa.setStanding(shown.standing.groups.map { it.id }, on)
    }
    val groups = moa.groupsToStandBy(shown.standing)
    if (groups.isNotEmpty()) Quiet(moa.labels.alwaysHere)
    for (group in groups) {
        val chosen = shown.standing.groups.map { it.id }
        YesOrNo(moa, group.name.orEmpty(), group.id in chosen) { on ->
            moa.setStanding(if (on) chosen + group.id else chosen - group.id, shown.standing.bestAfterADay)
        }
    }
    if (moa.standings.isNotEmpty()) Quiet(moa.labels.atSingleShops)
    for (at in moa.standings) {
        val show: () -> Unit = { moa.groups.showShop(at.shop.id) }
        Card(MaterialTheme.colorScheme.surfaceVariant, MaterialTheme.colorScheme.onSurface, show.takeUnless { moa.busy }) {
            Words(at.shop.name ?: moa.labels.unverified, style = MaterialTheme.typography.titleMedium, maxLines = 2)
            Words(at.always?.let { it.name.orEmpty() } ?: moa.labels.askEachTime, style = MaterialTheme.typography.bodyLarge, maxLines = 2)
        }
    }
}

@Composable
internal fun ShowCodeScreen(moa: Moa, shown: Screen.ShowCode) = Page(
    middle = true,
    bottom = {
        BigButton(moa.labels.ok) { moa.goHome() }
        SecondButton(moa.labels.asDigits, enabled = !moa.busy) { moa.spendByDigits(shown.balance) }
    },
) {
    Column(Modifier.fillMaxWidth(), horizontalAlignment = Alignment.CenterHorizontally) {
        Quiet(shown.balance.name.orEmpty(), align = TextAlign.Center, maxLines = 2)
        Figure(shown.code.mostText, Modifier.fillMaxWidth(), MaterialTheme.typography.displayMedium, TextAlign.Center)
    }
    QrCode(shown.code.qr, "${moa.labels.codePicture}, ${shown.code.mostText}")
    Shown(moa.labels.forShop, shown.code.goodUntilText)
}
