#include "widgets/export/export_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDesktopServices>
#include <QDoubleSpinBox>
#include <QFile>
#include <QFileDialog>
#include <QFormLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTableWidget>
#include <QToolButton>
#include <QUrl>

#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/trust/audit_log.h"
#include "core/trust/bundle.h"
#include "widgets/common/failure_banner.h"
#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/run_box.h"
#include "widgets/common/settings.h"
#include "widgets/common/store_client.h"
#include "widgets/common/table.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/export/candidate_words.h"

namespace cloister {
ExportPage::ExportPage(StoreClient& client, QWidget* parent) : Page(page::kExport, client, parent) {
  QVBoxLayout* column = addScrolledColumn();
  column->setContentsMargins(0, 0, space::kS, 0);
  column->addWidget(buildOptions());
  column->addWidget(buildBundle());
  column->addStretch(1);
  open_ = new QToolButton(this);
  open_->setVisible(false);
  footerTools()->addWidget(open_);
  stop_ = new QPushButton(this);
  footerTools()->addWidget(stop_);
  connect(stop_, &QPushButton::clicked, this, [this] {
    store().supervise([id = running_](Project&, RunSupervisor& s) { return s.stopJob(id, QStringLiteral("export")); }, this,
                      [this](Result<void> done) {
                        if (!done) showFailure(done.error());
                      });
  });

  connect(open_, &QToolButton::clicked, this, [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(bundleDir_)); });
  connect(runs_, &QComboBox::currentIndexChanged, this, [this] { load(false); });
  connect(make_, &QPushButton::clicked, this, &ExportPage::makeCandidates);
  connect(primary(), &QPushButton::clicked, this, [this] {
    if (!bundleDir_.isEmpty()) Q_EMIT goTo(page::kVerify);
    else if (!exported()) makeCandidates();
    else createBundle();
  });
  connect(&client, &StoreClient::jobEvents, this, [this](const QString& r, const QString& verb) {
    if (verb != u"export") return;
    if (std::exchange(running_, r) == r) return;
    updateButtons();
    Q_EMIT markChanged();
  });
  connect(&client, &StoreClient::jobFinished, this, [this](const QString& r, const QString& verb, int, const QJsonObject& result) {
    if (verb != u"export") return;
    running_.clear();
    if (result.contains("failure")) showFailure(Failure::fromJson(result["failure"].toObject()));
    store().refreshState();
    if (r == run()) load(true);
    updateButtons();
    Q_EMIT markChanged();
  });
  connect(&client, &StoreClient::stateChanged, this, [this] {
    if (isVisible()) refresh();
  });
  connect(&client, &StoreClient::closed, this, [this] {
    loaded_.clear();
    json_ = {};
    bundleDir_.clear();
    running_.clear();
  });
}

QWidget* ExportPage::buildOptions() {
  auto* card = new QFrame(this);
  setRole(card, "card");
  auto* column = new QVBoxLayout(card);
  column->setSpacing(space::kS);
  auto* bar = new QHBoxLayout;
  runLabel_ = new QLabel(card);
  runs_ = new QComboBox(card);
  runs_->setMinimumWidth(180);
  runLabel_->setBuddy(runs_);
  fp16_ = new QCheckBox(QStringLiteral("FP16"), card);
  dynamic_ = new QCheckBox(card);
  static_ = new QCheckBox(card);
  int8_ = new QCheckBox(card);
  int4_ = new QCheckBox(card);
  for (QCheckBox* c : {fp16_, dynamic_, static_, int8_, int4_}) c->setChecked(true);
  targetLabel_ = new QLabel(card);
  target_ = new QComboBox(card);
  for (const auto& [name, word] : {std::pair{"ONNX", "onnx"}, {"ONNX Runtime GenAI", "onnx-genai"}, {"GGUF (llama.cpp)", "gguf"}})
    target_->addItem(QString::fromLatin1(name), QString::fromLatin1(word));
  targetLabel_->setBuddy(target_);
  connect(target_, &QComboBox::currentIndexChanged, this, &ExportPage::showOptions);
  calibrationLabel_ = new QLabel(card);
  calibration_ = new QComboBox(card);
  for (const char* word : {"auto", "minmax", "entropy", "percentile"}) calibration_->addItem(QString(), QString::fromLatin1(word));
  calibrationLabel_->setBuddy(calibration_);
  dropLabel_ = new QLabel(card);
  drop_ = new QDoubleSpinBox(card);
  drop_->setRange(0, 20);
  drop_->setDecimals(1);
  drop_->setValue(1);
  drop_->setSuffix(QStringLiteral(" %"));
  dropLabel_->setBuddy(drop_);
  make_ = new QPushButton(card);
  for (QWidget* w : std::initializer_list<QWidget*>{runLabel_, runs_, targetLabel_, target_, fp16_, dynamic_, static_, int8_, int4_})
    bar->addWidget(w);
  bar->addStretch(1);
  auto* second = new QHBoxLayout;
  for (QWidget* w : std::initializer_list<QWidget*>{calibrationLabel_, calibration_, dropLabel_, drop_}) second->addWidget(w);
  second->addStretch(1);
  second->addWidget(make_);
  column->addLayout(bar);
  column->addLayout(second);
  tableTitle_ = new QLabel(card);
  setRole(tableTitle_, "section");
  column->addWidget(tableTitle_);
  table_ = new QTableWidget(card);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  prepareTable(table_);
  column->addWidget(table_);
  why_ = new QLabel(card);
  why_->setWordWrap(true);
  setRole(why_, "quiet");
  column->addWidget(why_);
  connect(table_, &QTableWidget::itemSelectionChanged, this, &ExportPage::updateButtons);
  return card;
}

