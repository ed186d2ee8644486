import ConclaveProtocol
import Foundation
import HTTPTypes

@testable import WaxwingServer

/// Finds the route of a request.
struct RouteTable: Sendable {
    enum Match: Sendable {
        case found(Route, PathArguments)
        case unknownPath
        case otherMethod
        case malformedID
    }

    /// More segments than any route has.
    private static let segmentsMax = 5

    private let prefix: [Substring]
    private let routes: [Route]

    init(prefix: String, _ routes: [Route]) {
        self.prefix = prefix.split(separator: "/")
        self.routes = routes
    }

    /// `path` is the request's path without the query.
    func match(_ method: HTTPRequest.Method, _ path: String) -> Match {
        var parts = path.split(separator: "/", maxSplits: 8, omittingEmptySubsequences: false)
        guard parts.first == "" else { return .unknownPath }
        parts.removeFirst()
        guard parts.starts(with: prefix) else { return .unknownPath }
        parts.removeFirst(prefix.count)
        guard parts.count <= Self.segmentsMax else { return .unknownPath }

        var answer = Match.unknownPath
        for route in routes where Self.fits(parts, route.segments) {
            guard route.method == method else {
                if case .unknownPath = answer { answer = .otherMethod }
                continue
            }
            guard let arguments = Self.arguments(of: parts, route.segments) else {
                answer = .malformedID
                continue
            }
            return .found(route, arguments)
        }
        return answer
    }

    private static func fits(_ parts: [Substring], _ segments: [Route.Segment]) -> Bool {
        guard parts.count == segments.count else { return false }
        return zip(parts, segments).allSatisfy { part, segment in
            if case .literal(let text) = segment { text == part } else { !part.isEmpty }
        }
    }

    /// Nil if a UUID is invalid.
    private static func arguments(of parts: [Substring], _ segments: [Route.Segment]) -> PathArguments? {
        var arguments = PathArguments()
        for (part, segment) in zip(parts, segments) {
            switch segment {
            case .literal: break
            case .name: arguments.set(name: part.removingPercentEncoding ?? String(part))
            case .id:
                guard let id = ID(path: part) else { return nil }
                arguments.append(id)
            }
        }
        return arguments
    }
}
