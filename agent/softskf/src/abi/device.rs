//! Devices (GM/T 0016-2012, 7.1) and random bytes (7.6.2).
use super::{Bool, In, InBytes, Out, OutBytes, Text, Ulong, functions, pointer::hand_out};
use crate::{
    Handle, Sar,
    constants::{
        MAX_BUFFER_BYTES, MAX_DEVICE_BYTES, MAX_DEVICE_NAME_BYTES, MAX_ECC_BYTES, MAX_LABEL_BYTES, SGD_SM2_1,
        SGD_SM2_3, SGD_SM3, SGD_SM4_CBC, SGD_SM4_ECB,
    },
};

/// Who made it, as `DEVINFO` says.
const MANUFACTURER: &str = "Yinxin SoftSKF";

/// `VERSION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
pub struct Version {
    /// Before the point.
    pub major: u8,
    /// Behind it.
    pub minor: u8,
}

/// `DEVINFO`, 294 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
#[expect(missing_docs, reason = "the names of the standard")]
pub struct DevInfo {
    pub version: Version,
    pub manufacturer: [u8; 64],
    pub issuer: [u8; 64],
    pub label: [u8; 32],
    pub serial_number: [u8; 32],
    pub hw_version: Version,
    pub firmware_version: Version,
    pub alg_sym_cap: u32,
    pub alg_asym_cap: u32,
    pub alg_hash_cap: u32,
    pub dev_auth_alg_id: u32,
    pub total_space: u32,
    pub free_space: u32,
    pub max_ecc_buffer_size: u32,
    pub max_buffer_size: u32,
    pub reserved: [u8; 64],
}

/// A text in a field, zeros behind it; without a NUL when it fills the field.
pub fn field<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    let length = text.len().min(N);
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
    field
}

functions! {
    /// 7.1.2: waits until a device comes or goes.
    fn SKF_WaitForDevEvent(name: OutBytes, name_len: Out<Ulong>, event: Out<Ulong>) |library| {
        let (name_len, place) = (name_len.check()?, event.check()?);
        library.wait_for_event(|device, event| {
            place.write(event);
            name.deliver(name_len, &[device.as_bytes(), &[0]].concat())
        })
    }

    /// 7.1.3: ends the waits of this process; they answer `SAR_NOT_EVENTERR`.
    fn SKF_CancelWaitForDevEvent() |library| {
        library.cancel_wait();
        Ok(())
    }

    /// 7.1.4: the names of the devices.
    fn SKF_EnumDev(present: Bool, names: OutBytes, size: Out<Ulong>) |library| {
        names.deliver_names(size, &library.devices(present != 0)?)
    }

    /// 7.1.5: connects a device.
    fn SKF_ConnectDev(name: Text, device: Out<Handle>) |library| {
        let place = device.check()?;
        hand_out(place, library.connect(&name.read(MAX_DEVICE_NAME_BYTES, Sar::NameLength)?)?);
        Ok(())
    }

    /// 7.1.6: disconnects it.
    fn SKF_DisConnectDev(device: Handle) |library| {
        library.disconnect(device)
    }

    /// 7.1.7: whether it is there.
    fn SKF_GetDevState(name: Text, state: Out<Ulong>) |library| {
        let place = state.check()?;
        place.write(library.device_state(&name.read(MAX_DEVICE_NAME_BYTES, Sar::NameLength)?)?);
        Ok(())
    }

    /// 7.1.8: gives it a label.
    fn SKF_SetLabel(device: Handle, label: Text) |library| {
        library.set_label(device, &label.read(MAX_LABEL_BYTES, Sar::NameLength)?)
    }

    /// 7.1.9: describes it.
    fn SKF_GetDevInfo(device: Handle, info: Out<DevInfo>) |library| {
        let place = info.check()?;
        let info = library.device_info(device)?;
        let version = Version { major: 1, minor: 0 };
        place.write(DevInfo {
            version,
            manufacturer: field(MANUFACTURER),
            issuer: field(MANUFACTURER),
            label: field(&info.label),
            serial_number: field(&info.serial),
            hw_version: version,
            firmware_version: version,
            alg_sym_cap: SGD_SM4_ECB | SGD_SM4_CBC,
            alg_asym_cap: SGD_SM2_1 | SGD_SM2_3,
            alg_hash_cap: SGD_SM3,
            dev_auth_alg_id: SGD_SM4_ECB,
            total_space: MAX_DEVICE_BYTES,
            free_space: info.free_bytes,
            max_ecc_buffer_size: MAX_ECC_BYTES,
            max_buffer_size: MAX_BUFFER_BYTES,
            reserved: [0; 64],
        });
        Ok(())
    }

    /// 7.1.10: has it for oneself; the time is in milliseconds.
    fn SKF_LockDev(device: Handle, timeout_ms: Ulong) |library| {
        library.lock_device(device, timeout_ms)
    }

    /// 7.1.11: gives it back.
    fn SKF_UnlockDev(device: Handle) |library| {
        library.unlock_device(device)
    }

    /// 7.1.12: there is nothing to transmit to.
    fn SKF_Transmit(_device: Handle, _command: InBytes, _command_len: Ulong, _data: OutBytes, _data_len: Out<Ulong>) |_library| {
        Err(Sar::NotSupported)
    }

    /// 7.6.2: random bytes of the operating system.
    fn SKF_GenRandom(device: Handle, random: OutBytes, length: Ulong) |library| {
        let place = random.check()?;
        place.write(&library.random(device, length)?);
        Ok(())
    }

    /// 7.2.2: replaces the device authentication key.
    fn SKF_ChangeDevAuthKey(device: Handle, key: InBytes, length: Ulong) |library| {
        library.change_auth_key(device, &key.read(length, MAX_BUFFER_BYTES)?)
    }

    /// 7.2.3: proves that one has it.
    fn SKF_DevAuth(device: Handle, proof: InBytes, length: Ulong) |library| {
        library.authenticate(device, &proof.read(length, MAX_BUFFER_BYTES)?)
    }
}

const _: () = assert!(size_of::<DevInfo>() == 294 && size_of::<In<DevInfo>>() == size_of::<usize>());
