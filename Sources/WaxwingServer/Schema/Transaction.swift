import ConclaveProtocol
import Foundation
import GRDB

/// One endpoint's view of the database: its SQL, its time, and the effects that follow once it is durable.
///
/// The folders add their statements as extensions. Nothing in here talks to the network.
final class Transaction {
    let db: Database
    /// Seconds since 1970, one reading for the whole transaction.
    let now: Int64
    /// When things expire, and when they begin.
    let moments: Expiry.Moments
    let configuration: ServerConfiguration
    /// What readers are told after the commit, in order.
    private(set) var events: [AddressedEvent] = []
    /// Users whose event streams end after the commit, because their sessions did.
    private(set) var endedStreams: [EventReader.Owner] = []

    init(_ db: Database, now: Int64, moments: Expiry.Moments, configuration: ServerConfiguration) {
        self.db = db
        self.now = now
        self.moments = moments
        self.configuration = configuration
    }

    func announce(_ event: WireServerEvent.OneOf_Event, to addressees: [ID]) throws {
        guard !addressees.isEmpty else { return }
        events.append(try AddressedEvent(event, addressees: addressees))
    }

    func endStreams(of owner: EventReader.Owner) {
        endedStreams.append(owner)
    }

    func execute(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func row(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Row? {
        try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments)
    }

    func rows(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Row] {
        try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
    }

    func exists(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Bool {
        try row(sql, arguments) != nil
    }

    func count(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Int64 {
        try row(sql, arguments)?[0] ?? 0
    }

    func ids(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [ID] {
        try rows(sql, arguments).map { try $0.id(0) }
    }
}

extension ID {
    /// As the database stores it.
    var blob: Data { Data(bytes) }

    /// A UUID of version 4 (RFC 9562 §5.4).
    static func random() throws -> ID {
        var bytes = try randomBytes(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        guard let id = ID(bytes) else { throw APIError.internalError }
        return id
    }
}

extension Row {
    func data(_ column: Int) throws -> Data {
        guard let data: Data = self[column] else { throw DatabaseError(message: "an unexpected NULL") }
        return data
    }

    func id(_ column: Int) throws -> ID {
        guard let id = ID(try data(column)) else { throw DatabaseError(message: "an id of the wrong length") }
        return id
    }
}
