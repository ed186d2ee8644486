import Foundation
import Testing

extension EndToEnd {
    /// SIGINT and SIGTERM at any moment after the start of the program: nothing half-made stays behind.
    @Suite struct SignalTests {
        @Test func anExportIsWholeOrLeavesNothing() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                try await alice.run("group", "create", "room")
                try await alice.run("send", "room", "for the archive")
                let key = alice.home + "/archive.key"
                let words = try await alice.run("keygen", "--to", key).output.split(whereSeparator: \.isWhitespace)
                let (file, part) = (alice.home + "/room.age", alice.home + "/room.age.waxwing-part")
                let export = ["export", "room", "--to", file, "--recipient", String(try #require(words.last))]
                let clock = ContinuousClock()
                var whole = clock.now - clock.now
                let tries = 30
                var ended: [Int32: Int] = [:]
                for number in 0...tries {
                    let started = clock.now
                    let process = try alice.start(export)
                    let signal = number % 2 == 0 ? SIGINT : SIGTERM
                    if number > 0 {
                        // At one moment after the other, and every third time as soon as there is something to be left
                        // behind.
                        while process.isRunning, clock.now - started < whole * number / (tries - 2) {
                            if number % 3 == 0, FileManager.default.fileExists(atPath: part) { break }
                        }
                        process.signal(signal)
                    }
                    let status = try await process.exit(within: 30).status
                    if number == 0 { whole = clock.now - started }
                    ended[status, default: 0] += 1
                    #expect([0, 130, -signal].contains(status), "try \(number): \(process.errors)")
                    #expect(!FileManager.default.fileExists(atPath: part), "try \(number) ended with \(status)")
                    let isThere = FileManager.default.fileExists(atPath: file)
                    #expect(isThere || status != 0, "try \(number)")
                    if isThere {
                        #expect(status != 130, "interrupted, and done all the same: try \(number)")
                        try FileManager.default.removeItem(atPath: file)
                    }
                }
                #expect(ended.keys.contains { $0 != 0 }, "no signal came in time: \(ended)")
            }
        }

        @Test func aConversionIsDoneOrLeavesNothing() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                try await alice.run("group", "create", "room", "--queue")
                try await alice.run("send", "room", "is still there", "--queue")
                let clock = ContinuousClock()
                var whole = clock.now - clock.now
                for number in 0...10 {
                    let started = clock.now
                    let process = try alice.start(["store", "convert", number % 2 == 0 ? "files" : "sqlite"])
                    if number > 0 {
                        while process.isRunning, clock.now - started < whole * number / 10 {}
                        process.signal(SIGTERM)
                    }
                    let status = try await process.exit(within: 30).status
                    if number == 0 { whole = clock.now - started }
                    #expect([0, 130, -SIGTERM].contains(status), "try \(number): \(process.errors)")
                    let names = try FileManager.default.contentsOfDirectory(atPath: alice.home + "/default")
                    #expect(!names.contains { $0.hasSuffix(".new") || $0.hasSuffix(".old") }, "\(names)")
                }
                #expect(try await alice.texts("room") == ["is still there"])
            }
        }
    }
}
