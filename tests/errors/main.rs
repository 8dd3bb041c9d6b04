//! Bad input gets one clear error, exit code 2 (bad usage or file) or 3 (infrastructure), and
//! nothing half-done.

mod data_files;
mod disk_full;
mod machine;
mod out_folder;
mod requests;
mod sweep_file;
mod trainer;
