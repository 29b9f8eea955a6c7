//! The ways by which an invitation reaches someone. (A4)

use serde::{Deserialize, Serialize};

/// A way by which an invitation leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A text message, written in the phone's own app.
    Sms,
    /// `KakaoTalk`, by its sharing SDK.
    #[serde(rename = "kakaotalk")]
    KakaoTalk,
    /// LINE.
    Line,
    /// Telegram.
    Telegram,
    /// `WhatsApp`.
    #[serde(rename = "whatsapp")]
    WhatsApp,
    /// Facebook Messenger.
    Messenger,
    /// E-mail: by the server, or in the phone's own app.
    Email,
    /// The inbox of a shop that uses Moa already.
    InApp,
    /// Whatever app is picked in the system's sheet.
    Sheet,
    /// The clipboard.
    Copy,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Sms,
        Self::KakaoTalk,
        Self::Line,
        Self::Telegram,
        Self::WhatsApp,
        Self::Messenger,
        Self::Email,
        Self::InApp,
        Self::Sheet,
        Self::Copy,
    ];
}
