//! The numbers by which Alipay names certificates: MD5 over issuer and serial number, nothing of X.509's own.

use md5::{Digest as _, Md5};
use yinxin_pki::der::{self, DerError, Reader, Tlv, tag};

/// The arcs `1.2.840.113549.1.1`, under which all signatures with RSA are.
const RSA_SIGNATURES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];

/// The few fields of a certificate that its number and its use need. Nothing else is looked at: some of Alipay's root
/// certificates have parameters that no strict reader takes.
struct Head {
    number: String,
    is_rsa_signed: bool,
}

impl Head {
    fn read(certificate: &[u8]) -> Result<Self, DerError> {
        let mut fields = Tlv::whole_of(tag::SEQUENCE, certificate)?.reader();
        let mut tbs = fields.expect(tag::SEQUENCE)?.reader();
        tbs.optional(0xa0)?;
        let serial = tbs.expect(tag::INTEGER)?.value;
        let algorithm = tbs
            .expect(tag::SEQUENCE)?
            .reader()
            .expect(tag::OBJECT_IDENTIFIER)?;
        let issuer = tbs.expect(tag::SEQUENCE)?.reader();
        Ok(Self {
            number: number(&rfc2253(issuer)?, serial),
            is_rsa_signed: algorithm.value.starts_with(RSA_SIGNATURES),
        })
    }
}

/// The number of one certificate.
pub(crate) fn of_certificate(certificate: &[u8]) -> Result<String, DerError> {
    Ok(Head::read(certificate)?.number)
}

/// The number of the root certificates: those that are signed with RSA, in their order.
pub(crate) fn of_roots(certificates: &[Vec<u8>]) -> Result<String, DerError> {
    let mut numbers = Vec::new();
    for certificate in certificates {
        let head = Head::read(certificate)?;
        if head.is_rsa_signed {
            numbers.push(head.number);
        }
    }
    Ok(numbers.join("_"))
}

fn number(issuer: &str, serial: &[u8]) -> String {
    hex::encode(Md5::digest(format!("{issuer}{}", decimal(serial))))
}

/// A big-endian number in decimal; serial numbers have up to 160 bits.
fn decimal(bytes: &[u8]) -> String {
    // Decimal digits, lowest first.
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let sum = u32::from(*digit) * 256 + carry;
            *digit = u8::try_from(sum % 10).unwrap_or_default();
            carry = sum / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }
    digits
        .iter()
        .rev()
        .map(|digit| char::from(b'0' + digit))
        .collect()
}

/// A name as RFC 2253 writes it: the last RDN first, no spaces.
fn rfc2253(mut name: Reader<'_>) -> Result<String, DerError> {
    let mut rdns = Vec::new();
    while !name.is_empty() {
        let mut pairs = name.expect(tag::SET)?.reader();
        let mut rdn = Vec::new();
        while !pairs.is_empty() {
            let mut pair = pairs.expect(tag::SEQUENCE)?.reader();
            let kind = der::object_identifier(pair.any()?)?.to_string();
            rdn.push(attribute(&kind, pair.any()?));
        }
        rdns.push(rdn.join("+"));
    }
    rdns.reverse();
    Ok(rdns.join(","))
}

fn attribute(kind: &str, value: Tlv<'_>) -> String {
    // RFC 2253, 2.3: these types have names; the value of any other is the hexadecimal of its encoding.
    let name = match kind {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        other => return format!("{other}=#{}", hex::encode(value.raw)),
    };
    match der::text(value) {
        Ok(text) => format!("{name}={}", escaped(&text)),
        Err(_) => format!("{name}=#{}", hex::encode(value.raw)),
    }
}

