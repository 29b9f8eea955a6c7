package moa.ui

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import uniffi.moa.Admission
import uniffi.moa.ApiException
import uniffi.moa.AppInterface
import uniffi.moa.Founding
import uniffi.moa.FoundingPlan
import uniffi.moa.FoundingPreview
import uniffi.moa.Gives
import uniffi.moa.MileageKind
import uniffi.moa.Scope
import uniffi.moa.Terms
import uniffi.moa.Validity
import uniffi.moa.WeighedTerms

/** A group that is about to be founded. It begins with what the core suggests; what each change makes of it, the core says. */
class Draft(private val app: AppInterface, private val nameless: String) {
    var name by mutableStateOf("")
        private set
    var nickname by mutableStateOf("")
        private set
    var scope by mutableStateOf(Scope.BUILDING)
        private set
    var kind by mutableStateOf(MileageKind.POINTS)
        private set
    var terms: Terms by mutableStateOf(suggested())
        private set

    /** What that costs a shop, and what is suggested for the like; none if it could not be founded so. */
    var weighed: WeighedTerms? by mutableStateOf(null)
        private set

    /** What a customer will see; none if it could not be founded so. */
    var preview: FoundingPreview? by mutableStateOf(null)
        private set

    /** Why it could not. */
    var wrong by mutableStateOf("")
        private set

    init {
        look()
    }

    fun call(name: String, nickname: String = this.nickname) {
        this.name = name
        this.nickname = nickname
        look()
    }

    /** Another reach begins with other terms; who lets shops in stays. */
    fun reach(scope: Scope) {
        this.scope = scope
        change(suggested().copy(admission = terms.admission))
    }

    fun give(kind: MileageKind) {
        this.kind = kind
        change(suggested().copy(admission = terms.admission))
    }

    fun admit(by: Admission?) = change(terms.copy(admission = by))

    fun gives(gives: Gives) = change(terms.copy(gives = gives))

    /** So many months or days longer, or shorter. */
    fun lasts(longer: Int) = change(
        terms.copy(
            validity = when (val now = terms.validity) {
                is Validity.Months -> Validity.Months(now.count.stepped(longer))
                is Validity.Days -> Validity.Days(now.count.stepped(longer))
            },
        ),
    )

    fun usableFrom(minimum: Long) = change(terms.copy(minimum = minimum.coerceAtLeast(0)))

    fun founding(cover: Cover? = null) = Founding(name.trim(), scope, terms, nickname.trim().ifEmpty { null }, cover?.id)

    private fun suggested() = app.foundingDraft(FoundingPlan(scope, kind)).terms

    private fun change(to: Terms) {
        terms = to
        look()
    }

    private fun look() = try {
        weighed = app.weighTerms(FoundingPlan(scope, kind), terms)
        preview = app.foundingPreview(founding().let { it.copy(name = it.name.ifEmpty { nameless }) })
        wrong = ""
    } catch (error: ApiException) {
        preview = null
        weighed = null
        wrong = error.toString()
    }
}

/** A group's picture, and the id by which the server keeps it. */
class Cover(val picture: PickedPicture, val id: String)

/** A step up or down, never to nothing. */
internal fun UShort.stepped(by: Int): UShort = (toInt() + by).coerceIn(1, UShort.MAX_VALUE.toInt()).toUShort()
