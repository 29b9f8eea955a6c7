import Foundation
import Moa
import XCTest

/// Founding a group, inviting the neighbours, asking to be let in.
final class InvitationTests: StoryCase {
    override var testClock: Bool { true }

    private func founder(_ name: String, _ phone: String) async throws -> App {
        let app = try await enrolled(phone, phone)
        _ = try app.registerShop(profile: ShopProfile(name: name, industry: "cafe", area: "서울 마포구 연남동"))
        try await app.syncNow()
        return app
    }

    private func names(_ app: App, _ group: String) throws -> [String] {
        try XCTUnwrap(app.group(group: group)).members.compactMap(\.name).sorted()
    }

    private func link(in text: String) throws -> String {
        let range = try XCTUnwrap(text.range(of: "\(server.url)/i/[0-9a-f]{32}", options: .regularExpression), text)
        return String(text[range])
    }

    func testOfTenNeighboursInvitedByFourChannelsEightJoinAndEveryoneSeesWhoTheyAre() async throws {
        let cafe = try await founder("Corner Cafe", "010-0000-0001")
        let terms = cafe.suggestedTerms(scope: .building, kind: .points)
        let founding = Founding(name: "Alley", scope: .building, terms: terms, nickname: "alley")
        let preview = try cafe.foundingPreview(founding: founding)
        XCTAssertEqual([preview.rateText, preview.exampleText, preview.validityText], ["10%", "1,000 points for ₩10,000", "3 months"])
        let alley = try cafe.foundGroup(founding: founding)

        var neighbours: [App] = []
        for at in 0..<10 {
            let phone = "010-0000-00\(10 + at)"
            let neighbour = try await founder("Shop \(10 + at)", phone)
            neighbours.append(neighbour)
            let reach: Reach = switch at {
            case 0...2: .contact(channel: .sms, to: phone)
            case 3...4: .contact(channel: .email, to: "shop\(at)@neighbours.example")
            case 5...7: .messenger(channel: .kakaoTalk)
            default: .shop(merchant: try XCTUnwrap(neighbour.ownShop()).id)
            }
            _ = try cafe.addInvitee(group: alley, name: "Neighbour \(at)", reach: reach)
        }
        let invitees = try cafe.inviteListed(group: alley, days: 14)
        XCTAssertEqual(invitees.map(\.state), Array(repeating: .draft, count: 10))
        try await cafe.syncNow()
        try await server.moveToHour(22)
        for invitee in invitees.prefix(3) { try cafe.sendToInvitee(invitee: invitee.id) }
        try await cafe.syncNow()
        try await cafe.refreshInvitations()
        let waiting = try cafe.invitees(group: alley).prefix(3)
        XCTAssertEqual(waiting.map(\.stateText), Array(repeating: "Goes out at 8 in the morning", count: 3))
        try await server.moveToHour(8)

        let made = try cafe.invitations()
        for (at, invitee) in invitees.enumerated() {
            let (own, neighbour) = (try XCTUnwrap(made.first { $0.id == invitee.invitation }), neighbours[at])
            // It hears there how late it is.
            try await neighbour.syncNow()
            let received: ReceivedInvitation
            if invitee.channel == .inApp {
                received = try XCTUnwrap(neighbour.receivedInvitations().first)
            } else {
                let held: String
                if invitee.channel == .sms {
                    held = try await server.messages(XCTUnwrap(invitee.contact))
                } else {
                    switch try cafe.shareIntent(invite: XCTUnwrap(own.share), channel: invitee.channel, to: invitee.contact) {
                    case let .mail(_, _, body, _): held = body
                    case let .kakao(_, _, _, link, _): held = link
                    case let other: return XCTFail("\(other)")
                    }
                    try cafe.invitationShared(invitation: own.id, by: invitee.channel)
                }
                received = try await neighbour.openInvitation(text: link(in: held))
            }
            XCTAssertEqual([received.from.name, received.group?.name, received.group?.rateText], ["Corner Cafe", "Alley", "10%"])
            if at == 3 || at == 8 {
                _ = try neighbour.declineInvitation(invitation: received.id)
            } else {
                _ = try neighbour.acceptInvitation(invitation: received.id, termsVersion: XCTUnwrap(received.group).termsVersion)
            }
            try await neighbour.syncNow()
        }

        try await cafe.syncNow()
        try await cafe.refreshInvitations()
        let states = try cafe.invitees(group: alley).map(\.state)
        XCTAssertEqual([states.filter { $0 == .joined }.count, states.filter { $0 == .declined }.count], [8, 2])
        let expected = (["Corner Cafe"] + (10..<20).filter { $0 != 13 && $0 != 18 }.map { "Shop \($0)" }).sorted()
        let buyer = try await enrolled("buyer", "010-0000-0002")
        for app in [cafe, neighbours[0], neighbours[9], buyer] {
            try await app.syncNow()
            XCTAssertEqual(try names(app, alley), expected)
        }
        let voucher = try neighbours[4].recordSale(amount: 20_000)
        XCTAssertEqual(try buyer.choices(voucher: voucher.code).map(\.group), [alley])
    }

