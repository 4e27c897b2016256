//! Distinguished names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::Name;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(name) = Name::from_der(bytes) {
        assert_eq!(name.as_der(), bytes);
        assert!(name.common_name().is_none() || !name.is_empty());
        // Names identify people: their values are not printed.
        let shown = format!("{name:?}");
        assert!(name.attributes().is_empty() || shown.contains("=.."));
    }
});
