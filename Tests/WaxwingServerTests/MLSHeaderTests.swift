import Testing

@testable import WaxwingServer

@Suite struct MLSHeaderTests {
    /// A PrivateMessage up to its content type.
    private func privateMessage(epoch: UInt8, contentType: UInt8) -> [UInt8] {
        [0, 1, 0, 2, 2, 0xab, 0xcd, 0, 0, 0, 0, 0, 0, 0, epoch, contentType, 0, 0]
    }

    @Test func publicAndPrivateMessagesAreRead() throws {
        let commit = try MLSHeader(mlsMessage(epoch: 0x0102_0304_0506_0708)).required
        #expect(commit.epoch == 0x0102_0304_0506_0708)
        #expect(commit.groupID == [0xab, 0xcd])
        #expect(commit.contentType == .commit)
        #expect(MLSHeader(mlsMessage(epoch: .max))?.epoch == .max)
        #expect(MLSHeader(mlsMessage(epoch: 1, contentType: 2))?.contentType == .proposal)
        #expect(MLSHeader(privateMessage(epoch: 7, contentType: 1))?.contentType == .application)
        #expect(MLSHeader(privateMessage(epoch: 7, contentType: 3))?.epoch == 7)
    }

    @Test func everySenderTypeIsRead() {
        let start: [UInt8] = [0, 1, 0, 1, 1, 9, 0, 0, 0, 0, 0, 0, 0, 5]
        let cases: [([UInt8], Bool)] = [
            ([1, 0, 0, 0, 3], true), ([2, 0, 0, 0, 1], true), ([3], true), ([4], true), ([0], false), ([5], false),
        ]
        for (sender, isKnown) in cases {
            #expect((MLSHeader(start + sender + [0, 3]) != nil) == isKnown, "sender type \(sender[0])")
        }
    }

    @Test func longGroupIDsAndAuthenticatedDataAreSkipped() throws {
        func vector(_ bytes: [UInt8]) -> [UInt8] {
            switch bytes.count {
            case ..<64: [UInt8(bytes.count)] + bytes
            case ..<16_384: [0x40 | UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
            default:
                [
                    0x80 | UInt8(bytes.count >> 24), UInt8(bytes.count >> 16 & 255), UInt8(bytes.count >> 8 & 255),
                    UInt8(bytes.count & 255),
                ] + bytes
            }
        }
        for count in [0, 1, 63, 64, 16_383, 16_384, 70_000] {
            let filler = [UInt8](repeating: 5, count: count)
            let message = [0, 1, 0, 1] + vector(filler) + [0, 0, 0, 0, 0, 0, 0, 9, 4] + vector(filler) + [3]
            #expect(try MLSHeader(message).required.groupID.count == count)
            #expect(MLSHeader(message.dropLast()) == nil)
        }
    }

    @Test func aGroupInfoTellsGroupAndEpoch() throws {
        let whole = groupInfo(epoch: 0x0102_0304_0506_0708)
        let header = try GroupInfoHeader(whole + [9, 9]).required
        #expect(header.epoch == 0x0102_0304_0506_0708)
        #expect(header.groupID == [0xab, 0xcd])
        for count in 0..<whole.count { #expect(GroupInfoHeader(whole.prefix(count)) == nil, "\(count) bytes") }
        for (index, value) in [(1, UInt8(2)), (3, 1), (3, 5), (5, 2), (8, 0xc0), (8, 0xbf)] {
            var other = whole
            other[index] = value
            #expect(GroupInfoHeader(other) == nil, "\(value) at \(index)")
        }
        #expect(GroupInfoHeader(mlsMessage(epoch: 1)) == nil)
        #expect(MLSHeader(whole) == nil)
    }

    @Test func truncatedMessagesAreRefused() {
        for whole in [mlsMessage(epoch: 3), Array(privateMessage(epoch: 3, contentType: 3).dropLast(2))] {
            #expect(MLSHeader(whole) != nil)
            for count in 0..<whole.count { #expect(MLSHeader(whole.prefix(count)) == nil, "\(count) bytes") }
        }
    }

    @Test func whatIsNoMLSMessageIsRefused() {
        let cases: [[UInt8]] = [
            [0, 2] + mlsMessage(epoch: 1).dropFirst(2),  // another version
            [0, 1, 0, 3] + mlsMessage(epoch: 1).dropFirst(4),  // a Welcome
            mlsMessage(epoch: 1, contentType: 0),
            mlsMessage(epoch: 1, contentType: 4),
            [0, 1, 0, 2, 0x40, 2, 0xab, 0xcd, 0, 0, 0, 0, 0, 0, 0, 1, 3],  // a length wider than needed
            [0, 1, 0, 2, 0xc0, 2, 0xab, 0xcd, 0, 0, 0, 0, 0, 0, 0, 1, 3],  // a length of no known width
            [0, 1, 0, 2, 0xbf, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 3],  // 1 GiB that is not there
        ]
        for bytes in cases { #expect(MLSHeader(bytes) == nil, "\(bytes)") }
    }

    @Test func randomBytesNeverTrap() {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        var readable = 0
        for _ in 0..<50_000 {
            var bytes = (0..<Int(next() % 40)).map { _ in UInt8(truncatingIfNeeded: next()) }
            // Half of them begin well, to reach further in.
            if bytes.count > 5 && next() % 2 == 0 {
                bytes.replaceSubrange(0..<5, with: [0, 1, 0, UInt8(1 + next() % 2), UInt8(next() % 8)])
            }
            if MLSHeader(bytes) != nil { readable += 1 }
            _ = GroupInfoHeader([0, 1, 0, 4, 0, 1] + bytes)
        }
        #expect(readable > 0 && readable < 25_000)
    }
}
