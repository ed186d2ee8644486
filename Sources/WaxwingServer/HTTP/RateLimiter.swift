import Synchronization

/// Token buckets by name: so many a minute, all of them at once if nothing was taken for a minute.
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
        try check(name, now: now, taking: 1)
    }

    /// Like `take`, but leaves the bucket as it is.
    func check(_ name: String, now: Int64) throws {
        try check(name, now: now, taking: 0)
    }

    private func check(_ name: String, now: Int64, taking: Double) throws {
        try buckets.withLock { buckets in
            if buckets.count >= Limits.trackedBuckets { forgetFullBuckets(&buckets, now: now) }
            var bucket = filled(buckets[name], now: now)
            guard bucket.tokens >= 1 else {
                throw APIError.tooMany(retryAfter: Int(((1 - bucket.tokens) * 60 / perMinute).rounded(.up)))
            }
            guard taking > 0 else { return }
            bucket.tokens -= taking
            buckets[name] = bucket
        }
    }

    private func filled(_ bucket: Bucket?, now: Int64) -> Bucket {
        guard let bucket else { return Bucket(tokens: perMinute, filledAt: now) }
        let seconds = Double(max(0, now.clampedMinus(bucket.filledAt)))
        return Bucket(tokens: min(perMinute, bucket.tokens + seconds * perMinute / 60), filledAt: now)
    }

    /// A full bucket says nothing that a missing one does not; if none is full, memory counts more than the rates.
    private func forgetFullBuckets(_ buckets: inout [String: Bucket], now: Int64) {
        buckets = buckets.filter { filled($0.value, now: now).tokens < perMinute }
        if buckets.count >= Limits.trackedBuckets { buckets = [:] }
    }
}
