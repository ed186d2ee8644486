import MLS
import MLSOpenSSL
import Testing

/// Keys that a peer could send and that must do nothing but fail.
struct MalformedKeyTests {
    /// The order of each NIST curve, which is the first scalar out of range.
    private static let orders: [UInt16: [UInt8]] = [
        2: bytes(hex: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        5: bytes(
            hex:
                "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5"
                + "c9b8899c47aebb6fb71e91386409"),
        7: bytes(
            hex: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
    ]

    @Test(arguments: [2, 5, 7] as [UInt16])
    func scalarsOutOfRangeAreNoKeys(number: UInt16) throws {
        let crypto = try suite(number)
        let order = try #require(Self.orders[number])
        var last = order
        last[last.count - 1] -= 1
        var beyond = order
        beyond[beyond.count - 1] += 1
        let refused: [[UInt8]] = [
            [], [0], Array(repeating: 0, count: order.count), order, beyond, Array(repeating: 0xFF, count: order.count),
            [0] + last,
        ]
        for scalar in refused {
            expectError(.invalidKey, "\(scalar)") { try crypto.signatureKey(raw: Secret(scalar)) }
            expectError(.invalidKey, "\(scalar)") { try crypto.hpkeKey(raw: Secret(scalar)) }
        }
        for scalar in [last, [1]] {
            #expect(try crypto.signatureKey(raw: Secret(scalar)).raw.count == order.count)
            #expect(try crypto.hpkeKey(raw: Secret(scalar)).raw.count == order.count)
        }
    }

    @Test(arguments: [2, 5, 7] as [UInt16])
    func scalarsMayComeWithoutTheirLeadingZeros(number: UInt16) throws {
        let crypto = try suite(number)
        let length = try #require(Self.orders[number]).count
        let short: [UInt8] = [7, 7, 7]
        let padded = Array(repeating: 0, count: length - 3) + short
        #expect(
            try crypto.hpkeKey(raw: Secret(short)).publicKey == crypto.hpkeKey(raw: Secret(padded)).publicKey)
    }

    @Test(arguments: [2, 5, 7] as [UInt16])
    func onlyUncompressedPointsOnTheCurveArePublicKeys(number: UInt16) throws {
        let crypto = try suite(number)
        let entropy = SeededEntropy(seed: 1)
        let valid = try crypto.generateHPKEKey(entropy).publicKey
        #expect(crypto.isValidHPKEPublicKey(valid))
        var offCurve = valid
        offCurve[offCurve.count - 1] ^= 1
        var hybrid = valid
        hybrid[0] = 6 + (valid[valid.count - 1] & 1)
        let compressed = [2 + (valid[valid.count - 1] & 1)] + valid[1...(valid.count / 2)]
        let tooBig = [4] + Array(repeating: UInt8(0xFF), count: valid.count - 1)
        let origin = [4] + Array(repeating: UInt8(0), count: valid.count - 1)
        for key in [[], [0], [4], offCurve, hybrid, compressed, tooBig, origin, valid + [0], Array(valid.dropLast())] {
            #expect(!crypto.isValidHPKEPublicKey(key), "\(key)")
            expectError(.invalidKey, "\(key)") { try crypto.hpkeSeal(to: key, info: [], aad: [], Secret([1]), entropy) }
            #expect(!crypto.verify(publicKey: key, [1], signature: [1]))
        }
    }

    /// Points with few multiples, so that everyone knows the shared secret (RFC 7748 §6).
    @Test func pointsOfSmallOrderGiveNoSecret() throws {
        let (zeros, ones) = (Self.repeated("00", 31), Self.repeated("ff", 30))
        let small25519 = [
            "00" + zeros, "01" + zeros, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", "ec" + ones + "7f", "ed" + ones + "7f",
            "ee" + ones + "7f",
        ].map(bytes(hex:))
        let half = Self.repeated("ff", 27)
        let small448 = [
            Self.repeated("00", 56), "01" + Self.repeated("00", 55), Self.repeated("00", 28) + "ff" + half,
            "fe" + half + "fe" + half, "ff" + half + "fe" + half,
        ].map(bytes(hex:))
        var cases: [(UInt16, [UInt8])] = small448.map { (4, $0) }
        for point in small25519 {
            cases.append((1, point))
            // The highest bit makes no difference to X25519.
            cases.append((1, point.dropLast() + [point[31] | 0x80]))
        }
        cases.append((3, small25519[0]))
        cases.append((6, small448[0]))
        for (number, point) in cases {
            let crypto = try suite(number)
            let entropy = SeededEntropy(seed: 2)
            #expect(!crypto.isValidHPKEPublicKey(point), "suite \(number): \(point)")
            expectError(.invalidKey, "suite \(number)") {
                try crypto.hpkeSeal(to: point, info: [], aad: [], Secret([1]), entropy)
            }
            let key = try crypto.generateHPKEKey(entropy)
            expectError(.decryptionFailed, "suite \(number)") {
                try crypto.hpkeReceiveExport(enc: point, with: key, info: [], context: [], length: 32)
            }
        }
    }

    private static func repeated(_ hex: String, _ count: Int) -> String { String(repeating: hex, count: count) }

    /// A point next to one of small order is like any other.
    @Test func theirNeighboursAreKeys() throws {
        let (zeros, ones, half) = (Self.repeated("00", 30), Self.repeated("ff", 30), Self.repeated("ff", 27))
        let cases: [(UInt16, String)] = [
            (1, "0200" + zeros), (1, "0001" + zeros), (1, zeros + "0001"), (1, "eb" + ones + "7f"),
            (1, "ef" + ones + "7f"), (1, "ed" + ones + "7e"), (4, "02" + Self.repeated("00", 55)),
            (4, Self.repeated("00", 55) + "01"), (4, "fd" + half + "fe" + half), (4, "ff" + half + "fd" + half),
            (4, "01" + Self.repeated("00", 27) + "ff" + half), (4, Self.repeated("ff", 55) + "fe"),
        ]
        for (number, hex) in cases {
            let crypto = try suite(number)
            let point = bytes(hex: hex)
            #expect(crypto.isValidHPKEPublicKey(point), "suite \(number): \(point)")
            _ = try crypto.hpkeSeal(to: point, info: [], aad: [], Secret([1]), SeededEntropy(seed: 2))
        }
    }

    @Test(arguments: [1, 3, 4, 6] as [UInt16])
    func keysOfAnotherLengthAreRefused(number: UInt16) throws {
        let crypto = try suite(number)
        let length = try crypto.generateHPKEKey(SeededEntropy(seed: 1)).publicKey.count
        // Not one more: that is the length of a signature key of the 448 suites.
        for wrong in [0, 1, length - 1, length + 2] {
            let key = [UInt8](repeating: 9, count: wrong)
            #expect(!crypto.isValidHPKEPublicKey(key))
            expectError(.invalidKey) { try crypto.hpkeKey(raw: Secret(key)) }
            expectError(.invalidKey) { try crypto.signatureKey(raw: Secret(key)) }
            #expect(!crypto.verify(publicKey: key, [1], signature: key))
        }
    }

    @Test func anEntropySourceThatSaysTheSameForeverIsAnErrorNotALoop() throws {
        struct Stuck: EntropySource {
            func bytes(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
        }
        expectError(.cryptoFailure) { try suite(2).generateSignatureKey(Stuck()) }
    }
}
