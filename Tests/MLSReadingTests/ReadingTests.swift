import MLS
import MLSReading
import Testing

/// The engine is the measure: whatever it reads is read here, too, and as the same.
@Suite struct ReadingTests {
    private let corpus: Corpus

    init() throws { corpus = try Corpus() }

    @Test func everyMessageIsReadAsTheEngineReadsIt() throws {
        #expect(corpus.handshakes.count > 70 && corpus.groupInfos.count == 3 && corpus.others.count == 5)
        for entry in corpus.handshakes + corpus.groupInfos + corpus.others {
            #expect(try isReadAlike(entry.bytes), "\(entry.name)")
        }
        for entry in corpus.handshakes { #expect((try? Handshake(entry.bytes)) != nil, "\(entry.name)") }
        for entry in corpus.groupInfos { #expect((try? GroupInfoOutline(entry.bytes)) != nil, "\(entry.name)") }
        for entry in corpus.groupInfos + corpus.others {
            #expect(throws: Unreadable.self, "\(entry.name)") { try Handshake(entry.bytes) }
        }
        for entry in corpus.handshakes + corpus.others {
            #expect(throws: Unreadable.self, "\(entry.name)") { try GroupInfoOutline(entry.bytes) }
        }
    }

    @Test func anExternalCommitSaysWhoComesIn() throws {
        let join = try #require(corpus.handshakes.first { $0.name == "an external commit" })
        guard case .commit(let commit) = try Handshake(join.bytes) else {
            Issue.record("no commit")
            return
        }
        #expect(commit.hasPath && commit.pathIdentity == corpus.userID)
        #expect(commit.proposals == [.externalInit, .remove])
        #expect(commit.externalInits == 1 && commit.removes == 1 && !commit.hasReferences)
        let header = try MessageHeader(join.bytes)
        #expect(header.sender == .newMemberCommit && header.epoch == 1 && header.contentType == .commit)
    }

    @Test func nothingThatIsCutOrTooLongIsRead() throws {
        for entry in corpus.handshakes + corpus.groupInfos {
            for count in entry.bytes.indices {
                let cut = entry.bytes[..<count]
                #expect(throws: Unreadable.self, "\(entry.name), \(count) bytes") { try Handshake(cut) }
                #expect(throws: Unreadable.self, "\(entry.name), \(count) bytes") { try GroupInfoOutline(cut) }
            }
            #expect(throws: Unreadable.self) { try Handshake(entry.bytes + [0]) }
            #expect(throws: Unreadable.self) { try GroupInfoOutline(entry.bytes + [0]) }
        }
    }

    @Test func aHeaderNeedsNothingBehindIt() throws {
        for entry in corpus.handshakes {
            let header = try MessageHeader(entry.bytes)
            let counts = entry.bytes.indices.filter { (try? MessageHeader(entry.bytes[..<$0])) != nil }
            let first = try #require(counts.first)
            #expect(counts == Array(first..<entry.bytes.count))
            #expect(try MessageHeader(entry.bytes[..<first]) == header)
        }
    }

    @Test func whatTheEngineStillReadsOfChangedBytesIsReadAlike() throws {
        var readable = 0
        for entry in corpus.handshakes + corpus.groupInfos + corpus.others {
            var bytes = entry.bytes
            for place in bytes.indices {
                for change: UInt8 in [0x01, 0x40, 0xFF] {
                    bytes[place] = entry.bytes[place] ^ change
                    if try isReadAlike(bytes, "\(entry.name), \(place) ^ \(change)") { readable += 1 }
                }
                bytes[place] = entry.bytes[place]
            }
        }
        #expect(readable > 5_000)
    }

    @Test func noBytesMakeItTrap() throws {
        let dice = Dice(seed: 9)
        let all = corpus.handshakes + corpus.groupInfos + corpus.others
        for _ in 0..<20_000 {
            var bytes = all[dice.below(all.count)].bytes
            for _ in 0...dice.below(3) {
                let other = all[dice.below(all.count)].bytes
                let (place, start) = (dice.below(bytes.count), dice.below(other.count))
                switch dice.below(4) {
                case 0: bytes.replaceSubrange(place..., with: other[start...])
                case 1: bytes.insert(contentsOf: other[start..<min(start + 9, other.count)], at: place)
                case 2: bytes.removeSubrange(place..<min(place + 1 + dice.below(9), bytes.count))
                default: bytes[place] = [0, 1, 2, 0x3F, 0x40, 0x7F, 0x80, 0xBF, 0xC0, 0xFF][dice.below(10)]
                }
                if bytes.isEmpty { bytes = [0] }
            }
            _ = try isReadAlike(bytes)
        }
    }

    /// 1 GiB that is announced and not there, a length in more bytes than it needs, and one of no known width.
    @Test func lengthsAreHeldAgainstWhatIsThere() throws {
        let start: [UInt8] = [0, 1, 0, 2]
        let rest: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1, 3]
        #expect(try MessageHeader(start + [2, 0xAB, 0xCD] + rest).groupID == [0xAB, 0xCD])
        for length: [UInt8] in [[0xBF, 0xFF, 0xFF, 0xFF], [0x40, 2], [0x80, 0, 0, 2], [0xC0, 2]] {
            #expect(throws: Unreadable.self) { try MessageHeader(start + length + [0xAB, 0xCD] + rest) }
        }
        for count in [0, 1, 63, 64, 16_383, 16_384, 70_000] {
            var writer = TLSWriter()
            writer.writeOpaque([UInt8](repeating: 5, count: count))
            #expect(try MessageHeader(start + writer.bytes + rest).groupID.count == count)
        }
    }

    /// A proposal of an unknown type has no end that anyone could find.
    @Test func unknownTypesAreUnreadable() throws {
        let entry = try #require(corpus.handshakes.first { $0.name.hasPrefix("proposal 3 ") })
        var bytes = entry.bytes
        // The type of the Remove, before its leaf.
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: [0, 3, 0, 0, 0, 7, 0x40, 64]) })
        #expect((try? Handshake(bytes)) != nil)
        bytes[place + 1] = 8
        #expect(throws: Unreadable.self) { try Handshake(bytes) }
        #expect((try? MessageHeader(bytes)) != nil)
    }

    /// Whether the engine reads the bytes; if so, they are read here as the same.
    private func isReadAlike(_ bytes: [UInt8], _ comment: Comment = "") throws -> Bool {
        let (header, handshake) = (try? MessageHeader(bytes), try? Handshake(bytes))
        let groupInfo = try? GroupInfoOutline(bytes)
        guard let message = try? MLSMessage(decoding: bytes) else { return false }
        switch message {
        case .publicMessage(let message):
            let content = message.content
            #expect(header?.groupID == content.groupID && header?.epoch == content.epoch, comment)
            #expect(header?.contentType.rawValue == content.body.type.rawValue, comment)
            #expect(header?.sender == MessageHeader.Sender(content.sender), comment)
            switch (content.body, handshake) {
            case (.application, nil): break
            case (.proposal(let proposal), .proposal(let read)?): #expect(read.isLike(proposal), comment)
            case (.commit(let commit), .commit(let read)?):
                #expect(read.isLike(commit) && read.confirmationTag == message.auth.confirmationTag, comment)
            default: Issue.record("another kind of message: \(comment)")
            }
        case .privateMessage(let message):
            #expect(header?.groupID == message.groupID && header?.epoch == message.epoch, comment)
            #expect(header?.contentType.rawValue == message.contentType.rawValue && header?.sender == nil, comment)
            #expect(handshake == nil, comment)
        case .groupInfo(let info):
            #expect(groupInfo?.groupID == info.context.groupID && groupInfo?.epoch == info.context.epoch, comment)
            #expect(groupInfo?.confirmationTag == info.confirmationTag, comment)
        case .welcome, .keyPackage: #expect(header == nil && groupInfo == nil, comment)
        }
        return true
    }
}

