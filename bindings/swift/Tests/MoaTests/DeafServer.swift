import Foundation

/// Takes requests and never answers.
final class DeafServer: @unchecked Sendable {
    let url: String
    private let listening: Int32
    private let asked = DispatchSemaphore(value: 0)
    private let left = DispatchSemaphore(value: 0)

    init() throws {
        #if os(Linux)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        listening = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let taken = withUnsafeMutablePointer(to: &address) { [listening] address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listening, address, size) == 0 && listen(listening, 8) == 0
                    && getsockname(listening, address, &size) == 0
            }
        }
        guard taken else { throw Failed("no port") }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        Thread { [listening, asked, left] in
            while case let caller = accept(listening, nil, nil), caller >= 0 {
                Thread { DeafServer.hear(caller, asked, left) }.start()
            }
        }.start()
    }

    deinit {
        shutdown(listening, Int32(SHUT_RDWR))
        close(listening)
    }

    /// Reads until the caller hangs up.
    private static func hear(_ caller: Int32, _ asked: DispatchSemaphore, _ left: DispatchSemaphore) {
        var request = Data()
        var chunk = [UInt8](repeating: 0, count: 4_096)
        var isAsked = false
        while case let count = read(caller, &chunk, chunk.count), count > 0 {
            request += chunk.prefix(count)
            if !isAsked, request.range(of: Data("\r\n\r\n".utf8)) != nil {
                isAsked = true
                asked.signal()
            }
        }
        close(caller)
        if isAsked { left.signal() }
    }

    /// Waits for a request.
    func isAsked() -> Bool { asked.wait(timeout: .now() + 20) == .success }

    /// Waits until one who asked hangs up, which is long before an answer would be given up.
    func isLeft() -> Bool { left.wait(timeout: .now() + 5) == .success }
}
