import COpenSSL
import MLS

extension Array where Element == UInt8 {
    /// The bytes as the pointer that C functions take, with the caller's typed error passed through.
    func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeBufferPointer { buffer throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
    }

    mutating func withMutableBytes<R, E: Error>(_ body: (UnsafeMutableRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeMutableBufferPointer { buffer throws(E) in try body(UnsafeMutableRawBufferPointer(buffer)) }
    }
}

extension UnsafeRawBufferPointer {
    var uint8: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

extension UnsafeMutableRawBufferPointer {
    var uint8: UnsafeMutablePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

/// Throws unless an OpenSSL call returns 1, and empties its error queue, which the next caller would otherwise find.
func check(_ result: Int32, _ what: @autoclosure () -> String, code: MLSError.Code = .cryptoFailure) throws(MLSError) {
    if result == 1 { return }
    ERR_clear_error()
    throw MLSError(code, what())
}

/// Unwraps what an OpenSSL constructor made.
func made<T>(_ object: T?, _ what: @autoclosure () -> String, code: MLSError.Code = .cryptoFailure) throws(MLSError)
    -> T
{
    if let object { return object }
    ERR_clear_error()
    throw MLSError(code, what())
}
