//! Where accuracy under noise first falls to a threshold: the solver of both basins.
//!
//! Amplitudes live on a log scale of 1,024 steps from 1e-3 to 10; every 64th is a point of the
//! outward grid. A *block* is a number of noisy copies that always share an amplitude (the
//! copies of a row, the rows of a draw); a *group* is a set of blocks with a threshold, and a(r)
//! the share of their copies still classified as their label at amplitude r. Its radius: the
//! first grid point with a <= threshold, six bisections in log scale in that bracket, linear
//! interpolation in log scale (docs/metrics.md, section 3 \[O\]).
//!
//! All groups of all networks go in step, so that what they ask at one stage is one batch, and
//! no (block, amplitude) is asked twice. Pure host arithmetic: what evaluates is a closure.

use std::collections::HashMap;
use std::ops::Range;

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

/// Blocks whose share is followed to a threshold.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Blocks, at least one.
    pub(crate) blocks: Vec<usize>,
    /// The share at which the radius is.
    pub(crate) threshold: f64,
}

/// Groups of which only some order statistics of the radii are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Ranks {
    /// Positions in the family.
    pub(crate) groups: Range<usize>,
    /// Ranks from 0, the smallest radius.
    pub(crate) wanted: Vec<usize>,
}

/// Groups that are solved with the same aim.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) groups: Vec<Group>,
    /// Whether the slope and the copies correct at the radius are wanted too (three evaluations
    /// more).
    pub(crate) with_error: bool,
    /// Where not empty: the order statistics wanted. A group that cannot be one of them is
    /// given up, with a radius that only keeps its place in the order.
    pub(crate) ranks: Vec<Ranks>,
}

/// One network.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) families: Vec<Family>,
    /// Copies in a block.
    pub(crate) block_length: usize,
}

