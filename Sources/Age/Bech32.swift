/// Bech32 (BIP 173), as age writes keys: without the limit of 90 characters.
enum Bech32 {
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    /// - Parameter prefix: lower-case letters, digits and hyphens.
    static func encode(_ bytes: [UInt8], prefix: String) -> String {
        var digits = fives(bytes)
        digits += checksum(prefix, digits)
        return prefix + "1" + String(decoding: digits.map { alphabet[Int($0)] }, as: UTF8.self)
    }

    /// - Returns: nil for mixed case, unknown characters, a wrong checksum, or leftover bits.
    static func decode(_ text: String) -> (prefix: String, bytes: [UInt8])? {
        let characters = Array(text.utf8)
        guard characters.allSatisfy({ (33...126).contains($0) }),
            text == text.lowercased() || text == text.uppercased(),
            let separator = characters.lastIndex(of: UInt8(ascii: "1")), separator > 0,
            characters.count - separator > 6
        else { return nil }
        let lower = Array(text.lowercased().utf8)
        let prefix = String(decoding: lower[..<separator], as: UTF8.self)
        var digits: [UInt8] = []
        for character in lower[(separator + 1)...] {
            guard let digit = alphabet.firstIndex(of: character) else { return nil }
            digits.append(UInt8(digit))
        }
        guard remainder(of: expanded(prefix) + digits) == 1 else { return nil }
        guard let bytes = eights(digits.dropLast(6)) else { return nil }
        return (prefix, bytes)
    }

    private static func fives(_ bytes: [UInt8]) -> [UInt8] {
        var digits: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for byte in bytes {
            bits = (bits << 8 | UInt32(byte)) & 0xFFFF
            count += 8
            while count >= 5 {
                count -= 5
                digits.append(UInt8(bits >> UInt32(count) & 0x1F))
            }
        }
        if count > 0 { digits.append(UInt8(bits << UInt32(5 - count) & 0x1F)) }
        return digits
    }

    private static func eights(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for digit in digits {
            bits = (bits << 5 | UInt32(digit)) & 0xFFFF
            count += 5
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard count < 5, bits & (1 << UInt32(count) - 1) == 0 else { return nil }
        return bytes
    }

    private static func expanded(_ prefix: String) -> [UInt8] {
        prefix.utf8.map { $0 >> 5 } + [0] + prefix.utf8.map { $0 & 31 }
    }

    private static func checksum(_ prefix: String, _ digits: [UInt8]) -> [UInt8] {
        let value = remainder(of: expanded(prefix) + digits + [0, 0, 0, 0, 0, 0]) ^ 1
        return (0..<6).map { UInt8(value >> UInt32(5 * (5 - $0)) & 31) }
    }

    private static func remainder(of digits: [UInt8]) -> UInt32 {
        let generator: [UInt32] = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3]
        var value: UInt32 = 1
        for digit in digits {
            let top = value >> 25
            value = (value & 0x1FF_FFFF) << 5 ^ UInt32(digit)
            for (bit, factor) in generator.enumerated() where top >> UInt32(bit) & 1 == 1 { value ^= factor }
        }
        return value
    }
}
