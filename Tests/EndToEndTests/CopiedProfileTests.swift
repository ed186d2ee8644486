import Foundation
import Testing

extension EndToEnd {
    /// A profile that was put back from a backup, or is used twice: what it says arrives all the same.
    @Suite struct CopiedProfileTests {
        @Test(arguments: ["sqlite", "files"]) func aProfilePutBackIsReadByAll(_ store: String) async throws {
            try await withStage { stage in
                var alice = try Person("alice", folder: stage.folder)
                alice.plugins = ["WAXWING_STORE": store]
                try await alice.register(at: stage.url)
                let bob = try await stage.people("bob")[0]
                try await stage.room([alice, bob])
                try await alice.run("send", "room", "one")
                let (profile, backup) = (alice.home + "/default", alice.home + "/backup")
                try FileManager.default.copyItem(atPath: profile, toPath: backup)
                for text in ["two", "three"] { try await alice.run("send", "room", text) }
                try await bob.sync()
                // The disk is lost, and the backup is put back: it has never heard of two and three.
                try FileManager.default.removeItem(atPath: profile)
                try FileManager.default.moveItem(atPath: backup, toPath: profile)
                let send = try await alice.attempt("send", "room", "four")
                #expect(send.status == 0 && send.errors.contains("put back"), "\(send.output)\(send.errors)")
                try await stage.settle([alice, bob])
                #expect(try await bob.texts("room") == ["one", "two", "three", "four"])
                let again = try await alice.attempt("send", "room", "five")
                #expect(again.status == 0 && !again.errors.contains("put back"), "it is said once: \(again.errors)")
                try await bob.sync()
                #expect(try await bob.texts("room").last == "five")
            }
        }
    }
}
