@testable import MLS
import Testing

/// RFC 9420 §2.1 and the structures around it: a type that does not exist is not a value, whatever follows.
struct UnknownTypeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let section: String
        let what: String
        /// A value of each type that exists.
        let valid: [[UInt8]]
        let decode: @Sendable ([UInt8]) throws -> Void

        init<T: TLSDecodable & TLSEncodable & SendableMetatype>(_ section: String, _ what: String, _ values: [T]) {
            self.section = section
            self.what = what
            valid = values.map(\.encoded)
            decode = { _ = try T(decoding: $0) }
        }

        var testDescription: String { "§\(section): \(what)" }
    }

    private static func rows() throws -> [Row] {
        let scene = try RuleScene()
        let leaf = try scene.leaf(RuleScene.honest)
        return [
            Row("6", "a content type", [ContentType.application, .proposal, .commit]),
            Row(
                "6", "a sender type", [Sender.member(LeafIndex(1)), .external(1), .newMemberProposal, .newMemberCommit]),
            Row(
                "12.4", "a ProposalOrRef type",
                [ProposalOrRef.proposal(.remove(LeafIndex(1))), .reference(ProposalRef([1, 2]))]),
            Row("7.8", "a node type", [Node.leaf(leaf), .parent(ParentNode(encryptionKey: [1], parentHash: [2]))]),
            Row(
                "7.2", "a leaf node source",
                [LeafNodeSource.keyPackage(World.lifetime), .update, .commit(parentHash: [1])]),
            Row(
                "8.4", "a PSK type",
                [PSKSource.external(id: [1]), .resumption(.application, groupID: [1], epoch: 1)]),
        ]
    }

    @Test func aTypeThatDoesNotExistIsMalformed() throws {
        for row in try Self.rows() {
            let known = Set(row.valid.map { $0[0] })
            for value in row.valid { try row.decode(value) }
            for type in UInt8.min...UInt8.max where !known.contains(type) {
                for value in row.valid {
                    expectError(.malformed, "\(row.testDescription) \(type)") {
                        try row.decode([type] + value.dropFirst())
                    }
                }
            }
        }
    }

    @Test func aResumptionHasOneOfThreeUsages() throws {
        for usage in [ResumptionUsage.application, .reinit, .branch] {
            let source = PSKSource.resumption(usage, groupID: [1], epoch: 1)
            #expect(try PSKSource(decoding: source.encoded) == source)
        }
        for usage in [0, 4, 255] as [UInt8] {
            expectError(.malformed) { try PSKSource(decoding: [2, usage, 1, 1] + [UInt8](repeating: 0, count: 8)) }
        }
    }
}
