import MLS

/// The types that are read from the wire, for trying their decoders one by one.
enum WireType {
    private typealias Check = @Sendable ([UInt8]) throws -> Void

    private static let checks: [Check] = [
        check(MLSMessage.self), check(Welcome.self), check(GroupInfo.self), check(KeyPackage.self),
        check(LeafNode.self), check(RatchetTree.self), check(Proposal.self), check(Commit.self),
        check(UpdatePath.self), check(AuthenticatedContent.self), check(GroupSecrets.self), check(GroupContext.self),
        check(ReInit.self), check(RequiredCapabilities.self), check(PreSharedKeyID.self), check(Credential.self),
    ]

    /// Reads one type.
    ///
    /// - Throws: ``FuzzFinding`` if a value is not written as it was read.
    static func check(_ choice: UInt8, _ bytes: [UInt8]) throws {
        try checks[Int(choice) % checks.count](bytes)
    }

    private static func check<T: TLSDecodable & TLSEncodable & SendableMetatype>(_: T.Type) -> Check {
        { bytes in
            // Each value has only one encoding, so signatures made over what was read are valid for what is written.
            if try T(decoding: bytes).encoded != bytes {
                throw FuzzFinding("a \(T.self) is written otherwise than it was read")
            }
        }
    }

    /// Valid encodings, each after the byte that chooses it.
    static func seeds(_ scene: FuzzScene) throws(MLSError) -> [[UInt8]] {
        var seeds = (scene.messages + scene.welcomes + scene.groupInfos).map { [0] + $0 }
        for message in scene.welcomes + scene.groupInfos + scene.messages {
            switch try MLSMessage(decoding: message) {
            case .welcome(let welcome): seeds.append([1] + welcome.encoded)
            case .groupInfo(let info): seeds += [[2] + info.encoded, [11] + info.context.encoded]
            case .publicMessage(let message):
                switch message.content.body {
                case .proposal(let proposal): seeds.append([6] + proposal.encoded)
                case .commit(let commit):
                    seeds.append([7] + commit.encoded)
                    if let path = commit.path { seeds.append([8] + path.encoded) }
                case .application: break
                }
            case .privateMessage, .keyPackage: break
            }
        }
        let keyPackage = scene.joiner.keyPackage
        return seeds + [
            [3] + keyPackage.encoded, [4] + keyPackage.leafNode.encoded, [5] + (try scene.encodedTree()),
            [0] + MLSMessage.keyPackage(keyPackage).encoded, [13] + RequiredCapabilities().encoded,
            [12] + ReInit(groupID: [1], cipherSuite: .init(1), extensions: []).encoded,
            [14] + PreSharedKeyID(source: scene.psk.source, nonce: [1]).encoded,
            [15] + Credential.x509(chain: [[1], [2]]).encoded,
        ]
    }
}
