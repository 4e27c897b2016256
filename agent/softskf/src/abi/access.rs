//! PINs (GM/T 0016-2012, 7.2.4 to 7.2.8).
use super::{Bool, Out, Text, Ulong, functions};
use crate::{Handle, Pin, PinKind, Sar, constants::MAX_PIN_BYTES};

/// A PIN as it comes from C.
pub fn pin(text: Text) -> Result<Pin, Sar> {
    Pin::new(text.read(MAX_PIN_BYTES, Sar::PinLength)?)
}

/// Tries a PIN; how many tries are left is told whenever one was made.
fn counting(place: Out<Ulong>, attempt: impl FnOnce(&mut u32) -> Result<(), Sar>) -> Result<(), Sar> {
    const UNTOUCHED: u32 = u32::MAX;
    let mut left = UNTOUCHED;
    let answer = attempt(&mut left);
    if left != UNTOUCHED {
        place.write(left);
    }
    answer
}

functions! {
    /// 7.2.4: replaces a PIN.
    fn SKF_ChangePIN(application: Handle, kind: Ulong, old: Text, new: Text, retries: Out<Ulong>) |library| {
        let place = retries.check()?;
        let (kind, old, new) = (PinKind::of(kind)?, pin(old)?, pin(new)?);
        counting(place, |left| library.change_pin(application, kind, &old, &new, left))
    }

    /// 7.2.5: how many tries a PIN has.
    fn SKF_GetPINInfo(application: Handle, kind: Ulong, most: Out<Ulong>, left: Out<Ulong>, is_default: Out<Bool>) |library| {
        let (most, left, is_default) = (most.check()?, left.check()?, is_default.check()?);
        let info = library.pin_info(application, PinKind::of(kind)?)?;
        most.write(info.max_tries);
        left.write(info.tries_left);
        is_default.write(Bool::from(info.is_first));
        Ok(())
    }

    /// 7.2.6: shows a PIN.
    fn SKF_VerifyPIN(application: Handle, kind: Ulong, shown: Text, retries: Out<Ulong>) |library| {
        let place = retries.check()?;
        let (kind, shown) = (PinKind::of(kind)?, pin(shown)?);
        counting(place, |left| library.verify_pin(application, kind, &shown, left))
    }

    /// 7.2.7: sets a new user PIN under the admin PIN.
    fn SKF_UnblockPIN(application: Handle, admin: Text, new_user: Text, retries: Out<Ulong>) |library| {
        let place = retries.check()?;
        let (admin, new_user) = (pin(admin)?, pin(new_user)?);
        counting(place, |left| library.unblock_pin(application, &admin, &new_user, left))
    }

    /// 7.2.8: forgets which PINs were shown.
    fn SKF_ClearSecureState(application: Handle) |library| {
        library.clear_secure_state(application)
    }
}
