import ArgumentParser
import ConclaveProtocol
import Waxwing
import WaxwingCore

struct TrustAccept: Action {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Let your messages reach a member of a group who is held.",
        discussion: """
            Accepts the key that `waxwing trust list` shows. If they have another key later, you are asked again. \
            Works offline; what waits goes out with the next sync.

            Example:
              waxwing trust accept lunch bob
              waxwing trust accept lunch --all
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @Argument(help: "The member's name or id, as shown.")
    var username: String?

    @Flag(help: "Accept everyone who is held in the group; they are listed first.")
    var all = false

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if all != (username == nil) { throw ValidationError("Name a member, or give --all.") }
    }

    func run(in surroundings: Surroundings) async throws {
        let account = try Profile.locate(profile).open(in: surroundings)
        let group = try account.reader.theGroup(group)
        let held = try account.reader.room(group.id)?.holds ?? []
        let meant = try username.flatMap { try account.reader.user(named: $0)?.id }
        let chosen = held.filter { all || $0.user == meant }
        guard !chosen.isEmpty || all else {
            throw Failure(
                .notPossible, "no one with that name is held in \(group.shownName)",
                hint: "waxwing trust list shows who is")
        }
        let names = Names(account.reader)
        for (leaf, view) in try chosen.map({ ($0, try HoldView($0, in: group, names)) }) {
            try await account.client.perform(
                .acceptMember(group: group.id, user: leaf.user, fingerprint: leaf.fingerprint))
            Console.print(output.json ? try JSON.line(view) : "accepted: \(view.username)  \(view.fingerprint)")
        }
        if chosen.isEmpty, !output.json { Console.note("no one is held") }
    }
}
