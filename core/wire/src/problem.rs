//! Problems: an error as a caller reads it (RFC 9457), with a stable `code`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error in JSON. `code` is stable; `detail` is for a person, in the language that the caller asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `about:blank`: the code says more than a page would.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// What the HTTP status says.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable word in `snake_case`.
    pub code: String,
    /// What stands in the way and what to do, as a sentence.
    pub detail: String,
    /// The figures in the sentence, by name.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub figures: Map<String, Value>,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

impl Problem {
    /// A problem without figures.
    pub fn new(status: u16, title: &str, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: about_blank(),
            title: title.to_owned(),
            status,
            code: code.to_owned(),
            detail: detail.into(),
            figures: Map::new(),
        }
    }

    /// The server's clock, in milliseconds since 1970, if a proof was refused because it was not made now.
    pub fn stale_proof(&self) -> Option<i64> {
        (self.code == "proof_stale").then(|| self.figures.get("now")?.as_i64()).flatten()
    }

    /// The same with a figure.
    #[must_use]
    pub fn with(mut self, name: &str, figure: impl Into<Value>) -> Self {
        self.figures.insert(name.to_owned(), figure.into());
        self
    }
}
