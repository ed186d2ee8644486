import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite struct KeyPackageTests {
    private func package(_ text: String, lastResort: Bool = false) -> WireKeyPackageEntry {
        .with {
            $0.data = Data([0, 1, 0, 5] + Array(text.utf8))
            $0.isLastResort = lastResort
        }
    }

    private func take(_ owner: User, by user: User) async throws -> String {
        let reply = try await user.get("key-packages/\(owner.id)")
        try reply.expect(Outcome(200))
        return String(
            decoding: try reply.message(WireGetKeyPackageResponse.self).keyPackageData.dropFirst(4), as: UTF8.self)
    }

    @Test func oldestFirstThenTheLastResortForever() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let upload = WireUploadKeyPackageRequest.with {
                $0.keyPackageData = Data([0, 1, 0, 5])
                $0.entries = [package("one"), package("old last", lastResort: true), package("two")]
                $0.signingKeyFingerprint = String(repeating: "0f", count: 32)
            }
            #expect(try await alice.post("key-packages", upload).outcome == Outcome(200))
            let renewal = WireUploadKeyPackageRequest.with { $0.entries = [package("last", lastResort: true)] }
            #expect(try await alice.post("key-packages", renewal).outcome == Outcome(200))

            var taken: [String] = []
            for _ in 0..<5 { taken.append(try await take(alice, by: bob)) }
            #expect(taken == ["one", "two", "", "last", "last"])
            let info = try await bob.get("users/alice", WireUserInfoResponse.self)
            #expect(info.signingKeyFingerprint == String(repeating: "0f", count: 32))
        }
    }

    @Test func tenRegularOnesAreKept() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let upload = WireUploadKeyPackageRequest.with { $0.entries = (0..<13).map { package("\($0)") } }
            #expect(try await alice.post("key-packages", upload).outcome == Outcome(200))
            for number in 0..<10 { #expect(try await take(alice, by: bob) == "\(number)") }
            #expect(try await bob.get("key-packages/\(alice.id)").outcome == Outcome(404, 300))
        }
    }

    @Test func anUploadHasAtMostAHundred() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            for (count, expected) in [(101, Outcome(400, 100)), (100, Outcome(200))] {
                let upload = WireUploadKeyPackageRequest.with {
                    $0.entries = Array(repeating: package("x", lastResort: true), count: count)
                }
                #expect(try await alice.post("key-packages", upload).outcome == expected, "\(count)")
                let kept = try await alice.get("key-packages/\(alice.id)")
                #expect(kept.outcome == (expected.status == 200 ? Outcome(200) : Outcome(404, 300)))
            }
        }
    }

    @Test func eachIsHandedOutOnce() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let upload = WireUploadKeyPackageRequest.with { $0.entries = (0..<10).map { package("\($0)") } }
            try await alice.post("key-packages", upload).expect(Outcome(200))
            let taken = try await withThrowingTaskGroup(of: String.self) { tasks in
                for _ in 0..<10 { tasks.addTask { try await take(alice, by: bob) } }
                return try await tasks.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(taken.count == 10)
        }
    }

    @Test func whatIsNoKeyPackageIsRefused() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let malformed: [[UInt8]] = [
                [], [0, 1, 0], [0, 2, 0, 5], [0, 1, 0, 3, 9], [0, 1, 0, 5] + [UInt8](repeating: 0, count: 16_381),
            ]
            for bytes in malformed {
                let upload = WireUploadKeyPackageRequest.with {
                    $0.entries = [package("good"), .with { $0.data = Data(bytes) }]
                }
                #expect(try await alice.post("key-packages", upload).outcome == Outcome(400, 100), "\(bytes.prefix(8))")
            }
            #expect(try await alice.post("key-packages").outcome == Outcome(400, 100))
            #expect(try await alice.get("key-packages/\(alice.id)").outcome == Outcome(404, 300), "none was kept")
            #expect(try await alice.get("key-packages/\(try ID.random())").outcome == Outcome(404, 300))
            let largest = WireUploadKeyPackageRequest.with {
                $0.keyPackageData = Data([0, 1, 0, 5] + [UInt8](repeating: 7, count: 16_380))
            }
            #expect(try await alice.post("key-packages", largest).outcome == Outcome(200))
        }
    }

    @Test func resettingTheAccountDropsThemAndNothingElse() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            try await alice.post(
                "key-packages",
                WireUploadKeyPackageRequest.with { $0.entries = [package("a"), package("b", lastResort: true)] })
            #expect(try await alice.post("reset-account").outcome == Outcome(200))
            #expect(try await alice.get("key-packages/\(alice.id)").outcome == Outcome(404, 300))
            #expect(try await alice.groups().map(\.groupID) == [group.blob])
        }
    }
}
