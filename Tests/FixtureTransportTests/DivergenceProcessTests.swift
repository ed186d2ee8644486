import FixtureTransport
import Foundation
import Testing
import WaxwingCore

/// A replay that goes another way than the recording ends its process.
@Suite struct DivergenceProcessTests {
    /// Replays a recording of one clock, one draw of entropy and one request, and does something else.
    @Test(arguments: ["nothing", "exit code", "clock first", "another draw", "another request", "one more"])
    func whatIsNotRecordedEndsThePlay(_ change: String) async throws {
        await #expect(processExitsWith: .exitCode(16)) { [change = change as String] in
            let folder = try RecordingFolder()
            let recorder = try folder.recorder()
            recorder.command(["do"])
            _ = recorder.entropy(CountingEntropy()).bytes(4)
            _ = recorder.clock { Moment(wall: Instant(milliseconds: 5)) }()
            let live = recorder.transport(ScriptedTransport())
            _ = try await live.send(ScriptedTransport.request(200))
            recorder.exit(0)
            let player = try Player(Fixture(path: folder.file())) { divergence in
                exit(divergence.description.hasPrefix("line \(divergence.line): ") ? 16 : 1)
            }
            _ = player.nextCommand()
            if change == "clock first" { _ = player.clock() }
            _ = player.entropy.bytes(change == "another draw" ? 5 : 4)
            _ = player.clock()
            if change == "nothing" { player.exit(0) }
            _ = try await player.transport.send(ScriptedTransport.request(change == "another request" ? 201 : 200))
            if change == "one more" { _ = try await player.transport.send(ScriptedTransport.request(200)) }
            player.exit(change == "exit code" ? 1 : 0)
        }
    }
}
