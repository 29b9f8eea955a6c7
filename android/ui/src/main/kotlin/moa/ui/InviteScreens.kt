package moa.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.remember
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import uniffi.moa.Channel
import uniffi.moa.Group
import uniffi.moa.Invitation
import uniffi.moa.Invitee
import uniffi.moa.Labels

/** Where whom to send it is picked in the app itself. */
private val messengers = listOf(Channel.KAKAO_TALK, Channel.LINE, Channel.TELEGRAM, Channel.WHATS_APP, Channel.MESSENGER)

/** A channel as people call it. */
internal fun Labels.name(channel: Channel) = when (channel) {
    Channel.SMS -> bySms
    Channel.KAKAO_TALK -> byKakaoTalk
    Channel.LINE -> byLine
    Channel.TELEGRAM -> byTelegram
    Channel.WHATS_APP -> byWhatsApp
    Channel.MESSENGER -> byMessenger
    Channel.EMAIL -> byEmail
    Channel.IN_APP -> inApp
    Channel.SHEET -> bySheet
    Channel.COPY -> byCopy
}

/** The list of whom to invite, each with a channel, before anything is sent. */
@Composable
internal fun InviteScreen(moa: Moa, group: Group) {
    val listed = moa.groups.invitees.filter { it.invitation == null }
    val add = { if (moa.typed.isNotBlank()) moa.groups.add(group, moa.typed) }
    Page(
        bottom = {
            if (moa.typed.isNotBlank()) {
                BigButton(moa.labels.putOnList, enabled = !moa.busy) { add() }
            } else {
                BigButton(counted(moa.labels.makeInvitations, listed.size), enabled = listed.isNotEmpty() && !moa.busy) { moa.groups.inviteListed(group) }
            }
            SecondButton(moa.labels.back) { moa.groups.show(group.id) }
        },
    ) {
        Title(moa.labels.whomToInvite)
        Quiet(group.name, maxLines = 2)
        Field(moa.typed, moa.labels.numberMailOrName, onDone = { add() }) { moa.typed = it }
        SecondButton(moa.labels.pickContact, enabled = !moa.busy) { moa.groups.pickContact(group) }
        SecondButton(moa.labels.suggestedShops, enabled = !moa.busy) { moa.groups.suggest(group) }
        SecondButton(moa.labels.linkForMany, enabled = !moa.busy) { moa.groups.inviteMany(group) }
        for (invitee in listed) InviteeRow(moa, invitee)
        Column(Modifier.fillMaxWidth(), Arrangement.spacedBy(4.dp)) {
            Quiet(moa.labels.inMessenger)
            Chips {
                for (channel in messengers) {
                    ChipButton(moa.labels.name(channel), enabled = !moa.busy) { moa.groups.addInMessenger(group, channel, moa.typed) }
                }
            }
        }
    }
}

@Composable
private fun InviteeRow(moa: Moa, invitee: Invitee) = Row(
    Modifier.fillMaxWidth(),
    Arrangement.spacedBy(8.dp),
    Alignment.CenterVertically,
) {
    Column(Modifier.weight(1f)) {
        Words(invitee.name, style = MaterialTheme.typography.titleMedium, maxLines = 2)
        Quiet(listOfNotNull(moa.labels.name(invitee.channel), invitee.contact.takeIf { it != invitee.name }).joinToString(" · "))
    }
    SmallButton(moa.labels.takeOff) { moa.groups.takeOff(invitee) }
}

/** Shops of the directory, by why they are shown. */
@Composable
internal fun PickShopsScreen(moa: Moa, pick: Screen.PickShops) = Page(
    bottom = { BigButton(moa.labels.next) { moa.go(Screen.Invite(pick.group)) } },
) {
    Title(moa.labels.suggestedShops)
    if (pick.found.all { it.shops.isEmpty() }) {
        Words(moa.labels.nothingFound, style = MaterialTheme.typography.titleLarge)
        Quiet(moa.labels.ourShopHint)
        SecondButton(moa.labels.ourShop, enabled = !moa.busy) { moa.groups.beginPresenting() }
    }
    for (found in pick.found.filter { it.shops.isNotEmpty() }) {
        Words(found.title, style = MaterialTheme.typography.titleMedium)
        for (shop in found.shops) {
            Row(Modifier.fillMaxWidth(), Arrangement.spacedBy(8.dp), Alignment.CenterVertically) {
                Column(Modifier.weight(1f)) {
                    Words(shop.name, style = MaterialTheme.typography.titleLarge, maxLines = 2)
                    val about = listOfNotNull(shop.industry?.name, shop.distanceText.ifEmpty { shop.area })
                    if (about.isNotEmpty()) Quiet(about.joinToString(" · "), maxLines = 2)
                }
                when (val listed = moa.groups.invitees.find { it.shop?.id == shop.merchant }) {
                    null -> SmallButton(moa.labels.putOnList) { moa.groups.add(pick, shop) }
                    else -> if (listed.invitation == null) {
                        SmallButton(moa.labels.takeOff) { moa.groups.takeOff(listed) }
                    } else {
                        Quiet(listed.stateText)
                    }
                }
            }
        }
    }
}