QWidget* ExportPage::buildBundle() {
  bundleBox_ = new QFrame(this);
  setRole(bundleBox_, "card");
  auto* column = new QVBoxLayout(bundleBox_);
  column->setSpacing(space::kS);
  bundleTitle_ = new QLabel(bundleBox_);
  setRole(bundleTitle_, "section");
  column->addWidget(bundleTitle_);
  auto* form = new QFormLayout;
  auto line = [this, form](QLabel*& label, QLineEdit*& edit) {
    label = new QLabel(bundleBox_);
    edit = new QLineEdit(bundleBox_);
    label->setBuddy(edit);
    form->addRow(label, edit);
  };
  auto text = [this, form](QLabel*& label, QPlainTextEdit*& edit) {
    label = new QLabel(bundleBox_);
    edit = new QPlainTextEdit(bundleBox_);
    edit->setTabChangesFocus(true);
    edit->setFixedHeight(edit->fontMetrics().lineSpacing() * 3);
    label->setBuddy(edit);
    form->addRow(label, edit);
  };
  line(nameLabel_, name_);
  text(useLabel_, use_);
  text(limitsLabel_, limits_);
  keyLabel_ = new QLabel(bundleBox_);
  keys_ = new QComboBox(bundleBox_);
  keyLabel_->setBuddy(keys_);
  newKey_ = new QToolButton(bundleBox_);
  newKey_->setCheckable(true);
  auto* keyRow = new QHBoxLayout;
  keyRow->addWidget(keys_, 1);
  keyRow->addWidget(newKey_);
  form->addRow(keyLabel_, keyRow);

  newKeyBox_ = new QFrame(bundleBox_);
  setRole(newKeyBox_, "sheet");
  auto* keyForm = new QFormLayout(newKeyBox_);
  newKeyHint_ = new QLabel(newKeyBox_);
  newKeyHint_->setWordWrap(true);
  setRole(newKeyHint_, "quiet");
  keyForm->addRow(newKeyHint_);
  auto keyLine = [this, keyForm](QLabel*& label, QLineEdit*& edit, bool secret) {
    label = new QLabel(newKeyBox_);
    edit = new QLineEdit(newKeyBox_);
    if (secret) edit->setEchoMode(QLineEdit::Password);
    label->setBuddy(edit);
    keyForm->addRow(label, edit);
  };
  keyLine(newNameLabel_, newName_, false);
  newCurveLabel_ = new QLabel(newKeyBox_);
  newCurve_ = new QComboBox(newKeyBox_);
  newCurve_->addItems({QStringLiteral("P-256"), QStringLiteral("P-384"), QStringLiteral("P-521")});
  newCurveLabel_->setBuddy(newCurve_);
  keyForm->addRow(newCurveLabel_, newCurve_);
  keyLine(newPassLabel_, newPass_, true);
  keyLine(newAgainLabel_, newAgain_, true);
  keyDone_ = new QPushButton(newKeyBox_);
  auto* keyDoneRow = new QHBoxLayout;
  keyDoneRow->addWidget(keyDone_);
  keyDoneRow->addStretch(1);
  keyForm->addRow(QString(), keyDoneRow);
  newKeyBox_->setVisible(false);
  form->addRow(newKeyBox_);

  passLabel_ = new QLabel(bundleBox_);
  pass_ = new QLineEdit(bundleBox_);
  pass_->setEchoMode(QLineEdit::Password);
  passLabel_->setBuddy(pass_);
  form->addRow(passLabel_, pass_);
  toLabel_ = new QLabel(bundleBox_);
  to_ = new QLineEdit(bundleBox_);
  toLabel_->setBuddy(to_);
  browse_ = new QToolButton(bundleBox_);
  browse_->setIcon(themedIcon("open"));
  auto* toRow = new QHBoxLayout;
  toRow->addWidget(to_, 1);
  toRow->addWidget(browse_);
  form->addRow(toLabel_, toRow);
  space_ = new QLabel(bundleBox_);
  setRole(space_, "small");
  form->addRow(QString(), space_);
  column->addLayout(form);

  connect(newKey_, &QToolButton::toggled, newKeyBox_, &QWidget::setVisible);
  connect(keyDone_, &QPushButton::clicked, this, &ExportPage::createKey);
  connect(to_, &QLineEdit::textChanged, this, &ExportPage::showSpace);
  for (QLineEdit* e : {name_, pass_, to_}) connect(e, &QLineEdit::textChanged, this, &ExportPage::updateButtons);
  connect(keys_, &QComboBox::currentIndexChanged, this, &ExportPage::updateButtons);
  connect(browse_, &QToolButton::clicked, this, [this] {
    auto* dialog = new QFileDialog(this, tr("Where the bundle goes"), to_->text());
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this](const QString& dir) { to_->setText(dir + '/' + run() + QStringLiteral("-bundle")); });
    dialog->open();
  });
  return bundleBox_;
}

