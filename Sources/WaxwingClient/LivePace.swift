public import ConclaveProtocol
import Synchronization
public import WaxwingCore

/// Time as it passes.
public final class LivePace: Pace {
    private let timer = Mutex<Task<Void, Never>?>(nil)

    public init() {}

    public var isShared: Bool { true }

    public func begin(stop: @escaping @Sendable () -> Void) {}

    public func sending(_ request: APIRequest) {}

    /// Rings once, unless ``goOn()`` or another rest comes first.
    public func rest(milliseconds: UInt64?, ring: @escaping @Sendable () -> Void) {
        replaceTimer(
            milliseconds.map { milliseconds in
                Task {
                    try? await Task.sleep(for: .milliseconds(milliseconds))
                    if !Task.isCancelled { ring() }
                }
            })
    }

    public func goOn() { replaceTimer(nil) }

    public func askToStop(_ stop: @escaping @Sendable () -> Void) { stop() }

    private func replaceTimer(_ new: Task<Void, Never>?) {
        let old = timer.withLock { timer in
            defer { timer = new }
            return timer
        }
        old?.cancel()
    }
}
