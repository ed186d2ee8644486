import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Reasons are stored as what they are.
struct TroubleTests {
    private static let user = ID([UInt8](repeating: 5, count: 16))!
    private static let withMore: [Trouble] = [
        .transport(.nameNotFound, detail: "no such host"), .refused(status: 401, code: .banned, detail: "go away"),
        .refused(status: 418, code: .unknown(77), detail: ""), .refused(status: 400, code: nil, detail: "plain"),
        .keysRefuse(detail: "a"), .commitImpossible(detail: "b"), .groupNameTaken("room"),
        .groupInfoUnusable(detail: "expired"), .alreadyInvited(by: ""), .alreadyInvited(by: "bob"),
        .clockWrong(now: 31_536_000), .keyPackageUnusable(detail: "c"), .otherKey(user: user, wasVerified: true),
        .keyPackageExpired(
            KeyPackageLifetime(name: "bob", notBefore: 1, notAfter: 2, now: 3, doubtfulClock: 4)),
        .keyPackageExpired(
            KeyPackageLifetime(name: "", notBefore: nil, notAfter: nil, now: 3, doubtfulClock: nil)),
        .otherUserNamed(asked: "bob"), .nameOfAnother(asked: "bob", user: user), .other("a sentence"),
    ]
    static let all =
        withMore + Trouble.plain + GroupEnd.allCases.flatMap { [Trouble.groupClosed($0), .unread($0)] }

    private func row(_ trouble: Trouble?, _ state: OutboxRow.State = .queued) -> OutboxRow {
        var row = OutboxRow(order: 3, group: Self.user, intent: .rotate, createdAt: Instant(milliseconds: 9))
        row.trouble = trouble
        row.state = state
        return row
    }

    @Test func everyReasonComesBackFromTheStore() throws {
        for trouble in Self.all {
            for row in [row(trouble), row(nil, .failed(trouble))] {
                #expect(try OutboxRow(stored: row.stored) == row)
            }
            let link = LinkRecord(trouble: trouble, since: Instant(milliseconds: 5))
            #expect(try LinkRecord(stored: link.stored) == link)
        }
        #expect(Set(Self.all.map(\.stored)).count == Self.all.count, "each is stored in its own way")
    }

    @Test func everyReasonHasATokenOfItsOwn() {
        let tokens = Set(Self.all.map(\.token))
        // Some differ only in what they carry.
        #expect(tokens.count == Self.all.count - 2, "\(tokens.sorted())")
        #expect(tokens.allSatisfy { $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "." } }, "\(tokens.sorted())")
        #expect(Trouble.refused(status: 401, code: .banned, detail: "").token == "refused.banned")
    }

    /// Version 0.1 stored a sentence. A known one is still recognized, and any other is kept.
    @Test(arguments: [
        ("", nil), ("the server knows no user of this name", Trouble.unknownUser),
        ("you are no longer a member of this group", .groupClosed(.removed)),
        ("something else", .other("something else")),
    ])
    func sentencesOfOldAreReadAsWhatTheySay(sentence: String, trouble: Trouble?) throws {
        let plain = row(nil)
        var writer = TLSWriter()
        writer.writeText(sentence)
        // What follows the reason: no wait, no ciphertext.
        let waiting = [2] + plain.stored.dropFirst().dropLast(3) + writer.bytes + [0, 0]
        #expect(try OutboxRow(stored: Array(waiting)) == row(trouble))
        guard let trouble else { return }
        // The state comes before the time and two counts, the reason after them.
        let failed = [3] + plain.stored.dropFirst().dropLast(20) + [3] + writer.bytes + plain.stored.suffix(19)
        #expect(try OutboxRow(stored: Array(failed)) == row(nil, .failed(trouble)))
    }

    @Test func theWayToTheServerOfOldIsReadByItsKind() throws {
        for (kind, cause) in [(UInt8(2), TransportError.Cause.serverTrouble), (3, .askedToWait), (1, .badAnswer)] {
            var writer = TLSWriter()
            writer.write(UInt8(2))
            writer.writeText("It is not well.")
            writer.write(UInt64(5))
            writer.write(UInt32(2))
            writer.write(nil as Deadline?)
            writer.write(kind)
            writer.writeText("https://test")
            let link = try LinkRecord(stored: writer.bytes)
            #expect(link.trouble == .transport(cause, detail: "It is not well.") && link.kind.rawValue == kind)
        }
    }
}

extension Trouble {
    fileprivate var stored: [UInt8] {
        var writer = TLSWriter()
        writer.write(self)
        return writer.bytes
    }
}
