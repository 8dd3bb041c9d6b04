//! Missing, truncated and corrupt IDX and gzip files: the file is named, nothing is created.

use flate2::{Compression, write::GzEncoder};
use phasegrid_tests::{Folder, Outcome, run_sweep};
use std::io::Write;

const IMAGES: &str = "data/small/t10k-images-idx3-ubyte";
const LABELS: &str = "data/small/t10k-labels-idx1-ubyte";

/// Twenty pictures of 2x2, as an IDX file.
fn images() -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 2, 0, 0, 0, 2];
    bytes.extend((0..80).map(|index: u32| (index * 37 % 251) as u8));
    bytes
}

fn labels(count: u8) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1, 0, 0, 0, count];
    bytes.extend((0..count).map(|index| index % 2));
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

fn run(folder: &Folder, options: &[&str]) -> Outcome {
    let text = "name = \"idx\"\ntask = \"idx:small\"\n[fixed]\nsteps = 2\nbatch_size = 4\nwidth = 2\n[measure]\nmetrics = []\nprobe_samples = 8\n";
    folder.write("s.toml", text);
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "new", options))
}

/// Runs on these files, which must be refused, and returns the message.
#[track_caller]
fn refused(files: &[(&str, Vec<u8>)]) -> String {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.join("data")).expect("a temporary folder is writable");
    for (name, bytes) in files {
        folder.write(name, bytes);
    }
    let message = run(&folder, &["--data", "data"]).fails_with(2);
    assert!(!folder.join("new").exists(), "bad data left a store behind");
    message.strip_prefix("phasegrid: s.toml:2: task: ").expect(&message).to_owned()
}

#[test]
fn whole_files_are_trained_on() {
    let folder = Folder::new();
    folder.write(&format!("{IMAGES}.gz"), gzip(&images()));
    folder.write(LABELS, labels(20));
    run(&folder, &["--data", "data"]).exits_with(0);
}

#[test]
fn missing_files_say_what_is_looked_for_and_how_to_point_there() {
    assert_eq!(
        refused(&[]),
        "task \"idx:small\": no t10k-images-idx3-ubyte (or t10k-images-idx3-ubyte.gz) in data/small: put the file there, or give the folder with --data DIR or PHASEGRID_DATA"
    );
    let message = refused(&[(IMAGES, images())]);
    assert!(message.contains("no t10k-labels-idx1-ubyte (or"), "{message}");
    let folder = Folder::new();
    let message = run(&folder, &[]).fails_with(2);
    assert!(message.ends_with("give the folder with --data DIR or PHASEGRID_DATA"), "{message}");
}

#[test]
fn truncated_files_are_named() {
    let whole = images();
    let compressed = gzip(&images());
    let header = refused(&[(IMAGES, whole[..10].to_vec()), (LABELS, labels(20))]);
    assert_eq!(header, format!("{IMAGES}: the file is truncated; fetch the file again"));
    let pixels = refused(&[(IMAGES, whole[..50].to_vec()), (LABELS, labels(20))]);
    assert_eq!(
        pixels,
        format!(
            "{IMAGES}: the file is truncated: 34 of 80 bytes after the header; fetch the file again"
        )
    );
    let images_gz = format!("{IMAGES}.gz");
    let cut = compressed[..compressed.len() - 12].to_vec();
    let gz = refused(&[(&images_gz, cut), (LABELS, labels(20))]);
    assert_eq!(gz, format!("{images_gz}: the file is truncated; fetch the file again"));
}

#[test]
fn corrupt_files_are_named() {
    let images_gz = format!("{IMAGES}.gz");
    let mut flipped = gzip(&images());
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    for damaged in [flipped, b"not gzip at all".to_vec()] {
        let message = refused(&[(&images_gz, damaged), (LABELS, labels(20))]);
        let start = format!("{images_gz}: the gzip data are corrupt (");
        assert!(message.starts_with(&start), "{message}");
        assert!(message.ends_with("; fetch the file again"), "{message}");
    }
    let swapped = refused(&[(IMAGES, labels(20)), (LABELS, labels(20))]);
    assert!(swapped.starts_with(&format!("{IMAGES}: not an IDX file of images")), "{swapped}");
    let fewer = refused(&[(IMAGES, images()), (LABELS, labels(19))]);
    assert_eq!(fewer, format!("{IMAGES} and {LABELS}: 20 images, but 19 labels"));
}
