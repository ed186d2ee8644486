import Archive
import ArgumentParser

struct ArchiveList: Action {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List what archives say they hold; `archive verify` checks it.",
        discussion: """
            Reads no messages, so it is quick.

            Example:
              waxwing archive list lunch.age --identity archive.key
            """)

    @Argument(help: ArgumentHelp("The archives.", valueName: "file"))
    var files: [String]

    @OptionGroup var keys: OpeningOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if files.isEmpty { throw ValidationError("Name at least one archive.") }
    }

    func run(in surroundings: Surroundings) async throws {
        let opening = try keys.opening(surroundings)
        for file in files {
            let archive = try keys.open(file, opening)
            if output.json {
                Console.print(try JSON.line(ArchiveView(file, archive)))
                continue
            }
            Console.print("\(file): \(archive.trailer.rows) lines, \(ArchiveWords.span(archive.trailer.span))")
            for line in ArchiveWords.lines(archive) { Console.print(line) }
        }
    }
}
