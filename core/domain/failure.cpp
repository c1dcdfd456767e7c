#include "core/domain/failure.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <QCoreApplication>
#include <QLocale>

namespace cloister {
namespace {

struct KindRow {
  FailureKind kind;
  const char* name;
  int exitCode;
  const char* sentence;  // what happened to what, and what to do now; %name% is replaced by the argument
};

#define TR(text) QT_TRANSLATE_NOOP("Failure", text)
constexpr std::array kRows{
    KindRow{FailureKind::Internal, "internal", 1, TR("Cloister made a mistake it did not expect. Please send the details to support.")},
    KindRow{FailureKind::InvalidArgument, "invalid_argument", 2, TR("%name% cannot be \"%value%\". Allowed: %allowed%.")},
    KindRow{FailureKind::NotFound, "not_found", 3, TR("%path% was not found. Check the name and that the medium is connected.")},
    KindRow{FailureKind::AlreadyExists, "already_exists", 3, TR("%path% already exists. Choose another name or remove it first.")},
    KindRow{FailureKind::PermissionDenied, "permission_denied", 1,
            TR("You may not read or write %path%. Ask its owner for access or choose another folder.")},
    KindRow{FailureKind::ReadOnly, "read_only", 1,
            TR("%path% cannot be written because its folder or medium is read-only. Choose a writable folder.")},
    KindRow{FailureKind::DiskFull, "disk_full", 1,
            TR("There is no space left for %path%. Free some space or choose another disk; nothing already stored was lost.")},
    KindRow{FailureKind::IoError, "io_error", 1, TR("%path% could not be read or written. Check the disk or cable and try again.")},
    KindRow{FailureKind::UnsupportedFormat, "unsupported_format", 3,
            TR("%path% is not a file that this source reads. Choose another source or leave the file out.")},
    KindRow{FailureKind::UnsupportedEncoding, "unsupported_encoding", 3,
            TR("%path% is encoded as %encoding%, which no decoder here can read. Convert the file and import it again.")},
    KindRow{FailureKind::CorruptFile, "corrupt_file", 3, TR("%path% is damaged. Get the file again from where it came.")},
    KindRow{FailureKind::TruncatedFile, "truncated_file", 3, TR("%path% ends too early. Copy the file again from where it came.")},
    KindRow{FailureKind::NoPixelData, "no_pixel_data", 3, TR("%path% holds no image. Leave it out; reports and waveforms are not images.")},
    KindRow{FailureKind::TooLarge, "too_large", 3, TR("%path% is larger than the limit of %limit%. Leave it out or split it.")},
    KindRow{FailureKind::Timeout, "timeout", 3,
            TR("%path% took longer than %seconds% seconds and was given up. Try it alone, or leave it out.")},
    KindRow{FailureKind::Crashed, "crashed", 1,
            TR("%program% ended unexpectedly (%signal%). Nothing already stored was lost; try again, and send the details if it repeats.")},
    KindRow{FailureKind::WorkerFailed, "worker_failed", 1, TR("%program% could not finish. Open the details for its own message.")},
    KindRow{FailureKind::DatabaseLocked, "database_locked", 1,
            TR("The project %path% is open in another window or program (process %pid%). Close it there first.")},
    KindRow{FailureKind::DatabaseCorrupt, "database_corrupt", 1,
            TR("The project database %path% is damaged. Restore the copy beside it, or rebuild the index from the files.")},
    KindRow{FailureKind::NewerVersion, "newer_version", 3,
            TR("%path% was written by a newer Cloister (format %found%, this one reads up to %supported%). Open it with that version.")},
    KindRow{FailureKind::PolicyRefused, "policy_refused", 4, TR("This is not allowed: %rule%.")},
    KindRow{FailureKind::IdentityChanged, "identity_changed", 4,
            TR("The run cannot go on because its %what% changed since the checkpoint. Start a new run instead.")},
    KindRow{FailureKind::NonFinite, "non_finite", 1,
            TR("Training stopped at step %step%: the loss or gradient was no longer a finite number (batch %batch%). The last good "
               "checkpoint was kept; lower the learning rate or check these samples.")},
    KindRow{FailureKind::OutOfMemory, "out_of_memory", 1,
            TR("There is not enough memory: %needed% are needed, %free% are free. Choose a smaller micro-batch, image size or model.")},
    KindRow{FailureKind::SignatureInvalid, "signature_invalid", 4,
            TR("The signature does not hold: %reason%. Do not use this bundle; ask the sender for a new copy.")},
    KindRow{FailureKind::KeyInvalid, "key_invalid", 3, TR("The key %name% cannot be used. Choose another key.")},
    KindRow{FailureKind::WrongPassphrase, "wrong_passphrase", 4, TR("The passphrase for the key %name% is not right. Try again.")},
    KindRow{FailureKind::Stopped, "stopped", 130, TR("Stopped as asked. What was finished is kept.")},
    KindRow{FailureKind::NothingToDo, "nothing_to_do", 3, TR("There is no %what% yet. %next%")},
    KindRow{FailureKind::DeviceUnavailable, "device_unavailable", 3,
            TR("The graphics card cannot be used. Choose the processor as device, or automatic.")},
    KindRow{FailureKind::EmptyFile, "empty_file", 3, TR("%path% is empty. Choose the file that holds the content.")},
    KindRow{FailureKind::InvalidText, "invalid_text", 3,
            TR("%path% is not UTF-8 text: line %line%, byte %byte%. Convert it to UTF-8, without NUL bytes, and try again.")},
    KindRow{FailureKind::InvalidTextLine, "invalid_text_line", 3,
            TR("Line %line% of %path% does not hold what is expected there (%why%). Correct the line and try again.")},
    KindRow{FailureKind::LineCountMismatch, "line_count_mismatch", 3,
            TR("%path% has %found% lines, but %other% has %expected%. Give files that belong together line by line.")},
    KindRow{FailureKind::TemplateFailed, "template_failed", 3,
            TR("The chat template of %path% could not be used: line %line%, column %column%: %why%. Correct it, or choose a built-in "
               "template with --template.")},
};

// Why no graphics card can be used; the argument "reason" chooses the sentence.
struct ReasonRow {
  const char* reason;
  const char* sentence;
};
constexpr std::array kDeviceReasons{
    ReasonRow{"no_driver", TR("There is no NVIDIA driver on this computer. Training runs on the processor.")},
    ReasonRow{"driver_too_old", TR("The NVIDIA driver reaches CUDA %found%, and CUDA %wanted% is needed. Update the driver.")},
    ReasonRow{"no_device",
              TR("The NVIDIA driver offers no graphics card. Check that one is built in and given to this computer or container.")},
    ReasonRow{"no_module", TR("This Cloister was built without CUDA. Install one that was built with it.")},
    ReasonRow{"libraries_missing",
              TR("CUDA libraries are missing. Unpack the CUDA archive into Cloister's lib folder, or let CLOISTER_CUDA_LIBS "
                 "name the site-packages folder of the same PyTorch.")},
    ReasonRow{"wrong_version", TR("The CUDA libraries in %path% have version %found%, and %wanted% is needed.")},
    ReasonRow{"too_few", TR("%wanted% processes need as many graphics cards, and there are %found%. Start fewer processes.")},
};
#undef TR

const KindRow& row(FailureKind kind) {
  for (const KindRow& r : kRows)
    if (r.kind == kind) return r;
  return kRows.front();
}

const char* sentenceOf(const Failure& failure) {
  if (failure.kind == FailureKind::DeviceUnavailable)
    for (const ReasonRow& r : kDeviceReasons)
      if (failure.args["reason"].toString() == QLatin1String(r.reason)) return r.sentence;
  return row(failure.kind).sentence;
}

QString shown(const QString& key, const QJsonValue& value) {
  if ((key == u"needed" || key == u"free" || key == u"limit") && value.isDouble()) return QLocale().formattedDataSize(value.toInteger());
  if (value.isString()) return value.toString();
  return value.toVariant().toString();
}

}  // namespace

QJsonObject Failure::toJson() const {
  QJsonObject o{{"kind", failureKindName(kind)}, {"message", describe(*this)}};
  if (!args.isEmpty()) o["args"] = args;
  if (!detail.isEmpty()) o["detail"] = detail;
  return o;
}

Failure Failure::fromJson(const QJsonObject& o) {
  return {failureKindFromName(o["kind"].toString()), o["args"].toObject(), o["detail"].toString()};
}

QString failureKindName(FailureKind kind) { return QString::fromLatin1(row(kind).name); }

FailureKind failureKindFromName(QStringView name) {
  for (const KindRow& r : kRows)
    if (name == QLatin1String(r.name)) return r.kind;
  return FailureKind::Internal;
}

QString describe(const Failure& failure) {
  QString text = QCoreApplication::translate("Failure", sentenceOf(failure));
  for (auto it = failure.args.begin(); it != failure.args.end(); ++it) text.replace("%" + it.key() + "%", shown(it.key(), it.value()));
  // An argument nobody gave must not leave a raw placeholder on the screen.
  for (qsizetype from = text.indexOf('%'); from >= 0; from = text.indexOf('%', from)) {
    const qsizetype to = text.indexOf('%', from + 1);
    if (to < 0) break;
    text.replace(from, to - from + 1, QStringLiteral("…"));
  }
  return text;
}

int exitCodeFor(FailureKind kind) { return row(kind).exitCode; }

Failure failureFromErrno(int error, const QString& path) {
  FailureKind kind = FailureKind::IoError;
  if (error == ENOSPC || error == EDQUOT) kind = FailureKind::DiskFull;
  else if (error == EROFS) kind = FailureKind::ReadOnly;
  else if (error == EACCES || error == EPERM) kind = FailureKind::PermissionDenied;
  else if (error == ENOENT || error == ENOTDIR) kind = FailureKind::NotFound;
  else if (error == EEXIST) kind = FailureKind::AlreadyExists;
  else if (error == ENOMEM) kind = FailureKind::OutOfMemory;
  return {kind, {{"path", path}}, QString::fromLocal8Bit(std::strerror(error))};
}

}  // namespace cloister
