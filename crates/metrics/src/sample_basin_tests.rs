//! Against the straightforward evaluation: one network, one row, one amplitude at a time.

use super::*;
use crate::basin_solver::Request;
use crate::context::{Probe, TestSet};
use phasegrid_nn::{BatchNorm, Ensemble, GroupedRows, Layer};
use phasegrid_spec::{Activation, Loss};

fn normal(stream: &mut Stream, shape: &[i64]) -> Tensor {
    let count = shape.iter().product::<i64>() as usize;
    let values: Vec<f64> = (0..count).map(|_| stream.normal()).collect();
    Tensor::from_slice(&values).view(shape)
}

#[test]
fn every_count_is_that_of_the_network_on_the_noisy_inputs() {
    check_counts(Kind::Double, Activation::Gelu);
    for activation in [Activation::Gelu, Activation::Relu, Activation::Tanh] {
        check_counts(Kind::Float, activation);
    }
}

fn check_counts(kind: Kind, activation: Activation) {
    let mut stream = Stream::new(3, "test/basin", &[]);
    let sizes = [6, 20, 18, 4];
    let layers = sizes.windows(2).enumerate().map(|(index, pair)| {
        let mut vector = || normal(&mut stream, &[3, pair[1], 1]).to_kind(kind);
        let norm = BatchNorm {
            gamma: vector() * 0.3 + 1.0,
            beta: vector(),
            mean: vector(),
            var: vector().square() + 0.1,
        };
        Layer {
            bias: vector(),
            weight: normal(&mut stream, &[3, pair[1], pair[0]]).to_kind(kind),
            batch_norm: (index < 2).then_some(norm),
        }
    });
    let ensemble = Ensemble { layers: layers.collect(), activation, loss: Loss::CrossEntropy };
    let inputs = normal(&mut stream, &[40, 6]).to_kind(kind);
    let rows = || GroupedRows::shared(3, inputs.shallow_clone());
    let labels = ensemble.logits(&rows()).argmax(1, false);
    let probe = Probe { rows: rows(), labels: labels.copy(), classes: 4, seed: 4 };
    let context = Context {
        ensemble: &ensemble,
        initial: &ensemble,
        probe: &probe,
        test: TestSet { rows: &rows(), labels: &labels },
        forward: &ensemble.forward(&probe.rows),
    };
    let all = read_labels(&labels, 4, "labels").unwrap();
    let own: Vec<&[u32]> = all.iter().map(Vec::as_slice).collect();
    let chosen = rows_of(&context, &own, 30);
    let trials = [0, 1, 2];
    for shape in [Shape::Copies { of_row: DRAWS }, Shape::Rays { count: RAYS }] {
        let noise = |rows: &[usize]| match shape {
            Shape::Copies { .. } => row_noise(&context, rows),
            Shape::Rays { .. } => rays(&context),
        };
        let noisy = NoisyRows::new(&context, &trials, &own, &chosen, &noise, shape).unwrap();
        // Ragged requests: trial 1 is asked for fewer blocks, in another order.
        let mut requests = Vec::new();
        for block in 0..30 {
            let amplitude = 0.05 * f64::from(block as u8);
            requests.push(Request { problem: 2, block, amplitude });
            if block % 3 == 0 {
                requests.push(Request { problem: 1, block: 29 - block, amplitude: 0.7 });
            }
        }
        let answers = noisy.correct(&requests).unwrap();
        for (request, answer) in requests.iter().zip(answers) {
            let trial = request.problem;
            let (row, noises) = match shape {
                Shape::Copies { .. } => (
                    request.block,
                    row_noise(&context, &chosen[trial][request.block..=request.block]),
                ),
                Shape::Rays { .. } => {
                    let ray = (request.block % RAYS) as i64;
                    (request.block / RAYS, rays(&context).narrow(0, ray, 1))
                }
            };
            let row = chosen[trial][row] as i64;
            let moved = inputs.get(row) + noises * request.amplitude;
            let alone = ensemble.select(&[trial as i64]);
            let classes = alone.logits(&GroupedRows::shared(1, moved)).argmax(1, false);
            let label = labels.get(trial as i64).int64_value(&[row]);
            let expected = classes.eq(label).sum(Kind::Int64).int64_value(&[]);
            assert_eq!(i64::from(answer), expected, "{request:?}");
        }
    }
}
