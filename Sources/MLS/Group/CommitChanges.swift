/// What a commit does to a group, for showing it to people or acting on it.
public struct CommitChanges: Hashable, Sendable {
    /// New members, under the leaf they got. The joiner of an external commit is among them.
    public var added: [Member] = []
    /// Members that are gone, as they were before.
    public var removed: [Member] = []
    /// Members with a new leaf (by an Update proposal or the committer's own path), as they are after.
    public var updated: [Member] = []
    /// Whether the commit has an UpdatePath.
    public var pathUpdated = false
    /// Whether the committer joined by this very commit.
    public var external = false
    /// Whether this member is among the removed.
    public var selfRemoved = false
    /// The group's extensions, if the commit set them.
    public var extensions: [Extension]?
    /// Set if the group is over and continues under these parameters.
    public var reInit: ReInit?
    /// How many pre-shared keys went into the new epoch.
    public var pskCount = 0

    package init() {}
}

extension CommitChanges: TLSEncodable, TLSDecodable {
    package func encode(to writer: inout TLSWriter) {
        writer.writeVector(added)
        writer.writeVector(removed)
        writer.writeVector(updated)
        for flag in [pathUpdated, external, selfRemoved] { writer.write(UInt8(flag ? 1 : 0)) }
        if let extensions {
            writer.write(UInt8(1))
            writer.writeVector(extensions)
        } else {
            writer.write(UInt8(0))
        }
        writer.writeOptional(reInit)
        writer.write(UInt32(clamping: pskCount))
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        added = try reader.readVector()
        removed = try reader.readVector()
        updated = try reader.readVector()
        pathUpdated = try reader.read(UInt8.self) != 0
        external = try reader.read(UInt8.self) != 0
        selfRemoved = try reader.read(UInt8.self) != 0
        extensions = try reader.read(UInt8.self) != 0 ? try reader.readExtensions() : nil
        reInit = try reader.readOptional()
        pskCount = Int(try reader.read(UInt32.self))
    }
}
