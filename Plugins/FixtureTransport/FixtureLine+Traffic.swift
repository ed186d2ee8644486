import ConclaveProtocol
import FoundationEssentials
import WaxwingCore

/// Requests, answers and events as lines, and back.
extension FixtureLine {
    init(_ request: APIRequest, number: Int, _ masks: inout Masks) {
        self.init(.request)
        id = number
        method = request.method.rawValue
        path = request.path
        query = request.query.isEmpty ? nil : request.query.map { [$0.name, $0.value] }
        token = request.token.map { Masks.token($0.unwipedText) }
        key = request.idempotencyKey
        contests = request.contests.isEmpty ? nil : request.contests
        let bytes = masks.body(request.body, .request, request.method, request.path)
        body = bytes.isEmpty ? nil : Data(bytes)
        view = BodyView.of(bytes, .request, request.method, request.path)
    }

    init(_ response: APIResponse, to request: APIRequest, number: Int, _ masks: inout Masks) {
        self.init(.answer)
        id = number
        head = response.head
        let bytes = masks.body(response.body, .answer, request.method, request.path)
        body = bytes.isEmpty ? nil : Data(bytes)
        view = BodyView.of(bytes, .answer, request.method, request.path)
    }

    /// - Parameter kind: `failure` or `feedEnd`.
    init(_ error: TransportError, kind: Kind, number: Int) {
        self.init(kind)
        id = number
        outcome = error.outcome.rawValue
        cause = error.cause.rawValue
        reason = error.reason
        head = error.head
    }

    init(_ event: FeedEvent, number: Int) {
        self.init(.event)
        id = number
        switch event {
        case .opened: self.event = "opened"
        case .lagged: self.event = "lagged"
        case .event(let hint):
            self.event = "event"
            frame = hint.hexFrame
            view = BodyView.of(hint)
        }
    }

    var response: APIResponse? {
        guard kind == .answer, let head else { return nil }
        return APIResponse(head: head, body: Array(body ?? Data()))
    }

    private var head: ResponseHead? {
        get {
            guard let status else { return nil }
            let wait = retryAfter.map { RetryAfter.seconds($0) } ?? retryAt.map { RetryAfter.date($0) }
            return ResponseHead(status: status, contentType: type ?? "", retryAfter: wait, date: date)
        }
        set {
            status = newValue?.status
            type = newValue.flatMap { $0.contentType.isEmpty ? nil : $0.contentType }
            switch newValue?.retryAfter {
            case .seconds(let seconds): retryAfter = seconds
            case .date(let moment): retryAt = moment
            case nil: break
            }
            date = newValue?.date
        }
    }

    var transportError: TransportError? {
        guard let outcome = outcome.flatMap(TransportError.Outcome.init(rawValue:)),
            let cause = cause.flatMap(TransportError.Cause.init(rawValue:))
        else { return nil }
        return TransportError(outcome, cause, reason ?? "", head: head)
    }

    var feedEvent: FeedEvent? {
        switch event {
        case "opened": .opened
        case "lagged": .lagged
        case "event": frame.flatMap { ServerHint.decode(hexFrame: Array($0.utf8)) }.map { .event($0) }
        default: nil
        }
    }
}
