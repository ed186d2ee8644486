import HummingbirdCore
import Machine
import NIOCore

/// The proxies whose word about the client's address is taken.
public struct TrustedProxies: Hashable, Sendable {
    /// An address, or a network in CIDR notation (RFC 4632): `192.0.2.7`, `10.0.0.0/8`, `fd00::/8`.
    public struct Network: Hashable, Sendable {
        private let bytes: [UInt8]
        private let bits: Int

        /// Nil if the text is no address and no network.
        public init?(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = parts.first, let (bytes, offset) = Self.parse(String(first)) else { return nil }
            var bits = 128
            if parts.count == 2 {
                guard let given = UInt8(parts[1]), Int(given) + offset <= 128 else { return nil }
                bits = Int(given) + offset
            }
            self.bytes = bytes
            self.bits = bits
        }

        /// Whether the address belongs to the network; false for what is no address.
        public func contains(_ address: String) -> Bool {
            guard let (other, _) = Self.parse(address) else { return false }
            let whole = bits / 8
            guard bytes[..<whole] == other[..<whole] else { return false }
            let rest = bits % 8
            guard rest > 0 else { return true }
            return (bytes[whole] ^ other[whole]) >> UInt8(8 - rest) == 0
        }

        /// Sixteen bytes, IPv4 mapped into IPv6, and how many bits the mapping takes.
        private static func parse(_ text: String) -> (bytes: [UInt8], offset: Int)? {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let numbers = parts.compactMap { part in
                part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 } ? UInt8(part) : nil
            }
            if parts.count == 4, numbers.count == 4 {
                return ([UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + numbers, 96)
            }
            // A zone may follow the address.
            return Machine.ipv6Bytes(String(text.prefix { $0 != "%" })).map { ($0, 0) }
        }
    }

    private let networks: [Network]

    public init(_ networks: [Network] = []) {
        self.networks = networks
    }

    func contains(_ address: String) -> Bool {
        networks.contains { $0.contains(address) }
    }

    /// Where a request came from: the last address in `X-Forwarded-For` that is no proxy of ours. Everything before it
    /// can be made up by whoever sent the request.
    ///
    /// - Parameter forwarded: the values of the header, in order.
    func client(peer: String, forwarded: [String]) -> String {
        guard contains(peer) else { return peer }
        var client = peer
        let hops = forwarded.joined(separator: ",").split(separator: ",", omittingEmptySubsequences: false)
        for hop in hops.suffix(ServerLimits.forwardedHops).reversed() {
            guard let address = Self.address(hop) else { return client }
            client = address
            guard contains(address) else { return address }
        }
        return client
    }

    /// The address of one hop, without a port; nil if it is none.
    private static func address(_ hop: Substring) -> String? {
        var text = hop.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            text = text[text.index(after: text.startIndex)..<end]
        } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            text = text[..<colon]
        }
        return Network(String(text)) != nil && !text.contains("/") ? String(text) : nil
    }
}

extension TrustedProxies {
    /// The network that a request counts for, see ``RemoteNetwork``.
    func client(of request: Request, over channel: any Channel) -> String {
        guard let peer = channel.remoteAddress?.ipAddress else { return "unknown" }
        return RemoteNetwork.name(of: client(peer: peer, forwarded: request.headers[values: .forwardedFor]))
    }
}
