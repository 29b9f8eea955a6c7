//! Pictures over HTTP: sent, made anew, shown on a group's page.

mod support;

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use moa_rules::id::PictureId;
use moa_rules::op::OpBody;
use moa_rules::terms::{Profile, Scope};
use moa_rules::time::Timestamp;
use moa_wire::api::PictureTaken;
use reqwest::{Method, Response};
use support::{Device, Town, problem, read};

fn png(width: u32, height: u32, colour: u8) -> Vec<u8> {
    let picture = RgbImage::from_pixel(width, height, Rgb([colour, 90, 20]));
    let mut bytes = Vec::new();
    DynamicImage::from(picture).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

async fn send(town: &Town, device: &Device, file: Vec<u8>) -> Response {
    let request = town.request(Method::POST, "/v1/pictures", device).await;
    request.header("accept-language", "en").body(file).send().await.unwrap()
}

#[tokio::test]
async fn a_groups_picture_is_made_anew_and_shown_on_its_page_and_in_previews() {
    let town = Town::open().await;
    let shop = town.shop("010-1111-1111", "Corner Café").await;
    let group = town.found(&shop).await;
    let PictureTaken { picture } = read(send(&town, &shop.device, png(1_500, 900, 200)).await).await;
    let again: PictureTaken = read(send(&town, &shop.device, png(1_500, 900, 200)).await).await;
    assert_eq!(again.picture, picture, "the same picture has the same address");

    let path = format!("/p/{picture}.jpg");
    let shown = town.get(&path, None).await;
    assert_eq!(
        (shown.status(), &shown.headers()["content-type"]),
        (reqwest::StatusCode::OK, &"image/jpeg".parse().unwrap())
    );
    assert_eq!(shown.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(shown.headers()["x-content-type-options"], "nosniff");
    let jpeg = shown.bytes().await.unwrap();
    let made = image::load_from_memory(&jpeg).unwrap();
    assert_eq!((made.width(), made.height()), (1_200, 720));
    assert_eq!(&moa_wire::keys::sha256(&[&jpeg])[..16], picture.as_ref());

    let profile = Profile { picture: Some(picture), ..Profile::new("Alley", Scope::Area) };
    let op = shop.device.op(town.now(), OpBody::AmendProfile { group, profile });
    town.applied(&[&op]).await;
    let page = town.get(&format!("/g/{group}"), None).await.text().await.unwrap();
    assert!(page.contains(&format!("src=\"{path}\"")), "{page}");
    assert!(page.contains(&format!("property=\"og:image\" content=\"{}\"", town.url(&path))));
    for nothing in ["/p/1.jpg", "/p/x", &format!("/p/{}.jpg", PictureId([9; 16])), &format!("/p/{picture}")] {
        assert_eq!(town.get(nothing, None).await.status(), 404, "{nothing}");
    }
    town.close().await;
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_or_too_many_is_refused_with_what_to_do() {
    let town = Town::open().await;
    let device = town.enrol("010-1111-1111").await;
    let nobody = town.client.post(town.url("/v1/pictures")).body(png(2, 2, 0)).send().await.unwrap();
    assert_eq!(problem(nobody).await.code, "unauthorized");
    for garbage in [Vec::new(), b"<svg/>".to_vec(), vec![0xff; 70_000], png(9, 9, 1)[..40].to_vec()] {
        let told = problem(send(&town, &device, garbage).await).await;
        assert_eq!((told.status, told.code.as_str()), (415, "not_a_picture"));
    }
    let told = problem(send(&town, &device, vec![0; 5 * 1024 * 1024 + 1]).await).await;
    assert_eq!((told.status, told.code.as_str()), (413, "body_too_large"));
    let told = problem(send(&town, &device, png(8_001, 5_000, 7)).await).await;
    assert_eq!((told.status, told.code.as_str()), (422, "picture_too_large"));
    for colour in 0..20 {
        read::<PictureTaken>(send(&town, &device, png(4, 4, colour * 10)).await).await;
    }
    let told = problem(send(&town, &device, png(5, 5, 1)).await).await;
    assert_eq!((told.status, told.code.as_str()), (429, "too_many_pictures"));
    assert_eq!(told.figures["retry_after_s"], 86_400);
    town.pass(Timestamp::DAY);
    read::<PictureTaken>(send(&town, &device, png(5, 5, 1)).await).await;
    town.close().await;
}
