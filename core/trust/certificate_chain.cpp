#include "core/trust/certificate_chain.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <ctime>

namespace cloister {
namespace {

using Store = std::unique_ptr<X509_STORE, crypto::Freed<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, crypto::Freed<X509_STORE_CTX_free>>;

std::time_t secondsOf(const ASN1_TIME* time) {
  std::tm t{};
  return ASN1_TIME_to_tm(time, &t) == 1 ? timegm(&t) : 0;
}

QString isoOf(const ASN1_TIME* time) { return QDateTime::fromSecsSinceEpoch(secondsOf(time), Qt::UTC).toString(Qt::ISODate); }

QString subjectOf(X509* certificate) {
  const crypto::Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return QString::fromUtf8(data, size);
}

void judgeUsage(X509* leaf, ChainVerdict& verdict) {
  const uint32_t flags = X509_get_extension_flags(leaf);
  const bool byUsage = (flags & EXFLAG_KUSAGE) && (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE);
  const bool byExtension = (flags & EXFLAG_XKUSAGE) && (X509_get_extended_key_usage(leaf) & XKU_CODE_SIGN);
  verdict.mayCodeSign = byUsage || byExtension;
  verdict.usageByExtensionOnly = !byUsage && byExtension;
}

}  // namespace

ChainVerdict judgeChain(const std::vector<crypto::Certificate>& chain, const std::vector<crypto::Certificate>& roots,
                        const QDateTime& now) {
  ChainVerdict verdict;
  X509* leaf = chain.front().get();
  verdict.subject = subjectOf(leaf);
  verdict.notBefore = isoOf(X509_get0_notBefore(leaf));
  verdict.notAfter = isoOf(X509_get0_notAfter(leaf));
  judgeUsage(leaf, verdict);
  std::time_t moment = now.toSecsSinceEpoch();
  verdict.inDate = true;
  for (const auto& one : chain)
    verdict.inDate = verdict.inDate && X509_cmp_time(X509_get0_notBefore(one.get()), &moment) < 0 &&
                     X509_cmp_time(X509_get0_notAfter(one.get()), &moment) > 0;

  const Store store(X509_STORE_new());
  for (const auto& root : roots) X509_STORE_add_cert(store.get(), root.get());
  STACK_OF(X509)* between = sk_X509_new_null();
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(between, chain[i].get());
  const StoreContext context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf, between) == 1) {
    X509_VERIFY_PARAM* how = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_time(how, secondsOf(X509_get0_notBefore(leaf)));
    X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_depth(how, 16);
    X509_VERIFY_PARAM_set_auth_level(how, 1);  // no SHA-1, no RSA below 1024 bits
    verdict.trusted = !roots.empty() && X509_verify_cert(context.get()) == 1;
    if (!verdict.trusted) verdict.why = QString::fromLatin1(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  sk_X509_free(between);
  ERR_clear_error();
  return verdict;
}

}  // namespace cloister
