import Foundation
import MLS

/// The MLS messages that occur in a folder of test vectors: seeds for fuzzing.
public enum VectorMessages {
    /// The MLSMessages of all files that have some, at most `limit` of each file, evenly chosen.
    ///
    /// - Parameter folders: with the official files, or others in their formats. A missing folder has no messages.
    public static func read(folders: [URL], atMost limit: Int = 64) -> [[UInt8]] {
        folders.flatMap { folder in
            // A missing folder is one without seeds.
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return names.filter(mayHaveMessages).sorted().flatMap { name in
                // What is not JSON has no messages either.
                guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)),
                    let content = try? JSONSerialization.jsonObject(with: data)
                else { return [[UInt8]]() }
                let all = messages(in: content)
                return stride(from: 0, to: all.count, by: max(1, all.count / limit)).prefix(limit).map { all[$0] }
            }
        }
    }

    private static func mayHaveMessages(_ name: String) -> Bool {
        name.hasSuffix(".json")
            && (["messages.json", "welcome.json"].contains(name) || name.hasPrefix(PassiveClientVectors.name))
    }

    private static func messages(in content: Any) -> [[UInt8]] {
        switch content {
        case let list as [Any]: return list.flatMap(messages)
        case let object as [String: Any]: return object.keys.sorted().flatMap { messages(in: object[$0] as Any) }
        case let text as String:
            // Begins like an MLSMessage of version 1; the fuzzer finds out whether it is one.
            guard text.hasPrefix("000100"), let hex = Hex(text) else { return [] }
            return [hex.bytes]
        default: return []
        }
    }
}
