//! Files (GM/T 0016-2012, 7.4).
use super::{InBytes, Out, OutBytes, Text, Ulong, device::field, functions};
use crate::{
    FileInfo, Handle, Sar,
    constants::{MAX_FILE_BYTES, MAX_FILE_NAME_BYTES},
};

/// `FILEATTRIBUTE`, 44 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
#[expect(missing_docs, reason = "the names of the standard")]
pub struct FileAttribute {
    pub file_name: [u8; 32],
    pub file_size: u32,
    pub read_rights: u32,
    pub write_rights: u32,
}

functions! {
    /// 7.4.2: makes a file of a fixed size.
    fn SKF_CreateFile(application: Handle, name: Text, size: Ulong, read_rights: Ulong, write_rights: Ulong) |library| {
        let name = name.read(MAX_FILE_NAME_BYTES, Sar::NameLength)?.to_string();
        library.create_file(application, &FileInfo { name, size, read_rights, write_rights })
    }

    /// 7.4.3: deletes it.
    fn SKF_DeleteFile(application: Handle, name: Text) |library| {
        library.delete_file(application, &name.read(MAX_FILE_NAME_BYTES, Sar::NameLength)?)
    }

    /// 7.4.4: the files' names.
    fn SKF_EnumFiles(application: Handle, names: OutBytes, size: Out<Ulong>) |library| {
        names.deliver_names(size, &library.files(application)?)
    }

    /// 7.4.5: size and rights.
    fn SKF_GetFileInfo(application: Handle, name: Text, info: Out<FileAttribute>) |library| {
        let place = info.check()?;
        let info = library.file_info(application, &name.read(MAX_FILE_NAME_BYTES, Sar::NameLength)?)?;
        place.write(FileAttribute {
            file_name: field(&info.name),
            file_size: info.size,
            read_rights: info.read_rights,
            write_rights: info.write_rights,
        });
        Ok(())
    }

    /// 7.4.6: reads a part.
    fn SKF_ReadFile(application: Handle, name: Text, offset: Ulong, size: Ulong, data: OutBytes, data_len: Out<Ulong>) |library| {
        let room = data_len.check()?;
        let name = name.read(MAX_FILE_NAME_BYTES, Sar::NameLength)?;
        data.deliver(room, &library.read_file(application, &name, offset, size)?).map(|_| ())
    }

    /// 7.4.7: writes a part.
    fn SKF_WriteFile(application: Handle, name: Text, offset: Ulong, data: InBytes, size: Ulong) |library| {
        let name = name.read(MAX_FILE_NAME_BYTES, Sar::NameLength)?;
        library.write_file(application, &name, offset, &data.read(size, MAX_FILE_BYTES)?)
    }
}

const _: () = assert!(size_of::<FileAttribute>() == 44);
