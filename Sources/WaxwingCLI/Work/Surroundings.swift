import Synchronization
import Waxwing
import WaxwingCore

/// What a command needs from outside, apart from the profile: the network, time, randomness, a password, standard
/// input.
///
/// Every command is handed its own. A command that is recorded or replayed gets others. One that plays the next part of
/// a recording finds that out only when it opens its profile; see ``become(_:ended:)``.
final class Surroundings: Sendable {
    private struct Parts: Sendable {
        var recording: String?
        var isLive: Bool
        var environment: Environment
        var password: @Sendable (PasswordSource) throws -> String
        var read: @Sendable (_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8]
        var ended: @Sendable (_ code: Int32) -> Int32 = { $0 }
    }

    private let parts: Mutex<Parts>

    /// - Parameters:
    ///   - isLive: whether they are those of the machine, neither recorded nor replayed.
    ///   - recording: the recording they are replayed from.
    ///   - password: returns the password of a source.
    ///   - read: reads what is available from a descriptor, at most so many bytes; nothing at the end.
    init(
        isLive: Bool = false, recording: String? = nil, environment: Environment,
        password: @escaping @Sendable (PasswordSource) throws -> String,
        read: @escaping @Sendable (_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8]
    ) {
        parts = Mutex(
            Parts(recording: recording, isLive: isLive, environment: environment, password: password, read: read))
    }

    /// The machine's own.
    static func live() -> Surroundings {
        Surroundings(
            isLive: true, environment: .live { Console.note($0) }, password: { try $0.read() },
            read: InputBytes.readSystem)
    }

    /// Takes everything from others from now on.
    ///
    /// - Parameter ended: called with the command's exit code when it has ended; returns that of the process.
    func become(_ others: Surroundings, ended: @escaping @Sendable (_ code: Int32) -> Int32) {
        var new = others.parts.withLock { $0 }
        new.ended = ended
        parts.withLock { [new] in $0 = new }
    }

    /// Whether they are those of the machine, neither recorded nor replayed.
    var isLive: Bool { parts.withLock { $0.isLive } }

    /// The recording they are replayed from.
    var recording: String? { parts.withLock { $0.recording } }

    var environment: Environment { parts.withLock { $0.environment } }

    /// The time on their clocks.
    func now() -> Moment { environment.clock() }

    /// - Throws: ``Failure`` if there is none, or it is not UTF-8.
    func password(_ source: PasswordSource) throws -> String { try parts.withLock { $0.password }(source) }

    /// Reads what is available from a descriptor, at most so many bytes; nothing at the end.
    func read(_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8] {
        try parts.withLock { $0.read }(descriptor, count)
    }

    /// Called when the command of the process has ended.
    ///
    /// - Returns: the exit code of the process.
    func end(_ code: Int32) -> Int32 { parts.withLock { $0.ended }(code) }
}
