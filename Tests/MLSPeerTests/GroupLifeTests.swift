import Foundation
import MLS
import Testing

@testable import MLSPeer

/// Whole lives of a group, told line by line among peers that share nothing but the lines.
struct GroupLifeTests {
    /// Every suite, with its handshakes alternately in the clear or encrypted; `WAXWING_MLS_PEER_LIVES=all` (`make
    /// peers`) does both for each.
    private static let lives: [(CipherSuite, Bool)] =
        if ProcessInfo.processInfo.environment["WAXWING_MLS_PEER_LIVES"] == "all" {
            CipherSuite.allCases.flatMap { [($0, false), ($0, true)] }
        } else {
            CipherSuite.allCases.enumerated().map { ($0.element, $0.offset % 2 == 0) }
        }

    @Test(arguments: lives)
    func aGroupLivesThroughAllOps(suite: CipherSuite, encrypt: Bool) throws {
        try live(suite, encrypt: encrypt, inlineTree: encrypt)
    }

    @Test(arguments: [false, true])
    func howTheTreeTravelsHasNothingToDoWithTheFraming(encrypt: Bool) throws {
        try live(.x25519_aes128gcm_sha256_ed25519, encrypt: encrypt, inlineTree: !encrypt)
    }

    private func live(_ suite: CipherSuite, encrypt: Bool, inlineTree: Bool) throws {
        let life = try GroupLife(suite: suite.rawValue, encrypt: encrypt, inlineTree: inlineTree)
        try life.run()
        let known = try #require(life.partners[0].ask("info")["ops"].elements)
        let exercised = life.partners.reduce(into: Set<String>()) { $0.formUnion($1.exercised) }
        #expect(Set(known.compactMap(\.string)).subtracting(exercised) == [], "every op has been exercised")
    }
}

extension PeerJSON {
    fileprivate var elements: [PeerJSON]? { if case .array(let values) = self { values } else { nil } }
    fileprivate var string: String? { if case .string(let text) = self { text } else { nil } }
}
