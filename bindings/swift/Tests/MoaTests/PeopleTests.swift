import Foundation
import Moa
import XCTest

/// Clerks, second phones, and paying where one side has no signal, or neither.
final class PeopleTests: StoryCase {
    private var cable: Cable!
    private var accounts: [String: String] = [:]
    /// How often each number was told a code.
    private var numbers: [String: Int] = [:]

    override func setUpWithError() throws {
        try super.setUpWithError()
        cable = try Cable(server: server.url)
    }

    override func tearDownWithError() throws {
        XCTAssertEqual(try cable.stop(), 0)
        try super.tearDownWithError()
    }

    /// A phone that reaches the server by the cable, or another of a number that has one.
    private func phone(_ name: String, _ number: String, by url: String? = nil) async throws -> App {
        let app = try open(name, url: url)
        _ = try await app.beginEnrolment(phoneNumber: number)
        numbers[number, default: 0] += 1
        let code = try await server.code(number, messages: numbers[number]!)
        accounts[name] = try await app.confirmEnrolment(code: code).account
        try await app.syncNow()
        return app
    }

    /// A shop whose till is behind the cable, and its group.
    private func alley() async throws -> (cafe: App, shop: String, group: String) {
        let cafe = try await phone("Cafe", "010-0000-0001", by: cable.url)
        _ = try cafe.registerMerchant(name: "Cafe", place: nil)
        try await cafe.syncNow()
        let terms = Terms(gives: .points(rateBp: 1_000), validity: .months(count: 6), minimum: 100, basis: .onIssue)
        let group = try cafe.foundGroup(founding: Founding(name: "Alley", scope: .building, terms: terms))
        try await cafe.syncNow()
        return (cafe, try XCTUnwrap(cafe.ownShop()).id, group)
    }

    private func buyer(of cafe: App, paid amount: Int64) async throws -> App {
        let buyer = try await phone("buyer", "010-0000-0002")
        let voucher = try cafe.recordSale(amount: amount).code
        _ = try buyer.claim(voucher: voucher, choice: buyer.choices(voucher: voucher).first)
        for app in [buyer, cafe] { try await app.syncNow() }
        return buyer
    }

    private func balance(_ app: App) throws -> Int64 { try XCTUnwrap(app.balances().first).confirmed }

    private func refused(
        file: StaticString = #filePath, line: UInt = #line, _ call: () async throws -> some Any
    ) async throws -> (code: String, text: String) {
        let error = try await failure(of: call, file: file, line: line)
        guard case .Refused(let code, let text, _, _) = error else { throw Failed("\(error)") }
        return (code, text)
    }

    func testAnOwnerInvitesAClerkWhoSellsWithinTheLimitsWithoutANetworkAndIsRemoved() async throws {
        let (cafe, shop, _) = try await alley()
        let clerk = try await phone("clerk", "010-0000-0003", by: cable.url)
        XCTAssertNil(try clerk.tillState())
        let limits = StaffLimits(perSale: 30_000, perDay: 50_000)
        let invitation = try cafe.staffInvitation(limits: limits).code
        guard case .invitation(let scanned) = try clerk.readCode(text: invitation) else { return XCTFail("no invitation") }
        XCTAssertEqual(scanned.limits, limits)
        _ = try clerk.joinStaff(invitation: invitation)
        try await clerk.syncNow()
        XCTAssertEqual(try clerk.ownShop()?.id, shop)

        try cable.cut()
        let states = States()
        let subscription = try clerk.subscribe(observer: states)
        var told = try await refused { try clerk.recordSale(amount: 30_001) }
        XCTAssertEqual(told.code, "over_sale_limit")
        _ = try clerk.recordSale(amount: 30_000)
        told = try await refused { try clerk.recordSale(amount: 20_001) }
        XCTAssertEqual(told.code, "over_day_limit")
        XCTAssertTrue(told.text.contains("50,000"), told.text)
        XCTAssertEqual(states.first { $0.till?.unconfirmed == 1 }?.till?.limits, limits)
        subscription.cancel()

        try cable.mend()
        try await clerk.syncNow()
        XCTAssertEqual(try clerk.tillState()?.unconfirmed, 0)
        told = try await refused { try clerk.staffInvitation(limits: limits) }
        XCTAssertEqual(told.code, "not_allowed")
        _ = try cafe.removeStaff(account: accounts["clerk"])
        try await cafe.syncNow()
        try await clerk.syncNow()
        XCTAssertNil(try clerk.ownShop())
        told = try await refused { try clerk.recordSale(amount: 1_000) }
        XCTAssertEqual(told.code, "no_merchant")
        XCTAssertEqual(try cafe.merchantToday().sales.map(\.amount), [30_000])

        // Invited again, the same phone goes on where it left.
        _ = try clerk.joinStaff(invitation: cafe.staffInvitation(limits: limits).code)
        try await clerk.syncNow()
        XCTAssertEqual(try clerk.ownShop()?.id, shop)
        told = try await refused { try clerk.recordSale(amount: 20_001) }
        XCTAssertEqual(told.code, "over_day_limit")
    }

