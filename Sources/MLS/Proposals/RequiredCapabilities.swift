/// What every member of a group must support, beyond the defaults (RFC 9420 §11.1).
package struct RequiredCapabilities: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package var extensions: [ExtensionType]
    package var proposals: [ProposalType]
    package var credentials: [CredentialType]

    package init(
        extensions: [ExtensionType] = [], proposals: [ProposalType] = [], credentials: [CredentialType] = []
    ) {
        self.extensions = extensions
        self.proposals = proposals
        self.credentials = credentials
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        extensions = try reader.readVector()
        proposals = try reader.readVector()
        credentials = try reader.readVector()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeVector(extensions)
        writer.writeVector(proposals)
        writer.writeVector(credentials)
    }
}
