import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Someone with another kind of client, who lives in one room: plain RFC 9420 without anything of ours, no care for the
/// server's GroupInfo, and no way back in except with a new key.
final class ForeignMember {
    let name: String
    let id: ID
    private let world: World
    private let crypto: any SuiteCrypto
    private(set) var signer: SignaturePrivateKey
    private var bundles: [KeyPackageBundle] = []
    private(set) var group: ID?
    private(set) var state: MLS.Group?
    private var cursor: UInt64 = 0
    /// Own commits that were applied at once, by the epoch they end.
    private var taken: [UInt64: [UInt8]] = [:]
    private var escrows: [[UInt8]: StagedCommit] = [:]
    /// The log goes where this client cannot follow.
    private(set) var isLost = false
    private(set) var texts: [String] = []
    /// Sent since others' commits were last followed.
    private var unsettled: Set<String> = []
    /// Since when it reads all.
    private(set) var joinedEpoch: UInt64 = 0

    init(_ name: String, _ world: World) throws {
        self.name = name
        self.world = world
        id = world.register(name)
        crypto = world.people[0].core.crypto
        signer = try crypto.generateSignatureKey(world.entropy)
        try uploadKeyPackages()
    }

    private var token: SessionToken { world.token(of: id) }
    private var seconds: UInt64 { world.now.seconds }
    var isIn: Bool { state != nil }
    var fingerprint: String { hexEncode(world.people[0].core.sha256(signer.publicKey)) }

    /// Nil if the server refuses.
    private func ask<Value>(_ call: Call<Value>) -> Value? { try? call.decode(world.answer(call.request)) }

    private func uploadKeyPackages() throws {
        bundles = try (0..<6).map { number in
            try KeyPackageBundle.generate(
                crypto: crypto, identity: .basic(identity: id.bytes), signer: signer,
                lifetime: Lifetime(notBefore: seconds - 86_400, notAfter: seconds + 90 * 86_400),
                lastResort: number == 5, entropy: world.entropy)
        }
        let uploads = bundles.enumerated().map { number, bundle in
            KeyPackageUpload(data: MLSMessage.keyPackage(bundle.keyPackage).encoded, isLastResort: number == 5)
        }
        _ = ask(Endpoint.resetAccount(token: token))
        _ = ask(Endpoint.uploadKeyPackages(uploads, fingerprint: fingerprint, token: token))
    }

    // MARK: Coming and going

    var isInvited: Bool { !(ask(Endpoint.invites(token: token)) ?? []).isEmpty }

    /// Accepts, and joins by the Welcome, or from outside if there is none.
    func accept() throws {
        guard let invite = ask(Endpoint.invites(token: token))?.first,
            ask(Endpoint.acceptInvite(invite.invite, token: token)) != nil
        else { return }
        (group, cursor, taken, isLost) = (invite.group, 0, [:], false)
        let welcomes = ask(Endpoint.welcomes(token: token)) ?? []
        for welcome in welcomes { _ = ask(Endpoint.acceptWelcome(welcome.welcome, token: token)) }
        if let welcome = welcomes.last {
            let joined = try MLS.Group.join(welcome: welcome.message, bundles: bundles, crypto: crypto, now: seconds)
            state = joined.group
            joinedEpoch = joined.group.epoch
        } else {
            try enterFromOutside()
        }
        try uploadKeyPackages()
    }

    /// A new key, and in from outside by whatever GroupInfo the server has.
    func reset() throws {
        signer = try crypto.generateSignatureKey(world.entropy)
        try enterFromOutside()
        try uploadKeyPackages()
    }

    private func enterFromOutside() throws {
        guard let group, let info = ask(Endpoint.groupInfo(of: group, token: token)) else { return }
        let staged = try MLS.Group.externalCommit(
            groupInfo: info, credential: .basic(identity: id.bytes), signer: signer, removePrior: true,
            crypto: crypto, entropy: world.entropy)
        let join = Endpoint.externalJoin(
            commit: staged.message, mlsGroupID: staged.groupID, group: group, token: token)
        guard let next = staged.next, ask(join) != nil else {
            isLost = true
            return
        }
        (state, joinedEpoch, isLost) = (next, next.epoch, false)
        taken[staged.baseEpoch] = staged.message
    }

