#include "app/cli/passphrase.h"

#include <termios.h>
#include <unistd.h>
#include <cstdio>
#include <cstring>

#include "core/domain/files.h"

namespace cloister::cli {
namespace {

/// Standard input without echo while it lives.
class Silence {
 public:
  Silence() {
    good_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios now = before_;
    now.c_lflag &= ~tcflag_t(ECHO);
    if (good_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
  }
  ~Silence() {
    if (good_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  bool good_ = false;
};

QByteArray firstLine(QByteArray bytes) {
  if (const qsizetype end = bytes.indexOf('\n'); end >= 0) bytes.truncate(end);
  if (bytes.endsWith('\r')) bytes.chop(1);
  return bytes;
}

}  // namespace

Result<QByteArray> passphraseFrom(const Context& context, const QString& option, const QString& question) {
  if (context.isSet(option)) {
    auto bytes = readFile(context.value(option), 64 << 10);
    if (!bytes) return bytes.error();
    return firstLine(*bytes);
  }
  if (!::isatty(STDIN_FILENO))
    return Failure{FailureKind::InvalidArgument, {{"name", "--" + option}, {"value", ""}, {"allowed", "FILE"}}, {}};
  std::fputs((question + ": ").toLocal8Bit().constData(), stderr);
  char line[4097] = {};
  {
    const Silence silence;
    if (!std::fgets(line, sizeof line, stdin)) line[0] = '\0';
  }
  std::fputs("\n", stderr);
  QByteArray answer = firstLine(QByteArray(line));
  explicit_bzero(line, sizeof line);
  return answer;
}

}  // namespace cloister::cli
