import Testing

@testable import MLSPeer

/// The real `mls-peer`, over pipes.
struct ProcessTests {
    @Test func twoProcessesShareAGroup() throws {
        let processes = [try PeerProcess(PeerProcess.own), try PeerProcess(PeerProcess.own)]
        let partners = zip(["ada", "ben"], processes).map { name, process in
            Partner(name) { try process.answer($0) }
        }
        let circle = try Circle(partners[0], suite: 1, encrypt: true)
        let newcomer = try circle.newcomer(partners[1])
        try circle.commit(0, "add", ["key_package": newcomer.keyPackage["key_package"]], joining: [newcomer])
        try circle.chat(0)
        try circle.chat(1, ["plaintext": .hex([UInt8](repeating: 7, count: 100_000))])
        try circle.expectAgreement()
        for (partner, process) in zip(partners, processes) {
            try partner.ask("quit")
            let end = try process.end()
            #expect(end.rest == [])
            #expect(end.status == 0)
        }
    }

    @Test func aProcessAnswersEachLineOnceAndEndsWithItsInput() throws {
        let process = try PeerProcess(PeerProcess.own)
        try process.send(Array("{\"op\":\"info\",\"id\":1}\n\nnonsense\n{\"op\":\"nothing\",\"id\":2}\r\n{\"op\"".utf8))
        try process.send(Array(":\"info\",\"id\":3}".utf8))
        try process.closeInput()
        let end = try process.end()
        let replies = try end.rest.map { try Reply($0) }
        #expect(replies.map(\.isOK) == [true, false, false, false, true])
        #expect(replies.map { $0["id"] } == [1, .null, .null, 2, 3])
        #expect(end.status == 0)
    }

    @Test func aLineBeyondTheBoundIsRefusedAndTheProcessGoesOn() throws {
        let process = try PeerProcess(PeerProcess.own)
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        for _ in 0...Peer.lineLengthMax >> 20 { try process.send(piece) }
        let long = try Reply(process.answer(""))
        #expect(!long.isOK)
        #expect(long.error.contains("longer than"))
        #expect(try Reply(process.answer("{\"op\":\"info\"}")).isOK)
        #expect(try Reply(process.answer("{\"op\":\"quit\"}")).isOK)
        #expect(try process.end().status == 0)
    }

    @Test func anArgumentIsAMistake() throws {
        let process = try PeerProcess(PeerProcess.own, ["--help"])
        let end = try process.end()
        #expect(end.status == 2)
        #expect(end.rest == [])
    }
}
