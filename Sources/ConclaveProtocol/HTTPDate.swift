/// Dates as HTTP writes them (RFC 9110 §5.6.7), in the current form and the two obsolete ones.
public enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970 (UTC); nil for what is not a date, or one before 1970.
    ///
    /// - Parameter text: such as `Sun, 06 Nov 1994 08:49:37 GMT`. The day of the week is not checked.
    public static func seconds(_ text: String) -> UInt64? {
        let words = text.split { $0 == " " || $0 == "\t" }.map(String.init)
        switch words.count {
        case 6 where words[5] == "GMT":
            return seconds(day: words[1], month: words[2], year: words[3], time: words[4])
        case 4 where words[3] == "GMT":
            // Sunday, 06-Nov-94 08:49:37 GMT
            let parts = words[1].split(separator: "-").map(String.init)
            guard parts.count == 3, parts[2].utf8.count == 2, let year = number(parts[2]) else { return nil }
            return seconds(
                day: parts[0], month: parts[1], year: "\(year < 70 ? 2000 + year : 1900 + year)", time: words[2])
        case 5:
            // Sun Nov  6 08:49:37 1994
            return seconds(day: words[2], month: words[1], year: words[4], time: words[3])
        default: return nil
        }
    }

    private static func seconds(day: String, month: String, year: String, time: String) -> UInt64? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number(String($0)) }
        guard let day = number(day), let month = months.firstIndex(of: month), year.utf8.count == 4,
            let year = number(year), year >= 1970, clock.count == 3, let hour = clock[0], let minute = clock[1],
            let second = clock[2], day >= 1, day <= days(inMonth: month, of: year), hour < 24, minute < 60,
            // A leap second.
            second <= 60
        else { return nil }
        var sum = day - 1
        for earlier in 0..<month { sum += days(inMonth: earlier, of: year) }
        let last = year - 1
        // Leap days up to the end of 1969: 477.
        sum += (year - 1970) * 365 + last / 4 - last / 100 + last / 400 - 477
        return ((sum * 24 + hour) * 60 + minute) * 60 + second
    }

    private static func days(inMonth month: Int, of year: UInt64) -> UInt64 {
        switch month {
        case 1: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 3, 5, 8, 10: 30
        default: 31
        }
    }

    /// At most four digits and nothing else.
    private static func number(_ text: String) -> UInt64? {
        guard (1...4).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return UInt64(text)
    }
}
