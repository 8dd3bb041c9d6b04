//! `phasegrid phase`: from a request to a phase diagram.

use crate::aggregate::{Extent, aggregate};
use crate::columns::ColumnInfo;
use crate::condition::{Condition, MeasuredTable};
use crate::derived::Derived;
use crate::diagram::{CellState, DiagramAxis, PhaseDiagram, ValueKind};
use crate::error::{AnalyzeError, Result};
use crate::level::{CodedColumn, Level};
use crate::paired::Pairing;
use crate::plan::SweepPlan;
use crate::read_trials::Reading;
use crate::request::{Against, PhaseRequest, Stat};
use crate::selection::{Places, SEEDS, Selection, check_places, tasks_of};
use crate::source::{Source, value_kind};
use crate::store::Store;
use polars::prelude::{DataFrame, Schema};
use std::collections::HashMap;

/// More cells than this are refused: 64 x 64 in 12 facets are 49,152.
const MOST_CELLS: usize = 1_000_000;

/// Aggregates a sweep into a phase diagram. Reads the columns it needs of the trials it needs.
pub fn phase(store: &Store, request: &PhaseRequest) -> Result<PhaseDiagram> {
    let sweep = store.choose_sweep(request.sweep.as_deref())?;
    let plan = SweepPlan::read(store, &sweep)?;
    let mut trials = store.scan("trials", &sweep)?;
    let mut schema = trials.collect_schema()?;
    let derived = Derived::from_name(&request.value, &schema);
    if let Some(derived) = derived {
        trials = derived.add_to(trials);
        schema = trials.collect_schema()?;
    }
    let places = places(request);
    check_places(&places, &schema)?;
    let source = Source::resolve(store, &sweep, request, &schema)?;
    let (table, value_type) = match &source {
        Source::Trials => ("trials", schema.try_get(&request.value)?.clone()),
        Source::Measured { table, schema, .. } => (*table, schema.try_get(&request.value)?.clone()),
    };
    let kind = value_kind(&request.value, &value_type, &source)?;
    let condition = match (&request.condition, &source) {
        (None, _) => Condition::default(),
        (Some(text), Source::Trials) => Condition::parse(text, &schema, None)?,
        (Some(text), Source::Measured { table, schema: measured, .. }) => {
            Condition::parse(text, &schema, Some(&MeasuredTable { name: table, schema: measured }))?
        }
    };
    let selected = condition.filter_trials(trials.clone());
    let selection = Selection {
        sweep: &sweep,
        trials: &selected,
        schema: &schema,
        condition: condition.text(),
        places: &places,
        options: "--x, --y or --facet",
    };
    selection.check_nothing_else_varies()?;

    let coordinates: Vec<&str> = coordinates(request);
    let read = columns_to_read(request, &schema);
    let reading = Reading {
        store,
        sweep: &sweep,
        trials,
        condition: &condition,
        source: &source,
        kind,
        value: &request.value,
        coordinates: &read,
    };
    let mut frame = reading.collect()?;
    let mut expected = expected_cells(&plan, &condition, &coordinates)?;
    let mut kind = kind;
    let mut against = None;
    if let Some(comparison) = &request.against {
        if kind == ValueKind::Category {
            return Err(AnalyzeError::NotDrawable {
                name: request.value.clone(),
                reason: "names have no difference; leave --against out".to_owned(),
            });
        }
        let pairing = Pairing::new(comparison, &frame, &plan)?;
        let differences = pairing.differences(frame, &read)?;
        frame = differences.frame;
        match coordinates.iter().position(|name| *name == comparison.axis) {
            Some(axis) => expected.retain(|combination| combination[axis] != differences.without),
            None => check_one_is_left(comparison, &frame, &request.over)?,
        }
        if frame.height() == 0 {
            return Err(AnalyzeError::BadAxis {
                option: "--against",
                name: comparison.axis.clone(),
                reason: format!("has no other value than {} in the selection", differences.without),
            });
        }
        // A difference of radii is a number like any other: censored ones have none.
        kind = ValueKind::Number;
        against = Some(pairing.in_words());
    }
    let grid = CellGrid::new(&frame, &coordinates, &expected, &plan)?;
    let stat = request.stat.unwrap_or(match kind {
        ValueKind::Radius => Stat::Median,
        ValueKind::Number | ValueKind::Category => Stat::Mean,
    });
    let mut cells = aggregate(&frame, &grid.cell_of, grid.extent, kind, stat)?;
    for number in grid.expected {
        if cells[number].state == CellState::Outside {
            cells[number].state = CellState::Missing;
        }
    }
    let mut axes = coordinates.iter().zip(grid.levels).map(|(name, levels)| DiagramAxis {
        column: ColumnInfo::of("trials", name),
        kind: plan.kind(name),
        levels,
    });
    let missing = || AnalyzeError::BadAxis {
        option: "--x",
        name: request.x.clone(),
        reason: "has no values".to_owned(),
    };
    Ok(PhaseDiagram {
        task: tasks_of(&selected, &schema)?,
        x: axes.next().ok_or_else(missing)?,
        y: axes.next().ok_or_else(missing)?,
        facet: axes.next(),
        value: derived.map_or_else(|| ColumnInfo::of(table, &request.value), Derived::info),
        kind,
        stat,
        place: source.place(),
        over: request.over.clone(),
        condition: condition.text().to_owned(),
        against,
        cells,
        sweep,
    })
}

