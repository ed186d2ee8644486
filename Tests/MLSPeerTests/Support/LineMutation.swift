@testable import MLSPeer

/// Makes a bad line, or another good one, out of a good one.
struct LineMutation {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func mutate(_ line: String) throws -> [UInt8] {
        guard random.below(5) > 0, case .object(var fields) = try JSONReader.read(Array(line.utf8)),
            let name = fields.keys.filter({ $0 != "id" }).sorted().randomElement(using: &random)
        else { return damage(line) }
        switch random.below(6) {
        case 0: fields[name] = nil
        case 1: fields[name] = anything()
        case 2: fields[fields.keys.sorted()[random.below(fields.count)]] = fields[name]
        default: fields[name] = mutate(fields[name] ?? .null)
        }
        var text: [UInt8] = []
        PeerJSON.object(fields).write(to: &text)
        return text
    }

    /// Changes a value within its kind.
    private mutating func mutate(_ value: PeerJSON) -> PeerJSON {
        switch value {
        case .bool(let value): return .bool(!value)
        case .integer(let value): return .integer(value &+ [-1, 1, 256, 1 << 32, .max][random.below(5)])
        case .string(let text): return .string(String(decoding: mutateHex(Array(text.utf8)), as: UTF8.self))
        case .array(var values):
            if values.isEmpty { return [anything()] }
            let place = random.below(values.count)
            switch random.below(4) {
            case 0: values.remove(at: place)
            case 1: values.append(values[place])
            default: values[place] = mutate(values[place])
            }
            return .array(values)
        case .object(var fields):
            guard let name = fields.keys.sorted().randomElement(using: &random) else { return anything() }
            fields[name] = random.below(4) == 0 ? nil : mutate(fields[name] ?? .null)
            return .object(fields)
        default: return anything()
        }
    }

    private mutating func mutateHex(_ digits: [UInt8]) -> [UInt8] {
        var digits = digits
        if digits.isEmpty { return Array("ff".utf8) }
        let place = random.below(digits.count)
        switch random.below(5) {
        case 0: digits.removeLast(digits.count - place)
        case 1: digits.append(contentsOf: digits.suffix(2))
        case 2: digits.removeSubrange(place / 2 * 2..<min(digits.count, place / 2 * 2 + 2))
        default: digits[place] = Array("0123456789abcdef".utf8)[random.below(16)]
        }
        return digits
    }

    private mutating func anything() -> PeerJSON {
        let values: [PeerJSON] = [
            .null, true, 0, -1, 7, .integer(.max), .large(.max), .number(0.5), "", "00", "ff00ff", "text", [], [:],
            [1, "00"], ["type": "add"], .string(Operation.all[random.below(Operation.all.count)].name),
        ]
        return values[random.below(values.count)]
    }

    private mutating func damage(_ line: String) -> [UInt8] {
        var bytes = Array(line.utf8)
        let place = random.below(bytes.count)
        switch random.below(3) {
        case 0: bytes.removeLast(bytes.count - place)
        case 1: bytes[place] ^= UInt8(1 << random.below(8))
        default: bytes.insert(UInt8(random.below(256)), at: place)
        }
        return bytes
    }
}
