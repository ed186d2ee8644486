import ArgumentParser
import FixtureTransport
import Waxwing

/// What a recording may contain. It may come from anyone, and say anything.
///
/// A replay carries out the commands named here and no others. They work on a profile, and a replay's profiles are in a
/// folder of its own. Commands that read or write a named file are not among them, and the rest may not use options
/// that name a file, or another way to a server. Options are checked after parsing, so their spelling makes no
/// difference.
protocol Replayable: ParsableCommand {
    var profile: ProfileOptions { get }
    /// An option that is set but that no recording may set; nil if there is none.
    var strayOption: String? { get }
}

extension Replayable {
    var strayOption: String? { nil }
}

enum ReplayRules {
    /// Checks all commands of a recording before the first is carried out.
    ///
    /// - Parameter path: the recording's, for messages.
    /// - Throws: ``Failure`` `usage` that names the line and what it asks for.
    static func check(_ fixture: Fixture, _ path: String) throws(Failure) {
        for command in fixture.commands {
            guard let refusal = refusal(of: command.arguments) else { continue }
            throw Failure(
                .usage, "\(path) is refused: line \(command.line) asks for something no replay does: \(refusal)",
                hint: "nothing was carried out; `waxwing fixture inspect` shows what is in a recording")
        }
    }

    /// Why a replay does not carry out a command line, in words; nil if it does.
    static func refusal(of arguments: [String]) -> String? {
        let words = "`\(arguments.joined(separator: " ").shortened(to: 60))`"
        guard let command = try? WaxwingCommand.parseAsRoot(CommandWords.arranged(arguments)) else {
            // Help, versions and mistakes are of no use in a replay.
            return "\(words) is not a command that does anything"
        }
        guard let command = command as? any Replayable else {
            return "\(words) works on more than a profile"
        }
        if let option = command.profile.strayOption ?? command.strayOption { return "\(option) in \(words)" }
        return nil
    }
}

extension ProfileOptions {
    /// A plain name leads to a folder below the replay's own.
    fileprivate var strayOption: String? {
        if transport != nil { return "--transport" }
        return Profile.isValid(name: name) ? nil : "--profile"
    }
}

extension ServerOptions {
    fileprivate var strayOption: String? {
        if caFile != nil { return "--ca-file" }
        if proxy != nil { return "--proxy" }
        if tokenHeader != nil { return "--token-header" }
        return store == nil ? nil : "--store"
    }
}

extension PasswordOptions {
    fileprivate var strayOption: String? {
        if file != nil { return "--password-file" }
        return descriptor == nil ? nil : "--password-fd"
    }
}

extension Register: Replayable {
    var strayOption: String? {
        // A recording only says that there was such a file.
        if let registrationTokenFile, registrationTokenFile != "-" { return "--registration-token-file" }
        return server.strayOption ?? password.strayOption
    }
}

extension Login: Replayable {
    var strayOption: String? { server.strayOption ?? password.strayOption }
}

extension Read: Replayable {
    // This command only ends by Ctrl-C.
    var strayOption: String? { follow ? "--follow" : nil }
}

extension Accept: Replayable {}
extension Decline: Replayable {}
extension GroupCreate: Replayable {}
extension GroupLeave: Replayable {}
extension GroupList: Replayable {}
extension GroupRejoin: Replayable {}
extension GroupRemove: Replayable {}
extension GroupRotate: Replayable {}
extension GroupShow: Replayable {}
extension Invite: Replayable {}
extension Invites: Replayable {}
extension Logout: Replayable {}
extension OutboxDiscard: Replayable {}
extension OutboxListing: Replayable {}
extension OutboxRetry: Replayable {}
extension Send: Replayable {}
extension StoreShow: Replayable {}
extension Sync: Replayable {}
extension TrustShow: Replayable {}
extension TrustAccept: Replayable {}
extension TrustLevelCommand: Replayable {}
extension TrustList: Replayable {}
extension TrustRename: Replayable {}
extension TrustVerify: Replayable {}
extension Watch: Replayable {}
extension WhoAmI: Replayable {}
