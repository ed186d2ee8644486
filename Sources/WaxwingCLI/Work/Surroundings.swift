import Machine
import Files
import Synchronization
import Waxwing
import WaxwingCore

/// What a command needs from outside, apart from the profile: the network, time, randomness, a password, standard
/// input.
///
/// There is one in a process. A recording wraps it, a replay replaces it.
struct Surroundings: Sendable {
    /// Whether they are those of the machine, neither recorded nor replayed.
    var isLive: Bool
    /// The recording they are replayed from.
    var recording: String?
    var environment: Environment
    /// Returns the password of this source.
    var password: @Sendable (PasswordSource) throws -> String
    /// Reads what is available from a descriptor, at most so many bytes; nothing at the end.
    var read: @Sendable (_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8]
    /// Called when the command of the process has ended with this exit code.
    var ended: @Sendable (_ code: Int32) -> Int32 = { $0 }

    private static let shared = Mutex<Surroundings>(.live)

    static var current: Surroundings { shared.withLock { $0 } }

    static func replace(by surroundings: Surroundings) { shared.withLock { $0 = surroundings } }
}

extension Moment {
    /// The time on the clocks of the command's surroundings.
    static var now: Moment { Surroundings.current.environment.clock() }
}

extension Surroundings {
    /// Reads from a descriptor of the system.
    static let systemRead: @Sendable (Int32, Int) throws(Failure) -> [UInt8] = { (descriptor, limit) throws(Failure) in
        do throws(FileError) {
            return try StandardStreams.read(limit, from: descriptor)
        } catch {
            throw Failure(.usage, error.reason)
        }
    }
}
