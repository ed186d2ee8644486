import MLS
import MLSOpenSSL
import MLSPeer
import Testing

@testable import MLSPeer

/// One peer, wherever it runs, as seen by those who send it lines. Each answer's form is checked against
/// ``AnswerForm``.
final class Partner {
    let name: String
    /// The ops that have been carried out.
    private(set) var exercised: Set<String> = []
    private let send: (String) throws -> String
    private let isOurs: Bool
    private var asked: Int64 = 0

    /// - Parameter isOurs: the front ends of others may tell more than the protocol asks for.
    init(_ name: String, isOurs: Bool = true, send: @escaping (String) throws -> String) {
        self.name = name
        self.isOurs = isOurs
        self.send = send
    }

    /// A peer inside of this process.
    convenience init(_ name: String) {
        var peer = Self.peer()
        self.init(name) { peer.answer($0) }
    }

    static func peer(entropy: any EntropySource = SystemEntropy(), now: UInt64 = 1_800_000_000) -> Peer {
        Peer(provider: OpenSSLProvider(), entropy: entropy, clock: { now })
    }

    var identity: PeerJSON { .hex(Array(name.utf8)) }

    /// Expects the request to be carried out.
    @discardableResult
    func ask(
        _ op: String, _ fields: [String: PeerJSON] = [:], at location: SourceLocation = #_sourceLocation
    ) throws -> Reply {
        let reply = try send(op, fields)
        if !reply.isOK { throw PeerError("\(name) \(op): \(reply.error) (\(location))") }
        exercised.insert(op)
        AnswerForm.check(reply, op: op, request: fields, exactly: isOurs, at: location)
        return reply
    }

    /// Expects the request to be refused.
    ///
    /// - Returns: the reason that was given.
    @discardableResult
    func refused(
        _ op: String, _ fields: [String: PeerJSON] = [:], at location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let reply = try send(op, fields)
        #expect(!reply.isOK, "\(op) was carried out", sourceLocation: location)
        #expect(Set(reply.fields.keys) == ["id", "ok", "error"], sourceLocation: location)
        #expect(!reply.error.isEmpty, sourceLocation: location)
        return reply.error
    }

    private func send(_ op: String, _ fields: [String: PeerJSON]) throws -> Reply {
        asked += 1
        let id = PeerJSON.integer(asked)
        let request = fields.merging(["op": .string(op), "id": id]) { $1 }
        let reply = try Reply(try send(PeerJSON.object(request).text))
        #expect(reply["id"] == id)
        return reply
    }
}
