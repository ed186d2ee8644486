import ArgumentParser
import ConclaveProtocol
import Waxwing
import WaxwingCore

/// The group that a command is about, and how long to wait for it.
struct GroupOptions: ParsableArguments {
    @Argument(help: "The group's name, alias or id.")
    var group: String

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions
}

/// A command that asks for one thing in one group.
protocol GroupRequest: Action {
    var options: GroupOptions { get }

    func command(_ group: ID) -> Command

    /// What to say when it is done.
    func done(_ name: String) -> String
}

extension GroupRequest {
    var profile: ProfileOptions { options.profile }

    func run(in surroundings: Surroundings) async throws {
        let account = try Profile.locate(options.profile).open(in: surroundings)
        let group = try account.reader.theGroup(options.group)
        let outcomes = try await Errand(account, options.wait).run([command(group.id)])
        try Report.tell(outcomes, account, json: options.output.json) { _, _ in done(group.shownName) }
    }
}

/// The invite that a command is about, and how long to wait for it.
struct InviteOptions: ParsableArguments {
    @Argument(help: "The invite's id, or its group's name.")
    var invite: String

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions
}

/// A command that answers an invite.
protocol InviteAnswer: Action {
    var options: InviteOptions { get }

    func command(_ invite: ID) -> Command

    /// What to say when it is done.
    ///
    /// - Parameters:
    ///   - name: the group's.
    ///   - group: as it is known by now; nil if it is not.
    func done(_ name: String, _ group: GroupRecord?) -> String
}

extension InviteAnswer {
    var profile: ProfileOptions { options.profile }

    func run(in surroundings: Surroundings) async throws {
        let account = try Profile.locate(options.profile).open(in: surroundings)
        let invite = try account.reader.theInvite(options.invite)
        let outcomes = try await Errand(account, options.wait).run([command(invite.id)])
        try Report.tell(outcomes, account, json: options.output.json) { [reader = account.reader] row, _ in
            done(invite.groupName.onOneLine, try reader.group(row.group))
        }
    }
}
