import Foundation
import Moa
import XCTest

/// The main job through the bindings, as an app would do it, against the real server.
final class StoryTests: StoryCase {
    func testFromAScanToABalanceSpentNextDoorRefusedBelowTheMinimum() async throws {
        var cafe: App! = try await shop("Cafe", "010-0000-0001")
        var bakery: App! = try await shop("Bakery", "010-0000-0002")
        let group = try cafe.foundGroup(founding: founding("Alley", 500))
        let wide = try cafe.foundGroup(founding: founding("Town", 200))
        try await cafe.syncNow()
        let found = try await bakery.lookUpGroup(group: group)
        XCTAssertEqual(found.name, "Alley")
        try bakery.joinGroup(group: group, termsVersion: 1)
        try await bakery.syncNow()
        XCTAssertEqual(try bakery.ownGroups().filter(\.confirmed).map(\.id), [group])

        var buyer: App! = try await enrolled("buyer", "010-0000-0003")
        try await buyer.syncNow()

        // The network goes: what follows is the phones' own.
        XCTAssertEqual(server.stop(), 0)
        let voucher = try cafe.recordSale(amount: 30_000)
        XCTAssertEqual(voucher.amountText, "₩30,000")
        XCTAssertEqual(Int(voucher.qr.side * voucher.qr.side), voucher.qr.modules.count)
        guard case let .voucher(scanned) = try buyer.readCode(text: voucher.code) else { return XCTFail("no voucher") }
        XCTAssertEqual(scanned.shop?.name, "Cafe")
        XCTAssertEqual(scanned.standing, .open)
        let choices = try buyer.choices(voucher: voucher.code)
        XCTAssertEqual(choices.map(\.group), [group, wide], "best rate first")
        XCTAssertEqual(choices[0].earns, 1_500)
        XCTAssertTrue(choices[0].reasonText?.hasPrefix("It gives the most") ?? false, "\(choices[0])")
        XCTAssertTrue((1...1_500).contains(choices[0].expectedUse))
        XCTAssertEqual(Set(choices[0].members.map(\.name)), ["Cafe", "Bakery"])
        XCTAssertEqual(try buyer.claim(voucher: voucher.code, choice: choices[0]).earns, 1_500)
        let pending = try buyer.balances()
        XCTAssertEqual(pending.map(\.confirmed), [0])
        XCTAssertEqual(pending.map(\.pending), [1_500])
        let twice = try await failure { try buyer.claim(voucher: voucher.code, choice: choices[0]) }
        guard case .Refused("sale_already_claimed", _, _, nil) = twice else { return XCTFail("\(twice)") }
        let offline = try await failure { try await buyer.syncNow() }
        guard case .Offline = offline else { return XCTFail("\(offline)") }

        // And comes back, elsewhere: phones are told by their owner, here by opening them anew.
        (cafe, bakery, buyer) = (nil, nil, nil)
        server = try Server(data: folder.appendingPathComponent("server"))
        (cafe, bakery, buyer) = try (open("Cafe"), open("Bakery"), open("buyer"))
        try await buyer.syncNow()
        try await cafe.syncNow()
        let balance = try XCTUnwrap(buyer.balances().first)
        XCTAssertEqual(balance.confirmed, 1_500)
        XCTAssertEqual(balance.pending, 0)
        XCTAssertEqual(balance.line, "Alley: 1,500 points")
        XCTAssertEqual(try cafe.merchantToday().sales.map(\.claimed?.units), [1_500])
        XCTAssertEqual(try cafe.merchantToday().sales.map(\.standingText), ["1,500 points collected"])

        let code = try buyer.redemptionCode(group: group, most: 1_200)
        guard case let .redemption(asked) = try bakery.readCode(text: code.code) else { return XCTFail("no permission") }
        XCTAssertEqual(asked.most, 1_200)
        XCTAssertEqual(asked.atMostText, "At most 1,200 points")
        let redemption = try await bakery.redeem(code: code.code, units: 1_200)
        guard case .approved = redemption else { return XCTFail("\(redemption)") }
        try await buyer.syncNow()
        XCTAssertEqual(try buyer.balances().map(\.confirmed), [300])
        XCTAssertEqual(try buyer.history(group: group).map(\.kind), [.redemption, .accrual])

        let second = try buyer.redemptionCode(group: group, most: 300)
        let refused = try await failure { try await bakery.redeem(code: second.code, units: 300) }
        guard case let .Refused(reason, text, figures, op) = refused else { return XCTFail("\(refused)") }
        XCTAssertEqual(reason, "below_minimum")
        XCTAssertEqual(figures, ["minimum": 1_000, "available": 300])
        XCTAssertTrue(text.contains("1,000") && text.contains("300"), text)
        XCTAssertEqual(refused.localizedDescription, text)
        let ours = try XCTUnwrap(op)
        XCTAssertEqual(try bakery.fate(op: ours), .refused(code: reason, text: text))
        XCTAssertNil(try buyer.fate(op: ours), "of another phone")
        XCTAssertEqual(try bakery.state().refusals, [RefusedItem(op: ours, code: reason, text: text)])
        try bakery.dismiss(op: ours)
        XCTAssertEqual(try bakery.state().refusals, [])
    }

