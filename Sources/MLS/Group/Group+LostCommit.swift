/// A commit for an epoch that is over, which another one ended.
package struct LostCommit: Hashable, Sendable {
    /// Somebody whom it would have added.
    package struct Newcomer: Hashable, Sendable {
        package let credential: Credential
        package let signatureKey: [UInt8]
    }

    /// Its author, as in that epoch; also one who came back from outside with the key they had.
    package let committer: Member
    /// By Add proposals in the commit itself, in their order.
    package let added: [Newcomer]
    package let authenticatedData: [UInt8]
}

extension Group {
    /// Reads a commit that lost its race: by whom it is, and whom they meant to add. It changes nothing.
    ///
    /// Its signature is verified with the author's key and the GroupContext of that epoch (RFC 9420 §6.1), so nobody else can have made it.
    /// Whether members would have taken it is not looked into.
    ///
    /// - Parameter message: a PublicMessage as MLSMessage.
    /// - Returns: nil for what is no commit of a member in a past epoch of the window (``GroupConfiguration/pastEpochs``).
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
            // Nil for an epoch outside of the window.
            guard let leaf = commit.path?.leafNode, let members = try? members(inEpoch: epoch) else { return nil }
            return members.first { $0.credential == leaf.credential && $0.signatureKey == leaf.signatureKey }
        case .external, .newMemberProposal: return nil
        }
    }
}