/** The invitations into a group, and how each stands. */
@Composable
internal fun SentScreen(moa: Moa, group: Group) = Page(
    bottom = {
        if (moa.groups.sendable().isNotEmpty()) BigButton(moa.labels.moaSends, enabled = !moa.busy) { moa.groups.sendByMoa() }
        SecondButton(moa.labels.back) { moa.groups.show(group.id) }
    },
) {
    Title(moa.labels.invitations)
    Quiet(group.name, maxLines = 2)
    if (moa.groups.invitations.isEmpty()) Words(moa.labels.noInvitations, style = MaterialTheme.typography.titleLarge)
    for (invitation in moa.groups.invitations) SentCard(moa, group, invitation)
}

@Composable
private fun SentCard(moa: Moa, group: Group, invitation: Invitation) = Card(
    MaterialTheme.colorScheme.surfaceVariant,
    MaterialTheme.colorScheme.onSurface,
    { moa.go(Screen.ShowInvitation(group, invitation.id)) },
) {
    val invitee = moa.groups.invitees.find { it.invitation == invitation.id }
    Words(whom(moa, invitation, invitee), style = MaterialTheme.typography.titleMedium, maxLines = 2)
    Row(Modifier.fillMaxWidth(), Arrangement.spacedBy(8.dp), Alignment.CenterVertically) {
        Pill(invitation.stateText)
        invitee?.let { Quiet(moa.labels.name(it.channel)) }
    }
    invitation.unsent?.let { Words(it.text, color = MaterialTheme.colorScheme.error, style = MaterialTheme.typography.bodyLarge) }
    if (invitation.uses > 1u) for (answer in invitation.answers) Quiet("${answer.shop.name.orEmpty()} · ${answer.text}")
    if (invitee != null && invitation.share != null && invitation.isNew) {
        SecondButton("${moa.labels.sendIt} · ${moa.labels.name(invitee.channel)}", enabled = !moa.busy) {
            moa.groups.share(invitation, invitee.channel)
        }
    }
}

private fun whom(moa: Moa, invitation: Invitation, invitee: Invitee?) =
    invitee?.name ?: invitation.shop?.name ?: invitation.contact ?: moa.labels.anyoneWithLink

/** To be scanned by who stands beside, or sent by one app or another. */
@Composable
internal fun ShowInvitationScreen(moa: Moa, shown: Screen.ShowInvitation) {
    val invitation = moa.groups.invitations.find { it.id == shown.invitation }
    Page(
        bottom = {
            if (invitation?.isOpen == true) {
                SecondButton(moa.labels.takeBack, enabled = !moa.busy) { moa.groups.takeBack(shown.group, invitation) }
            }
            BigButton(moa.labels.ok) { moa.groups.showSent(shown.group) }
        },
    ) {
        if (invitation == null) return@Page
        Words(whom(moa, invitation, moa.groups.invitees.find { it.invitation == invitation.id }), style = MaterialTheme.typography.headlineSmall, maxLines = 2)
        Pill(invitation.stateText)
        val share = invitation.share ?: return@Page
        QrCode(remember(share) { moa.groups.qr(share) }, moa.labels.codePicture)
        Quiet(moa.labels.scanToJoin, Modifier.fillMaxWidth(), align = TextAlign.Center)
        invitation.code?.let { Figure(it, Modifier.fillMaxWidth(), MaterialTheme.typography.headlineMedium, TextAlign.Center) }
        Quiet("${moa.labels.until} ${invitation.untilText}", Modifier.fillMaxWidth(), align = TextAlign.Center)
        Quiet(moa.labels.sendBy)
        Chips {
            for (channel in messengers + listOf(Channel.SMS, Channel.EMAIL, Channel.SHEET, Channel.COPY)) {
                ChipButton(moa.labels.name(channel), enabled = !moa.busy) { moa.groups.share(invitation, channel) }
            }
        }
    }
}
