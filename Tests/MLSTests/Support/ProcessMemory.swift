import Foundation

/// The memory of this very process, as the kernel shows it: also what nothing points to any more.
enum ProcessMemory {
    /// Reads what stands at an address now, as much as there is room for; nothing where there is nothing.
    ///
    /// - Parameter bytes: made before, as memory that is taken now may be just the memory that is asked about.
    static func read(at address: UInt, into bytes: inout [UInt8]) {
        let file = open("/proc/self/mem", O_RDONLY)
        defer { close(file) }
        if pread(file, &bytes, bytes.count, off_t(address)) < 0 { bytes = [] }
    }

    /// How often a few bytes stand somewhere in memory that can be written to.
    ///
    /// - Parameter inverted: their complement, so that what is looked for is not found in the question.
    static func count(of inverted: [UInt8]) -> Int {
        let maps = maps()
        let file = open("/proc/self/mem", O_RDONLY)
        defer { close(file) }
        let size = 1 << 20
        let window = UnsafeMutableRawBufferPointer.allocate(byteCount: size + inverted.count, alignment: 16)
        defer {
            window.initializeMemory(as: UInt8.self, repeating: 0)
            window.deallocate()
        }
        let own = UInt(bitPattern: window.baseAddress)
        var found = 0
        for line in maps.split(separator: "\n") where line.contains(" rw-p ") && !line.contains("[stack") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2 else { continue }
            var start = ends[0]
            while start < ends[1] {
                var length = min(Int(ends[1] - start), window.count)
                // Not the window itself.
                if start < own, start + UInt(length) > own { length = Int(own - start) }
                if start >= own, start < own + UInt(window.count) {
                    start = own + UInt(window.count)
                    continue
                }
                let got = pread(file, window.baseAddress, length, off_t(start))
                if got <= 0 { break }
                found += occurrences(of: inverted, in: UnsafeRawBufferPointer(rebasing: window[..<got]))
                if got < window.count { start += UInt(got) } else { start += UInt(size) }
            }
        }
        return found
    }

    /// All of the map. Foundation reads no more of a file that says it is empty than its first 4 KiB, as those of /proc do.
    private static func maps() -> String {
        let file = open("/proc/self/maps", O_RDONLY)
        defer { close(file) }
        var (text, part) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while case let count = Glibc.read(file, &part, part.count), count > 0 { text += part[..<count] }
        return String(decoding: text, as: UTF8.self)
    }

    static func count(ofAll inverted: [[UInt8]]) -> Int {
        var total = 0
        for question in inverted { total += count(of: question) }
        return total
    }

    /// Those that begin before the last bytes, which the next window has, too.
    private static func occurrences(of inverted: [UInt8], in memory: UnsafeRawBufferPointer) -> Int {
        guard let base = memory.baseAddress else { return 0 }
        // A byte that is not as frequent as zero.
        let pivot = inverted.firstIndex { $0 != 0xFF && $0 != 0 } ?? 0
        let last = memory.count - inverted.count
        var (found, place) = (0, 0)
        while place <= last,
            let hit = memchr(base + place + pivot, Int32(~inverted[pivot]), last - place + 1)
        {
            place = hit - UnsafeMutableRawPointer(mutating: base) - pivot
            if zip(inverted, memory[place...]).allSatisfy({ ~$0 == $1 }) { found += 1 }
            place += 1
        }
        return found
    }
}
