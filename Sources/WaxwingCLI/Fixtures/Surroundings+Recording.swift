import FixtureTransport
import Waxwing

extension Surroundings {
    /// The same surroundings, with everything that comes from them recorded.
    func recorded(by recorder: Recorder) -> Surroundings {
        let environment = environment
        return Surroundings(
            environment: Environment(
                transport: { route in recorder.transport(try environment.transport(route)) },
                clock: recorder.clock(environment.clock), entropy: recorder.entropy(environment.entropy),
                pace: recorder, sleep: environment.sleep),
            password: { source in
                let text = try self.password(source)
                recorder.password(text)
                return text
            },
            read: { (descriptor, count) throws(Failure) in
                let bytes = try self.read(descriptor, count)
                recorder.input(bytes)
                return bytes
            })
    }

    /// Everything from a recording, and nothing else.
    ///
    /// - Parameter path: the recording's.
    static func played(by player: Player, from path: String) -> Surroundings {
        Surroundings(
            recording: path,
            environment: Environment(
                transport: { _ in player.transport }, clock: player.clock, entropy: player.entropy, pace: player,
                sleep: { _ in }),
            password: { _ in player.password() }, read: { _, _ throws(Failure) in player.input() })
    }
}
