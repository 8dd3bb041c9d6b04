//! Messages on standard input and output: each preceded by its length, 32 bits, big-endian.

use phasegrid_proto::v1::{TrainerReply, TrainerRequest, trainer_reply, trainer_request};
use prost::Message;
use std::io::{self, Read, Write};

/// The next request; `None` at the end of the input or at bytes that are no request.
pub(crate) fn read_request(input: &mut impl Read) -> Option<trainer_request::Body> {
    let mut length = [0; 4];
    input.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    input.read_exact(&mut bytes).ok()?;
    TrainerRequest::decode(bytes.as_slice()).ok()?.body
}

/// Standard output, for replies only.
pub(crate) struct Replies;

impl Replies {
    pub(crate) fn new() -> Self {
        Replies
    }

    /// Writes one reply; an error means that nobody reads any more.
    pub(crate) fn send(&self, body: trainer_reply::Body) -> io::Result<()> {
        let bytes = TrainerReply { body: Some(body) }.encode_to_vec();
        let length = u32::try_from(bytes.len()).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "a reply of more than 4 GiB")
        })?;
        let mut output = io::stdout().lock();
        output.write_all(&length.to_be_bytes())?;
        output.write_all(&bytes)?;
        output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use phasegrid_proto::v1::Stop;

    #[test]
    fn a_request_reads_back_and_a_cut_one_is_none() {
        let body = trainer_request::Body::Stop(Stop {});
        let bytes = TrainerRequest { body: Some(body.clone()) }.encode_to_vec();
        let mut framed = (bytes.len() as u32).to_be_bytes().to_vec();
        framed.extend(&bytes);
        assert_eq!(read_request(&mut framed.as_slice()), Some(body));
        assert_eq!(read_request(&mut &framed[..framed.len() - 1]), None);
        assert_eq!(read_request(&mut io::empty()), None);
    }
}
