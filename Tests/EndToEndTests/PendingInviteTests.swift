import Testing

extension EndToEnd {
    @Suite struct PendingInviteTests {
        /// When the invitee accepts.
        enum Moment: CaseIterable, Sendable {
            /// After the inviter has renewed the invite.
            case late
            /// While the invite is still the old one, made for an epoch that is over.
            case early
        }

        @Test(arguments: Server.Ordering.allCases, Moment.allCases)
        func theGroupLivesOnWhileAnInvitePendsAndTheInviteeJoinsIt(_ ordering: Server.Ordering, _ moment: Moment)
            async throws
        {
            try await withStage(ordering, hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let all = try await stage.people("alice", "bob", "carol")
                let (alice, bob, carol) = (all[0], all[1], all[2])
                let members = [alice, bob]
                try await stage.room(members)
                let before = network.requests.count

                try await alice.run("invite", "room", "carol")
                #expect(try await alice.details("room").invited == ["carol"])
                try await carol.sync()
                try await bob.run("send", "room", "bob before")
                try await bob.run("group", "rotate", "room")
                try await bob.run("send", "room", "bob between")
                var sent = [alice: ["alice between"], bob: ["bob before", "bob between"]]

                func count(_ endpoint: String) -> Int {
                    network.requests[before...].count { $0.endpoint == endpoint }
                }
                let escrow = "POST /groups/{id}/escrow-invite"
                #expect(count(escrow) == 1)
                if moment == .early {
                    // It may well have to wait: what counts is that carol joins in the end.
                    try await carol.run("accept", "room", "--wait", "1")
                    try await bob.run("send", "room", "bob after the yes")
                    sent[bob]?.append("bob after the yes")
                }
                try await alice.run("send", "room", "alice between")
                try await alice.sync()
                if moment == .late {
                    // More than once if a process ended before it heard the answer.
                    #expect(count("POST /groups/{id}/cancel-invite") >= 1)
                    #expect(count(escrow) == 2, "the invite was not made anew for the epoch that counts")
                    try await carol.sync()
                    try await carol.run("accept", "room")
                }
                // No one does anything but sync until carol is in.
                let isIn = try await eventually {
                    try await stage.settle(all)
                    let (here, there) = (try await alice.details("room"), try await carol.details("room"))
                    return there.status == "active" && here.epochAuthenticator == there.epochAuthenticator
                }
                #expect(isIn, "carol never came in")

                for person in all {
                    try await person.run("send", "room", "\(person.name) afterwards")
                    sent[person, default: []].append("\(person.name) afterwards")
                }
                try await stage.settle(all)
                try await expectConverged(members, sent: sent)
                // What came before her keys cannot be hers; everything after them is.
                let afterwards = Set(all.map { "\($0.name) afterwards" })
                let texts = try await carol.texts("room").filter { afterwards.contains($0) }
                #expect(texts.count == 3 && Set(texts) == afterwards, "carol reads \(texts)")
                let (here, there) = (try await alice.details("room"), try await carol.details("room"))
                #expect(here.epochAuthenticator == there.epochAuthenticator)
                #expect(there.members.allSatisfy { $0.inTree && $0.onRoster } && there.members.count == 3, "\(there)")
                #expect(here.invited.isEmpty, "an invite is still pending: \(here)")
            }
        }
    }
}
