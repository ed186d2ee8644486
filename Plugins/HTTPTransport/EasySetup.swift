import CCurl
import ConclaveProtocol

/// Sets the options of one easy handle and remembers whether curl accepted them all.
final class EasySetup {
    private(set) var isComplete = true
    private let easy: UnsafeMutableRawPointer

    init(_ easy: UnsafeMutableRawPointer) { self.easy = easy }

    /// The request itself.
    func request(_ plan: RequestPlan) {
        set(CURLOPT_URL, text: plan.url)
        // The path is ours, percent-encoded and without dots.
        set(CURLOPT_PATH_AS_IS, 1)
        switch plan.method {
        case .get:
            set(CURLOPT_HTTPGET, 1)
        case .post, .patch:
            set(CURLOPT_POST, 1)
            note(waxwing_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(plan.body.count)))
            plan.body.withUnsafeBytes { bytes in
                let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
                if let start, !bytes.isEmpty {
                    note(waxwing_curl_set_string(easy, CURLOPT_COPYPOSTFIELDS, start))
                } else {
                    set(CURLOPT_COPYPOSTFIELDS, text: "")
                }
            }
            if plan.method == .patch { set(CURLOPT_CUSTOMREQUEST, text: "PATCH") }
        }
    }

    /// The way to the server.
    func connection(_ options: HTTPOptions, isTLS: Bool) {
        set(CURLOPT_PROTOCOLS_STR, text: "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        // Signals are for the whole process, which is not ours.
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_HTTP_VERSION, Int(isTLS ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1))
        // Wait for a connection that can carry many requests rather than open another one.
        set(CURLOPT_PIPEWAIT, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_USERAGENT, text: options.userAgent)
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = options.certificateAuthorities {
            set(CURLOPT_CAINFO, text: file)
            // Otherwise the system's folder would still count beside the file.
            note(waxwing_curl_set_string(easy, CURLOPT_CAPATH, nil))
        }
        if let proxy = options.proxy { set(CURLOPT_PROXY, text: proxy) }
        if let noProxy = options.noProxy { set(CURLOPT_NOPROXY, text: noProxy) }
    }

    /// Limits on time and size.
    func bounds(_ options: HTTPOptions, _ patience: RequestPlan.Patience) {
        set(CURLOPT_CONNECTTIMEOUT_MS, max(1, options.connectTimeout.milliseconds))
        switch patience {
        case .eventStream: return
        case .poll(let timeout): set(CURLOPT_TIMEOUT_MS, max(1, timeout.milliseconds))
        case .ordinary:
            set(CURLOPT_TIMEOUT_MS, max(1, options.requestTimeout.milliseconds))
            set(CURLOPT_LOW_SPEED_LIMIT, max(0, options.slowBytesPerSecond))
            set(CURLOPT_LOW_SPEED_TIME, max(1, options.slowTimeout.milliseconds / 1000))
        }
        note(waxwing_curl_set_offset(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(max(1, options.answerSizeMax))))
    }

    func set(_ option: CURLoption, _ value: Int) { note(waxwing_curl_set_long(easy, option, value)) }
    func set(_ option: CURLoption, text: String) {
        // A zero byte would end the text early, and change its meaning.
        if text.utf8.contains(0) { isComplete = false }
        note(waxwing_curl_set_string(easy, option, text))
    }
    func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        note(waxwing_curl_set_pointer(easy, option, pointer))
    }
    func set(_ option: CURLoption, list: UnsafeMutablePointer<curl_slist>?) {
        note(waxwing_curl_set_list(easy, option, list))
    }
    func setDataCallback(_ option: CURLoption, _ callback: @escaping waxwing_curl_data_callback) {
        note(waxwing_curl_set_data_callback(easy, option, callback))
    }
    func setPrereqCallback(_ callback: @escaping curl_prereq_callback) {
        note(waxwing_curl_set_prereq_callback(easy, callback))
    }

    /// A number curl knows about the transfer; 0 if it does not.
    func info(_ info: CURLINFO) -> Int {
        var value = 0
        waxwing_curl_get_long(easy, info, &value)
        return value
    }

    /// A text curl knows about the transfer; empty if it does not.
    func text(_ info: CURLINFO) -> String {
        var value: UnsafeMutablePointer<CChar>?
        waxwing_curl_get_string(easy, info, &value)
        return value.map { String(cString: $0) } ?? ""
    }

    /// What the head of the final answer says.
    func head(status: Int) -> ResponseHead {
        ResponseHead(
            status: status, contentType: text(CURLINFO_CONTENT_TYPE),
            retryAfter: header("Retry-After").flatMap { RetryAfter($0) },
            date: header("Date").flatMap { HTTPDate.seconds($0) })
    }

    /// The first header of this name in the last answer that began, if there is one.
    private func header(_ name: String) -> String? {
        var found: UnsafeMutablePointer<curl_header>?
        guard curl_easy_header(easy, name, 0, UInt32(CURLH_HEADER), -1, &found) == CURLHE_OK,
            let value = found?.pointee.value
        else { return nil }
        return String(cString: value)
    }

    private func note(_ code: CURLcode) {
        if code != CURLE_OK { isComplete = false }
    }
}
