import Age
import Testing

/// A file that was altered, cut, or put together differently is refused, and nothing comes out that was not sealed.
@Suite struct DamageTests {
    private static let chunk = 65_536
    private let entropy = SampleEntropy(11)
    private let identity: AgeIdentity
    private let opening: AgeOpening

    init() throws {
        identity = try AgeIdentity.generate(entropy.age)
        opening = .identities([identity])
    }

    /// - Parameter codes: the errors it may give.
    private func expectRefused(
        _ file: [UInt8], _ plaintext: [UInt8], _ codes: Set<AgeError.Code>, _ words: String,
        _ place: SourceLocation = #_sourceLocation
    ) {
        let (opened, error) = Sample.open(file, by: opening)
        #expect(error.map { codes.contains($0.code) } == true, "\(words): \(error as Any)", sourceLocation: place)
        #expect(plaintext.starts(with: opened), "\(words): what came out was never sealed", sourceLocation: place)
        // A reader notices at the latest when it reaches the place.
        #expect(throws: AgeError.self, "\(words)", sourceLocation: place) { try Sample.read(file, by: opening) }
    }

    @Test func everyChangedByteIsRefused() throws {
        let plaintext = entropy.bytes(300)
        let file = try Sample.seal(plaintext, to: .recipients([identity.recipient]))
        let header = file.count - 16 - 316
        for index in file.indices {
            for bit in [UInt8(1), 0x80] {
                var altered = file
                altered[index] ^= bit
                let inPayload: Set<AgeError.Code> = [.damaged]
                let inHeader: Set<AgeError.Code> = [
                    .malformedHeader, .unsupported, .damagedHeader, .wrongKey, .malformedArmor,
                ]
                expectRefused(altered, plaintext, index >= header ? inPayload : inHeader, "byte \(index)")
            }
        }
    }

    @Test func everyCutIsRefused() throws {
        let plaintext = entropy.bytes(2 * Self.chunk + 100)
        let file = try Sample.seal(plaintext, to: .recipients([identity.recipient]))
        let payload = file.count - (plaintext.count + 3 * 16)
        let edges = [0, 1, 2].flatMap { number in
            [-17, -16, -1, 0, 1, 15, 16, 17].map { payload + number * (Self.chunk + 16) + $0 }
        }
        let places = edges + (0..<50).map { _ in Int(entropy.next()) % file.count } + [file.count - 1]
        for place in places where place >= 0 {
            expectRefused(
                Array(file[..<place]), plaintext, [.truncated, .damaged, .malformedHeader], "cut at \(place)")
        }
        let wholeChunks = Sample.open(Array(file[..<(payload + 2 * (Self.chunk + 16))]), by: opening)
        #expect(wholeChunks.error?.code == .truncated)
    }

    @Test func chunksKeepTheirPlaces() throws {
        let plaintext = entropy.bytes(3 * Self.chunk + 100)
        let file = try Sample.seal(plaintext, to: .recipients([identity.recipient]))
        let head = file.prefix(file.count - (plaintext.count + 4 * 16))
        let chunks = stride(from: head.count, to: file.count, by: Self.chunk + 16).map {
            Array(file[$0...].prefix(Self.chunk + 16))
        }
        for order in [[1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 2, 3], [0, 1, 2, 3, 3], [3], [0, 1, 2, 3, 2]] {
            expectRefused(head + order.flatMap { chunks[$0] }, plaintext, [.damaged, .truncated], "\(order)")
        }
        for tail in [[UInt8](), [0], entropy.bytes(100), entropy.bytes(Self.chunk + 16)] where !tail.isEmpty {
            expectRefused(file + tail, plaintext, [.damaged], "\(tail.count) bytes behind it")
        }
    }

    @Test func theTextFormIsStrict() throws {
        let plaintext = entropy.bytes(200)
        let file = try Sample.seal(plaintext, to: .recipients([identity.recipient]), isArmored: true)
        for index in file.indices {
            var altered = file
            altered[index] ^= 0x01
            let (opened, error) = Sample.open(altered, by: opening)
            #expect(error != nil || altered[index] == UInt8(ascii: "\r"), "byte \(index)")
            #expect(plaintext.starts(with: opened))
        }
        for cut in stride(from: 1, to: file.count - 1, by: 3) {
            #expect(Sample.open(Array(file[..<cut]), by: opening).error != nil, "cut at \(cut)")
        }
        #expect(Sample.open(file + Array("x".utf8), by: opening).error?.code == .malformedArmor)
        #expect(Sample.open(Array("\n \r\n".utf8) + file + Array(" \n\t".utf8), by: opening).plaintext == plaintext)
    }

    @Test func nonsenseIsRefused() {
        for length in [0, 1, 20, 100, 5000, 2 << 20] {
            for start in [
                "", "age-encryption.org/v1\n", "age-encryption.org/v1\n-> X25519 ",
                "-----BEGIN AGE ENCRYPTED FILE-----\n",
            ] {
                let file = Array(start.utf8) + entropy.bytes(length)
                #expect(Sample.open(file, by: opening).error != nil)
                #expect(throws: AgeError.self) { try Sample.read(file, by: opening) }
            }
        }
        // A header without an end takes only a bounded amount of memory.
        let endless = Array("age-encryption.org/v1\n".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 4 << 20)
        #expect(Sample.open(endless, by: opening).error?.code == .malformedHeader)
    }
}