    func testAnInvitationLeavesByEachChannelAndWhatComesInLeadsBackToIt() async throws {
        let cafe = try await shop("Cafe & \"Bar\" #1", "010-0000-0001")
        let group = try cafe.foundGroup(founding: founding("Alley", 500))
        try await cafe.syncNow()
        let token = String(repeating: "d7", count: 16)
        let invite = Invite.group(group: group, token: token, code: nil, expiresAt: 1_798_761_600_000)
        let bakery = try await enrolled("bakery", "010-0000-0002")
        let opened = Scan.link(destination: .invitation(token: token))

        guard case let .sms(to, body, url) = try cafe.shareIntent(invite: invite, channel: .sms, to: "010-1234-5678") else { return XCTFail("no message") }
        XCTAssertEqual(to, "+821012345678")
        XCTAssertTrue(body.contains("Cafe & \"Bar\" #1") && body.contains("5%") && body.contains("6 months"), body)
        XCTAssertTrue(url.hasPrefix("sms:+821012345678?&body=%5BMoa%5D%20"), url)
        XCTAssertEqual(try bakery.readCode(text: body), opened, "the whole message, pasted")
        guard case let .kakao(_, _, _, link, parameter) = try cafe.shareIntent(invite: invite, channel: .kakaoTalk) else { return XCTFail("no feed") }
        let told = try XCTUnwrap(parameter)
        XCTAssertEqual(try bakery.readCode(text: "kakao00ff://kakaolink?\(told.name)=\(told.value)"), opened)
        XCTAssertEqual(try bakery.readCode(text: link), opened)
        for channel in [Channel.line, .telegram, .whatsApp, .messenger] {
            guard case let .openUrl(url) = try cafe.shareIntent(invite: invite, channel: channel) else { return XCTFail("\(channel)") }
            let items = URLComponents(string: url)?.queryItems ?? []
            XCTAssertTrue(items.contains { $0.value?.contains(token) ?? false }, url)
        }
        XCTAssertEqual(try cafe.shareIntent(invite: invite, channel: .inApp), .nothing)
        let refused = try await failure { try cafe.contact(typed: "1588-1234") }
        guard case .Refused("contact_not_a_number", _, _, nil) = refused else { return XCTFail("\(refused)") }
    }

    func testAShopScansTheBuyerAndTheBuyerChooses() async throws {
        let cafe = try await shop("Cafe", "010-0000-0001")
        let alley = try cafe.foundGroup(founding: founding("Alley", 500))
        let town = try cafe.foundGroup(founding: founding("Town", 200))
        try await cafe.syncNow()
        let buyer = try await enrolled("buyer", "010-0000-0003")
        try await buyer.syncNow()
        let sale = try cafe.recordSaleFor(amount: 30_000, buyer: buyer.memberCode().code)
        try await cafe.syncNow()
        try await buyer.syncNow()
        let waiting = try XCTUnwrap(buyer.waitingSales().first)
        XCTAssertEqual(waiting.sale, sale)
        XCTAssertEqual(waiting.choices.map(\.group), [alley, town], "best rate first")
        _ = try buyer.claimWaiting(sale: sale, choice: waiting.choices[1])
        try await buyer.syncNow()
        XCTAssertEqual(try buyer.balances().map(\.confirmed), [600])
        XCTAssertTrue(try buyer.waitingSales().isEmpty)
    }

