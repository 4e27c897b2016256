//! The signature against Aliyun's published example and against vectors made with another implementation.

use crate::percent::sorted_pairs;

use super::{AccessKey, Unsigned, sha256_hex};

fn key(id: &str, secret: &str) -> AccessKey {
    AccessKey {
        access_key_id: id.to_owned(),
        access_key_secret: secret.into(),
    }
}

#[test]
fn the_published_example_has_the_published_signature() {
    let query = sorted_pairs(&[
        ("RegionId", "cn-shanghai"),
        ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
    ]);
    let signed = Unsigned {
        host: "ecs.cn-shanghai.aliyuncs.com",
        action: "RunInstances",
        version: "2014-05-26",
        date: "2023-10-26T10:22:32Z".to_owned(),
        nonce: "3156853299f313e23d1673dc12e1703d".to_owned(),
        query: &query,
        body: "",
    }
    .sign(&key("YourAccessKeyId", "YourAccessKeySecret"));
    assert_eq!(
        sha256_hex(signed.canonical.as_bytes()),
        "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
    );
    assert!(
        signed
            .authorization
            .ends_with("Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")
    );
}

#[test]
fn parameters_in_the_query_are_signed() {
    let query = sorted_pairs(&[
        ("PhoneNumbers", "13800138000"),
        ("SignName", "湖南CA"),
        ("TemplateCode", "SMS_154950909"),
        ("TemplateParam", r#"{"code":"123456"}"#),
        ("OutId", "o-1"),
    ]);
    let signed = Unsigned {
        host: "dysmsapi.aliyuncs.com",
        action: "SendSms",
        version: "2017-05-25",
        date: "2024-05-20T02:11:12Z".to_owned(),
        nonce: "0123456789abcdef0123456789abcdef".to_owned(),
        query: &query,
        body: "",
    }
    .sign(&key("testAccessKeyId", "testAccessKeySecret"));
    assert_eq!(
        signed.canonical,
        include_str!("../../tests/fixtures/acs3-sms.canonical.txt").trim_end()
    );
    assert_eq!(
        sha256_hex(signed.canonical.as_bytes()),
        "af1afb4dfbe8cf0d5e4cf71686df7c7b56450b95a19d48851323d5b292ce168c"
    );
    assert_eq!(
        signed.authorization,
        "ACS3-HMAC-SHA256 Credential=testAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;\
         x-acs-date;x-acs-signature-nonce;x-acs-version,\
         Signature=53ba6eaa4134f9e8b064e8956015f8628b136aca291ca2cd87239fd553ae5f05"
    );
}

#[test]
fn parameters_in_a_form_are_signed() {
    let body = sorted_pairs(&[
        ("ParamType", "normal"),
        ("UserName", "张三"),
        ("IdentifyNum", "430102199003070012"),
        ("Mobile", "13800138000"),
    ]);
    assert_eq!(
        body,
        "IdentifyNum=430102199003070012&Mobile=13800138000&ParamType=normal&UserName=%E5%BC%A0%E4%B8%89"
    );
    let signed = Unsigned {
        host: "cloudauth.aliyuncs.com",
        action: "Mobile3MetaSimpleVerify",
        version: "2019-03-07",
        date: "2024-05-20T02:11:12Z".to_owned(),
        nonce: "0123456789abcdef0123456789abcdef".to_owned(),
        query: "",
        body: &body,
    }
    .sign(&key("testAccessKeyId", "testAccessKeySecret"));
    assert_eq!(
        sha256_hex(signed.canonical.as_bytes()),
        "def8f35c78969da463ea65f037fc6353a16e63927694da6d5b8560d02c1ce85d"
    );
    assert_eq!(
        signed.authorization,
        "ACS3-HMAC-SHA256 Credential=testAccessKeyId,SignedHeaders=content-type;host;x-acs-action;\
         x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,\
         Signature=6190b02f1fd5aa45f1f1a7b76157d768b519ff033abaf81e62535e85f686fc4b"
    );
}
