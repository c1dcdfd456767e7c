#include "widgets/trust/verify_page.h"

#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFrame>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QProcess>
#include <QPushButton>
#include <QScrollArea>
#include <QToolButton>

#include "core/extension/plugin_catalogue.h"
#include "widgets/common/failure_banner.h"
#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/table.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {

/// A place to drop a folder on; the same by a button for keyboards.
class DropArea : public QFrame {
 public:
  DropArea(std::function<void(QString)> dropped, QWidget* parent) : QFrame(parent), dropped_(std::move(dropped)) {
    setAcceptDrops(true);
    setRole(this, "sheet");
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::kXl, space::kXl, space::kXl, space::kXl);
    text = new QLabel(this);
    text->setAlignment(Qt::AlignCenter);
    text->setWordWrap(true);
    button = new QPushButton(this);
    column->addWidget(text);
    column->addWidget(button, 0, Qt::AlignCenter);
  }
  QLabel* text;
  QPushButton* button;

 protected:
  void dragEnterEvent(QDragEnterEvent* e) override {
    if (e->mimeData()->hasUrls() && e->mimeData()->urls().first().isLocalFile()) e->acceptProposedAction();
  }
  void dropEvent(QDropEvent* e) override { dropped_(e->mimeData()->urls().first().toLocalFile()); }

 private:
  std::function<void(QString)> dropped_;
};

VerifyPage::VerifyPage(StoreClient& client, QWidget* parent) : Page(page::kVerify, client, parent) {
  drop_ = new DropArea([this](const QString& dir) { verify(dir); }, this);
  body()->addWidget(drop_);
  auto* row = new QHBoxLayout;
  keyLabel_ = new QLabel(this);
  key_ = new QLineEdit(this);
  key_->setClearButtonEnabled(true);
  keyLabel_->setBuddy(key_);
  keyBrowse_ = new QToolButton(this);
  keyBrowse_->setIcon(themedIcon("open"));
  row->addWidget(keyLabel_);
  row->addWidget(key_, 1);
  row->addWidget(keyBrowse_);
  body()->addLayout(row);

  auto* scroll = new QScrollArea(this);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  result_ = new QFrame(scroll);
  setRole(result_, "card");
  auto* column = new QVBoxLayout(result_);
  column->setSpacing(space::kS);
  verdict_ = new QLabel(result_);
  verdict_->setWordWrap(true);
  signer_ = new QLabel(result_);
  signer_->setWordWrap(true);
  signer_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  column->addWidget(verdict_);
  column->addWidget(signer_);
  details_ = new QVBoxLayout;
  column->addLayout(details_);
  column->addStretch(1);
  scroll->setWidget(result_);
  result_->setVisible(false);  // after setWidget, which shows it
  body()->addWidget(scroll, 1);

  connect(drop_->button, &QPushButton::clicked, this, &VerifyPage::chooseFolder);
  connect(keyBrowse_, &QToolButton::clicked, this, &VerifyPage::chooseKey);
  connect(key_, &QLineEdit::editingFinished, this, [this] {
    if (!dir_.isEmpty()) verify(dir_);
  });
  connect(primary(), &QPushButton::clicked, this, &VerifyPage::chooseFolder);
  connect(&Language::current(), &Language::changed, this, &VerifyPage::showReport);
}

QString VerifyPage::title() const { return tr("Verify"); }

Page::Mark VerifyPage::mark() const { return valid_ ? Mark::Done : Mark::None; }

QString VerifyPage::help() const {
  return tr(
      "<p>Drop a bundle folder here. Every file is hashed and compared with the signed list, then the signature is checked. Nothing is "
      "sent anywhere.</p>"
      "<p>Give the sender's public key (a .pem file you received another way) to know not only that nothing changed but also who "
      "signed.</p>");
}

void VerifyPage::refresh() {
  // After an export the newest bundle is what one wants to see verified.
  const ProjectState& s = store().state();
  if (dir_.isEmpty() && s.open && !s.bundles.isEmpty()) verify(s.dir + QStringLiteral("/bundles/") + s.bundles.last());
}

void VerifyPage::chooseFolder() {
  auto* dialog = new QFileDialog(this, tr("Choose a bundle folder"));
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setOption(QFileDialog::ShowDirsOnly);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, &VerifyPage::verify);
  dialog->open();
}

void VerifyPage::chooseKey() {
  auto* dialog = new QFileDialog(this, tr("Choose the sender's public key"), {}, QStringLiteral("*.pem *.pub"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) {
    key_->setText(file);
    if (!dir_.isEmpty()) verify(dir_);
  });
  dialog->open();
}

void VerifyPage::verify(const QString& dir) {
  if (process_) {
    process_->disconnect(this);
    process_->kill();
    process_->deleteLater();
    store().end();
  }
  dir_ = dir;
  banner().clear();
  process_ = new QProcess(this);
  QStringList arguments{QStringLiteral("bundle"), QStringLiteral("verify"),     dir,
                        QStringLiteral("--json"), QStringLiteral("--language"), Language::current().code()};
  if (!key_->text().trimmed().isEmpty()) arguments << QStringLiteral("--public-key") << key_->text().trimmed();
  store().begin();
  connect(process_, &QProcess::finished, this, [this](int code) { finished(code); });
  connect(process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError e) {
    if (e == QProcess::FailedToStart) finished(-1);
  });
  verdict_->setText(tr("Verifying %1 …").arg(dir));
  setRole(verdict_, "section");
  signer_->clear();
  result_->setVisible(true);
  process_->start(siblingProgram(QStringLiteral("cloister-cli")), arguments);
}

