import Machine
import FoundationEssentials
import Waxwing

/// Standard output, for piping an archive into another program.
final class ExportStream: ExportTarget {
    private(set) var count: UInt64 = 0

    /// - Throws: ``Failure`` if bytes would go to a terminal.
    init(isArmored: Bool) throws(Failure) {
        if !isArmored, Terminal.isThere(StandardStreams.output) {
            throw Failure(
                .usage, "an archive cannot be shown on a terminal",
                hint: "write it to a file, or pipe it to another program; --armor writes it as text")
        }
    }

    var folder: String { FileManager.default.temporaryDirectory.path }

    func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        do {
            try Console.write(bytes)
        } catch {
            throw Failure(
                .outputFailed, "the archive is incomplete: standard output takes no more",
                hint: "what was written cannot be used; export again")
        }
        count += UInt64(bytes.count)
    }

    func publish() {}
}
