import Foundation
import Moa
import XCTest

@testable import MoaShell

/// A phone on which everything opens, but what is missing; and on which the person may think better of it.
@MainActor
private final class Phone: Shell {
    var opened: [String] = []
    var missing: Set<String> = []
    var answers = Opened.went
    var picked: Channel?

    private func opens(_ what: String) -> Opened {
        if missing.contains(what) { return .notThere }
        opened.append(what)
        return answers
    }

    func pickContact() async -> PickedContact? { nil }
    func pickPicture() async -> Data? { nil }
    func openUrl(_ url: String) async -> Opened { opens(url) }
    func composeSms(to: String?, body: String, url: String) async -> Opened { opens("sms \(to ?? "") \(body)") }
    func composeMail(to: String?, subject: String, body: String, url: String) async -> Opened { opens("mail \(to ?? "") \(subject) \(body)") }
    func shareInKakaoTalk(_ feed: Feed) async -> Opened { opens("kakao \(feed.title) \(feed.link) \(feed.parameter?.value ?? "")") }

    func showSheet(title: String, text: String) async -> Channel? {
        opened.append("sheet \(title) \(text)")
        return picked
    }

    func copy(_ text: String) { opened.append("copied \(text)") }
}

/// A core that knows one invitation.
private final class Core: Invitations {
    var shared: [Channel] = []

    func shareIntent(invite: Invite, channel: Channel, to: String?, from: String?) throws -> ShareIntent {
        switch channel {
        case .sms: .sms(to: to, body: "join", url: "sms:")
        case .email: .mail(to: to, subject: "Alley", body: "join", url: "mailto:")
        case .kakaoTalk: .kakao(title: "Alley", description: "", button: "", link: "L", parameter: Parameter(name: "moa", value: "i/1"))
        case .sheet: .sheet(title: "Alley", text: "join")
        case .copy: .copy(text: "7K3M-9QXW")
        case .inApp: .nothing
        default: .openUrl(url: "url")
        }
    }

    func invitationShared(invitation: String, by channel: Channel) throws { shared.append(channel) }
}

/// Each test is `async`: XCTest on Linux knows no other that runs on the main thread.
final class ShellTests: XCTestCase {
    private let core = Core()

    @MainActor
    private func share(_ channel: Channel, on phone: Phone, to: String? = nil) async throws -> Opened {
        let invite = Invite.app(group: nil, token: "", code: nil, expiresAt: nil)
        return try await Inviting(core: core, shell: phone).share("1", invite, by: channel, to: to)
    }

    @MainActor
    func testEachWayOpensItsAppAndTheCoreIsTold() async throws {
        let phone = Phone()
        phone.picked = .sheet
        let ways: [Channel] = [.sms, .email, .kakaoTalk, .line, .sheet, .copy, .inApp]
        for way in ways {
            let opened = try await share(way, on: phone, to: "+821000000002")
            XCTAssertEqual(opened, .went)
        }
        XCTAssertEqual(core.shared, ways)
        XCTAssertEqual(
            phone.opened,
            ["sms +821000000002 join", "mail +821000000002 Alley join", "kakao Alley L i/1", "url", "sheet Alley join", "copied 7K3M-9QXW"])
    }

    @MainActor
    func testWhatIsNotThereGivesWayToTheSheet() async throws {
        let phone = Phone()
        phone.missing = ["url"]
        phone.picked = .telegram
        let opened = try await share(.messenger, on: phone)
        XCTAssertEqual(opened, .went)
        XCTAssertEqual(phone.opened, ["sheet Alley join"])
        XCTAssertEqual(core.shared, [.telegram], "what was picked there")
    }

    @MainActor
    func testWhoThinksBetterOfItHasSentNothing() async throws {
        let phone = Phone()
        phone.answers = .left
        for way in [Channel.sms, .sheet] {
            let opened = try await share(way, on: phone)
            XCTAssertEqual(opened, .left)
        }
        XCTAssertEqual(phone.opened, ["sms  join", "sheet Alley join"], "no sheet after a composer that was left")
        XCTAssertEqual(core.shared, [])
    }

    func testActivitiesAreKnownByTheirTypes() {
        let known: [String: Channel] = [
            "com.apple.UIKit.activity.Message": .sms, "com.apple.UIKit.activity.Mail": .email,
            "com.apple.UIKit.activity.CopyToPasteboard": .copy, "com.iwilab.KakaoTalk.Share": .kakaoTalk,
            "jp.naver.line.Share": .line, "com.example.notes": .sheet,
        ]
        for (type, channel) in known { XCTAssertEqual(MoaShell.channel(ofActivity: type), channel, type) }
    }

    @MainActor
    func testALinkWaitsUntilItCanBeFollowedAndIsFollowedOnce() async throws {
        var followed: [String] = []
        let arrivals = Arrivals { followed.append($0) }
        arrivals.take(try XCTUnwrap(URL(string: "moa://g/1")))
        arrivals.take(try XCTUnwrap(URL(string: "moa://g/2")))
        XCTAssertEqual(followed, [])
        arrivals.ready = true
        arrivals.ready = false
        arrivals.ready = true
        arrivals.take(try XCTUnwrap(URL(string: "https://moa.example/i/3?x=1")))
        XCTAssertEqual(followed, ["moa://g/2", "https://moa.example/i/3?x=1"])
    }

    /// As a URL of the system's carries it, to the core and back.
    @MainActor
    func testTheCoreReadsEveryLinkThatOpensTheApp() async throws {
        let data = FileManager.default.temporaryDirectory.appendingPathComponent("moa-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: data) }
        let app = try App.open(config: AppConfig(dataDir: data.path, serverUrl: "https://moa.example", language: "en"))
        let group = String(repeating: "a5", count: 16)
        var read: [Scan] = []
        var refused: [String] = []
        let arrivals = Arrivals { link in
            do {
                read.append(try app.readCode(text: link))
            } catch {
                refused.append("\(error)")
            }
        }
        arrivals.ready = true
        let links = ["https://moa.example/g/\(group)", "HTTPS://MOA.EXAMPLE/G/\(group.uppercased())", "moa://g/\(group)", "kakao0000://kakaolink?moa=g%2F\(group)"]
        for link in links { arrivals.take(try XCTUnwrap(URL(string: link))) }
        XCTAssertEqual(read, links.map { _ in .link(destination: .group(id: group)) })
        for garbage in ["moa://x/1", "https://other.example/"] { arrivals.take(try XCTUnwrap(URL(string: garbage))) }
        XCTAssertEqual(refused.count, 2)
        app.shutDown()
    }
}
