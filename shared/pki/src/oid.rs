//! Object identifiers that the platform reads or writes (GM/T 0006-2012, RFC 5280).

pub use const_oid::ObjectIdentifier;

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $dotted:literal;)*) => {
        $($(#[$doc])* pub const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($dotted);)*
    };
}

oids! {
    /// An elliptic-curve public key.
    EC_PUBLIC_KEY = "1.2.840.10045.2.1";
    /// A prime field, in explicit curve parameters.
    PRIME_FIELD = "1.2.840.10045.1.1";
    /// The curve sm2p256v1, also "the algorithm SM2".
    SM2 = "1.2.156.10197.1.301";
    /// SM2 signature with SM3: the algorithm of every certificate signature here.
    SM2_WITH_SM3 = "1.2.156.10197.1.501";
    /// SM3 without a key.
    SM3 = "1.2.156.10197.1.401";
    /// SM4 without a mode: SM4-ECB without padding where no parameters follow.
    SM4 = "1.2.156.10197.1.104";
    /// SM4-ECB.
    SM4_ECB = "1.2.156.10197.1.104.1";

    /// RSA keys, and the signature scheme of PKCS #1 without a digest.
    RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
    /// RSA PKCS #1 with SHA-1.
    SHA1_WITH_RSA = "1.2.840.113549.1.1.5";
    /// RSASSA-PSS; its parameters name the digest.
    RSASSA_PSS = "1.2.840.113549.1.1.10";
    /// The mask generation function of RSASSA-PSS.
    MGF1 = "1.2.840.113549.1.1.8";
    /// RSA PKCS #1 with SHA-256.
    SHA256_WITH_RSA = "1.2.840.113549.1.1.11";
    /// RSA PKCS #1 with SHA-384.
    SHA384_WITH_RSA = "1.2.840.113549.1.1.12";
    /// RSA PKCS #1 with SHA-512.
    SHA512_WITH_RSA = "1.2.840.113549.1.1.13";
    /// ECDSA with SHA-1.
    ECDSA_WITH_SHA1 = "1.2.840.10045.4.1";
    /// ECDSA with SHA-256.
    ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
    /// ECDSA with SHA-384.
    ECDSA_WITH_SHA384 = "1.2.840.10045.4.3.3";
    /// ECDSA with SHA-512.
    ECDSA_WITH_SHA512 = "1.2.840.10045.4.3.4";
    /// Ed25519, key and signature.
    ED25519 = "1.3.101.112";
    /// The curve P-256.
    P256 = "1.2.840.10045.3.1.7";
    /// The curve P-384.
    P384 = "1.3.132.0.34";
    /// The curve P-521.
    P521 = "1.3.132.0.35";
    /// SHA-1.
    SHA1 = "1.3.14.3.2.26";
    /// SHA-256.
    SHA256 = "2.16.840.1.101.3.4.2.1";
    /// SHA-384.
    SHA384 = "2.16.840.1.101.3.4.2.2";
    /// SHA-512.
    SHA512 = "2.16.840.1.101.3.4.2.3";

    /// countryName.
    COUNTRY = "2.5.4.6";
    /// stateOrProvinceName.
    STATE = "2.5.4.8";
    /// localityName.
    LOCALITY = "2.5.4.7";
    /// organizationName.
    ORGANIZATION = "2.5.4.10";
    /// organizationalUnitName.
    ORGANIZATIONAL_UNIT = "2.5.4.11";
    /// commonName.
    COMMON_NAME = "2.5.4.3";

    /// authorityKeyIdentifier.
    AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
    /// subjectKeyIdentifier.
    SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
    /// keyUsage.
    KEY_USAGE = "2.5.29.15";
    /// basicConstraints.
    BASIC_CONSTRAINTS = "2.5.29.19";
    /// cRLDistributionPoints.
    CRL_DISTRIBUTION_POINTS = "2.5.29.31";
    /// certificatePolicies.
    CERTIFICATE_POLICIES = "2.5.29.32";
    /// anyPolicy.
    ANY_POLICY = "2.5.29.32.0";
    /// authorityInfoAccess.
    AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1";
    /// id-ad-ocsp.
    AD_OCSP = "1.3.6.1.5.5.7.48.1";
    /// id-ad-caIssuers.
    AD_CA_ISSUERS = "1.3.6.1.5.5.7.48.2";

    /// subjectAltName.
    SUBJECT_ALT_NAME = "2.5.29.17";
    /// issuerAltName.
    ISSUER_ALT_NAME = "2.5.29.18";
    /// nameConstraints.
    NAME_CONSTRAINTS = "2.5.29.30";
    /// policyMappings.
    POLICY_MAPPINGS = "2.5.29.33";
    /// policyConstraints.
    POLICY_CONSTRAINTS = "2.5.29.36";
    /// anyExtendedKeyUsage.
    ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
    /// inhibitAnyPolicy.
    INHIBIT_ANY_POLICY = "2.5.29.54";
    /// emailAddress, an attribute of names (PKCS #9).
    EMAIL_ADDRESS = "1.2.840.113549.1.9.1";

    /// `IdentifyCode`: a person's identity document (GM/T 0015-2012, 5.2.4).
    IDENTIFY_CODE = "1.2.156.10260.4.1.1";
    /// `OrganizationCode`: the unified social credit code (GM/T 0015-2012, 5.2.4).
    ORGANIZATION_CODE = "1.2.156.10260.4.1.4";
}

// Revocation lists, status answers, and the purposes of keys.
oids! {
    /// cRLNumber.
    CRL_NUMBER = "2.5.29.20";
    /// reasonCode of an entry.
    REASON_CODE = "2.5.29.21";
    /// invalidityDate of an entry.
    INVALIDITY_DATE = "2.5.29.24";
    /// deltaCRLIndicator.
    DELTA_CRL_INDICATOR = "2.5.29.27";
    /// issuingDistributionPoint.
    ISSUING_DISTRIBUTION_POINT = "2.5.29.28";
    /// certificateIssuer of an entry.
    CERTIFICATE_ISSUER = "2.5.29.29";
    /// freshestCRL.
    FRESHEST_CRL = "2.5.29.46";

    /// id-pkix-ocsp-basic: the one type of answer.
    OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1";
    /// id-pkix-ocsp-nonce.
    OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2";
    /// id-pkix-ocsp-nocheck: nobody asks whether a responder's certificate is revoked.
    OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5";

    /// extKeyUsage.
    EXTENDED_KEY_USAGE = "2.5.29.37";
    /// id-kp-clientAuth.
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    /// id-kp-emailProtection.
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
    /// id-kp-timeStamping.
    TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
    /// id-kp-OCSPSigning.
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
    /// id-tsl-kp-tslSigning: signs lists of trusted CAs (ETSI TS 119 612, 5.7.1).
    TRUST_LIST_SIGNING = "0.4.0.2231.3.0";

    /// `InsuranceNumber` (GM/T 0015-2012, 5.2.4).
    INSURANCE_NUMBER = "1.2.156.10260.4.1.2";
    /// `ICRegistrationNumber`: the business registration (GM/T 0015-2012, 5.2.4).
    BUSINESS_REGISTRATION_NUMBER = "1.2.156.10260.4.1.3";
    /// `TaxationNumber` (GM/T 0015-2012, 5.2.4).
    TAX_NUMBER = "1.2.156.10260.4.1.5";

    /// SM2 as a signature algorithm (GM/T 0006).
    SM2_SIGN = "1.2.156.10197.1.301.1";
    /// SM2 as an encryption algorithm (GM/T 0006).
    SM2_ENCRYPT = "1.2.156.10197.1.301.3";
    /// SM4-CBC.
    SM4_CBC = "1.2.156.10197.1.104.2";
    /// data (GM/T 0010).
    GM_DATA = "1.2.156.10197.6.1.4.2.1";
    /// signedData (GM/T 0010).
    GM_SIGNED_DATA = "1.2.156.10197.6.1.4.2.2";
    /// envelopedData (GM/T 0010).
    GM_ENVELOPED_DATA = "1.2.156.10197.6.1.4.2.3";
    /// signedAndEnvelopedData (GM/T 0010).
    GM_SIGNED_AND_ENVELOPED_DATA = "1.2.156.10197.6.1.4.2.4";
    /// data (PKCS #7).
    PKCS7_DATA = "1.2.840.113549.1.7.1";
    /// signedData (PKCS #7).
    PKCS7_SIGNED_DATA = "1.2.840.113549.1.7.2";
    /// envelopedData (PKCS #7).
    PKCS7_ENVELOPED_DATA = "1.2.840.113549.1.7.3";
    /// signedAndEnvelopedData (PKCS #7).
    PKCS7_SIGNED_AND_ENVELOPED_DATA = "1.2.840.113549.1.7.4";
    /// The attribute contentType.
    CONTENT_TYPE = "1.2.840.113549.1.9.3";
    /// The attribute messageDigest.
    MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
}
