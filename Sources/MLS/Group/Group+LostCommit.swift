/// A commit for a past epoch, which another commit ended.
package struct LostCommit: Hashable, Sendable {
    /// A client it would have added.
    package struct Newcomer: Hashable, Sendable {
        package let credential: Credential
        package let signatureKey: [UInt8]
    }

    /// Its author, as in that epoch; also one who rejoined from outside with the key they had.
    package let committer: Member
    /// By Add proposals in the commit itself, in their order.
    package let added: [Newcomer]
    package let authenticatedData: [UInt8]
}

extension Group {
    /// Reads a commit that lost its race: who made it, and whom it would have added. It changes nothing.
    ///
    /// The signature is verified with the author's key and the GroupContext of that epoch (RFC 9420 §6.1), so no one
    /// else can have made it. Does not check whether members would have accepted it.
    ///
    /// - Parameter message: a PublicMessage as MLSMessage.
    /// - Returns: nil for what is not a commit of a member in a past epoch of the window
    ///   (``GroupConfiguration/pastEpochs``).
    package func lostCommit(_ message: [UInt8]) -> LostCommit? {
        guard case .publicMessage(let message)? = try? MLSMessage(decoding: message),
            message.content.groupID == groupID, case .commit(let commit) = message.content.body,
            let past = pastEpochs.first(where: { $0.epoch == message.content.epoch }),
            let author = author(of: commit, by: message.content.sender, inEpoch: past.epoch)
        else { return nil }
        let content = AuthenticatedContent(wireFormat: .publicMessage, content: message.content, auth: message.auth)
        do throws(MLSError) {
            try content.verifySignature(publicKey: author.signatureKey, context: past.encodedContext, crypto: crypto)
        } catch {
            return nil
        }
        let added = commit.proposals.compactMap { proposal -> LostCommit.Newcomer? in
            guard case .proposal(.add(let package)) = proposal else { return nil }
            return .init(credential: package.leafNode.credential, signatureKey: package.leafNode.signatureKey)
        }
        return LostCommit(
            committer: author, added: added, authenticatedData: message.content.authenticatedData)
    }

    private func author(of commit: Commit, by sender: Sender, inEpoch epoch: UInt64) -> Member? {
        switch sender {
        case .member(let index): return member(at: index, inEpoch: epoch)
        case .newMemberCommit:
            // Nil for an epoch outside the window.
            guard let leaf = commit.path?.leafNode, let members = try? members(inEpoch: epoch) else { return nil }
            return members.first { $0.credential == leaf.credential && $0.signatureKey == leaf.signatureKey }
        case .external, .newMemberProposal: return nil
        }
    }
}
