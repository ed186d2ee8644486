import Foundation

/// A folder for one check.
final class CheckFolder {
    let path: String
    private var count = 0

    init() throws {
        path = NSTemporaryDirectory() + "store-conformance-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    // What cannot be removed is in a folder for temporary files.
    func delete() { try? FileManager.default.removeItem(atPath: path) }

    /// A new folder in it.
    func subfolder() throws -> String {
        count += 1
        let subfolder = "\(path)/\(count)"
        try FileManager.default.createDirectory(atPath: subfolder, withIntermediateDirectories: true)
        return subfolder
    }

    /// The numbers of all ``marked(_:length:)`` values that any file has something of.
    func markedNumbers() throws -> Set<Int> {
        var numbers: Set<Int> = []
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            var isFolder: ObjCBool = false
            let file = path + "/" + name
            guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), !isFolder.boolValue else {
                continue
            }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            var start = bytes.startIndex
            while let hit = bytes[start...].range(of: Self.mark) {
                start = hit.upperBound
                if let number = Int(String(decoding: bytes[start...].prefix(7), as: UTF8.self)) {
                    numbers.insert(number)
                }
            }
        }
        return numbers
    }

    private static let mark = Data("<secret ".utf8)

    /// A value whose bytes can be recognized wherever they turn up, in pieces of 16 bytes. A store may put it into
    /// another form, as long as ASCII text stays as it is.
    static func marked(_ number: Int, length: Int = 64) -> [UInt8] {
        let digits = String(number)
        let piece = Array("<secret \(String(repeating: "0", count: 7 - digits.count))\(digits)>".utf8)
        return Array(repeatElement(piece, count: max(1, length / piece.count)).joined())
    }
}
