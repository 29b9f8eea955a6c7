import Foundation
import Moa

/// What the system and the other apps of this phone do for the screens: one small function each.
@MainActor
public protocol Shell {
    /// One contact, by the system's picker: never the whole address book. None if nobody was picked.
    func pickContact() async -> PickedContact?

    /// A picture, by the system's picker: a JPEG that the server takes.
    func pickPicture() async -> Data?

    /// Opens a URL, which leads to a messenger.
    func openUrl(_ url: String) async -> Opened

    /// The composer of text messages.
    func composeSms(to: String?, body: String, url: String) async -> Opened

    /// The composer of mails.
    func composeMail(to: String?, subject: String, body: String, url: String) async -> Opened

    /// KakaoTalk's sharing SDK.
    func shareInKakaoTalk(_ feed: Feed) async -> Opened

    /// The system's sheet of apps, until it is gone: by what it went on. None if nothing was picked.
    func showSheet(title: String, text: String) async -> Channel?

    /// The clipboard.
    func copy(_ text: String)
}

/// What became of another app that was to open.
public enum Opened: Equatable, Sendable {
    /// It opened; where the system tells more, the message went.
    case went
    /// It opened, and the person thought better of it.
    case left
    /// There is none.
    case notThere
}

/// Someone of the address book, with the one number or address that was picked.
public struct PickedContact: Equatable, Sendable {
    public let name: String
    public let to: String

    public init(name: String, to: String) {
        self.name = name
        self.to = to
    }
}

/// A card in KakaoTalk.
public struct Feed: Equatable, Sendable {
    public let title, description, button, link: String
    public let parameter: Parameter?
}

extension Shell {
    /// Does what the core says is to be done with an invitation.
    func open(_ intent: ShareIntent, by channel: Channel) async -> (Opened, by: Channel) {
        switch intent {
        case let .openUrl(url): return (await openUrl(url), channel)
        case let .sms(to, body, url): return (await composeSms(to: to, body: body, url: url), channel)
        case let .mail(to, subject, body, url): return (await composeMail(to: to, subject: subject, body: body, url: url), channel)
        case let .kakao(title, description, button, link, parameter):
            let feed = Feed(title: title, description: description, button: button, link: link, parameter: parameter)
            return (await shareInKakaoTalk(feed), channel)
        case let .sheet(title, text):
            guard let picked = await showSheet(title: title, text: text) else { return (.left, channel) }
            return (.went, picked)
        case let .copy(text): copy(text)
        case .nothing: break
        }
        return (.went, channel)
    }
}
