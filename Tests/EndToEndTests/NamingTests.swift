import Foundation
import Testing

extension EndToEnd {
    /// Names, with real processes and a server that swaps them.
    @Suite struct NamingTests {
        private struct Line: Decodable {
            var sender: String
            var senderID: String
            var text: String?
        }

        private struct Trust: Decodable {
            var username: String
            var userID: String
            var claimedName: String?
        }

        /// Every list of groups calls bob eve, and eve bob.
        @Sendable private static func swapNames(_ request: HTTPRequest) -> FaultyProxy.Fate {
            guard request.method == "GET", request.path.hasSuffix("/groups") else { return .pass }
            return .change { answer in
                var rest = answer.body[...]
                var body: [UInt8] = []
                while let first = rest.first {
                    let other = rest.starts(with: "bob".utf8) ? "eve" : rest.starts(with: "eve".utf8) ? "bob" : nil
                    if let other {
                        body += Array(other.utf8)
                        rest = rest.dropFirst(3)
                    } else {
                        body.append(first)
                        rest = rest.dropFirst()
                    }
                }
                answer.body = body
            }
        }

        @Test(arguments: Variant.chosen(for: "swapped names", .seen))
        func swappedNamesChangeNothingBeforeThePersonSaysSo(_ variant: Variant) async throws {
            try await withStage(variant.ordering, hasNetwork: true, store: variant.store) { stage in
                let people = try await stage.people("alice", "bob", "eve")
                let (alice, bob, eve) = (people[0], people[1], people[2])
                try await stage.room(people)
                for person in [bob, eve] { try await person.write("this is \(person.name)") }
                try await alice.sync()
                let before = try await alice.run("read", "room").output
                let known = try await alice.run("trust", "show", "--json").json(Trust.self)
                let bobsID = try #require(known.first { $0.username == "bob" }?.userID)

                try #require(stage.network).play(Self.swapNames)
                let sync = try await alice.run("sync", "--now").output
                for (name, other) in [("bob", "eve"), ("eve", "bob")] {
                    #expect(sync.contains("\(name) is called \(other) by the server now"), "\(sync)")
                }
                #expect(try await !alice.run("sync", "--now").output.contains("by the server now"), "it is told once")
                #expect(try await alice.run("read", "room").output == before)
                let shown = try await alice.run("group", "show", "room").output
                #expect(shown.contains("is called eve by the server now"), "\(shown)")
                let trust = try await alice.run("trust", "show", "bob").output
                #expect(trust.contains("waxwing trust rename bob"), "\(trust)")

                let none = try await alice.attempt("trust", "rename", "alice")
                #expect(none.status == 14, "\(none.errors)")
                let taken = try #require(try await alice.run("trust", "rename", "bob", "--json").json(Trust.self).first)
                // There is another eve: the two are told apart.
                let form = "eve.\(bobsID.prefix(8))"
                #expect(taken.username == form && taken.userID == bobsID && taken.claimedName == nil)
                let lines = try await alice.run("read", "room", "--json").json(Line.self)
                #expect(lines.first { $0.text == "this is bob" }?.sender == form)
                #expect(lines.first { $0.text == "this is bob" }?.senderID == bobsID)
                #expect(Set(lines.filter { $0.text != nil }.map(\.sender)).count == 2)
                #expect(lines.filter { $0.text != nil }.allSatisfy { $0.sender.hasPrefix("eve.") })

                let refused = try await alice.attempt("group", "remove", "room", "eve")
                #expect(refused.status == 64 && refused.errors.contains(form), "\(refused.errors)")
                let removed = try await alice.run("group", "remove", "room", form).output
                #expect(removed.contains("removed \(form) from room"), "\(removed)")
                try await alice.sync()
                let left = try await alice.run("group", "show", "room", "--json").json(GroupDetails.self).first
                #expect(left?.members.filter(\.inTree).map(\.username).contains(form) == false)
                #expect(left?.members.count { $0.inTree } == 2)
            }
        }

        @Test(arguments: Variant.chosen(for: "look-alike names", .seen))
        func namesThatLookAlikeAreToldApart(_ variant: Variant) async throws {
            try await withStage(variant.ordering, store: variant.store) { stage in
                let people = try await stage.people("alice", "bob", "B0B")
                let (alice, double) = (people[0], people[2])
                try await stage.room([alice, people[1]])
                try await alice.run("invite", "room", "B0B")
                try await double.sync()
                let invite = try await double.run("invites").output
                #expect(invite.contains("alice invites you"), "\(invite)")
                let queued = try await alice.run("group", "show", "room").output
                #expect(queued.contains("B0B.") && queued.contains("bob."), "\(queued)")
                try await double.run("accept", "room")
                for person in [alice, double] { try await person.sync() }
                try await double.write("hello from bob")
                try await alice.sync()
                let read = try await alice.run("read", "room").output
                #expect(read.contains("B0B.") && read.contains(": hello from bob") && !read.contains("B0B:"), "\(read)")
                // No one else has this very name.
                try await alice.run("group", "remove", "room", "B0B")
            }
        }
    }
}
