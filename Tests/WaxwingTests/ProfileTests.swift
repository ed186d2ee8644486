import Glibc
import TestFolders
import Testing

@testable import Waxwing

struct ProfileTests {
    @Test(arguments: [
        (["WAXWING_HOME": "/w", "XDG_DATA_HOME": "/x", "HOME": "/h"], "/w/default"),
        (["WAXWING_HOME": "/w/", "HOME": "/h"], "/w/default"),
        (["WAXWING_HOME": "", "XDG_DATA_HOME": "/x", "HOME": "/h"], "/x/waxwing/default"),
        (["XDG_DATA_HOME": "relative", "HOME": "/h"], "/h/.local/share/waxwing/default"),
        (["HOME": "/h"], "/h/.local/share/waxwing/default"),
    ])
    func folderFollowsTheEnvironment(environment: [String: String], expected: String) throws {
        #expect(try Profile.locate("default") { environment[$0] }.folder == expected)
    }

    @Test func withoutAnyHomeThereIsNoProfile() {
        #expect(throws: AccountError.noHome) { try Profile.locate("default") { _ in nil } }
    }

    @Test(arguments: ["", ".", "..", "../x", "a/b", ".hidden", "a\0b", "ä", String(repeating: "x", count: 65)])
    func namesThatLeadElsewhereAreRefused(name: String) throws {
        #expect(throws: AccountError.invalidProfileName) { try Profile.locate(name) { _ in "/h" } }
    }

    @Test func foldersAreForTheirOwnerAlone() throws {
        let root = try TemporaryFolder()
        let profile = try Profile.locate("work") { _ in root.path + "/a/b" }
        try profile.prepare()
        #expect(try root.mode("a/b/work") == 0o700)
        chmod(profile.folder, 0o755)
        try profile.prepare()
        #expect(try root.mode("a/b/work") == 0o700)
        #expect(try profile.exists() == false)
    }

    @Test func aFileInTheWayIsAnUnusableProfile() throws {
        let root = try TemporaryFolder()
        try root.write("file", "")
        let profile = try Profile.locate("default") { _ in root.path + "/file" }
        for use in [{ _ = try profile.exists() }, { try profile.prepare() }] as [() throws -> Void] {
            let trouble = try #require(throws: AccountError.self) { try use() }
            guard case .fileUnusable(_, let code) = trouble else { return #expect(Bool(false), "\(trouble)") }
            #expect(code == ENOTDIR || code == EEXIST)
        }
    }
}