QString ExportPage::title() const { return tr("Export"); }

Page::Missing ExportPage::missing() const {
  const ProjectState& s = store().state();
  if (!s.open) return projectMissing();
  if (s.newestFinishedRun().isEmpty())
    return {tr("There is no finished run to export. Train a model first."), page::kTrain, tr("Go to Train")};
  if (s.evaluated.isEmpty()) return {tr("A bundle carries its evaluation. Evaluate the run first."), page::kEvaluate, tr("Go to Evaluate")};
  return {};
}

Page::Mark ExportPage::mark() const {
  if (!running_.isEmpty()) return Mark::Running;
  return store().state().bundles.isEmpty() ? Mark::None : Mark::Done;
}

QString ExportPage::help() const {
  if (store().state().isLanguage())
    return tr(
        "<p>Each candidate is the same model in another number format, with its tokenizer. <b>Same tokens</b>: how many of 64 next tokens "
        "are those of the trained model; <b>Rise of perplexity</b>: what the format costs on the test part.</p>"
        "<p>The bundle is a folder with model, tokenizer, model card and report, signed with your key. Whoever has your public key can "
        "verify it without a network.</p>");
  return tr(
      "<p>Each candidate is the same model in another number format. <b>Parity</b> compares its answers with the trained model on stored "
      "test vectors; a candidate that "
      "fails it should not be handed out.</p><p>The bundle is a folder with model, labels, test vectors, model card and report, signed "
      "with your key. Whoever has your "
      "public key can verify it without a network.</p>");
}

QString ExportPage::run() const { return runs_->currentData().toString(); }

// Not json_.isEmpty(): reading a member of a QJsonObject that is not const inserts it.
bool ExportPage::exported() const { return !json_.value(QStringLiteral("candidates")).toArray().isEmpty(); }

QString ExportPage::chosen() const {
  const int row = table_->currentRow();
  return row < 0 || !table_->item(row, 0) ? QString() : table_->item(row, 0)->data(Qt::UserRole).toString();
}

bool ExportPage::language() const { return store().state().isLanguage(); }

