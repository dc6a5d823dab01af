"""Write `optimizer_rates.npz`: where PyTorch's optimizers go with parameter groups and with `LambdaLR`.

Needs PyTorch, but neither npnets nor Tianshou. A case gives each part of the parameters a learning rate and a weight
decay as expressions in `n`, the number of updates made before; a name stands for all parts below it.
"""

from typing import Any

import cases
import fixtures
import numpy as np
import torch
from torch import nn
from torch_tensors import numpy_of, tensor

STEPS = 6
CONSTANT = {"weight": "0.1", "nested": "0.02", "scalar": "0.3", "one": "0.0"}
CHANGING = {
    "weight": "0.1 * (1 - min(n / 4, 1))",
    "nested.bias": "0.02 * 0.5 ** n",
    "nested.zero": "0.05",
    "scalar": "0.3 if n < 3 else 0.03",
    "one": "0.01 * (n % 2)",
}
DECAYS = {"weight": "0.3", "nested": "0.0", "scalar": "0.1", "one": "0.0"}
FORMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (torch.optim.RMSprop, {"momentum": 0.5}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {"betas": (0.8, 0.99)}),
}


def main() -> None:
    """Write the file."""
    made = [
        trajectory(name, learning_rate, weight_decay)
        for name in FORMS
        for learning_rate in (CONSTANT, CHANGING)
        for weight_decay in (dict.fromkeys(DECAYS, "0.0"), DECAYS)
    ]
    fixtures.save("optimizer_rates", {"versions": {"torch": torch.__version__, "numpy": np.__version__}, "cases": made})
    print(f"{len(made)} cases, with PyTorch {torch.__version__}")


def trajectory(name: str, learning_rate: dict[str, str], weight_decay: dict[str, str]) -> dict[str, Any]:
    """Return where an optimizer takes parameters on fixed gradients, one group for each of them."""
    rng = np.random.default_rng(11)
    params = {path: nn.Parameter(tensor(rng.standard_normal(shape))) for path, shape in cases.TREE.items()}
    start = {path: numpy_of(p) for path, p in params.items()}
    form, settings = FORMS[name]
    groups = [{"params": [p], "weight_decay": eval(of_part(weight_decay, path))} for path, p in params.items()]
    optimizer = form(groups, lr=1.0, **settings)
    factors = [eval(f"lambda n: {of_part(learning_rate, path)}") for path in params]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factors)
    all_grads, visited = [], []
    for _ in range(STEPS):
        grads = {path: tensor(rng.standard_normal(shape)) for path, shape in cases.TREE.items()}
        for path, parameter in params.items():
            parameter.grad = grads[path].clone()
        optimizer.step()
        schedule.step()
        all_grads.append({path: numpy_of(g) for path, g in grads.items()})
        visited.append({path: numpy_of(p) for path, p in params.items()})
    return {
        "name": f"{name}, {'constant' if learning_rate is CONSTANT else 'changing'} rates"
        + ", weight decay" * (weight_decay is DECAYS),
        "optimizer": name,
        "settings": settings,
        "learning rate": learning_rate,
        "weight decay": weight_decay,
        "start": start,
        "grads": all_grads,
        "visited": visited,
    }


def of_part(rates: dict[str, str], path: str) -> str:
    """Return the rate of a parameter, or of the part that it is in."""
    return rates.get(path) or rates[path.split(".")[0]]


if __name__ == "__main__":
    main()
