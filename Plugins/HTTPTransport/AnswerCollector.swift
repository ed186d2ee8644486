import ConclaveProtocol
import WaxwingCore

/// Collects an answer for its reader. Limits its size here as well, since an answer need not say how large it is.
///
/// `@unchecked Sendable`: the continuation is set before the transfer starts; after that, only the loop's thread uses
/// this.
final class AnswerCollector: AnswerReceiver, @unchecked Sendable {
    typealias Waiter = CheckedContinuation<Result<APIResponse, TransportError>, Never>

    private var waiter: Waiter?
    private var answer = APIResponse(status: 0, contentType: "", body: [])
    private let sizeMax: Int

    init(sizeMax: Int) { self.sizeMax = sizeMax }

    func deliver(to waiter: Waiter) { self.waiter = waiter }

    func head(_ head: ResponseHead) { answer.head = head }

    func body(_ bytes: UnsafeRawBufferPointer) throws(TransportError) {
        guard bytes.count <= sizeMax - answer.body.count else {
            throw TransportError(.unknown, .answerTooLarge, "the server's answer is larger than \(sizeMax) bytes")
        }
        answer.body.append(contentsOf: bytes)
    }

    func end(_ error: TransportError?) {
        waiter?.resume(returning: error.map { .failure($0) } ?? .success(answer))
        waiter = nil
    }
}
