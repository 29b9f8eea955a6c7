import Moa

/// What inviting asks of the core.
public protocol Invitations {
    func shareIntent(invite: Invite, channel: Channel, to: String?, from: String?) throws -> ShareIntent
    func invitationShared(invitation: String, by: Channel) throws
}

extension App: Invitations {}

/// Sends invitations by other apps.
@MainActor
public struct Inviting {
    private let core: any Invitations
    private let shell: any Shell

    public init(core: any Invitations, shell: any Shell) {
        self.core = core
        self.shell = shell
    }

    /// Opens the app by which it leaves, or the system's sheet if that is not there, and tells the core by which it went.
    public func share(_ invitation: String, _ invite: Invite, by channel: Channel, to: String? = nil) async throws -> Opened {
        for way in channel == .sheet ? [.sheet] : [channel, .sheet] {
            let intent = try core.shareIntent(invite: invite, channel: way, to: way == channel ? to : nil, from: nil)
            let (opened, went) = await shell.open(intent, by: way)
            if opened == .notThere { continue }
            if opened == .went { try core.invitationShared(invitation: invitation, by: went) }
            return opened
        }
        return .notThere
    }
}

/// The channel of what was picked in the system's sheet, by its activity's type.
func channel(ofActivity type: String) -> Channel {
    switch type {
    case "com.apple.UIKit.activity.Message": .sms
    case "com.apple.UIKit.activity.Mail": .email
    case "com.apple.UIKit.activity.CopyToPasteboard": .copy
    case _ where type.hasPrefix("com.iwilab.KakaoTalk"): .kakaoTalk
    case _ where type.hasPrefix("jp.naver.line"): .line
    case _ where type.hasPrefix("ph.telegra.Telegraph"): .telegram
    case _ where type.hasPrefix("net.whatsapp.WhatsApp"): .whatsApp
    case _ where type.hasPrefix("com.facebook.Messenger"): .messenger
    default: .sheet
    }
}
