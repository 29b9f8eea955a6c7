//! A shop's page.

use std::sync::Arc;

use moa_phone as phone;
use moa_words::industry;

use crate::app::{App, Inner};
use crate::convert::Dress;
use crate::error::ApiError;
use crate::records::{Group, ShopProfile};

/// A shop as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ShopPage {
    /// Its id.
    pub id: String,
    /// How it presents itself.
    pub profile: ShopProfile,
    /// Its trade by name; empty if it did not say.
    pub industry_text: String,
    /// Its groups.
    pub groups: Vec<Group>,
}

impl Dress {
    fn shop_page(self, info: phone::ShopInfo) -> ShopPage {
        let trade = info.profile.industry;
        ShopPage {
            id: info.id.to_string(),
            industry_text: trade.map_or_else(String::new, |trade| industry(self.lang, trade).to_owned()),
            profile: info.profile.into(),
            groups: info.groups.into_iter().map(|group| self.group(group)).collect(),
        }
    }
}

#[uniffi::export]
impl App {
    /// A shop and its groups, from a link say; asks the server for what this phone does not know.
    pub async fn look_up_shop(&self, merchant: String) -> Result<ShopPage, ApiError> {
        let merchant = self.merchant_id(&merchant)?;
        let call = async move |app: Arc<Inner>| app.client.look_up_shop(merchant).await;
        Ok(self.dress().shop_page(self.run(call).await?))
    }
}
