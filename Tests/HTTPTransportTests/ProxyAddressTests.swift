import Testing

@testable import HTTPTransport

/// What is told of curl's words if they may contain a proxy's credentials.
@Suite struct ProxyAddressTests {
    @Test(arguments: [
        ("Failed to connect to proxy port 3128", ["http://me:pass@proxy:3128"], "Failed to connect to proxy port 3128"),
        (
            "Could not use http://me:pass@proxy:3128 today", ["http://me:pass@proxy:3128"],
            "Could not use the proxy today"
        ),
        ("Unsupported proxy syntax in 'me:pa", ["me:pa%20@proxy"], "Unsupported proxy syntax in "),
        ("Odd: http://me:p@ss/x@host/path", [], "Odd: http://host/path"),
        // The environment's is not refused beforehand, so nothing is told that may be a piece of it.
        ("Could not resolve proxy: me, port 12", ["http://me:12/pass@proxy"], ""),
        ("Unsupported proxy scheme for 'ftp://me:pass@proxy'", ["ftp://me:pass@proxy"], ""),
    ])
    func credentialsAreLeftOut(text: String, proxies: [String], told: String) {
        #expect(ProxyAddress.withoutCredentials(text, proxies: proxies) == told)
    }
}
