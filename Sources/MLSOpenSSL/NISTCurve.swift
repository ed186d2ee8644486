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
    /// Keeps a random candidate's first byte near the order, so that few are refused (RFC 9180 §7.1.3).
    let candidateMask: UInt8
    /// Only read after `init`, so it is safe to share between threads.
    private let group: OpaquePointer
    private let order: OpaquePointer
    /// Contexts that are reused for one public key after the other: making a key object means making the whole curve
    /// again.
    private let verifiers: Pool

    init?(_ name: Name) {
        let curve: Int32
        switch name {
        case .p256: (curve, fieldLength, candidateMask) = (NID_X9_62_prime256v1, 32, 0xFF)
        case .p384: (curve, fieldLength, candidateMask) = (NID_secp384r1, 48, 0xFF)
        case .p521: (curve, fieldLength, candidateMask) = (NID_secp521r1, 66, 0x01)
        }
        guard let group = EC_GROUP_new_by_curve_name(curve) else { return nil }
        guard let order = EC_GROUP_get0_order(group), let generator = Self.generator(group, length: 2 * fieldLength + 1)
        else {
            EC_GROUP_free(group)
            return nil
        }
        self.name = name
        self.group = group
        self.order = order
        verifiers = Pool(
            make: { () throws(MLSError) in
                // Any point will do: the key is not used before it has been set.
                let point = generator.withBytes { waxwing_ec_key(name.rawValue, $0.uint8, $0.count, nil) }
                let key = try made(point, "no memory for a key of \(name.rawValue)")
                defer { EVP_PKEY_free(key) }
                return try made(EVP_PKEY_CTX_new_from_pkey(nil, key, nil), "no memory to verify")
            },
            free: { EVP_PKEY_CTX_free($0) })
    }

    deinit { EC_GROUP_free(group) }

    var publicKeyLength: Int { 2 * fieldLength + 1 }

    /// A private key: a number from 1 to the order - 1. Only read after `init`, so it is safe to share between threads.
    final class Scalar: @unchecked Sendable {
        let curve: Name
        /// As long as a coordinate.
        let raw: Secret
        fileprivate let number: OpaquePointer

        fileprivate init(_ raw: Secret, number: OpaquePointer, curve: Name) {
            self.curve = curve
            self.raw = raw
            self.number = number
        }

        deinit { BN_clear_free(number) }
    }

    /// Whether the bytes are a scalar from 1 to the order - 1.
    func isScalar(_ raw: Secret) -> Bool { raw.count == fieldLength && number(raw).map(release) != nil }

    /// The scalar of private bytes, which may lack the leading zero bytes that some writers leave out.
    ///
    /// - Throws: `invalidKey` for one that is too long or out of range.
    func scalar(_ raw: Secret) throws(MLSError) -> Scalar {
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
        let number = try made(number(padded), "a private key out of range for \(name.rawValue)", code: .invalidKey)
        return Scalar(padded, number: number, curve: name)
    }

    func publicKey(of scalar: Scalar) throws(MLSError) -> [UInt8] {
        let point = try made(EC_POINT_new(group), "no memory for a point")
        defer { EC_POINT_free(point) }
        try check(EC_POINT_mul(group, point, scalar.number, nil, nil, nil), "making a public key")
        return try made(Self.encoded(point, group, length: publicKeyLength), "making a public key")
    }

    /// The Diffie-Hellman result: the first coordinate of the public point times the scalar (RFC 9180 §4.1).
    ///
    /// - Throws: `invalidKey`.
    func agree(_ scalar: Scalar, with publicKey: [UInt8]) throws(MLSError) -> Secret {
        let point = try point(publicKey)
        defer { EC_POINT_free(point) }
        let product = try made(EC_POINT_new(group), "no memory for a point")
        defer { EC_POINT_clear_free(product) }
        let coordinate = try made(BN_secure_new(), "no memory for a key agreement")
        defer { BN_clear_free(coordinate) }
        // The order is prime, so no point on the curve has a small order.
        try check(EC_POINT_mul(group, product, nil, point, scalar.number, nil), "a key agreement")
        try check(
            EC_POINT_get_affine_coordinates(group, product, coordinate, nil, nil), "a key agreement",
            code: .invalidKey)
        return try Secret(count: fieldLength) { out throws(MLSError) in
            if BN_bn2binpad(coordinate, out.uint8, Int32(fieldLength)) != Int32(fieldLength) {
                throw MLSError(.cryptoFailure, "a key agreement")
            }
        }
    }

    /// Whether the bytes are an uncompressed point on the curve.
    func isPoint(_ publicKey: [UInt8]) -> Bool {
        do throws(MLSError) {
            EC_POINT_free(try point(publicKey))
            return true
        } catch {
            return false
        }
    }

    /// A private key as OpenSSL's signatures want it.
    func keyObject(publicKey: [UInt8], scalar: Scalar) throws(MLSError) -> KeyObject {
        let key = publicKey.withBytes { waxwing_ec_key(name.rawValue, $0.uint8, $0.count, scalar.number) }
        return KeyObject(try made(key, "not a key of \(name.rawValue)", code: .invalidKey), algorithm: name.rawValue)
    }

    /// Whether an ECDSA signature of a digest holds.
    ///
    /// - Throws: `invalidKey` for anything but an uncompressed point on the curve.
    func verify(publicKey: [UInt8], digest: [UInt8], signature: [UInt8]) throws(MLSError) -> Bool {
        try checkForm(publicKey)
        return try verifiers.withObject { context throws(MLSError) in
            let set = publicKey.withBytes {
                EVP_PKEY_set1_encoded_public_key(EVP_PKEY_CTX_get0_pkey(context), $0.uint8, $0.count)
            }
            try check(set, "not a point on \(name.rawValue)", code: .invalidKey)
            // Set only now, so that the context works with this key whatever it has kept of the one before.
            try check(EVP_PKEY_verify_init(context), "beginning to verify")
            let verified = digest.withBytes { digest in
                signature.withBytes { EVP_PKEY_verify(context, $0.uint8, $0.count, digest.uint8, digest.count) }
            }
            if verified != 1 { ERR_clear_error() }
            return verified == 1
        }
    }

    func checkForm(_ publicKey: [UInt8]) throws(MLSError) {
        if publicKey.count != publicKeyLength || publicKey.first != 4 {
            throw MLSError(.invalidKey, "a public key of \(publicKey.count) bytes for \(name.rawValue)")
        }
    }

    /// The point of a public key, for the caller to free. OpenSSL takes none that is not on the curve.
    private func point(_ publicKey: [UInt8]) throws(MLSError) -> OpaquePointer {
        try checkForm(publicKey)
        let point = try made(EC_POINT_new(group), "no memory for a point")
        if publicKey.withBytes({ EC_POINT_oct2point(group, point, $0.uint8, $0.count, nil) }) == 1 { return point }
        EC_POINT_free(point)
        ERR_clear_error()
        throw MLSError(.invalidKey, "not a point on \(name.rawValue)")
    }

    /// The number of a scalar, for the caller to free; nil for one that is out of range.
    private func number(_ raw: Secret) -> OpaquePointer? {
        guard let number = raw.withUnsafeBytes({ BN_bin2bn($0.uint8, Int32(clamping: $0.count), BN_secure_new()) })
        else { return nil }
        BN_set_flags(number, BN_FLG_CONSTTIME)
        if BN_is_zero(number) == 0 && BN_cmp(number, order) < 0 { return number }
        release(number)
        return nil
    }

    private func release(_ number: OpaquePointer) { BN_clear_free(number) }

    private static func generator(_ group: OpaquePointer, length: Int) -> [UInt8]? {
        EC_GROUP_get0_generator(group).flatMap { encoded($0, group, length: length) }
    }

    private static func encoded(_ point: OpaquePointer, _ group: OpaquePointer, length: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: length)
        let count = bytes.withMutableBytes {
            EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, $0.uint8, $0.count, nil)
        }
        return count == length ? bytes : nil
    }
}
