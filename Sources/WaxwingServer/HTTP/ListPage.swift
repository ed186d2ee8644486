/// The part of a long list that is asked for, by our own query items `after` and `limit`.
///
/// Whoever gives no limit gets what the protocol says. If more follows, the answer has a header `Waxwing-Next` with the
/// next request's `after`.
struct ListPage: Hashable {
    let after: String?
    /// Nil if none was asked for.
    let limit: Int?

    /// - Throws: `MalformedQuery` unless the limit is a number above 0.
    init(_ query: [String: String], max most: Int) throws {
        after = query["after"]
        guard let text = query["limit"] else {
            limit = nil
            return
        }
        guard let limit = Int(text), limit > 0 else { throw MalformedQuery(name: "limit") }
        self.limit = min(limit, most)
    }
}
