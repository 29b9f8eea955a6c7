#if canImport(UIKit)
import SwiftUI

extension View {
    /// On the app's first view: universal links, `moa://…` and what KakaoTalk opens.
    public func links(to arrivals: Arrivals) -> some View {
        onOpenURL { arrivals.take($0) }
            .onContinueUserActivity(NSUserActivityTypeBrowsingWeb) { activity in
                if let url = activity.webpageURL { arrivals.take(url) }
            }
    }
}
#endif
