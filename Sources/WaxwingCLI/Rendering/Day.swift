/// A day of the calendar (UTC), for words about clocks that are wrong.
struct Day: Hashable, CustomStringConvertible {
    let year: UInt64
    let month: UInt64
    let day: UInt64

    /// - Parameter seconds: since 1970 (UTC).
    init(_ seconds: UInt64) {
        // Years that begin in March, so that a leap day is the last of its year, in eras of 400 of them.
        let days = seconds / 86_400 + 719_468
        let (era, rest) = days.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (rest - rest / 1_460 + rest / 36_524 - rest / 146_096) / 365
        let dayOfYear = rest - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// `2026-11-30`
    var description: String { "\(year)-\(Self.twoDigits(month))-\(Self.twoDigits(day))" }

    private static func twoDigits(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
