import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// No false alarms: in a room where no one lies, messages wait for a person only if the design asks for that, and one
/// command frees them.
@Suite struct HonestWeeksTests {
    /// `WAXWING_HONEST_SEEDS=FIRST-LAST` tells other stories, each of `WAXWING_HONEST_WEEKS` weeks; a failure names its
    /// seed.
    static let seeds: [UInt64] = {
        let ends = (environment("WAXWING_HONEST_SEEDS") ?? "3-4").split(separator: "-").compactMap { UInt64($0) }
        guard let first = ends.first, let last = ends.last, first <= last else { return [3, 4] }
        return Array(first...last)
    }()
    static let weeks = environment("WAXWING_HONEST_WEEKS").flatMap { Int($0) } ?? 2

    /// The settings take turns from seed to seed; with seeds of the caller's choice, each is told in every setting.
    static let stories: [(UInt64, HonestStory.Setting)] = {
        let settings = HonestStory.Setting.allCases
        guard environment("WAXWING_HONEST_SEEDS") == nil else {
            return seeds.flatMap { seed in settings.map { (seed, $0) } }
        }
        return seeds.enumerated().map { ($0.element, settings[$0.offset % settings.count]) }
    }()

    @Test(arguments: stories)
    func nothingIsHeldThatTheDesignDoesNotAskFor(_ seed: UInt64, _ setting: HonestStory.Setting) throws {
        let story = try HonestStory(setting, seed: seed)
        let place = "seed \(seed), \(setting)"
        do {
            try story.live(days: 7 * Self.weeks)
            try story.comeToRest()
        } catch {
            Issue.record("\(place): \(error)\n\(story.world.report("room"))")
        }
        print(story.summary(place))
        for alarm in story.ledger.falseAlarms { Issue.record("\(place), a false alarm: \(alarm)") }
        #expect(story.botStops.isEmpty, "\(place): the bot stopped")
        try story.expectNothingLost(place)
    }
}
