import ConclaveProtocol
import MLS

/// Keeps the server stocked with key packages, so that others can invite us while we are away.
extension ClientCore {
    mutating func replenishKeyPackages(_ token: SessionToken, _ turn: inout Turn) throws {
        let account = try account(turn)
        let fullSet = try needsFullSet(account, turn)
        try forgetWithdrawn(&turn)
        let moment = serverClock.seconds(turn.moment)
        var waiting: [Record] = []
        for stored in try turn.draft.page(.keyPackage, prefix: []) {
            if try KeyPackageRecord(stored: stored.value).isReady(at: moment) { waiting.append(stored) }
        }
        let lastResortWaits = try waiting.contains { try KeyPackageRecord(stored: $0.value).isLastResort }
        if !fullSet, !lastResortWaits, try lastResortIsToBeReplaced(turn) {
            waiting.append(try makeKeyPackage(isLastResort: true, &turn))
        }
        let singles = try waiting.count { try !KeyPackageRecord(stored: $0.value).isLastResort }
        let owed = Int(min(account.keyPackagesOwed, 5))
        let wanted = fullSet ? ClientLimits.keyPackages + 1 : waiting.count + max(0, owed - singles)
        while waiting.count < wanted {
            let isLastResort = fullSet && !lastResortWaits && waiting.count == wanted - 1
            waiting.append(try makeKeyPackage(isLastResort: isLastResort, &turn))
        }
        guard !waiting.isEmpty else {
            lanes.account.keyPackagesUnchecked = false
            return
        }
        if fullSet, account.keyPackagesUploadedAt > 0, !lanes.account.keyPackagesReset {
            // The server keeps ten and hands out the oldest first: what is there would outlive its time, and leave no
            // room for the new ones.
            let call = Endpoint.resetAccount(token: token)
            begin(.resetKeyPackages(call), call.request, &turn)
            return
        }
        var uploads: [KeyPackageUpload] = []
        for stored in waiting {
            let record = try KeyPackageRecord(stored: stored.value)
            uploads.append(
                KeyPackageUpload(
                    data: try record.bundle(crypto).keyPackage.message,
                    isLastResort: record.isLastResort))
        }
        // After a reset, an earlier answer to the same upload is no longer true.
        let once = lanes.account.keyPackagesReset ? nil : hexEncode(sha256(waiting.flatMap(\.key)).prefix(16))
        // If no answer comes, the server may hold these already: there must be room for all of them again.
        lanes.account.keyPackagesReset = false
        let call = Endpoint.uploadKeyPackages(
            uploads, fingerprint: account.fingerprint, token: token, idempotencyKey: once)
        begin(
            .uploadKeyPackages(call, references: waiting.map(\.key), fullSet: fullSet), call.request, &turn)
    }

    /// A Welcome came by this key package. Its private keys are deleted at once, so that no one can open the Welcome
    /// any more. Those of last resort stay for other invites that were made with it, until a time after another one has
    /// taken its place (``ClientLimits/usedLastResortLifetime``). Since they stay, our leaf has to become independent
    /// of them before anything is sent: new keys come first.
    mutating func spend(_ record: KeyPackageRecord, _ key: [UInt8], in group: ID, _ turn: inout Turn) throws {
        guard record.isLastResort else {
            turn.draft.delete(.keyPackage, key)
            return
        }
        var record = record
        record.isUsed = true
        turn.draft.put(.keyPackage, key, record)
        try queueOnce(.rotate, in: group, &turn)
    }

    private func lastResortIsToBeReplaced(_ turn: Turn) throws -> Bool {
        try turn.draft.page(.keyPackage, prefix: []).contains {
            try KeyPackageRecord(stored: $0.value).isToBeReplaced
        }
    }

