//! The device key in software: a file beside the database, for desktops and tests. Phones bring their key store
//! instead.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use moa_wire::keys::SoftwareKey;

use crate::error::PhoneError;
use crate::key_store::SoftwareKeys;

/// Reads the key in `path`, or makes one: PKCS #8, readable by the owner alone.
pub(crate) fn load_or_create(path: &Path) -> Result<SoftwareKeys, PhoneError> {
    match fs::read(path) {
        Ok(bytes) => return Ok(SoftwareKeys::from_pkcs8(&bytes)?),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    renew(path)
}

/// Makes a new key, in place of the one in `path` if there is one.
pub(crate) fn renew(path: &Path) -> Result<SoftwareKeys, PhoneError> {
    let (_, bytes) = SoftwareKey::generate()?;
    // Written beside and moved into place, so that a crash leaves a whole key or none.
    let fresh = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(SoftwareKeys::from_pkcs8(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use moa_wire::keys::Signer;

    #[test]
    fn the_key_stays_the_same_and_belongs_to_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("device.key");
        let made = load_or_create(&path).unwrap();
        assert_eq!(load_or_create(&path).unwrap().public_key(), made.public_key());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_broken_key_file_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("device.key");
        fs::write(&path, b"not a key").unwrap();
        assert!(matches!(load_or_create(&path), Err(PhoneError::Key(_))));
        assert_eq!(fs::read(&path).unwrap(), b"not a key");
    }
}
