import Testing

@testable import MLS

struct SecretTests {
    @Test func secretsAreNeverPrinted() {
        let secret = Secret([0xDE, 0xAD, 0xBE, 0xEF])
        var dumped = ""
        dump(["key": secret], to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), String(describing: [secret]), dumped] {
            for leak in ["222", "173", "DEAD", "dead", "0xde"] { #expect(!text.contains(leak), "\(text)") }
        }
        #expect("\(secret)" == "Secret(4 bytes)")
    }

    @Test func aWriterGivesItsSecretAwayAndKeepsNothing() {
        var writer = TLSWriter(reservingCapacity: 8)
        writer.writeOpaque([1, 2, 3] as [UInt8])
        #expect(writer.takeSecret() == Secret([3, 1, 2, 3]))
        #expect(writer.bytes.isEmpty && writer.takeSecret().count == 0)
    }

    @Test func groupSecretsGoThroughTheirEncodingAsASecret() throws {
        let psk = PreSharedKeyID(source: .external(id: [9]), nonce: [8])
        for pathSecret in [nil, Secret([4, 5])] {
            let secrets = GroupSecrets(joinerSecret: Secret([1, 2]), pathSecret: pathSecret, psks: [psk])
            #expect(secrets.sealable.unwipedCopy == secrets.encoded)
            let opened = try GroupSecrets(secrets.sealable)
            #expect(opened.joinerSecret == Secret([1, 2]) && opened.pathSecret == pathSecret && opened.psks == [psk])
        }
        expectError(.malformed) { try GroupSecrets(Secret([1, 2, 3])) }
    }

    @Test func comparisonSeesEveryByteAndTheLength() {
        let bytes: [UInt8] = Array(0..<40)
        #expect(Secret(bytes) == Secret(bytes))
        #expect(Secret([]) == Secret([]))
        #expect(Secret(bytes) != Secret(bytes.dropLast()))
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 0x80
            #expect(Secret(bytes) != Secret(changed))
            #expect(!constantTimeEqual(bytes, changed))
        }
    }
}
