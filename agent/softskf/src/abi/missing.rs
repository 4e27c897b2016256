//! What this token does not do: RSA, MAC and key agreement. The functions are there, as loaders look for all of them; their arguments are not looked at.
use std::ffi::c_void;

use super::{Ulong, functions};
use crate::{Handle, Sar};

/// Any pointer.
type Pointer = *const c_void;

functions! {
    /// 7.6.3.
    fn SKF_GenExtRSAKey(_device: Handle, _bits: Ulong, _blob: Pointer) |_library| { Err(Sar::NotSupported) }
    /// 7.6.4.
    fn SKF_GenRSAKeyPair(_container: Handle, _bits: Ulong, _blob: Pointer) |_library| { Err(Sar::NotSupported) }
    /// 7.6.5.
    fn SKF_ImportRSAKeyPair(_container: Handle, _algorithm: Ulong, _key: Pointer, _key_len: Ulong, _data: Pointer, _data_len: Ulong) |_library| {
        Err(Sar::NotSupported)
    }
    /// 7.6.6.
    fn SKF_RSASignData(_container: Handle, _data: Pointer, _data_len: Ulong, _signature: Pointer, _signature_len: Pointer) |_library| {
        Err(Sar::NotSupported)
    }
    /// 7.6.7.
    fn SKF_RSAVerify(_device: Handle, _key: Pointer, _data: Pointer, _data_len: Ulong, _signature: Pointer, _signature_len: Ulong) |_library| {
        Err(Sar::NotSupported)
    }
    /// 7.6.8.
    fn SKF_RSAExportSessionKey(_container: Handle, _algorithm: Ulong, _key: Pointer, _data: Pointer, _data_len: Pointer, _handle: Pointer) |_library| {
        Err(Sar::NotSupported)
    }
    /// 7.6.9.
    fn SKF_ExtRSAPubKeyOperation(_device: Handle, _key: Pointer, _in: Pointer, _in_len: Ulong, _out: Pointer, _out_len: Pointer) |_library| {
        Err(Sar::NotSupported)
    }
    /// 7.6.10.
    fn SKF_ExtRSAPriKeyOperation(_device: Handle, _key: Pointer, _in: Pointer, _in_len: Ulong, _out: Pointer, _out_len: Pointer) |_library| {
        Err(Sar::NotSupported)
    }
    /// 7.6.20.
    fn SKF_GenerateAgreementDataWithECC(_container: Handle, _algorithm: Ulong, _key: Pointer, _id: Pointer, _id_len: Ulong, _handle: Pointer) |_library| {
        Err(Sar::NotSupported)
    }
    /// 7.6.21.
    fn SKF_GenerateAgreementDataAndKeyWithECC(
        _container: Handle,
        _algorithm: Ulong,
        _sponsor: Pointer,
        _sponsor_key: Pointer,
        _key: Pointer,
        _id: Pointer,
        _id_len: Ulong,
        _sponsor_id: Pointer,
        _sponsor_id_len: Ulong,
        _handle: Pointer,
    ) |_library| {
        Err(Sar::NotSupported)
    }
    /// 7.6.22.
    fn SKF_GenerateKeyWithECC(_agreement: Handle, _key: Pointer, _temporary: Pointer, _id: Pointer, _id_len: Ulong, _handle: Pointer) |_library| {
        Err(Sar::NotSupported)
    }
    /// 7.6.38.
    fn SKF_MacInit(_key: Handle, _parameters: Pointer, _mac: Pointer) |_library| { Err(Sar::NotSupported) }
    /// 7.6.39.
    fn SKF_Mac(_mac: Handle, _data: Pointer, _data_len: Ulong, _out: Pointer, _out_len: Pointer) |_library| { Err(Sar::NotSupported) }
    /// 7.6.40.
    fn SKF_MacUpdate(_mac: Handle, _data: Pointer, _data_len: Ulong) |_library| { Err(Sar::NotSupported) }
    /// 7.6.41.
    fn SKF_MacFinal(_mac: Handle, _out: Pointer, _out_len: Pointer) |_library| { Err(Sar::NotSupported) }
}
