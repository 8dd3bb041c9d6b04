"""phasegrid's random streams (crates/tasks/src/stream.rs) in NumPy, so that the peers start from the same weights and see the
same minibatches: ChaCha8 under a BLAKE3 key derived from (seed, purpose, indices)."""

import struct

import numpy as np

CONTEXT = b"phasegrid 2026-11-23 random stream v1"
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, ROOT, DERIVE_CONTEXT, DERIVE_MATERIAL = 1, 2, 8, 32, 64
COLUMNS_AND_DIAGONALS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                         (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def _one_block_blake3(message, key, purpose):
    """BLAKE3 of a message of one block, as eight words."""
    assert len(message) <= 64, "a block holds 64 bytes"
    words = list(struct.unpack("<16I", message.ljust(64, b"\0")))
    state = [*key, *IV[:4], 0, 0, len(message), CHUNK_START | CHUNK_END | ROOT | purpose]

    def turn(value, bits):
        return (value >> bits | value << (32 - bits)) & 0xFFFFFFFF

    for _ in range(7):
        for position, (a, b, c, d) in enumerate(COLUMNS_AND_DIAGONALS):
            for word, first, second in ((words[2 * position], 16, 12), (words[2 * position + 1], 8, 7)):
                state[a] = (state[a] + state[b] + word) & 0xFFFFFFFF
                state[d] = turn(state[d] ^ state[a], first)
                state[c] = (state[c] + state[d]) & 0xFFFFFFFF
                state[b] = turn(state[b] ^ state[c], second)
        words = [words[index] for index in PERMUTATION]
    return [state[i] ^ state[i + 8] for i in range(8)]


def draw(seed, purpose, indices, count):
    """The first `count` 64-bit numbers of a stream."""
    message = struct.pack("<QQ", seed, len(purpose)) + purpose.encode() + struct.pack(f"<{len(indices)}Q", *indices)
    key = _one_block_blake3(message, _one_block_blake3(CONTEXT, IV, DERIVE_CONTEXT), DERIVE_MATERIAL)
    blocks = -(-count // 8)
    counter = np.arange(blocks, dtype=np.uint64)
    constants = struct.unpack("<4I", b"expand 32-byte k")
    start = [np.full(blocks, word, np.uint32) for word in (*constants, *key)]
    start += [counter.astype(np.uint32), (counter >> np.uint64(32)).astype(np.uint32)]
    start += [np.zeros(blocks, np.uint32)] * 2
    state = [word.copy() for word in start]

    def mix(a, b, d, bits):
        state[a] += state[b]
        turned = state[d] ^ state[a]
        state[d] = turned << np.uint32(bits) | turned >> np.uint32(32 - bits)

    for _ in range(4):
        for a, b, c, d in COLUMNS_AND_DIAGONALS:
            mix(a, b, d, 16)
            mix(c, d, b, 12)
            mix(a, b, d, 8)
            mix(c, d, b, 7)
    words = np.stack([last + first for last, first in zip(state, start)], 1)
    return np.ascontiguousarray(words).view("<u8").ravel()[:count]


def uniforms(seed, purpose, indices, count):
    """`count` numbers uniform in [0, 1), f64."""
    return (draw(seed, purpose, indices, count) >> np.uint64(11)) * 2.0**-53


def permutation(seed, purpose, indices, length):
    """A uniformly drawn order of 0..length: Fisher-Yates from the last position down. The bias that phasegrid avoids by
    drawing again is below length/2^64 and never seen."""
    order = list(range(length))
    low_half = np.uint64(0xFFFFFFFF)
    drawn = draw(seed, purpose, indices, length - 1)
    bounds = np.arange(length, 1, -1, dtype=np.uint64)
    low_product = (drawn & low_half) * bounds
    chosen = ((drawn >> np.uint64(32)) * bounds + (low_product >> np.uint64(32))) >> np.uint64(32)
    for last, position in zip(range(length - 1, 0, -1), chosen.tolist()):
        order[last], order[position] = order[position], order[last]
    return np.array(order)
