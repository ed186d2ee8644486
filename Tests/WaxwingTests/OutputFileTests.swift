import Foundation
import TestFolders
import Testing

@testable import Waxwing

/// Files that appear as a whole or not at all.
struct OutputFileTests {
    private func write(_ text: String, to file: OutputFile) throws {
        try Array(text.utf8).withUnsafeBytes { try file.append($0) }
    }

    @Test func aFileAppearsAsAWholeOrNotAtAll() throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.path
        defer { withExtendedLifetime(temporary) {} }
        let path = folder + "/a"
        do {
            let file = try OutputFile(path, replacing: false)
            try write("half", to: file)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty, "a draft that is dropped is gone")
        let file = try OutputFile(path, replacing: false)
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
        #expect(throws: OutputFileError.exists(path: path)) { try OutputFile(path, replacing: false) }
        let file = try OutputFile(path, replacing: true)
        try write("new", to: file)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        try file.publish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
        // One that came while the draft was written is not written over either.
        let late = try OutputFile(folder + "/b", replacing: false)
        try Data("theirs".utf8).write(to: URL(fileURLWithPath: folder + "/b"))
        #expect(throws: OutputFileError.exists(path: folder + "/b")) { try late.publish() }
        #expect(try String(contentsOfFile: folder + "/b", encoding: .utf8) == "theirs")
        #expect(throws: OutputFileError.notAFile(path: folder)) { try OutputFile(folder, replacing: true) }
        #expect(throws: OutputFileError.unusable(path: folder + "/none/a.waxwing-part", systemError: ENOENT)) {
            try OutputFile(folder + "/none/a", replacing: false)
        }
    }

    @Test func twoProcessesDoNotWriteOneDraft() throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.path
        defer { withExtendedLifetime(temporary) {} }
        let path = folder + "/a"
        // What a killed process has left is written over.
        try Data("left behind, and longer than what comes".utf8).write(to: URL(fileURLWithPath: path + ".waxwing-part"))
        let file = try OutputFile(path, replacing: false)
        #expect(throws: OutputFileError.beingWritten(path: path + ".waxwing-part")) {
            try OutputFile(path, replacing: false)
        }
        try write("mine", to: file)
        try file.publish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
    }
}
