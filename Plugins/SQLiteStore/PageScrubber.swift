import GRDBSQLite
import Synchronization

/// Removes from each page, on its way into the database file, what SQLite left in its unused part.
///
/// `secure_delete` zeroes deleted content in its place. But when a tree grows or shrinks, rows move between pages, and
/// the copies they leave behind stay in the gap between the cell pointers and the cells: deleting a row later does not
/// reach them. The file format leaves that gap undefined (SQLite file format §1.6), so it is zeroed here.
enum PageScrubber {
    /// The maximum number of pages of a file (137 GB). Below it, the first byte of every page that is not part of a
    /// tree is 0 or 1, which tells it from a tree page.
    static let pageCountMax = 0x01ff_ffff

    /// Puts the scrubber between SQLite and the main file of an open connection.
    ///
    /// - Returns: an SQLite result code.
    static func install(_ connection: OpaquePointer?) -> Int32 {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file)
        guard code == SQLITE_OK else { return code }
        guard let file, let original = file.pointee.pMethods else { return SQLITE_CANTOPEN }
        file.pointee.pMethods = methods(around: original)
        return SQLITE_OK
    }

    /// SQLite's methods with another `xWrite`, and the originals to pass calls on to. The methods come first: a pointer
    /// to this is a pointer to them.
    private struct Methods {
        var scrubbing: sqlite3_io_methods
        let original: UnsafePointer<sqlite3_io_methods>
    }

    /// By the address of the original. SQLite has a handful of them, which live as long as the process; so do these.
    private static let wrapped = Mutex<[UInt: UInt]>([:])

    private static func methods(around original: UnsafePointer<sqlite3_io_methods>) -> UnsafePointer<sqlite3_io_methods>
    {
        let key = UInt(bitPattern: original)
        let address = wrapped.withLock { wrapped in
            if wrapped.values.contains(key) { return key }
            if let known = wrapped[key] { return known }
            let new = UnsafeMutablePointer<Methods>.allocate(capacity: 1)
            new.initialize(to: Methods(scrubbing: original.pointee, original: original))
            new.pointee.scrubbing.xWrite = { file, bytes, count, offset in
                PageScrubber.write(file, bytes, count, offset)
            }
            wrapped[key] = UInt(bitPattern: new)
            return UInt(bitPattern: new)
        }
        return UnsafePointer(bitPattern: address) ?? original
    }

    private static func write(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: Int64
    ) -> Int32 {
        guard let file, let bytes, let methods = file.pointee.pMethods else { return SQLITE_IOERR }
        let original = UnsafeRawPointer(methods).assumingMemoryBound(to: Methods.self).pointee.original.pointee
        guard let write = original.xWrite else { return SQLITE_IOERR }
        let page = UnsafeRawBufferPointer(start: bytes, count: Int(count))
        guard let gap = gap(in: page, isFirst: offset == 0), !gap.isEmpty else {
            return write(file, bytes, count, offset)
        }
        var clean = Array(page)
        return clean.withUnsafeMutableBytes { clean in
            UnsafeMutableRawBufferPointer(rebasing: clean[gap]).initializeMemory(as: UInt8.self, repeating: 0)
            return write(file, clean.baseAddress, count, offset)
        }
    }

    /// The unused part of a tree page; nil for any other page, and for an incomplete one.
    static func gap(in page: UnsafeRawBufferPointer, isFirst: Bool) -> Range<Int>? {
        guard page.count >= 512, page.count & (page.count - 1) == 0 else { return nil }
        // The first page begins with the file's own header.
        let header = isFirst ? 100 : 0
        let pointers: Int
        switch page[header] {
        case 2, 5: pointers = header + 12
        case 10, 13: pointers = header + 8
        default: return nil
        }
        func number(at index: Int) -> Int { Int(page[index]) << 8 | Int(page[index + 1]) }
        let start = pointers + 2 * number(at: header + 3)
        let content = number(at: header + 5)
        let end = content == 0 ? 65536 : content
        guard start <= end, end <= page.count else { return nil }
        return start..<end
    }
}
