//! A machine that cannot serve a run: a port that is taken.

use phasegrid_tests::{Folder, Outcome, SweepText, run_sweep};
use std::net::TcpListener;

#[test]
fn a_taken_port_is_named_and_no_store_is_made() {
    let folder = Folder::new();
    folder.write("s.toml", SweepText::new("tiny").text());
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = taken.local_addr().expect("a bound socket has an address").port().to_string();
    let mut command = run_sweep(folder.path(), "s.toml", "new", &["--port", &port]);
    let message = Outcome::of(&mut command).fails_with(3);
    assert_eq!(
        message,
        format!(
            "phasegrid: port {port} of 127.0.0.1 is taken: choose another --port, or leave it out for a free one"
        )
    );
    assert!(!folder.join("new").exists());
}
