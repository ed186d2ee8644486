import Foundation
import Testing

@testable import MLSPeer

/// Random lives of groups whose members live in two processes; a seed decides everything about a life except its keys.
///
/// Any two front ends of the line protocol can be run against each other in this way: `WAXWING_MLS_PEERS` names their
/// executables, separated by a colon, `WAXWING_MLS_PEER_SEEDS` a range of seeds like `1-50`. Only ops and suites that
/// both know are used.
struct RandomLifeProcessTests {
    @Test(arguments: seeds)
    func twoProcessesNeverDisagree(seed: UInt64) throws {
        let own = try PeerProcess.own
        let named = Self.environment("WAXWING_MLS_PEERS").split(separator: ":").map(String.init)
        let executables = named.isEmpty ? [own, own] : named
        let partners = try executables.enumerated().map { number, executable in
            let process = try PeerProcess(executable)
            return Partner("process \(number)", isOurs: executable == own) { try process.answer($0) }
        }
        var life = try RandomLife(seed: seed, partners: partners)
        for step in 0..<150 {
            do {
                try life.step()
                try life.circle.expectAgreement(fully: step % 5 == 0)
            } catch {
                throw PeerError("seed \(seed), step \(step): \(error)")
            }
        }
        for partner in partners { try partner.ask("quit") }
    }

    private static var seeds: [UInt64] {
        let range = environment("WAXWING_MLS_PEER_SEEDS")
        let ends = (range.isEmpty ? "1-2" : range).split(separator: "-").compactMap { UInt64($0) }
        guard let first = ends.first, let last = ends.last, first <= last else { return [] }
        return Array(first...last)
    }

    /// A variable that is empty counts as not set.
    private static func environment(_ name: String) -> String { ProcessInfo.processInfo.environment[name] ?? "" }
}
