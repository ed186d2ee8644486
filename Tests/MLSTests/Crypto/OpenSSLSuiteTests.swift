import MLS
import MLSOpenSSL
import Testing

@Suite struct OpenSSLSuiteTests {
    @Test(arguments: allSuites)
    func theSameSeedMakesTheSameKeys(number: UInt16) throws {
        let crypto = try suite(number)
        func keys(_ seed: UInt64) throws -> [[UInt8]] {
            let entropy = SeededEntropy(seed: seed)
            let signature = try crypto.generateSignatureKey(entropy)
            let hpke = try crypto.generateHPKEKey(entropy)
            let sealed = try crypto.hpkeSeal(to: hpke.publicKey, info: [1], aad: [2], Secret([3]), entropy)
            return [
                signature.publicKey, signature.raw.unwipedCopy, hpke.publicKey, hpke.raw.unwipedCopy, sealed.encoded,
            ]
        }
        #expect(try keys(1) == keys(1))
        #expect(try zip(keys(1), keys(2)).allSatisfy { $0 != $1 })
    }

    @Test(arguments: allSuites)
    func keysComeBackFromTheirRawBytes(number: UInt16) throws {
        let crypto = try suite(number)
        let entropy = SeededEntropy(seed: 3)
        let signer = try crypto.generateSignatureKey(entropy)
        let sameSigner = try crypto.signatureKey(raw: signer.raw)
        #expect(sameSigner.publicKey == signer.publicKey)
        let signature = try crypto.sign(sameSigner, [1, 2, 3])
        #expect(crypto.verify(publicKey: signer.publicKey, [1, 2, 3], signature: signature))
        let key = try crypto.generateHPKEKey(entropy)
        #expect(try crypto.hpkeKey(raw: key.raw).publicKey == key.publicKey)
    }

    @Test(arguments: allSuites)
    func aChangedSignatureMessageOrKeyDoesNotVerify(number: UInt16) throws {
        let crypto = try suite(number)
        let entropy = SeededEntropy(seed: 4)
        let key = try crypto.generateSignatureKey(entropy)
        let other = try crypto.generateSignatureKey(entropy)
        let message: [UInt8] = Array(0..<50)
        let signature = try crypto.sign(key, message)
        #expect(crypto.verify(publicKey: key.publicKey, message, signature: signature))
        for place in signature.indices {
            var changed = signature
            changed[place] ^= 1
            #expect(!crypto.verify(publicKey: key.publicKey, message, signature: changed), "byte \(place)")
        }
        #expect(!crypto.verify(publicKey: key.publicKey, message + [0], signature: signature))
        #expect(!crypto.verify(publicKey: key.publicKey, message, signature: signature + [0]))
        #expect(!crypto.verify(publicKey: key.publicKey, message, signature: []))
        #expect(!crypto.verify(publicKey: other.publicKey, message, signature: signature))
        #expect(!crypto.verify(publicKey: [], message, signature: signature))
        #expect(!crypto.verifyWithLabel(publicKey: key.publicKey, label: "", content: message, signature: signature))
    }

    @Test(arguments: allSuites)
    func aKeyOfAnotherSuiteIsRefused(number: UInt16) throws {
        let crypto = try suite(number)
        let stranger = try suite(number == 2 ? 7 : 2)
        let entropy = SeededEntropy(seed: 5)
        let signer = try stranger.generateSignatureKey(entropy)
        expectError(.invalidKey) { try crypto.sign(signer, [1]) }
        let theirs = try stranger.generateHPKEKey(entropy)
        let ours = try crypto.generateHPKEKey(entropy)
        expectError(.invalidKey) { try crypto.hpkeSeal(to: theirs.publicKey, info: [], aad: [], Secret([1]), entropy) }
        let sealed = try crypto.hpkeSeal(to: ours.publicKey, info: [], aad: [], Secret([1]), entropy)
        expectError(.invalidKey) { try crypto.hpkeOpen(sealed, with: theirs, info: [], aad: []) }
    }