    func testASecondPhoneWaits48HoursUnlessTheFirstAdmitsItAndIsListedAndRevoked() async throws {
        let (cafe, shop, group) = try await alley()
        let first = try await buyer(of: cafe, paid: 50_000)
        let second = try await phone("second", "010-0000-0002")
        XCTAssertEqual(try balance(second), 5_000)
        var told = try await refused { try await second.pay(merchant: shop, group: group, units: 1_000) }
        XCTAssertEqual(told.code, "device_too_new")
        XCTAssertTrue(told.text.contains("48"), told.text)
        let listed = try await first.devices()
        XCTAssertEqual(listed.count, 2)
        let other = try XCTUnwrap(listed.first { !$0.thisPhone }).id

        let admission = try first.admitDevice(key: other)
        try await first.syncNow()
        XCTAssertEqual(try first.fate(op: admission), .applied)
        try await second.syncNow()
        guard case .approved = try await second.pay(merchant: shop, group: group, units: 1_000) else {
            return XCTFail("not approved")
        }

        _ = try first.revokeDevice(key: other)
        try await first.syncNow()
        let code = try second.redemptionCode(group: group, most: 500).code
        told = try await refused { try await cafe.redeem(code: code, units: 500) }
        XCTAssertEqual(told.code, "revoked_key")
        _ = try await cafe.redeem(code: first.redemptionCode(group: group, most: 500).code, units: 500)
        try await first.syncNow()
        XCTAssertEqual(try balance(first), 3_500)
    }

    func testPaidAtAShopBehindACutCableWhoseTillTakesTheServersWordFromTheBuyersScreenOnce() async throws {
        let (cafe, shop, group) = try await alley()
        let buyer = try await buyer(of: cafe, paid: 50_000)
        try cable.cut()
        guard case .approved(let approval) = try await buyer.pay(merchant: shop, group: group, units: 2_000) else {
            return XCTFail("not approved")
        }
        XCTAssertEqual(try cafe.takeApproval(code: approval.code).units, 2_000)
        var told = try await refused { try cafe.takeApproval(code: approval.code) }
        XCTAssertEqual(told.code, "approval_seen")
        told = try await refused { try await buyer.pay(merchant: shop, group: group, units: 3_001) }
        XCTAssertEqual(told.code, "not_enough")

        try cable.mend()
        try await cafe.syncNow()
        XCTAssertEqual(try cafe.merchantToday().redeemed.map(\.units), [2_000], "counted once")
        try await buyer.syncNow()
        XCTAssertEqual(try balance(buyer), 3_000)
    }

    func testAPassIsSpentWithBothSidesOfflineAndBothLearnTheSame() async throws {
        let (cafe, shop, group) = try await alley()
        let buyer = try await buyer(of: cafe, paid: 50_000)
        let pass = try await buyer.reservePass(merchant: shop, group: group, units: 3_000, hours: 24)
        try await buyer.syncNow()
        XCTAssertEqual(try balance(buyer), 2_000)
        XCTAssertEqual(try buyer.passes().map(\.state), [.open])
        // The cable of the till is cut, and the buyer's phone asks nobody.
        try cable.cut()
        let shown = try buyer.showPass(pass: pass)
        guard case .pass(let scanned) = try cafe.readCode(text: shown.code) else { return XCTFail("no pass") }
        XCTAssertEqual(scanned.units, 3_000)
        XCTAssertEqual(scanned.refusedText, "")
        let took = try cafe.takePass(code: shown.code, units: 1_200)
        let told = try await refused { try cafe.takePass(code: buyer.showPass(pass: pass).code, units: 1) }
        XCTAssertEqual(told.code, "pass_spent")

        try cable.mend()
        try await cafe.syncNow()
        XCTAssertEqual(try cafe.fate(op: took.op), .applied)
        try await buyer.syncNow()
        XCTAssertEqual(try balance(buyer), 3_800)
        XCTAssertEqual(try buyer.passes().map(\.state), [.spent])
    }
}
