import Foundation
import MLS
import MLSFuzz
import MLSVectorRunner
import Testing

/// A short run of what `make fuzz` does for long: every door is tried with what the mutator makes of valid inputs.
struct FuzzTests {
    private static let target = Result { try FuzzTarget() }

    /// Prints what repeats it: the seed is also the number of the input.
    @Test(arguments: FuzzDoor.allCases)
    func noInputBreaksADoor(door: FuzzDoor) throws {
        let target = try Self.target.get()
        let foreign = VectorTests.folder.map { VectorMessages.read(folders: [$0], atMost: 8) } ?? []
        let mutator = try Mutator(door: door, target: target, foreign: foreign)
        for seed in 0..<Self.rounds(of: door) {
            let input = mutator.next(random: FuzzRandom(seed: seed))
            do {
                try target.enter(door, input)
            } catch {
                Issue.record("door \(door.rawValue), seed \(seed): \(error): \(hex(input))")
            }
        }
    }

    /// In a debug build, a round takes between a tenth of a millisecond and a few milliseconds.
    private static func rounds(of door: FuzzDoor) -> UInt64 {
        switch door {
        case .decode, .tree: 3_000
        case .welcome, .groupInfo: 600
        case .handle: 250
        case .restore, .staged: 150
        case .bundle, .outside: 1_000
        case .successor: 400
        }
    }

    /// The seeds are good for something: they are accepted, so what is made of them gets far.
    @Test(arguments: FuzzDoor.allCases)
    func theSeedsAreTaken(door: FuzzDoor) throws {
        let target = try Self.target.get()
        let seeds = try target.seeds(for: door)
        var taken = 0
        for seed in seeds where try target.takes(door, seed) { taken += 1 }
        // If all hashes are equal, trees of two committers are not valid.
        #expect(taken * 3 >= seeds.count, "\(taken) of \(seeds.count)")
    }

    /// Messages of a member with the right keys, changed inside and sealed again: real signatures, tags and hashes.
    @Test func noCommitThatIsSignedAnewBreaksTheGroup() throws {
        let scene = try RuleScene()
        let random = FuzzRandom(seed: 1)
        let mutator = try Mutator(door: .handle, target: try Self.target.get())
        var seeds = try [
            scene.forgeCommit(), scene.forgeCommit([.add(try scene.keyPackage())]),
            scene.forgeCommit([.remove(RuleScene.other)]), scene.forge(.remove(RuleScene.other)),
            scene.forge(.add(try scene.keyPackage())),
        ]
        seeds += try [nil, RuleScene.honest].map { try Intruder(scene, as: $0).commit(scene) { [$0] } }
        let before = scene.victim.records().map(\.value)
        for round in 0..<150 {
            let changed = mutator.mutate([0] + seeds[round % seeds.count], random: random)
            // If the bytes are no longer a message, there is nothing to sign.
            guard case .publicMessage(let message)? = try? MLSMessage(decoding: changed.dropFirst()) else { continue }
            let forged = try scene.forge(message.content.body, sender: message.content.sender)
            do {
                var group = scene.victim
                switch try group.process(forged, now: World.now) {
                case .proposal(let pending): try group.storeProposal(pending)
                case .commit(let staged): try group.merge(staged)
                }
            } catch {
                // Refused, as nearly all are.
            }
        }
        #expect(scene.victim.records().map(\.value) == before)
    }
}
