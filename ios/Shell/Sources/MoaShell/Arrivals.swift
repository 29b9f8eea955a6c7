import Foundation

/// A link that opened the app, kept until somebody can follow it.
@MainActor
public final class Arrivals {
    private var arrived: String?
    private let follow: (String) -> Void

    /// Whether somebody is signed in and has said who uses this phone, and nothing else is at work.
    public var ready = false {
        didSet { pass() }
    }

    /// - Parameter follow: takes a link as it came, to the core's `readCode` and from there to its screen.
    public init(follow: @escaping (String) -> Void) {
        self.follow = follow
    }

    /// The newest counts.
    public func take(_ url: URL) {
        arrived = url.absoluteString
        pass()
    }

    private func pass() {
        guard ready, let link = arrived else { return }
        arrived = nil
        follow(link)
    }
}
