//! Applications (GM/T 0016-2012, 7.3).
use super::{Out, OutBytes, Text, Ulong, access::pin, functions, pointer::hand_out};
use crate::{Handle, NewApplication, Sar, constants::MAX_APPLICATION_NAME_BYTES};

functions! {
    /// 7.3.2: makes one, and opens it.
    fn SKF_CreateApplication(
        device: Handle,
        name: Text,
        admin_pin: Text,
        admin_tries: Ulong,
        user_pin: Text,
        user_tries: Ulong,
        create_rights: Ulong,
        application: Out<Handle>,
    ) |library| {
        let place = application.check()?;
        let new = NewApplication {
            name: &name.read(MAX_APPLICATION_NAME_BYTES, Sar::ApplicationName)?,
            admin_pin: &pin(admin_pin)?,
            admin_tries,
            user_pin: &pin(user_pin)?,
            user_tries,
            create_rights,
        };
        hand_out(place, library.create_application(device, &new)?);
        Ok(())
    }

    /// 7.3.3: their names.
    fn SKF_EnumApplication(device: Handle, names: OutBytes, size: Out<Ulong>) |library| {
        names.deliver_names(size, &library.applications(device)?)
    }

    /// 7.3.4: deletes one, with all that is in it.
    fn SKF_DeleteApplication(device: Handle, name: Text) |library| {
        library.delete_application(device, &name.read(MAX_APPLICATION_NAME_BYTES, Sar::ApplicationName)?)
    }

    /// 7.3.5: opens one.
    fn SKF_OpenApplication(device: Handle, name: Text, application: Out<Handle>) |library| {
        let place = application.check()?;
        let name = name.read(MAX_APPLICATION_NAME_BYTES, Sar::ApplicationName)?;
        hand_out(place, library.open_application(device, &name)?);
        Ok(())
    }

    /// 7.3.6: closes it.
    fn SKF_CloseApplication(application: Handle) |library| {
        library.close_application(application)
    }
}
