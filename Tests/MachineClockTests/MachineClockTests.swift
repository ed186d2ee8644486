import Testing

@testable import MachineClock

@Suite struct MachineClockTests {
    @Test func everyoneSleepsForAsLongAsAskedAtLeast() async throws {
        let order = await withTaskGroup(of: Int.self, returning: [Int].self) { group in
            for milliseconds in [400, 0, 200, 100, 300] {
                group.addTask {
                    let start = MachineClock.uptime
                    // Nobody cancels it.
                    try? await MachineClock.sleep(for: .milliseconds(milliseconds))
                    return MachineClock.uptime - start >= UInt64(milliseconds) ? milliseconds : -1
                }
            }
            var order: [Int] = []
            for await milliseconds in group { order.append(milliseconds) }
            return order
        }
        #expect(Set(order) == [0, 100, 200, 300, 400], "\(order)")
    }

    @Test func whoIsCancelledWakesAtOnce() async throws {
        let sleeper = Task { try await MachineClock.sleep(for: .seconds(100_000)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            try await MachineClock.sleep(for: .seconds(100_000))
        }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
    }

    @Test func theQueueGivesEverythingInOrder() {
        var queue = WakeQueue()
        // A walk over all residues, in no order.
        let times = (0..<1_009 as Range<UInt64>).map { $0 * 571 % 1_009 }
        for (number, until) in times.enumerated() { queue.add(.init(until: until, number: UInt64(number))) }
        var given: [UInt64] = []
        while let first = queue.first {
            given.append(first.until)
            queue.removeFirst()
        }
        #expect(given == times.sorted())
    }
}
