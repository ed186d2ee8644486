import MLS
import Testing

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
