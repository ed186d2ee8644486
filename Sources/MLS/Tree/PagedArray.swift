/// An array in pages, so that changing one element of a shared copy copies only a page.
///
/// A group and its staged successor share all pages but the few that a commit writes.
struct PagedArray<Element: Sendable>: Sendable {
    private static var pageSize: Int { 64 }

    private var pages: [[Element]] = []
    private(set) var count = 0

    subscript(index: Int) -> Element {
        _read { yield pages[index / Self.pageSize][index % Self.pageSize] }
        _modify { yield &pages[index / Self.pageSize][index % Self.pageSize] }
    }

    /// Grows with `filler` or drops the end.
    mutating func resize(to newCount: Int, filler: Element) {
        while count > newCount {
            let first = (pages.count - 1) * Self.pageSize
            if first >= newCount {
                pages.removeLast()
                count = first
            } else {
                pages[pages.count - 1].removeLast(count - newCount)
                count = newCount
            }
        }
        while count < newCount {
            if count % Self.pageSize == 0 { pages.append([]) }
            let room = min(newCount - count, Self.pageSize - count % Self.pageSize)
            pages[pages.count - 1].append(contentsOf: repeatElement(filler, count: room))
            count += room
        }
    }
}
