import Testing

@testable import SQLiteStore

/// Which bytes of a page belong to nothing (SQLite file format §1.6).
@Suite struct PageScrubberTests {
    /// A page of 1024 bytes with a tree header at `header`.
    private func page(type: UInt8, cells: Int, content: Int, header: Int = 0, size: Int = 1024) -> [UInt8] {
        var page = [UInt8](repeating: 0xee, count: size)
        page[header] = type
        page[header + 3] = UInt8(cells >> 8)
        page[header + 4] = UInt8(cells & 255)
        page[header + 5] = UInt8(content >> 8)
        page[header + 6] = UInt8(content & 255)
        return page
    }

    private func check(_ page: [UInt8], isFirst: Bool = false, _ gap: Range<Int>?) {
        #expect(page.withUnsafeBytes { PageScrubber.gap(in: $0, isFirst: isFirst) } == gap)
    }

    @Test func theGapLiesBetweenPointersAndCells() {
        check(page(type: 13, cells: 3, content: 900), 14..<900)
        check(page(type: 10, cells: 3, content: 900), 14..<900)
        check(page(type: 5, cells: 3, content: 900), 18..<900)
        check(page(type: 2, cells: 0, content: 1024), 12..<1024)
        check(page(type: 13, cells: 3, content: 900, header: 100), isFirst: true, 114..<900)
        check(page(type: 13, cells: 1, content: 10), 10..<10)
        check(page(type: 13, cells: 0, content: 0, size: 65536), 8..<65536)
    }

    @Test func pagesThatAreNoTreeOrMakeNoSenseAreLeftAlone() {
        for type in [0, 1, 3, 4, 14, 255] as [UInt8] { check(page(type: type, cells: 3, content: 900), nil) }
        check(page(type: 13, cells: 3, content: 13), nil)
        check(page(type: 13, cells: 65535, content: 900), nil)
        check(page(type: 13, cells: 3, content: 1025), nil)
        check(page(type: 13, cells: 3, content: 0), nil)
        check(page(type: 13, cells: 3, content: 900, size: 1000), nil)
        check([], nil)
        check([UInt8](repeating: 13, count: 511), nil)
    }

    @Test func randomPagesNeverTrap() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = (0..<512).map { _ in UInt8.random(in: 0...255, using: &random) }
            bytes[0] = [2, 5, 10, 13].randomElement(using: &random) ?? 2
            bytes[100] = bytes[0]
            for isFirst in [false, true] {
                let gap = bytes.withUnsafeBytes { PageScrubber.gap(in: $0, isFirst: isFirst) }
                #expect(gap.map { $0.upperBound <= 512 && $0.lowerBound >= 8 } ?? true)
            }
        }
    }
}
