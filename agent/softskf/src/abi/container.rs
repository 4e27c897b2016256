//! Containers and certificates (GM/T 0016-2012, 7.5).
use super::{Bool, InBytes, Out, OutBytes, Text, Ulong, functions, pointer::hand_out};
use crate::{
    Handle, Sar, Usage,
    constants::{MAX_CERTIFICATE_BYTES, MAX_CONTAINER_NAME_BYTES},
};

/// `bSignFlag`.
pub fn usage(sign: Bool) -> Usage {
    if sign == 0 {
        Usage::Encryption
    } else {
        Usage::Signing
    }
}

functions! {
    /// 7.5.2: makes one, and opens it.
    fn SKF_CreateContainer(application: Handle, name: Text, container: Out<Handle>) |library| {
        let place = container.check()?;
        let name = name.read(MAX_CONTAINER_NAME_BYTES, Sar::NameLength)?;
        hand_out(place, library.create_container(application, &name)?);
        Ok(())
    }

    /// 7.5.3: deletes one, with its keys.
    fn SKF_DeleteContainer(application: Handle, name: Text) |library| {
        library.delete_container(application, &name.read(MAX_CONTAINER_NAME_BYTES, Sar::NameLength)?)
    }

    /// 7.5.4: opens one.
    fn SKF_OpenContainer(application: Handle, name: Text, container: Out<Handle>) |library| {
        let place = container.check()?;
        let name = name.read(MAX_CONTAINER_NAME_BYTES, Sar::NameLength)?;
        hand_out(place, library.open_container(application, &name)?);
        Ok(())
    }

    /// 7.5.5: closes it.
    fn SKF_CloseContainer(container: Handle) |library| {
        library.close_container(container)
    }

    /// 7.5.6: their names.
    fn SKF_EnumContainer(application: Handle, names: OutBytes, size: Out<Ulong>) |library| {
        names.deliver_names(size, &library.containers(application)?)
    }

    /// 7.5.7: 0 without keys, 2 with SM2 keys.
    fn SKF_GetContainerType(container: Handle, kind: Out<Ulong>) |library| {
        let place = kind.check()?;
        place.write(library.container_type(container)?);
        Ok(())
    }

    /// 7.5.8: keeps a certificate, DER.
    fn SKF_ImportCertificate(container: Handle, sign: Bool, certificate: InBytes, length: Ulong) |library| {
        let certificate = certificate.read(length, MAX_CERTIFICATE_BYTES)?;
        library.import_certificate(container, usage(sign), &certificate)
    }

    /// 7.5.9: gives it back.
    fn SKF_ExportCertificate(container: Handle, sign: Bool, certificate: OutBytes, length: Out<Ulong>) |library| {
        let room = length.check()?;
        certificate.deliver(room, &library.export_certificate(container, usage(sign))?).map(|_| ())
    }
}
