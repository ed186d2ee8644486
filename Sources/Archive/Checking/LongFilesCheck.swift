import Machine
import OpenSSLPrimitives
import ConclaveProtocol
import Dispatch
import Synchronization

/// Checks the three long files of an archive on all cores: a free thread takes the next transcript, or the next run of
/// blocks of messages.
///
/// The facts of rows are compared with the trailer in their order, whatever order the runs finish in.
final class LongFilesCheck: Sendable {
    /// The number of blocks taken at once. Where one ends and the next one begins, both are in one chunk of the sealed
    /// file; within a run, that chunk is opened only once.
    private static let runLength = 4
    /// The number of runs that may be taken before all runs before them are done. It limits memory if a thread is slow.
    private static let aheadMax = 4
    private static let workersMax = 4

    private struct State {
        var order: OrderCheck
        var nextJob = 0
        var nextRun = 0
        /// Results of runs that wait for others before them.
        var facts: [Int: [RowFacts]] = [:]
        /// The first error, by its job.
        var failure: (job: Int, error: ArchiveError)?
        /// Bytes that were read and not reported yet.
        var done = 0
    }

    private let blocks: [ArchiveTrailer.Block]
    private let runs: [Range<Int>]
    private let frames: Range<Int>
    private let transcripts: [(file: ArchiveFile, place: TarIndex.Place)]
    private let hashes: [String: String]
    private let state: Mutex<State>
    private let room = DispatchSemaphore(value: 0)

    /// - Parameter frames: those of the messages, one for each block.
    init(
        blocks: [ArchiveTrailer.Block], frames: Range<Int>,
        transcripts: [(ArchiveFile, TarIndex.Place)], hashes: [String: String], _ order: OrderCheck
    ) {
        self.blocks = blocks
        runs = stride(from: 0, to: blocks.count, by: Self.runLength).map {
            $0..<min($0 + Self.runLength, blocks.count)
        }
        self.frames = frames
        self.transcripts = transcripts
        self.hashes = hashes
        state = Mutex(State(order: order))
        makeRoom(Self.aheadMax)
    }

    /// - Parameter advance: called with the number of bytes read, on the caller's thread.
    /// - Returns: the order check, still to be finished.
    /// - Throws: ``ArchiveError``.
    func run(_ content: FramedContent, _ advance: (Int) -> Void) throws(ArchiveError) -> OrderCheck {
        let others = DispatchGroup()
        var contents: [FramedContent] = []
        for _ in 1..<max(2, min(Machine.cores, Self.workersMax)) {
            contents.append(try content.another())
        }
        for content in contents { DispatchQueue.global().async(group: others) { [self] in work(content) {} } }
        work(content) { tell(advance) }
        others.wait()
        tell(advance)
        let (order, failure) = state.withLock { ($0.order, $0.failure) }
        if let failure { throw failure.error }
        return order
    }

    private func tell(_ advance: (Int) -> Void) {
        let done = state.withLock { state in
            defer { state.done = 0 }
            return state.done
        }
        if done > 0 { advance(done) }
    }

    // MARK: Jobs

    private func work(_ content: FramedContent, _ tell: () -> Void) {
        let tree = LineTree()
        while let job = next() {
            do throws(ArchiveError) {
                if job < transcripts.count {
                    try check(transcripts[job].file, transcripts[job].place, content, tell)
                } else {
                    try check(run: job - transcripts.count, content, tree)
                }
            } catch {
                fail(job, error)
            }
            tell()
        }
    }

    /// The transcripts come first: each of them is one piece of work that cannot be shared.
    private func next() -> Int? {
        room.wait()
        let job: Int? = state.withLock { state in
            guard state.failure == nil, state.nextJob < transcripts.count + runs.count else { return nil }
            defer { state.nextJob += 1 }
            return state.nextJob
        }
        // Only a run keeps its place, until those before it are done.
        guard let job, job >= transcripts.count else {
            makeRoom(1)
            return job
        }
        return job
    }

    private func makeRoom(_ count: Int) {
        for _ in 0..<count { room.signal() }
    }

    private func fail(_ job: Int, _ error: ArchiveError) {
        state.withLock { state in
            if job < state.failure?.job ?? .max { state.failure = (job, error) }
        }
        // This wakes a thread that waits for room.
        makeRoom(Self.workersMax)
    }

    private func check(
        _ file: ArchiveFile, _ place: TarIndex.Place, _ content: FramedContent, _ tell: () -> Void
    ) throws(ArchiveError) {
        let sha256 = SHA256()
        sha256.begin()
        try content.forEachPiece(of: place) { piece throws(ArchiveError) in
            sha256.update(piece)
            state.withLock { $0.done += piece.count }
            tell()
        }
        guard hexEncode(sha256.end()) == hashes[file.rawValue] else { throw ArchiveTrailer.unfit(file) }
    }

    private func check(run number: Int, _ content: FramedContent, _ tree: LineTree) throws(ArchiveError) {
        var facts: [RowFacts] = []
        var bytes = 0
        for block in runs[number] {
            let text = try content.content(ofFrame: frames.lowerBound + block)
            // About as many as there are lines in all of them.
            if bytes == 0 { facts.reserveCapacity(runs[number].count * text.count / 256) }
            try check(text, blocks[block], tree, &facts)
            bytes += text.count
        }
        try take(facts, of: number, bytes)
    }

    private func check(
        _ text: UnsafeRawBufferPointer, _ block: ArchiveTrailer.Block, _ tree: LineTree, _ facts: inout [RowFacts]
    ) throws(ArchiveError) {
        tree.clear()
        var scanner = RowScanner()
        try Lines.forEach(in: text) { line throws(ArchiveError) in
            tree.add(line)
            facts.append(try scanner.facts(of: line))
        }
        guard tree.leaves == block.lines, hexEncode(tree.root()) == block.root else {
            throw ArchiveTrailer.unfit(.messages)
        }
    }

    private func take(_ facts: [RowFacts], of number: Int, _ bytes: Int) throws(ArchiveError) {
        let through = try state.withLock { state throws(ArchiveError) in
            state.done += bytes
            state.facts[number] = facts
            var through = 0
            while let facts = state.facts.removeValue(forKey: state.nextRun) {
                for row in facts { try state.order.take(row) }
                state.nextRun += 1
                through += 1
            }
            return through
        }
        makeRoom(through)
    }
}
