import Foundation
import MLS

/// Runs the MLS test vectors of a folder, official ones or others in their formats, against the engine.
public struct VectorRunner: Sendable {
    /// All the files that the engine knows, in the order they are run.
    public static let kinds: [any VectorKind.Type] = [
        CryptoBasics.self,
        Deserialization.self,
        TreeMath.self,
        TreeOperations.self,
        TreeValidation.self,
        TreeKEM.self,
        KeyScheduleVectors.self,
        PSKSecretVectors.self,
        SecretTreeVectors.self,
        TranscriptHashesVectors.self,
        MessageProtectionVectors.self,
        MessagesVectors.self,
        WelcomeVectors.self,
        PassiveClientWelcomeVectors.self,
        PassiveClientHandlingCommitVectors.self,
        PassiveClientRandomVectors.self,
    ]

    /// The kind of a file: by its name, or the common format for any other `passive-client-…`.
    public static func kind(ofFile name: String) -> (any VectorKind.Type)? {
        if let kind = kinds.first(where: { $0.name == name }) { return kind }
        return name.hasPrefix(PassiveClientVectors.name + "-") ? PassiveClientVectors.self : nil
    }

    private let provider: any CryptoProvider

    public init(provider: any CryptoProvider) {
        self.provider = provider
    }

    /// Runs every known file of a folder, and reports unknown ones as skipped.
    public func run(folder: URL) async throws -> VectorReport {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".json") }.sorted()
        var report = VectorReport()
        for file in files {
            let name = String(file.dropLast(".json".count))
            if let kind = Self.kind(ofFile: name) {
                report.add(await run(kind, file: name, folder: folder))
            } else {
                report.add(.init(file: name, index: nil, outcome: .skipped("no check for this kind of file")))
            }
        }
        return report
    }

    /// Runs one kind's file; a file that cannot be read or decoded is a failure.
    ///
    /// - Parameter file: its name without `.json`; the kind's own if nil.
    public func run(_ kind: any VectorKind.Type, file: String? = nil, folder: URL) async -> VectorReport {
        func open<K: VectorKind>(_: K.Type) async -> VectorReport {
            let file = file ?? K.name
            do {
                let data = try Data(contentsOf: folder.appendingPathComponent(file + ".json"))
                return await run(K.self, cases: try JSONDecoder().decode([K.Case].self, from: data), of: file)
            } catch {
                var report = VectorReport()
                report.add(.init(file: file, index: nil, outcome: .failed("cannot be read: \(error)")))
                return report
            }
        }
        return await open(kind)
    }

    /// The cases are independent, so they share the machine's cores.
    private func run<K: VectorKind>(_: K.Type, cases: [K.Case], of file: String) async -> VectorReport {
        let outcomes = await withTaskGroup(of: (Int, VectorReport.Entry.Outcome).self) { group in
            for (index, vector) in cases.enumerated() {
                group.addTask { [provider] in
                    do {
                        try K.check(vector, provider: provider)
                        return (index, .passed)
                    } catch let skip as VectorSkip {
                        return (index, .skipped(skip.reason))
                    } catch {
                        return (index, .failed("\(error)"))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var report = VectorReport()
        for (index, outcome) in outcomes.sorted(by: { $0.0 < $1.0 }) {
            report.add(.init(file: file, index: index, outcome: outcome))
        }
        return report
    }
}
