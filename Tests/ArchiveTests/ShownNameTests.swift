import Age
import ConclaveProtocol
import Foundation
import Testing
import WaxwingCore

@testable import Archive

/// People whose names look alike are told apart in the transcripts; an import reads the name itself.
@Suite struct ShownNameTests {
    @Test func transcriptsShowWhatTellsPeopleApart() throws {
        let people = [
            ArchiveUser(id: Sample.id(11), username: "b0b", shownName: "b0b.0b0b0b0b"),
            ArchiveUser(id: Sample.id(10), username: "bob", shownName: "bob.0a0a0a0a"),
        ]
        let writer = try ArchiveWriter(
            Sample.contents(groups: [1]), to: .recipients([try #require(Sample.identity).recipient]), isArmored: false,
            signer: try Signer(), folder: NSTemporaryDirectory(), entropy: Entropy(1).age
        ) { id in people.first { $0.id == id } }
        var rows = Sample.rows(2)
        (rows[0].content, rows[1].content) = (.text("hello"), .text("who?"))
        try writer.add(HistoryPage(rows), of: Sample.id(1))
        var file: [UInt8] = []
        _ = try writer.finish { file += $0 }
        let text = String(decoding: try HostileContainerTests.unpacked(try Sample.plaintext(file)), as: UTF8.self)
        // One line of each transcript.
        for shown in ["**b0b.0b0b0b0b**", ">b0b.0b0b0b0b<"] {
            #expect(text.replacing("\\", with: "").contains(shown), "\(shown)")
        }
        let members = try Sample.read(file).members()
        #expect(members.contains { $0.username == "b0b" && $0.id == Sample.id(11) })
    }
}