/// How many copies of a block are classified as their label at an amplitude?
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Request {
    /// Position of the network.
    pub(crate) problem: usize,
    pub(crate) block: usize,
    pub(crate) amplitude: f64,
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
        /// The copies of each of the group's blocks still correct there, in the group's order;
        /// empty unless asked for.
        correct: Vec<u32>,
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
    /// a at every grid point so far lies above the threshold; how many, and a at the last.
    Open {
        points: u32,
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

/// A group with what is known of it.
struct Search<'a> {
    problem: usize,
    family: usize,
    group: &'a Group,
    block_length: usize,
    bracket: Bracket,
    /// Whether its radius is still wanted.
    wanted: bool,
}

/// The crossings of every problem's families' groups. `evaluate` answers each request with the
/// copies that are correct.
pub(crate) fn solve(
    problems: &[Problem],
    evaluate: impl FnMut(&[Request]) -> Result<Vec<u32>, MetricError>,
) -> Result<Vec<Vec<Vec<Crossing>>>, MetricError> {
    let mut memo = Memo::new(problems, evaluate);
    let mut searches = searches(problems);
    for point in 0..GRID_POINTS {
        let at = amplitude(f64::from(point * POSITIONS_PER_POINT));
        let is_open =
            |search: &Search<'_>| search.wanted && matches!(search.bracket, Bracket::Open { .. });
        if !searches.iter().any(is_open) {
            break;
        }
        memo.learn(searches.iter().filter(|search| is_open(search)).map(|search| (search, at)))?;
        for search in searches.iter_mut().filter(|search| is_open(search)) {
            let share = memo.share(search, at);
            search.bracket.see_grid_point(point, share, search.group.threshold);
        }
        give_up_unwanted(problems, &mut searches);
    }
    let mut length = POSITIONS_PER_POINT;
    while length > 1 {
        let is_found =
            |search: &Search<'_>| search.wanted && matches!(search.bracket, Bracket::Found { .. });
        let found = searches.iter().filter(|search| is_found(search));
        memo.learn(found.map(|search| (search, search.bracket.middle())))?;
        for search in searches.iter_mut().filter(|search| is_found(search)) {
            let share = memo.share(search, search.bracket.middle());
            search.bracket.halve(share, search.group.threshold);
        }
        give_up_unwanted(problems, &mut searches);
        length /= 2;
    }
    let mut crossings: Vec<Vec<Vec<Crossing>>> =
        problems.iter().map(|problem| vec![Vec::new(); problem.families.len()]).collect();
    let solved: Vec<(&Search<'_>, Crossing)> = searches
        .iter()
        .map(|search| (search, search.bracket.crossing(search.group.threshold)))
        .collect();
    let erring = |search: &Search<'_>| problems[search.problem].families[search.family].with_error;
    let around = [1.0 - SLOPE_STEP, 1.0, 1.0 + SLOPE_STEP];
    memo.learn(solved.iter().filter(|(search, _)| erring(search)).flat_map(
        |(search, crossing)| match crossing {
            Crossing::At { radius, .. } => around.map(|factor| (*search, radius * factor)).to_vec(),
            Crossing::Above | Crossing::Below => Vec::new(),
        },
    ))?;
    for (search, mut crossing) in solved {
        if let (true, Crossing::At { radius, slope, correct }) = (erring(search), &mut crossing) {
            let [inside, _, outside] = around.map(|factor| memo.share(search, *radius * factor));
            *slope = (outside - inside) / (2.0 * SLOPE_STEP * *radius);
            *correct = memo.counts(search, *radius).collect();
        }
        crossings[search.problem][search.family].push(crossing);
    }
    Ok(crossings)
}

/// Every group of every problem, in order.
fn searches(problems: &[Problem]) -> Vec<Search<'_>> {
    let mut searches = Vec::new();
    for (index, problem) in problems.iter().enumerate() {
        for (family, own) in problem.families.iter().enumerate() {
            searches.extend(own.groups.iter().map(|group| Search {
                problem: index,
                family,
                group,
                block_length: problem.block_length,
                bracket: Bracket::Open { points: 0, inner: 1.0 },
                wanted: true,
            }));
        }
    }
    searches
}

/// Gives up the groups that cannot be one of the order statistics wanted any more.
fn give_up_unwanted(problems: &[Problem], searches: &mut [Search<'_>]) {
    let mut start = 0;
    for family in problems.iter().flat_map(|problem| &problem.families) {
        for ranks in &family.ranks {
            let groups = start + ranks.groups.start..start + ranks.groups.end;
            let spans: Vec<[u32; 2]> =
                searches[groups.clone()].iter().map(|search| search.bracket.span()).collect();
            let sorted = |end: usize| {
                let mut ends: Vec<u32> = spans.iter().map(|span| span[end]).collect();
                ends.sort_unstable();
                ends
            };
            let (lows, highs) = (sorted(0), sorted(1));
            for (search, [low, high]) in searches[groups].iter_mut().zip(&spans) {
                // Only spans of positive length are searched, so none counts itself.
                let below = highs.partition_point(|other| other <= low);
                let above = lows.len() - lows.partition_point(|other| other < high);
                let possible = below..spans.len() - above;
                search.wanted = ranks.wanted.iter().any(|rank| possible.contains(rank));
            }
        }
        start += family.groups.len();
    }
}

/// What is already known, and who knows the rest.
struct Memo<E> {
    /// By problem and amplitude: correct copies of each block.
    known: HashMap<(usize, u64), Vec<u32>>,
    /// Blocks of each problem.
    blocks: Vec<usize>,
    evaluate: E,
}

/// Neither known nor asked for.
const UNKNOWN: u32 = u32::MAX;

impl<E: FnMut(&[Request]) -> Result<Vec<u32>, MetricError>> Memo<E> {
    fn new(problems: &[Problem], evaluate: E) -> Self {
        let blocks = problems.iter().map(|problem| {
            let groups = problem.families.iter().flat_map(|family| &family.groups);
            groups.flat_map(|group| &group.blocks).max().map_or(0, |last| last + 1)
        });
        Memo { known: HashMap::new(), blocks: blocks.collect(), evaluate }
    }

    /// Evaluates the blocks of these searches at these amplitudes, where not known.
    fn learn<'s, 'g: 's>(
        &mut self,
        asked: impl Iterator<Item = (&'s Search<'g>, f64)>,
    ) -> Result<(), MetricError> {
        let mut requests = Vec::new();
        for (search, amplitude) in asked {
            let problem = search.problem;
            let blocks = self.blocks[problem];
            let key = (problem, amplitude.to_bits());
            let known = self.known.entry(key).or_insert_with(|| vec![UNKNOWN; blocks]);
            for &block in search.group.blocks.iter() {
                if known[block] == UNKNOWN {
                    known[block] = 0;
                    requests.push(Request { problem, block, amplitude });
                }
            }
        }
        if requests.is_empty() {
            return Ok(());
        }
        let answers = (self.evaluate)(&requests)?;
        for (request, answer) in requests.iter().zip(answers) {
            let key = (request.problem, request.amplitude.to_bits());
            if let Some(known) = self.known.get_mut(&key) {
                known[request.block] = answer;
            }
        }
        Ok(())
    }

    /// Correct copies of each block of a group, learnt before.
    fn counts<'s>(
        &'s self,
        search: &'s Search<'_>,
        amplitude: f64,
    ) -> impl Iterator<Item = u32> + 's {
        let known = self.known.get(&(search.problem, amplitude.to_bits()));
        search.group.blocks.iter().map(move |&block| known.map_or(0, |known| known[block]))
    }

    fn share(&self, search: &Search<'_>, amplitude: f64) -> f64 {
        let correct: u64 = self.counts(search, amplitude).map(u64::from).sum();
        correct as f64 / (search.group.blocks.len() * search.block_length) as f64
    }
}

