//! Compiles `proto/phasegrid/v1/*.proto` with protox, so that no protoc has to be installed.

use std::error::Error;
use std::path::PathBuf;

use protox::prost::Message;

const PROTO_DIR: &str = "../../proto";
const FILES: [&str; 4] = [
    "phasegrid/v1/errors.proto",
    "phasegrid/v1/sweeps.proto",
    "phasegrid/v1/workers.proto",
    "phasegrid/v1/trainer.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO_DIR}");
    let out_dir = PathBuf::from(std::env::var("OUT_DIR")?);
    let descriptors = protox::compile(FILES, [PROTO_DIR])?;
    // Reflection serves this file, comments included.
    std::fs::write(out_dir.join("phasegrid_descriptor.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
