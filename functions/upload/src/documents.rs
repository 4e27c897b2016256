//! Permission to upload a document, and the list of what was judged.
use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::views::{DocumentView, timestamp};
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::Refusal;
use yinxin_order::command::CommandName;
use yinxin_order::document::{DocumentKind, MAX_DOCUMENT_BYTES};
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_order::table;
use yinxin_store::documents::{Announced, UPLOAD_LIFETIME, UploadKey};
use yinxin_store::vault::random_bytes;

use crate::App;
use crate::judge::MEDIA_TYPES;

/// What a document says of itself before it arrives; the permission holds for exactly this.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// What it shows.
    kind: DocumentKind,
    /// Its media type: `image/gif`, `image/jpeg` or `image/png`.
    #[schema(example = "image/jpeg")]
    content_type: String,
    /// Its length.
    #[schema(maximum = 1_500_000, minimum = 1)]
    bytes: u64,
    /// SHA-256 of its content, base64.
    #[schema(example = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    sha256: String,
}

/// Permission to upload.
#[derive(Serialize, ToSchema)]
pub struct Permission {
    /// The upload's id; the judgement bears it.
    upload: String,
    /// Where to PUT the content.
    url: String,
    /// The headers to send with it, as they stand here.
    headers: BTreeMap<String, String>,
    /// Until when the upload may begin, RFC 3339.
    expires_at: String,
}

/// What was judged, and what is missing.
#[derive(Serialize, ToSchema)]
pub struct DocumentList {
    /// Judged documents.
    documents: Vec<DocumentView>,
    /// What the application still needs.
    missing: Vec<DocumentKind>,
}

/// Permits one upload.
#[utoipa::path(post, path = "/api/orders/{id}/documents", tag = "documents", params(("id" = OrderId, Path)), security(("order" = [])),
    request_body = Announcement,
    responses((status = 201, body = Permission), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn permit_upload(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
    Json(announcement): Json<Announcement>,
) -> Result<(StatusCode, Json<Permission>), Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    let order = app.platform.orders.load(&id).await?;
    takes_documents(&order)?;
    let announced = announcement.check(&order)?;
    let key = UploadKey {
        order: id.clone(),
        kind: announcement.kind,
        upload: hex::encode(random_bytes::<16>()),
    };
    let permission = app.platform.documents.permit(&key, &announced).await?;
    let (upload, kind) = (key.upload, key.kind.as_str());
    info!(order.id = %id, upload, kind, "upload {upload} of {kind} is permitted for order {id}");
    let permission = Permission {
        upload,
        url: permission.url,
        headers: permission.headers.into_iter().collect(),
        expires_at: timestamp(app.platform.now() + UPLOAD_LIFETIME),
    };
    Ok((StatusCode::CREATED, Json(permission)))
}

/// Lists the judged documents.
#[utoipa::path(get, path = "/api/orders/{id}/documents", tag = "documents", params(("id" = OrderId, Path)), security(("order" = [])),
    responses((status = 200, body = DocumentList), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn list_documents(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
) -> Result<Json<DocumentList>, Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    let order = app.platform.orders.load(&id).await?;
    Ok(Json(DocumentList {
        documents: order.documents.iter().map(DocumentView::from).collect(),
        missing: order.missing_documents(),
    }))
}

/// Whether documents may be uploaded for the order now.
pub fn takes_documents(order: &Order) -> Result<(), Refusal> {
    let command = CommandName::RecordDocument;
    if order.personal.is_none() {
        Err(Refusal::Erased)
    } else if table::find(order.state, command).is_none() {
        let state = order.state;
        Err(Refusal::NotAllowed { state, command })
    } else {
        Ok(())
    }
}

impl Announcement {
    fn check(&self, order: &Order) -> Result<Announced, Problem> {
        let needed = order
            .personal
            .as_ref()
            .map_or(&[][..], |personal| personal.form.required_documents());
        if !needed.contains(&self.kind) {
            return Err(Problem::new(Code::DocumentNotNeeded).at("/kind"));
        }
        if !MEDIA_TYPES.contains(&self.content_type.as_str()) {
            return Err(Problem::new(Code::DocumentType).at("/content_type"));
        }
        if self.bytes > MAX_DOCUMENT_BYTES {
            return Err(Problem::new(Code::DocumentTooLarge).at("/bytes"));
        }
        if self.bytes == 0 {
            return Err(Problem::new(Code::DocumentNotAnImage).at("/bytes"));
        }
        let is_digest = STANDARD
            .decode(&self.sha256)
            .is_ok_and(|digest| digest.len() == 32);
        if !is_digest {
            return Err(Problem::new(Code::BodyShape)
                .because("a SHA-256 digest is 32 bytes in base64")
                .at("/sha256"));
        }
        Ok(Announced {
            content_type: self.content_type.clone(),
            bytes: self.bytes,
            sha256: self.sha256.clone(),
        })
    }
}
