//! The cases of PKITS 1.0.1, section 4, with the settings and the outcome that their descriptions give. Where the description says
//! that a path must not be accepted because revocation cannot be told, the expected outcome is indeterminate.

use yinxin_pki::path::{Outcome, Rule};

/// One case with one choice of settings.
#[derive(Debug)]
pub struct Case {
    /// Number in the description; in brackets the choice of settings.
    pub number: &'static str,
    /// File of the certificate.
    pub target: &'static str,
    /// Files of the issuers, without `Cert`.
    pub issuers: &'static [&'static str],
    /// Files of lists that do not bear an issuer's name.
    pub lists: &'static [&'static str],
    /// Why it is not accepted.
    pub because: Option<(Outcome, Rule)>,
    /// user-initial-policy-set, by the numbers of NIST's test policies.
    pub policies: Option<&'static [u32]>,
    /// initial-explicit-policy.
    pub explicit: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_mapping: bool,
    /// initial-inhibit-any-policy.
    pub inhibit_any: bool,
}

type Names = &'static [&'static str];

const fn valid(number: &'static str, target: &'static str, issuers: Names) -> Case {
    Case {
        number,
        target,
        issuers,
        lists: &[],
        because: None,
        policies: None,
        explicit: false,
        inhibit_mapping: false,
        inhibit_any: false,
    }
}

const fn failed(number: &'static str, target: &'static str, issuers: Names, rule: Rule) -> Case {
    Case {
        because: Some((Outcome::Failed, rule)),
        ..valid(number, target, issuers)
    }
}

const fn open(number: &'static str, target: &'static str, issuers: Names) -> Case {
    Case {
        because: Some((Outcome::Indeterminate, Rule::Revocation)),
        ..valid(number, target, issuers)
    }
}

impl Case {
    const fn lists(self, lists: Names) -> Self {
        Self { lists, ..self }
    }

    const fn policies(self, policies: &'static [u32]) -> Self {
        Self {
            policies: Some(policies),
            ..self
        }
    }

    const fn explicit(self) -> Self {
        Self {
            explicit: true,
            ..self
        }
    }

    const fn inhibit_mapping(self) -> Self {
        Self {
            inhibit_mapping: true,
            ..self
        }
    }

    const fn inhibit_any(self) -> Self {
        Self {
            inhibit_any: true,
            ..self
        }
    }
}

