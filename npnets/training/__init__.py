"""The program around an algorithm: settings from the command line, environments, a run's folder, and exact resumption.

An algorithm is a function `train(settings, run)` that acts, learns and calls the run; `main` makes a program of it.
`settings` has the options, `environments` and `evaluation` what an algorithm acts in, `run` the folder with its
checkpoints. Needs `pip install 'npnets[examples]'`.
"""

from npnets.public import listing
from npnets.training.environments import make_env, make_envs, reset
from npnets.training.evaluation import Evaluation, record_episode
from npnets.training.program import main
from npnets.training.provenance import provenance
from npnets.training.run import Run
from npnets.training.settings import Settings, option

__all__ = [
    "Evaluation",
    "Run",
    "Settings",
    "main",
    "make_env",
    "make_envs",
    "option",
    "provenance",
    "record_episode",
    "reset",
]

__dir__ = listing(__all__)
