import Testing

import ConclaveProtocol

@Suite struct InputRulesTests {
    @Test func names() {
        for name in ["a", "Z9", "0", "alice_1", "a__", String(repeating: "x", count: 64)] {
            #expect(InputRules.problem(username: name) == nil, "\(name)")
            #expect(InputRules.problem(groupName: name) == nil, "\(name)")
        }
        for name in ["", "_a", "a b", "a-b", "é", "a\n", "a/b", "а", String(repeating: "x", count: 65)] {
            #expect(InputRules.problem(username: name)?.description.contains("username") == true, "\(name)")
            #expect(InputRules.problem(groupName: name)?.description.contains("group name") == true, "\(name)")
        }
    }

    @Test func aliases() {
        for alias in ["", "Alice B.", "ünïcode 🐦", String(repeating: "é", count: 32)] {
            #expect(InputRules.problem(alias: alias) == nil, "\(alias)")
        }
        for alias in ["a\tb", "\u{7f}", "\u{85}", "x\r\n", String(repeating: "é", count: 33)] {
            #expect(InputRules.problem(alias: alias) != nil, "\(alias)")
        }
    }

    @Test func passwords() {
        #expect(InputRules.problem(password: "1234567") != nil)
        #expect(InputRules.problem(password: "12345678") == nil)
        #expect(InputRules.problem(password: "ééééé") == nil)
    }

    @Test func aProblemNeverRepeatsThePassword() {
        #expect(InputRules.problem(password: "hunter2")?.description.contains("hunter2") == false)
    }
}
