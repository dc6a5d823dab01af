"""Actors and critics for continuous actions as operations."""

from typing import Any

import numpy as np

from npnets import tree
from npnets.continuous import VAE, Actor, ActorProb, Critic, Perturbation
from npnets.continuous.action_axes import axes_of
from npnets.continuous.gaussian_head import SIGMA
from npnets.continuous.vae import LOG_STD_MAX, LOG_STD_MIN
from npnets.export.lowering.bounds import bounds_of, limited, middle_and_half, scaled
from npnets.export.lowering.builder import Builder, Lowering, Outputs, Signal, each, joined, vector
from npnets.export.lowering.feed_forward import activated, combined
from npnets.export.program import Affine, Concatenate, Value
from npnets.kernels.activations import TANH, Activation
from npnets.tree import Params


def dtype_of(params: Params) -> Any:
    """Return the dtype of parameters."""
    return tree.leaves(params)[0].dtype


def _actor(builder: Builder, actor: Actor, params: Params, x: Signal, name: str) -> Outputs:
    features = builder.features(actor.preprocess_net, params["preprocess"], x, joined(name, "preprocess"))
    last = builder.features(actor.last, params["last"], features, joined(name, "last")).value
    tanh = builder.activate(last, TANH, joined(name, "tanh"))
    action = scaled(builder, tanh, bounds_of(actor), dtype_of(params), joined(name, "action"))
    return {"action": Signal((action,), axes_of(actor.action_shape) if not actor.flatten_action else (action.size,))}


def _actor_prob(builder: Builder, actor: ActorProb, params: Params, x: Signal, name: str) -> Outputs:
    features = builder.features(actor.preprocess_net, params["preprocess"], x, joined(name, "preprocess"))
    return gaussian(builder, actor, params, features, name)


def gaussian(builder: Builder, actor: Any, params: Params, features: Signal, name: str) -> Outputs:
    """Add the head of a probabilistic actor, and return mean and standard deviation."""
    mu = builder.features(actor.head, params["mu"], features, joined(name, "mu")).value
    if not actor.unbounded:
        tanh = builder.activate(mu, TANH, joined(name, "mu_tanh"))
        mu = scaled(builder, tanh, bounds_of(actor), dtype_of(params), joined(name, "mu"))
    if actor.conditioned_sigma:
        log_sigma = builder.features(actor.head, params["sigma"], features, joined(name, "sigma")).value
        sigma = builder.activate(log_sigma, SIGMA, joined(name, "sigma_clipped_exp"))
    else:
        sigma = builder.constant(np.exp(params["log_sigma"]), joined(name, "sigma"))
    shape = (mu.size,) if actor.flatten_action else axes_of(actor.action_shape)
    return {"mu": Signal((mu,), shape), "sigma": Signal((sigma,), shape)}


def _critic(builder: Builder, critic: Critic, params: Params, x: Signal, name: str) -> Outputs:
    act, to_obs_only = builder.input("act"), critic.apply_preprocess_net_to_obs_only
    if not to_obs_only:
        x = beside(builder, x, act, joined(name, "obs_act"))
    features = builder.features(critic.preprocess_net, params["preprocess"], x, joined(name, "preprocess"))
    if to_obs_only:
        features = beside(builder, features, act, joined(name, "features_act"))
    return {"value": builder.features(critic.last, params["last"], features, joined(name, "last"))}


def beside(builder: Builder, x: Signal, other: Value | None, name: str) -> Signal:
    """Return each member's vector with another behind it, if there is one."""
    if other is None:
        return x
    return each(x, lambda v, own: builder.add(Concatenate, own, v.size + other.size, parts=(v, other)), name)


def _perturbation(builder: Builder, net: Perturbation, params: Params, x: Signal, name: str) -> Outputs:
    act, bounds = builder.input("act"), bounds_of(net)
    assert act is not None
    x = beside(builder, x, act, joined(name, "obs_act"))
    features = builder.features(net.preprocess_net, params["preprocess"], x, joined(name, "preprocess")).value
    tanh = builder.activate(features, TANH, joined(name, "tanh"))
    _, half = middle_and_half(bounds, tanh.size, dtype_of(params))
    change = builder.add(
        Affine, joined(name, "change"), tanh.size, x=tanh, scale=net.phi * half, offset=np.zeros(tanh.size)
    )
    moved = combined(builder, "add", change, act, joined(name, "moved"))
    return {"action": vector(limited(builder, moved, bounds, joined(name, "action")))}


def _autoencoder(builder: Builder, vae: VAE, params: Params, x: Signal, name: str) -> Outputs:
    latent = builder.input("latent_z")
    if latent is not None:
        return {"action": _decoded(builder, vae, params, x, latent, name)}
    act, noise = builder.input("act"), builder.input("noise")
    assert noise is not None
    encoder_input = beside(builder, x, act, joined(name, "obs_act"))
    features = builder.features(vae.encoder, params["encoder"], encoder_input, joined(name, "encoder"))
    mean = builder.features(vae.latent_layer, params["mean"], features, joined(name, "mean"))
    log_std = builder.features(vae.latent_layer, params["log_std"], features, joined(name, "log_std"))
    exp = Activation("clipped_exp", (LOG_STD_MIN, LOG_STD_MAX))
    std = activated(builder, log_std, exp, joined(name, "std"))
    draw = combined(builder, "multiply", std.value, noise, joined(name, "draw"))
    latent = combined(builder, "add", mean.value, draw, joined(name, "latent"))
    return {"reconstruction": _decoded(builder, vae, params, x, latent, name), "mean": mean, "std": std}


def _decoded(builder: Builder, vae: VAE, params: Params, x: Signal, latent: Value, name: str) -> Signal:
    x = beside(builder, x, latent, joined(name, "obs_latent"))
    decoded = builder.features(vae.decoder, params["decoder"], x, joined(name, "decoder")).value
    tanh = builder.activate(decoded, TANH, joined(name, "tanh"))
    return vector(scaled(builder, tanh, bounds_of(vae), dtype_of(params), joined(name, "action")))


LOWERINGS: dict[type, Lowering] = {
    Actor: _actor,
    ActorProb: _actor_prob,
    Critic: _critic,
    Perturbation: _perturbation,
    VAE: _autoencoder,
}
