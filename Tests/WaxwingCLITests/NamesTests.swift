import ConclaveProtocol
import SQLiteStore
import TestFolders
import Testing

@testable import WaxwingCLI
@testable import WaxwingCore

/// How people are called in print.
struct NamesTests {
    private func id(_ start: UInt8, _ end: UInt8 = 0) throws -> ID {
        try #require(ID([start] + [UInt8](repeating: 0xAB, count: 14) + [end]))
    }

    private func shown(_ names: [(UInt8, UInt8, String)]) throws -> [String] {
        var known: [ID: String] = [:]
        for (start, end, name) in names { known[try id(start, end)] = name }
        let shown = Names(known: known)
        return try names.map { try shown.username(id($0.0, $0.1)) }
    }

    @Test(arguments: [
        ("bob", "bob"), ("bob", "Bob"), ("bob", "b0b"), ("bob", "8OB"), ("bill", "bi1l"), ("bill", "BlIl"),
        ("tom", "torn"),
        ("tom", "t0_rn"), ("a_b", "ab"), ("walt", "vvalt"), ("zoe5", "20es"),
    ])
    func whatLooksAlikeIsToldApart(one: String, other: String) throws {
        #expect(
            try shown([(1, 0, one), (2, 0, other), (3, 0, "carol")])
                == ["\(one).01ababab", "\(other).02ababab", "carol"])
    }

    @Test func whatDiffersStaysAsItIs() throws {
        let names = ["alice", "bob", "bobby", "rob", "ron", "rom", "b"]
        #expect(try shown(names.enumerated().map { (UInt8($0.offset), 0, $0.element) }) == names)
    }

    @Test func idsThatBeginAlikeAreShownInFull() throws {
        #expect(try shown([(1, 1, "bob"), (1, 2, "Bob")]) == ["bob.\(id(1, 1))", "Bob.\(id(1, 2))"])
        #expect(try shown([(1, 1, ""), (1, 2, "")]) == ["\(id(1, 1))", "\(id(1, 2))"])
        let names = Names(known: [try id(1, 1): ""])
        #expect(try names.username(id(1, 1)) == "01ababab" && names.username(id(1, 9)) == "\(id(1, 9))")
    }

    /// A name may look like the beginning of an id, but no name has the separator.
    @Test func noNameIsTakenForAnID() throws {
        #expect(try shown([(1, 0, ""), (2, 0, "01ababab")]) == ["01ababab", "01ababab.02ababab"])
        #expect(try shown([(2, 0, "DeadBeef")]) == ["DeadBeef.02ababab"])
        #expect(try shown([(2, 0, "bob.01ababab"), (1, 0, "bob (verified)")]) == ["02ababab", "01ababab"])
        #expect(InputRules.problem(username: "bob\(ShownNames.separator)01ababab") != nil)
    }

    @Test func commandsTakeWhatIsShown() throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.path + "/store.sqlite")
        var draft = Draft(store: store, base: try store.revision())
        let people = try [id(1), id(2), id(3), id(4)]
        for (user, name) in zip(people, ["bob", "bob", "B0B", ""]) { draft.put(UserRecord(username: name), for: user) }
        _ = try store.commit(draft.changes)
        let reader = AccountReader(store: store)
        let names = Names(reader)
        for user in people {
            for text in [try names.username(user), try names.argument(user), user.description] {
                #expect(try reader.user(named: text)?.id == user, "\(text)")
            }
        }
        #expect(try names.argument(people[3]) == people[3].description)
        #expect(try reader.user(named: "B0B")?.id == people[2], "nobody else has this very name")
        #expect(try reader.user(named: "bob.02")?.id == people[1])
        for none in ["carol", "bob.", ".01ababab", "bob.03ababab", "0", ""] {
            #expect(try reader.user(named: none) == nil)
        }
        let failure = #expect(throws: CoreError.self) { try reader.user(named: "bob") }
        #expect(failure.map { Failure($0).status } == .usage)
        #expect(failure == .ambiguousUser(forms: ["bob.01ababab", "bob.02ababab"]))
    }

    @Test func theOutboxAndItsReportsSayWhoIsMeant() throws {
        let names = Names(known: [try id(1): "bob", try id(2): "b0b"])
        #expect(try OutboxWords.what(.invite(username: "bob", user: id(1)), names) == "invite bob.01ababab")
        #expect(try OutboxWords.what(.remove(username: "", user: id(2)), names) == "remove b0b.02ababab")
        #expect(try OutboxWords.what(.invite(username: "dave", user: nil), names) == "invite dave")
    }
}
