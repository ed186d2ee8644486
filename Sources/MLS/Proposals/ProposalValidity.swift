/// The checks of a proposal that do not need its group (RFC 9420 §12.1).
extension Proposal {
    /// Made by the sender of a proposal and again by everyone who commits it.
    ///
    /// - Parameter founding: what else a resumption PSK may be for, in the first commit of a group that continues
    ///   another one.
    /// - Throws: `invalidProposal`; for extensions of a group `tooLarge` and `malformed`.
    func check(founding: ResumptionUsage = .application, suite: CipherSuite) throws(MLSError) {
        switch self {
        case .preSharedKey(let id): try Self.check(id, founding: founding, suite: suite)
        case .reInit(let parameters):
            if parameters.version.rawValue < ProtocolVersion.mls10.rawValue {
                throw MLSError(.invalidProposal, "a ReInit to an older version")
            }
            try parameters.extensions.checkForGroup()
        case .groupContextExtensions(let extensions): try extensions.checkForGroup()
        case .add, .update, .remove, .externalInit: break
        }
    }

    /// RFC 9420 §12.1.4. Usages `reinit` and `branch` belong to the beginning of another group.
    private static func check(
        _ id: PreSharedKeyID, founding: ResumptionUsage, suite: CipherSuite
    ) throws(MLSError) {
        if id.nonce.count != suite.hashLength {
            throw MLSError(.invalidProposal, "a PSK nonce has \(id.nonce.count) bytes")
        }
        if case .resumption(let usage, _, _) = id.source, usage != .application, usage != founding {
            throw MLSError(.invalidProposal, "a PSK of usage \(usage) in a commit")
        }
    }

    /// Whether it may come from an external sender (RFC 9420 §12.1.8).
    var mayBeExternal: Bool {
        switch self {
        case .add, .remove, .preSharedKey, .reInit, .groupContextExtensions: true
        case .update, .externalInit: false
        }
    }
}
