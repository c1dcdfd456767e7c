// A secret for a verb: from a file, or asked on the terminal without echo. Never from the command line, where every process can read it.
#pragma once
#include "app/cli/context.h"

namespace cloister::cli {

/// The first line of the file that the option names. Without the option: asked when standard input is a terminal, else InvalidArgument.
Result<QByteArray> passphraseFrom(const Context&, const QString& option, const QString& question);

}  // namespace cloister::cli
