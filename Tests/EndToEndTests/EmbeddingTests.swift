import Age
import Foundation
import Testing
import Waxwing
import WaxwingCore

extension EndToEnd {
    /// Accounts held by a program of someone else's, through the library.
    @Suite struct EmbeddingTests {
        private func account(_ name: String, _ store: StoreKind, on stage: Stage) async throws -> Account {
            let account = try Account.open(at: stage.folder + "/" + name, store: store)
            try await account.register(name, password: "a password for \(name)", server: stage.url)
            try await account.sync()
            return account
        }

        /// Alice's group, with bob in it.
        private func meet(_ alice: Account, _ bob: Account) async throws -> GroupRecord {
            try await alice.createGroup("lunch")
            try await alice.sync()
            try await alice.invite("bob", to: alice.group(named: "lunch").id)
            try await alice.sync()
            try await bob.sync()
            try await bob.accept(try #require(try bob.invites().first))
            try await bob.sync()
            try await alice.sync()
            return try bob.group(named: "lunch")
        }

        /// The next texts that others have written.
        private func texts(_ count: Int, _ updates: Updates.Iterator, of account: Account) async throws
            -> (texts: [String], cursor: UpdateCursor)
        {
            var texts: [String] = []
            while let update = try await updates.next() {
                guard case .history(_, let row) = update.change, case .text(let text) = row.content,
                    try row.sender != account.userID
                else { continue }
                texts.append(text)
                if texts.count == count { return (texts, update.cursor) }
            }
            return (texts, .beginning)
        }

        @Test(arguments: [StoreKind.sqlite, .files])
        func updatesGoOnWhereTheyWereLeft(_ store: StoreKind) async throws {
            try await withStage { stage in
                let (alice, bob) = (
                    try await account("alice", store, on: stage), try await account("bob", store, on: stage)
                )
                let group = try await meet(alice, bob)
                let connection = Task { try await bob.stayConnected() }
                let updates = bob.updates(after: .beginning).makeAsyncIterator()
                for text in ["one", "two"] { try await alice.send(text, to: alice.group(named: "lunch").id) }
                try await alice.sync()
                let first = try await texts(2, updates, of: bob)
                #expect(first.texts == ["one", "two"])
                // Its task is cancelled, and the connection ends with it, so someone else can have it.
                connection.cancel()
                await #expect(throws: CancellationError.self) { try await connection.value }
                guard case .reached = try await bob.sync() else {
                    return #expect(Bool(false), "bob is still connected")
                }
                try await alice.send("three", to: alice.group(named: "lunch").id)
                try await alice.sync()
                // Another process continues with what the first one kept.
                let kept = try JSONDecoder().decode(UpdateCursor.self, from: JSONEncoder().encode(first.cursor))
                let again = try Account.open(at: stage.folder + "/bob")
                try await again.sync()
                let second = try await texts(1, again.updates(after: kept).makeAsyncIterator(), of: again)
                #expect(second.texts == ["three"])
                #expect(try bob.lastHistory(of: group.id).contains { $0.content == .text("three") })
            }
        }

        /// Of two that have a profile open, one is connected, and carries out what the other asks for.
        @Test func oneOfTwoIsConnected() async throws {
            try await withStage { stage in
                let (alice, bob) = (
                    try await account("alice", .sqlite, on: stage), try await account("bob", .sqlite, on: stage)
                )
                let group = try await meet(alice, bob)
                let connection = Task { try await bob.stayConnected() }
                defer { connection.cancel() }
                let beside = try Account.open(at: stage.folder + "/bob")
                let isElsewhere = try await eventually {
                    if case .elsewhere = try await beside.sync() { true } else { false }
                }
                #expect(isElsewhere)
                let updates = bob.updates().makeAsyncIterator()
                let row = try await beside.send("from beside", to: group.id)
                guard case .done(let sequence?) = try await beside.outcomes(of: [row], within: .seconds(60)).first
                else {
                    return #expect(Bool(false), "what was asked for beside it does not go out")
                }
                #expect(sequence > 1)
                // It hears of what the other has written, too.
                while let update = try await updates.next() {
                    if case .history(_, let row) = update.change, row.content == .text("from beside") { break }
                }
            }
        }

        /// An archive is written while the network is away, and a closed account is out of everyone's way.
        @Test func whatIsClosedIsOutOfTheWay() async throws {
            try await withStage { stage in
                let alice = try await account("alice", .sqlite, on: stage)
                try await alice.createGroup("lunch")
                try await alice.sync()
                try await alice.send("noon?", to: alice.group(named: "lunch").id)
                try await alice.sync()
                try await stage.server.stop()
                let path = stage.folder + "/lunch.age"
                let sealing = AgeSealing.passphrase(SecretBytes(Array("a passphrase".utf8)), workFactor: 10)
                let summary = try await alice.export(to: path, sealing: sealing)
                #expect(summary.rows == 2, "the group's beginning, and a message")
                await #expect(throws: OutputFileError.exists(path: path)) {
                    try await alice.export(to: path, sealing: sealing)
                }
                try await alice.export(to: path, sealing: sealing, isReplacing: true)
                let cancelled = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await alice.export(to: stage.folder + "/never.age", sealing: sealing)
                }
                await #expect(throws: CancellationError.self) { try await cancelled.value }
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: stage.folder).allSatisfy {
                        !$0.hasPrefix("never")
                    })
                let connection = Task { try await alice.stayConnected() }
                try await alice.close()
                await #expect(throws: AccountError.closed) { try await connection.value }
                #expect(throws: StoreError.self) { try alice.groups() }
                // No one has it open, so it can be moved into another store.
                let profile = Profile(folder: stage.folder + "/alice")
                #expect(try profile.convert(to: .files).from == .sqlite)
                #expect(try Account.open(at: profile.folder).groups().count == 1)
            }
        }

        @Test func whatCannotBeIsSaidByItsType() async throws {
            try await withStage { stage in
                let alice = try await account("alice", .sqlite, on: stage)
                await #expect(throws: AccountError.accountExists) {
                    try await alice.register("alice", password: "a password for alice", server: stage.url)
                }
                await #expect(throws: AccountError.wrongPassword) {
                    try await alice.signIn("alice", password: "none of it")
                }
                await #expect(throws: AccountError.anotherAccount(username: "alice", server: stage.url)) {
                    try await alice.signIn("bob", password: "a password for bob")
                }
                let other = try Account.open(at: stage.folder + "/other")
                await #expect(throws: AccountError.serverUnknown) { try await other.signIn("alice", password: "x") }
                await #expect(throws: AccountError.usernameTaken) {
                    try await other.register("alice", password: "a password for alice", server: stage.url)
                }
                await #expect(throws: AccountError.exposedServerAddress("http://chat.example.org")) {
                    try await other.register(
                        "carol", password: "a password for carol", server: "http://chat.example.org")
                }
                try await alice.signOut()
                await #expect(throws: AccountError.signedOut(isOver: false)) { try await alice.stayConnected() }
                try await alice.signIn("alice", password: "a password for alice")
                #expect(try alice.isSignedIn)
            }
        }
    }
}
