import ConclaveProtocol
import Foundation
import HTTPTransport
import Synchronization
import Testing
import WaxwingCore

extension EndToEnd {
    /// Event feeds over a network that delays, drops and cuts.
    @Suite struct FeedTests {
        @Test func streamsAndPollsBringTheSameHints() async throws {
            try await withStage(.open, hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let room = try await Room(server: await stage.server.url)
                let ears = try [HTTPTransport.FeedKind.sse, .poll].map {
                    try Ear(url: stage.url, token: room.listener, feed: $0)
                }
                defer { for ear in ears { ear.stop() } }
                // Each has heard something: from here on no hint may be lost.
                try #require(await eventually { ears.allSatisfy { $0.isOpen } })
                try await room.post()
                try #require(await eventually { ears.allSatisfy { $0.sequences.count == 1 } })

                let streams = Mutex(0)
                let polls = Mutex(0)
                let streamFates: [FaultyProxy.Fate] = [
                    .loseRequest, .cutStream(pieces: 0), .cutStream(pieces: 2), .cutStream(pieces: 4),
                    .cutStream(pieces: 8), .delay(30),
                ]
                let pollFates: [FaultyProxy.Fate] = [
                    .delay(30), .loseRequest, .loseAnswer, .cutAnswer(after: 0.5), .cutAnswer(after: 0.9), .pass,
                ]
                network.play { request in
                    switch request.path {
                    case "/api/v1/events": streams.withLock { $0.next(of: streamFates) }
                    case "/api/v1/events/poll": polls.withLock { $0.next(of: pollFates) }
                    default: .pass
                    }
                }
                // The feeds that were open before have no fate.
                for ear in ears { ear.reopen() }
                for number in 0..<1000 where number < 40 || ears.contains(where: { $0.openings <= 3 }) {
                    try await room.post()
                    try await Task.sleep(for: .milliseconds(20))
                }
                network.heal()
                let isHeard = await eventually { ears.allSatisfy { $0.sequences.last == room.last } }
                #expect(isHeard, "\(ears.map(\.sequences))")
                for ear in ears {
                    #expect(ear.sequences == room.sequences)
                    #expect(!ear.hasLagged)
                    #expect(ear.openings > 3, "the network cut nothing")
                }
            }
        }

        @Test func aProxyThatHoldsStreamsBackIsPolledThrough() async throws {
            try await withStage(.open, hasNetwork: true) { stage in
                try #require(stage.network).play { $0.path == "/api/v1/events" ? .holdBack : .pass }
                let room = try await Room(server: await stage.server.url)
                let ear = try Ear(url: stage.url, token: room.listener, feed: .auto)
                defer { ear.stop() }
                try #require(await eventually { ear.isOpen })
                for _ in 0..<3 { try await room.post() }
                #expect(await eventually { ear.sequences == room.sequences }, "\(ear.sequences)")
                #expect(ear.said.count == 1 && ear.openings == 1)
            }
        }
    }
}

extension Int {
    /// Counts on, and starts over after the last.
    fileprivate mutating func next(of fates: [FaultyProxy.Fate]) -> FaultyProxy.Fate {
        defer { self += 1 }
        return fates[self % fates.count]
    }
}

/// A group on a server: someone posts into it, and someone else may listen.
private final class Room: Sendable {
    let listener: SessionToken
    private let speaker: SessionToken
    private let group: ID
    private let transport: HTTPTransport
    private let numbers = Mutex<[UInt64]>([])

    init(server: String) async throws {
        var options = HTTPTransport.Options(server: server)
        options.proxy = ""
        let transport = try HTTPTransport(options)
        func ask<Answer>(_ call: Call<Answer>) async throws -> Answer {
            try call.decode(try await transport.send(call.request))
        }
        func person(_ name: String) async throws -> Session {
            _ = try await ask(Endpoint.register(username: name, password: "password"))
            return try await ask(Endpoint.login(username: name, password: "password"))
        }
        let (alice, bob) = (try await person("alice"), try await person("bob"))
        group = try await ask(Endpoint.createGroup(name: "room", token: alice.token))
        // For the server all of this is just bytes.
        try await ask(
            Endpoint.escrowInvite(
                bob.userID, commit: [1], welcome: [2], groupInfo: [3], group: group, token: alice.token))
        let invite = try #require(try await ask(Endpoint.invites(token: bob.token)).first)
        try await ask(Endpoint.acceptInvite(invite.invite, token: bob.token))
        (self.transport, speaker, listener) = (transport, alice.token, bob.token)
    }

    /// Of all that was posted.
    var sequences: [UInt64] { numbers.withLock { $0 } }
    var last: UInt64? { sequences.last }

    func post() async throws {
        let call = Endpoint.sendMessage([1, 2, 3], group: group, token: speaker)
        let sequence = try call.decode(try await transport.send(call.request))
        numbers.withLock { $0.append(sequence) }
    }
}

/// Someone who listens, and opens the feed again whenever it breaks.
private final class Ear: Sendable {
    private let transport: HTTPTransport
    private let token: SessionToken
    private let state = Shared()

    init(url: String, token: SessionToken, feed: HTTPTransport.FeedKind) throws {
        var options = HTTPTransport.Options(server: url)
        options.proxy = ""
        options.feed = feed
        options.feedHeadTimeout = .milliseconds(300)
        options.onFallback = { [state] words in state.value.withLock { $0.said.append(words) } }
        transport = try HTTPTransport(options)
        self.token = token
        reopen()
    }

    var sequences: [UInt64] { state.value.withLock { $0.sequences } }
    var openings: Int { state.value.withLock { $0.openings } }
    var isOpen: Bool { openings > 0 }
    var hasLagged: Bool { state.value.withLock { $0.hasLagged } }
    var said: [String] { state.value.withLock { $0.said } }

    func stop() { state.value.withLock { $0.listening?.cancel() } }

    /// Lets go of the feed, and opens another one.
    func reopen() {
        state.value.withLock { value in
            let last = value.listening
            last?.cancel()
            value.listening = Task { [transport, token, state] in
                await last?.value
                while !Task.isCancelled {
                    do {
                        for try await event in transport.events(token: token) {
                            state.value.withLock { $0.hear(event) }
                        }
                    } catch {
                        // It breaks all the time: that is what this is about.
                        try? await Task.sleep(for: .milliseconds(20))
                    }
                }
            }
        }
    }
}

/// What an ear shares with its transport and its task.
private final class Shared: Sendable {
    struct State {
        /// Each once, in the order in which they were first heard: a batch that was only half read comes again.
        var sequences: [UInt64] = []
        var openings = 0
        var hasLagged = false
        var said: [String] = []
        var listening: Task<Void, Never>?

        mutating func hear(_ event: FeedEvent) {
            switch event {
            case .opened: openings += 1
            case .lagged: hasLagged = true
            case .event(.newMessage(_, let sequence, _)):
                if !sequences.contains(sequence) { sequences.append(sequence) }
            case .event: break
            }
        }
    }

    let value = Mutex(State())
}
