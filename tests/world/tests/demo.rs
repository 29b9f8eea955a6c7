//! The demo as a person runs it.

use std::path::Path;
use std::process::{Command, Output};

use moa_ledger::verify::verify_file;

fn demo(lang: &str, out: &Path) -> Output {
    let world = env!("CARGO_BIN_EXE_world");
    Command::new(world).args(["demo", "--lang", lang, "--out"]).arg(out).output().unwrap()
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Columns on a terminal, by a rule of its own: everything from the Korean alphabet on is wide.
fn columns(line: &str) -> usize {
    line.chars().map(|letter| if letter >= '\u{1100}' && !"│₩·".contains(letter) { 2 } else { 1 }).sum()
}

fn check(lang: &str, landmarks: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo");
    // The second run replaces what the first one left.
    for _ in 0..2 {
        let text = told(&demo(lang, &out));
        assert!(!text.contains('\u{1b}'), "no colours in a pipe");
        let mut rest = text.as_str();
        for landmark in landmarks {
            let at = rest.find(landmark).unwrap_or_else(|| panic!("no {landmark:?} in order in\n{text}"));
            rest = &rest[at..];
        }
        for line in text.lines().filter(|line| !line.contains(folder.path().to_str().unwrap())) {
            assert!(columns(line) <= 100, "{} columns: {line}", columns(line));
        }
        for picture in ["voucher.png", "redemption-code.png"] {
            assert!(out.join(picture).metadata().unwrap().len() > 500, "{picture}");
        }
        let report = verify_file(&out.join("moa-data/moa.db")).unwrap();
        assert!(report.is_clean() && report.lots == 2 && report.groups == 2, "{report:?}");
    }
}

#[test]
fn the_story_is_told_in_english() {
    check(
        "en",
        &[
            "the story of an alley",
            "Your code is",
            "Persimmon Alley: 5% back, usable for 6 months, from 1,000 points",
            "invites its two neighbours by one link",
            "/i/",
            "opens it, reads the terms and joins Persimmon Alley",
            "2 of 2 have joined, 3 members: ",
            "voucher.png",
            "Persimmon Alley: earns 3,200 points, 5%, 6 months, 3 shops",
            "Shops: Dawn Café, Golden Bakery, Page Bookshop",
            "higher rate",
            "0 points, 3,200 pending",
            "3,200 points earned",
            "Refused: This purchase was claimed before",
            "redemption-code.png",
            "Approved: 1,200 points",
            "Refused: Usable from 1,000; this wallet has 900",
            "owes ₩3,200",
            "is owed ₩200",
            "is owed ₩1,200",
            "All together: ₩0",
            "all agree",
            "The server's books say 900 points",
            "moa serve --data",
            "curl http://127.0.0.1:8080/healthz",
            "moa verify --data",
            "docs/architecture.md",
        ],
    );
}

#[test]
fn the_story_is_told_in_korean() {
    check(
        "ko",
        &[
            "어느 골목 이야기",
            "인증번호는",
            "감나무 골목: 적립률 5%, 유효기간 6개월, 1,000점부터 사용",
            "링크 하나로 이웃 가게 둘을 초대해요.",
            "초대한 2곳이 모두 들어와 회원은 3곳: ",
            "voucher.png",
            "감나무 골목: 3,200점 적립, 5%, 6개월, 가게 3곳",
            "추천: 더 높은 적립률",
            "확인 중 3,200점",
            "거절: 이미 적립된 구매예요",
            "승인: 감나무 골목 1,200점",
            "거절: 1,000부터 쓸 수 있는데 이 지갑에는 900이 있어요",
            "3,200원 낼 것",
            "200원 받을 것",
            "모두 더하면 0원",
            "모두 맞아요",
            "moa serve --data",
            "docs/rules.md",
        ],
    );
}

#[test]
fn a_folder_that_is_not_the_demos_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("moa-data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("moa.db"), b"a shop's own").unwrap();
    for (lang, says) in [("en", "was left alone"), ("ko", "그대로 두었어요")] {
        let output = demo(lang, folder.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{said}");
    }
    assert_eq!(std::fs::read(data.join("moa.db")).unwrap(), b"a shop's own");
}
