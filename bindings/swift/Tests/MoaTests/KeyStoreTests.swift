import Foundation
import Moa
import XCTest

#if canImport(CryptoKit)
import CryptoKit

/// A key store as an iPhone has one, with a key of CryptoKit's in place of one in the Secure Enclave.
final class TestKeyStore: KeyStore, @unchecked Sendable {
    private let signing = P256.Signing.PrivateKey()
    private let sealing = SymmetricKey(size: .bits256)
    private let state = Locking()

    var locked: Bool {
        get { state.value }
        set { state.value = newValue }
    }

    func publicKey() throws -> Data { signing.publicKey.x963Representation }

    func signDigest(digest: Data) throws -> Data {
        try usable()
        return try signing.signature(for: Given(bytes: [UInt8](digest))).rawRepresentation
    }

    func seal(plain: Data) throws -> Data {
        try usable()
        return try AES.GCM.seal(plain, using: sealing).combined!
    }

    func unseal(sealed: Data) throws -> Data {
        try usable()
        do {
            return try AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: sealing)
        } catch {
            throw KeyStoreError.Gone(detail: "\(error)")
        }
    }

    private func usable() throws {
        if locked { throw KeyStoreError.Locked(detail: "no face") }
    }
}

/// A digest that was made elsewhere.
struct Given: Digest {
    static let byteCount = 32
    let bytes: [UInt8]

    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R { try bytes.withUnsafeBytes(body) }
    func makeIterator() -> Array<UInt8>.Iterator { bytes.makeIterator() }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
    static func == (one: Given, other: Given) -> Bool { one.bytes == other.bytes }
    var description: String { "\(bytes.count) bytes" }
}
#else

/// Where there is no CryptoKit nobody signs: a double that has a public key, and says what a locked key store says.
final class TestKeyStore: KeyStore, @unchecked Sendable {
    private let state = Locking()

    var locked: Bool {
        get { state.value }
        set { state.value = newValue }
    }

    func publicKey() throws -> Data { Data([4] + [UInt8](repeating: 7, count: 64)) }

    func signDigest(digest: Data) throws -> Data {
        if locked { throw KeyStoreError.Locked(detail: "no face") }
        return Data(digest.reversed())
    }

    func seal(plain: Data) throws -> Data { Data(plain.reversed().map { $0 ^ 0x55 }) }

    func unseal(sealed: Data) throws -> Data { Data(sealed.reversed().map { $0 ^ 0x55 }) }
}
#endif

/// A value that threads share.
final class Locking: @unchecked Sendable {
    private let lock = NSLock()
    private var locked = false

    var value: Bool {
        get { lock.withLock { locked } }
        set { lock.withLock { locked = newValue } }
    }
}

/// What lies on the phone: its keys, what waits, and what a broken storage leaves.
final class KeyStoreTests: StoryCase {
    func open(_ name: String, _ keys: KeyStore?) throws -> App {
        let data = folder.appendingPathComponent(name).path
        return try App.open(config: AppConfig(dataDir: data, serverUrl: server.url, language: "en"), keyStore: keys)
    }

    func testAKeyStoresErrorsComeAsTheyAre() async throws {
        let keys = TestKeyStore()
        let app = try open("shop", keys)
        let code = "010-7000-0001"
        _ = try await app.beginEnrolment(phoneNumber: code)
        keys.locked = true
        let digits = try await server.code(code)
        let locked = try await failure { try await app.confirmEnrolment(code: digits) }
        guard case .Locked(let text, let detail) = locked else { return XCTFail("\(locked)") }
        XCTAssertEqual(text, "The phone is locked, so nothing was recorded. Unlock it and try again.")
        XCTAssertEqual(detail, "no face")
        keys.locked = false
        #if canImport(CryptoKit)
        _ = try await app.confirmEnrolment(code: digits)
        _ = try app.registerMerchant(name: "Corner Cafe", place: nil)
        for amount in 1...20 { _ = try app.recordSale(amount: Int64(amount)) }
        _ = try app.recordSaleToNumber(amount: 1_000, number: "010-7000-0002")
        try await app.syncNow()
        XCTAssertTrue(try app.outbox().isEmpty)
        #else
        // What is no signature by the key is noticed before it is sent.
        let unsigned = try await failure { try await app.confirmEnrolment(code: digits) }
        guard case .Key(_, let why) = unsigned else { return XCTFail("\(unsigned)") }
        XCTAssertTrue(why.contains("no signature by this key"), why)
        #endif
    }

    func testSigningOutSaysWhatWouldBeLostAndTheNextPersonFindsNothing() async throws {
        let shop = try await shop("shop", "010-7000-0001")
        XCTAssertEqual(try shop.unsent().text, "")
        XCTAssertTrue(try shop.state().asOfText.hasPrefix("Up to date at "))
        shop.setForeground(foreground: false)
        let away = try open("away", url: "http://127.0.0.1:9")
        XCTAssertEqual(try away.state().asOfText, "", "it has never heard a server")
        _ = try shop.recordSale(amount: 1_000)
        let waiting = try shop.unsent()
        do {
            try shop.signOut(lose: false)
            XCTAssertEqual(waiting.ops, 0, "the sale was sent meanwhile")
        } catch ApiError.Unsent(let text, let ops, let sales, _) {
            XCTAssertEqual([ops, sales], [1, 1])
            XCTAssertTrue(text.contains("1 sale"), text)
            try shop.signOut(lose: true)
        }
        XCTAssertThrowsError(try shop.state()) { error in
            guard case ApiError.Closed = error else { return XCTFail("\(error)") }
        }
        let next = try open("shop", nil)
        XCTAssertFalse(try next.signedIn())
        XCTAssertTrue(try next.outbox().isEmpty)
    }

    func testABrokenStorageIsToldUntilItWasRead() async throws {
        var app: App? = try await shop("shop", "010-7000-0001")
        try app?.signOut(lose: true)
        app = nil
        let database = folder.appendingPathComponent("shop/phone.db")
        try Data(repeating: 0x3c, count: 9_000).write(to: database)
        let again = try open("shop", nil)
        XCTAssertEqual(
            try again.state().setAsideText,
            "This phone's storage was damaged and made anew. Not all could be read: check what you recorded last."
        )
        try again.setAsideRead()
        XCTAssertEqual(try again.state().setAsideText, "")
    }
}
