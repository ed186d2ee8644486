import ConclaveProtocol
import Foundation
import Testing

extension EndToEnd.AttackTests {
    /// The server hands out key packages of its own making for someone whose key is known.
    @Test(arguments: Variant.chosen(for: "key package", .seen, .verified))
    func anotherKeyIsNotInvited(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            if variant.acquaintance == .verified { try await scene.verify("bob", by: alice) }
            let bobsID = try await scene.lies.id(of: "bob")
            let thief = try await ForeignClient("thief", at: scene.stage.server.port, seed: 7)
            try await scene.lies.give(keyPackages: try await thief.keyPackages(as: bobsID, 3), of: bobsID)
            try await alice.run("group", "create", "other")
            let other = Operator(of: scene.stage, group: "other")
            let rows = try await other.log().count
            let invite = try await alice.attempt("invite", "other", "bob")
            #expect(invite.status == 9, "\(invite.output)\(invite.errors)")
            let why = variant.acquaintance == .verified ? "than the one you verified" : "than the one you saw before"
            #expect(invite.errors.contains(why) && invite.errors.contains("trust verify bob"), "\(invite.errors)")
            try await alice.sync()
            #expect(try await other.invites() == 0)
            #expect(try await other.log().count == rows, "a commit lets somebody in")
            let shown = try await alice.run("trust", "show", "bob").output
            #expect(shown.contains("CHANGED"), "\(shown)")
            // If they are in by their own key, nothing has changed.
            try await alice.write("for bob")
            try await bob.sync()
            #expect(try await bob.texts("room") == ["for bob"])
        }
    }

    /// The server has a Welcome for someone who was never asked, and lists them as a member.
    @Test(arguments: Variant.chosen(for: "unsolicited Welcome", .new, .seen, .verified))
    func anUnsolicitedWelcomeJoinsNothing(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let alice = scene.alice
            let alicesID = try await scene.lies.id(of: "alice")
            let crook = try await scene.stranger("crook")
            try await crook.create("trap")
            let trap = Operator(of: scene.stage, group: "trap")
            let forged = try await crook.commitToAdd(try await crook.keyPackage(of: alicesID), to: "trap")
            try await trap.take(commit: forged.commit, groupInfo: forged.groupInfo, from: crook.userID)
            try await trap.enlist(alicesID)
            try await trap.leave(welcome: forged.welcome, for: alicesID)
            try await trap.append(try await crook.seal("now you are mine", in: "trap"), from: crook.userID)
            let rows = try await trap.log().count
            for _ in 0..<2 { try await alice.sync() }
            let invites = try await alice.run("invites").output
            #expect(invites.contains("the server has put you into trap"), "\(invites)")
            let list = try await alice.run("group", "list").output
            #expect(!list.contains("trap"), "\(list)")
            let send = try await alice.attempt("send", "trap", "hello")
            #expect(send.status == 6, "\(send.output)\(send.errors)")
            let read = try await alice.attempt("read", "trap")
            #expect(read.status == 6 && !read.output.contains("mine"), "\(read.output)")
            #expect(try await trap.log().count == rows, "alice has come in")
        }
    }
}
