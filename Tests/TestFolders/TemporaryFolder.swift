package import Foundation

/// A folder that is deleted with its last user.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = NSTemporaryDirectory() + "waxwing-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The permissions of a file in the folder, or of one at an absolute path.
    package func mode(_ file: String) throws -> Int {
        let place = file.hasPrefix("/") ? file : path + "/" + file
        let value = try FileManager.default.attributesOfItem(atPath: place)[.posixPermissions]
        return (value as? NSNumber)?.intValue ?? -1
    }

    package func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    /// The bytes of all files in the folder, one after the other.
    package func allBytes() throws -> Data {
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
}
