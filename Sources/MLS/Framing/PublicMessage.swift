/// A signed message that anyone can read; a member's carries a tag that only members can make (RFC 9420 §6.2).
package struct PublicMessage: Hashable, Sendable {
    package let content: FramedContent
    package let auth: FramedContentAuthData
    /// Present exactly when the sender is a member.
    package let membershipTag: [UInt8]?

    /// - Parameter context: the encoded GroupContext of the content's epoch.
    package init(
        protecting authenticated: AuthenticatedContent, membershipKey: Secret, context: [UInt8],
        crypto: any SuiteCrypto
    ) {
        content = authenticated.content
        auth = authenticated.auth
        if case .member = authenticated.content.sender {
            membershipTag = crypto.mac(key: membershipKey, authenticated.toBeTagged(context: context))
        } else {
            membershipTag = nil
        }
    }

    /// A message of a sender who is not a member (yet), and so has no tag.
    package init(fromOutside authenticated: AuthenticatedContent) {
        content = authenticated.content
        auth = authenticated.auth
        membershipTag = nil
    }

    /// The content with its membership tag checked; the signature is still to be verified.
    ///
    /// - Throws: `invalidTag`; `malformed` for application data, which must not be sent in plaintext.
    package func unprotect(
        membershipKey: Secret, context: [UInt8], crypto: any SuiteCrypto
    ) throws(MLSError) -> AuthenticatedContent {
        if content.body.type == .application {
            throw MLSError(.malformed, "application data in a PublicMessage")
        }
        let authenticated = AuthenticatedContent(wireFormat: .publicMessage, content: content, auth: auth)
        if case .member = content.sender {
            let expected = crypto.mac(key: membershipKey, authenticated.toBeTagged(context: context))
            guard let membershipTag, constantTimeEqual(membershipTag, expected) else {
                throw MLSError(.invalidTag, "the membership tag of a PublicMessage")
            }
        }
        return authenticated
    }
}

extension PublicMessage: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        content = try reader.read()
        auth = try FramedContentAuthData(for: content.body.type, from: &reader)
        if case .member = content.sender {
            membershipTag = try reader.readOpaque()
        } else {
            membershipTag = nil
        }
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(content)
        auth.encode(to: &writer)
        if let membershipTag { writer.writeOpaque(membershipTag) }
    }
}