    func testAFounderTakesTheRateSuggestedOrGivesMoreAndIsToldWhatEitherCosts() async throws {
        let cafe = try await founder("Corner Cafe", "010-0000-0001")
        let plan = FoundingPlan(scope: .building, kind: .points, members: 6, validity: .months(count: 12))
        let draft = try cafe.foundingDraft(plan: plan)
        XCTAssertEqual([draft.suggestion.rateText, draft.suggestion.validityText], ["8.8%", "3 months"])
        XCTAssertEqual(draft.suggestion.cost.text, "for ₩1,000,000 of sales ₩29,694 on average, ₩88,000 at most")
        XCTAssertTrue(draft.suggestion.reasons.contains("About 69% of the mileage is used in time."))
        _ = try cafe.foundGroup(founding: Founding(name: "As suggested", scope: .building, terms: draft.terms))

        var own = draft.terms
        own.gives = .points(rateBp: 1_500)
        let weighed = try cafe.weighTerms(plan: plan, terms: own)
        XCTAssertEqual([weighed.givesText, weighed.suggestion.rateText], ["15%", "8.8%"])
        XCTAssertEqual(weighed.cost.worst, 150_000)
        _ = try cafe.foundGroup(founding: Founding(name: "Generous", scope: .building, terms: own))
        try await cafe.syncNow()
        XCTAssertEqual(try cafe.ownGroups().compactMap(\.group?.rateText).sorted(), ["15%", "8.8%"])
    }

    func testAShopAsksToJoinAGroupAndItsAdminLetsItIn() async throws {
        let cafe = try await founder("Corner Cafe", "010-0000-0001")
        var terms = cafe.suggestedTerms(scope: .area, kind: .stamps)
        terms.admission = .admin
        let district = try cafe.foundGroup(founding: Founding(name: "District", scope: .area, terms: terms))
        try await cafe.syncNow()
        let florist = try await founder("Florist", "010-0000-0004")
        let found = try await florist.lookUpGroup(group: district)
        try florist.joinGroup(group: district, termsVersion: found.termsVersion)
        try await florist.syncNow()
        XCTAssertEqual(try florist.ownGroups().map(\.waitingText), ["Waiting to be let in"])
        try await cafe.syncNow()
        let asked = try XCTUnwrap(cafe.joinRequests().first)
        XCTAssertEqual([asked.shop.name, asked.votesText], ["Florist", "0 for, 0 against"])
        _ = try cafe.answerJoin(group: district, merchant: asked.shop.id, admits: true)
        try await cafe.syncNow()
        try await florist.syncNow()
        XCTAssertEqual(try florist.ownGroups().map(\.confirmed), [true])
        XCTAssertEqual(try florist.joinRequests().map(\.state), [.admitted])
        XCTAssertEqual(try names(florist, district), ["Corner Cafe", "Florist"])
    }
}
