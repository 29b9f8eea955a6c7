import Foundation

/// What lies between phones and the server, and can be cut: `world proxy`. Each call returns once it is so.
final class Cable {
    private let process = Process()
    private let commands = Pipe()
    private let output = Pipe()
    private var said = Data()

    /// Where phones find the server.
    private(set) var url = ""

    init(server: String) throws {
        guard let program = ProcessInfo.processInfo.environment["MOA_WORLD"] else { throw Failed("MOA_WORLD is not set") }
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["proxy", "--server", server]
        process.standardInput = commands
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        url = String(try line().dropFirst("listening on ".count))
    }

    /// Everything gets through.
    func mend() throws { try turn("pass") }

    /// Nobody gets through.
    func cut() throws { try turn("drop") }

    /// What phones ask arrives; what the server answers does not.
    func loseAnswers() throws { try turn("lose") }

    /// Answers are cut in the middle of their bodies.
    func halveAnswers() throws { try turn("half") }

    /// Everything takes so many milliseconds longer, each way.
    func delay(_ millis: Int) throws { try turn("delay \(millis)") }

    /// A hotspot answers everything with a page of its own.
    func leadToPortal() throws { try turn("portal") }

    /// A hotspot sends everyone to its login page.
    func leadToLogin() throws { try turn("portal-redirect") }

    /// Takes it away, and says with what it ended.
    func stop() throws -> Int32 {
        try commands.fileHandleForWriting.close()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Whoever was through before is cut off.
    private func turn(_ to: String) throws {
        try commands.fileHandleForWriting.write(contentsOf: Data("\(to)\n".utf8))
        guard try line() == to else { throw Failed("the cable did not turn to \(to)") }
    }

    private func line() throws -> String {
        while true {
            if let end = said.firstIndex(of: UInt8(ascii: "\n")) {
                defer { said = Data(said[(end + 1)...]) }
                return String(decoding: said[..<end], as: UTF8.self)
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw Failed("the cable ended") }
            said += more
        }
    }
}