// Images are calibrated and judged by accuracy, language models by perplexity; GGUF knows two number formats of its own.
void ExportPage::showOptions() {
  const bool words = language(), gguf = words && target_->currentData().toString() == u"gguf";
  for (QWidget* w : std::initializer_list<QWidget*>{targetLabel_, target_}) w->setVisible(words);
  int8_->setVisible(words);
  for (QWidget* w : std::initializer_list<QWidget*>{dynamic_, int4_}) w->setVisible(!gguf && (words || w == dynamic_));
  for (QWidget* w : std::initializer_list<QWidget*>{static_, calibrationLabel_, calibration_}) w->setVisible(!words);
  for (QWidget* w : std::initializer_list<QWidget*>{dropLabel_, drop_}) w->setVisible(!gguf);
  dropLabel_->setText(words ? tr("Largest rise of perplexity") : tr("Largest accuracy drop"));
  drop_->setAccessibleName(words ? tr("Largest rise of perplexity allowed") : tr("Largest accuracy drop allowed"));
}

void ExportPage::refresh() {
  showOptions();
  fillRuns();
  load(false);
  loadKeys();
  updateButtons();
}

void ExportPage::fillRuns() { fillRunBox(runs_, store().state().runs, store().state().evaluated); }

void ExportPage::load(bool again) {
  const QString id = run();
  if (id.isEmpty() || (id == loaded_ && !again)) return;
  loaded_ = id;
  bundleDir_.clear();
  if (name_->text().isEmpty()) name_->setText(store().state().info.name);
  to_->setText(store().state().dir + QStringLiteral("/bundles/") + id);
  store().read(
      [id](Project& p) -> Result<QJsonObject> {
        const QString file = p.runDir(id) + QStringLiteral("/export/export.json");
        if (!QFile::exists(file)) return QJsonObject();
        return readJson(file);
      },
      this,
      [this, id](Result<QJsonObject> json) {
        if (id != run()) return;
        if (!json) showFailure(json.error());
        json_ = json ? *json : QJsonObject();
        fillTable();
      });
}

void ExportPage::fillTable() {
  const bool words = isLanguageTask(json_.value(QStringLiteral("task")).toString());
  const QStringList columns =
      words ? QStringList{tr("Format"), tr("Perplexity"), tr("Size"), tr("Tokens per second"), tr("Same tokens"), tr("Rise of perplexity")}
            : QStringList{tr("Format"), tr("Accuracy"), tr("Size"), tr("p50 / p95, batch 1"), tr("Parity"), tr("Kept in float")};
  const QJsonArray candidates = json_.value(QStringLiteral("candidates")).toArray();
  table_->clear();
  table_->setColumnCount(int(columns.size()));
  table_->setRowCount(int(candidates.size()));
  table_->setHorizontalHeaderLabels(columns);
  int recommended = 0;
  for (int r = 0; r < candidates.size(); ++r) {
    const QJsonObject c = candidates[r].toObject();
    const QJsonObject parity = c["parity"].toObject();
    const bool suggested = c["name"] == json_.value(QStringLiteral("recommended"));
    if (suggested) recommended = r;
    QStringList cells = candidateCells(json_, c);
    if (suggested) cells[0] += QStringLiteral(" ★");
    for (int i = 0; i < cells.size(); ++i) {
      auto* item = new QTableWidgetItem(cells[i]);
      item->setData(Qt::UserRole, c["name"].toString());
      if (i == 4 && !parity.isEmpty()) item->setForeground(Theme::current().color(parity["passed"].toBool() ? Role::Good : Role::Bad));
      table_->setItem(r, i, item);
    }
  }
  table_->resizeColumnsToContents();
  int height = table_->horizontalHeader()->sizeHint().height() + 4;
  for (int r = 0; r < table_->rowCount(); ++r) height += table_->rowHeight(r);
  table_->setFixedHeight(std::max(height, 3 * table_->fontMetrics().lineSpacing()));
  table_->setVisible(!candidates.isEmpty());
  if (!candidates.isEmpty()) table_->selectRow(recommended);
  why_->setText(candidatesWhy(json_));
  updateButtons();
}

