import ConclaveProtocol
import WaxwingCore

/// Records what crosses another transport.
struct RecordingTransport: Transport {
    let recorder: Recorder
    let inner: any Transport

    func send(_ request: APIRequest) async throws(TransportError) -> APIResponse {
        let number = recorder.number(of: request)
        let result: Result<APIResponse, TransportError>
        do { result = .success(try await inner.send(request)) } catch { result = .failure(error) }
        let line =
            switch result {
            case .success(let response): recorder.line(response, to: request, number)
            case .failure(let error): FixtureLine(error, kind: .failure, number: number)
            }
        guard await recorder.deliver(line) else {
            // Cancelled. Only the other transport knows whether anything had left.
            if case .failure(let error) = result { throw error }
            throw TransportError(.unknown, .cancelled, "the request was cancelled")
        }
        return try result.get()
    }

    func events(token: SessionToken) -> AsyncThrowingStream<FeedEvent, any Error> {
        let tap = FeedTap(
            recorder: recorder, number: recorder.number(of: Endpoint.events(token: token)),
            events: inner.events(token: token))
        return AsyncThrowingStream { try await tap.next() }
    }
}

/// Takes events from a feed one by one, and records each before passing it on.
///
/// `@unchecked Sendable`: a stream has one reader at a time.
private final class FeedTap: @unchecked Sendable {
    private let recorder: Recorder
    private let number: Int
    private var iterator: AsyncThrowingStream<FeedEvent, any Error>.Iterator

    init(recorder: Recorder, number: Int, events: AsyncThrowingStream<FeedEvent, any Error>) {
        self.recorder = recorder
        self.number = number
        iterator = events.makeAsyncIterator()
    }

    func next() async throws -> FeedEvent? {
        do {
            guard let event = try await iterator.next() else { return nil }
            return await recorder.deliver(FixtureLine(event, number: number)) ? event : nil
        } catch {
            let error = error as? TransportError ?? TransportError(.unknown, .other, "the event stream broke")
            _ = await recorder.deliver(FixtureLine(error, kind: .feedEnd, number: number))
            throw error
        }
    }
}
