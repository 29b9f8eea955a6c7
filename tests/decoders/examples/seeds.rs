//! Writes the seeds of the corpus: `cargo run -p moa-decoders --example seeds -- fuzz/corpus`.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let corpus = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "fuzz/corpus".into()));
    for (way_in, name, bytes) in moa_decoders::corpus::seeds() {
        let folder = corpus.join(way_in);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
