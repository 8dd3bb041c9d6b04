//! What is refused, how it is typed, and that the message says what to do.

use std::sync::Arc;

use phasegrid_coordinator::{CoordinatorError, Listen};
use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::{
    ErrorKind, ExplainRequest, ExtendRequest, LeaseRequest, RegisterRequest, StatusRequest,
    SubmitRequest,
};
use tonic::Code;

use crate::harness::{ONE_TRIAL, Running, SWEEP, serve_elsewhere};

#[tokio::test]
async fn a_bad_sweep_file_is_quoted_in_full() {
    let running = Running::start().await;
    let file = SWEEP.replace("depth = [1, 2]", "depht = [1, 2]");
    let status = running.submit(&file).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let error = ServiceError::from(status);
    assert_eq!(error.kind(), ErrorKind::BadSweepFile);
    assert!(error.message().contains("depht"), "{error}");
    assert!(error.message().contains("depth"), "{error}");
}

#[tokio::test]
async fn another_measure_is_a_failed_precondition_naming_the_setting() {
    let running = Running::start().await;
    running.submit(SWEEP).await.unwrap();
    let file = format!("{SWEEP}[measure]\nprobe_seed = 3\n");
    let status = running.submit(&file).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let error = ServiceError::from(status);
    assert_eq!(error.kind(), ErrorKind::MeasureChanged);
    assert!(error.message().contains("probe_seed"), "{error}");
}

#[tokio::test]
async fn requests_out_of_bounds_name_the_field() {
    let running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut sweeps = running.sweeps().await;
    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    let file = worker.stage(&unit);
    let complete = worker.completion(&unit, &file);
    let mut refused = Vec::new();

    let sweep = "../etc".to_owned();
    refused.push(("sweep", sweeps.status(StatusRequest { sweep }).await.unwrap_err()));
    let explain = ExplainRequest { sweep: "s".to_owned(), trial_id: "xyz".to_owned() };
    refused.push(("trial_id", sweeps.explain(explain).await.unwrap_err()));
    let submit = SubmitRequest { sweep_file: "#".repeat(5 << 20), ..Default::default() };
    refused.push(("sweep_file", sweeps.submit(submit).await.unwrap_err()));
    let extend = ExtendRequest { sweep: "s".to_owned(), ..Default::default() };
    refused.push(("idempotency_key", sweeps.extend(extend).await.unwrap_err()));
    let register = RegisterRequest { worker: "w".to_owned(), ..Default::default() };
    refused.push(("slots", worker.client.register(register).await.unwrap_err()));
    let lease = LeaseRequest { worker: "\n".to_owned(), ..Default::default() };
    refused.push(("worker", worker.client.lease(lease).await.unwrap_err()));

    let mut escaping = complete.clone();
    escaping.manifest[0].path = "_staging/s/0/1/../../../../trials/x.parquet".to_owned();
    refused.push(("manifest.path", worker.client.complete(escaping).await.unwrap_err()));
    let mut foreign = complete.clone();
    foreign.manifest[0].path = "_staging/s/0/2/trials.parquet".to_owned();
    refused.push(("manifest.path", worker.client.complete(foreign).await.unwrap_err()));
    let mut empty = complete.clone();
    empty.manifest.clear();
    refused.push(("manifest", worker.client.complete(empty).await.unwrap_err()));
    let mut miscounted = complete.clone();
    miscounted.trials_ok = 7;
    refused.push(("trials_ok", worker.client.complete(miscounted).await.unwrap_err()));
    let leaseless = phasegrid_proto::v1::CompleteRequest { lease: None, ..complete };
    refused.push(("lease", worker.client.complete(leaseless).await.unwrap_err()));

    for (field, status) in refused {
        assert_eq!(status.code(), Code::InvalidArgument, "{field}: {status:?}");
        let error = ServiceError::from(status);
        assert_eq!((error.kind(), error.subject()), (ErrorKind::BadField, field));
        assert!(error.message().starts_with(&format!("`{field}`")), "{error}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let running = Running::start().await;
    let mut sweeps = running.sweeps().await;
    let request = StatusRequest { sweep: "nothing".to_owned() };
    let error: ServiceError = sweeps.status(request).await.unwrap_err().into();
    assert_eq!((error.kind(), error.subject()), (ErrorKind::NoSuchSweep, "nothing"));
    running.submit(SWEEP).await.unwrap();
    let request = ExplainRequest { sweep: "s".to_owned(), trial_id: "0".repeat(32) };
    let error: ServiceError = sweeps.explain(request).await.unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::NoSuchTrial);
    let mut stranger = running.worker("stranger").await;
    let error: ServiceError = stranger.poll(0).await.unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::UnknownWorker);
}

#[tokio::test]
async fn anothers_sweep_is_refused_unless_adopted_and_never_once_it_has_results() {
    let running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(running.store.clone());
    let other = serve_elsewhere(directory.path(), store, |_| ()).await.unwrap();
    let mut client =
        phasegrid_proto::v1::sweeps_client::SweepsClient::connect(other.url()).await.unwrap();
    let request =
        |adopt| SubmitRequest { sweep_file: ONE_TRIAL.to_owned(), adopt, ..Default::default() };
    let error: ServiceError = client.submit(request(false)).await.unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::SweepOfAnother);
    assert!(error.message().contains("--adopt"), "{error}");

    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    worker.complete(&unit).await;
    running.until_done().await;
    let error: ServiceError = client.submit(request(true)).await.unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::SweepOfAnother);
    assert!(error.message().contains("cannot be taken over"), "{error}");

    let unpublished = ONE_TRIAL.replace("\"s\"", "\"t\"");
    running.submit(&unpublished).await.unwrap();
    let adopted = SubmitRequest { sweep_file: unpublished, adopt: true, ..Default::default() };
    assert_eq!(client.submit(adopted).await.unwrap().into_inner().trials_added, 1);
    assert_eq!(running.store.document_coordinator("t").as_deref(), Some(other.id()));
}

#[tokio::test]
async fn a_port_that_is_taken_a_directory_that_is_locked_and_plain_text_abroad() {
    let running = Running::start().await;
    let address = running.url().trim_start_matches("http://").parse().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let store = || Arc::new(running.store.clone());
    let taken = serve_elsewhere(directory.path(), store(), |config| {
        config.listen = Listen::Address(address);
    });
    assert!(matches!(taken.await, Err(CoordinatorError::AddressInUse { .. })));
    let locked = serve_elsewhere(running.directory.path(), store(), |_| ()).await.unwrap_err();
    assert!(locked.to_string().starts_with("another coordinator is running"), "{locked}");
    let abroad = |allow: bool| {
        serve_elsewhere(directory.path(), store(), move |config| {
            config.listen = Listen::Address(([0, 0, 0, 0], 0).into());
            config.allow_plaintext = allow;
        })
    };
    assert!(matches!(abroad(false).await, Err(CoordinatorError::PlainText { .. })));
    assert!(abroad(true).await.is_ok());
}
