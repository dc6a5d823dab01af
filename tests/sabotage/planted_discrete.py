"""Faults in networks for discrete actions, and in an actor and a critic that share a trunk."""

from __future__ import annotations

from fault import Fault

_NETWORKS, _ERRORS = "tests/discrete/test_discrete_networks.py", "tests/discrete/test_bad_discrete.py"
_PAIRS, _STATE_DICTS = "tests/networks/test_actor_critic.py", "tests/interop/test_actor_critic_state_dicts.py"

DISCRETE = [
    Fault(
        "discrete: an actor returns probabilities whatever its flag",
        "discrete/actor.py",
        "if self.softmax_output else ()",
        "",
        _NETWORKS,
    ),
    Fault(
        "discrete: a critic passes no state to its preprocess net",
        "discrete/critic.py",
        "obs, state)[0]",
        "obs, None)[0]",
        _NETWORKS,
    ),
    Fault(
        "discrete: an action out of range is a row of zeros",
        "discrete/actions.py",
        "if namespace(found) is np and found.size and",
        "if False and",
        _ERRORS,
    ),
    Fault(
        "discrete: an action of floats is cut to integers",
        "discrete/actions.py",
        'if found.size and found.dtype.kind not in "iu":',
        "if False:",
        _ERRORS,
    ),
    Fault(
        "discrete: a space that begins at one counts as one that begins at zero",
        "spaces.py",
        "if space.start != 0:",
        "if False:",
        _ERRORS,
    ),
    Fault(
        "discrete: curiosity is the whole squared distance",
        "discrete/intrinsic_curiosity_module.py",
        "return 0.5 * nnp.sum",
        "return nnp.sum",
        _NETWORKS,
    ),
    Fault(
        "discrete: curiosity compares the predicted features with those of the first observation",
        "discrete/intrinsic_curiosity_module.py",
        "nnp.square(phi2_hat - phi2)",
        "nnp.square(phi2_hat - phi1)",
        _NETWORKS,
    ),
    Fault(
        "discrete: a feature net of the user's own gets one array of every observation",
        "discrete/intrinsic_curiosity_module.py",
        "if is_known(self.feature_net):",
        "if True:",
        _NETWORKS,
    ),
    Fault(
        "discrete: advantages of a branch are not centred",
        "common/branching_net.py",
        "(a - nnp.mean(a, 2, True))",
        "a",
        _NETWORKS,
    ),
    Fault(
        "discrete: all branches read the parameters of the first",
        "common/branching_net.py",
        "(value + own.start for own",
        "(value + 0 * own.start for own",
        _NETWORKS,
    ),
    Fault(
        "discrete: an actor prints as the class for continuous actions",
        "description.py",
        'if kind.__module__.startswith("npnets.discrete.")',
        "if False",
        _PAIRS,
    ),
    Fault(
        "discrete: an actor is saved under the name of the class for continuous actions",
        "checkpoint/encoding.py",
        "own_names().get(kind, kind.__name__)",
        "kind.__name__",
        _PAIRS,
    ),
    Fault(
        "discrete: actor and critic share a trunk of two descriptions",
        "common/actor_critic.py",
        "if self.share_preprocess and self.actor.preprocess_net != self.critic.preprocess_net:",
        "if False:",
        _PAIRS,
    ),
    Fault(
        "discrete: a shared trunk is drawn for each network too",
        "common/actor_critic.py",
        "part.without(TRUNK) for",
        "part for",
        _PAIRS,
    ),
    Fault(
        "discrete: the critic's trunk is dropped unseen where one is joined from two",
        "common/actor_critic.py",
        "if differing is not None:",
        "if False:",
        _STATE_DICTS,
    ),
]
