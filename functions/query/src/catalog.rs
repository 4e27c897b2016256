//! Vendors and what they sell: public.
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use yinxin_lambda::views::ProductView;
use yinxin_lambda::{Json, Problem};
use yinxin_store::catalog::{Offer, SubjectKind, Vendor};

use crate::App;

/// All vendors, in the order in which they are shown.
#[derive(Serialize, ToSchema)]
pub struct Vendors {
    vendors: Vec<VendorView>,
}

/// A vendor.
#[derive(Serialize, ToSchema)]
pub struct VendorView {
    /// Its slug.
    id: String,
    /// Its name.
    name: String,
    /// What applicants read before they start.
    notice: String,
    /// The version of its certification practice statement (电子认证业务规则).
    practice_statement: String,
    /// What it sells.
    products: Vec<OfferView>,
}

/// A product on offer.
#[derive(Serialize, ToSchema)]
pub struct OfferView {
    /// Whom it is for.
    subject: SubjectKind,
    /// What it is.
    #[serde(flatten)]
    product: ProductView,
}

/// Lists the vendors with their products.
#[utoipa::path(get, path = "/api/vendors", tag = "platform",
    responses((status = 200, body = Vendors), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn vendors(State(app): State<App>) -> Result<Json<Vendors>, Problem> {
    let vendors = app.platform.catalog.vendors().await?;
    let vendors = vendors.into_iter().map(VendorView::from).collect();
    Ok(Json(Vendors { vendors }))
}

impl From<Vendor> for VendorView {
    fn from(vendor: Vendor) -> Self {
        VendorView {
            id: vendor.id.to_string(),
            name: vendor.name,
            notice: vendor.notice,
            practice_statement: vendor.practice_statement,
            products: vendor.products.iter().map(OfferView::from).collect(),
        }
    }
}

impl From<&Offer> for OfferView {
    fn from(offer: &Offer) -> Self {
        OfferView {
            subject: offer.subject,
            product: ProductView::from(&offer.product),
        }
    }
}
