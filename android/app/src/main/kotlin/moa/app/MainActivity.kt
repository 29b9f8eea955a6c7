package moa.app

import android.content.Intent
import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.BackHandler
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.compose.foundation.isSystemInDarkTheme
import moa.ui.MoaApp

/** The one activity: it shows the screens, and takes every link that opens the app to the core's one reader. */
class MainActivity : ComponentActivity() {
    private val app get() = application as MoaApplication

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        enableEdgeToEdge()
        app.shell.attach(this)
        setContent {
            BackHandler(enabled = !app.moa.isHome) { app.moa.goHome() }
            MoaApp(app.moa, isSystemInDarkTheme(), app.shell::paste)
        }
        // One that comes back, from a turn of the phone or out of the list of recent apps, has followed its link before.
        val comesBack = savedInstanceState != null || intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0
        if (!comesBack && !follow(intent)) app.followReferrer()
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        follow(intent)
    }

    private fun follow(intent: Intent): Boolean {
        val link = intent.takeIf { it.action == Intent.ACTION_VIEW }?.dataString ?: return false
        app.moa.follow(link)
        return true
    }
}
