import Foundation
import Testing

extension EndToEnd {
    /// A profile that was restored from a backup, or is used twice: what it says still arrives.
    @Suite struct CopiedProfileTests {
        @Test(arguments: Variant.chosen(for: "profile put back", .seen))
        func aProfilePutBackIsReadByAll(_ variant: Variant) async throws {
            try await withStage(variant.ordering, store: variant.store) { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                try await alice.run("send", "room", "one")
                let (profile, backup) = (alice.home + "/default", alice.home + "/backup")
                try FileManager.default.copyItem(atPath: profile, toPath: backup)
                for text in ["two", "three"] { try await alice.run("send", "room", text) }
                try await bob.sync()
                // The disk is lost, and the backup is restored: it has never heard of two and three.
                try FileManager.default.removeItem(atPath: profile)
                try FileManager.default.moveItem(atPath: backup, toPath: profile)
                let send = try await alice.attempt("send", "room", "four")
                #expect(
                    send.status == 0 && send.errors.contains("restored from a backup"), "\(send.output)\(send.errors)")
                try await stage.settle([alice, bob])
                #expect(try await bob.texts("room") == ["one", "two", "three", "four"])
                let again = try await alice.attempt("send", "room", "five")
                #expect(
                    again.status == 0 && !again.errors.contains("restored from a backup"),
                    "it is said once: \(again.errors)")
                try await bob.sync()
                #expect(try await bob.texts("room").last == "five")
            }
        }

        /// The copy goes on beside the profile it was taken from. Whichever of them says that it has sent something,
        /// the others read it.
        @Test(arguments: Variant.chosen(for: "profile used twice", .seen))
        func whatAProfileUsedTwiceSendsIsRead(_ variant: Variant) async throws {
            try await withStage(variant.ordering, store: variant.store) { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                try await alice.run("send", "room", "one")
                var copy = try Person("alice", folder: stage.folder + "/copy")
                copy.plugins = alice.plugins
                try FileManager.default.copyItem(atPath: alice.home + "/default", toPath: copy.home + "/default")
                var sent = ["one"]
                for (number, writer) in [alice, copy, alice, copy].enumerated() {
                    let text = "turn \(number)"
                    let send = try await writer.attempt("send", "room", text)
                    if send.status == 0, !send.output.contains("queued") { sent.append(text) }
                    if number == 1 { #expect(send.errors.contains("restored from a backup"), "\(send.errors)") }
                    try await bob.sync()
                    let texts = try await bob.texts("room")
                    #expect(texts == sent, "\(text): \(send.output)\(send.errors)")
                }
                #expect(sent.contains("turn 1"), "the copy cannot write")
                // The one that has the place in the end sends what waited for it.
                let isRead = try await eventually {
                    for person in [alice, bob] { try await person.sync() }
                    return try await bob.texts("room").contains("turn 2")
                }
                #expect(isRead, "what was queued never came")
            }
        }
    }
}
