import ConclaveProtocol
import MLS

/// What members of a room are: users of the server, each with one leaf. Everyone refuses what breaks that alike, from
/// the bytes of the log alone.
struct UserIdentities: AuthenticationService {
    func accepts(_ claim: CredentialClaim) -> Bool {
        if claim.source == .externalSender { return false }
        guard case .basic(let identity) = claim.credential, let id = ID(identity) else { return false }
        return id != .nobody
    }

    func clientIdentifier(of credential: Credential) -> [UInt8] { credential.identity }

    var admitsEachClientOnce: Bool { true }
}

extension ClientCore {
    /// Refuses a tree to which no commit of a member has led: someone is in it twice.
    func checkOneLeafEach(_ group: Group) throws(MLSError) {
        var seen: Set<[UInt8]> = []
        for member in group.members where !seen.insert(member.identity).inserted {
            throw MLSError(.invalidTree, "a user is in the group twice")
        }
    }
}

extension GroupConfiguration {
    /// For every group of an account. PSKs and a ReInit would shut out those who do not know of them, or end the group.
    static var room: GroupConfiguration {
        var configuration = GroupConfiguration()
        configuration.authentication = UserIdentities()
        configuration.refusedProposals = [.preSharedKey, .reInit]
        return configuration
    }
}
