import Testing

extension EndToEnd {
    @Suite struct RaceTests {
        @Test(arguments: Server.Ordering.allCases, [2, 5])
        func everybodyRotatesAtOneEpochAndNobodyForks(_ ordering: Server.Ordering, _ count: Int) async throws {
            try await withStage(ordering, hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let names = ["alice", "bob", "carol", "dave", "erin"]
                var people: [Person] = []
                for name in names.prefix(count) { people += try await stage.people(name) }
                try await stage.room(people)
                let before = try await people[0].details("room").epoch
                // All of them are at the same epoch and want the next one to be theirs.
                for person in people { try await person.run("group", "rotate", "room", "--queue") }
                for person in people { try await person.run("send", "room", "from \(person.name)", "--queue") }
                // No commit goes on before all of them have been made.
                let gate = Gate()
                let commit = "POST /groups/{id}/commit"
                network.play { $0.endpoint == commit ? .hold(gate) : .pass }
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for person in people { tasks.addTask { try await person.sync() } }
                    let areThere = await eventually { gate.waiting >= count }
                    network.heal()
                    gate.open()
                    #expect(areThere, "only \(gate.waiting) commits came to the gate")
                    try await tasks.waitForAll()
                }
                let log = try await ServerLog.read("room", as: people[0], at: stage.server.port)
                let raced = log.count { ServerLog.epoch(ofCommit: $0) == before }
                let refused = network.statuses(of: commit).count { $0 == 409 }
                switch ordering {
                case .open: #expect(raced == count && refused == 0, "an open server takes them all")
                case .strict: #expect(raced == 1 && refused >= count - 1, "a strict one takes the first")
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
