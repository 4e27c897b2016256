//! SM2 signatures and ciphertexts against GM/T 0003.5-2012 and published vectors of other implementations.

use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::*;
use crate::cipher::CipherError;

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text.replace(' ', "")).unwrap().try_into().unwrap()
}

fn der(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

/// The key of the worked examples of GM/T 0003.5-2012.
fn standard_key() -> SigningKey {
    SigningKey::from_scalar(&bytes(
        "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8",
    ))
    .unwrap()
}

/// A key of OpenSSL's `evppkey_sm2.txt`.
fn openssl_key() -> SigningKey {
    SigningKey::from_scalar(&bytes(
        "D09156733017BDAD809FD9BBD8C693F60230593169B6F94AAF1C8EE138CC99B5",
    ))
    .unwrap()
}

/// A key of the documentation of gmsm.
fn gmsm_key() -> SigningKey {
    SigningKey::from_scalar(&bytes(
        "6c5a0a0b2eed3cbec3e4f1252bfe0e28c504a1c6bf1999eebb0af9ef0f8e6c85",
    ))
    .unwrap()
}

#[test]
fn the_worked_example_gives_point_z_and_e() {
    let key = standard_key();
    assert_eq!(
        hex::encode(key.public_key().to_sec1()),
        "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
         ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    );
    assert_eq!(
        hex::encode(key.public_key().z()),
        "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
    );
    assert_eq!(
        hex::encode(key.public_key().message_digest(b"message digest")),
        "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
    );
}

#[test]
fn the_worked_example_verifies() {
    let raw = bytes(
        "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3\
         B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA",
    );
    let signature = signature_from_raw(&raw).unwrap();
    let key = standard_key();
    assert_eq!(key.public_key().verify(b"message digest", &signature), Ok(()));
    assert_eq!(
        key.public_key().verify(b"Message digest", &signature),
        Err(BadSignature)
    );
    assert_eq!(signature_to_raw(&signature).unwrap(), raw);
}

#[test]
fn a_signature_of_gmsm_verifies() {
    let signature = der(
        "304402205b3a799bd94c9063120d7286769220af6b0fa127009af3e873c0e8742edc5f89\
         0220097968a4c8b040fd548d1456b33f470cabd8456bfea53e8a828f92f6d4bdcd77",
    );
    assert_eq!(
        gmsm_key()
            .public_key()
            .verify(b"ShangMi SM2 Sign Standard", &signature),
        Ok(())
    );
}

#[test]
fn a_signature_over_a_digest_is_not_one_over_a_message() {
    let cases = [
        (
            "D7AD397F6FFA5D4F7F11E7217F241607DC30618C236D2C09C1B9EA8FDADEE2E8",
            "3046022100AB1DB64DE7C40EDBDE6651C9B8EBDB804673DB836E5D5C7FE15DCF9ED2725037\
             022100EBA714451FF69B0BB930B379E192E7CD5FA6E3C41C7FBD8303B799AB54A54621",
        ),
        (
            "B1139602C6ECC9E15E2F3F9C635A1AFE737058BC15387479C1EA0D0B3D90E9E5",
            "3045022100E6E0414EBD3A656C35602AF14AB20287DBF30D57AF75C49A188ED4B42391F224\
             02202F54F277C606F4605E1CE9514947FFDDF94C67A539804A4ED17F852288BDBE2E",
        ),
    ];
    let key = openssl_key();
    for (e, signature) in cases {
        let (e, signature) = (bytes(e), der(signature));
        assert_eq!(key.public_key().verify_digest(&e, &signature), Ok(()));
        assert_eq!(key.public_key().verify(&e, &signature), Err(BadSignature));
    }
}

#[test]
fn signing_is_repeatable_and_hedging_is_not() {
    let (key, rng) = (
        SigningKey::generate(&mut UnwrapErr(SysRng)),
        &mut UnwrapErr(SysRng),
    );
    let plain = key.sign(b"message").unwrap();
    assert_eq!(plain, key.sign(b"message").unwrap());
    let hedged = key.sign_hedged(b"message", rng).unwrap();
    assert_ne!(plain, hedged);
    assert_ne!(hedged, key.sign_hedged(b"message", rng).unwrap());
    for signature in [&plain, &hedged] {
        assert_eq!(key.public_key().verify(b"message", signature), Ok(()));
        assert_eq!(
            standard_key().public_key().verify(b"message", signature),
            Err(BadSignature)
        );
    }
}

#[test]
fn a_signature_with_r_or_s_out_of_range_is_refused() {
    let key = standard_key();
    let order = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123";
    let one = format!("{:064x}", 1);
    let zero = "0".repeat(64);
    for raw in [
        [&zero, &one],
        [&one, &zero],
        [&order.into(), &one],
        [&one, &order.into()],
    ] {
        assert_eq!(
            signature_from_raw(&bytes(&raw.map(String::as_str).concat())),
            Err(BadSignature)
        );
    }
    for broken in [
        "",
        "3000",
        "30060201010201",
        "3006020100020101",
        "300602010102010100",
    ] {
        assert_eq!(key.public_key().verify(b"", &der(broken)), Err(BadSignature));
    }
}

#[test]
fn the_private_key_lies_between_one_and_n_minus_two() {
    let scalar = |text: &str| SigningKey::from_scalar(&bytes(text)).map(|_| ());
    assert_eq!(scalar(&"0".repeat(64)), Err(KeyError::OutOfRange));
    assert_eq!(scalar(&format!("{:064x}", 1)), Ok(()));
    let stem = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D541";
    assert_eq!(scalar(&format!("{stem}21")), Ok(()));
    assert_eq!(scalar(&format!("{stem}22")), Err(KeyError::OutOfRange));
    assert_eq!(scalar(&format!("{stem}23")), Err(KeyError::OutOfRange));
}

#[test]
fn just_uncompressed_points_on_the_curve_are_public_keys() {
    let point = standard_key().public_key().to_sec1();
    assert!(PublicKey::from_sec1(&point).is_ok());
    let mut compressed = point[..33].to_vec();
    compressed[0] = 0x03;
    assert_eq!(PublicKey::from_sec1(&compressed), Err(KeyError::NotUncompressed));
    let mut hybrid = point;
    hybrid[0] = 0x07;
    assert_eq!(PublicKey::from_sec1(&hybrid), Err(KeyError::NotUncompressed));
    let mut outside = point;
    outside[64] ^= 1;
    assert_eq!(PublicKey::from_sec1(&outside), Err(KeyError::NotOnCurve));
    assert_eq!(PublicKey::from_sec1(&point[..64]), Err(KeyError::Malformed));
    assert_eq!(PublicKey::from_sec1(&[0]), Err(KeyError::Malformed));
    assert_eq!(PublicKey::from_sec1(&[]), Err(KeyError::Malformed));
}

#[test]
fn the_key_info_has_the_usual_91_bytes_and_reads_in_both_forms() {
    let key = standard_key();
    let spki = key.public_key().to_spki_der();
    let prefix = "3059301306072a8648ce3d020106082a811ccf5501822d034200";
    assert_eq!(hex::encode(&spki[..26]), prefix);
    assert_eq!((spki.len(), &spki[26..]), (91, &key.public_key().to_sec1()[..]));
    assert_eq!(PublicKey::from_spki_der(&spki).as_ref(), Ok(key.public_key()));
    let sm2_twice = [
        der("305a301406082a811ccf5501822d06082a811ccf5501822d034200"),
        spki[26..].to_vec(),
    ];
    assert_eq!(
        PublicKey::from_spki_der(&sm2_twice.concat()).as_ref(),
        Ok(key.public_key())
    );
    let p256 = [
        der("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
        spki[26..].to_vec(),
    ];
    assert_eq!(
        PublicKey::from_spki_der(&p256.concat()),
        Err(KeyError::UnsupportedAlgorithm)
    );
}

#[test]
fn pkcs8_round_trips_in_der_and_pem() {
    let key = standard_key();
    let read = SigningKey::from_pkcs8_der(&key.to_pkcs8_der()).unwrap();
    assert_eq!(read.to_scalar(), key.to_scalar());
    let read = SigningKey::from_pkcs8_pem(&key.to_pkcs8_pem()).unwrap();
    assert_eq!(read.to_scalar(), key.to_scalar());
    assert_eq!(
        SigningKey::from_pkcs8_der(b"0").map(|_| ()),
        Err(KeyError::Malformed)
    );
}

#[test]
fn debug_shows_no_private_key() {
    let key = standard_key();
    let shown = format!("{key:?}").to_lowercase();
    assert!(
        !shown.contains("3945208f") && !shown.contains("57, 69, 32"),
        "{shown}"
    );
}

#[test]
fn published_ciphertexts_decrypt() {
    // GM/T 0003.5-2012, the worked example, put into the DER form of GM/T 0009.
    let standard = "307c022004EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73\
        022100E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0\
        042059983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766\
        041321886CA989CA9C7D58087307CA93092D651EFA";
    let cases = [
        (standard_key(), standard, "encryption standard"),
        (
            openssl_key(),
            "30818A0220466BE2EF5C11782EC77864A0055417F407A5AFC11D653C6BCE69E417BB1D05B6022062B572E21FF0DDF5C7\
             26BD3F9FF2EAE56E6294713A607E9B9525628965F62CC804203C1B5713B5DB2728EB7BF775E44F4689FC32668BDC564F\
             52EA45B09E8DF2A5F40422084A9D0CC2997092B7D3C404FCE95956EB604D732B2307A8E5B8900ED6608CA5B197",
            "The floofy bunnies hop at midnight",
        ),
        (
            openssl_key(),
            "3072022070DAD60CDA7C30D64CF4F278A849003581223F5324BFEC9BB329229BFFAD21A6021F18AFAB2B35459D264324\
             3B242BE4EA80C6FA5071D2D847340CC57EB9309E5D04200B772E4DB664B2601E3B85E39C4AA8C2C1910308BE13B331E0\
             09C5A9258C29FD040B6D588BE9260A94DA18E0E6",
            "Hello World",
        ),
        (
            gmsm_key(),
            "308194022100bd31001ce8d39a4a0119ff96d71334cd12d8b75bbc780f5bfc6e1efab535e85a02201839c075ff8bf761\
             dcbe185c9750816410517001d6a130f6ab97fb23337cce150420ea82bd58d6a5394eb468a769ab48b6a26870ca075377\
             eb06663780c920ea5ee0042be22abcf48e56ae9d29ac770d9de0d6b7094a874a2f8d26c26e0b1daaf4ff50a484b88163\
             d04785b04585bb",
            "send reinforcements, we're going to advance",
        ),
    ];
    for (key, ciphertext, plaintext) in cases {
        let ciphertext = der(ciphertext);
        assert_eq!(key.decrypt(&ciphertext).unwrap().as_slice(), plaintext.as_bytes());
        for at in 0..ciphertext.len() {
            let mut changed = ciphertext.clone();
            changed[at] ^= 1;
            assert_eq!(
                key.decrypt(&changed),
                Err(CipherError::CannotDecrypt),
                "byte {at}"
            );
        }
    }
}

#[test]
fn encryption_is_for_the_holder_of_the_private_key() {
    let (key, rng) = (standard_key(), &mut UnwrapErr(SysRng));
    for length in [1, 16, 31, 32, 33, 96] {
        let message = vec![0x5a; length];
        let ciphertext = key.public_key().encrypt(&message, rng).unwrap();
        assert_eq!(*key.decrypt(&ciphertext).unwrap(), message);
        assert_eq!(
            openssl_key().decrypt(&ciphertext),
            Err(CipherError::CannotDecrypt)
        );
    }
    assert_eq!(key.public_key().encrypt(b"", rng), Err(CipherError::Empty));
}

// GM/T 0003.5-2012, the key exchange: its two identity digests, and its key from KDF(xU ‖ yU ‖ ZA ‖ ZB).
#[test]
fn the_key_exchange_example_gives_z_of_both_sides_and_its_key() {
    let key = |scalar: &str| SigningKey::from_scalar(&bytes(scalar)).unwrap();
    let initiator = key("81EB26E941BB5AF16DF116495F90695272AE2CD63D6C4AE1678418BE48230029");
    let responder = key("785129917D45A9EA5437A59356B82338EAADDA6CEB199088F14AE10DEFA229B5");
    let (za, zb) = (initiator.public_key().z(), responder.public_key().z());
    assert_eq!(
        hex::encode(za),
        "3b85a57179e11e7e513aa622991f2ca74d1807a0bd4d4b38f90987a17ac245b1"
    );
    assert_eq!(
        hex::encode(zb),
        "79c988d63229d97ef19fe02ca1056e01e6a7411ed24694aa8f834f4a4ab022f7"
    );
    let shared = der("C558B44BEE5301D9F52B44D939BB59584D75B9034DD6A9FC826872109A65739F\
         3252B35B191D8AE01CD122C025204334C5EACF68A0CB4854C6A7D367ECAD4DE7");
    let derived = sm3_parts(&[&shared, &za, &zb, &1_u32.to_be_bytes()]);
    assert_eq!(hex::encode(&derived[..16]), "6c89347354de2484c60b4ab1fde4c6e5");
}
