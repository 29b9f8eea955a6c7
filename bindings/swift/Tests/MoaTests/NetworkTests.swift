import Foundation
import Moa
import XCTest

/// Phones whose network goes and comes, loses and halves answers, and is a hotspot's.
final class NetworkTests: StoryCase {
    private var cable: Cable!

    override var url: String { cable.url }

    override func setUpWithError() throws {
        try super.setUpWithError()
        cable = try Cable(server: server.url)
    }

    override func tearDownWithError() throws {
        XCTAssertEqual(try cable.stop(), 0)
        try super.tearDownWithError()
    }

    /// A shop with a group, the group, and a buyer, who reach the server by the cable.
    private func street() async throws -> (cafe: App, buyer: App, group: String) {
        let cafe = try await shop("Cafe", "010-0000-0001")
        let group = try cafe.foundGroup(founding: founding("Alley", 500))
        try await cafe.syncNow()
        let buyer = try await enrolled("buyer", "010-0000-0002")
        try await buyer.syncNow()
        return (cafe, buyer, group)
    }

    private func sellAndClaim(_ cafe: App, _ buyer: App, _ amount: Int64) throws {
        let voucher = try cafe.recordSale(amount: amount).code
        _ = try buyer.claim(voucher: voucher, choice: buyer.choices(voucher: voucher).first)
    }

    private func assertOffline(_ app: App, _ code: String, file: StaticString = #filePath, line: UInt = #line) async throws {
        let told = try await failure(of: { try await app.syncNow() }, file: file, line: line)
        guard case .Offline(code, let text) = told else { return XCTFail("\(told)", file: file, line: line) }
        XCTAssertEqual(text.contains("Wi-Fi"), code == "not_our_server", text, file: file, line: line)
    }

    /// A request on a connection that was cut may still fail as such: one a lane.
    private func notices(_ app: App, _ code: String) async throws {
        for _ in 0..<3 {
            if case .Offline(code, _) = try await failure(of: { try await app.syncNow() }) { return }
        }
        try await assertOffline(app, code)
    }

    func testSoldAndClaimedWhileTheNetworkIsCutCutAgainAndOnAgainEverythingArrivesOnce() async throws {
        let (cafe, buyer, group) = try await street()
        let watched = [States(), States()]
        let subscriptions = try zip([cafe, buyer], watched).map { app, states in try app.subscribe(observer: states) }
        try cable.cut()
        for states in watched { XCTAssertNotNil(states.first { $0.offline }) }
        try sellAndClaim(cafe, buyer, 20_000)
        try sellAndClaim(cafe, buyer, 30_000)
        for app in [cafe, buyer] { try await assertOffline(app, "no_connection") }
        for states in watched {
            XCTAssertNotNil(states.first { $0.waiting == 2 && $0.offlineCode == "no_connection" })
        }

        try cable.loseAnswers()
        for app in [cafe, buyer] { try await assertOffline(app, "no_connection") }
        try cable.cut()
        try sellAndClaim(cafe, buyer, 40_000)
        XCTAssertEqual(try cafe.state().offlineText, "No connection, 3 sales waiting to be sent")
        try cable.halveAnswers()
        for app in [cafe, buyer] { try await assertOffline(app, "no_connection") }
        XCTAssertEqual(try buyer.balances().map(\.pending), [4_500])
        XCTAssertEqual(try buyer.balances().map(\.confirmed), [0])

        try cable.delay(5)
        for app in [cafe, buyer, cafe, buyer] { try await app.syncNow() }
        for states in watched {
            XCTAssertNotNil(states.first { !$0.offline && $0.offlineText.isEmpty && $0.waiting == 0 })
        }
        XCTAssertEqual(try buyer.balances().map(\.pending), [0])
        XCTAssertEqual(try buyer.balances().map(\.confirmed), [4_500])
        XCTAssertEqual(try buyer.history(group: group).count, 3)
        XCTAssertEqual(try cafe.merchantToday().sales.compactMap(\.claimed?.units).sorted(), [1_000, 1_500, 2_000])
        for app in [cafe, buyer] { XCTAssertTrue(try app.outbox().isEmpty) }
        subscriptions.forEach { $0.cancel() }
    }

    func testEdge48ARedemptionWhoseAnswerIsLostIsBeingCheckedAndThenKnown() async throws {
        let (cafe, buyer, group) = try await street()
        try sellAndClaim(cafe, buyer, 40_000)
        try await buyer.syncNow()
        let code = try buyer.redemptionCode(group: group, most: 1_500).code
        let states = States()
        let subscription = try cafe.subscribe(observer: states)
        try cable.loseAnswers()
        guard case .beingChecked(let op) = try await cafe.redeem(code: code, units: 1_500) else { return XCTFail("known") }
        XCTAssertNotNil(states.first { $0.offline && $0.waiting == 1 })
        try cable.mend()
        XCTAssertNotNil(states.first { !$0.offline && $0.waiting == 0 })
        XCTAssertEqual(try cafe.fate(op: op), .applied)
        try await buyer.syncNow()
        XCTAssertEqual(try buyer.balances().map(\.confirmed), [500])
        subscription.cancel()
    }

    func testEdge49AHotspotThatAnswersInTheServersPlaceIsToldAsSuchAndNothingIsLost() async throws {
        let (cafe, buyer, _) = try await street()
        let states = States()
        let subscription = try cafe.subscribe(observer: states)
        for answers in [cable.leadToPortal, cable.leadToLogin] {
            try answers()
            try sellAndClaim(cafe, buyer, 20_000)
            try await notices(cafe, "not_our_server")
            XCTAssertNotNil(states.first {
                $0.offlineCode == "not_our_server" && $0.offlineText.hasPrefix("Check the Wi-Fi's sign-in, ")
            })
            let newcomer = try open("newcomer", language: "ko")
            let refused = try await failure { try await newcomer.beginEnrolment(phoneNumber: "010-0000-0009") }
            guard case .Offline("not_our_server", let text) = refused else { return XCTFail("\(refused)") }
            XCTAssertTrue(text.contains("와이파이 로그인"), text)
            newcomer.shutDown()
        }
        try cable.mend()
        for app in [cafe, buyer] { try await app.syncNow() }
        XCTAssertNotNil(states.first { $0.offlineCode.isEmpty && $0.waiting == 0 })
        XCTAssertEqual(try buyer.balances().map(\.confirmed), [2_000])
        XCTAssertEqual(try cafe.merchantToday().sales.count, 2)
        subscription.cancel()
    }

    func testEdge49HalfAnAnswerIsNoneAndIsAskedForAgain() async throws {
        let (cafe, buyer, _) = try await street()
        try cable.halveAnswers()
        try sellAndClaim(cafe, buyer, 20_000)
        for app in [cafe, buyer] { try await assertOffline(app, "no_connection") }
        XCTAssertEqual(try buyer.balances().map(\.confirmed), [0])
        XCTAssertEqual(try buyer.outbox().count, 1)
        try cable.mend()
        for app in [cafe, buyer] { try await app.syncNow() }
        XCTAssertEqual(try buyer.balances().map(\.confirmed), [1_000])
    }
}
