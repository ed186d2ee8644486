import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §12.4.3 and §12.4.3.1: Welcomes and GroupInfos that a member has sealed and signed properly, but that break
/// a rule.
struct WelcomeRuleTests {
    /// What is wrong with one of them.
    struct Row: Sendable, CustomTestStringConvertible {
        let section: String
        let wrong: String
        let code: MLSError.Code
        let change: @Sendable (inout OpenedWelcome, any SuiteCrypto) -> Void
        /// Whether it is wrong for those, too, who join by an external commit.
        let concernsExternalJoiners: Bool

        var testDescription: String { "§\(section): \(wrong)" }

        init(
            _ section: String, _ wrong: String, _ code: MLSError.Code, external: Bool = false,
            _ change: @escaping @Sendable (inout OpenedWelcome, any SuiteCrypto) -> Void
        ) {
            self.section = section
            self.wrong = wrong
            self.code = code
            self.change = change
            concernsExternalJoiners = external
        }
    }

    private static let unknown = Extension(ExtensionType(0xF00D), data: [])

    private static let rows: [Row] = [
        Row("12.4.3.1", "another confirmation tag", .invalidTag) { welcome, _ in welcome.confirmationTag[0] ^= 1 },
        Row("12.4.3.1", "an empty confirmation tag", .invalidTag) { welcome, _ in welcome.confirmationTag = [] },
        Row("12.4.3", "another member's signature", .invalidSignature, external: true) { welcome, _ in
            welcome.signedByAnother = true
        },
        Row("12.4.3.1", "a signer that is blank", .invalidWelcome, external: true) { welcome, _ in
            welcome.signer = LeafIndex(5)
        },
        Row("12.4.3.1", "a signer outside of any tree", .invalidWelcome, external: true) { welcome, _ in
            welcome.signer = LeafIndex(.max)
        },
        Row("12.4.3.1", "another epoch", .invalidTag) { welcome, _ in welcome.context.epoch += 1 },
        Row("12.4.3.1", "another transcript", .invalidTag) { welcome, _ in
            welcome.context.confirmedTranscriptHash = []
        },
        Row("7.3", "another group than the leaves were signed for", .invalidSignature, external: true) { welcome, _ in
            welcome.context.groupID = [1]
        },
        Row("12.4.3.3", "another tree hash", .invalidTree, external: true) { welcome, _ in
            welcome.context.treeHash[0] ^= 1
        },
        Row("12.4.3.1", "another suite", .invalidWelcome, external: true) { welcome, _ in
            welcome.context.suite = .x25519_chacha20poly1305_sha256_ed25519
        },
        Row("13.4", "a group extension that nobody supports", .invalidTree, external: true) { welcome, _ in
            welcome.context.extensions = [unknown]
        },
        Row("13.4", "one extension twice", .malformed, external: true) { welcome, _ in
            welcome.extensions += [unknown, unknown]
        },
        Row("12.4.3.3", "no tree", .invalidWelcome, external: true) { welcome, _ in
            welcome.extensions.removeAll { $0.type == .ratchetTree }
        },
        Row("12.4.3.3", "no tree in the tree", .malformed, external: true) { welcome, _ in
            welcome.setTree([1])
        },
        Row("12.4.3.3", "a tree that ends with a blank", .invalidTree, external: true) { welcome, crypto in
            welcome.changeNodes(crypto) { $0.append(nil) }
        },
        Row("7.9.2", "a parent that nobody has made", .invalidTree, external: true) { welcome, crypto in
            welcome.changeNodes(crypto) { nodes in
                nodes.change(1) { $0.parentHash[0] ^= 1 }
            }
        },
        Row("7.1", "unmerged leaves out of order", .malformed, external: true) { welcome, crypto in
            welcome.changeNodes(crypto) { nodes in
                nodes.change(3) { $0.unmergedLeaves = [LeafIndex(3), LeafIndex(2)] }
            }
        },
        Row("12.4.3.1", "an unmerged leaf that is not below", .invalidTree, external: true) { welcome, crypto in
            welcome.changeNodes(crypto) { nodes in
                nodes.change(1) { $0.unmergedLeaves = [LeafIndex(2)] }
            }
        },
        Row("12.4.3.1", "an unmerged leaf that is blank", .invalidTree, external: true) { welcome, crypto in
            welcome.changeNodes(crypto) { nodes in
                nodes.change(7) { $0.unmergedLeaves.append(LeafIndex(7)) }
            }
        },
        Row("7.3", "a key of two nodes", .invalidTree, external: true) { welcome, crypto in
            welcome.changeNodes(crypto) { nodes in
                let key = nodes[3]?.encryptionKey ?? []
                nodes.change(1) { $0.encryptionKey = key }
            }
        },
        Row("12.4.3.1", "another path secret", .invalidWelcome) { welcome, _ in
            welcome.pathSecret = Secret([1, 2, 3])
        },
        Row("12.4.3.1", "another joiner secret", .invalidTag) { welcome, _ in
            welcome.joinerSecret = Secret([1, 2, 3])
        },
        Row("12.4.3.1", "a PSK that the joiner does not have", .unknownReference) { welcome, crypto in
            welcome.psks = [
                .init(source: .external(id: [1]), nonce: [UInt8](repeating: 0, count: crypto.suite.hashLength))
            ]
        },
        Row("12.4.3.1", "a group that goes on from one the joiner has not given", .unknownReference) { welcome, _ in
            welcome.psks = [.init(source: .resumption(.reinit, groupID: [1], epoch: 1), nonce: [])]
        },
        Row("8.4", "a PSK nonce that is too short", .invalidWelcome) { welcome, _ in
            welcome.psks = [.init(source: .external(id: [1]), nonce: [])]
        },
    ]

