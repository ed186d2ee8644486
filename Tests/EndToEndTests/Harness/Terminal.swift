import Foundation
import Synchronization

/// A pseudo-terminal that remembers everything written to it.
final class Terminal: Sendable {
    /// What a program gets as its terminal.
    let programSide: Int32
    private let ourSide: Int32
    private let written = Mutex<[UInt8]>([])

    init() throws {
        var (ours, theirs): (Int32, Int32) = (-1, -1)
        guard openpty(&ours, &theirs, nil, nil, nil) == 0 else { throw POSIXError(.ENXIO) }
        _ = fcntl(ours, F_SETFD, FD_CLOEXEC)
        _ = fcntl(theirs, F_SETFD, FD_CLOEXEC)
        (ourSide, programSide) = (ours, theirs)
        Thread { [weak self, ours] in
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = Glibc.read(ours, &chunk, chunk.count)
                guard count > 0, let self else { break }
                self.written.withLock { $0 += chunk[..<count] }
            }
            close(ours)
        }.start()
    }

    /// Ends the reader, too: it sees the last program side close.
    deinit { close(programSide) }

    var text: String { String(decoding: written.withLock { $0 }, as: UTF8.self) }
}
