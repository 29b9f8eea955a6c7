package moa.ui

import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.autofill.ContentType
import androidx.compose.ui.semantics.Role as SemanticRole
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.unit.dp

@Composable
internal fun NumberScreen(moa: Moa) = Page(
    bottom = { BigButton(moa.labels.sendCode, enabled = moa.typed.isNotBlank() && !moa.busy) { moa.sendCode() } },
) {
    Spacer(Modifier.height(48.dp))
    Words(
        moa.labels.appName,
        color = MaterialTheme.colorScheme.primary,
        style = MaterialTheme.typography.displayMedium,
    )
    Title(moa.labels.signInTitle)
    OnlyField(moa.typed, moa.labels.phoneNumber, true, KeyboardType.Phone, ContentType.PhoneNumber, { moa.sendCode() }) { moa.typed = it }
}

@Composable
internal fun DigitsScreen(moa: Moa) = Page(
    bottom = {
        BigButton(moa.labels.signIn, enabled = moa.typed.isNotBlank() && !moa.busy) { moa.signIn() }
        SecondButton(moa.labels.otherNumber) { moa.go(Screen.Number) }
    },
) {
    Spacer(Modifier.height(48.dp))
    Title(moa.labels.sixDigits)
    OnlyField(moa.typed, moa.labels.sixDigits, false, KeyboardType.NumberPassword, ContentType.SmsOtpCode, { moa.signIn() }) { moa.typed = it }
}

@Composable
internal fun RoleScreen(moa: Moa) = Page {
    Spacer(Modifier.height(48.dp))
    Title(moa.labels.roleTitle)
    RoleCard(moa.labels.roleShop, moa.labels.roleShopHint) { moa.choose(Role.SHOP) }
    RoleCard(moa.labels.roleBuyer, moa.labels.roleBuyerHint) { moa.choose(Role.BUYER) }
}

@Composable
private fun RoleCard(title: String, hint: String, onClick: () -> Unit) = Surface(
    onClick,
    Modifier.fillMaxWidth().heightIn(min = 128.dp).semantics { role = SemanticRole.Button },
    shape = RoundedCornerShape(24.dp),
    color = MaterialTheme.colorScheme.primaryContainer,
    contentColor = MaterialTheme.colorScheme.onPrimaryContainer,
) {
    Column(Modifier.padding(24.dp)) {
        Words(title, style = MaterialTheme.typography.headlineMedium)
        Spacer(Modifier.height(8.dp))
        Words(hint, style = MaterialTheme.typography.bodyLarge)
    }
}

@Composable
internal fun OpenShopScreen(moa: Moa) = Page(
    bottom = {
        BigButton(moa.labels.openShop, enabled = moa.typed.isNotBlank() && !moa.busy) { moa.openShop() }
        SecondButton(moa.labels.back) { moa.go(Screen.ChooseRole) }
    },
) {
    Spacer(Modifier.height(48.dp))
    Title(moa.labels.shopName)
    OnlyField(moa.typed, moa.labels.shopName, nameShown = false, onDone = { moa.openShop() }) { moa.typed = it }
}
