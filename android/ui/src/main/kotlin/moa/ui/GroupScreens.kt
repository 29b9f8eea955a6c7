package moa.ui

import androidx.compose.foundation.Image
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.aspectRatio
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.HorizontalDivider
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.layout.ContentScale
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.unit.dp
import uniffi.moa.Admission
import uniffi.moa.FoundingPreview
import uniffi.moa.Gives
import uniffi.moa.Group
import uniffi.moa.MileageKind
import uniffi.moa.MileageUnit
import uniffi.moa.OwnGroup
import uniffi.moa.Scope
import uniffi.moa.Shop
import uniffi.moa.ShopPage
import uniffi.moa.WeighedTerms

/** A step of a rate, in hundredths of a percent; of a minimum, in units; of what a stamp and a coupon are good for, in won. */
private const val RATE_STEP = 50
private const val MINIMUM_STEP = 500
private const val STAMP_STEP = 100
private const val FACE_STEP = 500

/** Half of the members, in hundredths of a percent. */
private const val HALF: UShort = 5_000u

/** What a button leads to, and how much of it waits there, if anything. */
internal fun counted(title: String, count: Int) = if (count == 0) title else "$title ($count)"

@Composable
internal fun GroupsScreen(moa: Moa) = Page(
    bottom = {
        BigButton(moa.labels.foundGroup, enabled = !moa.busy) { moa.groups.beginFounding() }
        SecondButton(moa.labels.findGroups, enabled = !moa.busy) { moa.groups.beginSearch() }
    },
) {
    Top(moa.labels.groups, moa.labels.back) { moa.goHome() }
    for (invitation in moa.groups.received) {
        Card(MaterialTheme.colorScheme.primaryContainer, MaterialTheme.colorScheme.onPrimaryContainer, { moa.go(Screen.Received(invitation)) }) {
            Words(moa.labels.invitedTo, style = MaterialTheme.typography.titleMedium)
            Words(invitation.group?.name.orEmpty(), style = MaterialTheme.typography.headlineSmall, maxLines = 2)
            Words(invitation.from.name.orEmpty(), style = MaterialTheme.typography.bodyLarge, maxLines = 2)
        }
    }
    if (moa.groups.requests.isNotEmpty()) {
        SecondButton(counted(moa.labels.joinRequests, moa.groups.asking.size)) { moa.go(Screen.Requests) }
    }
    for (own in moa.groups.own) OwnGroupCard(moa, own)
    if (moa.groups.own.isEmpty()) {
        Words(moa.labels.noGroups, style = MaterialTheme.typography.titleLarge)
        Quiet(moa.labels.noGroupsHint)
    }
    Chips {
        SmallButton(moa.labels.enterInvitation) { moa.go(Screen.EnterInvitation) }
        SmallButton(moa.labels.ourShop) { moa.groups.beginPresenting() }
        SmallButton(moa.labels.otherRole) { moa.go(Screen.ChooseRole) }
    }
}

@Composable
private fun OwnGroupCard(moa: Moa, own: OwnGroup) = Card(
    MaterialTheme.colorScheme.surfaceVariant,
    MaterialTheme.colorScheme.onSurface,
    { moa.groups.show(own.id) },
) {
    Words(own.group?.name.orEmpty(), style = MaterialTheme.typography.titleLarge, maxLines = 2)
    own.group?.let { group ->
        Words("${group.promiseText} · ${group.validityText}", style = MaterialTheme.typography.bodyLarge)
        Quiet(names(group), maxLines = 2)
    }
    if (own.waitingText.isNotEmpty()) Pill(own.waitingText)
    if (own.frozenText.isNotEmpty()) Pill(own.frozenText)
}

private fun names(group: Group) = group.members.mapNotNull { it.name }.joinToString(", ")

