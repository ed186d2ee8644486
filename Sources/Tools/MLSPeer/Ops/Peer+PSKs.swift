import MLS

/// store_psk, add_resumption_psk, resumption_psk: secrets given to groups and taken from them.
extension Peer {
    mutating func storePSK(_ request: Request) throws -> Answer { try store(request, try request.externalPSK()) }

    mutating func addResumptionPSK(_ request: Request) throws -> Answer {
        try store(request, try request.resumptionPSK())
    }

    private mutating func store(_ request: Request, _ psk: PreSharedKey) throws -> Answer {
        try withGroup(request) { entry in
            entry.psks[psk.source] = psk.secret
            return .empty
        }
    }

    func resumptionPSK(_ request: Request) throws -> Answer {
        ["psk": .hex(try group(request).group.resumptionPSK().secret.unwipedCopy)]
    }
}
