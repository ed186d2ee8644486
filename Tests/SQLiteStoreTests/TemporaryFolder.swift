import Foundation

/// A folder that is deleted with its last user.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "waxwing-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The store's file, two folders deep.
    var store: String { path + "/profile/data/store.db" }

    /// The bytes of all files below the folder, one after the other.
    func allBytes() throws -> Data {
        var bytes = Data()
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            let file = path + "/" + name
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), !isFolder.boolValue {
                bytes += try Data(contentsOf: URL(fileURLWithPath: file))
            }
        }
        return bytes
    }

    func mode(_ file: String) throws -> Int {
        let value = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
        return (value as? NSNumber)?.intValue ?? -1
    }
}
