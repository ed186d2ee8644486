import Files
import Waxwing

extension ServerSettings {
    /// These settings, with those given on the command line replacing their own.
    ///
    /// - Throws: ``Failure`` if the certificate file does not exist.
    func merging(_ options: ServerOptions) throws(Failure) -> ServerSettings {
        var merged = self
        if let file = options.caFile {
            do throws(FileError) {
                merged.caFile = try FileSystem.realPath(file)
            } catch {
                throw Failure(.usage, "the file of certificate authorities cannot be used: \(error.reason)")
            }
        }
        if let proxy = options.proxy { merged.proxy = proxy.isEmpty ? nil : proxy }
        if let header = options.tokenHeader { merged.tokenHeader = header.isEmpty ? nil : header }
        if options.insecureHTTP { merged.insecureHTTP = true }
        return merged
    }
}
