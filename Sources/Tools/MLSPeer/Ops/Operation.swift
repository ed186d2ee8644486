/// An op of the protocol.
struct Operation: Sendable {
    let name: String
    let run: @Sendable (inout Peer, Request) throws -> Answer

    private init(_ name: String, _ run: @escaping @Sendable (inout Peer, Request) throws -> Answer) {
        self.name = name
        self.run = run
    }

    /// In the order of the protocol's table.
    static let all: [Operation] = [
        Operation("info") { peer, _ in peer.info() },
        Operation("set") { try $0.set($1) },
        Operation("key_package") { try $0.keyPackage($1) },
        Operation("create") { try $0.create($1) },
        Operation("join") { try $0.join($1) },
        Operation("external_join") { try $0.externalJoin($1) },
        Operation("store_psk") { try $0.storePSK($1) },
        Operation("add_resumption_psk") { try $0.addResumptionPSK($1) },
        Operation("resumption_psk") { try $0.resumptionPSK($1) },
        Operation("propose_add") { try $0.propose("add", $1) },
        Operation("propose_update") { try $0.proposeUpdate($1) },
        Operation("propose_remove") { try $0.propose("remove", $1) },
        Operation("propose_psk") { try $0.propose("psk", $1) },
        Operation("propose_resumption_psk") { try $0.propose("resumption_psk", $1) },
        Operation("propose_gce") { try $0.propose("gce", $1) },
        Operation("propose_reinit") { try $0.propose("reinit", $1) },
        Operation("commit") { try $0.commit($1) },
        Operation("add") { try $0.add($1) },
        Operation("remove") { try $0.remove($1) },
        Operation("update") { try $0.update($1) },
        Operation("apply_pending") { try $0.applyPending($1) },
        Operation("clear_pending") { try $0.clearPending($1) },
        Operation("handle") { try $0.handle($1) },
        Operation("protect") { try $0.protect($1) },
        Operation("unprotect") { try $0.unprotect($1) },
        Operation("group_info") { try $0.groupInfo($1) },
        Operation("ratchet_tree") { try $0.ratchetTree($1) },
        Operation("group_context") { try $0.groupContext($1) },
        Operation("roster") { try $0.roster($1) },
        Operation("epoch_authenticator") { try $0.epochAuthenticator($1) },
        Operation("export") { try $0.export($1) },
        Operation("decode") { peer, request in try peer.decode(request) },
        Operation("new_member_add") { try $0.newMemberAdd($1) },
        Operation("external_signer") { try $0.externalSigner($1) },
        Operation("external_propose") { try $0.externalPropose($1) },
        Operation("reinit_commit") { try $0.reInitCommit($1) },
        Operation("handle_reinit_commit") { try $0.handleReInitCommit($1) },
        Operation("reinit_welcome") { try $0.reInitWelcome($1) },
        Operation("reinit_join") { try $0.reInitJoin($1) },
        Operation("branch") { try $0.branch($1) },
        Operation("branch_join") { try $0.branchJoin($1) },
        Operation("free") { try $0.free($1) },
        Operation("quit") { peer, _ in peer.quit() },
    ]

    static let named = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
