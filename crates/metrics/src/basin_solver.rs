//! Where accuracy under noise first falls to a threshold: the solver of both basins.
//!
//! Amplitudes live on a log scale of 1,024 steps from 1e-3 to 10; every 64th is a point of the
//! outward grid. A *cell* is one noisy copy of one probe row; a *group* is a set of cells with
//! a threshold, and a(r) the share of its cells still classified as their label at amplitude
//! r. Its radius: the first grid point with a <= threshold, six bisections in log scale in
//! that bracket, linear interpolation in log scale (docs/metrics.md, section 3 \[O\]).
//!
//! Groups of one *family* have no cell in common, so that each can be at its own amplitude in
//! one evaluation. Pure host arithmetic: what evaluates cells is a closure.

use crate::error::MetricError;

/// Points of the outward grid, 1e-3…10.
const GRID_POINTS: u32 = 17;
/// Positions between two points of the grid: 2^6 for six bisections.
const POSITIONS_PER_POINT: u32 = 64;
/// Last position of the log scale.
const LAST_POSITION: f64 = ((GRID_POINTS - 1) * POSITIONS_PER_POINT) as f64;
/// The first point of the grid, in units of the noise.
pub(crate) const SMALLEST: f64 = 1e-3;
/// The last point.
pub(crate) const LARGEST: f64 = 10.0;
/// Relative step of the central difference behind da/dr.
const SLOPE_STEP: f64 = 0.1;

/// The amplitude at a position 0…1024 of the log scale.
fn amplitude(position: f64) -> f64 {
    SMALLEST * (LARGEST / SMALLEST).powf(position / LAST_POSITION)
}

/// Cells whose share is followed to a threshold.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Cells, at least one.
    pub(crate) cells: Vec<usize>,
    /// The share at which the radius is.
    pub(crate) threshold: f64,
}

/// Groups without a common cell.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) groups: Vec<Group>,
    /// Whether the slope and the cells at the radius are wanted too (three evaluations more).
    pub(crate) with_error: bool,
}

/// Where a share falls to its threshold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Crossing {
    /// Already at the first point of the grid.
    Below,
    /// Not up to the last one.
    Above,
    /// At this radius.
    At {
        radius: f64,
        /// da/dr there, by central difference; 0 unless asked for.
        slope: f64,
        /// The group's cells still correct there, in the group's order; empty unless asked for.
        correct: Vec<bool>,
    },
}

impl Crossing {
    /// The radius, 0 below the grid and infinite above it.
    pub(crate) fn extended_radius(&self) -> f64 {
        match self {
            Crossing::Below => 0.0,
            Crossing::Above => f64::INFINITY,
            Crossing::At { radius, .. } => *radius,
        }
    }
}

/// What is known of a group: a at both ends of the bracket.
#[derive(Clone, Copy, Debug)]
enum Bracket {
    /// a at every grid point so far lies above the threshold; the last of them.
    Open {
        inner: f64,
    },
    Below,
    /// Above the threshold at `start`, not at `start + length`.
    Found {
        start: u32,
        length: u32,
        inner: f64,
        outer: f64,
    },
}

/// The crossings of every family's groups, for one network of `cells` cells. `correct` tells
/// which cells are classified as their label, given the amplitude of each; 0 where nobody asks.
pub(crate) fn solve(
    families: &[Family],
    cells: usize,
    mut correct: impl FnMut(&[f64]) -> Result<Vec<bool>, MetricError>,
) -> Result<Vec<Vec<Crossing>>, MetricError> {
    let mut brackets: Vec<Vec<Bracket>> = families
        .iter()
        .map(|family| vec![Bracket::Open { inner: 1.0 }; family.groups.len()])
        .collect();
    for point in 0..GRID_POINTS {
        let position = point * POSITIONS_PER_POINT;
        let mut amplitudes = vec![0.0; cells];
        let mut any_open = false;
        for (group, bracket) in groups_of(families).zip(brackets.iter().flatten()) {
            if matches!(bracket, Bracket::Open { .. }) {
                any_open = true;
                group
                    .cells
                    .iter()
                    .for_each(|&cell| amplitudes[cell] = amplitude(f64::from(position)));
            }
        }
        if !any_open {
            break;
        }
        let hits = correct(&amplitudes)?;
        for (family, brackets) in families.iter().zip(&mut brackets) {
            for (group, bracket) in family.groups.iter().zip(brackets) {
                bracket.see_grid_point(point, share(group, &hits), group.threshold);
            }
        }
    }
    let solved = families.iter().zip(&mut brackets);
    solved.map(|(family, brackets)| finish(family, brackets, cells, &mut correct)).collect()
}