impl Bracket {
    fn see_grid_point(&mut self, point: u32, share: f64, threshold: f64) {
        let Bracket::Open { inner, .. } = *self else { return };
        *self = match (share <= threshold, point) {
            (false, _) => Bracket::Open { points: point + 1, inner: share },
            (true, 0) => Bracket::Below,
            (true, _) => Bracket::Found {
                start: (point - 1) * POSITIONS_PER_POINT,
                length: POSITIONS_PER_POINT,
                inner,
                outer: share,
            },
        };
    }

    /// Positions between which the radius lies, counted from 1; 0 is below the grid.
    fn span(&self) -> [u32; 2] {
        match *self {
            Bracket::Open { points: 0, .. } => [0, u32::MAX],
            Bracket::Open { points, .. } => [(points - 1) * POSITIONS_PER_POINT + 1, u32::MAX],
            Bracket::Below => [0, 0],
            Bracket::Found { start, length, .. } => [start + 1, start + 1 + length],
        }
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

    /// Blocks of one copy, block i correct up to the amplitude exits[i].
    fn crossings_of(exits: &[f64], families: Vec<Family>) -> (Vec<Vec<Crossing>>, usize) {
        let problem = Problem { families, block_length: 1 };
        let mut evaluated = 0;
        let mut seen = std::collections::HashSet::new();
        let crossings = solve(&[problem], |requests| {
            evaluated += requests.len();
            for request in requests {
                assert!(seen.insert((request.block, request.amplitude.to_bits())), "asked twice");
            }
            Ok(requests
                .iter()
                .map(|request| u32::from(request.amplitude < exits[request.block]))
                .collect())
        });
        (crossings.unwrap().remove(0), evaluated)
    }

    fn family(groups: Vec<Group>) -> Family {
        Family { groups, with_error: true, ranks: Vec::new() }
    }

    fn crossing_of(exits: &[f64], threshold: f64) -> Crossing {
        let group = Group { blocks: (0..exits.len()).collect(), threshold };
        crossings_of(exits, vec![family(vec![group])]).0.remove(0).remove(0)
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
            let share = correct.iter().filter(|hits| **hits > 0).count() as f64 / 1e3;
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
    fn groups_and_families_are_solved_as_if_alone() {
        let exits: Vec<f64> = (0..60).map(|i| 0.002 * 1.15f64.powi(i)).collect();
        let group = |range: Range<usize>| Group { blocks: range.collect(), threshold: 0.5 };
        let ranges = [0..20, 20..45, 45..60];
        let groups: Vec<Group> = ranges.iter().cloned().map(group).collect();
        let (together, _) = crossings_of(&exits, vec![family(groups), family(vec![group(0..60)])]);
        for (index, range) in ranges.into_iter().enumerate() {
            let (alone, _) = crossings_of(&exits, vec![family(vec![group(range)])]);
            assert_eq!(together[0][index], alone[0][0]);
        }
        assert_eq!(together[1], crossings_of(&exits, vec![family(vec![group(0..60)])]).0[0]);
    }

    #[test]
    fn order_statistics_are_those_of_all_radii() {
        // Exits below, inside and above the grid, some in one bracket, some equal.
        let exits = [
            0.3, 1e-4, 0.31, 0.305, 20.0, 0.01, 0.012, 2.0, 0.302, 0.302, 5.0, 0.3, 30.0, 0.29,
            0.5, 0.0005,
        ];
        let groups: Vec<Group> =
            (0..16).map(|block| Group { blocks: vec![block], threshold: 0.5 }).collect();
        let sorted = |ranks: Vec<Ranks>| {
            let one = Family { groups: groups.clone(), with_error: false, ranks };
            let (crossings, evaluated) = crossings_of(&exits, vec![one]);
            let mut radii: Vec<f64> = crossings[0].iter().map(Crossing::extended_radius).collect();
            radii.sort_unstable_by(f64::total_cmp);
            (radii, evaluated)
        };
        let (all, evaluated) = sorted(Vec::new());
        for wanted in [vec![2, 3, 12, 13], vec![7, 8], vec![0], vec![15]] {
            let (some, fewer) = sorted(vec![Ranks { groups: 0..16, wanted: wanted.clone() }]);
            wanted.iter().for_each(|&rank| assert_eq!(some[rank], all[rank], "{wanted:?}"));
            assert!(fewer < evaluated, "{wanted:?}: {fewer} of {evaluated}");
        }
    }
}
