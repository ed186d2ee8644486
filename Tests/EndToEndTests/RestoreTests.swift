import Foundation
import Testing

extension EndToEnd {
    /// `waxwingd backup` and `restore`, and the people who know more than the restored server.
    @Suite struct RestoreTests {
        private func daemon(_ arguments: [String], _ stage: Stage) async throws {
            let process = try ChildProcess(
                Programs.waxwingd, arguments, environment: Programs.environment, folder: stage.folder)
            let exit = try await process.exit(within: 60)
            try #require(exit.status == 0, "\(arguments): \(process.errors)")
        }

        @Test func peopleGoOnInTheEraOfARestoredServer() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob", "carol")
                let (alice, bob, carol) = (people[0], people[1], people[2])
                try await stage.room(people)
                try await alice.write("before")
                try await stage.settle(people)
                let (data, backup) = (stage.folder + "/server/data", stage.folder + "/backup.sqlite")
                try await daemon(["backup", "--data", data, backup], stage)

                // The server will forget this message and this commit; carol has not read them.
                try await alice.write("forgotten")
                try await alice.run("group", "rotate", "room")
                try await bob.sync()
                let known = try await bob.details("room").cursor

                try await stage.server.stop()
                try await daemon(["restore", "--data", data, "--replace", backup], stage)
                try await daemon(["check", "--data", data], stage)
                try await stage.server.start()

                try await bob.write("hello again")
                try await stage.settle(people)
                try await alice.write("and again")
                try await carol.write("from carol")
                try await stage.settle(people)
                for person in people {
                    let texts = try await person.texts("room")
                    // Bob spoke in the epoch of the forgotten commit, whose keys carol never had: she comes in anew.
                    let read = ["before", "hello again", "and again", "from carol"]
                    for text in read where person != carol || text != "hello again" {
                        #expect(texts.contains(text), "\(person.name) does not read \(text): \(texts)")
                    }
                }
                let numbers = try await bob.history("room").filter { $0.text == "and again" }.compactMap(\.sequence)
                #expect(numbers.allSatisfy { $0 > known + 100_000 } && numbers.count == 1, "\(numbers) after \(known)")
                #expect(Set(try await [alice, bob, carol].asyncEpochs()).count == 1)
            }
        }
    }
}

extension [Person] {
    fileprivate func asyncEpochs() async throws -> [UInt64] {
        var epochs: [UInt64] = []
        for person in self { epochs.append(try await person.details("room").epoch) }
        return epochs
    }
}