fn groups_of(families: &[Family]) -> impl Iterator<Item = &Group> {
    families.iter().flat_map(|family| &family.groups)
}

/// Bisections, interpolation and errors of one family.
fn finish(
    family: &Family,
    brackets: &mut [Bracket],
    cells: usize,
    correct: &mut impl FnMut(&[f64]) -> Result<Vec<bool>, MetricError>,
) -> Result<Vec<Crossing>, MetricError> {
    let is_found = |bracket: &Bracket| matches!(bracket, Bracket::Found { .. });
    let any_found = brackets.iter().any(is_found);
    let mut length = POSITIONS_PER_POINT;
    while any_found && length > 1 {
        let middle = brackets.iter().map(Bracket::middle).collect::<Vec<_>>();
        let hits = correct(&spread(family, &middle, cells))?;
        for (group, bracket) in family.groups.iter().zip(&mut *brackets) {
            bracket.halve(share(group, &hits), group.threshold);
        }
        length /= 2;
    }
    let groups = family.groups.iter().zip(&*brackets);
    let mut crossings: Vec<Crossing> =
        groups.map(|(group, bracket)| bracket.crossing(group.threshold)).collect();
    if family.with_error && any_found {
        add_errors(family, &mut crossings, cells, correct)?;
    }
    Ok(crossings)
}

/// Fills slope and cells at the radius.
fn add_errors(
    family: &Family,
    crossings: &mut [Crossing],
    cells: usize,
    correct: &mut impl FnMut(&[f64]) -> Result<Vec<bool>, MetricError>,
) -> Result<(), MetricError> {
    let radii: Vec<f64> = crossings
        .iter()
        .map(|crossing| Some(crossing.extended_radius()).filter(|r| r.is_finite()).unwrap_or(0.0))
        .collect();
    let mut at = |factor: f64| {
        let scaled: Vec<f64> = radii.iter().map(|radius| radius * factor).collect();
        correct(&spread(family, &scaled, cells))
    };
    let (inside, middle, outside) = (at(1.0 - SLOPE_STEP)?, at(1.0)?, at(1.0 + SLOPE_STEP)?);
    for (group, crossing) in family.groups.iter().zip(crossings) {
        if let Crossing::At { radius, slope, correct } = crossing {
            *slope =
                (share(group, &outside) - share(group, &inside)) / (2.0 * SLOPE_STEP * *radius);
            *correct = group.cells.iter().map(|&cell| middle[cell]).collect();
        }
    }
    Ok(())
}

/// The amplitude of each cell: that of its group, 0 for a cell of none.
fn spread(family: &Family, of_group: &[f64], cells: usize) -> Vec<f64> {
    let mut amplitudes = vec![0.0; cells];
    for (group, &value) in family.groups.iter().zip(of_group) {
        for &cell in &group.cells {
            amplitudes[cell] = value;
        }
    }
    amplitudes
}

fn share(group: &Group, hits: &[bool]) -> f64 {
    let correct = group.cells.iter().filter(|&&cell| hits[cell]).count();
    correct as f64 / group.cells.len() as f64
}

impl Bracket {
    fn see_grid_point(&mut self, point: u32, share: f64, threshold: f64) {
        let Bracket::Open { inner } = *self else { return };
        *self = match (share <= threshold, point) {
            (false, _) => Bracket::Open { inner: share },
            (true, 0) => Bracket::Below,
            (true, _) => Bracket::Found {
                start: (point - 1) * POSITIONS_PER_POINT,
                length: POSITIONS_PER_POINT,
                inner,
                outer: share,
            },
        };
    }

