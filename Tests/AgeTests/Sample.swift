import Age
import Synchronization

/// Bytes that look random and are the same on every run.
final class SampleEntropy: Sendable {
    private let state: Mutex<UInt64>

    init(_ seed: UInt64) { state = Mutex(seed &* 2_654_435_761 &+ 1) }

    func next() -> UInt64 {
        state.withLock { state in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }

    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    var age: AgeEntropy { { SecretBytes(self.bytes($0)) } }
}

/// Whole files, for tests.
enum Sample {
    static func seal(
        _ plaintext: [UInt8], to sealing: AgeSealing, isArmored: Bool = false, pieces: Int = 1 << 20, seed: UInt64 = 1
    ) throws -> [UInt8] {
        var file: [UInt8] = []
        var encryptor = try AgeEncryptor(sealing, isArmored: isArmored, entropy: SampleEntropy(seed).age)
        for start in stride(from: 0, to: plaintext.count, by: pieces) {
            try plaintext[start...].prefix(pieces).withUnsafeBytes { try encryptor.write($0) { file += $0 } }
        }
        try encryptor.finish { file += $0 }
        return file
    }

    /// What comes out, and the error at the end.
    static func open(_ file: [UInt8], by opening: AgeOpening, pieces: Int = 1 << 20) -> (
        plaintext: [UInt8], error: AgeError?
    ) {
        var plaintext: [UInt8] = []
        do {
            var decryptor = AgeDecryptor(opening)
            for start in stride(from: 0, to: file.count, by: pieces) {
                try file[start...].prefix(pieces).withUnsafeBytes { try decryptor.write($0) { plaintext += $0 } }
            }
            try decryptor.finish { plaintext += $0 }
            return (plaintext, nil)
        } catch {
            return (plaintext, error as? AgeError ?? AgeError(.failed, "\(error)"))
        }
    }

    /// All of it, through the reader.
    static func read(_ file: [UInt8], by opening: AgeOpening) throws -> [UInt8] {
        let reader = try AgeReader(MemorySource(file), opening)
        var plaintext = [UInt8](repeating: 0, count: Int(reader.count))
        var done = 0
        while done < plaintext.count {
            done += try plaintext[done...].withUnsafeMutableBytes { try reader.read(at: UInt64(done), into: $0) }
        }
        return plaintext
    }
}
