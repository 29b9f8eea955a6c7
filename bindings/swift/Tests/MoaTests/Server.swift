import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

struct Failed: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The real server, as a process on a free port of this machine.
final class Server {
    let url: String
    private let process = Process()
    /// Where the test clock stands, or a little later.
    private var time = Date()

    init(data: URL, testClock: Bool = false) throws {
        guard let program = ProcessInfo.processInfo.environment["MOA_SERVER"] else { throw Failed("MOA_SERVER is not set") }
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["serve", "--listen", "127.0.0.1:0", "--data", data.path] + (testClock ? ["--test-clock"] : [])
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        // Threads of a dispatch queue block SIGTERM on Linux, and a process starts with what its parent's thread blocks.
        var nothing = sigset_t()
        var blocked = sigset_t()
        sigemptyset(&nothing)
        pthread_sigmask(SIG_SETMASK, &nothing, &blocked)
        defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
        try process.run()
        var said = Data()
        while !said.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw Failed("the server did not start") }
            said += more
        }
        let line = String(decoding: said, as: UTF8.self).prefix { $0 != "\n" }
        url = String(line.dropFirst("listening on ".count))
        time = Date()
    }

    /// The six digits of the newest message to a number, once so many came: there is no carrier here, so the server shows them.
    func code(_ phone: String, messages: Int = 1) async throws -> String {
        guard let inbox = URL(string: "\(url)/v1/development/inbox?phone=\(phone)") else { throw Failed("no address") }
        // The message's id is 32 hex digits; the code stands alone.
        let digits = try NSRegularExpression(pattern: "(?<![0-9a-f])[0-9]{6}(?![0-9a-f])")
        for _ in 0..<500 {
            let (body, _) = try await URLSession.shared.data(from: inbox)
            let text = String(decoding: body, as: UTF8.self)
            let found = digits.matches(in: text, range: NSRange(text.startIndex..., in: text))
            if found.count >= messages, let last = found.last, let range = Range(last.range, in: text) { return String(text[range]) }
        }
        throw Failed("no code came")
    }

    /// Everything that was sent to a number, as the server shows it where there is no carrier; once an invitation is among it.
    func messages(_ phone: String) async throws -> String {
        let phone = phone.replacingOccurrences(of: "+", with: "%2B")
        guard let inbox = URL(string: "\(url)/v1/development/inbox?phone=\(phone)") else { throw Failed("no address") }
        for _ in 0..<500 {
            let (body, _) = try await URLSession.shared.data(from: inbox)
            let text = String(decoding: body, as: UTF8.self)
            if text.contains("/i/") { return text }
        }
        throw Failed("no invitation came")
    }

    /// Moves the test clock on to this instant; what is due by then is done when it returns.
    func move(to millis: Int64) async throws {
        guard let clock = URL(string: "\(url)/v1/test/clock") else { throw Failed("no address") }
        var request = URLRequest(url: clock)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "content-type")
        request.httpBody = Data("{\"now\": \(millis)}".utf8)
        let (body, answer) = try await URLSession.shared.data(for: request)
        guard (answer as? HTTPURLResponse)?.statusCode == 200 else { throw Failed(String(decoding: body, as: UTF8.self)) }
    }

    /// Moves the test clock on to when it is next so late in Seoul.
    func moveToHour(_ hour: Int) async throws {
        var seoul = Calendar(identifier: .gregorian)
        guard let zone = TimeZone(identifier: "Asia/Seoul") else { throw Failed("no time zones") }
        seoul.timeZone = zone
        guard let next = seoul.nextDate(after: time, matching: DateComponents(hour: hour), matchingPolicy: .nextTime) else { throw Failed("no such hour") }
        time = next
        try await move(to: Int64(time.timeIntervalSince1970 * 1_000))
    }

    /// Stops it as its owner would, and says with what it ended.
    func stop() -> Int32 {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
