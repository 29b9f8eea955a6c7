//! A poster for the counter: a name, its QR, what to do with it. One A5 page as PDF.
//!
//! Characters are placed one after another as they stand, without shaping: enough for Hangul and Latin, which is what the
//! font has. What it lacks, such as emoji, is left out; the code leads to the right place all the same. The font goes into
//! the file as far as it is used, which the licence of Nanum Gothic (OFL) allows.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::{fs, io};

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use moa_wire::qr;
use moa_words::{Lang, PosterText, poster};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// Where Debian's `fonts-nanum` puts a font with Hangul.
const USUAL: &str = "/usr/share/fonts/truetype/nanum/NanumGothic.ttf";
/// The largest font that is read, in bytes: Korean ones have some 5 MB, those of all of East Asia 20.
const MAX_FONT: u64 = 64 << 20;

/// A5 in points, 72 an inch.
const PAGE: (f32, f32) = (419.53, 595.28);
/// The margin on all sides.
const MARGIN: f32 = 36.0;
/// The side of the code with its quiet zone: 10 cm.
const CODE: f32 = 283.46;
/// Light modules around a code, so that a camera finds it.
const QUIET: usize = 4;
/// Sizes of the name, the largest that fits is taken.
const NAME_SIZES: [f32; 6] = [42.0, 36.0, 30.0, 25.0, 21.0, 17.0];
/// Lines that a name may take.
const NAME_LINES: usize = 3;
/// The height of a line, as a share of its size.
const LEADING: f32 = 1.3;

/// Why a font cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    /// The file can't be read.
    #[error(
        "{path}: {source}; give a TrueType font with Hangul as --font, or install one (Debian: fonts-nanum)"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is no font, or has no Hangul.
    #[error(
        "{0} is no font with Hangul; give a TrueType or OpenType font that has it as --font (Debian: fonts-nanum)"
    )]
    NoHangul(PathBuf),
}

/// What is on a poster.
pub(crate) struct Poster<'a> {
    /// The name of the shop or the group.
    pub(crate) name: &'a str,
    /// What to do.
    pub(crate) line: PosterText,
    /// What the code says.
    pub(crate) code: &'a str,
    /// The address to be typed.
    pub(crate) address: &'a str,
}

/// Draws posters. The font is read once: at the start if one was given, else when the first poster is asked for.
pub(crate) struct Posters {
    path: PathBuf,
    face: OnceLock<Option<Face>>,
}

impl Posters {
    /// With the font of this file; without one, with the usual one, if it is there.
    ///
    /// # Errors
    /// [`FontError`] for a font that was given.
    pub(crate) fn with_font(given: Option<&Path>) -> Result<Self, FontError> {
        let Some(path) = given else {
            return Ok(Self { path: USUAL.into(), face: OnceLock::new() });
        };
        Ok(Self { path: path.to_owned(), face: OnceLock::from(Some(Face::read(path)?)) })
    }

    /// The poster as PDF; none without a font.
    pub(crate) fn draw(&self, lang: Lang, poster: &Poster) -> Option<Vec<u8>> {
        let face = self.face.get_or_init(|| {
            let read = Face::read(&self.path);
            read.inspect_err(|error| tracing::warn!(%error, "no posters without a font")).ok()
        });
        draw(face.as_ref()?, lang, poster)
    }
}

/// A font, to be measured and drawn with.
struct Face {
    bytes: Arc<Vec<u8>>,
    font: Font,
}

/// A line of text, measured in sizes of the font.
struct Line {
    text: String,
    glyphs: Vec<KrillaGlyph>,
    width: f32,
}

impl Face {
    fn read(path: &Path) -> Result<Self, FontError> {
        let file = |source| FontError::File { path: path.to_owned(), source };
        if fs::metadata(path).map_err(file)?.len() > MAX_FONT {
            return Err(FontError::NoHangul(path.to_owned()));
        }
        let bytes = Arc::new(fs::read(path).map_err(file)?);
        let font = Font::new(Arc::<Vec<u8>>::clone(&bytes).into(), 0);
        let face = font.map(|font| Self { bytes, font }).filter(|face| face.width("가").is_some());
        face.ok_or_else(|| FontError::NoHangul(path.to_owned()))
    }

    /// The width of a text of which the font has anything, in sizes of the font.
    fn width(&self, text: &str) -> Option<f32> {
        self.line(text).filter(|line| !line.glyphs.is_empty()).map(|line| line.width)
    }

    /// The characters that the font has, side by side.
    fn line(&self, text: &str) -> Option<Line> {
        let font = FontRef::from_index(&self.bytes, 0).ok()?;
        let (characters, metrics) =
            (font.charmap(), font.glyph_metrics(Size::unscaled(), LocationRef::default()));
        let mut line = Line { text: String::new(), glyphs: Vec::new(), width: 0.0 };
        for letter in text.chars() {
            let Some(glyph) = characters.map(letter).filter(|glyph| glyph.to_u32() != 0) else { continue };
            let advance = metrics.advance_width(glyph).unwrap_or_default() / self.font.units_per_em();
            let start = line.text.len();
            line.text.push(letter);
            let (id, range) = (GlyphId::new(glyph.to_u32()), start..line.text.len());
            line.glyphs.push(KrillaGlyph::new(id, advance, 0.0, 0.0, 0.0, range, None));
            line.width += advance;
        }
        Some(line)
    }

