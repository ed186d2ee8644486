/// A message of a group before it is protected (RFC 9420 §6).
package struct FramedContent: Hashable, Sendable {
    package let groupID: [UInt8]
    package let epoch: UInt64
    package let sender: Sender
    package let authenticatedData: [UInt8]
    package let body: Body
    /// The whole encoding, which is signed, tagged, hashed and sent.
    let bytes: [UInt8]

    /// The message's content.
    package enum Body: Hashable, Sendable {
        case application([UInt8])
        case proposal(Proposal)
        case commit(Commit)

        package var type: ContentType {
            switch self {
            case .application: .application
            case .proposal: .proposal
            case .commit: .commit
            }
        }
    }

    package init(groupID: [UInt8], epoch: UInt64, sender: Sender, authenticatedData: [UInt8], body: Body) {
        self.groupID = groupID
        self.epoch = epoch
        self.sender = sender
        self.authenticatedData = authenticatedData
        self.body = body
        var writer = TLSWriter(reservingCapacity: groupID.count + authenticatedData.count + body.likelyLength + 32)
        writer.writeOpaque(groupID)
        writer.write(epoch)
        writer.write(sender)
        writer.writeOpaque(authenticatedData)
        writer.write(body.type)
        body.encode(to: &writer)
        bytes = writer.bytes
    }

    package static func == (a: FramedContent, b: FramedContent) -> Bool { a.bytes == b.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension FramedContent: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        let start = reader.position
        groupID = try reader.readOpaque()
        epoch = try reader.read()
        sender = try reader.read()
        authenticatedData = try reader.readOpaque()
        body = try Body(of: reader.read(), from: &reader)
        // Every value has only one encoding, so these bytes equal the encoding of the fields.
        bytes = Array(reader.consumed(since: start))
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeRaw(bytes)
    }
}

extension FramedContent.Body {
    /// Reads a content whose type is elsewhere.
    init(of type: ContentType, from reader: inout TLSReader) throws(MLSError) {
        switch type {
        case .application: self = .application(try reader.readOpaque())
        case .proposal: self = .proposal(try reader.read())
        case .commit: self = .commit(try reader.read())
        }
    }

    /// The size of the encoding, so that it is not copied as it grows; a guess if it is expensive to compute.
    var likelyLength: Int {
        if case .application(let data) = self { data.count + 8 } else { 1024 }
    }

    /// Writes the content without its type.
    func encode(to writer: inout TLSWriter) {
        switch self {
        case .application(let data): writer.writeOpaque(data)
        case .proposal(let proposal): writer.write(proposal)
        case .commit(let commit): writer.write(commit)
        }
    }
}
