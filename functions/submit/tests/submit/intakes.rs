//! Intakes of the registration platform, and forms that have to agree with them.
use axum::http::Method;
use serde_json::{Value, json};
use time::Duration;
use yinxin_order::form::{ApplicationForm, sample};

use crate::world::{Answer, SYSTEM, World};

/// What the registration platform knows of the unit of `form`.
fn values(form: &ApplicationForm) -> Value {
    let form = serde_json::to_value(form).unwrap();
    json!({
        "unit_name": form["unit_name"],
        "legal_representative": {
            "name": form["unit_check"]["name"],
            "id_number": form["unit_check"]["id_number"],
            "mobile": form["unit_check"]["mobile"],
        },
        "request_type": "new",
        "seal_type": form["seal_type"],
        "mailing": form["mailing"],
        "handler": {
            "name": form["handler"]["name"],
            "id_number": form["handler"]["id_document"]["number"],
            "mobile": form["handler"]["mobile"],
            "email": form["handler"]["email"],
        },
    })
}

impl World {
    async fn hand_over(&self, key: &str, credential: &str, values: &Value) -> Answer {
        let bearer = format!("Bearer {credential}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        self.call(Method::POST, "/api/intakes", &headers, values).await
    }

    async fn intake(&self, values: &Value) -> String {
        let kept = self.hand_over(&self.key(), SYSTEM, values).await;
        assert_eq!(kept.status, 201, "{kept:?}");
        kept.text("uid")
    }

    async fn create_from(&self, uid: &str, form: &ApplicationForm) -> Answer {
        let mut body = self.new_order(form).await;
        body["intake"] = json!(uid);
        self.create(&body).await
    }
}

#[tokio::test]
async fn an_intake_leads_to_the_portal() {
    let world = World::new().await;
    let values = values(&sample::unit(1));
    let key = world.key();
    let kept = world.hand_over(&key, SYSTEM, &values).await;
    assert_eq!(kept.status, 201, "{kept:?}");
    let uid = kept.text("uid");
    assert_eq!(uid.len(), 32);
    assert_eq!(kept.text("portal_url"), format!("http://127.0.0.1/?intake={uid}"));
    let again = world.hand_over(&key, SYSTEM, &values).await;
    assert_eq!(again.body, kept.body);
}

#[tokio::test]
async fn only_a_known_system_hands_over() {
    let world = World::new().await;
    let values = values(&sample::unit(1));
    for credential in ["registration:guess", "nobody:x", "no-colon"] {
        let refused = world.hand_over(&world.key(), credential, &values).await;
        refused.refused(401, "credential-invalid");
    }
}

#[tokio::test]
async fn registered_values_are_checked_like_those_of_forms() {
    let world = World::new().await;
    for (pointer, value, code) in [
        (
            "/handler/id_number",
            json!("430102199003070013"),
            "malformed-id-number",
        ),
        ("/handler/mobile", json!("123"), "malformed-mobile"),
        ("/seal_type", json!("personal_name"), "seal-type-unfit"),
        ("/request_type", json!("other"), "body-shape"),
    ] {
        let mut values = values(&sample::unit(1));
        *values.pointer_mut(pointer).unwrap() = value;
        let refused = world.hand_over(&world.key(), SYSTEM, &values).await;
        refused.refused(422, code);
        assert_eq!(refused.text("pointer"), pointer);
    }
}

#[tokio::test]
async fn an_order_remembers_its_intake() {
    let world = World::new().await;
    let form = sample::unit(1);
    let uid = world.intake(&values(&form)).await;
    let created = world.create_from(&uid, &form).await;
    assert_eq!(created.status, 201, "{created:?}");
    let orders = world.platform.orders.of_intake(&uid).await.unwrap();
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].id.as_str(), created.text("order_id"));
}

