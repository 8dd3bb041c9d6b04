//! With the real store: a folder of Parquet files.

use std::sync::Arc;

use phasegrid_proto::v1::sweeps_client::SweepsClient;
use phasegrid_proto::v1::workers_client::WorkersClient;
use phasegrid_proto::v1::{self, StatusRequest, SubmitRequest, SweepState, Verdict};
use phasegrid_spec::{Hyperparameters, TrialId};
use phasegrid_store::{Cell, Store, Table, TableBuilder, UnitKey, encode_shard};

use crate::harness::{FakeWorker, SWEEP, key, serve_elsewhere};

#[tokio::test]
async fn rows_and_failed_rows_become_visible_and_staging_goes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    let store = Store::open_or_create(root, &["_state"]).unwrap();
    let state = folder.path().join("_state");
    let coordinator = serve_elsewhere(&state, Arc::new(store.clone()), |_| ()).await.unwrap();
    let mut sweeps = SweepsClient::connect(coordinator.url()).await.unwrap();
    let one_more = format!("{SWEEP}[[grid]]\naxes = {{ depth = [3] }}\n");
    let request = SubmitRequest { sweep_file: one_more, ..Default::default() };
    assert_eq!(sweeps.submit(request).await.unwrap().into_inner().trials_added, 9);
    let client = WorkersClient::connect(coordinator.url()).await.unwrap();
    let mut worker = FakeWorker { name: "w".to_owned(), client, store: Default::default() };
    let registered = worker.register().await;
    assert_eq!(registered.store_id, store.id());
    let theirs = Store::open(&registered.store_url).unwrap();
    while let Some(unit) = worker.poll(0).await.unwrap().unit {
        if unit.trials.len() == 1 {
            worker.fail(&unit, v1::FailureCause::Crash).await;
            continue;
        }
        let shard = shard_of(&unit);
        let place = UnitKey { sweep: unit.sweep.clone(), unit: unit.unit, attempt: unit.attempt };
        let rows = unit.trials.len() as u64;
        let file = theirs.stage(&place, "trials", "", rows, &shard).unwrap();
        let request = worker.completion(&unit, &file);
        let answer = worker.client.complete(request).await.unwrap().into_inner();
        assert_eq!(answer.verdict(), Verdict::Won, "{}: {:?}", answer.detail, key(&unit));
    }
    let status = loop {
        let request = StatusRequest { sweep: "s".to_owned() };
        let status = sweeps.status(request).await.unwrap().into_inner();
        if status.state() == SweepState::Done {
            break status;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!((status.trials_total, status.trials_failed), (9, 1));
    let shards = std::fs::read_dir(folder.path().join("trials/sweep=s")).unwrap().count();
    assert_eq!(shards as u64, status.units_published);
    let document = store.sweep_document("s").unwrap().unwrap();
    assert_eq!(document.coordinator, coordinator.id());
    assert_eq!(document.grids.len(), 2);
    assert_eq!(document.datasets.get("digits").map(String::as_str), Some("f"));
}

fn shard_of(unit: &v1::Unit) -> Vec<u8> {
    let mut rows = TableBuilder::new(Table::Trials);
    for json in &unit.trials {
        let trial = Hyperparameters::from_canonical_json(json).unwrap();
        let cells = [("status", Cell::Text("ok".to_owned()))];
        rows.append(&trial, &TrialId::of(&trial), cells).unwrap();
    }
    encode_shard(Table::Trials, &[rows.finish().unwrap()]).unwrap()
}
