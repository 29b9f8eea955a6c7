package moa.app

import android.content.Context
import android.os.RemoteException
import com.android.installreferrer.api.InstallReferrerClient
import com.android.installreferrer.api.InstallReferrerClient.InstallReferrerResponse
import com.android.installreferrer.api.InstallReferrerStateListener
import kotlin.coroutines.resume
import kotlinx.coroutines.suspendCancellableCoroutine

/** What Google Play was given as `referrer=` by the link through which the app was installed; none where Play is not, or does not say. */
internal suspend fun installReferrer(context: Context): String? = suspendCancellableCoroutine { asked ->
    val play = InstallReferrerClient.newBuilder(context).build()
    fun answer(referrer: String?) {
        play.endConnection()
        if (asked.isActive) asked.resume(referrer)
    }
    play.startConnection(object : InstallReferrerStateListener {
        override fun onInstallReferrerSetupFinished(response: Int) = answer(
            try {
                if (response == InstallReferrerResponse.OK) play.installReferrer.installReferrer else null
            } catch (_: RemoteException) {
                null
            },
        )

        override fun onInstallReferrerServiceDisconnected() = answer(null)
    })
}
