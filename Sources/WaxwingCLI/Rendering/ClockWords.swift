/// What to say about clocks that disagree.
enum ClockWords {
    /// - Parameters:
    ///   - ours: this machine's clock, in Unix seconds.
    ///   - server: the server's clock.
    static func differ(_ ours: UInt64, _ server: UInt64) -> String {
        let distance = ours < server ? "\(span(server - ours)) behind" : "\(span(ours - server)) ahead"
        return
            "note: this machine's clock says \(TimeText.minute(ours)), the server's \(TimeText.minute(server)): it is \(distance); "
            + "if yours is wrong, correct it"
    }

    /// `3 hours`, `12 days`, `9 years`: the number of whole units, in the largest unit that fits at least twice.
    static func span(_ seconds: UInt64) -> String {
        switch seconds {
        case ..<7_200: counted(Int(seconds / 60), "minute")
        case ..<172_800: counted(Int(seconds / 3_600), "hour")
        case ..<63_072_000: counted(Int(seconds / 86_400), "day")
        default: counted(Int(clamping: seconds / 31_536_000), "year")
        }
    }
}
