package moa.app

import android.app.Application
import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import android.provider.Settings
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.launch
import moa.ui.Moa
import moa.ui.Role
import moa.ui.RoleMemory
import uniffi.moa.ApiException
import uniffi.moa.App
import uniffi.moa.AppConfig
import uniffi.moa.Scan

/** What outlives an activity: the core, what the screens show, and what this phone's other apps do for them. */
class MoaApplication : Application() {
    private val scope = MainScope()
    private val remembered by lazy { getSharedPreferences("moa", Context.MODE_PRIVATE) }

    val shell by lazy { AndroidShell(this) }

    val core: App by lazy {
        val config = AppConfig(
            dataDir = noBackupFilesDir.resolve("moa").path,
            serverUrl = checkNotNull(packageManager.getApplicationInfo(packageName, PackageManager.GET_META_DATA).metaData.getString("moa.server")),
            language = resources.configuration.locales.toLanguageTags(),
            deviceName = (Settings.Global.getString(contentResolver, Settings.Global.DEVICE_NAME) ?: Build.MODEL).take(NAME_LENGTH),
        )
        App.open(config, AndroidKeyStore("moa"))
    }

    val moa: Moa by lazy { Moa(core, scope, RolePreference(), shell) }

    /**
     * Follows the link through which the app was installed: once, at its first start. Google Play has something to tell of every
     * installation; nothing is shown of what is no link of ours.
     */
    fun followReferrer() = scope.launch {
        if (remembered.getBoolean(REFERRER_READ, false)) return@launch
        val referrer = installReferrer(this@MoaApplication) ?: return@launch
        remembered.edit().putBoolean(REFERRER_READ, true).apply()
        if (leads(referrer)) moa.follow(referrer)
    }

    private fun leads(referrer: String) = try {
        core.readCode(referrer) is Scan.Link
    } catch (_: ApiException) {
        false
    }

    private inner class RolePreference : RoleMemory {
        override var role: Role?
            get() = remembered.getString(ROLE, null).let { word -> Role.entries.find { it.name == word } }
            set(role) = remembered.edit().putString(ROLE, role?.name).apply()
    }

    private companion object {
        const val ROLE = "role"
        const val REFERRER_READ = "referrer read"

        /** The longest name of a device that the core takes. */
        const val NAME_LENGTH = 60
    }
}
