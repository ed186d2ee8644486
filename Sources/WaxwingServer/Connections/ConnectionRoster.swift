import ConclaveProtocol
import NIOCore
import Synchronization

/// Every open connection, and who gives way when there are too many.
///
/// A connection belongs to a stranger until a request with a valid session comes over it. Strangers make room for each
/// other, the longest idle first, and never take the room of someone who is logged in.
final class ConnectionRoster: Sendable {
    struct Caps: Sendable {
        /// Connections at once. One place is kept free as long as there are strangers who can give way.
        var all: Int
        /// From one remote network, see ``RemoteNetwork``.
        var perAddress: Int
        /// Of one user.
        var perUser: Int

        /// From one remote network, of those who are not logged in.
        var strangersPerAddress: Int { max(1, perAddress / 4) }
    }

    private let caps: Caps
    private let proxies: TrustedProxies
    private let state = Mutex(RosterState())

    init(caps: Caps, proxies: TrustedProxies) {
        self.caps = caps
        self.proxies = proxies
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }
    var count: Int { state.withLock { $0.entries.count } }
    var knownCount: Int { state.withLock { $0.entries.count - $0.strangers.live } }

    /// False if the connection must be closed at once. Others may be closed to make room for it.
    func open(_ channel: any Channel) -> Bool {
        let address = channel.remoteAddress?.ipAddress
        let network = address.flatMap { proxies.contains($0) ? nil : RemoteNetwork.name(of: $0) }
        let (isTaken, gone): (Bool, [any Channel]) = state.withLock { state in
            guard !state.isStopping else { return (false, []) }
            var gone: [any Channel] = []
            if let network {
                let here = state.networks[network] ?? RosterState.Network()
                if here.all >= caps.perAddress || here.strangers.live >= caps.strangersPerAddress {
                    guard let victim = state.dropStranger(of: network) else { return (false, []) }
                    gone.append(victim)
                }
            }
            if state.entries.count + 1 >= caps.all, let victim = state.dropStranger(of: nil) { gone.append(victim) }
            state.add(channel, network: network)
            return (true, gone)
        }
        for channel in gone { channel.close(promise: nil) }
        return isTaken
    }

    func closed(_ channel: any Channel) {
        state.withLock { state in
            if let number = state.numbers[ObjectIdentifier(channel)] { _ = state.drop(number) }
        }
    }

    /// A request with a valid session came over this connection, or over the one that this stream belongs to.
    func loggedIn(_ channel: any Channel, as user: ID) {
        let gone: (any Channel)? = state.withLock { state in
            guard let number = state.number(of: channel), state.entries[number]?.user != user else { return nil }
            state.know(number, as: user)
            let own = state.users[user] ?? []
            guard own.count > caps.perUser,
                let victim = own.first(where: { $0 != number && state.entries[$0]?.open == 0 })
            else { return nil }
            return state.drop(victim)
        }
        gone?.close(promise: nil)
    }

    func isKnown(_ channel: any Channel) -> Bool {
        state.withLock { state in
            state.numbers[ObjectIdentifier(channel)].map { state.entries[$0]?.user != nil } ?? false
        }
    }

    /// Counts what a connection is about to answer.
    ///
    /// - Parameters:
    ///   - open: requests that began and have no whole answer yet.
    ///   - answering: those of them that were received whole.
    func note(_ channel: any Channel, open: Int, answering: Int) {
        state.withLock { state in
            guard let number = state.numbers[ObjectIdentifier(channel)] else { return }
            state.entries[number]?.open = open
            state.entries[number]?.answering = answering
        }
    }

    /// Takes no more connections, and closes those without a request in progress.
    func stop() {
        let idle = state.withLock { state in
            state.isStopping = true
            return state.entries.values.filter { $0.open == 0 }.map(\.channel)
        }
        for channel in idle { channel.close(promise: nil) }
    }

    /// Closes what is still open, whatever it does.
    func closeAll() {
        let all = state.withLock { state in
            state.isStopping = true
            return state.entries.values.map(\.channel)
        }
        for channel in all { channel.close(promise: nil) }
    }
}

