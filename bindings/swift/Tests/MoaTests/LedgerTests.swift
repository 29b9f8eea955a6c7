import Foundation
import Moa
import XCTest

/// Kinds, holds, reversals, refunds, grants, and groups that change: one path each.
final class LedgerTests: StoryCase {
    override var testClock: Bool { true }

    private var cafe: App!
    private var buyer: App!
    private var apps: [App] = []

    // XCTest keeps its cases until all have run: their apps are to end with them.
    override func tearDownWithError() throws {
        (cafe, buyer, apps) = (nil, nil, [])
        try super.tearDownWithError()
    }

    private let points = Terms(gives: .points(rateBp: 1_000), validity: .months(count: 6), minimum: 0, basis: .onIssue)

    private func phone(_ name: String, _ number: String) async throws -> App {
        let app = try await enrolled(name, number)
        try await app.syncNow()
        apps.append(app)
        return app
    }

    private func alley(_ terms: Terms) async throws -> String {
        cafe = try await shop("Cafe", "010-0000-0001")
        apps.append(cafe)
        buyer = try await phone("buyer", "010-0000-0002")
        let group = try cafe.foundGroup(founding: Founding(name: "Alley", scope: .building, terms: terms))
        try await settle()
        return group
    }

    private func settle() async throws {
        for _ in 0..<2 {
            for app in apps { try await app.syncNow() }
        }
    }

    /// The buyer buys and collects. Gives the sale.
    private func buys(_ amount: Int64) async throws -> String {
        let voucher = try cafe.recordSale(amount: amount)
        _ = try buyer.claim(voucher: voucher.code, choice: buyer.choices(voucher: voucher.code).first)
        try await settle()
        return voucher.sale
    }

    private func balance(_ unit: MileageUnit = .point) throws -> Balance {
        try XCTUnwrap(buyer.balances().first { $0.unit == unit })
    }

    private func refused(
        file: StaticString = #filePath, line: UInt = #line, _ call: () async throws -> some Any
    ) async throws -> (code: String, text: String) {
        let error = try await failure(of: call, file: file, line: line)
        guard case .Refused(let code, let text, _, _) = error else { throw Failed("\(error)") }
        return (code, text)
    }

    func testStampsFillCardsAndACardIsHeldTakenInPartAndGivenBack() async throws {
        let group = try await alley(Terms(
            gives: .stamps(per: 1_000, stamps: 10, reward: 5_000), validity: .months(count: 6), minimum: 0, basis: .onIssue))
        let card = MileageUnit.stamp(card: 10)
        _ = try await buys(23_000)
        XCTAssertEqual(try balance(card).cardsText, "2 full cards and 3 stamps, 7 more fill a card")
        XCTAssertEqual(try balance(card).usable, 20)
        let code = try buyer.redemptionCode(group: group, most: 20)
        XCTAssertEqual(code.mostText, "20 stamps")
        let parts = try await refused { try await cafe.hold(code: code.code, units: 15) }
        XCTAssertEqual(parts.code, "whole_cards")
        guard case .held(let hold) = try await cafe.hold(code: code.code, units: 20, seconds: 120) else {
            return XCTFail("not held")
        }
        try await settle()
        XCTAssertEqual(try cafe.holds().map(\.mileage.text), ["20 stamps"])
        XCTAssertEqual(try buyer.held().map(\.hold), [hold])
        guard case .approved(let taken) = try await cafe.captureHold(hold: hold, units: 10) else {
            return XCTFail("not taken")
        }
        try await settle()
        XCTAssertEqual(try balance(card).confirmed, 13)
        XCTAssertEqual(try cafe.merchantToday().redeemed.map(\.text), ["10 stamps"])
        _ = try cafe.reverse(redemption: taken)
        try await settle()
        XCTAssertEqual(try balance(card).confirmed, 23)
        XCTAssertEqual(try buyer.history(group: group).first?.kind, .reversal)
        let much = try buyer.redemptionCode(group: group, most: 30)
        let tooMuch = try await refused { try await cafe.redeem(code: much.code, units: 30) }
        XCTAssertEqual(tooMuch.text, "Asked for 30 stamps; this wallet has 23. Use 23 or fewer.")
    }

