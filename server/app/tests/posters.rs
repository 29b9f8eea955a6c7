//! Posters as they come out of a printer: their text and their code are read by other programs.

mod support;

use std::path::Path;
use std::process::{Command, Output};

use moa_server::{Config, FontError, StartError, start, system_clock};
use moa_wire::link::{self, Destination};
use reqwest::Response;
use support::{Town, problem};

/// Runs a program that a test needs; what it is missing says how to get it.
fn run(program: &str, package: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} does not run ({error}); install it: `apt-get install {package}`")
    });
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

async fn fetch(town: &Town, path: &str) -> Response {
    town.client.get(town.url(path)).send().await.unwrap()
}

/// The poster's pages in words, and what the code on it says.
async fn printed(answer: Response, folder: &Path) -> (String, String) {
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/pdf".parse().unwrap())
    );
    let pdf = folder.join("poster.pdf");
    std::fs::write(&pdf, answer.bytes().await.unwrap()).unwrap();
    let pdf = pdf.to_str().unwrap();
    let about = String::from_utf8(run("pdfinfo", "poppler-utils", &[pdf]).stdout).unwrap();
    assert!(about.contains("Pages:           1\n") && about.contains("419.53 x 595.28 pts"), "{about}");
    let text = String::from_utf8(run("pdftotext", "poppler-utils", &["-layout", pdf, "-"]).stdout).unwrap();
    let picture = folder.join("poster");
    let picture = picture.to_str().unwrap();
    run("pdftoppm", "poppler-utils", &["-png", "-r", "150", "-singlefile", pdf, picture]);
    let code = run("zbarimg", "zbar-tools", &["--raw", "-q", &format!("{picture}.png")]).stdout;
    (text, String::from_utf8(code).unwrap().trim_end().to_owned())
}

#[tokio::test]
async fn a_groups_poster_and_a_shops_say_what_to_do_in_both_languages_and_their_codes_lead_there() {
    let town = Town::open().await;
    let folder = tempfile::tempdir().unwrap();
    let shop = town.shop("010-0000-0001", "행복카페").await;
    let group = town.found(&shop).await;
    let merchant = shop.merchant;
    for (path, screen, name) in [
        (format!("/g/{group}/poster.pdf"), Destination::Group(group), "Alley"),
        (format!("/s/{merchant}/poster.pdf"), Destination::Merchant(merchant), "행복카페"),
    ] {
        for (lang, line) in [("ko", "코드를 읽고"), ("en", "Scan: collect")] {
            let answer = fetch(&town, &format!("{path}?lang={lang}")).await;
            assert_eq!(answer.headers()["content-language"], lang);
            let (text, code) = printed(answer, folder.path()).await;
            assert!(text.contains(name) && text.contains(line), "{text}");
            let address = link::link(screen, &town.url(""));
            assert!(text.split_whitespace().collect::<String>().contains(&address), "{text}");
            assert_eq!(code, link::poster(screen, &town.url("")));
        }
    }
    town.close().await;
}

#[tokio::test]
async fn a_name_of_sixty_letters_with_emoji_is_printed_as_far_as_the_font_goes() {
    let town = Town::open().await;
    let folder = tempfile::tempdir().unwrap();
    let name = format!("☕ {} <b>&", "가나다라마바사아자차".repeat(5));
    let shop = town.shop("010-0000-0001", &name).await;
    let merchant = shop.merchant;
    let answer = fetch(&town, &format!("/s/{merchant}/poster.pdf")).await;
    let (text, code) = printed(answer, folder.path()).await;
    let letters: String = text.split_whitespace().collect();
    assert!(letters.contains("마바사아자차<b>&"), "{text}");
    assert_eq!(code, link::poster(Destination::Merchant(merchant), &town.url("")));
    town.close().await;
}

#[tokio::test]
async fn what_is_not_there_has_no_poster_and_no_other_language() {
    let town = Town::open().await;
    let shop = town.shop("010-0000-0001", "카페").await;
    let merchant = shop.merchant;
    for path in ["/g/00000000000000000000000000000000/poster.pdf", "/s/x/poster.pdf", "/g/%00/poster.pdf"] {
        assert_eq!(problem(fetch(&town, path).await).await.code, "not_found", "{path}");
    }
    let other = fetch(&town, &format!("/s/{merchant}/poster.pdf?lang=xx")).await;
    assert_eq!(problem(other).await.code, "bad_parameter");
    town.close().await;
}

#[tokio::test]
async fn a_server_does_not_start_with_a_font_that_it_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { font: Some(folder.path().join("absent.ttf")), ..Config::local(folder.path()) };
    let error = start(&config, system_clock()).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, StartError::Font(FontError::File { .. })), "{error}");
    assert!(error.to_string().contains("absent.ttf"), "{error}");
}
