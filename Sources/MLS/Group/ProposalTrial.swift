/// Tries which proposals are compatible, one after the other, without checking their signatures.
///
/// It maintains the resulting tree, so that each proposal costs the same however many have been taken before it.
struct ProposalTrial {
    private let group: Group
    private let request: CommitRequest
    private var tree: RatchetTree
    private var extensions: [Extension]
    private var changesExtensions = false
    private var changedLeaves: Set<LeafIndex> = []
    private var psks: Set<PreSharedKeyID> = []
    /// How many leaves each client has, if the application wants that checked.
    private var clients: [[UInt8]: Int] = [:]

    /// A trial that has taken what the request itself proposes.
    init(_ request: CommitRequest, in group: Group) {
        self.group = group
        self.request = request
        tree = group.current.tree
        extensions = group.extensions
        if service.admitsEachClientOnce {
            clients = tree.members.map { service.clientIdentifier(of: $0.1.credential) }.counted
        }
        for proposal in request.proposals { _ = take(proposal, from: .member(group.ownLeaf)) }
    }

    private var service: any AuthenticationService { group.configuration.authentication }

    /// Takes a proposal if it is compatible with those taken before.
    mutating func take(_ proposal: Proposal, from sender: Sender) -> Bool {
        do throws(MLSError) {
            return try tryToTake(proposal, from: sender)
        } catch {
            return false
        }
    }

    private mutating func tryToTake(_ proposal: Proposal, from sender: Sender) throws(MLSError) -> Bool {
        switch proposal {
        case .remove(let index):
            guard index != group.ownLeaf, let leaf = group.current.tree[index], !changedLeaves.contains(index) else {
                return false
            }
            try tree.removeLeaf(index)
            changedLeaves.insert(index)
            count(leaf.credential, by: -1)
        case .update(let leaf):
            guard let index = sender.member, index != group.ownLeaf, let old = group.current.tree[index],
                !changedLeaves.contains(index)
            else { return false }
            if old.credential != leaf.credential, isIn(leaf.credential) { return false }
            try tree.validateLeaf(leaf, replacing: index, groupExtensions: extensions, crypto: group.crypto)
            try tree.updateLeaf(leaf, at: index)
            changedLeaves.insert(index)
            count(old.credential, by: -1)
            count(leaf.credential, by: 1)
        case .add(let keyPackage):
            let leaf = keyPackage.leafNode
            if let now = request.now { try leaf.checkLifetime(now: now) }
            if isIn(leaf.credential) { return false }
            try tree.validateLeaf(leaf, replacing: nil, groupExtensions: extensions, crypto: group.crypto)
            _ = try tree.addLeaf(leaf)
            // A full tree stays full: no one else can be added either.
            try tree.checkLength()
            count(leaf.credential, by: 1)
        case .preSharedKey(let id):
            return psks.insert(id).inserted
        case .groupContextExtensions(let new):
            guard !changesExtensions, try tree.allSupport(groupExtensions: new) else { return false }
            try tree[group.ownLeaf]?.capabilities.checkOwnSupport(groupExtensions: new, orThrow: .invalidProposal)
            extensions = new
            changesExtensions = true
        case .reInit, .externalInit: return false
        }
        return true
    }

    private func isIn(_ credential: Credential) -> Bool {
        service.admitsEachClientOnce && clients[service.clientIdentifier(of: credential), default: 0] > 0
    }

    private mutating func count(_ credential: Credential, by step: Int) {
        if service.admitsEachClientOnce { clients[service.clientIdentifier(of: credential), default: 0] += step }
    }
}
