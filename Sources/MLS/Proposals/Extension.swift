/// An extension of a leaf node, key package, group context or GroupInfo (RFC 9420 §13).
public struct Extension: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let type: ExtensionType
    /// The encoding of what the extension holds.
    public let data: [UInt8]

    public init(_ type: ExtensionType, data: [UInt8]) {
        self.type = type
        self.data = data
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        type = try reader.read()
        data = try reader.readOpaque()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(type)
        writer.writeOpaque(data)
    }
}

extension [Extension] {
    /// The content of the extension of that type.
    package subscript(type: ExtensionType) -> [UInt8]? {
        first { $0.type == type }?.data
    }

    /// - Throws: `malformed` when a type comes twice (RFC 9420 §13.4).
    package func checkUnique() throws(MLSError) {
        if count < 2 { return }
        var seen: Set<ExtensionType> = []
        for entry in self where !seen.insert(entry.type).inserted {
            throw MLSError(.malformed, "extension \(entry.type.rawValue) comes twice")
        }
    }

    /// Checks what a group keeps for as long as it lives.
    ///
    /// - Throws: `tooLarge`; `malformed` when a type comes twice, or when one of those that the engine reads cannot be
    ///   read.
    func checkForGroup() throws(MLSError) {
        try checkUnique()
        let length = reduce(0) { $0 + $1.data.count + 6 }
        if length > Limits.groupExtensionsLength {
            throw MLSError(.tooLarge, "extensions of \(length) bytes in a group context")
        }
        _ = try requiredCapabilities()
        _ = try externalSenders()
    }

    /// What members must support; nil when the list does not say.
    package func requiredCapabilities() throws(MLSError) -> RequiredCapabilities? {
        guard let data = self[.requiredCapabilities] else { return nil }
        return try RequiredCapabilities(decoding: data)
    }
}

extension TLSReader {
    /// `Extension extensions<V>`, each type at most once (RFC 9420 §13.4).
    package mutating func readExtensions() throws(MLSError) -> [Extension] {
        let extensions = try readVector(of: Extension.self)
        try extensions.checkUnique()
        return extensions
    }
}
