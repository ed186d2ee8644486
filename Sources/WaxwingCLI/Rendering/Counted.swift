/// `1 message`, `2 messages`.
func counted(_ count: some BinaryInteger, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }
