// What a language model in training writes on from a text it does not train on, so that a person can read how far it is. Training thread.
#pragma once
#include <QJsonObject>

#include "core/engine/data/token_data.h"
#include "core/engine/models/decoder/decoder_model.h"
#include "core/engine/models/family_plugin.h"

namespace cloister {

/// {"prompt","text"}: at most `tokens` new ones after the beginning of the data's first sequence (up to its answer, where it has one),
/// drawn with temperature 0.8 and top-p 0.95; ends after ten seconds. Draws nothing from the training's random numbers.
QJsonObject trainingSample(DecoderModel&, const TokenData&, const TrainJob&, std::int64_t tokens, std::uint64_t seed);

}  // namespace cloister
