package moa.ui

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableLongStateOf
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.Job
import kotlinx.coroutines.withContext
import uniffi.moa.ApiException
import uniffi.moa.AppInterface
import uniffi.moa.PlanDay
import uniffi.moa.PlannedPurchase

/** What a customer means to buy, which this phone alone knows, and what a tap does there. Goes on by [Moa]. */
class Plans internal constructor(private val moa: Moa, private val app: AppInterface, private val io: CoroutineContext) {
    /** The soonest first. */
    var all: List<PlannedPurchase> by mutableStateOf(emptyList())
        private set

    /** Who is told of them: nobody. */
    val whoKnows = app.plansText()

    /** The plans, and shops to plan at: those of that name, or those where the customer has bought. */
    fun show(name: String = ""): Job = moa.act { shown(name) }

    fun begin(shop: String, name: String): Job = moa.act { Screen.NewPlan(shop, name, PlanForm(app)) }

    fun note(plan: Screen.NewPlan): Job = moa.act {
        app.planPurchase(plan.shop, plan.form.amount, plan.form.day.day)
        shown("")
    }

    fun forget(plan: PlannedPurchase): Job = moa.act {
        app.forgetPlan(plan.id)
        null
    }

    internal suspend fun refresh() {
        all = withContext(io) { app.plannedPurchases() }
    }

    private fun shown(name: String) = Screen.Plans(name.trim(), app.shopsToPlanAt(name))
}

/** A purchase that is about to be planned: a week ahead, to begin with. */
class PlanForm(private val app: AppInterface) {
    private var days = WEEK

    /** In won; nothing yet. */
    var amount by mutableLongStateOf(0)
        private set
    var day: PlanDay by mutableStateOf(app.planDay(days.toUInt()))
        private set

    fun type(digits: String) {
        amount = digits.filter { it.isDigit() }.take(MOST_DIGITS).toLongOrNull() ?: 0
    }

    /** Not before today, and as far as the core plans ahead. */
    fun later(by: Int) {
        val then = (days + by).coerceAtLeast(0)
        day = try {
            app.planDay(then.toUInt())
        } catch (_: ApiException.Refused) {
            return
        }
        days = then
    }

    companion object {
        const val WEEK = 7
        const val MONTH = 30
        private const val MOST_DIGITS = 12
    }
}
