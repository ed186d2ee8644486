import ArgumentParser
import Logging
import WaxwingServer

/// `host:port`, with an IPv6 address in brackets.
struct ListenAddress: ExpressibleByArgument, CustomStringConvertible {
    let host: String
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"),
            let port = UInt16(argument[argument.index(after: colon)...])
        else { return nil }
        var host = argument[..<colon]
        if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    var description: String { "\(host):\(port)" }
    var defaultValueDescription: String { description }
}

/// `off` or a number of at least 1.
struct RateLimitArgument: ExpressibleByArgument, CustomStringConvertible {
    let limit: ServerConfiguration.RateLimit

    init(limit: ServerConfiguration.RateLimit) {
        self.limit = limit
    }

    init?(argument: String) {
        if argument == "off" {
            limit = .off
        } else if let count = Int(argument), (1...1_000_000).contains(count) {
            limit = .perMinute(count)
        } else {
            return nil
        }
    }

    var description: String {
        switch limit {
        case .off: "off"
        case .perMinute(let count): "\(count)"
        }
    }
    var defaultValueDescription: String { description }
}

enum RegistrationMode: String, ExpressibleByArgument, CaseIterable {
    case open
    case closed
    case token
}

extension ServerConfiguration.Ordering: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
