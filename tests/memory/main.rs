//! Memory of a trainer over many units of mixed shapes: it must not grow with their number.

mod shapes;
mod trainer;

use shapes::unit;
use trainer::Trainer;

/// Units of the short soak; PHASEGRID_MEMORY_UNITS asks for another number (1,000: `make bench-memory`).
const UNITS: usize = 60;

/// Units from which on every default metric is measured; the short soak, which also runs without
/// optimisation, measures the cheap ones.
const FULL: usize = 500;

/// No later unit leaves the process larger than this many times the median after the units of the
/// second tenth. A leak of 1 % of the working memory a unit would end at ten times that median
/// after 1,000 units. What the band leaves room for is the allocator and a largest shape that comes late:
/// without giving memory back between units the soak of 1,000 ends near 1.5.
const BAND: f64 = 1.25;

fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

#[test]
fn a_trainers_memory_stays_in_a_band_over_units_of_mixed_shapes() {
    let asked = std::env::var("PHASEGRID_MEMORY_UNITS").ok();
    let units =
        asked.map_or(UNITS, |text| text.parse().expect("PHASEGRID_MEMORY_UNITS is a number"));
    assert!(units >= 40, "fewer units than 40 say nothing");
    let mut trainer = Trainer::start();
    let at_start = trainer.resident_kibibytes();
    let resident: Vec<u64> = (0..units)
        .map(|number| {
            trainer.train(unit(number, units >= FULL));
            trainer.resident_kibibytes()
        })
        .collect();
    let (first_tenth, second_tenth) = (units / 10, units / 5);
    let level = median(&resident[first_tenth..second_tenth]);
    let later = &resident[second_tenth..];
    let largest = later.iter().copied().max().unwrap_or(0);
    let mib = |kibibytes: u64| kibibytes as f64 / 1024.0;
    eprintln!(
        "resident memory of the trainer: {:.1} MiB before the first unit, {:.1} after it, {:.1} after {first_tenth}; median of units {first_tenth} to {second_tenth} {:.1}; after that median {:.1}, largest {:.1}, last {:.1} MiB ({:.3} times {:.1}) over {units} units",
        mib(at_start),
        mib(resident[0]),
        mib(resident[first_tenth - 1]),
        mib(level),
        mib(median(later)),
        mib(largest),
        mib(resident[units - 1]),
        largest as f64 / level as f64,
        mib(level),
    );
    for (tenth, part) in resident.chunks(first_tenth).enumerate() {
        eprintln!("tenth {:2}: median {:.1} MiB", tenth + 1, mib(median(part)));
    }
    assert!(
        largest as f64 <= BAND * level as f64,
        "memory grows: {largest} KiB after {level} KiB: {resident:?}"
    );
}