    func testWhatIsChosenBeforehandDigitsReadAloudAndAPhoneNumber() async throws {
        let cafe = try await shop("Cafe", "010-0000-0001")
        let alley = try cafe.foundGroup(founding: founding("Alley", 500))
        let town = try cafe.foundGroup(founding: founding("Town", 200))
        try await cafe.syncNow()
        let buyer = try await enrolled("buyer", "010-0000-0003")
        try await buyer.syncNow()
        func hears() async throws {
            try await cafe.syncNow()
            try await buyer.syncNow()
        }
        func confirmed(_ group: String) throws -> Int64 {
            try buyer.balances().first { $0.group == group }?.confirmed ?? 0
        }

        try buyer.setStandingChoice(groups: [town], bestAfterADay: true)
        XCTAssertTrue(try buyer.standingChoice().pending)
        XCTAssertFalse(try buyer.marketingConsent().agreed)
        try buyer.setMarketingConsent(agrees: true)
        try await hears()
        let agreed = try buyer.marketingConsent()
        XCTAssertTrue(agreed.agreed && agreed.since != nil && !agreed.pending)
        XCTAssertEqual(try buyer.standingChoice().groups.map(\.name), ["Town"])
        _ = try cafe.recordSaleFor(amount: 30_000, buyer: buyer.memberCode().code)
        try await hears()
        XCTAssertEqual(try confirmed(town), 600)

        try buyer.setStandingChoice(groups: [], bestAfterADay: false)
        try buyer.setAlwaysBest(on: true)
        try await hears()
        let earning = try await buyer.oneTimeCodeForEarning()
        guard case let .oneTime(text) = try cafe.readCode(text: earning.digits) else { return XCTFail("no digits") }
        XCTAssertEqual(text, earning.text)
        _ = try cafe.recordSaleFor(amount: 30_000, buyer: earning.text)
        try await hears()
        XCTAssertEqual(try confirmed(alley), 1_500, "the best, without a question")
        let voucher = try cafe.recordSale(amount: 10_000)
        XCTAssertEqual(try buyer.claimAtOnce(voucher: voucher.code)?.earns, 500)
        _ = try cafe.recordSaleToNumber(amount: 10_000, number: "010 0000 0003")
        try await hears()
        XCTAssertEqual(try confirmed(alley), 2_500)
        let here = try XCTUnwrap(cafe.ownShop()).id
        try buyer.alwaysAtShop(shop: here, group: town)
        XCTAssertEqual(try buyer.standingAtShops().map(\.always?.name), ["Town"])
        XCTAssertEqual(try buyer.claimAtOnce(voucher: cafe.recordSale(amount: 10_000).code)?.earns, 200)
        try buyer.askAtShop(shop: here)
        XCTAssertNil(try buyer.claimAtOnce(voucher: cafe.recordSale(amount: 10_000).code))
        try buyer.asEverywhereAtShop(shop: here)

        // A purchase that is planned at a bakery of the alley is a reason for the alley, until it is forgotten.
        let bakery = try await shop("Bakery", "010-0000-0002")
        let terms = try await bakery.lookUpGroup(group: alley).termsVersion
        try bakery.joinGroup(group: alley, termsVersion: terms)
        try await bakery.syncNow()
        _ = try await buyer.lookUpGroup(group: alley)
        let there = try XCTUnwrap(bakery.ownShop()).id
        _ = try await buyer.lookUpShop(merchant: there)
        let day = try buyer.planDay(days: 40)
        let code = try cafe.recordSale(amount: 10_000).code
        func told() throws -> [String] {
            try buyer.choices(voucher: code).filter { $0.reasonText?.contains("at Bakery on \(day.text)") == true }.map(\.name)
        }
        XCTAssertEqual(try told(), [])
        let plan = try buyer.planPurchase(shop: there, amount: 30_000, day: day.day)
        XCTAssertEqual(try buyer.plannedPurchases().map(\.amountText), ["₩30,000"])
        XCTAssertEqual(try told(), ["Alley"])
        try buyer.forgetPlan(plan: plan)
        XCTAssertEqual(try told(), [])
        XCTAssertEqual(try buyer.plannedPurchases(), [])

        let paying = try await buyer.oneTimeCodeForPaying(group: alley, most: 1_200)
        let redemption = try await cafe.redeem(code: paying.text, units: 1_200)
        guard case .approved = redemption else { return XCTFail("\(redemption)") }
        let unknown = try await failure { try await cafe.redeem(code: earning.digits, units: 1) }
        guard case .Server("one_time_code_unknown", _) = unknown else { return XCTFail("\(unknown)") }
        let slip = try await failure { try cafe.recordSaleToNumber(amount: 1_000, number: "12") }
        guard case .Refused("bad_number", _, _, nil) = slip else { return XCTFail("\(slip)") }
    }