void VerifyPage::finished(int exitCode) {
  const QByteArray out = process_->readAllStandardOutput();
  process_->deleteLater();
  process_ = nullptr;
  store().end();
  report_ = QJsonDocument::fromJson(out).object();
  if (report_.contains("error") || !report_.contains("checks")) {
    const QJsonObject error = report_["error"].toObject();
    report_ = {};
    result_->setVisible(false);
    showFailure(error.isEmpty()
                    ? Failure{FailureKind::Crashed, {{"program", "cloister-cli"}, {"signal", exitCode}}, QString::fromUtf8(out.left(2000))}
                    : Failure::fromJson(error));
    return update_();
  }
  showReport();
}

void VerifyPage::showReport() {
  if (report_.isEmpty()) return;
  valid_ = report_["valid"].toBool();
  const bool trusted = report_["signerTrusted"].toBool();
  result_->setVisible(true);
  // Without the signer's key nothing can be said either way; that is not the same as a changed bundle.
  const bool unknown = !valid_ && report_["verdict"] == QStringLiteral("unknown_signer");
  setRole(verdict_, valid_ && trusted ? "good" : valid_ || unknown ? "warning" : "bad");
  verdict_->setFont(Theme::current().font(TextSize::Page, true));
  verdict_->setText(unknown   ? tr("!  The signer is not known here. Give the sender's public key above to verify this bundle.")
                    : !valid_ ? tr("✗  Do not use this bundle: it is not what was signed.")
                    : trusted ? tr("✓  This bundle is whole and was signed by a key you trust.")
                              : tr("!  This bundle is whole, but the signer is not known to you. Compare the fingerprint with the sender, "
                                   "or give their public key above."));
  QStringList lines{tr("Folder: %1").arg(dir_)};
  if (const QString f = report_["fingerprint"].toString(); !f.isEmpty()) lines << tr("Key fingerprint: %1").arg(f);
  if (const QString s = report_["subject"].toString(); !s.isEmpty()) lines << tr("Signed folder: %1").arg(s);
  if (const QString a = report_["algorithm"].toString(); !a.isEmpty()) lines << tr("Algorithm: %1").arg(a);
  if (const QString t = report_["signedAt"].toString(); !t.isEmpty()) lines << tr("Time of signing: %1").arg(words::dateTime(t));
  signer_->setText(lines.join('\n'));

  delete detailsBox_;
  detailsBox_ = new QWidget(result_);
  auto* column = new QVBoxLayout(detailsBox_);
  column->setContentsMargins(0, space::kS, 0, 0);
  auto heading = [&](const QString& text) {
    auto* l = new QLabel(text, detailsBox_);
    setRole(l, "section");
    column->addWidget(l);
  };
  QList<QStringList> checks;
  static const QMap<QString, const char*> kNames{{QStringLiteral("structure"), QT_TR_NOOP("Form of the signature")},
                                                 {QStringLiteral("digest"), QT_TR_NOOP("Digest of the list")},
                                                 {QStringLiteral("signature"), QT_TR_NOOP("Signature")},
                                                 {QStringLiteral("files"), QT_TR_NOOP("Every file unchanged")},
                                                 {QStringLiteral("certificate"), QT_TR_NOOP("Certificate chain")},
                                                 {QStringLiteral("expiry"), QT_TR_NOOP("Validity period")},
                                                 {QStringLiteral("ignored"), QT_TR_NOOP("Nothing left unsigned")},
                                                 {QStringLiteral("signer"), QT_TR_NOOP("Signer known")},
                                                 {QStringLiteral("bundle"), QT_TR_NOOP("Contents of the bundle")}};
  const QJsonArray list = report_["checks"].toArray();
  for (const QJsonValue& c : list) {
    const auto name = kNames.constFind(c["name"].toString());
    checks << QStringList{name == kNames.constEnd() ? c["name"].toString() : tr(*name),
                          c["passed"].toBool() ? tr("✓ passed") : tr("✗ failed"), c["message"].toString()};
  }
  heading(tr("Checks"));
  auto* table = new CopyTable({tr("Check"), tr("Result"), tr("Detail")}, checks, detailsBox_);
  table->setAccessibleName(tr("Checks"));
  for (int r = 0; r < table->rowCount(); ++r)
    table->item(r, 1)->setForeground(Theme::current().color(list[r]["passed"].toBool() ? Role::Good : Role::Bad));
  column->addWidget(table);

  QList<QStringList> files;
  const QJsonArray names = report_["files"].toArray(), ignored = report_["ignored"].toArray(),
                   unsignedFiles = report_["unsignedFiles"].toArray();
  for (const QJsonValue& f : names) files << QStringList{f.toString(), tr("signed")};
  for (const QJsonValue& f : ignored) files << QStringList{f.toString(), tr("ignored by the signature")};
  for (const QJsonValue& f : unsignedFiles) files << QStringList{f.toString(), tr("not signed")};
  if (!files.isEmpty()) {
    heading(tr("What is inside"));
    auto* inside = new CopyTable({tr("File"), tr("State")}, files, detailsBox_);
    inside->setAccessibleName(tr("What is inside"));
    column->addWidget(inside);
  }
  details_->addWidget(detailsBox_);
  update_();
  Q_EMIT markChanged();
}

void VerifyPage::retranslate() {
  drop_->text->setText(tr("Drop a bundle folder here"));
  drop_->button->setText(tr("Choose a folder…"));
  keyLabel_->setText(tr("Sender's public key (optional)"));
  key_->setAccessibleName(tr("Sender's public key file"));
  keyBrowse_->setToolTip(tr("Choose the sender's public key"));
  keyBrowse_->setAccessibleName(keyBrowse_->toolTip());
  setPrimaryText(tr("Verify a bundle"));
}

}  // namespace cloister
