import MLS

/// store_psk, add_resumption_psk: secrets that a group is told, for proposals and commits that name them.
extension Peer {
    mutating func storePSK(_ request: Request) throws -> Answer {
        let source = PSKSource.external(id: try request.bytes("psk_id"))
        return try store(request, as: source)
    }

    mutating func addResumptionPSK(_ request: Request) throws -> Answer {
        let source = PSKSource.resumption(
            .application, groupID: try request.bytes("psk_group_id"), epoch: try request.integer("epoch"))
        return try store(request, as: source)
    }

    private mutating func store(_ request: Request, as source: PSKSource) throws -> Answer {
        let secret = Secret(try request.bytes("psk"))
        return try withGroup(request) { entry in
            entry.psks[source] = secret
            return .empty
        }
    }
}
