/// Reads a stream of server-sent events (HTML Living Standard §9.2) in pieces of any size.
///
/// It knows nothing of the protocol's events or of connections. An event that is too large is skipped; the one after it
/// is read again.
struct SSEParser {
    struct Event: Hashable {
        /// Empty if none was given.
        var name = ""
        var data: [UInt8] = []
        /// The last id seen on the stream up to this event; nil if there was none.
        var id: String?
    }

    private var line: [UInt8] = []
    private var event = Event()
    private var hasData = false
    private var isTooLarge = false
    private var lastWasCR = false
    private var isFirstLine = true
    private var lastID: String?

    /// Reads more bytes and returns each event that they complete.
    mutating func feed(_ bytes: some Sequence<UInt8>, _ emit: (Event) -> Void) {
        for byte in bytes {
            switch byte {
            case 10 where lastWasCR:
                // The second half of a line end that was already taken.
                lastWasCR = false
            case 10, 13:
                lastWasCR = byte == 13
                endLine(emit)
            default:
                lastWasCR = false
                if line.count < HTTPLimits.eventBytes { line.append(byte) } else { isTooLarge = true }
            }
        }
    }

    private mutating func endLine(_ emit: (Event) -> Void) {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
        }
        guard let first = line.first else { return dispatch(emit) }
        guard first != UInt8(ascii: ":") else { return }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data": append(value)
        case "event": event.name = String(decoding: value, as: UTF8.self)
        case "id":
            if !value.contains(0), value.count <= HTTPLimits.eventIDBytes {
                lastID = String(decoding: value, as: UTF8.self)
            }
        default: break
        }
    }

    private mutating func append(_ value: ArraySlice<UInt8>) {
        guard event.data.count + value.count < HTTPLimits.eventBytes else {
            isTooLarge = true
            return
        }
        if hasData { event.data.append(10) }
        event.data += value
        hasData = true
    }

    private mutating func dispatch(_ emit: (Event) -> Void) {
        event.id = lastID
        if hasData, !isTooLarge { emit(event) }
        event = Event()
        hasData = false
        isTooLarge = false
    }
}