    func testAnObserverIsToldAtOnceAndOnEveryChangeUntilItIsCancelled() async throws {
        let cafe = try await shop("Cafe", "010-0000-0001")
        _ = try cafe.foundGroup(founding: founding("Alley", 500))
        try await cafe.syncNow()
        let buyer = try await enrolled("buyer", "010-0000-0003")
        try await buyer.syncNow()
        let states = States()
        let subscription = try buyer.subscribe(observer: states)
        let first = try XCTUnwrap(states.next())
        XCTAssertTrue(first.signedIn && first.balances.isEmpty)
        let voucher = try cafe.recordSale(amount: 40_000)
        let choice = try XCTUnwrap(buyer.choices(voucher: voucher.code).first)
        _ = try buyer.claim(voucher: voucher.code, choice: choice)
        let settled = try XCTUnwrap(states.first { $0.balances.contains { $0.confirmed == 2_000 } })
        XCTAssertEqual(settled.waiting, 0)
        XCTAssertFalse(settled.offline || settled.integrityBroken)
        subscription.cancel()
    }

    func testErrorsHaveFieldsAndATextInTheAppsLanguage() async throws {
        let english = try open("en")
        let korean = try open("ko", language: "ko")
        XCTAssertFalse(try english.signedIn())
        XCTAssertNil(try english.ownShop())
        var texts: [String] = []
        for app in [english, korean] {
            let refused = try await failure { try app.recordSale(amount: 0) }
            guard case let .Refused("amount_not_positive", text, _, nil) = refused else { return XCTFail("\(refused)") }
            XCTAssertEqual([refused.text, refused.localizedDescription, "\(refused)"], [text, text, text])
            texts.append(text)
        }
        let hangul = "가"..."힣"
        XCTAssertFalse(texts[0].contains { hangul.contains(String($0)) })
        XCTAssertTrue(texts[1].contains { hangul.contains(String($0)) })

        let payment = try await failure { try english.readCode(text: "00020101021229300012D156000000000510A93FO3230Q") }
        guard case .NotOurs("code_is_payment", _) = payment else { return XCTFail("\(payment)") }
        let badId = try await failure { try english.group(group: "not an id") }
        guard case .Invalid = badId else { return XCTFail("\(badId)") }
        let nobody = String(repeating: "00", count: 16)
        let negative = try await failure { try english.redemptionCode(group: nobody, most: -1) }
        guard case .Invalid = negative else { return XCTFail("\(negative)") }
        let stranger = try await failure { try english.redemptionCode(group: nobody, most: 1) }
        guard case .SignIn = stranger else { return XCTFail("\(stranger)") }
        let elsewhere = try await failure { try open("nowhere", url: "ftp://moa.example") }
        guard case .Invalid = elsewhere else { return XCTFail("\(elsewhere)") }

        _ = try await english.beginEnrolment(phoneNumber: "010-0000-0009")
        let wrong = try await server.code("010-0000-0009") == "000000" ? "000001" : "000000"
        let unknown = try await failure { try await english.confirmEnrolment(code: wrong) }
        guard case .Server("code_wrong", _) = unknown else { return XCTFail("\(unknown)") }
    }
}
