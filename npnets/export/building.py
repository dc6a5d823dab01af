"""From what is exported to a whole program."""

from math import prod
from typing import Any

import numpy as np

from npnets import tree
from npnets.backend import Array
from npnets.export.interface import Reference
from npnets.export.lowering import LOWERINGS
from npnets.export.lowering.acting import action_of
from npnets.export.lowering.builder import Builder, Signal
from npnets.export.lowering.normalized import normalized
from npnets.export.program import Concatenate, Port, Program, SelfTest, Slice, State, Value
from npnets.export.pruning import pruned, results
from npnets.export.self_test import self_test
from npnets.export.subject import Subject


def program_of(subject: Subject, name: str, seed: int) -> Program:
    """Return the program of a network or policy, with its self-test.

    Parameters
    ----------
    subject : Subject
    name : str
        A checked identifier.
    seed : int
        Draws the inputs of the self-test.

    Returns
    -------
    Program
    """
    inputs, before, reference = self_test(subject, seed)
    builder = Builder(LOWERINGS, subject.shapes, subject.interface.keeps_state, subject.fraction_proposal)
    signals = _lowered(builder, subject)
    outputs, expected = _ports(builder, signals, reference)
    states = builder.states
    needed = [port.value for port in outputs] + [state.after.value for state in states]
    return Program(
        name=name,
        description=subject.description,
        parameters=sum(int(leaf.size) for leaf in tree.leaves(subject.params) if hasattr(leaf, "size")),
        inputs=tuple(builder.ports.values()),
        outputs=outputs,
        operations=pruned(builder.operations, needed),
        states=tuple(states),
        self_test=SelfTest(
            (*inputs.values(), *_states(before, states)), (*expected, *_states(reference.state, states))
        ),
    )


def _lowered(builder: Builder, subject: Subject) -> dict[str, Signal]:
    obs = builder.ports["obs"]
    x = Signal((obs.value,), obs.shape)
    if subject.normalization is not None:
        x = normalized(builder, subject.normalization, x, "normalized")
    outputs = builder.outputs(subject.network, subject.params, x, "")
    return outputs if subject.policy is None else action_of(builder, outputs, subject.policy, subject.dtype)


def _ports(
    builder: Builder, signals: dict[str, Signal], reference: Reference
) -> tuple[tuple[Port, ...], tuple[Array, ...]]:
    """Return the ports of the outputs, and what npnets computes for them with an axis of cases in front."""
    ports, expected = [], []
    for (name, signal), array in zip(signals.items(), reference.outputs, strict=True):
        rows = np.moveaxis(array, 0, 1) if signal.is_ensemble else array
        value = _one_vector(builder, signal, name)
        assert value.size == prod(rows.shape[1:]), (name, value, rows.shape)
        ports.append(Port(name, value, rows.shape[1:]))
        expected.append(np.ascontiguousarray(rows))
    return tuple(ports), tuple(expected)


def _one_vector(builder: Builder, signal: Signal, name: str) -> Value:
    """Return an output as one vector that an operation computes: an ensemble's members one behind the other."""
    if len(signal.values) > 1:
        size = sum(value.size for value in signal.values)
        return builder.add(Concatenate, name, size, parts=signal.values)
    (value,) = signal.values
    if any(value in results(operation) for operation in builder.operations):
        return value
    return builder.add(Slice, name, value.size, x=value, start=0)


def _states(state: Any, states: list[State]) -> list[Array]:
    return [np.asarray(state[port.before.name]) for port in states]
