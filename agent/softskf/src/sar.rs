//! The error codes of GM/T 0016-2012, annex A, as far as this library gives them.

/// Why a call did not do what it was asked; `SAR_OK` is `Ok`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[repr(u32)]
pub enum Sar {
    /// `SAR_FAIL`: this library is at fault.
    #[error("failed")]
    Fail = 0x0A00_0001,
    /// `SAR_NOTSUPPORTYETERR`
    #[error("not supported")]
    NotSupported = 0x0A00_0003,
    /// `SAR_FILEERR`: the device's file is damaged or open to others, or the rights of a file in it allow nobody.
    #[error("the file cannot be used")]
    File = 0x0A00_0004,
    /// `SAR_INVALIDHANDLEERR`
    #[error("no such handle")]
    InvalidHandle = 0x0A00_0005,
    /// `SAR_INVALIDPARAMERR`
    #[error("a parameter is invalid")]
    InvalidParameter = 0x0A00_0006,
    /// `SAR_READFILEERR`: the system did not read the device's file.
    #[error("the file cannot be read")]
    ReadFile = 0x0A00_0007,
    /// `SAR_WRITEFILEERR`: the system did not write the device's file; what was there stands.
    #[error("the file cannot be written")]
    WriteFile = 0x0A00_0008,
    /// `SAR_NAMELENERR`
    #[error("a name is too long or empty")]
    NameLength = 0x0A00_0009,
    /// `SAR_NOTINITIALIZEERR`: no `Init` before, or the library's settings cannot be used.
    #[error("not initialised")]
    NotInitialised = 0x0A00_000C,
    /// `SAR_MEMORYERR`: too many handles.
    #[error("too many handles are open")]
    Memory = 0x0A00_000E,
    /// `SAR_TIMEOUTERR`: another one holds the device.
    #[error("another one held the device for too long")]
    Timeout = 0x0A00_000F,
    /// `SAR_INDATALENERR`
    #[error("the data has a wrong length")]
    DataLength = 0x0A00_0010,
    /// `SAR_INDATAERR`
    #[error("the data is wrong")]
    Data = 0x0A00_0011,
    /// `SAR_GENRANDERR`
    #[error("no random bytes")]
    Random = 0x0A00_0012,
    /// `SAR_HASHOBJERR`: the digest was given out before.
    #[error("the digest is finished")]
    HashObject = 0x0A00_0013,
    /// `SAR_HASHNOTEQUALERR`: the signature does not verify.
    #[error("the signature does not verify")]
    HashNotEqual = 0x0A00_001A,
    /// `SAR_KEYNOTFOUNTERR`
    #[error("the container has no such key pair")]
    KeyNotFound = 0x0A00_001B,
    /// `SAR_CERTNOTFOUNTERR`
    #[error("the container has no such certificate")]
    CertificateNotFound = 0x0A00_001C,
    /// `SAR_DECRYPTPADERR`
    #[error("the padding is wrong")]
    DecryptPadding = 0x0A00_001E,
    /// `SAR_BUFFER_TOO_SMALL`
    #[error("the buffer is too small")]
    BufferTooSmall = 0x0A00_0020,
    /// `SAR_NOT_EVENTERR`: the wait was cancelled.
    #[error("no event")]
    NoEvent = 0x0A00_0022,
    /// `SAR_DEVICE_REMOVED`
    #[error("the device was removed")]
    DeviceRemoved = 0x0A00_0023,
    /// `SAR_PIN_INCORRECT`
    #[error("the PIN is wrong")]
    PinIncorrect = 0x0A00_0024,
    /// `SAR_PIN_LOCKED`
    #[error("the PIN is locked")]
    PinLocked = 0x0A00_0025,
    /// `SAR_PIN_INVALID`: a character that no PIN has.
    #[error("the PIN has a character that it cannot have")]
    PinInvalid = 0x0A00_0026,
    /// `SAR_PIN_LEN_RANGE`
    #[error("the PIN is too short or too long")]
    PinLength = 0x0A00_0027,
    /// `SAR_USER_TYPE_INVALID`
    #[error("no such kind of PIN")]
    UserType = 0x0A00_002A,
    /// `SAR_APPLICATION_NAME_INVALID`
    #[error("no name of an application")]
    ApplicationName = 0x0A00_002B,
    /// `SAR_APPLICATION_EXISTS`
    #[error("the application is there already")]
    ApplicationExists = 0x0A00_002C,
    /// `SAR_USER_NOT_LOGGED_IN`
    #[error("the PIN is needed first")]
    NotLoggedIn = 0x0A00_002D,
    /// `SAR_APPLICATION_NOT_EXISTS`
    #[error("there is no such application")]
    ApplicationMissing = 0x0A00_002E,
    /// `SAR_FILE_ALREADY_EXIST`; also of a container, for which annex A has no code.
    #[error("the name is taken")]
    Exists = 0x0A00_002F,
    /// `SAR_NO_ROOM`
    #[error("no room is left")]
    NoRoom = 0x0A00_0030,
    /// `SAR_FILE_NOT_EXIST`; also of a container, for which annex A has no code.
    #[error("there is nothing of that name")]
    Missing = 0x0A00_0031,
    /// `SAR_REACH_MAX_CONTAINER_COUNT`
    #[error("there are too many containers")]
    TooManyContainers = 0x0A00_0032,
    /// `SAR_NO_AUTH`, not in annex A but common: the device wants `SKF_DevAuth` first, or what it was given is wrong.
    #[error("the device authentication is missing or wrong")]
    NoAuthentication = 0x0A00_0033,
}

impl Sar {
    /// `SAR_OK`.
    pub const OK: u32 = 0;

    /// The number.
    pub fn code(self) -> u32 {
        self as u32
    }
}
