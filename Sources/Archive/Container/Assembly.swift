/// Puts the frames of an archive's files in order: small files and headers share frames ("glue"), long files bring
/// their own.
struct Assembly {
    private(set) var table = SeekTable()
    private(set) var contentSize: UInt64 = 0
    private(set) var compressedSize: UInt64 = 0
    private let time: UInt64
    private let compressor = Zstd.Compressor()
    private var glue: [UInt8] = []

    init(time: UInt64) { self.time = time }

    /// A whole small file.
    mutating func add(_ name: ArchiveFile, _ bytes: [UInt8]) {
        begin(name, size: UInt64(bytes.count))
        glue += bytes
        glue += Tar.padding(behind: UInt64(bytes.count))
    }

    /// The header of a file whose frames come next.
    mutating func begin(_ name: ArchiveFile, size: UInt64) {
        glue += Tar.header(name.rawValue, size: size, time: time)
    }

    /// The frames of a long file, which come after what ``closeGlue()`` returned.
    mutating func append(_ frames: [(size: Int, contentSize: Int)], size: UInt64) {
        for frame in frames { note(frame.size, frame.contentSize) }
        glue += Tar.padding(behind: size)
    }

    mutating func end() { glue += Tar.end }

    /// Compresses the small pieces since the last long file, in frames of bounded size.
    mutating func closeGlue() throws(ArchiveError) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = glue[...]
        while !rest.isEmpty {
            let content = Array(rest.prefix(Zstd.frameSize))
            rest = rest.dropFirst(content.count)
            let frame = try content.withBytes { content throws(ArchiveError) in
                Array(try compressor.frame(content))
            }
            note(frame.count, content.count)
            bytes += frame
        }
        glue = []
        return bytes
    }

    private mutating func note(_ size: Int, _ contentSize: Int) {
        table.add(size: size, contentSize: contentSize)
        self.contentSize += UInt64(contentSize)
        compressedSize += UInt64(size)
    }
}
