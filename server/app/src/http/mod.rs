//! The routes. Each module is a noun; each handler carries its line of the API document.

mod changes;
mod development;
mod devices;
mod directory;
mod enrolments;
mod health;
mod invitations;
mod one_time_codes;
mod openapi;
mod ops;
mod pictures;
mod posters;
pub(crate) mod problems;
mod requests;
mod search;
mod sessions;
mod sign_in;
mod snapshot;
mod test_clock;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use futures_util::FutureExt;
use moa_wire::api::MAX_WAIT_S;
use moa_words::ProblemText;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::pages;
use crate::random;

pub use self::development::{DevelopmentInbox, DevelopmentMessage};
pub use self::health::Health;
pub use self::openapi::document;
pub(crate) use self::openapi::served_document;
pub(crate) use self::problems::Fault;
pub(crate) use self::requests::language;
pub use self::test_clock::ClockTime;

/// For how long a request may take: the longest wait for changes, and what any other may take.
const TIMEOUT: Duration = Duration::from_secs(MAX_WAIT_S + 15);

/// Every route, and the document that describes them. The development inbox and the test clock are in neither unless
/// asked for.
fn routes(development: bool, test_clock: bool) -> OpenApiRouter<Arc<App>> {
    let router = openapi::router()
        .routes(routes!(enrolments::begin))
        .routes(routes!(enrolments::confirm))
        .routes(routes!(sessions::begin))
        .routes(routes!(sessions::refresh))
        .routes(routes!(sessions::end))
        .routes(routes!(devices::devices))
        .routes(routes!(devices::staff))
        .routes(routes!(ops::submit))
        .routes(routes!(one_time_codes::make))
        .routes(routes!(one_time_codes::look_up))
        .routes(routes!(invitations::open))
        .routes(routes!(invitations::traces))
        .routes(routes!(invitations::send))
        .routes(routes!(pictures::send))
        .routes(routes!(changes::changes))
        .routes(routes!(snapshot::snapshot))
        .routes(routes!(directory::directory))
        .routes(routes!(search::search))
        .routes(routes!(directory::group))
        .routes(routes!(directory::merchant))
        .routes(routes!(directory::key))
        .routes(routes!(health::health))
        .routes(routes!(openapi::openapi));
    let router = if development { router.routes(routes!(development::inbox)) } else { router };
    if test_clock { router.routes(routes!(test_clock::move_clock)) } else { router }
}

/// The service that answers requests.
pub(crate) fn service(app: Arc<App>) -> Router {
    let router: Router<Arc<App>> = routes(app.shown.is_some(), app.test_clock.is_some()).into();
    router
        .merge(sign_in::routes())
        .merge(pages::routes())
        .merge(posters::routes())
        .merge(pictures::routes())
        .fallback(async || Fault(ProblemText::NotFound))
        .method_not_allowed_fallback(async || Fault(ProblemText::MethodNotAllowed))
        .layer(middleware::from_fn(answer))
        .with_state(app)
}

/// The outermost layer: names the request in the log, keeps it from taking for ever, writes problems.
async fn answer(request: Request, next: Next) -> Response {
    let id = random::bytes::<8>().map(|id| HEXLOWER.encode(&id)).unwrap_or_default();
    // The pattern, not the path: whatever someone put into a path or query stays out of the log.
    let route = request.extensions().get::<MatchedPath>().map_or("", |path| path.as_str()).to_owned();
    let span = tracing::info_span!("request", id, method = %request.method(), route);
    let lang = language(request.headers());

    let mut response = run(request, next).instrument(span).await;
    if let Some(fault) = response.extensions_mut().remove::<Fault>() {
        response = fault.write(lang, std::mem::take(response.headers_mut()));
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    response
}

async fn run(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let handled = tokio::time::timeout(TIMEOUT, AssertUnwindSafe(next.run(request)).catch_unwind());
    let response = match handled.await {
        Ok(Ok(response)) => response,
        // The panic's own message is in the log already.
        Ok(Err(_)) => Fault::INTERNAL.into_response(),
        Err(_) => Fault::BUSY.into_response(),
    };
    let code = response.extensions().get::<Fault>().map(|fault| fault.code());
    let (status, took_ms) = (response.status().as_u16(), started.elapsed().as_millis());
    if response.status().is_server_error() {
        tracing::warn!(status, code, took_ms, "answered");
    } else {
        tracing::debug!(status, code, took_ms, "answered");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use moa_wire::problem::{MEDIA_TYPE, Problem};

    #[tokio::test]
    async fn a_handler_that_panics_answers_with_a_problem() {
        async fn panics() {
            panic!("on purpose");
        }
        let router = Router::new().route("/", get(panics)).layer(middleware::from_fn(answer));
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        let response = TowerToHyperService::new(router).call(request).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (500, &MEDIA_TYPE.parse().unwrap())
        );
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        assert_eq!(serde_json::from_slice::<Problem>(&body).unwrap().code, "internal");
    }
}