void ExportPage::loadKeys() {
  store().background([folder = settings::keysFolder()] { return KeyStore(folder).list(); }, this,
                     [this](Result<QList<KeyInfo>> keys) {
                       const QString before = keys_->currentData().toString();
                       const QSignalBlocker quiet(keys_);
                       keys_->clear();
                       if (keys)
                         for (const KeyInfo& k : *keys)
                           keys_->addItem(tr("%1 (%2, %3)").arg(k.name, k.curve, words::shortDigest(k.fingerprint)), k.name);
                       // With words for an empty box Qt chooses nothing by itself.
                       if (keys_->count() > 0) keys_->setCurrentIndex(std::max(0, keys_->findData(before)));
                       if (keys_->count() == 0) newKey_->setChecked(true);
                       updateButtons();
                     });
}

void ExportPage::makeCandidates() {
  const bool words = language(), gguf = words && target_->currentData().toString() == u"gguf";
  QJsonArray quantize;
  if (!gguf) quantize.append(QStringLiteral("none"));
  if (fp16_->isChecked()) quantize.append(QStringLiteral("fp16"));
  if (!gguf && dynamic_->isChecked()) quantize.append(QStringLiteral("dynamic-int8"));
  if (!words && static_->isChecked()) quantize.append(QStringLiteral("static-int8"));
  if (words && int8_->isChecked()) quantize.append(gguf ? QStringLiteral("q8_0") : QStringLiteral("int8"));
  if (words && !gguf && int4_->isChecked()) quantize.append(QStringLiteral("int4"));
  QJsonObject options{{"target", words ? target_->currentData().toString() : QStringLiteral("onnx")}, {"quantize", quantize}};
  if (words) {
    options["limit"] = drop_->value() / 100;
  } else {
    options["calibration"] = calibration_->currentData().toString();
    options["maximumAccuracyDrop"] = drop_->value() / 100;
  }
  const QString id = run();
  banner().clear();
  running_ = id;
  bundleDir_.clear();
  updateButtons();
  Q_EMIT markChanged();
  store().supervise([id, options](Project&, RunSupervisor& s) { return s.startJob(id, QStringLiteral("export"), options); }, this,
                    [this](Result<QString> started) {
                      if (started) return;
                      running_.clear();
                      showFailure(started.error());
                      updateButtons();
                    });
}

void ExportPage::createKey() {
  if (newPass_->text().isEmpty() || newPass_->text() != newAgain_->text())
    return banner().note(FailureBanner::Tone::Bad, tr("The two passphrases differ or are empty. Type the same one twice."));
  const QString name = newName_->text().trimmed(), curve = newCurve_->currentText();
  const QByteArray passphrase = newPass_->text().toUtf8();
  keyDone_->setEnabled(false);
  store().background(
      [name, curve, passphrase, folder = settings::keysFolder()] { return KeyStore(folder).create(name, curve, passphrase); }, this,
      [this](Result<KeyInfo> key) {
        keyDone_->setEnabled(true);
        if (!key) return showFailure(key.error());
        pass_->setText(newPass_->text());
        newPass_->clear();
        newAgain_->clear();
        newKey_->setChecked(false);
        keys_->addItem(tr("%1 (%2, %3)").arg(key->name, key->curve, words::shortDigest(key->fingerprint)), key->name);
        keys_->setCurrentIndex(keys_->count() - 1);
      });
}

void ExportPage::createBundle() {
  BundleRequest r;
  r.candidate = chosen();
  r.toDir = to_->text().trimmed();
  r.key = keys_->currentData().toString();
  r.passphrase = pass_->text().toUtf8();
  r.name = name_->text().trimmed();
  r.intendedUse = use_->toPlainText();
  r.limits = limits_->toPlainText();
  const QString id = run();
  signing_ = true;
  banner().clear();
  updateButtons();
  store().run(
      [r, id, keysFolder = settings::keysFolder()](Project& p) mutable -> Result<QString> {
        r.projectDir = p.dir();
        r.runDir = p.runDir(id);
        auto record = p.run(id);
        if (!record) return record.error();
        r.snapshotDir = p.snapshotDir(record->snapshot);
        auto log = AuditLog::open(p.dir());
        if (!log) return log.error();
        auto made = createAuditedBundle(r, KeyStore(keysFolder), **log);
        if (!made) return made.error();
        return made->dir;
      },
      this,
      [this](Result<QString> dir) {
        signing_ = false;
        pass_->clear();
        if (dir) bundleMade(*dir);
        else showFailure(dir.error());
        updateButtons();
      });
}

