// A language model in the form it is handed out in: an ONNX graph, its GenAI variant or GGUF, quantized as asked and compared with the
// model it came from. One folder, whole or absent (docs/formats.md, "Exported language model"). Called by the verb on folders and by the
// job of a run. Worker's main thread, gradients off; throws EngineFailure.
#pragma once
#include <functional>

#include <QJsonObject>

#include "core/engine/evaluate/language_quality.h"
#include "core/engine/models/decoder/decoder_folder.h"

namespace cloister {

struct LanguageExportRequest {
  std::function<DecoderFolder()> weights;  ///< read anew for each export, in the type they are stored in
  QString companions;                      ///< folder of tokenizer and template
  QString name;                            ///< of the model, for GGUF and messages
  QString to, quantize;                    ///< none, fp16, dynamic-int8, int8, int4; gguf: none, fp16, q8_0, q4_0
  bool genai = false, gguf = false;
  int block = 32;
  bool floatEmbedding = false;  ///< with int8 and int4: the table of the tokens' vectors stays as it is
  std::int64_t context = 0, steps = 64;
  double limit = 0;  ///< largest allowed rise of perplexity, a share
  /// What is judged by; may be empty. Called with the configuration, so that it can cut with the tokenizer.
  std::function<std::vector<TokenText>(const DecoderConfig&)> texts;
  int rounds = 0;  ///< of timing; 0: none

  bool blocks() const { return quantize == u"int4" || quantize == u"int8"; }
  bool quantized() const { return blocks() || quantize == u"dynamic-int8"; }
};

/// Eight bits should cost next to nothing; four may cost more (docs/decisions/0055).
double defaultRiseLimit(const QString& quantize);

using ExportProgress = std::function<void(const QString& phase, qint64 done, qint64 total)>;
/// Returns export.json.
QJsonObject exportLanguage(const LanguageExportRequest&, const ExportProgress&);

}  // namespace cloister