@Composable
internal fun FoundScreen(moa: Moa, found: Screen.Found) {
    val draft = found.draft
    Page(
        bottom = {
            BigButton(moa.labels.foundGroup, enabled = draft.name.isNotBlank() && draft.preview != null && !moa.busy) { moa.groups.found(found) }
            SecondButton(moa.labels.back) { moa.go(Screen.Groups) }
        },
    ) {
        Title(moa.labels.foundGroup)
        Field(draft.name, moa.labels.groupName, onDone = {}) { draft.call(it) }
        Field(draft.nickname, moa.labels.groupNickname, onDone = {}) { draft.call(draft.name, it) }
        OneOf(moa.labels.reach, reaches(moa), draft.scope) { draft.reach(it) }
        OneOf(moa.labels.kind, kinds(moa), draft.kind) { draft.give(it) }
        Words(moa.labels.preview, style = MaterialTheme.typography.titleMedium)
        when (val preview = draft.preview) {
            null -> Words(draft.wrong, color = MaterialTheme.colorScheme.error, style = MaterialTheme.typography.titleMedium)
            else -> PreviewCard(moa, preview, found.cover)
        }
        SecondButton(if (found.cover == null) moa.labels.addPicture else moa.labels.otherPicture, enabled = !moa.busy) {
            moa.groups.addPicture(draft)
        }
        Steps(moa, draft)
        draft.weighed?.let { Cost(moa, it) }
        val admissions = listOf(null to moa.labels.anyone, Admission.Admin to moa.labels.adminAdmits, vote(draft) to moa.labels.membersVote)
        OneOf(moa.labels.admission, admissions, draft.terms.admission) { draft.admit(it) }
        draft.preview?.let { Quiet(it.admissionText) }
    }
}

/** A vote as it was suggested, or of half the members. */
private fun vote(draft: Draft) = draft.terms.admission as? Admission.Vote ?: Admission.Vote(HALF)

private fun reaches(moa: Moa) = listOf(
    Scope.BUILDING to moa.labels.oneBuilding,
    Scope.AREA to moa.labels.oneArea,
    Scope.INDUSTRY to moa.labels.oneTrade,
    Scope.NATIONWIDE to moa.labels.nationwide,
)

private fun kinds(moa: Moa) = listOf(
    MileageKind.POINTS to moa.labels.points,
    MileageKind.STAMPS to moa.labels.stamps,
    MileageKind.COUPONS to moa.labels.coupons,
    MileageKind.RESERVE to moa.labels.reserve,
)

@Composable
private fun PreviewCard(moa: Moa, preview: FoundingPreview, cover: Cover?) = Card(
    MaterialTheme.colorScheme.primaryContainer,
    MaterialTheme.colorScheme.onPrimaryContainer,
) {
    cover?.let { Picture(moa, it.picture.image) }
    Words(preview.name, style = MaterialTheme.typography.titleLarge)
    Figure(preview.rateText, style = MaterialTheme.typography.displaySmall)
    Words(preview.promiseText, style = MaterialTheme.typography.bodyLarge)
    Words(preview.exampleText, style = MaterialTheme.typography.bodyLarge)
    Lasts(moa, preview.validityText, preview.usableText)
}

@Composable
private fun Picture(moa: Moa, image: ImageBitmap) = Image(
    image,
    moa.labels.groupPicture,
    Modifier.fillMaxWidth().aspectRatio(2f).clip(RoundedCornerShape(16.dp)),
    contentScale = ContentScale.Crop,
)

/** What the founder may change of what was suggested. */
@Composable
private fun Steps(moa: Moa, draft: Draft) {
    when (val gives = draft.terms.gives) {
        is Gives.Points -> Rate(moa, draft, gives.rateBp) { Gives.Points(it) }
        is Gives.Reserve -> Rate(moa, draft, gives.rateBp) { Gives.Reserve(it) }
        is Gives.Stamps -> {
            val each = gives.reward / gives.stamps.toLong()
            val card = moa.unitsText(gives.stamps.toLong(), MileageUnit.Stamp(gives.stamps))
            Stepper(moa, moa.labels.stampsOnACard, card) { step ->
                val stamps = gives.stamps.stepped(step)
                draft.gives(Gives.Stamps(gives.per, stamps, each * stamps.toLong()))
            }
            Stepper(moa, moa.labels.reward, moa.wonText(gives.reward)) { step ->
                val more = (each + step * STAMP_STEP).coerceAtLeast(STAMP_STEP.toLong())
                draft.gives(Gives.Stamps(gives.per, gives.stamps, more * gives.stamps.toLong()))
            }
        }
        is Gives.Coupons -> Stepper(moa, moa.labels.couponFace, moa.wonText(gives.face)) { step ->
            draft.gives(Gives.Coupons((gives.face + step * FACE_STEP).coerceAtLeast(FACE_STEP.toLong()), gives.leastPurchase))
        }
    }
    draft.preview?.let { Stepper(moa, moa.labels.validity, it.validityText) { step -> draft.lasts(step) } }
}