    func testARefundTakesBackWhatWasEarnedAndTheNextEarningPaysWhatWasNotThere() async throws {
        let group = try await alley(points)
        let sale = try await buys(20_000)
        let code = try buyer.redemptionCode(group: group, most: 1_500)
        guard case .approved = try await cafe.redeem(code: code.code, units: 1_500) else { return XCTFail("not taken") }
        XCTAssertEqual(
            try cafe.refundPreview(sale: sale, amount: 20_000).text, "₩20,000 refunded, 2,000 points taken back")
        let op = try cafe.refund(sale: sale, amount: 20_000)
        try await settle()
        let refund = try XCTUnwrap(cafe.refundOf(op: op))
        XCTAssertEqual(refund.text, "₩20,000 refunded, 500 points taken back, 1,500 points still owed")
        XCTAssertEqual(try balance().owed, 1_500)
        _ = try await buys(50_000)
        XCTAssertEqual(try balance().confirmed, 3_500)
        XCTAssertEqual(try balance().owed, 0)
        XCTAssertEqual(try buyer.history(group: group).first?.kind, .debtPaid)
    }

    func testTwoShopsAgreeToOtherTermsWhichAreInForceFromTheirDayOnAndOneOfThemLeaves() async throws {
        let group = try await alley(points)
        let bakery = try await shop("Bakery", "010-0000-0003")
        apps.append(bakery)
        try bakery.joinGroup(group: group, termsVersion: 1)
        try await settle()
        var seoul = Calendar(identifier: .gregorian)
        seoul.timeZone = try XCTUnwrap(TimeZone(identifier: "Asia/Seoul"))
        let now = Date(timeIntervalSince1970: TimeInterval(try cafe.now()) / 1_000)
        let tomorrow = try XCTUnwrap(seoul.date(byAdding: .day, value: 1, to: seoul.startOfDay(for: now)))
        let parts = seoul.dateComponents([.year, .month, .day], from: tomorrow)
        let day = String(format: "%04d-%02d-%02d", parts.year!, parts.month!, parts.day!)
        let stamps = Terms(
            gives: .stamps(per: nil, stamps: 5, reward: 5_000), validity: .months(count: 3), minimum: 0, basis: .onIssue,
            consentBp: 6_700)
        _ = try cafe.amendTerms(group: group, terms: stamps, fromDay: day)
        try await settle()
        let proposed = try XCTUnwrap(bakery.group(group: group)?.amendment)
        XCTAssertEqual(proposed.terms, stamps)
        XCTAssertEqual(proposed.needed, 2)
        _ = try bakery.answerAmendment(group: group, amendment: proposed.id, agrees: true)
        try await settle()
        try await server.move(to: Int64(tomorrow.timeIntervalSince1970 * 1_000))
        try await settle()
        let changed = try await buyer.lookUpGroup(group: group)
        XCTAssertEqual(changed.termsVersion, 2)
        XCTAssertEqual(changed.terms, stamps)
        _ = try await buys(10_000)
        XCTAssertEqual(try balance(.stamp(card: 5)).cardsText, "1 stamp, 4 more fill a card")
        let stays = try await refused { try cafe.leaveGroup(group: group) }
        XCTAssertEqual(stays.code, "admin_stays")
        _ = try bakery.leaveGroup(group: group)
        try await settle()
        XCTAssertEqual(try bakery.ownGroups(), [])
        let left = try await buyer.lookUpGroup(group: group)
        XCTAssertEqual(left.members.map(\.name), ["Cafe"])
    }

    func testOpeningBalancesComeFromATableOnce() async throws {
        let group = try await alley(points)
        let file = Data("전화번호,점수\r\n010-0000-0002,\"1,200\"\r\nnobody,5\r\n".utf8)
        let opening = try cafe.previewOpening(group: group, file: file)
        let preview = opening.preview()
        XCTAssertEqual(preview.text, "1,200 points for 1 customer, worth ₩1,200")
        XCTAssertEqual(preview.leftOutText, "1 row left out")
        let rows = try await cafe.importOpening(opening: opening)
        XCTAssertEqual(rows, 1)
        let again = try await refused { try await cafe.importOpening(opening: opening) }
        XCTAssertEqual(again.code, "file_already_imported")
        try await settle()
        XCTAssertEqual(try cafe.openings().map(\.text), ["1 given, 0 waiting, 0 refused"])
        XCTAssertEqual(try balance().confirmed, 1_200)
    }
}
