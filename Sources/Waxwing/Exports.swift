// What an app needs from the modules below, so that one import is enough.
@_exported import struct ConclaveProtocol.ID
@_exported import enum ConclaveProtocol.InputProblem
@_exported import struct WaxwingCore.AccountReader
@_exported import enum WaxwingCore.CoreError
@_exported import enum WaxwingCore.GroupEnd
@_exported import struct WaxwingCore.GroupRecord
@_exported import struct WaxwingCore.HistoryRow
@_exported import struct WaxwingCore.InviteRecord
@_exported import enum WaxwingCore.LinkState
@_exported import struct WaxwingCore.OutboxRow
@_exported import struct WaxwingCore.RoomRecord
@_exported import struct WaxwingCore.StoreError
@_exported import struct WaxwingCore.SystemEvent
@_exported import struct WaxwingCore.TransportError
@_exported import enum WaxwingCore.Trouble
@_exported import enum WaxwingCore.TrustLevel
