import Foundation
import MLS

/// The MLS messages that occur in a folder of test vectors: seeds for fuzzing.
public enum VectorMessages {
    /// The MLSMessages of some files, at most `limit` of each file, evenly chosen.
    ///
    /// - Parameter folder: with the official files; one that is not there has no messages.
    public static func read(folder: URL, atMost limit: Int = 64) -> [[UInt8]] {
        ["messages", "welcome", "passive-client-handling-commit", "passive-client-random"].flatMap { name in
            // A folder without this file is a folder with fewer seeds.
            guard let data = try? Data(contentsOf: folder.appendingPathComponent(name + ".json")),
                let content = try? JSONSerialization.jsonObject(with: data)
            else { return [[UInt8]]() }
            let all = messages(in: content)
            return stride(from: 0, to: all.count, by: max(1, all.count / limit)).prefix(limit).map { all[$0] }
        }
    }

    private static func messages(in content: Any) -> [[UInt8]] {
        switch content {
        case let list as [Any]: return list.flatMap(messages)
        case let object as [String: Any]: return object.keys.sorted().flatMap { messages(in: object[$0] as Any) }
        case let text as String:
            // Begins like an MLSMessage of version 1; whether it is one, the fuzzer finds out.
            guard text.hasPrefix("000100"), let hex = Hex(text) else { return [] }
            return [hex.bytes]
        default: return []
        }
    }
}