/// All cases that apply.
#[rustfmt::skip]
pub const CASES: &[Case] = &[
    // 4.1 Signature verification; 4.1.4 to 4.1.6 are DSA.
    valid("4.1.1", "ValidCertificatePathTest1EE", &["GoodCA"]),
    failed("4.1.2", "InvalidCASignatureTest2EE", &["BadSignedCA"], Rule::Path),
    failed("4.1.3", "InvalidEESignatureTest3EE", &["GoodCA"], Rule::Signature),
    // 4.2 Validity periods.
    failed("4.2.1", "InvalidCAnotBeforeDateTest1EE", &["BadnotBeforeDateCA"], Rule::Validity),
    failed("4.2.2", "InvalidEEnotBeforeDateTest2EE", &["GoodCA"], Rule::Validity),
    valid("4.2.3", "Validpre2000UTCnotBeforeDateTest3EE", &["GoodCA"]),
    valid("4.2.4", "ValidGeneralizedTimenotBeforeDateTest4EE", &["GoodCA"]),
    failed("4.2.5", "InvalidCAnotAfterDateTest5EE", &["BadnotAfterDateCA"], Rule::Validity),
    failed("4.2.6", "InvalidEEnotAfterDateTest6EE", &["GoodCA"], Rule::Validity),
    failed("4.2.7", "Invalidpre2000UTCEEnotAfterDateTest7EE", &["GoodCA"], Rule::Validity),
    valid("4.2.8", "ValidGeneralizedTimenotAfterDateTest8EE", &["GoodCA"]),
    // 4.3 Name chaining.
    failed("4.3.1", "InvalidNameChainingTest1EE", &["GoodCA"], Rule::Path),
    failed("4.3.2", "InvalidNameChainingOrderTest2EE", &["NameOrderingCA"], Rule::Path).lists(&["NameOrderCACRL"]),
    valid("4.3.3", "ValidNameChainingWhitespaceTest3EE", &["GoodCA"]),
    valid("4.3.4", "ValidNameChainingWhitespaceTest4EE", &["GoodCA"]),
    valid("4.3.5", "ValidNameChainingCapitalizationTest5EE", &["GoodCA"]),
    valid("4.3.6", "ValidNameUIDsTest6EE", &["UIDCA"]),
    valid("4.3.7", "ValidRFC3280MandatoryAttributeTypesTest7EE", &["RFC3280MandatoryAttributeTypesCA"]),
    valid("4.3.8", "ValidRFC3280OptionalAttributeTypesTest8EE", &["RFC3280OptionalAttributeTypesCA"]),
    valid("4.3.9", "ValidUTF8StringEncodedNamesTest9EE", &["UTF8StringEncodedNamesCA"]),
    valid("4.3.10", "ValidRolloverfromPrintableStringtoUTF8StringTest10EE", &["RolloverfromPrintableStringtoUTF8StringCA"]),
    valid("4.3.11", "ValidUTF8StringCaseInsensitiveMatchTest11EE", &["UTF8StringCaseInsensitiveMatchCA"]),
    // 4.4 Basic certificate revocation.
    open("4.4.1", "InvalidMissingCRLTest1EE", &["NoCRLCA"]),
    failed("4.4.2", "InvalidRevokedCATest2EE", &["GoodCA", "RevokedsubCA"], Rule::Revocation),
    failed("4.4.3", "InvalidRevokedEETest3EE", &["GoodCA"], Rule::Revocation),
    open("4.4.4", "InvalidBadCRLSignatureTest4EE", &["BadCRLSignatureCA"]),
    open("4.4.5", "InvalidBadCRLIssuerNameTest5EE", &["BadCRLIssuerNameCA"]),
    open("4.4.6", "InvalidWrongCRLTest6EE", &["WrongCRLCA"]),
    valid("4.4.7", "ValidTwoCRLsTest7EE", &["TwoCRLsCA"]).lists(&["TwoCRLsCABadCRL", "TwoCRLsCAGoodCRL"]),
    failed("4.4.8", "InvalidUnknownCRLEntryExtensionTest8EE", &["UnknownCRLEntryExtensionCA"], Rule::Revocation),
    failed("4.4.9", "InvalidUnknownCRLExtensionTest9EE", &["UnknownCRLExtensionCA"], Rule::Revocation),
    open("4.4.10", "InvalidUnknownCRLExtensionTest10EE", &["UnknownCRLExtensionCA"]),
    open("4.4.11", "InvalidOldCRLnextUpdateTest11EE", &["OldCRLnextUpdateCA"]),
    open("4.4.12", "Invalidpre2000CRLnextUpdateTest12EE", &["pre2000CRLnextUpdateCA"]),
    valid("4.4.13", "ValidGeneralizedTimeCRLnextUpdateTest13EE", &["GeneralizedTimeCRLnextUpdateCA"]),
    valid("4.4.14", "ValidNegativeSerialNumberTest14EE", &["NegativeSerialNumberCA"]),
    failed("4.4.15", "InvalidNegativeSerialNumberTest15EE", &["NegativeSerialNumberCA"], Rule::Revocation),
    valid("4.4.16", "ValidLongSerialNumberTest16EE", &["LongSerialNumberCA"]),
    valid("4.4.17", "ValidLongSerialNumberTest17EE", &["LongSerialNumberCA"]),
    failed("4.4.18", "InvalidLongSerialNumberTest18EE", &["LongSerialNumberCA"], Rule::Revocation),
    valid("4.4.19", "ValidSeparateCertificateandCRLKeysTest19EE", &["SeparateCertificateandCRLKeysCertificateSigningCA", "SeparateCertificateandCRLKeysCRLSigning"]).lists(&["SeparateCertificateandCRLKeysCRL"]),
    failed("4.4.20", "InvalidSeparateCertificateandCRLKeysTest20EE", &["SeparateCertificateandCRLKeysCertificateSigningCA", "SeparateCertificateandCRLKeysCRLSigning"], Rule::Revocation).lists(&["SeparateCertificateandCRLKeysCRL"]),
    open("4.4.21", "InvalidSeparateCertificateandCRLKeysTest21EE", &["SeparateCertificateandCRLKeysCA2CertificateSigningCA", "SeparateCertificateandCRLKeysCA2CRLSigning"]).lists(&["SeparateCertificateandCRLKeysCA2CRL"]),
    // 4.5 Self-issued certificates.
    valid("4.5.1", "ValidBasicSelfIssuedOldWithNewTest1EE", &["BasicSelfIssuedNewKeyCA", "BasicSelfIssuedNewKeyOldWithNewCA"]),
    failed("4.5.2", "InvalidBasicSelfIssuedOldWithNewTest2EE", &["BasicSelfIssuedNewKeyCA", "BasicSelfIssuedNewKeyOldWithNewCA"], Rule::Revocation),
    valid("4.5.3", "ValidBasicSelfIssuedNewWithOldTest3EE", &["BasicSelfIssuedOldKeyCA", "BasicSelfIssuedOldKeyNewWithOldCA"]).lists(&["BasicSelfIssuedOldKeySelfIssuedCertCRL"]),
    valid("4.5.4", "ValidBasicSelfIssuedNewWithOldTest4EE", &["BasicSelfIssuedOldKeyCA", "BasicSelfIssuedOldKeyNewWithOldCA"]).lists(&["BasicSelfIssuedOldKeySelfIssuedCertCRL"]),
    failed("4.5.5", "InvalidBasicSelfIssuedNewWithOldTest5EE", &["BasicSelfIssuedOldKeyCA", "BasicSelfIssuedOldKeyNewWithOldCA"], Rule::Revocation).lists(&["BasicSelfIssuedOldKeySelfIssuedCertCRL"]),
    valid("4.5.6", "ValidBasicSelfIssuedCRLSigningKeyTest6EE", &["BasicSelfIssuedCRLSigningKeyCA", "BasicSelfIssuedCRLSigningKeyCRL"]).lists(&["BasicSelfIssuedCRLSigningKeyCRLCertCRL"]),
    failed("4.5.7", "InvalidBasicSelfIssuedCRLSigningKeyTest7EE", &["BasicSelfIssuedCRLSigningKeyCA", "BasicSelfIssuedCRLSigningKeyCRL"], Rule::Revocation).lists(&["BasicSelfIssuedCRLSigningKeyCRLCertCRL"]),
    failed("4.5.8", "InvalidBasicSelfIssuedCRLSigningKeyTest8EE", &["BasicSelfIssuedCRLSigningKeyCA", "BasicSelfIssuedCRLSigningKeyCRL"], Rule::BasicConstraints).lists(&["BasicSelfIssuedCRLSigningKeyCRLCertCRL"]),
    // 4.6 Verifying basic constraints.
    failed("4.6.1", "InvalidMissingbasicConstraintsTest1EE", &["MissingbasicConstraintsCA"], Rule::BasicConstraints),
    failed("4.6.2", "InvalidcAFalseTest2EE", &["basicConstraintsCriticalcAFalseCA"], Rule::BasicConstraints),
    failed("4.6.3", "InvalidcAFalseTest3EE", &["basicConstraintsNotCriticalcAFalseCA"], Rule::BasicConstraints),
    valid("4.6.4", "ValidbasicConstraintsNotCriticalTest4EE", &["basicConstraintsNotCriticalCA"]),
    failed("4.6.5", "InvalidpathLenConstraintTest5EE", &["pathLenConstraint0CA", "pathLenConstraint0subCA"], Rule::PathLength),
    failed("4.6.6", "InvalidpathLenConstraintTest6EE", &["pathLenConstraint0CA", "pathLenConstraint0subCA"], Rule::PathLength),
    valid("4.6.7", "ValidpathLenConstraintTest7EE", &["pathLenConstraint0CA"]),
    valid("4.6.8", "ValidpathLenConstraintTest8EE", &["pathLenConstraint0CA"]),
    failed("4.6.9", "InvalidpathLenConstraintTest9EE", &["pathLenConstraint6CA", "pathLenConstraint6subCA0", "pathLenConstraint6subsubCA00"], Rule::PathLength),
    failed("4.6.10", "InvalidpathLenConstraintTest10EE", &["pathLenConstraint6CA", "pathLenConstraint6subCA0", "pathLenConstraint6subsubCA00"], Rule::PathLength),
    failed("4.6.11", "InvalidpathLenConstraintTest11EE", &["pathLenConstraint6CA", "pathLenConstraint6subCA1", "pathLenConstraint6subsubCA11", "pathLenConstraint6subsubsubCA11X"], Rule::PathLength),
    failed("4.6.12", "InvalidpathLenConstraintTest12EE", &["pathLenConstraint6CA", "pathLenConstraint6subCA1", "pathLenConstraint6subsubCA11", "pathLenConstraint6subsubsubCA11X"], Rule::PathLength),
    valid("4.6.13", "ValidpathLenConstraintTest13EE", &["pathLenConstraint6CA", "pathLenConstraint6subCA4", "pathLenConstraint6subsubCA41", "pathLenConstraint6subsubsubCA41X"]),
    valid("4.6.14", "ValidpathLenConstraintTest14EE", &["pathLenConstraint6CA", "pathLenConstraint6subCA4", "pathLenConstraint6subsubCA41", "pathLenConstraint6subsubsubCA41X"]),
    valid("4.6.15", "ValidSelfIssuedpathLenConstraintTest15EE", &["pathLenConstraint0CA", "pathLenConstraint0SelfIssuedCA"]),
    failed("4.6.16", "InvalidSelfIssuedpathLenConstraintTest16EE", &["pathLenConstraint0CA", "pathLenConstraint0SelfIssuedCA", "pathLenConstraint0subCA2"], Rule::PathLength),
    valid("4.6.17", "ValidSelfIssuedpathLenConstraintTest17EE", &["pathLenConstraint1CA", "pathLenConstraint1SelfIssuedCA", "pathLenConstraint1subCA", "pathLenConstraint1SelfIssuedsubCA"]),
    // 4.7 Key usage.
    failed("4.7.1", "InvalidkeyUsageCriticalkeyCertSignFalseTest1EE", &["keyUsageCriticalkeyCertSignFalseCA"], Rule::KeyUsage),
    failed("4.7.2", "InvalidkeyUsageNotCriticalkeyCertSignFalseTest2EE", &["keyUsageNotCriticalkeyCertSignFalseCA"], Rule::KeyUsage),
    valid("4.7.3", "ValidkeyUsageNotCriticalTest3EE", &["keyUsageNotCriticalCA"]),
    open("4.7.4", "InvalidkeyUsageCriticalcRLSignFalseTest4EE", &["keyUsageCriticalcRLSignFalseCA"]),
    open("4.7.5", "InvalidkeyUsageNotCriticalcRLSignFalseTest5EE", &["keyUsageNotCriticalcRLSignFalseCA"]),
    // 4.8 Certificate policies.
    valid("4.8.1 (1)", "ValidCertificatePathTest1EE", &["GoodCA"]).explicit(),
    valid("4.8.1 (2)", "ValidCertificatePathTest1EE", &["GoodCA"]).policies(&[1]).explicit(),
    failed("4.8.1 (3)", "ValidCertificatePathTest1EE", &["GoodCA"], Rule::Policy).policies(&[2]).explicit(),
    valid("4.8.1 (4)", "ValidCertificatePathTest1EE", &["GoodCA"]).policies(&[1, 2]).explicit(),
    valid("4.8.2 (1)", "AllCertificatesNoPoliciesTest2EE", &["NoPoliciesCA"]),
    failed("4.8.2 (2)", "AllCertificatesNoPoliciesTest2EE", &["NoPoliciesCA"], Rule::Policy).explicit(),
    valid("4.8.3 (1)", "DifferentPoliciesTest3EE", &["GoodCA", "PoliciesP2subCA"]),
    failed("4.8.3 (2)", "DifferentPoliciesTest3EE", &["GoodCA", "PoliciesP2subCA"], Rule::Policy).explicit(),
    failed("4.8.3 (3)", "DifferentPoliciesTest3EE", &["GoodCA", "PoliciesP2subCA"], Rule::Policy).policies(&[1, 2]).explicit(),
    failed("4.8.4", "DifferentPoliciesTest4EE", &["GoodCA", "GoodsubCA"], Rule::Policy),
    failed("4.8.5", "DifferentPoliciesTest5EE", &["GoodCA", "PoliciesP2subCA2"], Rule::Policy),
    valid("4.8.6 (1)", "OverlappingPoliciesTest6EE", &["PoliciesP1234CA", "PoliciesP1234subCAP123", "PoliciesP1234subsubCAP123P12"]),
    valid("4.8.6 (2)", "OverlappingPoliciesTest6EE", &["PoliciesP1234CA", "PoliciesP1234subCAP123", "PoliciesP1234subsubCAP123P12"]).policies(&[1]),
    failed("4.8.6 (3)", "OverlappingPoliciesTest6EE", &["PoliciesP1234CA", "PoliciesP1234subCAP123", "PoliciesP1234subsubCAP123P12"], Rule::Policy).policies(&[2]),
    failed("4.8.7", "DifferentPoliciesTest7EE", &["PoliciesP123CA", "PoliciesP123subCAP12", "PoliciesP123subsubCAP12P1"], Rule::Policy),
    failed("4.8.8", "DifferentPoliciesTest8EE", &["PoliciesP12CA", "PoliciesP12subCAP1", "PoliciesP12subsubCAP1P2"], Rule::Policy),
    failed("4.8.9", "DifferentPoliciesTest9EE", &["PoliciesP123CA", "PoliciesP123subCAP12", "PoliciesP123subsubCAP12P2", "PoliciesP123subsubsubCAP12P2P1"], Rule::Policy).lists(&["PoliciesP123subsubCAP2P2CRL"]),
    valid("4.8.10 (1)", "AllCertificatesSamePoliciesTest10EE", &["PoliciesP12CA"]),
    valid("4.8.10 (2)", "AllCertificatesSamePoliciesTest10EE", &["PoliciesP12CA"]).policies(&[1]),
    valid("4.8.10 (3)", "AllCertificatesSamePoliciesTest10EE", &["PoliciesP12CA"]).policies(&[2]),
    valid("4.8.11 (1)", "AllCertificatesanyPolicyTest11EE", &["anyPolicyCA"]),
    valid("4.8.11 (2)", "AllCertificatesanyPolicyTest11EE", &["anyPolicyCA"]).policies(&[1]),
    failed("4.8.12", "DifferentPoliciesTest12EE", &["PoliciesP3CA"], Rule::Policy),
    valid("4.8.13 (1)", "AllCertificatesSamePoliciesTest13EE", &["PoliciesP123CA"]).policies(&[1]),
    valid("4.8.13 (2)", "AllCertificatesSamePoliciesTest13EE", &["PoliciesP123CA"]).policies(&[2]),
    valid("4.8.13 (3)", "AllCertificatesSamePoliciesTest13EE", &["PoliciesP123CA"]).policies(&[3]),
    valid("4.8.14 (1)", "AnyPolicyTest14EE", &["anyPolicyCA"]).policies(&[1]),
    failed("4.8.14 (2)", "AnyPolicyTest14EE", &["anyPolicyCA"], Rule::Policy).policies(&[2]),
    valid("4.8.15", "UserNoticeQualifierTest15EE", &[]),
    valid("4.8.16", "UserNoticeQualifierTest16EE", &["GoodCA"]),
    valid("4.8.17", "UserNoticeQualifierTest17EE", &["GoodCA"]),
    valid("4.8.18 (1)", "UserNoticeQualifierTest18EE", &["PoliciesP12CA"]).policies(&[1]),
    valid("4.8.18 (2)", "UserNoticeQualifierTest18EE", &["PoliciesP12CA"]).policies(&[2]),
    valid("4.8.19", "UserNoticeQualifierTest19EE", &[]),
    valid("4.8.20 (1)", "CPSPointerQualifierTest20EE", &["GoodCA"]),
    valid("4.8.20 (2)", "CPSPointerQualifierTest20EE", &["GoodCA"]).policies(&[1]).explicit(),
    // 4.9 Require explicit policy.
    valid("4.9.1", "ValidrequireExplicitPolicyTest1EE", &["requireExplicitPolicy10CA", "requireExplicitPolicy10subCA", "requireExplicitPolicy10subsubCA", "requireExplicitPolicy10subsubsubCA"]),
    valid("4.9.2", "ValidrequireExplicitPolicyTest2EE", &["requireExplicitPolicy5CA", "requireExplicitPolicy5subCA", "requireExplicitPolicy5subsubCA", "requireExplicitPolicy5subsubsubCA"]),
    failed("4.9.3", "InvalidrequireExplicitPolicyTest3EE", &["requireExplicitPolicy4CA", "requireExplicitPolicy4subCA", "requireExplicitPolicy4subsubCA", "requireExplicitPolicy4subsubsubCA"], Rule::Policy),
    valid("4.9.4", "ValidrequireExplicitPolicyTest4EE", &["requireExplicitPolicy0CA", "requireExplicitPolicy0subCA", "requireExplicitPolicy0subsubCA", "requireExplicitPolicy0subsubsubCA"]),
    failed("4.9.5", "InvalidrequireExplicitPolicyTest5EE", &["requireExplicitPolicy7CA", "requireExplicitPolicy7subCARE2", "requireExplicitPolicy7subsubCARE2RE4", "requireExplicitPolicy7subsubsubCARE2RE4"], Rule::Policy),
    valid("4.9.6", "ValidSelfIssuedrequireExplicitPolicyTest6EE", &["requireExplicitPolicy2CA", "requireExplicitPolicy2SelfIssuedCA"]),
    failed("4.9.7", "InvalidSelfIssuedrequireExplicitPolicyTest7EE", &["requireExplicitPolicy2CA", "requireExplicitPolicy2SelfIssuedCA", "requireExplicitPolicy2subCA"], Rule::Policy),
    failed("4.9.8", "InvalidSelfIssuedrequireExplicitPolicyTest8EE", &["requireExplicitPolicy2CA", "requireExplicitPolicy2SelfIssuedCA", "requireExplicitPolicy2subCA", "requireExplicitPolicy2SelfIssuedsubCA"], Rule::Policy),
    // 4.10 Policy mappings.
    valid("4.10.1 (1)", "ValidPolicyMappingTest1EE", &["Mapping1to2CA"]).policies(&[1]),
    failed("4.10.1 (2)", "ValidPolicyMappingTest1EE", &["Mapping1to2CA"], Rule::Policy).policies(&[2]),
    failed("4.10.1 (3)", "ValidPolicyMappingTest1EE", &["Mapping1to2CA"], Rule::Policy).inhibit_mapping(),
    failed("4.10.2 (1)", "InvalidPolicyMappingTest2EE", &["Mapping1to2CA"], Rule::Policy),
    failed("4.10.2 (2)", "InvalidPolicyMappingTest2EE", &["Mapping1to2CA"], Rule::Policy).inhibit_mapping(),
    failed("4.10.3 (1)", "ValidPolicyMappingTest3EE", &["P12Mapping1to3CA", "P12Mapping1to3subCA", "P12Mapping1to3subsubCA"], Rule::Policy).policies(&[1]),
    valid("4.10.3 (2)", "ValidPolicyMappingTest3EE", &["P12Mapping1to3CA", "P12Mapping1to3subCA", "P12Mapping1to3subsubCA"]).policies(&[2]),
    failed("4.10.4", "InvalidPolicyMappingTest4EE", &["P12Mapping1to3CA", "P12Mapping1to3subCA", "P12Mapping1to3subsubCA"], Rule::Policy),
    valid("4.10.5 (1)", "ValidPolicyMappingTest5EE", &["P1Mapping1to234CA", "P1Mapping1to234subCA"]).policies(&[1]),
    failed("4.10.5 (2)", "ValidPolicyMappingTest5EE", &["P1Mapping1to234CA", "P1Mapping1to234subCA"], Rule::Policy).policies(&[6]),
    valid("4.10.6 (1)", "ValidPolicyMappingTest6EE", &["P1Mapping1to234CA", "P1Mapping1to234subCA"]).policies(&[1]),
    failed("4.10.6 (2)", "ValidPolicyMappingTest6EE", &["P1Mapping1to234CA", "P1Mapping1to234subCA"], Rule::Policy).policies(&[6]),
    failed("4.10.7", "InvalidMappingFromanyPolicyTest7EE", &["MappingFromanyPolicyCA"], Rule::PolicyMapping),
    failed("4.10.8", "InvalidMappingToanyPolicyTest8EE", &["MappingToanyPolicyCA"], Rule::PolicyMapping),
    valid("4.10.9", "ValidPolicyMappingTest9EE", &["PanyPolicyMapping1to2CA"]),
    failed("4.10.10", "InvalidPolicyMappingTest10EE", &["GoodCA", "GoodsubCAPanyPolicyMapping1to2CA"], Rule::Policy),
    valid("4.10.11", "ValidPolicyMappingTest11EE", &["GoodCA", "GoodsubCAPanyPolicyMapping1to2CA"]),
    valid("4.10.12 (1)", "ValidPolicyMappingTest12EE", &["P12Mapping1to3CA"]).policies(&[1]),
    valid("4.10.12 (2)", "ValidPolicyMappingTest12EE", &["P12Mapping1to3CA"]).policies(&[2]),
    valid("4.10.13 (1)", "ValidPolicyMappingTest13EE", &["P1anyPolicyMapping1to2CA"]),
    valid("4.10.13 (2)", "ValidPolicyMappingTest13EE", &["P1anyPolicyMapping1to2CA"]).policies(&[1, 2]),
    failed("4.10.13 (3)", "ValidPolicyMappingTest13EE", &["P1anyPolicyMapping1to2CA"], Rule::Policy).policies(&[2]),
    valid("4.10.14", "ValidPolicyMappingTest14EE", &["P1anyPolicyMapping1to2CA"]),
    // 4.11 Inhibit policy mapping.
    failed("4.11.1", "InvalidinhibitPolicyMappingTest1EE", &["inhibitPolicyMapping0CA", "inhibitPolicyMapping0subCA"], Rule::Policy),
    valid("4.11.2", "ValidinhibitPolicyMappingTest2EE", &["inhibitPolicyMapping1P12CA", "inhibitPolicyMapping1P12subCA"]),
    failed("4.11.3", "InvalidinhibitPolicyMappingTest3EE", &["inhibitPolicyMapping1P12CA", "inhibitPolicyMapping1P12subCA", "inhibitPolicyMapping1P12subsubCA"], Rule::Policy),
    valid("4.11.4", "ValidinhibitPolicyMappingTest4EE", &["inhibitPolicyMapping1P12CA", "inhibitPolicyMapping1P12subCA", "inhibitPolicyMapping1P12subsubCA"]),
    failed("4.11.5", "InvalidinhibitPolicyMappingTest5EE", &["inhibitPolicyMapping5CA", "inhibitPolicyMapping5subCA", "inhibitPolicyMapping5subsubCA", "inhibitPolicyMapping5subsubsubCA"], Rule::Policy),
    failed("4.11.6", "InvalidinhibitPolicyMappingTest6EE", &["inhibitPolicyMapping1P12CA", "inhibitPolicyMapping1P12subCAIPM5", "inhibitPolicyMapping1P12subsubCAIPM5"], Rule::Policy),
    valid("4.11.7", "ValidSelfIssuedinhibitPolicyMappingTest7EE", &["inhibitPolicyMapping1P1CA", "inhibitPolicyMapping1P1SelfIssuedCA", "inhibitPolicyMapping1P1subCA"]),
    failed("4.11.8", "InvalidSelfIssuedinhibitPolicyMappingTest8EE", &["inhibitPolicyMapping1P1CA", "inhibitPolicyMapping1P1SelfIssuedCA", "inhibitPolicyMapping1P1subCA", "inhibitPolicyMapping1P1subsubCA"], Rule::Policy),
    failed("4.11.9", "InvalidSelfIssuedinhibitPolicyMappingTest9EE", &["inhibitPolicyMapping1P1CA", "inhibitPolicyMapping1P1SelfIssuedCA", "inhibitPolicyMapping1P1subCA", "inhibitPolicyMapping1P1subsubCA"], Rule::Policy),
    failed("4.11.10", "InvalidSelfIssuedinhibitPolicyMappingTest10EE", &["inhibitPolicyMapping1P1CA", "inhibitPolicyMapping1P1SelfIssuedCA", "inhibitPolicyMapping1P1subCA", "inhibitPolicyMapping1P1SelfIssuedsubCA"], Rule::Policy),
    failed("4.11.11", "InvalidSelfIssuedinhibitPolicyMappingTest11EE", &["inhibitPolicyMapping1P1CA", "inhibitPolicyMapping1P1SelfIssuedCA", "inhibitPolicyMapping1P1subCA", "inhibitPolicyMapping1P1SelfIssuedsubCA"], Rule::Policy),
    // 4.12 Inhibit any policy.
    failed("4.12.1", "InvalidinhibitAnyPolicyTest1EE", &["inhibitAnyPolicy0CA"], Rule::Policy),
    valid("4.12.2", "ValidinhibitAnyPolicyTest2EE", &["inhibitAnyPolicy0CA"]),
    valid("4.12.3 (1)", "inhibitAnyPolicyTest3EE", &["inhibitAnyPolicy1CA", "inhibitAnyPolicy1subCA1"]),
    failed("4.12.3 (2)", "inhibitAnyPolicyTest3EE", &["inhibitAnyPolicy1CA", "inhibitAnyPolicy1subCA1"], Rule::Policy).inhibit_any(),
    failed("4.12.4", "InvalidinhibitAnyPolicyTest4EE", &["inhibitAnyPolicy1CA", "inhibitAnyPolicy1subCA1"], Rule::Policy),
    failed("4.12.5", "InvalidinhibitAnyPolicyTest5EE", &["inhibitAnyPolicy5CA", "inhibitAnyPolicy5subCA", "inhibitAnyPolicy5subsubCA"], Rule::Policy),
    failed("4.12.6", "InvalidinhibitAnyPolicyTest6EE", &["inhibitAnyPolicy1CA", "inhibitAnyPolicy1subCAIAP5"], Rule::Policy),
    valid("4.12.7", "ValidSelfIssuedinhibitAnyPolicyTest7EE", &["inhibitAnyPolicy1CA", "inhibitAnyPolicy1SelfIssuedCA", "inhibitAnyPolicy1subCA2"]),
    failed("4.12.8", "InvalidSelfIssuedinhibitAnyPolicyTest8EE", &["inhibitAnyPolicy1CA", "inhibitAnyPolicy1SelfIssuedCA", "inhibitAnyPolicy1subCA2", "inhibitAnyPolicy1subsubCA2"], Rule::Policy),
    valid("4.12.9", "ValidSelfIssuedinhibitAnyPolicyTest9EE", &["inhibitAnyPolicy1CA", "inhibitAnyPolicy1SelfIssuedCA", "inhibitAnyPolicy1subCA2", "inhibitAnyPolicy1SelfIssuedsubCA2"]),
    failed("4.12.10", "InvalidSelfIssuedinhibitAnyPolicyTest10EE", &["inhibitAnyPolicy1CA", "inhibitAnyPolicy1SelfIssuedCA", "inhibitAnyPolicy1subCA2"], Rule::Policy),
    // 4.13 Name constraints.
    valid("4.13.1", "ValidDNnameConstraintsTest1EE", &["nameConstraintsDN1CA"]),
    failed("4.13.2", "InvalidDNnameConstraintsTest2EE", &["nameConstraintsDN1CA"], Rule::NameConstraints),
    failed("4.13.3", "InvalidDNnameConstraintsTest3EE", &["nameConstraintsDN1CA"], Rule::NameConstraints),
    valid("4.13.4", "ValidDNnameConstraintsTest4EE", &["nameConstraintsDN1CA"]),
    valid("4.13.5", "ValidDNnameConstraintsTest5EE", &["nameConstraintsDN2CA"]),
    valid("4.13.6", "ValidDNnameConstraintsTest6EE", &["nameConstraintsDN3CA"]),
    failed("4.13.7", "InvalidDNnameConstraintsTest7EE", &["nameConstraintsDN3CA"], Rule::NameConstraints),
    failed("4.13.8", "InvalidDNnameConstraintsTest8EE", &["nameConstraintsDN4CA"], Rule::NameConstraints),
    failed("4.13.9", "InvalidDNnameConstraintsTest9EE", &["nameConstraintsDN4CA"], Rule::NameConstraints),
    failed("4.13.10", "InvalidDNnameConstraintsTest10EE", &["nameConstraintsDN5CA"], Rule::NameConstraints),
    valid("4.13.11", "ValidDNnameConstraintsTest11EE", &["nameConstraintsDN5CA"]),
    failed("4.13.12", "InvalidDNnameConstraintsTest12EE", &["nameConstraintsDN1CA", "nameConstraintsDN1subCA1"], Rule::NameConstraints),
    failed("4.13.13", "InvalidDNnameConstraintsTest13EE", &["nameConstraintsDN1CA", "nameConstraintsDN1subCA2"], Rule::NameConstraints),
    valid("4.13.14", "ValidDNnameConstraintsTest14EE", &["nameConstraintsDN1CA", "nameConstraintsDN1subCA2"]),
    failed("4.13.15", "InvalidDNnameConstraintsTest15EE", &["nameConstraintsDN3CA", "nameConstraintsDN3subCA1"], Rule::NameConstraints),
    failed("4.13.16", "InvalidDNnameConstraintsTest16EE", &["nameConstraintsDN3CA", "nameConstraintsDN3subCA1"], Rule::NameConstraints),
    failed("4.13.17", "InvalidDNnameConstraintsTest17EE", &["nameConstraintsDN3CA", "nameConstraintsDN3subCA2"], Rule::NameConstraints),
    valid("4.13.18", "ValidDNnameConstraintsTest18EE", &["nameConstraintsDN3CA", "nameConstraintsDN3subCA2"]),
    valid("4.13.19", "ValidDNnameConstraintsTest19EE", &["nameConstraintsDN1CA", "nameConstraintsDN1SelfIssuedCA"]),
    failed("4.13.20", "InvalidDNnameConstraintsTest20EE", &["nameConstraintsDN1CA"], Rule::NameConstraints),
    valid("4.13.21", "ValidRFC822nameConstraintsTest21EE", &["nameConstraintsRFC822CA1"]),
    failed("4.13.22", "InvalidRFC822nameConstraintsTest22EE", &["nameConstraintsRFC822CA1"], Rule::NameConstraints),
    valid("4.13.23", "ValidRFC822nameConstraintsTest23EE", &["nameConstraintsRFC822CA2"]),
    failed("4.13.24", "InvalidRFC822nameConstraintsTest24EE", &["nameConstraintsRFC822CA2"], Rule::NameConstraints),
    valid("4.13.25", "ValidRFC822nameConstraintsTest25EE", &["nameConstraintsRFC822CA3"]),
    failed("4.13.26", "InvalidRFC822nameConstraintsTest26EE", &["nameConstraintsRFC822CA3"], Rule::NameConstraints),
    valid("4.13.27", "ValidDNandRFC822nameConstraintsTest27EE", &["nameConstraintsDN1CA", "nameConstraintsDN1subCA3"]),
    failed("4.13.28", "InvalidDNandRFC822nameConstraintsTest28EE", &["nameConstraintsDN1CA", "nameConstraintsDN1subCA3"], Rule::NameConstraints),
    failed("4.13.29", "InvalidDNandRFC822nameConstraintsTest29EE", &["nameConstraintsDN1CA", "nameConstraintsDN1subCA3"], Rule::NameConstraints),
    valid("4.13.30", "ValidDNSnameConstraintsTest30EE", &["nameConstraintsDNS1CA"]),
    failed("4.13.31", "InvalidDNSnameConstraintsTest31EE", &["nameConstraintsDNS1CA"], Rule::NameConstraints),
    valid("4.13.32", "ValidDNSnameConstraintsTest32EE", &["nameConstraintsDNS2CA"]),
    failed("4.13.33", "InvalidDNSnameConstraintsTest33EE", &["nameConstraintsDNS2CA"], Rule::NameConstraints),
    valid("4.13.34", "ValidURInameConstraintsTest34EE", &["nameConstraintsURI1CA"]),
    failed("4.13.35", "InvalidURInameConstraintsTest35EE", &["nameConstraintsURI1CA"], Rule::NameConstraints),
    valid("4.13.36", "ValidURInameConstraintsTest36EE", &["nameConstraintsURI2CA"]),
    failed("4.13.37", "InvalidURInameConstraintsTest37EE", &["nameConstraintsURI2CA"], Rule::NameConstraints),
    failed("4.13.38", "InvalidDNSnameConstraintsTest38EE", &["nameConstraintsDNS1CA"], Rule::NameConstraints),
    // 4.14 Distribution points.
    valid("4.14.1", "ValiddistributionPointTest1EE", &["distributionPoint1CA"]),
    failed("4.14.2", "InvaliddistributionPointTest2EE", &["distributionPoint1CA"], Rule::Revocation),
    open("4.14.3", "InvaliddistributionPointTest3EE", &["distributionPoint1CA"]),
    valid("4.14.4", "ValiddistributionPointTest4EE", &["distributionPoint1CA"]),
    valid("4.14.5", "ValiddistributionPointTest5EE", &["distributionPoint2CA"]),
    failed("4.14.6", "InvaliddistributionPointTest6EE", &["distributionPoint2CA"], Rule::Revocation),
    valid("4.14.7", "ValiddistributionPointTest7EE", &["distributionPoint2CA"]),
    open("4.14.8", "InvaliddistributionPointTest8EE", &["distributionPoint2CA"]),
    open("4.14.9", "InvaliddistributionPointTest9EE", &["distributionPoint2CA"]),
    valid("4.14.10", "ValidNoissuingDistributionPointTest10EE", &["NoissuingDistributionPointCA"]),
    open("4.14.11", "InvalidonlyContainsUserCertsTest11EE", &["onlyContainsUserCertsCA"]),
    open("4.14.12", "InvalidonlyContainsCACertsTest12EE", &["onlyContainsCACertsCA"]),
    valid("4.14.13", "ValidonlyContainsCACertsTest13EE", &["onlyContainsCACertsCA"]),
    open("4.14.14", "InvalidonlyContainsAttributeCertsTest14EE", &["onlyContainsAttributeCertsCA"]),
    failed("4.14.15", "InvalidonlySomeReasonsTest15EE", &["onlySomeReasonsCA1"], Rule::Revocation).lists(&["onlySomeReasonsCA1compromiseCRL", "onlySomeReasonsCA1otherreasonsCRL"]),
    failed("4.14.16", "InvalidonlySomeReasonsTest16EE", &["onlySomeReasonsCA1"], Rule::Revocation).lists(&["onlySomeReasonsCA1compromiseCRL", "onlySomeReasonsCA1otherreasonsCRL"]),
    open("4.14.17", "InvalidonlySomeReasonsTest17EE", &["onlySomeReasonsCA2"]).lists(&["onlySomeReasonsCA2CRL1", "onlySomeReasonsCA2CRL2"]),
    valid("4.14.18", "ValidonlySomeReasonsTest18EE", &["onlySomeReasonsCA3"]).lists(&["onlySomeReasonsCA3compromiseCRL", "onlySomeReasonsCA3otherreasonsCRL"]),
    valid("4.14.19", "ValidonlySomeReasonsTest19EE", &["onlySomeReasonsCA4"]).lists(&["onlySomeReasonsCA4compromiseCRL", "onlySomeReasonsCA4otherreasonsCRL"]),
    failed("4.14.20", "InvalidonlySomeReasonsTest20EE", &["onlySomeReasonsCA4"], Rule::Revocation).lists(&["onlySomeReasonsCA4compromiseCRL", "onlySomeReasonsCA4otherreasonsCRL"]),
    failed("4.14.21", "InvalidonlySomeReasonsTest21EE", &["onlySomeReasonsCA4"], Rule::Revocation).lists(&["onlySomeReasonsCA4compromiseCRL", "onlySomeReasonsCA4otherreasonsCRL"]),
    valid("4.14.22", "ValidIDPwithindirectCRLTest22EE", &["indirectCRLCA1"]),
    failed("4.14.23", "InvalidIDPwithindirectCRLTest23EE", &["indirectCRLCA1"], Rule::Revocation),
    valid("4.14.24", "ValidIDPwithindirectCRLTest24EE", &["indirectCRLCA2", "indirectCRLCA1"]),
    valid("4.14.25", "ValidIDPwithindirectCRLTest25EE", &["indirectCRLCA2", "indirectCRLCA1"]),
    open("4.14.26", "InvalidIDPwithindirectCRLTest26EE", &["indirectCRLCA2", "indirectCRLCA1"]),
    open("4.14.27", "InvalidcRLIssuerTest27EE", &["indirectCRLCA2", "GoodCA"]),
    valid("4.14.28", "ValidcRLIssuerTest28EE", &["indirectCRLCA3", "indirectCRLCA3cRLIssuer"]),
    valid("4.14.29", "ValidcRLIssuerTest29EE", &["indirectCRLCA3", "indirectCRLCA3cRLIssuer"]),
    valid("4.14.30", "ValidcRLIssuerTest30EE", &["indirectCRLCA4", "indirectCRLCA4cRLIssuer"]),
    failed("4.14.31", "InvalidcRLIssuerTest31EE", &["indirectCRLCA6", "indirectCRLCA5"], Rule::Revocation),
    failed("4.14.32", "InvalidcRLIssuerTest32EE", &["indirectCRLCA6", "indirectCRLCA5"], Rule::Revocation),
    valid("4.14.33", "ValidcRLIssuerTest33EE", &["indirectCRLCA6", "indirectCRLCA5"]),
    failed("4.14.34", "InvalidcRLIssuerTest34EE", &["indirectCRLCA5"], Rule::Revocation),
    open("4.14.35", "InvalidcRLIssuerTest35EE", &["indirectCRLCA5"]),
    // 4.15 Delta-CRLs.
    open("4.15.1", "InvaliddeltaCRLIndicatorNoBaseTest1EE", &["deltaCRLIndicatorNoBaseCA"]),
    valid("4.15.2", "ValiddeltaCRLTest2EE", &["deltaCRLCA1"]).lists(&["deltaCRLCA1deltaCRL"]),
    failed("4.15.3", "InvaliddeltaCRLTest3EE", &["deltaCRLCA1"], Rule::Revocation).lists(&["deltaCRLCA1deltaCRL"]),
    failed("4.15.4", "InvaliddeltaCRLTest4EE", &["deltaCRLCA1"], Rule::Revocation).lists(&["deltaCRLCA1deltaCRL"]),
    valid("4.15.5", "ValiddeltaCRLTest5EE", &["deltaCRLCA1"]).lists(&["deltaCRLCA1deltaCRL"]),
    failed("4.15.6", "InvaliddeltaCRLTest6EE", &["deltaCRLCA1"], Rule::Revocation).lists(&["deltaCRLCA1deltaCRL"]),
    valid("4.15.7", "ValiddeltaCRLTest7EE", &["deltaCRLCA1"]).lists(&["deltaCRLCA1deltaCRL"]),
    valid("4.15.8", "ValiddeltaCRLTest8EE", &["deltaCRLCA2"]).lists(&["deltaCRLCA2deltaCRL"]),
    failed("4.15.9", "InvaliddeltaCRLTest9EE", &["deltaCRLCA2"], Rule::Revocation).lists(&["deltaCRLCA2deltaCRL"]),
    open("4.15.10", "InvaliddeltaCRLTest10EE", &["deltaCRLCA3"]).lists(&["deltaCRLCA3deltaCRL"]),
    // 4.16 Private certificate extensions.
    valid("4.16.1", "ValidUnknownNotCriticalCertificateExtensionTest1EE", &[]),
    failed("4.16.2", "InvalidUnknownCriticalCertificateExtensionTest2EE", &[], Rule::CriticalExtension),
];
