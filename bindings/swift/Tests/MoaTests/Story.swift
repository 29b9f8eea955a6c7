import Foundation
import Moa
import XCTest

/// A server, a folder and the phones of one test.
class StoryCase: XCTestCase {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("moa-\(UUID().uuidString)")
    var server: Server!

    /// Where phones find the server.
    var url: String { server.url }

    /// Whether the server's clock stands until the test moves it.
    var testClock: Bool { false }

    override func setUpWithError() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        server = try Server(data: folder.appendingPathComponent("server"), testClock: testClock)
    }

    override func tearDownWithError() throws {
        XCTAssertEqual(server.stop(), 0)
        try FileManager.default.removeItem(at: folder)
    }

    func open(_ name: String, url: String? = nil, language: String = "en") throws -> App {
        let data = folder.appendingPathComponent(name).path
        return try App.open(config: AppConfig(dataDir: data, serverUrl: url ?? self.url, language: language))
    }

    func enrolled(_ name: String, _ phone: String) async throws -> App {
        let app = try open(name)
        _ = try await app.beginEnrolment(phoneNumber: phone)
        let signedUp = try await app.confirmEnrolment(code: server.code(phone))
        XCTAssertEqual(signedUp.account.count, 32)
        XCTAssertEqual(signedUp.recoveryCode?.count, 11)
        let devices = try await app.devices()
        XCTAssertEqual(devices.map(\.thisPhone), [true])
        XCTAssertTrue(try app.signedIn())
        return app
    }

    func shop(_ name: String, _ phone: String) async throws -> App {
        let app = try await enrolled(name, phone)
        _ = try app.registerMerchant(name: name, place: nil)
        try await app.syncNow()
        XCTAssertEqual(try app.ownShop()?.confirmed, true)
        return app
    }

    func founding(_ name: String, _ rate: UInt16) -> Founding {
        let terms = Terms(gives: .points(rateBp: rate), validity: .months(count: 6), minimum: 1_000, basis: .onIssue)
        return Founding(name: name, scope: .building, terms: terms)
    }

    /// The error that a call fails with.
    func failure(
        of call: () async throws -> some Any, file: StaticString = #filePath, line: UInt = #line
    ) async throws -> ApiError {
        do {
            _ = try await call()
        } catch let error as ApiError {
            return error
        }
        XCTFail("nothing was refused", file: file, line: line)
        throw Failed("nothing was refused")
    }
}

/// Keeps what it is told.
final class States: Observer, @unchecked Sendable {
    private let lock = NSLock()
    private let told = DispatchSemaphore(value: 0)
    private var states: [AppState] = []
    private let gone: DispatchSemaphore?

    /// - Parameter gone: signalled when nobody knows this observer any more.
    init(gone: DispatchSemaphore? = nil) { self.gone = gone }

    deinit { gone?.signal() }

    func changed(state: AppState) {
        lock.withLock { states.append(state) }
        told.signal()
    }

    /// The oldest that was not yet taken.
    func next() -> AppState? {
        guard told.wait(timeout: .now() + 20) == .success else { return nil }
        return lock.withLock { states.removeFirst() }
    }

    /// The first from here on for which it holds.
    func first(where holds: (AppState) -> Bool) -> AppState? {
        while let state = next() {
            if holds(state) { return state }
        }
        return nil
    }

    /// How many were not yet taken.
    var count: Int { lock.withLock { states.count } }
}
