package moa.ui

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.compose.ui.graphics.ImageBitmap
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.Job
import kotlinx.coroutines.withContext
import uniffi.moa.ApiException
import uniffi.moa.AppInterface
import uniffi.moa.Channel
import uniffi.moa.Contact
import uniffi.moa.Destination
import uniffi.moa.FoundShop
import uniffi.moa.Group
import uniffi.moa.Invitation
import uniffi.moa.InvitationState
import uniffi.moa.Invite
import uniffi.moa.Invitee
import uniffi.moa.JoinRequest
import uniffi.moa.JoinRequestState
import uniffi.moa.OwnGroup
import uniffi.moa.Qr
import uniffi.moa.Reach
import uniffi.moa.ReceivedInvitation
import uniffi.moa.SearchFor
import uniffi.moa.ShopProfile

/** For how long an invitation is good, in days: to someone, and to any who is given the link. */
private const val DAYS = 14u
private const val DAYS_FOR_MANY = 30u

/** How many may answer a link for many. */
private const val MANY: UShort = 50u

/** What the screens of groups show, and what a tap there does: founding, inviting, finding, joining. Goes on by [Moa]. */
class Groups internal constructor(
    private val moa: Moa,
    private val app: AppInterface,
    private val shell: Shell,
    private val io: CoroutineContext,
) {
    /** The own shop's, those that it asks to join too. */
    var own: List<OwnGroup> by mutableStateOf(emptyList())
        private set

    /** Invitations to this phone's shop that wait for its answer. */
    var received: List<ReceivedInvitation> by mutableStateOf(emptyList())
        private set

    /** Shops that ask to join, and what became of what the own shop asked. */
    var requests: List<JoinRequest> by mutableStateOf(emptyList())
        private set

    /** Whom the own shop invites into the group on the screen. */
    var invitees: List<Invitee> by mutableStateOf(emptyList())
        private set

    /** The own shop's invitations, the newest first. */
    var invitations: List<Invitation> by mutableStateOf(emptyList())
        private set

    /** Those that wait for this shop's word. */
    val asking get() = requests.filter { !it.own && it.state == JoinRequestState.OPEN && it.answer == null }

    /** Groups' pictures, by their ids. */
    var covers: Map<String, ImageBitmap> by mutableStateOf(emptyMap())
        private set

    /** How much waits for this shop's word. */
    val waiting get() = received.size + asking.size

    // Founding.

    fun beginFounding(): Job = moa.act { Screen.Found(Draft(app, moa.labels.groupName)) }

    fun addPicture(draft: Draft): Job = moa.afterPicking(shell::pickPicture) { picked ->
        Screen.Found(draft, Cover(picked, app.sendPicture(picked.file)))
    }

    fun found(found: Screen.Found): Job = moa.act { page(app.foundGroup(found.draft.founding(found.cover))) }

    // Inviting.

    /** Puts on the list what was typed: a number, an address; or shows the shops of that name. */
    fun add(group: Group, typed: String): Job = moa.act {
        when (contact(typed)) {
            is Contact.Number -> listed(group, typed, Reach.Contact(Channel.SMS, typed))
            is Contact.Email -> listed(group, typed, Reach.Contact(Channel.EMAIL, typed))
            null -> {
                val found = app.search(app.searchFromHere(SearchFor.SHOPS).copy(text = typed, area = null)).shops
                Screen.PickShops(group, listOf(FoundShops(typed, found.besides(group))))
            }
        }
    }

    fun pickContact(group: Group): Job = moa.afterPicking(shell::pickContact) { picked ->
        val channel = if (app.contact(picked.to) is Contact.Number) Channel.SMS else Channel.EMAIL
        listed(group, picked.name, Reach.Contact(channel, picked.to))
    }

    /** Someone who will be picked in the messenger: known by its name and a number, unless a name was typed. */
    fun addInMessenger(group: Group, channel: Channel, typed: String): Job = moa.act {
        val before = invitees.count { it.channel == channel && it.contact == null }
        listed(group, typed.ifBlank { "${moa.labels.name(channel)} ${before + 1}" }, Reach.Messenger(channel))
    }

    fun suggest(group: Group): Job = moa.act {
        val shown = mutableSetOf<String>()
        val found = app.suggestions().map { suggestion ->
            FoundShops(suggestion.title, app.search(suggestion.search).shops.besides(group).filter { shown.add(it.merchant) })
        }
        Screen.PickShops(group, found.filter { it.shops.isNotEmpty() })
    }

    fun add(pick: Screen.PickShops, shop: FoundShop): Job = moa.act {
        app.addInvitee(pick.group.id, shop.name, Reach.Shop(shop.merchant))
        null
    }

    fun takeOff(invitee: Invitee): Job = moa.act {
        app.removeInvitee(invitee.id)
        null
    }

    fun inviteListed(group: Group): Job = moa.act {
        app.inviteListed(group.id, DAYS)
        Screen.Sent(group)
    }

    fun inviteMany(group: Group): Job = moa.act { Screen.ShowInvitation(group, app.invite(group.id, MANY, DAYS_FOR_MANY).id) }

    /** How far the server has seen them get: asked when their screen opens. Without a network, what is known is shown. */
    fun showSent(group: Group): Job = moa.act {
        try {
            app.refreshInvitations()
        } catch (_: ApiException.Offline) {
            // The banner says so.
        }
        Screen.Sent(group)
    }

    /** Opens the app by which it leaves, or the system's sheet if that is not there, and tells the core which it was. */
    fun share(invitation: Invitation, channel: Channel): Job = moa.act {
        val invite = invitation.share ?: return@act null
        val to = invitees.find { it.invitation == invitation.id }?.contact
        val opened = listOf(channel, Channel.SHEET).firstOrNull { by ->
            val picked = to.takeIf { by == channel }
            shell.open(app.shareIntent(invite, by, picked)) { chosen -> moa.learn { app.invitationShared(invitation.id, chosen) } }
        }
        if (opened == null) return@act Problem(moa.labels.noAppOpened, moa.labels.noAppOpenedHint)
        app.invitationShared(invitation.id, opened)
        null
    }

    /** Those whom the server can reach, and who were sent nothing yet. */
    fun sendable(): List<Invitee> = invitees.filter { invitee ->
        val made = invitations.find { it.id == invitee.invitation }
        invitee.contact != null && made != null && made.isNew && !made.toSend
    }

    fun sendByMoa(): Job = moa.act {
        sendable().forEach { app.sendToInvitee(it.id) }
        null
    }

    fun takeBack(group: Group, invitation: Invitation): Job = moa.act {
        app.revokeInvitation(invitation.id)
        Screen.Sent(group)
    }

    fun qr(invite: Invite): Qr = app.invitationQr(invite)

    // Joining.

    fun accept(invitation: ReceivedInvitation, group: Group): Job = moa.act {
        app.acceptInvitation(invitation.id, group.termsVersion)
        Screen.Groups
    }

    fun decline(invitation: ReceivedInvitation): Job = moa.act {
        app.declineInvitation(invitation.id)
        Screen.Groups
    }

    fun join(group: Group): Job = moa.act {
        app.joinGroup(group.id, group.termsVersion)
        Screen.Groups
    }

    fun withdraw(group: String): Job = moa.act {
        app.withdrawRequest(group)
        Screen.Groups
    }

    fun answer(request: JoinRequest, admits: Boolean): Job = moa.act {
        app.answerJoin(request.group, request.shop.id, admits)
        null
    }

    // Finding.

    /** Everything that is near; without a network, an empty page to try again from. */
    fun beginSearch(): Job = moa.act {
        val query = Query(app.searchFromHere(SearchFor.GROUPS))
        try {
            searched(query)
        } catch (_: ApiException.Offline) {
            Screen.Find(query, emptyList(), more = false)
        }
    }

    fun search(query: Query): Job = moa.act { searched(query) }

    fun searchOn(find: Screen.Find): Job = moa.act {
        val page = app.search(find.query.search(offset = find.found.size.toUInt()))
        Screen.Find(find.query, find.found + page.groups, page.more)
    }

    private suspend fun searched(query: Query): Screen = app.search(query.search()).let { Screen.Find(query, it.groups, it.more) }

    fun showHistory(group: String): Job = moa.act { history(group) }

    /** A group's page, asked for if this phone does not know it. */
    fun show(group: String): Job = moa.act { page(group) }

    fun showShop(shop: String): Job = moa.act { Screen.ShopPage(app.lookUpShop(shop)) }

    fun trades() = app.industries()

    // The own shop.

    fun beginPresenting(): Job = moa.act {
        app.ownShop()?.let { own -> (own.amending ?: own.profile)?.let { Screen.OurShop(ShopForm(it)) } }
    }

    fun present(profile: ShopProfile): Job = moa.act {
        app.amendShop(profile)
        Screen.Groups
    }

    // For Moa.

    /** The screen that a link leads to. */
    internal suspend fun at(destination: Destination, text: String): Screen = when (destination) {
        is Destination.Group -> page(destination.id)
        is Destination.Shop -> Screen.ShopPage(app.lookUpShop(destination.id))
        is Destination.Wallet -> history(destination.group)
        is Destination.Invitation, is Destination.InvitationCode -> Screen.Received(app.openInvitation(text))
    }

    /** What waits for an answer, to be shown first once there is a shop that can give it. */
    internal fun firstReceived(): Screen? = app.receivedInvitations().firstOrNull { it.waits }?.let(Screen::Received)

    /** Learns anew what is shown: after a tap, and whenever the core has news. */
    internal suspend fun refresh(isShop: Boolean) {
        if (isShop) {
            val all = withContext(io) { Triple(app.ownGroups(), app.receivedInvitations(), app.joinRequests()) }
            own = all.first
            received = all.second.filter { it.waits }
            requests = all.third
        }
        val shown = moa.screen
        if (shown is OfGroup) {
            val (list, made) = withContext(io) { app.invitees(shown.group.id) to app.invitations() }
            invitees = list
            invitations = made.filter { it.group == shown.group.id }
        }
        val anew: () -> Screen? = when (shown) {
            is Screen.GroupPage -> ({ app.group(shown.group.id)?.let(Screen::GroupPage) })
            is Screen.Received -> ({ app.receivedInvitations().find { it.id == shown.invitation.id }?.let(Screen::Received) })
            is Screen.History -> ({ history(shown.group) })
            else -> return
        }
        moa.replace(shown, withContext(io) { anew() } ?: return)
    }

    /** Asks for a group's picture, once; without a network there is none. */
    internal suspend fun fetchCover(id: String) {
        if (id in covers) return
        val image = try {
            withContext(io) { shell.decode(app.picture(id)) } ?: return
        } catch (_: ApiException) {
            return
        }
        covers = covers + (id to image)
    }

    private suspend fun page(group: String): Screen = Screen.GroupPage(app.group(group) ?: app.lookUpGroup(group))

    private fun history(group: String) = Screen.History(group, app.balances().filter { it.group == group }, app.history(group))

    private fun listed(group: Group, name: String, reach: Reach): Screen {
        app.addInvitee(group.id, name.trim(), reach)
        return Screen.Invite(group)
    }

    /** What was typed as a contact; none if it is a name. */
    private fun contact(typed: String): Contact? = try {
        app.contact(typed)
    } catch (error: ApiException.Refused) {
        if (error.code != "contact_not_a_number" || typed.none { it.isLetter() }) throw error
        null
    }

    private fun List<FoundShop>.besides(group: Group) = filter { shop -> group.members.none { it.id == shop.merchant } }
}

/** Whether this phone's shop can still answer it. */
internal val ReceivedInvitation.waits
    get() = !toApp && answering == null && state in setOf(
        InvitationState.MINTED, InvitationState.SHARED, InvitationState.DELIVERED, InvitationState.OPENED, InvitationState.CLAIMED,
    )

/** Whether it has not left this phone yet. */
internal val Invitation.isNew get() = !revoking && state in setOf(InvitationState.DRAFT, InvitationState.MINTED)

/** Whether someone can still answer it. */
internal val Invitation.isOpen
    get() = !revoking && state !in setOf(
        InvitationState.JOINED, InvitationState.DECLINED, InvitationState.EXPIRED, InvitationState.REVOKED, InvitationState.EXHAUSTED,
    )