    @Test(arguments: allSuites)
    func hpkeOpensOnlyWhatWasSealedForItsKeyInfoAndData(number: UInt16) throws {
        let crypto = try suite(number)
        let entropy = SeededEntropy(seed: 6)
        let key = try crypto.generateHPKEKey(entropy)
        let other = try crypto.generateHPKEKey(entropy)
        for plaintext in [Secret([]), Secret(Array(0..<100))] {
            let sealed = try crypto.hpkeSeal(to: key.publicKey, info: [1], aad: [2], plaintext, entropy)
            #expect(try crypto.hpkeOpen(sealed, with: key, info: [1], aad: [2]) == plaintext)
            expectError(.decryptionFailed) { try crypto.hpkeOpen(sealed, with: key, info: [], aad: [2]) }
            expectError(.decryptionFailed) { try crypto.hpkeOpen(sealed, with: key, info: [1], aad: []) }
            expectError(.decryptionFailed) { try crypto.hpkeOpen(sealed, with: other, info: [1], aad: [2]) }
            var changed = sealed
            changed.ciphertext[0] ^= 1
            expectError(.decryptionFailed) { try crypto.hpkeOpen(changed, with: key, info: [1], aad: [2]) }
            changed = sealed
            changed.ciphertext = []
            expectError(.decryptionFailed) { try crypto.hpkeOpen(changed, with: key, info: [1], aad: [2]) }
            changed = sealed
            changed.kemOutput.removeLast()
            expectError(.decryptionFailed) { try crypto.hpkeOpen(changed, with: key, info: [1], aad: [2]) }
        }
    }

    @Test(arguments: allSuites)
    func bothEndsExportTheSameSecret(number: UInt16) throws {
        let crypto = try suite(number)
        let entropy = SeededEntropy(seed: 7)
        let key = try crypto.generateHPKEKey(entropy)
        for length in [0, 1, crypto.suite.hashLength, 255] {
            let sent = try crypto.hpkeSendExport(to: key.publicKey, info: [1], context: [2], length: length, entropy)
            func received(info: [UInt8], context: [UInt8]) throws -> Secret {
                try crypto.hpkeReceiveExport(enc: sent.enc, with: key, info: info, context: context, length: length)
            }
            #expect(sent.secret.count == length)
            #expect(try received(info: [1], context: [2]) == sent.secret)
            if length < 16 { continue }
            #expect(try received(info: [], context: [2]) != sent.secret)
            #expect(try received(info: [1], context: []) != sent.secret)
        }
    }

    @Test(arguments: allSuites)
    func aeadOpensOnlyUnchangedCiphertexts(number: UInt16) throws {
        let crypto = try suite(number)
        let entropy = SeededEntropy(seed: 8)
        let key = entropy.secret(crypto.suite.aeadKeyLength)
        let nonce = entropy.bytes(crypto.suite.aeadNonceLength)
        for plaintext in [[], [1], entropy.bytes(1000)] as [[UInt8]] {
            let sealed = try crypto.seal(key: key, nonce: nonce, aad: [9], plaintext)
            #expect(sealed.count == plaintext.count + crypto.suite.aeadTagLength)
            #expect(try crypto.open(key: key, nonce: nonce, aad: [9], sealed) == plaintext)
            expectError(.decryptionFailed) { try crypto.open(key: key, nonce: nonce, aad: [], sealed) }
            for place in [0, sealed.count / 2, sealed.count - 1] {
                var changed = sealed
                changed[place] ^= 1
                expectError(.decryptionFailed) { try crypto.open(key: key, nonce: nonce, aad: [9], changed) }
            }
            for end in 0..<16 {
                expectError(.decryptionFailed) {
                    try crypto.open(key: key, nonce: nonce, aad: [9], Array(sealed[..<end]))
                }
            }
        }
        expectError(.invalidKey) { try crypto.seal(key: Secret([]), nonce: nonce, aad: [], []) }
        expectError(.invalidKey) { try crypto.seal(key: key, nonce: nonce + [0], aad: [], []) }
    }

    @Test(arguments: allSuites)
    func keysMayBeUsedFromManyThreadsAtOnce(number: UInt16) async throws {
        let crypto = try suite(number)
        let entropy = SeededEntropy(seed: 9)
        let signer = try crypto.generateSignatureKey(entropy)
        let key = try crypto.generateHPKEKey(entropy)
        let results = await withTaskGroup(of: Bool.self) { group in
            for round in 0..<16 {
                group.addTask {
                    do {
                        let message = [UInt8](repeating: UInt8(round), count: 100)
                        let signature = try crypto.sign(signer, message)
                        let sealed = try crypto.hpkeSeal(
                            to: key.publicKey, info: [], aad: message, Secret(message), SystemEntropy())
                        let opened = try crypto.hpkeOpen(sealed, with: key, info: [], aad: message)
                        return opened == Secret(message)
                            && crypto.verify(publicKey: signer.publicKey, message, signature: signature)
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(results.count == 16)
        #expect(results.allSatisfy { $0 })
    }
}
