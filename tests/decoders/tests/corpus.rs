//! Everything that was ever found, or is a good example, through the way in that it belongs to.

use std::path::{Path, PathBuf};

use moa_decoders::WAYS_IN;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

#[test]
fn every_file_of_the_corpus_is_taken_or_left() {
    for (name, way_in) in WAYS_IN {
        let mut files = 0;
        for entry in std::fs::read_dir(corpus().join(name)).unwrap() {
            let path = entry.unwrap().path();
            // Named before it runs: a panic's output then says which file it was.
            println!("{}", path.display());
            way_in(&std::fs::read(&path).unwrap());
            files += 1;
        }
        assert!(files > 0, "{name} has no corpus");
    }
}

#[test]
fn the_corpus_has_a_folder_for_every_way_in_and_stays_small() {
    let mut folders: Vec<String> = std::fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut names = WAYS_IN.map(|(name, _)| name.to_owned());
    names.sort();
    assert_eq!(folders, names);
    let files = names.iter().flat_map(|name| std::fs::read_dir(corpus().join(name)).unwrap());
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 300_000, "{bytes} bytes");
}
