import Foundation
import Moa
import XCTest

final class ChoiceTests: XCTestCase {
    func testTenThousandChoicesComeOutAsEverywhereToTheBit() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<5 { root.deleteLastPathComponent() }
        let file = root.appendingPathComponent("core/rules/tests/choice/decisions.txt")
        let known = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        XCTAssertEqual(known.count, 10_000)
        XCTAssertEqual(choiceDecisions(count: 10_000), known)
    }
}
