import SwiftProtobuf

/// A request together with the way to read its answer.
///
/// ```swift
/// let call = Endpoint.me(token: token)
/// let info = try call.decode(try await transport.send(call.request))
/// ```
public struct Call<Response: Sendable>: Sendable {
    public let request: APIRequest
    private let read: @Sendable ([UInt8], _ status: Int) throws(ProtocolError) -> Response

    /// Reads an unchecked answer.
    ///
    /// - Throws: ``ProtocolError`` for everything but a success of the expected form.
    public func decode(_ response: APIResponse) throws(ProtocolError) -> Response {
        do throws(ProtocolError) {
            return try read(try response.successBody(), response.status)
        } catch {
            var error = error
            error.head = response.head
            throw error
        }
    }

    /// A call answered by a protobuf message.
    ///
    /// - Parameters:
    ///   - lists: The lists in the message, and how many elements they may have together.
    ///   - convert: Turns the message into `Response`, or throws what is wrong with it.
    init<Wire: SwiftProtobuf.Message>(
        _ request: APIRequest, lists: ListBounds? = nil,
        _ convert: @escaping @Sendable (Wire) throws(InvalidMessage) -> Response
    ) {
        self.request = request
        self.read = { (body, status) throws(ProtocolError) in
            do throws(InvalidMessage) {
                try lists?.check(body)
                guard let message = try? Wire(serializedBytes: body) else { throw InvalidMessage("it does not decode") }
                return try convert(message)
            } catch {
                throw ProtocolError(
                    .malformed, status: status, "the server's answer to \(request) is not valid: \(error.reason)")
            }
        }
    }
}

extension Call where Response == Void {
    /// A call whose answer says only that it succeeded. Unknown fields are skipped, so that a later server may say
    /// more.
    init(_ request: APIRequest) {
        self.init(request) { (_: Google_Protobuf_Empty) throws(InvalidMessage) in }
    }
}

/// What is wrong with a message that decoded.
struct InvalidMessage: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

extension APIResponse {
    /// What is wrong with the answer, judged by its head and the form of an error; nil for a success.
    public var refusal: ProtocolError? {
        do throws(ProtocolError) {
            _ = try successBody()
            return nil
        } catch {
            var error = error
            error.head = head
            return error
        }
    }

    /// The body of a success.
    ///
    /// - Throws: ``ProtocolError`` for every other status, and for a body that is not protobuf.
    func successBody() throws(ProtocolError) -> [UInt8] {
        switch status {
        case 200...299:
            guard mediaType == .protobuf || (mediaType == .none && body.isEmpty) else { throw notOurServer() }
            return body
        case 400...599:
            throw errorAnswer()
        case 300...399:
            throw ProtocolError(
                .notOurServer, status: status, "the server sent a redirect (status \(status)), which is not followed")
        default:
            throw notOurServer()
        }
    }

    private enum MediaType { case none, protobuf, plainText, other }

    private var mediaType: MediaType {
        let name = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        return switch name {
        case "": .none
        case "application/x-protobuf": .protobuf
        case "text/plain": .plainText
        default: .other
        }
    }

    private func errorAnswer() -> ProtocolError {
        let plain = ProtocolError(.plain(status: status), status: status, explanation)
        switch mediaType {
        case .none, .plainText: return plain
        // Proxies use their own words to say that they are in trouble; a captive portal says 511 (RFC 6585 §6).
        case .other: return status == 429 || (500...510).contains(status) ? plain : notOurServer()
        case .protobuf:
            guard !body.isEmpty else { return plain }
            guard let answer = try? WireErrorResponse(serializedBytes: body) else {
                return ProtocolError(
                    .malformed, status: status, "the server sent an error that does not decode (status \(status))")
            }
            let message = printable(answer.message, limit: ProtocolLimits.messageLength)
            return ProtocolError(
                .refused(status: status, code: ErrorCode(answer.errorCode), message: message), status: status,
                message.isEmpty || status == 429 || status >= 500
                    ? explanation
                    : "the server refused: \(message.hasSuffix(".") ? String(message.dropLast()) : message)")
        }
    }

    private func notOurServer() -> ProtocolError {
        ProtocolError(
            .notOurServer, status: status,
            "the answer (status \(status)) is not from a Conclave server; a captive portal or another web site may be in the way"
        )
    }

    /// The meaning of an error without a message of its own.
    private var explanation: String {
        switch (status, head.retryAfter) {
        case (404, _): "the server does not know this address (status 404)"
        case (413, _): "the request is too large for the server (status 413)"
        case (429, .seconds(let seconds)), (500...599, .seconds(let seconds)):
            "the server asks to wait \(seconds) s (\(status))"
        case (429, .date(let moment)), (500...599, .date(let moment)):
            // Seconds are given if the server tells its own clock.
            "the server asks to wait\(date.map { " \(moment > $0 ? moment - $0 : 0) s" } ?? "") (\(status))"
        case (429, nil): "the server asks for fewer requests (429)"
        case (500...599, nil): "the server is in trouble (\(status))"
        default: "the server refused the request (status \(status))"
        }
    }
}
