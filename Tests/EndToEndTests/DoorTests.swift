import ConclaveProtocol
import Foundation
import MLS
import MLSOpenSSL
import Testing

extension EndToEnd {
    /// What a member's session can do, bypassing all clients: the server lets no one in by someone else's word, and
    /// junk stops no one.
    @Suite struct DoorTests {
        @Test(arguments: [Server.Ordering.strict, .open])
        func anOrdinaryMemberBringsInNobodyAndStopsNobody(ordering: Server.Ordering) async throws {
            try await withStage(ordering, hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let people = try await stage.people("alice", "mallory")
                let (alice, mallory) = (people[0], people[1])
                try await stage.room(people)
                let port = await stage.server.port
                let before = try await ServerLog.read("room", as: mallory, at: port)
                let refusals = try await attack(as: mallory, at: port)
                #expect(refusals == Array(repeating: .badRequest, count: 3) + Array(repeating: .notAdmin, count: 2))
                let after = try await ServerLog.read("room", as: mallory, at: port)
                #expect(after.map(\.message) == before.map(\.message))

                let count = network.statuses(of: "POST /groups/{id}/commit").count
                try await alice.run("group", "rotate", "room")
                let statuses = network.statuses(of: "POST /groups/{id}/commit").dropFirst(count)
                #expect(!statuses.isEmpty && statuses.allSatisfy { $0 == 200 }, "\(statuses)")
                try await alice.run("send", "room", "still here")
                try await stage.settle(people)
                for person in people {
                    #expect(try await person.texts("room") == ["still here"], "\(person.name)")
                    let names = try await person.details("room").members.filter(\.inTree).map(\.username)
                    #expect(Set(names) == ["alice", "mallory"], "\(person.name)")
                }
            }
        }

        /// Does what no client would, and says how it was refused. Junk of far epochs is silently passed over.
        private func attack(as person: Person, at port: UInt16) async throws -> [ErrorCode?] {
            try await onThread {
                let (group, token) = try ServerLog.open("room", person, port)
                let living = try ServerLog.ask(Endpoint.groupInfo(of: group, token: token), port)
                let forger = try Forger(living)
                for epoch in [forger.epoch + 2, 1000, 1 << 40, .max] {
                    let junk = try forger.groupInfo(epoch: epoch)
                    try ServerLog.ask(Endpoint.uploadCommit([], groupInfo: junk, group: group, token: token), port)
                }
                let alice = try ServerLog.ask(Endpoint.user(named: "alice", token: token), port).user
                let stranger = try forger.externalCommit(as: Array(repeating: 7, count: 16), living)
                let thief = try forger.externalCommit(as: alice.bytes, living)
                var refusals: [ErrorCode?] = []
                func attempt<Value>(_ call: Call<Value>) throws {
                    do {
                        _ = try ServerLog.ask(call, port)
                        Issue.record("the server took it")
                    } catch let error as ProtocolError {
                        refusals.append(error.code)
                    }
                }
                for commit in [stranger, thief] {
                    try attempt(
                        Endpoint.externalJoin(
                            commit: commit, mlsGroupID: forger.context.groupID, group: group, token: token))
                }
                try attempt(Endpoint.sendMessage(stranger, group: group, token: token))
                let add = try forger.add()
                let adding = try forger.message(.commit(Commit(proposals: [.proposal(add)], path: nil)))
                try attempt(Endpoint.uploadCommit(adding, groupInfo: [], group: group, token: token))
                try attempt(Endpoint.sendMessage(try forger.message(.proposal(add)), group: group, token: token))
                return refusals
            }
        }
    }
}

/// Makes messages that look like a member's.
private struct Forger {
    let crypto: any SuiteCrypto
    let context: GroupContext
    let epoch: UInt64
    private let living: GroupInfo
    private let signer: SignaturePrivateKey
    private let noise = [UInt8](repeating: 0xA5, count: 64)

    init(_ groupInfo: [UInt8]) throws {
        guard case .groupInfo(let info) = try MLSMessage(decoding: groupInfo) else {
            throw MLSError(.malformed, "no GroupInfo")
        }
        crypto = try OpenSSLProvider().suite(.x448_chacha20poly1305_sha512_ed448)
        (living, context, epoch) = (info, info.context, info.context.epoch)
        signer = try crypto.generateSignatureKey(SystemEntropy())
    }

    func groupInfo(epoch: UInt64) throws -> [UInt8] {
        var context = context
        context.epoch = epoch
        let info = try GroupInfo(
            context: context, extensions: living.extensions, confirmationTag: noise, signer: LeafIndex(1),
            signatureKey: signer, crypto: crypto)
        return MLSMessage.groupInfo(info).encoded
    }

    func externalCommit(as identity: [UInt8], _ groupInfo: [UInt8]) throws -> [UInt8] {
        try Group.externalCommit(
            groupInfo: groupInfo, credential: .basic(identity: identity), signer: signer, removePrior: true,
            crypto: crypto, entropy: SystemEntropy()
        ).message
    }

    /// Of someone whom no one knows.
    func add() throws -> Proposal {
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: Array(repeating: 7, count: 16)), signer: signer,
            lifetime: Lifetime(notBefore: 0, notAfter: .max), entropy: SystemEntropy())
        return .add(bundle.keyPackage)
    }

    func message(_ body: FramedContent.Body) throws -> [UInt8] {
        let content = FramedContent(
            groupID: context.groupID, epoch: epoch, sender: .member(LeafIndex(1)), authenticatedData: [], body: body)
        let authenticated = AuthenticatedContent(
            wireFormat: .publicMessage, content: content,
            auth: FramedContentAuthData(signature: noise, confirmationTag: body.type == .commit ? noise : nil))
        let message = PublicMessage(
            protecting: authenticated, membershipKey: Secret(noise), context: [], crypto: crypto)
        return MLSMessage.publicMessage(message).encoded
    }
}
