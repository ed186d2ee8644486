import CCurl
import ConclaveProtocol
import func Glibc.explicit_bzero
import func Glibc.strlen
import Synchronization
import WaxwingCore

/// Where an answer goes. All calls come from the loop's thread.
protocol AnswerReceiver: AnyObject, Sendable {
    /// The head of the final answer is complete. Throwing ends the transfer with that error.
    func head(_ head: ResponseHead) throws(TransportError)
    /// Some bytes of the body. Throwing ends the transfer with that error.
    func body(_ bytes: UnsafeRawBufferPointer) throws(TransportError)
    /// Nothing more will come. Called exactly once; no error means that the answer is complete.
    func end(_ error: TransportError?)
}

/// One request in progress: a curl easy handle with its callbacks.
///
/// `@unchecked Sendable`: only the loop's thread uses what changes, except ``isCancelled``. The callbacks run on that
/// thread, inside `curl_multi_perform`.
final class Transfer: @unchecked Sendable {
    /// Set by the caller, at any time.
    let isCancelled = Mutex(false)
    /// How long no byte at all may come; nil if curl's own timeouts are enough.
    var silenceTimeout: Duration? {
        guard case .eventStream(let headTimeout) = plan.patience else { return nil }
        return hasHead ? options.feedSilenceTimeout : headTimeout ?? options.feedSilenceTimeout
    }

    private(set) var easy: UnsafeMutableRawPointer?
    private(set) var lastByte = ContinuousClock.now

    private let plan: RequestPlan
    private let options: HTTPOptions
    private let receiver: any AnswerReceiver
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var errorText: UnsafeMutablePointer<CChar>?
    /// How often curl was about to write the request.
    private var beginnings = 0
    private var headerBytes = 0
    private var hasHead = false
    /// Why a callback told curl to give up.
    private var refusal: TransportError?
    private var isOver = false

    init(_ plan: RequestPlan, options: HTTPOptions, receiver: any AnswerReceiver) {
        self.plan = plan
        self.options = options
        self.receiver = receiver
    }

    deinit { release() }

    /// Whether the server may have seen anything of the request. It has not while curl did not ask for permission to
    /// write it.
    var outcome: TransportError.Outcome { beginnings == 0 ? .notSent : .unknown }

    /// Makes the easy handle; nil if curl refuses an option.
    func prepare() -> UnsafeMutableRawPointer? {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        lastByte = ContinuousClock.now
        let setup = EasySetup(easy)
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText?.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setup.set(CURLOPT_ERRORBUFFER, pointer: errorText.map(UnsafeMutableRawPointer.init))
        for line in plan.headers {
            guard let longer = curl_slist_append(headers, line) else { return nil }
            headers = longer
        }
        guard appendToken() else { return nil }
        setup.set(CURLOPT_HTTPHEADER, list: headers)
        setup.request(plan)
        setup.connection(options, isTLS: plan.isTLS)
        setup.bounds(options, plan.patience)
        setup.callbacks(context: Unmanaged.passUnretained(self).toOpaque())
        return setup.isComplete ? easy : nil
    }

    /// The meaning of a finished transfer's result; nil for a complete answer.
    func error(for code: CURLcode) -> TransportError? {
        if let refusal { return refusal }
        guard code != CURLE_OK else { return nil }
        let text = errorText.map { String(cString: $0) } ?? ""
        return TransportError(
            curl: code, outcome: outcome, text: text,
            proxies: options.proxy.map { [$0] } ?? ProxyAddress.ofEnvironment,
            proxyStatus: easy.map { EasySetup($0).info(CURLINFO_HTTP_CONNECTCODE) } ?? 0,
            certificateResult: easy.map { EasySetup($0).info(CURLINFO_SSL_VERIFYRESULT) } ?? 0)
    }

    /// Tells the receiver and frees what curl holds. Later calls do nothing.
    func end(_ error: TransportError?) {
        guard !isOver else { return }
        isOver = true
        if error == nil, !hasHead {
            receiver.end(TransportError(outcome, .badAnswer, "the server answered without a head"))
        } else {
            receiver.end(error)
        }
        release()
    }

