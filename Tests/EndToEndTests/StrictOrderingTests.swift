import ConclaveProtocol
import Foundation
import MLS
import MLSOpenSSL
import Testing

extension EndToEnd {
    /// A strict server has no tree against which to check a commit. Whatever it has counted, the group goes on.
    @Suite struct StrictOrderingTests {
        enum Bad: CaseIterable, Sendable {
            /// A commit in form only: nothing in it is valid.
            case noise
            /// A consistent commit that members refuse: its sender takes the place of the founder.
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

        /// Puts a bad commit into the log as the counted one of an epoch and, if possible, a GroupInfo that would
        /// follow from it.
        private func post(_ bad: Bad, epoch: UInt64, as person: Person, at port: UInt16) async throws {
            try await onThread {
                let (group, token) = try ServerLog.open("room", person, port)
                let living = try ServerLog.ask(Endpoint.groupInfo(of: group, token: token), port)
                let crypto = try OpenSSLProvider().suite(.x448_chacha20poly1305_sha512_ed448)
                switch bad {
                case .noise:
                    let (commit, info) = try Self.noise(epoch: epoch, after: living, crypto)
                    let call = Endpoint.uploadCommit(commit, groupInfo: info, group: group, token: token)
                    try ServerLog.ask(call, port)
                case .refused:
                    let user = try ServerLog.ask(Endpoint.user(named: person.name, token: token), port).user
                    var configuration = GroupConfiguration()
                    configuration.allowsCredentialChange = true
                    let thief = try Group.externalCommit(
                        groupInfo: living, credential: .basic(identity: user.bytes),
                        signer: crypto.generateSignatureKey(SystemEntropy()), removing: LeafIndex(0), crypto: crypto,
                        configuration: configuration, entropy: SystemEntropy())
                    let call = Endpoint.externalJoin(
                        commit: thief.message, mlsGroupID: thief.groupID, group: group, token: token)
                    try ServerLog.ask(call, port)
                }
            }
        }

        /// A commit whose signature and tags are noise, and a GroupInfo with the same tag.
        private static func noise(
            epoch: UInt64, after living: [UInt8], _ crypto: any SuiteCrypto
        ) throws -> (commit: [UInt8], groupInfo: [UInt8]) {
            guard case .groupInfo(let info) = try MLSMessage(decoding: living) else {
                throw MLSError(.malformed, "no GroupInfo")
            }
            let tag = [UInt8](repeating: 0xA5, count: 64)
            let content = FramedContent(
                groupID: info.context.groupID, epoch: epoch, sender: .member(LeafIndex(1)), authenticatedData: [],
                body: .commit(Commit(proposals: [], path: nil)))
            let message = PublicMessage(
                protecting: AuthenticatedContent(
                    wireFormat: .publicMessage, content: content,
                    auth: FramedContentAuthData(signature: tag, confirmationTag: tag)),
                membershipKey: Secret(tag), context: [], crypto: crypto)
            var context = info.context
            context.epoch = epoch + 1
            let next = try GroupInfo(
                context: context, extensions: info.extensions, confirmationTag: tag, signer: LeafIndex(1),
                signatureKey: crypto.generateSignatureKey(SystemEntropy()), crypto: crypto)
            return (MLSMessage.publicMessage(message).encoded, MLSMessage.groupInfo(next).encoded)
        }
    }
}
