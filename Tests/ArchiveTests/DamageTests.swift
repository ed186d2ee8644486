import Age
import Archive
import Testing

/// An archive that was altered or cut is refused, even if the one who did it holds the key.
@Suite struct DamageTests {
    private let file: [UInt8]

    init() throws { file = try Sample.write(Sample.contents(groups: [1]), Sample.rows(6)).file }

    /// Reads everything there is.
    private func readAll(_ file: [UInt8]) -> ArchiveError? {
        do {
            _ = try Sample.allRows(file)
            return nil
        } catch {
            return error as? ArchiveError ?? ArchiveError(.failed, "\(error)")
        }
    }

    @Test func everyChangedByteIsRefused() {
        for index in file.indices {
            var altered = file
            altered[index] ^= 0x01
            let error = readAll(altered)
            #expect(error != nil && error?.code != .failed, "byte \(index): \(error as Any)")
        }
    }

    @Test func cutsAndAdditionsAreRefused() {
        for count in stride(from: 0, to: file.count, by: 37) {
            let error = readAll(Array(file.prefix(count)))
            #expect(error != nil && error?.code != .failed, "\(count) bytes: \(error as Any)")
        }
        #expect(readAll(file + [0])?.code == .damaged)
        #expect(readAll(file + file)?.code == .damaged)
    }

    /// Someone who holds the key can seal anything; the hashes and the signature hold them to what was signed.
    @Test func everyByteUnderTheSealIsHeldToTheSignature() throws {
        let plaintext = try Sample.plaintext(file)
        for index in stride(from: 0, to: plaintext.count, by: 3) {
            var altered = plaintext
            altered[index] ^= 0x10
            let error = readAll(try Sample.seal(altered))
            // A few bytes mean nothing: the magic numbers of frames are checked, their reserved bits are not.
            if error == nil {
                #expect(try Sample.allRows(Sample.seal(altered)) == Sample.allRows(file), "byte \(index)")
            }
            #expect(error?.code != .failed, "byte \(index): \(error as Any)")
        }
        for count in stride(from: 0, to: plaintext.count, by: 41) {
            let cut = try Sample.seal(Array(plaintext.prefix(count)))
            let error = readAll(cut)
            // Without the table at the end, and the zeros of tar before it, all of the files are still there.
            if error == nil { #expect(try Sample.allRows(cut) == Sample.allRows(file), "\(count) bytes") }
            #expect(error?.code != .failed, "\(count) bytes: \(error as Any)")
        }
    }

    @Test func anotherSignerIsToldApart() throws {
        let writer = try ArchiveWriter(
            Sample.contents(groups: [1]), to: .recipients([try #require(Sample.identity).recipient]), signer: Signer(6),
            folder: "/tmp", entropy: Entropy(3).age, user: Sample.user)
        var forged: [UInt8] = []
        _ = try writer.finish { forged += $0 }
        let report = try Sample.read(forged).verify(Sample.verify)
        #expect(try report.fingerprint != Sample.read(file).verify(Sample.verify).fingerprint)
    }

    @Test func nonsenseUnderTheSealIsRefused() throws {
        let entropy = Entropy(77)
        for length in [0, 1, 17, 600, 100_000] {
            let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: entropy.next()) }
            #expect(readAll(try Sample.seal(bytes)) != nil)
        }
    }
}