/** What the terms cost a shop, what is suggested, and why. */
@Composable
private fun Cost(moa: Moa, weighed: WeighedTerms) = Column(Modifier.fillMaxWidth(), Arrangement.spacedBy(8.dp)) {
    Quiet(moa.labels.cost)
    Words(weighed.cost.text, style = MaterialTheme.typography.titleMedium)
    val suggestion = weighed.suggestion
    Pill("${moa.labels.suggested} ${suggestion.rateText} · ${suggestion.validityText}")
    for (reason in suggestion.reasons) Quiet(reason)
}

@Composable
private fun Rate(moa: Moa, draft: Draft, rate: UShort, gives: (UShort) -> Gives) {
    val preview = draft.preview ?: return
    Stepper(moa, moa.labels.rate, preview.rateText) { draft.gives(gives(rate.stepped(it * RATE_STEP))) }
    Stepper(moa, moa.labels.usableFrom, preview.usableText) { draft.usableFrom(draft.terms.minimum + it * MINIMUM_STEP) }
}

/** A group, to anyone. What can be done there depends on whose phone this is. */
@Composable
internal fun GroupScreen(moa: Moa, group: Group) {
    val own = moa.groups.own.find { it.id == group.id }
    Page(
        bottom = {
            when {
                !moa.isShop -> {}
                own == null -> {
                    val join = if (group.terms.admission == null) moa.labels.join else moa.labels.askToJoin
                    BigButton(join, enabled = !moa.busy) { moa.groups.join(group) }
                }
                own.waitingText.isNotEmpty() -> SecondButton(moa.labels.withdrawRequest, enabled = !moa.busy) { moa.groups.withdraw(group.id) }
                else -> {
                    BigButton(moa.labels.inviteShops) { moa.go(Screen.Invite(group)) }
                    SecondButton(moa.labels.invitations, enabled = !moa.busy) { moa.groups.showSent(group) }
                }
            }
            SecondButton(moa.labels.back) { if (moa.isShop) moa.go(Screen.Groups) else moa.goHome() }
        },
    ) {
        Column {
            Title(group.name)
            group.nickname?.let { Quiet(it) }
        }
        own?.waitingText?.takeIf { it.isNotEmpty() }?.let { Pill(it) }
        TermsCard(moa, group)
        MembersList(moa, group)
    }
}

/** What a group promises, and how it is run. */
@Composable
internal fun TermsCard(moa: Moa, group: Group) = Card(MaterialTheme.colorScheme.primaryContainer, MaterialTheme.colorScheme.onPrimaryContainer) {
    group.picture?.let { id ->
        LaunchedEffect(id) { moa.groups.fetchCover(id) }
        moa.groups.covers[id]?.let { Picture(moa, it) }
    }
    Figure(group.rateText, style = MaterialTheme.typography.displaySmall)
    Words(group.promiseText, style = MaterialTheme.typography.bodyLarge)
    Lasts(moa, group.validityText, group.usableText)
    if (moa.isShop) {
        Words("${moa.labels.admission}: ${group.admissionText}", style = MaterialTheme.typography.bodyMedium)
        Words("${moa.labels.otherTerms}: ${group.consentText}", style = MaterialTheme.typography.bodyMedium)
        Words("${moa.labels.settlement}: ${group.periodText}", style = MaterialTheme.typography.bodyMedium)
    }
    group.amendment?.let { Words(it.text, style = MaterialTheme.typography.bodyLarge) }
    group.closing?.let { Words(it.text, style = MaterialTheme.typography.bodyLarge) }
}