    func leave() {
        if let group { _ = ask(Endpoint.leave(group, token: token)) }
        (group, state) = (nil, nil)
    }

    // MARK: The log

    func sync() throws {
        guard let group else { return }
        while true {
            guard let rows = ask(Endpoint.messages(group: group, after: cursor, limit: 500, token: token)) else {
                // Removed.
                (self.group, state) = (nil, nil)
                return
            }
            guard let last = rows.last else { return }
            for row in rows {
                try take(row)
                if state == nil { return }
            }
            cursor = last.sequence
        }
    }

    /// Skips what it cannot read.
    private func take(_ row: LogRow) throws {
        guard let summary = try? MLSMessage.summary(of: row.message), let epoch = summary.epoch, var group = state
        else {
            return
        }
        if summary.contentType == .application {
            if let opened = try? group.unprotect(row.message) {
                texts.append(String(decoding: opened.plaintext, as: UTF8.self))
            }
            state = group
            return
        }
        if let own = taken[epoch], own != row.message, summary.contentType == .commit, epoch >= joinedEpoch {
            // Another one comes before ours: ours never counted.
            isLost = true
            return
        }
        if taken[epoch] == row.message { taken[epoch] = nil }
        guard epoch == group.epoch else {
            isLost = isLost || epoch > group.epoch
            return
        }
        let staged: StagedCommit
        if let escrow = escrows[row.message] {
            staged = escrow
        } else {
            switch try? group.process(row.message, now: seconds) {
            case .commit(let commit): staged = commit
            case .proposal(let proposal):
                try group.storeProposal(proposal)
                state = group
                return
            case nil: return
            }
        }
        if staged.changes.selfRemoved {
            (state, self.group) = (nil, nil)
            return
        }
        try group.merge(staged)
        state = group
        if staged.committer.identity != id.bytes { unsettled = [] }
    }

    func takeUnsettled() -> Set<String> {
        defer { unsettled = [] }
        return unsettled
    }

    // MARK: What it does

    func send(_ text: String) throws -> Bool {
        guard var group = state, let id = self.group else { return false }
        let message = try group.protect(
            Array(text.utf8), authenticatedData: [], signer: signer, entropy: world.entropy)
        state = group
        unsettled.insert(text)
        return ask(Endpoint.sendMessage(message, group: id, token: token)) != nil
    }

    /// Applies its own commits at once if the server does.
    func commit(_ proposals: [Proposal], removing user: ID? = nil) throws {
        guard var group = state, let id = self.group else { return }
        let staged = try group.commit(
            proposals, includePending: false, signer: signer, now: seconds, entropy: world.entropy)
        let info = staged.groupInfo ?? []
        let call =
            user.map {
                Endpoint.removeMember($0, commit: staged.message, groupInfo: info, group: id, token: token)
            } ?? Endpoint.uploadCommit(staged.message, groupInfo: info, group: id, token: token)
        guard ask(call) != nil else { return }
        try group.merge(staged)
        state = group
        taken[staged.baseEpoch] = staged.message
    }

    func remove(_ user: ID) throws {
        guard let leaf = state?.member(identity: user.bytes)?.index else { return }
        try commit([.remove(leaf)], removing: user)
    }

    /// What is escrowed is merged when it comes back.
    func invite(_ user: ID) throws {
        guard var group = state, let id = self.group,
            let given = ask(Endpoint.invite([user], group: id, token: token))?.first,
            case .keyPackage(let keyPackage)? = try? MLSMessage(decoding: given.keyPackage),
            group.member(identity: user.bytes) == nil
        else { return }
        let staged = try group.commit(
            [.add(keyPackage)], includePending: false, signer: signer, now: seconds, entropy: world.entropy)
        let escrow = Endpoint.escrowInvite(
            user, commit: staged.message, welcome: staged.welcome ?? [], groupInfo: staged.groupInfo ?? [], group: id,
            token: token)
        if ask(escrow) != nil { escrows[staged.message] = staged }
    }
}