    /// The amplitude in the middle of the bracket.
    fn middle(&self) -> f64 {
        match self {
            Bracket::Found { start, length, .. } => amplitude(f64::from(start + length / 2)),
            Bracket::Open { .. } | Bracket::Below => 0.0,
        }
    }

    fn halve(&mut self, share: f64, threshold: f64) {
        if let Bracket::Found { start, length, inner, outer } = self {
            *length /= 2;
            if share <= threshold {
                *outer = share;
            } else {
                *start += *length;
                *inner = share;
            }
        }
    }

    fn crossing(&self, threshold: f64) -> Crossing {
        match *self {
            Bracket::Open { .. } => Crossing::Above,
            Bracket::Below => Crossing::Below,
            Bracket::Found { start, length, inner, outer } => {
                let part = (inner - threshold) / (inner - outer);
                let position = f64::from(start) + part * f64::from(length);
                Crossing::At { radius: amplitude(position), slope: 0.0, correct: Vec::new() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,000 cells, cell i correct up to the amplitude exits[i].
    fn crossing_of(exits: &[f64], threshold: f64) -> Crossing {
        let group = Group { cells: (0..exits.len()).collect(), threshold };
        let family = Family { groups: vec![group], with_error: true };
        let correct = |amplitudes: &[f64]| {
            Ok(amplitudes.iter().zip(exits).map(|(a, exit)| a < exit).collect())
        };
        solve(&[family], exits.len(), correct).unwrap().remove(0).remove(0)
    }

    #[test]
    fn the_radius_is_the_quantile_of_the_exits() {
        // Exits log-uniform on 0.01…1: a(r) = 1 − log10(100 r)/2, so a = 1/2 at 0.1 and 0.9 at
        // 10^-1.8; da/dr = −1/(2 ln(10) r).
        let exits: Vec<f64> =
            (0..1_000).map(|i| 0.01 * 100f64.powf((f64::from(i) + 0.5) / 1e3)).collect();
        for (threshold, expected) in [(0.5, 0.1), (0.9, 10f64.powf(-1.8)), (0.7, 10f64.powf(-1.4))]
        {
            let Crossing::At { radius, slope, correct } = crossing_of(&exits, threshold) else {
                panic!("no crossing")
            };
            assert!((radius / expected - 1.0).abs() < 0.01, "{radius} {expected}");
            assert!((slope * 2.0 * 10f64.ln() * radius + 1.0).abs() < 0.03, "{slope}");
            let share = correct.iter().filter(|hit| **hit).count() as f64 / 1e3;
            assert!((share - threshold).abs() < 0.005);
        }
    }

    #[test]
    fn radii_off_the_grid_are_censored() {
        assert_eq!(crossing_of(&[1e-4; 10], 0.5), Crossing::Below);
        assert_eq!(crossing_of(&[11.0; 10], 0.5), Crossing::Above);
        assert!(matches!(crossing_of(&[9.9; 10], 0.5), Crossing::At { .. }));
    }

    #[test]
    fn groups_of_a_family_are_solved_as_if_alone() {
        let exits: Vec<f64> = (0..60).map(|i| 0.002 * 1.15f64.powi(i)).collect();
        let group =
            |range: std::ops::Range<usize>| Group { cells: range.collect(), threshold: 0.5 };
        let solve_groups = |groups: Vec<Group>| {
            let family = Family { groups, with_error: true };
            solve(&[family], 60, |amplitudes| {
                Ok(amplitudes.iter().zip(&exits).map(|(a, exit)| a < exit).collect())
            })
            .unwrap()
            .remove(0)
        };
        let together = solve_groups(vec![group(0..20), group(20..45), group(45..60)]);
        for (index, range) in [0..20, 20..45, 45..60].into_iter().enumerate() {
            assert_eq!(together[index], solve_groups(vec![group(range)])[0]);
        }
    }
}
