import Foundation

/// A folder that is deleted with its last user.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "waxwing-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func mode(_ file: String) throws -> Int {
        let value = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
        return (value as? NSNumber)?.intValue ?? -1
    }
}