#[tokio::test]
async fn a_form_may_not_differ_from_what_is_registered() {
    let world = World::new().await;
    let form = sample::unit(1);
    for (registered, place, value) in [
        ("/unit_name", "/form/unit_name", json!("长沙另一建设有限公司")),
        ("/handler/name", "/form/handler/name", json!("张三")),
        (
            "/handler/id_number",
            "/form/handler/id_document",
            json!("430102199003070012"),
        ),
        ("/handler/mobile", "/form/handler/mobile", json!("13800000305")),
        ("/handler/email", "/form/handler/email", json!("a@example.com")),
        ("/seal_type", "/form/seal_type", json!("contract")),
        ("/mailing/address", "/form/mailing", json!("别处的样例路1号")),
        ("/legal_representative/name", "/form/unit_check", json!("张三")),
        (
            "/legal_representative/mobile",
            "/form/unit_check/mobile",
            json!("13800000305"),
        ),
    ] {
        let mut values = values(&form);
        *values.pointer_mut(registered).unwrap() = value;
        let uid = world.intake(&values).await;
        let refused = world.create_from(&uid, &form).await;
        refused.refused(422, "intake-differs");
        assert_eq!(refused.text("pointer"), place);
    }
    assert!(world.checks.asked().is_empty());
}

#[tokio::test]
async fn an_intake_of_a_unit_is_not_for_a_person() {
    let world = World::new().await;
    let uid = world.intake(&values(&sample::unit(1))).await;
    let refused = world.create_from(&uid, &sample::person(1)).await;
    refused.refused(422, "intake-differs");
    assert_eq!(refused.text("pointer"), "/form/subject");
}

#[tokio::test]
async fn the_registered_account_counts_where_the_account_is_the_check() {
    let world = World::new().await;
    let form = sample::unit_by_account(1);
    let json = serde_json::to_value(&form).unwrap();
    let check = &json["unit_check"];
    let mut values = values(&form);
    values.as_object_mut().unwrap().remove("legal_representative");
    values["bank"] = json!({
        "name": check["bank"], "account": check["account_number"], "account_name": check["account_name"],
    });
    let uid = world.intake(&values).await;
    assert_eq!(world.create_from(&uid, &form).await.status, 201);
    values["bank"]["account"] = json!("43001500061052500001");
    let uid = world.intake(&values).await;
    let refused = world.create_from(&uid, &form).await;
    refused.refused(422, "intake-differs");
}

#[tokio::test]
async fn an_unknown_or_old_intake_starts_nothing() {
    let world = World::new().await;
    let form = sample::unit(1);
    for uid in ["0".repeat(32), "x".to_owned()] {
        let refused = world.create_from(&uid, &form).await;
        refused.refused(422, "no-such-intake");
    }
    let uid = world.intake(&values(&form)).await;
    world.pass(Duration::days(365));
    let refused = world.create_from(&uid, &form).await;
    refused.refused(422, "no-such-intake");
}

#[tokio::test]
async fn an_intake_for_a_replacement_starts_no_new_certificate() {
    let world = World::new().await;
    let form = sample::unit(1);
    let mut values = values(&form);
    values["request_type"] = json!("replacement");
    let uid = world.intake(&values).await;
    let refused = world.create_from(&uid, &form).await;
    refused.refused(422, "intake-differs");
}

#[tokio::test]
async fn an_edit_may_not_differ_either() {
    let world = World::new().await;
    let form = sample::unit(1);
    let uid = world.intake(&values(&form)).await;
    let created = world.create_from(&uid, &form).await;
    let held = crate::world::Held {
        id: created.text("order_id").parse().unwrap(),
        token: created.text("access_token"),
    };
    let mut edited = serde_json::to_value(&form).unwrap();
    edited["handler"]["mobile"] = json!("13800000305");
    let edited: ApplicationForm = serde_json::from_value(edited).unwrap();
    let refused = world.put_form(&held, &edited).await;
    refused.refused(422, "intake-differs");
}
