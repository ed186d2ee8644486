import MLS

/// The doors of a group and of the engine, to be tried with bytes.
///
/// The first byte of an input chooses the scene: whether all hashes are equal or none are.
public struct FuzzTarget: Sendable {
    private let scenes: [FuzzScene]

    public init() throws(MLSError) {
        scenes = [try FuzzScene(hashesAreEqual: false), try FuzzScene(hashesAreEqual: true)]
    }

    /// Tries a door. It should give errors; a trap or a throw is a finding.
    ///
    /// - Throws: ``FuzzFinding`` if the engine accepts the bytes and then breaks a promise.
    public func enter(_ door: FuzzDoor, _ input: [UInt8]) throws {
        _ = try takes(door, input)
    }

    /// Tries a door.
    ///
    /// - Returns: whether the input was accepted.
    /// - Throws: ``FuzzFinding``.
    public func takes(_ door: FuzzDoor, _ input: [UInt8]) throws -> Bool {
        guard let choice = input.first else { return false }
        let scene = scenes[Int(choice) % scenes.count]
        let bytes = Array(input.dropFirst())
        do {
            switch door {
            case .decode: try WireType.check(choice, bytes)
            case .tree: try scene.validateTree(bytes)
            case .welcome: try scene.join(bytes)
            case .groupInfo: try scene.joinExternally(bytes)
            case .handle: try scene.handle(bytes)
            case .restore: try scene.restore(bytes)
            case .staged: try scene.takeStaged(bytes)
            case .bundle: try scene.restoreBundle(bytes)
            case .successor: try scene.joinSuccessor(bytes)
            case .outside: try scene.proposeFromOutside(bytes)
            }
            return true
        } catch is MLSError {
            // Refused, as most inputs should be.
            return false
        }
    }

    /// Valid inputs to start from.
    public func seeds(for door: FuzzDoor) throws(MLSError) -> [[UInt8]] {
        var seeds: [[UInt8]] = []
        for (number, scene) in scenes.enumerated() {
            if door == .decode {
                if number == 0 { seeds += try WireType.seeds(scene) }
                continue
            }
            let inputs: [[UInt8]] =
                switch door {
                case .decode: []
                case .tree: [try scene.encodedTree()]
                case .welcome: scene.welcomes
                case .groupInfo, .outside: scene.groupInfos
                case .handle: scene.messages
                case .restore: [scene.storedRecords()]
                case .staged: scene.stagedCommits
                case .bundle: [scene.joiner.serialized, scene.successor.serialized]
                case .successor: scene.successorWelcomes
                }
            seeds += inputs.map { [UInt8(number)] + $0 }
        }
        return seeds
    }
}
