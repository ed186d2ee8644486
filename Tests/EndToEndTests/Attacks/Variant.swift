import Foundation
import Testing

/// The surroundings in which an attack is played.
struct Variant: Hashable, Sendable, CustomTestStringConvertible {
    enum Store: String, CaseIterable { case sqlite, files }

    /// How well those attacked know the one whom the attack is about.
    enum Acquaintance: String, CaseIterable {
        /// Not at all.
        case new
        /// Their key was seen in another room, or in this one.
        case seen
        /// Their key was compared.
        case verified
    }

    var store: Store
    var ordering: Server.Ordering
    var acquaintance: Acquaintance
    /// Gives the same choice again.
    private var seed: UInt64?

    /// The variants in which an attack is played: one, chosen by a seed that is shown with each failure.
    /// `WAXWING_ATTACKS=SEED` chooses it again, and `WAXWING_ATTACKS=all` plays all.
    ///
    /// - Parameters:
    ///   - attack: each attack's choice is its own.
    ///   - acquaintances: those that make a difference.
    static func chosen(for attack: String, _ acquaintances: Acquaintance...) -> [Variant] {
        let all = Store.allCases.flatMap { store in
            Server.Ordering.allCases.flatMap { ordering in
                acquaintances.map { Variant(store: store, ordering: ordering, acquaintance: $0) }
            }
        }
        if wish == "all" { return all }
        let salt = attack.utf8.reduce(into: UInt64(14_695_981_039_346_656_037)) { hash, byte in
            hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211
        }
        var dice = Dice(seed: seed ^ salt)
        guard var one = all.randomElement(using: &dice) else { return [] }
        one.seed = seed
        return [one]
    }

    private static let wish = ProcessInfo.processInfo.environment["WAXWING_ATTACKS"] ?? ""
    private static let seed = UInt64(wish) ?? UInt64.random(in: 0..<1_000_000)

    var testDescription: String {
        let repetition = seed.map { ", again by WAXWING_ATTACKS=\($0)" } ?? ""
        return "\(store), \(ordering), \(acquaintance)\(repetition)"
    }
}
