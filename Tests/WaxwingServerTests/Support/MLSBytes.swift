import ConclaveProtocol
import Foundation
import MLSReading

/// MLS messages that no engine has made: right in form, with nothing valid in them (RFC 9420 §6).
private func vector(_ bytes: [UInt8]) -> [UInt8] {
    precondition(bytes.count < 1 << 14)
    let long = UInt16(bytes.count) | 0x4000
    return (bytes.count < 64 ? [UInt8(bytes.count)] : [UInt8(long >> 8), UInt8(long & 0xFF)]) + bytes
}

private func bigEndian(_ value: UInt64) -> [UInt8] {
    stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
}

/// A PublicMessage.
///
/// - Parameters:
///   - sender: with the leaf of a member.
///   - filler: to tell two apart.
///   - body: the content after its type.
func publicMessage(
    epoch: UInt64, group: [UInt8] = [0xab, 0xcd], sender: [UInt8] = [1, 0, 0, 0, 0], filler: String = "",
    contentType: UInt8, body: [UInt8], tag: [UInt8]? = nil
) -> [UInt8] {
    let content = vector(group) + bigEndian(epoch) + sender + vector(Array(filler.utf8)) + [contentType] + body
    let auth = vector([5, 6]) + (contentType == 3 ? vector(tag ?? defaultTag(epoch, filler)) : [])
    return [0, 1, 0, 1] + content + auth + (sender[0] == 1 ? vector([7, 8]) : [])
}

/// A PublicMessage from member 0: a commit without proposals (3), a Remove of itself (2), or application data (1).
func mlsMessage(
    epoch: UInt64, group: [UInt8] = [0xab, 0xcd], contentType: UInt8 = 3, filler: String = ""
) -> [UInt8] {
    let body: [UInt8] =
        switch contentType {
        case 3: [0, 0]
        case 2: Proposal.remove(0)
        default: vector([1, 2, 3])
        }
    return publicMessage(epoch: epoch, group: group, filler: filler, contentType: contentType, body: body)
}

/// A commit from member 0 that holds these proposals by value.
func memberCommit(epoch: UInt64, of proposals: [[UInt8]], filler: String = "", sender: [UInt8] = [1, 0, 0, 0, 0])
    -> [UInt8]
{
    let body = vector(proposals.flatMap { [1] + $0 }) + [0]
    return publicMessage(epoch: epoch, sender: sender, filler: filler, contentType: 3, body: body)
}

/// - Parameters:
///   - credential: the identity in the new leaf, instead of `user`.
///   - proposals: besides the ExternalInit.
func externalCommit(
    epoch: UInt64, by user: ID, filler: String = "", credential: [UInt8]? = nil, proposals: [[UInt8]] = []
) -> [UInt8] {
    let all = [Proposal.externalInit] + proposals
    let body =
        vector(all.flatMap { [1] + $0 }) + [1] + leafNode(credential ?? [0, 1] + vector(user.bytes)) + vector([])
    return publicMessage(epoch: epoch, sender: [4], filler: filler, contentType: 3, body: body)
}

func leafNode(_ credential: [UInt8]) -> [UInt8] {
    let capabilities = [UInt8](repeating: 0, count: 5)
    return vector([1]) + vector([2]) + credential + capabilities + [2] + vector([]) + vector([3])
}

/// Proposals, each with its type in front (RFC 9420 §12.1).
enum Proposal {
    static let add =
        [0, 1, 0, 1, 0, 6] + vector([1]) + leafNode([0, 1] + vector(Array("a stranger".utf8))) + vector([])
        + vector([4])
    static let update = [0, 2] + leafNode([0, 1] + vector(Array("a member".utf8)))
    static let preSharedKey = [0, 4, 1] + vector([1]) + vector([2])
    static let reInit = [0, 5] + vector([1]) + [0, 1, 0, 6] + vector([])
    static let externalInit = [0, 6] + vector([1])
    static let groupContextExtensions = [0, 7] + vector([])
    static let unknown: [UInt8] = [0, 8] + vector([])

    static func remove(_ leaf: UInt8) -> [UInt8] { [0, 3, 0, 0, 0, leaf] }
}

/// The tag of a commit that is not given another.
func defaultTag(_ epoch: UInt64, _ filler: String) -> [UInt8] { Array("tag of \(epoch) \(filler)".utf8.prefix(128)) }

/// A GroupInfo of the state that a commit leads to.
func groupInfo(after commit: [UInt8], _ label: String = "") -> [UInt8] {
    guard let header = try? MessageHeader(commit), case .commit(let outline)? = try? Handshake(commit) else {
        return Array("info: \(label)".utf8)
    }
    return groupInfo(epoch: header.epoch &+ 1, group: header.groupID, tag: outline.confirmationTag, label)
}

/// - Parameters:
///   - tag: nil for that of a commit without a filler.
///   - label: by which it is recognized.
func groupInfo(
    epoch: UInt64, group: [UInt8] = [0xab, 0xcd], tag: [UInt8]? = nil, _ label: String = ""
) -> [UInt8] {
    let context = [0, 1, 0, 6] + vector(group) + bigEndian(epoch) + vector([1]) + vector([2]) + vector([])
    return [0, 1, 0, 4] + context + vector([]) + vector(tag ?? defaultTag(epoch &- 1, "")) + [0, 0, 0, 0]
        + vector(Array("info: \(label)".utf8))
}

func label(ofGroupInfo bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self).split(separator: "info: ").last.map(String.init) ?? ""
}
