import COpenSSL
import MLS

/// A NIST curve with its keys: the private scalar as big-endian bytes, the public point uncompressed (RFC 9180 §7.1).
final class NISTCurve: @unchecked Sendable {
    enum Name: String {
        case p256 = "P-256"
        case p384 = "P-384"
        case p521 = "P-521"
    }

    let name: Name
    /// Bytes of a coordinate, which is also that of a scalar.
    let fieldLength: Int
    /// What keeps a random candidate's first byte near the order, so that few are refused (RFC 9180 §7.1.3).
    let candidateMask: UInt8
    /// Read-only after `init`; that is what makes sharing between threads safe.
    private let group: OpaquePointer
    private let order: OpaquePointer

    init?(_ name: Name) {
        let curve: Int32
        switch name {
        case .p256: (curve, fieldLength, candidateMask) = (NID_X9_62_prime256v1, 32, 0xFF)
        case .p384: (curve, fieldLength, candidateMask) = (NID_secp384r1, 48, 0xFF)
        case .p521: (curve, fieldLength, candidateMask) = (NID_secp521r1, 66, 0x01)
        }
        guard let group = EC_GROUP_new_by_curve_name(curve) else { return nil }
        guard let order = EC_GROUP_get0_order(group) else {
            EC_GROUP_free(group)
            return nil
        }
        self.name = name
        self.group = group
        self.order = order
    }

    deinit { EC_GROUP_free(group) }

    var publicKeyLength: Int { 2 * fieldLength + 1 }

    /// Whether the bytes are a scalar from 1 to the order - 1.
    func isScalar(_ raw: Secret) -> Bool {
        guard raw.count == fieldLength, let scalar = number(raw) else { return false }
        defer { BN_clear_free(scalar) }
        return BN_is_zero(scalar) == 0 && BN_cmp(scalar, order) < 0
    }

    /// The scalar with the zero bytes in front that some writers leave out.
    ///
    /// - Throws: `invalidKey` for one that is too long or out of range.
    func paddedScalar(_ raw: Secret) throws(MLSError) -> Secret {
        if raw.count > fieldLength {
            throw MLSError(.invalidKey, "a private key of \(raw.count) bytes for \(name.rawValue)")
        }
        let padded =
            raw.count == fieldLength
            ? raw
            : Secret(count: fieldLength) { out in
                raw.withUnsafeBytes { bytes in
                    UnsafeMutableRawBufferPointer(rebasing: out[(fieldLength - bytes.count)...]).copyMemory(from: bytes)
                }
            }
        if !isScalar(padded) { throw MLSError(.invalidKey, "a private key out of range for \(name.rawValue)") }
        return padded
    }

    /// A prepared private key and its public half, for a padded scalar.
    func keyPair(scalar raw: Secret) throws(MLSError) -> (object: KeyObject, publicKey: [UInt8]) {
        let scalar = try made(number(raw), "no memory for a scalar")
        defer { BN_clear_free(scalar) }
        let publicKey = try publicKey(scalar: scalar)
        return (try object(publicKey: publicKey, scalar: scalar), publicKey)
    }

    /// - Throws: `invalidKey` for anything but an uncompressed point on the curve.
    func publicKeyObject(_ publicKey: [UInt8]) throws(MLSError) -> KeyObject {
        if publicKey.count != publicKeyLength || publicKey.first != 4 {
            throw MLSError(.invalidKey, "a public key of \(publicKey.count) bytes for \(name.rawValue)")
        }
        return try object(publicKey: publicKey, scalar: nil)
    }

    private func number(_ raw: Secret) -> OpaquePointer? {
        raw.withUnsafeBytes { BN_bin2bn($0.uint8, Int32(clamping: $0.count), BN_secure_new()) }
    }

    private func publicKey(scalar: OpaquePointer) throws(MLSError) -> [UInt8] {
        let point = try made(EC_POINT_new(group), "no memory for a point")
        defer { EC_POINT_free(point) }
        try check(EC_POINT_mul(group, point, scalar, nil, nil, nil), "making a public key")
        var bytes = [UInt8](repeating: 0, count: publicKeyLength)
        let count = bytes.withMutableBytes {
            EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, $0.uint8, $0.count, nil)
        }
        if count != publicKeyLength { throw MLSError(.cryptoFailure, "making a public key") }
        return bytes
    }

    private func object(publicKey: [UInt8], scalar: OpaquePointer?) throws(MLSError) -> KeyObject {
        let key = publicKey.withBytes { waxwing_ec_key(name.rawValue, $0.uint8, $0.count, scalar) }
        let object = try made(key, "not a point on \(name.rawValue)", code: .invalidKey)
        return KeyObject(object, algorithm: name.rawValue)
    }
}
