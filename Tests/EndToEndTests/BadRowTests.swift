import ConclaveProtocol
import Foundation
import SwiftProtobuf
import Testing

extension EndToEnd {
    @Suite struct BadRowTests {
        @Test func rowsThatCannotBeOpenedAreShownAndBlockNothing() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                try await alice.run("send", "room", "before")
                let port = await stage.server.port
                let good = try #require(try await ServerLog.read("room", as: alice, at: port).last).message
                var changed = good
                changed[good.count - 1] ^= 1
                // A member with a broken or hostile client may put anything into the log.
                let bad: [[UInt8]] = [
                    [0], Array("not MLS at all".utf8), Array(good.prefix(good.count / 2)), changed, good + [0],
                    [UInt8](repeating: 0xFF, count: 100_000),
                    Array(good.prefix(4)) + [UInt8](repeating: 0xFF, count: 64),
                ]
                for (number, message) in bad.enumerated() {
                    try await ServerLog.append(message, to: "room", as: bob, at: port)
                    try await alice.run("send", "room", "after \(number)")
                }
                let texts = ["before"] + bad.indices.map { "after \($0)" }
                for person in people {
                    try await person.sync()
                    let history = try await person.history("room")
                    #expect(history.compactMap(\.text) == texts, "\(person.name)")
                    let unreadable = history.filter { $0.kind == "unreadable" }
                    #expect(unreadable.count == bad.count, "\(person.name): \(unreadable)")
                    #expect(unreadable.allSatisfy { $0.sender == "bob" && $0.reason != nil })
                    let words = try await person.run("read", "room", "--all").output
                    #expect(words.contains("could not be opened"), "\(words)")
                }
            }
        }

        @Test func aRowChangedOnTheWayIsShownAsSuchAndTheNextIsRead() async throws {
            try await withStage(hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                try await alice.run("send", "room", "--lines", input: "one\ntwo\nthree")
                network.play { request in
                    guard request.isPage else { return .pass }
                    return .change { answer in
                        guard var page = try? WireGetMessagesResponse(serializedBytes: answer.body) else { return }
                        // The middle one of the three.
                        let place = page.messages.count - 2
                        guard place > 0 else { return }
                        page.messages[place].mlsMessage[page.messages[place].mlsMessage.count / 2] ^= 0x40
                        answer.body = (try? page.serializedBytes()) ?? []
                    }
                }
                try await bob.sync()
                network.heal()
                try await alice.run("send", "room", "four")
                try await bob.sync()
                let history = try await bob.history("room").filter { $0.kind != "system" }
                #expect(history.map { $0.text ?? $0.kind } == ["one", "unreadable", "three", "four"], "\(history)")
            }
        }

        /// Noise, half a row, hardly anything, and far too much.
        @Test(arguments: ["noise", "half", "a byte", "too much"])
        func anyRowMayBeReplacedByAnything(kind: String) async throws {
            try await withStage(hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                var expected: [String] = []
                for place in 0..<4 {
                    let lines = (0..<4).map { "\(place).\($0)" }
                    try await alice.run("send", "room", "--lines", input: lines.joined(separator: "\n"))
                    network.play { request in
                        guard request.isPage else { return .pass }
                        return .change { answer in
                            guard var page = try? WireGetMessagesResponse(serializedBytes: answer.body),
                                page.messages.count > 4
                            else { return }
                            let index = page.messages.count - 4 + place
                            let row = page.messages[index].mlsMessage
                            page.messages[index].mlsMessage =
                                switch kind {
                                case "noise": Data(row.map { $0 &* 31 &+ 7 })
                                case "half": row.prefix(row.count / 2)
                                case "a byte": Data([UInt8(place)])
                                default: row + Data(count: 3 << 20)
                                }
                            answer.body = (try? page.serializedBytes()) ?? []
                        }
                    }
                    try await bob.sync()
                    network.heal()
                    expected += lines.enumerated().map { $0.offset == place ? "unreadable" : $0.element }
                }
                let history = try await bob.history("room").filter { $0.kind != "system" }
                #expect(history.map { $0.text ?? $0.kind } == expected)
                try await bob.run("send", "room", "still here")
                try await alice.sync()
                #expect(try await alice.texts("room").last == "still here")
            }
        }

        /// Without the commit, no one can follow: he notices, and comes back from outside.
        @Test func aCommitReplacedOnTheWayIsMadeGood() async throws {
            try await withStage(hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                let epoch = try await alice.details("room").epoch
                try await alice.run("group", "rotate", "room")
                try await alice.run("send", "room", "under new keys")
                network.play { request in
                    guard request.isPage else { return .pass }
                    return .change { answer in
                        guard var page = try? WireGetMessagesResponse(serializedBytes: answer.body),
                            page.messages.count > 2
                        else { return }
                        page.messages[page.messages.count - 2].mlsMessage = Data([1, 2, 3])
                        answer.body = (try? page.serializedBytes()) ?? []
                    }
                }
                try await bob.sync()
                network.heal()
                try await stage.settle(people)
                try await alice.run("send", "room", "for both")
                try await bob.sync()
                #expect(try await bob.texts("room") == ["for both"])
                let details = try await [alice.details("room"), bob.details("room")]
                #expect(Set(details.map(\.epochAuthenticator)).count == 1)
                #expect(details.allSatisfy { $0.epoch == epoch + 2 }, "\(details)")
            }
        }

        @Test func whoWasRemovedWhileAwayIsToldSo() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob", "carol")
                let (alice, bob, carol) = (people[0], people[1], people[2])
                try await stage.room(people)
                try await alice.run("send", "room", "while bob was in")
                try await alice.run("group", "remove", "room", "bob")
                try await carol.run("send", "room", "without bob")

                // What bob wrote in the meantime can no longer go out; it is kept, with the reason.
                try await bob.run("send", "room", "too late", "--queue")
                let run = try await bob.attempt("sync")
                #expect(run.status == 0 || run.status == 9, "\(run.status) \(run.errors)")
                let words = try await bob.run("read", "room").output
                #expect(words.contains("you were removed") || words.contains("you are no longer"), "\(words)")
                #expect(!words.contains("without bob"), "\(words)")
                #expect(try await bob.details("room").status == "removed")
                #expect(try await bob.outbox().map(\.text) == ["too late"])
                let refused = try await bob.attempt("send", "room", "again")
                #expect(refused.status == 14 && refused.errors.contains("no longer a member"), "\(refused.errors)")

                try await stage.settle([alice, carol])
                try await expectConverged([alice, carol], sent: [alice: ["while bob was in"], carol: ["without bob"]])
            }
        }
    }
}
