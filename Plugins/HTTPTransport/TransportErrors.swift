import CCurl
import WaxwingCore

extension TransportError {
    /// The meaning of a curl result.
    ///
    /// - Parameters:
    ///   - text: curl's own message. It names hosts and ports, never headers or bodies, but may repeat the address of a
    ///     proxy.
    ///   - proxies: the addresses it may repeat, which must not be shown to anyone.
    ///   - proxyStatus: what a proxy answered to CONNECT; 0 if there was none.
    ///   - certificateResult: OpenSSL's verdict on the certificate; 0 for nothing wrong.
    init(
        curl code: CURLcode, outcome: Outcome, text: String, proxies: [String], proxyStatus: Int,
        certificateResult: Int = 0
    ) {
        let detail = Self.told(Self.tame(ProxyAddress.withoutCredentials(text, proxies: proxies)))
        if outcome == .notSent, proxyStatus >= 300 {
            self.init(outcome, .proxy, "the proxy refused to connect (status \(proxyStatus))")
            return
        }
        let (cause, summary): (Cause, String) =
            switch code {
            case CURLE_PEER_FAILED_VERIFICATION where Self.datesDoNotFit.contains(certificateResult):
                (
                    .certificateDate,
                    "the server's certificate is not valid at this time; if this machine's clock is wrong, set it right"
                )
            case CURLE_COULDNT_RESOLVE_HOST: (.nameNotFound, "the server's name was not found")
            case CURLE_COULDNT_RESOLVE_PROXY: (.proxy, "the proxy's name was not found")
            case CURLE_PROXY: (.proxy, "the proxy refused to connect")
            case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED: (.unreachable, "the server cannot be reached")
            case CURLE_OPERATION_TIMEDOUT: (.timeout, "the server took too long")
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
                CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CRL_BADFILE:
                (.badCertificate, "the server's certificate is not trusted")
            case CURLE_SSL_CACERT_BADFILE:
                (.badCertificate, "the file of trusted certificate authorities cannot be read")
            case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_NOTFOUND,
                CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_SHUTDOWN_FAILED:
                (.tls, "no secure connection could be made")
            case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2,
                CURLE_HTTP2_STREAM, CURLE_SEND_FAIL_REWIND:
                (.connectionLost, "the connection was lost")
            case CURLE_FILESIZE_EXCEEDED: (.answerTooLarge, "the server's answer is too large")
            case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR:
                (.badAnswer, "the server's answer is not valid HTTP")
            case CURLE_ABORTED_BY_CALLBACK: (.cancelled, "the request was cancelled")
            case CURLE_OUT_OF_MEMORY: (.other, "out of memory")
            default: (.other, "the request failed (curl \(code.rawValue))")
            }
        self.init(outcome, cause, detail.isEmpty ? "\(summary)" : "\(summary): \(detail)")
    }

    /// X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
    private static let datesDoNotFit = 9...10

    /// If no connection was made, curl says so twice: in "Failed to connect to HOST port PORT after 0 ms: Couldn't
    /// connect to server" only the place is news. It may be that of a proxy.
    private static func told(_ text: String) -> String {
        let start = "Failed to connect to "
        guard text.hasPrefix(start), let end = text.firstRange(of: " after ") else { return text }
        return "no connection to " + text[..<end.lowerBound].dropFirst(start.count)
    }

    static func cancelled(_ outcome: Outcome) -> TransportError {
        TransportError(outcome, .cancelled, "the request was cancelled")
    }

    /// Some of curl's message comes from the server: allow only printable ASCII, and not much of it.
    private static func tame(_ text: String) -> String {
        let kept = text.utf8.lazy.filter { (0x20...0x7e).contains($0) }.prefix(HTTPLimits.reasonLength)
        return String(decoding: Array(kept), as: UTF8.self)
    }
}