void ExportPage::bundleMade(const QString& dir) {
  bundleDir_ = dir;
  banner().note(FailureBanner::Tone::Good, tr("The signed bundle is at %1. It was verified again from the disk.").arg(dir));
}

void ExportPage::showSpace() {
  const qint64 free = bytesFree(to_->text());
  space_->setText(free < 0 ? QString() : tr("%1 free there").arg(words::bytes(double(free))));
}

void ExportPage::updateButtons() {
  const bool busy = !running_.isEmpty() || signing_;
  make_->setEnabled(!busy);
  make_->setVisible(exported());
  stop_->setVisible(!running_.isEmpty());
  bundleBox_->setVisible(exported());
  open_->setVisible(!bundleDir_.isEmpty());
  if (!bundleDir_.isEmpty()) {
    setPrimaryText(tr("Verify the bundle"));
    primary()->setEnabled(true);
  } else if (!exported()) {
    setPrimaryText(tr("Make the candidates"));
    primary()->setEnabled(!busy);
  } else {
    setPrimaryText(signing_ ? tr("Signing …") : tr("Create signed bundle"));
    primary()->setEnabled(!busy && !chosen().isEmpty() && keys_->currentIndex() >= 0 && !pass_->text().isEmpty() &&
                          !name_->text().trimmed().isEmpty() && !to_->text().trimmed().isEmpty());
  }
}

void ExportPage::retranslate() {
  fillRuns();
  runLabel_->setText(tr("Run"));
  runs_->setAccessibleName(tr("Run to export"));
  fp16_->setAccessibleName(tr("Make an FP16 candidate"));
  dynamic_->setText(tr("int8, dynamic"));
  static_->setText(tr("int8, static"));
  int8_->setText(tr("int8, in blocks"));
  int4_->setText(tr("int4, in blocks"));
  targetLabel_->setText(tr("For"));
  target_->setAccessibleName(tr("What the files are for"));
  calibrationLabel_->setText(tr("Calibration"));
  calibration_->setAccessibleName(tr("Calibration of the static int8 candidate"));
  const QStringList words{tr("Automatic"), tr("Minimum and maximum"), tr("Entropy"), tr("Percentile")};
  for (int i = 0; i < words.size(); ++i) calibration_->setItemText(i, words[i]);
  showOptions();
  make_->setText(tr("Make the candidates again"));
  stop_->setText(tr("Stop"));
  tableTitle_->setText(tr("Candidates"));
  table_->setAccessibleName(tr("Candidates"));
  bundleTitle_->setText(tr("Signed bundle"));
  nameLabel_->setText(tr("Name of the model"));
  useLabel_->setText(tr("Intended use"));
  limitsLabel_->setText(tr("Limits"));
  use_->setPlaceholderText(language() ? tr("For whom, on which texts, for which task")
                                      : tr("For whom, on which images, for which question"));
  limits_->setPlaceholderText(tr("Where it must not be used"));
  keyLabel_->setText(tr("Signing key"));
  keys_->setPlaceholderText(tr("No key yet: make one"));
  newKey_->setText(tr("New key"));
  newKeyHint_->setText(
      tr("The key stays on this machine, locked with its passphrase. Give the public key to those who will verify your bundles."));
  newNameLabel_->setText(tr("Name of the key"));
  newCurveLabel_->setText(tr("Curve"));
  newPassLabel_->setText(tr("Passphrase"));
  newAgainLabel_->setText(tr("Passphrase again"));
  keyDone_->setText(tr("Create key"));
  passLabel_->setText(tr("Passphrase of the key"));
  toLabel_->setText(tr("Folder of the bundle"));
  browse_->setToolTip(tr("Choose the folder of the bundle"));
  browse_->setAccessibleName(browse_->toolTip());
  open_->setText(tr("Open the folder"));
  const std::pair<QWidget*, QLabel*> named[] = {
      {name_, nameLabel_},         {use_, useLabel_},         {limits_, limitsLabel_},     {keys_, keyLabel_},  {newName_, newNameLabel_},
      {newCurve_, newCurveLabel_}, {newPass_, newPassLabel_}, {newAgain_, newAgainLabel_}, {pass_, passLabel_}, {to_, toLabel_}};
  for (const auto& [widget, label] : named) widget->setAccessibleName(label->text());
  showSpace();
  fillTable();
}

}  // namespace cloister
