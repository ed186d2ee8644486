import Foundation
import TestFolders
import Testing

@testable import Waxwing
@testable import WaxwingCLI

struct ProgressMeterTests {
    @Test(arguments: [
        (UInt64(0), UInt64(0), 0.0, "exporting: 0 rows"),
        (500, 2000, 0.1, "exporting: 500 rows, 25 %"),
        (500, 2000, 1, "exporting: 500 rows, 25 %, 500 rows/s, 0:03 left"),
        (100, 1_000_000, 1, "exporting: 100 rows, 0 %, 100 rows/s, 2:46:39 left"),
        (2000, 2000, 4, "exporting: 2000 rows, 100 %, 500 rows/s"),
        // There turned out to be more than was known.
        (3000, 2000, 2, "exporting: 3000 rows, 100 %, 1500 rows/s"),
    ])
    func rateAndTimeLeftAreTold(done: UInt64, all: UInt64, seconds: Double, text: String) {
        #expect(ProgressMeter.text("exporting", .rows, done: done, of: all, in: .seconds(seconds)) == text)
    }

    @Test func bytesAreToldInUnitsPeopleRead() {
        let text = ProgressMeter.text("sealing", .bytes, done: 5_000_000, of: 20_000_000, in: .seconds(1))
        #expect(text == "sealing: 5000 kB, 25 %, 5000 kB/s, 0:03 left")
    }
}

struct DraftFileTests {
    private func write(_ text: String, to file: DraftFile) throws {
        try Array(text.utf8).withUnsafeBytes { try file.append($0) }
    }

    @Test func aFileAppearsAsAWholeOrNotAtAll() throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.path
        defer { withExtendedLifetime(temporary) {} }
        let path = folder + "/a"
        do {
            let file = try DraftFile(path, replacing: false)
            try write("half", to: file)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty, "a draft that is dropped is gone")
        let file = try DraftFile(path, replacing: false)
        try write("whole", to: file)
        try file.publish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "whole")
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
    }

    @Test func whatIsThereIsReplacedOnRequestOnly() throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.path
        defer { withExtendedLifetime(temporary) {} }
        let path = folder + "/a"
        try Data("old".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: DraftError.self) { try DraftFile(path, replacing: false) }
        let file = try DraftFile(path, replacing: true)
        try write("new", to: file)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        try file.publish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
        // One that came while the draft was written is not written over either.
        let late = try DraftFile(folder + "/b", replacing: false)
        try Data("theirs".utf8).write(to: URL(fileURLWithPath: folder + "/b"))
        #expect(throws: Failure.self) { try late.publish() }
        #expect(try String(contentsOfFile: folder + "/b", encoding: .utf8) == "theirs")
        #expect(throws: DraftError.self) { try DraftFile(folder, replacing: true) }
        #expect(throws: DraftError.self) { try DraftFile(folder + "/none/a", replacing: false) }
    }

    @Test func twoProcessesDoNotWriteOneDraft() throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.path
        defer { withExtendedLifetime(temporary) {} }
        let path = folder + "/a"
        // What a killed process has left is written over.
        try Data("left behind, and longer than what comes".utf8).write(to: URL(fileURLWithPath: path + ".waxwing-part"))
        let file = try DraftFile(path, replacing: false)
        #expect(throws: DraftError.self) { try DraftFile(path, replacing: false) }
        try write("mine", to: file)
        try file.publish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
    }
}
