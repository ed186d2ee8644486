import ConclaveProtocol
import Hummingbird
import HTTPTypes
import HummingbirdCore

extension Response {
    static func protobuf(_ answer: Answer) -> Response {
        var response = Response(
            status: HTTPResponse.Status(code: answer.status),
            headers: answer.body.isEmpty ? [:] : [.contentType: "application/x-protobuf"],
            body: answer.body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
        if let next = answer.next { response.headers[.next] = next }
        return response
    }

    static func error(_ error: APIError) throws -> Response {
        let message = WireErrorResponse.with {
            $0.message = error.message
            $0.errorCode = error.code
        }
        var response = protobuf(try Answer(error.status, message))
        if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        return response
    }

    static func plain(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
    }
}

extension HTTPField.Name {
    static let idempotencyKey = Self.known("Idempotency-Key")
    static let contests = Self.known(APIRequest.contestsHeader)
    static let lastEventID = Self.known("Last-Event-ID")
    static let logEra = Self.known("Waxwing-Log-Era")
    static let requestID = Self.known("X-Request-Id")
    static let next = Self.known("Waxwing-Next")
    static let forwardedFor = Self.known("X-Forwarded-For")
    static let accelBuffering = Self.known("X-Accel-Buffering")

    /// For names written in the source, which are all tokens of RFC 9110; any other would match no header.
    private static func known(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .expect }
}
