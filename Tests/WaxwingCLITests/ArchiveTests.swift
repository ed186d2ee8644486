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
