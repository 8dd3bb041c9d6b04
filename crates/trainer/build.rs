//! Where the trainer finds libtorch when it runs.
//!
//! `cargo:rustc-link-arg` of a dependency does not reach its dependents, so every crate with
//! programs that call libtorch needs these lines; torch-sys, a direct dependency, says where
//! its libraries are. Nothing here forces libtorch_cuda in: the linker drops it (as-needed),
//! and the program starts on machines without CUDA.

fn main() {
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if let Ok(directory) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{directory}");
    }
    // target/debug/phasegrid-trainer of a checkout that was moved after it was built, and its
    // tests one folder deeper.
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../../.libtorch/torch/lib");
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../../../.libtorch/torch/lib");
}
