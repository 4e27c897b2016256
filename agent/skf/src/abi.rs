//! The C side of GM/T 0016: its numbers, and its functions by their symbols.
//!
//! Structures are not declared here: `blob` reads and writes them as bytes at the standard's offsets, which is what
//! `#pragma pack(1)` means and needs no reference into a packed structure.
use std::ffi::c_void;

/// `ULONG`: 32 bits in the standard, on every system.
pub type Ulong = u32;
/// `BOOL`.
pub type Bool = i32;
/// `DEVHANDLE`, `HAPPLICATION`, `HCONTAINER`, `HANDLE`.
pub type Handle = *mut c_void;
/// `LPSTR`, and any other bytes.
pub type Bytes = *mut u8;

/// `SAR_OK` (Annex A).
pub const SAR_OK: Ulong = 0;
/// `SAR_BUFFER_TOO_SMALL`.
pub const SAR_BUFFER_TOO_SMALL: Ulong = 0x0A00_0020;
/// `SGD_SM4_ECB` (GM/T 0006-2012, 5.2.1).
pub const SGD_SM4_ECB: Ulong = 0x0000_0401;

/// `BLOCKCIPHERPARAM`, the one structure that is passed by value.
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub struct BlockCipherParam {
    pub iv: [u8; 32],
    pub iv_bytes: Ulong,
    pub padding: Ulong,
    pub feed_bits: Ulong,
}

/// A function with its name; a library may lack it, which shows when it is needed.
pub struct Symbol<F> {
    pub name: &'static str,
    pub function: Option<F>,
}

macro_rules! functions {
    ($($field:ident: $symbol:ident($($argument:ty),*);)*) => {
        /// The functions that this crate calls.
        pub struct Functions {
            $(pub $field: Symbol<unsafe extern "system" fn($($argument),*) -> Ulong>,)*
        }

        impl Functions {
            /// None of them.
            #[cfg(test)]
            pub fn none() -> Self {
                Self { $($field: Symbol { name: stringify!($symbol), function: None },)* }
            }

            /// Looks each one up.
            #[allow(unsafe_code, reason = "a symbol has no type but the one that the standard gives it")]
            pub fn of(library: &libloading::Library) -> Self {
                Self {
                    $($field: Symbol {
                        name: stringify!($symbol),
                        // SAFETY: the type is the standard's prototype of this symbol; the pointer stays valid because
                        // libraries are never unloaded (see `Shared`).
                        function: unsafe {
                            library.get::<unsafe extern "system" fn($($argument),*) -> Ulong>(stringify!($symbol))
                        }.ok().map(|symbol| *symbol),
                    },)*
                }
            }
        }
    };
}

// GM/T 0016-2012, 7; the last two groups of the standard (RSA, digests, MACs, key agreement) are not called.
functions! {
    wait_for_dev_event: SKF_WaitForDevEvent(Bytes, *mut Ulong, *mut Ulong);
    cancel_wait_for_dev_event: SKF_CancelWaitForDevEvent();
    enum_dev: SKF_EnumDev(Bool, Bytes, *mut Ulong);
    connect_dev: SKF_ConnectDev(Bytes, *mut Handle);
    disconnect_dev: SKF_DisConnectDev(Handle);
    set_label: SKF_SetLabel(Handle, Bytes);
    get_dev_info: SKF_GetDevInfo(Handle, Bytes);
    lock_dev: SKF_LockDev(Handle, Ulong);
    unlock_dev: SKF_UnlockDev(Handle);
    dev_auth: SKF_DevAuth(Handle, Bytes, Ulong);
    change_pin: SKF_ChangePIN(Handle, Ulong, Bytes, Bytes, *mut Ulong);
    get_pin_info: SKF_GetPINInfo(Handle, Ulong, *mut Ulong, *mut Ulong, *mut Ulong);
    verify_pin: SKF_VerifyPIN(Handle, Ulong, Bytes, *mut Ulong);
    unblock_pin: SKF_UnblockPIN(Handle, Bytes, Bytes, *mut Ulong);
    clear_secure_state: SKF_ClearSecureState(Handle);
    create_application: SKF_CreateApplication(Handle, Bytes, Bytes, Ulong, Bytes, Ulong, Ulong, *mut Handle);
    enum_application: SKF_EnumApplication(Handle, Bytes, *mut Ulong);
    open_application: SKF_OpenApplication(Handle, Bytes, *mut Handle);
    close_application: SKF_CloseApplication(Handle);
    create_file: SKF_CreateFile(Handle, Bytes, Ulong, Ulong, Ulong);
    delete_file: SKF_DeleteFile(Handle, Bytes);
    enum_files: SKF_EnumFiles(Handle, Bytes, *mut Ulong);
    get_file_info: SKF_GetFileInfo(Handle, Bytes, Bytes);
    read_file: SKF_ReadFile(Handle, Bytes, Ulong, Ulong, Bytes, *mut Ulong);
    write_file: SKF_WriteFile(Handle, Bytes, Ulong, Bytes, Ulong);
    create_container: SKF_CreateContainer(Handle, Bytes, *mut Handle);
    delete_container: SKF_DeleteContainer(Handle, Bytes);
    open_container: SKF_OpenContainer(Handle, Bytes, *mut Handle);
    close_container: SKF_CloseContainer(Handle);
    enum_container: SKF_EnumContainer(Handle, Bytes, *mut Ulong);
    import_certificate: SKF_ImportCertificate(Handle, Bool, Bytes, Ulong);
    export_certificate: SKF_ExportCertificate(Handle, Bool, Bytes, *mut Ulong);
    gen_random: SKF_GenRandom(Handle, Bytes, Ulong);
    gen_ecc_key_pair: SKF_GenECCKeyPair(Handle, Ulong, Bytes);
    import_ecc_key_pair: SKF_ImportECCKeyPair(Handle, Bytes);
    ecc_sign_data: SKF_ECCSignData(Handle, Bytes, Ulong, Bytes);
    ecc_decrypt: SKF_ECCDecrypt(Handle, Bytes, Bytes, *mut Ulong);
    export_public_key: SKF_ExportPublicKey(Handle, Bool, Bytes, *mut Ulong);
    import_session_key: SKF_ImportSessionKey(Handle, Ulong, Bytes, Ulong, *mut Handle);
    decrypt_init: SKF_DecryptInit(Handle, BlockCipherParam);
    decrypt: SKF_Decrypt(Handle, Bytes, Ulong, Bytes, *mut Ulong);
    close_handle: SKF_CloseHandle(Handle);
}

/// A handle that the library gave, while it is open.
#[derive(Clone, Copy)]
pub struct Opened(pub Handle);

// SAFETY: a handle is a name for something in the library; the standard ties none to a thread, and calls take turns.
#[allow(unsafe_code, reason = "a pointer does not say that it may change threads")]
unsafe impl Send for Opened {}
// SAFETY: as above.
#[allow(unsafe_code, reason = "a pointer does not say that it may be shared")]
unsafe impl Sync for Opened {}
