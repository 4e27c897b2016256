//! Files of an application (GM/T 0016-2012, 7.4).
use zeroize::Zeroizing;

use crate::{
    Handle, Library, Sar,
    application::OpenApplication,
    constants::{MAX_FILE_BYTES, MAX_FILE_NAME_BYTES, MAX_FILES, SECURE_ANYONE_ACCOUNT},
    document::{Application, Content, File, purpose},
    vault::Base64,
};

/// `FILEATTRIBUTE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// Up to 31 bytes.
    pub name: String,
    /// Bytes.
    pub size: u32,
    /// `SECURE_…`.
    pub read_rights: u32,
    /// `SECURE_…`.
    pub write_rights: u32,
}

fn file<'a>(application: &'a Application, name: &str) -> Result<&'a File, Sar> {
    application
        .files
        .iter()
        .find(|file| file.name == name)
        .ok_or(Sar::Missing)
}

/// What GCM binds a file's bytes to: also its rights, so that a change of them in the JSON opens nothing.
fn content_purpose(id: &str, file: &File) -> Vec<u8> {
    let rights = [file.read_rights.to_le_bytes(), file.write_rights.to_le_bytes()].concat();
    purpose(id, "file", &[&rights[..], file.name.as_bytes()].concat())
}

fn content(application: &OpenApplication, file: &File) -> Result<Zeroizing<Vec<u8>>, Sar> {
    let bytes = match &file.content {
        Content::Empty => Zeroizing::new(vec![0; file.size as usize]),
        Content::Clear(bytes) => Zeroizing::new(bytes.0.clone()),
        Content::Sealed(sealed) => {
            let key = application.any_key()?;
            key.open(&content_purpose(&application.id, file), sealed)
                .map_err(|_| Sar::File)?
        }
    };
    (bytes.len() == file.size as usize)
        .then_some(bytes)
        .ok_or(Sar::File)
}

impl Library {
    /// `SKF_CreateFile`: as long as it will ever be, filled with zeros.
    pub fn create_file(&self, application: Handle, info: &FileInfo) -> Result<(), Sar> {
        let application = self.application(application)?;
        if info.name.is_empty() || info.name.len() > MAX_FILE_NAME_BYTES {
            return Err(Sar::NameLength);
        }
        if info.size > MAX_FILE_BYTES {
            return Err(Sar::NoRoom);
        }
        application.change(|held| {
            application.allowed(held.create_rights)?;
            if file(held, &info.name).is_ok() {
                return Err(Sar::Exists);
            }
            if held.files.len() >= MAX_FILES {
                return Err(Sar::NoRoom);
            }
            held.files.push(File {
                name: info.name.clone(),
                size: info.size,
                read_rights: info.read_rights,
                write_rights: info.write_rights,
                content: Content::Empty,
            });
            Ok(())
        })
    }

    /// `SKF_DeleteFile`; who may make files may delete them.
    pub fn delete_file(&self, application: Handle, name: &str) -> Result<(), Sar> {
        let application = self.application(application)?;
        application.change(|held| {
            application.allowed(held.create_rights)?;
            file(held, name)?;
            held.files.retain(|file| file.name != name);
            Ok(())
        })
    }

    /// `SKF_EnumFiles`.
    pub fn files(&self, application: Handle) -> Result<Vec<String>, Sar> {
        let held = self.application(application)?.read()?;
        Ok(held.files.into_iter().map(|file| file.name).collect())
    }

    /// `SKF_GetFileInfo`.
    pub fn file_info(&self, application: Handle, name: &str) -> Result<FileInfo, Sar> {
        let held = self.application(application)?.read()?;
        let file = file(&held, name)?;
        Ok(FileInfo {
            name: file.name.clone(),
            size: file.size,
            read_rights: file.read_rights,
            write_rights: file.write_rights,
        })
    }

    /// `SKF_ReadFile`: fewer bytes than asked for where the file ends.
    pub fn read_file(
        &self,
        application: Handle,
        name: &str,
        offset: u32,
        size: u32,
    ) -> Result<Zeroizing<Vec<u8>>, Sar> {
        let application = self.application(application)?;
        let held = application.read()?;
        let file = file(&held, name)?;
        application.allowed(file.read_rights)?;
        let bytes = content(&application, file)?;
        let rest = bytes.get(offset as usize..).ok_or(Sar::InvalidParameter)?;
        Ok(Zeroizing::new(rest[..rest.len().min(size as usize)].to_vec()))
    }

    /// `SKF_WriteFile`: a part of the file, which does not grow. Who may write a file that not everybody may read has to have shown a PIN,
    /// as it is sealed.
    pub fn write_file(&self, application: Handle, name: &str, offset: u32, bytes: &[u8]) -> Result<(), Sar> {
        let application = self.application(application)?;
        application.change(|held| {
            let place = held
                .files
                .iter()
                .position(|file| file.name == name)
                .ok_or(Sar::Missing)?;
            let file = &mut held.files[place];
            application.allowed(file.write_rights)?;
            let mut whole = content(&application, file)?;
            let start = offset as usize;
            let place = start
                .checked_add(bytes.len())
                .and_then(|end| whole.get_mut(start..end));
            place.ok_or(Sar::DataLength)?.copy_from_slice(bytes);
            file.content = if file.read_rights == SECURE_ANYONE_ACCOUNT {
                Content::Clear(Base64(whole.to_vec()))
            } else {
                let purpose = content_purpose(&application.id, file);
                Content::Sealed(application.any_key()?.seal(&purpose, &whole))
            };
            Ok(())
        })
    }
}