    private mutating func makeKeyPackage(isLastResort: Bool, _ turn: inout Turn) throws -> Record {
        let me = try account(turn).userID
        let lifetime = serverClock.lifetime(turn.moment)
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: me.bytes), signer: signer(turn), lifetime: lifetime,
            lastResort: isLastResort, entropy: entropy)
        let key = bundle.keyPackage.ref(crypto: crypto).bytes
        let record = KeyPackageRecord(bundle, isLastResort: isLastResort, lifetime: lifetime)
        turn.draft.put(.keyPackage, key, record)
        return Record(key: key, value: record.stored)
    }

    /// Whether everything of ours on the server is to be replaced: it is old, or was made by a wrong clock, so no one
    /// can use it. A moment in the future says nothing about what is there.
    private func needsFullSet(_ account: AccountRecord, _ turn: Turn) throws -> Bool {
        let moment = serverClock.seconds(turn.moment)
        let uploadedAt = account.keyPackagesUploadedAt
        if uploadedAt &+ ClientLimits.keyPackageRefresh <= moment { return true }
        if uploadedAt > moment, uploadedAt - moment > ClientLimits.clockSkew { return true }
        let published = try turn.draft.page(.keyPackage, prefix: []).map { try KeyPackageRecord(stored: $0.value) }
            .filter(\.isPublished)
        return !published.contains(where: \.isLastResort) || published.contains { !$0.lifetime.contains(moment) }
    }

    /// Deletes private keys whose key package no one may use any more, with a day's grace for invites under way.
    private mutating func forgetWithdrawn(_ turn: inout Turn) throws {
        let believed = serverClock.seconds(turn.moment)
        // A clock that jumps ahead, ours or the server's, must not cost an invite under way its keys.
        let moment = min(believed, turn.now.seconds)
        var kept: [(key: [UInt8], withdrawnAt: UInt64)] = []
        for stored in try turn.draft.page(.keyPackage, prefix: []) {
            var record = try KeyPackageRecord(stored: stored.value)
            guard !record.isPublished, !record.isReady(at: believed) else { continue }
            if record.withdrawnAt == 0 || record.withdrawnAt > moment {
                // Never uploaded, as far as is known, and of no use any more. Or withdrawn by a clock that ran ahead.
                record.withdrawnAt = max(moment, 1)
                turn.draft.put(.keyPackage, stored.key, record)
            }
            let keptFor = record.isUsed ? ClientLimits.usedLastResortLifetime : ClientLimits.withdrawnLifetime
            if record.lifetime.notAfter &+ 86_400 < moment || record.withdrawnAt &+ keptFor < moment {
                turn.draft.delete(.keyPackage, stored.key)
            } else {
                kept.append((stored.key, record.withdrawnAt))
            }
        }
        // Those of the last few sets are enough, whatever clocks say.
        kept.sort { $0.withdrawnAt > $1.withdrawnAt }
        for (key, _) in kept.dropFirst(ClientLimits.withdrawnKeyPackages) { turn.draft.delete(.keyPackage, key) }
    }

    mutating func keyPackagesUploaded(_ references: [[UInt8]], fullSet: Bool, _ turn: inout Turn) throws {
        let moment = max(serverClock.seconds(turn.moment), 1)
        var (singles, hasLastResort) = (0, false)
        for reference in references {
            guard var record: KeyPackageRecord = try turn.draft.record(.keyPackage, reference) else { continue }
            if record.isLastResort { hasLastResort = true } else { singles += 1 }
            record.isUploaded = true
            turn.draft.put(.keyPackage, reference, record)
        }
        // The server has one of last resort: from now on the new one.
        for stored in try turn.draft.page(.keyPackage, prefix: []) where !references.contains(stored.key) {
            var record = try KeyPackageRecord(stored: stored.value)
            guard record.isPublished, fullSet || hasLastResort && record.isLastResort else { continue }
            record.withdrawnAt = moment
            turn.draft.put(.keyPackage, stored.key, record)
        }
        var account = try account(turn)
        if fullSet { account.keyPackagesUploadedAt = moment }
        account.keyPackagesOwed =
            fullSet ? 0 : account.keyPackagesOwed - min(account.keyPackagesOwed, UInt32(singles))
        turn.draft.put(account)
        lanes.account.keyPackagesUnchecked = try account.keyPackagesOwed > 0 || lastResortIsToBeReplaced(turn)
    }
}
