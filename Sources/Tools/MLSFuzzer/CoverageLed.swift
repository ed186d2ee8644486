import Glibc
import MLSFuzz
import Synchronization

/// libFuzzer's driver, which calls back with one input after the other.
enum CoverageLed {
    private struct Run {
        let door: FuzzDoor
        let target: FuzzTarget
        let mutator: Mutator
    }

    /// The callbacks are C functions that capture nothing, so what they work with is here.
    private static let current = Mutex<Run?>(nil)

    /// Never returns before libFuzzer ends.
    static func run(_ door: FuzzDoor, target: FuzzTarget, mutator: Mutator, arguments: [String]) {
        current.withLock { $0 = Run(door: door, target: target, mutator: mutator) }
        var pointers = (["mls-fuzz"] + arguments).map { strdup($0) } + [nil]
        var count = Int32(arguments.count + 1)
        pointers.withUnsafeMutableBufferPointer { buffer in
            var base = buffer.baseAddress
            exit(runDriver(&count, &base, { data, size in CoverageLed.enter(data, size) }))
        }
    }

    private static func enter(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
        guard let run = current.withLock({ $0 }) else { return 0 }
        do {
            try run.target.enter(run.door, Array(UnsafeBufferPointer(start: data, count: size)))
        } catch {
            print("\(run.door.rawValue): \(error)")
            abort()
        }
        return 0
    }

    /// One input made from another, in libFuzzer's own way or in ours.
    fileprivate static func mutate(
        _ data: UnsafeMutablePointer<UInt8>, size: Int, limit: Int, seed: UInt32
    ) -> Int {
        guard seed % 2 == 0, let run = current.withLock({ $0 }) else { return mutateBytes(data, size, limit) }
        let changed = run.mutator.mutate(
            Array(UnsafeBufferPointer(start: data, count: size)), random: FuzzRandom(seed: UInt64(seed)))
        let length = min(limit, changed.count)
        for index in 0..<length { data[index] = changed[index] }
        return length
    }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ enter: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

@_silgen_name("LLVMFuzzerMutate")
private func mutateBytes(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int) -> Int

@_cdecl("LLVMFuzzerCustomMutator")
func customMutator(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int, _ seed: UInt32) -> Int {
    CoverageLed.mutate(data, size: size, limit: limit, seed: seed)
}