    @Test(arguments: rows)
    func aWelcomeThatBreaksItIsRefused(row: Row) throws {
        let scene = try JoinScene()
        var changed = scene.original
        row.change(&changed, scene.crypto)
        expectError(row.code, row.testDescription) { try scene.join(changed) }
        // The original lets the joiner in.
        #expect(try scene.join(scene.original).epochAuthenticator == scene.staged.next?.epochAuthenticator)
    }

    @Test(arguments: rows.filter(\.concernsExternalJoiners))
    func aGroupInfoThatBreaksItLetsNobodyIn(row: Row) throws {
        let scene = try JoinScene()
        var changed = scene.original
        row.change(&changed, scene.crypto)
        expectError(row.code, row.testDescription) { try scene.joinExternally(changed) }
        _ = try scene.joinExternally(scene.original)
    }

    @Test func aGroupInfoWithoutAnExternalKeyLetsNobodyIn() throws {
        let scene = try JoinScene()
        var changed = scene.original
        changed.extensions.removeAll { $0.type == .externalPub }
        expectError(.invalidWelcome) { try scene.joinExternally(changed) }
        changed.extensions.append(Extension(.externalPub, data: [5]))
        expectError(.malformed) { try scene.joinExternally(changed) }
    }

    @Test func aLeafWhoseSignatureIsFalseLetsNobodyIn() throws {
        // In a group without parents, so that no parent hash gives it away before the signature does.
        let scene = try JoinScene(flat: true)
        var changed = scene.original
        changed.changeNodes(scene.crypto) { nodes in
            guard var bytes = nodes[2]?.encoded else { return }
            bytes[bytes.count - 1] ^= 1
            // A signature may be any bytes.
            nodes[2] = (try? Node(decoding: bytes)) ?? nil
        }
        #expect(changed.context.treeHash != scene.original.context.treeHash)
        expectError(.invalidSignature) { try scene.join(changed) }
        expectError(.invalidSignature) { try scene.joinExternally(changed) }
        _ = try scene.join(scene.original)
    }

    @Test func aWelcomeForSomebodyElseIsRefused() throws {
        var scene = try JoinScene()
        let stranger = try scene.world.newBundle().bundle
        let welcome = try scene.original.seal(for: scene.bundle, scene)
        expectError(.notForUs) {
            try Group.join(welcome: welcome, bundles: [stranger], crypto: scene.crypto, now: World.now)
        }
        // Sealed to a client that the commit did not add.
        let misled = try scene.original.seal(for: stranger, scene)
        expectError(.invalidWelcome) {
            try Group.join(welcome: misled, bundles: [stranger], crypto: scene.crypto, now: World.now)
        }
        let other = try suite(3)
        expectError(.unsupported) {
            try Group.join(welcome: welcome, bundles: [scene.bundle], crypto: other, now: World.now)
        }
    }
}
