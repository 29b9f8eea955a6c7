package moa.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.unit.dp
import uniffi.moa.PlannedPurchase

/** What this customer means to buy, and the way to more. */
@Composable
internal fun PlansScreen(moa: Moa, shown: Screen.Plans) = Page(
    bottom = {
        Field(moa.typed, moa.labels.whereToBuy, onDone = { moa.plans.show(moa.typed) }) { moa.typed = it }
        if (moa.typed.isBlank()) {
            SecondButton(moa.labels.back) { moa.goHome() }
        } else {
            BigButton(moa.labels.search, enabled = !moa.busy) { moa.plans.show(moa.typed) }
        }
    },
) {
    Title(moa.labels.plans)
    Quiet(moa.plans.whoKnows)
    for (plan in moa.plans.all) PlanCard(moa, plan)
    if (moa.plans.all.isEmpty()) Words(moa.labels.noPlans, style = MaterialTheme.typography.titleLarge)
    if (shown.name.isNotEmpty() || shown.shops.isNotEmpty()) Words(moa.labels.whereToBuy, style = MaterialTheme.typography.titleMedium)
    if (shown.name.isNotEmpty()) Quiet(shown.name, maxLines = 2)
    for (shop in shown.shops) {
        val name = shop.name.orEmpty()
        SecondButton(name, enabled = !moa.busy) { moa.plans.begin(shop.id, name) }
    }
    if (shown.name.isNotEmpty() && shown.shops.isEmpty()) Words(moa.labels.nothingFound, style = MaterialTheme.typography.titleLarge)
}

@Composable
private fun PlanCard(moa: Moa, plan: PlannedPurchase) = Card(MaterialTheme.colorScheme.surfaceVariant, MaterialTheme.colorScheme.onSurface) {
    Row(Modifier.fillMaxWidth(), Arrangement.spacedBy(8.dp), Alignment.CenterVertically) {
        Column(Modifier.weight(1f)) {
            Words(plan.shop.name ?: moa.labels.unverified, style = MaterialTheme.typography.titleMedium, maxLines = 2)
            Figure(plan.amountText, style = MaterialTheme.typography.headlineSmall)
            Words(plan.dayText, style = MaterialTheme.typography.bodyLarge)
        }
        SmallButton(moa.labels.forgetPlan, enabled = !moa.busy) { moa.plans.forget(plan) }
    }
    if (plan.overdue) Pill(moa.labels.overdue)
}

/** How much, and when. */
@Composable
internal fun NewPlanScreen(moa: Moa, plan: Screen.NewPlan) {
    val form = plan.form
    val note = { if (form.amount > 0) moa.plans.note(plan) }
    Page(
        bottom = {
            BigButton(moa.labels.notePlan, enabled = form.amount > 0 && !moa.busy) { note() }
            SecondButton(moa.labels.back, enabled = !moa.busy) { moa.plans.show() }
        },
    ) {
        Title(moa.labels.planHere)
        Words(plan.name, style = MaterialTheme.typography.titleLarge, maxLines = 2)
        val typed = if (form.amount == 0L) "" else form.amount.toString()
        Field(typed, moa.labels.plannedAmount, keyboard = KeyboardType.Number, onDone = { note() }) { form.type(it) }
        Figure(moa.wonText(form.amount), style = MaterialTheme.typography.displaySmall)
        Stepper(moa, moa.labels.plannedDay, form.day.text) { form.later(it) }
        Chips {
            ChipButton(moa.labels.weekLater) { form.later(PlanForm.WEEK) }
            ChipButton(moa.labels.monthLater) { form.later(PlanForm.MONTH) }
        }
        Quiet(moa.plans.whoKnows)
    }
}
