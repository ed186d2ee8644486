import Files
import FoundationEssentials

/// A small JSON file of a profile, with mode 0600.
package enum ProfileFile {
    private static let longest = 64 << 10

    /// Nil if there is no file.
    ///
    /// - Throws: ``AccountError`` if the file cannot be read or understood.
    package static func load<Content: Decodable>(_ path: String) throws(AccountError) -> Content? {
        let file: File
        do throws(FileError) {
            file = try File(path, .readOnly)
        } catch {
            if error.code == .noSuchFileOrDirectory { return nil }
            throw AccountError(error)
        }
        // Whatever is wrong with it, it is not what was written there.
        guard let bytes = try? file.readToEnd(atMost: longest),
            let content = try? JSONDecoder().decode(Content.self, from: Data(bytes))
        else { throw .fileDamaged(path: path) }
        return content
    }

    /// Replaces the whole file; it is on disk on return.
    ///
    /// - Throws: ``AccountError`` `fileUnusable`; the old file is unchanged.
    package static func replace(_ path: String, by content: some Encodable) throws(AccountError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Only what was written by hand could have no JSON.
        guard let data = try? encoder.encode(content) else { throw .fileDamaged(path: path) }
        do throws(FileError) {
            try FileSystem.replace(path, by: [UInt8](data) + [UInt8(ascii: "\n")])
        } catch {
            throw AccountError(error)
        }
    }
}

extension AccountError {
    /// A file or folder of the profile cannot be used.
    init(_ error: FileError) { self = .fileUnusable(path: error.path, systemError: error.code.rawValue) }
}
