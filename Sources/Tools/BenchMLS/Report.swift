import Foundation
import MLS

/// Prints the table row by row, and writes the JSON copy.
struct Report {
    private(set) var outcomes: [Outcome] = []
    private(set) var memory: [(suite: CipherSuite, group: String, members: Int, action: String, kilobytes: Int)] = []

    static func printLegend() {
        print(
            """
            Times in microseconds, medians (of the ratio too). Thread CPU time; rows with 2 threads: wall time, which
            others on the machine make longer; "busier of 2": the CPU time of the thread that had more to do, which is what the
            wall shows where nobody else wants the cores. How evenly two threads share depends on the others too, so the best
            ratio stands beside the median in both.
            The floor: what the operation cannot do without, each primitive called bare through EVP in the same seconds as the row,
            signatures with 61 keys in turn.
              sign, verify  leaf nodes, key packages, GroupInfos and commits over 320 bytes, messages over their own length
              HPKE seal     keygen + agree + 5 HMACs + AEAD, and one HMAC of the info for all seals of one commit
              HPKE open     agree + 6 HMACs + AEAD
              path key      keygen + 4 HMACs
              key schedule  14 HMACs, for joiners 15
              saving        every byte that is stored, or read back, copied once
              message       signature, two AEADs, 5 HMACs; the first of a sender in an epoch 2 more per level of the tree, and 2
            Not in the floor: tree hashes, encoding and decoding, hashing what is signed beyond 320 bytes.

            """)
    }

    static func printHead(_ title: String) {
        print("\n\(title)")
        print(
            "  " + "operation".padded(34) + "median".leftPadded(12) + "floor".leftPadded(12) + "ratio".leftPadded(8)
                + "bytes".leftPadded(10))
    }

    mutating func add(_ outcome: Outcome) {
        outcomes.append(outcome)
        let isCount = outcome.row.floor == nil && outcome.median < 1e-6
        print(
            "  " + outcome.row.name.padded(34) + (isCount ? "" : outcome.median.microseconds).leftPadded(12)
                + (outcome.floor?.microseconds ?? "").leftPadded(12)
                + (outcome.ratio.map { String(format: "%.2f", $0) } ?? "").leftPadded(8)
                + (outcome.row.bytes.map { "\($0)" } ?? "").leftPadded(10)
                + (outcome.row.clock != .thread
                    ? outcome.bestRatio.map { String(format: "  best %.2f", $0) } ?? "" : ""))
        // So that a pipe also gets it row by row.
        fflush(nil)
    }

    mutating func add(memory group: String, suite: CipherSuite, members: Int, action: String, kilobytes: Int) {
        memory.append((suite, group, members, action, kilobytes))
        print(
            "  suite \(suite.rawValue), \(group), \(members) members: ".padded(36) + action.padded(10)
                + "\(kilobytes) kB".leftPadded(12))
    }

    /// Prints what a message costs in each group, compared with the smallest one.
    func printGrowth() {
        for name in ["protect and save 1 KiB", "unprotect and save 1 KiB"] {
            let rows = outcomes.filter { $0.row.name == name }
            for row in rows {
                guard
                    let smallest = rows.filter({ $0.suite == row.suite && $0.group == row.group })
                        .min(by: { $0.members < $1.members }), smallest.members < row.members,
                    let ratio = row.ratio, let least = smallest.ratio
                else { continue }
                // Each is compared with its own floor, so that what the machine did meanwhile does not count.
                print(
                    "  suite \(row.suite.rawValue), \(row.group), \(name): \(row.members) against "
                        + "\(smallest.members) members " + String(format: "%.2f", ratio / least))
            }
        }
    }

    func write(to path: String) throws {
        let rows = outcomes.map { outcome in
            var row: [String: Any] = [
                "suite": Int(outcome.suite.rawValue), "group": outcome.group, "members": outcome.members,
                "operation": outcome.row.name, "median_us": outcome.median * 1e6, "best_us": outcome.best * 1e6,
                "clock": outcome.row.clock.name,
            ]
            row["floor_us"] = outcome.floor.map { $0 * 1e6 }
            row["floor_counts"] = outcome.row.floor?.description
            row["ratio"] = outcome.ratio
            row["best_ratio"] = outcome.bestRatio
            row["bytes"] = outcome.row.bytes
            return row
        }
        let peaks = memory.map { entry in
            [
                "suite": Int(entry.suite.rawValue), "group": entry.group, "members": entry.members,
                "action": entry.action,
                "peak_kB": entry.kilobytes,
            ] as [String: Any]
        }
        let data = try JSONSerialization.data(
            withJSONObject: ["rows": rows, "memory": peaks], options: [.prettyPrinted, .sortedKeys])
        try data.write(to: URL(filePath: path))
    }
}

extension Double {
    fileprivate var microseconds: String { String(format: "%.1f", self * 1e6) }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(1, width - count))
    }

    fileprivate func leftPadded(_ width: Int) -> String {
        String(repeating: " ", count: Swift.max(1, width - count)) + self
    }
}
