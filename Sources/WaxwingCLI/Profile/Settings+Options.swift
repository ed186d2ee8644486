import Glibc
import Waxwing

extension ServerSettings {
    /// These settings, with those given on the command line replacing their own.
    ///
    /// - Throws: ``Failure`` if the certificate file does not exist.
    func merging(_ options: ServerOptions) throws(Failure) -> ServerSettings {
        var merged = self
        if let file = options.caFile {
            guard let resolved = realpath(file, nil) else {
                throw Failure(
                    .usage, "the file of certificate authorities cannot be used: \(String(cString: strerror(errno)))")
            }
            defer { free(resolved) }
            merged.caFile = String(cString: resolved)
        }
        if let proxy = options.proxy { merged.proxy = proxy.isEmpty ? nil : proxy }
        if let header = options.tokenHeader { merged.tokenHeader = header.isEmpty ? nil : header }
        if options.insecureHTTP { merged.insecureHTTP = true }
        return merged
    }
}
