public import ConclaveProtocol
import MLS

extension AccountReader {
    /// Who is in a group by its tree; nil for groups that this profile has not been in since it began to record that.
    public func room(_ group: ID) throws(StoreError) -> RoomRecord? { try draft.room(group) }

    /// How much the person wants to be asked about who is in their groups.
    public func trust() throws(StoreError) -> TrustLevel { try draft.trust() }

    /// The fingerprints of all keys that were seen of a user and are still theirs somewhere, in lower-case hex.
    public func fingerprints(of user: ID) throws(StoreError) -> Set<String> { try draft.fingerprints(of: user) }
}
