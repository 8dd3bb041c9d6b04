//! From a sweep file's text to a sweep, or to more grids of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::ErrorKind;
use phasegrid_spec::{Block, Measure, Sweep, SweepFile, TrainRows};
use phasegrid_store::MetricDescription;

use super::jobs::{JobContext, blocks_from_json, on_store};
use crate::commit::{DocumentCreation, SweepDocument};
use crate::scheduler::{Prepared, SubmitRefusal, prepare};

/// What a client submits.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    pub(super) sweep_file: String,
    pub(super) train_rows: BTreeMap<String, u64>,
    pub(super) owner: String,
    pub(super) adopt: bool,
    /// For an extension: the sweep it must name, which must exist, and the client's key.
    pub(super) extends: Option<(String, String)>,
}

/// A sweep file, read.
struct Resolved {
    name: String,
    measure: Measure,
    block: Block,
}

/// Submits; answers the sweep's name and the trials added. One at a time, so that nothing changes
/// between preparing a block and appending it.
pub(super) async fn submit(
    context: &JobContext,
    submission: Submission,
) -> Result<(String, u64), ServiceError> {
    let Submission { sweep_file, train_rows, owner, adopt, extends } = submission;
    let resolved = blocking(move || resolve(&sweep_file, train_rows)).await??;
    let name = resolved.name.clone();
    let _one_at_a_time = context.documents.lock().await;
    let lookup = name.clone();
    let existing = context.core.call(move |scheduler, _, _| scheduler.plan(&lookup)).await?;
    if let Some((sweep, key)) = &extends {
        if *sweep != name {
            let problem = format!("names sweep {name}, the request extends {sweep}");
            return Err(ServiceError::bad_field("sweep_file", problem));
        }
        if existing.is_none() {
            return Err(super::bounds::no_such_sweep(sweep));
        }
        if let Some(added) = repeated(context, sweep, key).await? {
            return Ok((name, added));
        }
    }
    let prepared = blocking(move || {
        let Resolved { name, measure, block } = resolved;
        prepare(existing.as_deref(), &name, measure, block).map(|ready| (existing, ready))
    })
    .await?;
    let (existing, prepared) = prepared.map_err(|refusal| refused(&refusal))?;
    if existing.is_none() {
        create_document(context, &prepared, &owner, adopt).await?;
    }
    let key = extends.map(|(_, key)| key);
    let added = append(context, prepared, existing, owner, key).await?;
    Ok((name, added))
}

async fn append(
    context: &JobContext,
    prepared: Prepared,
    existing: Option<Arc<Sweep>>,
    owner: String,
    key: Option<String>,
) -> Result<u64, ServiceError> {
    let added = context
        .core
        .call(move |scheduler, _, effects| {
            // Kept until here, so that its last reference is not dropped in the core task.
            let _existing = existing;
            scheduler.submit(prepared, &owner, key.as_deref(), effects)
        })
        .await?;
    added.ok_or_else(|| {
        ServiceError::new(ErrorKind::Unspecified, "", "two submissions got mixed up: a bug")
    })
}

async fn repeated(
    context: &JobContext,
    sweep: &str,
    key: &str,
) -> Result<Option<u64>, ServiceError> {
    let (sweep, key) = (sweep.to_owned(), key.to_owned());
    context
        .core
        .call(move |scheduler, _, _| scheduler.earlier_extension(scheduler.sweep_id(&sweep)?, &key))
        .await
}

fn resolve(sweep_file: &str, train_rows: BTreeMap<String, u64>) -> Result<Resolved, ServiceError> {
    let bad_file = |error: phasegrid_spec::SpecError| {
        ServiceError::new(ErrorKind::BadSweepFile, "sweep_file", error.to_string())
    };
    let file = SweepFile::parse(sweep_file, "sweep file").map_err(bad_file)?;
    MetricDescription::check_names(&file.measure.metrics)
        .map_err(|message| bad_file(file.error_at("measure.metrics", message)))?;
    for task in file.tasks() {
        phasegrid_tasks::check_name(&task)
            .map_err(|error| bad_file(file.error_at("task", error.to_string())))?;
    }
    let (measure, block) = file.resolve(&TrainRows(train_rows)).map_err(bad_file)?;
    Ok(Resolved { name: file.name.clone(), measure, block })
}

fn refused(refusal: &SubmitRefusal) -> ServiceError {
    let message = refusal.to_string();
    match refusal {
        SubmitRefusal::MeasureChanged { difference, .. } => {
            ServiceError::new(ErrorKind::MeasureChanged, difference.as_str(), message)
        }
        SubmitRefusal::TooLarge(_) => {
            ServiceError::new(ErrorKind::BadSweepFile, "sweep_file", message)
        }
        SubmitRefusal::Unwritable(_) => ServiceError::new(ErrorKind::Unspecified, "", message),
    }
}

/// Claims the sweep's name in the store, before the sweep exists here.
async fn create_document(
    context: &JobContext,
    prepared: &Prepared,
    owner: &str,
    adopt: bool,
) -> Result<(), ServiceError> {
    let plan = Arc::clone(&prepared.plan);
    let name = plan.name().to_owned();
    let coordinator = Arc::clone(&context.coordinator);
    let owner = owner.to_owned();
    let block: Arc<str> = prepared.block.as_str().into();
    let created = on_store(context, move |store| {
        let blocks = blocks_from_json(&[block])?;
        let document = SweepDocument {
            sweep: &plan,
            blocks: &blocks,
            coordinator: &coordinator,
            owner: &owner,
            datasets: &BTreeMap::new(),
        };
        store.create_sweep_document(&document, adopt)
    })
    .await;
    match created {
        Ok(DocumentCreation::Ours) => Ok(()),
        Ok(DocumentCreation::OfAnother { coordinator }) => Err(ServiceError::new(
            ErrorKind::SweepOfAnother,
            name.as_str(),
            format!(
                "the store holds a sweep {name} that coordinator {coordinator} created: give the file another name, submit to that coordinator, or take the sweep over with --adopt"
            ),
        )),
        Ok(DocumentCreation::HasResults { coordinator, units }) => Err(ServiceError::new(
            ErrorKind::SweepOfAnother,
            name.as_str(),
            format!(
                "sweep {name} cannot be taken over: {units} of its units were published by coordinator {coordinator}, and this coordinator does not know which trials are in them; start the coordinator with that one's state directory, or give the file another name"
            ),
        )),
        Err(failure) => Err(ServiceError::new(ErrorKind::Store, name, failure.to_string())),
    }
}

/// Work that takes its time, on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work).await.map_err(|died| {
        ServiceError::new(ErrorKind::Unspecified, "", format!("the request's thread died: {died}"))
    })
}
