import Machine
import CCurl
import Synchronization
import WaxwingCore

/// The thread that runs all transfers of one transport on one curl multi handle.
///
/// `@unchecked Sendable`: only the loop's thread uses the multi handle and ``active``. Other threads go through
/// ``mailbox``. `curl_multi_wakeup` is the one function of curl that may be called from any thread; it is called under
/// the lock that also guards the end of the handle.
final class CurlLoop: @unchecked Sendable {
    private struct Mailbox {
        var starting: [Transfer] = []
        var cancelled: [Transfer] = []
        var isStopping = false
        /// The multi handle is gone or about to be.
        var isOver = false
    }

    private let multi: UnsafeMutableRawPointer
    private let mailbox = Mutex(Mailbox())
    private var active: [UnsafeMutableRawPointer: Transfer] = [:]

    /// curl_global_init must not run twice at the same time: a static is initialized once.
    private static let isCurlReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(connectionsMax: Int) throws(TransportError) {
        guard Self.isCurlReady, let multi = curl_multi_init() else {
            throw TransportError(.notSent, .other, "the HTTP library could not be started")
        }
        self.multi = multi
        waxwing_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        waxwing_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, max(2, connectionsMax))
        guard Machine.startThread({ [self] in run() }) else {
            curl_multi_cleanup(multi)
            throw TransportError(.notSent, .other, "no thread could be started for the network")
        }
    }

    /// Begins a transfer. Its receiver learns of its end exactly once: on the loop's thread or, if the loop is over, at
    /// once.
    func start(_ transfer: Transfer) {
        let isOver = mailbox.withLock { mailbox in
            guard !mailbox.isOver else { return true }
            mailbox.starting.append(transfer)
            curl_multi_wakeup(multi)
            return false
        }
        if isOver { transfer.end(TransportError.cancelled(transfer.outcome)) }
    }

    /// Ends a transfer, even one that has not started yet.
    func cancel(_ transfer: Transfer) {
        transfer.isCancelled.withLock { $0 = true }
        mailbox.withLock { mailbox in
            guard !mailbox.isOver else { return }
            mailbox.cancelled.append(transfer)
            curl_multi_wakeup(multi)
        }
    }

    /// Ends all transfers and the thread.
    func stop() {
        mailbox.withLock { mailbox in
            guard !mailbox.isOver else { return }
            mailbox.isStopping = true
            curl_multi_wakeup(multi)
        }
    }

    // MARK: - On the loop's thread

    private func run() {
        while readMailbox() {
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            endFinished()
            let wait = endSilent()
            if curl_multi_poll(multi, nil, 0, wait, nil) != CURLM_OK {
                // Out of memory or descriptors: meanwhile transfers fail by their own timeouts.
                Machine.pause(microseconds: 50_000)
            }
        }
        let left = mailbox.withLock { mailbox in
            mailbox.isOver = true
            defer { mailbox.starting = [] }
            return mailbox.starting
        }
        for transfer in left + active.values { finish(transfer, TransportError.cancelled(transfer.outcome)) }
        curl_multi_cleanup(multi)
    }

    /// - Returns: false when it is time to stop.
    private func readMailbox() -> Bool {
        let (starting, cancelled, isStopping) = mailbox.withLock { mailbox in
            defer { (mailbox.starting, mailbox.cancelled) = ([], []) }
            return (mailbox.starting, mailbox.cancelled, mailbox.isStopping)
        }
        for transfer in starting { begin(transfer) }
        for transfer in cancelled where transfer.easy.map({ active[$0] != nil }) == true {
            finish(transfer, TransportError.cancelled(transfer.outcome))
        }
        return !isStopping
    }

    private func begin(_ transfer: Transfer) {
        guard !transfer.isCancelled.withLock({ $0 }) else {
            return finish(transfer, TransportError.cancelled(.notSent))
        }
        guard let easy = transfer.prepare(), curl_multi_add_handle(multi, easy) == CURLM_OK else {
            return finish(transfer, TransportError(.notSent, .other, "the HTTP library refused the request"))
        }
        active[easy] = transfer
    }

    private func endFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left)?.pointee {
            guard message.msg == CURLMSG_DONE, let transfer = message.easy_handle.flatMap({ active[$0] }) else {
                continue
            }
            finish(transfer, transfer.error(for: message.data.result))
        }
    }

    /// Ends transfers that have been silent for too long.
    ///
    /// - Returns: the milliseconds until the next one may time out.
    private func endSilent() -> Int32 {
        var wait: Duration = .seconds(60)
        let now = ContinuousClock.now
        for transfer in active.values {
            guard let limit = transfer.silenceTimeout else { continue }
            let left = limit - (now - transfer.lastByte)
            if left > .zero {
                wait = min(wait, left)
            } else {
                finish(transfer, TransportError(transfer.outcome, .timeout, "the server has been silent for too long"))
                wait = .zero
            }
        }
        return Int32(clamping: wait.milliseconds) + 1
    }

    private func finish(_ transfer: Transfer, _ error: TransportError?) {
        if let easy = transfer.easy, active.removeValue(forKey: easy) != nil { curl_multi_remove_handle(multi, easy) }
        transfer.end(error)
    }
}

extension Duration {
    /// Rounded up, at least 0.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        let (whole, overflow) = max(0, seconds).multipliedReportingOverflow(by: 1000)
        return overflow
            ? .max / 2 : Int(whole) + Int((max(0, attoseconds) + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
