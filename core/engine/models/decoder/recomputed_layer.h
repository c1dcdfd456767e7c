// Activation checkpointing (Chen et al. 2016, 1604.06174): of a layer only its input is kept; backward computes the layer again and goes
// through it at once. The same operations on the same numbers, so losses and gradients are the same bit for bit. Called by DecoderModel;
// training thread.
#pragma once
#include <functional>

#include <ATen/core/Tensor.h>

#include "core/engine/models/decoder/decoder_layers.h"

namespace cloister {

/// watch: what the routers of the layer did; null when nobody wants to know.
using LayerFunction = std::function<at::Tensor(const at::Tensor& x, RoutingWatch* watch)>;

/// layer(x, watch). x wants a gradient; tensors that the layer holds get theirs added during backward. What layer refers to must live until
/// then.
at::Tensor recomputed(LayerFunction layer, const at::Tensor& x, RoutingWatch* watch);

}  // namespace cloister