/** For how long, and from when. */
@Composable
private fun Lasts(moa: Moa, validity: String, usable: String) {
    Words("${moa.labels.validity} $validity", style = MaterialTheme.typography.bodyLarge)
    Words("${moa.labels.usableFrom} $usable", style = MaterialTheme.typography.bodyLarge)
}

@Composable
internal fun MembersList(moa: Moa, group: Group) = Column(Modifier.fillMaxWidth(), Arrangement.spacedBy(8.dp)) {
    Words("${moa.labels.members} ${group.members.size}", style = MaterialTheme.typography.titleMedium)
    for (member in group.members) {
        HorizontalDivider()
        Member(moa, member)
    }
}

/** A member's name; a customer gets from there to its page. */
@Composable
private fun Member(moa: Moa, member: Shop) {
    val leadsOn = Modifier.fillMaxWidth().heightIn(min = 48.dp).clickable(role = Role.Button) { moa.groups.showShop(member.id) }
    Row(if (moa.isShop) Modifier else leadsOn, verticalAlignment = Alignment.CenterVertically) {
        Words(member.name ?: moa.labels.unverified, style = MaterialTheme.typography.bodyLarge, maxLines = 2)
    }
}

/** A shop, to anyone. A customer says here where to collect, and can plan to buy. */
@Composable
internal fun ShopScreen(moa: Moa, page: ShopPage) = Page(
    bottom = {
        if (!moa.isShop) BigButton(moa.labels.planHere, enabled = !moa.busy) { moa.plans.begin(page.id, page.profile.name) }
        SecondButton(moa.labels.back) { moa.goHome() }
    },
) {
    Title(page.profile.name)
    val where = listOfNotNull(page.industryText.ifEmpty { null }, page.profile.area, page.profile.building)
    if (where.isNotEmpty()) Quiet(where.joinToString(" · "))
    for (group in page.groups) {
        Card(MaterialTheme.colorScheme.surfaceVariant, MaterialTheme.colorScheme.onSurface, { moa.groups.show(group.id) }) {
            Words(group.name, style = MaterialTheme.typography.titleLarge, maxLines = 2)
            Words("${group.promiseText} · ${group.validityText}", style = MaterialTheme.typography.bodyLarge)
        }
    }
    if (page.groups.isEmpty()) Quiet(moa.labels.noGroups)
    if (!moa.isShop) CollectedAt(moa, page.id, page.groups.map { it.id to it.name })
}

/** How the own shop presents itself: where and what it is. */
@Composable
internal fun OurShopScreen(moa: Moa, form: ShopForm) = Page(
    bottom = {
        BigButton(moa.labels.save, enabled = !moa.busy) { moa.groups.present(form.profile()) }
        SecondButton(moa.labels.back) { moa.go(Screen.Groups) }
    },
) {
    Title(moa.labels.ourShop)
    Quiet(moa.labels.ourShopHint)
    Field(form.area, moa.labels.area, onDone = {}) { form.area = it }
    Field(form.building, moa.labels.building, onDone = {}) { form.building = it }
    Trade(moa, form.trade) { form.trade = it?.code; moa.go(Screen.OurShop(form)) }
}

/** The trade that is taken, and the way to another. */
@Composable
internal fun Trade(moa: Moa, code: String?, take: (uniffi.moa.Industry?) -> Unit) = Row(
    Modifier.fillMaxWidth(),
    Arrangement.spacedBy(8.dp),
    Alignment.CenterVertically,
) {
    Quiet(moa.labels.trade, Modifier.weight(1f))
    val name = moa.groups.trades().find { it.code == code }?.name ?: moa.labels.anyTrade
    ChipButton(name) { moa.go(Screen.PickTrade(code, take)) }
}
