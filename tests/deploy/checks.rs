//! The linters of `deploy/`: shellcheck over the scripts, schemas over the manifests.

use phasegrid_tests::{Outcome, skip, target_folder};
use std::path::Path;
use std::process::Command;

#[test]
fn the_scripts_and_manifests_pass_their_linters() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/check.sh");
    let mut check = Command::new("bash");
    check.arg(script).arg(target_folder().join("deploy-check"));
    let outcome = Outcome::of(&mut check);
    if outcome.status.code() == Some(3) {
        assert!(std::env::var_os("CI").is_none(), "CI cannot install the linters: {outcome:?}");
        return skip("linting deploy/", &outcome.stderr);
    }
    let outcome = outcome.exits_with(0);
    eprintln!("{}", outcome.stdout.trim());
}
