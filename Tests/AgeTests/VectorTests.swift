import Age
import Foundation
import OpenSSLPrimitives
import Testing

/// The public test vectors of the age format.
@Suite(
    .enabled(
        if: Vector.folder != nil,
        "the public age vectors are missing: no such folder as WAXWING_AGE_VECTORS says, or ../shared/age-vectors"))
struct VectorTests {
    @Test func theyAreThere() { #expect(Vector.all.count >= 96) }

    @Test(arguments: Vector.all)
    func theStreamGivesWhatIsExpected(_ name: String) throws {
        for piece in [1, 7, 4096, 65_552, 1 << 20] {
            if try isTooLong(name, for: piece) { continue }
            try check(name, "in pieces of \(piece)") { opening, vector, plaintext in
                var decryptor = AgeDecryptor(opening, isArmored: vector.isArmored)
                for start in stride(from: 0, to: vector.file.count, by: piece) {
                    try vector.file[start...].prefix(piece).withUnsafeBytes { piece in
                        try decryptor.write(piece) { plaintext += $0 }
                    }
                }
                try decryptor.finish { plaintext += $0 }
            }
        }
    }

    @Test(arguments: Vector.all)
    func theReaderGivesWhatIsExpected(_ name: String) throws {
        for piece in [1000, 65_536, 200_000] {
            if try isTooLong(name, for: piece) { continue }
            try check(name, "read by \(piece)", isSeeking: true) { opening, vector, plaintext in
                let reader = try AgeReader(MemorySource(vector.file), opening, isArmored: vector.isArmored)
                var buffer = [UInt8](repeating: 0, count: piece)
                while true {
                    let count = try buffer.withUnsafeMutableBytes {
                        try reader.read(at: UInt64(plaintext.count), into: $0)
                    }
                    if count == 0 { break }
                    plaintext += buffer[..<count]
                }
                #expect(UInt64(plaintext.count) == reader.count, "\(name)")
            }
        }
    }

    /// Long files are not read in small pieces.
    private func isTooLong(_ name: String, for piece: Int) throws -> Bool {
        try piece < 65_536 && Vector(path: try #require(Vector.folder) + "/" + name).file.count > 200_000
    }

    private func check(
        _ name: String, _ way: String, isSeeking: Bool = false,
        open: (AgeOpening, Vector, inout [UInt8]) throws -> Void
    ) throws {
        let vector = try Vector(path: try #require(Vector.folder) + "/" + name)
        var plaintext: [UInt8] = []
        var outcome = "success"
        do {
            try open(try opening(vector), vector, &plaintext)
        } catch let error as AgeError {
            outcome = Self.outcome(error)
        }
        if vector.isHybrid {
            #expect(outcome == "unsupported", "\(name) \(way)")
            return
        }
        // A reader that begins at the end misses what is wrong further on, and sees a wrong end before anything else.
        let outcomes = isSeeking && vector.isArmored && vector.expected != "success" ? Self.failures : [vector.expected]
        #expect(outcomes.contains(outcome), "\(name) \(way): \(outcome), not \(vector.expected)")
        guard let payload = vector.payload else { return #expect(plaintext.isEmpty, "\(name) \(way)") }
        if isSeeking, vector.expected != "success" { return }
        #expect(Self.sha256(plaintext) == payload, "\(name) \(way): \(plaintext.count) bytes came out")
    }

    private func opening(_ vector: Vector) throws -> AgeOpening {
        if let passphrase = vector.fields["passphrase"]?.first {
            return .passphrase(SecretBytes(Array(passphrase.utf8)))
        }
        return .identities(try vector.fields["identity", default: []].map { try AgeIdentity($0) })
    }

    private static let failures = ["no match", "header failure", "payload failure", "armor failure"]

    private static func outcome(_ error: AgeError) -> String {
        switch error.code {
        case .wrongKey: "no match"
        case .damagedHeader: "HMAC failure"
        case .malformedHeader, .workFactorTooHigh: "header failure"
        case .malformedArmor: "armor failure"
        case .damaged, .truncated: "payload failure"
        case .unsupported: "unsupported"
        case .invalidKey, .unreadable, .failed: "\(error.code): \(error)"
        }
    }

    private static func sha256(_ bytes: [UInt8]) -> String {
        SHA256.of(bytes).map { String(format: "%02x", $0) }.joined()
    }
}
