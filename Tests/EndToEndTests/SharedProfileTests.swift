import Foundation
import Testing

extension EndToEnd {
    @Suite struct SharedProfileTests {
        @Test func manySendsBesideAWatchGoOutThroughItOnceAndInOrder() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                let watches = try people.map { try $0.start(["watch", "--json"]) }
                for watch in watches {
                    #expect(await eventually { watch.errors.contains("connected") }, "\(watch.errors)")
                }

                // Four processes at once on each profile, five messages each, one after the other.
                let writers = people.flatMap { person in (0..<4).map { (person, $0) } }
                let reports = try await withThrowingTaskGroup(of: [SendReport].self) { tasks in
                    for (person, writer) in writers {
                        tasks.addTask {
                            var reports: [SendReport] = []
                            for number in 0..<5 {
                                let text = "\(person.name) \(writer).\(number)"
                                reports += try await person.run("send", "room", text, "--wait", "30", "--json").json(
                                    SendReport.self)
                            }
                            return reports
                        }
                    }
                    return try await tasks.reduce(into: []) { $0 += $1 }
                }
                // The watch has the connection: a sent message shows that the watch sent it.
                #expect(reports.count == 40 && reports.allSatisfy { $0.result == "done" }, "\(reports)")
                #expect(Set(reports.compactMap(\.sequence)).count == 40, "two messages have one place in the log")

                let expected = Set(
                    writers.flatMap { person, writer in (0..<5).map { "\(person.name) \(writer).\($0)" } })
                for (person, watch) in zip(people, watches) {
                    let other = person == alice ? bob : alice
                    let wanted = expected.filter { $0.hasPrefix(other.name) }
                    #expect(
                        try await eventually { try printed(watch).count { $0.sender == other.name } >= wanted.count },
                        "\(person.name)'s watch misses something")
                    watch.signal(SIGTERM)
                    #expect(try await watch.exit(within: 20).status == 0)
                    let texts = try printed(watch).filter { $0.sender == other.name }.compactMap(\.text)
                    #expect(texts.count == wanted.count && Set(texts) == wanted, "\(person.name)'s watch: \(texts)")
                }
                try await stage.settle(people)
                var sent: [Person: [String]] = [:]
                for person in people {
                    let texts = try await alice.texts("room", from: person)
                    #expect(texts.count == 20 && Set(texts) == expected.filter { $0.hasPrefix(person.name) })
                    for writer in 0..<4 {
                        let own = texts.filter { $0.hasPrefix("\(person.name) \(writer).") }
                        #expect(own == own.sorted(), "a process's messages changed places: \(own)")
                    }
                    sent[person] = texts
                }
                try await expectConverged(people, sent: sent)
            }
        }

        @Test func aSecondConnectionOnAProfileIsRefusedAndChangesNothing() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let alice = people[0]
                try await stage.room(people)
                let watch = try alice.start(["watch"])
                #expect(await eventually { watch.errors.contains("connected") }, "\(watch.errors)")
                let second = try await alice.attempt("watch")
                #expect(second.status == 12 && second.errors.contains("another process"), "\(second.errors)")
                let sync = try await alice.attempt("sync")
                #expect(sync.status == 0 && sync.output.contains("another process"), "\(sync.output)")
                watch.signal(SIGKILL)
                try await watch.exit()
                // The right to connect ends with the process, however that ends.
                #expect(try await alice.attempt("send", "room", "on my own").output.contains("sent"))
                try await stage.settle(people)
                try await expectConverged(people, sent: [alice: ["on my own"]])
            }
        }
    }
}

/// The messages that a `watch --json` has printed so far.
private func printed(_ watch: ChildProcess) throws -> [HistoryLine] {
    try watch.output.split(separator: "\n").compactMap { line in
        // Whole lines only, and no other events.
        guard line.hasSuffix("}"), line.contains("\"kind\":") else { return nil }
        return try JSONDecoder().decode(HistoryLine.self, from: Data(line.utf8))
    }
}
