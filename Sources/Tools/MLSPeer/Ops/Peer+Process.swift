import MLS

/// info, set, free, quit: what concerns the process and not a group.
extension Peer {
    func info() -> Answer {
        let suites = CipherSuite.allCases.filter { suite in
            do {
                _ = try provider.suite(suite)
                return true
            } catch {
                return false
            }
        }
        return [
            "name": .string("waxwing"),
            "suites": .array(suites.map { PeerJSON($0.rawValue) }),
            "ops": .array(Operation.all.map { .string($0.name) }),
        ]
    }

    mutating func set(_ request: Request) throws -> Answer {
        let epochs = Int(try request.integer("keep_epochs", as: UInt32.self))
        configuration.pastEpochs = epochs
        groups.updateAll { $0.group.configuration.pastEpochs = epochs }
        return .empty
    }

    mutating func free(_ request: Request) throws -> Answer {
        if request.has("group") {
            try groups.remove(try request.integer("group"))
        } else if request.has("tombstone") {
            try tombstones.remove(try request.integer("tombstone"))
        } else if request.has("signer") {
            try signers.remove(try request.integer("signer"))
        } else {
            try keyPackages.remove(try request.integer("kp"))
        }
        return .empty
    }

    mutating func quit() -> Answer {
        isFinished = true
        return .empty
    }
}
