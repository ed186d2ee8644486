public import Age
public import Archive
public import ConclaveProtocol
import WaxwingClient
import WaxwingCore

extension Account {
    /// Writes groups to an archive: compressed, sealed with age, and signed by this account. Needs no network.
    ///
    /// The file appears under its name only when it is complete, with mode 0600. It holds what has its place in the
    /// server's log, and no group keys. `age`, `zstd` and `tar` open it. If the task is cancelled, the export ends
    /// early and leaves nothing behind.
    ///
    /// - Parameters:
    ///   - groups: their ids; all groups if it is left out.
    ///   - path: of the new file.
    ///   - sealing: who can open it.
    ///   - isReplacing: whether to replace an existing file of that name.
    ///   - previous: the end of an earlier archive that this one continues.
    ///   - progress: called with the number of rows read and the approximate total.
    /// - Returns: what was written, and the end from which a later archive continues.
    /// - Throws: `CancellationError`, ``OutputFileError``, ``AccountError``, `ArchiveError`, `StoreError`, `CoreError`
    ///   `unknownGroup`.
    @discardableResult
    public func export(
        _ groups: [ID]? = nil, to path: String, sealing: AgeSealing, isReplacing: Bool = false,
        goingOnFrom previous: ArchiveEnd? = nil, progress: @escaping @Sendable (UInt64, UInt64) -> Void = { _, _ in }
    ) async throws -> ArchiveSummary {
        let entropy = environment.entropy
        return try await Desk().work { [reader] in
            let all = try reader.groups()
            let chosen = try groups?.map { id in
                guard let group = all.first(where: { $0.id == id }) else {
                    throw CoreError.unknownGroup
                }
                return group
            }
            let draft = try OutputFile(path, replacing: isReplacing) { Task.isCancelled }
            let exporter = try Exporter(
                reader, chosen ?? all, previous: previous,
                entropy: { count in entropy.secret(count).withUnsafeBytes { SecretBytes($0) } },
                isStopped: { Task.isCancelled },
                progress: { step, done, all in if step == .reading { progress(done, all) } })
            do {
                return try exporter.run(to: draft, sealing, isArmored: false)
            } catch {
                try Task.checkCancellation()
                throw error
            }
        }
    }
}

/// Long work on the disk, beside that of the client.
private actor Desk {
    private let executor = DiskExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func work<Value: Sendable>(_ body: @Sendable () throws -> Value) rethrows -> Value { try body() }
}
