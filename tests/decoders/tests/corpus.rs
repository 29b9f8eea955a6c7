//! Everything that was ever found, or is a good example, through the way in that it belongs to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use moa_decoders::{WAYS_IN, corpus};
use moa_rules::event::Event;
use moa_rules::op::Op;
use moa_rules::role::TABLE;
use moa_wire::canonical;
use moa_wire::token::Sealed;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

#[test]
fn every_file_of_the_corpus_is_taken_or_left() {
    for (name, way_in) in WAYS_IN {
        let mut files = 0;
        for entry in std::fs::read_dir(folder().join(name)).unwrap() {
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
    let mut folders: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut names = WAYS_IN.map(|(name, _)| name.to_owned());
    names.sort();
    assert_eq!(folders, names);
    let files = names.iter().flat_map(|name| std::fs::read_dir(folder().join(name)).unwrap());
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 300_000, "{bytes} bytes");
}

#[test]
fn every_kind_of_op_is_among_the_seeds_and_the_files() {
    let kinds = |seeds: Vec<Vec<u8>>| {
        let ops = seeds.iter().filter_map(|bytes| Sealed::<Op>::parse(bytes).ok());
        ops.map(|op| op.unchecked().body.kind().number).collect::<BTreeSet<u8>>()
    };
    let files = std::fs::read_dir(folder().join("submission")).unwrap();
    let files = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    let seeds = corpus::seeds().into_iter().filter(|(way_in, ..)| *way_in == "submission");
    let seeds = seeds.map(|(_, _, bytes)| bytes).collect();
    let all: BTreeSet<u8> = TABLE.iter().map(|(kind, _)| kind.number).collect();
    assert_eq!((kinds(seeds), kinds(files)), (all.clone(), all));
}

#[test]
fn every_seed_of_an_event_reads_and_stands_among_the_files() {
    for (way_in, name, bytes) in corpus::seeds().into_iter().filter(|(way_in, ..)| *way_in == "event") {
        assert!(canonical::decode::<Event>(&bytes).is_ok(), "{name}");
        let kept = std::fs::read(folder().join(way_in).join(&name));
        let kept = kept.unwrap_or_else(|_| panic!("{name} has no file: see examples/seeds.rs"));
        assert!(canonical::decode::<Event>(&kept).is_ok(), "{name} is not read any more");
    }
}
