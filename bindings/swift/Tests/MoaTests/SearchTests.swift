import Foundation
import Moa
import XCTest

/// Groups and shops are found by name and by where they are.
final class SearchTests: StoryCase {
    /// A shop so many metres north of the city hall.
    private func shop(_ name: String, _ number: String, metres: Int32) async throws -> App {
        let app = try open(name)
        _ = try await app.beginEnrolment(phoneNumber: number)
        _ = try await app.confirmEnrolment(code: server.code(number))
        _ = try app.registerMerchant(name: name, place: Place(latE6: 37_566_500 + metres * 9, lonE6: 126_978_000))
        try await app.syncNow()
        return app
    }

    func testANeighbourIsFoundByHalfANameAndItsGroupFromWhereTheOwnShopIs() async throws {
        let terms = Terms(gives: .points(rateBp: 500), validity: .months(count: 6), minimum: 0, basis: .onIssue)
        let near = try await shop("연남카페", "010-0000-0001", metres: 300)
        let group = try near.foundGroup(founding: Founding(name: "연남동 골목", scope: .area, terms: terms))
        try await near.syncNow()
        _ = try await shop("서교빵집", "010-0000-0002", metres: 2_000)
        let own = try await shop("정동꽃집", "010-0000-0003", metres: 0)

        var here = try own.searchFromHere(what: .shops)
        let shops = try await own.search(search: here).shops
        XCTAssertEqual(shops.map(\.name), ["연남카페", "서교빵집"])
        XCTAssertEqual(shops.map(\.distanceText), ["300 m", "2.0 km"])
        XCTAssertEqual(shops.first?.groups, [group])
        for typed in ["남카ㅍ", "ㅇㄴㅋㅍ", "카페"] {
            here.text = typed
            let found = try await own.search(search: here).shops
            XCTAssertEqual(found.map(\.name), ["연남카페"], typed)
        }

        let found = try await own.search(search: own.searchFromHere(what: .groups)).groups
        XCTAssertEqual(found.map(\.group), [group])
        XCTAssertEqual(found.first?.distanceText, "300 m")
        XCTAssertEqual(found.first?.members, 1)
        let byInitials = try await own.search(search: Search(what: .groups, text: "ㄱㅁ")).groups
        XCTAssertEqual(byInitials.map(\.name), ["연남동 골목"])
        XCTAssertEqual(own.industries().first { $0.code == "cafe" }?.name, "Cafe")
    }
}