    /// A text broken into lines of at most `width` sizes: between words, and within one that is longer than a line.
    fn broken(&self, text: &str, width: f32) -> Vec<Line> {
        let fits = |text: &str| self.width(text).is_none_or(|wide| wide <= width);
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let last = lines.last().map_or("", String::as_str);
            let joined = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
            if fits(&joined) {
                lines.pop();
                lines.push(joined);
                continue;
            }
            if !last.is_empty() {
                lines.push(String::new());
            }
            for letter in word.chars() {
                let last = lines.last().map_or("", String::as_str);
                let joined = format!("{last}{letter}");
                if fits(&joined) {
                    lines.pop();
                }
                lines.push(if fits(&joined) { joined } else { letter.to_string() });
            }
        }
        lines.iter().filter_map(|line| self.line(line)).filter(|line| !line.glyphs.is_empty()).collect()
    }

    /// The lines of a text at the largest of `sizes` at which it takes no more than `most`; at the least, as many as fit.
    fn fitted(&self, text: &str, sizes: &[f32], most: usize) -> (Vec<Line>, f32) {
        let width = PAGE.0 - 2.0 * MARGIN;
        let mut fitted = (Vec::new(), 0.0);
        for size in sizes {
            fitted = (self.broken(text, width / size), *size);
            if fitted.0.len() <= most {
                break;
            }
        }
        fitted.0.truncate(most);
        fitted
    }
}

fn draw(face: &Face, lang: Lang, what: &Poster) -> Option<Vec<u8>> {
    let matrix = qr::matrix(what.code).ok()?;
    let (name, name_size) = face.fitted(what.name, &NAME_SIZES, NAME_LINES);
    let action = face.fitted(&poster(lang, what.line), &[17.0], 2);
    let or_open = poster(lang, PosterText::OrOpen);
    let address = face.fitted(&format!("{or_open}: {}", what.address), &[9.0], 3);

    let mut document = Document::new();
    let metadata =
        Metadata::new().title(what.name.to_owned()).language(lang.tag().to_owned()).creator("Moa".to_owned());
    document.set_metadata(metadata);
    let mut page = document.start_page_with(PageSettings::from_wh(PAGE.0, PAGE.1)?);
    let mut surface = page.surface();
    surface.set_fill(Some(Fill { paint: rgb::Color::new(0, 0, 0).into(), ..Fill::default() }));

    // The name stands in the middle of what is above the code.
    let above = PAGE.1 - MARGIN - CODE - 110.0;
    let height = name_size * LEADING * lines_of(name.len());
    let mut y =
        write(&mut surface, face, &name, name_size, MARGIN + (above - MARGIN - height).max(0.0) / 2.0);
    y = y.max(above);
    y = code(&mut surface, &matrix, y)?;
    y = write(&mut surface, face, &action.0, action.1, y + 4.0);
    write(&mut surface, face, &address.0, address.1, y + 8.0);
    surface.finish();
    page.finish();
    document.finish().inspect_err(|error| tracing::warn!(?error, "a poster was not drawn")).ok()
}

/// A small count as a number of lines.
fn lines_of(count: usize) -> f32 {
    u8::try_from(count).map_or(f32::from(u8::MAX), f32::from)
}

/// Writes centred lines below `y`; gives where they end.
fn write(surface: &mut Surface, face: &Face, lines: &[Line], size: f32, mut y: f32) -> f32 {
    for line in lines {
        let start = Point::from_xy((PAGE.0 - line.width * size) / 2.0, y + size);
        surface.draw_glyphs(start, &line.glyphs, face.font.clone(), &line.text, size, false);
        y += size * LEADING;
    }
    y
}

/// Draws the code, centred below `y`; gives where it ends.
fn code(surface: &mut Surface, matrix: &qr::Matrix, y: f32) -> Option<f32> {
    let side = u16::try_from(matrix.side + 2 * QUIET).ok()?;
    let module = CODE / f32::from(side);
    let left = (PAGE.0 - CODE) / 2.0;
    let mut path = PathBuilder::new();
    for (at, _) in matrix.dark.iter().enumerate().filter(|(_, dark)| **dark) {
        let [column, row] = [at % matrix.side, at / matrix.side].map(|at| u16::try_from(at + QUIET));
        let (x, y) = (left + module * f32::from(column.ok()?), y + module * f32::from(row.ok()?));
        path.push_rect(Rect::from_xywh(x, y, module, module)?);
    }
    surface.draw_path(&path.finish()?);
    Some(y + CODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> Face {
        Face::read(Path::new(USUAL)).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn long_names_become_smaller_and_stay_within_the_margins() {
        let face = face();
        for (name, most) in [
            ("카페", 1),
            ("감나무 골목 상인회", 2),
            (&*"가".repeat(60), 3),
            (&*"A ".repeat(30), 3),
            ("", 0),
            ("☕😀", 0),
        ] {
            let (lines, size) = face.fitted(name, &NAME_SIZES, NAME_LINES);
            assert!(lines.len() <= most, "{name}: {} lines", lines.len());
            for line in &lines {
                assert!(line.width * size <= PAGE.0 - 2.0 * MARGIN, "{}", line.text);
            }
            let kept: String =
                lines.iter().flat_map(|line| line.text.chars()).filter(|c| *c != ' ').collect();
            let wanted: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
            assert_eq!(kept, wanted);
        }
    }

    #[test]
    fn what_is_no_font_with_hangul_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let (absent, text) = (folder.path().join("absent.ttf"), folder.path().join("text.ttf"));
        fs::write(&text, "no font at all").unwrap();
        for path in [&absent, &text, &folder.path().to_owned()] {
            let error = Posters::with_font(Some(path)).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("--font") && error.contains("fonts-nanum"), "{error}");
        }
        let posters = Posters { path: absent, face: OnceLock::new() };
        let poster = Poster { name: "카페", line: PosterText::CollectHere, code: "A", address: "a" };
        assert!(posters.draw(Lang::Ko, &poster).is_none());
    }
}
