import MLS
import MLSOpenSSL
import Testing

struct SpreadingTests {
    private static let threads = [1, 2, 5]
    /// More than are done one after the other whatever the number of threads, so that several threads do take part.
    private static let count: UInt8 = 200

    @Test(arguments: [1, 2, 6] as [UInt16])
    func sealsDoNotDependOnTheNumberOfThreads(suite number: UInt16) throws {
        let key = try suite(number).generateHPKEKey(SeededEntropy(seed: 1))
        let parcels = (0..<Self.count).map { HPKEParcel(publicKey: key.publicKey, plaintext: Secret([$0])) }
        let sealed = try Self.threads.map { threads in
            try provider(number, threads: threads).hpkeSeal(
                parcels, info: [1, 2], aad: [3], SeededEntropy(seed: 2))
        }
        for other in sealed { #expect(other == sealed[0]) }
        // And they are what sealing one after the other gives.
        let entropy = SeededEntropy(seed: 2)
        for (parcel, ciphertext) in zip(parcels, sealed[0]) {
            let single = try suite(number).hpkeSeal(
                to: parcel.publicKey, info: [1, 2], aad: [3], parcel.plaintext, entropy)
            #expect(single == ciphertext)
            #expect(try suite(number).hpkeOpen(ciphertext, with: key, info: [1, 2], aad: [3]) == parcel.plaintext)
        }
    }

    @Test(arguments: threads)
    func aSealThatFailsFailsAll(threads: Int) throws {
        let crypto = try provider(1, threads: threads)
        let key = try crypto.generateHPKEKey(SeededEntropy(seed: 1))
        var parcels = (0..<Self.count).map { _ in HPKEParcel(publicKey: key.publicKey, plaintext: Secret([1])) }
        parcels[133] = HPKEParcel(publicKey: [UInt8](repeating: 0, count: 32), plaintext: Secret([1]))
        expectError(.invalidKey) { try crypto.hpkeSeal(parcels, info: [], aad: [], SeededEntropy(seed: 2)) }
    }

    @Test(arguments: [1, 2, 6] as [UInt16])
    func theFirstClaimThatDoesNotHoldIsFound(suite number: UInt16) throws {
        for threads in Self.threads {
            let crypto = try provider(number, threads: threads)
            let signer = try crypto.generateSignatureKey(SeededEntropy(seed: 1))
            var claims = try (0..<Self.count).map { value in
                SignatureClaim(
                    publicKey: signer.publicKey, message: [value], signature: try crypto.sign(signer, [value]))
            }
            #expect(crypto.firstInvalid(claims) == nil)
            #expect(crypto.firstInvalid([]) == nil)
            claims[187] = SignatureClaim(publicKey: signer.publicKey, message: [9], signature: claims[187].signature)
            #expect(crypto.firstInvalid(claims) == 187)
            // A claim with an invalid key fails.
            claims[120] = SignatureClaim(publicKey: [1, 2], message: [120], signature: claims[120].signature)
            #expect(crypto.firstInvalid(claims) == 120)
        }
    }

    private func provider(_ number: UInt16, threads: Int) throws -> any SuiteCrypto {
        let suite = try #require(CipherSuite(rawValue: number))
        return try OpenSSLProvider(threads: threads).suite(suite)
    }
}
