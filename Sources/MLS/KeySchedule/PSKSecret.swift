/// Folds the pre-shared keys of a commit into one secret (RFC 9420 §8.4).
package enum PSKSecret {
    /// - Parameter keys: in the order of the commit's proposals, or of the Welcome's `psks`.
    /// - Returns: `KDF.Nh` zeros when there are none.
    package static func combine(
        _ keys: [(id: PreSharedKeyID, secret: Secret)], crypto: any SuiteCrypto
    ) throws(MLSError) -> Secret {
        guard let count = UInt16(exactly: keys.count) else { throw MLSError(.tooLarge, "\(keys.count) PSKs") }
        let length = crypto.suite.hashLength
        let zero = Secret([UInt8](repeating: 0, count: length))
        var combined = zero
        var index: UInt16 = 0
        for key in keys {
            var label = TLSWriter()
            label.write(key.id)
            label.write(index)
            label.write(count)
            let input = crypto.expandWithLabel(
                crypto.extract(salt: zero, ikm: key.secret), label: "derived psk", context: label.bytes, length: length)
            combined = crypto.extract(salt: input, ikm: combined)
            index += 1
        }
        return combined
    }
}
