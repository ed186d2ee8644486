import Foundation
import Testing

/// The two programs as people run them. One story at a time: each starts many processes, and some measure what a
/// process uses.
@Suite(.serialized, .timeLimit(.minutes(longestStory))) enum EndToEnd {}

/// Minutes that a test may take. What the make targets ask for takes longer than one story.
private let longestStory: Int = {
    let environment = ProcessInfo.processInfo.environment
    let isLong =
        environment["WAXWING_ATTACKS"] == "all"
        || ["WAXWING_DISK_FAULTS", "WAXWING_CLOCKS", "WAXWING_STORM", "WAXWING_FOREIGN_SEEDS"].contains {
            environment[$0] != nil
        }
    return isLong ? 120 : 10
}()
