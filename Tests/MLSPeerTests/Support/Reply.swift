import Testing

@testable import MLSPeer

/// An answer as the other side of the line sees it.
struct Reply {
    let line: String
    let fields: [String: PeerJSON]

    init(_ line: String) throws {
        self.line = line
        guard case .object(let fields) = try JSONReader.read(Array(line.utf8)) else {
            throw PeerError("no object: \(line)")
        }
        self.fields = fields
    }

    subscript(name: String) -> PeerJSON { fields[name] ?? .null }

    var isOK: Bool { self["ok"] == true }

    /// What went wrong, of a reply that is not ok.
    var error: String { if case .string(let text) = self["error"] { text } else { "" } }

    func integer(_ name: String) throws -> Int {
        guard case .integer(let value) = self[name] else { throw PeerError("no integer \(name): \(line)") }
        return Int(value)
    }
}
