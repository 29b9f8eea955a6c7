//! `docs/security.md` names tests: each of them is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of all functions of Rust below a folder.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                functions(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            for line in fs::read_to_string(&path).unwrap().lines() {
                let Some((_, rest)) = line.split_once("fn ") else { continue };
                let name = rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next();
                found.extend(name.map(str::to_owned));
            }
        }
    }
}

#[test]
fn every_test_that_a_threat_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut known = BTreeSet::new();
    ["core", "server", "bindings", "tests"]
        .iter()
        .for_each(|folder| functions(&root.join(folder), &mut known));
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let rows: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| threat")).collect();
    assert!(rows.len() >= 25, "the page has its rows");
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 4, "threat, control, test, what remains: {row}");
        let names: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a threat that nothing shows: {}", cells[0]);
        for name in names.into_iter().filter(|name| name.contains('_')) {
            assert!(known.contains(name), "{name}, of {}, is no test", cells[0]);
        }
    }
}
