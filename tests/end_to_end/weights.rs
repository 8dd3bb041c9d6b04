//! `save_weights`: safetensors with the documented names and shapes.

use phasegrid_tests::{Folder, Outcome, SweepText, planned_trial_ids, run_sweep, tree};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;

const PROBE: usize = 30;

fn saved(save: &str, more: &str) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let folder = Folder::new();
    let sweep = SweepText::new("kept")
        .fixed(&format!("steps = 10\ndepth = 2\nwidth = 5\n{more}"))
        .axes("seed = [0, 1]\n")
        .measure(&format!(
            "at = [0, 4]\nmetrics = []\nhistory = 0\nprobe_samples = {PROBE}\nsave_weights = \"{save}\"\n"
        ));
    folder.write("s.toml", sweep.text());
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
    (tree(&folder.join("store/weights/sweep=kept")), planned_trial_ids(&[&sweep]))
}

#[track_caller]
fn has_names_and_shapes(bytes: &[u8], batch_norm: bool) {
    let tensors = SafeTensors::deserialize(bytes).expect("it is a safetensors file");
    let mut expected: BTreeMap<String, (Dtype, Vec<usize>)> = BTreeMap::new();
    for (layer, (fan_in, width)) in [(64, 5), (5, 5), (5, 10)].into_iter().enumerate() {
        let name = |part: &str| format!("layers.{}.{part}", layer + 1);
        expected.insert(name("weight"), (Dtype::F32, vec![width, fan_in]));
        expected.insert(name("bias"), (Dtype::F32, vec![width]));
        for part in ["bn_gamma", "bn_beta", "bn_mean", "bn_var"] {
            if batch_norm && layer < 2 {
                expected.insert(name(part), (Dtype::F32, vec![width]));
            }
        }
    }
    for name in ["probe_index", "probe_label"] {
        expected.insert(name.to_owned(), (Dtype::I64, vec![PROBE]));
    }
    let found = tensors
        .iter()
        .map(|(name, tensor)| (name.to_owned(), (tensor.dtype(), tensor.shape().to_vec())));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
}

#[test]
fn final_keeps_the_weights_of_the_last_step() {
    let (files, ids) = saved("final", "");
    let expected: Vec<String> = ids.iter().map(|id| format!("{id}-10.safetensors")).collect();
    assert_eq!(files.keys().cloned().collect::<Vec<_>>(), expected);
    files.values().for_each(|bytes| has_names_and_shapes(bytes, false));
}

#[test]
fn all_keeps_the_weights_of_every_measured_step() {
    let (files, ids) = saved("all", "batch_norm = true\n");
    let of = |id: &String| [0, 4, 10].map(|step| format!("{id}-{step}.safetensors"));
    let mut expected: Vec<String> = ids.iter().flat_map(of).collect();
    expected.sort();
    assert_eq!(files.keys().cloned().collect::<Vec<_>>(), expected);
    files.values().for_each(|bytes| has_names_and_shapes(bytes, true));
    let distinct: std::collections::BTreeSet<&Vec<u8>> = files.values().collect();
    assert_eq!(distinct.len(), files.len(), "the steps differ");
}

#[test]
fn a_probe_cut_down_to_the_training_rows_is_said_and_stands_with_the_weights() {
    let folder = Folder::new();
    let sweep = SweepText::new("cut")
        .fixed("steps = 3\ndepth = 1\nwidth = 4\nbatch_size = 10\n")
        .axes("train_samples = [20, 600]\n")
        .measure("at = \"last\"\nmetrics = []\nprobe_samples = 100\nsave_weights = \"final\"\n");
    folder.write("s.toml", sweep.text());
    let outcome = Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
    let said = "probe_samples is 100, the probe is cut down to the 20 training rows";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    let mut probes = Vec::new();
    for (name, bytes) in tree(&folder.join("store/weights/sweep=cut")) {
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("it is a safetensors file");
        let metadata = header.metadata().clone().expect("it says whose weights they are");
        assert!(name.starts_with(&metadata["trial_id"]), "{name} {metadata:?}");
        assert_eq!((metadata["step"].as_str(), metadata["probe_samples"].as_str()), ("3", "100"));
        probes.push([metadata["probe_rows"].clone(), metadata["probe_cut"].clone()]);
    }
    probes.sort();
    assert_eq!(probes, [["100", "false"], ["20", "true"]]);
}
