import Machine
import Synchronization

/// Token buckets by name: so many per minute, all of them at once if none was taken for a minute.
final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var filledAt: Int64
    }

    private let perMinute: Double
    private let buckets = Mutex<[String: Bucket]>([:])

    init(perMinute: Int) {
        self.perMinute = Double(max(1, perMinute))
    }

    /// - Throws: 429 when the bucket is empty.
    func take(_ name: String, now: Int64) throws {
        try buckets.withLock { buckets in
            if buckets.count >= ServerLimits.trackedBuckets { forgetFullBuckets(&buckets, now: now) }
            var bucket = filled(buckets[name], now: now)
            guard bucket.tokens >= 1 else {
                throw APIError.tooMany(retryAfter: Int(((1 - bucket.tokens) * 60 / perMinute).rounded(.up)))
            }
            bucket.tokens -= 1
            buckets[name] = bucket
        }
    }

    /// Undoes a `take` for something that does not count after all.
    func giveBack(_ name: String, now: Int64) {
        buckets.withLock { buckets in
            guard buckets[name] != nil else { return }
            var bucket = filled(buckets[name], now: now)
            bucket.tokens += 1
            buckets[name] = bucket.tokens < perMinute ? bucket : nil
        }
    }

    private func filled(_ bucket: Bucket?, now: Int64) -> Bucket {
        guard let bucket else { return Bucket(tokens: perMinute, filledAt: now) }
        let seconds = Double(max(0, now.clampedMinus(bucket.filledAt)))
        return Bucket(tokens: min(perMinute, bucket.tokens + seconds * perMinute / 60), filledAt: now)
    }

    /// A full bucket says no more than a missing one. If there are too many others, the fuller half is dropped: whoever
    /// is being limited stays limited, however many others come.
    private func forgetFullBuckets(_ buckets: inout [String: Bucket], now: Int64) {
        buckets = buckets.filter { filled($0.value, now: now).tokens < perMinute }
        guard buckets.count >= ServerLimits.trackedBuckets else { return }
        let emptiest = buckets.sorted { filled($0.value, now: now).tokens < filled($1.value, now: now).tokens }
        buckets = Dictionary(
            uniqueKeysWithValues: emptiest.prefix(ServerLimits.trackedBuckets / 2).map { ($0.key, $0.value) })
    }
}

/// Which remote addresses count as one for a rate limit.
enum RemoteNetwork {
    /// An IPv4 address by itself; of an IPv6 address the first 64 bits, since they usually belong to one owner.
    static func name(of address: String) -> String {
        // A zone may follow the address.
        guard let bytes = Machine.ipv6Bytes(String(address.prefix { $0 != "%" })) else { return address }
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            return bytes[12...].map(String.init).joined(separator: ".")
        }
        return bytes[..<8].map(format).joined() + "/64"
    }

    private static func format(byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
