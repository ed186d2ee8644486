import ConclaveProtocol
import Foundation
import MLSReading

/// A commit that the rules allow, as far as the server can read it.
struct ReadCommit {
    let epoch: UInt64
    let groupID: [UInt8]
    let confirmationTag: Data
}

/// The kind of request that a commit comes with.
enum CommitDoor {
    /// Any request of a member that carries a commit; `role` is theirs.
    case member(role: WireGroupRole)
    /// An external commit, by which this user enters the tree (RFC 9420 §12.4.3.2).
    case outside(user: ID)
}

/// What a handshake's own bytes say about who may send it.
///
/// The server has no tree, so it cannot tell whose leaf an index is, nor whether a signature is valid; the members
/// decide what counts. This rejects what is visibly wrong, under both orderings. It cannot see two things, which it
/// leaves to the members: which leaf an external commit removes, and whether the leaf that a non-admin's commit removes
/// by value belongs to someone who is not on the roster.
///
/// Handshakes are not encrypted here, as all clients send them. One in a PrivateMessage could hold anything and is
/// refused.
extension Transaction {
    /// Reads a commit and checks it against the rules of its kind of request.
    ///
    /// - Returns: nil for bytes that do not begin like a framed MLS message, which open ordering accepts from members,
    ///   like any other bytes.
    /// - Throws: 400/100 for what no one may send in this way, 401/401 for what takes an admin.
    func judge(_ commit: Data, of group: GroupRow, through door: CommitDoor) throws -> ReadCommit? {
        guard let header = try? MessageHeader(commit) else {
            if case .member = door, configuration.ordering == .open { return nil }
            throw APIError.badRequest("the commit is not an MLS message")
        }
        guard header.contentType == .commit else { throw APIError.badRequest("the MLS message is not a commit") }
        if configuration.ordering == .strict, let expected = group.mlsGroupID, hexEncode(header.groupID) != expected {
            throw APIError.badRequest("the commit belongs to another MLS group")
        }
        guard case .commit(let outline) = try? Handshake(commit) else {
            throw APIError.badRequest("the commit is no PublicMessage that can be read to its end")
        }
        switch door {
        case .member(let role): try judge(outline, by: header.sender, role)
        case .outside(let user): try judge(external: outline, by: header.sender, user)
        }
        guard ServerLimits.confirmationTagBytes.contains(outline.confirmationTag.count) else {
            throw APIError.badRequest("the commit has no confirmation tag of a known length")
        }
        return ReadCommit(
            epoch: header.epoch, groupID: header.groupID, confirmationTag: Data(outline.confirmationTag))
    }

    private func judge(_ commit: CommitOutline, by sender: MessageHeader.Sender?, _ role: WireGroupRole) throws {
        guard case .member = sender else {
            throw APIError.badRequest("a commit from outside the group goes through external-join")
        }
        // An Update by value would be the committer's own, which RFC 9420 §12.2 forbids; the others end a group or
        // split it.
        guard commit.proposals.isDisjoint(with: [.update, .preSharedKey, .reInit, .externalInit]) else {
            throw APIError.badRequest("a commit holds no Update, PreSharedKey, ReInit or ExternalInit proposal")
        }
        guard role == .admin || commit.proposals.isDisjoint(with: [.add, .groupContextExtensions]) else {
            throw APIError.notAdmin
        }
    }

    /// Rules that a group keeps in its GroupContext would be checked against `commit` here, too.
    private func judge(external commit: CommitOutline, by sender: MessageHeader.Sender?, _ user: ID) throws {
        guard sender == .newMemberCommit else { throw APIError.badRequest("this is no commit from outside the group") }
        guard commit.hasPath, commit.pathIdentity == user.bytes else {
            throw APIError.badRequest("the commit's leaf has no basic credential with the caller's user id")
        }
        // RFC 9420 §12.4.3.2, except for PSKs, which clients refuse.
        guard commit.externalInits == 1, commit.removes <= 1, !commit.hasReferences,
            commit.proposals.isSubset(of: [.externalInit, .remove])
        else { throw APIError.badRequest("an external commit holds one ExternalInit, and at most one Remove") }
    }

    /// Messages are application data and proposals; what cannot be read as either is left to its readers.
    ///
    /// - Throws: 400/100 for a commit and for a proposal that no one may send, 401/401 for a proposal that takes an
    ///   admin.
    func judge(message: Data, of group: GroupRow, from sender: ID) throws {
        guard let header = try? MessageHeader(message), header.contentType != .application else { return }
        guard header.contentType == .proposal else {
            throw APIError.badRequest("a commit does not go among the messages")
        }
        guard case .proposal(let proposal) = try? Handshake(message) else {
            throw APIError.badRequest("the proposal is no PublicMessage of a known type that can be read to its end")
        }
        guard case .member(let leaf) = header.sender else {
            throw APIError.badRequest("the proposal is not from a member")
        }
        switch proposal.kind {
        case .update: return
        case .remove where proposal.removed == leaf: return
        case .add, .remove, .groupContextExtensions:
            guard try role(of: sender, in: group.id) == .admin else { throw APIError.notAdmin }
        case .preSharedKey, .reInit, .externalInit:
            throw APIError.badRequest("nobody proposes a PreSharedKey, ReInit or ExternalInit here")
        }
    }
}
