//! Shards: record batches as Parquet bytes, and as the Arrow stream a trainer sends.

use crate::error::StoreError;
use crate::tables::{Table, schema};
use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

/// Parquet bytes of one shard: zstd, dictionaries where values repeat, the table's schema and
/// its field metadata.
pub fn encode_shard(table: Table, batches: &[RecordBatch]) -> Result<Vec<u8>, StoreError> {
    let encode = |error: parquet::errors::ParquetError| StoreError::Encode {
        table: table.name(),
        reason: error.to_string(),
    };
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(encode)?))
        .set_created_by(concat!("phasegrid ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, schema(table), Some(properties)).map_err(encode)?;
    for batch in batches {
        writer.write(batch).map_err(encode)?;
    }
    writer.close().map_err(encode)?;
    Ok(bytes)
}

/// Record batches of one table as an Arrow IPC stream.
pub fn encode_ipc(table: Table, batch: &RecordBatch) -> Result<Vec<u8>, StoreError> {
    let encode = |error: arrow::error::ArrowError| StoreError::Encode {
        table: table.name(),
        reason: error.to_string(),
    };
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).map_err(encode)?;
    writer.write(batch).map_err(encode)?;
    writer.finish().map_err(encode)?;
    drop(writer);
    Ok(bytes)
}

/// Reads what [`encode_ipc`] wrote, refusing any schema but the table's.
pub fn decode_ipc(table: Table, bytes: &[u8]) -> Result<Vec<RecordBatch>, StoreError> {
    let refuse = |reason: String| StoreError::Encode { table: table.name(), reason };
    let reader = StreamReader::try_new(bytes, None).map_err(|error| refuse(error.to_string()))?;
    if reader.schema() != schema(table) {
        return Err(refuse("the batch has another schema than the table".into()));
    }
    reader.collect::<Result<_, _>>().map_err(|error| refuse(error.to_string()))
}
