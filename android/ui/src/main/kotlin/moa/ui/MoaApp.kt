package moa.ui

import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign

/** The whole app. [paste] gives what is on the clipboard, if that is text. */
@Composable
fun MoaApp(moa: Moa, inTheDark: Boolean, paste: suspend () -> String?, modifier: Modifier = Modifier) = MoaTheme(inTheDark) {
    Surface(modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background) {
        // Clear of the camera's notch, the system's bars and the keyboard.
        Column(Modifier.fillMaxSize().safeDrawingPadding()) {
            if (moa.state.offlineText.isNotEmpty()) Banner(moa.state.offlineText)
            Working(moa.busy)
            val problem = moa.problem
            when {
                problem != null -> ProblemScreen(moa, problem)
                moa.mismatch -> MismatchScreen(moa)
                else -> Current(moa, paste)
            }
        }
    }
}

@Composable
private fun Current(moa: Moa, paste: suspend () -> String?) = when (val screen = moa.screen) {
    Screen.Number -> NumberScreen(moa)
    Screen.Digits -> DigitsScreen(moa)
    Screen.ChooseRole -> RoleScreen(moa)
    Screen.OpenShop -> OpenShopScreen(moa)
    Screen.Till -> TillScreen(moa)
    Screen.Day -> DayScreen(moa)
    is Screen.ShowVoucher -> VoucherScreen(moa, screen.voucher)
    Screen.ReadCode -> ReadCodeScreen(moa, paste)
    is Screen.ForWhat -> ForWhatScreen(moa, screen)
    is Screen.Take -> TakeScreen(moa, screen)
    is Screen.SellTo -> SellToScreen(moa, screen)
    is Screen.Sold -> SoldScreen(moa, screen)
    is Screen.Taken -> TakenScreen(moa, screen)
    Screen.Wallet -> WalletScreen(moa, paste)
    is Screen.Choose -> ChooseScreen(moa, screen)
    is Screen.ChooseFor -> ChooseForScreen(moa, screen)
    is Screen.ShowMember -> ShowMemberScreen(moa, screen)
    is Screen.ShowDigits -> ShowDigitsScreen(moa, screen)
    is Screen.WithoutAsking -> WithoutAskingScreen(moa, screen)
    is Screen.Plans -> PlansScreen(moa, screen)
    is Screen.NewPlan -> NewPlanScreen(moa, screen)
    is Screen.ShowCode -> ShowCodeScreen(moa, screen)
    is Screen.History -> HistoryScreen(moa, screen)
    Screen.Groups -> GroupsScreen(moa)
    Screen.EnterInvitation -> EnterInvitationScreen(moa, paste)
    is Screen.Found -> FoundScreen(moa, screen)
    is Screen.GroupPage -> GroupScreen(moa, screen.group)
    is Screen.Invite -> InviteScreen(moa, screen.group)
    is Screen.PickShops -> PickShopsScreen(moa, screen)
    is Screen.Sent -> SentScreen(moa, screen.group)
    is Screen.ShowInvitation -> ShowInvitationScreen(moa, screen)
    is Screen.Received -> ReceivedScreen(moa, screen.invitation)
    Screen.Requests -> RequestsScreen(moa)
    is Screen.Find -> FindScreen(moa, screen)
    is Screen.PickTrade -> PickTradeScreen(moa, screen)
    is Screen.OurShop -> OurShopScreen(moa, screen.form)
    is Screen.ShopPage -> ShopScreen(moa, screen.page)
}

/** What could not be done, and what the core says of it. */
@Composable
private fun ProblemScreen(moa: Moa, problem: Problem) =
    Page(middle = true, bottom = { BigButton(moa.labels.ok) { moa.dismiss() } }) { Trouble(problem.title, problem.text) }

/** What came from the server does not match what it signed. A sale need not wait for that. */
@Composable
private fun MismatchScreen(moa: Moa) = Page(
    middle = true,
    bottom = {
        BigButton(moa.labels.startOver, enabled = !moa.busy) { moa.startOver() }
        SecondButton(moa.labels.later) { moa.startOverLater() }
    },
) { Trouble(moa.labels.mismatch, moa.state.integrityText) }

@Composable
private fun Trouble(title: String, text: String) {
    Words(
        title,
        Modifier.semantics { heading() },
        color = MaterialTheme.colorScheme.error,
        style = MaterialTheme.typography.displaySmall,
        align = TextAlign.Center,
    )
    Words(
        text,
        Modifier.semantics { liveRegion = LiveRegionMode.Assertive },
        style = MaterialTheme.typography.headlineSmall,
        align = TextAlign.Center,
    )
}