/// RFC 2253, 2.4.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut escaped = String::new();
    for (at, character) in text.chars().enumerate() {
        let special = match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            '#' => at == 0,
            ' ' => at == 0 || at == last,
            _ => false,
        };
        if special {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use yinxin_pki::der::{self, Tlv};

    use super::{decimal, escaped, number, of_roots};

    /// Of Alipay's published certificates: the issuer, the serial number in hexadecimal and in decimal, the number.
    const PUBLISHED: [[&str; 4]; 6] = [
        [
            "CN=Ant Financial Certification Authority Class 1 R1,OU=Certification Authority,O=Ant Financial,C=CN",
            "2020051862039d4090897ba4d51c2126",
            "42701552708448241360226107228231049510",
            "866efef280dec9137a87d047ac446315",
        ],
        [
            "CN=Ant Financial Certification Authority Class 2 R1,OU=Certification Authority,O=Ant Financial,C=CN",
            "20200514e63c2fe04d538716fe21358b",
            "42701552432456004857627230056898180491",
            "7513daaaa48aa3ba2e4018d84402479c",
        ],
        [
            "CN=ROOTCA,O=NRCAC,C=CN",
            "69e2fec0170ac67b",
            "7629940819692799611",
            "9e64d67d36446de33aae13a33a89e5a7",
        ],
        [
            "CN=Ant Financial Certification Authority R1,OU=Certification Authority,O=Ant Financial,C=CN",
            "1fcfa18d6a480d11",
            "2292228364100439313",
            "687b59193f3f462dd5336e5abf83c5d8",
        ],
        [
            "CN=Ant Financial Certification Authority E1,OU=Certification Authority,O=Ant Financial,C=CN",
            "417efa52c07fdf4a",
            "4719484692854726474",
            "8af620707e5ddd8c7e76747e86a604dc",
        ],
        [
            "CN=iTrusChina Class 2 Root CA - G3,OU=China Trust Network,O=iTrusChina,C=CN",
            "10c764e9d560384212d9c08fd10e373fdd0fb396",
            "95790491425698859646659490580052089075020051350",
            "02941eef3187dddf3d3b83462e1dfcf6",
        ],
    ];

    #[test]
    fn published_certificates_have_their_published_numbers() {
        for [issuer, hexadecimal, in_decimal, expected] in PUBLISHED {
            let serial = hex::decode(hexadecimal).unwrap();
            assert_eq!(decimal(&serial), in_decimal);
            assert_eq!(number(issuer, &serial), expected, "{issuer}");
        }
    }

    #[test]
    fn a_number_s_leading_zero_stays() {
        assert!(PUBLISHED.iter().any(|[.., number]| number.starts_with('0')));
        assert!(PUBLISHED.iter().all(|[.., number]| number.len() == 32));
    }

    /// The beginning of a certificate, which is all that is read: `issuer` is the DER of a name.
    fn certificate(serial: &[u8], algorithm: &[u8], issuer: &[u8]) -> Vec<u8> {
        // Parameters that no standard knows for any algorithm.
        let algorithm = der::sequence(&[&der::tlv(der::tag::OBJECT_IDENTIFIER, algorithm), &der::null()]);
        let serial = der::tlv(der::tag::INTEGER, serial);
        der::sequence(&[&der::sequence(&[&serial, &algorithm, issuer])])
    }

    #[test]
    fn only_roots_signed_with_rsa_count_and_parameters_do_not() {
        let name = |text: &str| {
            let pair = der::sequence(&[&[0x06, 3, 0x55, 4, 3], &der::utf8_string(text)]);
            der::sequence(&[&der::set(&[&pair])])
        };
        let sm2 = [0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75];
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
        let ecdsa = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
        let roots = [
            certificate(&[1], &sm2, &name("a")),
            certificate(&[2], &rsa, &name("b")),
            certificate(&[3], &ecdsa, &name("c")),
            certificate(&[0, 0x80], &rsa, &name("d")),
        ];
        let expected = [number("CN=b", &[2]), number("CN=d", &[0x80])].join("_");
        assert_eq!(of_roots(&roots).unwrap(), expected);
    }

    #[test]
    fn a_name_is_written_from_its_end() {
        let pair = |kind: &[u8], text: &str| {
            der::sequence(&[
                &der::tlv(der::tag::OBJECT_IDENTIFIER, kind),
                &der::utf8_string(text),
            ])
        };
        let country = pair(&[0x55, 4, 6], "CN");
        let both = der::set(&[&pair(&[0x55, 4, 3], "a"), &pair(&[0x55, 4, 11], "b")]);
        // emailAddress has no name in RFC 2253.
        let address = pair(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01], "x");
        let name = der::sequence(&[&der::set(&[&country]), &both, &der::set(&[&address])]);
        let written = super::rfc2253(Tlv::whole(&name).unwrap().reader()).unwrap();
        assert_eq!(written, "1.2.840.113549.1.9.1=#0c0178,CN=a+OU=b,C=CN");
    }

    #[test]
    fn leading_zeros_of_a_serial_number_do_not_count() {
        assert_eq!(decimal(&[0, 0, 1, 0]), "256");
        assert_eq!(decimal(&[0]), "0");
    }

    #[test]
    fn what_would_end_a_value_is_escaped() {
        assert_eq!(escaped("a, \"b\"; c"), "a\\, \\\"b\\\"\\; c");
        assert_eq!(escaped(" #a "), "\\ #a\\ ");
        assert_eq!(escaped("#a#"), "\\#a#");
    }
}
