import ConclaveProtocol
import Testing

/// When to come back, and what the server's clock shows.
@Suite struct ResponseHeadTests {
    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777 as UInt64?),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
        ("Mon, 30 Nov 2026 06:38:38 GMT", 1_796_020_718),
        ("Fri, 01 Mar 2069 00:00:00 GMT", 3_129_321_600),
        ("Friday, 01-Mar-69 00:00:00 GMT", 3_129_321_600),
        ("Fri, 31 Dec 9999 23:59:60 GMT", 253_402_300_800),
        ("Wed, 31 Dec 1969 23:59:59 GMT", nil),
        ("Thu, 29 Feb 2100 00:00:00 GMT", nil),
        ("Sun, 06 nov 1994 08:49:37 GMT", nil),
        ("Sun, 06 Nov 1994 08:49:37", nil),
        ("Sun, 06 Nov 1994 24:00:00 GMT", nil),
        ("Sun, 06 Nov 1994 08:49:37 CET", nil),
        ("Sun, 00 Nov 1994 08:49:37 GMT", nil),
        ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", nil),
        ("Sun, -6 Nov 1994 +8:49:37 GMT", nil),
        ("now", nil), ("", nil),
    ])
    func datesAreReadInAllThreeForms(text: String, seconds: UInt64?) {
        #expect(HTTPDate.seconds(text) == seconds)
    }

    @Test(arguments: [
        ("30", 30 as UInt64?), ("  7\t", 7), ("0", 0), ("99999999999999999999999", .max),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30), ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("-5", nil), ("1.5", nil), ("3 0", nil), ("", nil), ("soon", nil),
    ])
    func whenToComeBack(text: String, wait: UInt64?) {
        let now: UInt64 = 784_111_777
        // Our clock if the server's is not known; otherwise the server's, however wrong ours is.
        #expect(ResponseHead(status: 503, retryAfter: RetryAfter(text)).secondsToWait(now: now) == wait)
        for ours: UInt64 in [0, 4_000_000_000] {
            let head = ResponseHead(status: 503, retryAfter: RetryAfter(text), date: now)
            #expect(head.secondsToWait(now: ours) == wait)
        }
    }
}
