//! Numbers of GM/T 0006-2012 and GM/T 0016-2012, and this library's limits.

/// `SGD_SM4_ECB`.
pub const SGD_SM4_ECB: u32 = 0x0000_0401;
/// `SGD_SM4_CBC`.
pub const SGD_SM4_CBC: u32 = 0x0000_0402;
/// `SGD_SM3`.
pub const SGD_SM3: u32 = 0x0000_0001;
/// `SGD_SM2_1`, to sign, as GM/T 0006-2012 has it.
pub const SGD_SM2_1: u32 = 0x0002_0200;
/// `SGD_SM2_1` of the draft of 2010, which many headers still have.
pub const SGD_SM2_1_DRAFT: u32 = 0x0002_0100;
/// `SGD_SM2_3`, to encrypt.
pub const SGD_SM2_3: u32 = 0x0002_0800;

/// `ADMIN_TYPE`.
pub const ADMIN_TYPE: u32 = 0;
/// `USER_TYPE`.
pub const USER_TYPE: u32 = 1;

/// `SECURE_NEVER_ACCOUNT`.
pub const SECURE_NEVER_ACCOUNT: u32 = 0x00;
/// `SECURE_ADM_ACCOUNT`.
pub const SECURE_ADM_ACCOUNT: u32 = 0x01;
/// `SECURE_USER_ACCOUNT`.
pub const SECURE_USER_ACCOUNT: u32 = 0x10;
/// `SECURE_ANYONE_ACCOUNT`.
pub const SECURE_ANYONE_ACCOUNT: u32 = 0xFF;

/// `DEV_ABSENT_STATE`.
pub const DEV_ABSENT_STATE: u32 = 0;
/// `DEV_PRESENT_STATE`.
pub const DEV_PRESENT_STATE: u32 = 1;
/// `DEV_UNKNOW_STATE`: the file is there and cannot be used.
pub const DEV_UNKNOWN_STATE: u32 = 2;
/// Event: a device came.
pub const EVENT_INSERTED: u32 = 1;
/// Event: a device went.
pub const EVENT_REMOVED: u32 = 2;

/// Type of a container without keys.
pub const CONTAINER_EMPTY: u32 = 0;
/// Type of a container with SM2 keys.
pub const CONTAINER_ECC: u32 = 2;

/// Longest name of a device, which is also its serial number (DEVINFO).
pub const MAX_DEVICE_NAME_BYTES: usize = 32;
/// Longest label (DEVINFO).
pub const MAX_LABEL_BYTES: usize = 32;
/// Longest name of an application.
pub const MAX_APPLICATION_NAME_BYTES: usize = 32;
/// Longest name of a container.
pub const MAX_CONTAINER_NAME_BYTES: usize = 64;
/// Longest name of a file (FILEATTRIBUTE, with the NUL in 32 bytes).
pub const MAX_FILE_NAME_BYTES: usize = 31;
/// Shortest PIN.
pub const MIN_PIN_BYTES: usize = 6;
/// Longest PIN.
pub const MAX_PIN_BYTES: usize = 16;
/// Most tries that an application may give a PIN.
pub const MAX_PIN_TRIES: u32 = 15;
/// Wrong device authentications after which there are no more.
pub const DEVICE_AUTH_TRIES: u8 = 15;
/// Most applications on a device.
pub const MAX_APPLICATIONS: usize = 8;
/// Most containers of an application.
pub const MAX_CONTAINERS: usize = 16;
/// Most files of an application.
pub const MAX_FILES: usize = 64;
/// Longest file.
pub const MAX_FILE_BYTES: u32 = 64 * 1024;
/// Longest certificate.
pub const MAX_CERTIFICATE_BYTES: u32 = 16 * 1024;
/// Longest plaintext of SM2 (`MaxECCBufferSize`).
pub const MAX_ECC_BYTES: u32 = 4 * 1024;
/// Most bytes that one call takes or gives (`MaxBufferSize`).
pub const MAX_BUFFER_BYTES: u32 = 4 * 1024 * 1024;
/// Longest signer identity: two octets count its bits.
pub const MAX_ID_BYTES: u32 = 8191;
/// Longest file of a device.
pub const MAX_DEVICE_BYTES: u32 = 1024 * 1024;
/// Most open handles of a process.
pub const MAX_HANDLES: usize = 4096;
/// `ulTimeOut` that never ends.
pub const LOCK_FOREVER: u32 = u32::MAX;
