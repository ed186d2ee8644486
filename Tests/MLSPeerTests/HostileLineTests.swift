import Testing

@testable import MLSPeer

/// Lines that no one in their right mind would send, among those of a whole life.
struct HostileLineTests {
    /// A life is recorded and lived again; before each request come some that have been tampered with. What is refused
    /// must leave no trace: all answers are, byte for byte, those of the first time.
    @Test(arguments: [false, true])
    func whatIsRefusedLeavesNoTrace(encrypt: Bool) throws {
        // Ed25519 signs without a random number, so equal entropy gives equal bytes.
        let records = try record(suite: 1, encrypt: encrypt)
        var mutation = LineMutation(seed: encrypt ? 1 : 2)
        var refused = 0
        for (seed, record) in records.enumerated() {
            let entropy = ReplayEntropy(seed: UInt64(seed))
            var peer = Partner.peer(entropy: entropy)
            for (request, answer) in record.lines {
                for _ in 0..<3 {
                    let position = entropy.position
                    let line = try mutation.mutate(request)
                    var trial = peer
                    let reply = try Reply(String(decoding: trial.answer(line), as: UTF8.self))
                    entropy.position = position
                    if reply.isOK { continue }
                    refused += 1
                    #expect(!reply.error.isEmpty)
                    peer = trial
                }
                let again = peer.answer(request)
                if again != answer { throw PeerError("\(request) is answered \(again), not \(answer)") }
            }
        }
        #expect(refused > 500)
    }

    private final class Record {
        var lines: [(request: String, answer: String)] = []
    }

    /// What each partner of a life was asked and what it answered.
    private func record(suite: UInt16, encrypt: Bool) throws -> [Record] {
        var records: [Record] = []
        let life = try GroupLife(suite: suite, encrypt: encrypt, inlineTree: !encrypt) { name in
            let record = Record()
            var peer = Partner.peer(entropy: ReplayEntropy(seed: UInt64(records.count)))
            records.append(record)
            return Partner(name) { line in
                let answer = peer.answer(line)
                record.lines.append((line, answer))
                return answer
            }
        }
        try life.run()
        return records
    }
}
