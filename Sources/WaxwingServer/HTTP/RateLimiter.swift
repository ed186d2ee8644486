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
        try buckets.withLock { buckets in
            if buckets.count >= Limits.trackedBuckets { forgetFullBuckets(&buckets, now: now) }
            var bucket = filled(buckets[name], now: now)
            guard bucket.tokens >= 1 else {
                throw APIError.tooMany(retryAfter: Int(((1 - bucket.tokens) * 60 / perMinute).rounded(.up)))
            }
            bucket.tokens -= 1
            buckets[name] = bucket
        }
    }

    /// Undoes a `take` for what turned out not to count.
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

    /// A full bucket says nothing that a missing one does not; if none is full, memory counts more than the rates.
    private func forgetFullBuckets(_ buckets: inout [String: Bucket], now: Int64) {
        buckets = buckets.filter { filled($0.value, now: now).tokens < perMinute }
        if buckets.count >= Limits.trackedBuckets { buckets = [:] }
    }
}