extension MessageHeader.Sender {
    fileprivate init(_ sender: Sender) {
        self =
            switch sender {
            case .member(let leaf): .member(leaf.value)
            case .external(let index): .external(index)
            case .newMemberProposal: .newMemberProposal
            case .newMemberCommit: .newMemberCommit
            }
    }
}

extension ProposalOutline {
    fileprivate func isLike(_ proposal: Proposal) -> Bool {
        var leaf: UInt32?
        if case .remove(let index) = proposal { leaf = index.value }
        return kind.rawValue == proposal.type.rawValue && removed == leaf
    }
}

extension MLSReading.CommitOutline {
    fileprivate func isLike(_ commit: Commit) -> Bool {
        var kinds: [UInt16] = []
        for case .proposal(let proposal) in commit.proposals { kinds.append(proposal.type.rawValue) }
        var identity: [UInt8]?
        if case .basic(let bytes)? = commit.path?.leafNode.credential { identity = bytes }
        return Set(proposals.map(\.rawValue)) == Set(kinds) && removes == kinds.filter { $0 == 3 }.count
            && externalInits == kinds.filter { $0 == 6 }.count
            && hasReferences == (kinds.count < commit.proposals.count)
            && hasPath == (commit.path != nil) && pathIdentity == identity
    }
}