    /// Adds the line with the session token. The only copy left is the one in the list.
    private func appendToken() -> Bool {
        guard let token = plan.token else { return true }
        let prefix = Array(plan.tokenPrefix.utf8)
        let length = prefix.count + token.count + 1
        return withUnsafeTemporaryAllocation(byteCount: length, alignment: 1) { line in
            line.copyBytes(from: prefix)
            token.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: line[prefix.count...]).copyBytes(from: $0) }
            line[length - 1] = 0
            guard let start = line.baseAddress else { return false }
            defer { explicit_bzero(start, length) }
            guard let longer = curl_slist_append(headers, start.assumingMemoryBound(to: CChar.self)) else {
                return false
            }
            headers = longer
            return true
        }
    }

    /// Wipes curl's copies of our header lines: the session token is in one of them.
    private func wipeHeaders() {
        var node = headers
        while let line = node {
            if let text = line.pointee.data { explicit_bzero(text, strlen(text)) }
            node = line.pointee.next
        }
    }

    private func release() {
        if let easy { curl_easy_cleanup(easy) }
        wipeHeaders()
        curl_slist_free_all(headers)
        errorText?.deallocate()
        (easy, headers, errorText) = (nil, nil, nil)
    }

    // MARK: - What curl calls

    /// curl has a connection and is about to write the request.
    ///
    /// curl repeats this by itself if a kept connection died before the first byte of an answer. The server may have
    /// acted on the first writing, so the second is refused: a transport must not decide whether to send again.
    fileprivate func willWrite() -> Int32 {
        beginnings += 1
        guard beginnings == 1 else {
            refusal = TransportError(
                .unknown, .connectionLost, "the connection was lost before the server answered")
            return CURL_PREREQFUNC_ABORT
        }
        return CURL_PREREQFUNC_OK
    }

    fileprivate func headerLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        lastByte = ContinuousClock.now
        headerBytes += bytes.count
        guard headerBytes <= HTTPLimits.headerBytes else {
            refusal = TransportError(.unknown, .answerTooLarge, "the head of the server's answer is too large")
            return false
        }
        // An empty line ends a head; 1xx heads announce another one. Trailers come this way, too.
        guard !hasHead, bytes.count <= 2, bytes.allSatisfy({ $0 == 13 || $0 == 10 }), let easy else { return true }
        let status = EasySetup(easy).info(CURLINFO_RESPONSE_CODE)
        guard status >= 200 else { return true }
        hasHead = true
        return run { () throws(TransportError) in
            try receiver.head(EasySetup(easy).head(status: status))
        }
    }

    fileprivate func bodyBytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        lastByte = ContinuousClock.now
        return run { () throws(TransportError) in try receiver.body(bytes) }
    }

    private func run(_ body: () throws(TransportError) -> Void) -> Bool {
        do {
            try body()
            return true
        } catch {
            refusal = error
            return false
        }
    }
}

extension EasySetup {
    /// The callbacks find their transfer by `context`, which the loop keeps alive while the handle is in use.
    func callbacks(context: UnsafeMutableRawPointer) {
        set(CURLOPT_WRITEDATA, pointer: context)
        set(CURLOPT_HEADERDATA, pointer: context)
        set(CURLOPT_PREREQDATA, pointer: context)
        setDataCallback(CURLOPT_WRITEFUNCTION) { data, size, count, context in
            let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
            return EasySetup.transfer(context)?.bodyBytes(bytes) == true ? bytes.count : bytes.count &+ 1
        }
        setDataCallback(CURLOPT_HEADERFUNCTION) { data, size, count, context in
            let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
            return EasySetup.transfer(context)?.headerLine(bytes) == true ? bytes.count : bytes.count &+ 1
        }
        setPrereqCallback { context, _, _, _, _ in
            EasySetup.transfer(context)?.willWrite() ?? CURL_PREREQFUNC_ABORT
        }
    }

    private static func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}
