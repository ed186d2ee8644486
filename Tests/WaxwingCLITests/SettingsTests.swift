import ArgumentParser
import TestFolders
import Testing

@testable import Waxwing
@testable import WaxwingCLI

struct SettingsTests {
    @Test func savedSettingsComeBackAndAreForTheirOwnerAlone() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/settings.json"
        let settings = ServerSettings(caFile: "/ca.pem", proxy: "http://proxy:3128", tokenHeader: "X-Token")
        try settings.save(path)
        #expect(try ServerSettings.load(path) == settings)
        #expect(try folder.mode("settings.json") == 0o600)
    }

    @Test func withoutAFileNothingIsSet() throws {
        let folder = try TemporaryFolder()
        #expect(try ServerSettings.load(folder.path + "/settings.json") == ServerSettings())
    }

    @Test(arguments: ["", "[]", "{\"proxy\":", "{\"proxy\": 7}"])
    func damagedSettingsAreTold(text: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("settings.json", text)
        let path = folder.path + "/settings.json"
        let error = try #require(throws: AccountError.self) { try ServerSettings.load(path) }
        #expect(error == .fileDamaged(path: path))
        #expect(Failure(error).status == .profileDamaged)
    }

    @Test func aNewLoginChangesOnlyWhatItNames() throws {
        let folder = try TemporaryFolder()
        try folder.write("ca.pem", "")
        let before = ServerSettings(caFile: nil, proxy: "http://proxy", tokenHeader: "X-Token")
        let options = try ServerOptions.parse(["--ca-file", folder.path + "/./ca.pem", "--proxy", ""])
        #expect(
            try before.merging(options)
                == ServerSettings(caFile: folder.path + "/ca.pem", proxy: nil, tokenHeader: "X-Token"))
        let missing = try ServerOptions.parse(["--ca-file", folder.path + "/none.pem"])
        #expect(throws: Failure.self) { try before.merging(missing) }
    }

    @Test(arguments: [
        ("chat.example.org", "https://chat.example.org"),
        ("127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("HTTP://localhost:8080/", "http://localhost:8080"),
        ("https://host/prefix//", "https://host/prefix"),
        ("[::1]:8443", "https://[::1]:8443"),
    ])
    func addressesGetASchemeAndLoseTheirSlash(typed: String, expected: String) throws {
        #expect(try ServerAddress.normalized(typed) == expected)
    }

    @Test(arguments: [
        "", "https://", "https:///path", "ftp://host", "http://user:password@host", "host?query", "host#part", "a b",
        "hôst", "http://:80",
    ])
    func otherAddressesAreRefused(typed: String) throws {
        let error = try #require(throws: AccountError.self) { try ServerAddress.normalized(typed) }
        #expect(error == .invalidServerAddress && Failure(error).status == .usage)
    }

    @Test(arguments: [
        ("http://chat.example.org", true), ("https://chat.example.org", false), ("http://127.0.0.1:8080", false),
        ("http://localhost", false), ("http://[::1]:80", false), ("http://LOCALHOST:8080/prefix", false),
        ("http://127.1.2.3/", false), ("http://localhost.evil.example", true), ("http://localhosts:8080", true),
        ("http://127.0.0.1.evil.example", true), ("http://127.evil.example/127.0.0.1", true),
        ("http://127.0.0.256", true), ("http://127.0.0", true), ("http://127.0.0.+1", true), ("http://[::1", false),
        ("http://[::1%eth0]:80", true), ("http://[::2]", true), ("http://128.0.0.1", true),
    ])
    func onlyPlainHTTPToOtherMachinesIsExposed(address: String, expected: Bool) {
        #expect(ServerAddress.isExposed(address) == expected)
    }

    @Test func nobodySendsAPasswordInTheClearWithoutSayingSo() throws {
        var settings = ServerSettings()
        let failure = try #require(throws: Failure.self) {
            try ServerAddress.check("http://chat.example.org", &settings, isKnown: false)
        }
        #expect(failure.status == .usage && failure.hint.contains("--insecure-http"))
        #expect(settings == ServerSettings())
        for address in ["http://127.0.0.1:8080", "http://[::1]", "http://localhost", "https://chat.example.org"] {
            try ServerAddress.check(address, &settings, isKnown: false)
        }
        #expect(!ServerAddress.tellOnce("http://127.9.9.9", &settings) && settings == ServerSettings())
        // Said once, it is kept.
        settings = try settings.merging(try ServerOptions.parse(["--insecure-http"]))
        try ServerAddress.check("http://chat.example.org", &settings, isKnown: false)
        #expect(try settings.merging(try ServerOptions.parse([])).insecureHTTP == true)
        // An old profile goes on, and is told once.
        var old = ServerSettings()
        try ServerAddress.check("http://chat.example.org", &old, isKnown: true)
        #expect(old.insecureHTTP == false)
        #expect(!ServerAddress.tellOnce("http://chat.example.org", &old))
    }
}
