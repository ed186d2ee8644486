import MLS
import Testing

/// Known answers for what the vectors do not reach: keys longer than a block, and outputs longer than a hash.
struct HashFunctionTests {
    /// RFC 4231 test case 6: a key of 131 bytes.
    @Test func hmacHashesALongKeyFirst() throws {
        let key = Secret(Array(repeating: UInt8(0xAA), count: 131))
        let data = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        #expect(
            try hex(suite(1).mac(key: key, data)) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        #expect(
            try hex(suite(4).mac(key: key, data))
                == "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598")
    }

    /// RFC 5869 test case 2: 82 bytes of output.
    @Test func hkdfExpandsOverSeveralBlocks() throws {
        let crypto = try suite(1)
        let prk = crypto.extract(salt: Secret(Array(0x60...0xAF)), ikm: Secret(Array(0x00...0x4F)))
        #expect(hex(prk.unwipedCopy) == "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244")
        let output = crypto.expand(prk: prk, info: Array(0xB0...0xFF), length: 82)
        #expect(
            hex(output.unwipedCopy)
                == "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                + "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                + "cc30c58179ec3e87c14c01d5c1f3434f1d87")
        #expect(crypto.expand(prk: prk, info: [], length: 0).count == 0)
    }

    @Test func theSuitesUseTheHashesOfTheirNames() throws {
        let lengths = try allSuites.map { try suite($0).hash([]).count }
        #expect(lengths == [32, 32, 32, 64, 64, 64, 48])
        #expect(try hex(suite(1).hash([])).hasPrefix("e3b0c442"))
        #expect(try hex(suite(7).hash([])).hasPrefix("38b060a7"))
        #expect(try hex(suite(6).hash([])).hasPrefix("cf83e135"))
    }
}
