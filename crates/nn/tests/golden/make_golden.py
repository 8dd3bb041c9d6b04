"""Makes pytorch.json: short trainings by PyTorch's own modules and optimizers, in float64.

python make_golden.py > pytorch.json      (made with torch 2.11.0)
Every case trains three networks that differ in their fusable hyperparameters, full batch, so
that no data order matters. Read by src/golden.rs.
"""
import json

import torch

torch.manual_seed(20)
torch.set_default_dtype(torch.float64)
ROWS, INPUTS, WIDTH, CLASSES, STEPS = 8, 4, 5, 3, 20


def as_f32(tensor):
    return tensor.to(torch.float32).to(torch.float64)


inputs = as_f32(torch.randn(ROWS, INPUTS))
labels = torch.tensor([0, 1, 2, 0, 1, 2, 1, 1])
shapes = [(WIDTH, INPUTS), (WIDTH,), (WIDTH, WIDTH), (WIDTH,), (CLASSES, WIDTH), (CLASSES,)]
starts = [[as_f32(0.7 * torch.randn(shape)) for shape in shapes] for _ in range(3)]


class Gauss(torch.nn.Module):
    def forward(self, h):
        return torch.exp(-h * h)


ACTIVATIONS = {
    "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "identity": torch.nn.Identity,
    "gelu": torch.nn.GELU, "gauss": Gauss,
}


def network(start, case):
    modules = []
    sizes = [INPUTS, WIDTH, WIDTH, CLASSES]
    for layer in range(3):
        linear = torch.nn.Linear(sizes[layer], sizes[layer + 1])
        linear.weight.data.copy_(start[2 * layer])
        linear.bias.data.copy_(start[2 * layer + 1])
        modules.append(linear)
        if layer < 2:
            if case.get("batch_norm"):
                modules.append(torch.nn.BatchNorm1d(WIDTH, momentum=case["batch_norm_momentum"]))
            modules.append(ACTIVATIONS[case["activation"]]())
    return torch.nn.Sequential(*modules)


def optimizer(parameters, case, trial):
    options = {"lr": trial["learning_rate"], "weight_decay": trial.get("weight_decay", 0.0)}
    if case["optimizer"] == "sgd":
        return torch.optim.SGD(parameters, momentum=trial.get("momentum", 0.0), **options)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[case["optimizer"]](parameters, **options)


def loss_of(case, logits):
    if case["loss"] == "cross_entropy":
        return torch.nn.functional.cross_entropy(logits, labels)
    return torch.nn.functional.mse_loss(logits, torch.nn.functional.one_hot(labels, CLASSES).double())


def train(case, start, trial):
    net = network(start, case)
    rule = optimizer(net.parameters(), case, trial)
    for _ in range(STEPS):
        rule.zero_grad()
        loss = loss_of(case, net(inputs))
        loss.backward()
        rule.step()
    net.eval()
    tensors = []
    for module in net:
        if isinstance(module, torch.nn.Linear):
            tensors += [module.weight, module.bias]
        if isinstance(module, torch.nn.BatchNorm1d):
            tensors += [module.weight, module.bias, module.running_mean, module.running_var]
    return {
        "tensors": [flat(tensor) for tensor in tensors],
        "logits": flat(net(inputs)),
        "loss": float(loss_of(case, net(inputs))),
    }


def flat(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


plain = [{"learning_rate": 0.1}, {"learning_rate": 0.3}, {"learning_rate": 0.02}]
decayed = [dict(trial, weight_decay=decay) for trial, decay in zip(plain, [0.0, 0.1, 0.5])]
small = [{"learning_rate": rate, "weight_decay": decay} for rate, decay in [(0.01, 0.0), (0.003, 0.2), (0.03, 0.05)]]
heavy = [dict(trial, momentum=momentum) for trial, momentum in zip(decayed, [0.9, 0.5, 0.0])]
base = {"activation": "tanh", "loss": "cross_entropy", "optimizer": "sgd", "trials": plain}
norm = {"batch_norm": True}
cases = [dict(base, activation=name) for name in ACTIVATIONS]
cases += [dict(base, activation=name, loss="mse") for name in ("relu", "gelu")]
cases += [dict(base, trials=decayed), dict(base, trials=heavy)]
cases += [dict(base, optimizer="adam", trials=[{"learning_rate": t["learning_rate"]} for t in small])]
cases += [dict(base, optimizer=name, trials=small) for name in ("adam", "adamw")]
cases += [dict(base, batch_norm=True, batch_norm_momentum=share, trials=trials)
          for share, trials in ((0.1, plain), (1.0, heavy))]
cases += [dict(base, batch_norm=True, batch_norm_momentum=0.3, optimizer="adam", activation="gelu", trials=small)]
for case in cases:
    case["results"] = [train(case, start, trial) for start, trial in zip(starts, case["trials"])]

torch.set_default_dtype(torch.float32)
linear = torch.nn.Linear(400, 1000)
normal = torch.nn.init.kaiming_normal_(torch.empty(1000, 400), nonlinearity="relu")
init = {
    "fan_in_uniform": {"largest": float(linear.weight.abs().max()), "deviation": float(linear.weight.std()),
                       "bias_deviation": float(linear.bias.std())},
    "he_normal": {"deviation": float(normal.std())},
}
print(json.dumps({
    "inputs": flat(inputs), "labels": labels.tolist(), "steps": STEPS,
    "starts": [[flat(tensor) for tensor in start] for start in starts],
    "cases": cases, "init": init,
}))
