import ConclaveProtocol
import Foundation
import MLS
import MLSOpenSSL
import Testing

extension EndToEnd {
    /// A strict server counts commits by their headers. Whatever it has counted, the group goes on.
    @Suite struct StrictOrderingTests {
        enum Bad: CaseIterable, Sendable {
            /// The header of a commit, and noise behind it.
            case noise
            /// A commit that holds together and that members refuse: it brings somebody who is no user.
            case refused
        }

        @Test(arguments: Bad.allCases)
        func aCommitThatEveryoneRefusesIsContested(bad: Bad) async throws {
            try await withStage(hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let people = try await stage.people("alice", "mallory", "carol")
                let (alice, mallory, carol) = (people[0], people[1], people[2])
                let members = Array(people.dropLast())
                try await stage.room(members)
                let epoch = try await alice.details("room").epoch
                try await post(bad, epoch: epoch, as: mallory, at: stage.server.port)

                let before = network.statuses(of: "POST /groups/{id}/commit").count
                try await alice.run("group", "rotate", "room")
                let statuses = network.statuses(of: "POST /groups/{id}/commit").dropFirst(before)
                #expect(!statuses.isEmpty && statuses.allSatisfy { $0 == 200 }, "\(statuses)")
                #expect(try await alice.details("room").epoch == epoch + 1)

                try await alice.run("invite", "room", "carol")
                try await carol.sync()
                try await carol.run("accept", "room")
                try await stage.settle(people)
                for person in people { try await person.run("send", "room", "hi from \(person.name)") }
                try await stage.settle(people)
                var keys: Set<String?> = []
                for person in people {
                    keys.insert(try await person.details("room").epochAuthenticator)
                    let texts = try await person.texts("room")
                    #expect(texts == people.map { "hi from \($0.name)" }, "\(person.name) reads \(texts)")
                }
                #expect(keys.count == 1, "the group has split")
            }
        }

        /// Puts a bad commit into the log as the counted one of an epoch, with a GroupInfo that would follow from it.
        private func post(_ bad: Bad, epoch: UInt64, as person: Person, at port: UInt16) async throws {
            let rows = try await ServerLog.read("room", as: person, at: port)
            let last = try #require(rows.last { ServerLog.epoch(ofCommit: $0) != nil }).message
            let epochAt = 5 + 32
            let epochBytes = (0..<8).map { UInt8(truncatingIfNeeded: epoch >> (56 - 8 * $0)) }
            // Up to the content type: epoch, sender, no authenticated data, commit.
            let start = Array(last.prefix(epochAt)) + epochBytes + last[(epochAt + 8)..<(epochAt + 15)]
            try await onThread {
                let (group, token) = try ServerLog.open("room", person, port)
                let living = try ServerLog.ask(Endpoint.groupInfo(of: group, token: token), port)
                // Version, format, version and suite come before the group's id.
                var info = living
                info[9 + 32 + 7] &+= 1
                switch bad {
                case .noise:
                    let noise = start + [UInt8](repeating: 0xA5, count: 100)
                    let call = Endpoint.uploadCommit(noise, groupInfo: info, group: group, token: token)
                    try ServerLog.ask(call, port)
                case .refused:
                    let crypto = try OpenSSLProvider().suite(.x448_chacha20poly1305_sha512_ed448)
                    let ghost = try Group.externalCommit(
                        groupInfo: living, credential: .basic(identity: Array("a ghost".utf8)),
                        signer: crypto.generateSignatureKey(SystemEntropy()), crypto: crypto, entropy: SystemEntropy())
                    let call = Endpoint.externalJoin(
                        commit: ghost.message, mlsGroupID: ghost.groupID, group: group, token: token)
                    try ServerLog.ask(call, port)
                }
            }
        }
    }
}
