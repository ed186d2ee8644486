import ArgumentParser
import Foundation
import WaxwingServer

/// What people may have and do, and how long they may take for it.
struct BoundsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Bytes that the server keeps for one user.", valueName: "off|size"))
    var maxBytesKept = LimitArgument(512 << 20)

    @Option(help: ArgumentHelp("Bytes per minute that one user may write.", valueName: "off|size"))
    var maxBytesPerMinute = LimitArgument(32 << 20)

    @Option(help: ArgumentHelp("Groups of one user.", valueName: "off|n"))
    var maxGroups = LimitArgument(1_000)

    @Option(help: ArgumentHelp("Invites of one user that wait for an answer.", valueName: "off|n"))
    var maxInvitesSent = LimitArgument(1_000)

    @Option(help: ArgumentHelp("Invites that wait for one user, a tenth of them from one inviter.", valueName: "off|n"))
    var maxInvitesReceived = LimitArgument(200)

    @Option(help: ArgumentHelp("Key packages per hour that one user may fetch.", valueName: "off|n"))
    var maxKeyPackagesPerHour = LimitArgument(1_000)

    @Option(help: ArgumentHelp("GroupInfos per hour that one user may upload without a commit.", valueName: "off|n"))
    var maxGroupInfosPerHour = LimitArgument(600)

    @Option(
        help: ArgumentHelp(
            "Wrong passwords per hour for one account, from addresses where the right one was never used.",
            valueName: "off|n"))
    var failedLoginsPerHour = LimitArgument(100)

    @Option(help: ArgumentHelp("Connections at once; by default 8192, or what the system allows.", valueName: "n"))
    var connections: Int?

    @Option(help: ArgumentHelp("Connections at once from one address.", valueName: "n"))
    var connectionsPerAddress = 512

    @Option(help: ArgumentHelp("Connections at once of one user.", valueName: "n"))
    var connectionsPerUser = 128

    @Option(help: ArgumentHelp("Seconds for a TLS handshake.", valueName: "seconds"))
    var handshakeTimeout = 10.0

    @Option(help: ArgumentHelp("Seconds for the head of a request.", valueName: "seconds"))
    var headerTimeout = 15.0

    @Option(help: ArgumentHelp("Seconds for the body of a request.", valueName: "seconds"))
    var bodyTimeout = 120.0

    @Option(
        help: ArgumentHelp(
            "The address or network of a proxy whose X-Forwarded-For is trusted; may be repeated.",
            valueName: "address"))
    var trustedProxy: [ProxyArgument] = []

    @Option(
        help: ArgumentHelp(
            "Cost of a password hash: scrypt takes 2^n KiB; 17, or as WAXWING_PASSWORD_COST says.",
            valueName: "n"))
    var passwordCost: Int?

    @Option(help: ArgumentHelp("Password hashes computed at once.", valueName: "n"))
    var hashesAtOnce = 2

    func validate() throws {
        for (name, number) in [
            ("--connections", connections ?? 1), ("--connections-per-address", connectionsPerAddress),
            ("--connections-per-user", connectionsPerUser), ("--hashes-at-once", hashesAtOnce),
        ] where !(1...1_000_000).contains(number) {
            throw ValidationError("\(name) takes 1 to 1000000.")
        }
        for (name, seconds) in [
            ("--handshake-timeout", handshakeTimeout), ("--header-timeout", headerTimeout),
            ("--body-timeout", bodyTimeout),
        ] where !(0.1...86_400).contains(seconds) {
            throw ValidationError("\(name) takes 0.1 to 86400 seconds.")
        }
        _ = try cost()
    }

    func apply(to configuration: inout ServerConfiguration) {
        configuration.quotas.bytesKept = maxBytesKept.limit
        configuration.quotas.bytesPerMinute = maxBytesPerMinute.limit
        configuration.quotas.groups = maxGroups.limit
        configuration.quotas.invitesSent = maxInvitesSent.limit
        configuration.quotas.invitesReceived = maxInvitesReceived.limit
        configuration.quotas.keyPackagesPerHour = maxKeyPackagesPerHour.limit
        configuration.quotas.groupInfosPerHour = maxGroupInfosPerHour.limit
        configuration.failedLoginsPerHour = failedLoginsPerHour.limit
        if let connections { configuration.connectionsMax = min(connections, configuration.connectionsMax) }
        configuration.connectionsPerAddress = connectionsPerAddress
        configuration.connectionsPerUser = connectionsPerUser
        configuration.handshakeSeconds = handshakeTimeout
        configuration.headerSeconds = headerTimeout
        configuration.bodySeconds = bodyTimeout
        configuration.trustedProxies = TrustedProxies(trustedProxy.map(\.network))
        // It was checked before.
        if let cost = try? cost() { configuration.passwordCost.logN = cost }
        configuration.hashesAtOnce = hashesAtOnce
    }

    private func cost() throws -> Int { try PasswordCostChoice.logN(passwordCost) }
}

/// The cost of password hashes: the option, else the environment, else the default.
enum PasswordCostChoice {
    static func logN(_ option: Int?) throws -> Int {
        let given = ProcessInfo.processInfo.environment["WAXWING_PASSWORD_COST"]
        let number = option ?? given.map { Int($0) ?? 0 } ?? ServerConfiguration.PasswordCost().logN
        guard (1...22).contains(number) else {
            throw ValidationError("--password-cost (or WAXWING_PASSWORD_COST) takes 1 to 22.")
        }
        return number
    }
}

/// `off`, or a number of at least 1, with KiB, MiB or GiB after it for bytes.
struct LimitArgument: ExpressibleByArgument, CustomStringConvertible {
    let limit: Int64?

    init(_ limit: Int64) {
        self.limit = limit
    }

    init?(argument: String) {
        guard argument != "off" else {
            limit = nil
            return
        }
        var digits = argument[...]
        var unit: Int64 = 1
        for (name, size) in [("KiB", Int64(1 << 10)), ("MiB", 1 << 20), ("GiB", 1 << 30)] where digits.hasSuffix(name) {
            digits = digits.dropLast(name.count)
            unit = size
        }
        // Sums with it must not overflow.
        guard let count = Int64(digits), (1...(1 << 50) / unit).contains(count) else { return nil }
        limit = count * unit
    }

    var description: String {
        guard let limit else { return "off" }
        return limit >= 1 << 20 && limit % (1 << 20) == 0 ? "\(limit >> 20)MiB" : "\(limit)"
    }
    var defaultValueDescription: String { description }
}

/// An address, or a network such as `10.0.0.0/8`.
struct ProxyArgument: ExpressibleByArgument {
    let network: TrustedProxies.Network

    init?(argument: String) {
        guard let network = TrustedProxies.Network(argument) else { return nil }
        self.network = network
    }
}
