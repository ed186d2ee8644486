import CZlib
import Foundation

/// A test vector of the age format: what a file should give.
struct Vector {
    let name: String
    let fields: [String: [String]]
    let file: [UInt8]

    var expected: String { fields["expect"]?.first ?? "" }
    /// SHA-256 of what should come out, in hex, even if it fails in the end.
    var payload: String? { fields["payload"]?.first }
    var isArmored: Bool { fields["armored"] != nil }
    /// Made for recipients that are not supported.
    var isHybrid: Bool { fields["identity", default: []].contains { $0.hasPrefix("AGE-SECRET-KEY-PQ-") } }

    init(path: String) throws {
        name = (path as NSString).lastPathComponent
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var fields: [String: [String]] = [:]
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            if line.isEmpty { break }
            let parts = line.components(separatedBy: ": ")
            fields[parts[0], default: []].append(parts.dropFirst().joined(separator: ": "))
        }
        self.fields = fields
        file = fields["compressed"] == nil ? Array(rest) : try Self.inflated(Array(rest))
    }

    private static func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 64 << 20)
        var count = uLongf(out.count)
        guard uncompress(&out, &count, bytes, uLong(bytes.count)) == Z_OK else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return Array(out[..<Int(count)])
    }

    // MARK: Where they are

    /// `WAXWING_AGE_VECTORS`, else `../shared/age-vectors` beside the package; nil if neither is there.
    static let folder: String? = {
        let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/age-vectors").path
        let wanted = ProcessInfo.processInfo.environment["WAXWING_AGE_VECTORS"] ?? beside
        return FileManager.default.fileExists(atPath: wanted + "/x25519") ? wanted : nil
    }()

    static let all: [String] = {
        guard let folder else { return [] }
        // An unreadable folder shows as too few vectors.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0 != "README.md" }.sorted()
    }()
}
