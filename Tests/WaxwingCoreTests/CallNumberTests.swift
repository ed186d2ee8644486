import ConclaveProtocol
import MLSOpenSSL
import Testing

@testable import WaxwingCore

struct CallNumberTests {
    /// A request that is cancelled when a run ends may report back in the middle of the next one.
    @Test func lateAnswerOfAnEarlierRunIsNotTakenForThatOfANewCall() throws {
        let store = MemoryStore()
        var core = try ClientCore(store: store, provider: OpenSSLProvider(), entropy: SeededEntropy(1))
        let user = try #require(ID([UInt8](repeating: 7, count: 16)))
        let session = Session(token: "token", userID: user, username: "alice")
        let now = Moment(wall: Instant(milliseconds: 1_000_000))

        func calls(of input: Input) throws -> Set<CallID> {
            let batch = try core.handle(input, now: now)
            if !batch.changes.isEmpty { _ = try store.commit(batch.changes) }
            return Set(
                batch.effects.compactMap { effect in
                    if case .send(let id, _) = effect { id } else { nil }
                })
        }

        _ = try calls(of: .perform(.signIn(session, serverURL: "https://example.org")))
        let first = try calls(of: .connect(live: false))
        _ = try calls(of: .disconnect)
        let second = try calls(of: .connect(live: false))
        #expect(!first.isEmpty && !second.isEmpty)
        #expect(first.isDisjoint(with: second))
    }
}
