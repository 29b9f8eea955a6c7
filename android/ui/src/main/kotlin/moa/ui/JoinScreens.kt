package moa.ui

import androidx.compose.foundation.layout.Column
import androidx.compose.material3.HorizontalDivider
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import uniffi.moa.JoinRequest
import uniffi.moa.JoinRequestState
import uniffi.moa.ReceivedInvitation
import uniffi.moa.SearchSort

/** What an invitation's message says besides its link: eight characters. A link is as good. */
@Composable
internal fun EnterInvitationScreen(moa: Moa, paste: suspend () -> String?) = Page(
    bottom = {
        CodeEntry(moa, paste)
        SecondButton(moa.labels.back) { moa.go(Screen.Groups) }
    },
) { Title(moa.labels.enterInvitation) }

/** An invitation, from whom and to what. */
@Composable
internal fun ReceivedScreen(moa: Moa, invitation: ReceivedInvitation) {
    val group = invitation.group
    Page(
        bottom = {
            when {
                invitation.toApp -> BigButton(moa.labels.seeShop, enabled = !moa.busy) { moa.groups.showShop(invitation.from.id) }
                group == null || !invitation.waits -> {}
                moa.shop == null || !moa.isShop -> BigButton(moa.labels.openShopFirst, enabled = !moa.busy) { moa.openShopFor(invitation) }
                else -> {
                    BigButton(moa.labels.accept, enabled = !moa.busy) { moa.groups.accept(invitation, group) }
                    SecondButton(moa.labels.decline, enabled = !moa.busy) { moa.groups.decline(invitation) }
                }
            }
            SecondButton(moa.labels.back) { if (moa.isShop && moa.shop != null) moa.go(Screen.Groups) else moa.goHome() }
        },
    ) {
        Title(moa.labels.invitedTo)
        Column {
            Quiet(moa.labels.invitedBy)
            Words(invitation.from.name ?: moa.labels.unverified, style = MaterialTheme.typography.titleLarge, maxLines = 2)
        }
        if (group != null) {
            Words(group.name, style = MaterialTheme.typography.headlineSmall)
            TermsCard(moa, group)
            MembersList(moa, group)
        }
        if (invitation.toApp) Words(moa.labels.collectThere, style = MaterialTheme.typography.titleMedium)
        if (invitation.waits || invitation.toApp) Quiet("${moa.labels.until} ${invitation.untilText}") else Pill(invitation.stateText)
    }
}

/** Shops that ask to join, and what became of what the own shop asked. */
@Composable
internal fun RequestsScreen(moa: Moa) = Page(bottom = { SecondButton(moa.labels.back) { moa.go(Screen.Groups) } }) {
    Title(moa.labels.joinRequests)
    val requests = moa.groups.requests
    if (requests.isEmpty()) Words(moa.labels.noJoinRequests, style = MaterialTheme.typography.titleLarge)
    for (request in requests) RequestCard(moa, request)
}

@Composable
private fun RequestCard(moa: Moa, request: JoinRequest) = Card(MaterialTheme.colorScheme.surfaceVariant, MaterialTheme.colorScheme.onSurface) {
    Words(request.shop.name.orEmpty(), style = MaterialTheme.typography.titleLarge, maxLines = 2)
    Quiet(request.groupName.orEmpty(), maxLines = 2)
    Words(request.votesText, style = MaterialTheme.typography.bodyLarge)
    Quiet(request.admissionText)
    if (request.state == JoinRequestState.OPEN) Quiet("${moa.labels.until} ${request.untilText}")
    val open = request.state == JoinRequestState.OPEN
    when {
        request.own && open -> SecondButton(moa.labels.withdrawRequest, enabled = !moa.busy) { moa.groups.withdraw(request.group) }
        !open -> Pill(request.stateText)
        else -> Chips {
            for ((admits, name) in listOf(true to moa.labels.letIn, false to moa.labels.keepOut)) {
                Chip(name, request.answer == admits, enabled = !moa.busy) { moa.groups.answer(request, admits) }
            }
        }
    }
}

/** Groups, looked for by name, place and trade. */
@Composable
internal fun FindScreen(moa: Moa, find: Screen.Find) {
    val query = find.query
    val look = { moa.groups.search(query) }
    Page(
        bottom = {
            BigButton(moa.labels.search, enabled = !moa.busy) { look() }
            SecondButton(moa.labels.back) { moa.go(Screen.Groups) }
        },
    ) {
        Title(moa.labels.findGroups)
        Field(query.text, moa.labels.nameOrTrade, onDone = { look() }) { query.text = it }
        if (query.knowsWhere) YesOrNo(moa, moa.labels.nearMyShop, query.near) { query.near = it; look() }
        Trade(moa, query.trade?.code) { query.trade = it; look() }
        val sorts = listOf<Pair<SearchSort?, String>>(
            null to moa.labels.nearest,
            SearchSort.MEMBERS to moa.labels.mostMembers,
            SearchSort.RATE to moa.labels.highestRate,
        )
        OneOf(moa.labels.sortBy, sorts, query.sort) { query.sort = it; look() }
        for (group in find.found) {
            Card(MaterialTheme.colorScheme.surfaceVariant, MaterialTheme.colorScheme.onSurface, { moa.groups.show(group.group) }) {
                Words(group.name, style = MaterialTheme.typography.titleLarge, maxLines = 2)
                Words("${group.promiseText} · ${group.validityText}", style = MaterialTheme.typography.bodyLarge)
                val about = listOf("${moa.labels.members} ${group.members}", group.distanceText)
                Quiet(about.filter { it.isNotEmpty() }.joinToString(" · "))
            }
        }
        if (find.found.isEmpty()) Words(moa.labels.nothingFound, style = MaterialTheme.typography.titleLarge)
        if (find.more) SecondButton(moa.labels.moreResults, enabled = !moa.busy) { moa.groups.searchOn(find) }
    }
}

@Composable
internal fun PickTradeScreen(moa: Moa, pick: Screen.PickTrade) = Page(
    bottom = { SecondButton(moa.labels.back) { pick.take(moa.groups.trades().find { it.code == pick.taken }) } },
) {
    Title(moa.labels.trade)
    Chips {
        Chip(moa.labels.anyTrade, pick.taken == null) { pick.take(null) }
        for (trade in moa.groups.trades()) Chip(trade.name, trade.code == pick.taken) { pick.take(trade) }
    }
}

/** A buyer's mileage in one group, and how it came and went. */
@Composable
internal fun HistoryScreen(moa: Moa, history: Screen.History) = Page(
    bottom = {
        SecondButton(moa.labels.seeGroup, enabled = !moa.busy) { moa.groups.show(history.group) }
        SecondButton(moa.labels.back) { moa.goHome() }
    },
) {
    Title(moa.labels.history)
    for (balance in history.balances) BalanceCard(moa, balance)
    if (history.balances.isEmpty()) Words(moa.labels.noPoints, style = MaterialTheme.typography.titleLarge)
    for (row in history.rows) {
        HorizontalDivider()
        Column {
            Words(row.line, style = MaterialTheme.typography.bodyLarge)
            Quiet(row.atText)
        }
    }
}
