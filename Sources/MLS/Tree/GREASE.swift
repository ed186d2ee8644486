/// Values that are reserved to have no meaning (RFC 9420 §13.5). Sending some shows early which readers fail at unknown
/// values.
///
/// They get no special treatment when they are received: they are as unknown as any other unknown value.
package enum GREASE {
    /// The fifteen values of every registry.
    package static let values: [UInt16] = (0...14).map { 0x0A0A + $0 * 0x1010 }

    /// One of them.
    package static func value(from entropy: any EntropySource) -> UInt16 {
        values[number(below: values.count, from: entropy)]
    }

    /// The slight bias does not matter, as the value is not secret.
    fileprivate static func number(below bound: Int, from entropy: any EntropySource) -> Int {
        let bytes = entropy.bytes(2)
        return bytes.reduce(0) { $0 << 8 | Int($1) } % bound
    }
}

extension Extension {
    /// An extension of a reserved type with a few random bytes, for a key package or a GroupInfo.
    package static func grease(from entropy: any EntropySource) -> Extension {
        let type = ExtensionType(GREASE.value(from: entropy))
        return Extension(type, data: entropy.bytes(GREASE.number(below: 16, from: entropy)))
    }
}

extension Capabilities {
    /// The same with a reserved value among its cipher suites, extensions, proposals and credentials.
    ///
    /// Others see it in leaf nodes; the original still tells what this client itself supports.
    package func greased(from entropy: any EntropySource) -> Capabilities {
        var greased = self
        greased.cipherSuites.insertGREASE(from: entropy)
        greased.extensions.insertGREASE(from: entropy)
        greased.proposals.insertGREASE(from: entropy)
        greased.credentials.insertGREASE(from: entropy)
        return greased
    }

    /// What this client supports itself, read from what it sends to others (RFC 9420 §13.5).
    var withoutGREASE: Capabilities {
        var own = self
        own.cipherSuites.removeGREASE()
        own.extensions.removeGREASE()
        own.proposals.removeGREASE()
        own.credentials.removeGREASE()
        return own
    }

    mutating func declare(_ type: ExtensionType) {
        if !supports(type) { extensions.append(type) }
    }
}

extension LeafNode.Profile {
    /// The same with reserved values in its capabilities, and a leaf extension of a reserved type that the capabilities
    /// declare.
    package func greased(from entropy: any EntropySource) -> LeafNode.Profile {
        var greased = self
        greased.capabilities = capabilities.greased(from: entropy)
        let entry = Extension.grease(from: entropy)
        if extensions[entry.type] == nil {
            greased.extensions.append(entry)
            greased.capabilities.declare(entry.type)
        }
        return greased
    }
}

extension Array where Element: RegistryValue {
    fileprivate mutating func removeGREASE() { removeAll { GREASE.values.contains($0.rawValue) } }

    fileprivate mutating func insertGREASE(from entropy: any EntropySource) {
        let value = Element(rawValue: GREASE.value(from: entropy))
        if !contains(value) { insert(value, at: GREASE.number(below: count + 1, from: entropy)) }
    }
}
