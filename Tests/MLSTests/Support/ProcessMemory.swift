import Foundation

/// The memory of this process, as the kernel shows it, including what nothing points to any more.
enum ProcessMemory {
    /// Reads what is at an address now, as much as there is room for; nothing if there is nothing.
    ///
    /// - Parameter bytes: made beforehand, since memory that is allocated now may be just the memory that is examined.
    static func read(at address: UInt, into bytes: inout [UInt8]) {
        let file = open("/proc/self/mem", O_RDONLY)
        defer { close(file) }
        if pread(file, &bytes, bytes.count, off_t(address)) < 0 { bytes = [] }
    }

    /// How often some bytes occur in writable memory.
    ///
    /// - Parameter inverted: their complement, so that the question itself does not contain what is looked for.
    static func count(of inverted: [UInt8]) -> Int {
        let maps = maps()
        let file = open("/proc/self/mem", O_RDONLY)
        defer { close(file) }
        let size = 1 << 20
        // What is looked for comes after the window, in room that is not searched.
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 2 * inverted.count, alignment: 16)
        defer {
            room.initializeMemory(as: UInt8.self, repeating: 0)
            room.deallocate()
        }
        let window = UnsafeMutableRawBufferPointer(rebasing: room[..<(size + inverted.count)])
        let wanted = UnsafeMutableRawBufferPointer(rebasing: room[window.count...])
        for (index, byte) in inverted.enumerated() { wanted[index] = ~byte }
        let own = UInt(bitPattern: room.baseAddress)
        var found = 0
        for line in maps.split(separator: "\n") where line.contains(" rw-p ") && !line.contains("[stack") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2 else { continue }
            var start = ends[0]
            while start < ends[1] {
                var length = min(Int(ends[1] - start), window.count)
                // Not the room itself.
                if start < own, start + UInt(length) > own { length = Int(own - start) }
                if start >= own, start < own + UInt(room.count) {
                    start = own + UInt(room.count)
                    continue
                }
                let got = pread(file, window.baseAddress, length, off_t(start))
                if got <= 0 { break }
                found += occurrences(of: wanted, in: window[..<got])
                if got < window.count { start += UInt(got) } else { start += UInt(size) }
            }
        }
        return found
    }

    /// The whole map. Foundation reads only the first 4 KiB of a file that claims to be empty, as those of /proc do.
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

    /// Found by a byte that is rarer than zero, and the seven after it.
    private static func occurrences(
        of wanted: UnsafeMutableRawBufferPointer, in memory: Slice<UnsafeMutableRawBufferPointer>
    ) -> Int {
        guard let base = memory.base.baseAddress, let wantedBase = wanted.baseAddress else { return 0 }
        let pivot = (0...(wanted.count - 8)).first { wanted[$0] != 0xFF && wanted[$0] != 0 } ?? 0
        let first = Int32(wanted[pivot])
        let word = wantedBase.loadUnaligned(fromByteOffset: pivot, as: UInt64.self)
        let end = base + memory.count - wanted.count + pivot + 1
        var (found, place) = (0, base + pivot)
        while place < end, let hit = memchr(place, first, end - place) {
            if hit.loadUnaligned(as: UInt64.self) == word, memcmp(hit - pivot, wantedBase, wanted.count) == 0 {
                found += 1
            }
            place = hit + 1
        }
        return found
    }
}
