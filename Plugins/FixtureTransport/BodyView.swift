import ConclaveProtocol
import FoundationEssentials
import MLS

/// What reviewers see of a body: its protobuf message as JSON, with ids as UUIDs and MLS messages described in words.
enum BodyView {
    static func of(
        _ body: [UInt8], _ side: WireBody.Side, _ method: APIRequest.Method, _ path: String
    ) -> JSONValue? {
        WireBody.json(body, of: side, method, path).flatMap(readable)
    }

    static func of(_ hint: ServerHint) -> JSONValue? { hint.json.flatMap(readable) }

    private static func readable(_ json: [UInt8]) -> JSONValue? {
        // This is only for people: what is not JSON after all is left out.
        (try? JSONDecoder().decode(JSONValue.self, from: Data(json))).map { readable($0, name: "") }
    }

    private static func readable(_ value: JSONValue, name: String) -> JSONValue {
        switch value {
        case .object(let members):
            return .object(
                Dictionary(uniqueKeysWithValues: members.map { ($0.key, readable($0.value, name: $0.key)) }))
        case .array(let values): return .array(values.map { readable($0, name: name) })
        case .string(let text): return .string(words(text, name: name))
        case .null, .bool, .number: return value
        }
    }

    /// In the JSON form of protobuf, bytes are base64. In this protocol they are ids if a member's name says so, and
    /// MLS messages otherwise.
    private static func words(_ text: String, name: String) -> String {
        if name.hasSuffix("Id") || name.hasSuffix("Ids"), name != "mlsGroupId",
            let bytes = Data(base64Encoded: text), let id = ID(Array(bytes))
        {
            return id.description
        }
        let isBytes = ["Message", "Info", "Data", "data"].contains { name.hasSuffix($0) }
        guard isBytes, let data = Data(base64Encoded: text) else { return text }
        let size = "\(data.count) bytes"
        guard let summary = try? MLSMessage.summary(of: Array(data)) else { return size }
        return "\(size): \(words(summary))"
    }

    private static func words(_ summary: MessageSummary) -> String {
        var words = "\(summary.wireFormat.name)"
        if let type = summary.contentType { words += ", \(type)" }
        if let epoch = summary.epoch { words += ", epoch \(epoch)" }
        return words
    }
}

extension WireFormat {
    fileprivate var name: String {
        switch self {
        case .publicMessage: "PublicMessage"
        case .privateMessage: "PrivateMessage"
        case .welcome: "Welcome"
        case .groupInfo: "GroupInfo"
        case .keyPackage: "KeyPackage"
        }
    }
}
