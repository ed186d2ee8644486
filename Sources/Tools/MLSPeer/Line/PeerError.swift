/// A request that cannot be carried out, and why; the text goes into the answer.
struct PeerError: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
