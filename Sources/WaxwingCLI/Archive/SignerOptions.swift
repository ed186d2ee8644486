import Archive
import ArgumentParser
import WaxwingCore

/// The keys that may have signed an archive.
struct SignerOptions: ParsableArguments {
    @Option(
        name: .customLong("signer"),
        help: ArgumentHelp(
            "Take only archives that are signed with the key of this fingerprint; may be repeated.",
            valueName: "fingerprint"))
    var fingerprints: [String] = []

    var isGiven: Bool { !fingerprints.isEmpty }

    /// - Throws: ``Failure`` if keys are named and it is none of them.
    func check(_ report: ArchiveReport, _ file: String) throws(Failure) {
        if isGiven, !fingerprints.contains(where: { Fingerprint.plain($0) == report.fingerprint }) {
            throw Failure(
                .archiveDamaged, "\(file): it is signed with another key: \(Fingerprint.grouped(report.fingerprint))")
        }
    }

    /// For an archive whose content is trusted: it must be signed with a named key or, if none is named, with the
    /// profile's.
    ///
    /// - Throws: ``Failure``, `StoreError`.
    func checkOwn(_ report: ArchiveReport, _ file: String, _ reader: AccountReader) throws {
        if isGiven { return try check(report, file) }
        let trust = try SignerTrust(report.fingerprint, of: report.end.account, reader)
        if trust == .own { return }
        throw Failure(
            .notPossible, "\(file): it is signed \(trust.words): \(Fingerprint.grouped(report.fingerprint))",
            hint:
                "anyone could have written it; if this key is one of yours, add --signer \(report.fingerprint)"
        )
    }
}
