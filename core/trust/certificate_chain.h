// Does a chain of certificates lead from the signer to a root the user trusts? Internal to core/trust; any thread.
#pragma once
#include <vector>

#include <QDateTime>
#include <QString>

#include "core/trust/crypto.h"

namespace cloister {

struct ChainVerdict {
  bool trusted = false;  ///< leads to a root; judged at the leaf's first valid second, as the reference tool does
  QString why;           ///< OpenSSL's reason when not
  bool mayCodeSign = false;
  bool usageByExtensionOnly = false;  ///< key usage lacks digitalSignature, extended key usage has codeSigning
  bool inDate = false;                ///< every certificate of the chain is valid now
  QString notBefore, notAfter;        ///< of the leaf, ISO 8601 UTC
  QString subject;                    ///< of the leaf, RFC 4514
};

/// roots are anchors whether self-signed or not. No network, no revocation.
ChainVerdict judgeChain(const std::vector<crypto::Certificate>& chain, const std::vector<crypto::Certificate>& roots, const QDateTime& now);

}  // namespace cloister
