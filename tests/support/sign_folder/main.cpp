// sign_folder DIR KEY PASSPHRASE_FILE: signs any folder with a key of the store. The product signs bundles only; the tests of the signature
// format need folders of every shape.
#include <cstdio>

#include "core/domain/files.h"
#include "core/trust/model_signature.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  auto passphrase = cloister::readFile(QString::fromLocal8Bit(argv[3]), 4096);
  if (!passphrase) return 3;
  auto done = cloister::signFolder(QString::fromLocal8Bit(argv[1]), cloister::KeyStore(), QString::fromLocal8Bit(argv[2]),
                                   passphrase->trimmed(), {});
  if (done) return 0;
  std::fprintf(stderr, "%s\n%s\n", qPrintable(cloister::describe(done.error())), qPrintable(done.error().detail));
  return 1;
}
