//! The raw indices of a sweep that are in no unit.

use std::collections::BTreeMap;

use phasegrid_spec::TrialRange;

/// Disjoint, non-adjacent ranges per grid, in grid order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PendingRanges {
    /// Start and end by grid.
    grids: BTreeMap<u32, BTreeMap<u64, u64>>,
}

impl PendingRanges {
    pub(super) fn is_empty(&self) -> bool {
        self.grids.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = TrialRange> + '_ {
        self.grids.iter().flat_map(|(grid, ranges)| {
            let grid = *grid;
            ranges.iter().map(move |(start, end)| TrialRange { grid, start: *start, end: *end })
        })
    }

    /// Adds a range that overlaps none of those here.
    pub(super) fn insert(&mut self, range: TrialRange) {
        if range.is_empty() {
            return;
        }
        let ranges = self.grids.entry(range.grid).or_default();
        let mut start = range.start;
        let mut end = range.end;
        let before = ranges.range(..=start).next_back().map(|(start, end)| (*start, *end));
        if let Some((left_start, left_end)) = before
            && left_end >= start
        {
            start = left_start;
            end = end.max(left_end);
        }
        while let Some((right_start, right_end)) =
            ranges.range(start..=end).next().map(|(start, end)| (*start, *end))
        {
            ranges.remove(&right_start);
            end = end.max(right_end);
        }
        ranges.insert(start, end);
    }

    /// Takes a range away; parts of it that are not here are ignored.
    pub(super) fn remove(&mut self, range: TrialRange) {
        let Some(ranges) = self.grids.get_mut(&range.grid) else { return };
        let touched: Vec<(u64, u64)> = ranges
            .range(..range.end)
            .rev()
            .take_while(|(_, end)| **end > range.start)
            .map(|(start, end)| (*start, *end))
            .collect();
        for (start, end) in touched {
            ranges.remove(&start);
            if start < range.start {
                ranges.insert(start, range.start);
            }
            if end > range.end {
                ranges.insert(range.end, end);
            }
        }
        if ranges.is_empty() {
            self.grids.remove(&range.grid);
        }
    }

    pub(super) fn contains(&self, grid: u32, index: u64) -> bool {
        let before = self.grids.get(&grid).and_then(|ranges| ranges.range(..=index).next_back());
        before.is_some_and(|(_, end)| *end > index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> TrialRange {
        TrialRange { grid: 0, start, end }
    }

    fn all(pending: &PendingRanges) -> Vec<(u64, u64)> {
        pending.iter().map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn cutting_from_the_middle_leaves_two_ranges_and_giving_it_back_leaves_one() {
        let mut pending = PendingRanges::default();
        pending.insert(range(0, 10));
        pending.remove(range(3, 5));
        assert_eq!(all(&pending), [(0, 3), (5, 10)]);
        assert!(!pending.contains(0, 4));
        assert!(pending.contains(0, 5));
        pending.insert(range(3, 5));
        assert_eq!(all(&pending), [(0, 10)]);
        pending.remove(range(0, 10));
        assert!(pending.is_empty());
    }

    #[test]
    fn removing_across_ranges_trims_both_ends() {
        let mut pending = PendingRanges::default();
        for (start, end) in [(0, 4), (6, 8), (10, 14)] {
            pending.insert(range(start, end));
        }
        pending.remove(range(2, 12));
        assert_eq!(all(&pending), [(0, 2), (12, 14)]);
    }
}
