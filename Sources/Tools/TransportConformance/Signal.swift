import Foundation

/// An event that one side waits for and the other makes happen.
public final class Signal: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    public init() {}

    public func fire() { semaphore.signal() }
    /// Blocks a thread of the scripted server for at most 10 seconds.
    public func wait() { _ = semaphore.wait(timeout: .now() + 10) }

    /// Waits for at most 10 seconds.
    public func isFired() async -> Bool {
        for _ in 0..<1000 {
            if semaphore.wait(timeout: .now()) == .success { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}
