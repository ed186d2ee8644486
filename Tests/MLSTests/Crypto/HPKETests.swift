import MLS
import Testing

/// RFC 9180 appendix A.1.1 and A.2.1, base mode.
struct HPKETests {
    /// Gives one value once: what the RFC's sender drew.
    private struct Fixed: EntropySource {
        let ikm: [UInt8]

        func bytes(_ count: Int) -> [UInt8] { Array(ikm.prefix(count)) }
    }

    private struct Vector: Sendable {
        let suite: UInt16
        let ikmE: String
        let skR: String
        let pkR: String
        let enc: String
        let ciphertext: String
    }

    private static let vectors = [
        Vector(
            suite: 1, ikmE: "7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234",
            skR: "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
            pkR: "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
            enc: "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
            ciphertext: "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"),
        Vector(
            suite: 3, ikmE: "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b",
            skR: "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
            pkR: "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
            enc: "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
            ciphertext: "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"),
    ]

    private let info = Array("Ode on a Grecian Urn".utf8)
    private let plaintext = Array("Beauty is truth, truth beauty".utf8)

    @Test func sealingMakesTheBytesOfTheRFC() throws {
        for vector in Self.vectors {
            let crypto = try suite(vector.suite)
            let aad = Array("Count-0".utf8)
            let sealed = try crypto.hpkeSeal(
                to: bytes(hex: vector.pkR), info: info, aad: aad, Secret(plaintext),
                Fixed(ikm: bytes(hex: vector.ikmE)))
            #expect(hex(sealed.kemOutput) == vector.enc)
            #expect(hex(sealed.ciphertext) == vector.ciphertext)
            let key = try crypto.hpkeKey(raw: Secret(bytes(hex: vector.skR)))
            #expect(hex(key.publicKey) == vector.pkR)
            #expect(try crypto.hpkeOpen(sealed, with: key, info: info, aad: aad) == Secret(plaintext))
        }
    }

    @Test func exportingGivesTheSecretsOfTheRFC() throws {
        let vector = Self.vectors[0]
        let crypto = try suite(vector.suite)
        let key = try crypto.hpkeKey(raw: Secret(bytes(hex: vector.skR)))
        let exports: [([UInt8], String)] = [
            ([], "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee"),
            ([0], "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5"),
            (Array("TestContext".utf8), "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"),
        ]
        for (context, expected) in exports {
            let sent = try crypto.hpkeSendExport(
                to: key.publicKey, info: info, context: context, length: 32, Fixed(ikm: bytes(hex: vector.ikmE)))
            #expect(hex(sent.enc) == vector.enc)
            #expect(hex(sent.secret.unwipedCopy) == expected)
            let received = try crypto.hpkeReceiveExport(
                enc: sent.enc, with: key, info: info, context: context, length: 32)
            #expect(hex(received.unwipedCopy) == expected)
        }
    }
}
