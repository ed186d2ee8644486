import Testing

/// Runs a test ahead of those that only compute.
///
/// Tests that run in parallel share one small pool of threads, and each step of a test waits behind hundreds of others,
/// perhaps for minutes. Here a server on loopback waits for the next step, and not for long. Jobs of a higher priority
/// have threads of their own, and tasks that the code under test starts inherit it.
struct AheadTrait: TestTrait, SuiteTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await withoutActuallyEscaping(function) { function in
            try await Task(priority: .userInitiated) { try await function() }.value
        }
    }
}

extension Trait where Self == AheadTrait {
    static var ahead: AheadTrait { AheadTrait() }
}
