import OpenSSLPrimitives

/// The header of an age file: stanzas that each hold the file key for one recipient.
struct AgeHeader {
    /// One way to the file key: a type, arguments, and a body.
    struct Stanza {
        var type: String
        var arguments: [[UInt8]]
        var body: [UInt8]
    }

    /// The first line without its version, and with it.
    private static let line = "age-encryption.org/v"
    private static let intro = Array("\(line)1\n".utf8)
    private static let columns = 64
    /// The largest header that we read, in bytes.
    static let lengthMax = 1 << 20

    let stanzas: [Stanza]
    /// HMAC of ``authenticated``, 32 bytes.
    let mac: [UInt8]
    /// The header up to the `---` of its last line, which the MAC covers.
    let authenticated: [UInt8]

    // MARK: Writing

    /// The bytes of a header with these stanzas.
    static func encode(_ stanzas: [Stanza], fileKey: SecretBytes) throws(AgeError) -> [UInt8] {
        var bytes = intro
        for stanza in stanzas {
            bytes += Array("-> \(stanza.type)".utf8)
            for argument in stanza.arguments { bytes += [UInt8(ascii: " ")] + argument }
            bytes.append(UInt8(ascii: "\n"))
            let body = Base64.encode(stanza.body)
            for start in stride(from: 0, through: body.count, by: columns) {
                bytes += body[start...].prefix(columns) + [UInt8(ascii: "\n")]
            }
        }
        bytes += Array("---".utf8)
        let mac = try mac(of: bytes, fileKey)
        return bytes + [UInt8(ascii: " ")] + Base64.encode(mac) + [UInt8(ascii: "\n")]
    }

    private static func mac(of bytes: [UInt8], _ fileKey: SecretBytes) throws(AgeError) -> [UInt8] {
        try Primitives.hmac(try Primitives.hkdf(fileKey, salt: [], info: "header"), bytes)
    }

    /// - Throws: `damagedHeader`.
    func check(_ fileKey: SecretBytes) throws(AgeError) {
        guard Secrets.areEqual(try Self.mac(of: authenticated, fileKey), mac) else {
            throw AgeError(.damagedHeader, "the header was altered: its authentication code does not match")
        }
    }

    // MARK: Reading

    /// How many bytes of `text` are the header; nil if its end has not come yet.
    ///
    /// - Parameter scanned: up to where no end was found before; updated.
    /// - Throws: `malformedHeader` if it can no longer be one.
    static func length(in text: [UInt8], from scanned: inout Int) throws(AgeError) -> Int? {
        let start = text.prefix(intro.count)
        guard start.elementsEqual(intro.prefix(start.count)) else {
            let line = Array(line.utf8)
            if text.count > line.count, text.starts(with: line), text[line.count] != UInt8(ascii: "1") {
                throw AgeError(.unsupported, "this file is of another version of the age format")
            }
            throw malformed("this is no age file")
        }
        while let end = text[max(scanned, 0)...].firstIndex(of: UInt8(ascii: "\n")) {
            if text[scanned..<end].starts(with: Array("---".utf8)) { return end + 1 }
            scanned = end + 1
        }
        if text.count > lengthMax { throw malformed("its header has no end") }
        return nil
    }

    /// - Parameter bytes: only the header.
    /// - Throws: `malformedHeader`.
    init(_ bytes: [UInt8]) throws(AgeError) {
        guard bytes.starts(with: Self.intro), bytes.last == UInt8(ascii: "\n"), bytes.count <= Self.lengthMax else {
            throw Self.malformed("it has no end")
        }
        let lines = bytes.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var stanzas: [Stanza] = []
        var index = 1
        while index < lines.count - 1 {
            stanzas.append(try Self.stanza(lines, &index))
        }
        let last = lines[lines.count - 1]
        guard index == lines.count - 1, last.starts(with: Array("--- ".utf8)), last.count == 4 + 43,
            let mac = Base64.decode(last.dropFirst(4))
        else { throw Self.malformed("its last line is not one") }
        guard !stanzas.isEmpty else { throw Self.malformed("it is for nobody") }
        self.stanzas = stanzas
        self.mac = mac
        authenticated = Array(bytes[..<(last.startIndex + 3)])
    }

    private static func stanza(_ lines: [ArraySlice<UInt8>], _ index: inout Int) throws(AgeError) -> Stanza {
        let words = lines[index].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].elementsEqual("->".utf8),
            words.dropFirst().allSatisfy({ !$0.isEmpty && $0.allSatisfy { (33...126).contains($0) } })
        else { throw malformed("line \(index + 1) does not begin a stanza") }
        index += 1
        var body: [UInt8] = []
        while true {
            guard index < lines.count - 1, lines[index].count <= columns else {
                throw malformed("a stanza has no last line")
            }
            let line = lines[index]
            guard let part = Base64.decode(line) else { throw malformed("line \(index + 1) is not base64") }
            body += part
            index += 1
            if line.count < columns { break }
        }
        return Stanza(
            type: String(decoding: words[1], as: UTF8.self), arguments: words.dropFirst(2).map { Array($0) }, body: body
        )
    }

    static func malformed(_ words: String) -> AgeError {
        AgeError(.malformedHeader, "the file cannot be read: \(words)")
    }
}