/// The coordinates; where trials are paired, everything else that may vary too.
fn columns_to_read<'a>(request: &'a PhaseRequest, schema: &Schema) -> Vec<&'a str> {
    let mut columns = coordinates(request);
    if let Some(against) = &request.against {
        let over = request.over.iter().map(String::as_str);
        for name in over.chain(SEEDS).chain([against.axis.as_str()]) {
            if schema.contains(name) && !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    columns
}

/// Beside the reference there must be one value to compare with it, or all are averaged over.
fn check_one_is_left(against: &Against, frame: &DataFrame, over: &[String]) -> Result<()> {
    let mut levels = CodedColumn::new(frame.column(&against.axis)?)?.levels;
    if levels.len() < 2 || over.contains(&against.axis) {
        return Ok(());
    }
    levels.sort();
    Err(AnalyzeError::Varies {
        name: against.axis.clone(),
        count: levels.len(),
        values: levels.iter().take(12).map(Level::to_string).collect::<Vec<_>>().join(" "),
        options: "--x, --y or --facet",
    })
}

fn places(request: &PhaseRequest) -> Places<'_> {
    let mut places: Places = vec![("--x", &request.x), ("--y", &request.y)];
    places.extend(request.facet.iter().map(|name| ("--facet", name.as_str())));
    places.extend(request.over.iter().map(|name| ("--over", name.as_str())));
    if let Some(against) = &request.against
        && !places.iter().any(|(_, name)| *name == against.axis)
    {
        places.push(("--against", &against.axis));
    }
    places
}

fn coordinates(request: &PhaseRequest) -> Vec<&str> {
    [Some(&request.x), Some(&request.y), request.facet.as_ref()]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect()
}

/// Combinations of coordinates at which the sweep has points that satisfy the condition.
fn expected_cells(
    plan: &SweepPlan,
    condition: &Condition,
    coordinates: &[&str],
) -> Result<Vec<Vec<Level>>> {
    let satisfying = |condition: &Condition, coordinates: &[&str]| {
        let asked = condition.hyperparameters();
        let mut names = coordinates.to_vec();
        names.extend(asked.iter().map(String::as_str).filter(|name| !coordinates.contains(name)));
        let combinations = plan.combinations(&names).unwrap_or_default();
        condition.filter_combinations(&names, combinations)
    };
    if !plan.is_one_product() {
        return satisfying(condition, coordinates);
    }
    // Parts about other axes hold at every cell or at none: no need to multiply them out.
    let (near, far) = condition.split_by(coordinates);
    let excludes_all = !far.hyperparameters().is_empty() && satisfying(&far, &[])?.is_empty();
    if excludes_all { Ok(Vec::new()) } else { satisfying(&near, coordinates) }
}

/// Rows of trials placed on the product of the axes' values.
struct CellGrid {
    extent: Extent,
    levels: Vec<Vec<Level>>,
    cell_of: Vec<u32>,
    expected: Vec<usize>,
}

impl CellGrid {
    fn new(
        frame: &DataFrame,
        coordinates: &[&str],
        expected: &[Vec<Level>],
        plan: &SweepPlan,
    ) -> Result<CellGrid> {
        let mut all_levels: Vec<Vec<Level>> = Vec::new();
        let mut all_positions: Vec<Vec<u32>> = Vec::new();
        let mut all_expected: Vec<Vec<usize>> = Vec::new();
        for (position, name) in coordinates.iter().enumerate() {
            let coded = CodedColumn::new(frame.column(name)?)?;
            let mut levels: Vec<Level> = coded.levels.clone();
            levels.extend(expected.iter().map(|combination| combination[position].clone()));
            plan.sort(name, &mut levels);
            levels.dedup();
            let place: HashMap<&Level, usize> =
                levels.iter().enumerate().map(|(place, level)| (level, place)).collect();
            let of_code: Vec<u32> = coded.levels.iter().map(|level| place[level] as u32).collect();
            all_positions.push(coded.codes.iter().map(|code| of_code[*code as usize]).collect());
            let expected_places = expected.iter().map(|combination| place[&combination[position]]);
            all_expected.push(expected_places.collect());
            all_levels.push(levels);
        }
        let length = |position: usize| all_levels.get(position).map_or(1, Vec::len);
        let extent = Extent { x: length(0), y: length(1), facets: length(2) };
        let product = extent.x.saturating_mul(extent.y).saturating_mul(extent.facets);
        if product > MOST_CELLS {
            let Extent { x, y, facets } = extent;
            return Err(AnalyzeError::TooManyCells { x, y, facets });
        }
        let facet_of = |row: usize| all_positions.get(2).map_or(0, |facets| facets[row] as usize);
        let cell_of = (0..frame.height())
            .map(|row| {
                let (x, y) = (all_positions[0][row] as usize, all_positions[1][row] as usize);
                extent.index(x, y, facet_of(row)) as u32
            })
            .collect();
        let expected_facet = |row: usize| all_expected.get(2).map_or(0, |facets| facets[row]);
        let expected = (0..expected.len())
            .map(|row| {
                extent.index(all_expected[0][row], all_expected[1][row], expected_facet(row))
            })
            .collect();
        Ok(CellGrid { extent, levels: all_levels, cell_of, expected })
    }
}