/// The roster's books. Each step costs the same, however many connections there are.
private struct RosterState {
    struct Entry {
        let channel: any Channel
        /// Nil if its connections are not counted together: those of a proxy.
        let network: String?
        var user: ID?
        var open = 0
        var answering = 0
    }

    /// Strangers in the order in which they came. Those who are gone stay in the line for a while.
    struct Line {
        private(set) var live = 0
        private var numbers: [UInt64] = []
        private var head = 0

        mutating func join(_ number: UInt64) {
            numbers.append(number)
            live += 1
        }

        mutating func leave() { live -= 1 }

        /// The first one that `isIdle`; those that are there and busy go to the end.
        mutating func first(_ isThere: (UInt64) -> Bool, _ isIdle: (UInt64) -> Bool) -> UInt64? {
            for _ in head..<max(head, numbers.count) {
                let number = numbers[head]
                if isThere(number) {
                    if isIdle(number) { return number }
                    numbers.append(number)
                }
                head += 1
            }
            return nil
        }

        /// Forgets those who are gone once they are most of the line.
        mutating func tidy(_ isThere: (UInt64) -> Bool) {
            guard numbers.count > 2 * live + 64 else { return }
            numbers = numbers[head...].filter(isThere)
            head = 0
        }
    }

    struct Network {
        var all = 0
        var strangers = Line()
    }

    private(set) var numbers: [ObjectIdentifier: UInt64] = [:]
    var entries: [UInt64: Entry] = [:]
    private(set) var networks: [String: Network] = [:]
    private(set) var users: [ID: [UInt64]] = [:]
    private(set) var strangers = Line()
    var isStopping = false
    private var next: UInt64 = 0

    mutating func add(_ channel: any Channel, network: String?) {
        next += 1
        numbers[ObjectIdentifier(channel)] = next
        entries[next] = Entry(channel: channel, network: network)
        strangers.join(next)
        strangers.tidy { [entries] in Self.isStranger($0, in: entries) }
        guard let network else { return }
        networks[network, default: Network()].all += 1
        networks[network]?.strangers.join(next)
        networks[network]?.strangers.tidy { [entries] in Self.isStranger($0, in: entries) }
    }

    mutating func know(_ number: UInt64, as user: ID) {
        guard let entry = entries[number] else { return }
        forgetOwner(number, entry)
        entries[number]?.user = user
        users[user, default: []].append(number)
    }

    mutating func drop(_ number: UInt64) -> (any Channel)? {
        guard let entry = entries.removeValue(forKey: number) else { return nil }
        numbers[ObjectIdentifier(entry.channel)] = nil
        forgetOwner(number, entry)
        if let network = entry.network {
            networks[network]?.all -= 1
            if networks[network]?.all == 0 { networks[network] = nil }
        }
        return entry.channel
    }

    /// The longest idle stranger of a network, or of all, on whose connection nobody waits for an answer.
    mutating func dropStranger(of network: String?) -> (any Channel)? {
        stranger(of: network).flatMap { drop($0) }
    }

    private mutating func stranger(of network: String?) -> UInt64? {
        let isThere = { [entries] (number: UInt64) in Self.isStranger(number, in: entries) }
        let isIdle = { [entries] (number: UInt64) in (entries[number]?.answering ?? 0) <= 0 }
        guard let network else { return strangers.first(isThere, isIdle) }
        return networks[network]?.strangers.first(isThere, isIdle)
    }

    /// A stream of HTTP/2 has its connection as its parent.
    func number(of channel: any Channel) -> UInt64? {
        numbers[ObjectIdentifier(channel)] ?? channel.parent.flatMap { numbers[ObjectIdentifier($0)] }
    }

    private static func isStranger(_ number: UInt64, in entries: [UInt64: Entry]) -> Bool {
        entries[number].map { $0.user == nil } ?? false
    }

    private mutating func forgetOwner(_ number: UInt64, _ entry: Entry) {
        if let user = entry.user {
            users[user]?.removeAll { $0 == number }
            if users[user]?.isEmpty == true { users[user] = nil }
        } else {
            strangers.leave()
            if let network = entry.network { networks[network]?.strangers.leave() }
        }
    }
}
