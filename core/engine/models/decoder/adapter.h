// Low-rank adapters (LoRA, Hu et al. 2021) on the linear layers of a DecoderModel, in the layout of PEFT: adapter_config.json and
// adapter_model.safetensors with base_model.model.<module>.lora_A.weight [rank, in] and .lora_B.weight [out, rank]. Worker only.
#pragma once
#include <QStringList>

#include "core/engine/models/decoder/decoder_model.h"

namespace cloister {

struct AdapterSettings {
  std::int64_t rank = 16;
  double alpha = 32;    ///< what is added counts alpha / rank
  QStringList targets;  ///< last words of module names ("q_proj"); empty: every linear layer except head, router and routed experts
};

/// New adapters: A uniform in ±1/√in (Kaiming with a = √5), B zero, float32. InvalidArgument thrown when no layer has a wanted name.
void addAdapters(DecoderModel&, const AdapterSettings&, std::uint64_t seed);
/// The model without its adapters, as long as this lives: the base they were put on.
class AdaptersOff {
 public:
  explicit AdaptersOff(DecoderModel&);
  ~AdaptersOff();
  AdaptersOff(const AdaptersOff&) = delete;
  AdaptersOff& operator=(const AdaptersOff&) = delete;

 private:
  DecoderModel& model_;
  std::map<std::string, std::pair<at::Tensor, at::Tensor>> adapters_;
};

/// Adapters of the model by their PEFT names, shared.
NamedTensors adapterState(DecoderModel&);
/// Sets them all; CorruptFile thrown when one is missing, left over or of another shape.
void loadAdapterState(DecoderModel&, const NamedTensors&, const QString& path);

/// Writes dir (made if missing) as PEFT reads it. base: what adapter_config.json names as the base model.
void writeAdapter(const QString& dir, DecoderModel&, const AdapterSettings&, const QString& base);
/// Reads a PEFT folder into the model. UnsupportedFormat thrown for kinds that are not plain LoRA (DoRA, rank patterns, biases …).
AdapterSettings readAdapter(const QString& dir, DecoderModel&);
/// The weights with the adapters added, under the names of the base: what a folder without adapters holds.
NamedTensors mergedState(DecoderModel&);

}  // namespace cloister
