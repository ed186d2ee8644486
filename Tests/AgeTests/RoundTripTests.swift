import Age
import Testing

/// What goes in comes out, whatever its length and however it is cut.
@Suite struct RoundTripTests {
    private static let chunk = 65_536
    private let entropy = SampleEntropy(7)

    @Test(
        arguments: [0, 1, 15, 16, 17, chunk - 1, chunk, chunk + 1, 2 * chunk - 1, 2 * chunk, 3 * chunk + 5],
        [false, true])
    func everyLengthComesBack(_ length: Int, _ isArmored: Bool) throws {
        let identity = try AgeIdentity.generate(entropy.age)
        let plaintext = entropy.bytes(length)
        var files: Set<[UInt8]> = []
        for pieces in [997, Self.chunk, 1 << 20] {
            let file = try Sample.seal(
                plaintext, to: .recipients([identity.recipient]), isArmored: isArmored, pieces: pieces)
            files.insert(file)
            for pieces in [997, Self.chunk + 16, 1 << 20] {
                let (opened, error) = Sample.open(file, by: .identities([identity]), pieces: pieces)
                #expect(error == nil && opened == plaintext, "\(length) bytes in pieces of \(pieces)")
            }
            #expect(try Sample.read(file, by: .identities([identity])) == plaintext)
        }
        // The same randomness gives the same file, however it was written.
        #expect(files.count == 1)
    }

    @Test func anyPlaceCanBeRead() throws {
        let identity = try AgeIdentity.generate(entropy.age)
        let plaintext = entropy.bytes(3 * Self.chunk + 100)
        for isArmored in [false, true] {
            let file = try Sample.seal(plaintext, to: .recipients([identity.recipient]), isArmored: isArmored)
            let reader = try AgeReader(MemorySource(file), .identities([identity]))
            #expect(reader.count == UInt64(plaintext.count))
            for _ in 0..<200 {
                let place = Int(entropy.next()) % (plaintext.count + 10)
                var buffer = [UInt8](repeating: 0, count: 1 + Int(entropy.next()) % 100_000)
                let count = try buffer.withUnsafeMutableBytes { try reader.read(at: UInt64(place), into: $0) }
                #expect(place >= plaintext.count ? count == 0 : count > 0)
                #expect(buffer[..<count] == plaintext[min(place, plaintext.count)...].prefix(count))
            }
        }
    }

    @Test func readersOfOneFileWorkSideBySide() async throws {
        let identity = try AgeIdentity.generate(entropy.age)
        let plaintext = entropy.bytes(5 * Self.chunk + 100)
        for isArmored in [false, true] {
            let file = try Sample.seal(plaintext, to: .recipients([identity.recipient]), isArmored: isArmored)
            let first = try AgeReader(MemorySource(file), .identities([identity]))
            let readers = [first, try first.another(), try first.another()]
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for reader in readers {
                    group.addTask {
                        var all = [UInt8](repeating: 0, count: Int(reader.count))
                        var done = 0
                        while done < all.count {
                            done += try all[done..<min(done + 9999, all.count)].withUnsafeMutableBytes {
                                try reader.read(at: UInt64(done), into: $0)
                            }
                        }
                        return all
                    }
                }
                for try await all in group { #expect(all == plaintext) }
            }
        }
    }

    @Test func everyRecipientOpensItAndNobodyElse() throws {
        let identities = try (0..<5).map { _ in try AgeIdentity.generate(entropy.age) }
        let file = try Sample.seal(Array("for four".utf8), to: .recipients(identities.dropLast().map(\.recipient)))
        for identity in identities.dropLast() {
            #expect(Sample.open(file, by: .identities([identities[4], identity])).plaintext == Array("for four".utf8))
        }
        #expect(Sample.open(file, by: .identities([identities[4]])).error?.code == .wrongKey)
        #expect(Sample.open(file, by: .identities([])).error?.code == .wrongKey)
        #expect(Sample.open(file, by: .passphrase(SecretBytes(Array("for four".utf8)))).error?.code == .wrongKey)
        #expect(throws: AgeError(.invalidKey, "")) { try Sample.seal([], to: .recipients([])) }
    }

    @Test func aPassphraseOpensWhatItSealed() throws {
        let (right, wrong) = (SecretBytes(Array("correct horse".utf8)), SecretBytes(Array("battery staple".utf8)))
        let file = try Sample.seal([1, 2, 3], to: .passphrase(right, workFactor: 4))
        #expect(Sample.open(file, by: .passphrase(right)).plaintext == [1, 2, 3])
        #expect(Sample.open(file, by: .passphrase(wrong)).error?.code == .wrongKey)
        #expect(Sample.open(file, by: .passphrase(SecretBytes([]))).error?.code == .wrongKey)
        #expect(Sample.open(file, by: .passphrase(right, highestWorkFactor: 3)).error?.code == .workFactorTooHigh)
        #expect(throws: AgeError(.invalidKey, "")) { try Sample.seal([], to: .passphrase(SecretBytes([]))) }
        let identity = try AgeIdentity.generate(entropy.age)
        #expect(Sample.open(file, by: .identities([identity])).error?.code == .wrongKey)
    }

    @Test func keysAreWrittenAndReadAsText() throws {
        let identity = try AgeIdentity.generate(entropy.age)
        #expect(identity.unwipedText.hasPrefix("AGE-SECRET-KEY-1") && identity.unwipedText.count == 74)
        #expect(identity.recipient.text.hasPrefix("age1") && identity.recipient.text.count == 62)
        #expect(try AgeIdentity(identity.unwipedText).recipient == identity.recipient)
        #expect(try AgeRecipient(identity.recipient.text) == identity.recipient)
        #expect(!"\(identity)".contains(identity.unwipedText))
        let text = "# a comment\n\n\(identity.unwipedText)\r\n\(identity.unwipedText.lowercased())\n"
        #expect(try AgeIdentity.parse(Array(text.utf8)).map(\.recipient) == [identity.recipient, identity.recipient])
    }

    @Test(arguments: [
        ("", AgeError.Code.invalidKey), ("age1", .invalidKey), ("AGE-SECRET-KEY-1QQQ", .invalidKey),
        ("age1pq1qqqqqq", .unsupported), ("ssh-ed25519 AAAA", .unsupported),
        ("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwq", .invalidKey),
        ("Age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwz", .invalidKey),
    ])
    func whatIsNoRecipientIsRefused(text: String, code: AgeError.Code) {
        #expect(throws: AgeError(code, "")) { try AgeRecipient(text) }
    }
}
