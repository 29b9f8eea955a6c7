import Foundation
import Moa
import Panicking
import XCTest

/// What begins and ends: calls, subscriptions, apps.
final class LifeTests: StoryCase {
    func testACancelledTaskGivesUpItsCallInsideToo() async throws {
        let deaf = try DeafServer()
        let app = try open("buyer", url: deaf.url)
        let waiting = Task { try await app.beginEnrolment(phoneNumber: "010-0000-0003") }
        XCTAssertTrue(deaf.isAsked())
        waiting.cancel()
        let result = await waiting.result
        XCTAssertThrowsError(try result.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
        XCTAssertTrue(deaf.isLeft(), "the request was given up")
        XCTAssertFalse(try app.signedIn(), "the app goes on")

        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await app.beginEnrolment(phoneNumber: "010-0000-0003")
        }
        let nothing = await late.result
        XCTAssertThrowsError(try nothing.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
    }

    func testCallsCancelledWhileTheyEndAreEitherDoneOrCancelled() async throws {
        let app = try await enrolled("buyer", "010-0000-0003")
        var ends = (done: 0, cancelled: 0)
        for round in 0..<300 {
            let call = Task { try await app.syncNow() }
            for _ in 0..<round { await Task.yield() }
            call.cancel()
            switch await call.result {
            case .success: ends.done += 1
            case .failure(let error):
                XCTAssertTrue(error is CancellationError, "\(error)")
                ends.cancelled += 1
            }
        }
        XCTAssertEqual(ends.done + ends.cancelled, 300)
        try await app.syncNow()
    }

    func testAnAppThatIsLetGoOfStops() async throws {
        var app: App? = try await enrolled("buyer", "010-0000-0003")
        weak var closed = app
        let states = States()
        let subscription = try app?.subscribe(observer: states)
        XCTAssertNotNil(states.next())
        app = nil
        XCTAssertNil(closed)
        XCTAssertTrue(isWithoutThreads(), "its threads end")
        let told = states.count // What a sync brought before it was closed.
        subscription?.cancel() // Nothing is left of it, and that is fine.
        XCTAssertEqual(states.count, told)

        // The directory is free again, and as it was.
        let again = try open("buyer")
        XCTAssertTrue(try again.signedIn())
    }

    func testAnAppThatWasShutDownSaysSoToWhoeverStillHasIt() async throws {
        let app = try await enrolled("buyer", "010-0000-0003")
        let states = States()
        let subscription = try app.subscribe(observer: states)
        XCTAssertNotNil(states.next())
        app.shutDown()
        XCTAssertTrue(isWithoutThreads(), "its threads end")
        let told = states.count // What a sync brought before it was closed.
        subscription.cancel()
        XCTAssertThrowsError(try app.balances()) { error in
            guard case ApiError.Closed(let text) = error else { return XCTFail("\(error)") }
            XCTAssertFalse(text.isEmpty)
        }
        do {
            try await app.syncNow()
            XCTFail("it is closed")
        } catch ApiError.Closed {}
        app.shutDown()
        XCTAssertEqual(states.count, told)

        // The directory is free again, and as it was.
        let again = try open("buyer")
        XCTAssertTrue(try again.signedIn())
    }

    func testACallUnderWayKeepsItsApp() async throws {
        let deaf = try DeafServer()
        var app: App? = try open("buyer", url: deaf.url)
        weak var held = app
        let call = Task { [app] in _ = try await app?.beginEnrolment(phoneNumber: "010-0000-0003") }
        XCTAssertTrue(deaf.isAsked())
        app = nil
        XCTAssertNotNil(held)
        call.cancel()
        _ = await call.result
        XCTAssertTrue(deaf.isLeft())
        XCTAssertTrue(isWithoutThreads(), "nobody has it any more")
        XCTAssertNil(held)
    }

    func testAThousandSubscriptionsComeAndGo() async throws {
        let app = try await shop("Cafe", "010-0000-0001")
        var memory = 0
        for round in 0..<3 {
            let gone = DispatchSemaphore(value: 0)
            var observers = (0..<1_000).map { _ in States(gone: gone) }
            var subscriptions = try observers.map { try app.subscribe(observer: $0) }
            for states in observers { XCTAssertNotNil(states.next(), "told at once") }
            XCTAssertLessThanOrEqual(threads(), 24)

            // Calls are queued; none comes after its subscription ended, but for those under way.
            _ = try app.recordSale(amount: 1_000)
            subscriptions.prefix(500).forEach { $0.cancel() }
            let cancelled = observers.prefix(500).map(\.count).reduce(0, +)
            subscriptions.removeAll()
            let before = observers.map(\.count).reduce(0, +)
            XCTAssertLessThanOrEqual(observers.prefix(500).map(\.count).reduce(0, +) - cancelled, 16)

            // A change after that is told to who is still there.
            let sentinel = States()
            let watching = try app.subscribe(observer: sentinel)
            XCTAssertNotNil(sentinel.next())
            _ = try app.recordSale(amount: 1_000)
            XCTAssertNotNil(sentinel.next())
            watching.cancel()
            XCTAssertLessThanOrEqual(observers.map(\.count).reduce(0, +) - before, 16)

            observers.removeAll()
            for _ in 0..<1_000 { XCTAssertEqual(gone.wait(timeout: .now() + 20), .success, "forgotten inside too") }
            if round == 0 { memory = residentMemory() }
        }
        XCTAssertLessThan(residentMemory() - memory, 8_192, "KiB, after two thousand more")
    }

    func testAPanicInsideIsAnErrorAndWhatFollowsWorks() async throws {
        XCTAssertThrowsError(try panics(why: "the ball was dropped")) {
            XCTAssertEqual($0.localizedDescription, "the ball was dropped")
        }
        do {
            try await panicsWhileWaiting(why: "the bus was missed")
            XCTFail("nothing was thrown")
        } catch {
            XCTAssertEqual(error.localizedDescription, "the bus was missed")
        }
        XCTAssertEqual(twice(number: 21), 42)
    }

    /// The threads that apps have, as far as this system tells.
    private func threads() -> Int {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        let names = tasks.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
        return names.filter { $0 == "moa\n" }.count
    }

    private func isWithoutThreads() -> Bool {
        let end = Date() + 20
        while threads() > 0 {
            if Date() > end { return false }
            sched_yield()
        }
        return true
    }

    /// In KiB, as far as this system tells.
    private func residentMemory() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
}
