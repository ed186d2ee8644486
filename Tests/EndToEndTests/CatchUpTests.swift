import Foundation
import Testing

extension EndToEnd {
    @Suite struct CatchUpTests {
        @Test func twoThousandMessagesAndTwentyCommitsAreReadInPagesInBoundedMemory() async throws {
            try await withStage(hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let people = try await stage.people("alice", "bob", "carol")
                let (alice, bob, carol) = (people[0], people[1], people[2])
                try await stage.room(people)
                let epoch = try await alice.details("room").epoch

                var sent: [String] = []
                func write(batches: Int) async throws {
                    for _ in 0..<batches {
                        let lines = (sent.count..<sent.count + 100).map { "line \($0)" }
                        try await alice.run("send", "room", "--lines", "--queue", input: lines.joined(separator: "\n"))
                        try await alice.run("group", "rotate", "room", "--queue")
                        sent += lines
                    }
                    try await alice.run("sync", within: 240)
                }
                try await write(batches: 2)
                let few = try await catchUp(carol)
                try await write(batches: 18)
                let before = network.requests.count
                let many = try await catchUp(bob)

                let pages = network.requests[before...].count { $0.isPage }
                #expect(pages > 10, "\(pages) pages for 2,020 rows")
                #expect(
                    many.terminal.contains("catching up: ") && many.terminal.contains(" rows read"), "\(many.terminal)")
                #expect(many.terminal.contains("to go"), "\(many.terminal.suffix(300))")
                #expect(
                    many.peakMemory - few.peakMemory < 48 << 10,
                    "catching up on 2,000 rows takes \(many.peakMemory) KiB, on 200 rows \(few.peakMemory) KiB")
                let history = try await bob.history("room")
                #expect(history.compactMap(\.text) == sent, "not everything is there, or not in order")
                #expect(!history.contains { $0.kind == "unreadable" })
                #expect(history.compactMap(\.sequence) == history.compactMap(\.sequence).sorted())
                #expect(try await bob.details("room").epoch == epoch + 20)
                try await carol.sync()
                try await expectConverged(people, sent: [alice: sent])
            }
        }

        /// Long messages: another 64 MiB of them wait, which would take at least as much memory if they were held
        /// there. How pages and change sets happen to overlap makes a difference of some 20 MiB from run to run.
        @Test func memoryDoesNotGrowWithTheBytesThatWait() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob", "carol")
                let (alice, bob, carol) = (people[0], people[1], people[2])
                try await stage.room(people)
                let text = String(repeating: "long ", count: 40 << 10)
                func write(_ count: Int) async throws {
                    let input = Array(repeating: text, count: count).joined(separator: "\n")
                    try await alice.run("send", "room", "--lines", "--queue", input: input)
                    try await alice.run("sync", within: 240)
                }
                for _ in 0..<5 { try await write(20) }
                // Enough for pages of the largest size to be fetched while others are opened.
                let few = try await catchUp(carol)
                for _ in 0..<16 { try await write(20) }
                let many = try await catchUp(bob)
                #expect(try await bob.details("room").cursor == alice.details("room").cursor, "not everything came")
                let waiting = 420 * text.utf8.count / 1024
                #expect(waiting > 80 << 10)
                #expect(
                    many.peakMemory - few.peakMemory < 48 << 10,
                    "catching up on \(waiting) KiB takes \(many.peakMemory) KiB, on 20 MiB \(few.peakMemory) KiB")
            }
        }

        private func catchUp(_ person: Person) async throws -> (peakMemory: Int, terminal: String) {
            let terminal = try Terminal()
            let process = try person.start(["sync"], terminal: terminal.programSide)
            let exit = try await process.exit(within: 240, measuringMemory: true)
            #expect(exit.status == 0, "\(process.output)\(terminal.text)")
            return (exit.peakMemory, terminal.text)
        }
    }
}
