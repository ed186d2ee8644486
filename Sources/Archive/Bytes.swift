/// Passes bytes to functions with typed errors.
extension ArraySlice<UInt8> {
    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> R) throws(ArchiveError) -> R {
        try withUnsafeBytes { bytes in catching { () throws(ArchiveError) in try body(bytes) } }.get()
    }
}

extension [UInt8] {
    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> R) throws(ArchiveError) -> R {
        try self[...].withBytes(body)
    }

    mutating func withMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws(ArchiveError) -> R)
        throws(ArchiveError) -> R
    {
        try withUnsafeMutableBytes { bytes in catching { () throws(ArchiveError) in try body(bytes) } }.get()
    }
}

private func catching<R>(_ body: () throws(ArchiveError) -> R) -> Result<R, ArchiveError> {
    do throws(ArchiveError) { return .success(try body()) } catch { return .failure(error) }
}
