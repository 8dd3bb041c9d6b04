//! What a trainer sends for one unit, and how it becomes staged files.

use arrow::array::RecordBatch;
use phasegrid_proto::v1;
use phasegrid_store::{
    StagedFile, Store, StoreError, Table, UnitKey, decode_ipc, encode_shard, weights_file_name,
};

/// Everything one unit produced.
#[derive(Clone, Default)]
pub(crate) struct UnitOutput {
    tables: Vec<(Table, Vec<RecordBatch>)>,
    weights: Vec<(String, Vec<u8>)>,
    pub(crate) trials_ok: u64,
    pub(crate) trials_diverged: u64,
    pub(crate) train_seconds: f64,
    pub(crate) measure_seconds: f64,
}

impl UnitOutput {
    /// Adds one table's batches; the error says what does not fit.
    pub(crate) fn add_batch(&mut self, batch: &v1::Batch) -> Result<(), String> {
        let table = Table::from_name(&batch.table).ok_or_else(|| {
            format!("the trainer sent a batch of an unknown table \"{}\"", batch.table)
        })?;
        let batches = decode_ipc(table, &batch.arrow_ipc).map_err(|error| error.to_string())?;
        match self.tables.iter_mut().find(|(known, _)| *known == table) {
            Some((_, existing)) => existing.extend(batches),
            None => self.tables.push((table, batches)),
        }
        Ok(())
    }

    /// Adds one trial's weights at one step.
    pub(crate) fn add_weights(&mut self, weights: v1::Weights) {
        let name = weights_file_name(&weights.trial_id, weights.step as i64);
        self.weights.push((name, weights.safetensors));
    }

    /// Rows in the table `trials`.
    pub(crate) fn trial_rows(&self) -> usize {
        let trials = self.tables.iter().filter(|(table, _)| *table == Table::Trials);
        trials.flat_map(|(_, batches)| batches).map(RecordBatch::num_rows).sum()
    }

    /// Encodes and stages everything. Blocks.
    pub(crate) fn stage(
        &self,
        store: &Store,
        key: &UnitKey,
    ) -> Result<Vec<StagedFile>, StoreError> {
        let mut manifest = Vec::new();
        for (table, batches) in &self.tables {
            let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
            if rows == 0 {
                continue;
            }
            let bytes = encode_shard(*table, batches)?;
            manifest.push(store.stage(key, table.name(), "", rows as u64, &bytes)?);
        }
        for (name, bytes) in &self.weights {
            manifest.push(store.stage(key, "weights", name, 1, bytes)?);
        }
        Ok(manifest)
    }
}
