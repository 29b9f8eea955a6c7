//! Pictures of groups: whatever is sent is decoded, turned upright, made smaller and written anew as a JPEG.
//!
//! What people will load is bytes of our own making: no metadata (where a photo was taken), no second format inside. A file
//! says how large it is before it is decoded, and one that would take too much memory is refused then. (A1)

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Rgb, RgbImage};
use moa_ledger::store::StoreError;
use moa_ledger::store::pictures::{NewPicture, PictureKept};
use moa_rules::id::PictureId;
use moa_rules::time::Timestamp;
use moa_wire::keys::sha256;

use crate::app::App;
use crate::auth::Caller;

/// The most bytes of a file.
pub(crate) const MOST_BYTES: usize = 5 * 1024 * 1024;
/// The most pixels of a file: more than phones take, and some 160 MB when decoded.
pub(crate) const MOST_PIXELS: u64 = 40_000_000;
/// The most memory that a decoder may take.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// The longer side of what is made of it, in pixels.
const LONGER_SIDE: u32 = 1_200;
/// The quality of the JPEG, of a hundred.
const QUALITY: u8 = 82;
/// Pictures that an account may send in a day.
const MOST_A_DAY: usize = 20;

/// Why a picture is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    #[error("no PNG, JPEG or WebP")]
    NotAPicture,
    #[error("too many pixels")]
    TooLarge,
    #[error("the caller is no person")]
    NotAPerson,
    #[error("too many pictures")]
    TooMany { retry_after_s: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps what is made of a file; its id. The same picture again has the same.
pub(crate) fn keep(app: &App, caller: Caller, file: &[u8]) -> Result<PictureId, PictureError> {
    let account = caller.person().ok_or(PictureError::NotAPerson)?;
    let jpeg = made_of(file)?;
    let mut id = [0; 16];
    id.copy_from_slice(&sha256(&[&jpeg])[..16]);
    let (id, made_at) = (PictureId(id), app.engine.now());
    let since = made_at.plus(-Timestamp::DAY);
    match app.store().keep_picture(&NewPicture { id, account, jpeg, made_at }, MOST_A_DAY, since)? {
        PictureKept::Kept => Ok(id),
        PictureKept::TooMany(first) => {
            let left = first.plus(Timestamp::DAY).0.saturating_sub(made_at.0).div_euclid(Timestamp::SECOND);
            Err(PictureError::TooMany { retry_after_s: u64::try_from(left).unwrap_or(0).max(1) })
        }
    }
}

/// The JPEG that is made of a file.
fn made_of(file: &[u8]) -> Result<Vec<u8>, PictureError> {
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| PictureError::NotAPicture)?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| PictureError::NotAPicture)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY {
        return Err(PictureError::TooLarge);
    }
    let upright = decoder.orientation().map_err(|_| PictureError::NotAPicture)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| match error {
        image::ImageError::Limits(_) => PictureError::TooLarge,
        _ => PictureError::NotAPicture,
    })?;
    if width.max(height) > LONGER_SIDE {
        picture = picture.resize(LONGER_SIDE, LONGER_SIDE, FilterType::Triangle);
    }
    picture.apply_orientation(upright);
    let mut jpeg = Vec::new();
    let opaque = on_white(&picture);
    let encoded = JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&opaque);
    encoded.map_err(|_| PictureError::NotAPicture)?;
    Ok(jpeg)
}

/// A JPEG has no transparency: what shows through is white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let rgba = picture.to_rgba8();
    let mixed = |colour: u8, alpha: u8| {
        let (colour, alpha) = (u16::from(colour), u16::from(alpha));
        // At most 255 * 255 / 255.
        u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [red, green, blue, alpha] = rgba.get_pixel(x, y).0;
        Rgb([red, green, blue].map(|colour| mixed(colour, alpha)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Rgba, RgbaImage};
    use proptest::prelude::*;

    fn written(picture: &RgbaImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        let picture = DynamicImage::ImageRgba8(picture.clone());
        let picture = if format == ImageFormat::Jpeg { picture.to_rgb8().into() } else { picture };
        picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    /// Red on the left, see-through on the right.
    fn half(width: u32, height: u32) -> RgbaImage {
        RgbaImage::from_fn(width, height, |x, _| {
            if x < width / 2 { Rgba([200, 0, 0, 255]) } else { Rgba([0, 0, 0, 0]) }
        })
    }

    fn read(jpeg: &[u8]) -> RgbImage {
        assert_eq!(image::guess_format(jpeg).unwrap(), ImageFormat::Jpeg);
        image::load_from_memory(jpeg).unwrap().to_rgb8()
    }

    fn near(pixel: Rgb<u8>, wanted: [u8; 3]) -> bool {
        pixel.0.iter().zip(wanted).all(|(is, wanted)| is.abs_diff(wanted) < 12)
    }

    #[test]
    fn each_format_becomes_a_jpeg_of_the_size_that_pages_show() {
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Jpeg] {
            let made = read(&made_of(&written(&half(2_400, 600), format)).unwrap());
            assert_eq!(made.dimensions(), (1_200, 300), "{format:?}");
            assert!(near(*made.get_pixel(100, 100), [200, 0, 0]), "{format:?}");
            if format != ImageFormat::Jpeg {
                assert!(near(*made.get_pixel(1_100, 100), [255, 255, 255]), "what shows through is white");
            }
        }
        let small = read(&made_of(&written(&half(30, 20), ImageFormat::Png)).unwrap());
        assert_eq!(small.dimensions(), (30, 20), "a small one is not blown up");
    }

    /// An APP1 segment as cameras write it: turned by 90°, and a text where the place would be.
    #[test]
    fn a_photo_is_turned_upright_and_nothing_of_its_metadata_is_left() {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend(b"37.5665N 126.9780E");
        let plain = written(&half(40, 20), ImageFormat::Jpeg);
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let photo = [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat();
        let made = made_of(&photo).unwrap();
        assert!(
            !made.windows(8).any(|bytes| bytes == b"126.9780")
                && !made.windows(4).any(|bytes| bytes == b"Exif")
        );
        let upright = read(&made);
        assert_eq!(upright.dimensions(), (20, 40));
        assert!(near(*upright.get_pixel(10, 3), [200, 0, 0]), "left became the top");
        assert_eq!(made_of(&photo).unwrap(), made, "the same file makes the same picture");
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_decoded() {
        // A PNG's header alone says how large it is.
        let mut png = written(&half(4, 4), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
        let checked = crc32(&png[12..29]).to_be_bytes();
        png[29..33].copy_from_slice(&checked);
        assert!(matches!(made_of(&png), Err(PictureError::TooLarge)));
    }

    /// The check that PNG's chunks carry (ISO 3309).
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(
                crc ^ u32::from(*byte),
                |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
            )
        })
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for file in [
            &b""[..],
            b"hello",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"GIF89a\x01\0\x01\0",
            b"\x89PNG\r\n\x1a\n",
            b"RIFF\0\0\0\0WEBP",
        ] {
            assert!(matches!(made_of(file), Err(PictureError::NotAPicture)), "{file:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_pictures_never_panic(which in 0..3_usize, at in any::<prop::sample::Index>(), with: u8, cut in any::<prop::sample::Index>()) {
            let format = [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Jpeg][which];
            let mut file = written(&half(16, 12), format);
            let place = at.index(file.len());
            file[place] = with;
            file.truncate(cut.index(file.len()) + 1);
            let _ = made_of(&file);
        }
    }
}
