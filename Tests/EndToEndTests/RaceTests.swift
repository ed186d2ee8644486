import Testing

extension EndToEnd {
    @Suite struct RaceTests {
        @Test(arguments: Server.Ordering.allCases, [2, 5])
        func everybodyRotatesAtOneEpochAndNobodyForks(_ ordering: Server.Ordering, _ count: Int) async throws {
            try await withStage(ordering) { stage in
                let names = ["alice", "bob", "carol", "dave", "erin"]
                var people: [Person] = []
                for name in names.prefix(count) { people += try await stage.people(name) }
                try await stage.room(people)
                let before = try await people[0].details("room").epoch
                // All of them stand at the same epoch and want the next one to be theirs.
                for person in people { try await person.run("group", "rotate", "room", "--queue") }
                for person in people { try await person.run("send", "room", "from \(person.name)", "--queue") }
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for person in people { tasks.addTask { try await person.sync() } }
                    try await tasks.waitForAll()
                }
                try await stage.settle(people)
                try await expectConverged(
                    people, sent: Dictionary(uniqueKeysWithValues: people.map { ($0, ["from \($0.name)"]) }))
                let after = try await people[0].details("room").epoch
                #expect(after == before + UInt64(count), "some rotation was not carried out, or was done twice")
            }
        }
    }
}
